//! A vault, its keyring and a backup that this format's first version wrote: they open for ever.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use keyquay_crypto::sealing::SealingKey;
use keyquay_crypto::sign::SigningKey;
use keyquay_crypto::{SecretBytes, SecretKey, sha256};
use keyquay_vault::{Head, LogBatch, Share, Vault, read_backup, write_backup};

use crate::bench::{Bench, Device, account, bytes, outbox, secret};
use crate::log::{batch, entry};

#[test]
fn a_vault_of_format_1_opens() {
    let bench = Bench::of_copy(&fs::read(data("vault.sqlite")).unwrap(), None, read_keyring());
    let vault = bench.try_open(Some("correct")).unwrap();
    assert_holds_everything(&vault);
}

#[test]
fn a_vault_of_format_1_without_a_keyring_opens() {
    let bench =
        Bench::of_copy(&fs::read(data("vault-without-keyring.sqlite")).unwrap(), None, BTreeMap::new());
    let vault = Vault::open(&bench.profile, None, Some(&secret("correct"))).unwrap();
    assert_holds_everything(&vault);
}

#[test]
fn a_backup_of_format_1_opens() {
    let accounts = read_backup(&data("backup.age"), &secret("correct")).unwrap();
    let accounts: Vec<Vec<u8>> = accounts.iter().map(bytes).collect();
    assert_eq!(accounts, [bytes(&account(1, "one")), bytes(&account(2, "two"))]);
}

fn assert_holds_everything(vault: &Vault) {
    let device = device();
    let found = vault.account(account(1, "").id).unwrap().unwrap();
    assert_eq!(bytes(&found.account), bytes(&account(1, "one")));
    assert_eq!((found.revision, found.pinned, found.deleted), (3, true, None));
    assert_eq!(vault.account(account(2, "").id).unwrap().unwrap().deleted, Some(1_700_000_001));
    let history = vault.history(account(1, "").id).unwrap();
    assert_eq!(bytes(&history[0].account), bytes(&account(1, "before")));
    assert_eq!(**vault.record("email").unwrap().unwrap(), *b"a@example.org");
    let sync = vault.open_sync(&device.share).unwrap();
    device.assert_opened_by(&sync);
    assert_eq!(outbox(vault, &sync), [b"edit"]);
    assert_eq!(vault.signing_key().unwrap().unwrap().seed(), device.signing.seed());
    assert_eq!(vault.offline_share().unwrap(), Some(Share::try_copy_from(&[4; 32]).unwrap()));
    assert_eq!(vault.log_head().unwrap(), Some(Head { seq: 2, hash: entry(2).hash() }));
    assert_eq!(**vault.snapshot().unwrap().unwrap().bytes, *b"state after 2");
    assert_eq!(vault.entries_after(None).unwrap(), [entry(0), entry(1), entry(2)]);
    assert_eq!(vault.blob(&sha256(b"blob")).unwrap().unwrap(), b"blob");
    assert_eq!(vault.recovery_record().unwrap().unwrap(), b"recovery");
}

#[test]
/// With `KEYQUAY_FREEZE` set it writes the files anew: only for a new format, beside the old ones.
fn writes_the_frozen_files() {
    if std::env::var_os("KEYQUAY_FREEZE").is_none() {
        return;
    }
    let bench = Bench::new();
    fill(bench.create_with("correct"));
    fs::write(data("vault.sqlite"), bench.file()).unwrap();
    let lines = bench.keyring.entries().into_iter();
    let lines: String = lines.map(|(name, value)| format!("{name} {}\n", HEXLOWER.encode(&value))).collect();
    fs::write(data("keyring.txt"), lines).unwrap();
    let bench = Bench::new();
    fill(bench.create_without_keyring("correct"));
    fs::write(data("vault-without-keyring.sqlite"), bench.file()).unwrap();
    let accounts = [account(1, "one"), account(2, "two")];
    write_backup(&data("backup.age"), &secret("correct"), &accounts, 1_700_000_000).unwrap();
}

fn fill(mut vault: Vault) {
    let device = device();
    let sync = device.begin(&mut vault);
    vault
        .transaction(|tx| {
            tx.put_account(&account(1, "before"))?;
            tx.put_account(&account(1, "one"))?;
            tx.set_pinned(account(1, "").id, true)?;
            tx.put_account(&account(2, "two"))?;
            tx.delete_account(account(2, "").id, 1_700_000_001)?;
            tx.put_record("email", b"a@example.org")?;
            tx.put_edit(&sync, b"edit")?;
            tx.set_recovery_record(b"recovery")?;
            tx.append_log(&LogBatch { blobs: vec![b"blob".to_vec()], ..batch(0..3) })
        })
        .unwrap();
    vault.keep_share_offline(&device.share).unwrap();
}

fn device() -> Device {
    Device {
        signing: SigningKey::from_seed(SecretBytes::copy_from(&[1; 32])),
        sealing: SealingKey::from_seed(SecretBytes::copy_from(&[2; 32])),
        secret_key: SecretKey::try_copy_from(&[3; 20]).unwrap(),
        share: Share::try_copy_from(&[4; 32]).unwrap(),
    }
}

fn read_keyring() -> BTreeMap<String, Vec<u8>> {
    let text = fs::read_to_string(data("keyring.txt")).unwrap();
    let entry = |line: &str| {
        let (name, value) = line.split_once(' ').unwrap();
        (name.to_owned(), HEXLOWER.decode(value.as_bytes()).unwrap())
    };
    text.lines().map(entry).collect()
}

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/format-1").join(name)
}
