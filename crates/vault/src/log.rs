//! The log's entries and blobs as received, and what this device has seen of it.
//!
//! To the vault they are bytes: it checks that they are those that were stored, and the protocol's state
//! machine what they mean. Head and snapshot rest sealed under a key of the device's signing key, so that a
//! file that was tampered with shows.

use keyquay_crypto::sign::{Signature, SigningKey};
use keyquay_crypto::{Digest, Zeroizing, aead, cbor::CborError, cbor::Decoder, cbor_array, hash, sha256};
use rusqlite::params;

use crate::db::Db;
use crate::keys::{derive_log_key, log_part_context, secret_array};
use crate::{Transaction, Vault, VaultError};

/// For so many days a superseded blob stays.
pub const SUPERSEDED_DAYS: u64 = 30;

/// Where a log ends: the last entry's number and SHA-256(payload ‖ signature).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub seq: u64,
    pub hash: Digest,
}

/// One entry as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    pub seq: u64,
    pub payload: Vec<u8>,
    pub signature: Signature,
}

/// The state machine at a head, as bytes of the caller's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub head: Head,
    pub bytes: Zeroizing<Vec<u8>>,
}

/// What verified entries change at once. Every list may be empty.
#[derive(Debug, Clone, Default)]
pub struct LogBatch {
    /// The entries after the stored head, in order.
    pub entries: Vec<LogEntry>,
    /// Blobs as received; they are found by their SHA-256.
    pub blobs: Vec<Vec<u8>>,
    /// Blobs that have a successor now or were deleted, and since when (Unix seconds): they stay 30 days.
    pub superseded: Vec<(Digest, u64)>,
    /// Blobs that go at once.
    pub withdrawn: Vec<Digest>,
    /// The state after these entries. It can be left out for some batches: reading starts at the last one.
    pub snapshot: Option<Zeroizing<Vec<u8>>>,
}

impl LogEntry {
    /// SHA-256(payload ‖ signature), which the next entry names.
    #[must_use]
    pub fn hash(&self) -> Digest {
        hash::sha256_parts(&[&self.payload, &self.signature])
    }
}

impl Vault {
    /// Where the stored log ends; `None` when there is none.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when it does not open or the stored entries do not end there.
    pub fn log_head(&self) -> Result<Option<Head>, VaultError> {
        let Some(bytes) = self.log_part(HEAD)? else { return Ok(None) };
        let head = decode_head(&bytes).map_err(|_| self.db.damaged("the log's head has another form"))?;
        let sql = "SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1";
        let last = self.db.first(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let is_last = last.is_some_and(|(seq, hash)| u64::try_from(seq) == Ok(head.seq) && hash == head.hash);
        if is_last { Ok(Some(head)) } else { Err(self.db.damaged("the log does not end at its head")) }
    }

    /// The newest snapshot; entries after its head are to be applied to it.
    ///
    /// # Errors
    /// [`VaultError::Damaged`].
    pub fn snapshot(&self) -> Result<Option<Snapshot>, VaultError> {
        let Some(bytes) = self.log_part(SNAPSHOT)? else { return Ok(None) };
        let snapshot = decode_snapshot(&bytes);
        snapshot.map(Some).map_err(|_| self.db.damaged("the log's snapshot has another form"))
    }

    /// The stored entries with numbers above `seq`, in order and without a gap, to the head.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when one is missing or altered.
    pub fn entries_after(&self, seq: Option<u64>) -> Result<Vec<LogEntry>, VaultError> {
        let entries = read_entries(&self.db, seq)?;
        let reaches_back = seq.is_none_or(|seq| entries.first().is_none_or(|first| first.seq == seq + 1));
        let head = self.log_head()?;
        let ends_well = entries.last().is_none_or(|last| head == Some(last_head(last)));
        let is_whole =
            entries.last().is_some() || head.is_none_or(|head| seq.is_some_and(|seq| seq >= head.seq));
        if reaches_back && ends_well && is_whole {
            Ok(entries)
        } else {
            Err(self.db.damaged("entries of the log are missing"))
        }
    }

    /// The blob with this SHA-256.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when it has another one by now.
    pub fn blob(&self, hash: &Digest) -> Result<Option<Vec<u8>>, VaultError> {
        read_blob(&self.db, hash)
    }

    /// Whether the blob is here, without reading it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn has_blob(&self, hash: &Digest) -> Result<bool, VaultError> {
        Ok(self.db.number("SELECT count(*) FROM blob WHERE hash = ?1", [hash])? > 0)
    }

    /// The root seed under the recovery code's key, as received.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when it is not what was stored.
    pub fn recovery_record(&self) -> Result<Option<Vec<u8>>, VaultError> {
        read_recovery_record(&self.db)
    }

