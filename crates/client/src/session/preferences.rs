use std::sync::Mutex;

use keyquay_protocol::Problem;
use serde::{Deserialize, Serialize};

use crate::view::general::{LockTimes, Theme};

/// General's preferences: nothing secret, kept outside the vault so that they count while it is locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Preferences {
    pub theme: Theme,
    /// `None`: never cleared.
    pub clipboard_seconds: Option<u32>,
    pub lock: LockTimes,
    /// Unix seconds.
    pub last_backup: Option<u64>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            clipboard_seconds: Some(30),
            lock: LockTimes { idle_minutes: Some(15), on_sleep: true, on_screen_lock: true },
            last_backup: None,
        }
    }
}

/// Where preferences rest.
pub trait PreferenceStore: Send + Sync {
    /// What was stored; the defaults where nothing readable was.
    fn load(&self) -> Preferences;

    /// Stores them.
    ///
    /// # Errors
    /// [`Code::Disk`](keyquay_protocol::Code::Disk).
    fn save(&self, preferences: &Preferences) -> Result<(), Problem>;
}

/// Preferences that end with the session, for one without a window.
#[derive(Default)]
pub struct MemoryPreferences(Mutex<Preferences>);

impl PreferenceStore for MemoryPreferences {
    fn load(&self) -> Preferences {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn save(&self, preferences: &Preferences) -> Result<(), Problem> {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = preferences.clone();
        Ok(())
    }
}
