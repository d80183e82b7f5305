//! A damaged file is told, kept, and never misread.

use keyquay_crypto::sha256;
use keyquay_vault::{LogBatch, Vault, VaultError};
use rusqlite::Connection;

use crate::bench::{Bench, Device, account, bytes, put};
use crate::log::{batch, entry};

#[test]
fn a_flipped_byte_anywhere_is_an_error_or_changes_nothing() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let device = Device::make();
    fill(&mut vault, &device);
    drop(vault);
    let file = bench.file();
    let entries = bench.keyring.entries();

    let copy = Bench::of_copy(&file, None, entries);
    assert!(check(&copy.open(), &device), "the untouched file passes");
    let mut noticed = 0;
    // Of the beginnings of pages, where SQLite keeps their structure, each byte; of the rest some.
    let is_tried =
        |at: usize| file[at] != 0 && (at % 4096 < 128 || at.is_multiple_of(3)) || at.is_multiple_of(97);
    for at in (0..file.len()).filter(|&at| is_tried(at)) {
        let mut damaged = file.clone();
        damaged[at] ^= 1 << (at % 8);
        std::fs::write(copy.profile.vault_path(), &damaged).unwrap();
        match copy.try_open(None) {
            Ok(vault) => noticed += usize::from(!check(&vault, &device)),
            Err(_) => {
                noticed += 1;
                assert!(copy.file() == damaged, "byte {at}: the file was touched");
            }
        }
        let _ = std::fs::remove_file(crate::bench::wal_path(&copy.profile));
    }
    assert!(noticed > 2_000, "{noticed} flips were noticed");
}

#[test]
fn a_file_cut_short_anywhere_is_an_error() {
    let bench = Bench::new();
    let mut vault = bench.create();
    fill(&mut vault, &Device::make());
    drop(vault);
    let file = bench.file();
    let copy = Bench::of_copy(&file, None, bench.keyring.entries());
    for len in (0..file.len()).step_by(509) {
        std::fs::write(copy.profile.vault_path(), &file[..len]).unwrap();
        let opened = copy.try_open(None).map(|_| ());
        assert!(matches!(opened, Err(VaultError::Damaged { .. })), "{len} bytes: {opened:?}");
        assert_eq!(copy.file().len(), len);
    }
}

#[test]
fn a_damaged_file_is_kept_and_named() {
    let bench = Bench::new();
    drop(bench.create());
    for content in [&b""[..], b"no database", &[0; 8192]] {
        std::fs::write(bench.profile.vault_path(), content).unwrap();
        match bench.try_open(None).unwrap_err() {
            VaultError::Damaged { path, .. } => assert_eq!(path, bench.profile.vault_path()),
            other => panic!("{other}"),
        }
        assert!(Vault::needs_passphrase(&bench.profile).is_err());
        let made = Vault::create(&bench.profile, bench.keyring(), None);
        assert!(matches!(made, Err(VaultError::Exists)), "it is never replaced");
        assert_eq!(bench.file(), content);
    }
}

#[test]
fn a_database_of_something_else_is_no_vault() {
    let bench = Bench::new();
    let other = Connection::open(bench.profile.vault_path()).unwrap();
    other.execute_batch("CREATE TABLE t (x); PRAGMA user_version = 1").unwrap();
    drop(other);
    assert!(matches!(bench.try_open(None), Err(VaultError::Damaged { what: "it is no vault", .. })));
}

#[test]
fn a_vault_of_a_newer_version_is_left_alone_and_says_so() {
    let bench = Bench::new();
    drop(bench.create());
    change(&bench, "PRAGMA user_version = 7");
    let before = bench.file();
    let opened = bench.try_open(None).map(|_| ());
    assert!(matches!(opened, Err(VaultError::NewerVersion { found: 7, supported: 1 })), "{opened:?}");
    assert_eq!(bench.file(), before);
}

