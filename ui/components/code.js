// @ts-check
import { call } from '../backend.js';
import { codeGroups } from '../words/setup.js';
import { announce } from './announce.js';
import { h, icon } from './dom.js';
import { attempt } from './toast.js';

/**
 * A code to be written down: monospaced, in groups, with a copy button.
 *
 * @param {string} label
 * @param {string} code
 */
export function codeBlock(label, code) {
  const groups = codeGroups(code);
  return h(
    'div',
    { class: 'code-block', role: 'group', 'aria-label': label },
    h('div', { class: 'code-groups' }, ...groups.map((group) => h('span', null, group))),
    copyButton(label, code),
  );
}

/**
 * Six words to compare.
 *
 * @param {string} label
 * @param {string} phrase
 */
export function phraseBlock(label, phrase) {
  return h(
    'ol',
    { class: 'phrase', 'aria-label': label },
    ...phrase.split(/\s+/).map((word) => h('li', null, word)),
  );
}

/**
 * Copies what the window shows. The backend does it, so that it is cleared again and stays out of clipboard histories.
 *
 * @param {string} label
 * @param {string} text
 */
export function copyButton(label, text) {
  const element = h('button', { type: 'button', class: 'icon-button', 'aria-label': `Copy ${label}` }, icon('copy'));
  element.addEventListener('click', () =>
    attempt(async () => {
      await call('app_copy', { text });
      element.replaceChildren(icon('check'));
      announce(`${label} copied`);
      setTimeout(() => element.replaceChildren(icon('copy')), 2_000);
    }),
  );
  return element;
}
