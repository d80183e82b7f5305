// @ts-check
import { h, icon } from './dom.js';

/** An input or textarea whose value is masked until "Show" is pressed. */
export class SecretField extends HTMLElement {
  /**
   * @param {HTMLInputElement | HTMLTextAreaElement} control
   * @param {string} label
   */
  constructor(control, label) {
    super();
    this.control = control;
    this.label = label;
    this.toggle = h('button', { type: 'button', class: 'icon-button', on: { click: () => this.show(!this.shown) } });
    this.shown = false;
  }

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(this.control, this.toggle);
    this.show(false);
  }

  /** @param {boolean} shown */
  show(shown) {
    this.shown = shown;
    if (this.control instanceof HTMLInputElement) this.control.type = shown ? 'text' : 'password';
    else this.control.classList.toggle('masked', !shown);
    this.control.classList.toggle('mono', shown);
    this.toggle.replaceChildren(icon(shown ? 'eye-off' : 'eye'));
    this.toggle.setAttribute('aria-label', `${shown ? 'Hide' : 'Show'} ${this.label}`);
  }
}

customElements.define('kq-secret-field', SecretField);
