// @ts-check
/** @import { SetupView } from '../bindings/view.d.ts' */
/** @import { Step, Stepper } from './dialog.js' */
import { call } from '../backend.js';
import { fill, h, icon, link } from '../components/dom.js';
import { allFilled, field, newSecret } from '../components/form.js';
import { attempt } from '../components/toast.js';
import { recoveryCodeField } from '../screens/unlock.js';
import { store } from '../store.js';
import { ago } from '../words/time.js';

/** What a password has to be; the server never sees it. */
const PASSWORD_HELP = 'At least 10 characters; a few random words are good. The server never sees it.';

/**
 * @param {SetupView} view
 * @returns {Step}
 */
export function serverStep(view) {
  const server = field('Server address', {
    type: 'url',
    mono: true,
    value: view.server ?? view.suggestedServer ?? '',
    placeholder: 'https://sync.example.org',
    required: 'Enter the address of a sync server.',
    help: 'https, or plain http for a server on this machine. Nothing has been sent to any server so far.',
  });
  return {
    title: 'Which server should carry your keys?',
    content: [
      h('p', null, 'A sync server hands your accounts to your other devices. It can read none of them: they are sealed on this device first. Anybody can run one.'),
      server.element,
      h(
        'ul',
        { class: 'facts' },
        h('li', null, 'You choose account by account what is uploaded.'),
        h('li', null, 'After a restart, this device needs the server to open synced accounts. That is what lets you close them on a device you lost.'),
        h('li', null, 'If all devices and the recovery kit are lost, nothing brings synced accounts back.'),
      ),
    ],
    closeText: 'Cancel',
    submit: 'Continue',
    busy: 'Connecting…',
    isValid: () => allFilled(server),
    onSubmit: () => call('sync_setup_server', { server: server.value.trim() }),
  };
}

/** @typedef {'register' | 'signIn' | 'recover'} Way */

/** @type {Record<SetupView['path'], Way | null>} */
const WAY_OF_PATH = { undecided: null, firstDevice: 'register', furtherDevice: 'signIn', recovery: 'recover' };

/**
 * @param {SetupView} view
 * @param {Stepper} stepper
 * @returns {Step}
 */
export function signInStep(view, stepper) {
  let way = WAY_OF_PATH[view.path] ?? stepper.begin;
  const place = h('div', { class: 'stack' });
  /** @type {{ isValid: () => boolean, send: () => Promise<SetupView> }} */
  let form;
  const ways = /** @type {[Way, string][]} */ ([['register', 'Register'], ['signIn', 'Sign in'], ['recover', 'Lost password']]);
  const chooser = h(
    'div',
    { class: 'segments', role: 'group', 'aria-label': 'How to go on' },
    ...ways.map(([key, text]) => h('button', { type: 'button', class: 'segment', 'data-way': key, on: { click: () => choose(key, true) } }, text)),
  );
  /**
   * @param {Way} to
   * @param {boolean} focus
   */
  const choose = (to, focus) => {
    way = to;
    for (const one of chooser.children) one.setAttribute('aria-pressed', String(/** @type {HTMLElement} */ (one).dataset.way === to));
    const built = { register: registerForm, signIn: signInForm, recover: recoverForm }[way](view);
    form = built;
    fill(place, ...built.content);
    if (focus) /** @type {HTMLElement | null} */ (place.querySelector('input'))?.focus();
  };
  choose(way, false);
  return {
    title: 'Register or sign in',
    content: [h('p', { class: 'muted' }, `At ${view.server ?? 'the server'}`), chooser, place],
    submit: 'Continue',
    busy: 'Working out your keys…',
    canGoBack: true,
    isValid: () => form.isValid(),
    onSubmit: () => form.send(),
  };
}

/** @param {SetupView} view */
function emailField(view) {
  return field('Email', { type: 'email', value: view.email ?? '', autocomplete: 'username', required: 'Enter your email.' });
}

/** @param {SetupView} view */
function signInForm(view) {
  const email = emailField(view);
  const password = field('Password', { secret: true, autocomplete: 'current-password', required: 'Enter your password.' });
  const secretKey = field('Secret Key', {
    secret: true,
    mono: true,
    optional: true,
    placeholder: 'KQ1-…',
    help: 'From your recovery kit, or General on a device that syncs already. Leave it empty if you registered but no device syncs yet.',
  });
  return {
    content: [email.element, password.element, secretKey.element],
    isValid: () => allFilled(email, password, secretKey),
    send: () =>
      call('sync_setup_sign_in', { email: email.value.trim(), password: password.value, secretKey: secretKey.value.trim() || null }),
  };
}

/** @param {SetupView} view */
function registerForm(view) {
  const email = emailField(view);
  const secret = newSecret('Password', { help: PASSWORD_HELP, required: 'Choose a password.' });
  return {
    content: [email.element, ...secret.elements],
    isValid: () => allFilled(email, ...secret.fields),
    send: () => call('sync_setup_register', { email: email.value.trim(), password: secret.first.value }),
  };
}

/** @param {SetupView} view */
function recoverForm(view) {
  const email = emailField(view);
  const code = recoveryCodeField();
  return {
    content: [
      h('p', null, 'The recovery code of your kit stands in for password and Secret Key. You verify this device by mail, prove your second factor, and choose a new password.'),
      email.element,
      code.element,
    ],
    isValid: () => allFilled(email, code),
    send: () => call('sync_setup_recover', { email: email.value.trim(), recoveryCode: code.value.trim() }),
  };
}

