use std::collections::BTreeSet;

use keyquay_exchanges::{Account, AccountId};
use keyquay_protocol::{
    Author, Body, Code, DeviceId, Entry, Item, ItemContent, ItemId, Payload, Problem, State, UserId,
    Violation, open_item,
};
use keyquay_vault::{EditId, End, LogBatch, LogEntry};

use crate::session::{Open, OpenHalf, SyncedItem, of_vault, of_violation};
use crate::session::{account_of, item_of};

/// Edits of this device that the entries to take in fulfil.
#[derive(Default)]
pub(crate) struct Acknowledged {
    pub edits: Vec<EditId>,
    /// Versions that did not fit beside an item any more; kept as local accounts.
    pub spilled: Vec<Account>,
}

/// What entries changed here.
#[derive(Default)]
pub(crate) struct Taken {
    pub accounts: BTreeSet<AccountId>,
    /// Entries by other authors.
    pub received: u32,
    pub devices_changed: bool,
    /// A verified entry removed this device.
    pub removed: bool,
    pub ended: bool,
}

/// Verifies entries one by one, and stores all that hold in one transaction with everything that follows from them.
/// What comes before a violation is kept; the violation is returned.
///
/// # Errors
/// The violation's problem, or one of the disk; then nothing was taken in.
pub(crate) fn take_in(
    open: &mut Open,
    entries: &[Entry],
    acknowledged: Acknowledged,
    now: u64,
) -> Result<Taken, Problem> {
    let (Some(own), Some(user)) = (open.settings.device, open.settings.user) else {
        return Err(Problem::new(Code::NotSignedIn));
    };
    let entries = skip_known(open, entries)?;
    let mut log = open.log.take();
    let mut half = open.half.take();
    let mut intake = Intake::new(own, user, now);
    intake.retrieved = open.settings.retrieved.clone();
    let mut violation = None;
    for entry in entries {
        if let Err(found) = intake.entry(&mut log, half.as_mut(), entry) {
            violation = Some(found);
            break;
        }
    }
    open.log = log;
    open.half = half;
    let stored = store(open, &mut intake, acknowledged);
    if let Err(problem) = stored {
        // Memory is ahead of the disk: go back to what is stored.
        open.half = None;
        open.reload_log()?;
        return Err(problem);
    }
    match violation {
        Some(violation) => Err(of_violation(violation)),
        None => Ok(intake.taken),
    }
}

/// The entries beyond the own head. Those up to it must be the ones that are here: two steps may have asked for them.
fn skip_known<'a>(open: &Open, entries: &'a [Entry]) -> Result<&'a [Entry], Problem> {
    let Some(head) = open.log.as_ref().map(State::head) else { return Ok(entries) };
    let mut rest = entries;
    while let [first, after @ ..] = rest {
        let seq = first.decode().map_err(|error| of_violation(error.into()))?.seq;
        if seq > head.seq {
            break;
        }
        let known = if seq == head.seq { Some(head.hash) } else { head_at(open, seq) };
        if known != Some(first.head()) {
            return Err(of_violation(Violation::RolledBack));
        }
        rest = after;
    }
    Ok(rest)
}

/// The head of the own chain at an entry that is here.
pub(crate) fn head_at(open: &Open, seq: u64) -> Option<[u8; 32]> {
    let entries = open.vault.entries_after(seq.checked_sub(1)).ok()?;
    entries.iter().find(|entry| entry.seq == seq).map(keyquay_vault::LogEntry::hash)
}

/// Above so many new entries the state is stored beside them, so that the next start replays few.
const SNAPSHOT_EVERY: u64 = 64;

struct Intake {
    own: DeviceId,
    user: UserId,
    now: u64,
    batch: LogBatch,
    taken: Taken,
    /// Accounts that others withdrew, as they were here.
    withdrawn: Vec<Account>,
    /// Items that this device has put.
    put_by_own: BTreeSet<ItemId>,
    put_by_others: BTreeSet<ItemId>,
    gone: BTreeSet<ItemId>,
    /// Accounts that are usable here. What is only offered goes with its withdrawal.
    retrieved: BTreeSet<AccountId>,
    /// Edits of items that others withdrew: their accounts are local ones now.
    moot: Vec<EditId>,
    needs_snapshot: bool,
}

