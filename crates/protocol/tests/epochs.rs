//! The keys of the epochs: who holds which, and that each is the one that the log commits to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeMap;

use common::{Installation, TIME, World, content, profile};
use keyquay_crypto::sealing::SealingKey;
use keyquay_protocol::{
    Body, Draft, EpochStart, EpochViolation, Root, State, VaultKey, VaultKeys, Violation, open_item,
};

fn same(one: &VaultKeys, other: &VaultKeys, epochs: std::ops::RangeInclusive<u64>) -> bool {
    epochs.into_iter().all(|number| one.of_epoch(number).unwrap() == other.of_epoch(number).unwrap())
}

#[test]
fn root_and_every_active_device_hold_the_keys_of_all_epochs() {
    let mut world = World::with_devices(5);
    let items: Vec<_> = (0..3).map(|index| world.put_item(index, &format!("item {index}"))).collect();
    world.remove_device(4);
    world.remove_device(3);
    let late = world.add_device();
    assert_eq!(world.state.epoch().number, 3);

    let root = world.keys();
    assert_eq!(root.current().map(|(number, _)| number), Some(3));
    for index in [0, 1, 2, late] {
        let device = world.devices[index].vault_keys(&world.state);
        assert!(same(root, &device, 1..=3));
        assert!(device.of_epoch(4).is_none() && device.of_epoch(0).is_none());
        for (number, item) in items.iter().enumerate() {
            assert_eq!(world.open(index, *item), content(&format!("item {number}")));
        }
    }
    let keys: Vec<_> = (1..=3).map(|number| *root.of_epoch(number).unwrap().expose()).collect();
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
}

#[test]
fn a_removed_device_is_no_recipient_and_opens_nothing_later() {
    let mut world = World::with_devices(3);
    let gone = world.devices[2].id;
    let old_keys = world.devices[2].vault_keys(&world.state);
    let before = world.put_item(0, "before");
    world.remove_device(2);
    let after = world.put_item(0, "after");
    let edit = world.put(1, before, "edited");
    world.append(edit);

    assert!(!world.state.epoch().to_devices.contains_key(&gone));
    let device = &world.devices[2];
    let opened = VaultKeys::open_for_device(&world.state, gone, &device.sealing);
    assert_eq!(opened.unwrap_err(), EpochViolation::NotARecipient);
    // Nor does its key open what is sealed to the others.
    for id in world.state.epoch().to_devices.keys() {
        let opened = VaultKeys::open_for_device(&world.state, *id, &device.sealing);
        assert_eq!(opened.unwrap_err(), EpochViolation::Open);
    }
    let mut keys = old_keys;
    assert_eq!(keys.advance(&world.state, gone, &device.sealing), Err(EpochViolation::NotARecipient));
    assert!(keys.of_epoch(2).is_none());
    for item in [before, after] {
        let known = world.state.items()[&item];
        let old = keys.of_epoch(1).unwrap();
        assert!(open_item(&world.blob(item), old, world.user, item, known.revision, known.epoch).is_err());
        assert!(open_item(&world.blob(item), old, world.user, item, known.revision, 1).is_err());
    }
}

#[test]
fn advancing_takes_in_a_new_epoch_and_is_free_within_one() {
    let mut world = World::with_devices(4);
    let mut keys = world.devices[0].vault_keys(&world.state);
    world.remove_device(3);
    keys.advance(&world.state, world.devices[0].id, &world.devices[0].sealing).unwrap();
    assert_eq!(keys.current().map(|(number, _)| number), Some(2));
    // Within an epoch no key is opened at all.
    keys.advance(&world.state, world.devices[0].id, &SealingKey::make_random()).unwrap();
    world.remove_device(2);
    let wrong = keys.advance(&world.state, world.devices[0].id, &SealingKey::make_random());
    assert_eq!(wrong, Err(EpochViolation::Open));
    keys.advance(&world.state, world.devices[0].id, &world.devices[0].sealing).unwrap();
    assert!(same(&keys, world.keys(), 1..=3));
}

#[test]
fn another_root_opens_no_vault_key() {
    let world = World::with_devices(2);
    let opened = VaultKeys::open_for_root(&world.state, &Root::make_random());
    assert_eq!(opened.unwrap_err(), EpochViolation::Open);
}

/// A removal of device 2 of three whose epoch is made with other keys than it says.
fn bad_epoch(world: &World, change: impl FnOnce(&mut EpochStart, &VaultKey, &VaultKey)) -> State {
    let keys = world.keys();
    let (number, current) = keys.current().unwrap();
    let staying = [world.devices[0].keys(), world.devices[1].keys()];
    let root = world.root.public_keys().sealing;
    let (next, other) = (VaultKey::make_random(), VaultKey::make_random());
    let mut epoch = EpochStart::seal(world.user, number + 1, &next, Some(current), &root, &staying).unwrap();
    change(&mut epoch, &next, &other);
    let body = Body::DeviceRemoved { device: world.devices[2].id, epoch };
    let mut state = world.state.clone();
    state.apply(&world.draft(body).sign_as_root(&world.root)).unwrap();
    state
}

