//! The Sync tab, its stepper and the removal of a device.

use keyquay_client::AccountId;
use keyquay_client::view::SecretText;
use keyquay_client::view::accounts::AccountsView;
use keyquay_client::view::sync::{
    BackupCodes, RecoveryKit, Removal, SecondFactorEnrolment, SetupView, SyncView,
};
use keyquay_protocol::{Code, DeviceId, Problem};
use tauri::WebviewWindow;

use super::{Answer, TheSession};

/// Prints what the page shows of the kit, through the system's print dialog: nothing of it is written to a disk.
#[tauri::command]
pub async fn sync_kit_print(window: WebviewWindow, session: TheSession<'_>) -> Answer<()> {
    session.kit_page().await?;
    window.print().map_err(|error| Problem::new(Code::Printer).with_detail(error.to_string()).into())
}

#[tauri::command]
pub async fn sync_view(session: TheSession<'_>) -> Answer<SyncView> {
    Ok(session.sync_view().await?)
}

#[tauri::command]
pub async fn sync_set_on(session: TheSession<'_>, on: bool) -> Answer<SyncView> {
    Ok(session.sync_set_on(on).await?)
}

#[tauri::command]
pub async fn sync_now(session: TheSession<'_>) -> Answer<SyncView> {
    Ok(session.sync_now().await?)
}

#[tauri::command]
pub async fn sync_setup_view(session: TheSession<'_>) -> Answer<SetupView> {
    Ok(session.sync_setup_view().await?)
}

#[tauri::command]
pub async fn sync_setup_server(session: TheSession<'_>, server: String) -> Answer<SetupView> {
    Ok(session.sync_setup_server(server).await?)
}

#[tauri::command]
pub async fn sync_setup_register(
    session: TheSession<'_>,
    email: String,
    password: SecretText,
) -> Answer<SetupView> {
    Ok(session.sync_setup_register(email, password).await?)
}

#[tauri::command]
pub async fn sync_setup_sign_in(
    session: TheSession<'_>,
    email: String,
    password: SecretText,
    secret_key: Option<SecretText>,
) -> Answer<SetupView> {
    Ok(session.sync_setup_sign_in(email, password, secret_key).await?)
}

#[tauri::command]
pub async fn sync_setup_recover(
    session: TheSession<'_>,
    email: String,
    recovery_code: SecretText,
) -> Answer<SetupView> {
    Ok(session.sync_setup_recover(email, recovery_code).await?)
}

#[tauri::command]
pub async fn sync_setup_resend_address_mail(session: TheSession<'_>) -> Answer<SetupView> {
    Ok(session.sync_setup_resend_address_mail().await?)
}

#[tauri::command]
pub async fn sync_setup_enrol_second_factor(session: TheSession<'_>) -> Answer<SecondFactorEnrolment> {
    Ok(session.sync_setup_enrol_second_factor().await?)
}

#[tauri::command]
pub async fn sync_setup_replace_second_factor(
    session: TheSession<'_>,
    backup_code: SecretText,
) -> Answer<SecondFactorEnrolment> {
    Ok(session.sync_setup_replace_second_factor(backup_code).await?)
}

#[tauri::command]
pub async fn sync_setup_confirm_second_factor(session: TheSession<'_>, code: String) -> Answer<BackupCodes> {
    Ok(session.sync_setup_confirm_second_factor(code).await?)
}

#[tauri::command]
pub async fn sync_setup_prove_second_factor(session: TheSession<'_>, code: String) -> Answer<SetupView> {
    Ok(session.sync_setup_prove_second_factor(code).await?)
}

#[tauri::command]
pub async fn sync_setup_request_mail(session: TheSession<'_>, device_name: String) -> Answer<SetupView> {
    Ok(session.sync_setup_request_mail(device_name).await?)
}

#[tauri::command]
pub async fn sync_setup_check(session: TheSession<'_>) -> Answer<SetupView> {
    Ok(session.sync_setup_check().await?)
}

#[tauri::command]
pub async fn sync_setup_no_log(session: TheSession<'_>, ever_set_up: bool) -> Answer<SetupView> {
    Ok(session.sync_setup_no_log(ever_set_up).await?)
}

