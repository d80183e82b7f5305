use keyquay_crypto::SecretKey;
use keyquay_vault::{End, Identity, KeyringError, Share, VaultError};

use crate::bench::{Bench, Device, account, labels, outbox, put};

#[test]
fn the_sync_half_opens_with_its_share_and_no_other() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let device = Device::make();
    assert!(matches!(vault.open_sync(&device.share), Err(VaultError::NoSyncHalf)));
    assert!(vault.signing_key().unwrap().is_none());
    device.assert_opened_by(&device.begin(&mut vault));
    drop(vault);

    let vault = bench.open();
    assert!(vault.has_sync_half());
    assert_eq!(vault.signing_key().unwrap().unwrap().seed(), device.signing.seed());
    assert!(matches!(vault.open_sync(&Share::make_random()), Err(VaultError::WrongShare)));
    device.assert_opened_by(&vault.open_sync(&device.share).unwrap());
}

#[test]
fn a_second_device_is_not_made_over_the_first() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let device = Device::make();
    device.begin(&mut vault);
    let other = Device::make();
    let refused = vault.begin_sync(&other.identity(), &other.share);
    assert!(matches!(refused, Err(VaultError::SyncHalfExists)));
    device.assert_opened_by(&vault.open_sync(&device.share).unwrap());
}

#[test]
fn a_secret_key_that_comes_later_is_kept_and_can_be_replaced() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let device = Device::make();
    let identity = Identity { secret_key: None, ..device.identity() };
    let mut sync = vault.begin_sync(&identity, &device.share).unwrap();
    assert!(sync.secret_key().is_none());
    vault.put_secret_key(&mut sync, &SecretKey::make_random()).unwrap();
    vault.put_secret_key(&mut sync, &device.secret_key).unwrap();
    device.assert_opened_by(&sync);
    drop(vault);
    device.assert_opened_by(&bench.open().open_sync(&device.share).unwrap());
}

#[test]
fn edits_wait_in_their_order_over_restarts_and_leave_one_by_one() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let device = Device::make();
    let sync = device.begin(&mut vault);
    let first = vault.transaction(|tx| tx.put_edit(&sync, b"first")).unwrap();
    vault
        .transaction(|tx| {
            tx.put_edit(&sync, b"second")?;
            tx.put_edit(&sync, b"third")
        })
        .unwrap();
    drop((vault, sync));

    let mut vault = bench.open();
    assert_eq!(vault.outbox_len().unwrap(), 3, "they are counted while closed");
    let sync = vault.open_sync(&device.share).unwrap();
    assert_eq!(outbox(&vault, &sync), [&b"first"[..], b"second", b"third"]);
    assert!(vault.transaction(|tx| tx.remove_edit(first)).unwrap());
    assert!(!vault.transaction(|tx| tx.remove_edit(first)).unwrap());
    assert_eq!(outbox(&vault, &sync), [&b"second"[..], b"third"]);
}

#[test]
fn an_account_becomes_synced_or_local_in_one_step() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let device = Device::make();
    let sync = device.begin(&mut vault);
    let main = account(1, "main");
    put(&mut vault, &main);
    let edit = vault.transaction(|tx| tx.put_edit(&sync, b"upload of main")).unwrap();
    assert_eq!(labels(&vault), ["main"], "not acknowledged is still local");
    vault
        .transaction(|tx| {
            tx.remove_edit(edit)?;
            tx.purge_account(main.id)?;
            tx.rotate_local_key()
        })
        .unwrap();
    assert!(labels(&vault).is_empty());
    assert!(outbox(&vault, &sync).is_empty());
    device.assert_opened_by(&vault.open_sync(&device.share).unwrap());
}

#[test]
fn a_destroyed_sync_half_opens_no_more_though_share_passphrase_and_old_keys_are_there() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let device = Device::make();
    let sync = device.begin(&mut vault);
    vault.keep_share_offline(&device.share).unwrap();
    vault.transaction(|tx| tx.put_edit(&sync, b"edit")).unwrap();
    vault.transaction(|tx| tx.destroy_sync_half(End::Removed)).unwrap();

    assert!(!vault.has_sync_half());
    assert!(!vault.has_erasures().unwrap());
    assert!(vault.offline_share().unwrap().is_none());
    assert_eq!(vault.outbox_len().unwrap(), 0);
    assert!(matches!(vault.open_sync(&device.share), Err(VaultError::NoSyncHalf)));
    assert!(matches!(vault.outbox(&sync), Err(VaultError::StaleSync)));
    let late = vault.transaction(|tx| tx.put_edit(&sync, b"late"));
    assert!(matches!(late, Err(VaultError::StaleSync)));
    let names: Vec<String> = bench.keyring.entries().into_keys().collect();
    assert!(
        !names.iter().any(|name| name.contains("sync-secret") || name.contains("offline-share")),
        "{names:?}"
    );
    assert!(vault.signing_key().unwrap().is_some(), "the log stays readable");
    drop(vault);
    assert!(matches!(bench.open().open_sync(&device.share), Err(VaultError::NoSyncHalf)));
}

