// @ts-check
/** @import { SetupView } from '../bindings/view.d.ts' */
/** @import { Step } from './dialog.js' */
import { call } from '../backend.js';
import { announce } from '../components/announce.js';
import { phraseBlock } from '../components/code.js';
import { button, fill, h } from '../components/dom.js';
import { allFilled, field } from '../components/form.js';
import { ago } from '../words/time.js';
import { apply, waiting } from './sign-in.js';

/**
 * "Request verification mail", and then the wait for its link.
 *
 * @param {SetupView} first
 * @returns {Step}
 */
export function verificationStep(first) {
  let view = first;
  const place = h('div', { class: 'stack' });
  const name = field('Name of this device', {
    value: view.deviceName,
    required: 'Give this device a name, so that you recognise it in the list.',
    help: 'Your other devices list it under this name. The server cannot read it.',
  });
  const request = button('Request verification mail', {
    kind: 'primary',
    icon: 'mail',
    on: () => {
      if (allFilled(name)) void apply(() => call('sync_setup_request_mail', { deviceName: name.value.trim() }));
    },
  });
  const resend = button('Send again', { on: () => void apply(() => call('sync_setup_request_mail', { deviceName: view.deviceName })) });
  const sent = h('p', { class: 'muted' });
  let shown = '';

  const tick = () => {
    const mail = view.mail;
    if (!mail?.sentAt) return;
    const now = Date.now();
    const expired = mail.expiresAt !== null && now >= mail.expiresAt;
    const wait = mail.resendAt === null ? 0 : Math.ceil((mail.resendAt - now) / 1000);
    sent.textContent = expired
      ? 'The link is no longer valid. Send the mail again.'
      : `Sent ${ago(mail.sentAt, now)}${mail.expiresAt === null ? '' : `; the link works for ${minutes(mail.expiresAt - now)}`}.`;
    resend.disabled = wait > 0;
    resend.textContent = wait > 0 ? `Send again in ${wait} s` : 'Send again';
  };

  const show = () => {
    const mail = view.mail;
    const state = mail?.sentAt ? 'sent' : 'unsent';
    if (state !== shown) {
      shown = state;
      fill(place, ...(mail?.sentAt ? sentView(mail, sent, resend) : [name.element, h('div', null, request)]));
      if (state === 'sent') announce(`Verification mail sent to ${mail?.sentTo}`);
    }
    tick();
  };

  show();
  const timer = setInterval(tick, 1_000);
  return {
    title: 'Verify this device',
    content: [place],
    canGoBack: first.mail?.sentAt === null,
    submit: 'I opened the link',
    busy: 'Asking the server…',
    isValid: () => {
      if (view.mail?.sentAt) return true;
      request.focus();
      announce('Request the verification mail first');
      return false;
    },
    onSubmit: () => call('sync_setup_check'),
    onView: (next) => {
      view = next;
      show();
    },
    onRemove: () => clearInterval(timer),
  };
}

/**
 * @param {NonNullable<SetupView['mail']>} mail
 * @param {HTMLElement} sent
 * @param {HTMLElement} resend
 */
function sentView(mail, sent, resend) {
  return [
    h('p', null, 'Open the link in the mail to ', h('strong', null, mail.sentTo), ', on any device. Press its button only if the mail and its page show these six words:'),
    phraseBlock('Phrase of this device', mail.phrase),
    waiting('Waiting for the link to be confirmed…'),
    h('div', { class: 'resend' }, sent, resend),
    h('p', { class: 'muted' }, 'Other words, or a mail you did not ask for? Press “This was not me” in it, and change your password.'),
  ];
}

/** @param {number} left milliseconds */
function minutes(left) {
  return left < 60_000 ? 'less than a minute' : `${Math.ceil(left / 60_000)} min`;
}
