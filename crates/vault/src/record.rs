//! Rows of sealed records, and the inventory that says which there are.

use keyquay_crypto::aead::{self, AeadKey};
use keyquay_crypto::cbor::{CborError, Decoder};
use keyquay_crypto::{CryptoError, Digest, Zeroizing, cbor_array};
use rusqlite::params;

use crate::VaultError;
use crate::db::Db;
use crate::header::flag;
use crate::keys::{LocalKey, RecordId, record_context};

/// What a record is. The numbers are part of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Account = 1,
    Version = 2,
    Named = 3,
    SealingKey = 4,
    SecretKey = 5,
    Edit = 6,
}

impl Kind {
    /// Sealed under the local key; the others are sealed under the sync key.
    pub const LOCAL: [Self; 3] = [Self::Account, Self::Version, Self::Named];
    pub const SYNC: [Self; 3] = [Self::SealingKey, Self::SecretKey, Self::Edit];

    fn of(number: i64) -> Option<Self> {
        Self::LOCAL.into_iter().chain(Self::SYNC).find(|&kind| kind as i64 == number)
    }
}

/// What the associated data of a record binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub kind: Kind,
    pub id: RecordId,
    /// The account that a version belongs to.
    pub owner: Option<RecordId>,
    pub revision: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub place: Place,
    pub sealed: Vec<u8>,
}

impl Place {
    /// Seals under `key`, which is derived for this record's id.
    pub fn seal(self, key: &AeadKey, plaintext: &[u8]) -> Result<Record, CryptoError> {
        let sealed = aead::seal(key, &self.context(), plaintext)?;
        Ok(Record { place: self, sealed })
    }

    fn context(&self) -> Vec<u8> {
        record_context(self.kind as u64, &self.id, self.owner.as_ref(), self.revision)
    }
}

impl Record {
    /// # Errors
    /// [`CryptoError::Open`] when key, place or bytes are not those that it was sealed with.
    pub fn open(&self, key: &AeadKey) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        aead::open(key, &self.place.context(), &self.sealed)
    }
}

pub(crate) fn find(db: &Db, id: &RecordId) -> Result<Option<Record>, VaultError> {
    let row = db.first(&format!("{COLUMNS} WHERE id = ?1"), [id], raw)?;
    row.map(|row| checked(db, row)).transpose()
}

pub(crate) fn of_kind(db: &Db, kind: Kind) -> Result<Vec<Record>, VaultError> {
    let rows = db.all(&format!("{COLUMNS} WHERE kind = ?1 ORDER BY revision, id"), [kind as i64], raw)?;
    rows.into_iter().map(|row| checked(db, row)).collect()
}

/// The versions of an account, newest first.
pub(crate) fn versions_of(db: &Db, owner: &RecordId) -> Result<Vec<Record>, VaultError> {
    let rows = db.all(&format!("{COLUMNS} WHERE owner = ?1 ORDER BY revision DESC"), [owner], raw)?;
    rows.into_iter().map(|row| checked(db, row)).collect()
}

/// The accounts that have versions.
pub(crate) fn owners(db: &Db) -> Result<Vec<RecordId>, VaultError> {
    let sql = "SELECT DISTINCT owner FROM record WHERE owner IS NOT NULL";
    let owners: Vec<Vec<u8>> = db.all(sql, [], |row| row.get(0))?;
    owners.into_iter().map(|id| id.try_into().map_err(|_| db.damaged("a record has another form"))).collect()
}

/// All places, without what is sealed there.
pub(crate) fn places(db: &Db) -> Result<Vec<Place>, VaultError> {
    let rows = db.all("SELECT id, kind, owner, revision, x'' FROM record", [], raw)?;
    rows.into_iter().map(|row| checked(db, row).map(|record| record.place)).collect()
}

pub(crate) fn count(db: &Db, kind: Kind) -> Result<u64, VaultError> {
    db.number("SELECT count(*) FROM record WHERE kind = ?1", [kind as i64])
}

/// 0 when there is none.
pub(crate) fn newest_revision(db: &Db, kind: Kind) -> Result<u64, VaultError> {
    db.number("SELECT coalesce(max(revision), 0) FROM record WHERE kind = ?1", [kind as i64])
}

