//! Long random histories of several devices, with hostile entries in between, against a model that one can read
//! at a glance.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Installation, TIME, World, content, replay};
use keyquay_crypto::sha256;
use keyquay_protocol::{
    Body, DeviceId, Draft, Entry, ItemId, ItemStatus, State, UserId, VaultKeys, open_item, seal_item,
};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// What must be true, in the simplest words.
#[derive(Default)]
struct Model {
    active: BTreeSet<DeviceId>,
    /// Text of every live item.
    live: BTreeMap<ItemId, String>,
    /// Revision of every item that ever was.
    revisions: BTreeMap<ItemId, u64>,
    epoch: u64,
    unlock: u64,
    length: u64,
}

impl Model {
    fn assert_equals(&self, state: &State) {
        assert_eq!(state.active_devices().map(|device| device.keys.id).collect::<BTreeSet<_>>(), self.active);
        assert_eq!(state.epoch().to_devices.keys().copied().collect::<BTreeSet<_>>(), self.active);
        let live: BTreeSet<ItemId> = state.live_items().map(|(id, _)| *id).collect();
        assert_eq!(live, self.live.keys().copied().collect());
        let revisions: BTreeMap<_, _> = state.items().iter().map(|(id, item)| (*id, item.revision)).collect();
        assert_eq!(revisions, self.revisions);
        assert_eq!(state.epoch().number, self.epoch);
        assert_eq!(state.unlock().version, self.unlock);
        assert_eq!(state.head().seq, self.length);
    }
}

/// A world that goes on by dice.
struct Story {
    world: World,
    model: Model,
    /// What each device that was removed held last.
    kept: Vec<(DeviceId, VaultKeys)>,
    dice: TestRng,
}

impl Story {
    fn begin(seed: u64) -> Self {
        let world = World::new();
        let model = Model {
            active: BTreeSet::from([world.devices[0].id]),
            epoch: 1,
            unlock: 1,
            length: 1,
            ..Model::default()
        };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let dice = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        Self { world, model, kept: Vec::new(), dice }
    }

    fn roll(&mut self, sides: usize) -> usize {
        (self.dice.next_u64() % sides as u64) as usize
    }

    fn active(&mut self) -> usize {
        let active: Vec<usize> = (0..self.world.devices.len())
            .filter(|index| self.model.active.contains(&self.world.devices[*index].id))
            .collect();
        active[self.roll(active.len())]
    }

    fn item(&mut self) -> Option<ItemId> {
        let live: Vec<ItemId> = self.model.live.keys().copied().collect();
        (!live.is_empty()).then(|| live[self.roll(live.len())])
    }

    /// One right step of somebody.
    fn step(&mut self) {
        let by = self.active();
        let entry = match self.roll(100) {
            0..40 => self.put(by, None),
            40..75 => {
                let item = self.item();
                self.put(by, item)
            }
            75..85 => self.end_item(by, false),
            85..90 => self.end_item(by, true),
            90..94 if self.model.active.len() < 6 => {
                let device = Installation::make();
                let entry = self.world.added(&device);
                self.model.active.insert(device.id);
                self.world.devices.push(device);
                entry
            }
            94..97 if self.model.active.len() > 1 => {
                let device = &self.world.devices[by];
                self.kept.push((device.id, device.vault_keys(&self.world.state)));
                self.model.active.remove(&device.id);
                self.model.epoch += 1;
                self.world.removed(device.id)
            }
            97..99 => {
                self.model.unlock += 1;
                self.world.unlock_set()
            }
            _ => {
                // An item that was deleted or withdrawn comes back.
                let gone: Vec<ItemId> = self
                    .model
                    .revisions
                    .keys()
                    .filter(|item| !self.model.live.contains_key(item))
                    .copied()
                    .collect();
                let item = (!gone.is_empty()).then(|| gone[self.roll(gone.len())]);
                self.put(by, item)
            }
        };
        self.model.length += 1;
        self.world.append(entry);
    }

    fn put(&mut self, by: usize, item: Option<ItemId>) -> Entry {
        let item = item.unwrap_or_else(ItemId::make_random);
        let text = format!("text {}", self.dice.next_u64());
        let entry = self.world.put(by, item, &text);
        *self.model.revisions.entry(item).or_default() += 1;
        self.model.live.insert(item, text);
        entry
    }

    fn end_item(&mut self, by: usize, withdraw: bool) -> Entry {
        let Some(item) = self.item() else { return self.put(by, None) };
        *self.model.revisions.entry(item).or_default() += 1;
        self.model.live.remove(&item);
        if withdraw { self.world.withdrawn(by, item) } else { self.world.deleted(by, item) }
    }

