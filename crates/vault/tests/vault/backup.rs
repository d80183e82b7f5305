use keyquay_exchanges::Account;
use keyquay_vault::{BackupError, Restored, VaultError, read_backup, write_backup};
use tempfile::TempDir;

use crate::bench::{Bench, account, bytes, labels, put, secret};

fn changed(number: u8, label: &str, changed: u64) -> Account {
    let mut account = account(number, label);
    account.changed = changed;
    account
}

#[test]
fn a_backup_is_read_back_with_its_passphrase_only() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("accounts.age");
    let accounts = [account(1, "one"), account(2, "two")];
    write_backup(&path, &secret("correct"), &accounts, 1_700_000_000).unwrap();
    let read = read_backup(&path, &secret("correct")).unwrap();
    let read: Vec<Vec<u8>> = read.iter().map(bytes).collect();
    assert_eq!(read, accounts.each_ref().map(bytes));
    let wrong = read_backup(&path, &secret("wrong"));
    assert!(matches!(wrong, Err(BackupError::WrongPassphrase)), "{wrong:?}");

    let file = std::fs::read(&path).unwrap();
    assert!(file.starts_with(b"age-encryption.org/v1\n-> scrypt "));
    assert!(!file.windows(3).any(|window| window == b"one"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_backup_without_a_passphrase_is_refused_and_the_one_before_stays() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("accounts.age");
    std::fs::write(&path, b"the one before").unwrap();
    let refused = write_backup(&path, &secret(""), &[account(1, "one")], 0);
    assert!(matches!(refused, Err(BackupError::PassphraseEmpty)));
    let mut large = account(2, "large");
    large.note = secret(&"x".repeat(100_000));
    let refused = write_backup(&path, &secret("correct"), &[large], 0);
    assert!(matches!(refused, Err(BackupError::Account(_))));
    let nowhere = write_backup(&dir.path().join("missing").join("x.age"), &secret("correct"), &[], 0);
    assert!(matches!(nowhere, Err(BackupError::Io { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"the one before");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing unfinished is left");
}

#[test]
fn a_damaged_or_foreign_file_is_told_from_a_wrong_passphrase() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("accounts.age");
    write_backup(&path, &secret("correct"), &[account(1, "one")], 0).unwrap();
    let file = std::fs::read(&path).unwrap();
    let read = |content: &[u8]| {
        std::fs::write(&path, content).unwrap();
        read_backup(&path, &secret("correct")).map(|_| ())
    };
    assert!(matches!(read(b"a letter"), Err(BackupError::Foreign)));
    assert!(matches!(read(b""), Err(BackupError::Foreign)));
    assert!(matches!(read(&file[..file.len() - 1]), Err(BackupError::Damaged)));
    let mut flipped = file.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert!(matches!(read(&flipped), Err(BackupError::Damaged)));
    let for_a_key = age::x25519::Identity::generate().to_public();
    assert!(matches!(read(&age::encrypt(&for_a_key, b"x").unwrap()), Err(BackupError::Foreign)));
    let mut quick = age::scrypt::Recipient::new(secret("correct"));
    quick.set_work_factor(2);
    assert!(matches!(read(&age::encrypt(&quick, b"something else").unwrap()), Err(BackupError::Foreign)));
    let newer = keyquay_crypto::cbor_array!["keyquay/backup", 2_u64, b"body".to_vec()];
    let newer = read(&age::encrypt(&quick, &newer).unwrap());
    assert!(matches!(newer, Err(BackupError::NewerVersion { found: 2, supported: 1 })));
    let body = keyquay_crypto::cbor_array!["keyquay/backup", 1_u64, b"body".to_vec()];
    assert!(matches!(read(&age::encrypt(&quick, &body).unwrap()), Err(BackupError::Damaged)));
    let expensive = String::from_utf8_lossy(&file[..100]).into_owned();
    assert!(expensive.contains(" 17\n"));
    let at = file.windows(4).position(|window| window == b" 17\n").unwrap();
    let mut costly = file.clone();
    costly[at + 1..at + 3].copy_from_slice(b"40");
    assert!(matches!(read(&costly), Err(BackupError::TooMuchWork)));
}

#[test]
fn a_restore_keeps_the_newer_and_puts_the_older_into_the_history() {
    let bench = Bench::new();
    let mut vault = bench.create();
    put(&mut vault, &changed(1, "older here", 100));
    put(&mut vault, &changed(2, "newer here", 300));
    put(&mut vault, &changed(3, "same", 200));
    put(&mut vault, &changed(4, "deleted here", 300));
    vault.transaction(|tx| tx.delete_account(account(4, "").id, 1)).unwrap();
    let backup = [
        changed(1, "newer in the backup", 200),
        changed(2, "older in the backup", 200),
        changed(3, "same", 200),
        changed(4, "deleted here", 300),
        changed(5, "not here", 1),
    ];
    let restored = vault.transaction(|tx| tx.restore(&backup)).unwrap();
    assert_eq!(restored, Restored { added: 2, updated: 1, older: 1, same: 1 });
    assert_eq!(labels(&vault), ["deleted here", "newer here", "newer in the backup", "not here", "same"]);
    let history = |number| -> Vec<String> {
        let versions = vault.history(account(number, "").id).unwrap();
        versions.into_iter().map(|version| version.account.label).collect()
    };
    assert_eq!(history(1), ["older here"]);
    assert_eq!(history(2), ["older in the backup"]);

    let again = vault.transaction(|tx| tx.restore(&backup)).unwrap();
    assert_eq!(again, Restored { older: 1, same: 4, ..Restored::default() });
    assert_eq!(vault.history(account(2, "").id).unwrap().len(), 1, "the same version is kept once");
}

#[test]
fn a_restore_into_disabled_accounts_is_refused() {
    let bench = Bench::new();
    let mut vault = bench.create();
    crate::bench::Device::make().begin(&mut vault);
    vault.transaction(|tx| tx.destroy_sync_half(keyquay_vault::End::Removed)).unwrap();
    let refused = vault.transaction(|tx| tx.restore(&[account(1, "one")]));
    assert!(matches!(refused, Err(VaultError::Disabled)));
}
