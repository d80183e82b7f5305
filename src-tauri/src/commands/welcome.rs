//! Before the tabs: Welcome, Unlock, and what the frame of every screen asks.

use keyquay_client::view::SecretText;
use keyquay_client::view::accounts::Copied;
use keyquay_client::view::welcome::{AppView, UnlockView, WelcomeView};
use tauri::State;

use super::{Answer, TheSession};
use crate::autolock::Autolock;
use crate::clipboard::Clipboard;

/// Somebody is here.
#[tauri::command]
pub fn app_active(autolock: State<'_, Autolock>) {
    autolock.touch();
}

/// Copies what the page shows; it leaves the clipboard as a key would.
#[tauri::command]
pub async fn app_copy(
    session: TheSession<'_>,
    clipboard: State<'_, Clipboard>,
    text: SecretText,
) -> Answer<Copied> {
    Ok(clipboard.copy(text, session.preferences().clipboard_seconds).await?)
}

#[tauri::command]
pub async fn app_view(session: TheSession<'_>) -> Answer<AppView> {
    Ok(session.app_view().await?)
}

#[tauri::command]
pub async fn app_lock(session: TheSession<'_>) -> Answer<AppView> {
    Ok(session.app_lock().await?)
}

#[tauri::command]
pub async fn welcome_view(session: TheSession<'_>) -> Answer<WelcomeView> {
    Ok(session.welcome_view().await?)
}

#[tauri::command]
pub async fn welcome_start(session: TheSession<'_>, passphrase: Option<SecretText>) -> Answer<AppView> {
    Ok(session.welcome_start(passphrase).await?)
}

#[tauri::command]
pub async fn unlock_view(session: TheSession<'_>) -> Answer<UnlockView> {
    Ok(session.unlock_view().await?)
}

#[tauri::command]
pub async fn unlock_with_passphrase(session: TheSession<'_>, passphrase: SecretText) -> Answer<AppView> {
    Ok(session.unlock_with_passphrase(passphrase).await?)
}

#[tauri::command]
pub async fn unlock_with_sign_in(
    session: TheSession<'_>,
    email: String,
    password: SecretText,
    code: String,
) -> Answer<AppView> {
    Ok(session.unlock_with_sign_in(email, password, code).await?)
}

#[tauri::command]
pub async fn unlock_with_recovery_code(
    session: TheSession<'_>,
    recovery_code: SecretText,
    new_passphrase: Option<SecretText>,
) -> Answer<AppView> {
    Ok(session.unlock_with_recovery_code(recovery_code, new_passphrase).await?)
}

#[tauri::command]
pub async fn unlock_start_over(
    session: TheSession<'_>,
    new_passphrase: Option<SecretText>,
) -> Answer<AppView> {
    Ok(session.unlock_start_over(new_passphrase).await?)
}
