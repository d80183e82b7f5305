//! Where secrets rest that are not sealed under the vault's own keys: in the keyring, or, where there is
//! none, in the file under the lock passphrase.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use keyquay_crypto::{Zeroizing, aead, sha256};
use rusqlite::params;

use crate::db::Db;
use crate::header::Header;
use crate::keys::{ProfileId, Stretched, derive_kept_key, kept_context};
use crate::{Keyring, KeyringError, VaultError};

pub(crate) const LOCAL_SECRET: &str = "local-secret";
pub(crate) const SYNC_SECRET: &str = "sync-secret";
pub(crate) const SIGNING_KEY: &str = "signing-key";
pub(crate) const SHARE_DIGEST: &str = "share-digest";
pub(crate) const OFFLINE_SHARE: &str = "offline-share";

/// The name of a secret of one generation. A new secret never overwrites the one before it: the
/// transaction that names it decides which counts.
pub(crate) fn entry_name(secret: &str, generation: u64) -> String {
    format!("{secret}-{generation}")
}

fn is_needed(name: &str, header: &Header) -> bool {
    let of_sync = |secret| name == entry_name(secret, header.sync_generation);
    name == entry_name(LOCAL_SECRET, header.local_generation)
        || header.has_sync_half && (of_sync(SYNC_SECRET) || of_sync(SHARE_DIGEST))
        || header.has_signing_key && of_sync(SIGNING_KEY)
}

#[derive(Clone)]
pub(crate) enum Custody {
    Keyring(Arc<dyn Keyring>),
    Passphrase,
}

/// Custody of one vault's secrets, for as long as a call takes.
pub(crate) struct Keeper<'a> {
    pub db: &'a Db,
    pub custody: &'a Custody,
    pub profile: &'a ProfileId,
    pub stretched: Option<&'a Stretched>,
}

impl Keeper<'_> {
    /// `None` when there is no such secret.
    pub fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        match self.custody {
            Custody::Keyring(keyring) => Ok(keyring.get(&self.keyring_name(name))?),
            Custody::Passphrase => self.open_kept(name),
        }
    }

    /// A secret that has to be there.
    pub fn require(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.get(name)?.ok_or_else(|| match self.custody {
            Custody::Keyring(_) => VaultError::KeyringEntryMissing { name: self.keyring_name(name) },
            Custody::Passphrase => self.db.damaged("a kept secret is missing"),
        })
    }

    /// Stores a secret and reads it back. Within a transaction: the keyring has it before the file names it.
    pub fn put(&self, name: &str, secret: &[u8]) -> Result<(), VaultError> {
        match self.custody {
            Custody::Keyring(keyring) => {
                self.db.execute("DELETE FROM erasure WHERE name = ?1", [name])?;
                let name = self.keyring_name(name);
                keyring.set(&name, secret)?;
                let kept = keyring.get(&name)?.is_some_and(|kept| **kept == *secret);
                if kept { Ok(()) } else { Err(KeyringError::NotKept.into()) }
            }
            Custody::Passphrase => self.seal_kept(name, secret),
        }
    }

    /// Within a transaction: has the secret erased. A keyring's entry goes after the commit, by [`Keeper::finish_erasures`].
    pub fn erase(&self, name: &str) -> Result<(), VaultError> {
        let sql = match self.custody {
            Custody::Keyring(_) => "INSERT OR IGNORE INTO erasure (name) VALUES (?1)",
            Custody::Passphrase => "DELETE FROM kept WHERE name = ?1",
        };
        self.db.execute(sql, [name]).map(|_| ())
    }

    /// Erases what transactions have given up, one entry after the other; can be called again at any time.
    /// What `header` needs is never erased, whoever put it on the list.
    pub fn finish_erasures(&self, header: &Header) -> Result<(), VaultError> {
        let Custody::Keyring(keyring) = self.custody else { return Ok(()) };
        let names: Vec<String> = self.db.all("SELECT name FROM erasure", [], |row| row.get(0))?;
        for name in names.into_iter().filter(|name| !is_needed(name, header)) {
            keyring.delete(&self.keyring_name(&name))?;
            self.db.execute("DELETE FROM erasure WHERE name = ?1", [&name])?;
        }
        Ok(())
    }

    pub fn has_erasures(&self) -> Result<bool, VaultError> {
        Ok(self.db.number("SELECT count(*) FROM erasure", [])? > 0)
    }

    /// Names of all secrets in the file.
    pub fn kept_names(&self) -> Result<Vec<String>, VaultError> {
        self.db.all("SELECT name FROM kept ORDER BY name", [], |row| row.get(0))
    }

    fn keyring_name(&self, name: &str) -> String {
        format!("{}/{name}", HEXLOWER.encode(self.profile))
    }

    fn open_kept(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let row = self.db.first("SELECT sealed, checksum FROM kept WHERE name = ?1", [name], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))
        })?;
        let Some((sealed, checksum)) = row else { return Ok(None) };
        if sha256(&sealed).as_slice() != checksum {
            return Err(self.db.damaged("a kept secret is damaged"));
        }
        let stretched = self.stretched.ok_or(VaultError::PassphraseNeeded)?;
        let key = derive_kept_key(stretched, self.profile, name);
        let secret = aead::open(&key, &kept_context(self.profile, name), &sealed);
        secret.map(Some).map_err(|_| VaultError::WrongPassphrase)
    }

    fn seal_kept(&self, name: &str, secret: &[u8]) -> Result<(), VaultError> {
        let stretched = self.stretched.ok_or(VaultError::PassphraseMandatory)?;
        let key = derive_kept_key(stretched, self.profile, name);
        let sealed = aead::seal(&key, &kept_context(self.profile, name), secret)?;
        let sql = "INSERT INTO kept (name, sealed, checksum) VALUES (?1, ?2, ?3)
                   ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, checksum = excluded.checksum";
        self.db.execute(sql, params![name, sealed, sha256(&sealed)]).map(|_| ())
    }
}
