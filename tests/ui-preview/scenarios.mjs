// Every screen and state: what the backend answers, and what a person does to get there.
import * as f from './fixtures.mjs';

const refuse = (problem) => ({ refuse: problem });
const click = (role, name) => (page) => page.getByRole(role, { name, exact: true }).first().click();
const press = (...keys) => async (page) => {
  for (const key of keys) await page.keyboard.press(key);
};
const tab = (name) => click('tab', name);
const fill = (label, text) => (page) => page.getByRole('textbox', { name: label, exact: true }).or(page.getByRole('searchbox', { name: label })).or(page.locator('input:not([type=checkbox])').and(page.getByLabel(label))).first().fill(text);
const emit = (change) => (page) => page.evaluate((one) => window.previewEmit(one), change);
const steps = (...all) => async (page) => {
  for (const one of all) await one(page);
};
const proof = steps(fill('Password', 'correct horse'), fill('Second-factor code', '123456'));

/** @type {{ name: string, answers?: object, act?: (page: any) => Promise<unknown> }[]} */
export const scenarios = [];
const add = (name, answers, act) => scenarios.push({ name, answers, act });

const welcome = f.app({ stage: 'welcome', canLock: false, status: f.status('off') });
add('welcome', { app_view: welcome });
add('welcome-passphrase', { app_view: welcome }, steps((page) => page.getByText('Set a lock passphrase').click(), fill('Lock passphrase', 'one two'), click('button', 'Start')));
add('welcome-no-keyring', { app_view: welcome, welcome_view: { keyring: 'missing' } }, click('button', 'Start'));
add('start-error', { app_view: refuse({ code: 'profileInUse', message: 'Another Keyquay (process 4711) uses this profile.', hint: 'Close it, or start this one with --profile and another name.' }) });

const locked = f.app({ stage: 'locked' });
add('unlock', { app_view: locked });
add('unlock-wrong', { app_view: locked, unlock_with_passphrase: refuse({ code: 'wrongPassphrase', message: 'That is not the lock passphrase.', hint: 'Check the keyboard layout and caps lock, then try again.' }) }, steps(fill('Lock passphrase', 'nope'), click('button', 'Unlock')));
add('unlock-forgot', { app_view: locked }, click('button', 'Forgot the passphrase?'));
add('unlock-recovery', { app_view: locked }, steps(click('button', 'Forgot the passphrase?'), click('button', 'Use recovery code')));

const off = { app_view: f.app({ status: f.status('off'), canLock: false }), sync_view: f.syncOff(), general_view: f.generalLocal() };
add('accounts-empty', { ...off, accounts_view: f.accounts({ rows: [], syncOn: false, canSync: false }) });
add('accounts-local', { ...off, accounts_view: f.accounts({ rows: f.localRows, syncOn: false, canSync: false }) });
add('accounts-loading', { accounts_view: { never: true } }, (page) => page.waitForTimeout(300));
add('accounts-error', { accounts_view: refuse({ code: 'vaultDamaged', message: 'The vault could not be read.', hint: 'The damaged file is kept beside the new one. Restore a backup from General.' }) });
add('accounts-all-states', {});
add('accounts-menu', {}, click('button', 'Actions for Binance main'));
add('accounts-menu-last', {}, click('button', 'Actions for XBT swing'));
add('accounts-search-none', {}, fill('Search accounts', 'mt gox'));
add('accounts-progress', {}, emit({ kind: 'progress', progress: { what: 'retrieving', done: 3, total: 9 } }));
add('accounts-offline', { app_view: f.app({ status: f.status('offline', { waiting: 2 }) }) });
add('accounts-closed', { app_view: f.app({ status: f.status('closed') }), accounts_view: f.accounts({ rows: f.localRows, closed: { count: 4, reason: 'noServer' } }) });
add('accounts-removed', { app_view: f.app({ status: f.status('removed') }), accounts_view: f.accounts({ rows: f.localRows.map((one) => ({ ...one, state: 'disabledProveIdentity' })), closed: { count: 4, reason: 'removed' }, needsProof: true, canSync: false }) });
add('accounts-prove', { app_view: f.app({ status: f.status('removed') }), unlock_view: { reason: 'removed', passphrase: true, server: 'https://sync.example.org', email: 'ada@example.org', recoveryCode: true, keyring: 'available' }, accounts_view: f.accounts({ rows: f.localRows.map((one) => ({ ...one, state: 'disabledProveIdentity' })), needsProof: true, canSync: false }) }, steps(click('button', 'Prove it is you'), click('button', 'Sign in')));
add('accounts-deleted', {}, steps(click('button', 'Actions for Binance main'), click('menuitem', 'Delete')));
add('accounts-focus', {}, steps(click('tab', 'Accounts'), press('Tab', 'Tab', 'Tab', 'Tab', 'Tab', 'Tab', 'Tab')));
add('keys', {}, click('button', 'Binance main'));
add('keys-revealed', {}, steps(click('button', 'Actions for Binance main'), click('menuitem', 'Reveal keys'), (page) => page.waitForTimeout(100)));
add('history', {}, steps(click('button', 'Actions for Binance main'), click('menuitem', 'History…')));
add('conflict', {}, (page) => page.getByRole('button', { name: /Conflict kept: choose/ }).click());
add('keep-local', {}, steps(click('button', 'Actions for Binance main'), click('menuitem', 'Keep local only…')));
add('withdrawn', {}, (page) => page.getByRole('button', { name: /Withdrawn: keep or delete/ }).click());
add('auto-connect', {}, (page) => page.getByRole('switch', { name: 'Auto connect all accounts' }).click());
add('add-picker', {}, steps(click('button', 'Add account'), (page) => page.getByRole('combobox').pressSequentially('bi')));
add('add-binance', {}, steps(click('button', 'Add account'), (page) => page.getByRole('combobox').pressSequentially('binance'), press('Enter'), fill('API key', 'abcdefghijkl'), (page) => page.waitForTimeout(600), (page) => page.getByText('Permissions, tags, expiry, note').click()));
add('add-missing', {}, steps(click('button', 'Add account'), (page) => page.getByRole('combobox').pressSequentially('okx'), press('Enter'), (page) => page.locator('.dialog-footer').getByRole('button', { name: 'Add account' }).click()));
add('add-other', {}, steps(click('button', 'Add account'), (page) => page.getByRole('combobox').pressSequentially('other'), press('Enter')));
add('edit', {}, steps(click('button', 'Actions for Binance main'), click('menuitem', 'Edit…')));

