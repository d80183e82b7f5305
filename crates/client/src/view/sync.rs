//! The Sync screen, the set-up stepper and the removal of a device.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::accounts::{AccountRow, PageKind};
use super::welcome::SyncStatus;
use super::{Problem, SecretText, UnixMillis};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SyncView {
    pub status: SyncStatus,
    /// "Sync API keys", the one setting of this device.
    pub sync_on: bool,
    pub setup: SetupView,
    /// Six words of the log's head, which a further device compares while it is set up.
    pub history_phrase: Option<String>,
    /// Once there are keys for it, that is from the verification mail on.
    pub this_device: Option<DeviceRow>,
    pub other_devices: Vec<DeviceRow>,
    pub last_sync: Option<LastSync>,
    /// When the kit in force was made; `None` before the first.
    pub kit_made_at: Option<UnixMillis>,
    /// Newest first, the latest 50 entries.
    pub activity: Vec<Activity>,
    /// Removals whose accounts are not all replaced at their exchanges.
    pub open_removals: Vec<Removal>,
    /// After `Ended`: when the server deletes what is left.
    pub deleted_at: Option<UnixMillis>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeviceRow {
    pub id: String,
    /// `None` while the vault key that seals the name is not at hand.
    pub name: Option<String>,
    pub platform: Platform,
    pub verified_at: Option<UnixMillis>,
    pub last_seen_at: Option<UnixMillis>,
    pub state: DeviceState,
    /// Six words of the device's keys.
    pub phrase: String,
    pub this_device: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Platform {
    Linux,
    MacOs,
    Windows,
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum DeviceState {
    /// Keys made, not yet verified.
    Pending,
    Active,
    Suspended,
    Removed,
    /// Its signed head is not on this device's history.
    OffChain,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LastSync {
    pub at: UnixMillis,
    pub outcome: SyncOutcome,
    /// Changes of other devices that were taken in, and own ones that were acknowledged.
    pub received: u32,
    pub sent: u32,
    pub problem: Option<Problem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SyncOutcome {
    Complete,
    /// Some accounts did not open; the rest is in step.
    Incomplete,
    Failed,
}

/// An entry of the signed log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    #[ts(type = "number")]
    pub seq: u64,
    pub at: UnixMillis,
    /// The device's name; `None` for root, or where the name cannot be read.
    pub by: Option<String>,
    pub by_this_device: bool,
    pub what: ActivityKind,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum ActivityKind {
    SyncStarted,
    DeviceAdded {
        device: Option<String>,
    },
    DeviceRemoved {
        device: Option<String>,
    },
    /// Password or recovery code changed.
    UnlockChanged,
    AccountSaved {
        label: Option<String>,
        first: bool,
    },
    AccountDeleted {
        label: Option<String>,
    },
    AccountWithdrawn {
        label: Option<String>,
    },
    SyncEnded,
}

/// Where the stepper stands. It outlives the dialog and the app; the window shows whatever step this names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SetupView {
    pub step: SetupStep,
    pub path: SetupPath,
    pub server: Option<String>,
    /// Passed by `make run` or a policy; only ever a suggestion.
    pub suggested_server: Option<String>,
    pub email: Option<String>,
    /// The second factor of this user is confirmed, so a code is asked for and no QR code shown.
    pub second_factor_confirmed: bool,
    /// The name under which other devices will list this one.
    pub device_name: String,
    pub mail: Option<VerificationMail>,
    /// When the mail that confirms the address was sent.
    pub address_mail_sent_at: Option<UnixMillis>,
    /// What a further device sees before it is trusted with accounts.
    pub comparison: Option<Comparison>,
    /// Local accounts, for the choice of what to upload.
    pub local: Vec<AccountRow>,
    /// Accounts at the server, for the choice of what to retrieve.
    pub available: Vec<AccountRow>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SetupStep {
    /// Ask for the server's address.
    Server,
    /// Register, sign in or recover.
    SignIn,
    /// Registered; the link in the first mail is not opened.
    ConfirmAddress,
    /// Enrol the second factor, or prove it.
    SecondFactor,
    /// "Request verification mail", then wait for its link.
    Verification,
    /// The server has no log of this user: was sync ever set up elsewhere?
    NoLog,
    /// The log opens only with the Secret Key, which was not given or not the right one.
    SecretKey,
    /// Recovery: choose a new password.
    NewPassword,
    /// First device: make, keep and confirm the recovery kit.
    Kit,
    /// Further device: compare what the server showed with another device.
    Compare,
    /// Choose accounts to upload and to retrieve.
    Choose,
    /// Everything above is done; `sync_setup_*` commands are refused.
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SetupPath {
    /// Not known before the sign-in.
    Undecided,
    FirstDevice,
    FurtherDevice,
    Recovery,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VerificationMail {
    pub sent_to: String,
    /// Six words, the same in the mail, on its page and here.
    pub phrase: String,
    /// `None` before the first request.
    pub sent_at: Option<UnixMillis>,
    pub expires_at: Option<UnixMillis>,
    /// Not before this time may another be requested.
    pub resend_at: Option<UnixMillis>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// Six words of the log's head; another device shows the same.
    pub phrase: String,
    pub devices: Vec<DeviceRow>,
    pub items: u32,
    pub last_change_at: Option<UnixMillis>,
}

/// For an authenticator app. Shown once.
#[derive(Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SecondFactorEnrolment {
    /// A whole SVG document, shown as an image.
    pub qr_svg: SecretText,
    /// The same in base32, for typing.
    pub secret: SecretText,
}

/// Ten one-time codes for a lost second factor. Shown once.
#[derive(Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BackupCodes {
    pub codes: Vec<SecretText>,
}

#[derive(Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryKit {
    pub server: String,
    pub email: String,
    /// `KQ1-` and seven groups of five.
    pub secret_key: SecretText,
    pub recovery_code: SecretText,
    pub made_at: UnixMillis,
    /// The group that must be typed again, counted from 1 after the prefix.
    pub asked: KitGroup,
    pub suggested_file: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct KitGroup {
    pub of: KitCode,
    pub number: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum KitCode {
    SecretKey,
    RecoveryCode,
}

/// A device that was removed, and every account that was synced while it was active.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Removal {
    /// The removed device's id.
    pub device: String,
    pub name: Option<String>,
    pub removed_at: UnixMillis,
    pub accounts: Vec<ReplaceRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReplaceRow {
    pub account: String,
    pub label: String,
    pub exchange: String,
    pub exchange_name: String,
    pub key_hint: Option<String>,
    pub page: Option<PageKind>,
    /// Ticked by the person.
    pub replaced: bool,
}
