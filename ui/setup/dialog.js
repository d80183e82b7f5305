// @ts-check
/** @import { SetupView } from '../bindings/view.d.ts' */
import { asProblem, call } from '../backend.js';
import { announce } from '../components/announce.js';
import { openDialog } from '../components/dialog.js';
import { button, fill, h, icon } from '../components/dom.js';
import { bindForm } from '../components/form.js';
import { problemPage } from '../components/loading.js';
import { ProgressBar } from '../components/progress.js';
import { attempt } from '../components/toast.js';
import { store } from '../store.js';
import { railSteps } from '../words/setup.js';
import { chooseStep, compareStep, doneStep } from './finish.js';
import { kitStep } from './kit.js';
import { secondFactorStep } from './second-factor.js';
import { addressStep, newPasswordStep, noLogStep, secretKeyStep, serverStep, signInStep } from './sign-in.js';
import { verificationStep } from './verification.js';

/**
 * What a step puts into the dialog. `content` is a form if there is something to submit.
 *
 * @typedef {{ title: string, content: import('../components/dom.js').Child[], submit?: string, busy?: string, canGoBack?: boolean,
 *   isValid?: () => boolean, onSubmit?: () => Promise<SetupView | void>, onRemove?: () => void, onView?: (view: SetupView) => void,
 *   closeText?: string | null, at?: SetupView['step'] }} Step `at`: the step of the rail that it still belongs to.
 *
 * @typedef {{ begin: 'register' | 'signIn', showLocal: (step: Step) => void, close: () => void }} Stepper
 */

/** @type {Record<SetupView['step'], (view: SetupView, stepper: Stepper) => Step>} */
const STEPS = {
  server: serverStep,
  signIn: signInStep,
  confirmAddress: addressStep,
  secondFactor: secondFactorStep,
  verification: verificationStep,
  noLog: noLogStep,
  secretKey: secretKeyStep,
  newPassword: newPasswordStep,
  kit: kitStep,
  compare: compareStep,
  choose: chooseStep,
  done: doneStep,
};

let isOpen = false;

/**
 * Opens the stepper where the person left it.
 *
 * @param {'register' | 'signIn'} [begin] what most people mean who come from there
 */
export async function openSetup(begin = 'register') {
  if (isOpen) return;
  // A removed device begins anew, as a new one.
  if (store.views.app?.status.state === 'removed') {
    const view = await attempt(() => call('sync_verify_again'));
    if (!view) return;
    store.apply({ kind: 'setup', view });
  }
  isOpen = true;
  const dialog = new SetupDialog(begin);
  await dialog.load();
}

class SetupDialog {
  /** @type {SetupView | null} */
  #view = null;
  /** @type {Step | null} */
  #step = null;
  /** @type {SetupView['path']} */
  #path = 'undecided';
  /** A step of the window's own is shown, backup codes for instance; the backend's waits until it is over. */
  #isLocal = false;
  #rail = h('ol', { class: 'rail', 'aria-label': 'Steps' });
  #place = h('div', { class: 'step' });
  #progress = new ProgressBar();

