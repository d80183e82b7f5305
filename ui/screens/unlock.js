// @ts-check
/** @import { UnlockView } from '../bindings/view.d.ts' */
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
  void openSetup();
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
  const { body, footer, close } = openDialog({ title: 'Prove it is you' });
  const content = h('div', { class: 'stack' });
  body.append(content);
  const cancel = button('Cancel', { on: close });
  footer.append(cancel);

  /** @type {[string, () => Node][]} */
  const ways = [];
  if (view.passphrase) ways.push(['Lock passphrase', () => proofForm([passphraseProof(close)])]);
  if (view.email) ways.push(['Sign in', () => proofForm([signInProof(view, close)])]);
  if (view.recoveryCode) ways.push(['Recovery code', () => proofForm([recoveryProof(close)])]);
  const place = h('div');
  const chooser = h('div', { class: 'segments', role: 'group', 'aria-label': 'How to prove it' });
  const choose = (/** @type {number} */ at) => {
    [...chooser.children].forEach((one, index) => one.setAttribute('aria-pressed', String(index === at)));
    fill(place, ways[at][1]());
  };
  ways.forEach(([title], index) => {
    chooser.append(h('button', { type: 'button', class: 'segment', on: { click: () => choose(index) } }, title));
  });
  fill(
    content,
    h('p', null, 'This device was removed. In case it is in wrong hands, the accounts kept only here stay Disabled until you prove that it is you. Nothing of them is lost.'),
    ways.length > 1 ? chooser : null,
    place,
  );
  choose(0);
  /** @type {HTMLElement | null} */ (place.querySelector('input'))?.focus();
}

/** @param {HTMLElement[]} parts */
function proofForm(parts) {
  return h('div', { class: 'stack' }, ...parts);
}

/** @param {() => void} close */
function passphraseProof(close) {
  const passphrase = field('Lock passphrase', { secret: true, autocomplete: 'current-password', required: 'Enter your lock passphrase.' });
  return proving([passphrase], close, () => call('unlock_with_passphrase', { passphrase: passphrase.value }));
}

/**
 * @param {UnlockView} view
 * @param {() => void} close
 */
function signInProof(view, close) {
  const email = field('Email', { type: 'email', value: view.email ?? '', autocomplete: 'username', required: 'Enter your email.' });
  const password = field('Password', { secret: true, autocomplete: 'current-password', required: 'Enter your password.' });
  const code = field('Second-factor code', { className: 'code', autocomplete: 'one-time-code', required: 'Enter the code from your authenticator app.' });
  return proving([email, password, code], close, () =>
    call('unlock_with_sign_in', { email: email.value.trim(), password: password.value, code: code.value.trim() }),
  );
}

/** @param {() => void} close */
function recoveryProof(close) {
  const code = recoveryCodeField();
  return proving([code], close, () => call('unlock_with_recovery_code', { recoveryCode: code.value.trim(), newPassphrase: null }));
}

/**
 * @param {import('../components/form.js').Field[]} fields
 * @param {() => void} close
 * @param {() => Promise<import('../bindings/view.d.ts').AppView>} prove
 */
function proving(fields, close, prove) {
  const submit = button('Prove it is me', { kind: 'primary', type: 'submit' });
  const form = h('form', { class: 'stack', novalidate: true }, ...fields.map((one) => one.element), h('div', { class: 'form-end' }, submit));
  bindForm(form, {
    submitButton: submit,
    busy: 'Checking…',
    isValid: () => allFilled(...fields),
    onSubmit: async () => {
      store.apply({ kind: 'app', view: await prove() });
      store.apply({ kind: 'accounts', view: await call('accounts_view') });
      close();
    },
  });
  return form;
}
