// @ts-check
/** @import { Problem } from '../bindings/view.d.ts' */
/** @import { Child } from './dom.js' */

import { announce } from './announce.js';
import { fill, h, icon, makeId } from './dom.js';
import { SecretField } from './secret-field.js';

/**
 * Makes a form do one thing: while it is at work its button says so, and a refusal is shown in the form and read out.
 *
 * @param {HTMLFormElement} form
 * @param {{ submitButton: HTMLButtonElement, onSubmit: () => Promise<unknown>, busy?: string, isValid?: () => boolean }} options
 */
export function bindForm(form, { submitButton, onSubmit, busy, isValid }) {
  const refusal = h('div', { class: 'refusal', role: 'alert', hidden: true });
  form.append(refusal);
  const idleText = submitButton.textContent ?? '';
  let running = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    refusal.hidden = true;
    if (running || !(isValid?.() ?? true)) return;
    running = true;
    submitButton.setAttribute('aria-busy', 'true');
    if (busy) submitButton.textContent = busy;
    try {
      await onSubmit();
    } catch (problem) {
      showRefusal(refusal, /** @type {Problem} */ (problem));
    } finally {
      running = false;
      submitButton.removeAttribute('aria-busy');
      if (busy) submitButton.textContent = idleText;
    }
  });
}

/**
 * @param {HTMLElement} region
 * @param {Problem} problem
 */
export function showRefusal(region, problem) {
  fill(region, icon('alert'), h('div', null, h('p', { class: 'refusal-message' }, problem.message), h('p', null, problem.hint)));
  region.hidden = false;
  region.scrollIntoView?.({ block: 'nearest' });
}

/**
 * A labelled field.
 *
 * @param {string} label
 * @param {{ name?: string, type?: string, value?: string, help?: Child, optional?: boolean, required?: string, autocomplete?: string,
 *   placeholder?: string, className?: string, secret?: boolean, multiLine?: boolean, masked?: boolean, mono?: boolean,
 *   same?: () => [string, string] }} [options] `required`: what to say when it is empty. `same`: another value it must equal,
 *   and what to say if it does not.
 */
export function field(label, options = {}) {
  const id = makeId();
  const help = makeId();
  const fault = h('p', { class: 'fault', id: makeId(), hidden: true });
  const common = {
    id,
    name: options.name,
    autocomplete: options.autocomplete ?? 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    placeholder: options.placeholder,
    'aria-describedby': `${options.help ? help : ''} ${fault.id}`.trim(),
    'aria-required': options.required ? 'true' : null,
    class: [options.className, options.mono && 'mono'].filter(Boolean).join(' ') || null,
  };
  const control = options.multiLine
    ? h('textarea', { ...common, rows: '3' })
    : h('input', { ...common, type: options.type ?? (options.secret ? 'password' : 'text') });
  control.value = options.value ?? '';
  const element = h(
    'div',
    { class: 'field' },
    h('label', { for: id }, label, options.optional ? h('span', { class: 'optional', 'aria-hidden': 'true' }, ' (optional)') : null),
    options.secret ? new SecretField(control, label) : control,
    options.help ? h('div', { class: 'help', id: help }, options.help) : null,
    fault,
  );
  /** @param {string} text */
  const complain = (text) => {
    fault.textContent = text;
    fault.hidden = text === '';
    if (text) control.setAttribute('aria-invalid', 'true');
    else control.removeAttribute('aria-invalid');
  };
  control.addEventListener('input', () => complain(''));
  return {
    element,
    control,
    get value() {
      return control.value;
    },
    complain,
    /** Says what is missing, if anything is. */
    check() {
      let text = options.required && control.value.trim() === '' ? options.required : '';
      if (!text && options.same) {
        const [other, otherwise] = options.same();
        if (other !== control.value) text = otherwise;
      }
      complain(text);
      return text === '';
    },
  };
}

/** @typedef {ReturnType<typeof field>} Field */

/**
 * Checks every field; the first that lacks something gets the focus.
 *
 * @param {...Field} fields
 */
export function allFilled(...fields) {
  const faulty = fields.filter((one) => !one.check());
  faulty[0]?.control.focus();
  if (faulty[0]) announce(faulty.length === 1 ? 'One field needs attention' : `${faulty.length} fields need attention`);
  return faulty.length === 0;
}

/**
 * A new passphrase or password, typed twice.
 *
 * @param {string} label
 * @param {{ help?: Child, optional?: boolean, autocomplete?: string, required?: string }} [options]
 */
export function newSecret(label, options = {}) {
  const first = field(label, {
    secret: true,
    autocomplete: options.autocomplete ?? 'new-password',
    help: options.help,
    optional: options.optional,
    required: options.required,
  });
  const again = field(`${label}, again`, {
    secret: true,
    autocomplete: options.autocomplete ?? 'new-password',
    same: () => [first.value, 'The two are not the same.'],
  });
  return { first, again, elements: [first.element, again.element], fields: [first, again] };
}

/**
 * A checkbox and its label.
 *
 * @param {Child | Child[]} label
 * @param {{ checked?: boolean, onChange?: (checked: boolean) => void, disabled?: boolean }} [options]
 */
export function checkbox(label, { checked = false, onChange, disabled = false } = {}) {
  const control = h('input', { type: 'checkbox', checked, disabled });
  if (onChange) control.addEventListener('change', () => onChange(control.checked));
  return { control, element: h('label', { class: 'check' }, control, h('span', null, ...[label].flat())) };
}

/**
 * A select and its label.
 *
 * @template {string} V
 * @param {string} label
 * @param {[V, string][]} choices
 * @param {V} value
 */
export function choice(label, choices, value) {
  const id = makeId();
  const control = h('select', { id }, ...choices.map(([key, text]) => h('option', { value: key }, text)));
  control.value = value;
  return {
    control,
    element: h('div', { class: 'field' }, h('label', { for: id }, label), control),
    get value() {
      return /** @type {V} */ (control.value);
    },
  };
}
