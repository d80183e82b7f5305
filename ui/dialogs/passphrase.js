// @ts-check
import { call } from '../backend.js';
import { formDialog } from '../components/dialog.js';
import { h } from '../components/dom.js';
import { allFilled, field, newSecret } from '../components/form.js';
import { toast } from '../components/toast.js';
import { store } from '../store.js';

/** @param {boolean} isSet */
export async function setPassphrase(isSet) {
  const current = field('Lock passphrase of now', { secret: true, autocomplete: 'current-password', required: 'Enter the passphrase of now.' });
  const secret = newSecret('New lock passphrase', { required: 'Choose a passphrase.', help: 'At least 8 characters. Nobody can reset it, so keep it where you find it again.' });
  const fields = isSet ? [current, ...secret.fields] : secret.fields;
  const view = await formDialog({
    title: isSet ? 'Change the lock passphrase' : 'Set a lock passphrase',
    content: [isSet ? current.element : h('p', null, 'The app asks for it when it starts and after it has locked.'), ...secret.elements],
    submit: isSet ? 'Change' : 'Set',
    busy: 'Sealing your keys anew…',
    isValid: () => allFilled(...fields),
    onSubmit: () => call('general_set_passphrase', { current: isSet ? current.value : null, passphrase: secret.first.value }),
  });
  if (!view) return;
  store.apply({ kind: 'general', view });
  toast(isSet ? 'Lock passphrase changed' : 'Lock passphrase set');
}

export async function takeOffPassphrase() {
  const current = field('Lock passphrase', { secret: true, autocomplete: 'current-password', required: 'Enter your lock passphrase.' });
  const view = await formDialog({
    title: 'Take the lock passphrase off?',
    content: [h('p', null, 'Whoever uses this computer as you can then open the app. The system’s keyring alone protects your keys.'), current.element],
    submit: 'Take off',
    careful: true,
    busy: 'Sealing your keys anew…',
    isValid: () => allFilled(current),
    onSubmit: () => call('general_set_passphrase', { current: current.value, passphrase: null }),
  });
  if (!view) return;
  store.apply({ kind: 'general', view });
  toast('Lock passphrase taken off');
}
