//! Small records under a name: settings of sync, addresses, marks. Sealed like accounts, names included.

use keyquay_crypto::Zeroizing;
use keyquay_crypto::cbor::{CborError, Decoder};

use crate::keys::secret_array;
use crate::record::{self, Kind, Place};
use crate::{Transaction, Vault, VaultError};

impl Vault {
    /// The record of this name.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when it does not open.
    pub fn record(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let id = self.keys.local.named_id(name);
        let Some(record) = record::find(&self.db, &id)? else { return Ok(None) };
        let damaged = || self.db.damaged("a record does not open");
        let plaintext = record.open(&self.keys.local.record_key(&id)).map_err(|_| damaged())?;
        let (found, value) = decode(&plaintext).map_err(|_| damaged())?;
        if found == name { Ok(Some(Zeroizing::new(value.to_vec()))) } else { Err(damaged()) }
    }
}

impl Transaction<'_> {
    /// Makes or replaces the record of this name.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn put_record(&mut self, name: &str, value: &[u8]) -> Result<(), VaultError> {
        let id = self.local().named_id(name);
        let before = record::find(self.db(), &id)?.map_or(0, |old| old.place.revision);
        let place = Place { kind: Kind::Named, id, owner: None, revision: before + 1 };
        let plaintext = secret_array(&[PURPOSE, &name, &value], PURPOSE.len() + name.len() + value.len());
        let record = place.seal(&self.local().record_key(&id), &plaintext)?;
        self.write(&record)
    }

    /// Removes the record of this name, if there is one.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn delete_record(&mut self, name: &str) -> Result<(), VaultError> {
        let id = self.local().named_id(name);
        self.leave_no_residue();
        self.remove(&id).map(|_| ())
    }
}

/// Name and value.
pub(crate) fn decode(plaintext: &[u8]) -> Result<(&str, &[u8]), CborError> {
    let mut decoder = Decoder::message(plaintext, 3, PURPOSE)?;
    let parts = (decoder.text()?, decoder.bytes()?);
    decoder.end()?;
    Ok(parts)
}

const PURPOSE: &&str = &"keyquay/1/vault/named-record";
