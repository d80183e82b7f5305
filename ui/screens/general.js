// @ts-check
/** @import { GeneralView, Theme } from '../bindings/view.d.ts' */
/** @import { Views } from '../store.js' */
import { call } from '../backend.js';
import { button, copyOf, fill, get, h, makeId } from '../components/dom.js';
import { loadInto } from '../components/loading.js';
import { ProgressBar } from '../components/progress.js';
import { attempt } from '../components/toast.js';
import { changePassword, deleteUser, renewBackupCodes, replaceSecondFactor, showSecretKey, signOut } from '../dialogs/user.js';
import { exportBackup, openWithoutServer, restoreBackup } from '../dialogs/backup.js';
import { setPassphrase, takeOffPassphrase } from '../dialogs/passphrase.js';
import { confirmOfflineUse } from '../dialogs/offline-use.js';
import { openSetup } from '../setup/dialog.js';
import { store } from '../store.js';
import { ago } from '../words/time.js';

/**
 * @param {HTMLElement} root
 * @returns {() => void} unmounts
 */
export function mountGeneral(root) {
  /** @type {(() => void) | null} */
  let stop = null;
  void loadInto(root, 'Loading settings…', async () => {
    store.apply({ kind: 'general', view: await call('general_view') });
    const place = h('div', { class: 'screen' });
    const progress = new ProgressBar();
    fill(root, h('h1', { class: 'visually-hidden' }, 'General'), place);
    const render = (/** @type {Views} */ views, /** @type {Views | null} */ before) => {
      if (views.progress !== before?.progress) progress.show(views.progress);
      if (!views.general || views.general === before?.general) return;
      const focused = focusedName(place);
      fill(place, progress, ...sections(views.general));
      restoreFocus(place, focused);
    };
    render(store.views, null);
    stop = store.subscribe(render);
  });
  return () => stop?.();
}

/**
 * @param {HTMLElement} place
 */
function focusedName(place) {
  const active = document.activeElement;
  return active && place.contains(active) ? active.getAttribute('data-name') : null;
}

/**
 * @param {HTMLElement} place
 * @param {string | null} name
 */
function restoreFocus(place, name) {
  if (name) /** @type {HTMLElement | null} */ (place.querySelector(`[data-name="${name}"]`))?.focus();
}

/** @param {() => Promise<GeneralView>} action */
async function change(action) {
  const view = await attempt(action);
  // Drawn anew even when refused: a control must not show what was not done.
  const general = view ?? store.views.general;
  if (general) store.apply({ kind: 'general', view: { ...general } });
}

/** @param {GeneralView} view */
function sections(view) {
  return [syncSection(view), view.email ? userSection(view) : null, lockSection(view), windowSection(view), backupSection(view), view.email ? leaveSection() : null];
}

/** @param {GeneralView} view */
function syncSection(view) {
  return section('Sync', [
    toggle({
      name: 'Sync exchange API keys across devices',
      help: view.setUp ? 'Off pauses sync on this device and deletes nothing.' : 'Off: your keys are on this device only. Switching it on leads through the set-up.',
      checked: view.syncOn,
      onChange: async (on) => {
        if (on && !view.setUp) {
          await change(async () => view);
          return openSetup();
        }
        const sync = await attempt(() => call('sync_set_on', { on }));
        if (sync) store.apply({ kind: 'sync', view: sync });
        await change(() => call('general_view'));
      },
    }),
    setting('Server', view.server ? h('span', { class: 'mono' }, view.server) : 'Named in the first step of the set-up.', null),
    view.setUp
      ? toggle({
          name: 'Keep synced keys usable offline',
          help: 'Off: after a restart this device needs the server to open synced accounts, which is what lets you close them from afar. On gives that up.',
          checked: view.offlineUse,
          onChange: async (on) => {
            const agreed = !on || (await confirmOfflineUse());
            await change(async () => (agreed ? call('general_set_offline_use', { on }) : view));
          },
        })
      : null,
  ]);
}

/** @param {GeneralView} view */
function userSection(view) {
  const { confirmed, backupCodesLeft: left } = view.secondFactor;
  const codes = left === null ? '' : ` ${left} of 10 backup codes left.`;
  return section('You', [
    setting('Email', h('span', { class: 'mono' }, view.email), null),
    setting('Password', 'Known to you alone; the server never sees it.', button('Change…', { label: 'Change password', on: () => void changePassword() })),
    setting('Secret Key', 'Needed, with your password, to sign in on a further device.', button('Show…', { label: 'Show Secret Key', on: () => void showSecretKey() })),
    setting(
      'Second factor',
      confirmed ? `On.${codes}` : 'Not set up. Without it there is no sync.',
      confirmed
        ? [
            button('Replace…', { label: 'Replace second factor', on: () => void replaceSecondFactor() }),
            button('New backup codes…', { on: () => void renewBackupCodes() }),
          ]
        : button('Set up…', { label: 'Set up second factor', on: () => void openSetup() }),
    ),
  ]);
}

