//! What a thief of the disk, of older copies of it, or of the keyring finds.

use std::path::Path;

use keyquay_crypto::sha256;
use keyquay_vault::{End, LogBatch, Profile, VaultError};
use rusqlite::Connection;

use crate::bench::{Bench, Device, account, put, secret};
use crate::log::batch;

/// Texts that must not be found in any file of a profile.
const CANARIES: [&str; 7] = [
    "canary-label",
    "binance",
    "canary-tag",
    "canary-note",
    "canary@example.org",
    "https://sync.canary.example",
    "canary-edit",
];

#[test]
fn no_label_exchange_name_secret_or_address_is_in_any_file() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let device = Device::make();
    let sync = device.begin(&mut vault);
    for number in 0..30 {
        let mut one = account(number, &format!("canary-label {number}"));
        one.tags.push("canary-tag".to_owned());
        one.note = secret("canary-note");
        vault
            .transaction(|tx| {
                tx.put_account(&one)?;
                tx.put_edit(&sync, b"canary-edit")?;
                tx.put_record("email", b"canary@example.org")?;
                tx.put_record("https://sync.canary.example", b"https://sync.canary.example")?;
                tx.append_log(&LogBatch::default())
            })
            .unwrap();
        if number.is_multiple_of(3) {
            vault.transaction(|tx| tx.purge_account(one.id)).unwrap();
        }
    }
    put(&mut vault, &account(200, "canary-label in the WAL"));
    assert!(!bench.wal().is_empty());
    let mut secrets: Vec<Vec<u8>> = CANARIES.map(|canary| canary.as_bytes().to_vec()).to_vec();
    secrets.push(device.signing.seed().expose().to_vec());
    secrets.push(device.sealing.seed().expose().to_vec());
    secrets.push(device.secret_key.expose().to_vec());
    secrets.push(device.share.expose().to_vec());
    secrets.extend(bench.keyring.entries().into_values());
    assert_eq!(found(&bench.profile, &secrets), 0);
    drop(vault);
    assert_eq!(found(&bench.profile, &secrets), 0);

    // The scan itself can fail: what is planted is found, in the database, in its WAL and beside it.
    let planted = Connection::open(bench.profile.vault_path()).unwrap();
    planted.execute("INSERT INTO erasure (name) VALUES ('canary-label')", []).unwrap();
    assert!(!bench.wal().is_empty());
    assert_eq!(found(&bench.profile, &secrets), 1);
    planted.close().unwrap();
    std::fs::write(bench.profile.logs_dir().join("app.log"), "user canary@example.org").unwrap();
    assert_eq!(found(&bench.profile, &secrets), 2);
}

#[test]
fn what_a_purged_account_leaves_behind_opens_no_more() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let main = account(1, "main");
    put(&mut vault, &account(1, "before"));
    put(&mut vault, &main);
    put(&mut vault, &account(2, "stays"));
    let ciphertexts = sealed(&bench.profile);
    assert_eq!(ciphertexts.len(), 3);
    assert!(is_in_files(&bench.profile, &ciphertexts));
    let (file, wal) = (bench.file(), bench.wal());

    vault
        .transaction(|tx| {
            tx.purge_account(main.id)?;
            tx.rotate_local_key()
        })
        .unwrap();
    assert!(!is_in_files(&bench.profile, &ciphertexts), "not even of the account that stays");
    drop(vault);
    assert!(!is_in_files(&bench.profile, &ciphertexts));

    let copy = Bench::of_copy(&file, Some(&wal), bench.keyring.entries());
    let opened = copy.try_open(None).map(|_| ());
    assert!(matches!(opened, Err(VaultError::KeyringEntryMissing { .. })), "{opened:?}");
}

#[test]
fn a_purge_alone_leaves_no_ciphertext_of_the_account() {
    let bench = Bench::new();
    let mut vault = bench.create();
    put(&mut vault, &account(1, "before"));
    put(&mut vault, &account(1, "main"));
    let ciphertexts = sealed(&bench.profile);
    vault.transaction(|tx| tx.purge_account(account(1, "").id)).unwrap();
    assert!(!is_in_files(&bench.profile, &ciphertexts));
}

