use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use keyquay_protocol::UserId;
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, params};
use tokio::sync::oneshot;

use super::{Address, Answer, Batch, Range, Row, Storage, StorageError, Write, last_with};

/// SQLite in one file: WAL, `synchronous=FULL`. One thread writes; batches that wait share one fsync. Reads
/// are short and take a connection of their own.
pub struct Sqlite {
    writer: Option<mpsc::SyncSender<Waiting>>,
    thread: Option<JoinHandle<()>>,
    readers: Readers,
}

impl Sqlite {
    /// Opens the database, makes it where there is none, and brings its form up to date.
    ///
    /// # Errors
    /// [`StorageError::Newer`] for one that a newer server wrote, otherwise [`StorageError::Unavailable`].
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        make_private(path).map_err(|error| StorageError::Unavailable(error.to_string()))?;
        let mut connection = connect(path)?;
        migrate(&mut connection)?;
        let (writer, batches) = mpsc::sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("storage-writer".to_owned())
            .spawn(move || write_batches(&mut connection, &batches))
            .map_err(|error| StorageError::Unavailable(error.to_string()))?;
        let readers = Readers { path: path.into(), idle: Mutex::default() };
        Ok(Self { writer: Some(writer), thread: Some(thread), readers })
    }
}

impl Drop for Sqlite {
    /// What was handed over is written before the database closes.
    fn drop(&mut self) {
        drop(self.writer.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Storage for Sqlite {
    fn get(&self, address: Address) -> Answer<'_, Option<Vec<u8>>> {
        Box::pin(std::future::ready(self.readers.with(|connection| {
            connection
                .prepare_cached("SELECT value FROM rows WHERE owner = ?1 AND kind = ?2 AND key = ?3")?
                .query_row(params![address.owner.0, address.kind, address.key], |row| row.get(0))
                .optional()
        })))
    }

    fn range(&self, range: Range) -> Answer<'_, Vec<Row>> {
        let limit = i64::try_from(range.limit).unwrap_or(i64::MAX);
        Box::pin(std::future::ready(self.readers.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT key, value FROM rows
                     WHERE owner = ?1 AND kind = ?2 AND key > ?3 AND key <= ?4 ORDER BY key LIMIT ?5",
                )?
                .query_map(params![range.owner.0, range.kind, range.after, range.until, limit], |row| {
                    Ok(Row { key: row.get(0)?, value: row.get(1)? })
                })?
                .collect()
        })))
    }

    fn next_owner(&self, after: UserId) -> Answer<'_, Option<UserId>> {
        Box::pin(std::future::ready(self.readers.with(|connection| {
            connection
                .prepare_cached("SELECT owner FROM rows WHERE owner > ?1 ORDER BY owner LIMIT 1")?
                .query_row(params![after.0], |row| row.get(0).map(UserId))
                .optional()
        })))
    }

    fn commit(&self, batch: Batch) -> Answer<'_, ()> {
        let (done, answer) = oneshot::channel();
        let gone = || StorageError::Unavailable("the writer has stopped".to_owned());
        let sent = match &self.writer {
            Some(writer) => writer.try_send(Waiting { batch, done }).map_err(|error| match error {
                mpsc::TrySendError::Full(_) => {
                    StorageError::Unavailable("too many writes are waiting".to_owned())
                }
                mpsc::TrySendError::Disconnected(_) => gone(),
            }),
            None => Err(gone()),
        };
        Box::pin(async move {
            sent?;
            answer.await.map_err(|_| gone())?
        })
    }
}

/// Batches that may wait for the disk; beyond that the server says that it cannot answer.
const QUEUE: usize = 10_000;
/// Batches that share one fsync.
const GROUP: usize = 512;
/// Connections for reading that are kept open.
const IDLE_READERS: usize = 8;
const VERSION: i64 = 1;

struct Waiting {
    batch: Batch,
    done: oneshot::Sender<Result<(), StorageError>>,
}

