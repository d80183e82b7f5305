//! Who belongs to a log, and who says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Installation, TIME, World, genesis, profile, some_records};
use keyquay_crypto::RecoveryCode;
use keyquay_protocol::{
    Author, Body, DeviceKeys, Draft, Entry, EpochStart, Genesis, ItemId, Membership, Root, State, UnlockSet,
    UserId, VaultKey, Violation,
};

/// A Genesis with one thing changed.
fn begin_with(change: impl FnOnce(&mut Draft, &mut Genesis)) -> Result<State, Violation> {
    let (user, root, first) = (UserId::make_random(), Root::make_random(), Installation::make());
    let records = some_records(&root, &RecoveryCode::make_random(), user);
    let mut draft = genesis(user, &root, &first, &records);
    let Body::Genesis(mut genesis) = draft.body.clone() else { unreachable!() };
    change(&mut draft, &mut genesis);
    draft.body = Body::Genesis(genesis);
    State::begin(user, &draft.sign_as_root(&root))
}

#[test]
fn a_log_begins_with_its_own_roots_genesis() {
    let state = begin_with(|_, _| {}).unwrap();
    assert_eq!((state.head().seq, state.epoch().number, state.unlock().version), (1, 1, 1));
    assert_eq!(state.active_devices().count(), 1);
    assert!(!state.is_ended());
}

#[test]
fn a_genesis_with_anything_out_of_place_is_refused() {
    let refused = |change: fn(&mut Draft, &mut Genesis)| begin_with(change).unwrap_err();
    assert_eq!(refused(|draft, _| draft.user = UserId([0; 16])), Violation::OtherUser);
    assert_eq!(refused(|draft, _| draft.seq = 2), Violation::Chain);
    assert_eq!(refused(|draft, _| draft.seq = 0), Violation::Chain);
    assert_eq!(refused(|draft, _| draft.prev[31] = 1), Violation::Chain);
    assert_eq!(refused(|draft, _| draft.blob = Some(vec![0; 300])), Violation::Blob);
    assert_eq!(refused(|_, genesis| genesis.epoch.number = 2), Violation::Epoch);
    assert_eq!(refused(|_, genesis| genesis.epoch.number = 0), Violation::Epoch);
    assert_eq!(refused(|_, genesis| genesis.epoch.previous = Some(vec![0; 60])), Violation::Epoch);
    assert_eq!(refused(|_, genesis| genesis.epoch.to_devices.clear()), Violation::Epoch);
    assert_eq!(
        refused(|_, genesis| {
            let sealed = genesis.epoch.to_devices[&genesis.device.id].clone();
            genesis.epoch.to_devices.insert(Installation::make().id, sealed);
        }),
        Violation::Epoch
    );
    assert_eq!(refused(|_, genesis| genesis.device.id = Installation::make().id), Violation::Epoch);
    assert_eq!(refused(|_, genesis| genesis.unlock.version = 2), Violation::UnlockVersion);
    assert_eq!(refused(|_, genesis| genesis.unlock.version = 0), Violation::UnlockVersion);
    assert_eq!(refused(|_, genesis| genesis.root = Root::make_random().public_keys()), Violation::Signature);
    assert_eq!(refused(|_, genesis| genesis.device.signing = genesis.root.signing), Violation::DeviceReused);
    assert_eq!(refused(|_, genesis| genesis.device.sealing = genesis.root.sealing), Violation::DeviceReused);
}

#[test]
fn nothing_but_a_genesis_by_root_begins_a_log() {
    let world = World::new();
    let first = &world.devices[0];
    let at_the_start =
        |body: Body| Draft { user: world.user, seq: 1, prev: [0; 32], time: TIME, body, blob: None };
    let begin = |entry: &Entry| State::begin(world.user, entry).unwrap_err();
    assert_eq!(begin(&at_the_start(Body::SyncEnded).sign_as_root(&world.root)), Violation::Genesis);
    let Body::Genesis(body) = world.log[0].decode().unwrap().body else { unreachable!() };
    let by_device = at_the_start(Body::Genesis(body)).sign_as_device(first.id, &first.signing);
    assert_eq!(begin(&by_device), Violation::WrongAuthor);
}

#[test]
fn a_log_has_one_genesis() {
    let mut world = World::new();
    let body = world.log[0].decode().unwrap().body;
    let again = world.draft(body).sign_as_root(&world.root);
    world.refuses(&again, Violation::Genesis);
    let same = world.log[0].clone();
    world.refuses(&same, Violation::Chain);
}

