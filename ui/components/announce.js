// @ts-check
import { get } from './dom.js';

/**
 * Tells screen readers what changed.
 *
 * @param {string} text
 */
export function announce(text) {
  const region = get(document, '#announcer');
  // The same words twice are read twice only if the node is another one.
  region.replaceChildren(document.createElement('span'));
  region.firstChild.append(text);
}
