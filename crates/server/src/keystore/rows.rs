//! Rows as the keystore means them: each sealed under its owner's data key, for exactly its place.
//!
//! The associated data names owner, kind and key, so that a row that was moved does not open, whatever the
//! key management service would have let through.

use std::sync::Arc;

use keyquay_crypto::aead::{self, AeadKey};
use keyquay_crypto::{Zeroizing, cbor_array, kdf};
use keyquay_protocol::{Code, Problem, UserId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::kms::{DataKey, DataKeys, KeyContext, Kms, KmsError};
use crate::storage::{Address, Batch, Range, Storage, StorageError, Write, last_with};

/// The owner of rows that belong to no user: setup, address index, owners of devices, diary.
pub const SERVER: UserId = UserId([0; 16]);

/// What a row holds. The numbers rest in the database and are never used for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Of the server: the OPAQUE setup and the key of the indices.
    Setup = 1,
    /// The owner's wrapped data key; the only value that is not sealed under it.
    DataKey = 2,
    /// Of the server: a keyed hash of an address → user.
    Address = 3,
    /// Of the server: device → user.
    DeviceOwner = 4,
    /// Of the server: when to look at what again; the key says all, the value is empty.
    Diary = 5,
    User = 10,
    /// The three unlock records, by name.
    Unlock = 11,
    /// The factor in force, and the one that each device is setting up.
    SecondFactor = 12,
    Device = 13,
    Share = 14,
    Seen = 15,
    /// generation ‖ seq → payload and signature.
    Entry = 16,
    /// generation ‖ item ‖ revision → blob.
    Blob = 17,
    /// generation ‖ hash → item and revision of a blob that is not live any more.
    Superseded = 18,
    /// generation → state of the log, up to some entry.
    Snapshot = 19,
    /// SHA-256 of a link's token → what it does.
    Link = 20,
    /// SHA-256 of a registration's id → the registration.
    Registration = 21,
}

/// The rows of all owners.
pub struct Rows {
    storage: Arc<dyn Storage>,
    kms: Arc<dyn Kms>,
    keys: DataKeys,
}

/// Changes to the rows of one owner, sealed as they are written down.
pub struct Draft {
    owner: UserId,
    key: Arc<DataKey>,
    writes: Vec<Write>,
}

/// A row of a range, opened.
pub struct OpenRow {
    pub key: Vec<u8>,
    pub value: Zeroizing<Vec<u8>>,
}

impl Rows {
    pub fn new(storage: Arc<dyn Storage>, kms: Arc<dyn Kms>, keys: DataKeys) -> Self {
        Self { storage, kms, keys }
    }

    /// One row, opened.
    pub async fn get(
        &self,
        owner: UserId,
        kind: Kind,
        key: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Problem> {
        let Some(sealed) = self.storage.get(address(owner, kind, key)).await.map_err(refused)? else {
            return Ok(None);
        };
        let data_key = self.key_of(owner).await?.ok_or_else(|| damaged(kind))?;
        open(&data_key, owner, kind, key, &sealed).map(Some)
    }

    /// One row that holds JSON.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        owner: UserId,
        kind: Kind,
        key: &[u8],
    ) -> Result<Option<T>, Problem> {
        match self.get(owner, kind, key).await? {
            Some(value) => read_json(kind, &value).map(Some),
            None => Ok(None),
        }
    }

    /// The rows whose keys begin with `prefix` and are above `after`, in order, opened.
    pub async fn range(
        &self,
        owner: UserId,
        kind: Kind,
        prefix: &[u8],
        after: &[u8],
        limit: usize,
    ) -> Result<Vec<OpenRow>, Problem> {
        let rows = self.range_sealed(owner, kind, prefix, after, limit).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let data_key = self.key_of(owner).await?.ok_or_else(|| damaged(kind))?;
        rows.into_iter()
            .map(|(key, sealed)| {
                let value = open(&data_key, owner, kind, &key, &sealed)?;
                Ok(OpenRow { key, value })
            })
            .collect()
    }

    /// The keys of the server's diary up to and including `due`.
    pub async fn diary_until(&self, due: u64, limit: usize) -> Result<Vec<Vec<u8>>, Problem> {
        let range = Range {
            owner: SERVER,
            kind: Kind::Diary as u8,
            after: Vec::new(),
            until: last_with(&due.to_be_bytes()),
            limit,
        };
        let rows = self.storage.range(range).await.map_err(refused)?;
        Ok(rows.into_iter().map(|row| row.key).collect())
    }

    /// The owner whose id is the next above `after`.
    pub async fn next_owner(&self, after: UserId) -> Result<Option<UserId>, Problem> {
        self.storage.next_owner(after).await.map_err(refused)
    }

    /// Begins changes of an owner who has rows already, or makes a data key for a new one.
    pub async fn draft(&self, owner: UserId) -> Result<Draft, Problem> {
        if let Some(key) = self.key_of(owner).await? {
            return Ok(Draft { owner, key, writes: Vec::new() });
        }
        let fresh = self.kms.generate_data_key(KeyContext::rows_of(owner)).await.map_err(no_key)?;
        let insert = Write::Insert(address(owner, Kind::DataKey, b""), fresh.wrapped);
        Ok(Draft { owner, key: Arc::new(fresh.key), writes: vec![insert] })
    }

    /// Makes all changes of all drafts in one transaction. `None` when a row that was to be new was there.
    pub async fn commit_unless_conflict(&self, drafts: Vec<Draft>) -> Result<Option<()>, Problem> {
        let writes = drafts.into_iter().flat_map(|draft| draft.writes).collect();
        match self.storage.commit(Batch(writes)).await {
            Ok(()) => Ok(Some(())),
            Err(StorageError::Conflict) => Ok(None),
            Err(error) => Err(refused(error)),
        }
    }

