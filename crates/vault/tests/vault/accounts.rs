use std::collections::BTreeMap;

use keyquay_exchanges::{Account, AccountId};
use keyquay_vault::{Disabled, End, OwnerProof, Unreadable, Vault, VaultError};
use proptest::prelude::*;

use crate::bench::{Bench, Device, account, bytes, field, labels, put, secret};

#[test]
fn an_account_is_there_after_the_vault_was_locked_and_unlocked() {
    let bench = Bench::new();
    assert!(!Vault::exists(&bench.profile).unwrap());
    let mut vault = bench.create();
    put(&mut vault, &account(1, "main"));
    drop(vault);

    assert!(Vault::exists(&bench.profile).unwrap());
    assert!(!Vault::needs_passphrase(&bench.profile).unwrap());
    let vault = bench.open();
    let found = vault.account(AccountId::from_bytes([1; 16])).unwrap().unwrap();
    assert_eq!(bytes(&found.account), bytes(&account(1, "main")));
    assert_eq!(field(&found.account, "secret"), "secret of main");
    assert_eq!((found.revision, found.pinned, found.deleted), (1, false, None));
}

#[test]
fn a_vault_can_move_to_the_thread_that_owns_it() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let vault = std::thread::spawn(move || {
        put(&mut vault, &account(1, "main"));
        vault
    });
    assert_eq!(labels(&vault.join().unwrap()), ["main"]);
}

#[test]
fn a_vault_is_neither_made_nor_opened_twice() {
    let bench = Bench::new();
    let vault = bench.create();
    assert!(matches!(bench.try_open(None), Err(VaultError::AlreadyOpen)));
    assert!(matches!(Vault::create(&bench.profile, bench.keyring(), None), Err(VaultError::Exists)));
    drop(vault);
    drop(bench.open());
    assert!(matches!(Bench::new().try_open(None), Err(VaultError::Missing)));
}

#[test]
fn an_edited_account_keeps_its_twenty_newest_versions() {
    let bench = Bench::new();
    let mut vault = bench.create();
    for version in 0..=25 {
        put(&mut vault, &account(1, &format!("version {version}")));
    }
    put(&mut vault, &account(1, "version 25"));
    let id = AccountId::from_bytes([1; 16]);
    assert_eq!(vault.account(id).unwrap().unwrap().revision, 26, "putting the same again changes nothing");
    let history: Vec<String> =
        vault.history(id).unwrap().into_iter().map(|version| version.account.label).collect();
    let expected: Vec<String> = (5..25).rev().map(|version| format!("version {version}")).collect();
    assert_eq!(history, expected);
}

#[test]
fn a_deleted_account_can_be_brought_back_until_it_is_purged() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let id = AccountId::from_bytes([1; 16]);
    put(&mut vault, &account(1, "old"));
    put(&mut vault, &account(1, "main"));
    vault.transaction(|tx| tx.delete_account(id, 100)).unwrap();
    assert_eq!(vault.account(id).unwrap().unwrap().deleted, Some(100));
    assert!(labels(&vault).is_empty());
    vault.transaction(|tx| tx.undelete_account(id)).unwrap();
    assert_eq!(labels(&vault), ["main"]);

    vault.transaction(|tx| tx.delete_account(id, 200)).unwrap();
    assert_eq!(vault.transaction(|tx| tx.purge_deleted_before(200)).unwrap(), 0);
    assert_eq!(vault.transaction(|tx| tx.purge_deleted_before(201)).unwrap(), 1);
    assert!(vault.account(id).unwrap().is_none());
    assert!(vault.history(id).unwrap().is_empty());
    let gone = vault.transaction(|tx| tx.undelete_account(id));
    assert!(matches!(gone, Err(VaultError::UnknownAccount)));
}

#[test]
fn a_pinned_account_stays_pinned_when_it_is_edited() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let id = AccountId::from_bytes([1; 16]);
    put(&mut vault, &account(1, "main"));
    vault.transaction(|tx| tx.set_pinned(id, true)).unwrap();
    put(&mut vault, &account(1, "edited"));
    assert!(vault.account(id).unwrap().unwrap().pinned);
    assert_eq!(vault.history(id).unwrap().len(), 1, "pinning is no version of the account");
}

#[test]
fn a_failed_transaction_changes_nothing() {
    let bench = Bench::new();
    let mut vault = bench.create();
    put(&mut vault, &account(1, "main"));
    let failed: Result<(), VaultError> = vault.transaction(|tx| {
        tx.put_account(&account(1, "edited"))?;
        tx.put_account(&account(2, "new"))?;
        tx.put_record("note", b"new")?;
        tx.rotate_local_key()?;
        tx.delete_account(AccountId::from_bytes([9; 16]), 0)
    });
    assert!(matches!(failed, Err(VaultError::UnknownAccount)));
    assert_eq!(labels(&vault), ["main"]);
    assert!(vault.record("note").unwrap().is_none());
    drop(vault);
    assert_eq!(labels(&bench.open()), ["main"]);
}

