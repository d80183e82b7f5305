//! Before the tabs: the first start, the lock, and what every screen's header shows.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::general::Theme;
use super::{Problem, UnixMillis};

/// Where the app stands as a whole. Sent again whenever the stage changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AppView {
    pub stage: Stage,
    pub profile: String,
    pub version: String,
    pub theme: Theme,
    /// A lock passphrase is set, so that "Lock now" has something to do.
    pub can_lock: bool,
    pub status: SyncStatus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// No vault yet.
    Welcome,
    /// Needs the lock passphrase.
    Locked,
    Open,
}

/// The header's sentence, as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SyncStatus {
    pub state: SyncState,
    /// When this device last had every change of the others.
    pub last_synced_at: Option<UnixMillis>,
    /// Own changes that the server has not acknowledged.
    pub waiting: u32,
    /// When the share's lease ends while the server does not answer; afterwards synced accounts are Closed.
    pub lease_ends_at: Option<UnixMillis>,
    /// Set for `Stopped` and `Offline` where the reason is known.
    pub problem: Option<Problem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SyncState {
    /// Never set up on this device, or signed out.
    Off,
    /// The stepper was begun and is not finished.
    SettingUp,
    /// Set up, switched off on this device.
    Paused,
    Connecting,
    Syncing,
    Synced,
    /// The server does not answer; synced accounts are still open until the lease ends.
    Offline,
    /// The server does not answer and there is no share.
    Closed,
    /// Suspended by another device or by the mail's "This was not me".
    Suspended,
    /// A verified removal entry was received.
    Removed,
    /// Root ended sync; the server deletes after seven days.
    Ended,
    /// The server's history contradicts what this device saw. See `problem`.
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WelcomeView {
    pub keyring: Keyring,
}

/// Whether the operating system keeps this device's secrets. Without it the lock passphrase is mandatory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Keyring {
    Available,
    /// No keyring is installed or running.
    Missing,
    /// There is one, but it refused, or stayed locked.
    Refused,
}

/// What the Unlock screen, and "prove it is you" on a removed device, may offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UnlockView {
    pub reason: UnlockReason,
    /// A lock passphrase is set.
    pub passphrase: bool,
    /// The server and email that this device knows, if it was ever signed in.
    pub server: Option<String>,
    pub email: Option<String>,
    /// Root's seed under the recovery code rests on this device.
    pub recovery_code: bool,
    pub keyring: Keyring,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum UnlockReason {
    Locked,
    /// This device was removed; its local-only accounts wait for proof.
    Removed,
}
