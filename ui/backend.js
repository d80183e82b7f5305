// @ts-check
/**
 * The only door to the session: one function that invokes, one that listens.
 *
 * `Commands` is the contract with `src-tauri/src/commands/{welcome,accounts,sync,general}.rs`. One command is one
 * intention of the person; a command's prefix names its file (`app_` and `unlock_` are in welcome.rs, `account_` in
 * accounts.rs). Arguments are Tauri's: an object whose keys are the parameters in camelCase. Every command answers
 * with data or is refused with a `Problem`. What a command alters beyond its answer comes as `Change` events.
 */

/** @import { AccountEdit, AccountForm, AccountRow, AccountVersion, AccountsView, AppView, AutoConnectPreview,
 *   BackupCodes, BackupRestored, BackupWritten, Change, Copied, ExchangeInfo, FilePurpose, GeneralView,
 *   LockTimes, NewAccount, OpenedWithoutServer, Problem, RecoveryKit, Removal, RevealedField,
 *   SecondFactorEnrolment, SetupView, SplitPaste, SyncView, Theme, UnlockView, WelcomeView }
 *   from './bindings/view.d.ts' */

import { store } from './store.js';

/** @typedef {{ password: string, code: string }} Proof Password and second-factor (or backup) code. */
/** @typedef {Record<string, never>} None */

