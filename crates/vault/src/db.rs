//! The SQLite file: how it is made, checked and opened, and where its errors become the vault's.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Params, Row};

use crate::VaultError;

/// The format that this version writes, and the newest that it reads (`user_version`).
pub(crate) const FORMAT: u32 = 1;

/// `KQV` and a digit, so that a foreign database is not taken for a vault (`application_id`).
const APPLICATION: i32 = i32::from_be_bytes(*b"KQV1");

/// One entry a format, to be run when the file has the format before it.
const MIGRATIONS: [&str; FORMAT as usize] = [include_str!("schema.sql")];

/// One connection to one vault. All SQL goes through it, so that every error names the file.
pub(crate) struct Db {
    sql: Connection,
    path: PathBuf,
}

impl Db {
    /// Makes the file with what `fill` writes, and lets it appear under `path` only when it is whole.
    pub fn create(path: &Path, fill: impl FnOnce(&Self) -> Result<(), VaultError>) -> Result<(), VaultError> {
        let unfinished = path.with_extension("sqlite.new");
        let io = |error: std::io::Error| of_io(&error, path);
        // Also what SQLite would take for the new file's own journal: left by a crash, or by a vault that
        // somebody has removed.
        remove_all([&unfinished, path], ["-journal", "-wal", "-shm"]).map_err(io)?;
        remove(&unfinished).map_err(io)?;
        make_private_file(&unfinished).map_err(io)?;
        let db = Self::connect(&unfinished)?;
        db.begin()?;
        db.pragma("application_id", APPLICATION)?;
        db.migrate(0)?;
        fill(&db)?;
        db.commit()?;
        db.journal_in_wal()?;
        db.sql.close().map_err(|(_, error)| VaultError::of_sql(&error, path))?;
        fs::rename(&unfinished, path).map_err(io)?;
        sync_folder_of(path).map_err(io)
    }

    /// Opens a vault's file and checks it, without a change to a byte of it.
    pub fn open(path: &Path) -> Result<Self, VaultError> {
        if !path.try_exists().map_err(|error| of_io(&error, path))? {
            return Err(VaultError::Missing);
        }
        let db = Self::connect(path)?;
        db.checkpoint_on_close(false)?;
        let application: i32 = db.pragma_value("application_id")?;
        let format: u32 = db.pragma_value("user_version")?;
        if application != APPLICATION {
            return Err(db.damaged("it is no vault"));
        }
        if format > FORMAT {
            return Err(VaultError::NewerVersion { found: format, supported: FORMAT });
        }
        if db.sql.is_readonly("main").map_err(|error| db.error(&error))? {
            return Err(VaultError::ReadOnly { path: path.to_owned() });
        }
        // The whole check: the quick one passes over an index that has lost a row of its table.
        let verdict: String = db.pragma_value("integrity_check(1)")?;
        if verdict != "ok" {
            return Err(db.damaged("SQLite's check fails"));
        }
        if format < FORMAT {
            db.begin()?;
            db.migrate(format)?;
            db.commit()?;
        }
        Ok(db)
    }

    /// The file has proven sound: from now on the WAL is written back when it closes.
    pub fn settle(&self) -> Result<(), VaultError> {
        self.checkpoint_on_close(true)
    }

    pub fn execute(&self, sql: &str, params: impl Params) -> Result<usize, VaultError> {
        let run = || self.sql.prepare_cached(sql)?.execute(params);
        run().map_err(|error| self.error(&error))
    }

    /// The first row, if there is one.
    pub fn first<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, VaultError> {
        let run = || self.sql.prepare_cached(sql)?.query_row(params, read).optional();
        run().map_err(|error| self.error(&error))
    }

    pub fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, VaultError> {
        let run = || self.sql.prepare_cached(sql)?.query_map(params, read)?.collect::<Result<_, _>>();
        run().map_err(|error| self.error(&error))
    }

    /// A count, or another number that is not negative.
    pub fn number(&self, sql: &str, params: impl Params) -> Result<u64, VaultError> {
        let number = self.first(sql, params, |row| row.get::<_, i64>(0))?;
        self.unsigned(number.unwrap_or(0))
    }

    /// SQLite's integers are signed, ours are not.
    pub fn unsigned(&self, number: i64) -> Result<u64, VaultError> {
        u64::try_from(number).map_err(|_| self.damaged("a number is negative"))
    }

    pub fn begin(&self) -> Result<(), VaultError> {
        self.batch("BEGIN IMMEDIATE")
    }

    pub fn commit(&self) -> Result<(), VaultError> {
        self.batch("COMMIT")
    }

    /// Ends a transaction that is not to count. SQLite has rolled back by itself after some errors.
    pub fn roll_back(&self) {
        if !self.sql.is_autocommit() {
            let _ = self.batch("ROLLBACK");
        }
    }

    /// Writes the WAL back and cuts it to nothing, so that no older page is left in it.
    ///
    /// An error when another program reads the file meanwhile.
    pub fn truncate_wal(&self) -> Result<(), VaultError> {
        let is_busy: Option<bool> = self.first("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if is_busy == Some(true) {
            let reason = "another program reads it".to_owned();
            return Err(VaultError::Io { path: self.path.clone(), reason });
        }
        Ok(())
    }

