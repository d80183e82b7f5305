use std::collections::BTreeMap;

use keyquay_crypto::cbor::CborError;
use keyquay_crypto::phrase::six_words;
use keyquay_crypto::{CryptoError, Digest, cbor_array, sha256};
use thiserror::Error;

use crate::{
    Author, Body, DeviceId, DeviceKeys, Entry, EpochStart, EpochViolation, Genesis, ItemId, Payload,
    RootPublicKeys, UnlockSet, UserId,
};

/// What a log may hold. Enforced alike by client and keystore.
pub mod limits {
    pub const ACTIVE_DEVICES: usize = 32;
    pub const LIVE_ITEMS: usize = 10_000;
    /// Bytes of a sealed item.
    pub const BLOB: usize = 64 * 1024;
    /// Bytes of an entry's payload.
    pub const ENTRY: usize = 16 * 1024;
    /// Entries by devices in one epoch; root's are always accepted [a stolen device could otherwise block its own
    /// removal], and a removal gives the others room again [what it used up would otherwise stop them for good].
    pub const DEVICE_ENTRIES: u64 = 200_000;
}

/// Why an entry cannot follow, or a message contradicts what the log proves. Sync stops on any of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Violation {
    #[error("an entry is malformed or of another version: {0}")]
    Malformed(#[from] CborError),
    #[error("an entry belongs to another user")]
    OtherUser,
    #[error("an entry does not follow the one before it")]
    Chain,
    #[error("an entry is not signed by its author")]
    Signature,
    #[error("an entry's author is not an active device")]
    NotActive,
    #[error("this kind of entry needs another author")]
    WrongAuthor,
    #[error("a log begins with exactly one Genesis")]
    Genesis,
    #[error("a device id or key was used before")]
    DeviceReused,
    #[error("the device to remove is not active, or is the last one")]
    DeviceRemoval,
    #[error("a new epoch does not follow, or is not sealed to exactly the active devices")]
    Epoch,
    #[error("an UnlockSet does not follow the one before it")]
    UnlockVersion,
    #[error("an item's revision does not follow, or the item does not exist")]
    Revision,
    #[error("an item is sealed under another epoch than the current one")]
    ItemEpoch,
    #[error("a sealed item is not the one that its entry names")]
    Blob,
    #[error("a limit of the log is reached")]
    Limit,
    #[error("the log ended")]
    Ended,
    #[error("a record does not open")]
    Unlock,
    #[error("an unlock record is not the one that the log names")]
    UnlockRecord,
    #[error("the root that opened is not the one that the log's Genesis names")]
    OtherRoot,
    #[error("a vault key does not match the log: {0}")]
    VaultKey(#[from] EpochViolation),
    #[error("a device has seen another history")]
    SeenOtherHistory,
    #[error("the history does not contain what this device saw before")]
    RolledBack,
}

/// Where a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    pub seq: u64,
    pub hash: Digest,
}

/// Whether a device belongs to the user, in the words of the log. Suspension is the keystore's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    Active,
    Removed { seq: u64, time: u64 },
}

/// A device that the log names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub keys: DeviceKeys,
    /// Name and platform, sealed under the vault key of `profile_epoch`.
    pub profile: Vec<u8>,
    pub profile_epoch: u64,
    pub added_seq: u64,
    /// Unix seconds, for display only.
    pub added: u64,
    pub membership: Membership,
}

impl Device {
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.membership == Membership::Active
    }
}

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemStatus {
    Live,
    Deleted,
    Withdrawn,
}

/// The latest word of the log on an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    pub revision: u64,
    /// Epoch of the latest blob.
    pub epoch: u64,
    /// SHA-256 of the latest blob.
    pub blob: Digest,
    pub author: DeviceId,
    pub seq: u64,
    /// Unix seconds, for display only.
    pub time: u64,
    pub status: ItemStatus,
}

