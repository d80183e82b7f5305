//! Backups: all accounts in one age file (age-encryption.org/v1) under a passphrase of its own.
//!
//! Inside: `["keyquay/backup", format, body]`, in format 1 the body is `[made at (Unix seconds), [account, …]]`.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use age::scrypt::{Identity, Recipient};
use age::{DecryptError, Decryptor};
use data_encoding::HEXLOWER;
use keyquay_crypto::cbor::{CborError, Decoder, List};
use keyquay_crypto::{ExposeSecret, SecretString, Zeroizing, random_bytes};
use keyquay_exchanges::{Account, AccountError};
use thiserror::Error;

use crate::db::{make_private_file, sync_folder_of};
use crate::keys::secret_array;
use crate::{Transaction, VaultError};

/// Why a backup was not written or read. Nothing was changed then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackupError {
    #[error("the passphrase of a backup must not be empty")]
    PassphraseEmpty,
    #[error("the passphrase is wrong, or the file is damaged at its beginning")]
    WrongPassphrase,
    #[error("the file is no backup of Keyquay")]
    Foreign,
    #[error("the backup is damaged or cut off")]
    Damaged,
    #[error("the backup has format {found}, made by a newer version; this one reads up to {supported}")]
    NewerVersion { found: u64, supported: u64 },
    #[error("opening the backup would take more memory than a backup of Keyquay needs")]
    TooMuchWork,
    #[error("the backup cannot be written or read: {path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Account(#[from] AccountError),
}

/// What a restore has done with each account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restored {
    /// Were not here, or were deleted.
    pub added: usize,
    /// Were older here; that version is in the history.
    pub updated: usize,
    /// Were newer here; the backup's version is in the history.
    pub older: usize,
    /// Were here just so.
    pub same: usize,
}

/// Writes `accounts` to `path` in one step: there is the whole file or none, or the one before.
///
/// # Errors
/// [`BackupError::PassphraseEmpty`], [`BackupError::Account`], [`BackupError::Io`].
pub fn write_backup(
    path: &Path,
    passphrase: &SecretString,
    accounts: &[Account],
    now: u64,
) -> Result<(), BackupError> {
    if passphrase.expose_secret().is_empty() {
        return Err(BackupError::PassphraseEmpty);
    }
    let plain = encode(accounts, now)?;
    let mut recipient = Recipient::new(passphrase.clone());
    recipient.set_work_factor(WORK_FACTOR);
    let io_error = |source| BackupError::Io { path: path.to_owned(), source };
    let sealed = age::encrypt(&recipient, &plain).map_err(|error| io_error(std::io::Error::other(error)))?;
    write_whole(path, &sealed).map_err(io_error)
}

/// The accounts of a backup.
///
/// # Errors
/// [`BackupError::WrongPassphrase`], [`BackupError::Foreign`], [`BackupError::Damaged`],
/// [`BackupError::NewerVersion`], [`BackupError::Account`] for an account of a later version.
pub fn read_backup(path: &Path, passphrase: &SecretString) -> Result<Vec<Account>, BackupError> {
    let sealed = read_limited(path).map_err(|source| BackupError::Io { path: path.to_owned(), source })?;
    let plain = decrypt(&sealed, passphrase)?;
    decode(&plain)
}

impl Transaction<'_> {
    /// Takes over accounts of a backup as local ones. Of two with the same id the one changed later is
    /// current afterwards, and the other is in its history; a deleted one is brought back.
    ///
    /// # Errors
    /// [`VaultError::Disabled`], and those of the disk.
    pub fn restore(&mut self, accounts: &[Account]) -> Result<Restored, VaultError> {
        self.refuse_disabled()?;
        let mut restored = Restored::default();
        for account in accounts {
            *self.restore_one(account, &mut restored)? += 1;
        }
        Ok(restored)
    }

    fn restore_one<'r>(
        &mut self,
        account: &Account,
        restored: &'r mut Restored,
    ) -> Result<&'r mut usize, VaultError> {
        let bytes = account.to_bytes()?;
        let Some(here) = self.live_account_bytes(account.id)? else {
            self.put_account(account)?;
            return Ok(&mut restored.added);
        };
        if here == bytes {
            return Ok(&mut restored.same);
        }
        // What this version cannot read was written by a later one: it stays current.
        if Account::from_bytes(&here).is_ok_and(|here| here.changed <= account.changed) {
            self.put_account(account)?;
            return Ok(&mut restored.updated);
        }
        self.add_older(account.id, &bytes)?;
        Ok(&mut restored.older)
    }
}

