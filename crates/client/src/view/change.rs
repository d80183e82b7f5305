use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::accounts::{AccountRow, AccountsView};
use super::general::GeneralView;
use super::sync::{DeviceRow, SetupView, SyncView};
use super::welcome::{AppView, SyncStatus};

/// The one kind of event that a window gets: a whole view, or only the rows that changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
#[expect(clippy::large_enum_variant, reason = "each is sent as soon as it is made, and none is kept")]
pub enum Change {
    App { view: AppView },
    Status { status: SyncStatus },
    Accounts { view: AccountsView },
    AccountRows { changed: Vec<AccountRow>, removed: Vec<String> },
    Setup { view: SetupView },
    Sync { view: SyncView },
    DeviceRows { changed: Vec<DeviceRow>, removed: Vec<String> },
    General { view: GeneralView },
    Progress { progress: Progress },
}

/// How far a long operation is. It is over when `done == total`, or when its command answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    pub what: ProgressKind,
    pub done: u32,
    pub total: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ProgressKind {
    Retrieving,
    Uploading,
    Restoring,
    /// Records are sealed again, after a removal, a new lock passphrase or the end of sync.
    Sealing,
    /// Key stretching and the opening of root; counts steps, not bytes.
    SigningIn,
}
