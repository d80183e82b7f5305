//! What a hostile server, a removed device or a stolen one may try with a log; see the threat model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Installation, TIME, World, content, genesis, replay, some_records};
use keyquay_crypto::opaque::ExportKey;
use keyquay_crypto::sealing::SealingKey;
use keyquay_crypto::sign::SigningKey;
use keyquay_crypto::{CryptoError, Digest, RecoveryCode, SecretKey};
use keyquay_protocol::{
    DeviceKeys, Entry, ItemId, Root, Seen, Share, State, UnlockKey, UnlockRecords, UserId, Violation,
    open_share, seal_share, share_hash, sign_in_context,
};

/// A log with every body but the last in it: three devices, one removed, items put, edited, deleted, withdrawn.
fn lively() -> World {
    let mut world = World::with_devices(3);
    let (one, two) = (world.put_item(0, "one"), world.put_item(1, "two"));
    let edit = world.put(2, one, "one, edited");
    world.append(edit);
    world.remove_device(2);
    let set = world.unlock_set();
    world.append(set);
    let delete = world.deleted(0, one);
    world.append(delete);
    let withdraw = world.withdrawn(1, two);
    world.append(withdraw);
    world.put_item(0, "three");
    world
}

#[test]
fn a_history_is_taken_whole_as_it_was_written_and_by_all_alike() {
    let mut world = lively();
    let end = world.sync_ended();
    world.append(end);
    // Keystore and client run the same function over the same bytes; one of them goes through a stored state.
    let keystore = replay(world.user, &world.log).unwrap();
    assert!(keystore == world.state);
    for cut in 1..world.log.len() {
        let client = replay(world.user, &world.log[..cut]).unwrap();
        let mut client = State::from_snapshot(&client.to_snapshot()).unwrap();
        for entry in &world.log[cut..] {
            client.apply(entry).unwrap();
        }
        assert!(client == keystore);
        assert_eq!(client.to_snapshot(), keystore.to_snapshot());
    }
}

#[test]
fn a_flipped_bit_in_any_byte_of_any_entry_is_refused() {
    let world = lively();
    for (index, entry) in world.log.iter().enumerate() {
        let before = (index > 0).then(|| replay(world.user, &world.log[..index]).unwrap());
        let takes = |entry: &Entry| match &before {
            Some(state) => state.clone().apply(entry).is_ok(),
            None => State::begin(world.user, entry).is_ok(),
        };
        assert!(takes(entry));
        for byte in 0..entry.payload.len() {
            let mut altered = entry.clone();
            altered.payload[byte] ^= 1 << (byte % 8);
            assert!(!takes(&altered), "entry {index}, byte {byte}");
        }
        for byte in 0..64 {
            let mut altered = entry.clone();
            altered.signature[byte] ^= 1 << (byte % 8);
            assert!(!takes(&altered), "entry {index}, byte {byte} of the signature");
        }
        for byte in 0..entry.blob.as_ref().map_or(0, Vec::len) {
            let mut altered = entry.clone();
            if let Some(blob) = &mut altered.blob {
                blob[byte] ^= 1 << (byte % 8);
            }
            assert!(!takes(&altered), "entry {index}, byte {byte} of the blob");
        }
        for cut in 0..entry.payload.len() {
            let mut altered = entry.clone();
            altered.payload.truncate(cut);
            assert!(!takes(&altered));
        }
        let mut longer = entry.clone();
        longer.payload.push(0);
        assert!(!takes(&longer));
    }
}

#[test]
fn a_dropped_repeated_or_swapped_entry_is_refused() {
    let world = lively();
    for index in 1..world.log.len() {
        let state = replay(world.user, &world.log[..index]).unwrap();
        for (other, entry) in world.log.iter().enumerate() {
            let taken = state.clone().apply(entry);
            if other == index {
                assert!(taken.is_ok());
            } else {
                assert_eq!(taken.unwrap_err(), Violation::Chain, "entry {other} at place {index}");
            }
        }
    }
}

#[test]
fn an_entry_of_a_fork_never_joins_the_other_branch() {
    let mut one = lively();
    let fork = one.log.len();
    // The same devices, another branch: as a server would keep two groups apart.
    let mut state = one.state.clone();
    let mut branch = Vec::new();
    for text in ["hidden", "from the others"] {
        let device = &one.devices[1];
        let draft = state
            .draft_item_put(&device.vault_keys(&state), ItemId::make_random(), &content(text), TIME)
            .unwrap();
        let entry = device.sign(draft);
        state.apply(&entry).unwrap();
        branch.push(entry);
    }
    one.put_item(0, "seen by this one");
    for entry in &branch {
        let mut joined = one.state.clone();
        assert_eq!(joined.apply(entry).unwrap_err(), Violation::Chain);
    }
    assert_eq!(one.log.len(), fork + 1);
}