#[test]
fn a_removal_leaves_nothing_of_the_sync_half() {
    let bench = Bench::new();
    let mut vault = bench.create_with("correct");
    let device = Device::make();
    let sync = device.begin(&mut vault);
    vault
        .transaction(|tx| {
            tx.put_edit(&sync, b"edit")?;
            tx.append_log(&LogBatch { blobs: vec![b"blob".to_vec()], ..batch(0..1) })
        })
        .unwrap();
    vault.keep_share_offline(&device.share).unwrap();
    let ciphertexts = sealed(&bench.profile);
    assert_eq!(ciphertexts.len(), 3);
    let (file, wal) = (bench.file(), bench.wal());
    vault.transaction(|tx| tx.destroy_sync_half(End::Removed)).unwrap();
    assert!(!is_in_files(&bench.profile, &ciphertexts));
    assert!(vault.has_blob(&sha256(b"blob")).unwrap(), "the log's own blobs stay, and nothing opens them");
    drop(vault);

    // A copy of the disk from before, with today's keyring, the true passphrase and even the true share.
    let copy = Bench::of_copy(&file, Some(&wal), bench.keyring.entries());
    let vault = copy.try_open(Some("correct")).unwrap();
    let opened = vault.open_sync(&device.share).map(|_| ());
    assert!(matches!(opened, Err(VaultError::KeyringEntryMissing { .. })), "{opened:?}");
}

#[test]
fn a_new_passphrase_leaves_nothing_that_the_old_one_opens() {
    let bench = Bench::new();
    let mut vault = bench.create_without_keyring("first");
    let device = Device::make();
    device.begin(&mut vault);
    let mut ciphertexts = sealed(&bench.profile);
    ciphertexts.extend(column(&bench.profile, "SELECT sealed FROM kept"));
    let header = column(&bench.profile, "SELECT body FROM header").remove(0);
    vault.set_passphrase(Some(&secret("first")), Some(&secret("second")), Some(&device.share)).unwrap();
    assert!(!is_in_files(&bench.profile, &ciphertexts));
    assert_eq!(found(&bench.profile, &[wrapped_key(&header)]), 0);
}

/// The wrapped local key, in the middle of a header.
fn wrapped_key(header: &[u8]) -> Vec<u8> {
    let marker = [0x58, 60];
    let at = header.windows(2).position(|window| window == marker).unwrap();
    header[at + 2..at + 62].to_vec()
}

fn sealed(profile: &Profile) -> Vec<Vec<u8>> {
    column(profile, "SELECT sealed FROM record")
}

fn column(profile: &Profile, sql: &str) -> Vec<Vec<u8>> {
    let file = Connection::open(profile.vault_path()).unwrap();
    let mut rows = file.prepare(sql).unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Whether any 24 bytes of any of them are in any file of the profile.
fn is_in_files(profile: &Profile, ciphertexts: &[Vec<u8>]) -> bool {
    let pieces: Vec<Vec<u8>> =
        ciphertexts.iter().flat_map(|bytes| bytes.chunks_exact(24).map(<[u8]>::to_vec)).collect();
    assert!(!pieces.is_empty());
    found(profile, &pieces) > 0
}

/// How many of the texts are in at least one file of the profile.
fn found(profile: &Profile, texts: &[Vec<u8>]) -> usize {
    let mut files = Vec::new();
    read_all(profile.dir(), &mut files);
    assert!(!files.is_empty());
    texts.iter().filter(|text| files.iter().any(|file| contains(file, text))).count()
}

fn read_all(folder: &Path, files: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, files);
        } else {
            files.push(std::fs::read(&path).unwrap());
        }
    }
}

fn contains(file: &[u8], text: &[u8]) -> bool {
    let first = text[0];
    let starts = file.iter().enumerate().filter(|&(_, &byte)| byte == first);
    starts.into_iter().any(|(at, _)| file[at..].starts_with(text))
}