fn opened(world: &World, state: &State) -> Result<(), EpochViolation> {
    let device = &world.devices[0];
    VaultKeys::open_for_device(state, device.id, &device.sealing).map(|_| ())
}

#[test]
fn a_vault_key_that_the_log_does_not_commit_to_is_refused() {
    let world = World::with_devices(3);
    let root = world.root.public_keys().sealing;
    let before = world.keys();
    let current = before.of_epoch(1).unwrap();
    let staying = [world.devices[0].keys(), world.devices[1].keys()];
    let sealed = |key: &VaultKey, number, previous: &VaultKey| {
        EpochStart::seal(world.user, number, key, Some(previous), &root, &staying).unwrap()
    };
    assert_eq!(opened(&world, &bad_epoch(&world, |_, _, _| {})), Ok(()));

    let state = bad_epoch(&world, |epoch, _, _| epoch.commit[0] ^= 1);
    assert_eq!(opened(&world, &state), Err(EpochViolation::Commit));
    assert_eq!(VaultKeys::open_for_root(&state, &world.root).unwrap_err(), EpochViolation::Commit);
    // Another key for one recipient than for the others.
    let state = bad_epoch(&world, |epoch, _, other| epoch.to_devices = sealed(other, 2, current).to_devices);
    assert_eq!(opened(&world, &state), Err(EpochViolation::Commit));
    // Another key for the epoch before.
    let state = bad_epoch(&world, |epoch, next, other| epoch.previous = sealed(next, 2, other).previous);
    assert_eq!(opened(&world, &state), Err(EpochViolation::Commit));
    // The chain sealed under another key, or for another number or user.
    let state = bad_epoch(&world, |epoch, _, other| epoch.previous = sealed(other, 2, current).previous);
    assert_eq!(opened(&world, &state), Err(EpochViolation::Open));
    let state = bad_epoch(&world, |epoch, next, _| epoch.previous = sealed(next, 3, current).previous);
    assert_eq!(opened(&world, &state), Err(EpochViolation::Open));
    // The right key, sealed for another number, or to each other's name.
    let state = bad_epoch(&world, |epoch, next, _| epoch.to_devices = sealed(next, 3, current).to_devices);
    assert_eq!(opened(&world, &state), Err(EpochViolation::Open));
    let state = bad_epoch(&world, |epoch, _, _| {
        let names: Vec<_> = epoch.to_devices.keys().copied().collect();
        let swapped: Vec<_> = epoch.to_devices.values().rev().cloned().collect();
        epoch.to_devices = names.into_iter().zip(swapped).collect::<BTreeMap<_, _>>();
    });
    assert_eq!(opened(&world, &state), Err(EpochViolation::Open));
    // What is sealed to root is not sealed to a device, and the other way round.
    let state = bad_epoch(&world, |epoch, _, _| {
        let to_root = epoch.to_root.clone();
        epoch.to_devices.values_mut().for_each(|sealed| sealed.clone_from(&to_root));
    });
    assert_eq!(opened(&world, &state), Err(EpochViolation::Open));
    let violation: Violation = EpochViolation::Commit.into();
    assert_eq!(violation, Violation::VaultKey(EpochViolation::Commit));
}

#[test]
fn a_new_device_whose_sealed_key_is_wrong_finds_out_before_it_uses_it() {
    let mut world = World::with_devices(2);
    let device = Installation::make();
    let draft = world.state.draft_device_added(world.keys(), &device.keys(), &profile(), TIME).unwrap();
    let Body::DeviceAdded { device: keys, profile, .. } = draft.body.clone() else { unreachable!() };
    // A key of the server's choice, properly sealed to the device for this epoch.
    let chosen = VaultKey::make_random();
    let root = world.root.public_keys().sealing;
    let start = EpochStart::seal(world.user, 1, &chosen, None, &root, &[device.keys()]).unwrap();
    let vault_key = start.to_devices[&device.id].clone();
    let draft = Draft { body: Body::DeviceAdded { device: keys, profile, vault_key }, ..draft };
    let entry = draft.sign_as_root(&world.root);
    world.append(entry);
    let opened = VaultKeys::open_for_device(&world.state, device.id, &device.sealing);
    assert_eq!(opened.unwrap_err(), EpochViolation::Commit);
}

#[test]
fn the_keys_of_a_hundred_epochs_open_through_the_chain() {
    let mut world = World::with_devices(2);
    let first = world.put_item(0, "in epoch 1");
    for _ in 0..99 {
        let extra = world.add_device();
        world.remove_device(extra);
    }
    assert_eq!(world.state.epoch().number, 100);
    assert_eq!(world.open(1, first), content("in epoch 1"));
    assert!(same(world.keys(), &world.devices[1].vault_keys(&world.state), 1..=100));
}
