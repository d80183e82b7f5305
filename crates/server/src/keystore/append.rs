//! Appending to the log: compare-and-swap on the head, in one transaction with all that the entries change.

use keyquay_crypto::opaque::PasswordRecord;
use keyquay_protocol::wire::{Append, DeviceKeysText, Event, LogAnswer};
use keyquay_protocol::{
    Body, Code, DeviceId, DeviceKeys, Entry, ItemStatus, Payload, Problem, State, UnlockRecords, Violation,
};

use super::entries::{Due, blob_key, diary_key, entry_key, generation_key, hash_key, item_key};
use super::entries::{write_entry, write_superseded};
use super::gates::{Needs, append_gate};
use super::records::{DeviceRecord, ENDED, SUPERSEDED, Standing};
use super::registration::PASSWORD;
use super::rows::{Draft, Kind};
use super::users::UserGuard;
use super::{Answer, Call, Inner};

impl Inner {
    pub async fn append(
        &self,
        user: &mut UserGuard,
        device: DeviceId,
        call: &Call,
    ) -> Result<Answer, Problem> {
        if call.body.len() > APPEND_LIMIT {
            return Err(Code::TooLarge.into());
        }
        let Append { entries, records } = Append::from_bytes(&call.body).map_err(|_| Code::Malformed)?;
        let payloads: Vec<Payload> =
            entries.iter().map(Entry::decode).collect::<Result<_, _>>().map_err(|_| Code::Malformed)?;
        self.check_kind(user, device, &payloads)?;
        check_head(user, &payloads)?;
        check_records(&payloads, records.as_ref())?;

        let generation = user.record.generation + u32::from(begins_log(&payloads));
        let mut drafting = Drafting {
            draft: self.rows.draft(user.id).await?,
            generation,
            now: self.now(),
            removed: Vec::new(),
        };
        for (entry, payload) in entries.iter().zip(&payloads) {
            drafting.take_in(user, device, entry, payload)?;
            if let Body::DeviceRemoved { device, .. } = &payload.body {
                drafting.removed.push((*device, payload.seq));
            }
        }
        check_blobs_are_there(user, &entries, &payloads)?;
        if let Some(records) = &records {
            drafting.swap_records(records)?;
        }
        drafting.finish(user, entries.len())?;
        let Drafting { draft, removed, .. } = drafting;
        user.commit_unless_conflict(&self.rows, vec![draft]).await?.ok_or(Code::HeadMoved)?;
        self.push_entries(user, device, entries, &removed);

        let head = user.log.as_ref().ok_or(Code::Internal)?.head();
        Ok(Answer::cbor(LogAnswer { entries: Vec::new(), head, seen: Vec::new() }.to_bytes()))
    }

    /// Whether this device may append entries of these kinds now.
    fn check_kind(&self, user: &UserGuard, device: DeviceId, payloads: &[Payload]) -> Result<(), Problem> {
        let record = user.devices.get(&device).ok_or(Code::NotSigned)?;
        let has_log = user.log.as_ref().is_some_and(|log| !log.is_ended());
        if begins_log(payloads) && has_log {
            return Err(Code::LogExists.into());
        }
        let needs = needs_of(payloads, &record.keys).ok_or(Code::NotAllowed)?;
        Ok(append_gate(record, needs, self.now())?)
    }

    /// To all who listen but the author; a removed device gets all up to its removal, and is closed.
    fn push_entries(
        &self,
        user: &UserGuard,
        author: DeviceId,
        entries: Vec<Entry>,
        removed: &[(DeviceId, u64)],
    ) {
        let up_to = |seq: u64| {
            let is_before = move |entry: &&Entry| entry.decode().is_ok_and(|payload| payload.seq <= seq);
            entries.iter().take_while(is_before)
        };
        for (device, seq) in removed {
            let last: Vec<Entry> = up_to(*seq).map(|entry| Entry { blob: None, ..entry.clone() }).collect();
            self.connections.push_last(&[*device], &Event::Entries(last));
        }
        let others: Vec<DeviceId> =
            user.listening_devices().into_iter().filter(|device| *device != author).collect();
        self.connections.push(&others, &Event::Entries(entries));
    }
}

/// Bytes of a batch.
const APPEND_LIMIT: usize = 8 * 1024 * 1024;
/// Entries after which the state of the log is written down again, so that it loads quickly.
const SNAPSHOT_EVERY: usize = 1_000;

pub const ROOT_BY_PASSWORD: &[u8] = b"root-by-password";
pub const ROOT_BY_RECOVERY: &[u8] = b"root-by-recovery";

/// More than any unlock record takes.
const RECORD_LIMIT: usize = 1_024;