/**
 * Each command: [arguments, answer].
 *
 * @typedef {{
 *   app_view: [None, AppView],
 *   app_lock: [None, AppView],
 *   app_active: [None, null],
 *   app_copy: [{ text: string }, Copied],
 *   welcome_view: [None, WelcomeView],
 *   welcome_start: [{ passphrase: string | null }, AppView],
 *   unlock_view: [None, UnlockView],
 *   unlock_with_passphrase: [{ passphrase: string }, AppView],
 *   unlock_with_sign_in: [{ email: string, password: string, code: string }, AppView],
 *   unlock_with_recovery_code: [{ recoveryCode: string, newPassphrase: string | null }, AppView],
 *   unlock_start_over: [{ newPassphrase: string | null }, AppView],
 *   accounts_view: [None, AccountsView],
 *   accounts_exchanges: [None, ExchangeInfo[]],
 *   accounts_auto_connect_preview: [None, AutoConnectPreview],
 *   accounts_set_auto_connect: [{ on: boolean, include: string[] }, AccountsView],
 *   accounts_upload: [{ accounts: string[] }, null],
 *   accounts_retrieve: [{ accounts: string[] }, null],
 *   account_split_paste: [{ exchange: string, field: string, text: string }, SplitPaste],
 *   account_hint: [{ exchange: string, field: string, value: string }, string | null],
 *   account_add: [{ account: NewAccount }, AccountRow],
 *   account_form: [{ account: string }, AccountForm],
 *   account_edit: [{ account: string, edit: AccountEdit }, AccountRow],
 *   account_reveal: [{ account: string }, RevealedField[]],
 *   account_copy: [{ account: string, field: string }, Copied],
 *   account_keep_local: [{ account: string }, AccountRow],
 *   account_set_pinned: [{ account: string, pinned: boolean }, AccountRow],
 *   account_history: [{ account: string }, AccountVersion[]],
 *   account_restore_version: [{ account: string, version: string }, AccountRow],
 *   account_conflict: [{ account: string }, AccountVersion[]],
 *   account_choose_version: [{ account: string, version: string, keepOthers: boolean }, AccountRow],
 *   account_delete: [{ account: string }, null],
 *   account_undelete: [{ account: string }, AccountRow],
 *   account_open_api_page: [{ exchange: string }, null],
 *   sync_view: [None, SyncView],
 *   sync_set_on: [{ on: boolean }, SyncView],
 *   sync_now: [None, SyncView],
 *   sync_setup_view: [None, SetupView],
 *   sync_setup_server: [{ server: string }, SetupView],
 *   sync_setup_register: [{ email: string, password: string }, SetupView],
 *   sync_setup_sign_in: [{ email: string, password: string, secretKey: string | null }, SetupView],
 *   sync_setup_recover: [{ email: string, recoveryCode: string }, SetupView],
 *   sync_setup_resend_address_mail: [None, SetupView],
 *   sync_setup_enrol_second_factor: [None, SecondFactorEnrolment],
 *   sync_setup_replace_second_factor: [{ backupCode: string }, SecondFactorEnrolment],
 *   sync_setup_confirm_second_factor: [{ code: string }, BackupCodes],
 *   sync_setup_prove_second_factor: [{ code: string }, SetupView],
 *   sync_setup_request_mail: [{ deviceName: string }, SetupView],
 *   sync_setup_check: [None, SetupView],
 *   sync_setup_no_log: [{ everSetUp: boolean }, SetupView],
 *   sync_setup_secret_key: [{ secretKey: string }, SetupView],
 *   sync_setup_new_password: [{ password: string }, SetupView],
 *   sync_setup_kit: [None, RecoveryKit],
 *   sync_setup_confirm_kit: [{ group: string }, SetupView],
 *   sync_setup_compared: [{ same: boolean }, SetupView],
 *   sync_setup_choose: [{ upload: string[], retrieve: string[], autoConnect: boolean }, SetupView],
 *   sync_setup_back: [None, SetupView],
 *   sync_setup_cancel: [None, SetupView],
 *   sync_kit_print: [None, null],
 *   sync_kit_save: [{ file: string }, null],
 *   sync_kit_renew: [Proof, RecoveryKit],
 *   sync_kit_confirm: [{ group: string }, SyncView],
 *   sync_device_suspend: [{ device: string }, SyncView],
 *   sync_device_remove: [{ device: string } & Proof, Removal],
 *   sync_removal_mark: [{ device: string, account: string, replaced: boolean }, Removal],
 *   sync_removal_close: [{ device: string }, SyncView],
 *   sync_resume_device: [Proof, SyncView],
 *   sync_verify_again: [None, SetupView],
 *   sync_delete_everything: [Proof, SyncView],
 *   sync_keep_all_local: [None, AccountsView],
 *   general_view: [None, GeneralView],
 *   general_set_theme: [{ theme: Theme }, GeneralView],
 *   general_set_clipboard_seconds: [{ seconds: number | null }, GeneralView],
 *   general_set_lock: [{ lock: LockTimes }, GeneralView],
 *   general_set_passphrase: [{ current: string | null, passphrase: string | null }, GeneralView],
 *   general_set_offline_use: [{ on: boolean }, GeneralView],
 *   general_secret_key: [Proof, string],
 *   general_change_password: [{ current: string, code: string, password: string }, GeneralView],
 *   general_replace_second_factor: [Proof, SecondFactorEnrolment],
 *   general_confirm_second_factor: [{ code: string }, BackupCodes],
 *   general_renew_backup_codes: [Proof, BackupCodes],
 *   general_choose_file: [{ purpose: FilePurpose }, string | null],
 *   general_export_backup: [{ file: string, passphrase: string }, BackupWritten],
 *   general_restore_backup: [{ file: string, passphrase: string }, BackupRestored],
 *   general_open_without_server: [{ recoveryCode: string }, OpenedWithoutServer],
 *   general_sign_out: [None, AppView],
 *   general_delete_user: [{ email: string } & Proof, AppView],
 * }} Commands
 */

/** The one event; its payload is a `Change`. */
const CHANGE = 'keyquay://change';

/**
 * @template {keyof Commands} C
 * @param {C} command
 * @param {Commands[C][0]} [args]
 * @returns {Promise<Commands[C][1]>} rejects with a {@link Problem}
 */
export async function call(command, args) {
  const heard = store.heard();
  try {
    const answer = await window.__TAURI__.core.invoke(command, args);
    store.answered(answer, heard);
    return answer;
  } catch (reason) {
    throw asProblem(reason);
  }
}

/**
 * @param {(change: Change) => void} onChange
 * @returns {Promise<() => void>} stops listening
 */
export function listen(onChange) {
  return window.__TAURI__.event.listen(CHANGE, (event) => onChange(event.payload));
}

/**
 * @param {unknown} reason
 * @returns {Problem}
 */
export function asProblem(reason) {
  if (reason && typeof reason === 'object' && 'code' in reason && 'message' in reason) {
    return /** @type {Problem} */ (reason);
  }
  return {
    code: 'app',
    message: 'Keyquay could not do that.',
    hint: 'Try again. If it happens once more, restart the app; nothing was changed.',
  };
}
