//! A state as bytes, so that a device verifies only what is new. It rests sealed and never travels.

use std::collections::BTreeMap;

use keyquay_crypto::cbor::{CborError, Decoder, Encode, List, encode_array};
use keyquay_crypto::cbor_array;

use crate::root::RootPublicKeys;
use crate::state::{Device, Item, ItemStatus, LogHead, Membership, State};
use crate::{DeviceId, DeviceKeys, EpochStart, ItemId, UnlockSet, UserId};

impl State {
    /// The state as bytes.
    #[must_use]
    pub fn to_snapshot(&self) -> Vec<u8> {
        let mut root = vec![0x82];
        self.root.encode_into(&mut root);
        let devices: Vec<DeviceRow<'_>> = self.devices.values().map(DeviceRow).collect();
        let epochs: Vec<EpochRow<'_>> = self.epochs.iter().map(EpochRow).collect();
        let items: Vec<ItemRow<'_>> = self.items.iter().map(ItemRow).collect();
        cbor_array![
            PURPOSE,
            self.user,
            keyquay_crypto::cbor::Encoded(root),
            self.head.seq,
            self.head.hash,
            List(&devices),
            self.epoch,
            List(&epochs),
            self.unlock,
            List(&items),
            self.device_entries,
            u64::from(self.ended),
        ]
    }

    /// Reads what [`State::to_snapshot`] wrote.
    ///
    /// # Errors
    /// [`CborError`] for anything else, rows out of order and contradictions among them included.
    pub fn from_snapshot(bytes: &[u8]) -> Result<Self, CborError> {
        let mut decoder = Decoder::message(bytes, 12, PURPOSE)?;
        let user = UserId(decoder.fixed()?);
        decoder.array(2)?;
        let root = RootPublicKeys::decode(&mut decoder)?;
        let head = LogHead { seq: decoder.uint()?, hash: decoder.fixed()? };
        let devices: BTreeMap<DeviceId, Device> = rows(&mut decoder, device)?;
        let epoch = EpochStart::decode(&mut decoder)?;
        let epochs: Epochs = rows(&mut decoder, |decoder| {
            decoder.array(3)?;
            let number = decoder.uint()?;
            let commit = decoder.fixed()?;
            let previous = decoder.optional(Decoder::bytes)?.map(<[u8]>::to_vec);
            Ok((number, (commit, previous)))
        })?;
        let unlock = UnlockSet::decode(&mut decoder)?;
        let items: BTreeMap<ItemId, Item> = rows(&mut decoder, item)?;
        let device_entries = decoder.uint()?;
        let ended = match decoder.uint()? {
            0 => false,
            1 => true,
            _ => return Err(CborError::UnexpectedType),
        };
        decoder.end()?;
        if !is_consistent(head, &epoch, &devices, &epochs, &unlock, &items) {
            return Err(CborError::UnexpectedType);
        }
        let live_items = items.values().filter(|item| item.status == ItemStatus::Live).count();
        Ok(Self {
            user,
            root,
            head,
            devices,
            epoch,
            epochs,
            unlock,
            items,
            live_items,
            device_entries,
            ended,
        })
    }
}

const PURPOSE: &str = "keyquay/1/snapshot";

type Epochs = BTreeMap<u64, (keyquay_crypto::Digest, Option<Vec<u8>>)>;

struct DeviceRow<'a>(&'a Device);
struct EpochRow<'a>((&'a u64, &'a (keyquay_crypto::Digest, Option<Vec<u8>>)));
struct ItemRow<'a>((&'a ItemId, &'a Item));

impl Encode for DeviceRow<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        let Device { keys, profile, profile_epoch, added_seq, added, membership } = self.0;
        let removed = match membership {
            Membership::Active => (None, None),
            Membership::Removed { seq, time } => (Some(*seq), Some(*time)),
        };
        encode_array(&[keys, profile, profile_epoch, added_seq, added, &removed.0, &removed.1], out);
    }
}

impl Encode for EpochRow<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        let (number, (commit, previous)) = self.0;
        encode_array(&[number, commit, previous], out);
    }
}

impl Encode for ItemRow<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        let (id, item) = self.0;
        let status: u64 = match item.status {
            ItemStatus::Live => 0,
            ItemStatus::Deleted => 1,
            ItemStatus::Withdrawn => 2,
        };
        encode_array(
            &[id, &item.revision, &item.epoch, &item.blob, &item.author, &item.seq, &item.time, &status],
            out,
        );
    }
}

fn device(decoder: &mut Decoder<'_>) -> Result<(DeviceId, Device), CborError> {
    decoder.array(7)?;
    let keys = DeviceKeys::decode(decoder)?;
    let profile = decoder.bytes()?.to_vec();
    let profile_epoch = decoder.uint()?;
    let added_seq = decoder.uint()?;
    let added = decoder.uint()?;
    let removed = (decoder.optional(Decoder::uint)?, decoder.optional(Decoder::uint)?);
    let membership = match removed {
        (None, None) => Membership::Active,
        (Some(seq), Some(time)) => Membership::Removed { seq, time },
        _ => return Err(CborError::UnexpectedType),
    };
    Ok((keys.id, Device { keys, profile, profile_epoch, added_seq, added, membership }))
}

fn item(decoder: &mut Decoder<'_>) -> Result<(ItemId, Item), CborError> {
    decoder.array(8)?;
    let id = ItemId(decoder.fixed()?);
    let revision = decoder.uint()?;
    let epoch = decoder.uint()?;
    let blob = decoder.fixed()?;
    let author = DeviceId(decoder.fixed()?);
    let seq = decoder.uint()?;
    let time = decoder.uint()?;
    let status = match decoder.uint()? {
        0 => ItemStatus::Live,
        1 => ItemStatus::Deleted,
        2 => ItemStatus::Withdrawn,
        _ => return Err(CborError::UnexpectedType),
    };
    Ok((id, Item { revision, epoch, blob, author, seq, time, status }))
}

fn rows<K: Ord, V>(
    decoder: &mut Decoder<'_>,
    read: impl Fn(&mut Decoder<'_>) -> Result<(K, V), CborError>,
) -> Result<BTreeMap<K, V>, CborError> {
    let count = decoder.list(usize::MAX)?;
    let mut map = BTreeMap::new();
    for _ in 0..count {
        let (key, value) = read(decoder)?;
        if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return Err(CborError::NotCanonical);
        }
        map.insert(key, value);
    }
    Ok(map)
}

/// Whether some log can have led here, as far as the rows tell without its entries: what later steps count on.
fn is_consistent(
    head: LogHead,
    epoch: &EpochStart,
    devices: &BTreeMap<DeviceId, Device>,
    epochs: &Epochs,
    unlock: &UnlockSet,
    items: &BTreeMap<ItemId, Item>,
) -> bool {
    let in_log = 1..=head.seq.min(u64::MAX / 2);
    let active = devices.values().filter(|device| device.is_active()).map(|device| &device.keys.id);
    let current = epochs.last_key_value();
    in_log.contains(&head.seq)
        && in_log.contains(&unlock.version)
        && in_log.contains(&epoch.number)
        && current == Some((&epoch.number, &(epoch.commit, epoch.previous.clone())))
        && epochs.len() as u64 == epoch.number
        && epochs.iter().all(|(number, (_, previous))| *number >= 1 && (*number == 1) == previous.is_none())
        && epoch.to_devices.keys().eq(active)
        && items.values().all(|item| in_log.contains(&item.revision) && in_log.contains(&item.seq))
}
