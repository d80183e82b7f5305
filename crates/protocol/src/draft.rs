//! Drafts of what may come next. They follow from the state alone and are signed by [`Draft`]'s methods.

use keyquay_crypto::{CryptoError, sha256};

use crate::{
    Body, DeviceId, DeviceKeys, Draft, EpochStart, Genesis, ItemId, Root, State, UnlockSet, UserId, VaultKey,
    VaultKeys, epoch,
};

impl State {
    /// The Genesis of a fresh log.
    ///
    /// # Errors
    /// [`CryptoError`] for keys with which no secret can be agreed.
    pub fn draft_genesis(
        user: UserId,
        root: &Root,
        device: &DeviceKeys,
        profile: &crate::DeviceProfile,
        vault_key: &VaultKey,
        unlock: UnlockSet,
        time: u64,
    ) -> Result<Draft, CryptoError> {
        let keys = root.public_keys();
        let body = Body::Genesis(Box::new(Genesis {
            root: keys,
            device: *device,
            profile: profile.seal(vault_key, user, device.id, 1)?,
            epoch: EpochStart::seal(user, 1, vault_key, None, &keys.sealing, [device])?,
            unlock,
        }));
        Ok(Draft { user, seq: 1, prev: [0; 32], time, body, blob: None })
    }

    /// Adds a device: seals the current vault key to it.
    ///
    /// # Errors
    /// [`CryptoError`] for keys with which no secret can be agreed, or without the current vault key.
    pub fn draft_device_added(
        &self,
        keys: &VaultKeys,
        device: &DeviceKeys,
        profile: &crate::DeviceProfile,
        time: u64,
    ) -> Result<Draft, CryptoError> {
        let number = self.epoch.number;
        let vault_key = keys.of_epoch(number).ok_or(CryptoError::Open)?;
        let body = Body::DeviceAdded {
            device: *device,
            profile: profile.seal(vault_key, self.user, device.id, number)?,
            vault_key: epoch::seal_to_device(self.user, number, vault_key, device)?,
        };
        Ok(self.draft(body, None, time))
    }

    /// Removes a device: a fresh vault key, sealed to root and to those that stay.
    ///
    /// # Errors
    /// [`CryptoError`] for keys with which no secret can be agreed, or without the current vault key.
    pub fn draft_device_removed(
        &self,
        keys: &VaultKeys,
        device: DeviceId,
        time: u64,
    ) -> Result<Draft, CryptoError> {
        let before = keys.of_epoch(self.epoch.number).ok_or(CryptoError::Open)?;
        let staying = self.active_devices().map(|active| &active.keys).filter(|staying| staying.id != device);
        let epoch = EpochStart::seal(
            self.user,
            self.epoch.number + 1,
            &VaultKey::make_random(),
            Some(before),
            &self.root.sealing,
            staying,
        )?;
        Ok(self.draft(Body::DeviceRemoved { device, epoch }, None, time))
    }

    /// Names new unlock records.
    #[must_use]
    pub fn draft_unlock_set(&self, records: &crate::UnlockRecords, time: u64) -> Draft {
        self.draft(Body::UnlockSet(records.to_set(self.unlock.version + 1)), None, time)
    }

    /// Puts the next revision of an item, sealed under the current epoch.
    ///
    /// # Errors
    /// [`CryptoError`] without the current vault key, or for absurd lengths.
    pub fn draft_item_put(
        &self,
        keys: &VaultKeys,
        item: ItemId,
        content: &crate::ItemContent,
        time: u64,
    ) -> Result<Draft, CryptoError> {
        let epoch = self.epoch.number;
        let vault_key = keys.of_epoch(epoch).ok_or(CryptoError::Open)?;
        let revision = self.next_revision(item);
        let blob = crate::seal_item(content, vault_key, self.user, item, revision, epoch)?;
        let body = Body::ItemPut { item, revision, epoch, blob: sha256(&blob) };
        Ok(self.draft(body, Some(blob), time))
    }

    #[must_use]
    pub fn draft_item_deleted(&self, item: ItemId, time: u64) -> Draft {
        self.draft(Body::ItemDeleted { item, revision: self.next_revision(item) }, None, time)
    }

    #[must_use]
    pub fn draft_item_withdrawn(&self, item: ItemId, time: u64) -> Draft {
        self.draft(Body::ItemWithdrawn { item, revision: self.next_revision(item) }, None, time)
    }

    #[must_use]
    pub fn draft_sync_ended(&self, time: u64) -> Draft {
        self.draft(Body::SyncEnded, None, time)
    }

    fn next_revision(&self, item: ItemId) -> u64 {
        self.items.get(&item).map_or(0, |known| known.revision) + 1
    }

    fn draft(&self, body: Body, blob: Option<Vec<u8>>, time: u64) -> Draft {
        Draft { user: self.user, seq: self.head.seq + 1, prev: self.head.hash, time, body, blob }
    }
}
