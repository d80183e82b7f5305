// @ts-check
/** @import { AccountRow, AccountState, AccountsView, ClosedAccounts, Permissions, VersionPart } from '../bindings/view.d.ts' */

import { counted } from './time.js';

/**
 * @typedef {'retrieve' | 'choose' | 'verify' | 'prove' | 'settle' | 'restore'} StateAction
 * @typedef {{ text: string, icon: string, attention: boolean, action?: StateAction, actionText?: string }} StateWords
 */

/** @type {Record<AccountState, StateWords>} */
const STATES = {
  localOnly: { text: 'Local only', icon: 'device', attention: false },
  localOnlyPinned: { text: 'Local only, pinned', icon: 'pin', attention: false },
  waitingToUpload: { text: 'Waiting to upload', icon: 'clock', attention: false },
  uploading: { text: 'Uploading', icon: 'cloud-up', attention: false },
  synced: { text: 'Synced', icon: 'cloud-check', attention: false },
  available: { text: 'Available', icon: 'cloud-down', attention: false, action: 'retrieve', actionText: 'Retrieve' },
  retrieving: { text: 'Retrieving', icon: 'cloud-down', attention: false },
  conflictKept: { text: 'Conflict kept', icon: 'fork', attention: true, action: 'choose', actionText: 'choose' },
  withdrawn: { text: 'Withdrawn', icon: 'cloud-off', attention: true, action: 'settle', actionText: 'keep or delete' },
  damaged: { text: 'Damaged', icon: 'alert', attention: true, action: 'restore', actionText: 'see versions' },
  disabledVerifyDevice: { text: 'Disabled', icon: 'ban', attention: true, action: 'verify', actionText: 'verify this device' },
  disabledProveIdentity: { text: 'Disabled', icon: 'ban', attention: true, action: 'prove', actionText: 'prove it is you' },
};

/**
 * @param {AccountState} state
 * @returns {StateWords}
 */
export function stateWords(state) {
  return STATES[state];
}

/**
 * A row's state as one phrase: "Available: Retrieve".
 *
 * @param {AccountState} state
 */
export function statePhrase(state) {
  const words = STATES[state];
  return words.actionText ? `${words.text}: ${words.actionText}` : words.text;
}

/** @typedef {'reveal' | 'copy' | 'edit' | 'upload' | 'keepLocal' | 'pin' | 'unpin' | 'retrieve' | 'history' | 'choose'
 *   | 'settle' | 'verify' | 'prove' | 'delete'} MenuAction */

const CLOSED_STATES = new Set(['available', 'retrieving', 'damaged', 'disabledVerifyDevice', 'disabledProveIdentity']);

/**
 * What a row's menu offers, in order.
 *
 * @param {AccountRow} row
 * @param {{ canSync: boolean, syncOn: boolean }} device
 * @returns {MenuAction[]}
 */
export function menuActions(row, device) {
  /** @type {MenuAction[]} */
  const actions = [];
  const open = !CLOSED_STATES.has(row.state);
  if (open) actions.push('reveal', 'copy', 'edit');
  if (row.state === 'conflictKept') actions.push('choose');
  if (row.state === 'withdrawn') actions.push('settle');
  if (row.state === 'available') actions.push('retrieve');
  if (row.state === 'disabledVerifyDevice') actions.push('verify');
  if (row.state === 'disabledProveIdentity') actions.push('prove');
  if (row.state === 'localOnly') actions.push(...(device.canSync && device.syncOn ? /** @type {const} */ (['upload']) : []), 'pin');
  if (row.state === 'localOnlyPinned') {
    actions.push('unpin');
    if (device.canSync && device.syncOn) actions.push('upload');
  }
  if (['synced', 'waitingToUpload', 'uploading', 'conflictKept'].includes(row.state)) actions.push('keepLocal');
  if (row.hasHistory && row.state !== 'disabledProveIdentity') actions.push('history');
  if (!row.state.startsWith('disabled')) actions.push('delete');
  return actions;
}

