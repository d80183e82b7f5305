//! The sync half: what only opens with the server's share.

use keyquay_crypto::sealing::SealingKey;
use keyquay_crypto::sign::SigningKey;
use keyquay_crypto::{SecretBytes, SecretKey, Zeroizing, random_bytes, sha256};

use crate::custody::{OFFLINE_SHARE, SHARE_DIGEST, SIGNING_KEY, SYNC_SECRET, entry_name};
use crate::db::Db;
use crate::header::Header;
use crate::keys::{ProfileId, RecordId, SyncKey, SyncSecret, derive_sync_key};
use crate::record::{self, Kind, Place, Record};
use crate::{Share, Transaction, Vault, VaultError};

/// What a device is made of when it enrols.
#[derive(Debug)]
pub struct Identity<'a> {
    pub signing: &'a SigningKey,
    pub sealing: &'a SealingKey,
    /// `None` while it is not known yet: see [`Vault::put_secret_key`].
    pub secret_key: Option<&'a SecretKey>,
}

/// The sync half, opened. Dropping it closes it and wipes its keys. It goes stale when the lock passphrase
/// changes or the half is destroyed: writing with it is refused then.
#[derive(Debug)]
pub struct OpenSync {
    profile: ProfileId,
    serial: u64,
    key: SyncKey,
    sealing: SealingKey,
    secret_key: Option<SecretKey>,
}

/// Names an edit in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EditId(RecordId);

/// An edit of a synced item that was not sent yet.
#[derive(Debug)]
pub struct Edit {
    pub id: EditId,
    pub bytes: Zeroizing<Vec<u8>>,
}

/// Why the sync half is destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// A verified entry removed this device: local accounts are disabled too, until their owner has proven who they are.
    Removed,
    /// Its owner ended sync or signed off.
    SignedOff,
}

impl OpenSync {
    pub(crate) fn open(db: &Db, header: &Header, key: SyncKey) -> Result<Self, VaultError> {
        let damaged = || db.damaged("a key for sync does not open");
        let sealing = open_only(db, &key, Kind::SealingKey)?.ok_or_else(damaged)?;
        let sealing =
            SecretBytes::try_copy_from(&sealing).map(SealingKey::from_seed).map_err(|_| damaged())?;
        let secret_key = match open_only(db, &key, Kind::SecretKey)? {
            Some(bytes) => Some(SecretKey::try_copy_from(&bytes).map_err(|_| damaged())?),
            None => None,
        };
        Ok(Self { profile: header.profile, serial: header.sync_serial, key, sealing, secret_key })
    }

    /// What vault keys are sealed to.
    #[must_use]
    pub fn sealing_key(&self) -> &SealingKey {
        &self.sealing
    }

    #[must_use]
    pub fn secret_key(&self) -> Option<&SecretKey> {
        self.secret_key.as_ref()
    }
}

impl Vault {
    /// Whether this device holds a sync half, open or closed.
    #[must_use]
    pub fn has_sync_half(&self) -> bool {
        self.header.has_sync_half
    }

    /// Persists a new device: the signing key goes to the keyring, the other keys are sealed under a sync key
    /// made of a fresh sync secret, the lock passphrase and `share`, whose SHA-256 is kept. What the vault
    /// has of a log stays and is sealed under the new signing key, so that a rollback is noticed still.
    ///
    /// # Errors
    /// [`VaultError::SyncHalfExists`], and those of the keyring and of the disk.
    pub fn begin_sync(&mut self, identity: &Identity<'_>, share: &Share) -> Result<OpenSync, VaultError> {
        if self.header.has_sync_half {
            return Err(VaultError::SyncHalfExists);
        }
        let parts = self.log_parts()?;
        let secret = SyncSecret::make_random();
        let key = derive_sync_key(&secret, self.keys.stretched.as_ref(), share, &self.header.profile);
        let signing = || SigningKey::from_seed(identity.signing.seed().duplicate());
        self.transaction(|transaction| {
            let old = transaction.header.sync_generation;
            transaction.header.sync_generation += 1;
            transaction.header.sync_serial += 1;
            transaction.header.has_sync_half = true;
            transaction.header.has_signing_key = true;
            transaction.keep_identity(identity.signing, &secret, share)?;
            transaction.erase_generation(old)?;
            transaction.write_sync(&key, Kind::SealingKey, 1, identity.sealing.seed().expose())?;
            if let Some(secret_key) = identity.secret_key {
                transaction.write_sync(&key, Kind::SecretKey, 1, secret_key.expose())?;
            }
            transaction.replace_signing_key(signing());
            transaction.store_log_parts(&parts, identity.signing)
        })?;
        let sealing = SealingKey::from_seed(identity.sealing.seed().duplicate());
        let secret_key = identity.secret_key.map(SecretKey::duplicate);
        Ok(OpenSync {
            profile: self.header.profile,
            serial: self.header.sync_serial,
            key,
            sealing,
            secret_key,
        })
    }

