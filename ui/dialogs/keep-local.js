// @ts-check
/** @import { AccountRow } from '../bindings/view.d.ts' */
import { call } from '../backend.js';
import { ask, openDialog } from '../components/dialog.js';
import { button, h } from '../components/dom.js';
import { attempt } from '../components/toast.js';
import { store } from '../store.js';

/**
 * Withdraws a synced account: it stays here and leaves the server.
 *
 * @param {AccountRow} row
 */
export async function keepLocal(row) {
  await ask({
    title: `Keep “${row.label}” local only?`,
    text: [
      'It stays on this device and leaves the server at once. Your other devices are asked whether to keep theirs as a local account.',
      'A copy that somebody else already has is not undone by this: if you are in doubt, replace the key at the exchange.',
    ],
    yes: 'Keep local only',
    onYes: async () => {
      const changed = await call('account_keep_local', { account: row.id });
      store.apply({ kind: 'accountRows', changed: [changed], removed: [] });
    },
  });
}

/**
 * Another device withdrew this account; what becomes of the copy here?
 *
 * @param {AccountRow} row
 */
export async function settleWithdrawn(row) {
  const { body, footer, close } = openDialog({ title: `“${row.label}” was withdrawn` });
  body.append(
    h(
      'div',
      { class: 'stack' },
      h('p', null, 'Another device keeps this account local only, so it left the server. You still have a copy here.'),
      h('p', { class: 'muted' }, 'Keep it as a local account of this device, or delete the copy. The other device is not touched either way.'),
    ),
  );
  const keep = button('Keep as local', {
    kind: 'primary',
    on: () =>
      void attempt(async () => {
        const changed = await call('account_keep_local', { account: row.id });
        store.apply({ kind: 'accountRows', changed: [changed], removed: [] });
        close();
      }),
  });
  const drop = button('Delete the copy', {
    kind: 'danger',
    on: () =>
      void attempt(async () => {
        await call('account_delete', { account: row.id });
        store.apply({ kind: 'accountRows', changed: [], removed: [row.id] });
        close();
      }),
  });
  footer.append(button('Decide later', { on: close }), drop, keep);
  keep.focus();
}
