// @ts-check
/** @import { SetupView } from '../bindings/view.d.ts' */
/** @import { Step } from './dialog.js' */
import { call } from '../backend.js';
import { phraseBlock } from '../components/code.js';
import { button, h } from '../components/dom.js';
import { allFilled, field } from '../components/form.js';
import { ago } from '../words/time.js';
import { apply, checkLink, goOnByItself, waiting } from './sign-in.js';

/**
 * "Request verification mail", and then the wait for its link.
 *
 * @param {SetupView} view
 * @returns {Step}
 */
export function verificationStep(view) {
  return view.mail?.sentAt ? waitStep(view) : requestStep(view);
}

/**
 * @param {SetupView} view
 * @returns {Step}
 */
function requestStep(view) {
  const name = field('Name of this device', {
    value: view.deviceName,
    required: 'Give this device a name, so that you recognise it in the list.',
    help: 'Your other devices list it under this name. The server cannot read it.',
  });
  return {
    title: 'Verify this device',
    content: [
      h('p', null, 'A mail to ', h('strong', null, view.email ?? 'your address'), ' brings a link that verifies this device. Without it no keys come here, whoever has your password.'),
      name.element,
    ],
    submit: 'Request verification mail',
    busy: 'Sending…',
    isValid: () => allFilled(name),
    onSubmit: () => call('sync_setup_request_mail', { deviceName: name.value.trim() }),
  };
}

/**
 * @param {SetupView} first
 * @returns {Step}
 */
function waitStep(first) {
  let view = first;
  const resend = button('Send again', { on: () => void apply(() => call('sync_setup_request_mail', { deviceName: view.deviceName })) });
  const sent = h('p', { class: 'muted' });

  const tick = () => {
    const mail = view.mail;
    if (!mail || mail.sentAt === null) return;
    const now = Date.now();
    const expired = mail.expiresAt !== null && now >= mail.expiresAt;
    const wait = mail.resendAt === null ? 0 : Math.ceil((mail.resendAt - now) / 1000);
    sent.textContent = expired
      ? 'The link is no longer valid. Send the mail again.'
      : `Sent ${ago(mail.sentAt, now)}${mail.expiresAt === null ? '' : `; the link works for ${minutes(mail.expiresAt - now)}`}.`;
    resend.disabled = wait > 0;
    resend.textContent = wait > 0 ? `Send again in ${wait} s` : 'Send again';
  };
  tick();
  const timer = setInterval(tick, 1_000);
  const stopAsking = goOnByItself('verification');
  return {
    title: 'Verify this device',
    content: [
      h('p', null, 'Open the link in the mail to ', h('strong', null, view.mail?.sentTo ?? ''), ', on any device. Press its button only if the mail and its page show these six words:'),
      phraseBlock('Phrase of this device', view.mail?.phrase ?? ''),
      waiting('Waiting for the link to be confirmed…'),
      h('div', { class: 'resend' }, sent, resend),
      h('p', { class: 'muted' }, 'Other words, or a mail you did not ask for? Press “This was not me” in it, and change your password.'),
    ],
    submit: 'I opened the link',
    busy: 'Asking the server…',
    onSubmit: () => checkLink('verification'),
    onView: (next) => {
      view = next;
      tick();
    },
    onRemove: () => {
      clearInterval(timer);
      stopAsking();
    },
  };
}

/** @param {number} left milliseconds */
function minutes(left) {
  return left < 60_000 ? 'less than a minute' : `${Math.ceil(left / 60_000)} min`;
}
