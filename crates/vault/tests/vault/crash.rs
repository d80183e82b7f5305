//! The power fails: whatever was acknowledged is there afterwards, and nothing is stuck.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyquay_vault::{End, OwnerProof, Profile, Vault, VaultError};

use crate::bench::{Bench, Device, account, labels, outbox, put, secret, wal_path};

/// The disk and the keyring as a crash at this moment would leave them.
struct Moment {
    name: &'static str,
    file: Vec<u8>,
    wal: Vec<u8>,
    entries: BTreeMap<String, Vec<u8>>,
}

impl Moment {
    fn restart(&self) -> Bench {
        Bench::of_copy(&self.file, Some(&self.wal), self.entries.clone())
    }
}

/// Runs `work` and returns the moments around each change of the keyring.
fn moments(bench: &Bench, work: impl FnOnce()) -> Vec<Moment> {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let profile = bench.profile.clone();
    let into = Arc::clone(&taken);
    bench.keyring.watch(Box::new(move |name, entries| {
        let file = std::fs::read(profile.vault_path()).unwrap();
        let wal = std::fs::read(wal_path(&profile)).unwrap_or_default();
        into.lock().unwrap().push(Moment { name, file, wal, entries: entries.clone() });
    }));
    work();
    bench.keyring.watch(Box::new(|_, _| {}));
    std::mem::take(&mut *taken.lock().unwrap())
}

#[test]
fn a_crash_while_the_local_key_is_replaced_loses_nothing_and_repeats_well() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let device = Device::make();
    device.begin(&mut vault);
    put(&mut vault, &account(1, "becomes synced"));
    put(&mut vault, &account(2, "stays"));
    vault.transaction(|tx| tx.put_record("email", b"a@example.org")).unwrap();
    let rotate = |vault: &mut Vault| {
        vault.transaction(|tx| {
            tx.purge_account(account(1, "").id)?;
            tx.rotate_local_key()
        })
    };
    let moments = moments(&bench, || rotate(&mut vault).unwrap());
    let names: Vec<&str> = moments.iter().map(|moment| moment.name).collect();
    assert_eq!(names, ["before set", "after set", "before delete", "after delete"]);

    for (step, moment) in moments.iter().enumerate() {
        let restarted = moment.restart();
        let mut vault = restarted.open();
        let expected: &[&str] = if step < 2 { &["becomes synced", "stays"] } else { &["stays"] };
        assert_eq!(labels(&vault), expected, "{}", moment.name);
        assert_eq!(**vault.record("email").unwrap().unwrap(), *b"a@example.org");
        device.assert_opened_by(&vault.open_sync(&device.share).unwrap());
        assert!(!vault.has_erasures().unwrap());
        rotate(&mut vault).unwrap();
        drop(vault);
        assert_eq!(labels(&restarted.open()), ["stays"]);
        let secrets = restarted.keyring.entries().into_keys().filter(|name| name.contains("local-secret"));
        assert_eq!(secrets.count(), 1, "{}: older secrets are erased", moment.name);
    }
}

#[test]
fn a_crash_while_a_device_enrols_leaves_it_enrolled_or_not() {
    let bench = Bench::new();
    let mut vault = bench.create();
    put(&mut vault, &account(1, "local"));
    let first = Device::make();
    first.begin(&mut vault);
    vault.transaction(|tx| tx.destroy_sync_half(End::SignedOff)).unwrap();
    let device = Device::make();
    let moments = moments(&bench, || drop(device.begin(&mut vault)));
    assert_eq!(moments.len(), 2 * (3 + 4), "three secrets are stored and four names erased");

    for (step, moment) in moments.iter().enumerate() {
        let restarted = moment.restart();
        let mut vault = restarted.open();
        assert_eq!(labels(&vault), ["local"]);
        if step < 6 {
            assert!(!vault.has_sync_half(), "{step}");
            let again = Device::make();
            again.begin(&mut vault);
            again.assert_opened_by(&vault.open_sync(&again.share).unwrap());
        } else {
            device.assert_opened_by(&vault.open_sync(&device.share).unwrap());
        }
        assert_eq!(restarted.keyring.entries().len(), 4, "{step}: nothing of an earlier device is left");
    }
}

#[test]
fn a_crash_while_a_removal_is_carried_out_leaves_the_synced_keys_closed() {
    let bench = Bench::new();
    let mut vault = bench.create_with("correct");
    put(&mut vault, &account(1, "local"));
    let device = Device::make();
    device.begin(&mut vault);
    vault.keep_share_offline(&device.share).unwrap();
    let moments = moments(&bench, || vault.transaction(|tx| tx.destroy_sync_half(End::Removed)).unwrap());
    assert_eq!(moments.len(), 4);

    for moment in moments {
        let restarted = moment.restart();
        let mut vault = restarted.try_open(Some("correct")).unwrap();
        assert!(matches!(vault.open_sync(&device.share), Err(VaultError::NoSyncHalf)));
        assert!(!vault.has_erasures().unwrap());
        let names: Vec<String> = restarted.keyring.entries().into_keys().collect();
        let is_secret = |name: &String| name.contains("sync-secret") || name.contains("offline-share");
        assert!(!names.iter().any(is_secret), "{names:?}");
        vault.clear_disabled(&OwnerProof::Passphrase(&secret("correct"))).unwrap();
        assert_eq!(labels(&vault), ["local"]);
    }
}

