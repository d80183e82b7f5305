// @ts-check
/** @import { Problem } from '../bindings/view.d.ts' */
import { asProblem } from '../backend.js';
import { button, fill, h, icon } from './dom.js';

/**
 * Fills `root` while something loads, and with what to do if it fails.
 *
 * @param {HTMLElement} root
 * @param {string} sentence
 * @param {() => Promise<void>} load
 */
export async function loadInto(root, sentence, load) {
  const waiting = h('p', { class: 'page-message muted', role: 'status' }, sentence);
  // What is there at once needs no announcement.
  const timer = setTimeout(() => fill(root, waiting), 150);
  try {
    await load();
  } catch (reason) {
    fill(root, problemPage(asProblem(reason), () => loadInto(root, sentence, load)));
  } finally {
    clearTimeout(timer);
    waiting.remove();
  }
}

/**
 * @param {Problem} problem
 * @param {() => unknown} again
 */
export function problemPage(problem, again) {
  return h(
    'div',
    { class: 'empty', role: 'alert' },
    icon('alert'),
    h('h1', { class: 'page-title' }, problem.message),
    h('p', { class: 'muted' }, problem.hint),
    button('Try again', { on: () => void again() }),
  );
}

/**
 * An empty screen: what it is for, and the one next step.
 *
 * @param {{ icon: string, title: string, text: string, actions?: (Node | null)[] }} options
 */
export function emptyState({ icon: name, title, text, actions = [] }) {
  return h('div', { class: 'empty' }, icon(name), h('h2', null, title), h('p', { class: 'muted' }, text), h('div', { class: 'empty-actions' }, ...actions));
}

/**
 * A strip that says what needs attention, or what is good to know.
 *
 * @param {{ title: string, text: string, attention?: boolean, actions?: Node[], iconName?: string }} options
 */
export function banner({ title, text, attention = true, actions = [], iconName }) {
  return h(
    'div',
    { class: attention ? 'banner attention' : 'banner', role: attention ? 'alert' : 'note' },
    icon(iconName ?? (attention ? 'alert' : 'sync')),
    h('div', { class: 'banner-text' }, h('p', { class: 'banner-title' }, title), h('p', null, text)),
    h('div', { class: 'banner-actions' }, ...actions),
  );
}