#[test]
fn records_that_were_removed_exchanged_or_put_back_are_noticed() {
    for tampering in [
        "DELETE FROM record WHERE revision = 2",
        "DELETE FROM record",
        "UPDATE record SET revision = 1 WHERE revision = 2",
        "UPDATE record SET owner = zeroblob(16) WHERE owner IS NOT NULL",
        "UPDATE record SET id = randomblob(16) WHERE kind = 2",
        "UPDATE record SET kind = 4 WHERE kind = 3",
        "INSERT INTO record (id, kind, revision, sealed) VALUES (randomblob(16), 1, 1, randomblob(284))",
        "UPDATE header SET checksum = zeroblob(32)",
        "DELETE FROM header",
        "DELETE FROM inventory",
        "UPDATE inventory SET sealed = randomblob(284)",
    ] {
        let bench = Bench::new();
        let mut vault = bench.create();
        put(&mut vault, &account(1, "before"));
        put(&mut vault, &account(1, "main"));
        vault.transaction(|tx| tx.put_record("note", b"x")).unwrap();
        drop(vault);
        change(&bench, tampering);
        let opened = bench.try_open(None).map(|_| ());
        assert!(matches!(opened, Err(VaultError::Damaged { .. })), "{tampering}: {opened:?}");
    }
}

#[test]
fn one_account_that_does_not_open_leaves_the_others_usable_and_can_be_written_anew() {
    let bench = Bench::new();
    let mut vault = bench.create();
    put(&mut vault, &account(1, "damaged"));
    put(&mut vault, &account(2, "sound"));
    drop(vault);
    change(
        &bench,
        "UPDATE record SET sealed = (SELECT sealed FROM record WHERE id = x'02020202020202020202020202020202')",
    );
    let mut vault = bench.open();
    let damaged = account(1, "damaged").id;
    for _ in 0..2 {
        let listing = vault.accounts().unwrap();
        assert_eq!(listing.unreadable, [(damaged, keyquay_vault::Unreadable::Damaged)]);
        assert_eq!(listing.accounts.len(), 1);
        assert_eq!(listing.accounts[0].account.label, "sound");
        assert!(matches!(vault.account(damaged), Err(VaultError::Damaged { .. })));
        vault.transaction(|tx| tx.rotate_local_key()).unwrap();
    }
    put(&mut vault, &account(1, "from a backup"));
    drop(vault);
    assert_eq!(crate::bench::labels(&bench.open()), ["from a backup", "sound"]);
}

fn change(bench: &Bench, sql: &str) {
    Connection::open(bench.profile.vault_path()).unwrap().execute_batch(sql).unwrap();
}

fn fill(vault: &mut Vault, device: &Device) {
    let sync = device.begin(vault);
    vault
        .transaction(|tx| {
            tx.put_account(&account(1, "before"))?;
            tx.put_account(&account(1, "one"))?;
            tx.put_account(&account(2, "two"))?;
            tx.put_record("email", b"a@example.org")?;
            tx.put_edit(&sync, b"edit")?;
            tx.set_recovery_record(b"recovery")?;
            tx.append_log(&LogBatch { blobs: vec![b"blob".to_vec()], ..batch(0..4) })
        })
        .unwrap();
}

/// Whether everything that [`fill`] has put there is read back. What differs must at least be an error.
fn check(vault: &Vault, device: &Device) -> bool {
    let Ok(listing) = vault.accounts() else { return false };
    assert_eq!(listing.accounts.len() + listing.unreadable.len(), 2);
    for found in &listing.accounts {
        let expected =
            if found.account.id.as_bytes()[0] == 1 { account(1, "one") } else { account(2, "two") };
        assert_eq!(bytes(&found.account), bytes(&expected));
    }
    let history = vault.history(account(1, "").id).map(|history| {
        history.iter().for_each(|version| assert_eq!(bytes(&version.account), bytes(&account(1, "before"))));
        history.len()
    });
    let sync = vault.open_sync(&device.share).inspect(|sync| device.assert_opened_by(sync));
    let edits = sync.and_then(|sync| vault.outbox(&sync));
    let edits = edits.inspect(|edits| assert_eq!(**edits[0].bytes, *b"edit"));
    listing.unreadable.is_empty()
        && matches!(history, Ok(1))
        && is(vault.record("email"), |record| **record.unwrap() == *b"a@example.org")
        && is(edits, |edits| edits.len() == 1)
        && is(vault.recovery_record(), |record| record.unwrap() == b"recovery")
        && is(vault.blob(&sha256(b"blob")), |blob| blob.unwrap() == b"blob")
        && is(vault.log_head(), |head| head.unwrap().hash == entry(3).hash())
        && is(vault.snapshot(), |snapshot| **snapshot.unwrap().bytes == *b"state after 3")
        && is(vault.entries_after(None), |entries| entries == [entry(0), entry(1), entry(2), entry(3)])
}

/// `false` for an error; anything but the true value fails the test.
fn is<T, E>(result: Result<T, E>, is_true_value: impl FnOnce(T) -> bool) -> bool {
    result.map(|value| assert!(is_true_value(value))).is_ok()
}
