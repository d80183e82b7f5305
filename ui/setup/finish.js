// @ts-check
/** @import { AccountRow, SetupView } from '../bindings/view.d.ts' */
/** @import { Step } from './dialog.js' */
import { call } from '../backend.js';
import { phraseBlock } from '../components/code.js';
import { button, h } from '../components/dom.js';
import { checkbox } from '../components/form.js';
import { accountTick } from '../dialogs/auto-connect.js';
import { platformName } from '../words/status.js';
import { ago, counted, date } from '../words/time.js';
import { goodNews } from './sign-in.js';

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
  const uploads = picks('Upload', view.local, (row) => row.state !== 'localOnlyPinned');
  const retrieves = picks('Retrieve', view.available, () => true);
  const auto = checkbox([
    'Auto connect all accounts',
    h('span', { class: 'help' }, 'From now on, upload and retrieve new accounts without asking. Pinned ones stay here.'),
  ]);
  const nothing = view.local.length + view.available.length === 0;
  return {
    title: 'Choose your accounts',
    content: [
      nothing
        ? h('p', null, 'There is no account yet. Those that you add later stay on this device until you upload them.')
        : h('p', null, 'Only what is ticked leaves this device or comes to it. You can change it at any time on Accounts.'),
      retrieves?.element,
      uploads?.element,
      auto.element,
    ],
    submit: 'Finish',
    busy: 'Carrying your accounts…',
    onSubmit: () =>
      call('sync_setup_choose', { upload: uploads?.read() ?? [], retrieve: retrieves?.read() ?? [], autoConnect: auto.control.checked }),
  };
}

/**
 * A group of accounts with ticks, all of which one button sets.
 *
 * @param {'Upload' | 'Retrieve'} verb
 * @param {AccountRow[]} rows
 * @param {(row: AccountRow) => boolean} isFree pinned accounts are listed and stay out
 */
function picks(verb, rows, isFree) {
  if (rows.length === 0) return null;
  const ticks = rows.map((row) => ({ ...accountTick(row, false, isFree(row) ? undefined : 'Pinned: stays local'), free: isFree(row) }));
  const free = ticks.filter((tick) => tick.free);
  const all = button(`${verb} all`, {
    on: () => {
      const on = free.some((tick) => !tick.control.checked);
      for (const tick of free) tick.control.checked = on;
      tell();
    },
  });
  const tell = () => {
    all.textContent = free.every((tick) => tick.control.checked) ? `${verb} none` : `${verb} all`;
  };
  for (const tick of free) tick.control.addEventListener('change', tell);
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
  return { element, read: () => free.filter((tick) => tick.control.checked).map((tick) => tick.id) };
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