/** @param {GeneralView} view */
function lockSection(view) {
  const { passphraseSet, keyring, times } = view.lock;
  const mustHave = keyring !== 'available';
  const set = (/** @type {Partial<typeof times>} */ part) => void change(() => call('general_set_lock', { lock: { ...times, ...part } }));
  return section('Lock', [
    setting(
      'Lock passphrase',
      passphraseSet ? (mustHave ? 'Set. It cannot be taken off, because no keyring answers on this system.' : 'Set.') : 'Not set: whoever uses this computer as you can open the app.',
      passphraseSet
        ? [
            button('Change…', { label: 'Change lock passphrase', on: () => void setPassphrase(true) }),
            mustHave ? null : button('Take off…', { label: 'Take off lock passphrase', on: () => void takeOffPassphrase() }),
          ]
        : button('Set…', { label: 'Set lock passphrase', on: () => void setPassphrase(false) }),
    ),
    select({
      name: 'Lock after',
      help: 'When nobody has touched the app for this long.',
      choices: [['1', '1 minute'], ['5', '5 minutes'], ['15', '15 minutes'], ['60', '1 hour'], ['never', 'Never']],
      value: times.idleMinutes === null ? 'never' : String(times.idleMinutes),
      unit: 'minutes',
      disabled: !passphraseSet,
      onChange: (value) => set({ idleMinutes: value === 'never' ? null : Number(value) }),
    }),
    toggle({ name: 'Lock when the computer sleeps', checked: times.onSleep, disabled: !passphraseSet, onChange: (onSleep) => set({ onSleep }) }),
    toggle({ name: 'Lock with the screen', checked: times.onScreenLock, disabled: !passphraseSet, onChange: (onScreenLock) => set({ onScreenLock }) }),
  ]);
}

/** @param {GeneralView} view */
function windowSection(view) {
  return section('This device', [
    select({
      name: 'Clear the clipboard after',
      help: 'Copied keys are also kept out of clipboard histories where the system allows it.',
      choices: [['15', '15 seconds'], ['30', '30 seconds'], ['60', '1 minute'], ['300', '5 minutes'], ['never', 'Never']],
      value: view.clipboardSeconds === null ? 'never' : String(view.clipboardSeconds),
      unit: 'seconds',
      onChange: (value) => void change(() => call('general_set_clipboard_seconds', { seconds: value === 'never' ? null : Number(value) })),
    }),
    select({
      name: 'Theme',
      choices: [['system', 'As the system'], ['light', 'Light'], ['dark', 'Dark']],
      value: view.theme,
      onChange: (value) => void change(() => call('general_set_theme', { theme: /** @type {Theme} */ (value) })),
    }),
  ]);
}

/** @param {GeneralView} view */
function backupSection(view) {
  const last = view.lastBackupAt === null ? 'None made yet.' : `Last made ${ago(view.lastBackupAt, Date.now())}.`;
  return section('Backup', [
    setting('Back up to a file', `All accounts that are open here, encrypted under a passphrase of its own. ${last}`, button('Back up…', { on: () => void exportBackup(view) })),
    setting('Restore from a file', 'Adds what is missing; the newer version of an account wins and the other stays in its history.', button('Restore…', { on: () => void restoreBackup() })),
    view.canOpenWithoutServer
      ? setting(
          'Open without a server',
          'If the server is gone for good: the recovery code opens the synced accounts on this device and makes them local ones.',
          button('Open…', { label: 'Open without a server', on: () => void openWithoutServer() }),
        )
      : null,
  ]);
}

function leaveSection() {
  return section('Leave', [
    setting('Sign out', 'This device stops syncing. Accounts kept only here stay; synced ones leave it and stay at the server.', button('Sign out…', { on: () => void signOut() })),
    setting('Delete user', 'Ends sync, and deletes you and everything of yours at the server.', button('Delete user…', { kind: 'danger', on: () => void deleteUser() })),
  ]);
}

/**
 * @param {string} title
 * @param {(HTMLElement | null)[]} lines
 */
function section(title, lines) {
  const id = makeId();
  return h('section', { class: 'settings', 'aria-labelledby': id }, h('h2', { id }, title), h('div', { class: 'card flush' }, ...lines));
}

/**
 * @param {string} name
 * @param {import('../components/dom.js').Child} help
 * @param {import('../components/dom.js').Child | import('../components/dom.js').Child[]} control
 */
function setting(name, help, control) {
  const element = copyOf('setting-template');
  get(element, '.setting-name').textContent = name;
  const text = get(element, '.help');
  fill(text, help);
  text.hidden = !help;
  const place = get(element, '.setting-control');
  fill(place, control);
  for (const one of place.querySelectorAll('button')) one.dataset.name = one.getAttribute('aria-label') ?? one.textContent ?? '';
  return element;
}

/**
 * A control that the setting's own name labels.
 *
 * @param {HTMLElement} element
 * @param {HTMLElement} control
 * @param {string} name
 */
function labelled(element, control, name) {
  const id = makeId();
  const help = makeId();
  const caption = h('label', { class: 'setting-name', for: id }, name);
  get(element, '.setting-name').replaceWith(caption);
  control.id = id;
  control.dataset.name = name;
  if (!get(element, '.help').hidden) {
    get(element, '.help').id = help;
    control.setAttribute('aria-describedby', help);
  }
  return element;
}

/** @param {{ name: string, help?: string, checked: boolean, disabled?: boolean, onChange: (on: boolean) => unknown }} options */
function toggle({ name, help, checked, disabled = false, onChange }) {
  const control = h('input', { type: 'checkbox', role: 'switch', class: 'switch', checked, disabled });
  control.addEventListener('change', () => void onChange(control.checked));
  return labelled(setting(name, help ?? '', control), control, name);
}

/**
 * @param {{ name: string, help?: string, choices: [string, string][], value: string, unit?: string, disabled?: boolean,
 *   onChange: (value: string) => void }} options
 */
function select({ name, help, choices, value, unit, disabled = false, onChange }) {
  const known = choices.some(([key]) => key === value);
  const all = known ? choices : [...choices, /** @type {[string, string]} */ ([value, `${value} ${unit ?? ''}`.trim()])];
  const control = h('select', { disabled }, ...all.map(([key, text]) => h('option', { value: key }, text)));
  control.value = value;
  control.addEventListener('change', () => onChange(control.value));
  return labelled(setting(name, help ?? '', control), control, name);
}