#[test]
fn a_removed_device_enrols_again_with_new_keys() {
    let bench = Bench::new();
    let mut vault = bench.create();
    Device::make().begin(&mut vault);
    vault.transaction(|tx| tx.destroy_sync_half(End::Removed)).unwrap();
    let again = Device::make();
    again.begin(&mut vault);
    drop(vault);
    let vault = bench.open();
    again.assert_opened_by(&vault.open_sync(&again.share).unwrap());
    assert_eq!(vault.signing_key().unwrap().unwrap().seed(), again.signing.seed());
    let signing_keys =
        bench.keyring.entries().into_keys().filter(|name| name.contains("signing-key")).count();
    assert_eq!(signing_keys, 1, "the one before is erased");
}

#[test]
fn a_device_that_was_forgotten_leaves_nothing_that_acts_for_it() {
    let bench = Bench::new();
    let mut vault = bench.create();
    put(&mut vault, &account(1, "local"));
    let device = Device::make();
    device.begin(&mut vault);
    vault.transaction(|tx| tx.append_log(&crate::log::batch(0..3))).unwrap();
    vault.transaction(|tx| tx.forget_device()).unwrap();
    assert!(vault.signing_key().unwrap().is_none());
    assert_eq!(bench.keyring.entries().len(), 1, "the local secret alone is left");
    assert_eq!(vault.log_head().unwrap(), None);
    vault.transaction(|tx| tx.forget_device()).unwrap();
    drop(vault);
    let mut vault = bench.open();
    assert!(vault.signing_key().unwrap().is_none());
    assert_eq!(labels(&vault), ["local"]);
    device.begin(&mut vault);
    device.assert_opened_by(&vault.open_sync(&device.share).unwrap());
}

#[test]
fn the_share_is_kept_offline_only_while_that_is_switched_on() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let device = Device::make();
    device.begin(&mut vault);
    assert!(vault.offline_share().unwrap().is_none());
    let foreign = vault.keep_share_offline(&Share::make_random());
    assert!(matches!(foreign, Err(VaultError::WrongShare)));
    vault.keep_share_offline(&device.share).unwrap();
    drop(vault);
    let mut vault = bench.open();
    let share = vault.offline_share().unwrap().unwrap();
    device.assert_opened_by(&vault.open_sync(&share).unwrap());
    vault.forget_offline_share().unwrap();
    assert!(vault.offline_share().unwrap().is_none());
    assert!(!bench.keyring.entries().values().any(|value| *value == device.share.expose()));
}

#[test]
fn a_keyring_that_does_not_answer_during_a_removal_is_cleared_later() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let device = Device::make();
    device.begin(&mut vault);
    bench.keyring.fail_with(Some(KeyringError::Unavailable { reason: "gone".to_owned() }));
    vault.transaction(|tx| tx.destroy_sync_half(End::Removed)).unwrap();
    assert!(vault.has_erasures().unwrap());
    assert!(matches!(vault.finish_erasures(), Err(VaultError::KeyringUnavailable(_))));
    assert!(matches!(vault.open_sync(&device.share), Err(VaultError::NoSyncHalf)));
    drop(vault);
    bench.keyring.fail_with(None);
    let vault = bench.open();
    assert!(!vault.has_erasures().unwrap());
    assert!(!bench.keyring.entries().into_keys().any(|name| name.contains("sync-secret")));
}

#[test]
fn a_share_that_is_kept_again_is_not_erased_by_what_was_pending() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let device = Device::make();
    device.begin(&mut vault);
    vault.keep_share_offline(&device.share).unwrap();
    bench.keyring.fail_with(Some(KeyringError::Unavailable { reason: "gone".to_owned() }));
    assert!(vault.forget_offline_share().is_err());
    bench.keyring.fail_with(None);
    vault.keep_share_offline(&device.share).unwrap();
    drop(vault);
    assert!(bench.open().offline_share().unwrap().is_some());
}

#[test]
fn an_entry_that_the_vault_needs_is_never_erased() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let device = Device::make();
    device.begin(&mut vault);
    drop(vault);
    let entries = bench.keyring.entries();
    let file = rusqlite::Connection::open(bench.profile.vault_path()).unwrap();
    for name in entries.keys() {
        let name = name.split_once('/').unwrap().1;
        file.execute("INSERT INTO erasure (name) VALUES (?1)", [name]).unwrap();
    }
    drop(file);
    device.assert_opened_by(&bench.open().open_sync(&device.share).unwrap());
    assert_eq!(bench.keyring.entries(), entries);
}

#[test]
fn without_a_keyring_sync_rests_under_the_passphrase() {
    let bench = Bench::new();
    let mut vault = bench.create_without_keyring("correct");
    let device = Device::make();
    device.begin(&mut vault);
    vault.keep_share_offline(&device.share).unwrap();
    drop(vault);
    let mut vault =
        keyquay_vault::Vault::open(&bench.profile, None, Some(&crate::bench::secret("correct"))).unwrap();
    device.assert_opened_by(&vault.open_sync(&vault.offline_share().unwrap().unwrap()).unwrap());
    assert_eq!(vault.signing_key().unwrap().unwrap().seed(), device.signing.seed());
    vault.transaction(|tx| tx.destroy_sync_half(End::SignedOff)).unwrap();
    assert!(vault.offline_share().unwrap().is_none());
    assert!(matches!(vault.open_sync(&device.share), Err(VaultError::NoSyncHalf)));
}
