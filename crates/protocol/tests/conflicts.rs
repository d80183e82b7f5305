//! Several devices at one log: who is late verifies what it missed and drafts again, and no version is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{TIME, World, content};
use keyquay_protocol::{
    Entry, ItemContent, ItemId, ItemStatus, LogHead, State, UserId, VaultKeys, Violation, open_item,
};

/// A device's own copy of the log.
struct Replica {
    state: State,
    keys: VaultKeys,
    log: Vec<Entry>,
    device: usize,
}

/// The server's side of an append: compare-and-swap on the head.
fn append(world: &mut World, entry: &Entry) -> Result<(), LogHead> {
    match world.state.clone().apply(entry) {
        Ok(_) => {
            world.append(entry.clone());
            Ok(())
        }
        Err(Violation::Chain) => Err(world.state.head()),
        Err(violation) => panic!("an honest entry is refused: {violation}"),
    }
}

impl Replica {
    fn of(world: &World, device: usize) -> Self {
        let keys = world.devices[device].vault_keys(&world.state);
        Self { state: world.state.clone(), keys, log: world.log.clone(), device }
    }

    fn pull(&mut self, world: &World) {
        for entry in &world.log[self.log.len()..] {
            self.state.apply(entry).unwrap();
            self.log.push(entry.clone());
            let own = &world.devices[self.device];
            self.keys.advance(&self.state, own.id, &own.sealing).unwrap();
        }
    }

    fn draft(&self, world: &World, item: ItemId, content: &ItemContent) -> Entry {
        world.devices[self.device].sign(self.state.draft_item_put(&self.keys, item, content, TIME).unwrap())
    }

    fn open(&self, item: ItemId) -> ItemContent {
        let known = self.state.items()[&item];
        let blob = self.log[known.seq as usize - 1].blob.clone().unwrap();
        let key = self.keys.of_epoch(known.epoch).unwrap();
        open_item(&blob, key, self.state.user(), item, known.revision, known.epoch).unwrap()
    }
}

/// The own edit becomes current, what is current by now stands beside it.
fn beside(own: &str, current: &ItemContent) -> ItemContent {
    let mut beside = current.beside.clone();
    beside.push(current.account.clone());
    ItemContent { beside, ..content(own) }
}

#[test]
fn of_two_appends_to_one_head_the_second_is_drafted_anew_after_the_first() {
    let mut world = World::with_devices(2);
    let (mut one, mut two) = (Replica::of(&world, 0), Replica::of(&world, 1));
    let (first, second) = (ItemId::make_random(), ItemId::make_random());
    let by_one = one.draft(&world, first, &content("one"));
    let by_two = two.draft(&world, second, &content("two"));
    append(&mut world, &by_one).unwrap();
    assert_eq!(append(&mut world, &by_two), Err(world.state.head()));

    two.pull(&world);
    let again = two.draft(&world, second, &content("two"));
    append(&mut world, &again).unwrap();
    one.pull(&world);
    two.pull(&world);
    assert!(one.state == two.state && one.state == world.state);
    assert_eq!((one.open(first), one.open(second)), (content("one"), content("two")));
}

#[test]
fn both_versions_of_an_edit_conflict_are_kept_side_by_side() {
    let mut world = World::with_devices(2);
    let item = world.put_item(0, "base");
    let (mut one, mut two) = (Replica::of(&world, 0), Replica::of(&world, 1));
    let by_one = one.draft(&world, item, &content("one"));
    let by_two = two.draft(&world, item, &content("two"));
    append(&mut world, &by_one).unwrap();
    append(&mut world, &by_two).unwrap_err();
    // Put as it was, at the right place, it would name a revision that is taken.
    two.pull(&world);
    let merged = beside("two", &two.open(item));
    let again = two.draft(&world, item, &merged);
    append(&mut world, &again).unwrap();
    one.pull(&world);
    let seen = one.open(item);
    assert_eq!(*seen.account, b"two");
    assert_eq!(seen.beside.iter().map(|version| version.to_vec()).collect::<Vec<_>>(), [b"one".to_vec()]);
    assert_eq!(one.state.items()[&item].revision, 3);
}