/// The head after every seq of a log.
fn heads(log: &[Entry]) -> impl Fn(u64) -> Option<Digest> + '_ {
    |seq| log.get(usize::try_from(seq).ok()?.checked_sub(1)?).map(Entry::head)
}

fn seen(world: &World, by: usize, seq: u64, head: Digest) -> Seen {
    let device = &world.devices[by];
    Seen::sign(world.user, device.id, seq, head, TIME, &device.signing)
}

#[test]
fn a_word_from_another_chain_stops_and_names_its_device() {
    let world = lively();
    let check = |word: &Seen| world.state.check_seen(word, heads(&world.log));
    for (index, entry) in world.log.iter().enumerate() {
        let seq = index as u64 + 1;
        assert_eq!(check(&seen(&world, 1, seq, entry.head())), Ok(()));
        assert_eq!(check(&seen(&world, 1, seq, [7; 32])), Err(Violation::SeenOtherHistory));
        let neighbour = world.log[(index + 1) % world.log.len()].head();
        assert_eq!(check(&seen(&world, 1, seq, neighbour)), Err(Violation::SeenOtherHistory));
    }
    assert_eq!(check(&seen(&world, 1, 0, [0; 32])), Err(Violation::SeenOtherHistory));

    let head = world.state.head();
    let own = &world.devices[0];
    let forged = Seen::sign(world.user, world.devices[1].id, head.seq, head.hash, TIME, &own.signing);
    assert_eq!(check(&forged), Err(Violation::Signature));
    let other = Seen::sign(UserId::make_random(), own.id, head.seq, head.hash, TIME, &own.signing);
    assert_eq!(check(&other), Err(Violation::OtherUser));
    let stranger = Installation::make();
    let unknown = Seen::sign(world.user, stranger.id, head.seq, head.hash, TIME, &stranger.signing);
    assert_eq!(check(&unknown), Err(Violation::NotActive));
    // Read from bytes, one of them altered.
    let word = seen(&world, 1, head.seq, head.hash);
    for byte in 0..word.payload().len() {
        let mut altered = word.payload().to_vec();
        altered[byte] ^= 1;
        if let Ok(altered) = Seen::decode(&altered, *word.signature()) {
            assert!(check(&altered).is_err(), "byte {byte}");
        }
    }
}

#[test]
fn a_removed_devices_word_stops_nobody() {
    let world = lively();
    let head = world.state.head();
    for (seq, hash) in [(head.seq, [7; 32]), (2, [7; 32]), (head.seq + 1_000, [7; 32])] {
        let word = seen(&world, 2, seq, hash);
        assert_eq!(world.state.check_seen(&word, heads(&world.log)), Err(Violation::NotActive));
    }
}

#[test]
fn a_word_about_the_future_waits_at_a_device_and_is_refused_at_the_keystore() {
    let mut world = lively();
    let head = world.state.head();
    let ahead = seen(&world, 1, head.seq + 1, [7; 32]);
    assert_eq!(world.state.check_seen(&ahead, heads(&world.log)), Ok(()));
    assert_eq!(world.state.admit_seen(&ahead, heads(&world.log)), Err(Violation::SeenOtherHistory));
    let now = seen(&world, 1, head.seq, head.hash);
    assert_eq!(world.state.admit_seen(&now, heads(&world.log)), Ok(()));
    world.put_item(0, "the chain goes on");
    assert_eq!(world.state.check_seen(&ahead, heads(&world.log)), Err(Violation::SeenOtherHistory));
}

/// A user's records under one password and Secret Key.
struct Unlock {
    key: UnlockKey,
    records: UnlockRecords,
}

impl Unlock {
    fn make(root: &Root, code: &RecoveryCode, user: UserId) -> Self {
        let key = UnlockKey::derive(&ExportKey::make_random(), &SecretKey::make_random(), user);
        let root_by_password = root.seal_with_unlock_key(&key, user).unwrap();
        let records = UnlockRecords { root_by_password, ..some_records(root, code, user) };
        Self { key, records }
    }
}