/// All that a log says, up to its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub(crate) user: UserId,
    pub(crate) root: RootPublicKeys,
    pub(crate) head: LogHead,
    pub(crate) devices: BTreeMap<DeviceId, Device>,
    pub(crate) epoch: EpochStart,
    /// Commitment and sealed predecessor of every epoch.
    pub(crate) epochs: BTreeMap<u64, (Digest, Option<Vec<u8>>)>,
    pub(crate) unlock: UnlockSet,
    pub(crate) items: BTreeMap<ItemId, Item>,
    pub(crate) live_items: usize,
    /// Entries by devices in the current epoch.
    pub(crate) device_entries: u64,
    pub(crate) ended: bool,
}

impl State {
    /// Begins a log with its Genesis.
    ///
    /// # Errors
    /// [`Violation`] for anything but a Genesis of this user that its own root signed.
    pub fn begin(user: UserId, entry: &Entry) -> Result<Self, Violation> {
        let payload = decode(entry)?;
        if payload.user != user {
            return Err(Violation::OtherUser);
        }
        if payload.seq != 1 || payload.prev != [0; 32] {
            return Err(Violation::Chain);
        }
        let Body::Genesis(genesis) = payload.body else {
            return Err(Violation::Genesis);
        };
        let Genesis { root, device, profile, epoch, unlock } = *genesis;
        if payload.author != Author::Root {
            return Err(Violation::WrongAuthor);
        }
        root.signing.verify(&entry.payload, &entry.signature).map_err(|_| Violation::Signature)?;
        if entry.blob.is_some() {
            return Err(Violation::Blob);
        }
        if device.signing == root.signing || device.sealing == root.sealing {
            return Err(Violation::DeviceReused);
        }
        let sealed_to_the_device = epoch.to_devices.keys().eq([&device.id]);
        if epoch.number != 1 || epoch.previous.is_some() || !sealed_to_the_device {
            return Err(Violation::Epoch);
        }
        if unlock.version != 1 {
            return Err(Violation::UnlockVersion);
        }
        let first = Device {
            keys: device,
            profile,
            profile_epoch: 1,
            added_seq: 1,
            added: payload.time,
            membership: Membership::Active,
        };
        Ok(Self {
            user,
            root,
            head: LogHead { seq: 1, hash: entry.head() },
            devices: BTreeMap::from([(device.id, first)]),
            epochs: BTreeMap::from([(1, (epoch.commit, None))]),
            epoch,
            unlock,
            items: BTreeMap::new(),
            live_items: 0,
            device_entries: 0,
            ended: false,
        })
    }

    /// Verifies that `entry` may follow, and takes it in. A refused entry changes nothing.
    ///
    /// # Errors
    /// The [`Violation`] that it would be.
    pub fn apply(&mut self, entry: &Entry) -> Result<Payload, Violation> {
        let payload = decode(entry)?;
        if self.ended {
            return Err(Violation::Ended);
        }
        if payload.user != self.user {
            return Err(Violation::OtherUser);
        }
        if payload.seq != self.head.seq + 1 || payload.prev != self.head.hash {
            return Err(Violation::Chain);
        }
        self.verify_author(&payload, entry)?;
        check_blob(&payload.body, entry.blob.as_deref())?;
        self.check_body(&payload)?;

        self.take_in(&payload);
        self.head = LogHead { seq: payload.seq, hash: entry.head() };
        Ok(payload)
    }

    #[must_use]
    pub fn user(&self) -> UserId {
        self.user
    }

    #[must_use]
    pub fn root(&self) -> &RootPublicKeys {
        &self.root
    }

    #[must_use]
    pub fn head(&self) -> LogHead {
        self.head
    }

    /// Every device that ever was, by id.
    #[must_use]
    pub fn devices(&self) -> &BTreeMap<DeviceId, Device> {
        &self.devices
    }