fn begins_log(payloads: &[Payload]) -> bool {
    matches!(payloads.first().map(|payload| &payload.body), Some(Body::Genesis(_)))
}

/// What a batch needs; `None` for one that is never allowed.
fn needs_of(payloads: &[Payload], own: &DeviceKeysText) -> Option<Needs> {
    let is_own = |keys: &DeviceKeys| DeviceKeysText::of(keys) == *own;
    let bodies: Vec<&Body> = payloads.iter().map(|payload| &payload.body).collect();
    match bodies.as_slice() {
        [] => None,
        [Body::Genesis(genesis)] => is_own(&genesis.device).then_some(Needs::Enrolment { recovers: false }),
        [Body::DeviceAdded { device, .. }] => is_own(device).then_some(Needs::Enrolment { recovers: false }),
        [Body::UnlockSet(_), Body::DeviceAdded { device, .. }] => {
            is_own(device).then_some(Needs::Enrolment { recovers: true })
        }
        several => {
            let enrols = |body: &&Body| matches!(body, Body::Genesis(_) | Body::DeviceAdded { .. });
            let is_root = |body: &&Body| {
                matches!(body, Body::DeviceRemoved { .. } | Body::UnlockSet(_) | Body::SyncEnded)
            };
            if several.iter().any(enrols) {
                None
            } else if several.iter().any(is_root) {
                Some(Needs::Proof)
            } else {
                Some(Needs::ActiveDevice)
            }
        }
    }
}

/// Compare: the first entry follows the head that is there.
fn check_head(user: &UserGuard, payloads: &[Payload]) -> Result<(), Problem> {
    if begins_log(payloads) {
        return Ok(());
    }
    let log = user.log.as_ref().ok_or(Code::NoLog)?;
    let first = payloads.first().ok_or(Code::Malformed)?;
    let follows = first.seq == log.head().seq + 1 && first.prev == log.head().hash;
    if follows { Ok(()) } else { Err(Code::HeadMoved.into()) }
}

/// The three records travel with exactly one Genesis or UnlockSet, and are the ones that it names.
fn check_records(payloads: &[Payload], records: Option<&UnlockRecords>) -> Result<(), Problem> {
    let mut sets = payloads.iter().filter_map(|payload| match &payload.body {
        Body::Genesis(genesis) => Some(&genesis.unlock),
        Body::UnlockSet(set) => Some(set),
        _ => None,
    });
    let fits = match (sets.next(), sets.next(), records) {
        (None, None, None) => true,
        (Some(set), None, Some(records)) => {
            let sizes = [&records.password, &records.root_by_password, &records.root_by_recovery];
            set.names(records)
                && sizes.iter().all(|record| record.len() <= RECORD_LIMIT)
                && PasswordRecord::from_bytes(&records.password).is_ok()
        }
        _ => false,
    };
    if fits { Ok(()) } else { Err(Code::RecordMismatch.into()) }
}

/// An item that is live after the batch has its blob in the batch.
fn check_blobs_are_there(user: &UserGuard, entries: &[Entry], payloads: &[Payload]) -> Result<(), Problem> {
    let Some(log) = &user.log else {
        return Ok(());
    };
    for (entry, payload) in entries.iter().zip(payloads) {
        if let (Body::ItemPut { item, revision, .. }, None) = (&payload.body, &entry.blob)
            && let Some(known) = log.items().get(item)
            && known.status == ItemStatus::Live
            && known.revision == *revision
        {
            return Err(Problem::new(Code::EntryRefused).with_detail("A sealed item is missing."));
        }
    }
    Ok(())
}

/// What a batch changes, as it is taken in.
struct Drafting {
    draft: Draft,
    generation: u32,
    now: u64,
    /// Devices that the batch removes, and the seq of the last entry that each still gets.
    removed: Vec<(DeviceId, u64)>,
}