#[test]
fn a_panic_within_a_transaction_changes_nothing() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _: Result<(), VaultError> = vault.transaction(|tx| {
            tx.put_account(&account(1, "main"))?;
            panic!("in the middle");
        });
    }));
    assert!(panicked.is_err());
    assert!(labels(&vault).is_empty());
    put(&mut vault, &account(2, "afterwards"));
    drop(vault);
    assert_eq!(labels(&bench.open()), ["afterwards"]);
}

#[test]
fn an_account_that_is_too_large_is_refused_and_the_rest_stays() {
    let bench = Bench::new();
    let mut vault = bench.create();
    put(&mut vault, &account(1, "main"));
    let mut large = account(2, "large");
    large.note = secret(&"x".repeat(100_000));
    let refused = vault.transaction(|tx| tx.put_account(&large));
    assert!(matches!(refused, Err(VaultError::Account(_))));
    assert_eq!(labels(&vault), ["main"]);
}

#[test]
fn named_records_are_kept_replaced_and_deleted() {
    let bench = Bench::new();
    let mut vault = bench.create();
    vault.transaction(|tx| tx.put_record("email", b"a@example.org")).unwrap();
    vault.transaction(|tx| tx.put_record("email", b"b@example.org")).unwrap();
    vault.transaction(|tx| tx.put_record("", b"")).unwrap();
    drop(vault);
    let mut vault = bench.open();
    assert_eq!(**vault.record("email").unwrap().unwrap(), *b"b@example.org");
    assert_eq!(**vault.record("").unwrap().unwrap(), *b"");
    assert!(vault.record("other").unwrap().is_none());
    vault.transaction(|tx| tx.delete_record("email")).unwrap();
    vault.transaction(|tx| tx.delete_record("never there")).unwrap();
    drop(vault);
    assert!(bench.open().record("email").unwrap().is_none());
}

#[test]
fn after_a_removal_local_accounts_stay_and_open_only_for_their_owner() {
    let bench = Bench::new();
    let mut vault = bench.create_with("correct");
    let id = AccountId::from_bytes([1; 16]);
    put(&mut vault, &account(1, "main"));
    vault.transaction(|tx| tx.put_record("email", b"a@example.org")).unwrap();
    Device::make().begin(&mut vault);
    vault.transaction(|tx| tx.destroy_sync_half(End::Removed)).unwrap();

    let assert_disabled = |vault: &mut Vault| {
        assert_eq!(vault.disabled(), Disabled::UntilProven);
        let listing = vault.accounts().unwrap();
        assert!(listing.accounts.is_empty());
        assert_eq!(listing.unreadable, [(id, Unreadable::Disabled)]);
        assert!(matches!(vault.account(id), Err(VaultError::Disabled)));
        assert!(matches!(vault.history(id), Err(VaultError::Disabled)));
        let written = vault.transaction(|tx| tx.put_account(&account(1, "overwritten")));
        assert!(matches!(written, Err(VaultError::Disabled)));
        let purged = vault.transaction(|tx| tx.purge_account(id));
        assert!(matches!(purged, Err(VaultError::Disabled)));
        assert_eq!(**vault.record("email").unwrap().unwrap(), *b"a@example.org");
    };
    assert_disabled(&mut vault);
    drop(vault);
    let mut vault = bench.try_open(Some("correct")).unwrap();
    assert_disabled(&mut vault);
    vault.transaction(|tx| tx.rotate_local_key()).unwrap();
    assert_disabled(&mut vault);

    let wrong = vault.clear_disabled(&OwnerProof::Passphrase(&secret("wrong")));
    assert!(matches!(wrong, Err(VaultError::WrongPassphrase)));
    assert_disabled(&mut vault);
    vault.clear_disabled(&OwnerProof::Passphrase(&secret("correct"))).unwrap();
    assert_eq!(labels(&vault), ["main"]);
    drop(vault);
    assert_eq!(labels(&bench.try_open(Some("correct")).unwrap()), ["main"]);
}

#[test]
fn a_sign_off_disables_nothing() {
    let bench = Bench::new();
    let mut vault = bench.create();
    put(&mut vault, &account(1, "main"));
    Device::make().begin(&mut vault);
    vault.transaction(|tx| tx.destroy_sync_half(End::SignedOff)).unwrap();
    assert_eq!(labels(&vault), ["main"]);
}

#[derive(Debug, Clone)]
enum Step {
    Put(u8, String),
    Pin(u8, bool),
    Delete(u8),
    Undelete(u8),
    Purge(u8),
    Record(u8, Vec<u8>),
    Forget(u8),
    Rotate,
    Reopen,
    Fail(u8, String),
}

