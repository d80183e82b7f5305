use keyquay_crypto::{Zeroizing, sha256};
use keyquay_vault::{End, Head, LogBatch, LogEntry, SUPERSEDED_DAYS, Salvage, Vault, VaultError};
use rusqlite::Connection;

use crate::bench::{Bench, Device, account, labels, put};

pub fn entry(seq: u64) -> LogEntry {
    LogEntry { seq, payload: format!("payload {seq}").into_bytes(), signature: [seq as u8; 64] }
}

pub fn batch(seqs: std::ops::Range<u64>) -> LogBatch {
    let last = seqs.end - 1;
    LogBatch {
        entries: seqs.map(entry).collect(),
        snapshot: Some(Zeroizing::new(format!("state after {last}").into_bytes())),
        ..LogBatch::default()
    }
}

fn append(vault: &mut Vault, batch: &LogBatch) -> Option<Head> {
    vault.transaction(|tx| tx.append_log(batch)).unwrap()
}

#[test]
fn the_log_is_read_back_as_it_was_stored() {
    let bench = Bench::new();
    let mut vault = bench.create();
    Device::make().begin(&mut vault);
    assert_eq!(vault.log_head().unwrap(), None);
    assert_eq!(vault.entries_after(None).unwrap(), []);
    assert_eq!(append(&mut vault, &LogBatch::default()), None);
    append(&mut vault, &batch(0..3));
    let head = append(&mut vault, &LogBatch { snapshot: None, ..batch(3..5) }).unwrap();
    assert_eq!(head, Head { seq: 4, hash: entry(4).hash() });
    drop(vault);

    let vault = bench.open();
    assert_eq!(vault.log_head().unwrap(), Some(head));
    let snapshot = vault.snapshot().unwrap().unwrap();
    assert_eq!(snapshot.head, Head { seq: 2, hash: entry(2).hash() });
    assert_eq!(**snapshot.bytes, *b"state after 2");
    assert_eq!(vault.entries_after(Some(2)).unwrap(), [entry(3), entry(4)]);
    assert_eq!(vault.entries_after(None).unwrap().len(), 5);
    assert_eq!(vault.entries_after(Some(4)).unwrap(), []);
}

#[test]
fn entries_that_do_not_continue_the_log_are_refused_with_all_that_came_with_them() {
    let bench = Bench::new();
    let mut vault = bench.create();
    Device::make().begin(&mut vault);
    append(&mut vault, &batch(0..3));
    put(&mut vault, &account(1, "main"));
    for wrong in [2, 4, 0] {
        let failed = vault.transaction(|tx| {
            tx.purge_account(account(1, "main").id)?;
            tx.append_log(&batch(wrong..wrong + 1))
        });
        assert!(matches!(failed, Err(VaultError::LogGap)));
    }
    assert_eq!(vault.log_head().unwrap().unwrap().seq, 2);
    assert_eq!(labels(&vault), ["main"]);
}

#[test]
fn blobs_stay_thirty_days_after_their_successor_and_withdrawn_ones_not_at_all() {
    const DAY: u64 = 24 * 60 * 60;
    let bench = Bench::new();
    let mut vault = bench.create();
    Device::make().begin(&mut vault);
    let blobs = [b"old".to_vec(), b"new".to_vec(), b"withdrawn".to_vec()];
    append(&mut vault, &LogBatch { blobs: blobs.to_vec(), ..batch(0..1) });
    let [old, new, withdrawn] = blobs.map(|blob| sha256(&blob));
    assert_eq!(vault.blob(&old).unwrap().unwrap(), b"old");
    let changes = LogBatch { superseded: vec![(old, 1_000)], withdrawn: vec![withdrawn], ..batch(1..2) };
    append(&mut vault, &changes);
    append(&mut vault, &LogBatch { superseded: vec![(old, 1_000 + DAY)], ..batch(2..3) });

    assert!(vault.blob(&withdrawn).unwrap().is_none());
    let limit = 1_000 + SUPERSEDED_DAYS * DAY;
    assert_eq!(vault.transaction(|tx| tx.prune_superseded(limit - 1)).unwrap(), 0);
    assert!(vault.has_blob(&old).unwrap());
    assert_eq!(vault.transaction(|tx| tx.prune_superseded(limit)).unwrap(), 1);
    assert!(!vault.has_blob(&old).unwrap());
    assert!(vault.has_blob(&new).unwrap());
}

#[test]
fn a_blob_that_comes_again_is_live_again() {
    let bench = Bench::new();
    let mut vault = bench.create();
    Device::make().begin(&mut vault);
    let hash = sha256(b"blob");
    let received = LogBatch { blobs: vec![b"blob".to_vec()], ..LogBatch::default() };
    append(&mut vault, &received);
    append(&mut vault, &LogBatch { superseded: vec![(hash, 0)], ..LogBatch::default() });
    append(&mut vault, &received);
    assert_eq!(vault.transaction(|tx| tx.prune_superseded(u64::MAX / 4)).unwrap(), 0);
    assert!(vault.has_blob(&hash).unwrap());
}