    /// Opens the sync half.
    ///
    /// # Errors
    /// [`VaultError::WrongShare`] when it is not the first one, [`VaultError::NoSyncHalf`], and those of the
    /// keyring and of the disk.
    pub fn open_sync(&self, share: &Share) -> Result<OpenSync, VaultError> {
        self.check_share(share)?;
        let name = entry_name(SYNC_SECRET, self.header.sync_generation);
        let secret = SyncSecret::try_copy_from(&self.keeper().require(&name)?)
            .map_err(|_| VaultError::KeyringEntryWrong { name })?;
        let key = derive_sync_key(&secret, self.keys.stretched.as_ref(), share, &self.header.profile);
        OpenSync::open(&self.db, &self.header, key)
    }

    /// Seals the Secret Key, made or typed after [`Vault::begin_sync`], or another one after Start anew.
    ///
    /// # Errors
    /// [`VaultError::StaleSync`], and those of the disk.
    pub fn put_secret_key(&mut self, sync: &mut OpenSync, secret_key: &SecretKey) -> Result<(), VaultError> {
        self.transaction(|transaction| {
            transaction.refuse_stale(sync)?;
            transaction.leave_no_residue();
            for old in record::of_kind(transaction.db(), Kind::SecretKey)? {
                transaction.remove(&old.place.id)?;
            }
            transaction.write_sync(&sync.key, Kind::SecretKey, 1, secret_key.expose()).map(|_| ())
        })?;
        sync.secret_key = Some(secret_key.duplicate());
        Ok(())
    }

    /// The edits not sent yet, oldest first.
    ///
    /// # Errors
    /// [`VaultError::StaleSync`], [`VaultError::Damaged`].
    pub fn outbox(&self, sync: &OpenSync) -> Result<Vec<Edit>, VaultError> {
        refuse_stale(&self.header, sync)?;
        let edit = |record: Record| {
            let bytes = record.open(&sync.key.record_key(&record.place.id));
            let bytes = bytes.map_err(|_| self.db.damaged("an edit not sent yet does not open"))?;
            Ok(Edit { id: EditId(record.place.id), bytes })
        };
        record::of_kind(&self.db, Kind::Edit)?.into_iter().map(edit).collect()
    }

    /// How many edits wait, also while synced keys are closed.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn outbox_len(&self) -> Result<u64, VaultError> {
        record::count(&self.db, Kind::Edit)
    }

    /// "Keep synced keys usable offline": puts the share into the keyring, where it opens the sync half
    /// without the server. This gives up that a removal closes the synced keys at rest.
    ///
    /// # Errors
    /// [`VaultError::WrongShare`], [`VaultError::NoSyncHalf`], and those of the keyring and of the disk.
    pub fn keep_share_offline(&mut self, share: &Share) -> Result<(), VaultError> {
        self.check_share(share)?;
        let name = entry_name(OFFLINE_SHARE, self.header.sync_generation);
        self.transaction(|transaction| transaction.keeper().put(&name, share.expose()))
    }

    /// Takes the share out of the keyring again.
    ///
    /// # Errors
    /// Those of the keyring and of the disk; then it may still be there.
    pub fn forget_offline_share(&mut self) -> Result<(), VaultError> {
        let name = entry_name(OFFLINE_SHARE, self.header.sync_generation);
        self.transaction(|transaction| {
            transaction.leave_no_residue();
            transaction.keeper().erase(&name)
        })?;
        self.finish_erasures()
    }

    /// The share, if it was kept for use offline.
    ///
    /// # Errors
    /// Those of the keyring.
    pub fn offline_share(&self) -> Result<Option<Share>, VaultError> {
        if !self.header.has_sync_half {
            return Ok(None);
        }
        let name = entry_name(OFFLINE_SHARE, self.header.sync_generation);
        let Some(bytes) = self.keeper().get(&name)? else { return Ok(None) };
        let share = Share::try_copy_from(&bytes).map_err(|_| VaultError::KeyringEntryWrong { name })?;
        self.check_share(&share).map(|()| Some(share))
    }

    pub(crate) fn check_share(&self, share: &Share) -> Result<(), VaultError> {
        if !self.header.has_sync_half {
            return Err(VaultError::NoSyncHalf);
        }
        let digest = self.keeper().require(&entry_name(SHARE_DIGEST, self.header.sync_generation))?;
        if sha256(share.expose()) == **digest { Ok(()) } else { Err(VaultError::WrongShare) }
    }
}

