// @ts-check
/** @import { SyncView } from '../bindings/view.d.ts' */
/** @import { Views } from '../store.js' */
import { call } from '../backend.js';
import { phraseBlock } from '../components/code.js';
import { ask } from '../components/dialog.js';
import { button, fill, h, icon } from '../components/dom.js';
import { KeyedList } from '../components/keyed-list.js';
import { emptyState, loadInto } from '../components/loading.js';
import { ProgressBar } from '../components/progress.js';
import { withProof } from '../components/proof.js';
import { attempt, toast } from '../components/toast.js';
import { renewKit } from '../dialogs/renew-kit.js';
import { openSetup } from '../setup/dialog.js';
import { store } from '../store.js';
import { nextStep, standing } from '../words/setup.js';
import { activitySentence, lastSyncSentence, platformName, statusSentence } from '../words/status.js';
import { ago, date, dateAndTime } from '../words/time.js';
import { makeDeviceRow, updateDeviceRow } from './device-row.js';
import { removalBanner, stateBanners } from './sync-banners.js';

/**
 * @param {HTMLElement} root
 * @returns {() => void} unmounts
 */
export function mountSync(root) {
  /** @type {(() => void) | null} */
  let stop = null;
  void loadInto(root, 'Loading sync…', async () => {
    store.apply({ kind: 'sync', view: await call('sync_view') });
    const screen = new SyncScreen(root);
    const unsubscribe = store.subscribe((views, before) => screen.show(views, before));
    const timer = setInterval(() => screen.refresh(), 30_000);
    stop = () => {
      unsubscribe();
      clearInterval(timer);
    };
  });
  return () => stop?.();
}

class SyncScreen {
  #devices = h('ul', { class: 'rows', role: 'list', 'aria-label': 'Other devices' });
  #list = new KeyedList(this.#devices, makeDeviceRow, updateDeviceRow);
  #progress = new ProgressBar();
  #parts = {
    banners: h('div', { class: 'banners' }),
    standing: h('section', { class: 'card', 'aria-labelledby': 'standing-title' }),
    own: h('section', { class: 'card', 'aria-labelledby': 'own-title' }),
    others: h('section', { class: 'card flush', 'aria-labelledby': 'others-title' }),
    kit: h('section', { class: 'card', 'aria-labelledby': 'kit-title' }),
    activity: h('section', { class: 'card flush', 'aria-labelledby': 'activity-title' }),
    end: h('section', { class: 'card', 'aria-labelledby': 'end-title' }),
  };

  /** @param {HTMLElement} root */
  constructor(root) {
    const { banners, standing: where, own, others, kit, activity, end } = this.#parts;
    fill(root, h('div', { class: 'screen' }, h('h1', { class: 'visually-hidden' }, 'Sync'), banners, where, this.#progress, own, others, kit, activity, end));
    this.show(store.views, null);
  }

  /**
   * @param {Views} views
   * @param {Views | null} before
   */
  show(views, before) {
    if (views.progress !== before?.progress) this.#progress.show(views.progress);
    if (!views.sync || views.sync === before?.sync) return;
    this.#render(views.sync);
  }

  refresh() {
    if (store.views.sync) this.#render(store.views.sync);
    this.#list.refresh();
  }

  /** @param {SyncView} view */
  #render(view) {
    const { banners, own, others, kit, activity, end } = this.#parts;
    const isOut = ['removed', 'ended', 'suspended'].includes(view.status.state);
    const isMember = !isOut && view.status.state !== 'off' && ['done', 'choose'].includes(view.setup.step);
    fill(banners, ...stateBanners(view), ...view.openRemovals.map(removalBanner));
    // The banner says it all.
    this.#parts.standing.hidden = isOut;
    if (!isOut) this.#showStanding(view, isMember);
    fillSection(own, view.thisDevice !== null && !isOut, () => ownDevice(view));
    this.#list.show(view.otherDevices);
    fillSection(others, isMember, () => [
      heading('others-title', 'Other devices', 'Removing a device closes the synced keys stored on it.'),
      view.otherDevices.length > 0 ? this.#devices : h('p', { class: 'card-line muted' }, 'No other device yet. Start Keyquay there and choose “I already use Keyquay: sign in”.'),
    ]);
    fillSection(kit, view.kitMadeAt !== null && !isOut, () => kitCard(view));
    fillSection(activity, view.activity.length > 0, () => activityCard(view));
    fillSection(end, isMember && view.deletedAt === null, endCard);
  }

  /**
   * @param {SyncView} view
   * @param {boolean} isMember
   */
  #showStanding(view, isMember) {
    const now = Date.now();
    const { text, icon: name, tone } = statusSentence(view.status, now);
    const never = view.setup.step === 'server' && view.status.state === 'off';
    if (never) {
      fill(
        this.#parts.standing,
        h('h2', { id: 'standing-title', class: 'visually-hidden' }, 'Sync is off'),
        emptyState({
          icon: 'cloud-up',
          title: 'Sync is off',
          text: 'Your keys are on this device only. Sync carries the accounts you choose to your other devices, through a server that can read none of them.',
          actions: [button('Set up sync', { kind: 'primary', on: () => void openSetup() })],
        }),
      );
      return;
    }
    const wasOpen = this.#parts.standing.querySelector('details')?.open ?? false;
    fill(
      this.#parts.standing,
      h(
        'div',
        { class: 'card-head' },
        h('div', null, h('h2', { id: 'standing-title', class: tone === 'attention' ? 'status-line amber' : 'status-line' }, icon(name), text), isMember ? h('p', { class: 'muted' }, view.status.state === 'stopped' ? 'Nothing of what contradicts was taken over.' : lastSyncSentence(view.lastSync, now)) : h('p', { class: 'muted' }, `Next: ${nextStep(view.setup.step)}`)),
        isMember ? syncActions(view) : setupActions(),
      ),
      view.lastSync?.problem && isMember ? problemLine(view.lastSync.problem) : null,
      h('ol', { class: 'standing', 'aria-label': 'Where you stand' }, ...standing(view.setup).map(standingStep)),
      isMember && view.historyPhrase ? historyPhrase(view.historyPhrase, wasOpen) : null,
      view.setup.server ? h('p', { class: 'muted small' }, [view.setup.email, view.setup.server].filter(Boolean).join(' at ')) : null,
    );
  }
}

