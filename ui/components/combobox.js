// @ts-check
import { fill, h, makeId } from './dom.js';

/**
 * A field with a list that narrows while one types. Arrow keys move, Enter takes, Escape closes.
 *
 * @template {{ id: string, name: string }} O
 */
export class Combobox {
  /** @type {O[]} */
  #shown = [];
  #active = -1;
  /** @type {O | null} */
  chosen = null;

  /**
   * @param {string} label
   * @param {{ search: (text: string) => O[], onChoose: (option: O) => void, value?: O | null, placeholder?: string }} options
   */
  constructor(label, { search, onChoose, value = null, placeholder }) {
    const id = makeId();
    const listId = makeId();
    this.search = search;
    this.onChoose = onChoose;
    this.input = h('input', {
      id,
      type: 'text',
      role: 'combobox',
      autocomplete: 'off',
      spellcheck: 'false',
      placeholder,
      'aria-expanded': 'false',
      'aria-controls': listId,
      'aria-autocomplete': 'list',
    });
    this.list = h('ul', { id: listId, role: 'listbox', class: 'options', 'aria-label': label, hidden: true });
    this.fault = h('p', { class: 'fault', hidden: true });
    this.element = h('div', { class: 'field combobox' }, h('label', { for: id }, label), this.input, this.list, this.fault);
    this.input.addEventListener('input', () => this.#open(this.input.value));
    this.input.addEventListener('click', () => this.#open(this.chosen ? '' : this.input.value));
    this.input.addEventListener('keydown', (event) => this.#key(event));
    this.input.addEventListener('blur', () => this.#close());
    // The list must not take the focus from the field when it is pressed.
    this.list.addEventListener('pointerdown', (event) => event.preventDefault());
    if (value) this.#take(value, false);
  }

  /** @param {string} text */
  complain(text) {
    this.fault.textContent = text;
    this.fault.hidden = text === '';
    if (text) this.input.setAttribute('aria-invalid', 'true');
    else this.input.removeAttribute('aria-invalid');
  }

  /** @param {string} text */
  #open(text) {
    this.#shown = this.search(text);
    this.#active = text && this.#shown.length > 0 ? 0 : -1;
    fill(this.list, ...this.#shown.map((option) => this.#option(option)));
    this.list.hidden = this.#shown.length === 0;
    this.input.setAttribute('aria-expanded', String(!this.list.hidden));
    this.#mark();
  }

  /** @param {O} option */
  #option(option) {
    const element = h('li', { role: 'option', id: makeId(), class: 'option', 'aria-selected': 'false' }, option.name);
    element.addEventListener('click', () => this.#take(option, true));
    return element;
  }

  #close() {
    this.list.hidden = true;
    this.input.setAttribute('aria-expanded', 'false');
    this.input.removeAttribute('aria-activedescendant');
    if (this.chosen) this.input.value = this.chosen.name;
  }

  /**
   * @param {O} option
   * @param {boolean} tell
   */
  #take(option, tell) {
    this.chosen = option;
    this.input.value = option.name;
    this.complain('');
    this.#close();
    if (tell) this.onChoose(option);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const isOpen = !this.list.hidden;
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp': {
        event.preventDefault();
        if (!isOpen) this.#open('');
        const step = event.key === 'ArrowDown' ? 1 : -1;
        const count = this.#shown.length;
        this.#active = this.#active < 0 ? (step > 0 ? 0 : count - 1) : (this.#active + step + count) % count;
        this.#mark();
        break;
      }
      case 'Enter':
        if (!isOpen) break;
        event.preventDefault();
        if (this.#active >= 0) this.#take(this.#shown[this.#active], true);
        break;
      case 'Escape':
        if (!isOpen) break;
        event.preventDefault();
        event.stopPropagation();
        this.#close();
        break;
    }
  }

  #mark() {
    [...this.list.children].forEach((element, index) => {
      element.setAttribute('aria-selected', String(index === this.#active));
      if (index !== this.#active) return;
      this.input.setAttribute('aria-activedescendant', element.id);
      element.scrollIntoView({ block: 'nearest' });
    });
  }
}
