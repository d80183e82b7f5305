// @ts-check
/** @import { AppView, UnlockView } from '../bindings/view.d.ts' */
import { call } from '../backend.js';
import { formDialog, openDialog } from '../components/dialog.js';
import { button, fill, h, link } from '../components/dom.js';
import { allFilled, bindForm, field, newSecret } from '../components/form.js';
import { loadInto } from '../components/loading.js';
import { openSetup } from '../setup/dialog.js';
import { store } from '../store.js';
import { mark } from './welcome.js';

/** @param {HTMLElement} root */
export function mountUnlock(root) {
  void loadInto(root, 'Starting…', async () => {
    const view = await call('unlock_view');
    const { form, first } = passphraseForm('Unlock');
    fill(
      root,
      h(
        'div',
        { class: 'gate-page narrow' },
        h('div', { class: 'gate-head' }, mark(), h('h1', null, 'Keyquay is locked')),
        form,
        h('p', { class: 'center' }, link('Forgot the passphrase?', () => forgot(view))),
      ),
    );
    first.focus();
  });
}

/** @param {string} submitText */
function passphraseForm(submitText) {
  const passphrase = field('Lock passphrase', { secret: true, autocomplete: 'current-password', required: 'Enter your lock passphrase.' });
  const submit = button(submitText, { kind: 'primary', type: 'submit' });
  const form = h('form', { class: 'stack', novalidate: true }, passphrase.element, h('div', { class: 'form-end' }, submit));
  bindForm(form, {
    submitButton: submit,
    busy: 'Unlocking…',
    isValid: () => allFilled(passphrase),
    onSubmit: async () => store.apply({ kind: 'app', view: await call('unlock_with_passphrase', { passphrase: passphrase.value }) }),
  });
  return { form, first: passphrase.control };
}

/** @param {UnlockView} view */
function forgot(view) {
  const { body, footer, close } = openDialog({ title: 'Forgot the lock passphrase' });
  const turn = (/** @type {() => unknown} */ next) => () => {
    close();
    next();
  };
  body.append(
    h(
      'div',
      { class: 'stack' },
      h('p', null, 'Nobody can reset it: it is part of the lock. There are two other ways to your keys.'),
      choiceCard(
        'Sign in again',
        'Starts a new vault here and brings your synced accounts back. Accounts kept only on this device stay sealed, and open again if you remember the passphrase.',
        button('Sign in', { on: turn(() => startOver(view)) }),
      ),
      view.recoveryCode
        ? choiceCard(
            'Use the recovery code',
            'From your recovery kit. Opens the synced accounts stored here, without the server, and makes them local ones.',
            button('Use recovery code', { on: turn(() => withRecoveryCode(view)) }),
          )
        : null,
    ),
  );
  const cancel = button('Cancel', { on: close });
  footer.append(cancel);
  cancel.focus();
}

/**
 * @param {string} title
 * @param {string} text
 * @param {HTMLElement} action
 */
function choiceCard(title, text, action) {
  return h('div', { class: 'choice-card' }, h('div', null, h('h3', null, title), h('p', { class: 'muted' }, text)), action);
}

/** @param {UnlockView} view */
async function startOver(view) {
  const secret = newPassphrase(view);
  const app = await formDialog({
    title: 'Start over and sign in',
    content: [
      h('p', null, 'The vault of now is set aside, sealed as it is. Nothing in it is deleted.'),
      ...secret.elements,
    ],
    submit: 'Start over',
    isValid: () => allFilled(...secret.fields),
    onSubmit: () => call('unlock_start_over', { newPassphrase: secret.first.value || null }),
  });
  if (!app) return;
  store.apply({ kind: 'app', view: app });
  void openSetup('signIn');
}

