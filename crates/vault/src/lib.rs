//! Accounts at rest on this device.
//!
//! A [`Profile`] is a folder and its lock. A [`Vault`] is its `vault.sqlite`, unlocked: dropping it locks it
//! and wipes its keys. Everything is written through [`Vault::transaction`], which happens whole or not at all.
//!
//! The file has two halves. The *local half* holds local accounts and named records under the local key,
//! which the keyring's local secret and the lock passphrase wrap. The *sync half* holds the device's sealing
//! key, the Secret Key and edits not yet sent under the sync key, which needs the server's [`Share`] as well:
//! [`Vault::open_sync`]. Beside them rest the log's entries and blobs as they were received.
//!
//! All calls block. One thread at a time owns a vault.

mod accounts;
mod backup;
mod custody;
mod db;
mod error;
mod header;
mod keyring;
mod keys;
mod log;
mod named;
mod passphrase;
mod profile;
mod record;
mod rotation;
mod salvage;
mod sync;
pub mod testing;
mod transaction;
mod vault;

pub use self::accounts::{AccountVersion, Disabled, Listing, LocalAccount, OwnerProof, Unreadable};
pub use self::backup::{BackupError, Restored, read_backup, write_backup};
pub use self::error::VaultError;
pub use self::keyring::{Keyring, KeyringError, SystemKeyring};
pub use self::keys::Share;
pub use self::log::{Head, LogBatch, LogEntry, SUPERSEDED_DAYS, Snapshot};
pub use self::profile::{Profile, ProfileError};
pub use self::salvage::Salvage;
pub use self::sync::{Edit, EditId, End, Identity, OpenSync};
pub use self::transaction::Transaction;
pub use self::vault::Vault;
