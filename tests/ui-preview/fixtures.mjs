// Views as the backend would give them, for pictures of every state. Nothing here is shipped.
import { readFileSync } from 'node:fs';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const now = Date.now();
const onDay = (days) => new Date(now + days * DAY).toISOString().slice(0, 10);

export const status = (state, more = {}) => ({ state, lastSyncedAt: now - 2 * MINUTE, waiting: 0, leaseEndsAt: null, problem: null, ...more });
export const app = (more = {}) => ({ stage: 'open', profile: 'default', version: '0.1.0', theme: 'system', canLock: true, status: status('synced'), ...more });

export const problem = { code: 'wrongSecondFactor', message: 'The code was not accepted.', hint: 'Wait for the next code in your authenticator app, and check that the phone’s clock is right.' };
export const unreachable = { code: 'serverUnreachable', message: 'The server does not answer.', hint: 'Check the address and your connection, then try again. Nothing is lost.' };

let serial = 0;
export function row(more = {}) {
  serial += 1;
  return {
    id: serial.toString(16).padStart(32, '0'),
    exchange: 'binance',
    exchangeName: 'Binance',
    label: 'Main',
    keyHint: 'vmP…4Qz',
    tags: [],
    environment: 'live',
    permissions: { read: 'yes', trade: 'yes', withdraw: 'no' },
    expiresOn: null,
    createdAt: now - 12 * DAY,
    changedAt: now - 3 * DAY,
    state: 'localOnly',
    hasHistory: true,
    ...more,
  };
}

export const rows = [
  row({ label: 'Binance main', tags: ['spot', 'bot'], state: 'synced', createdAt: now - 90 * DAY }),
  row({ label: 'Binance futures grid', keyHint: 'k9T…aa1', tags: ['futures'], state: 'uploading' }),
  row({ exchange: 'bybit', exchangeName: 'Bybit', label: 'Hedge', keyHint: 'Xb2…p0L', state: 'waitingToUpload', expiresOn: onDay(6) }),
  row({ exchange: 'okx', exchangeName: 'OKX', label: 'Arbitrage desk, joint account with Mara', keyHint: '3f2…9c1', tags: ['desk', 'joint', 'arbitrage'], state: 'conflictKept', createdAt: now - 800 * DAY }),
  row({ exchange: 'kraken', exchangeName: 'Kraken', label: 'Cold savings', keyHint: 'hQ7…Lm2', state: 'localOnlyPinned', createdAt: now - 400 * DAY }),
  row({ exchange: 'deribit', exchangeName: 'Deribit', label: 'Options', keyHint: 'aB3…Zz9', environment: 'testnet', state: 'localOnly', createdAt: now - 5 * HOUR }),
  row({ exchange: 'coinbase', exchangeName: 'Coinbase Advanced', label: 'Payouts', keyHint: 'org…7f1', state: 'available' }),
  row({ exchange: 'kucoin', exchangeName: 'KuCoin', label: 'Altcoins', keyHint: '64a…e02', state: 'available' }),
  row({ exchange: 'hyperliquid', exchangeName: 'Hyperliquid', label: 'Vault 2', keyHint: '0x4…1bD', state: 'retrieving' }),
  row({ exchange: 'gate', exchangeName: 'Gate', label: 'Old laptop’s', keyHint: null, state: 'damaged' }),
  row({ exchange: 'bitmex', exchangeName: 'BitMEX', label: 'XBT swing', keyHint: 'LAq…k3j', state: 'withdrawn' }),
];

export const accounts = (more = {}) => ({ rows, closed: null, syncOn: true, autoConnect: false, canSync: true, needsProof: false, ...more });
const local = [rows[5], rows[4], row({ label: 'Scalper', keyHint: 'p0s…2Wx' })].map((one) => ({ ...one, state: one.state === 'localOnlyPinned' ? 'localOnlyPinned' : 'localOnly' }));
export const localRows = local;
export const availableRows = rows.filter((one) => one.state === 'available');

const phrase = 'harbor velvet orbit cactus lemon ridge';
export const device = (more = {}) => ({ id: `d${(serial += 1)}`, name: 'Desk PC', platform: 'windows', verifiedAt: now - 60 * DAY, lastSeenAt: now - 4 * MINUTE, state: 'active', phrase: 'soldier rain amused kit trophy olive', thisDevice: false, ...more });
const thisDevice = device({ name: 'Laptop', platform: 'linux', phrase, thisDevice: true, verifiedAt: now - 90 * DAY, lastSeenAt: now });