/// One draft of every body, each right at this place of a log with three devices and one item.
fn bodies(world: &World, item: ItemId) -> Vec<(Body, Option<Vec<u8>>, bool)> {
    let keys = world.keys();
    let new = Installation::make();
    let state = &world.state;
    let records = some_records(&world.root, &world.code, world.user);
    let by_root = [
        state.draft_device_added(keys, &new.keys(), &profile(), TIME).unwrap(),
        state.draft_device_removed(keys, world.devices[2].id, TIME).unwrap(),
        state.draft_unlock_set(&records, TIME),
        state.draft_sync_ended(TIME),
    ];
    let by_device = [
        state.draft_item_put(keys, item, &common::content("edited"), TIME).unwrap(),
        state.draft_item_put(keys, ItemId::make_random(), &common::content("new"), TIME).unwrap(),
        state.draft_item_deleted(item, TIME),
        state.draft_item_withdrawn(item, TIME),
    ];
    let rows = |drafts: [Draft; 4], root: bool| drafts.map(|draft| (draft.body, draft.blob, root));
    [rows(by_root, true), rows(by_device, false)].concat()
}

#[test]
fn every_body_is_accepted_from_its_author_and_refused_from_any_other() {
    let mut world = World::with_devices(4);
    let item = world.put_item(0, "one");
    world.remove_device(3);
    let stranger = Installation::make();
    for (body, blob, is_roots) in bodies(&world, item) {
        let draft = || Draft { blob: blob.clone(), ..world.draft(body.clone()) };
        let by_root = draft().sign_as_root(&world.root);
        let by_device = world.devices[1].sign(draft());
        let by_removed = world.devices[3].sign(draft());
        let by_stranger = stranger.sign(draft());
        let in_anothers_name = draft().sign_as_device(world.devices[1].id, &world.devices[0].signing);
        let as_root_by_device = {
            let mut entry = draft().sign_as_root(&world.root);
            entry.signature = world.devices[0].signing.sign(&entry.payload);
            entry
        };
        let (right, wrong) = if is_roots { (by_root, by_device) } else { (by_device, by_root) };
        let outside = if is_roots { Violation::WrongAuthor } else { Violation::NotActive };
        world.refuses(&wrong, Violation::WrongAuthor);
        world.refuses(&by_removed, outside);
        world.refuses(&by_stranger, outside);
        world
            .refuses(&in_anothers_name, if is_roots { Violation::WrongAuthor } else { Violation::Signature });
        world.refuses(
            &as_root_by_device,
            if is_roots { Violation::Signature } else { Violation::WrongAuthor },
        );
        let mut state = world.state.clone();
        let payload = state.apply(&right).unwrap();
        assert_eq!(payload.body, body);
        let author = if is_roots { Author::Root } else { Author::Device(world.devices[1].id) };
        assert_eq!(payload.author, author);
        assert_eq!(state.head().hash, right.head());
    }
}

#[test]
fn an_entry_is_taken_only_at_its_place_and_for_its_user() {
    let mut world = World::with_devices(3);
    let item = world.put_item(0, "one");
    for (body, blob, is_roots) in bodies(&world, item) {
        let draft = || Draft { blob: blob.clone(), ..world.draft(body.clone()) };
        let seq = world.state.head().seq;
        let cases = [
            (Draft { seq, ..draft() }, Violation::Chain),
            (Draft { seq: seq + 2, ..draft() }, Violation::Chain),
            (Draft { seq: u64::MAX, ..draft() }, Violation::Chain),
            (Draft { prev: world.log[0].head(), ..draft() }, Violation::Chain),
            (Draft { prev: [0; 32], ..draft() }, Violation::Chain),
            (Draft { user: UserId::make_random(), ..draft() }, Violation::OtherUser),
        ];
        for (draft, violation) in cases {
            let entry = if is_roots { draft.sign_as_root(&world.root) } else { world.devices[1].sign(draft) };
            world.refuses(&entry, violation);
        }
    }
}

#[test]
fn after_the_end_of_sync_nothing_is_taken() {
    let mut world = World::with_devices(3);
    let item = world.put_item(0, "one");
    let end = world.sync_ended();
    world.append(end);
    assert!(world.state.is_ended());
    for (body, blob, is_roots) in bodies(&world, item) {
        let draft = Draft { blob, ..world.draft(body) };
        let entry = if is_roots { draft.sign_as_root(&world.root) } else { world.devices[1].sign(draft) };
        world.refuses(&entry, Violation::Ended);
    }
}

#[test]
fn a_device_id_or_key_is_used_once_in_the_life_of_a_log() {
    let mut world = World::with_devices(3);
    let entry = world.log[2].clone();
    world.remove_device(2);
    world.refuses(&entry, Violation::Chain);

    let fresh = Installation::make().keys();
    for known in [&world.devices[0], &world.devices[2]].map(Installation::keys) {
        let reuses = [
            known,
            DeviceKeys { id: known.id, ..fresh },
            DeviceKeys { signing: known.signing, ..fresh },
            DeviceKeys { sealing: known.sealing, ..fresh },
        ];
        for keys in reuses {
            let draft = world.state.draft_device_added(world.keys(), &keys, &profile(), TIME).unwrap();
            let entry = draft.sign_as_root(&world.root);
            world.refuses(&entry, Violation::DeviceReused);
        }
    }
    let root = world.root.public_keys();
    for keys in [DeviceKeys { signing: root.signing, ..fresh }, DeviceKeys { sealing: root.sealing, ..fresh }]
    {
        let draft = world.state.draft_device_added(world.keys(), &keys, &profile(), TIME).unwrap();
        let entry = draft.sign_as_root(&world.root);
        world.refuses(&entry, Violation::DeviceReused);
    }
}

