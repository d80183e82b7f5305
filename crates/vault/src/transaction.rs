use keyquay_crypto::sign::SigningKey;

use crate::custody::Keeper;
use crate::db::Db;
use crate::header::Header;
use crate::keys::{LocalKey, RecordId};
use crate::record::{self, Inventory, Record};
use crate::vault::Keys;
use crate::{Vault, VaultError};

/// Changes that happen together or not at all. What is read through the vault meanwhile is as it was
/// before; what is read through the transaction has its changes.
pub struct Transaction<'v> {
    pub(crate) vault: &'v mut Vault,
    pub(crate) header: Header,
    inventory: Inventory,
    /// Keys that count from the commit on.
    new_local: Option<LocalKey>,
    new_signing: Option<SigningKey>,
    residue: bool,
    committed: bool,
}

impl Vault {
    /// Runs `work` in one transaction of the file: committed when it succeeds, rolled back when it fails.
    ///
    /// # Errors
    /// Those of `work`, and those of the disk.
    pub fn transaction<T, E: From<VaultError>>(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.db.begin()?;
        let mut transaction = Transaction {
            header: self.header.clone(),
            inventory: self.inventory.clone(),
            vault: self,
            new_local: None,
            new_signing: None,
            residue: false,
            committed: false,
        };
        let result = work(&mut transaction)?;
        transaction.commit()?;
        Ok(result)
    }
}

impl Transaction<'_> {
    pub(crate) fn db(&self) -> &Db {
        &self.vault.db
    }

    /// The keys before this transaction.
    pub(crate) fn keys(&self) -> &Keys {
        &self.vault.keys
    }

    /// The local key that records of this transaction are sealed under.
    pub(crate) fn local(&self) -> &LocalKey {
        self.new_local.as_ref().unwrap_or(&self.vault.keys.local)
    }

    pub(crate) fn keeper(&self) -> Keeper<'_> {
        self.vault.keeper()
    }

    pub(crate) fn is_disabled(&self) -> bool {
        self.inventory.disabled
    }

    pub(crate) fn set_disabled(&mut self, disabled: bool) {
        self.inventory.disabled = disabled;
    }

    /// Makes the record or puts it in the place of the one with its id.
    pub(crate) fn write(&mut self, new: &Record) -> Result<(), VaultError> {
        if let Some(old) = record::find(self.db(), &new.place.id)? {
            self.count(|inventory, key| inventory.subtract(key, old.place));
        }
        record::write(self.db(), new)?;
        self.count(|inventory, key| inventory.add(key, new.place));
        Ok(())
    }

    /// Removes a record; see [`Transaction::leave_no_residue`]. `false` if there is none.
    pub(crate) fn remove(&mut self, id: &RecordId) -> Result<bool, VaultError> {
        let Some(old) = record::find(self.db(), id)? else { return Ok(false) };
        record::remove(self.db(), id)?;
        self.count(|inventory, key| inventory.subtract(key, old.place));
        Ok(true)
    }

    /// From here on the records are counted, and sealed by whoever writes them, under another local key.
    pub(crate) fn replace_local_key(&mut self, key: LocalKey) -> Result<(), VaultError> {
        let disabled = self.inventory.disabled;
        self.inventory = Inventory::take(self.db(), &key, self.header.digest(), disabled)?;
        self.new_local = Some(key);
        self.residue = true;
        Ok(())
    }

    pub(crate) fn replace_signing_key(&mut self, key: SigningKey) {
        self.new_signing = Some(key);
        self.residue = true;
    }

    /// What this transaction replaces or removes is to be found neither in free pages nor in the WAL afterwards.
    pub(crate) fn leave_no_residue(&mut self) {
        self.residue = true;
    }

    fn count(&mut self, change: impl FnOnce(&mut Inventory, &LocalKey)) {
        let key = self.new_local.as_ref().unwrap_or(&self.vault.keys.local);
        change(&mut self.inventory, key);
    }

    fn commit(mut self) -> Result<(), VaultError> {
        if self.header != self.vault.header {
            self.header.store(self.db())?;
        }
        self.inventory.set_header(self.header.digest());
        if self.new_local.is_some() || self.inventory != self.vault.inventory {
            self.inventory.store(self.db(), self.local())?;
        }
        self.db().commit()?;
        self.committed = true;
        self.adopt();
        Ok(())
    }

    fn adopt(&mut self) {
        self.vault.header = self.header.clone();
        self.vault.inventory = self.inventory.clone();
        if let Some(key) = self.new_local.take() {
            self.vault.keys.local = key;
        }
        if let Some(key) = self.new_signing.take() {
            self.vault.signing = key.into();
        } else if !self.header.has_signing_key {
            self.vault.signing.take();
        }
        if self.residue {
            // Committed is committed: what cannot be erased now stays on the list, and opening tries again.
            let _ = self.vault.finish_erasures();
        }
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.committed {
            self.vault.db.roll_back();
        }
    }
}
