//! The General tab.

use serde::Serialize;
use tauri::{AppHandle, State};

use crate::options::Profile;
use crate::preferences::{self, Preferences, Theme};

/// What the app says of itself.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    version: String,
    profile: String,
    folder: String,
    /// The sync server named at start, to fill in the first step; nothing has connected to it.
    sync_server: Option<String>,
}

#[tauri::command]
pub fn about(app: AppHandle, profile: State<'_, Profile>) -> About {
    About {
        version: app.package_info().version.to_string(),
        profile: profile.name.to_string(),
        folder: profile.folder.display().to_string(),
        sync_server: profile.sync_server.as_ref().map(ToString::to_string),
    }
}

#[tauri::command]
pub fn general_set_theme(
    app: AppHandle,
    profile: State<'_, Profile>,
    theme: Theme,
) -> Result<Preferences, String> {
    let mut preferences = preferences::load(&app, &profile).map_err(|error| error.to_string())?;
    preferences.theme = theme;
    preferences::save(&app, &profile, &preferences).map_err(|error| error.to_string())?;
    app.set_theme(theme.of_window());
    Ok(preferences)
}
