//! Version 1 of every form that is signed, sealed, stored or sent, as it was when it was decided. A later change of
//! any of them fails here, and would lock somebody out or break a promise out in the world.
//!
//! `KEYQUAY_FREEZE=directory` writes `frozen.json` anew, for a new version of the protocol that was decided.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::sync::OnceLock;

use common::{Installation, TIME, content, profile, replay};
use data_encoding::HEXLOWER;
use keyquay_crypto::opaque::ExportKey;
use keyquay_crypto::sealing::SealingKey;
use keyquay_crypto::sign::SigningKey;
use keyquay_crypto::{ExposeSecret, RecoveryCode, Secret32, SecretKey, Zeroizing, sha256};
use keyquay_protocol::wire::{Append, Event, LogAnswer, SeenText};
use keyquay_protocol::{
    Author, Body, DeviceId, DeviceProfile, Draft, Entry, ItemContent, ItemId, ItemStatus, Membership, Root,
    Seen, Share, Signed, State, UnlockKey, UnlockRecords, UserId, VaultKey, VaultKeys, device_phrase,
    head_phrase, open_item, open_share, seal_share, share_hash, sign_in_context, sign_request,
    verify_request,
};
use serde_json::{Value, json};

const USER: UserId = UserId([0x11; 16]);
const SERVER: &str = "sync.example";
const URI: &str = "https://sync.example/v1/log";
const ITEMS: [ItemId; 3] = [ItemId([0xA1; 16]), ItemId([0xA2; 16]), ItemId([0xA3; 16])];

/// An installation whose keys are known to everybody.
fn installation(number: u8) -> Installation {
    Installation {
        id: DeviceId([0xD0 | number; 16]),
        signing: SigningKey::from_seed(Secret32::copy_from(&[0x50 | number; 32])),
        sealing: SealingKey::from_seed(Secret32::copy_from(&[0xE0 | number; 32])),
    }
}

fn code() -> RecoveryCode {
    RecoveryCode::try_copy_from(&[0xC0; 20]).unwrap()
}

fn secret_key() -> SecretKey {
    SecretKey::try_copy_from(&[0x5C; 20]).unwrap()
}

fn unlock_key(password: u8) -> UnlockKey {
    UnlockKey::derive(&ExportKey::try_copy_from(&[password; 64]).unwrap(), &secret_key(), USER)
}

fn share() -> Share {
    Share::try_copy_from(&[0x54; 32]).unwrap()
}

fn request_key() -> SealingKey {
    SealingKey::from_seed(Secret32::copy_from(&[0x4B; 32]))
}

fn item_text(name: &str) -> ItemContent {
    ItemContent { beside: vec![Zeroizing::new(b"the other version".to_vec())], ..content(name) }
}

fn frozen() -> &'static Value {
    static FROZEN: OnceLock<Value> = OnceLock::new();
    FROZEN.get_or_init(|| match std::env::var_os("KEYQUAY_FREEZE") {
        Some(directory) => {
            let fresh = freeze();
            let text = serde_json::to_string_pretty(&fresh).unwrap() + "\n";
            std::fs::write(std::path::Path::new(&directory).join("frozen.json"), text).unwrap();
            fresh
        }
        None => serde_json::from_str(include_str!("data/frozen.json")).unwrap(),
    })
}

