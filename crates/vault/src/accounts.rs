//! Local accounts: kept on this device only.

use std::collections::BTreeSet;

use keyquay_crypto::cbor::{CborError, Decoder};
use keyquay_crypto::{SecretString, Zeroizing, random_bytes};
use keyquay_exchanges::{Account, AccountError, AccountId};

use crate::keys::{LocalKey, secret_array};
use crate::record::{self, Kind, Place, Record};
use crate::{Transaction, Vault, VaultError};

/// Earlier versions kept of one account.
const VERSIONS: usize = 20;

/// A local account as it rests.
#[derive(Debug, Clone)]
pub struct LocalAccount {
    pub account: Account,
    /// Grows with every change.
    pub revision: u64,
    /// "Keep local only": left out when all accounts are uploaded.
    pub pinned: bool,
    /// When it was deleted, in Unix seconds; it can be brought back until it is purged.
    pub deleted: Option<u64>,
}

/// An earlier version of an account.
#[derive(Debug, Clone)]
pub struct AccountVersion {
    pub account: Account,
    pub revision: u64,
}

/// All local accounts, deleted ones included, in no particular order.
#[derive(Debug, Default)]
pub struct Listing {
    pub accounts: Vec<LocalAccount>,
    /// Accounts that are there and do not open; the others are not affected.
    pub unreadable: Vec<(AccountId, Unreadable)>,
}

/// Why an account does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// Disabled after a removal, until the owner has proven who they are.
    Disabled,
    Damaged,
    /// Written by a later version of the app.
    LaterVersion,
}

/// Whether local accounts are disabled, after this device was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disabled {
    No,
    UntilProven,
}

/// How the owner has proven who they are.
#[derive(Debug)]
pub enum OwnerProof<'a> {
    /// The vault checks it.
    Passphrase(&'a SecretString),
    /// The caller has seen a complete sign-in succeed.
    SignedIn,
    /// The caller has opened the root with the recovery code.
    RecoveryCode,
}

impl Vault {
    /// Opens all local accounts. While they are disabled, only their ids are told.
    ///
    /// # Errors
    /// Those of the disk; an account that does not open is listed, and no error.
    pub fn accounts(&self) -> Result<Listing, VaultError> {
        let mut listing = Listing::default();
        for record in record::of_kind(&self.db, Kind::Account)? {
            let id = AccountId::from_bytes(record.place.id);
            match self.open_unless_disabled(&record) {
                Ok(account) => listing.accounts.push(account),
                Err(reason) => listing.unreadable.push((id, reason)),
            }
        }
        Ok(listing)
    }

    /// One local account.
    ///
    /// # Errors
    /// [`VaultError::Disabled`], [`VaultError::Damaged`], [`VaultError::Account`] for a later version.
    pub fn account(&self, id: AccountId) -> Result<Option<LocalAccount>, VaultError> {
        let Some(record) = find(&self.db, id)? else { return Ok(None) };
        self.open_unless_disabled(&record).map(Some).map_err(|reason| self.explain(reason))
    }

    /// Earlier versions of a local account, newest first. Versions that do not open are left out.
    ///
    /// # Errors
    /// [`VaultError::Disabled`], and those of the disk.
    pub fn history(&self, id: AccountId) -> Result<Vec<AccountVersion>, VaultError> {
        if self.disabled() == Disabled::UntilProven {
            return Err(VaultError::Disabled);
        }
        let records = record::versions_of(&self.db, id.as_bytes())?;
        Ok(records.iter().filter_map(|record| open_version(&self.keys.local, record)).collect())
    }

    /// The accounts that have earlier versions, without opening any.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn accounts_with_history(&self) -> Result<BTreeSet<AccountId>, VaultError> {
        Ok(record::owners(&self.db)?.into_iter().map(AccountId::from_bytes).collect())
    }

    /// Whether local accounts are disabled. The mark is sealed and stays over restarts.
    #[must_use]
    pub fn disabled(&self) -> Disabled {
        if self.inventory.disabled { Disabled::UntilProven } else { Disabled::No }
    }

    /// Opens local accounts again.
    ///
    /// # Errors
    /// [`VaultError::WrongPassphrase`] when that was the proof and is not.
    pub fn clear_disabled(&mut self, proof: &OwnerProof<'_>) -> Result<(), VaultError> {
        if let OwnerProof::Passphrase(passphrase) = proof {
            self.verify_passphrase(passphrase)?;
        }
        self.transaction(|transaction| {
            transaction.set_disabled(false);
            Ok(())
        })
    }

    fn open_unless_disabled(&self, record: &Record) -> Result<LocalAccount, Unreadable> {
        match self.disabled() {
            Disabled::UntilProven => Err(Unreadable::Disabled),
            Disabled::No => open(&self.keys.local, record),
        }
    }

    fn explain(&self, reason: Unreadable) -> VaultError {
        match reason {
            Unreadable::Disabled => VaultError::Disabled,
            Unreadable::Damaged => self.db.damaged("an account does not open"),
            Unreadable::LaterVersion => AccountError::LaterVersion.into(),
        }
    }
}