#[test]
fn only_the_latest_unlock_record_opens_root() {
    let (user, root, code) = (UserId::make_random(), Root::make_random(), RecoveryCode::make_random());
    let first = Installation::make();
    let old = Unlock::make(&root, &code, user);
    let entry = genesis(user, &root, &first, &old.records).sign_as_root(&root);
    let mut state = State::begin(user, &entry).unwrap();
    let opened = state.open_root(&old.key, &old.records.root_by_password).unwrap();
    assert!(opened.public_keys() == root.public_keys());

    let new = Unlock::make(&root, &code, user);
    let change = state.draft_unlock_set(&new.records, TIME).sign_as_root(&root);
    state.apply(&change).unwrap();
    // The server still serves the record of the old password: that password opens nothing.
    let refused = state.open_root(&old.key, &old.records.root_by_password);
    assert_eq!(refused.err(), Some(Violation::UnlockRecord));
    let refused = state.open_root(&old.key, &new.records.root_by_password);
    assert_eq!(refused.err(), Some(Violation::Unlock));
    assert!(state.open_root(&new.key, &new.records.root_by_password).is_ok());
    assert!(state.unlock().names(&new.records) && !state.unlock().names(&old.records));

    // The recovery code has a record of its own, and neither opens the other's.
    let by_code = &new.records.root_by_recovery;
    assert!(state.open_root_with_recovery_code(&code, by_code).is_ok());
    let other = RecoveryCode::make_random();
    assert_eq!(state.open_root_with_recovery_code(&other, by_code).err(), Some(Violation::Unlock));
    let swapped = state.open_root_with_recovery_code(&code, &new.records.root_by_password);
    assert_eq!(swapped.err(), Some(Violation::UnlockRecord));
    assert_eq!(state.open_root(&new.key, by_code).err(), Some(Violation::UnlockRecord));
}

#[test]
fn a_genesis_or_root_of_the_servers_own_making_is_found_out_before_a_key_is_used() {
    let (user, root, code) = (UserId::make_random(), Root::make_random(), RecoveryCode::make_random());
    let first = Installation::make();
    let unlock = Unlock::make(&root, &code, user);
    // The server's log, with a root of its own, that names the user's true records.
    let own = Root::make_random();
    let entry = genesis(user, &own, &first, &unlock.records).sign_as_root(&own);
    let state = State::begin(user, &entry).unwrap();
    let opened = state.open_root(&unlock.key, &unlock.records.root_by_password);
    assert_eq!(opened.err(), Some(Violation::OtherRoot));
    let opened = state.open_root_with_recovery_code(&code, &unlock.records.root_by_recovery);
    assert_eq!(opened.err(), Some(Violation::OtherRoot));
    // Another user's record does not open for this one.
    let other = Root::open_with_unlock_key(
        &unlock.key,
        UserId::make_random(),
        &unlock.records.root_by_password,
        None,
    );
    assert_eq!(other.err(), Some(Violation::Unlock));
    // Its signature under the user's root keys, which it does not have.
    let mut forged = genesis(user, &root, &first, &unlock.records).sign_as_root(&own);
    assert_eq!(State::begin(user, &forged).unwrap_err(), Violation::Signature);
    forged.signature = [0; 64];
    assert_eq!(State::begin(user, &forged).unwrap_err(), Violation::Signature);
}

#[test]
fn a_flipped_bit_anywhere_in_a_root_record_opens_nothing() {
    let (user, root, code) = (UserId::make_random(), Root::make_random(), RecoveryCode::make_random());
    let Unlock { key, records } = Unlock::make(&root, &code, user);
    for byte in 0..records.root_by_password.len() {
        let mut altered = records.root_by_password.clone();
        altered[byte] ^= 1;
        assert_eq!(Root::open_with_unlock_key(&key, user, &altered, None).err(), Some(Violation::Unlock));
        let mut altered = records.root_by_recovery.clone();
        altered[byte] ^= 1;
        assert_eq!(Root::open_with_recovery_code(&code, user, &altered, None).err(), Some(Violation::Unlock));
    }
}

#[test]
fn the_unlock_key_needs_the_password_the_secret_key_and_the_user() {
    let (user, root) = (UserId::make_random(), Root::make_random());
    let (export, secret) = (ExportKey::make_random(), SecretKey::make_random());
    let record = root.seal_with_unlock_key(&UnlockKey::derive(&export, &secret, user), user).unwrap();
    let opens = |export: &ExportKey, secret: &SecretKey, of: UserId| {
        Root::open_with_unlock_key(&UnlockKey::derive(export, secret, of), user, &record, None).is_ok()
    };
    assert!(opens(&export, &secret, user));
    assert!(!opens(&ExportKey::make_random(), &secret, user));
    assert!(!opens(&export, &SecretKey::make_random(), user));
    assert!(!opens(&export, &secret, UserId::make_random()));
}