struct Readers {
    path: Arc<Path>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    fn with<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StorageError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let connection = connect(&self.path)?;
                connection.pragma_update(None, "query_only", true)?;
                connection
            }
        };
        let result = read(&connection);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.push(connection);
        }
        Ok(result?)
    }
}

impl From<rusqlite::Error> for StorageError {
    /// What a database says holds no values, only its own words.
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// The file, and with it WAL and journal, which take its mode, are for the server's user alone.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ())
}

fn connect(path: &Path) -> Result<Connection, StorageError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "cache_size", -2_048)?;
    connection.set_prepared_statement_cache_capacity(16);
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<(), StorageError> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > VERSION {
        return Err(StorageError::Newer);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if version < 1 {
        transaction.execute_batch(
            "CREATE TABLE IF NOT EXISTS rows (
                 owner BLOB NOT NULL,
                 kind INTEGER NOT NULL,
                 key BLOB NOT NULL,
                 value BLOB NOT NULL,
                 PRIMARY KEY (owner, kind, key)
             ) STRICT, WITHOUT ROWID",
        )?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}

/// Takes what waits, writes it in one transaction, and answers everybody once it is on disk.
fn write_batches(connection: &mut Connection, batches: &mpsc::Receiver<Waiting>) {
    while let Ok(first) = batches.recv() {
        let mut group = vec![first];
        group.extend(batches.try_iter().take(GROUP - 1));
        match write_group(connection, &group) {
            Ok(results) => {
                for (waiting, result) in group.into_iter().zip(results) {
                    let _ = waiting.done.send(result);
                }
            }
            Err(error) => {
                tracing::error!(%error, "the database refused a transaction");
                for waiting in group {
                    let _ = waiting.done.send(Err(error.clone()));
                }
            }
        }
    }
}

fn write_group(
    connection: &mut Connection,
    group: &[Waiting],
) -> Result<Vec<Result<(), StorageError>>, StorageError> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut results = Vec::with_capacity(group.len());
    for waiting in group {
        let savepoint = transaction.savepoint()?;
        results.push(match write(&savepoint, &waiting.batch) {
            Ok(()) => {
                savepoint.commit()?;
                Ok(())
            }
            Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == ErrorCode::ConstraintViolation => {
                savepoint.finish()?;
                Err(StorageError::Conflict)
            }
            Err(error) => return Err(error.into()),
        });
    }
    transaction.commit()?;
    Ok(results)
}