export const setup = (step, more = {}) => ({
  step,
  path: 'firstDevice',
  server: 'https://sync.example.org',
  suggestedServer: null,
  email: 'ada@example.org',
  secondFactorConfirmed: false,
  deviceName: 'Laptop',
  mail: null,
  addressMailSentAt: null,
  comparison: null,
  local: [],
  available: [],
  ...more,
});

export const mail = (sentAt = null) => ({ sentTo: 'ada@example.org', phrase, sentAt, expiresAt: sentAt && sentAt + 15 * MINUTE, resendAt: sentAt && sentAt + MINUTE });
export const comparison = { phrase: 'winter cable dune fossil hello ticket', devices: [device(), device({ name: 'Old laptop', platform: 'macOs', lastSeenAt: now - 40 * DAY }), { ...thisDevice, verifiedAt: now }], items: 7, lastChangeAt: now - 2 * HOUR };

const entry = (seq, ago, what, more = {}) => ({ seq, at: now - ago, by: 'Desk PC', byThisDevice: false, what, ...more });
const activity = [
  entry(9, 4 * MINUTE, { kind: 'accountSaved', label: 'Binance main', first: false }),
  entry(8, 3 * HOUR, { kind: 'accountWithdrawn', label: 'XBT swing' }),
  entry(7, 26 * HOUR, { kind: 'accountSaved', label: 'Payouts', first: true }),
  entry(6, 3 * DAY, { kind: 'accountDeleted', label: null }, { byThisDevice: true, by: 'Laptop' }),
  entry(5, 12 * DAY, { kind: 'deviceRemoved', device: 'Old laptop' }, { by: null }),
  entry(4, 40 * DAY, { kind: 'unlockChanged' }, { by: null }),
  entry(3, 60 * DAY, { kind: 'deviceAdded', device: 'Desk PC' }, { by: null }),
  entry(1, 90 * DAY, { kind: 'syncStarted' }, { by: null }),
];

export const removal = {
  device: 'd9',
  name: 'Old laptop',
  removedAt: now - 3 * MINUTE,
  accounts: rows.slice(0, 5).map((one, index) => ({ account: one.id, label: one.label, exchange: one.exchange, exchangeName: one.exchangeName, keyHint: one.keyHint, page: ['manage', 'docs', 'docs', null, 'docs'][index], replaced: index === 1 })),
};

export const sync = (more = {}) => ({
  status: status('synced'),
  syncOn: true,
  setup: setup('done'),
  historyPhrase: comparison.phrase,
  thisDevice,
  otherDevices: [device(), device({ name: 'Old laptop', platform: 'macOs', state: 'suspended', lastSeenAt: now - 40 * DAY, phrase: 'tuna pistol gravity elbow march zone' }), device({ name: null, platform: 'linux', state: 'offChain', lastSeenAt: null, phrase: 'fabric noble rude orphan cube twin' })],
  lastSync: { at: now - 2 * MINUTE, outcome: 'complete', received: 3, sent: 1, problem: null },
  kitMadeAt: now - 90 * DAY,
  activity,
  openRemovals: [],
  deletedAt: null,
  ...more,
});

export const syncOff = () => sync({ status: status('off', { lastSyncedAt: null }), syncOn: false, setup: setup('server', { path: 'undecided', server: null, email: null }), thisDevice: null, otherDevices: [], lastSync: null, kitMadeAt: null, activity: [], historyPhrase: null });

export const general = (more = {}) => ({
  status: status('synced'),
  syncOn: true,
  setUp: true,
  server: 'https://sync.example.org',
  email: 'ada@example.org',
  secondFactor: { confirmed: true, backupCodesLeft: 9 },
  lock: { passphraseSet: true, keyring: 'available', times: { idleMinutes: 15, onSleep: true, onScreenLock: true } },
  clipboardSeconds: 30,
  offlineUse: false,
  theme: 'system',
  lastBackupAt: null,
  suggestedBackupFile: '/home/ada/Documents/keyquay-backup.age',
  canChooseFiles: true,
  canOpenWithoutServer: true,
  ...more,
});

export const generalLocal = () => general({ status: status('off'), syncOn: false, setUp: false, server: null, email: null, secondFactor: { confirmed: false, backupCodesLeft: null }, lock: { passphraseSet: false, keyring: 'available', times: { idleMinutes: 15, onSleep: true, onScreenLock: true } }, canOpenWithoutServer: false });

export const kit = { server: 'https://sync.example.org', email: 'ada@example.org', secretKey: 'KQ1-7GT2M-QK4ZP-0XWV9-3HRBN-CE85J-YD6TA-F1KS2', recoveryCode: 'KQR1-9ZKQ4-M2XTB-60HWP-JEV3N-8CRGD-5YSFA-T7K1Q', madeAt: now, asked: { of: 'secretKey', number: 3 }, suggestedFile: '/media/stick/keyquay-kit.txt' };
export const backupCodes = { codes: ['4821-9037', '1176-5540', '9903-2218', '7315-0864', '2650-7791', '8047-3326', '5592-1408', '3384-6617', '0729-8853', '6168-4095'] };