impl Transaction<'_> {
    /// Makes the account or replaces it; the version before goes to the history, of which the newest 20
    /// stay. A deleted account is brought back, a pinned one stays pinned. Returns the revision, which is
    /// the same as before when nothing changed.
    ///
    /// # Errors
    /// [`VaultError::Disabled`], [`VaultError::Account`] when it is too large, and those of the disk.
    pub fn put_account(&mut self, account: &Account) -> Result<u64, VaultError> {
        self.refuse_disabled()?;
        let bytes = account.to_bytes()?;
        let old = find(self.db(), account.id)?;
        let before = old.as_ref().and_then(|old| Content::open(self.local(), old));
        if let (Some(old), Some(before)) = (&old, &before) {
            if before.bytes == bytes && before.deleted.is_none() {
                return Ok(old.place.revision);
            }
            if before.bytes != bytes {
                self.add_version(old.place.id, old.place.revision, &before.bytes)?;
            }
        }
        let pinned = before.is_some_and(|before| before.pinned);
        let revision = old.map_or(0, |old| old.place.revision) + 1;
        self.store(account.id, revision, &Content { pinned, deleted: None, bytes })?;
        Ok(revision)
    }

    /// Sets or takes away "Keep local only".
    ///
    /// # Errors
    /// [`VaultError::UnknownAccount`], [`VaultError::Disabled`], [`VaultError::Damaged`].
    pub fn set_pinned(&mut self, id: AccountId, pinned: bool) -> Result<(), VaultError> {
        self.change(id, |content| content.pinned = pinned)
    }

    /// Marks the account deleted at `now` (Unix seconds); it can be brought back.
    ///
    /// # Errors
    /// [`VaultError::UnknownAccount`], [`VaultError::Disabled`], [`VaultError::Damaged`].
    pub fn delete_account(&mut self, id: AccountId, now: u64) -> Result<(), VaultError> {
        self.change(id, |content| content.deleted = Some(now))
    }

    /// Brings a deleted account back.
    ///
    /// # Errors
    /// [`VaultError::UnknownAccount`], [`VaultError::Disabled`], [`VaultError::Damaged`].
    pub fn undelete_account(&mut self, id: AccountId) -> Result<(), VaultError> {
        self.change(id, |content| content.deleted = None)
    }

    /// Removes an account and its history for good; nothing of it stays in the file. `false` if there is none.
    ///
    /// # Errors
    /// [`VaultError::Disabled`], and those of the disk.
    pub fn purge_account(&mut self, id: AccountId) -> Result<bool, VaultError> {
        self.refuse_disabled()?;
        self.leave_no_residue();
        for version in record::versions_of(self.db(), id.as_bytes())? {
            self.remove(&version.place.id)?;
        }
        match find(self.db(), id)? {
            Some(record) => self.remove(&record.place.id),
            None => Ok(false),
        }
    }

    /// Purges every account that was deleted before `time` (Unix seconds). Returns how many.
    ///
    /// # Errors
    /// [`VaultError::Disabled`], and those of the disk.
    pub fn purge_deleted_before(&mut self, time: u64) -> Result<usize, VaultError> {
        self.refuse_disabled()?;
        let mut purged = 0;
        for record in record::of_kind(self.db(), Kind::Account)? {
            let deleted = Content::open(self.local(), &record).and_then(|content| content.deleted);
            if deleted.is_some_and(|deleted| deleted < time) {
                self.purge_account(AccountId::from_bytes(record.place.id))?;
                purged += 1;
            }
        }
        Ok(purged)
    }

    /// The account's bytes as they rest; `None` if it is not there, was deleted, or does not open.
    pub(crate) fn live_account_bytes(&self, id: AccountId) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let record = find(self.db(), id)?;
        let content = record.and_then(|record| Content::open(self.local(), &record));
        Ok(content.filter(|content| content.deleted.is_none()).map(|content| content.bytes))
    }

    /// Puts `bytes` among the earlier versions, unless the same are there.
    pub(crate) fn add_older(&mut self, id: AccountId, bytes: &[u8]) -> Result<bool, VaultError> {
        let versions = record::versions_of(self.db(), id.as_bytes())?;
        let is_known = |record: &Record| {
            let key = self.local().record_key(&record.place.id);
            record.open(&key).is_ok_and(|known| **known == *bytes)
        };
        if versions.iter().any(is_known) {
            return Ok(false);
        }
        let revision = find(self.db(), id)?.map_or(0, |record| record.place.revision);
        self.add_version(*id.as_bytes(), revision, bytes)?;
        Ok(true)
    }

    pub(crate) fn refuse_disabled(&self) -> Result<(), VaultError> {
        if self.is_disabled() { Err(VaultError::Disabled) } else { Ok(()) }
    }

    fn change(&mut self, id: AccountId, change: impl FnOnce(&mut Content)) -> Result<(), VaultError> {
        self.refuse_disabled()?;
        let record = find(self.db(), id)?.ok_or(VaultError::UnknownAccount)?;
        let content = Content::open(self.local(), &record);
        let mut content = content.ok_or_else(|| self.db().damaged("an account does not open"))?;
        change(&mut content);
        self.store(id, record.place.revision + 1, &content)
    }

    fn store(&mut self, id: AccountId, revision: u64, content: &Content) -> Result<(), VaultError> {
        let place = Place { kind: Kind::Account, id: *id.as_bytes(), owner: None, revision };
        let record = place.seal(&self.local().record_key(&place.id), &content.encode())?;
        self.write(&record)
    }

    fn add_version(&mut self, owner: [u8; 16], revision: u64, bytes: &[u8]) -> Result<(), VaultError> {
        let place = Place { kind: Kind::Version, id: random_bytes(), owner: Some(owner), revision };
        let record = place.seal(&self.local().record_key(&place.id), bytes)?;
        self.write(&record)?;
        for surplus in record::versions_of(self.db(), &owner)?.iter().skip(VERSIONS) {
            self.remove(&surplus.place.id)?;
        }
        Ok(())
    }
}