impl Drafting {
    /// Applies one entry to memory and writes down what it changes.
    fn take_in(
        &mut self,
        user: &mut UserGuard,
        author: DeviceId,
        entry: &Entry,
        payload: &Payload,
    ) -> Result<(), Problem> {
        self.supersede(user, payload)?;
        let id = user.id;
        match (&payload.body, &mut user.log) {
            (Body::Genesis(_), log) => *log = Some(State::begin(id, entry).map_err(refused)?),
            (_, Some(log)) => {
                log.apply(entry).map_err(refused)?;
            }
            (_, None) => return Err(Code::NoLog.into()),
        }
        // Memory is ahead of the database until the commit.
        user.forget();
        self.draft.insert(Kind::Entry, &entry_key(self.generation, payload.seq), &write_entry(entry))?;
        match &payload.body {
            Body::Genesis(_) => {
                user.record.generation = self.generation;
                user.record.ended = None;
                user.since_snapshot = 0;
                user.put_record(&mut self.draft)?;
                self.activate(user, author)?;
            }
            Body::DeviceAdded { .. } => self.activate(user, author)?,
            Body::DeviceRemoved { device, .. } => self.remove(user, *device, payload.seq)?,
            Body::UnlockSet(_) => self.end_proofs(user, author)?,
            Body::ItemPut { item, revision, .. } => {
                if let Some(blob) = &entry.blob {
                    self.draft.put(Kind::Blob, &blob_key(self.generation, *item, *revision), blob)?;
                }
            }
            Body::ItemWithdrawn { item, .. } => {
                self.draft.delete_all(Kind::Blob, &item_key(self.generation, *item));
            }
            Body::ItemDeleted { .. } => {}
            Body::SyncEnded => {
                user.record.ended = Some(self.now);
                user.put_record(&mut self.draft)?;
                let ended = Due::EndedLog { generation: self.generation };
                self.draft.note(&diary_key(self.now + ENDED, user.id, &ended));
            }
        }
        Ok(())
    }

    /// Marks the blob that an entry replaces or deletes; it stays for 30 days.
    fn supersede(&mut self, user: &UserGuard, payload: &Payload) -> Result<(), Problem> {
        let (Body::ItemPut { item, .. } | Body::ItemDeleted { item, .. }) = &payload.body else {
            return Ok(());
        };
        let known = user.log.as_ref().and_then(|log| log.items().get(item));
        let Some(known) = known.filter(|known| known.status == ItemStatus::Live) else {
            return Ok(());
        };
        let (generation, hash) = (self.generation, known.blob);
        let value = write_superseded(*item, known.revision);
        self.draft.put(Kind::Superseded, &hash_key(generation, &hash), &value)?;
        let due = Due::Superseded { generation, item: *item, revision: known.revision, hash };
        self.draft.note(&diary_key(self.now + SUPERSEDED, user.id, &due));
        Ok(())
    }

    fn activate(&mut self, user: &mut UserGuard, device: DeviceId) -> Result<(), Problem> {
        if let Some(record) = user.devices.get_mut(&device) {
            record.standing = Standing::Active;
            record.recovery = false;
            record.generation = self.generation;
            record.verified = self.now;
        }
        user.put_device(&mut self.draft, device)
    }

    fn remove(&mut self, user: &mut UserGuard, device: DeviceId, seq: u64) -> Result<(), Problem> {
        if let Some(record) = user.devices.get_mut(&device) {
            record.standing = Standing::Removed { seq };
            record.password_until = 0;
            record.proven_until = 0;
        }
        user.put_device(&mut self.draft, device)?;
        self.draft.delete(Kind::Share, device.as_bytes());
        self.draft.delete(Kind::Seen, device.as_bytes());
        Ok(())
    }

    /// After a change of password, what others proved with the old one counts no more.
    fn end_proofs(&mut self, user: &mut UserGuard, author: DeviceId) -> Result<(), Problem> {
        let others: Vec<DeviceId> = user.devices.keys().copied().filter(|id| *id != author).collect();
        for id in others {
            let had_proof = |record: &DeviceRecord| record.password_until > 0 || record.proven_until > 0;
            if let Some(record) = user.devices.get_mut(&id).filter(|record| had_proof(record)) {
                record.password_until = 0;
                record.proven_until = 0;
                user.put_device(&mut self.draft, id)?;
            }
        }
        Ok(())
    }

    fn swap_records(&mut self, records: &UnlockRecords) -> Result<(), Problem> {
        self.draft.put(Kind::Unlock, PASSWORD, &records.password)?;
        self.draft.put(Kind::Unlock, ROOT_BY_PASSWORD, &records.root_by_password)?;
        self.draft.put(Kind::Unlock, ROOT_BY_RECOVERY, &records.root_by_recovery)
    }

    fn finish(&mut self, user: &mut UserGuard, entries: usize) -> Result<(), Problem> {
        user.since_snapshot += entries;
        if user.since_snapshot >= SNAPSHOT_EVERY
            && let Some(log) = &user.log
        {
            let snapshot = log.to_snapshot();
            self.draft.put(Kind::Snapshot, &generation_key(self.generation), &snapshot)?;
            user.since_snapshot = 0;
        }
        Ok(())
    }
}

fn refused(violation: Violation) -> Problem {
    let code = match violation {
        Violation::Chain => Code::HeadMoved,
        Violation::Limit => Code::Quota,
        Violation::Malformed(_) => Code::Malformed,
        Violation::Ended => Code::SyncEnded,
        _ => Code::EntryRefused,
    };
    Problem::new(code).with_detail(violation.to_string())
}