#[test]
fn a_share_opens_only_for_the_request_device_and_user_that_asked() {
    let (user, device) = (UserId::make_random(), Installation::make().id);
    let (share, request) = (Share::make_random(), SealingKey::make_random());
    let sealed = seal_share(&share, &request.public_key(), user, device).unwrap();
    let opened = open_share(&sealed, &request, user, device).unwrap();
    assert!(opened == share);
    assert_eq!(share_hash(&opened), share_hash(&share));
    let refused = [
        open_share(&sealed, &SealingKey::make_random(), user, device),
        open_share(&sealed, &request, UserId::make_random(), device),
        open_share(&sealed, &request, user, Installation::make().id),
        open_share(&sealed[..79], &request, user, device),
        open_share(&[], &request, user, device),
    ];
    assert!(refused.iter().all(|refused| refused.as_ref().err() == Some(&CryptoError::Open)));
}

#[test]
fn a_sign_in_is_bound_to_server_device_and_each_of_its_keys() {
    let keys = Installation::make().keys();
    let fresh = Installation::make().keys();
    let context = sign_in_context("sync.example", &keys);
    let others = [
        sign_in_context("sync.example.evil", &keys),
        sign_in_context("sync.example", &DeviceKeys { id: fresh.id, ..keys }),
        sign_in_context("sync.example", &DeviceKeys { signing: fresh.signing, ..keys }),
        sign_in_context("sync.example", &DeviceKeys { sealing: fresh.sealing, ..keys }),
    ];
    assert!(others.iter().all(|other| *other != context));
}

#[test]
fn a_word_an_entry_and_a_request_never_pass_for_one_another() {
    let world = World::new();
    let device = &world.devices[0];
    let head = world.state.head();
    let word = seen(&world, 0, head.seq, head.hash);
    let as_entry = Entry { payload: word.payload().to_vec(), signature: *word.signature(), blob: None };
    assert!(matches!(world.state.clone().apply(&as_entry), Err(Violation::Malformed(_))));
    let entry = world.put(0, ItemId::make_random(), "x");
    assert!(Seen::decode(&entry.payload, entry.signature).is_err());
    // A request's signature base begins with a quotation mark, which begins no array.
    let base = b"\"@method\": POST\n\"@target-uri\": https://sync.example/v1/log";
    let as_entry = Entry { payload: base.to_vec(), signature: device.signing.sign(base), blob: None };
    assert!(matches!(world.state.clone().apply(&as_entry), Err(Violation::Malformed(_))));
}

#[test]
fn another_version_or_purpose_is_refused() {
    let mut world = World::new();
    let good = world.put(0, ItemId::make_random(), "x");
    for purpose in [b"keyquay/0/entry", b"keyquay/2/entry", b"Keyquay/1/entry", b"keyquay/1/entri"] {
        let mut entry = good.clone();
        assert_eq!(&entry.payload[2..17], b"keyquay/1/entry");
        entry.payload[2..17].copy_from_slice(purpose);
        entry.signature = world.devices[0].signing.sign(&entry.payload);
        assert!(matches!(world.state.apply(&entry), Err(Violation::Malformed(_))));
    }
}

/// A payload with one spelling changed and signed again by its true author.
fn respelled(world: &World, entry: &Entry, change: impl FnOnce(&mut Vec<u8>)) -> Entry {
    let mut payload = entry.payload.clone();
    change(&mut payload);
    let signature = world.devices[0].signing.sign(&payload);
    Entry { payload, signature, blob: entry.blob.clone() }
}

