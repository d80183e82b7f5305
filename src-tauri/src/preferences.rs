//! General's preferences: how the app looks and behaves on this device. No secret and no account is among them.

use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Runtime};
use tauri_plugin_store::StoreExt;

use crate::options::Profile;

/// Key of the one entry in `preferences.json`.
const ENTRY: &str = "general";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Preferences {
    pub theme: Theme,
    /// A copied secret leaves the clipboard after this many seconds; never when `None`.
    pub clipboard_seconds: Option<u32>,
    /// The vault is locked after this many idle minutes; never when `None`.
    pub idle_minutes: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

#[derive(Debug, thiserror::Error)]
#[error("the preferences cannot be kept: {0}")]
pub struct PreferencesError(#[from] tauri_plugin_store::Error);

impl Default for Preferences {
    fn default() -> Self {
        Self { theme: Theme::System, clipboard_seconds: Some(30), idle_minutes: Some(15) }
    }
}

impl Theme {
    /// `None` follows the system.
    pub fn of_window(self) -> Option<tauri::Theme> {
        match self {
            Self::System => None,
            Self::Light => Some(tauri::Theme::Light),
            Self::Dark => Some(tauri::Theme::Dark),
        }
    }
}

/// The profile's preferences; the defaults where it has none that can be read.
pub fn load<R: Runtime>(app: &AppHandle<R>, profile: &Profile) -> Result<Preferences, PreferencesError> {
    let store = app.store(profile.folder.join("preferences.json"))?;
    let kept = store.get(ENTRY).unwrap_or_default();
    Ok(serde_json::from_value(kept).unwrap_or_default())
}

/// Keeps `preferences` in the profile, on disk when this returns.
pub fn save<R: Runtime>(
    app: &AppHandle<R>,
    profile: &Profile,
    preferences: &Preferences,
) -> Result<(), PreferencesError> {
    let store = app.store(profile.folder.join("preferences.json"))?;
    store.set(ENTRY, serde_json::json!(preferences));
    store.save()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_of_an_older_version_keep_what_they_said_and_get_defaults_for_the_rest() {
        let kept = serde_json::json!({ "theme": "dark" });
        let preferences: Preferences = serde_json::from_value(kept).unwrap();
        let expected = Preferences { theme: Theme::Dark, ..Preferences::default() };
        assert_eq!(preferences, expected);
    }
}
