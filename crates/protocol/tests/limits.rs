//! What a log may hold, and that root is always heard.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Installation, World};
use keyquay_crypto::cbor::Encode;
use keyquay_crypto::sha256;
use keyquay_protocol::{Body, Draft, Entry, ItemId, State, Violation, limits};

#[test]
fn a_log_has_at_most_32_active_devices_and_room_again_after_a_removal() {
    let mut world = World::with_devices(limits::ACTIVE_DEVICES);
    assert_eq!(world.state.active_devices().count(), 32);
    let one_more = world.added(&Installation::make());
    world.refuses(&one_more, Violation::Limit);

    let removal = world.removed(world.devices[5].id);
    assert!(removal.payload.len() < limits::ENTRY);
    world.append(removal);
    world.add_device();
    assert_eq!(world.state.active_devices().count(), 32);
}

#[test]
fn a_payload_above_16_kib_is_refused_before_it_is_read() {
    let mut world = World::new();
    let mut entry = world.put(0, ItemId::make_random(), "x");
    entry.payload.resize(limits::ENTRY + 1, 0);
    world.refuses(&entry, Violation::Limit);
    assert_eq!(State::begin(world.user, &entry).unwrap_err(), Violation::Limit);
    entry.payload.truncate(limits::ENTRY);
    assert!(matches!(world.state.apply(&entry), Err(Violation::Malformed(_))));
}

#[test]
fn a_blob_of_64_kib_is_taken_and_one_more_byte_is_not() {
    let mut world = World::new();
    let put = |world: &World, size: usize| {
        let blob = vec![7; size];
        let body = Body::ItemPut { item: ItemId([9; 16]), revision: 1, epoch: 1, blob: sha256(&blob) };
        world.devices[0].sign(Draft { blob: Some(blob), ..world.draft(body) })
    };
    let too_large = put(&world, limits::BLOB + 1);
    world.refuses(&too_large, Violation::Limit);
    let largest = put(&world, limits::BLOB);
    world.append(largest);
}

/// An entry by a device about an item whose blob does not travel along.
fn put_without_blob(world: &World, item: ItemId) -> Entry {
    let body = Body::ItemPut { item, revision: 1, epoch: world.state.epoch().number, blob: [0; 32] };
    world.devices[0].sign(world.draft(body))
}

#[test]
fn ten_thousand_live_items_are_taken_and_an_edit_or_a_deletion_still_is() {
    let mut world = World::new();
    let item = |number: usize| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(number as u64).to_be_bytes());
        ItemId(id)
    };
    for number in 0..limits::LIVE_ITEMS {
        let entry = put_without_blob(&world, item(number));
        world.append(entry);
    }
    assert_eq!(world.state.live_items().count(), limits::LIVE_ITEMS);
    let one_more = put_without_blob(&world, ItemId::make_random());
    world.refuses(&one_more, Violation::Limit);

    let edit = world.put(0, item(17), "edited");
    world.append(edit);
    let delete = world.deleted(0, item(18));
    world.append(delete);
    let entry = put_without_blob(&world, ItemId::make_random());
    world.append(entry);
    // What was deleted comes back only where there is room.
    let again = world.put(0, item(18), "back");
    world.refuses(&again, Violation::Limit);
    let stored = State::from_snapshot(&world.state.to_snapshot()).unwrap();
    assert!(stored == world.state);
    assert_eq!(stored.live_items().count(), limits::LIVE_ITEMS);
}

/// The same state with so many entries of devices behind it.
fn after_device_entries(state: &State, count: u64) -> State {
    let mut bytes = state.to_snapshot();
    // The end of a stored state: how many entries, and whether it ended.
    assert_eq!(bytes.pop(), Some(0));
    let mut now = Vec::new();
    2_u64.encode(&mut now);
    assert!(bytes.ends_with(&now));
    bytes.truncate(bytes.len() - now.len());
    count.encode(&mut bytes);
    bytes.push(0);
    State::from_snapshot(&bytes).unwrap()
}

#[test]
fn after_200_000_entries_of_devices_root_is_still_heard_and_a_removal_makes_room() {
    let mut world = World::with_devices(3);
    let item = world.put_item(0, "one");
    world.put_item(0, "two");
    world.state = after_device_entries(&world.state, limits::DEVICE_ENTRIES - 1);
    let last = world.put(0, item, "last");
    world.append(last);
    for entry in [world.put(1, item, "more"), world.deleted(1, item), world.withdrawn(1, item)] {
        world.refuses(&entry, Violation::Limit);
    }

    let set = world.unlock_set();
    world.append(set);
    world.add_device();
    let still = world.put(1, item, "more");
    world.refuses(&still, Violation::Limit);
    // What a stolen device used up is given back with its removal.
    world.remove_device(2);
    let edit = world.put(1, item, "more");
    world.append(edit);
    let end = world.sync_ended();
    world.append(end);
}
