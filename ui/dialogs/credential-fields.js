// @ts-check
/** @import { AccountForm, ExchangeField, ExchangeInfo, FieldInput } from '../bindings/view.d.ts' */
/** @import { Field } from '../components/form.js' */
import { call } from '../backend.js';
import { announce } from '../components/announce.js';
import { button, fill, h, icon, makeId } from '../components/dom.js';
import { checkbox, field } from '../components/form.js';
import { attempt } from '../components/toast.js';
import { freeKey } from '../words/form.js';

/** A shape is judged when typing pauses this long. */
const PAUSE = 400;

/** @typedef {{ key: string, field: Field, secret: boolean, kept: boolean, cleared: boolean, before: string, label: string, free: boolean, hint: HTMLElement }} Line */

/** The credentials of one account: the exchange's fields in their order, then those that the person named. */
export class CredentialFields {
  /** @type {Line[]} */
  #lines = [];
  #place = h('div', { class: 'stack' });

  /**
   * @param {ExchangeInfo} exchange
   * @param {AccountForm | null} form what is there already, when one edits
   */
  constructor(exchange, form) {
    this.exchange = exchange;
    const kept = new Map((form?.fields ?? []).map((one) => [one.key, one]));
    for (const one of exchange.fields) {
      const before = kept.get(one.key);
      kept.delete(one.key);
      this.#add(one, { value: before?.value ?? '', filled: before?.filled ?? false, free: false });
    }
    for (const one of kept.values()) {
      this.#add({ ...one, required: false, help: '', usual: null }, { value: one.value ?? '', filled: one.filled, free: one.free });
    }
    this.element = h(
      'fieldset',
      { class: 'stack' },
      h('legend', { class: 'visually-hidden' }, 'Keys'),
      this.#place,
      exchange.freeFields ? this.#adder() : null,
    );
  }

  focus() {
    this.#lines[0]?.field.control.focus();
  }

  get mandatory() {
    return this.#lines.map((line) => line.field);
  }

  /** What changed: a field that keeps its value is left out. @returns {FieldInput[]} */
  read() {
    return this.#lines
      .filter((line) => line.cleared || line.field.value !== line.before)
      .map((line) => ({
        key: line.key,
        label: line.free ? line.label : null,
        secret: line.free ? line.secret : null,
        value: line.field.value,
      }));
  }

  /**
   * @param {ExchangeField} one
   * @param {{ value: string, filled: boolean, free: boolean }} before
   */
  #add(one, { value, filled, free }) {
    const kept = one.secret && filled;
    const input = field(one.label, {
      secret: one.secret,
      multiLine: one.multiLine,
      mono: !one.secret,
      value,
      optional: !one.required,
      required: one.required && !kept ? `Enter the ${one.label}.` : undefined,
      placeholder: kept ? 'Kept as it is; type to replace' : undefined,
      help: [one.help, one.usual ? `Usually ${one.usual}.` : ''].filter(Boolean).join(' ') || null,
    });
    const hint = h('p', { class: 'hint', hidden: true, role: 'status', id: makeId() });
    input.element.append(hint);
    if (one.multiLine) input.control.classList.add('credential-lines');
    /** @type {Line} */
    const line = { key: one.key, field: input, secret: one.secret, kept, cleared: false, before: value, label: one.label, free, hint };
    if (kept && !one.required) input.element.append(this.#clearing(line));
    this.#lines.push(line);
    this.#place.append(input.element);
    this.#watch(line);
  }

  /** @param {Line} line */
  #clearing(line) {
    const clear = checkbox('Remove the kept value', {
      onChange: (on) => {
        line.cleared = on;
        line.field.control.disabled = on;
        if (on) line.field.control.value = '';
      },
    });
    return clear.element;
  }

  /** @param {Line} line */
  #watch(line) {
    const { control } = line.field;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    control.addEventListener('input', () => {
      clearTimeout(timer);
      line.hint.hidden = true;
      timer = setTimeout(() => void this.#judge(line), PAUSE);
    });
    control.addEventListener('paste', (event) => {
      const text = /** @type {ClipboardEvent} */ (event).clipboardData?.getData('text') ?? '';
      if (!text) return;
      event.preventDefault();
      void this.#paste(line, text);
    });
  }

  /**
   * The catalogue tidies what is pasted, and splits a pair into its fields.
   *
   * @param {Line} line
   * @param {string} text
   */
  async #paste(line, text) {
    const { control } = line.field;
    const at = [control.selectionStart ?? 0, control.selectionEnd ?? 0];
    const split = await attempt(() => call('account_split_paste', { exchange: this.exchange.id, field: line.key, text }));
    const parts = split?.fields ?? [{ key: line.key, value: text, label: null, secret: null }];
    const own = parts.length === 1 && parts[0].key === line.key;
    if (own && control.value !== '' && at[0] !== at[1] - control.value.length) {
      control.setRangeText(parts[0].value, at[0], at[1], 'end');
    } else {
      for (const part of parts) this.#set(part);
    }
    control.dispatchEvent(new Event('input'));
    if (parts.length > 1) announce(`Pasted text split into ${parts.length} fields`);
  }

  /** @param {FieldInput} part */
  #set(part) {
    const line = this.#lines.find((one) => one.key === part.key);
    if (!line) return;
    line.field.control.value = part.value;
    line.field.complain('');
    void this.#judge(line);
  }

  /** @param {Line} line */
  async #judge(line) {
    const { value } = line.field;
    if (!value) return;
    // A hint that cannot be had is no reason to disturb anybody.
    const sentence = await call('account_hint', { exchange: this.exchange.id, field: line.key, value }).catch(() => null);
    if (line.field.value !== value) return;
    line.hint.hidden = sentence === null;
    if (sentence) fill(line.hint, icon('alert'), `${sentence} You can save it all the same.`);
  }

  #adder() {
    const name = field('Name of a further field', { optional: true });
    const secret = checkbox('Secret', { checked: true });
    const add = button('Add field', {
      icon: 'plus',
      on: () => {
        const label = name.value.trim();
        if (!label) return name.control.focus();
        const key = freeKey(label, new Set(this.#lines.map((line) => line.key)));
        this.#add({ key, label, secret: secret.control.checked, required: false, multiLine: secret.control.checked, help: '', usual: null }, { value: '', filled: false, free: true });
        name.control.value = '';
        this.#lines[this.#lines.length - 1].field.control.focus();
      },
    });
    name.control.addEventListener('keydown', (event) => {
      if (/** @type {KeyboardEvent} */ (event).key !== 'Enter') return;
      event.preventDefault();
      add.click();
    });
    return h('div', { class: 'adder' }, name.element, secret.element, add);
  }
}