/**
 * @param {SetupView} view
 * @returns {Step}
 */
export function addressStep(view) {
  const sent = h('p', { class: 'muted', role: 'status' });
  const say = (/** @type {SetupView} */ now) => {
    sent.textContent = now.addressMailSentAt === null ? '' : `Mail sent ${ago(now.addressMailSentAt, Date.now())}.`;
  };
  say(view);
  return {
    title: 'Confirm your address',
    content: [
      h('p', null, 'A mail is on its way to ', h('strong', null, view.email ?? 'you'), '. Open its link and press the button on the page; this dialog goes on by itself.'),
      waiting('Waiting for the link to be opened…'),
      sent,
      h(
        'p',
        { class: 'muted' },
        'No mail? Look into the spam folder, or ',
        link('send it again', () => void apply(() => call('sync_setup_resend_address_mail'))),
        '. Wrong address? Go back.',
      ),
    ],
    canGoBack: true,
    submit: 'I opened the link',
    busy: 'Asking the server…',
    onSubmit: () => checkLink('confirmAddress'),
    onView: say,
    onRemove: goOnByItself('confirmAddress'),
  };
}

/**
 * @param {() => Promise<SetupView>} change
 */
export async function apply(change) {
  const view = await attempt(change);
  if (view) store.apply({ kind: 'setup', view });
}

/**
 * Asks the server whether the link was opened; a step that stays is told as what it is.
 *
 * @param {SetupView['step']} step
 */
export async function checkLink(step) {
  const view = await call('sync_setup_check');
  if (view.step !== step) return view;
  throw { code: 'linkNotOpened', message: 'The link is not confirmed yet.', hint: 'Open it from the mail and press the button on its page.' };
}

/**
 * Asks now and then, for as long as the step is shown, so that it goes on once the link was opened.
 *
 * @param {SetupView['step']} step
 * @returns {() => void} stops asking
 */
export function goOnByItself(step) {
  let asking = false;
  const timer = setInterval(async () => {
    if (asking) return;
    asking = true;
    try {
      store.apply({ kind: 'setup', view: await call('sync_setup_check') });
    } catch (reason) {
      // While it waits, the button says what is wrong; what it met on going on would be lost.
      if (store.views.setup && store.views.setup.step !== step) await attempt(() => Promise.reject(reason));
    } finally {
      asking = false;
    }
  }, 2_000);
  return () => clearInterval(timer);
}

/** @param {string} text */
export function waiting(text) {
  return h('p', { class: 'waiting', role: 'status' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), text);
}

/**
 * The server shows no log. Whether that can be, only the person knows.
 *
 * @returns {Step}
 */
export function noLogStep() {
  const no = h('input', { type: 'radio', name: 'ever', value: 'no' });
  const yes = h('input', { type: 'radio', name: 'ever', value: 'yes' });
  const fault = h('p', { class: 'fault', role: 'alert', hidden: true }, 'Choose one of the two.');
  return {
    title: 'Was sync ever set up before?',
    content: [
      h('p', null, 'The server says that no device of yours syncs yet. Only you can tell whether that is true.'),
      h(
        'fieldset',
        { class: 'ways' },
        h('legend', { class: 'visually-hidden' }, 'Was sync ever set up before?'),
        way(no, 'No, this is my first device', 'Goes on with a new recovery kit.'),
        way(yes, 'Yes, on another device', 'Stops here: the server hides what it had. Nothing is changed, and you are told what to do.'),
      ),
      fault,
    ],
    submit: 'Continue',
    isValid: () => {
      fault.hidden = no.checked || yes.checked;
      return fault.hidden;
    },
    onSubmit: () => call('sync_setup_no_log', { everSetUp: yes.checked }),
  };
}

/**
 * @param {HTMLInputElement} control
 * @param {string} title
 * @param {string} text
 */
function way(control, title, text) {
  return h('label', { class: 'way' }, control, h('span', null, h('span', { class: 'way-title' }, title), h('span', { class: 'help' }, text)));
}

/** @returns {Step} */
export function secretKeyStep() {
  const key = field('Secret Key', {
    secret: true,
    mono: true,
    required: 'Enter your Secret Key.',
    placeholder: 'KQ1-…',
    help: 'From your recovery kit, or General on a device that syncs already. Spaces, dashes and case do not matter.',
  });
  return {
    title: 'Enter your Secret Key',
    content: [h('p', null, 'This device is verified. Your accounts open with your password and your Secret Key together; the server has never seen the key.'), key.element],
    submit: 'Continue',
    busy: 'Opening your keys…',
    isValid: () => allFilled(key),
    onSubmit: () => call('sync_setup_secret_key', { secretKey: key.value.trim() }),
  };
}

/** @returns {Step} */
export function newPasswordStep() {
  const secret = newSecret('New password', { help: PASSWORD_HELP, required: 'Choose a password.' });
  return {
    title: 'Choose a new password',
    content: [h('p', null, 'The old password stops working on every device. Your accounts stay as they are.'), ...secret.elements],
    submit: 'Set password',
    busy: 'Working out your keys…',
    isValid: () => allFilled(...secret.fields),
    onSubmit: () => call('sync_setup_new_password', { password: secret.first.value }),
  };
}

/** @param {string} text */
export function goodNews(text) {
  return h('p', { class: 'good-news' }, icon('check'), text);
}

