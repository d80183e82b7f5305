// @ts-check
/** @import { Problem } from '../bindings/view.d.ts' */
import { asProblem } from '../backend.js';
import { get, h, icon, link } from './dom.js';

const SHOWN_FOR = 8_000;
/** An undo stays long enough for somebody who does not see it come. */
const UNDO_SHOWN_FOR = 20_000;

/**
 * A short word at the foot of the window. It waits while the pointer or the focus is on it.
 *
 * @param {string} text
 * @param {{ action?: string, onAction?: () => Promise<unknown>, attention?: boolean }} [options]
 */
export function toast(text, { action, onAction, attention = false } = {}) {
  const element = h('div', { class: attention ? 'toast attention' : 'toast' }, attention ? icon('alert') : null, h('span', null, text));
  const remove = () => element.remove();
  if (action && onAction) {
    element.append(
      link(action, async () => {
        remove();
        await attempt(onAction);
      }),
    );
  }
  element.append(h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Dismiss', on: { click: remove } }, icon('x')));
  let timer = setTimeout(remove, action ? UNDO_SHOWN_FOR : SHOWN_FOR);
  const hold = () => clearTimeout(timer);
  const release = () => {
    clearTimeout(timer);
    timer = setTimeout(remove, SHOWN_FOR);
  };
  element.addEventListener('pointerenter', hold);
  element.addEventListener('focusin', hold);
  element.addEventListener('pointerleave', release);
  element.addEventListener('focusout', release);
  host().append(element);
}

/** The foot of the window, or of the dialog on top of it, which covers the other. */
function host() {
  const dialogs = document.querySelectorAll('dialog[open]');
  const top = dialogs[dialogs.length - 1];
  if (!top) return get(document, '#toasts');
  const own = top.querySelector('.toasts') ?? h('div', { class: 'toasts', role: 'status' });
  top.append(own);
  return own;
}

/**
 * Does what a click asked for; a refusal becomes a toast with its hint.
 *
 * @template T
 * @param {() => Promise<T>} action
 * @returns {Promise<T | undefined>}
 */
export async function attempt(action) {
  try {
    return await action();
  } catch (reason) {
    const problem = /** @type {Problem} */ (asProblem(reason));
    toast(`${problem.message} ${problem.hint}`, { attention: true });
    return undefined;
  }
}
