//! A new local key, so that what local accounts left behind opens no more.

use keyquay_crypto::aead::AeadKey;

use crate::custody::{LOCAL_SECRET, entry_name};
use crate::keys::LocalKey;
use crate::record::{self, Kind, Place, Record};
use crate::vault::lock_local_key;
use crate::{Transaction, VaultError};

impl Transaction<'_> {
    /// To be called when a local account has become a synced one and was acknowledged, in the transaction
    /// that removes it: a new local secret and local key, all local records sealed anew, and the old secret
    /// erased after the commit. Older pages, and copies of the file from before, then hold nothing that the
    /// keyring can still open.
    ///
    /// # Errors
    /// Those of the keyring and of the disk.
    pub fn rotate_local_key(&mut self) -> Result<(), VaultError> {
        let key = LocalKey::make_random();
        self.reseal(&key)?;
        let mut header = self.header.clone();
        header.local_generation += 1;
        lock_local_key(&self.keeper(), &mut header, &key)?;
        self.keeper().erase(&entry_name(LOCAL_SECRET, self.header.local_generation))?;
        self.header = header;
        self.replace_local_key(key)
    }

    /// A record that does not open stays as it is, and is shown as damaged as before.
    fn reseal(&mut self, new: &LocalKey) -> Result<(), VaultError> {
        for kind in Kind::LOCAL {
            for old in record::of_kind(self.db(), kind)? {
                let Ok(plaintext) = old.open(&self.local().record_key(&old.place.id)) else { continue };
                let place = self.new_place(&old, &plaintext, new)?;
                record::remove(self.db(), &old.place.id)?;
                record::write(self.db(), &place.seal(&key_of(new, &place), &plaintext)?)?;
            }
        }
        Ok(())
    }

    /// Where a named record rests depends on the local key.
    fn new_place(&self, old: &Record, plaintext: &[u8], new: &LocalKey) -> Result<Place, VaultError> {
        if old.place.kind != Kind::Named {
            return Ok(old.place);
        }
        let (name, _) =
            crate::named::decode(plaintext).map_err(|_| self.db().damaged("a record has another form"))?;
        Ok(Place { id: new.named_id(name), ..old.place })
    }
}

fn key_of(key: &LocalKey, place: &Place) -> AeadKey {
    key.record_key(&place.id)
}
