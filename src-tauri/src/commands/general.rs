//! The General tab.

use keyquay_client::view::SecretText;
use keyquay_client::view::general::{
    BackupRestored, BackupWritten, FilePurpose, GeneralView, LockTimes, OpenedWithoutServer, Theme,
};
use keyquay_client::view::sync::{BackupCodes, SecondFactorEnrolment};
use keyquay_client::view::welcome::AppView;
use keyquay_protocol::{Code, Problem};
use tauri::{AppHandle, WebviewWindow};

use super::{Answer, TheSession};
use crate::changes::on_this_desktop;
use crate::file_dialog;
use crate::preferences::theme_of_window;

#[tauri::command]
pub async fn general_set_theme(app: AppHandle, session: TheSession<'_>, theme: Theme) -> Answer<GeneralView> {
    let view = session.general_set_theme(theme).await;
    app.set_theme(theme_of_window(session.preferences().theme));
    Ok(on_this_desktop(view?))
}

/// Shows the system's file chooser; `None` when its owner changed their mind.
#[tauri::command]
pub async fn general_choose_file(
    window: WebviewWindow,
    session: TheSession<'_>,
    purpose: FilePurpose,
) -> Answer<Option<String>> {
    let suggested = session.general_view().await?.suggested_backup_file;
    let chosen = file_dialog::choose(&window, purpose, suggested).await;
    let chosen = chosen.map_err(|error| Problem::new(Code::File).with_detail(error.to_string()))?;
    Ok(chosen.map(|path| path.display().to_string()))
}

#[tauri::command]
pub async fn general_view(session: TheSession<'_>) -> Answer<GeneralView> {
    Ok(on_this_desktop(session.general_view().await?))
}

#[tauri::command]
pub async fn general_set_clipboard_seconds(
    session: TheSession<'_>,
    seconds: Option<u32>,
) -> Answer<GeneralView> {
    Ok(on_this_desktop(session.general_set_clipboard_seconds(seconds).await?))
}

#[tauri::command]
pub async fn general_set_lock(session: TheSession<'_>, lock: LockTimes) -> Answer<GeneralView> {
    Ok(on_this_desktop(session.general_set_lock(lock).await?))
}

#[tauri::command]
pub async fn general_set_passphrase(
    session: TheSession<'_>,
    current: Option<SecretText>,
    passphrase: Option<SecretText>,
) -> Answer<GeneralView> {
    Ok(on_this_desktop(session.general_set_passphrase(current, passphrase).await?))
}

#[tauri::command]
pub async fn general_set_offline_use(session: TheSession<'_>, on: bool) -> Answer<GeneralView> {
    Ok(on_this_desktop(session.general_set_offline_use(on).await?))
}

#[tauri::command]
pub async fn general_secret_key(
    session: TheSession<'_>,
    password: SecretText,
    code: String,
) -> Answer<SecretText> {
    Ok(session.general_secret_key(password, code).await?)
}

#[tauri::command]
pub async fn general_change_password(
    session: TheSession<'_>,
    current: SecretText,
    code: String,
    password: SecretText,
) -> Answer<GeneralView> {
    Ok(on_this_desktop(session.general_change_password(current, code, password).await?))
}

#[tauri::command]
pub async fn general_replace_second_factor(
    session: TheSession<'_>,
    password: SecretText,
    code: String,
) -> Answer<SecondFactorEnrolment> {
    Ok(session.general_replace_second_factor(password, code).await?)
}

#[tauri::command]
pub async fn general_confirm_second_factor(session: TheSession<'_>, code: String) -> Answer<BackupCodes> {
    Ok(session.general_confirm_second_factor(code).await?)
}

#[tauri::command]
pub async fn general_renew_backup_codes(
    session: TheSession<'_>,
    password: SecretText,
    code: String,
) -> Answer<BackupCodes> {
    Ok(session.general_renew_backup_codes(password, code).await?)
}

#[tauri::command]
pub async fn general_export_backup(
    session: TheSession<'_>,
    file: String,
    passphrase: SecretText,
) -> Answer<BackupWritten> {
    Ok(session.general_export_backup(file, passphrase).await?)
}

#[tauri::command]
pub async fn general_restore_backup(
    session: TheSession<'_>,
    file: String,
    passphrase: SecretText,
) -> Answer<BackupRestored> {
    Ok(session.general_restore_backup(file, passphrase).await?)
}

#[tauri::command]
pub async fn general_open_without_server(
    session: TheSession<'_>,
    recovery_code: SecretText,
) -> Answer<OpenedWithoutServer> {
    Ok(session.general_open_without_server(recovery_code).await?)
}

#[tauri::command]
pub async fn general_sign_out(session: TheSession<'_>) -> Answer<AppView> {
    Ok(session.general_sign_out().await?)
}

#[tauri::command]
pub async fn general_delete_user(
    session: TheSession<'_>,
    email: String,
    password: SecretText,
    code: String,
) -> Answer<AppView> {
    Ok(session.general_delete_user(email, password, code).await?)
}