/**
 * @param {HTMLElement} section
 * @param {boolean} shown
 * @param {() => import('../components/dom.js').Child[]} content
 */
function fillSection(section, shown, content) {
  section.hidden = !shown;
  if (shown) fill(section, ...content());
  else fill(section);
}

/**
 * @param {string} id
 * @param {string} title
 * @param {string} [text]
 * @param {Node} [action]
 */
function heading(id, title, text, action) {
  return h('div', { class: 'card-head' }, h('div', null, h('h2', { id }, title), text ? h('p', { class: 'muted' }, text) : null), action);
}

/** @param {import('../words/setup.js').Standing} step */
function standingStep(step) {
  const words = { done: 'done', current: 'next', ahead: 'still to do' };
  return h(
    'li',
    { class: `standing-step ${step.state}`, 'aria-current': step.state === 'current' ? 'step' : null },
    h('span', { class: 'standing-mark', 'aria-hidden': 'true' }, step.state === 'done' ? icon('check') : null),
    step.title,
    h('span', { class: 'visually-hidden' }, `, ${words[step.state]}`),
  );
}

/**
 * What a further device compares while it is set up.
 *
 * @param {string} phrase
 * @param {boolean} open it stays as it was
 */
function historyPhrase(phrase, open) {
  return h(
    'details',
    { class: 'fold history-phrase', open },
    h('summary', null, 'Phrase of the history'),
    phraseBlock('Phrase of the history', phrase),
    h('p', { class: 'muted small' }, 'A device that you set up shows the same six words, if the server shows both the same history.'),
  );
}

function setupActions() {
  return h(
    'div',
    { class: 'banner-actions' },
    button('Give up the set-up…', { on: () => void giveUpSetup() }),
    button('Continue', { kind: 'primary', on: () => void openSetup() }),
  );
}