fn text(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

fn read(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

fn records(root: &Root, password: u8) -> UnlockRecords {
    UnlockRecords {
        password: vec![password; 192],
        root_by_password: root.seal_with_unlock_key(&unlock_key(password), USER).unwrap(),
        root_by_recovery: root.seal_with_recovery_code(&code(), USER).unwrap(),
    }
}

fn records_text(records: &UnlockRecords) -> Value {
    json!({
        "password": text(&records.password),
        "root_by_password": text(&records.root_by_password),
        "root_by_recovery": text(&records.root_by_recovery),
    })
}

/// A log with every body, made once.
fn freeze() -> Value {
    let root = Root::make_random();
    let (one, two) = (installation(1), installation(2));
    let (first, second) = (records(&root, 0x01), records(&root, 0x02));
    let vault_key = VaultKey::make_random();
    let genesis =
        State::draft_genesis(USER, &root, &one.keys(), &profile(), &vault_key, first.to_set(1), TIME)
            .unwrap();
    let mut log = vec![genesis.sign_as_root(&root)];
    let mut state = State::begin(USER, &log[0]).unwrap();
    let mut go = |make: &dyn Fn(&State, &VaultKeys) -> Entry| {
        let keys = VaultKeys::open_for_root(&state, &root).unwrap();
        let entry = make(&state, &keys);
        state.apply(&entry).unwrap();
        log.push(entry);
    };
    let put = |by: &Installation, state: &State, keys: &VaultKeys, item: ItemId, name: &str| {
        by.sign(state.draft_item_put(keys, item, &item_text(name), TIME + 2).unwrap())
    };
    go(&|state, keys| {
        state.draft_device_added(keys, &two.keys(), &profile(), TIME + 1).unwrap().sign_as_root(&root)
    });
    go(&|state, keys| put(&two, state, keys, ITEMS[0], "in the first epoch"));
    go(&|state, keys| put(&one, state, keys, ITEMS[1], "to be deleted"));
    go(&|state, _| one.sign(state.draft_item_deleted(ITEMS[1], TIME + 3)));
    go(&|state, keys| state.draft_device_removed(keys, two.id, TIME + 4).unwrap().sign_as_root(&root));
    go(&|state, _| state.draft_unlock_set(&second, TIME + 5).sign_as_root(&root));
    go(&|state, keys| put(&one, state, keys, ITEMS[2], "in the second epoch"));
    go(&|state, keys| put(&one, state, keys, ITEMS[1], "back, to be withdrawn"));
    go(&|state, _| one.sign(state.draft_item_withdrawn(ITEMS[1], TIME + 6)));
    let open = state.clone();
    let end = open.draft_sync_ended(TIME + 7).sign_as_root(&root);
    state.apply(&end).unwrap();
    log.push(end);

    let request = sign_request("POST", URI, b"body", one.id, &one.signing, TIME);
    let word = word(&open);
    json!({
        "note": "Version 1. Made once by tests/frozen.rs, whose fixed keys open all of it.",
        "log": log.iter().map(entry_text).collect::<Vec<_>>(),
        "records": [records_text(&first), records_text(&second)],
        "state_before_the_end": text(&open.to_snapshot()),
        "state": text(&state.to_snapshot()),
        "head_phrase": head_phrase(&state.head()),
        "device_phrase": device_phrase(&one.keys()),
        "device_keys": [text(&one.keys().signing.to_bytes()), text(&one.keys().sealing.to_bytes())],
        "sign_in_context": text(&sign_in_context(SERVER, &one.keys())),
        "secret_key": secret_key().to_written().expose_secret(),
        "recovery_code": code().to_written().expose_secret(),
        "share": text(&seal_share(&share(), &request_key().public_key(), USER, one.id).unwrap()),
        "share_hash": text(&share_hash(&share())),
        "seen": [text(word.payload()), text(word.signature())],
        "request": [request.content_digest, request.signature_input, request.signature],
        "append": text(&append(&log, &second).to_bytes()),
        "log_answer": text(&answer(&log, &state, &word).to_bytes()),
        "events": events(&log, &word).iter().map(|event| text(&event.to_bytes())).collect::<Vec<_>>(),
    })
}

fn entry_text(entry: &Entry) -> Value {
    let blob = entry.blob.as_ref().map(|blob| text(blob));
    json!({ "payload": text(&entry.payload), "signature": text(&entry.signature), "blob": blob })
}

fn word(state: &State) -> Seen {
    let one = installation(1);
    let head = state.head();
    Seen::sign(USER, one.id, head.seq, head.hash, TIME + 8, &one.signing)
}

fn append(log: &[Entry], records: &UnlockRecords) -> Append {
    Append { entries: vec![log[2].clone(), log[6].clone()], records: Some(records.clone()) }
}

fn answer(log: &[Entry], state: &State, word: &Seen) -> LogAnswer {
    LogAnswer { entries: log[..3].to_vec(), head: state.head(), seen: vec![word.clone()] }
}

fn events(log: &[Entry], word: &Seen) -> Vec<Event> {
    vec![
        Event::Entries(log[1..3].to_vec()),
        Event::Seen(word.clone()),
        Event::Suspended,
        Event::StatusChanged,
    ]
}

fn log() -> Vec<Entry> {
    let entries = frozen()["log"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| Entry {
            payload: read(&entry["payload"]),
            signature: read(&entry["signature"]).try_into().unwrap(),
            blob: entry["blob"].is_string().then(|| read(&entry["blob"])),
        })
        .collect()
}

fn frozen_records(index: usize) -> UnlockRecords {
    let records = &frozen()["records"][index];
    UnlockRecords {
        password: read(&records["password"]),
        root_by_password: read(&records["root_by_password"]),
        root_by_recovery: read(&records["root_by_recovery"]),
    }
}

fn root() -> Root {
    Root::open_with_recovery_code(&code(), USER, &frozen_records(0).root_by_recovery, None).unwrap()
}

#[test]
fn the_log_of_version_1_is_still_taken_in() {
    let log = log();
    let state = replay(USER, &log).unwrap();
    assert!(state.is_ended());
    assert_eq!(state.head().seq, log.len() as u64);
    let kinds: Vec<_> =
        log.iter().map(|entry| std::mem::discriminant(&entry.decode().unwrap().body)).collect();
    assert_eq!(kinds.iter().collect::<std::collections::HashSet<_>>().len(), 8, "every body is there");
    let statuses = ITEMS.map(|item| state.items()[&item].status);
    assert_eq!(statuses, [ItemStatus::Live, ItemStatus::Withdrawn, ItemStatus::Live]);
    let removed = state.devices()[&installation(2).id].membership;
    assert_eq!(removed, Membership::Removed { seq: 6, time: TIME + 4 });
}

// Ed25519 is deterministic: what is read, written and signed again must be the same bytes.
#[test]
fn every_entry_is_still_written_and_signed_as_in_version_1() {
    let (root, devices) = (root(), [installation(1), installation(2)]);
    for entry in log() {
        let payload = entry.decode().unwrap();
        let draft = Draft {
            user: payload.user,
            seq: payload.seq,
            prev: payload.prev,
            time: payload.time,
            body: payload.body,
            blob: entry.blob.clone(),
        };
        let again = match payload.author {
            Author::Root => draft.sign_as_root(&root),
            Author::Device(id) => devices.iter().find(|device| device.id == id).unwrap().sign(draft),
        };
        assert!(again == entry, "seq {}", payload.seq);
    }
}

#[test]
fn states_of_version_1_are_still_stored_and_read_the_same() {
    let log = log();
    for (name, length) in [("state_before_the_end", log.len() - 1), ("state", log.len())] {
        let stored = read(&frozen()[name]);
        let state = replay(USER, &log[..length]).unwrap();
        assert_eq!(text(&state.to_snapshot()), text(&stored));
        assert!(State::from_snapshot(&stored).unwrap() == state);
    }
}

#[test]
fn the_vault_keys_and_items_of_version_1_still_open() {
    let (one, two) = (installation(1), installation(2));
    let log = log();
    let state = replay(USER, &log).unwrap();
    // The current key as it is sealed to root and to a device, the one before through the chain.
    for keys in [
        VaultKeys::open_for_root(&state, &root()).unwrap(),
        VaultKeys::open_for_device(&state, one.id, &one.sealing).unwrap(),
    ] {
        let names = [(ITEMS[0], 2, "in the first epoch"), (ITEMS[2], 7, "in the second epoch")];
        for (item, at, name) in names {
            let known = state.items()[&item];
            let blob = log[at].blob.as_ref().unwrap();
            let key = keys.of_epoch(known.epoch).unwrap();
            let opened = open_item(blob, key, USER, item, known.revision, known.epoch).unwrap();
            assert_eq!(opened, item_text(name));
        }
        for device in state.devices().values() {
            let key = keys.of_epoch(device.profile_epoch).unwrap();
            let opened =
                DeviceProfile::open(&device.profile, key, USER, device.keys.id, device.profile_epoch);
            assert_eq!(opened.unwrap(), profile());
        }
    }
    // The key that DeviceAdded seals.
    let earlier = replay(USER, &log[..2]).unwrap();
    assert!(VaultKeys::open_for_device(&earlier, two.id, &two.sealing).is_ok());
}

#[test]
fn the_unlock_records_of_version_1_still_open_root() {
    let log = log();
    let (first, second) = (frozen_records(0), frozen_records(1));
    let before = replay(USER, &log[..6]).unwrap();
    let after = replay(USER, &log).unwrap();
    assert!(before.unlock().names(&first) && after.unlock().names(&second));
    assert_eq!(before.unlock().password, sha256(&first.password));
    for (state, records, password) in [(&before, &first, 0x01), (&after, &second, 0x02)] {
        assert!(state.open_root(&unlock_key(password), &records.root_by_password).is_ok());
        assert!(state.open_root_with_recovery_code(&code(), &records.root_by_recovery).is_ok());
    }
}

#[test]
fn phrases_and_codes_read_as_in_version_1() {
    let keys = installation(1).keys();
    let state = replay(USER, &log()).unwrap();
    assert_eq!(head_phrase(&state.head()), frozen()["head_phrase"]);
    assert_eq!(device_phrase(&keys), frozen()["device_phrase"]);
    assert_eq!(text(&keys.signing.to_bytes()), frozen()["device_keys"][0]);
    assert_eq!(text(&keys.sealing.to_bytes()), frozen()["device_keys"][1]);
    assert_eq!(text(&sign_in_context(SERVER, &keys)), frozen()["sign_in_context"]);
    assert_eq!(secret_key().to_written().expose_secret(), frozen()["secret_key"]);
    assert_eq!(code().to_written().expose_secret(), frozen()["recovery_code"]);
    assert!(SecretKey::parse(frozen()["secret_key"].as_str().unwrap()).unwrap() == secret_key());
    assert!(RecoveryCode::parse(frozen()["recovery_code"].as_str().unwrap()).unwrap() == code());
}

#[test]
fn a_share_of_version_1_still_opens() {
    let one = installation(1);
    let opened = open_share(&read(&frozen()["share"]), &request_key(), USER, one.id).unwrap();
    assert!(opened == share());
    assert_eq!(text(&share_hash(&opened)), frozen()["share_hash"]);
}

#[test]
fn a_word_of_version_1_is_still_signed_and_read_the_same() {
    let log = log();
    let state = replay(USER, &log[..log.len() - 1]).unwrap();
    let word = word(&state);
    assert_eq!(text(word.payload()), frozen()["seen"][0]);
    assert_eq!(text(word.signature()), frozen()["seen"][1]);
    let read_back = SeenText::of(&word).to_seen().unwrap();
    assert_eq!(state.check_seen(&read_back, |_| None), Ok(()));
}

#[test]
fn a_request_of_version_1_still_verifies() {
    let field = |index: usize| frozen()["request"][index].as_str().unwrap().to_owned();
    let signed = Signed { content_digest: field(0), signature_input: field(1), signature: field(2) };
    let one = installation(1);
    let claims = verify_request("POST", URI, b"body", &signed, &one.signing.verifying_key(), TIME).unwrap();
    assert_eq!((claims.device, claims.created), (one.id, TIME));
}

#[test]
fn messages_of_version_1_are_still_written_and_read_the_same() {
    let log = log();
    let state = replay(USER, &log).unwrap();
    let word = word(&replay(USER, &log[..log.len() - 1]).unwrap());
    let append = append(&log, &frozen_records(1));
    assert_eq!(text(&append.to_bytes()), frozen()["append"]);
    assert!(Append::from_bytes(&read(&frozen()["append"])).unwrap() == append);
    let answer = answer(&log, &state, &word);
    assert_eq!(text(&answer.to_bytes()), frozen()["log_answer"]);
    assert!(LogAnswer::from_bytes(&read(&frozen()["log_answer"])).unwrap() == answer);
    for (index, event) in events(&log, &word).into_iter().enumerate() {
        let bytes = &frozen()["events"][index];
        assert_eq!(text(&event.to_bytes()), *bytes);
        assert!(Event::from_bytes(&read(bytes)).unwrap() == event);
    }
}

#[test]
fn the_bodies_say_what_version_1_says() {
    let bodies: Vec<Body> = log().iter().map(|entry| entry.decode().unwrap().body).collect();
    let Body::ItemPut { item, revision, epoch, blob } = &bodies[2] else { panic!("an ItemPut is third") };
    assert_eq!((*item, *revision, *epoch), (ITEMS[0], 1, 1));
    assert_eq!(*blob, sha256(log()[2].blob.as_ref().unwrap()));
    assert_eq!(bodies[4], Body::ItemDeleted { item: ITEMS[1], revision: 2 });
    assert_eq!(bodies[9], Body::ItemWithdrawn { item: ITEMS[1], revision: 4 });
    assert_eq!(bodies[6], Body::UnlockSet(frozen_records(1).to_set(2)));
    assert_eq!(bodies[10], Body::SyncEnded);
}
