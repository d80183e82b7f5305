// @ts-check
/** @import { GeneralView } from '../bindings/view.d.ts' */
import { call } from '../backend.js';
import { formDialog } from '../components/dialog.js';
import { button, h } from '../components/dom.js';
import { allFilled, field, newSecret } from '../components/form.js';
import { attempt, toast } from '../components/toast.js';
import { recoveryCodeField } from '../screens/unlock.js';
import { store } from '../store.js';
import { counted } from '../words/time.js';

/**
 * A path with the system's chooser beside it, where there is one.
 *
 * @param {string} label
 * @param {string} value
 * @param {import('../bindings/view.d.ts').FilePurpose} purpose
 */
function fileField(label, value, purpose) {
  const file = field(label, { mono: true, value, required: 'Enter the path of the file.' });
  if (!store.views.general?.canChooseFiles) return file;
  const choose = button('Choose…', {
    on: () =>
      void attempt(async () => {
        const path = await call('general_choose_file', { purpose });
        if (path) file.control.value = path;
      }),
  });
  const row = h('div', { class: 'file-row' });
  file.control.replaceWith(row);
  row.append(file.control, choose);
  return file;
}

/** @param {GeneralView} view */
export async function exportBackup(view) {
  const file = fileField('File', view.suggestedBackupFile, 'saveBackup');
  const secret = newSecret('Backup passphrase', { required: 'Choose a passphrase for the backup.', help: 'The file opens with this passphrase alone, on any computer. Nobody can reset it.' });
  const written = await formDialog({
    title: 'Back up to a file',
    content: [
      h('p', null, 'Synced accounts are in it too: unlike the vault, a backup is not closed when a device is removed.'),
      file.element,
      ...secret.elements,
    ],
    submit: 'Back up',
    busy: 'Writing…',
    isValid: () => allFilled(file, ...secret.fields),
    onSubmit: () => call('general_export_backup', { file: file.value.trim(), passphrase: secret.first.value }),
  });
  if (!written) return;
  toast(`${counted(written.accounts, 'account')} backed up to ${written.file}`);
  const general = await attempt(() => call('general_view'));
  if (general) store.apply({ kind: 'general', view: general });
}

export async function restoreBackup() {
  const file = fileField('Backup file', '', 'openBackup');
  const passphrase = field('Backup passphrase', { secret: true, required: 'Enter the passphrase of the backup.' });
  const restored = await formDialog({
    title: 'Restore from a file',
    content: [h('p', null, 'What you have is kept: nothing is deleted, and restored accounts are local ones.'), file.element, passphrase.element],
    submit: 'Restore',
    busy: 'Restoring…',
    isValid: () => allFilled(file, passphrase),
    onSubmit: () => call('general_restore_backup', { file: file.value.trim(), passphrase: passphrase.value }),
  });
  if (!restored) return;
  toast(`${restored.added} added, ${restored.updated} updated, ${restored.unchanged} unchanged`);
  const accounts = await attempt(() => call('accounts_view'));
  if (accounts) store.apply({ kind: 'accounts', view: accounts });
}

export async function openWithoutServer() {
  const code = recoveryCodeField();
  const opened = await formDialog({
    title: 'Open without a server',
    content: [h('p', null, 'Every synced account on this device becomes a local one. Use this if the server is gone for good; if it only does not answer at the moment, wait.'), code.element],
    submit: 'Open',
    busy: 'Opening…',
    isValid: () => allFilled(code),
    onSubmit: () => call('general_open_without_server', { recoveryCode: code.value.trim() }),
  });
  if (!opened) return;
  const damaged = opened.damaged > 0 ? ` ${counted(opened.damaged, 'account')} did not open and ${opened.damaged === 1 ? 'stays' : 'stay'} as before.` : '';
  toast(`${counted(opened.accounts, 'account is', 'accounts are')} local now.${damaged}`);
  const accounts = await attempt(() => call('accounts_view'));
  if (accounts) store.apply({ kind: 'accounts', view: accounts });
}