impl Intake {
    fn new(own: DeviceId, user: UserId, now: u64) -> Self {
        Self {
            own,
            user,
            now,
            batch: LogBatch::default(),
            taken: Taken::default(),
            withdrawn: Vec::new(),
            put_by_own: BTreeSet::new(),
            put_by_others: BTreeSet::new(),
            gone: BTreeSet::new(),
            retrieved: BTreeSet::new(),
            moot: Vec::new(),
            needs_snapshot: false,
        }
    }

    fn entry(
        &mut self,
        log: &mut Option<State>,
        mut half: Option<&mut OpenHalf>,
        entry: &Entry,
    ) -> Result<(), Violation> {
        let Some(state) = log else {
            *log = Some(State::begin(self.user, entry)?);
            self.keep(entry, 1);
            self.needs_snapshot = true;
            return Ok(());
        };
        let before = entry.decode().ok().and_then(|payload| item_before(state, &payload));
        let payload = state.apply(entry)?;
        self.keep(entry, payload.seq);
        let by_own = payload.author == Author::Device(self.own);
        if !by_own {
            self.taken.received += 1;
        }
        match &payload.body {
            Body::ItemPut { item, .. } => {
                self.supersede(before.as_ref());
                self.put(state, half, *item, entry, by_own);
            }
            Body::ItemDeleted { item, .. } => {
                self.supersede(before.as_ref());
                self.drop_item(half, *item);
            }
            Body::ItemWithdrawn { item, .. } => {
                self.batch.withdrawn.extend(before.map(|before| before.blob));
                let is_usable = self.retrieved.contains(&account_of(*item));
                if let Some(half) = half.as_deref_mut().filter(|_| !by_own && is_usable) {
                    self.keep_withdrawn(half, *item);
                }
                self.drop_item(half, *item);
            }
            Body::DeviceRemoved { device, .. } if *device == self.own => {
                self.taken.removed = true;
                self.taken.devices_changed = true;
                self.needs_snapshot = true;
            }
            Body::DeviceRemoved { .. } => {
                self.taken.devices_changed = true;
                if let Some(half) = half {
                    half.keys.advance(state, self.own, half.sync.sealing_key())?;
                }
            }
            Body::SyncEnded => self.taken.ended = true,
            Body::DeviceAdded { .. } | Body::UnlockSet(_) | Body::Genesis(_) => {
                self.taken.devices_changed = true;
            }
        }
        Ok(())
    }

    fn keep(&mut self, entry: &Entry, seq: u64) {
        let stored = LogEntry { seq, payload: entry.payload.clone(), signature: entry.signature };
        self.batch.entries.push(stored);
        self.batch.blobs.extend(entry.blob.clone());
        self.needs_snapshot |= seq.is_multiple_of(SNAPSHOT_EVERY);
    }

    fn supersede(&mut self, before: Option<&Item>) {
        self.batch.superseded.extend(before.map(|before| (before.blob, self.now)));
    }

    fn put(&mut self, state: &State, half: Option<&mut OpenHalf>, item: ItemId, entry: &Entry, by_own: bool) {
        self.taken.accounts.insert(account_of(item));
        self.gone.remove(&item);
        if by_own {
            self.put_by_own.insert(item)
        } else {
            self.put_by_others.insert(item)
        };
        if let (Some(half), Some(blob)) = (half, &entry.blob) {
            let opened = open_synced(state, half, item, blob);
            half.items.insert(item, opened);
        }
    }

    fn drop_item(&mut self, half: Option<&mut OpenHalf>, item: ItemId) {
        self.taken.accounts.insert(account_of(item));
        self.gone.insert(item);
        if let Some(half) = half {
            half.items.remove(&item);
        }
    }

    /// The owner keeps the account on another device only; what was usable here is offered as a local copy. It
    /// gets an id of its own, so that it never meets the other one again.
    fn keep_withdrawn(&mut self, half: &OpenHalf, item: ItemId) {
        let waiting = half.edits.iter().filter(|edit| edit.item == item);
        self.moot.extend(waiting.clone().map(|edit| edit.id));
        let mut edited = waiting.filter_map(|edit| match &edit.kind {
            crate::session::EditKind::Put { account, .. } => Account::from_bytes(account).ok(),
            _ => None,
        });
        let current = half.items.get(&item).and_then(|synced| synced.account.clone());
        let Some(mut account) = edited.next_back().or(current) else { return };
        if let Ok(id) = AccountId::make() {
            account.id = id;
            self.withdrawn.push(account);
        }
    }
}