/** @param {ClosedAccounts} closed */
export function closedSentence({ count, reason }) {
  const accounts = counted(count, 'synced account');
  switch (reason) {
    case 'noServer':
      return `${accounts}, Closed until the server answers`;
    case 'suspended':
      return `${accounts}, Closed: this device is suspended`;
    case 'removed':
      return `${accounts}, Disabled: this device was removed`;
    case 'paused':
      return `${accounts}, Closed while sync is off`;
    case 'stopped':
      return `${accounts}, Closed: sync stopped`;
  }
}

/** @param {AccountState} state */
export function isSynced(state) {
  return ['synced', 'waitingToUpload', 'uploading', 'conflictKept', 'retrieving', 'available'].includes(state);
}

/**
 * The rows that a search leaves: every word must occur in label, exchange, tags, key, environment or state.
 *
 * @param {AccountRow[]} rows
 * @param {string} search
 */
export function matching(rows, search) {
  const words = folded(search).split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = folded(
      [row.label, row.exchange, row.exchangeName, row.keyHint ?? '', row.environment, statePhrase(row.state), ...row.tags].join(' '),
    );
    return words.every((word) => text.includes(word));
  });
}

/** @param {string} text */
function folded(text) {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

/** @param {Permissions} permissions */
export function permissionWords({ read, trade, withdraw }) {
  const allowed = [read === 'yes' && 'read', trade === 'yes' && 'trade', withdraw === 'yes' && 'withdraw'].filter(Boolean);
  if (allowed.length === 0) return '';
  return `May ${allowed.join(', ')}`;
}

/** @param {VersionPart} part */
export function versionPart(part) {
  switch (part.part) {
    case 'field':
      return part.label;
    case 'label':
      return 'label';
    case 'tags':
      return 'tags';
    case 'note':
      return 'note';
    case 'environment':
      return 'environment';
    case 'permissions':
      return 'permissions';
    case 'ipNote':
      return 'IP addresses';
    case 'expiry':
      return 'expiry date';
  }
}

/**
 * What the list shows, the empty ways of it included.
 *
 * @param {AccountsView} view
 * @param {string} search
 * @returns {{ rows: AccountRow[], empty: 'none' | 'nothingFound' | null }}
 */
export function listed(view, search) {
  const rows = matching(view.rows, search);
  if (rows.length > 0) return { rows, empty: null };
  if (view.rows.length > 0) return { rows, empty: 'nothingFound' };
  return { rows, empty: view.closed ? null : 'none' };
}

/** Far faster than localeCompare, which sets one up for every comparison. */
const ALPHABET = new Intl.Collator(undefined, { numeric: true });

/**
 * The order of accounts wherever they are listed.
 *
 * @param {{ exchangeName: string, label: string, id?: string }} a
 * @param {{ exchangeName: string, label: string, id?: string }} b
 */
export function byExchangeAndLabel(a, b) {
  return ALPHABET.compare(a.exchangeName, b.exchangeName) || ALPHABET.compare(a.label, b.label) || ALPHABET.compare(a.id ?? '', b.id ?? '');
}

/**
 * The type-ahead of the exchange picker: those that begin with the text come first, then those that contain it.
 *
 * @template {{ name: string, id: string, aliases: string[] }} E
 * @param {E[]} exchanges
 * @param {string} text
 * @returns {E[]}
 */
export function exchangesLike(exchanges, text) {
  const wanted = folded(text).replace(/[^a-z0-9]/g, '');
  if (!wanted) return exchanges;
  const rank = (/** @type {E} */ exchange) => {
    const names = [exchange.name, exchange.id, ...exchange.aliases].map((name) => folded(name).replace(/[^a-z0-9]/g, ''));
    if (names[0].startsWith(wanted)) return 0;
    if (names.some((name) => name.startsWith(wanted))) return 1;
    return names.some((name) => name.includes(wanted)) ? 2 : 3;
  };
  return exchanges
    .map((exchange) => ({ exchange, at: rank(exchange) }))
    .filter(({ at, exchange }) => at < 3 || exchange.id === 'other')
    .sort((a, b) => a.at - b.at)
    .map(({ exchange }) => exchange);
}