    pub fn damaged(&self, what: &'static str) -> VaultError {
        VaultError::Damaged { path: self.path.clone(), what }
    }

    fn connect(path: &Path) -> Result<Self, VaultError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sql =
            Connection::open_with_flags(path, flags).map_err(|error| VaultError::of_sql(&error, path))?;
        let db = Self { sql, path: path.to_owned() };
        for (option, value) in [
            (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
            (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        ] {
            db.sql.set_db_config(option, value).map_err(|error| db.error(&error))?;
        }
        db.pragma("synchronous", "FULL")?;
        // On macOS an ordinary sync stops at the drive's cache.
        db.pragma("fullfsync", "ON")?;
        db.pragma("checkpoint_fullfsync", "ON")?;
        db.pragma("secure_delete", "ON")?;
        db.pragma("foreign_keys", "ON")?;
        db.pragma("temp_store", "MEMORY")?;
        db.pragma("cell_size_check", "ON")?;
        Ok(db)
    }

    fn migrate(&self, from: u32) -> Result<(), VaultError> {
        for step in MIGRATIONS.iter().skip(from as usize) {
            self.batch(step)?;
        }
        self.pragma("user_version", FORMAT)
    }

    fn journal_in_wal(&self) -> Result<(), VaultError> {
        let mode: String = self.pragma_value("journal_mode=WAL")?;
        if mode == "wal" { Ok(()) } else { Err(self.damaged("the file system does not allow a WAL")) }
    }

    fn checkpoint_on_close(&self, on: bool) -> Result<(), VaultError> {
        self.sql
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !on)
            .map(|_| ())
            .map_err(|error| self.error(&error))
    }

    fn batch(&self, sql: &str) -> Result<(), VaultError> {
        self.sql.execute_batch(sql).map_err(|error| self.error(&error))
    }

    fn pragma(&self, name: &str, value: impl rusqlite::ToSql) -> Result<(), VaultError> {
        self.sql.pragma_update(None, name, value).map_err(|error| self.error(&error))
    }

    fn pragma_value<T: rusqlite::types::FromSql>(&self, name: &str) -> Result<T, VaultError> {
        self.sql
            .query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
            .map_err(|error| self.error(&error))
    }

    fn error(&self, error: &rusqlite::Error) -> VaultError {
        VaultError::of_sql(error, &self.path)
    }
}

fn remove_all(files: [&Path; 2], endings: [&str; 3]) -> std::io::Result<()> {
    for file in files {
        for ending in endings {
            let mut name = file.as_os_str().to_owned();
            name.push(ending);
            remove(Path::new(&name))?;
        }
    }
    Ok(())
}

fn remove(file: &Path) -> std::io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// How the system's errors read for the file at `path`.
pub(crate) fn of_io(error: &std::io::Error, path: &Path) -> VaultError {
    use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let path = path.to_owned();
    match error.kind() {
        PermissionDenied | ReadOnlyFilesystem => VaultError::ReadOnly { path },
        StorageFull | QuotaExceeded => VaultError::DiskFull { path },
        _ => VaultError::Io { path, reason: error.to_string() },
    }
}

/// A new file that only its owner reads, where the system knows that.
pub(crate) fn make_private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a rename last, where the system needs that said.
#[cfg(unix)]
pub(crate) fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(not(unix))]
pub(crate) fn sync_folder_of(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make() -> (tempfile::TempDir, Db) {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("vault.sqlite");
        Db::create(&path, |_| Ok(())).unwrap();
        let db = Db::open(&path).unwrap();
        (dir, db)
    }

    #[test]
    fn the_file_is_synced_at_each_commit_and_wiped_behind_itself() {
        let (_dir, db) = make();
        assert_eq!(db.pragma_value::<String>("journal_mode").unwrap(), "wal");
        assert_eq!(db.pragma_value::<i64>("synchronous").unwrap(), 2);
        assert_eq!(db.pragma_value::<i64>("secure_delete").unwrap(), 1);
        assert_eq!(db.pragma_value::<i64>("foreign_keys").unwrap(), 1);
        assert_eq!(db.pragma_value::<u32>("user_version").unwrap(), FORMAT);
    }

    #[test]
    fn a_full_disk_says_so_and_what_was_there_stays() {
        let (_dir, db) = make();
        db.execute("INSERT INTO blob (hash, bytes) VALUES (x'01', x'01')", []).unwrap();
        let pages: i64 = db.pragma_value("page_count").unwrap();
        db.pragma("max_page_count", pages).unwrap();
        db.begin().unwrap();
        let full = db.execute("INSERT INTO blob (hash, bytes) VALUES (x'02', zeroblob(100000))", []);
        assert!(matches!(full, Err(VaultError::DiskFull { .. })), "{full:?}");
        db.roll_back();
        assert_eq!(db.number("SELECT count(*) FROM blob", []).unwrap(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_written_says_so() {
        let (_dir, db) = make();
        db.pragma("query_only", "ON").unwrap();
        let refused = db.execute("DELETE FROM blob", []);
        assert!(matches!(refused, Err(VaultError::ReadOnly { .. })), "{refused:?}");
        let denied = of_io(&std::io::ErrorKind::PermissionDenied.into(), Path::new("x"));
        assert!(matches!(denied, VaultError::ReadOnly { .. }));
    }
}