/// Whether the vault tells that something was changed.
type Shows = fn(&Vault) -> bool;

#[test]
fn a_file_that_was_tampered_with_shows() {
    let tampering: [(&str, Shows); 8] = [
        (
            "UPDATE log SET bytes = (SELECT bytes FROM log WHERE name = 'snapshot') WHERE name = 'head'",
            |vault| vault.log_head().is_err(),
        ),
        ("UPDATE log SET bytes = zeroblob(300) WHERE name = 'snapshot'", |vault| vault.snapshot().is_err()),
        ("DELETE FROM entry WHERE seq = 4", |vault| vault.log_head().is_err()),
        ("DELETE FROM entry", |vault| vault.entries_after(Some(1)).is_err()),
        ("DELETE FROM entry WHERE seq = 2", |vault| vault.entries_after(Some(1)).is_err()),
        ("DELETE FROM entry WHERE seq = 3", |vault| vault.entries_after(Some(1)).is_err()),
        ("UPDATE entry SET payload = x'00' WHERE seq = 3", |vault| vault.entries_after(Some(1)).is_err()),
        ("UPDATE blob SET bytes = x'00'", |vault| vault.blob(&sha256(b"blob")).is_err()),
    ];
    for (change, shows) in tampering {
        let bench = Bench::new();
        let mut vault = bench.create();
        Device::make().begin(&mut vault);
        append(&mut vault, &LogBatch { blobs: vec![b"blob".to_vec()], ..batch(0..5) });
        assert!(!shows(&vault), "{change}");
        drop(vault);
        assert!(Connection::open(bench.profile.vault_path()).unwrap().execute(change, []).unwrap() > 0);
        assert!(shows(&bench.open()), "{change}");
    }
}

#[test]
fn the_pinned_head_survives_removal_and_enrolment_anew() {
    let bench = Bench::new();
    let mut vault = bench.create();
    Device::make().begin(&mut vault);
    let head = append(&mut vault, &batch(0..3));
    vault.transaction(|tx| tx.destroy_sync_half(End::Removed)).unwrap();
    assert_eq!(vault.log_head().unwrap(), head);
    Device::make().begin(&mut vault);
    assert_eq!(vault.log_head().unwrap(), head);
    drop(vault);
    let mut vault = bench.open();
    assert_eq!(vault.log_head().unwrap(), head);
    assert_eq!(**vault.snapshot().unwrap().unwrap().bytes, *b"state after 2");
    append(&mut vault, &batch(3..4));
}

#[test]
fn a_cleared_log_leaves_room_for_another() {
    let bench = Bench::new();
    let mut vault = bench.create();
    Device::make().begin(&mut vault);
    append(&mut vault, &LogBatch { blobs: vec![b"blob".to_vec()], ..batch(0..3) });
    vault.transaction(|tx| tx.set_recovery_record(b"record")).unwrap();
    vault.transaction(|tx| tx.clear_log()).unwrap();
    assert_eq!(vault.log_head().unwrap(), None);
    assert_eq!(vault.snapshot().unwrap(), None);
    assert_eq!(vault.recovery_record().unwrap(), None);
    assert!(!vault.has_blob(&sha256(b"blob")).unwrap());
    append(&mut vault, &batch(0..1));
    assert_eq!(vault.entries_after(None).unwrap(), [entry(0)]);
}

#[test]
fn a_vault_that_does_not_open_still_gives_what_the_recovery_code_needs() {
    let bench = Bench::new();
    let mut vault = bench.create_with("forgotten");
    Device::make().begin(&mut vault);
    append(&mut vault, &LogBatch { blobs: vec![b"blob".to_vec()], ..batch(0..3) });
    vault.transaction(|tx| tx.set_recovery_record(b"record")).unwrap();
    drop(vault);
    let copy = Bench::of_copy(&bench.file(), None, Default::default());
    let salvage = Salvage::open(&copy.profile).unwrap();
    assert_eq!(salvage.entries().unwrap(), [entry(0), entry(1), entry(2)]);
    assert_eq!(salvage.blob(&sha256(b"blob")).unwrap().unwrap(), b"blob");
    assert_eq!(salvage.blob(&sha256(b"other")).unwrap(), None);
    assert_eq!(salvage.recovery_record().unwrap().unwrap(), b"record");
    drop(salvage);
    assert_eq!(copy.file(), bench.file());
}

#[test]
fn the_recovery_record_is_kept_as_received_and_replaced() {
    let bench = Bench::new();
    let mut vault = bench.create();
    vault.transaction(|tx| tx.set_recovery_record(b"first")).unwrap();
    vault.transaction(|tx| tx.set_recovery_record(b"second")).unwrap();
    drop(vault);
    assert_eq!(bench.open().recovery_record().unwrap().unwrap(), b"second");
    Connection::open(bench.profile.vault_path())
        .unwrap()
        .execute("UPDATE log SET bytes = zeroblob(40) WHERE name = 'recovery'", [])
        .unwrap();
    assert!(bench.open().recovery_record().is_err());
}
