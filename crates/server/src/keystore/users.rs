//! A user's standing in memory: one at a time works on a user, and what is used often stays loaded.

use std::collections::{BTreeMap, HashMap};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use keyquay_protocol::wire::MAX_ENTRIES;
use keyquay_protocol::{DeviceId, Entry, Problem, State, UserId};
use tokio::sync::OwnedMutexGuard;

use super::entries::{entry_key, generation_key, read_entry};
use super::records::{DeviceRecord, UserRecord};
use super::rows::{Draft, Kind, Rows, damaged};

/// A registered user, as far as it is held in memory: no secret is.
pub struct User {
    pub id: UserId,
    pub record: UserRecord,
    pub devices: BTreeMap<DeviceId, DeviceRecord>,
    /// The latest log, ended or not.
    pub log: Option<State>,
    /// How many entries follow the stored snapshot of the log.
    pub since_snapshot: usize,
}

/// The only holder of a user for the moment. A change that was not committed is forgotten.
pub struct UserGuard {
    cell: OwnedMutexGuard<Cell>,
    items: Arc<AtomicUsize>,
}

/// All users that are loaded, at most so many.
pub struct Users {
    capacity: usize,
    clock: AtomicU64,
    /// How many items all loaded users have.
    items: Arc<AtomicUsize>,
    cells: Mutex<HashMap<UserId, Slot>>,
}

impl Users {
    pub fn new(capacity: usize) -> Self {
        Self { capacity, clock: AtomicU64::new(0), items: Arc::default(), cells: Mutex::default() }
    }

    /// Waits for the user and takes hold of it; `None` when there is no such user.
    pub async fn open(&self, rows: &Rows, id: UserId) -> Result<Option<UserGuard>, Problem> {
        let mut cell = self.cell(id).lock_owned().await;
        if !cell.is_loaded {
            match load(rows, id).await? {
                Some(user) => cell.user = user,
                None => return Ok(None),
            }
            cell.is_loaded = true;
        }
        Ok(Some(UserGuard { cell, items: Arc::clone(&self.items) }))
    }

    /// Keeps everybody else from a user id that may not have a user yet.
    pub async fn reserve(&self, id: UserId) -> Reserved {
        Reserved { _cell: self.cell(id).lock_owned().await }
    }

    fn cell(&self, id: UserId) -> Arc<tokio::sync::Mutex<Cell>> {
        let used = self.clock.fetch_add(1, Ordering::Relaxed);
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = cells.len() >= self.capacity || self.items.load(Ordering::Relaxed) >= MOST_ITEMS;
        if is_full && !cells.contains_key(&id) {
            make_room(&mut cells, &self.items);
        }
        let slot = cells.entry(id).or_insert_with(|| Slot::of(id));
        slot.used = used;
        Arc::clone(&slot.cell)
    }
}

/// Holds a user id while nothing is loaded.
pub struct Reserved {
    _cell: OwnedMutexGuard<Cell>,
}

impl UserGuard {
    /// Makes all changes of the drafts; memory counts as up to date again only if they are on disk.
    pub async fn commit(&mut self, rows: &Rows, drafts: Vec<Draft>) -> Result<(), Problem> {
        self.forget();
        rows.commit(drafts).await?;
        self.cell.is_loaded = true;
        Ok(())
    }

    /// The same; `None` when a row that was to be new was there.
    pub async fn commit_unless_conflict(
        &mut self,
        rows: &Rows,
        drafts: Vec<Draft>,
    ) -> Result<Option<()>, Problem> {
        self.forget();
        let done = rows.commit_unless_conflict(drafts).await?;
        self.cell.is_loaded = done.is_some();
        Ok(done)
    }

    /// What is in memory may be ahead of the database: it is read again unless a commit follows.
    pub fn forget(&mut self) {
        self.cell.is_loaded = false;
    }

    /// A device that is known and has not expired.
    pub fn device(&self, id: DeviceId, now: u64) -> Option<&DeviceRecord> {
        self.devices.get(&id).filter(|device| !device.has_expired(now))
    }

    /// Writes a device's record down.
    pub fn put_device(&self, draft: &mut Draft, id: DeviceId) -> Result<(), Problem> {
        match self.devices.get(&id) {
            Some(record) => draft.put_json(Kind::Device, id.as_bytes(), record),
            None => Ok(()),
        }
    }

    /// Writes the user's own record down.
    pub fn put_record(&self, draft: &mut Draft) -> Result<(), Problem> {
        draft.put_json(Kind::User, b"", &self.record)
    }

