//! How entries and blobs are keyed in their rows.

use keyquay_crypto::cbor::Decoder;
use keyquay_crypto::{Digest, cbor_array};
use keyquay_protocol::{DeviceId, Entry, ItemId, Problem};

use super::rows::{Kind, damaged};

/// Prefix of everything that belongs to one log.
pub fn generation_key(generation: u32) -> [u8; 4] {
    generation.to_be_bytes()
}

pub fn entry_key(generation: u32, seq: u64) -> Vec<u8> {
    [generation_key(generation).as_slice(), &seq.to_be_bytes()].concat()
}

pub fn item_key(generation: u32, item: ItemId) -> Vec<u8> {
    [generation_key(generation).as_slice(), item.as_bytes()].concat()
}

pub fn blob_key(generation: u32, item: ItemId, revision: u64) -> Vec<u8> {
    [generation_key(generation).as_slice(), item.as_bytes(), &revision.to_be_bytes()].concat()
}

pub fn hash_key(generation: u32, hash: &Digest) -> Vec<u8> {
    [generation_key(generation).as_slice(), hash].concat()
}

/// Payload and signature of an entry, as its row holds them. The blob has a row of its own.
pub fn write_entry(entry: &Entry) -> Vec<u8> {
    cbor_array![entry.payload, entry.signature]
}

pub fn read_entry(value: &[u8]) -> Result<Entry, Problem> {
    let read = || {
        let mut decoder = Decoder::new(value);
        decoder.array(2)?;
        let entry = Entry { payload: decoder.bytes()?.to_vec(), signature: decoder.fixed()?, blob: None };
        decoder.end().map(|()| entry)
    };
    read().map_err(|_| damaged(Kind::Entry))
}

/// Item and revision of a superseded blob.
pub fn write_superseded(item: ItemId, revision: u64) -> Vec<u8> {
    cbor_array![item, revision]
}

pub fn read_superseded(value: &[u8]) -> Result<(ItemId, u64), Problem> {
    let read = || {
        let mut decoder = Decoder::new(value);
        decoder.array(2)?;
        let found = (ItemId(decoder.fixed()?), decoder.uint()?);
        decoder.end().map(|()| found)
    };
    read().map_err(|_| damaged(Kind::Superseded))
}

/// What the server's diary says to look at when its time has come. Whoever looks decides by what is there then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    PendingDevice(DeviceId),
    Link(Digest),
    Registration(Digest),
    Superseded { generation: u32, item: ItemId, revision: u64, hash: Digest },
    EndedLog { generation: u32 },
    DeleteUser,
}

/// A line of the diary: when (8 bytes), whose (16), a tag, and what.
pub fn diary_key(due: u64, user: keyquay_protocol::UserId, what: &Due) -> Vec<u8> {
    let mut key = due.to_be_bytes().to_vec();
    key.extend_from_slice(user.as_bytes());
    match what {
        Due::PendingDevice(device) => {
            key.push(1);
            key.extend_from_slice(device.as_bytes());
        }
        Due::Link(token) => {
            key.push(2);
            key.extend_from_slice(token);
        }
        Due::Registration(id) => {
            key.push(3);
            key.extend_from_slice(id);
        }
        Due::Superseded { generation, item, revision, hash } => {
            key.push(4);
            key.extend(blob_key(*generation, *item, *revision));
            key.extend_from_slice(hash);
        }
        Due::EndedLog { generation } => {
            key.push(5);
            key.extend_from_slice(&generation_key(*generation));
        }
        Due::DeleteUser => key.push(6),
    }
    key
}

/// Reads a line of the diary; `None` for one that this version does not write.
pub fn read_diary_key(key: &[u8]) -> Option<(keyquay_protocol::UserId, Due)> {
    let (_, rest) = key.split_first_chunk::<8>()?;
    let (user, rest) = rest.split_first_chunk::<16>()?;
    let (tag, rest) = rest.split_first()?;
    let due = match tag {
        1 => Due::PendingDevice(DeviceId(rest.try_into().ok()?)),
        2 => Due::Link(rest.try_into().ok()?),
        3 => Due::Registration(rest.try_into().ok()?),
        4 => {
            let (generation, rest) = rest.split_first_chunk::<4>()?;
            let (item, rest) = rest.split_first_chunk::<16>()?;
            let (revision, hash) = rest.split_first_chunk::<8>()?;
            Due::Superseded {
                generation: u32::from_be_bytes(*generation),
                item: ItemId(*item),
                revision: u64::from_be_bytes(*revision),
                hash: hash.try_into().ok()?,
            }
        }
        5 => Due::EndedLog { generation: u32::from_be_bytes(rest.try_into().ok()?) },
        6 if rest.is_empty() => Due::DeleteUser,
        _ => return None,
    };
    Some((keyquay_protocol::UserId(*user), due))
}

#[cfg(test)]
mod tests {
    use keyquay_protocol::UserId;

    use super::*;

    #[test]
    fn a_line_of_the_diary_reads_back_and_lines_sort_by_time() {
        let user = UserId::make_random();
        let lines = [
            Due::PendingDevice(DeviceId::make_random()),
            Due::Link([1; 32]),
            Due::Registration([2; 32]),
            Due::Superseded { generation: 3, item: ItemId::make_random(), revision: 4, hash: [5; 32] },
            Due::EndedLog { generation: 6 },
            Due::DeleteUser,
        ];
        let mut keys = Vec::new();
        for (time, line) in lines.iter().enumerate() {
            let key = diary_key(1_000 + time as u64, user, line);
            assert_eq!(read_diary_key(&key), Some((user, *line)));
            keys.push(key);
        }
        assert!(keys.is_sorted());
        assert_eq!(read_diary_key(b"short"), None);
    }
}
