//! The desktop app: one window on one profile. What it can do is in `commands`, one file a screen.

mod commands;
mod options;
mod preferences;
mod surroundings;
mod window;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use tauri::Manager;

use crate::options::{Options, OptionsError, Profile};
use crate::preferences::PreferencesError;
use crate::surroundings::Refusal;

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

    tauri::Builder::default()
        .plugin(tauri_plugin_store::Builder::default().build())
        .manage(profile)
        .invoke_handler(tauri::generate_handler![
            commands::general::about,
            commands::general::general_set_theme,
        ])
        .setup(|app| {
            let preferences = preferences::load(app.handle(), &app.state::<Profile>())?;
            app.set_theme(preferences.theme.of_window());
            window::open(app)?;
            Ok(())
        })
        .run(tauri::generate_context!())?;
    Ok(())
}

#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Surroundings(#[from] Refusal),
    #[error(transparent)]
    Options(#[from] OptionsError),
    #[error(transparent)]
    Preferences(#[from] PreferencesError),
    #[error("the window could not be opened: {0}")]
    Window(#[from] tauri::Error),
}

impl StartError {
    /// Codes of sysexits.h: 69 something needed is missing, 73 a folder cannot be made, 78 the settings forbid it.
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Surroundings(Refusal::NoDisplay) => ExitCode::from(69),
            Self::Surroundings(Refusal::RemoteControl { .. }) => ExitCode::from(78),
            Self::Options(_) => ExitCode::from(73),
            Self::Preferences(_) | Self::Window(_) => ExitCode::FAILURE,
        }
    }
}
