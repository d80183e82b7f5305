// @ts-check
/** @import { RecoveryKit, SetupView } from '../bindings/view.d.ts' */
/** @import { Step, Stepper } from './dialog.js' */
import { asProblem, call } from '../backend.js';
import { codeBlock } from '../components/code.js';
import { button, fill, h, icon } from '../components/dom.js';
import { formDialog } from '../components/dialog.js';
import { allFilled, field } from '../components/form.js';
import { problemPage } from '../components/loading.js';
import { attempt, toast } from '../components/toast.js';
import { store } from '../store.js';
import { date } from '../words/time.js';

/**
 * The first device makes the kit; the step to confirm it is the window's own.
 *
 * @param {SetupView} _view
 * @param {Stepper} stepper
 * @returns {Step}
 */
export function kitStep(_view, stepper) {
  const place = h('div', { class: 'stack' });
  /** @type {RecoveryKit | null} */
  let kit = null;
  const load = async () => {
    try {
      const made = await call('sync_setup_kit');
      kit = made;
      fill(place, ...kitView(made));
    } catch (reason) {
      fill(place, problemPage(asProblem(reason), load));
    }
  };
  void load();
  return {
    title: 'Keep your recovery kit',
    content: [place],
    submit: 'I have it',
    onSubmit: async () => {
      if (kit) stepper.showLocal(confirmStep(kit));
    },
  };
}

/**
 * @param {RecoveryKit} kit
 * @returns {Step}
 */
function confirmStep(kit) {
  const group = groupField(kit);
  return {
    title: 'Confirm the recovery kit',
    content: [h('p', null, 'Type one group from your copy, to be sure that it is there and readable.'), group.element],
    canGoBack: true,
    submit: 'Confirm',
    busy: 'Switching sync on…',
    isValid: () => allFilled(group),
    onSubmit: () => call('sync_setup_confirm_kit', { group: group.value.trim() }),
  };
}

/** @param {RecoveryKit} kit */
export function groupField(kit) {
  const code = kit.asked.of === 'secretKey' ? 'Secret Key' : 'recovery code';
  return field(`Group ${kit.asked.number} of the ${code}`, {
    className: 'code',
    required: 'Type the group that is asked for.',
    help: 'Five characters, counted after the prefix.',
  });
}

/** @param {RecoveryKit} kit */
export function kitView(kit) {
  return [
    h('p', null, 'With this kit you get back in on a new device, or with a lost password. Nobody else has it, and nobody can make it again for you.'),
    kitSheet(kit),
    h(
      'div',
      { class: 'kit-actions' },
      button('Print', { icon: 'print', on: () => void attempt(() => call('sync_kit_print')) }),
      button('Save to a file…', { icon: 'save', on: () => void saveKit(kit) }),
    ),
    h('p', { class: 'note-line amber' }, icon('alert'), 'Keep it away from this device: a file beside the vault would open it for a thief.'),
  ];
}

/** @param {RecoveryKit} kit */
function kitSheet(kit) {
  return h(
    'section',
    { class: 'kit', 'aria-label': 'Recovery kit' },
    h('h3', { class: 'kit-title' }, 'Keyquay recovery kit'),
    h(
      'dl',
      { class: 'kit-facts' },
      h('dt', null, 'Server'),
      h('dd', { class: 'mono' }, kit.server),
      h('dt', null, 'Email'),
      h('dd', { class: 'mono' }, kit.email),
      h('dt', null, 'Made on'),
      h('dd', null, date(kit.madeAt)),
      h('dt', null, 'Secret Key'),
      h('dd', null, codeBlock('Secret Key', kit.secretKey)),
      h('dt', null, 'Recovery code'),
      h('dd', null, codeBlock('Recovery code', kit.recoveryCode)),
    ),
  );
}

/** @param {RecoveryKit} kit */
async function saveKit(kit) {
  const file = await chooseFile('saveKit', kit.suggestedFile, {
    title: 'Save the recovery kit',
    text: 'The file is not encrypted. Save it to a stick or a disk that you keep elsewhere, not beside the vault.',
    submit: 'Save',
  });
  if (!file) return;
  const saved = await attempt(async () => {
    await call('sync_kit_save', { file });
    return true;
  });
  if (saved) toast('Recovery kit saved');
}

/**
 * A path from the system's chooser, or typed where it has none.
 *
 * @param {import('../bindings/view.d.ts').FilePurpose} purpose
 * @param {string} suggestion
 * @param {{ title: string, text: string, submit: string }} words
 * @returns {Promise<string | null>}
 */
export async function chooseFile(purpose, suggestion, words) {
  const general = store.views.general ?? (await attempt(() => call('general_view')));
  if (general?.canChooseFiles) return (await attempt(() => call('general_choose_file', { purpose }))) ?? null;
  const path = field('File', { mono: true, value: suggestion, required: 'Enter where the file is or should be.' });
  return formDialog({
    title: words.title,
    content: [h('p', null, words.text), path.element],
    submit: words.submit,
    isValid: () => allFilled(path),
    onSubmit: async () => path.value.trim(),
  });
}
