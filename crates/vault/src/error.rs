use std::path::{Path, PathBuf};

use keyquay_crypto::CryptoError;
use keyquay_exchanges::AccountError;
use rusqlite::ErrorCode;
use thiserror::Error;

use crate::KeyringError;

/// Why a step with the vault did not succeed. Nothing of it was done then, unless the variant says so.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VaultError {
    #[error("there is no vault in this profile")]
    Missing,
    #[error("this profile has a vault already")]
    Exists,
    #[error("the vault of this profile is open already")]
    AlreadyOpen,

    #[error("this system has no keyring, so the vault needs a lock passphrase")]
    PassphraseMandatory,
    #[error("the vault is locked with a passphrase")]
    PassphraseNeeded,
    #[error("the lock passphrase must not be empty")]
    PassphraseEmpty,
    #[error("the lock passphrase is wrong")]
    WrongPassphrase,
    #[error("key stretching needs 64 MiB of memory, which the system did not give")]
    Stretching,

    #[error(transparent)]
    KeyringUnavailable(#[from] KeyringError),
    #[error("the keyring answers, but has no entry {name}")]
    KeyringEntryMissing { name: String },
    #[error("the keyring's entry {name} belongs to another state of this vault")]
    KeyringEntryWrong { name: String },

    #[error("the vault is damaged ({what}): {path}")]
    Damaged { path: PathBuf, what: &'static str },
    #[error("the vault has format {found}, made by a newer version; this one reads up to {supported}")]
    NewerVersion { found: u32, supported: u32 },
    #[error("the vault's file or folder cannot be written: {path}")]
    ReadOnly { path: PathBuf },
    #[error("the disk is full: {path}")]
    DiskFull { path: PathBuf },
    #[error("the vault's file cannot be used: {path}: {reason}")]
    Io { path: PathBuf, reason: String },

    #[error("local accounts are disabled until their owner has proven who they are")]
    Disabled,
    #[error("there is no such local account")]
    UnknownAccount,
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error("the record is too large to be sealed")]
    TooLarge,

    #[error("this device holds no keys for sync")]
    NoSyncHalf,
    #[error("this device holds keys for sync already")]
    SyncHalfExists,
    #[error("the share is not the one that this device was given first")]
    WrongShare,
    #[error("the keys for sync were changed or destroyed after they were opened")]
    StaleSync,
    #[error("the synced keys are closed; the change needs the share from the server")]
    ClosedNeedsServer,
    #[error("the log's entries do not continue the stored ones")]
    LogGap,
}

impl VaultError {
    pub(crate) fn of_sql(error: &rusqlite::Error, path: &Path) -> Self {
        let path = path.to_owned();
        let rusqlite::Error::SqliteFailure(failure, message) = error else {
            return Self::Damaged { path, what: "a value has another form" };
        };
        match failure.code {
            ErrorCode::DiskFull => Self::DiskFull { path },
            ErrorCode::ReadOnly => Self::ReadOnly { path },
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                Self::Damaged { path, what: "the database is malformed" }
            }
            ErrorCode::Unknown
            | ErrorCode::SchemaChanged
            | ErrorCode::TypeMismatch
            | ErrorCode::ConstraintViolation => Self::Damaged { path, what: "the tables have another form" },
            code => Self::Io { path, reason: message.clone().unwrap_or_else(|| format!("{code:?}")) },
        }
    }
}

impl From<CryptoError> for VaultError {
    /// For sealing and stretching; what does not open is told apart where it is read.
    fn from(error: CryptoError) -> Self {
        match error {
            CryptoError::Stretching => Self::Stretching,
            _ => Self::TooLarge,
        }
    }
}
