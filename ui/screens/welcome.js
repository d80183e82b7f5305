// @ts-check
/** @import { WelcomeView, Keyring } from '../bindings/view.d.ts' */
import { call } from '../backend.js';
import { button, fill, h, icon } from '../components/dom.js';
import { allFilled, bindForm, newSecret } from '../components/form.js';
import { loadInto } from '../components/loading.js';
import { openSetup } from '../setup/dialog.js';
import { store } from '../store.js';

/** @param {HTMLElement} root */
export function mountWelcome(root) {
  void loadInto(root, 'Starting…', async () => {
    const view = await call('welcome_view');
    fill(root, page(view));
  });
}

/** @param {WelcomeView} view */
function page(view) {
  const mustLock = view.keyring !== 'available';
  const local = way('local', 'Use on this device only', 'Keys stay in an encrypted vault on this device. Nothing is sent anywhere.', true);
  const signIn = way('signIn', 'I already use Keyquay: sign in', 'Brings the accounts you synced to this device, after you verify it by mail.', false);
  const secret = newSecret('Lock passphrase', {
    optional: !mustLock,
    required: mustLock ? 'Choose a lock passphrase; without a keyring nothing else protects your keys.' : undefined,
    help: 'At least 8 characters. Nobody can reset it, so keep it where you find it again.',
  });
  const locking = h('div', { class: 'stack welcome-lock', id: 'welcome-lock' }, ...secret.elements);
  const submit = button('Start', { kind: 'primary', type: 'submit' });
  const form = h(
    'form',
    { class: 'stack', novalidate: true },
    h('fieldset', { class: 'ways' }, h('legend', { class: 'visually-hidden' }, 'How do you want to use Keyquay?'), local.element, signIn.element),
    mustLock ? keyringReason(view.keyring) : null,
    mustLock ? locking : optionalLock(locking),
    h('div', { class: 'form-end' }, submit),
  );
  bindForm(form, {
    submitButton: submit,
    busy: 'Making your vault…',
    isValid: () => allFilled(...secret.fields),
    onSubmit: async () => {
      const app = await call('welcome_start', { passphrase: secret.first.value || null });
      store.apply({ kind: 'app', view: app });
      if (signIn.control.checked) void openSetup('signIn');
    },
  });
  return h(
    'div',
    { class: 'gate-page' },
    h('div', { class: 'gate-head' }, mark(), h('h1', null, 'Welcome to Keyquay'), h('p', { class: 'muted' }, 'Your exchange API keys, on every device you trust, and on no other.')),
    form,
  );
}

/** @param {HTMLElement} locking */
function optionalLock(locking) {
  const details = h('details', { class: 'fold' }, h('summary', null, 'Set a lock passphrase ', h('span', { class: 'optional' }, '(optional)')), locking);
  return details;
}

/** @param {Keyring} keyring */
function keyringReason(keyring) {
  const reason =
    keyring === 'missing'
      ? 'No keyring answers on this system, so nothing but a lock passphrase can protect the keys on this disk. That is why you need one here.'
      : 'This system’s keyring refused to keep a secret, so nothing but a lock passphrase can protect the keys on this disk. That is why you need one here.';
  return h('div', { class: 'banner attention' }, icon('alert'), h('div', { class: 'banner-text' }, h('p', { class: 'banner-title' }, 'A lock passphrase is needed'), h('p', null, reason)));
}

/**
 * @param {string} value
 * @param {string} title
 * @param {string} text
 * @param {boolean} checked
 */
function way(value, title, text, checked) {
  const control = h('input', { type: 'radio', name: 'way', value, checked, 'aria-label': title });
  return { control, element: h('label', { class: 'way' }, control, h('span', null, h('span', { class: 'way-title' }, title), h('span', { class: 'help' }, text))) };
}

export function mark() {
  const svg = icon('mark');
  svg.setAttribute('class', 'icon mark');
  return svg;
}