#[test]
fn a_crash_while_the_vault_is_made_leaves_none_and_it_can_be_made() {
    let bench = Bench::new();
    std::fs::write(bench.profile.dir().join("vault.sqlite.new"), b"half of a file").unwrap();
    assert!(!Vault::exists(&bench.profile).unwrap());
    let mut vault = bench.create();
    put(&mut vault, &account(1, "main"));
    drop(vault);
    assert_eq!(labels(&bench.open()), ["main"]);
    assert!(!bench.profile.dir().join("vault.sqlite.new").exists());
}

#[test]
fn a_wal_of_a_vault_that_was_removed_does_not_end_up_in_a_new_one() {
    let bench = Bench::new();
    let mut vault = bench.create();
    put(&mut vault, &account(1, "of the old vault"));
    let wal = bench.wal();
    assert!(!wal.is_empty());
    drop(vault);
    std::fs::remove_file(bench.profile.vault_path()).unwrap();
    std::fs::write(wal_path(&bench.profile), &wal).unwrap();
    let unfinished = bench.profile.dir().join("vault.sqlite.new-journal");
    std::fs::write(&unfinished, &wal).unwrap();
    let vault = bench.create();
    assert!(labels(&vault).is_empty());
    assert!(!unfinished.exists());
}

#[test]
fn a_passphrase_change_is_whole_or_not_at_all_at_every_frame_of_the_wal() {
    let bench = Bench::new();
    let mut vault = bench.create();
    put(&mut vault, &account(1, "local"));
    let device = Device::make();
    let sync = device.begin(&mut vault);
    vault.transaction(|tx| tx.put_edit(&sync, b"edit")).unwrap();
    vault.set_passphrase(None, Some(&secret("first")), Some(&device.share)).unwrap();
    let file = bench.file();
    // A reader of its own keeps the WAL from being written back.
    let reader = rusqlite::Connection::open(bench.profile.vault_path()).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM header").unwrap();
    vault.set_passphrase(Some(&secret("first")), Some(&secret("second")), Some(&device.share)).unwrap();
    let wal = bench.wal();
    assert!(wal.len() > 10_000, "{}", wal.len());

    let mut opened_by_second = 0;
    for cut in (0..=wal.len()).step_by(2048).chain([wal.len()]) {
        let restarted = Bench::of_copy(&file, Some(&wal[..cut]), bench.keyring.entries());
        let first = restarted.try_open(Some("first"));
        let vault = match first {
            Ok(vault) => vault,
            Err(VaultError::WrongPassphrase) => {
                opened_by_second += 1;
                restarted.try_open(Some("second")).unwrap()
            }
            Err(error) => panic!("{error}"),
        };
        let sync = vault.open_sync(&device.share).unwrap();
        device.assert_opened_by(&sync);
        assert_eq!(outbox(&vault, &sync), [b"edit"]);
        assert_eq!(labels(&vault), ["local"]);
    }
    assert!(opened_by_second > 0);
}

#[test]
fn accounts_acknowledged_before_a_kill_are_there_after_it() {
    let dir = tempfile::TempDir::new().unwrap();
    let mut acknowledged: Option<u8> = None;
    for round in 0..4_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "crash::writes_accounts_until_it_is_killed"])
            .env("KEYQUAY_TEST_DIR", dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        lines.find(|line| line.as_ref().unwrap().contains("open")).unwrap().unwrap();
        std::thread::sleep(Duration::from_millis(40 + 37 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let written = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("kept ")?.parse().ok());
        acknowledged = written.last().or(acknowledged);

        let profile = Profile::open(dir.path(), "main").unwrap();
        let vault = Vault::open(&profile, None, Some(&secret("correct"))).unwrap();
        let count = vault.accounts().unwrap().accounts.len();
        let expected = acknowledged.map_or(0, |last| usize::from(last) + 1);
        assert!(count == expected || count == expected + 1, "{count} accounts, {expected} acknowledged");
        assert_eq!(labels(&vault).len(), count);
    }
    assert!(acknowledged.is_some(), "no round was long enough to write anything");
}

#[test]
/// The part of the test above that runs in a process of its own; without a folder there is nothing to do.
fn writes_accounts_until_it_is_killed() {
    let Some(dir) = std::env::var_os("KEYQUAY_TEST_DIR") else { return };
    let profile = Profile::open(dir.as_ref(), "main").unwrap();
    let passphrase = secret("correct");
    let mut vault = if Vault::exists(&profile).unwrap() {
        Vault::open(&profile, None, Some(&passphrase)).unwrap()
    } else {
        Vault::create(&profile, None, Some(&passphrase)).unwrap()
    };
    println!("\nopen");
    let first = u8::try_from(vault.accounts().unwrap().accounts.len()).unwrap();
    for number in first..=u8::MAX {
        put(&mut vault, &account(number, "written"));
        println!("\nkept {number}");
        if number.is_multiple_of(4) {
            vault.transaction(|tx| tx.rotate_local_key()).unwrap();
        }
    }
}
