// @ts-check
/** @import { AccountRow, FormField, RevealedField } from '../bindings/view.d.ts' */
import { call } from '../backend.js';
import { announce } from '../components/announce.js';
import { openDialog } from '../components/dialog.js';
import { button, fill, h, icon } from '../components/dom.js';
import { attempt, toast } from '../components/toast.js';
import { accountForm } from './account-form.js';
import { permissionWords } from '../words/accounts.js';
import { date } from '../words/time.js';

/** Revealed values are hidden again after this long. */
const SHOWN_FOR = 60_000;

/**
 * One account's keys: hidden, each with a copy button; shown only when asked for, and for a minute at most.
 *
 * @param {AccountRow} row
 * @param {boolean} revealNow
 */
export async function showKeys(row, revealNow) {
  const form = await attempt(() => call('account_form', { account: row.id }));
  if (!form) return;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const { body, footer, close } = openDialog({
    title: row.label,
    size: 'wide',
    onClose: () => {
      clearTimeout(timer);
      // What was revealed must not outlive the dialog.
      fill(list);
    },
  });
  const list = h('dl', { class: 'keys' });
  const toggle = button('Reveal', { icon: 'eye', on: () => void (shown ? hide() : reveal()) });
  let shown = false;

  const hide = () => {
    clearTimeout(timer);
    shown = false;
    fill(list, ...form.fields.filter((one) => one.filled || one.value).map((one) => line(row.id, one, null)));
    fill(toggle, icon('eye'), 'Reveal');
  };
  const reveal = async () => {
    const revealed = await attempt(() => call('account_reveal', { account: row.id }));
    if (!revealed) return;
    shown = true;
    const values = new Map(revealed.map((one) => [one.key, one]));
    fill(list, ...form.fields.filter((one) => values.has(one.key)).map((one) => line(row.id, one, values.get(one.key) ?? null)));
    fill(toggle, icon('eye-off'), 'Hide');
    announce('Keys shown. They are hidden again in one minute.');
    timer = setTimeout(hide, SHOWN_FOR);
  };

  hide();
  body.append(h('div', { class: 'stack' }, h('p', { class: 'muted' }, facts(row)), list, note(form.details.note, form.details.ipNote)));
  footer.append(
    button('Edit', {
      icon: 'edit',
      on: () => {
        close();
        void accountForm(row);
      },
    }),
    h('span', { class: 'push' }),
    toggle,
    button('Close', { kind: 'primary', on: close, autofocus: true }),
  );
  toggle.focus();
  if (revealNow) await reveal();
}

/** @param {AccountRow} row */
function facts(row) {
  return [
    row.exchangeName,
    row.environment === 'testnet' ? 'Testnet' : 'Live',
    permissionWords(row.permissions),
    `added ${date(row.createdAt)}`,
    row.expiresOn ? `expires ${date(Date.parse(row.expiresOn))}` : '',
  ]
    .filter(Boolean)
    .join(' · ');
}

/**
 * @param {string} account
 * @param {FormField} field
 * @param {RevealedField | null} revealed
 */
function line(account, field, revealed) {
  const value = revealed?.value ?? field.value;
  return h(
    'div',
    { class: 'key-line' },
    h('dt', null, field.label),
    h(
      'dd',
      null,
      value === null
        ? h('span', { class: 'mono muted' }, h('span', { 'aria-hidden': 'true' }, '••••••••••••'), h('span', { class: 'visually-hidden' }, 'Hidden'))
        : h('span', { class: field.multiLine ? 'mono lines' : 'mono' }, value),
      h('button', { type: 'button', class: 'icon-button', 'aria-label': `Copy ${field.label}`, on: { click: () => void copyField(account, field.key, field.label) } }, icon('copy')),
    ),
  );
}

/**
 * @param {string} text
 * @param {string} ips
 */
function note(text, ips) {
  if (!text && !ips) return null;
  return h(
    'div',
    { class: 'note' },
    ips ? h('p', null, h('span', { class: 'muted' }, 'IP addresses: '), ips) : null,
    text ? h('p', { class: 'note-text' }, text) : null,
  );
}

/**
 * @param {string} account
 * @param {string} field
 * @param {string} label
 */
export async function copyField(account, field, label) {
  const copied = await attempt(() => call('account_copy', { account, field }));
  if (!copied) return;
  const { clearedAfterSeconds: seconds } = copied;
  toast(seconds === null ? `${label} copied` : `${label} copied; the clipboard is cleared in ${seconds} s`);
}
