// @ts-check
/** @import { Proof } from '../backend.js' */
/** @import { Child } from './dom.js' */
import { formDialog } from './dialog.js';
import { allFilled, field } from './form.js';

/** The two fields that open root: password and second factor. */
export function proofFields() {
  const password = field('Password', { secret: true, autocomplete: 'current-password', required: 'Enter your password.' });
  const code = field('Second-factor code', {
    className: 'code',
    autocomplete: 'one-time-code',
    required: 'Enter the code from your authenticator app.',
    help: 'Six digits from your authenticator app, or one of your backup codes.',
  });
  return {
    fields: [password, code],
    elements: [password.element, code.element],
    isValid: () => allFilled(password, code),
    /** @returns {Proof} */
    proof: () => ({ password: password.value, code: code.value.trim() }),
  };
}

/**
 * Asks for password and second factor, then does what they are needed for.
 *
 * @template T
 * @param {{ title: string, text: Child[], submit: string, danger?: boolean, busy?: string, more?: Child[],
 *   isValid?: () => boolean, onProof: (proof: Proof) => Promise<T> }} options
 */
export function withProof({ title, text, submit, danger, busy, more = [], isValid, onProof }) {
  const fields = proofFields();
  return formDialog({
    title,
    content: [...text, ...more, ...fields.elements],
    submit,
    danger,
    busy,
    isValid: () => fields.isValid() && (isValid?.() ?? true),
    onSubmit: () => onProof(fields.proof()),
  });
}
