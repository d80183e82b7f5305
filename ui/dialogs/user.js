// @ts-check
/** @import { BackupCodes } from '../bindings/view.d.ts' */
import { call } from '../backend.js';
import { codeBlock } from '../components/code.js';
import { ask, formDialog, openDialog } from '../components/dialog.js';
import { button, h } from '../components/dom.js';
import { allFilled, field, newSecret } from '../components/form.js';
import { proofFields, withProof } from '../components/proof.js';
import { attempt, toast } from '../components/toast.js';
import { backupCodesView, enrolmentView } from '../setup/second-factor.js';
import { store } from '../store.js';

export async function showSecretKey() {
  const key = await withProof({
    title: 'Show the Secret Key',
    text: [h('p', null, 'Make sure that nobody looks over your shoulder.')],
    submit: 'Show',
    busy: 'Checking…',
    onProof: (proof) => call('general_secret_key', proof),
  });
  if (!key) return;
  const { body, footer, close } = openDialog({ title: 'Your Secret Key', onClose: () => body.replaceChildren() });
  body.append(h('div', { class: 'stack' }, codeBlock('Secret Key', key), h('p', { class: 'muted' }, 'Type it in on a further device when you sign in there.')));
  const done = button('Close', { kind: 'primary', on: close });
  footer.append(done);
  done.focus();
}

export async function changePassword() {
  const { fields, elements, proof } = proofFields();
  const secret = newSecret('New password', { required: 'Choose a new password.', help: 'At least 10 characters; a few random words are good.' });
  const view = await formDialog({
    title: 'Change password',
    content: [...elements, ...secret.elements],
    submit: 'Change password',
    busy: 'Working out your keys…',
    isValid: () => allFilled(...fields, ...secret.fields),
    onSubmit: () => {
      const { password, code } = proof();
      return call('general_change_password', { current: password, code, password: secret.first.value });
    },
  });
  if (!view) return;
  store.apply({ kind: 'general', view });
  toast('Password changed. Your recovery kit stays valid.');
}

export async function replaceSecondFactor() {
  const enrolment = await withProof({
    title: 'Replace the second factor',
    text: [h('p', null, 'The authenticator of now stops working when the new one is confirmed. If you lost it, use one of your backup codes.')],
    submit: 'Continue',
    busy: 'Checking…',
    onProof: (proof) => call('general_replace_second_factor', proof),
  });
  if (!enrolment) return;
  const code = field('Six-digit code', { className: 'code', autocomplete: 'one-time-code', required: 'Enter the code that your authenticator app shows.' });
  const codes = await formDialog({
    title: 'Set up the new second factor',
    size: 'wide',
    content: [h('p', null, 'Scan this code with an authenticator app.'), h('div', { class: 'enrolment' }, ...enrolmentView(enrolment)), code.element],
    submit: 'Confirm',
    busy: 'Checking…',
    isValid: () => allFilled(code),
    onSubmit: () => call('general_confirm_second_factor', { code: code.value.trim() }),
  });
  if (codes) await keepBackupCodes(codes);
}

export async function renewBackupCodes() {
  const codes = await withProof({
    title: 'New backup codes',
    text: [h('p', null, 'The backup codes of before stop working.')],
    submit: 'Make new codes',
    busy: 'Checking…',
    onProof: (proof) => call('general_renew_backup_codes', proof),
  });
  if (codes) await keepBackupCodes(codes);
}

/** @param {BackupCodes} codes */
async function keepBackupCodes(codes) {
  const list = backupCodesView(codes);
  await formDialog({ title: 'Keep your backup codes', content: [list.element], submit: 'Done', cancel: 'Close', isValid: list.isValid, onSubmit: async () => true });
  const general = await attempt(() => call('general_view'));
  if (general) store.apply({ kind: 'general', view: general });
}

export async function signOut() {
  await ask({
    title: 'Sign out on this device?',
    text: [
      'Accounts kept only here stay. Synced accounts leave this device; they stay at the server and on your other devices.',
      'To have them here again, sign in with email, password and Secret Key, and verify this device by mail.',
    ],
    yes: 'Sign out',
    careful: true,
    onYes: async () => store.apply({ kind: 'app', view: await call('general_sign_out') }),
  });
  await reloadGeneral();
}

export async function deleteUser() {
  const email = field('Your email, to confirm', { type: 'email', autocomplete: 'off', required: 'Type your email to confirm.' });
  const app = await withProof({
    title: 'Delete your user?',
    text: [
      h('p', null, 'Sync ends for all your devices, and the server deletes you and everything of yours. Accounts on this device stay, as local ones.'),
      h('p', null, 'This cannot be undone.'),
    ],
    more: [email.element],
    isValid: () => allFilled(email),
    submit: 'Delete user',
    danger: true,
    busy: 'Deleting…',
    onProof: (proof) => call('general_delete_user', { email: email.value.trim(), ...proof }),
  });
  if (!app) return;
  store.apply({ kind: 'app', view: app });
  toast('Your user is deleted. Your accounts are on this device as local ones.');
  await reloadGeneral();
}

async function reloadGeneral() {
  const [general, accounts, sync] = await Promise.all([
    attempt(() => call('general_view')),
    attempt(() => call('accounts_view')),
    attempt(() => call('sync_view')),
  ]);
  if (general) store.apply({ kind: 'general', view: general });
  if (accounts) store.apply({ kind: 'accounts', view: accounts });
  if (sync) store.apply({ kind: 'sync', view: sync });
}