    /// Head and snapshot in the clear, to be sealed under another signing key.
    pub(crate) fn log_parts(&self) -> Result<LogParts, VaultError> {
        let mut parts = Vec::new();
        for name in [HEAD, SNAPSHOT] {
            if let Some(bytes) = self.log_part(name)? {
                parts.push((name, bytes));
            }
        }
        Ok(parts)
    }

    fn log_part(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let Some(sealed) = read_part(&self.db, name)? else { return Ok(None) };
        let damaged = || self.db.damaged("a part of the log does not open");
        let signing = self.signing_key()?.ok_or_else(damaged)?;
        let key = derive_log_key(signing).part_key(name);
        let context = log_part_context(&self.header.profile, name);
        aead::open(&key, &context, &sealed).map(Some).map_err(|_| damaged())
    }
}

impl Transaction<'_> {
    /// Stores what verified entries change, and pins the new head. Returns it; `None` if there is no log yet.
    ///
    /// # Errors
    /// [`VaultError::LogGap`] when the entries do not continue the stored ones, [`VaultError::NoSyncHalf`]
    /// when this device never had a signing key, and those of the disk.
    pub fn append_log(&mut self, batch: &LogBatch) -> Result<Option<Head>, VaultError> {
        let mut head = self.stored_head()?;
        for entry in &batch.entries {
            if head.is_some_and(|head| head.seq.checked_add(1) != Some(entry.seq)) {
                return Err(VaultError::LogGap);
            }
            self.insert_entry(entry)?;
            head = Some(last_head(entry));
        }
        self.store_blobs(batch)?;
        let Some(head) = head else { return Ok(None) };
        self.pin(head, batch.snapshot.as_ref())?;
        Ok(Some(head))
    }

    /// Stores the root seed under the recovery code's key, as received, in place of the one before.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn set_recovery_record(&mut self, bytes: &[u8]) -> Result<(), VaultError> {
        let mut stored = sha256(bytes).to_vec();
        stored.extend_from_slice(bytes);
        self.leave_no_residue();
        self.put_part(RECOVERY, &stored)
    }

    /// Removes blobs that have been superseded for 30 days at `now` (Unix seconds). Returns how many.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn prune_superseded(&mut self, now: u64) -> Result<usize, VaultError> {
        let limit = now.saturating_sub(SUPERSEDED_DAYS * 24 * 60 * 60);
        let limit = i64::try_from(limit).map_err(|_| VaultError::TooLarge)?;
        self.db().execute("DELETE FROM blob WHERE superseded <= ?1", [limit])
    }

    /// Removes entries, blobs, head, snapshot and recovery record: for another user, or after sync has ended
    /// and everything was taken over.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn clear_log(&mut self) -> Result<(), VaultError> {
        self.leave_no_residue();
        for table in ["DELETE FROM entry", "DELETE FROM blob", "DELETE FROM log"] {
            self.db().execute(table, [])?;
        }
        Ok(())
    }

    pub(crate) fn store_log_parts(&self, parts: &LogParts, signing: &SigningKey) -> Result<(), VaultError> {
        parts.iter().try_for_each(|(name, bytes)| self.seal_part(name, bytes, signing))
    }

    /// The head before this batch, within this transaction.
    fn stored_head(&self) -> Result<Option<Head>, VaultError> {
        self.vault.log_head()
    }

    fn insert_entry(&self, entry: &LogEntry) -> Result<(), VaultError> {
        let seq = i64::try_from(entry.seq).map_err(|_| VaultError::TooLarge)?;
        let sql = "INSERT INTO entry (seq, payload, signature, hash) VALUES (?1, ?2, ?3, ?4)";
        self.db().execute(sql, params![seq, entry.payload, entry.signature, entry.hash()]).map(|_| ())
    }

    fn store_blobs(&mut self, batch: &LogBatch) -> Result<(), VaultError> {
        for bytes in &batch.blobs {
            let sql = "INSERT INTO blob (hash, bytes) VALUES (?1, ?2)
                       ON CONFLICT (hash) DO UPDATE SET bytes = excluded.bytes, superseded = NULL";
            self.db().execute(sql, params![sha256(bytes), bytes])?;
        }
        for (hash, since) in &batch.superseded {
            let since = i64::try_from(*since).map_err(|_| VaultError::TooLarge)?;
            let sql = "UPDATE blob SET superseded = coalesce(superseded, ?2) WHERE hash = ?1";
            self.db().execute(sql, params![hash, since])?;
        }
        for hash in &batch.withdrawn {
            self.db().execute("DELETE FROM blob WHERE hash = ?1", [hash])?;
            self.leave_no_residue();
        }
        Ok(())
    }

    fn pin(&self, head: Head, snapshot: Option<&Zeroizing<Vec<u8>>>) -> Result<(), VaultError> {
        let signing = self.vault.signing_key()?.ok_or(VaultError::NoSyncHalf)?;
        self.seal_part(HEAD, &cbor_array![HEAD_PURPOSE, head.seq, head.hash], signing)?;
        let Some(bytes) = snapshot else { return Ok(()) };
        let size = SNAPSHOT_PURPOSE.len() + 40 + bytes.len();
        let plain = secret_array(&[&SNAPSHOT_PURPOSE, &head.seq, &head.hash, &**bytes], size);
        self.seal_part(SNAPSHOT, &plain, signing)
    }

    fn seal_part(&self, name: &str, plain: &[u8], signing: &SigningKey) -> Result<(), VaultError> {
        let key = derive_log_key(signing).part_key(name);
        let sealed = aead::seal(&key, &log_part_context(&self.header.profile, name), plain)?;
        self.put_part(name, &sealed)
    }

    fn put_part(&self, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
        let sql = "INSERT INTO log (name, bytes) VALUES (?1, ?2)
                   ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes";
        self.db().execute(sql, params![name, bytes]).map(|_| ())
    }
}

