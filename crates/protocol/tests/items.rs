//! What items may do, and that a blob opens as exactly one revision of one item of one user.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Installation, World, content};
use keyquay_crypto::{CryptoError, Zeroizing, sha256};
use keyquay_protocol::{
    Body, DeviceProfile, Draft, ItemContent, ItemId, ItemStatus, MAX_BESIDE, UserId, VaultKey, Violation,
    limits, open_item, seal_item,
};

#[test]
fn an_item_is_put_edited_deleted_and_put_again() {
    let mut world = World::with_devices(2);
    let item = world.put_item(0, "first");
    let edit = world.put(1, item, "second");
    world.append(edit);
    assert_eq!(world.open(0, item), content("second"));
    let delete = world.deleted(0, item);
    world.append(delete);
    let known = world.state.items()[&item];
    assert_eq!((known.status, known.revision), (ItemStatus::Deleted, 3));
    assert_eq!(world.state.live_items().count(), 0);

    let again = world.put(1, item, "edit beats delete");
    world.append(again);
    let known = world.state.items()[&item];
    assert_eq!((known.status, known.revision, known.author), (ItemStatus::Live, 4, world.devices[1].id));
    let withdraw = world.withdrawn(1, item);
    world.append(withdraw);
    assert_eq!(world.state.items()[&item].status, ItemStatus::Withdrawn);
    let again = world.put(0, item, "synced once more");
    world.append(again);
    assert_eq!(world.state.live_items().count(), 1);
}

#[test]
fn a_revision_follows_the_one_before_it() {
    let mut world = World::with_devices(2);
    let item = world.put_item(0, "first");
    let blob = world.blob(item);
    let put = |revision| Body::ItemPut { item, revision, epoch: 1, blob: sha256(&blob) };
    for revision in [0, 1, 3, u64::MAX] {
        for body in
            [put(revision), Body::ItemDeleted { item, revision }, Body::ItemWithdrawn { item, revision }]
        {
            let entry = world.devices[1].sign(world.draft(body));
            world.refuses(&entry, Violation::Revision);
        }
    }
    let unknown = ItemId::make_random();
    for body in [
        Body::ItemDeleted { item: unknown, revision: 1 },
        Body::ItemWithdrawn { item: unknown, revision: 1 },
        Body::ItemPut { item: unknown, revision: 2, epoch: 1, blob: sha256(&blob) },
        Body::ItemPut { item: unknown, revision: 0, epoch: 1, blob: sha256(&blob) },
    ] {
        let entry = world.devices[1].sign(world.draft(body));
        world.refuses(&entry, Violation::Revision);
    }
    let delete = world.deleted(0, item);
    world.append(delete);
    for body in [Body::ItemDeleted { item, revision: 3 }, Body::ItemWithdrawn { item, revision: 3 }] {
        let entry = world.devices[1].sign(world.draft(body));
        world.refuses(&entry, Violation::Revision);
    }
}

#[test]
fn a_blob_is_the_one_that_its_entry_names() {
    let mut world = World::new();
    let good = world.put(0, ItemId::make_random(), "text");
    let mut other = good.clone();
    other.blob = world.put(0, ItemId::make_random(), "text").blob;
    world.refuses(&other, Violation::Blob);
    let mut empty = good.clone();
    empty.blob = Some(Vec::new());
    world.refuses(&empty, Violation::Blob);

    // Entries travel without blobs that are no longer live.
    let without = keyquay_protocol::Entry { blob: None, ..good };
    world.append(without);

    let item = *world.state.items().keys().next().unwrap();
    for mut entry in
        [world.deleted(0, item), world.withdrawn(0, item), world.unlock_set(), world.sync_ended()]
    {
        entry.blob = Some(vec![0; 300]);
        world.refuses(&entry, Violation::Blob);
    }
}

#[test]
fn a_blob_opens_as_its_own_revision_item_epoch_and_user_alone() {
    let key = VaultKey::make_random();
    let users = [UserId::make_random(), UserId::make_random()];
    let items = [ItemId::make_random(), ItemId::make_random()];
    let places: Vec<(UserId, ItemId, u64, u64)> = users
        .iter()
        .flat_map(|user| items.iter().map(move |item| (*user, *item)))
        .flat_map(|(user, item)| {
            [(1, 1), (1, 2), (2, 1), (2, 2)].map(|(revision, epoch)| (user, item, revision, epoch))
        })
        .collect();
    for (index, place) in places.iter().enumerate() {
        let blob = seal_item(&content("secret"), &key, place.0, place.1, place.2, place.3).unwrap();
        for (other, put) in places.iter().enumerate() {
            let opened = open_item(&blob, &key, put.0, put.1, put.2, put.3);
            if index == other {
                assert_eq!(opened.unwrap(), content("secret"));
            } else {
                assert_eq!(opened.unwrap_err(), CryptoError::Open, "{place:?} opened as {put:?}");
            }
        }
        let elsewhere = open_item(&blob, &VaultKey::make_random(), place.0, place.1, place.2, place.3);
        assert_eq!(elsewhere.unwrap_err(), CryptoError::Open);
    }
}