function qrSvg() {
  // Looks like a QR code; a real one comes from the backend.
  const dots = [];
  for (let y = 0; y < 29; y += 1) for (let x = 0; x < 29; x += 1) if ((x * 7 + y * 13 + x * y * 5) % 3 === 0) dots.push(`M${x} ${y}h1v1h-1z`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 29 29"><path d="${dots.join('')}"/></svg>`;
}
export const enrolment = { qrSvg: qrSvg(), secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' };

const form = {
  id: rows[0].id,
  exchange: 'binance',
  details: { label: 'Binance main', tags: ['spot', 'bot'], note: 'Made on the phone.\nIP list is in the router’s notes.', environment: 'live', permissions: { read: 'yes', trade: 'yes', withdraw: 'no' }, ipNote: '203.0.113.7', expiresOn: onDay(200) },
  fields: [
    { key: 'apiKey', label: 'API key', secret: false, multiLine: false, filled: true, free: false, value: 'vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A' },
    { key: 'secret', label: 'API secret', secret: true, multiLine: true, filled: true, free: false, value: null },
  ],
};
const revealed = [
  { ...form.fields[0], value: form.fields[0].value },
  { key: 'secret', label: 'API secret', secret: true, multiLine: true, value: 'NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j' },
];
const versions = [
  { id: 'v3', changedAt: now - 4 * MINUTE, device: 'Desk PC', thisDevice: false, current: true, label: 'Binance main', keyHint: 'vmP…4Qz', differsIn: [{ part: 'field', label: 'API secret' }, { part: 'permissions' }] },
  { id: 'v2', changedAt: now - 3 * DAY, device: 'Laptop', thisDevice: true, current: false, label: 'Binance', keyHint: 'vmP…4Qz', differsIn: [{ part: 'label' }, { part: 'tags' }] },
  { id: 'v1', changedAt: now - 20 * DAY, device: 'Laptop', thisDevice: true, current: false, label: 'Binance', keyHint: 'vmP…4Qz', differsIn: [] },
];

function exchanges() {
  const file = new URL('../../crates/exchanges/src/catalogue.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).exchanges.map((one) => ({
    id: one.id,
    name: one.name,
    aliases: one.aliases ?? [],
    fields: one.fields.map((field) => ({ key: field.key, label: field.label, secret: field.secret, required: field.required, multiLine: field.multiLine ?? false, help: field.help ?? '', usual: null })),
    freeFields: one.freeFields ?? false,
    hasTestnet: one.testnet,
    page: one.page?.kind ?? null,
    notes: one.notes ?? [],
  }));
}

/** Answers of every command; a scenario replaces some of them. */
export function answers() {
  return {
    app_view: app(),
    app_lock: app({ stage: 'locked' }),
    app_active: null,
    app_copy: { clearedAfterSeconds: 30 },
    welcome_view: { keyring: 'available' },
    unlock_view: { reason: 'locked', passphrase: true, server: 'https://sync.example.org', email: 'ada@example.org', recoveryCode: true, keyring: 'available' },
    accounts_view: accounts(),
    accounts_exchanges: exchanges(),
    accounts_auto_connect_preview: { local, available: availableRows },
    account_form: form,
    account_reveal: revealed,
    account_copy: { clearedAfterSeconds: 30 },
    account_history: versions,
    account_conflict: versions.slice(0, 2),
    account_delete: null,
    account_undelete: rows[0],
    account_hint: 'Has 12 characters where 64 are usual.',
    account_split_paste: { fields: [{ key: 'apiKey', label: null, secret: null, value: form.fields[0].value }, { key: 'secret', label: null, secret: null, value: revealed[1].value }] },
    sync_view: sync(),
    sync_setup_view: setup('server', { path: 'undecided', server: null, email: null }),
    sync_setup_enrol_second_factor: enrolment,
    sync_setup_confirm_second_factor: backupCodes,
    sync_setup_kit: kit,
    sync_kit_renew: kit,
    sync_device_suspend: sync(),
    sync_device_remove: removal,
    sync_removal_mark: removal,
    sync_verify_again: setup('signIn', { path: 'furtherDevice' }),
    general_view: general(),
    general_secret_key: kit.secretKey,
    general_replace_second_factor: enrolment,
    general_confirm_second_factor: backupCodes,
    general_renew_backup_codes: backupCodes,
  };
}
