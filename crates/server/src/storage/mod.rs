//! What the keystore stores, as rows that say nothing: an owner, a kind, a key and a sealed value.
//!
//! The owner leads the only index, so every read is a range of one user's rows and no query crosses users.
//! A [`Batch`] happens whole or not at all. What the rows mean is the keystore's business.

mod sqlite;

use std::future::Future;
use std::pin::Pin;

use keyquay_protocol::UserId;
use thiserror::Error;

pub use sqlite::Sqlite;

/// Where a row is: the owner's id (zeros for the server itself), the kind of row, and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub owner: UserId,
    pub kind: u8,
    pub key: Vec<u8>,
}

/// A row of a range: its key and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub key: Vec<u8>,
    pub value: Vec<u8>,
}

/// Which rows of one owner and kind: those whose key is above `after` and at most `until`, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    pub owner: UserId,
    pub kind: u8,
    pub after: Vec<u8>,
    pub until: Vec<u8>,
    pub limit: usize,
}

/// One change of a [`Batch`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Sets a row, whether it was there or not.
    Put(Address, Vec<u8>),
    /// Sets a row that must not be there: otherwise the whole batch is [`StorageError::Conflict`].
    Insert(Address, Vec<u8>),
    Delete(Address),
    /// Deletes the rows of one owner and kind whose keys begin with these bytes.
    DeleteAll {
        owner: UserId,
        kind: u8,
        prefix: Vec<u8>,
    },
    /// Deletes everything of an owner.
    DeleteOwner(UserId),
}

/// Changes that happen together or not at all. Acknowledged means on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch(pub Vec<Write>);

/// Why the storage did not do it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StorageError {
    #[error("a row that was to be new is there already")]
    Conflict,
    #[error("the database was written by a newer keyquay-server")]
    Newer,
    #[error("the database does not answer: {0}")]
    Unavailable(String),
}

/// What an answer of the storage is waited for with.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StorageError>> + Send + 'a>>;

/// A database.
pub trait Storage: Send + Sync {
    /// One row's value.
    fn get(&self, address: Address) -> Answer<'_, Option<Vec<u8>>>;

    /// Rows in the order of their keys.
    fn range(&self, range: Range) -> Answer<'_, Vec<Row>>;

    /// The owner with the lowest id above `after`; only for what an operator does to all of them.
    fn next_owner(&self, after: UserId) -> Answer<'_, Option<UserId>>;

    /// Changes everything in the batch, or nothing. Dropping the answer does not undo it.
    fn commit(&self, batch: Batch) -> Answer<'_, ()>;
}

/// The last key that begins with `prefix`, as an inclusive bound: keys are at most 64 bytes longer.
#[must_use]
pub fn last_with(prefix: &[u8]) -> Vec<u8> {
    let mut last = prefix.to_vec();
    last.extend_from_slice(&[0xFF; 65]);
    last
}
