//! What a vault gives without any of its keys.

use keyquay_crypto::Digest;

use crate::db::Db;
use crate::log::{read_blob, read_entries, read_recovery_record};
use crate::{LogEntry, Profile, VaultError};

/// The log as received, out of a vault that does not open: the keyring was emptied, the passphrase is
/// forgotten, the server is gone. All of it is public or sealed; the recovery code opens the recovery record,
/// and with it the synced accounts. Local accounts are not among it.
///
/// The pinned head cannot be read here: only what entries and root prove of themselves holds.
pub struct Salvage(Db);

impl Salvage {
    /// Opens the profile's file without changing it.
    ///
    /// # Errors
    /// [`VaultError::Missing`], [`VaultError::Damaged`], [`VaultError::NewerVersion`], and those of the disk.
    pub fn open(profile: &Profile) -> Result<Self, VaultError> {
        Db::open(&profile.vault_path()).map(Self)
    }

    /// All stored entries, in order.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when one is altered or missing between others.
    pub fn entries(&self) -> Result<Vec<LogEntry>, VaultError> {
        read_entries(&self.0, None)
    }

    /// The blob with this SHA-256.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when it has another one by now.
    pub fn blob(&self, hash: &Digest) -> Result<Option<Vec<u8>>, VaultError> {
        read_blob(&self.0, hash)
    }

    /// The root seed under the recovery code's key.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when it is not what was stored.
    pub fn recovery_record(&self) -> Result<Option<Vec<u8>>, VaultError> {
        read_recovery_record(&self.0)
    }
}