/// Opens an item's blob; what does not open is flagged while sync goes on.
pub(crate) fn open_synced(state: &State, half: &OpenHalf, id: ItemId, blob: &[u8]) -> SyncedItem {
    let Some(item) = state.items().get(&id) else {
        return SyncedItem { revision: 0, account: None, beside: Vec::new() };
    };
    let content = open_content(state, half, id, item, blob);
    let account = content
        .as_ref()
        .and_then(|content| Account::from_bytes(&content.account).ok())
        .filter(|account| item_of(account.id) == id);
    let beside = content
        .iter()
        .flat_map(|content| &content.beside)
        .filter_map(|version| Account::from_bytes(version).ok())
        .collect();
    SyncedItem { revision: item.revision, account, beside }
}

pub(crate) fn open_content(
    state: &State,
    half: &OpenHalf,
    id: ItemId,
    item: &Item,
    blob: &[u8],
) -> Option<ItemContent> {
    let key = half.keys.of_epoch(item.epoch)?;
    open_item(blob, key, state.user(), id, item.revision, item.epoch).ok()
}

fn item_before(state: &State, payload: &Payload) -> Option<Item> {
    match &payload.body {
        Body::ItemPut { item, .. } | Body::ItemDeleted { item, .. } | Body::ItemWithdrawn { item, .. } => {
            state.items().get(item).copied()
        }
        _ => None,
    }
}

/// One transaction for the entries and all that follows from them.
fn store(open: &mut Open, intake: &mut Intake, acknowledged: Acknowledged) -> Result<(), Problem> {
    if intake.batch.entries.is_empty() {
        return Ok(());
    }
    if intake.needs_snapshot || intake.taken.devices_changed {
        intake.batch.snapshot = open.log.as_ref().map(|state| state.to_snapshot().into());
    }
    let now = intake.now;
    let (removed, ended) = (intake.taken.removed, intake.taken.ended);
    let has_half = open.vault.has_sync_half();
    let uploaded: Vec<AccountId> = intake
        .put_by_own
        .iter()
        .map(|item| account_of(*item))
        .filter(|id| open.settings.uploading.contains(id) && open.local.contains_key(id))
        .collect();
    let is_disabled = matches!(open.vault.disabled(), keyquay_vault::Disabled::UntilProven);
    let edits: Vec<EditId> = acknowledged.edits.iter().chain(&intake.moot).copied().collect();
    let local: Vec<&Account> = acknowledged.spilled.iter().chain(&intake.withdrawn).collect();
    let auto_connect = open.settings.auto_connect;
    let withdrawn: Vec<AccountId> = intake.withdrawn.iter().map(|account| account.id).collect();

    open.change(
        |settings| {
            for item in &intake.put_by_own {
                settings.retrieved.insert(account_of(*item));
                settings.uploading.remove(&account_of(*item));
            }
            if auto_connect {
                settings.retrieved.extend(intake.put_by_others.iter().map(|item| account_of(*item)));
            }
            for item in &intake.gone {
                settings.retrieved.remove(&account_of(*item));
            }
            settings.withdrawn.extend(withdrawn);
            if removed {
                settings.sync_on = false;
                settings.retrieved.clear();
                settings.uploading.clear();
            }
            if ended {
                settings.ended = Some(now);
            }
        },
        |transaction| {
            transaction.append_log(&intake.batch).map_err(of_vault)?;
            for edit in &edits {
                transaction.remove_edit(*edit).map_err(of_vault)?;
            }
            if !is_disabled {
                for account in &local {
                    transaction.put_account(account).map_err(of_vault)?;
                }
                for id in &uploaded {
                    transaction.purge_account(*id).map_err(of_vault)?;
                }
                if !uploaded.is_empty() {
                    transaction.rotate_local_key().map_err(of_vault)?;
                }
            }
            if removed && has_half {
                transaction.destroy_sync_half(End::Removed).map_err(of_vault)?;
            }
            Ok(())
        },
    )?;

    if removed {
        open.half = None;
    }
    if let Some(half) = &mut open.half {
        half.edits.retain(|edit| !edits.contains(&edit.id));
    }
    if !uploaded.is_empty() || !local.is_empty() || removed {
        open.reload_local()?;
    }
    Ok(())
}
