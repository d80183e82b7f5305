// @ts-check
/** @import { SyncView } from '../bindings/view.d.ts' */
import { call } from '../backend.js';
import { ask } from '../components/dialog.js';
import { button, h } from '../components/dom.js';
import { banner } from '../components/loading.js';
import { withProof } from '../components/proof.js';
import { openRemoval } from '../dialogs/remove-device.js';
import { openSetup } from '../setup/dialog.js';
import { store } from '../store.js';
import { isSynced } from '../words/accounts.js';
import { ago, counted, dateAndTime } from '../words/time.js';

/**
 * What the state of sync asks the person to do, on the Sync screen.
 *
 * @param {SyncView} view
 */
export function stateBanners(view) {
  const { state, problem, leaseEndsAt } = view.status;
  switch (state) {
    case 'suspended':
      return [
        banner({
          title: 'This device is suspended',
          text: 'Its synced accounts are Closed. If it is in your hands, sign in again to open them; local accounts work as before.',
          iconName: 'pause',
          actions: [button('Sign in again', { kind: 'primary', on: () => void resume() })],
        }),
      ];
    case 'removed':
      return [
        banner({
          title: 'This device was removed',
          text: 'Its synced accounts are Disabled for good. Verifying it again makes it a new device of yours and brings them back.',
          iconName: 'ban',
          actions: [button('Verify this device again', { kind: 'primary', on: () => void openSetup('signIn') })],
        }),
      ];
    case 'ended':
      return [
        banner({
          title: 'Sync was ended',
          text: `${view.deletedAt === null ? 'The server deletes what is left.' : `The server deletes what is left on ${dateAndTime(view.deletedAt)}.`} ${hasSynced() ? 'You can keep the synced accounts here as local ones.' : 'Your accounts are on this device as local ones.'}`,
          iconName: 'cloud-off',
          actions: [
            hasSynced()
              ? button('Keep all as local', { kind: 'primary', on: () => void keepAllLocal() })
              : button('Set up sync again', { on: () => void openSetup() }),
          ],
        }),
      ];
    case 'stopped':
      return [
        banner({
          title: problem?.message ?? 'The server’s history contradicts what this device saw',
          text: problem?.hint ?? 'Nothing of it was taken over. You can still suspend and remove devices below.',
        }),
      ];
    case 'closed':
      return [
        banner({ title: 'The server does not answer', text: 'Synced accounts stay Closed until it does. Local accounts work as before. Nothing is lost.', iconName: 'cloud-off' }),
      ];
    case 'offline':
      return leaseEndsAt === null
        ? []
        : [
            banner({
              title: 'The server does not answer',
              text: `Synced accounts stay open until ${dateAndTime(leaseEndsAt)}. Changes are sent when it answers again.`,
              attention: false,
              iconName: 'cloud-off',
            }),
          ];
    default:
      return [];
  }
}

function hasSynced() {
  return (store.views.accounts?.rows ?? []).some((row) => isSynced(row.state));
}

/**
 * Keys that a removed device held and that are not replaced yet.
 *
 * @param {import('../bindings/view.d.ts').Removal} removal
 */
export function removalBanner(removal) {
  const open = removal.accounts.filter((one) => !one.replaced).length;
  return banner({
    title: `Replace ${counted(open, 'key')} that ${removal.name === null ? 'the removed device' : `“${removal.name}”`} held`,
    text: `It was removed ${ago(removal.removedAt, Date.now())}. Who has it may have copied keys while it ran.`,
    iconName: 'key',
    actions: [button('Show the list', { on: () => openRemoval(removal) })],
  });
}

async function resume() {
  const view = await withProof({
    title: 'Sign in again',
    text: [h('p', null, 'This opens the synced accounts on this device again.')],
    submit: 'Sign in',
    busy: 'Signing in…',
    onProof: (proof) => call('sync_resume_device', proof),
  });
  if (view) store.apply({ kind: 'sync', view });
}

async function keepAllLocal() {
  await ask({
    title: 'Keep all synced accounts as local ones?',
    text: ['Every synced account on this device becomes a local one. Nothing is deleted here.'],
    yes: 'Keep all as local',
    onYes: async () => store.apply({ kind: 'accounts', view: await call('sync_keep_all_local') }),
  });
}
