// @ts-check
/** @import { AccountRow, AccountsView } from '../bindings/view.d.ts' */
/** @import { MenuAction, StateAction } from '../words/accounts.js' */
/** @import { Item } from '../components/menu.js' */
import { call } from '../backend.js';
import { announce } from '../components/announce.js';
import { copyOf, fill, get, h, icon, link } from '../components/dom.js';
import { menuButton } from '../components/menu.js';
import { attempt, toast } from '../components/toast.js';
import { accountForm } from '../dialogs/account-form.js';
import { copyField, showKeys } from '../dialogs/keys.js';
import { keepLocal, settleWithdrawn } from '../dialogs/keep-local.js';
import { chooseVersion, showHistory } from '../dialogs/versions.js';
import { openSetup } from '../setup/dialog.js';
import { store } from '../store.js';
import { menuActions, permissionWords, stateWords } from '../words/accounts.js';
import { date, dateAndTime, expiry, span } from '../words/time.js';
import { proveIdentity } from './unlock.js';

/** The row that an element shows; a row's listeners ask for it when they are needed. @type {WeakMap<HTMLElement, AccountRow>} */
const rowOf = new WeakMap();

/** @param {AccountRow} row */
export function makeRow(row) {
  const element = copyOf('account-row-template');
  element.dataset.account = row.id;
  const current = () => /** @type {AccountRow} */ (rowOf.get(element));
  get(element, '.row-name').addEventListener('click', () => openRow(current()));
  get(element, '.actions').append(menuButton(`Actions for ${row.label}`, () => menuOf(current())));
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {AccountRow} row
 */
export function updateRow(element, row) {
  const before = rowOf.get(element);
  rowOf.set(element, row);
  const now = Date.now();
  setText(get(element, '.exchange'), row.exchangeName || '–');
  const name = get(element, '.row-name');
  setText(name, row.label);
  name.title = [row.label, permissionWords(row.permissions)].filter(Boolean).join('\n');
  fill(get(element, '.badges'), row.environment === 'testnet' ? h('span', { class: 'tag' }, 'Testnet') : null, expiryTag(row, now));
  setText(get(element, '.key'), row.keyHint ?? '–');
  fill(get(element, '.tags'), ...row.tags.map((tag) => h('span', { class: 'tag' }, tag)));
  get(element, '.tags').title = row.tags.join(', ');
  const age = get(element, 'time');
  // What does not open tells no age.
  const isKnown = row.createdAt > 0;
  setText(age, isKnown ? span(now - row.createdAt) : '–');
  age.dateTime = isKnown ? new Date(row.createdAt).toISOString() : '';
  age.title = isKnown ? `Added ${date(row.createdAt)}, changed ${dateAndTime(row.changedAt)}` : '';
  get(element, '[aria-haspopup]').setAttribute('aria-label', `Actions for ${row.label}`);
  if (before?.state !== row.state || before?.label !== row.label) showState(element, row, before);
}

/**
 * @param {HTMLElement} element
 * @param {AccountRow} row
 * @param {AccountRow | undefined} before
 */
function showState(element, row, before) {
  const words = stateWords(row.state);
  const cell = get(element, '.state');
  const hadFocus = cell.contains(document.activeElement);
  cell.classList.toggle('attention', words.attention);
  element.classList.toggle('disabled', row.state.startsWith('disabled'));
  const { action, actionText } = words;
  fill(
    cell,
    icon(words.icon),
    action && actionText
      ? h('span', null, `${words.text}: `, link(actionText, () => act(action, row.id), { label: `${words.text}: ${actionText}, ${row.label}` }))
      : h('span', null, words.text),
  );
  if (hadFocus) get(element, '.row-name').focus();
  if (before && before.state !== row.state) announce(`${row.label}: ${words.text}`);
}

/**
 * @param {Element} element
 * @param {string} text
 */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {AccountRow} row
 * @param {number} now
 */
function expiryTag(row, now) {
  const soon = expiry(row.expiresOn, now);
  if (!soon) return null;
  return h('span', { class: soon.urgent ? 'tag attention' : 'tag', title: `Expires on ${date(Date.parse(row.expiresOn ?? ''))}` }, soon.urgent ? icon('clock') : null, soon.text);
}

/** @param {AccountRow} row */
function openRow(row) {
  const { action } = stateWords(row.state);
  if (action) act(action, row.id);
  else void showKeys(row, false);
}

/**
 * @param {StateAction} action
 * @param {string} id
 */
function act(action, id) {
  const row = store.views.accounts?.rows.find((one) => one.id === id);
  if (!row) return;
  switch (action) {
    case 'retrieve':
      return void attempt(() => call('accounts_retrieve', { accounts: [id] }));
    case 'choose':
      return void chooseVersion(row);
    case 'verify':
      return void openSetup('signIn');
    case 'prove':
      return void attempt(proveIdentity);
    case 'settle':
      return void settleWithdrawn(row);
    case 'restore':
      return void showHistory(row);
  }
}

/** @type {Record<Exclude<MenuAction, 'copy'>, { text: string, icon: string, danger?: boolean }>} */
const MENU = {
  reveal: { text: 'Reveal keys', icon: 'eye' },
  edit: { text: 'Edit…', icon: 'edit' },
  upload: { text: 'Upload', icon: 'cloud-up' },
  keepLocal: { text: 'Keep local only…', icon: 'device' },
  pin: { text: 'Pin: keep local only', icon: 'pin' },
  unpin: { text: 'Unpin', icon: 'pin' },
  retrieve: { text: 'Retrieve', icon: 'cloud-down' },
  history: { text: 'History…', icon: 'history' },
  choose: { text: 'Choose a version…', icon: 'fork' },
  settle: { text: 'Keep or delete…', icon: 'device' },
  verify: { text: 'Verify this device…', icon: 'shield' },
  prove: { text: 'Prove it is you…', icon: 'shield' },
  delete: { text: 'Delete', icon: 'trash', danger: true },
};

/**
 * @param {AccountRow} row
 * @returns {Promise<Item[]>}
 */
async function menuOf(row) {
  const device = /** @type {AccountsView} */ (store.views.accounts);
  /** @type {Item[]} */
  const items = [];
  for (const action of menuActions(row, device)) {
    if (action === 'copy') {
      items.push(...(await copyItems(row)), 'line');
      continue;
    }
    if (action === 'delete' && items.length > 0) items.push('line');
    items.push({ ...MENU[action], onSelect: () => perform(action, row) });
  }
  return items;
}

/**
 * @param {AccountRow} row
 * @returns {Promise<Item[]>}
 */
async function copyItems(row) {
  const form = await attempt(() => call('account_form', { account: row.id }));
  const filled = (form?.fields ?? []).filter((field) => field.filled || field.value);
  return filled.map((field) => ({
    text: `Copy ${field.label}`,
    icon: 'copy',
    onSelect: () => void copyField(row.id, field.key, field.label),
  }));
}

/**
 * @param {Exclude<MenuAction, 'copy'>} action
 * @param {AccountRow} row
 */
function perform(action, row) {
  switch (action) {
    case 'reveal':
      return void showKeys(row, true);
    case 'edit':
      return void accountForm(row);
    case 'upload':
      return void attempt(() => call('accounts_upload', { accounts: [row.id] }));
    case 'keepLocal':
      return void keepLocal(row);
    case 'pin':
    case 'unpin':
      return void update(() => call('account_set_pinned', { account: row.id, pinned: action === 'pin' }));
    case 'history':
      return void showHistory(row);
    case 'delete':
      return void remove(row);
    default:
      return act(action, row.id);
  }
}

/** @param {() => Promise<AccountRow>} change */
async function update(change) {
  const row = await attempt(change);
  if (row) store.apply({ kind: 'accountRows', changed: [row], removed: [] });
}

/** @param {AccountRow} row */
async function remove(row) {
  const everywhere = ['synced', 'uploading', 'conflictKept', 'available'].includes(row.state);
  const done = await attempt(async () => {
    await call('account_delete', { account: row.id });
    return true;
  });
  if (!done) return;
  const element = document.querySelector(`[data-account="${CSS.escape(row.id)}"]`);
  const neighbour = element?.nextElementSibling ?? element?.previousElementSibling;
  store.apply({ kind: 'accountRows', changed: [], removed: [row.id] });
  /** @type {HTMLElement | null | undefined} */ (neighbour?.querySelector('.row-name'))?.focus();
  toast(everywhere ? `“${row.label}” deleted, on your other devices too` : `“${row.label}” deleted`, {
    action: 'Undo',
    onAction: () => update(() => call('account_undelete', { account: row.id })),
  });
  announce(`${row.label} deleted. Undo is available.`);
}
