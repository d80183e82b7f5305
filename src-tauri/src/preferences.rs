//! General's preferences: how the app looks and behaves on this device. No secret and no account is among them.

use std::path::Path;
use std::sync::Arc;

use keyquay_client::session::{PreferenceStore, Preferences};
use keyquay_client::view::general::Theme;
use keyquay_protocol::{Code, Problem};
use tauri::{AppHandle, Wry};
use tauri_plugin_store::{Store, StoreExt};

/// Key of the one entry in `preferences.json`.
const ENTRY: &str = "general";

/// `preferences.json` in the profile's folder.
pub struct StoredPreferences(Arc<Store<Wry>>);

#[derive(Debug, thiserror::Error)]
#[error("the preferences cannot be kept: {0}")]
pub struct PreferencesError(#[from] tauri_plugin_store::Error);

impl StoredPreferences {
    pub fn open(app: &AppHandle, folder: &Path) -> Result<Self, PreferencesError> {
        Ok(Self(app.store(folder.join("preferences.json"))?))
    }
}

impl PreferenceStore for StoredPreferences {
    fn load(&self) -> Preferences {
        let kept = self.0.get(ENTRY).unwrap_or_default();
        serde_json::from_value(kept).unwrap_or_default()
    }

    fn save(&self, preferences: &Preferences) -> Result<(), Problem> {
        self.0.set(ENTRY, serde_json::json!(preferences));
        self.0.save().map_err(|error| Problem::new(Code::Disk).with_detail(error.to_string()))
    }
}

/// `None` follows the system.
pub fn theme_of_window(theme: Theme) -> Option<tauri::Theme> {
    match theme {
        Theme::System => None,
        Theme::Light => Some(tauri::Theme::Light),
        Theme::Dark => Some(tauri::Theme::Dark),
    }
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
