// @ts-check
/** @import { AccountForm, AccountRow, ExchangeInfo } from '../bindings/view.d.ts' */
import { call } from '../backend.js';
import { announce } from '../components/announce.js';
import { Combobox } from '../components/combobox.js';
import { formDialog } from '../components/dialog.js';
import { fill, h, link } from '../components/dom.js';
import { allFilled, checkbox } from '../components/form.js';
import { attempt, toast } from '../components/toast.js';
import { store } from '../store.js';
import { exchangesLike } from '../words/accounts.js';
import { CredentialFields } from './credential-fields.js';
import { DetailFields } from './detail-fields.js';

/**
 * Add an account, or edit one.
 *
 * @param {AccountRow} [row]
 */
export async function accountForm(row) {
  const loaded = await attempt(() =>
    Promise.all([call('accounts_exchanges'), row ? call('account_form', { account: row.id }) : Promise.resolve(null)]),
  );
  if (!loaded) return;
  const [exchanges, form] = loaded;
  const saved = row && form ? await editDialog(row, form, exchanges) : await addDialog(exchanges);
  if (!saved) return;
  store.apply({ kind: 'accountRows', changed: [saved], removed: [] });
  toast(row ? `“${saved.label}” saved` : `“${saved.label}” added`);
  announce(row ? `${saved.label} saved` : `${saved.label} added`);
}

/**
 * @param {ExchangeInfo[]} exchanges
 * @returns {Promise<AccountRow | null>}
 */
function addDialog(exchanges) {
  const place = h('div', { class: 'stack' });
  /** @type {CredentialFields | null} */
  let credentials = null;
  const details = new DetailFields(null);
  const pinned = checkbox(['Keep local only', h('span', { class: 'help' }, 'Never upload this account, “Auto connect all accounts” included.')]);
  const picker = new Combobox('Exchange', {
    search: (text) => exchangesLike(exchanges, text),
    placeholder: 'Type to find an exchange',
    onChoose: (exchange) => {
      credentials = new CredentialFields(exchange, null);
      if (!details.label.value) details.label.control.placeholder = `${exchange.name} main`;
      details.showEnvironment(exchange.hasTestnet);
      fill(place, notes(exchange), credentials.element, details.element, pinned.element);
      credentials.focus();
    },
  });
  return formDialog({
    title: 'Add account',
    size: 'wide',
    keepsTyped: true,
    content: [picker.element, place],
    submit: 'Add account',
    busy: 'Adding…',
    focus: picker.input,
    isValid: () => {
      if (!credentials) {
        picker.complain('Choose an exchange; “Other” has free fields.');
        picker.input.focus();
        return false;
      }
      return allFilled(...credentials.mandatory, details.label);
    },
    onSubmit: () => {
      const shown = /** @type {CredentialFields} */ (credentials);
      return call('account_add', {
        account: {
          exchange: shown.exchange.id,
          details: details.read(),
          fields: shown.read(),
          pinned: pinned.control.checked,
        },
      });
    },
  });
}

/**
 * @param {AccountRow} row
 * @param {AccountForm} form
 * @param {ExchangeInfo[]} exchanges
 * @returns {Promise<AccountRow | null>}
 */
function editDialog(row, form, exchanges) {
  const known = exchanges.find((one) => one.id === form.exchange);
  const exchange = known ?? unknownExchange(row, form);
  const credentials = new CredentialFields(exchange, form);
  const details = new DetailFields(form.details);
  details.showEnvironment(exchange.hasTestnet || form.details.environment === 'testnet');
  return formDialog({
    title: `Edit “${row.label}”`,
    size: 'wide',
    keepsTyped: true,
    content: [h('p', { class: 'form-exchange' }, h('span', { class: 'muted' }, 'Exchange '), exchange.name), credentials.element, details.element],
    submit: 'Save',
    busy: 'Saving…',
    focus: details.label.control,
    isValid: () => allFilled(...credentials.mandatory, details.label),
    onSubmit: () => call('account_edit', { account: row.id, edit: { details: details.read(), fields: credentials.read() } }),
  });
}

/**
 * An exchange of a later version's catalogue: its fields are those that the account has.
 *
 * @param {AccountRow} row
 * @param {AccountForm} form
 * @returns {ExchangeInfo}
 */
function unknownExchange(row, form) {
  return {
    id: form.exchange,
    name: row.exchangeName,
    aliases: [],
    fields: form.fields.map((one) => ({ key: one.key, label: one.label, secret: one.secret, required: false, multiLine: one.multiLine, help: '', usual: null })),
    freeFields: false,
    hasTestnet: false,
    page: null,
    notes: [],
  };
}

/** @param {ExchangeInfo} exchange */
function notes(exchange) {
  if (exchange.notes.length === 0 && !exchange.page) return null;
  const page = exchange.page;
  return h(
    'div',
    { class: 'note' },
    ...exchange.notes.map((text) => h('p', null, text)),
    page
      ? h('p', null, link(page === 'manage' ? `Open the page of ${exchange.name} that makes keys` : `Read how ${exchange.name} makes keys`, () => void attempt(() => call('account_open_api_page', { exchange: exchange.id }))))
      : null,
  );
}
