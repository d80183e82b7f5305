// @ts-check
/** @import { BackupCodes, SecondFactorEnrolment, SetupView } from '../bindings/view.d.ts' */
/** @import { Step, Stepper } from './dialog.js' */
import { asProblem, call } from '../backend.js';
import { fill, h, link } from '../components/dom.js';
import { codeBlock, copyButton } from '../components/code.js';
import { allFilled, checkbox, field } from '../components/form.js';
import { problemPage } from '../components/loading.js';

/**
 * @param {SetupView} view
 * @param {Stepper} stepper
 * @returns {Step}
 */
export function secondFactorStep(view, stepper) {
  return view.secondFactorConfirmed ? proveStep(stepper) : enrolStep(stepper, () => call('sync_setup_enrol_second_factor'));
}

/**
 * @param {Stepper} stepper
 * @returns {Step}
 */
function proveStep(stepper) {
  const code = codeField();
  return {
    title: 'Enter your second-factor code',
    content: [
      code.element,
      h('p', { class: 'muted' }, 'Phone lost? ', link('Use a backup code and set up a new second factor', () => stepper.showLocal(lostStep(stepper)))),
    ],
    submit: 'Continue',
    busy: 'Checking…',
    isValid: () => allFilled(code),
    onSubmit: () => call('sync_setup_prove_second_factor', { code: code.value.trim() }),
  };
}

function codeField() {
  return field('Six-digit code', {
    className: 'code',
    autocomplete: 'one-time-code',
    required: 'Enter the code that your authenticator app shows.',
    help: 'From your authenticator app. It changes every 30 seconds, and each works once.',
  });
}

/**
 * @param {Stepper} stepper
 * @returns {Step}
 */
function lostStep(stepper) {
  const backup = field('Backup code', { mono: true, required: 'Enter one of your ten backup codes.', help: 'One of the ten you kept when you set up the second factor. Each works once.' });
  return {
    title: 'Replace a lost second factor',
    content: [
      h('p', null, 'A backup code lets you set up a new authenticator. The old one stops working when the new one is confirmed.'),
      backup.element,
      h('p', { class: 'muted' }, 'No backup codes either? A device that still syncs can help, or whoever runs the server.'),
    ],
    canGoBack: true,
    submit: 'Continue',
    isValid: () => allFilled(backup),
    onSubmit: async () => {
      const enrolment = await call('sync_setup_replace_second_factor', { backupCode: backup.value.trim() });
      stepper.showLocal(enrolStep(stepper, async () => enrolment));
    },
  };
}

/**
 * @param {Stepper} stepper
 * @param {() => Promise<SecondFactorEnrolment>} begin
 * @returns {Step}
 */
function enrolStep(stepper, begin) {
  const code = codeField();
  const place = h('div', { class: 'enrolment' });
  const load = async () => {
    try {
      fill(place, ...enrolmentView(await begin()));
    } catch (reason) {
      fill(place, problemPage(asProblem(reason), load));
    }
  };
  void load();
  return {
    title: 'Set up your second factor',
    content: [
      h('p', null, 'Scan this code with an authenticator app on your phone. Without a second factor there is no sync: a stolen password alone opens nothing.'),
      place,
      code.element,
    ],
    submit: 'Confirm',
    busy: 'Checking…',
    isValid: () => allFilled(code),
    onSubmit: async () => {
      const codes = await call('sync_setup_confirm_second_factor', { code: code.value.trim() });
      stepper.showLocal(backupCodesStep(codes));
    },
  };
}

/** @param {SecondFactorEnrolment} enrolment */
export function enrolmentView({ qrSvg, secret }) {
  return [
    h('img', { class: 'qr', alt: 'QR code for your authenticator app', src: `data:image/svg+xml,${encodeURIComponent(qrSvg)}` }),
    h(
      'div',
      { class: 'enrolment-text' },
      h('p', { class: 'muted' }, 'No camera? Type this key into the app:'),
      codeBlock('Second-factor key', secret.replace(/(.{4})(?=.)/g, '$1-')),
    ),
  ];
}

/**
 * @param {BackupCodes} codes
 * @returns {Step}
 */
function backupCodesStep(codes) {
  const list = backupCodesView(codes);
  return {
    title: 'Keep your backup codes',
    at: 'secondFactor',
    content: [list.element],
    // Closed now, the codes would be gone.
    closeText: null,
    submit: 'Continue',
    isValid: list.isValid,
    onSubmit: () => call('sync_setup_view'),
  };
}

/** @param {BackupCodes} codes */
export function backupCodesView({ codes }) {
  const kept = checkbox('I have kept them where I find them without my phone');
  const fault = h('p', { class: 'fault', role: 'alert', hidden: true }, 'Keep the codes first: they are not shown again.');
  const element = h(
    'div',
    { class: 'stack' },
    h('p', null, 'If you lose your phone, each of these lets you in once. They are shown only now.'),
    h(
      'div',
      { class: 'backup-codes' },
      h('ol', { class: 'mono', 'aria-label': 'Backup codes' }, ...codes.map((code) => h('li', null, code))),
      copyButton('Backup codes', codes.join('\n')),
    ),
    kept.element,
    fault,
  );
  return {
    element,
    isValid: () => {
      fault.hidden = kept.control.checked;
      return kept.control.checked;
    },
  };
}