/// A removal of device 1 of three, with another start of the epoch.
fn removal_with(world: &World, change: impl FnOnce(&mut EpochStart)) -> Entry {
    let keys = world.keys();
    let (number, current) = keys.current().unwrap();
    let staying = [world.devices[0].keys(), world.devices[2].keys()];
    let root = world.root.public_keys().sealing;
    let next = VaultKey::make_random();
    let mut epoch = EpochStart::seal(world.user, number + 1, &next, Some(current), &root, &staying).unwrap();
    change(&mut epoch);
    world.draft(Body::DeviceRemoved { device: world.devices[1].id, epoch }).sign_as_root(&world.root)
}

#[test]
fn a_removal_seals_the_next_epoch_to_exactly_those_who_stay() {
    let mut world = World::with_devices(3);
    let removed = world.devices[1].id;
    let sealed = |epoch: &EpochStart| epoch.to_root.clone();

    let entry = removal_with(&world, |epoch| {
        let to_removed = sealed(epoch);
        epoch.to_devices.insert(removed, to_removed);
    });
    world.refuses(&entry, Violation::Epoch);
    let entry = removal_with(&world, |epoch| {
        epoch.to_devices.pop_first();
    });
    world.refuses(&entry, Violation::Epoch);
    let entry = removal_with(&world, |epoch| {
        let (_, swapped) = epoch.to_devices.pop_first().unwrap();
        epoch.to_devices.insert(removed, swapped);
    });
    world.refuses(&entry, Violation::Epoch);
    let entry = removal_with(&world, |epoch| {
        let to_stranger = sealed(epoch);
        epoch.to_devices.insert(Installation::make().id, to_stranger);
    });
    world.refuses(&entry, Violation::Epoch);
    for number in [0, 1, 3, u64::MAX] {
        let entry = removal_with(&world, |epoch| epoch.number = number);
        world.refuses(&entry, Violation::Epoch);
    }
    let entry = removal_with(&world, |epoch| epoch.previous = None);
    world.refuses(&entry, Violation::Epoch);

    let entry = removal_with(&world, |_| {});
    world.append(entry);
    assert!(!world.state.is_active(removed));
    let membership = world.state.devices()[&removed].membership;
    assert_eq!(membership, Membership::Removed { seq: 4, time: TIME });
    assert_eq!(world.state.epoch().number, 2);
}

#[test]
fn a_device_that_is_not_active_and_the_last_one_are_not_removed() {
    let mut world = World::with_devices(2);
    let stranger = world.removed(Installation::make().id);
    world.refuses(&stranger, Violation::DeviceRemoval);
    world.remove_device(1);
    let again = world.removed(world.devices[1].id);
    world.refuses(&again, Violation::DeviceRemoval);
    let last = world.removed(world.devices[0].id);
    world.refuses(&last, Violation::DeviceRemoval);
}

#[test]
fn a_device_cannot_remove_or_add_itself_or_another() {
    let mut world = World::with_devices(2);
    let own = world.state.draft_device_removed(world.keys(), world.devices[1].id, TIME).unwrap();
    let entry = world.devices[1].sign(own);
    world.refuses(&entry, Violation::WrongAuthor);
    world.remove_device(1);
    let back = Installation::make();
    let draft = world.state.draft_device_added(world.keys(), &back.keys(), &profile(), TIME).unwrap();
    let entry = world.devices[1].sign(draft);
    world.refuses(&entry, Violation::WrongAuthor);
}

#[test]
fn unlock_sets_count_up_one_by_one() {
    let mut world = World::new();
    let set = *world.state.unlock();
    for version in [0, 1, 3, u64::MAX] {
        let body = Body::UnlockSet(UnlockSet { version, ..set });
        let entry = world.draft(body).sign_as_root(&world.root);
        world.refuses(&entry, Violation::UnlockVersion);
    }
    let next = world.unlock_set();
    world.append(next);
    assert_eq!(world.state.unlock().version, 2);
}

#[test]
fn a_batch_of_unlock_set_and_new_device_lets_a_recovered_user_in() {
    let mut world = World::new();
    let set = world.unlock_set();
    world.append(set);
    let index = world.add_device();
    let item = world.put_item(index, "after recovery");
    assert_eq!(world.open(0, item), common::content("after recovery"));
}