impl Transaction<'_> {
    /// Seals an edit of a synced item until it is sent.
    ///
    /// # Errors
    /// [`VaultError::StaleSync`], and those of the disk.
    pub fn put_edit(&mut self, sync: &OpenSync, bytes: &[u8]) -> Result<EditId, VaultError> {
        self.refuse_stale(sync)?;
        let last = record::newest_revision(self.db(), Kind::Edit)?;
        self.write_sync(&sync.key, Kind::Edit, last + 1, bytes).map(EditId)
    }

    /// Removes an edit that was acknowledged or given up. `false` if it is not there.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn remove_edit(&mut self, id: EditId) -> Result<bool, VaultError> {
        match record::find(self.db(), &id.0)? {
            Some(record) if record.place.kind == Kind::Edit => self.remove(&id.0),
            _ => Ok(false),
        }
    }

    /// Destroys the sealing key, the Secret Key, the edits not sent, the sync secret and the share kept for
    /// use offline. Log, blobs and signing key stay: without a sealing key they open nothing. In the
    /// transaction that stores the entry which says so.
    ///
    /// The keyring's entries go after the commit; if it does not answer then, [`Vault::has_erasures`] says so.
    /// The half is closed for good even before.
    ///
    /// # Errors
    /// [`VaultError::NoSyncHalf`], and those of the disk.
    pub fn destroy_sync_half(&mut self, end: End) -> Result<(), VaultError> {
        if !self.header.has_sync_half {
            return Err(VaultError::NoSyncHalf);
        }
        for kind in Kind::SYNC {
            for record in record::of_kind(self.db(), kind)? {
                self.remove(&record.place.id)?;
            }
        }
        let generation = self.header.sync_generation;
        for secret in [SYNC_SECRET, OFFLINE_SHARE] {
            self.keeper().erase(&entry_name(secret, generation))?;
        }
        self.header.has_sync_half = false;
        self.header.sync_serial += 1;
        self.leave_no_residue();
        if end == End::Removed {
            self.set_disabled(true);
        }
        Ok(())
    }

    /// Forgets the device: the sync half, the signing key and the log. For a sign-off after which nothing
    /// here is to act as this device; what the log has shown is forgotten too, so a rollback is not noticed
    /// when the person signs in again.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn forget_device(&mut self) -> Result<(), VaultError> {
        if self.header.has_sync_half {
            self.destroy_sync_half(End::SignedOff)?;
        }
        if self.header.has_signing_key {
            self.erase_generation(self.header.sync_generation)?;
            self.header.has_signing_key = false;
        }
        self.clear_log()
    }

    /// Seals everything of the sync half under another key. What `old` opened is stale afterwards.
    pub(crate) fn reseal_sync(&mut self, old: &SyncKey, new: &SyncKey) -> Result<(), VaultError> {
        for kind in Kind::SYNC {
            for record in record::of_kind(self.db(), kind)? {
                let plaintext = record.open(&old.record_key(&record.place.id));
                let plaintext = plaintext.map_err(|_| self.db().damaged("a key for sync does not open"))?;
                let resealed = record.place.seal(&new.record_key(&record.place.id), &plaintext)?;
                record::write(self.db(), &resealed)?;
            }
        }
        self.header.sync_serial += 1;
        self.leave_no_residue();
        Ok(())
    }

    fn refuse_stale(&self, sync: &OpenSync) -> Result<(), VaultError> {
        refuse_stale(&self.header, sync)
    }

    fn keep_identity(
        &self,
        signing: &SigningKey,
        secret: &SyncSecret,
        share: &Share,
    ) -> Result<(), VaultError> {
        let generation = self.header.sync_generation;
        let keeper = self.keeper();
        keeper.put(&entry_name(SIGNING_KEY, generation), signing.seed().expose())?;
        keeper.put(&entry_name(SYNC_SECRET, generation), secret.expose())?;
        keeper.put(&entry_name(SHARE_DIGEST, generation), &sha256(share.expose()))
    }

    fn erase_generation(&self, generation: u64) -> Result<(), VaultError> {
        if generation == 0 {
            return Ok(());
        }
        [SIGNING_KEY, SYNC_SECRET, SHARE_DIGEST, OFFLINE_SHARE]
            .iter()
            .try_for_each(|secret| self.keeper().erase(&entry_name(secret, generation)))
    }

    fn write_sync(
        &mut self,
        key: &SyncKey,
        kind: Kind,
        revision: u64,
        plaintext: &[u8],
    ) -> Result<RecordId, VaultError> {
        let place = Place { kind, id: random_bytes(), owner: None, revision };
        let record = place.seal(&key.record_key(&place.id), plaintext)?;
        self.write(&record)?;
        Ok(place.id)
    }
}

fn refuse_stale(header: &Header, sync: &OpenSync) -> Result<(), VaultError> {
    let is_current =
        header.has_sync_half && header.sync_serial == sync.serial && header.profile == sync.profile;
    if is_current { Ok(()) } else { Err(VaultError::StaleSync) }
}

fn open_only(db: &Db, key: &SyncKey, kind: Kind) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
    let Some(record) = record::of_kind(db, kind)?.pop() else { return Ok(None) };
    let plaintext = record.open(&key.record_key(&record.place.id));
    plaintext.map(Some).map_err(|_| db.damaged("a key for sync does not open"))
}
