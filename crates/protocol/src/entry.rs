use keyquay_crypto::cbor::{CborError, Decoder, Encode, Encoded, encode_array};
use keyquay_crypto::hash::sha256_parts;
use keyquay_crypto::sign::{Signature, SigningKey};
use keyquay_crypto::{Digest, cbor_array};

use crate::device::PROFILE_LIMIT;
use crate::epoch::sealed_key;
use crate::{DeviceId, DeviceKeys, EpochStart, ItemId, Root, RootPublicKeys, UnlockSet, UserId};

/// One entry of the log, as bytes. What was signed is what is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub payload: Vec<u8>,
    pub signature: Signature,
    /// The sealed item that an ItemPut names, where it travels along.
    pub blob: Option<Vec<u8>>,
}

impl Entry {
    /// What the payload says; nothing is verified yet.
    ///
    /// # Errors
    /// [`CborError`] for any other form, version or purpose.
    pub fn decode(&self) -> Result<Payload, CborError> {
        Payload::decode(&self.payload)
    }

    /// The head of a log that ends with this entry.
    #[must_use]
    pub fn head(&self) -> Digest {
        entry_head(&self.payload, &self.signature)
    }
}

/// `SHA-256(payload ‖ signature)`: what the next entry names as `prev`.
#[must_use]
pub fn entry_head(payload: &[u8], signature: &Signature) -> Digest {
    sha256_parts(&[payload, signature])
}

/// Who signs an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    Root,
    Device(DeviceId),
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    pub user: UserId,
    /// Counts from 1.
    pub seq: u64,
    /// The head before; 32 zeros for a Genesis.
    pub prev: Digest,
    pub author: Author,
    /// Unix seconds, for display only.
    pub time: u64,
    pub body: Body,
}

/// What an entry does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    Genesis(Box<Genesis>),
    DeviceAdded {
        device: DeviceKeys,
        /// Name and platform, sealed under the current vault key.
        profile: Vec<u8>,
        /// The current vault key, sealed to the device.
        vault_key: Vec<u8>,
    },
    DeviceRemoved {
        device: DeviceId,
        epoch: EpochStart,
    },
    UnlockSet(UnlockSet),
    ItemPut {
        item: ItemId,
        revision: u64,
        epoch: u64,
        /// SHA-256 of the sealed item.
        blob: Digest,
    },
    ItemDeleted {
        item: ItemId,
        revision: u64,
    },
    ItemWithdrawn {
        item: ItemId,
        revision: u64,
    },
    SyncEnded,
}

/// How a log begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    pub root: RootPublicKeys,
    pub device: DeviceKeys,
    /// Name and platform, sealed under the vault key of epoch 1.
    pub profile: Vec<u8>,
    pub epoch: EpochStart,
    pub unlock: UnlockSet,
}

/// An entry that is not signed yet.
#[derive(Debug, Clone)]
pub struct Draft {
    pub user: UserId,
    pub seq: u64,
    pub prev: Digest,
    pub time: u64,
    pub body: Body,
    pub blob: Option<Vec<u8>>,
}

impl Draft {
    /// Signs as root.
    #[must_use]
    pub fn sign_as_root(self, root: &Root) -> Entry {
        self.sign(Author::Root, |payload| root.sign(payload))
    }

    /// Signs as a device.
    #[must_use]
    pub fn sign_as_device(self, device: DeviceId, key: &SigningKey) -> Entry {
        self.sign(Author::Device(device), |payload| key.sign(payload))
    }

    fn sign(self, author: Author, sign: impl FnOnce(&[u8]) -> Signature) -> Entry {
        let payload = cbor_array![PURPOSE, self.user, self.seq, self.prev, author, self.time, self.body];
        let signature = sign(&payload);
        Entry { payload, signature, blob: self.blob }
    }
}

const PURPOSE: &str = "keyquay/1/entry";
const GENESIS: &str = "genesis";
const DEVICE_ADDED: &str = "device-added";
const DEVICE_REMOVED: &str = "device-removed";
const UNLOCK_SET: &str = "unlock-set";
const ITEM_PUT: &str = "item-put";
const ITEM_DELETED: &str = "item-deleted";
const ITEM_WITHDRAWN: &str = "item-withdrawn";
const SYNC_ENDED: &str = "sync-ended";