/// The plaintext of an account's record: `[purpose, pinned, deleted, bytes]`.
struct Content {
    pinned: bool,
    deleted: Option<u64>,
    bytes: Zeroizing<Vec<u8>>,
}

impl Content {
    fn open(key: &LocalKey, record: &Record) -> Option<Self> {
        let plaintext = record.open(&key.record_key(&record.place.id)).ok()?;
        Self::decode(&plaintext).ok()
    }

    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let pinned = u64::from(self.pinned);
        secret_array(&[&PURPOSE, &pinned, &self.deleted, &*self.bytes], PURPOSE.len() + self.bytes.len())
    }

    fn decode(plaintext: &[u8]) -> Result<Self, CborError> {
        let mut decoder = Decoder::message(plaintext, 4, PURPOSE)?;
        let content = Self {
            pinned: crate::header::flag(&mut decoder)?,
            deleted: decoder.optional(Decoder::uint)?,
            bytes: Zeroizing::new(decoder.bytes()?.to_vec()),
        };
        decoder.end()?;
        Ok(content)
    }
}

const PURPOSE: &str = "keyquay/1/vault/account";

fn find(db: &crate::db::Db, id: AccountId) -> Result<Option<Record>, VaultError> {
    Ok(record::find(db, id.as_bytes())?.filter(|record| record.place.kind == Kind::Account))
}

fn open(key: &LocalKey, record: &Record) -> Result<LocalAccount, Unreadable> {
    let content = Content::open(key, record).ok_or(Unreadable::Damaged)?;
    let account = Account::from_bytes(&content.bytes).map_err(|error| match error {
        AccountError::LaterVersion => Unreadable::LaterVersion,
        _ => Unreadable::Damaged,
    })?;
    let Content { pinned, deleted, .. } = content;
    Ok(LocalAccount { account, revision: record.place.revision, pinned, deleted })
}

fn open_version(key: &LocalKey, record: &Record) -> Option<AccountVersion> {
    let bytes = record.open(&key.record_key(&record.place.id)).ok()?;
    let account = Account::from_bytes(&bytes).ok()?;
    Some(AccountVersion { account, revision: record.place.revision })
}
