use keyquay_vault::{KeyringError, Share, Vault, VaultError};

use crate::bench::{Bench, Device, account, labels, outbox, put, secret};

#[test]
fn without_a_keyring_a_passphrase_is_mandatory() {
    let bench = Bench::new();
    let refused = Vault::create(&bench.profile, None, None);
    assert!(matches!(refused, Err(VaultError::PassphraseMandatory)));
    let empty = Vault::create(&bench.profile, bench.keyring(), Some(&secret("")));
    assert!(matches!(empty, Err(VaultError::PassphraseEmpty)));
    assert!(!Vault::exists(&bench.profile).unwrap());

    let mut vault = bench.create_without_keyring("correct");
    put(&mut vault, &account(1, "main"));
    let dropped = vault.set_passphrase(Some(&secret("correct")), None, None);
    assert!(matches!(dropped, Err(VaultError::PassphraseMandatory)));
    drop(vault);
    let wrong = Vault::open(&bench.profile, None, Some(&secret("wrong")));
    assert!(matches!(wrong, Err(VaultError::WrongPassphrase)));
    let vault = Vault::open(&bench.profile, None, Some(&secret("correct"))).unwrap();
    assert_eq!(labels(&vault), ["main"]);
    assert!(bench.keyring.entries().is_empty());
}

#[test]
fn a_locked_vault_opens_with_its_passphrase_and_no_other() {
    let bench = Bench::new();
    let mut vault = bench.create_with("correct");
    put(&mut vault, &account(1, "main"));
    vault.verify_passphrase(&secret("correct")).unwrap();
    assert!(matches!(vault.verify_passphrase(&secret("wrong")), Err(VaultError::WrongPassphrase)));
    drop(vault);
    assert!(Vault::needs_passphrase(&bench.profile).unwrap());
    assert!(matches!(bench.try_open(None), Err(VaultError::PassphraseNeeded)));
    assert!(matches!(bench.try_open(Some("wrong")), Err(VaultError::WrongPassphrase)));
    assert_eq!(labels(&bench.try_open(Some("correct")).unwrap()), ["main"]);
}

#[test]
fn a_keyring_that_is_locked_gone_emptied_or_another_is_told_apart() {
    let bench = Bench::new();
    drop(bench.create());
    bench.keyring.fail_with(Some(KeyringError::Locked { reason: "declined".to_owned() }));
    let locked = bench.try_open(None);
    assert!(matches!(locked, Err(VaultError::KeyringUnavailable(KeyringError::Locked { .. }))));
    bench.keyring.fail_with(None);
    drop(bench.open());

    let gone = Vault::open(&bench.profile, None, None);
    assert!(matches!(gone, Err(VaultError::KeyringUnavailable(KeyringError::Unavailable { .. }))));
    let emptied = Bench::of_copy(&bench.file(), None, Default::default()).try_open(None).map(|_| ());
    assert!(matches!(emptied, Err(VaultError::KeyringEntryMissing { .. })), "{emptied:?}");
    let others = bench.keyring.entries().into_keys().map(|name| (name, vec![1; 32])).collect();
    let other = Bench::of_copy(&bench.file(), None, others).try_open(None).map(|_| ());
    assert!(matches!(other, Err(VaultError::KeyringEntryWrong { .. })), "{other:?}");
}

#[test]
fn a_passphrase_is_set_changed_and_taken_away() {
    let bench = Bench::new();
    let mut vault = bench.create();
    put(&mut vault, &account(1, "main"));
    vault.set_passphrase(None, Some(&secret("first")), None).unwrap();
    let skipped = vault.set_passphrase(None, Some(&secret("second")), None);
    assert!(matches!(skipped, Err(VaultError::PassphraseNeeded)));
    let wrong = vault.set_passphrase(Some(&secret("wrong")), Some(&secret("second")), None);
    assert!(matches!(wrong, Err(VaultError::WrongPassphrase)));
    let empty = vault.set_passphrase(Some(&secret("first")), Some(&secret("")), None);
    assert!(matches!(empty, Err(VaultError::PassphraseEmpty)));
    drop(vault);

    let mut vault = bench.try_open(Some("first")).unwrap();
    vault.set_passphrase(Some(&secret("first")), Some(&secret("second")), None).unwrap();
    put(&mut vault, &account(2, "new"));
    vault.transaction(|tx| tx.rotate_local_key()).unwrap();
    drop(vault);
    assert!(matches!(bench.try_open(Some("first")), Err(VaultError::WrongPassphrase)));
    let mut vault = bench.try_open(Some("second")).unwrap();
    vault.set_passphrase(Some(&secret("second")), None, None).unwrap();
    drop(vault);
    assert!(!Vault::needs_passphrase(&bench.profile).unwrap());
    assert_eq!(labels(&bench.open()), ["main", "new"]);
}

#[test]
fn a_new_passphrase_seals_both_halves_and_needs_the_share() {
    let bench = Bench::new();
    let mut vault = bench.create_with("first");
    let device = Device::make();
    let before = device.begin(&mut vault);
    vault.transaction(|tx| tx.put_edit(&before, b"edit")).unwrap();
    let (old, new) = (secret("first"), secret("second"));
    let closed = vault.set_passphrase(Some(&old), Some(&new), None);
    assert!(matches!(closed, Err(VaultError::ClosedNeedsServer)));
    let other = vault.set_passphrase(Some(&old), Some(&new), Some(&Share::make_random()));
    assert!(matches!(other, Err(VaultError::WrongShare)));
    device.assert_opened_by(&vault.open_sync(&device.share).unwrap());

    let sync = vault.set_passphrase(Some(&old), Some(&new), Some(&device.share)).unwrap().unwrap();
    device.assert_opened_by(&sync);
    let stale = vault.transaction(|tx| tx.put_edit(&before, b"under the old key"));
    assert!(matches!(stale, Err(VaultError::StaleSync)));
    vault.transaction(|tx| tx.put_edit(&sync, b"another")).unwrap();
    drop(vault);

    assert!(matches!(bench.try_open(Some("first")), Err(VaultError::WrongPassphrase)));
    let vault = bench.try_open(Some("second")).unwrap();
    let sync = vault.open_sync(&device.share).unwrap();
    device.assert_opened_by(&sync);
    assert_eq!(outbox(&vault, &sync), [&b"edit"[..], b"another"]);
}

#[test]
fn a_new_passphrase_without_a_keyring_seals_what_would_rest_there() {
    let bench = Bench::new();
    let mut vault = bench.create_without_keyring("first");
    let device = Device::make();
    device.begin(&mut vault);
    vault.set_passphrase(Some(&secret("first")), Some(&secret("second")), Some(&device.share)).unwrap();
    drop(vault);
    let old = Vault::open(&bench.profile, None, Some(&secret("first")));
    assert!(matches!(old, Err(VaultError::WrongPassphrase)));
    let vault = Vault::open(&bench.profile, None, Some(&secret("second"))).unwrap();
    device.assert_opened_by(&vault.open_sync(&device.share).unwrap());
    assert_eq!(vault.signing_key().unwrap().unwrap().seed(), device.signing.seed());
}