  /** @param {'register' | 'signIn'} begin */
  constructor(begin) {
    this.begin = begin;
    const { dialog, body, footer, close } = openDialog({
      title: 'Set up sync',
      size: 'stepper',
      closeLabel: 'Close; your place is kept',
      onClose: () => {
        isOpen = false;
        this.#step?.onRemove?.();
        this.#unsubscribe();
      },
    });
    this.close = close;
    this.#footer = footer;
    this.#dialog = dialog;
    body.append(this.#rail, h('div', { class: 'step-frame' }, this.#place, this.#progress));
    this.#unsubscribe = store.subscribe((views, before) => {
      if (views.setup && views.setup !== before.setup) this.show(views.setup);
      if (views.progress !== before.progress) this.#progress.show(views.progress);
    });
  }

  #footer;
  #dialog;
  #unsubscribe;

  async load() {
    try {
      const view = await call('sync_setup_view');
      store.apply({ kind: 'setup', view });
      this.show(view);
    } catch (reason) {
      fill(this.#place, problemPage(asProblem(reason), () => this.load()));
    }
  }

  /** @param {SetupView} view */
  show(view) {
    const before = this.#view;
    this.#view = view;
    if (view === before || this.#isLocal || !this.#dialog.open) return;
    if (before && this.#step && stateOf(before) === stateOf(view)) {
      this.#step.onView?.(view);
      return;
    }
    this.#render(STEPS[view.step](view, this), before !== null);
  }

  /** @param {Step} step */
  showLocal(step) {
    this.#isLocal = true;
    this.#render(step, true);
  }

  /** Ends a step of the window's own. */
  #resume() {
    this.#isLocal = false;
    const view = /** @type {SetupView} */ (this.#view);
    this.#render(STEPS[view.step](view, this), true);
  }

  /**
   * @param {Step} step
   * @param {boolean} tell
   */
  #render(step, tell) {
    this.#step?.onRemove?.();
    this.#step = step;
    this.#showRail();
    const title = h('h3', { class: 'step-title', tabindex: '-1' }, step.title);
    const formId = 'setup-form';
    const form = h('form', { id: formId, class: 'stack', novalidate: true }, title, ...step.content);
    fill(this.#place, form);
    const buttons = this.#buttons(step, form, formId);
    fill(this.#footer, ...buttons);
    const first = /** @type {HTMLElement | null} */ (
      this.#place.querySelector('form :is(input, select, textarea):not(:disabled)')
    );
    (first ?? title).focus();
    if (tell) announce(step.title);
  }

  /**
   * @param {Step} step
   * @param {HTMLFormElement} form
   * @param {string} formId
   */
  #buttons(step, form, formId) {
    const back = step.canGoBack
      ? button('Back', {
          on: () =>
            void attempt(async () => {
              if (this.#isLocal) return this.#resume();
              const view = await call('sync_setup_back');
              store.apply({ kind: 'setup', view });
            }),
        })
      : null;
    const parts = [
      back,
      h('span', { class: 'push' }),
      step.closeText === null ? null : button(step.closeText ?? 'Continue later', { on: this.close }),
    ];
    if (step.submit && step.onSubmit) {
      const submit = button(step.submit, { kind: 'primary', type: 'submit' });
      submit.setAttribute('form', formId);
      bindForm(form, {
        submitButton: submit,
        busy: step.busy,
        isValid: step.isValid,
        onSubmit: async () => {
          const view = await step.onSubmit?.();
          if (view) store.apply({ kind: 'setup', view });
          if (this.#isLocal && this.#step === step) this.#resume();
        },
      });
      parts.push(submit);
    } else if (step.submit) {
      parts.splice(2, 1, button(step.submit, { kind: 'primary', on: this.close }));
    }
    return parts;
  }

  #showRail() {
    const view = this.#view;
    if (!view) return;
    // The backend forgets the path when all is done; the rail still shows the way that was gone.
    if (view.path !== 'undecided') this.#path = view.path;
    const steps = railSteps({ ...view, step: this.#step?.at ?? view.step, path: this.#path });
    const words = { done: 'done', current: 'current step', ahead: 'still to do' };
    fill(
      this.#rail,
      ...steps.map((step, index) =>
        h(
          'li',
          { class: `rail-step ${step.state}`, 'aria-current': step.state === 'current' ? 'step' : null },
          h('span', { class: 'rail-mark', 'aria-hidden': 'true' }, step.state === 'done' ? icon('check') : index + 1),
          h('span', { class: 'rail-title' }, step.title),
          h('span', { class: 'visually-hidden' }, `, ${words[step.state]}`),
        ),
      ),
    );
  }
}

/**
 * What decides how a step looks; a view that keeps it only brings the step up to date.
 *
 * @param {SetupView} view
 */
function stateOf(view) {
  const mailSent = view.step === 'verification' && view.mail !== null && view.mail.sentAt !== null;
  return `${view.step} ${view.secondFactorConfirmed} ${mailSent}`;
}
