//! The General screen.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::UnixMillis;
use super::welcome::{Keyring, SyncStatus};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct GeneralView {
    pub status: SyncStatus,
    /// "Sync exchange API keys across devices", the one setting of this device.
    pub sync_on: bool,
    /// The set-up is finished, so that the switch pauses and resumes; otherwise it opens the stepper.
    pub set_up: bool,
    pub server: Option<String>,
    pub email: Option<String>,
    pub second_factor: SecondFactor,
    pub lock: LockSettings,
    /// `None`: never cleared.
    pub clipboard_seconds: Option<u32>,
    /// "Keep synced keys usable offline": the share is put into the keyring.
    pub offline_use: bool,
    pub theme: Theme,
    pub last_backup_at: Option<UnixMillis>,
    pub suggested_backup_file: String,
    /// The system offers a file chooser; without one the path is typed.
    pub can_choose_files: bool,
    /// A recovery code can open this device's synced accounts without a server.
    pub can_open_without_server: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SecondFactor {
    pub confirmed: bool,
    pub backup_codes_left: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LockSettings {
    pub passphrase_set: bool,
    /// Without a keyring the passphrase cannot be taken off.
    pub keyring: Keyring,
    pub times: LockTimes,
}

/// When the app locks by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockTimes {
    /// `None`: never.
    pub idle_minutes: Option<u32>,
    pub on_sleep: bool,
    pub on_screen_lock: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BackupWritten {
    pub file: String,
    pub accounts: u32,
    /// Synced accounts that are closed at the moment and therefore not in it.
    pub closed: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BackupRestored {
    pub added: u32,
    /// Existed and were older; their earlier version stays in the history.
    pub updated: u32,
    /// The same or newer here.
    pub unchanged: u32,
}

/// After "Open without a server".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OpenedWithoutServer {
    pub accounts: u32,
    /// Items that did not open; they stay as they are.
    pub damaged: u32,
}

/// What a file is chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum FilePurpose {
    SaveBackup,
    OpenBackup,
    SaveKit,
}