#[test]
fn an_edit_that_lost_to_a_removal_is_sealed_again_under_the_new_epoch() {
    let mut world = World::with_devices(3);
    let item = world.put_item(0, "base");
    let mut late = Replica::of(&world, 1);
    let stale = late.draft(&world, item, &content("edited"));
    world.remove_device(2);
    append(&mut world, &stale).unwrap_err();

    // The same body under the new head: the epoch gives it away.
    let payload = stale.decode().unwrap();
    let mut draft = world.draft(payload.body);
    draft.blob = stale.blob;
    let moved = world.devices[1].sign(draft);
    world.refuses(&moved, Violation::ItemEpoch);

    late.pull(&world);
    let again = late.draft(&world, item, &content("edited"));
    append(&mut world, &again).unwrap();
    late.pull(&world);
    assert_eq!(late.state.items()[&item].epoch, 2);
    assert_eq!(late.open(item), content("edited"));
}

#[test]
fn an_edit_beats_a_deletion_whichever_comes_first() {
    let mut world = World::with_devices(2);
    let item = world.put_item(0, "base");
    let mut late = Replica::of(&world, 1);
    let delete = world.deleted(0, item);
    append(&mut world, &delete).unwrap();
    late.pull(&world);
    assert_eq!(late.state.items()[&item].status, ItemStatus::Deleted);
    let edit = late.draft(&world, item, &content("edited"));
    append(&mut world, &edit).unwrap();
    assert_eq!(world.open(0, item), content("edited"));

    // The other way round: the deletion was drafted for a revision that is no longer the latest.
    let delete = world.deleted(0, item);
    let edit = world.put(1, item, "edited again");
    append(&mut world, &edit).unwrap();
    append(&mut world, &delete).unwrap_err();
    let payload = delete.decode().unwrap();
    let moved = world.devices[0].sign(world.draft(payload.body));
    world.refuses(&moved, Violation::Revision);
    assert_eq!(world.open(0, item), content("edited again"));
}

#[test]
fn of_two_roots_at_one_head_the_second_is_drafted_for_the_devices_that_are_active_then() {
    let mut world = World::with_devices(4);
    let (first, second) = (world.removed(world.devices[2].id), world.removed(world.devices[3].id));
    append(&mut world, &first).unwrap();
    append(&mut world, &second).unwrap_err();
    let payload = second.decode().unwrap();
    let moved = world.draft(payload.body).sign_as_root(&world.root);
    world.refuses(&moved, Violation::Epoch);
    world.remove_device(3);
    assert_eq!(world.state.epoch().number, 3);
    assert_eq!(world.state.active_devices().count(), 2);

    let (first, second) = (world.unlock_set(), world.unlock_set());
    append(&mut world, &first).unwrap();
    append(&mut world, &second).unwrap_err();
    let payload = second.decode().unwrap();
    let moved = world.draft(payload.body).sign_as_root(&world.root);
    world.refuses(&moved, Violation::UnlockVersion);
}

#[test]
fn the_same_device_is_not_added_twice_by_a_rebase() {
    let mut world = World::with_devices(2);
    let device = common::Installation::make();
    let first = world.added(&device);
    append(&mut world, &first).unwrap();
    let again = world.added(&device);
    world.refuses(&again, Violation::DeviceReused);
}

#[test]
fn three_devices_that_edit_at_once_converge_and_keep_every_version() {
    let mut world = World::with_devices(3);
    let item = world.put_item(0, "base");
    let mut replicas: Vec<Replica> = (0..3).map(|device| Replica::of(&world, device)).collect();
    let drafts: Vec<Entry> = replicas
        .iter()
        .map(|replica| replica.draft(&world, item, &content(&format!("by {}", replica.device))))
        .collect();
    append(&mut world, &drafts[0]).unwrap();
    for late in [1, 2] {
        append(&mut world, &drafts[late]).unwrap_err();
        replicas[late].pull(&world);
        let merged = beside(&format!("by {late}"), &replicas[late].open(item));
        let again = replicas[late].draft(&world, item, &merged);
        append(&mut world, &again).unwrap();
    }
    for replica in &mut replicas {
        replica.pull(&world);
        assert!(replica.state == world.state);
        let seen = replica.open(item);
        let mut versions: Vec<Vec<u8>> = seen.beside.iter().map(|version| version.to_vec()).collect();
        versions.push(seen.account.to_vec());
        assert_eq!(versions, [b"by 0".to_vec(), b"by 1".to_vec(), b"by 2".to_vec()]);
    }
}

#[test]
fn another_users_entry_at_the_same_place_is_refused() {
    let mut world = World::new();
    let mut draft = world.draft(keyquay_protocol::Body::SyncEnded);
    draft.user = UserId::make_random();
    let entry = draft.sign_as_root(&world.root);
    world.refuses(&entry, Violation::OtherUser);
}