#[test]
fn another_spelling_of_the_same_entry_is_refused_even_when_signed() {
    let mut world = World::new();
    let entry = world.put(0, ItemId::make_random(), "x");
    let purpose_end = 1 + 1 + "keyquay/1/entry".len();
    let seq = purpose_end + 17;
    assert_eq!((entry.payload[0], entry.payload[1], entry.payload[seq]), (0x87, 0x6F, 2));
    let spellings: [fn(&mut Vec<u8>); 8] = [
        // The array with a length in a byte of its own, and of no stated length.
        |payload| drop(payload.splice(0..1, [0x98, 0x07])),
        |payload| {
            payload[0] = 0x9F;
            payload.push(0xFF);
        },
        // The purpose with a longer length, and as bytes.
        |payload| drop(payload.splice(1..2, [0x78, 0x0F])),
        |payload| payload[1] = 0x4F,
        // The seq in two bytes, in nine, as a float, and with a tag.
        |payload| drop(payload.splice(34..35, [0x18, 2])),
        |payload| drop(payload.splice(34..35, [0x1B, 0, 0, 0, 0, 0, 0, 0, 2])),
        |payload| drop(payload.splice(34..35, [0xF9, 0x40, 0x00])),
        |payload| drop(payload.splice(34..35, [0xC1, 2])),
    ];
    assert_eq!(seq, 34);
    for change in spellings {
        let other = respelled(&world, &entry, change);
        assert!(matches!(world.state.apply(&other), Err(Violation::Malformed(_))));
    }
    let more = respelled(&world, &entry, |payload| {
        payload[0] = 0x88;
        payload.push(0xF6);
    });
    assert!(matches!(world.state.apply(&more), Err(Violation::Malformed(_))));
    let same = respelled(&world, &entry, |_| {});
    world.append(same);
}

/// Size of one recipient in an entry: an array of id and sealed key.
const RECIPIENT: usize = 1 + 17 + 2 + 80;

/// Where the first of two recipients begins in the payload of a removal.
fn recipients(payload: &[u8]) -> usize {
    let at = (0..payload.len() - 2 * RECIPIENT)
        .find(|&at| {
            payload[at] == 0x82
                && payload[at + 1..at + 3] == [0x82, 0x50]
                && payload[at + 1 + RECIPIENT..at + 3 + RECIPIENT] == [0x82, 0x50]
        })
        .expect("a removal has recipients");
    at + 1
}

#[test]
fn recipients_out_of_order_or_named_twice_are_refused() {
    let mut world = World::with_devices(3);
    let entry = world.removed(world.devices[2].id);
    let (at, size) = (recipients(&entry.payload), RECIPIENT);
    let (one, two) =
        (entry.payload[at..at + size].to_vec(), entry.payload[at + size..at + 2 * size].to_vec());
    for pair in [[&two, &one], [&one, &one]] {
        let mut payload = entry.payload.clone();
        payload.splice(at..at + 2 * size, pair.into_iter().flatten().copied());
        // Refused as it is read, whoever may have signed it.
        let altered = Entry { payload, ..entry.clone() };
        let refused = world.state.apply(&altered).unwrap_err();
        assert!(matches!(refused, Violation::Malformed(_)), "{refused}");
    }
    world.append(entry);
}

#[test]
fn a_bent_stored_state_is_refused_or_says_the_same() {
    let world = lively();
    let bytes = world.state.to_snapshot();
    assert!(State::from_snapshot(&bytes).unwrap() == world.state);
    for index in 0..bytes.len() {
        assert!(State::from_snapshot(&bytes[..index]).is_err());
        let mut altered = bytes.clone();
        altered[index] ^= 1 << (index % 8);
        // What is read at all is written back the same: no two stored forms of one state.
        if let Ok(state) = State::from_snapshot(&altered) {
            assert_eq!(state.to_snapshot(), altered);
        }
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(State::from_snapshot(&longer).is_err());
}

#[test]
fn a_weak_public_key_enters_no_log() {
    let mut world = World::new();
    let device = Installation::make();
    let entry = world.added(&device);
    let weak = [[0; 32], {
        let mut identity = [0; 32];
        identity[0] = 1;
        identity
    }];
    for key in [device.signing.verifying_key().to_bytes(), device.sealing.public_key().to_bytes()] {
        let at = entry.payload.windows(32).position(|window| window == key).unwrap();
        for bytes in weak {
            let mut payload = entry.payload.clone();
            payload[at..at + 32].copy_from_slice(&bytes);
            let altered = Entry { payload, ..entry.clone() };
            assert!(matches!(world.state.apply(&altered), Err(Violation::Malformed(_))));
        }
    }
    world.append(entry);
}

#[test]
fn a_signature_by_a_key_that_no_entry_named_is_worth_nothing() {
    let mut world = World::with_devices(2);
    let mut entry = world.put(1, ItemId::make_random(), "x");
    entry.signature = SigningKey::make_random().sign(&entry.payload);
    world.refuses(&entry, Violation::Signature);
}
