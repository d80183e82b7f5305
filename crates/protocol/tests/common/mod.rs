//! A user with devices and a log in memory, driven through the public interface alone.
#![allow(dead_code, reason = "each test binary takes what it needs")]

use keyquay_crypto::sealing::SealingKey;
use keyquay_crypto::sign::SigningKey;
use keyquay_crypto::{RecoveryCode, Zeroizing};
use keyquay_protocol::{
    Body, DeviceId, DeviceKeys, DeviceProfile, Draft, Entry, ItemContent, ItemId, Payload, Root, State,
    UnlockRecords, UserId, VaultKey, VaultKeys, Violation, open_item,
};

/// One installation with its private keys.
pub struct Installation {
    pub id: DeviceId,
    pub signing: SigningKey,
    pub sealing: SealingKey,
}

impl Installation {
    pub fn make() -> Self {
        Self {
            id: DeviceId::make_random(),
            signing: SigningKey::make_random(),
            sealing: SealingKey::make_random(),
        }
    }

    pub fn keys(&self) -> DeviceKeys {
        DeviceKeys { id: self.id, signing: self.signing.verifying_key(), sealing: self.sealing.public_key() }
    }

    pub fn sign(&self, draft: Draft) -> Entry {
        draft.sign_as_device(self.id, &self.signing)
    }

    pub fn vault_keys(&self, state: &State) -> VaultKeys {
        VaultKeys::open_for_device(state, self.id, &self.sealing).unwrap()
    }
}

/// A user, the devices and the log.
pub struct World {
    pub user: UserId,
    pub root: Root,
    pub code: RecoveryCode,
    pub devices: Vec<Installation>,
    pub state: State,
    pub log: Vec<Entry>,
    keys: VaultKeys,
}

pub const TIME: u64 = 1_700_000_000;

pub fn profile() -> DeviceProfile {
    DeviceProfile { name: "Desk".to_owned(), platform: "Debian 13".to_owned() }
}

pub fn content(text: &str) -> ItemContent {
    ItemContent::of(Zeroizing::new(text.as_bytes().to_vec()))
}

/// Records of the right shape for tests that open none.
pub fn some_records(root: &Root, code: &RecoveryCode, user: UserId) -> UnlockRecords {
    UnlockRecords {
        password: vec![1; 192],
        root_by_password: vec![2; 60],
        root_by_recovery: root.seal_with_recovery_code(code, user).unwrap(),
    }
}

pub fn genesis(user: UserId, root: &Root, first: &Installation, records: &UnlockRecords) -> Draft {
    let vault_key = VaultKey::make_random();
    State::draft_genesis(user, root, &first.keys(), &profile(), &vault_key, records.to_set(1), TIME).unwrap()
}

impl World {
    /// A fresh log with one device.
    pub fn new() -> Self {
        let (user, root, code) = (UserId::make_random(), Root::make_random(), RecoveryCode::make_random());
        let first = Installation::make();
        let records = some_records(&root, &code, user);
        let entry = genesis(user, &root, &first, &records).sign_as_root(&root);
        let state = State::begin(user, &entry).unwrap();
        let keys = VaultKeys::open_for_root(&state, &root).unwrap();
        Self { user, root, code, devices: vec![first], state, log: vec![entry], keys }
    }

    /// A fresh log with so many devices.
    pub fn with_devices(count: usize) -> Self {
        let mut world = Self::new();
        for _ in 1..count {
            world.add_device();
        }
        world
    }

    pub fn append(&mut self, entry: Entry) -> Payload {
        let payload = self.state.apply(&entry).unwrap();
        self.log.push(entry);
        if matches!(payload.body, Body::DeviceRemoved { .. }) {
            self.keys = VaultKeys::open_for_root(&self.state, &self.root).unwrap();
        }
        payload
    }

    /// Checks that the state refuses an entry, for what, and that it is untouched by it.
    #[track_caller]
    pub fn refuses(&mut self, entry: &Entry, violation: Violation) {
        let before = self.state.clone();
        assert_eq!(self.state.apply(entry).map(|payload| payload.body), Err(violation));
        assert!(self.state == before, "a refused entry changes nothing");
    }

    /// The vault keys as root opens them.
    pub fn keys(&self) -> &VaultKeys {
        &self.keys
    }

    /// The draft of any body, at the right place of the log.
    pub fn draft(&self, body: Body) -> Draft {
        let head = self.state.head();
        Draft { user: self.user, seq: head.seq + 1, prev: head.hash, time: TIME, body, blob: None }
    }

    pub fn added(&self, device: &Installation) -> Entry {
        self.state
            .draft_device_added(self.keys(), &device.keys(), &profile(), TIME)
            .unwrap()
            .sign_as_root(&self.root)
    }

    pub fn removed(&self, device: DeviceId) -> Entry {
        self.state.draft_device_removed(self.keys(), device, TIME).unwrap().sign_as_root(&self.root)
    }

    pub fn put(&self, by: usize, item: ItemId, text: &str) -> Entry {
        self.put_content(by, item, &content(text))
    }

    pub fn put_content(&self, by: usize, item: ItemId, content: &ItemContent) -> Entry {
        self.devices[by].sign(self.state.draft_item_put(self.keys(), item, content, TIME).unwrap())
    }

    pub fn deleted(&self, by: usize, item: ItemId) -> Entry {
        self.devices[by].sign(self.state.draft_item_deleted(item, TIME))
    }

    pub fn withdrawn(&self, by: usize, item: ItemId) -> Entry {
        self.devices[by].sign(self.state.draft_item_withdrawn(item, TIME))
    }

    pub fn unlock_set(&self) -> Entry {
        let records = some_records(&self.root, &self.code, self.user);
        self.state.draft_unlock_set(&records, TIME).sign_as_root(&self.root)
    }

    pub fn sync_ended(&self) -> Entry {
        self.state.draft_sync_ended(TIME).sign_as_root(&self.root)
    }

    pub fn add_device(&mut self) -> usize {
        let device = Installation::make();
        let entry = self.added(&device);
        self.devices.push(device);
        self.append(entry);
        self.devices.len() - 1
    }

    pub fn remove_device(&mut self, index: usize) {
        let entry = self.removed(self.devices[index].id);
        self.append(entry);
    }

    pub fn put_item(&mut self, by: usize, text: &str) -> ItemId {
        let item = ItemId::make_random();
        let entry = self.put(by, item, text);
        self.append(entry);
        item
    }

    /// The blob that travelled with the latest revision of an item.
    pub fn blob(&self, item: ItemId) -> Vec<u8> {
        let seq = self.state.items()[&item].seq;
        self.log[seq as usize - 1].blob.clone().unwrap()
    }

    /// The item as a device opens it.
    pub fn open(&self, by: usize, item: ItemId) -> ItemContent {
        let known = self.state.items()[&item];
        let keys = self.devices[by].vault_keys(&self.state);
        let key = keys.of_epoch(known.epoch).unwrap();
        open_item(&self.blob(item), key, self.user, item, known.revision, known.epoch).unwrap()
    }
}

/// Takes in a whole log from its beginning.
pub fn replay(user: UserId, log: &[Entry]) -> Result<State, Violation> {
    let (first, rest) = log.split_first().expect("a log has a beginning");
    let mut state = State::begin(user, first)?;
    for entry in rest {
        state.apply(entry)?;
    }
    Ok(state)
}
