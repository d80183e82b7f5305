//! Reading the log: entries after a seq, with the blobs that are still live for those who may have them.

use keyquay_protocol::wire::{LogAnswer, MAX_ENTRIES};
use keyquay_protocol::{Body, Code, DeviceId, Entry, ItemStatus, LogHead, Problem, Seen, State};

use super::entries::{blob_key, entry_key, generation_key, hash_key, read_entry, read_superseded};
use super::records::{DeviceRecord, Standing};
use super::routes::Subject;
use super::rows::{Kind, damaged};
use super::share::read_seen;
use super::users::{UserGuard, load_log};
use super::{Answer, Inner};

impl Inner {
    pub async fn log_answer(
        &self,
        user: &UserGuard,
        device: DeviceId,
        subject: Subject,
    ) -> Result<Answer, Problem> {
        let Subject::After(after) = subject else {
            return Err(Code::NotFound.into());
        };
        let record = user.devices.get(&device).ok_or(Code::NotSigned)?;
        let older;
        let (generation, log) = match &user.log {
            Some(log) if record.is_pending() || record.generation == user.record.generation => {
                (user.record.generation, log)
            }
            _ if record.is_pending() => return Err(Code::NoLog.into()),
            _ => {
                older = load_log(&self.rows, user.id, record.generation).await?.ok_or(Code::NoLog)?.0;
                (record.generation, &older)
            }
        };
        let head = match record.standing {
            Standing::Removed { seq } if after >= seq => return Err(Code::Removed.into()),
            Standing::Removed { seq } => self.head_at(user, generation, seq).await?,
            _ => log.head(),
        };
        let with_blobs = record.is_active();
        let entries = self.entries(user, generation, log, after, head.seq, with_blobs).await?;
        let seen = match with_blobs {
            true => self.latest_seen(user, record, log).await?,
            false => Vec::new(),
        };
        Ok(Answer::cbor(LogAnswer { entries, head, seen }.to_bytes()))
    }

    /// A blob by its hash, live or superseded; withdrawn ones are nowhere.
    pub async fn blob_answer(
        &self,
        user: &UserGuard,
        device: DeviceId,
        subject: Subject,
    ) -> Result<Answer, Problem> {
        let Subject::Blob(hash) = subject else {
            return Err(Code::NotFound.into());
        };
        let generation = user.devices.get(&device).ok_or(Code::NotSigned)?.generation;
        let live = user
            .log
            .as_ref()
            .filter(|_| generation == user.record.generation)
            .and_then(|log| log.live_items().find(|(_, item)| item.blob == hash))
            .map(|(id, item)| (*id, item.revision));
        let (item, revision) = match live {
            Some(found) => found,
            None => {
                let row = self.rows.get(user.id, Kind::Superseded, &hash_key(generation, &hash)).await?;
                read_superseded(&row.ok_or(Code::NotFound)?)?
            }
        };
        let key = blob_key(generation, item, revision);
        let blob = self.rows.get(user.id, Kind::Blob, &key).await?.ok_or(Code::NotFound)?;
        Ok(Answer::cbor(blob.to_vec()))
    }

    /// The latest word of every active device for how far it has come.
    async fn latest_seen(
        &self,
        user: &UserGuard,
        asking: &DeviceRecord,
        log: &State,
    ) -> Result<Vec<Seen>, Problem> {
        if asking.generation != user.record.generation {
            return Ok(Vec::new());
        }
        let mut latest = Vec::new();
        for row in self.rows.range(user.id, Kind::Seen, b"", b"", usize::MAX).await? {
            let seen = read_seen(&row.value)?;
            if log.is_active(seen.device) {
                latest.push(seen);
            }
        }
        Ok(latest)
    }

    async fn entries(
        &self,
        user: &UserGuard,
        generation: u32,
        log: &State,
        after: u64,
        until: u64,
        with_blobs: bool,
    ) -> Result<Vec<Entry>, Problem> {
        let prefix = generation_key(generation);
        let after_key = entry_key(generation, after);
        let rows = self.rows.range(user.id, Kind::Entry, &prefix, &after_key, MAX_ENTRIES).await?;
        let end = entry_key(generation, until);
        let (mut entries, mut size) = (Vec::with_capacity(rows.len()), 0);
        for row in rows.into_iter().take_while(|row| row.key <= end) {
            let mut entry = read_entry(&row.value)?;
            if with_blobs {
                entry.blob = self.live_blob(user, generation, log, &entry).await?;
            }
            size += entry.payload.len() + entry.blob.as_ref().map_or(0, Vec::len) + ENTRY_FRAME;
            if size > ANSWER && !entries.is_empty() {
                break;
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    /// The blob of an ItemPut that nothing has superseded.
    async fn live_blob(
        &self,
        user: &UserGuard,
        generation: u32,
        log: &State,
        entry: &Entry,
    ) -> Result<Option<Vec<u8>>, Problem> {
        let payload = entry.decode().map_err(|_| damaged(Kind::Entry))?;
        let Body::ItemPut { item, revision, .. } = payload.body else {
            return Ok(None);
        };
        let is_live =
            |known: &keyquay_protocol::Item| known.revision == revision && known.status == ItemStatus::Live;
        if !log.items().get(&item).is_some_and(is_live) {
            return Ok(None);
        }
        let blob = self.rows.get(user.id, Kind::Blob, &blob_key(generation, item, revision)).await?;
        Ok(blob.map(|blob| blob.to_vec()))
    }

    async fn head_at(&self, user: &UserGuard, generation: u32, seq: u64) -> Result<LogHead, Problem> {
        let row = self.rows.get(user.id, Kind::Entry, &entry_key(generation, seq)).await?;
        let entry = read_entry(&row.ok_or_else(|| damaged(Kind::Entry))?)?;
        Ok(LogHead { seq, hash: entry.head() })
    }
}

/// Bytes of an answer's entries, beyond which the client asks again.
const ANSWER: usize = 2 * 1024 * 1024;
/// Signature and framing of an entry.
const ENTRY_FRAME: usize = 80;
