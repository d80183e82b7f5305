//! The desktop app: one window on one profile. What it can do is in `commands`, one file a screen.

mod autolock;
mod changes;
mod clipboard;
mod commands;
mod file_dialog;
mod options;
mod preferences;
mod surroundings;
mod window;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use keyquay_client::session::{self, KeyringChoice, Session};
use keyquay_protocol::{Code, Problem, SystemClock};
use tauri::{App, AppHandle, Manager, RunEvent};

use crate::autolock::Autolock;
use crate::clipboard::Clipboard;
use crate::options::{Options, OptionsError, Profile};
use crate::preferences::{PreferencesError, StoredPreferences};
use crate::surroundings::Refusal;

/// How long a closed Keyquay may take to end.
const ENDING: Duration = Duration::from_secs(2);

/// Runs the app until its window is closed. What keeps it from starting is one sentence on standard error.
pub fn run() -> ExitCode {
    match start(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(std::io::stderr(), "keyquay: {error}");
            error.exit_code()
        }
    }
}

fn start(options: Options) -> Result<(), StartError> {
    surroundings::check()?;
    let profile = options.open_profile()?;

    let app = tauri::Builder::default()
        .plugin(tauri_plugin_store::Builder::default().build())
        .invoke_handler(tauri::generate_handler![
            commands::welcome::app_view,
            commands::welcome::app_lock,
            commands::welcome::app_active,
            commands::welcome::app_copy,
            commands::welcome::welcome_view,
            commands::welcome::welcome_start,
            commands::welcome::unlock_view,
            commands::welcome::unlock_with_passphrase,
            commands::welcome::unlock_with_sign_in,
            commands::welcome::unlock_with_recovery_code,
            commands::welcome::unlock_start_over,
            commands::accounts::accounts_view,
            commands::accounts::accounts_exchanges,
            commands::accounts::accounts_auto_connect_preview,
            commands::accounts::accounts_set_auto_connect,
            commands::accounts::accounts_upload,
            commands::accounts::accounts_retrieve,
            commands::accounts::account_split_paste,
            commands::accounts::account_hint,
            commands::accounts::account_add,
            commands::accounts::account_form,
            commands::accounts::account_edit,
            commands::accounts::account_reveal,
            commands::accounts::account_copy,
            commands::accounts::account_keep_local,
            commands::accounts::account_set_pinned,
            commands::accounts::account_history,
            commands::accounts::account_restore_version,
            commands::accounts::account_conflict,
            commands::accounts::account_choose_version,
            commands::accounts::account_delete,
            commands::accounts::account_undelete,
            commands::accounts::account_open_api_page,
            commands::sync::sync_view,
            commands::sync::sync_set_on,
            commands::sync::sync_now,
            commands::sync::sync_setup_view,
            commands::sync::sync_setup_server,
            commands::sync::sync_setup_register,
            commands::sync::sync_setup_sign_in,
            commands::sync::sync_setup_recover,
            commands::sync::sync_setup_resend_address_mail,
            commands::sync::sync_setup_enrol_second_factor,
            commands::sync::sync_setup_replace_second_factor,
            commands::sync::sync_setup_confirm_second_factor,
            commands::sync::sync_setup_prove_second_factor,
            commands::sync::sync_setup_request_mail,
            commands::sync::sync_setup_check,
            commands::sync::sync_setup_no_log,
            commands::sync::sync_setup_secret_key,
            commands::sync::sync_setup_new_password,
            commands::sync::sync_setup_kit,
            commands::sync::sync_setup_confirm_kit,
            commands::sync::sync_setup_compared,
            commands::sync::sync_setup_choose,
            commands::sync::sync_setup_back,
            commands::sync::sync_setup_cancel,
            commands::sync::sync_kit_print,
            commands::sync::sync_kit_save,
            commands::sync::sync_kit_renew,
            commands::sync::sync_kit_confirm,
            commands::sync::sync_device_suspend,
            commands::sync::sync_device_remove,
            commands::sync::sync_removal_mark,
            commands::sync::sync_removal_close,
            commands::sync::sync_resume_device,
            commands::sync::sync_verify_again,
            commands::sync::sync_delete_everything,
            commands::sync::sync_keep_all_local,
            commands::general::general_view,
            commands::general::general_set_theme,
            commands::general::general_set_clipboard_seconds,
            commands::general::general_set_lock,
            commands::general::general_set_passphrase,
            commands::general::general_set_offline_use,
            commands::general::general_secret_key,
            commands::general::general_change_password,
            commands::general::general_replace_second_factor,
            commands::general::general_confirm_second_factor,
            commands::general::general_renew_backup_codes,
            commands::general::general_choose_file,
            commands::general::general_export_backup,
            commands::general::general_restore_backup,
            commands::general::general_open_without_server,
            commands::general::general_sign_out,
            commands::general::general_delete_user,
        ])
        .setup(|app| {
            let preferences = app.state::<Session>().preferences();
            app.set_theme(preferences::theme_of_window(preferences.theme));
            window::open(app)?;
            Ok(())
        })
        .build(tauri::generate_context!())?;
    begin_session(&app, profile)?;
    app.run_return(|app, event| {
        if let RunEvent::Exit = event {
            end_session(app);
        }
    });
    Ok(())
}