/// Names and plaintexts.
pub(crate) type LogParts = Vec<(&'static str, Zeroizing<Vec<u8>>)>;

type RawEntry = (i64, Vec<u8>, Vec<u8>, Vec<u8>);

const HEAD: &str = "head";
const SNAPSHOT: &str = "snapshot";
const RECOVERY: &str = "recovery";
const HEAD_PURPOSE: &str = "keyquay/1/vault/log-head";
const SNAPSHOT_PURPOSE: &str = "keyquay/1/vault/log-snapshot";

/// The stored entries with numbers above `seq`: each as it was stored, and none missing between them.
pub(crate) fn read_entries(db: &Db, seq: Option<u64>) -> Result<Vec<LogEntry>, VaultError> {
    let from = match seq {
        Some(seq) => i64::try_from(seq).map_err(|_| VaultError::TooLarge)?,
        None => -1,
    };
    let sql = "SELECT seq, payload, signature, hash FROM entry WHERE seq > ?1 ORDER BY seq";
    let rows = db.all(sql, [from], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let entries: Vec<LogEntry> =
        rows.into_iter().map(|row| checked_entry(db, row)).collect::<Result<_, _>>()?;
    if entries.is_sorted_by(|one, next| one.seq + 1 == next.seq) {
        Ok(entries)
    } else {
        Err(db.damaged("entries of the log are missing"))
    }
}

pub(crate) fn read_blob(db: &Db, hash: &Digest) -> Result<Option<Vec<u8>>, VaultError> {
    let bytes: Option<Vec<u8>> =
        db.first("SELECT bytes FROM blob WHERE hash = ?1", [hash], |row| row.get(0))?;
    match bytes {
        Some(bytes) if sha256(&bytes) != *hash => Err(db.damaged("a blob is altered")),
        bytes => Ok(bytes),
    }
}

pub(crate) fn read_recovery_record(db: &Db) -> Result<Option<Vec<u8>>, VaultError> {
    let Some(stored) = read_part(db, RECOVERY)? else { return Ok(None) };
    let damaged = || db.damaged("the recovery record is altered");
    let (checksum, bytes) = stored.split_at_checked(32).ok_or_else(damaged)?;
    if sha256(bytes) == *checksum { Ok(Some(bytes.to_vec())) } else { Err(damaged()) }
}

fn read_part(db: &Db, name: &str) -> Result<Option<Vec<u8>>, VaultError> {
    db.first("SELECT bytes FROM log WHERE name = ?1", [name], |row| row.get(0))
}

fn checked_entry(db: &Db, (seq, payload, signature, hash): RawEntry) -> Result<LogEntry, VaultError> {
    let altered = || db.damaged("an entry of the log is altered");
    let signature = Signature::try_from(signature).map_err(|_| altered())?;
    let entry = LogEntry { seq: db.unsigned(seq)?, payload, signature };
    if entry.hash().as_slice() == hash { Ok(entry) } else { Err(altered()) }
}

fn last_head(entry: &LogEntry) -> Head {
    Head { seq: entry.seq, hash: entry.hash() }
}

fn decode_head(plain: &[u8]) -> Result<Head, CborError> {
    let mut decoder = Decoder::message(plain, 3, HEAD_PURPOSE)?;
    let head = Head { seq: decoder.uint()?, hash: decoder.fixed()? };
    decoder.end()?;
    Ok(head)
}

fn decode_snapshot(plain: &[u8]) -> Result<Snapshot, CborError> {
    let mut decoder = Decoder::message(plain, 4, SNAPSHOT_PURPOSE)?;
    let head = Head { seq: decoder.uint()?, hash: decoder.fixed()? };
    let bytes = Zeroizing::new(decoder.bytes()?.to_vec());
    decoder.end()?;
    Ok(Snapshot { head, bytes })
}
