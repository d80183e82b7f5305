// @ts-check
/** @import { Child } from './dom.js' */

import { announce } from './announce.js';
import { button, h, icon, makeId } from './dom.js';
import { bindForm } from './form.js';

/**
 * A modal dialog. Escape and the close button end it; what it held goes with it.
 *
 * @param {{ title: string, size?: 'wide' | 'stepper', closeLabel?: string, onClose?: () => void, className?: string }} options
 */
export function openDialog({ title, size, closeLabel = 'Close', onClose, className }) {
  const heading = makeId();
  const body = h('div', { class: 'dialog-body' });
  const footer = h('div', { class: 'dialog-footer' });
  const caption = h('h2', { id: heading }, title);
  const dialog = h(
    'dialog',
    { class: ['dialog', size, className].filter(Boolean).join(' '), 'aria-labelledby': heading },
    h(
      'header',
      { class: 'dialog-header' },
      caption,
      h('button', { type: 'button', class: 'icon-button', 'aria-label': closeLabel, on: { click: () => dialog.close() } }, icon('x')),
    ),
    body,
    footer,
  );
  const opener = document.activeElement;
  dialog.addEventListener('close', () => {
    // Messages outlive the dialog they came up in.
    document.querySelector('#toasts')?.append(...dialog.querySelectorAll('.toast'));
    dialog.remove();
    onClose?.();
    if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  return {
    dialog,
    body,
    footer,
    close: () => dialog.close(),
    /** @param {string} text */
    retitle: (text) => {
      caption.textContent = text;
    },
  };
}

/**
 * A dialog that is one form: Cancel, and one button that does it. Answers what `onSubmit` did, or `null` if it was
 * cancelled. Where it destroys (`danger`) or gives something up (`careful`), Cancel has the focus.
 *
 * @template T
 * @param {{ title: string, content: Child[], submit: string, danger?: boolean, careful?: boolean, cancel?: string, size?: 'wide', busy?: string,
 *   focus?: HTMLElement, keepsTyped?: boolean, onSubmit: () => Promise<T>, isValid?: () => boolean }} options `keepsTyped`: Escape
 *   does not throw away what was typed.
 * @returns {Promise<T | null>}
 */
export function formDialog({ title, content, submit, danger = false, careful = danger, cancel = 'Cancel', size, busy, focus, keepsTyped = false, onSubmit, isValid }) {
  return new Promise((resolve) => {
    /** @type {{ value: T } | null} */
    let done = null;
    const { dialog, body, footer, close } = openDialog({ title, size, onClose: () => resolve(done ? done.value : null) });
    const formId = makeId();
    const form = h('form', { id: formId, class: 'stack', novalidate: true }, ...content);
    const cancelButton = button(cancel, { on: close });
    const submitButton = button(submit, { kind: danger ? 'danger primary' : 'primary', type: 'submit' });
    submitButton.setAttribute('form', formId);
    body.append(form);
    footer.append(cancelButton, submitButton);
    bindForm(form, {
      submitButton,
      busy,
      isValid,
      onSubmit: async () => {
        done = { value: await onSubmit() };
        close();
      },
    });
    let typed = false;
    form.addEventListener('input', () => {
      typed = true;
    });
    dialog.addEventListener('cancel', (event) => {
      if (!keepsTyped || !typed) return;
      event.preventDefault();
      cancelButton.focus();
      announce('Not saved yet. Cancel discards what you typed.');
    });
    (focus ?? (careful ? cancelButton : (firstField(dialog) ?? submitButton))).focus();
  });
}

/** @param {HTMLElement} root */
export function firstField(root) {
  return /** @type {HTMLElement | null} */ (
    root.querySelector('.dialog-body :is(input, textarea, select):not([type="hidden"], :disabled)')
  );
}

/**
 * A question with a safe answer, which has the focus.
 *
 * @param {{ title: string, text: Child[], yes: string, no?: string, danger?: boolean, careful?: boolean, onYes: () => Promise<unknown> }} options
 */
export function ask({ title, text, yes, no, danger = false, careful = danger, onYes }) {
  return formDialog({
    title,
    content: text.map((line) => (typeof line === 'string' ? h('p', null, line) : line)),
    submit: yes,
    cancel: no,
    danger,
    careful,
    onSubmit: async () => {
      await onYes();
      return true;
    },
  });
}