/** @param {UnlockView} view */
function withRecoveryCode(view) {
  const code = recoveryCodeField();
  const secret = newPassphrase(view);
  return formDialog({
    title: 'Use the recovery code',
    content: [code.element, ...secret.elements],
    submit: 'Open',
    busy: 'Opening…',
    isValid: () => allFilled(code, ...secret.fields),
    onSubmit: async () => {
      const app = await call('unlock_with_recovery_code', { recoveryCode: code.value.trim(), newPassphrase: secret.first.value || null });
      store.apply({ kind: 'app', view: app });
    },
  });
}

/** @param {UnlockView} view */
function newPassphrase(view) {
  const mustLock = view.keyring !== 'available';
  return newSecret('New lock passphrase', {
    optional: !mustLock,
    required: mustLock ? 'Choose a lock passphrase; no keyring answers on this system.' : undefined,
  });
}

export function recoveryCodeField() {
  return field('Recovery code', {
    mono: true,
    required: 'Enter the recovery code from your kit.',
    help: 'From your recovery kit. Spaces, dashes and case do not matter.',
  });
}

/** A removed device: "prove it is you" opens the accounts that are kept only here. */
export async function proveIdentity() {
  const view = await call('unlock_view');
  const ways = proofWays(view);
  let way = ways[0];
  const place = h('div', { class: 'stack' });
  const choose = (/** @type {ProofWay} */ to, /** @type {HTMLElement} */ pressed) => {
    way = to;
    for (const one of chooser.children) one.setAttribute('aria-pressed', String(one === pressed));
    fill(place, ...to.fields.map((one) => one.element));
    to.fields[0].control.focus();
  };
  const chooser = h(
    'div',
    { class: 'segments', role: 'group', 'aria-label': 'How to prove it' },
    ...ways.map((to) => {
      const segment = h('button', { type: 'button', class: 'segment', 'aria-pressed': String(to === way) }, to.title);
      segment.addEventListener('click', () => choose(to, segment));
      return segment;
    }),
  );
  fill(place, ...way.fields.map((one) => one.element));
  const app = await formDialog({
    title: 'Prove it is you',
    content: [
      h('p', null, 'This device was removed. In case it is in wrong hands, the accounts kept only here stay Disabled until you prove that it is you. Nothing of them is lost.'),
      ways.length > 1 ? chooser : null,
      place,
    ],
    submit: 'Prove it is me',
    busy: 'Checking…',
    focus: way.fields[0].control,
    isValid: () => allFilled(...way.fields),
    onSubmit: () => way.prove(),
  });
  if (!app) return;
  store.apply({ kind: 'app', view: app });
  store.apply({ kind: 'accounts', view: await call('accounts_view') });
}

/** @typedef {{ title: string, fields: import('../components/form.js').Field[], prove: () => Promise<AppView> }} ProofWay */

/**
 * @param {UnlockView} view
 * @returns {ProofWay[]}
 */
function proofWays(view) {
  const passphrase = field('Lock passphrase', { secret: true, autocomplete: 'current-password', required: 'Enter your lock passphrase.' });
  const email = field('Email', { type: 'email', value: view.email ?? '', autocomplete: 'username', required: 'Enter your email.' });
  const password = field('Password', { secret: true, autocomplete: 'current-password', required: 'Enter your password.' });
  const code = field('Second-factor code', { className: 'code', autocomplete: 'one-time-code', required: 'Enter the code from your authenticator app.' });
  const recovery = recoveryCodeField();
  const ways = [];
  if (view.passphrase) {
    ways.push({ title: 'Passphrase', fields: [passphrase], prove: () => call('unlock_with_passphrase', { passphrase: passphrase.value }) });
  }
  // Offered even where no email is known, so that there is always a way.
  ways.push({
    title: 'Sign in',
    fields: [email, password, code],
    prove: () => call('unlock_with_sign_in', { email: email.value.trim(), password: password.value, code: code.value.trim() }),
  });
  if (view.recoveryCode) {
    ways.push({
      title: 'Recovery code',
      fields: [recovery],
      prove: () => call('unlock_with_recovery_code', { recoveryCode: recovery.value.trim(), newPassphrase: null }),
    });
  }
  return ways;
}