const open = (setup, more = {}) => ({ ...off, sync_setup_view: setup, ...more });
const begin = steps(tab('Sync'), (page) => page.getByRole('button', { name: 'Set up sync' }).click());
add('setup-1-server', open(f.setup('server', { path: 'undecided', server: null, email: null, suggestedServer: 'http://127.0.0.1:7700' })), begin);
add('setup-1-server-error', open(f.setup('server', { path: 'undecided', server: null, suggestedServer: 'http://127.0.0.1:7700' }), { sync_setup_server: refuse(f.unreachable) }), steps(begin, (page) => page.locator('.dialog-footer').getByRole('button', { name: 'Continue', exact: true }).click()));
add('setup-2-sign-in', open(f.setup('signIn', { path: 'undecided', email: null })), begin);
add('setup-2-register', open(f.setup('signIn', { path: 'undecided', email: null })), steps(begin, click('button', 'Register')));
add('setup-2-recover', open(f.setup('signIn', { path: 'undecided', email: null })), steps(begin, click('button', 'Lost password')));
add('setup-3-address', open(f.setup('confirmAddress', { addressMailSentAt: Date.now() - 30_000 })), begin);
add('setup-4-enrol', open(f.setup('secondFactor')), begin);
add('setup-4-backup-codes', open(f.setup('secondFactor')), steps(begin, fill('Six-digit code', '123456'), click('button', 'Confirm')));
add('setup-4-prove-wrong', open(f.setup('secondFactor', { secondFactorConfirmed: true, path: 'furtherDevice' }), { sync_setup_prove_second_factor: refuse(f.problem) }), steps(begin, fill('Six-digit code', '000000'), (page) => page.locator('.dialog-footer').getByRole('button', { name: 'Continue', exact: true }).click()));
add('setup-4-lost', open(f.setup('secondFactor', { secondFactorConfirmed: true, path: 'furtherDevice' })), steps(begin, click('button', 'Use a backup code and set up a new second factor')));
add('setup-5-request', open(f.setup('verification', { mail: f.mail() })), begin);
add('setup-5-waiting', open(f.setup('verification', { mail: f.mail(Date.now() - 20_000) })), begin);
add('setup-5-no-log', open(f.setup('noLog', { path: 'undecided' })), begin);
add('setup-5-secret-key', open(f.setup('secretKey', { path: 'furtherDevice' })), begin);
add('setup-6-kit', open(f.setup('kit')), begin);
add('setup-6-kit-confirm', open(f.setup('kit')), steps(begin, (page) => page.waitForTimeout(100), click('button', 'I have it')));
add('setup-6-compare', open(f.setup('compare', { path: 'furtherDevice', comparison: f.comparison })), begin);
add('setup-6-new-password', open(f.setup('newPassword', { path: 'recovery' })), begin);
add('setup-7-choose', open(f.setup('choose', { local: f.localRows, available: f.availableRows })), begin);
add('setup-8-done', open(f.setup('done')), begin);