/// Opens the profile, and puts what commands need where they find it.
fn begin_session(app: &App, profile: Profile) -> Result<(), StartError> {
    let preferences = Arc::new(StoredPreferences::open(app.handle(), &profile.folder)?);
    let options = || session::Options {
        data_dir: profile.data_folder.clone(),
        profile: profile.name.to_string(),
        keyring: KeyringChoice::System,
        preferences: preferences.clone(),
        clock: Arc::new(SystemClock),
        suggested_server: profile.sync_server.as_ref().map(ToString::to_string),
        device_name: surroundings::device_name(),
        platform: surroundings::platform(),
        version: app.package_info().version.to_string(),
    };
    let session = start_session(options).map_err(StartError::Session)?;
    app.manage(profile);
    app.manage(Clipboard::default());
    app.manage(Autolock::watch(app.handle(), &session));
    changes::forward(app.handle(), &session);
    app.manage(session);
    Ok(())
}

/// A window that was closed just now may still be about to end: the profile is waited for a moment.
fn start_session(options: impl Fn() -> session::Options) -> Result<Session, Problem> {
    let first_try = Instant::now();
    loop {
        match tauri::async_runtime::block_on(Session::start(options())) {
            Err(problem) if problem.code == Code::VaultBusy && first_try.elapsed() < ENDING => {
                std::thread::sleep(ENDING / 20);
            }
            result => return result,
        }
    }
}

/// Nothing copied stays on the clipboard and no key in memory.
fn end_session(app: &AppHandle) {
    app.state::<Clipboard>().clear();
    tauri::async_runtime::block_on(app.state::<Session>().stop());
}

#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Surroundings(#[from] Refusal),
    #[error(transparent)]
    Options(#[from] OptionsError),
    #[error(transparent)]
    Preferences(#[from] PreferencesError),
    #[error("{} {} {}", .0.title, .0.detail.as_deref().unwrap_or_default(), .0.hint)]
    Session(Problem),
    #[error("the window could not be opened: {0}")]
    Window(#[from] tauri::Error),
}

impl StartError {
    /// Codes of sysexits.h: 69 something needed is missing, 73 a folder cannot be made, 75 try again later,
    /// 78 the settings forbid it.
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Surroundings(Refusal::NoDisplay) => ExitCode::from(69),
            Self::Surroundings(Refusal::RemoteControl { .. }) => ExitCode::from(78),
            Self::Options(_) => ExitCode::from(73),
            Self::Session(problem) if problem.code == Code::VaultBusy => ExitCode::from(75),
            Self::Session(_) | Self::Preferences(_) | Self::Window(_) => ExitCode::FAILURE,
        }
    }
}