fn write(connection: &Connection, batch: &Batch) -> rusqlite::Result<()> {
    for write in &batch.0 {
        match write {
            Write::Put(Address { owner, kind, key }, value) => connection
                .prepare_cached(
                    "INSERT INTO rows (owner, kind, key, value) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (owner, kind, key) DO UPDATE SET value = excluded.value",
                )?
                .execute(params![owner.0, kind, key, value])?,
            Write::Insert(Address { owner, kind, key }, value) => connection
                .prepare_cached("INSERT INTO rows (owner, kind, key, value) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![owner.0, kind, key, value])?,
            Write::Delete(Address { owner, kind, key }) => connection
                .prepare_cached("DELETE FROM rows WHERE owner = ?1 AND kind = ?2 AND key = ?3")?
                .execute(params![owner.0, kind, key])?,
            Write::DeleteAll { owner, kind, prefix } => connection
                .prepare_cached(
                    "DELETE FROM rows WHERE owner = ?1 AND kind = ?2 AND key >= ?3 AND key <= ?4",
                )?
                .execute(params![owner.0, kind, prefix, last_with(prefix)])?,
            Write::DeleteOwner(owner) => {
                connection.prepare_cached("DELETE FROM rows WHERE owner = ?1")?.execute(params![owner.0])?
            }
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (tempfile::TempDir, Sqlite) {
        let folder = tempfile::tempdir().unwrap();
        let storage = Sqlite::open(&folder.path().join("server.sqlite")).unwrap();
        (folder, storage)
    }

    fn at(owner: UserId, kind: u8, key: &[u8]) -> Address {
        Address { owner, kind, key: key.to_vec() }
    }

    fn all(owner: UserId, kind: u8) -> Range {
        Range { owner, kind, after: Vec::new(), until: last_with(b""), limit: 100 }
    }

    #[tokio::test]
    async fn a_batch_with_a_conflict_changes_nothing_and_its_neighbours_are_written() {
        let (_folder, storage) = open();
        let user = UserId::make_random();
        let insert = |key: &[u8], value: &[u8]| Write::Insert(at(user, 1, key), value.to_vec());
        storage.commit(Batch(vec![insert(b"a", b"1")])).await.unwrap();
        let both = Batch(vec![insert(b"b", b"2"), insert(b"a", b"3")]);
        let (conflict, other) =
            tokio::join!(storage.commit(both), storage.commit(Batch(vec![insert(b"c", b"4")])));
        assert_eq!(conflict, Err(StorageError::Conflict));
        assert_eq!(other, Ok(()));
        assert_eq!(storage.get(at(user, 1, b"a")).await.unwrap().unwrap(), b"1");
        assert_eq!(storage.get(at(user, 1, b"b")).await.unwrap(), None);
        assert_eq!(storage.get(at(user, 1, b"c")).await.unwrap().unwrap(), b"4");
    }

    #[tokio::test]
    async fn ranges_and_deletions_stay_within_owner_kind_and_prefix() {
        let (_folder, storage) = open();
        let (user, other) = (UserId::make_random(), UserId::make_random());
        let rows =
            [(user, 1, b"aa"), (user, 1, b"ab"), (user, 1, b"b\xFF"), (user, 2, b"aa"), (other, 1, b"aa")];
        let puts = rows.iter().map(|(owner, kind, key)| Write::Put(at(*owner, *kind, *key), vec![1]));
        storage.commit(Batch(puts.collect())).await.unwrap();
        let keys = |rows: Vec<Row>| rows.into_iter().map(|row| row.key).collect::<Vec<_>>();
        assert_eq!(keys(storage.range(all(user, 1)).await.unwrap()), [b"aa", b"ab", b"b\xFF"]);
        let after = Range { after: b"aa".to_vec(), limit: 1, ..all(user, 1) };
        assert_eq!(keys(storage.range(after).await.unwrap()), [b"ab"]);

        let prefix = Write::DeleteAll { owner: user, kind: 1, prefix: b"a".to_vec() };
        storage.commit(Batch(vec![prefix])).await.unwrap();
        assert_eq!(keys(storage.range(all(user, 1)).await.unwrap()), [b"b\xFF"]);
        storage.commit(Batch(vec![Write::DeleteOwner(user)])).await.unwrap();
        assert!(storage.range(all(user, 1)).await.unwrap().is_empty());
        assert!(storage.range(all(user, 2)).await.unwrap().is_empty());
        assert_eq!(storage.range(all(other, 1)).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_was_acknowledged_is_there_after_opening_again() {
        let (folder, storage) = open();
        let user = UserId::make_random();
        storage.commit(Batch(vec![Write::Put(at(user, 1, b"a"), vec![7])])).await.unwrap();
        drop(storage);
        let again = Sqlite::open(&folder.path().join("server.sqlite")).unwrap();
        assert_eq!(again.get(at(user, 1, b"a")).await.unwrap().unwrap(), [7]);
    }

    #[test]
    fn a_database_of_a_newer_server_is_left_alone() {
        let (folder, storage) = open();
        drop(storage);
        let path = folder.path().join("server.sqlite");
        Connection::open(&path).unwrap().pragma_update(None, "user_version", VERSION + 1).unwrap();
        assert_eq!(Sqlite::open(&path).err(), Some(StorageError::Newer));
    }
}