#[tauri::command]
pub async fn sync_setup_secret_key(session: TheSession<'_>, secret_key: SecretText) -> Answer<SetupView> {
    Ok(session.sync_setup_secret_key(secret_key).await?)
}

#[tauri::command]
pub async fn sync_setup_new_password(session: TheSession<'_>, password: SecretText) -> Answer<SetupView> {
    Ok(session.sync_setup_new_password(password).await?)
}

#[tauri::command]
pub async fn sync_setup_kit(session: TheSession<'_>) -> Answer<RecoveryKit> {
    Ok(session.sync_setup_kit().await?)
}

#[tauri::command]
pub async fn sync_setup_confirm_kit(session: TheSession<'_>, group: SecretText) -> Answer<SetupView> {
    Ok(session.sync_setup_confirm_kit(group).await?)
}

#[tauri::command]
pub async fn sync_setup_compared(session: TheSession<'_>, same: bool) -> Answer<SetupView> {
    Ok(session.sync_setup_compared(same).await?)
}

#[tauri::command]
pub async fn sync_setup_choose(
    session: TheSession<'_>,
    upload: Vec<String>,
    retrieve: Vec<String>,
    auto_connect: bool,
) -> Answer<SetupView> {
    Ok(session.sync_setup_choose(upload, retrieve, auto_connect).await?)
}

#[tauri::command]
pub async fn sync_setup_back(session: TheSession<'_>) -> Answer<SetupView> {
    Ok(session.sync_setup_back().await?)
}

#[tauri::command]
pub async fn sync_setup_cancel(session: TheSession<'_>) -> Answer<SetupView> {
    Ok(session.sync_setup_cancel().await?)
}

#[tauri::command]
pub async fn sync_kit_save(session: TheSession<'_>, file: String) -> Answer<()> {
    Ok(session.sync_kit_save(file).await?)
}

#[tauri::command]
pub async fn sync_kit_renew(
    session: TheSession<'_>,
    password: SecretText,
    code: String,
) -> Answer<RecoveryKit> {
    Ok(session.sync_kit_renew(password, code).await?)
}

#[tauri::command]
pub async fn sync_kit_confirm(session: TheSession<'_>, group: SecretText) -> Answer<SyncView> {
    Ok(session.sync_kit_confirm(group).await?)
}

#[tauri::command]
pub async fn sync_device_suspend(session: TheSession<'_>, device: DeviceId) -> Answer<SyncView> {
    Ok(session.sync_device_suspend(device).await?)
}

#[tauri::command]
pub async fn sync_device_remove(
    session: TheSession<'_>,
    device: DeviceId,
    password: SecretText,
    code: String,
) -> Answer<Removal> {
    Ok(session.sync_device_remove(device, password, code).await?)
}

#[tauri::command]
pub async fn sync_removal_mark(
    session: TheSession<'_>,
    device: DeviceId,
    account: AccountId,
    replaced: bool,
) -> Answer<Removal> {
    Ok(session.sync_removal_mark(device, account, replaced).await?)
}

#[tauri::command]
pub async fn sync_removal_close(session: TheSession<'_>, device: DeviceId) -> Answer<SyncView> {
    Ok(session.sync_removal_close(device).await?)
}

#[tauri::command]
pub async fn sync_resume_device(
    session: TheSession<'_>,
    password: SecretText,
    code: String,
) -> Answer<SyncView> {
    Ok(session.sync_resume_device(password, code).await?)
}

#[tauri::command]
pub async fn sync_verify_again(session: TheSession<'_>) -> Answer<SetupView> {
    Ok(session.sync_verify_again().await?)
}

#[tauri::command]
pub async fn sync_delete_everything(
    session: TheSession<'_>,
    password: SecretText,
    code: String,
) -> Answer<SyncView> {
    Ok(session.sync_delete_everything(password, code).await?)
}

#[tauri::command]
pub async fn sync_keep_all_local(session: TheSession<'_>) -> Answer<AccountsView> {
    Ok(session.sync_keep_all_local().await?)
}