    pub fn active_devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.values().filter(|device| device.is_active())
    }

    #[must_use]
    pub fn is_active(&self, device: DeviceId) -> bool {
        self.devices.get(&device).is_some_and(Device::is_active)
    }

    /// The current epoch.
    #[must_use]
    pub fn epoch(&self) -> &EpochStart {
        &self.epoch
    }

    #[must_use]
    pub fn unlock(&self) -> &UnlockSet {
        &self.unlock
    }

    /// Every item that ever was, by id.
    #[must_use]
    pub fn items(&self) -> &BTreeMap<ItemId, Item> {
        &self.items
    }

    pub fn live_items(&self) -> impl Iterator<Item = (&ItemId, &Item)> {
        self.items.iter().filter(|(_, item)| item.status == ItemStatus::Live)
    }

    /// Whether SyncEnded closed the log.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn epoch_record(&self, number: u64) -> Option<(&Digest, Option<&Vec<u8>>)> {
        self.epochs.get(&number).map(|(commit, previous)| (commit, previous.as_ref()))
    }

    fn verify_author(&self, payload: &Payload, entry: &Entry) -> Result<(), Violation> {
        let needs_root = matches!(
            payload.body,
            Body::Genesis(_)
                | Body::DeviceAdded { .. }
                | Body::DeviceRemoved { .. }
                | Body::UnlockSet(_)
                | Body::SyncEnded
        );
        let key = match payload.author {
            Author::Root if needs_root => &self.root.signing,
            Author::Device(id) if !needs_root => {
                let device = self.devices.get(&id).ok_or(Violation::NotActive)?;
                if !device.is_active() {
                    return Err(Violation::NotActive);
                }
                if self.device_entries >= limits::DEVICE_ENTRIES {
                    return Err(Violation::Limit);
                }
                &device.keys.signing
            }
            _ => return Err(Violation::WrongAuthor),
        };
        key.verify(&entry.payload, &entry.signature).map_err(|_: CryptoError| Violation::Signature)
    }

    fn check_body(&self, payload: &Payload) -> Result<(), Violation> {
        match &payload.body {
            Body::Genesis(_) => Err(Violation::Genesis),
            Body::DeviceAdded { device, .. } => self.check_new_device(device),
            Body::DeviceRemoved { device, epoch } => self.check_removal(*device, epoch),
            Body::UnlockSet(set) if set.version == self.unlock.version + 1 => Ok(()),
            Body::UnlockSet(_) => Err(Violation::UnlockVersion),
            Body::ItemPut { item, revision, epoch, .. } => self.check_put(*item, *revision, *epoch),
            Body::ItemDeleted { item, revision } | Body::ItemWithdrawn { item, revision } => {
                match self.items.get(item) {
                    Some(known) if known.status == ItemStatus::Live && *revision == known.revision + 1 => {
                        Ok(())
                    }
                    _ => Err(Violation::Revision),
                }
            }
            Body::SyncEnded => Ok(()),
        }
    }

    fn check_new_device(&self, device: &DeviceKeys) -> Result<(), Violation> {
        let reused = self.devices.values().map(|known| &known.keys).any(|known| {
            known.id == device.id || known.signing == device.signing || known.sealing == device.sealing
        });
        if reused || device.signing == self.root.signing || device.sealing == self.root.sealing {
            return Err(Violation::DeviceReused);
        }
        if self.active_devices().count() >= limits::ACTIVE_DEVICES {
            return Err(Violation::Limit);
        }
        Ok(())
    }

    fn check_removal(&self, device: DeviceId, epoch: &EpochStart) -> Result<(), Violation> {
        if !self.is_active(device) || self.active_devices().nth(1).is_none() {
            return Err(Violation::DeviceRemoval);
        }
        let remaining = self.active_devices().map(|active| &active.keys.id).filter(|id| **id != device);
        let follows = epoch.number == self.epoch.number + 1 && epoch.previous.is_some();
        if follows && epoch.to_devices.keys().eq(remaining) { Ok(()) } else { Err(Violation::Epoch) }
    }

    fn check_put(&self, item: ItemId, revision: u64, epoch: u64) -> Result<(), Violation> {
        if epoch != self.epoch.number {
            return Err(Violation::ItemEpoch);
        }
        let known = self.items.get(&item);
        if revision != known.map_or(0, |known| known.revision) + 1 {
            return Err(Violation::Revision);
        }
        let is_live = known.is_some_and(|known| known.status == ItemStatus::Live);
        if !is_live && self.live_items >= limits::LIVE_ITEMS {
            return Err(Violation::Limit);
        }
        Ok(())
    }

    fn take_in(&mut self, payload: &Payload) {
        if let Author::Device(_) = payload.author {
            self.device_entries += 1;
        }
        match &payload.body {
            Body::Genesis(_) => {}
            Body::DeviceAdded { device, profile, vault_key } => {
                self.epoch.to_devices.insert(device.id, vault_key.clone());
                let added = Device {
                    keys: *device,
                    profile: profile.clone(),
                    profile_epoch: self.epoch.number,
                    added_seq: payload.seq,
                    added: payload.time,
                    membership: Membership::Active,
                };
                self.devices.insert(device.id, added);
            }
            Body::DeviceRemoved { device, epoch } => {
                if let Some(removed) = self.devices.get_mut(device) {
                    removed.membership = Membership::Removed { seq: payload.seq, time: payload.time };
                }
                self.epochs.insert(epoch.number, (epoch.commit, epoch.previous.clone()));
                self.epoch = epoch.clone();
                self.device_entries = 0;
            }
            Body::UnlockSet(set) => self.unlock = *set,
            Body::ItemPut { item, revision, epoch, blob } => {
                self.put_item(*item, payload, *revision, Some((*epoch, *blob)), ItemStatus::Live);
            }
            Body::ItemDeleted { item, revision } => {
                self.put_item(*item, payload, *revision, None, ItemStatus::Deleted);
            }
            Body::ItemWithdrawn { item, revision } => {
                self.put_item(*item, payload, *revision, None, ItemStatus::Withdrawn);
            }
            Body::SyncEnded => self.ended = true,
        }
    }

    fn put_item(
        &mut self,
        id: ItemId,
        payload: &Payload,
        revision: u64,
        blob: Option<(u64, Digest)>,
        status: ItemStatus,
    ) {
        let Author::Device(author) = payload.author else { return };
        let before = self.items.get(&id);
        let Some((epoch, blob)) = blob.or(before.map(|item| (item.epoch, item.blob))) else { return };
        let was_live = before.is_some_and(|item| item.status == ItemStatus::Live);
        match (was_live, status == ItemStatus::Live) {
            (false, true) => self.live_items += 1,
            (true, false) => self.live_items -= 1,
            _ => {}
        }
        let item = Item { revision, epoch, blob, author, seq: payload.seq, time: payload.time, status };
        self.items.insert(id, item);
    }
}

/// The six words of a head, to compare with another device.
#[must_use]
pub fn head_phrase(head: &LogHead) -> String {
    six_words(&sha256(&cbor_array!["keyquay/1/head-phrase", head.seq, head.hash]))
}

fn decode(entry: &Entry) -> Result<Payload, Violation> {
    if entry.payload.len() > limits::ENTRY {
        return Err(Violation::Limit);
    }
    Ok(entry.decode()?)
}

/// A blob that travels along is the one that the entry names; where none does, the keystore asks for it.
fn check_blob(body: &Body, blob: Option<&[u8]>) -> Result<(), Violation> {
    match (body, blob) {
        (_, None) => Ok(()),
        (Body::ItemPut { blob: named, .. }, Some(blob)) => {
            if blob.len() > limits::BLOB {
                return Err(Violation::Limit);
            }
            if sha256(blob) == *named { Ok(()) } else { Err(Violation::Blob) }
        }
        (_, Some(_)) => Err(Violation::Blob),
    }
}