    /// An entry that must never be taken, made with every key that an attacker may have: those of removed devices
    /// and of one active device, everything that ever travelled, but not root's.
    fn hostile(&mut self) -> Option<Entry> {
        let item = self.item();
        let removed = (!self.kept.is_empty()).then(|| self.roll(self.kept.len()));
        let stolen = self.active();
        let world = &self.world;
        let state = &world.state;
        let length = world.log.len();
        Some(match self.dice.next_u64() % 14 {
            // Everything that travelled before, as it was.
            0 | 1 => world.log[(self.dice.next_u64() % length as u64) as usize].clone(),
            // The same bodies at the right place, signed by a device that is not the author or by one that was removed.
            2 | 3 => {
                let old = &world.log[(self.dice.next_u64() % length as u64) as usize];
                let draft = Draft { blob: old.blob.clone(), ..world.draft(old.decode().unwrap().body) };
                let (id, _) = self.kept.get(removed?)?;
                world.devices.iter().find(|device| device.id == *id)?.sign(draft)
            }
            // A membership of the attacker's own making, signed by a stolen device.
            4 => world.devices[stolen].sign(world.draft(Body::SyncEnded)),
            5 => {
                let draft = state.draft_device_added(
                    world.keys(),
                    &Installation::make().keys(),
                    &common::profile(),
                    TIME,
                );
                world.devices[stolen].sign(draft.unwrap())
            }
            6 => {
                let other =
                    state.active_devices().find(|device| device.keys.id != world.devices[stolen].id)?;
                let draft = state.draft_device_removed(world.keys(), other.keys.id, TIME);
                world.devices[stolen].sign(draft.unwrap())
            }
            // An item under a key that a removed device still has, by a stolen one.
            7 => {
                let (_, keys) = &self.kept[removed?];
                let (epoch, key) = keys.current()?;
                let item = item?;
                let revision = state.items()[&item].revision + 1;
                let blob = seal_item(&content("chosen"), key, world.user, item, revision, epoch).unwrap();
                let body = Body::ItemPut { item, revision, epoch, blob: sha256(&blob) };
                world.devices[stolen].sign(Draft { blob: Some(blob), ..world.draft(body) })
            }
            // An old or skipped revision, and a blob of another item.
            8 => {
                let item = item?;
                let revision = state.items()[&item].revision + 2 * (self.dice.next_u64() % 2);
                world.devices[stolen].sign(world.draft(Body::ItemDeleted { item, revision }))
            }
            9 => {
                let mut entry = world.put(stolen, item?, "new");
                entry.blob = Some(world.blob(item?));
                entry
            }
            // Another place, another user, another signature, another byte.
            10 => {
                let mut draft = world
                    .draft(Body::ItemDeleted { item: item?, revision: state.items()[&item?].revision + 1 });
                if self.dice.next_u64().is_multiple_of(2) {
                    draft.seq += 1
                } else {
                    draft.prev[0] ^= 1
                }
                world.devices[stolen].sign(draft)
            }
            11 => {
                let mut draft = world
                    .draft(Body::ItemDeleted { item: item?, revision: state.items()[&item?].revision + 1 });
                draft.user = UserId::make_random();
                world.devices[stolen].sign(draft)
            }
            12 => {
                let mut entry = world.put(stolen, ItemId::make_random(), "new");
                entry.signature[(self.dice.next_u64() % 64) as usize] ^= 1 << (self.dice.next_u64() % 8);
                entry
            }
            _ => {
                let mut entry = world.put(stolen, ItemId::make_random(), "new");
                let at = (self.dice.next_u64() % entry.payload.len() as u64) as usize;
                entry.payload[at] ^= 1 << (self.dice.next_u64() % 8);
                entry
            }
        })
    }

    fn try_hostile(&mut self) {
        let Some(entry) = self.hostile() else { return };
        let before = self.world.state.head();
        let refused = self.world.state.apply(&entry);
        assert!(refused.is_err(), "taken in: {refused:?}");
        assert_eq!(self.world.state.head(), before);
    }

    /// Everybody who is active reads every live item; whoever was removed reads nothing that came later.
    fn assert_readable(&self) {
        let state = &self.world.state;
        for device in self.world.devices.iter().filter(|device| self.model.active.contains(&device.id)) {
            let keys = device.vault_keys(state);
            for (item, text) in &self.model.live {
                let known = state.items()[item];
                let key = keys.of_epoch(known.epoch).unwrap();
                let opened =
                    open_item(&self.world.blob(*item), key, state.user(), *item, known.revision, known.epoch);
                assert_eq!(opened.unwrap(), content(text));
            }
        }
        for (id, keys) in &self.kept {
            let device = self.world.devices.iter().find(|device| device.id == *id).unwrap();
            assert!(VaultKeys::open_for_device(state, *id, &device.sealing).is_err());
            let (last, key) = keys.current().unwrap();
            let live = state.items().iter().filter(|(_, known)| known.status == ItemStatus::Live);
            for (item, known) in live.filter(|(_, known)| known.epoch > last).step_by(7) {
                let blob = self.world.blob(*item);
                assert!(open_item(&blob, key, state.user(), *item, known.revision, known.epoch).is_err());
            }
        }
    }
}

fn tell(seed: u64, steps: usize) -> Story {
    let mut story = Story::begin(seed);
    for step in 0..steps {
        story.step();
        story.try_hostile();
        if step % 100 == 0 {
            story.model.assert_equals(&story.world.state);
            story.world.state = State::from_snapshot(&story.world.state.to_snapshot()).unwrap();
        }
    }
    story.model.assert_equals(&story.world.state);
    story.assert_readable();
    let replayed = replay(story.world.user, &story.world.log).unwrap();
    assert!(replayed == story.world.state);
    story
}

#[test]
fn a_history_of_thousands_of_steps_equals_the_model_and_takes_nothing_hostile() {
    let story = tell(0x5EED, 3_000);
    // The dice reached all there is to reach.
    assert!(story.model.epoch > 20 && story.model.unlock > 20 && story.model.live.len() > 100);
    assert!(story.kept.len() > 20);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_history_equals_the_model_and_takes_nothing_hostile(seed: u64) {
        tell(seed, 120);
    }
}