pub(crate) fn write(db: &Db, record: &Record) -> Result<(), VaultError> {
    let Place { kind, id, owner, revision } = record.place;
    let revision = i64::try_from(revision).map_err(|_| VaultError::TooLarge)?;
    let sql = "INSERT INTO record (id, kind, owner, revision, sealed) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, owner = excluded.owner,
               revision = excluded.revision, sealed = excluded.sealed";
    db.execute(sql, params![id, kind as i64, owner, revision, record.sealed]).map(|_| ())
}

pub(crate) fn remove(db: &Db, id: &RecordId) -> Result<(), VaultError> {
    db.execute("DELETE FROM record WHERE id = ?1", [id]).map(|_| ())
}

const COLUMNS: &str = "SELECT id, kind, owner, revision, sealed FROM record";

type Raw = (Vec<u8>, i64, Option<Vec<u8>>, i64, Vec<u8>);

fn raw(row: &rusqlite::Row<'_>) -> rusqlite::Result<Raw> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

fn checked(db: &Db, (id, kind, owner, revision, sealed): Raw) -> Result<Record, VaultError> {
    let other = || db.damaged("a record has another form");
    let place = Place {
        kind: Kind::of(kind).ok_or_else(other)?,
        id: RecordId::try_from(id).map_err(|_| other())?,
        owner: owner.map(RecordId::try_from).transpose().map_err(|_| other())?,
        revision: u64::try_from(revision).map_err(|_| other())?,
    };
    Ok(Record { place, sealed })
}

/// Which records there are, in 32 bytes: the exclusive or of one keyed fingerprint a place (an incremental
/// multiset hash, after Clarke and others, ASIACRYPT 2003; it rests sealed). With it a record that is
/// missing, added, or put back to an older revision shows when the vault opens, and so does a changed header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inventory {
    count: u64,
    sum: [u8; 32],
    header: Digest,
    /// Local accounts are not to be opened until their owner has proven who they are.
    pub disabled: bool,
}

impl Inventory {
    pub fn empty(header: Digest) -> Self {
        Self { count: 0, sum: [0; 32], header, disabled: false }
    }

    /// Of the records in the file.
    pub fn take(db: &Db, key: &LocalKey, header: Digest, disabled: bool) -> Result<Self, VaultError> {
        let mut inventory = Self { disabled, ..Self::empty(header) };
        for place in places(db)? {
            inventory.add(key, place);
        }
        Ok(inventory)
    }

    pub fn set_header(&mut self, header: Digest) {
        self.header = header;
    }

    pub fn add(&mut self, key: &LocalKey, place: Place) {
        self.count = self.count.wrapping_add(1);
        self.toggle(key, place);
    }

    pub fn subtract(&mut self, key: &LocalKey, place: Place) {
        self.count = self.count.wrapping_sub(1);
        self.toggle(key, place);
    }

    fn toggle(&mut self, key: &LocalKey, place: Place) {
        let fingerprint = key.fingerprint(&place.context());
        for (sum, byte) in self.sum.iter_mut().zip(fingerprint.expose()) {
            *sum ^= byte;
        }
    }

    pub fn store(&self, db: &Db, key: &LocalKey) -> Result<(), VaultError> {
        let plain = cbor_array![PURPOSE, self.count, self.sum, self.header, u64::from(self.disabled)];
        let sealed = aead::seal(&key.inventory_key(), &cbor_array![PURPOSE], &plain)?;
        let sql = "INSERT INTO inventory (id, sealed) VALUES (1, ?1)
                   ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed";
        db.execute(sql, [sealed]).map(|_| ())
    }

    /// Reads what was stored; whether it is true is for the caller to compare.
    pub fn load(db: &Db, key: &LocalKey) -> Result<Self, VaultError> {
        let sealed = db.first("SELECT sealed FROM inventory", [], |row| row.get::<_, Vec<u8>>(0))?;
        let sealed = sealed.ok_or_else(|| db.damaged("the inventory is missing"))?;
        let plain = aead::open(&key.inventory_key(), &cbor_array![PURPOSE], &sealed)
            .map_err(|_| db.damaged("the inventory does not open"))?;
        Self::decode(&plain).map_err(|_| db.damaged("the inventory has another form"))
    }

    fn decode(plain: &[u8]) -> Result<Self, CborError> {
        let mut decoder = Decoder::message(plain, 5, PURPOSE)?;
        let inventory = Self {
            count: decoder.uint()?,
            sum: decoder.fixed()?,
            header: decoder.fixed()?,
            disabled: flag(&mut decoder)?,
        };
        decoder.end()?;
        Ok(inventory)
    }
}

const PURPOSE: &str = "keyquay/1/vault/inventory";
