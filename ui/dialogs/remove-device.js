// @ts-check
/** @import { DeviceRow, Removal, ReplaceRow } from '../bindings/view.d.ts' */
import { call } from '../backend.js';
import { announce } from '../components/announce.js';
import { ask, openDialog } from '../components/dialog.js';
import { button, fill, h, icon, link } from '../components/dom.js';
import { withProof } from '../components/proof.js';
import { attempt, toast } from '../components/toast.js';
import { store } from '../store.js';
import { byExchangeAndLabel } from '../words/accounts.js';
import { counted } from '../words/time.js';

/** @param {DeviceRow} row */
function nameOf(row) {
  return row.name === null ? 'this device' : `“${row.name}”`;
}

/** @param {DeviceRow} row */
export async function suspendDevice(row) {
  const done = await ask({
    title: `Suspend ${nameOf(row)}?`,
    text: ['It gets nothing from the server and its synced accounts close, until somebody signs in on it with your password and second factor.'],
    yes: 'Suspend',
    careful: true,
    onYes: async () => store.apply({ kind: 'sync', view: await call('sync_device_suspend', { device: row.id }) }),
  });
  if (done) toast(`${row.name ?? 'The device'} is suspended`);
}

/**
 * Remove: what will happen, then suspended from that moment, then proof, then the keys to replace.
 *
 * @param {DeviceRow} row
 */
export async function removeDevice(row) {
  const confirmed = await ask({
    title: `Remove ${nameOf(row)}?`,
    text: [
      'The synced keys stored on it are closed for good, and its local accounts ask for proof of who is there. It is suspended as soon as you press Remove; your password and second factor complete the removal.',
    ],
    yes: 'Remove',
    danger: true,
    onYes: async () => {
      // A device that is suspended already needs no second one.
      if (row.state === 'active' || row.state === 'offChain') {
        store.apply({ kind: 'sync', view: await call('sync_device_suspend', { device: row.id }) });
      }
    },
  });
  if (!confirmed) return;
  announce(`${row.name ?? 'The device'} is suspended`);
  const removal = await withProof({
    title: `Remove ${nameOf(row)}`,
    text: [
      h('p', { class: 'good-news' }, icon('check'), 'It is suspended: it gets nothing from now on.'),
      h('p', null, 'To remove it for good and give your other devices new keys, prove that it is you. If you cancel, it stays suspended.'),
    ],
    submit: 'Remove for good',
    danger: true,
    busy: 'Removing…',
    onProof: (proof) => call('sync_device_remove', { device: row.id, ...proof }),
  });
  if (!removal) return;
  const view = await attempt(() => call('sync_view'));
  if (view) store.apply({ kind: 'sync', view });
  openRemoval(removal);
}

/**
 * Every account that was synced while the device was active, to be replaced at its exchange.
 *
 * @param {Removal} first
 */
export function openRemoval(first) {
  let removal = first;
  const { body, footer, close } = openDialog({
    title: removal.name === null ? 'Replace the keys it held' : `Replace the keys “${removal.name}” held`,
    size: 'wide',
    onClose: () => void attempt(async () => store.apply({ kind: 'sync', view: await call('sync_view') })),
  });
  const count = h('p', { class: 'muted', role: 'status' });
  const list = h('ul', { class: 'picks', role: 'list' }, ...removal.accounts.toSorted(byExchangeAndLabel).map((one) => replaceLine(one, (replaced) => mark(one, replaced))));
  const end = button('Close', { kind: 'primary', on: close });

  const tell = () => {
    const left = removal.accounts.filter((one) => !one.replaced).length;
    count.textContent = left === 0 ? 'All replaced.' : `${removal.accounts.length - left} of ${counted(removal.accounts.length, 'key')} replaced`;
    end.textContent = left === 0 ? 'Done' : 'Continue later';
  };
  /**
   * @param {ReplaceRow} one
   * @param {boolean} replaced
   */
  const mark = async (one, replaced) => {
    const next = await attempt(() => call('sync_removal_mark', { device: removal.device, account: one.account, replaced }));
    if (next) removal = next;
    tell();
    return next !== undefined;
  };
  const dismiss = link('I do not need this list any more', () =>
    void attempt(async () => {
      store.apply({ kind: 'sync', view: await call('sync_removal_close', { device: removal.device }) });
      close();
    }),
  );

  tell();
  fill(
    body,
    h(
      'div',
      { class: 'stack' },
      h('p', { class: 'good-news' }, icon('check'), 'The device is removed and its synced keys are closed.'),
      removal.accounts.length === 0
        ? h('p', null, 'No account was synced while it was active, so there is nothing to replace.')
        : h('p', null, 'Who has it may have copied keys while it ran. To be safe, delete each key at its exchange, make a new one, and put it in here with Edit.'),
      removal.accounts.length > 0 ? count : null,
      list,
    ),
  );
  footer.append(removal.accounts.length > 0 ? dismiss : '', h('span', { class: 'push' }), end);
  end.focus();
}

/**
 * @param {ReplaceRow} row
 * @param {(replaced: boolean) => Promise<boolean>} mark
 */
function replaceLine(row, mark) {
  const control = h('input', { type: 'checkbox', checked: row.replaced, 'aria-label': `${row.label} is replaced` });
  control.addEventListener('change', async () => {
    if (!(await mark(control.checked))) control.checked = !control.checked;
  });
  const page = row.page;
  return h(
    'li',
    { class: 'replace-line', 'data-account': row.account },
    h('label', { class: 'pick' }, control, h('span', { class: 'pick-label' }, row.label), h('span', { class: 'muted' }, row.exchangeName), h('span', { class: 'mono muted' }, row.keyHint ?? '')),
    page
      ? link(page === 'manage' ? 'API keys page' : 'About its API keys', () => void attempt(() => call('account_open_api_page', { exchange: row.exchange })), { label: `${page === 'manage' ? 'API keys page' : 'About its API keys'}: ${row.exchangeName}` })
      : h('span', { class: 'muted small' }, 'Sign in at the exchange'),
  );
}