impl Payload {
    /// Reads a payload.
    ///
    /// # Errors
    /// [`CborError`] for any other form, version or purpose.
    pub fn decode(bytes: &[u8]) -> Result<Self, CborError> {
        let mut decoder = Decoder::message(bytes, 7, PURPOSE)?;
        let payload = Self {
            user: UserId(decoder.fixed()?),
            seq: decoder.uint()?,
            prev: decoder.fixed()?,
            author: match decoder.optional(Decoder::fixed)? {
                Some(device) => Author::Device(DeviceId(device)),
                None => Author::Root,
            },
            time: decoder.uint()?,
            body: Body::decode(&mut decoder)?,
        };
        decoder.end()?;
        Ok(payload)
    }
}

impl Body {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, CborError> {
        let len = decoder.list(6)?;
        let kind = decoder.text()?;
        let expected = match kind {
            GENESIS => 6,
            ITEM_PUT => 5,
            DEVICE_ADDED => 4,
            DEVICE_REMOVED | ITEM_DELETED | ITEM_WITHDRAWN => 3,
            UNLOCK_SET => 2,
            SYNC_ENDED => 1,
            _ => return Err(CborError::UnexpectedPurpose),
        };
        if len != expected {
            return Err(CborError::UnexpectedLength);
        }
        Ok(match kind {
            GENESIS => Self::Genesis(Box::new(Genesis {
                root: {
                    decoder.array(2)?;
                    RootPublicKeys::decode(decoder)?
                },
                device: DeviceKeys::decode(decoder)?,
                profile: profile(decoder)?,
                epoch: EpochStart::decode(decoder)?,
                unlock: UnlockSet::decode(decoder)?,
            })),
            DEVICE_ADDED => Self::DeviceAdded {
                device: DeviceKeys::decode(decoder)?,
                profile: profile(decoder)?,
                vault_key: sealed_key(decoder)?,
            },
            DEVICE_REMOVED => Self::DeviceRemoved {
                device: DeviceId(decoder.fixed()?),
                epoch: EpochStart::decode(decoder)?,
            },
            UNLOCK_SET => Self::UnlockSet(UnlockSet::decode(decoder)?),
            ITEM_PUT => Self::ItemPut {
                item: ItemId(decoder.fixed()?),
                revision: decoder.uint()?,
                epoch: decoder.uint()?,
                blob: decoder.fixed()?,
            },
            ITEM_DELETED => Self::ItemDeleted { item: ItemId(decoder.fixed()?), revision: decoder.uint()? },
            ITEM_WITHDRAWN => {
                Self::ItemWithdrawn { item: ItemId(decoder.fixed()?), revision: decoder.uint()? }
            }
            _ => Self::SyncEnded,
        })
    }
}

impl Encode for Body {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Genesis(genesis) => {
                let Genesis { root, device, profile, epoch, unlock } = &**genesis;
                let mut keys = vec![0x82];
                root.encode_into(&mut keys);
                encode_array(&[&GENESIS, &Encoded(keys), device, profile, epoch, unlock], out);
            }
            Self::DeviceAdded { device, profile, vault_key } => {
                encode_array(&[&DEVICE_ADDED, device, profile, vault_key], out);
            }
            Self::DeviceRemoved { device, epoch } => {
                encode_array(&[&DEVICE_REMOVED, device, epoch], out);
            }
            Self::UnlockSet(set) => encode_array(&[&UNLOCK_SET, set], out),
            Self::ItemPut { item, revision, epoch, blob } => {
                encode_array(&[&ITEM_PUT, item, revision, epoch, blob], out);
            }
            Self::ItemDeleted { item, revision } => encode_array(&[&ITEM_DELETED, item, revision], out),
            Self::ItemWithdrawn { item, revision } => {
                encode_array(&[&ITEM_WITHDRAWN, item, revision], out);
            }
            Self::SyncEnded => encode_array(&[&SYNC_ENDED], out),
        }
    }
}

impl Encode for Author {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Root => None::<DeviceId>.encode(out),
            Self::Device(id) => id.encode(out),
        }
    }
}

fn profile(decoder: &mut Decoder<'_>) -> Result<Vec<u8>, CborError> {
    let sealed = decoder.bytes()?;
    if sealed.len() > PROFILE_LIMIT { Err(CborError::UnexpectedLength) } else { Ok(sealed.to_vec()) }
}