fn step() -> impl Strategy<Value = Step> {
    let id = 0_u8..5;
    prop_oneof![
        6 => (id.clone(), "[a-z]{0,8}").prop_map(|(id, label)| Step::Put(id, label)),
        1 => (id.clone(), any::<bool>()).prop_map(|(id, pinned)| Step::Pin(id, pinned)),
        2 => id.clone().prop_map(Step::Delete),
        1 => id.clone().prop_map(Step::Undelete),
        1 => id.clone().prop_map(Step::Purge),
        2 => (id.clone(), any::<Vec<u8>>()).prop_map(|(id, value)| Step::Record(id, value)),
        1 => id.clone().prop_map(Step::Forget),
        1 => Just(Step::Rotate),
        1 => Just(Step::Reopen),
        1 => (id, "[a-z]{0,8}").prop_map(|(id, label)| Step::Fail(id, label)),
    ]
}

/// What the vault must hold: accounts with their pin, deletion and versions, and records.
#[derive(Default)]
struct Model {
    accounts: BTreeMap<u8, Kept>,
    records: BTreeMap<u8, Vec<u8>>,
}

#[derive(Clone)]
struct Kept {
    label: String,
    pinned: bool,
    deleted: bool,
    versions: Vec<String>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_the_vault_holds_what_a_map_would(steps in proptest::collection::vec(step(), 1..60)) {
        let bench = Bench::new();
        let mut vault = Some(bench.create());
        let mut model = Model::default();
        for step in steps {
            if matches!(step, Step::Reopen) {
                drop(vault.take());
                vault = Some(bench.open());
            }
            let vault = vault.as_mut().unwrap();
            take(vault, &mut model, step);
            compare(vault, &model);
        }
    }
}

fn take(vault: &mut Vault, model: &mut Model, step: Step) {
    let id = |number: u8| AccountId::from_bytes([number; 16]);
    match step {
        Step::Put(number, label) => {
            put(vault, &account(number, &label));
            let kept = Kept { label: label.clone(), pinned: false, deleted: false, versions: Vec::new() };
            let kept = model.accounts.entry(number).or_insert(kept);
            kept.deleted = false;
            if kept.label != label {
                kept.versions.insert(0, std::mem::replace(&mut kept.label, label));
                kept.versions.truncate(20);
            }
        }
        Step::Pin(number, pinned) => {
            let done = vault.transaction(|tx| tx.set_pinned(id(number), pinned));
            change(model, number, done, |kept| kept.pinned = pinned);
        }
        Step::Delete(number) => {
            let done = vault.transaction(|tx| tx.delete_account(id(number), 7));
            change(model, number, done, |kept| kept.deleted = true);
        }
        Step::Undelete(number) => {
            let done = vault.transaction(|tx| tx.undelete_account(id(number)));
            change(model, number, done, |kept| kept.deleted = false);
        }
        Step::Purge(number) => {
            let was_there = vault.transaction(|tx| tx.purge_account(id(number))).unwrap();
            assert_eq!(was_there, model.accounts.remove(&number).is_some());
        }
        Step::Record(number, value) => {
            vault.transaction(|tx| tx.put_record(&format!("record {number}"), &value)).unwrap();
            model.records.insert(number, value);
        }
        Step::Forget(number) => {
            vault.transaction(|tx| tx.delete_record(&format!("record {number}"))).unwrap();
            model.records.remove(&number);
        }
        Step::Rotate => vault.transaction(|tx| tx.rotate_local_key()).unwrap(),
        Step::Reopen => {}
        Step::Fail(number, label) => {
            let failed = vault.transaction(|tx| {
                tx.put_account(&account(number, &label))?;
                Err::<(), _>(VaultError::UnknownAccount)
            });
            assert!(failed.is_err());
        }
    }
}

fn change(model: &mut Model, number: u8, done: Result<(), VaultError>, change: impl FnOnce(&mut Kept)) {
    match model.accounts.get_mut(&number) {
        Some(kept) => {
            done.unwrap();
            change(kept);
        }
        None => assert!(matches!(done, Err(VaultError::UnknownAccount))),
    }
}

fn compare(vault: &Vault, model: &Model) {
    let listing = vault.accounts().unwrap();
    assert_eq!(listing.unreadable, []);
    assert_eq!(listing.accounts.len(), model.accounts.len());
    for found in &listing.accounts {
        let number = found.account.id.as_bytes()[0];
        let kept = &model.accounts[&number];
        assert_eq!(bytes(&found.account), bytes(&account(number, &kept.label)));
        assert_eq!((found.pinned, found.deleted.is_some()), (kept.pinned, kept.deleted));
        let history = vault.history(found.account.id).unwrap();
        let history: Vec<Account> = history.into_iter().map(|version| version.account).collect();
        let history: Vec<&str> = history.iter().map(|account| account.label.as_str()).collect();
        assert_eq!(history, kept.versions);
    }
    for number in 0..5 {
        let found = vault.record(&format!("record {number}")).unwrap();
        assert_eq!(found.as_deref(), model.records.get(&number));
    }
}
