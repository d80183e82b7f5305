// @ts-check
/** @import { AccountRow, SetupView } from '../bindings/view.d.ts' */
/** @import { Step } from './dialog.js' */
import { call } from '../backend.js';
import { phraseBlock } from '../components/code.js';
import { button, fill, h } from '../components/dom.js';
import { checkbox } from '../components/form.js';
import { accountTick } from '../dialogs/auto-connect.js';
import { store } from '../store.js';
import { byExchangeAndLabel } from '../words/accounts.js';
import { platformName } from '../words/status.js';
import { ago, counted, date } from '../words/time.js';
import { goodNews, waiting } from './sign-in.js';

/**
 * What a further device was shown, to be compared with a device that its owner trusts.
 *
 * @param {SetupView} view
 * @returns {Step}
 */
export function compareStep(view) {
  const seen = view.comparison;
  const same = h('input', { type: 'radio', name: 'same', value: 'yes' });
  const differs = h('input', { type: 'radio', name: 'same', value: 'no' });
  const fault = h('p', { class: 'fault', role: 'alert', hidden: true }, 'Choose one of the two.');
  return {
    title: 'Compare with another device',
    content: [
      h('p', null, 'Open Sync on a device that syncs already, and “Phrase of the history” there. Both must show the same six words; otherwise the server shows this device another history.'),
      seen ? phraseBlock('Phrase of the history', seen.phrase) : null,
      seen
        ? h(
            'p',
            { class: 'muted' },
            `${counted(seen.items, 'account')}, ${seen.lastChangeAt === null ? 'never changed' : `last changed ${ago(seen.lastChangeAt, Date.now())}`}. Devices:`,
          )
        : null,
      seen
        ? h(
            'ul',
            { class: 'facts', 'aria-label': 'Devices' },
            ...seen.devices.map((device) =>
              h('li', null, `${device.name ?? 'Unnamed'} (${platformName(device.platform)})${device.verifiedAt === null ? '' : `, verified ${date(device.verifiedAt)}`}${device.thisDevice ? ', this device' : ''}`),
            ),
          )
        : null,
      h(
        'fieldset',
        { class: 'ways' },
        h('legend', { class: 'visually-hidden' }, 'Do they show the same words?'),
        h('label', { class: 'way' }, same, h('span', { class: 'way-title' }, 'The words are the same, or I have no other device at hand')),
        h('label', { class: 'way' }, differs, h('span', { class: 'way-title' }, 'The words differ')),
      ),
      fault,
    ],
    submit: 'Continue',
    isValid: () => {
      fault.hidden = same.checked || differs.checked;
      return fault.hidden;
    },
    onSubmit: () => call('sync_setup_compared', { same: same.checked }),
  };
}

/**
 * @param {SetupView} view
 * @returns {Step}
 */
export function chooseStep(view) {
  const place = h('div', { class: 'stack' });
  /** @type {ReturnType<typeof picks>} */
  let uploads = null;
  /** @type {ReturnType<typeof picks>} */
  let retrieves = null;
  let latest = view;
  let shown = '';
  const read = () => ({ upload: uploads?.read() ?? [], retrieve: retrieves?.read() ?? [] });

  // The accounts of a further device arrive while the step is shown; what is ticked stays so.
  const show = () => {
    const { local, available } = latest;
    const state = store.views.app?.status.state;
    const mayCome = available.length === 0 && (state === 'connecting' || state === 'syncing');
    const now = `${[...local, ...available].map((row) => `${row.id} ${row.label} ${row.state}`)} ${mayCome}`;
    if (now === shown) return;
    shown = now;
    const { upload, retrieve } = read();
    const ticked = new Set([...upload, ...retrieve]);
    uploads = picks('Upload', local, (row) => row.state !== 'localOnlyPinned', ticked);
    retrieves = picks('Retrieve', available, () => true, ticked);
    const nothing = local.length + available.length === 0 && !mayCome;
    const words = nothing
      ? 'There is no account yet. Those that you add later stay on this device until you upload them.'
      : 'Only what is ticked leaves this device or comes to it. You can change it at any time on Accounts.';
    takeAll();
    fill(place, h('p', null, words), mayCome ? waiting('Looking for your accounts at the server…') : null, retrieves?.element, uploads?.element);
  };
  const auto = checkbox(
    ['Auto connect all accounts', h('span', { class: 'help' }, 'From now on, upload and retrieve new accounts without asking. Pinned ones stay here.')],
    { onChange: () => takeAll() },
  );
  const takeAll = () => {
    for (const group of [uploads, retrieves]) group?.takeAll(auto.control.checked);
  };
  show();
  return {
    title: 'Choose your accounts',
    content: [place, auto.element],
    submit: 'Finish',
    busy: 'Carrying your accounts…',
    onSubmit: () => call('sync_setup_choose', { ...read(), autoConnect: auto.control.checked }),
    onView: (next) => {
      latest = next;
      show();
    },
    onRemove: store.subscribe(show),
  };
}

/**
 * A group of accounts with ticks, all of which one button sets.
 *
 * @param {'Upload' | 'Retrieve'} verb
 * @param {AccountRow[]} rows
 * @param {(row: AccountRow) => boolean} isFree pinned accounts are listed and stay out
 * @param {Set<string>} ticked
 */
function picks(verb, rows, isFree, ticked) {
  if (rows.length === 0) return null;
  const ticks = rows
    .toSorted(byExchangeAndLabel)
    .map((row) => ({ ...accountTick(row, ticked.has(row.id), isFree(row) ? undefined : 'Pinned: stays local'), free: isFree(row) }));
  const free = ticks.filter((tick) => tick.free);
  const all = button(`${verb} all`, {
    on: () => {
      const on = free.some((tick) => !tick.control.checked);
      for (const tick of free) tick.control.checked = on;
      tell();
    },
  });
  /** @param {boolean} on nothing is left to choose */
  const takeAll = (on) => {
    for (const { control } of free) {
      control.checked ||= on;
      control.disabled = on;
    }
    all.disabled = on;
    tell();
  };
  const tell = () => {
    all.textContent = free.every((tick) => tick.control.checked) ? `${verb} none` : `${verb} all`;
  };
  for (const tick of free) tick.control.addEventListener('change', tell);
  tell();
  const element = h(
    'section',
    { class: 'pick-group' },
    h('div', { class: 'pick-head' }, h('h3', null, verb === 'Upload' ? 'Upload from this device' : 'Retrieve to this device'), free.length > 1 ? all : null),
    h(
      'ul',
      { class: 'picks', role: 'list' },
      ...ticks.map((tick) => h('li', null, tick.element)),
    ),
  );
  return { element, takeAll, read: () => free.filter((tick) => tick.control.checked).map((tick) => tick.id) };
}

/** @returns {Step} */
export function doneStep() {
  return {
    title: 'Sync is on',
    content: [
      goodNews('This device is verified, and the chosen accounts are on their way.'),
      h('p', null, 'On your other device: start Keyquay, sign in with your email, password and Secret Key, and verify it by mail as you did here.'),
      h('p', { class: 'muted' }, 'After a restart this device needs the server to open synced accounts. General says how to change that.'),
    ],
    submit: 'Done',
  };
}