add('sync-off', off, tab('Sync'));
add('sync-setting-up', { app_view: f.app({ status: f.status('settingUp') }), sync_view: f.sync({ ...f.syncOff(), status: f.status('settingUp'), setup: f.setup('verification', { mail: f.mail(Date.now()) }) }) }, tab('Sync'));
add('sync', {}, tab('Sync'));
add('sync-alone', { sync_view: f.sync({ otherDevices: [] }) }, tab('Sync'));
add('sync-offline', { app_view: f.app({ status: f.status('offline', { waiting: 1, leaseEndsAt: Date.now() + 18 * 3_600_000 }) }), sync_view: f.sync({ status: f.status('offline', { waiting: 1, leaseEndsAt: Date.now() + 18 * 3_600_000 }), lastSync: { at: Date.now() - 60_000, outcome: 'failed', received: 0, sent: 0, problem: f.unreachable } }) }, tab('Sync'));
add('sync-suspended', { app_view: f.app({ status: f.status('suspended') }), sync_view: f.sync({ status: f.status('suspended') }) }, tab('Sync'));
add('sync-removed', { app_view: f.app({ status: f.status('removed') }), sync_view: f.sync({ status: f.status('removed'), thisDevice: null, otherDevices: [], activity: [], kitMadeAt: null }) }, tab('Sync'));
const stopped = f.status('stopped', { problem: { code: 'historyForked', message: '“Desk PC” shows another history than this device.', hint: 'Suspend it if you are unsure where it is. Compare the phrases on both devices before you go on.' } });
add('sync-stopped', { app_view: f.app({ status: stopped }), sync_view: f.sync({ status: stopped }) }, tab('Sync'));
add('sync-ended', { app_view: f.app({ status: f.status('ended') }), sync_view: f.sync({ status: f.status('ended'), deletedAt: Date.now() + 6 * 86_400_000 }) }, tab('Sync'));
add('sync-open-removal', { sync_view: f.sync({ openRemovals: [f.removal] }) }, tab('Sync'));
add('remove-1-ask', {}, steps(tab('Sync'), click('button', 'Remove Desk PC')));
add('remove-2-prove', {}, steps(tab('Sync'), click('button', 'Remove Desk PC'), click('button', 'Remove')));
add('remove-3-list', {}, steps(tab('Sync'), click('button', 'Remove Desk PC'), click('button', 'Remove'), proof, click('button', 'Remove for good')));
add('suspend', {}, steps(tab('Sync'), click('button', 'Suspend Desk PC')));
add('delete-everything', {}, steps(tab('Sync'), click('button', 'Delete everything…')));
add('kit-renewed', {}, steps(tab('Sync'), click('button', 'Make a new kit'), proof, click('button', 'Continue')));

add('general', {}, tab('General'));
add('general-bottom', {}, steps(tab('General'), (page) => page.locator('.frame-main').evaluate((main) => main.scrollTo(0, 99_999))));
add('general-local', off, tab('General'));
add('general-no-keyring', { general_view: f.general({ lock: { passphraseSet: true, keyring: 'missing', times: { idleMinutes: null, onSleep: false, onScreenLock: true } } }) }, tab('General'));
add('secret-key-ask', {}, steps(tab('General'), click('button', 'Show Secret Key')));
add('secret-key', {}, steps(tab('General'), click('button', 'Show Secret Key'), proof, click('button', 'Show')));
add('offline-use', {}, steps(tab('General'), (page) => page.getByRole('switch', { name: 'Keep synced keys usable offline' }).click()));
add('backup', {}, steps(tab('General'), click('button', 'Back up…')));
add('restore', {}, steps(tab('General'), click('button', 'Restore…')));
add('change-password', {}, steps(tab('General'), click('button', 'Change password')));
add('delete-user', {}, steps(tab('General'), click('button', 'Delete user…')));
add('sign-out', {}, steps(tab('General'), click('button', 'Sign out…')));
add('second-factor', {}, steps(tab('General'), click('button', 'Replace second factor'), proof, click('button', 'Continue')));