    /// The devices that get what is pushed: active in the latest log and not suspended.
    pub fn listening_devices(&self) -> Vec<DeviceId> {
        let generation = self.record.generation;
        let listens = |device: &DeviceRecord| {
            device.is_active() && !device.suspended && device.generation == generation
        };
        self.devices.iter().filter(|(_, device)| listens(device)).map(|(id, _)| *id).collect()
    }
}

impl Drop for UserGuard {
    fn drop(&mut self) {
        let now = self.log.as_ref().map_or(0, |log| log.items().len());
        self.items.fetch_add(now, Ordering::Relaxed);
        self.items.fetch_sub(std::mem::replace(&mut self.cell.counted, now), Ordering::Relaxed);
    }
}

impl Deref for UserGuard {
    type Target = User;

    fn deref(&self) -> &User {
        &self.cell.user
    }
}

impl DerefMut for UserGuard {
    fn deref_mut(&mut self) -> &mut User {
        &mut self.cell.user
    }
}

/// Reads the state of one of a user's logs, and how many entries follow its stored snapshot.
pub async fn load_log(rows: &Rows, user: UserId, generation: u32) -> Result<Option<(State, usize)>, Problem> {
    let key = generation_key(generation);
    let mut state = match rows.get(user, Kind::Snapshot, &key).await? {
        Some(snapshot) => Some(State::from_snapshot(&snapshot).map_err(|_| damaged(Kind::Snapshot))?),
        None => None,
    };
    let mut since_snapshot = 0;
    loop {
        let after = state.as_ref().map_or(0, |state| state.head().seq);
        let page = rows.range(user, Kind::Entry, &key, &entry_key(generation, after), MAX_ENTRIES).await?;
        for row in &page {
            let entry: Entry = read_entry(&row.value)?;
            match &mut state {
                Some(state) => state.apply(&entry).map(|_| ()).map_err(|_| damaged(Kind::Entry))?,
                None => state = Some(State::begin(user, &entry).map_err(|_| damaged(Kind::Entry))?),
            }
        }
        since_snapshot += page.len();
        if page.len() < MAX_ENTRIES {
            return Ok(state.map(|state| (state, since_snapshot)));
        }
    }
}

struct Cell {
    /// Whether `user` is as the database has it.
    is_loaded: bool,
    /// How many items of this user are counted among those of all.
    counted: usize,
    user: User,
}

/// Items that all loaded users may have together, some 200 bytes each.
const MOST_ITEMS: usize = 200_000;

struct Slot {
    cell: Arc<tokio::sync::Mutex<Cell>>,
    used: u64,
}

impl Slot {
    fn of(id: UserId) -> Self {
        let record = UserRecord::default();
        let user = User { id, record, devices: BTreeMap::new(), log: None, since_snapshot: 0 };
        let cell = Arc::new(tokio::sync::Mutex::new(Cell { is_loaded: false, counted: 0, user }));
        Self { cell, used: 0 }
    }
}

async fn load(rows: &Rows, id: UserId) -> Result<Option<User>, Problem> {
    let Some(record) = rows.get_json::<UserRecord>(id, Kind::User, b"").await? else {
        return Ok(None);
    };
    let mut devices = BTreeMap::new();
    for row in rows.range(id, Kind::Device, b"", b"", usize::MAX).await? {
        let device = row.key.as_slice().try_into().map(DeviceId).map_err(|_| damaged(Kind::Device))?;
        devices.insert(device, super::rows::read_json(Kind::Device, &row.value)?);
    }
    let log = load_log(rows, id, record.generation).await?;
    if log.is_none() && record.generation > 0 && record.ended.is_none() {
        return Err(damaged(Kind::Entry));
    }
    let (log, since_snapshot) = log.map_or((None, 0), |(state, count)| (Some(state), count));
    Ok(Some(User { id, record, devices, log, since_snapshot }))
}

/// Forgets the half that was used least recently, as far as nobody holds it.
fn make_room(cells: &mut HashMap<UserId, Slot>, items: &AtomicUsize) {
    let mut used: Vec<u64> = cells.values().map(|slot| slot.used).collect();
    let middle = used.len() / 2;
    if used.is_empty() {
        return;
    }
    let (_, &mut median, _) = used.select_nth_unstable(middle);
    cells.retain(|_, slot| {
        let stays = slot.used > median || Arc::strong_count(&slot.cell) > 1;
        if !stays && let Ok(cell) = slot.cell.try_lock() {
            items.fetch_sub(cell.counted, Ordering::Relaxed);
        }
        stays
    });
}