#[test]
fn a_profile_opens_as_its_own_device_epoch_and_user_alone_and_never_as_an_item() {
    let key = VaultKey::make_random();
    let (user, device) = (UserId::make_random(), Installation::make().id);
    let sealed = common::profile().seal(&key, user, device, 1).unwrap();
    assert_eq!(DeviceProfile::open(&sealed, &key, user, device, 1).unwrap(), common::profile());
    assert!(DeviceProfile::open(&sealed, &key, user, device, 2).is_err());
    assert!(DeviceProfile::open(&sealed, &key, UserId::make_random(), device, 1).is_err());
    assert!(DeviceProfile::open(&sealed, &key, user, Installation::make().id, 1).is_err());
    assert!(open_item(&sealed, &key, user, ItemId(device.0), 1, 1).is_err());
    let blob = seal_item(&content("secret"), &key, user, ItemId(device.0), 1, 1).unwrap();
    assert!(DeviceProfile::open(&blob, &key, user, device, 1).is_err());
}

#[test]
fn a_flipped_bit_or_a_missing_byte_anywhere_in_a_blob_opens_nothing() {
    let key = VaultKey::make_random();
    let (user, item) = (UserId::make_random(), ItemId::make_random());
    let blob = seal_item(&content("secret"), &key, user, item, 1, 1).unwrap();
    for index in 0..blob.len() {
        for bit in 0..8 {
            let mut flipped = blob.clone();
            flipped[index] ^= 1 << bit;
            assert_eq!(open_item(&flipped, &key, user, item, 1, 1).unwrap_err(), CryptoError::Open);
        }
        assert_eq!(open_item(&blob[..index], &key, user, item, 1, 1).unwrap_err(), CryptoError::Open);
    }
    let longer = [blob.as_slice(), &[0]].concat();
    assert_eq!(open_item(&longer, &key, user, item, 1, 1).unwrap_err(), CryptoError::Open);
}

#[test]
fn sizes_tell_only_steps_of_256_bytes() {
    let key = VaultKey::make_random();
    let (user, item) = (UserId::make_random(), ItemId::make_random());
    let size = |length: usize| {
        let text = "x".repeat(length);
        seal_item(&content(&text), &key, user, item, 1, 1).unwrap().len()
    };
    assert_eq!(size(0), size(200));
    assert_eq!((size(300) - 28) % 256, 0);
    assert!(size(300) > size(200));
}

#[test]
fn versions_beside_an_item_travel_with_it_up_to_a_limit() {
    let key = VaultKey::make_random();
    let (user, item) = (UserId::make_random(), ItemId::make_random());
    let versions = |count: usize| {
        (0..count).map(|index| Zeroizing::new(format!("version {index}").into_bytes())).collect::<Vec<_>>()
    };
    let full = ItemContent { beside: versions(MAX_BESIDE), ..content("current") };
    let blob = seal_item(&full, &key, user, item, 1, 1).unwrap();
    assert_eq!(open_item(&blob, &key, user, item, 1, 1).unwrap(), full);

    // What nobody could open is not sealed.
    let too_many = ItemContent { beside: versions(MAX_BESIDE + 1), ..content("current") };
    assert_eq!(seal_item(&too_many, &key, user, item, 1, 1).unwrap_err(), CryptoError::TooLong);
    let too_long = content(&"x".repeat(limits::BLOB));
    assert_eq!(seal_item(&too_long, &key, user, item, 1, 1).unwrap_err(), CryptoError::TooLong);
    let name = "x".repeat(2_000);
    let too_long = DeviceProfile { name, platform: String::new() };
    assert_eq!(too_long.seal(&key, user, Installation::make().id, 1).unwrap_err(), CryptoError::TooLong);
}

#[test]
fn the_content_of_an_item_never_shows_in_a_debug_line() {
    let debug = format!("{:?}", content("api-secret"));
    assert_eq!(debug, "ItemContent([secret], 0 beside)");
}

#[test]
fn an_item_of_another_epoch_than_the_current_one_is_refused() {
    let mut world = World::with_devices(3);
    let item = world.put_item(0, "first");
    let old_keys = world.devices[0].vault_keys(&world.state);
    world.remove_device(2);
    let blob = seal_item(&content("old"), old_keys.of_epoch(1).unwrap(), world.user, item, 2, 1).unwrap();
    for epoch in [0, 1, 3] {
        let body = Body::ItemPut { item, revision: 2, epoch, blob: sha256(&blob) };
        let draft = Draft { blob: Some(blob.clone()), ..world.draft(body) };
        let entry = world.devices[0].sign(draft);
        world.refuses(&entry, Violation::ItemEpoch);
    }
    let edit = world.put(0, item, "new epoch");
    world.append(edit);
    assert_eq!(world.state.items()[&item].epoch, 2);
}
