//! What must be known before anything is unlocked. It holds nothing that a person wrote.

use keyquay_crypto::cbor::{CborError, Decoder};
use keyquay_crypto::kdf::Salt;
use keyquay_crypto::{Digest, cbor_array, random_bytes, sha256};
use rusqlite::params;

use crate::VaultError;
use crate::db::Db;
use crate::keys::ProfileId;

/// The single row of `header`. Its checksum tells a damaged file from a wrong passphrase; that nobody
/// changed it on purpose is what the inventory, sealed, says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub profile: ProfileId,
    pub has_keyring: bool,
    /// There is a lock passphrase when there is a salt.
    pub salt: Option<Salt>,
    /// Which local secret opens the local key.
    pub local_generation: u64,
    pub wrapped_local_key: Vec<u8>,
    pub local_check: [u8; 16],
    /// Which sync secret and signing key are the newest; 0 before the first.
    pub sync_generation: u64,
    /// Whether the sync half is there, or was destroyed or never made.
    pub has_sync_half: bool,
    /// Whether that generation's signing key is there; it outlives the sync half, for the log's sake.
    pub has_signing_key: bool,
    /// Grows whenever the sync key changes.
    pub sync_serial: u64,
}

impl Header {
    /// A header for a new vault, whose local key is yet to be wrapped.
    pub fn make(has_keyring: bool, has_passphrase: bool) -> Self {
        Self {
            profile: random_bytes(),
            has_keyring,
            salt: has_passphrase.then(random_bytes),
            local_generation: 1,
            wrapped_local_key: Vec::new(),
            local_check: [0; 16],
            sync_generation: 0,
            has_sync_half: false,
            has_signing_key: false,
            sync_serial: 0,
        }
    }

    pub fn load(db: &Db) -> Result<Self, VaultError> {
        let row = db.first("SELECT body, checksum FROM header", [], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))
        })?;
        let (body, checksum) = row.ok_or_else(|| db.damaged("the header is missing"))?;
        if sha256(&body).as_slice() != checksum {
            return Err(db.damaged("the header is damaged"));
        }
        Self::decode(&body).map_err(|_| db.damaged("the header has another form"))
    }

    pub fn store(&self, db: &Db) -> Result<(), VaultError> {
        let body = self.encode();
        let sql = "INSERT INTO header (id, body, checksum) VALUES (1, ?1, ?2)
                   ON CONFLICT (id) DO UPDATE SET body = excluded.body, checksum = excluded.checksum";
        db.execute(sql, params![body, sha256(&body)]).map(|_| ())
    }

    pub fn digest(&self) -> Digest {
        sha256(&self.encode())
    }

    fn encode(&self) -> Vec<u8> {
        cbor_array![
            PURPOSE,
            self.profile,
            u64::from(self.has_keyring),
            self.salt,
            self.local_generation,
            self.wrapped_local_key,
            self.local_check,
            self.sync_generation,
            u64::from(self.has_sync_half),
            u64::from(self.has_signing_key),
            self.sync_serial,
        ]
    }

    fn decode(body: &[u8]) -> Result<Self, CborError> {
        let mut decoder = Decoder::message(body, 11, PURPOSE)?;
        let header = Self {
            profile: decoder.fixed()?,
            has_keyring: flag(&mut decoder)?,
            salt: decoder.optional(Decoder::fixed)?,
            local_generation: decoder.uint()?,
            wrapped_local_key: decoder.bytes()?.to_vec(),
            local_check: decoder.fixed()?,
            sync_generation: decoder.uint()?,
            has_sync_half: flag(&mut decoder)?,
            has_signing_key: flag(&mut decoder)?,
            sync_serial: decoder.uint()?,
        };
        decoder.end()?;
        Ok(header)
    }
}

/// 0 or 1.
pub(crate) fn flag(decoder: &mut Decoder<'_>) -> Result<bool, CborError> {
    match decoder.uint()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(CborError::NotCanonical),
    }
}

const PURPOSE: &str = "keyquay/1/vault/header";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_back_as_it_was_written() {
        for (has_keyring, has_passphrase) in [(true, false), (false, true), (true, true)] {
            let header =
                Header { wrapped_local_key: vec![7; 60], ..Header::make(has_keyring, has_passphrase) };
            assert_eq!(Header::decode(&header.encode()), Ok(header));
        }
    }
}
