//! The operating system's keyring, where the halves of the vault's locks rest that are not on the disk.

mod system;

use keyquay_crypto::Zeroizing;
use thiserror::Error;

pub use self::system::SystemKeyring;

/// A place for small secrets outside the vault's file. Calls block, and may wait for a person to unlock it.
pub trait Keyring: Send + Sync {
    /// `None` when there is no such entry.
    ///
    /// # Errors
    /// [`KeyringError`]
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError>;

    /// Makes the entry or replaces it.
    ///
    /// # Errors
    /// [`KeyringError`]
    fn set(&self, name: &str, secret: &[u8]) -> Result<(), KeyringError>;

    /// Erases the entry; one that is not there is no error.
    ///
    /// # Errors
    /// [`KeyringError`]
    fn delete(&self, name: &str) -> Result<(), KeyringError>;
}

/// Why the keyring did not answer. No message holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyringError {
    #[error("there is no keyring, or it does not answer: {reason}")]
    Unavailable { reason: String },
    #[error("the keyring is locked or its unlocking was declined: {reason}")]
    Locked { reason: String },
    #[error("the keyring did not give back what it was given")]
    NotKept,
    #[error("the keyring's entry is not one of Keyquay's, or there are several of its name")]
    Foreign,
}
