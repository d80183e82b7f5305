//! The Accounts screen: rows, the add and edit form, history, conflicts.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{SecretText, UnixMillis};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AccountsView {
    /// In no order; the screen sorts them.
    pub rows: Vec<AccountRow>,
    /// Synced accounts whose labels cannot be read at the moment.
    pub closed: Option<ClosedAccounts>,
    /// "Sync API keys", the one setting of this device that General shows too.
    pub sync_on: bool,
    pub auto_connect: bool,
    /// This device was verified and not removed, so that accounts can be uploaded and retrieved.
    pub can_sync: bool,
    /// This device was removed and its local-only accounts wait for proof.
    pub needs_proof: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClosedAccounts {
    pub count: u32,
    pub reason: ClosedReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ClosedReason {
    /// The server has not answered since the start, or the lease ended.
    NoServer,
    Suspended,
    Removed,
    /// Sync is switched off on this device and the share is gone.
    Paused,
    /// The server's history contradicts what this device saw.
    Stopped,
}

/// One exchange account, without any secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AccountRow {
    /// 16 bytes in hexadecimal.
    pub id: String,
    /// The catalogue's id, "other" for free fields.
    pub exchange: String,
    pub exchange_name: String,
    pub label: String,
    /// The first non-secret filled field, shortened to its ends: `AbC…9xZ`.
    pub key_hint: Option<String>,
    pub tags: Vec<String>,
    pub environment: Environment,
    pub permissions: Permissions,
    /// `YYYY-MM-DD`
    pub expires_on: Option<String>,
    pub created_at: UnixMillis,
    pub changed_at: UnixMillis,
    pub state: AccountState,
    /// The synced account has versions of the last 30 days, or the vault keeps earlier ones.
    pub has_history: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum AccountState {
    LocalOnly,
    LocalOnlyPinned,
    WaitingToUpload,
    Uploading,
    Synced,
    /// At the server, its label open, not retrieved on this device.
    Available,
    Retrieving,
    ConflictKept,
    /// Withdrawn by its owner on another device; a copy may stay here as a local one.
    Withdrawn,
    Damaged,
    DisabledVerifyDevice,
    DisabledProveIdentity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Environment {
    #[default]
    Live,
    Testnet,
}

/// Noted by hand; nothing is asked of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Permissions {
    pub read: Permission,
    pub trade: Permission,
    pub withdraw: Permission,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Permission {
    Yes,
    No,
    #[default]
    Unknown,
}

/// One exchange of the catalogue, for the form's picker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeInfo {
    pub id: String,
    pub name: String,
    /// Other names under which people look for it.
    pub aliases: Vec<String>,
    /// In the order of the form.
    pub fields: Vec<ExchangeField>,
    /// The person may name further fields ("other").
    pub free_fields: bool,
    pub has_testnet: bool,
    /// `account_open_api_page` has something to open.
    pub page: Option<PageKind>,
    /// Sentences worth reading before a key is added.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeField {
    pub key: String,
    pub label: String,
    pub secret: bool,
    pub required: bool,
    pub multi_line: bool,
    /// A sentence for the person who fills it in; may be empty.
    pub help: String,
    /// What a value usually looks like, in words. Never a reason to refuse.
    pub usual: Option<String>,
}

/// What an exchange's page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum PageKind {
    /// Keys are made and deleted there.
    Manage,
    /// Keys are explained there.
    Docs,
}

/// A new account, as typed.
#[derive(Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAccount {
    pub exchange: String,
    pub details: AccountDetails,
    pub fields: Vec<FieldInput>,
    /// Never upload it, "Auto connect all accounts" included.
    pub pinned: bool,
}

/// A changed account. A field that is not named keeps its value; one with an empty value is cleared.
#[derive(Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountEdit {
    pub details: AccountDetails,
    pub fields: Vec<FieldInput>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountDetails {
    pub label: String,
    pub tags: Vec<String>,
    pub note: String,
    pub environment: Environment,
    pub permissions: Permissions,
    pub ip_note: String,
    /// `YYYY-MM-DD`
    pub expires_on: Option<String>,
}

#[derive(Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FieldInput {
    pub key: String,
    /// Set for the fields of "other", which are named by the person.
    pub label: Option<String>,
    /// Set for the fields of "other".
    pub secret: Option<bool>,
    pub value: SecretText,
}

/// What the edit form starts from. Secret values are not in it: they are "kept" until typed anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AccountForm {
    pub id: String,
    pub exchange: String,
    pub details: AccountDetails,
    pub fields: Vec<FormField>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FormField {
    pub key: String,
    pub label: String,
    pub secret: bool,
    pub multi_line: bool,
    /// A secret field has a value that is kept.
    pub filled: bool,
    /// Named by the person ("other").
    pub free: bool,
    /// The value of a field that is no secret.
    pub value: Option<String>,
}

/// Pasted text, tidied and split into the fields of one exchange.
#[derive(Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SplitPaste {
    /// A single value comes back, tidied, as the field it was pasted into.
    pub fields: Vec<FieldInput>,
}

/// The answer to "Reveal": the only way on which a kept value reaches the window.
#[derive(Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RevealedField {
    pub key: String,
    pub label: String,
    pub secret: bool,
    pub multi_line: bool,
    pub value: SecretText,
}

/// The answer to "Copy": the value went to the clipboard without passing the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Copied {
    /// `None` where the person chose never to clear it.
    pub cleared_after_seconds: Option<u32>,
}

/// One version of an account, newest first in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AccountVersion {
    pub id: String,
    pub changed_at: UnixMillis,
    /// The device that wrote it; `None` for this device before sync.
    pub device: Option<String>,
    pub this_device: bool,
    pub current: bool,
    pub label: String,
    pub key_hint: Option<String>,
    /// What differs from the version in use (in a history: from the version before).
    pub differs_in: Vec<VersionPart>,
}

/// A part of an account that differs between two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "part", rename_all = "camelCase")]
pub enum VersionPart {
    /// A credential, named by its label: "API secret".
    Field {
        label: String,
    },
    Label,
    Tags,
    Note,
    Environment,
    Permissions,
    IpNote,
    Expiry,
}

/// What switching "Auto connect all accounts" on would do, for its confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AutoConnectPreview {
    /// Local accounts that would be uploaded, and pinned ones that stay out unless included.
    pub local: Vec<AccountRow>,
    /// Accounts at the server that would be retrieved.
    pub available: Vec<AccountRow>,
}