async function giveUpSetup() {
  await ask({
    title: 'Give up the set-up?',
    text: ['What you entered so far is forgotten on this device. Your accounts stay as they are, and you can begin again at any time.'],
    yes: 'Give up',
    careful: true,
    onYes: async () => store.apply({ kind: 'setup', view: await call('sync_setup_cancel') }),
  });
}

/** @param {SyncView} view */
function syncActions(view) {
  if (view.status.state === 'paused') {
    return button('Switch sync on', { kind: 'primary', on: () => void change(() => call('sync_set_on', { on: true })) });
  }
  return h(
    'div',
    { class: 'banner-actions' },
    button('Switch sync off', { on: () => void switchOff() }),
    button('Sync now', { icon: 'sync', on: () => void change(() => call('sync_now')) }),
  );
}

async function switchOff() {
  await ask({
    title: 'Switch sync off on this device?',
    text: ['This device sends and receives nothing until you switch it on again. Nothing is deleted, here or at the server.'],
    yes: 'Switch off',
    careful: true,
    onYes: async () => store.apply({ kind: 'sync', view: await call('sync_set_on', { on: false }) }),
  });
}

/** @param {() => Promise<SyncView>} action */
async function change(action) {
  const view = await attempt(action);
  if (view) store.apply({ kind: 'sync', view });
}

/** @param {import('../bindings/view.d.ts').Problem} problem */
function problemLine(problem) {
  return h('p', { class: 'note-line amber' }, icon('alert'), h('span', null, `${problem.message} ${problem.hint}`));
}

/** @param {SyncView} view */
function ownDevice(view) {
  const device = view.thisDevice;
  if (!device) return [];
  const facts = [
    platformName(device.platform),
    device.verifiedAt === null ? 'not verified yet' : `verified ${date(device.verifiedAt)}`,
  ];
  return [
    heading('own-title', device.name ? `This device: ${device.name}` : 'This device', facts.join(' · ')),
    h('p', { class: 'label' }, 'Its phrase'),
    phraseBlock('Phrase of this device', device.phrase),
    h('p', { class: 'muted small' }, 'Your other devices show the same six words for it.'),
  ];
}

/** @param {SyncView} view */
function kitCard(view) {
  const made = view.kitMadeAt === null ? '' : date(view.kitMadeAt);
  return [
    heading(
      'kit-title',
      'Recovery kit',
      `Made ${made}. It brings you back with a lost password, or when all devices are gone.`,
      button('Make a new kit', { on: () => void renewKit() }),
    ),
  ];
}

/** @param {SyncView} view */
function activityCard(view) {
  const now = Date.now();
  return [
    heading('activity-title', 'Activity', 'From the signed log; nobody can change it unnoticed.'),
    h(
      'ol',
      { class: 'activity', tabindex: '0', 'aria-labelledby': 'activity-title' },
      ...view.activity.map((entry) =>
        h('li', null, h('span', null, activitySentence(entry)), h('time', { class: 'muted nowrap', datetime: new Date(entry.at).toISOString(), title: dateAndTime(entry.at) }, ago(entry.at, now))),
      ),
    ),
  ];
}

function endCard() {
  return [
    heading(
      'end-title',
      'Delete everything at the server',
      'Ends sync for all your devices. Accounts stay on this device as local ones.',
      button('Delete everything…', { kind: 'danger', on: () => void deleteEverything() }),
    ),
  ];
}

async function deleteEverything() {
  const view = await withProof({
    title: 'Delete everything at the server?',
    text: [
      h('p', null, 'First every synced account is sealed on this device as a local one, and checked. Then sync ends for all devices, and the server deletes what it has after seven days.'),
      h('p', null, 'Your other devices may keep theirs as local accounts in that time.'),
    ],
    submit: 'Delete everything',
    danger: true,
    busy: 'Sealing your accounts…',
    onProof: (proof) => call('sync_delete_everything', proof),
  });
  if (!view) return;
  store.apply({ kind: 'sync', view });
  toast('Sync has ended. Your accounts are on this device as local ones.');
}