/// 2^17 · 8 · 128 bytes = 128 MiB, which takes a machine of today about half a second.
const WORK_FACTOR: u8 = 17;
/// 1 GiB: more than any backup of ours asks for, and not enough to bring a machine down.
const MAX_WORK_FACTOR: u8 = 20;
const FORMAT: u64 = 1;
const PURPOSE: &str = "keyquay/backup";
const MAX_ACCOUNTS: usize = 100_000;
const MAX_FILE: u64 = 1 << 30;

fn encode(accounts: &[Account], now: u64) -> Result<Zeroizing<Vec<u8>>, BackupError> {
    let accounts: Vec<Zeroizing<Vec<u8>>> =
        accounts.iter().map(Account::to_bytes).collect::<Result<_, _>>()?;
    let parts: Vec<&[u8]> = accounts.iter().map(|bytes| bytes.as_slice()).collect();
    let size = parts.iter().map(|part| part.len() + 9).sum();
    let body = secret_array(&[&now, &List(&parts)], size);
    Ok(secret_array(&[&PURPOSE, &FORMAT, &*body], PURPOSE.len() + body.len()))
}

fn decode(plain: &[u8]) -> Result<Vec<Account>, BackupError> {
    let (format, body) = decode_frame(plain).map_err(|_| BackupError::Foreign)?;
    if format != FORMAT {
        return Err(BackupError::NewerVersion { found: format, supported: FORMAT });
    }
    let accounts = decode_body(body).map_err(|_| BackupError::Damaged)?;
    accounts.into_iter().map(|bytes| Account::from_bytes(bytes).map_err(BackupError::from)).collect()
}

fn decode_frame(plain: &[u8]) -> Result<(u64, &[u8]), CborError> {
    let mut decoder = Decoder::message(plain, 3, PURPOSE)?;
    let frame = (decoder.uint()?, decoder.bytes()?);
    decoder.end()?;
    Ok(frame)
}

fn decode_body(body: &[u8]) -> Result<Vec<&[u8]>, CborError> {
    let mut decoder = Decoder::new(body);
    decoder.array(2)?;
    decoder.uint()?;
    let count = decoder.list(MAX_ACCOUNTS)?;
    let accounts = (0..count).map(|_| decoder.bytes()).collect::<Result<_, _>>()?;
    decoder.end()?;
    Ok(accounts)
}

fn decrypt(sealed: &[u8], passphrase: &SecretString) -> Result<Zeroizing<Vec<u8>>, BackupError> {
    let decryptor = Decryptor::new_buffered(sealed).map_err(|error| of_age(&error))?;
    let mut identity = Identity::new(passphrase.clone());
    identity.set_max_work_factor(MAX_WORK_FACTOR);
    let mut reader = decryptor
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .map_err(|error| of_age(&error))?;
    // In one piece: a vector that grows leaves copies behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader.read_to_end(&mut plain).map_err(|_| BackupError::Damaged)?;
    Ok(plain)
}

fn of_age(error: &DecryptError) -> BackupError {
    match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => BackupError::WrongPassphrase,
        DecryptError::ExcessiveWork { .. } => BackupError::TooMuchWork,
        DecryptError::InvalidMac => BackupError::Damaged,
        _ => BackupError::Foreign,
    }
}

fn read_limited(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", HEXLOWER.encode(&random_bytes::<4>())));
    let unfinished = path.with_file_name(name);
    let written = write_and_rename(&unfinished, path, bytes);
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written
}

fn write_and_rename(unfinished: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = make_private_file(unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(unfinished, path)?;
    sync_folder_of(path)
}
