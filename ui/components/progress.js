// @ts-check
/** @import { Progress } from '../bindings/view.d.ts' */
import { isRunning, progressSentence } from '../words/status.js';
import { announce } from './announce.js';
import { h } from './dom.js';

/** What a long operation does and how far it is. */
export class ProgressBar extends HTMLElement {
  #sentence = h('span', { class: 'small' });
  #bar = h('progress', { max: 1, value: 0 });
  #said = '';

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.hidden = true;
    this.append(this.#sentence, this.#bar);
  }

  /** @param {Progress | null} progress */
  show(progress) {
    const running = isRunning(progress);
    this.hidden = !running;
    if (!running || !progress) {
      this.#said = '';
      return;
    }
    const sentence = progressSentence(progress);
    this.#sentence.textContent = sentence;
    this.#bar.setAttribute('aria-label', sentence);
    this.#bar.max = progress.total;
    this.#bar.value = progress.done;
    // Said when it begins; every step of it would be chatter.
    if (this.#said !== progress.what) announce(sentence);
    this.#said = progress.what;
  }
}

customElements.define('kq-progress', ProgressBar);