    /// Makes all changes of all drafts in one transaction.
    pub async fn commit(&self, drafts: Vec<Draft>) -> Result<(), Problem> {
        self.commit_unless_conflict(drafts).await?.ok_or_else(|| Problem::new(Code::Unavailable))
    }

    /// Wipes the data key of an owner that is gone.
    pub fn forget_key(&self, owner: UserId) {
        self.keys.forget(owner);
    }

    /// Wipes the data keys that were unwrapped a minute ago.
    pub fn forget_old_keys(&self) {
        self.keys.forget_old();
    }

    async fn range_sealed(
        &self,
        owner: UserId,
        kind: Kind,
        prefix: &[u8],
        after: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, Problem> {
        let after = if after.is_empty() { prefix.to_vec() } else { after.to_vec() };
        let range = Range { owner, kind: kind as u8, after, until: last_with(prefix), limit };
        let rows = self.storage.range(range).await.map_err(refused)?;
        Ok(rows.into_iter().map(|row| (row.key, row.value)).collect())
    }

    async fn key_of(&self, owner: UserId) -> Result<Option<Arc<DataKey>>, Problem> {
        if let Some(key) = self.keys.get(owner) {
            return Ok(Some(key));
        }
        let wrapped = self.storage.get(address(owner, Kind::DataKey, b"")).await.map_err(refused)?;
        let Some(wrapped) = wrapped else {
            return Ok(None);
        };
        let key = self.kms.unwrap(&wrapped, KeyContext::rows_of(owner)).await.map_err(no_key)?;
        Ok(Some(self.keys.keep(owner, key)))
    }
}

impl Draft {
    /// Sets a row.
    pub fn put(&mut self, kind: Kind, key: &[u8], value: &[u8]) -> Result<(), Problem> {
        let sealed = seal(&self.key, self.owner, kind, key, value)?;
        self.writes.push(Write::Put(address(self.owner, kind, key), sealed));
        Ok(())
    }

    /// Sets a row that must not be there.
    pub fn insert(&mut self, kind: Kind, key: &[u8], value: &[u8]) -> Result<(), Problem> {
        let sealed = seal(&self.key, self.owner, kind, key, value)?;
        self.writes.push(Write::Insert(address(self.owner, kind, key), sealed));
        Ok(())
    }

    /// Sets a row to JSON.
    pub fn put_json(&mut self, kind: Kind, key: &[u8], value: &impl Serialize) -> Result<(), Problem> {
        let json = serde_json::to_vec(value).map(Zeroizing::new).map_err(|_| damaged(kind))?;
        self.put(kind, key, &json)
    }

    pub fn delete(&mut self, kind: Kind, key: &[u8]) {
        self.writes.push(Write::Delete(address(self.owner, kind, key)));
    }

    /// Deletes the rows whose keys begin with `prefix`.
    pub fn delete_all(&mut self, kind: Kind, prefix: &[u8]) {
        let prefix = prefix.to_vec();
        self.writes.push(Write::DeleteAll { owner: self.owner, kind: kind as u8, prefix });
    }

    /// Deletes everything of the owner, the data key included.
    pub fn delete_owner(&mut self) {
        self.writes.push(Write::DeleteOwner(self.owner));
    }

    /// Writes into the server's diary; see [`Kind::Diary`].
    pub fn note(&mut self, key: &[u8]) {
        self.writes.push(Write::Put(address(SERVER, Kind::Diary, key), Vec::new()));
    }

    /// Strikes out a line of the server's diary.
    pub fn strike_out(&mut self, key: &[u8]) {
        self.writes.push(Write::Delete(address(SERVER, Kind::Diary, key)));
    }
}

/// Reads a row that holds JSON.
pub fn read_json<T: DeserializeOwned>(kind: Kind, value: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(value).map_err(|_| damaged(kind))
}

/// The problem of a row that does not open, or does not hold what its kind says.
pub fn damaged(kind: Kind) -> Problem {
    tracing::error!(?kind, "a stored row does not open where it is");
    Problem::new(Code::Internal)
}

fn address(owner: UserId, kind: Kind, key: &[u8]) -> Address {
    Address { owner, kind: kind as u8, key: key.to_vec() }
}

fn seal(data_key: &DataKey, owner: UserId, kind: Kind, key: &[u8], value: &[u8]) -> Result<Vec<u8>, Problem> {
    let place = place(owner, kind, key);
    aead::seal(&row_key(data_key, &place), &place, value).map_err(|_| Problem::new(Code::TooLarge))
}

fn open(
    data_key: &DataKey,
    owner: UserId,
    kind: Kind,
    key: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let place = place(owner, kind, key);
    aead::open(&row_key(data_key, &place), &place, sealed).map_err(|_| damaged(kind))
}

/// A key that serves one row.
fn row_key(data_key: &DataKey, place: &[u8]) -> AeadKey {
    AeadKey::from_secret(kdf::derive(data_key.expose(), place))
}

fn place(owner: UserId, kind: Kind, key: &[u8]) -> Vec<u8> {
    cbor_array!["keyquay/1/row", owner, u64::from(kind as u8), key]
}

fn refused(error: StorageError) -> Problem {
    tracing::error!(%error, "storage");
    Problem::new(Code::Unavailable)
}

fn no_key(error: KmsError) -> Problem {
    tracing::error!(%error, "data key");
    Problem::new(Code::Unavailable)
}
