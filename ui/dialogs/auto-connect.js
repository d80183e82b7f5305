// @ts-check
/** @import { AccountRow, AccountsView } from '../bindings/view.d.ts' */
import { call } from '../backend.js';
import { formDialog } from '../components/dialog.js';
import { h } from '../components/dom.js';
import { store } from '../store.js';
import { byExchangeAndLabel } from '../words/accounts.js';
import { counted } from '../words/time.js';

/**
 * The confirmation of "Auto connect all accounts": it lists every account; pinned ones stay out unless ticked.
 *
 * @returns {Promise<AccountsView | null>}
 */
export async function autoConnect() {
  const preview = await call('accounts_auto_connect_preview');
  const local = preview.local.toSorted(byExchangeAndLabel);
  const available = preview.available.toSorted(byExchangeAndLabel);
  const free = local.filter((row) => row.state !== 'localOnlyPinned');
  const pinned = local.filter((row) => row.state === 'localOnlyPinned');
  const ticks = pinned.map((row) => accountTick(row, false));
  return formDialog({
    title: 'Auto connect all accounts?',
    size: 'wide',
    content: [
      h('p', null, 'Every account goes to your other devices, and every account of theirs comes here, new ones too. You can take single accounts out again with “Keep local only”.'),
      group(`Uploads ${counted(free.length, 'account')}`, free.map(accountLine)),
      group(
        'Pinned “Keep local only”: stay out unless you tick them',
        ticks.map((tick) => tick.element),
      ),
      group(`Retrieves ${counted(available.length, 'account')}`, available.map(accountLine)),
      local.length + available.length === 0 ? h('p', { class: 'muted' }, nothingToMove()) : null,
    ],
    submit: 'Auto connect',
    onSubmit: () =>
      call('accounts_set_auto_connect', {
        on: true,
        include: ticks.filter((tick) => tick.control.checked).map((tick) => tick.id),
      }),
  });
}

function nothingToMove() {
  const any = (store.views.accounts?.rows.length ?? 0) > 0;
  return any ? 'All your accounts are carried already. New ones will be, too.' : 'There is no account yet. The switch applies to those you add from now on.';
}

/**
 * @param {string} title
 * @param {HTMLElement[]} lines
 */
function group(title, lines) {
  if (lines.length === 0) return null;
  return h('section', { class: 'pick-group' }, h('h3', null, title), h('ul', { class: 'picks', role: 'list' }, ...lines.map((line) => h('li', null, line))));
}

/** @param {AccountRow} row */
export function accountLine(row) {
  return h('div', { class: 'pick', 'data-account': row.id }, ...facts(row));
}

/**
 * @param {AccountRow} row
 * @param {boolean} checked
 * @param {string} [why] it cannot be ticked
 */
export function accountTick(row, checked, why) {
  const control = h('input', { type: 'checkbox', checked, disabled: why !== undefined });
  return { id: row.id, control, element: h('label', { class: 'pick', 'data-account': row.id }, control, ...facts(row, why)) };
}

/**
 * @param {AccountRow} row
 * @param {string} [why]
 */
function facts(row, why) {
  const exchange = row.environment === 'testnet' ? `${row.exchangeName}, testnet` : row.exchangeName;
  return [
    h('span', { class: 'pick-label' }, row.label),
    h('span', { class: 'muted' }, why ?? exchange),
    h('span', { class: 'mono muted' }, row.keyHint ?? ''),
  ];
}
