//! What a trader does with synced accounts, between two sessions and a real server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use keyquay_client::view::accounts::{AccountEdit, AccountRow, AccountState, VersionPart};
use keyquay_client::view::welcome::SyncState;
use keyquay_client::view::{Change, ProgressKind};
use keyquay_protocol::Code;
use keyquay_server::testing::TestServer;
use support::{Device, Trader, secret, wait};

struct Stage {
    server: TestServer,
    trader: Trader,
    folder: tempfile::TempDir,
}

impl Stage {
    async fn new() -> Self {
        let server = TestServer::start().await.expect("the server starts");
        let trader = Trader::new("trader@example.com", server.clock());
        Self { server, trader, folder: tempfile::tempdir().expect("a folder") }
    }

    async fn first(&mut self, uploaded: &[&str]) -> Device {
        let desk = Device::start(self.folder.path(), "desk", self.server.clock()).await;
        let mut ids = Vec::new();
        for label in uploaded {
            ids.push(
                desk.add("binance", label, &format!("key-{label}"), &format!("secret-{label}")).await.id,
            );
        }
        desk.register(&mut self.trader, &self.server).await;
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        desk.choose(&ids, &[]).await;
        for label in uploaded {
            desk.until_row(label, AccountState::Synced).await;
        }
        desk
    }

    async fn second(&mut self) -> Device {
        let laptop = Device::start(self.folder.path(), "laptop", self.server.clock()).await;
        laptop.join(&mut self.trader, &self.server).await;
        laptop.choose(&[], &[]).await;
        laptop
    }

    /// Two devices on which "Main" is synced.
    async fn two_devices(&mut self) -> (Device, Device) {
        let desk = self.first(&["Main"]).await;
        let laptop = self.second().await;
        let main = laptop.until_row("Main", AccountState::Available).await;
        laptop.session.accounts_retrieve(vec![main.id]).await.expect("retrieved");
        laptop.until_row("Main", AccountState::Synced).await;
        (desk, laptop)
    }

    /// The server goes, and both devices have noticed.
    async fn offline(&mut self, devices: &[&Device]) {
        self.server.stop().await;
        for device in devices {
            device.until_status(SyncState::Offline).await;
        }
    }

    async fn online(&mut self, devices: &[&Device]) {
        self.server.resume().await.expect("the server is back");
        // A server that was started anew numbers its mails anew.
        self.trader.mail = 0;
        for device in devices {
            device.session.sync_now().await.expect("asked");
            device.until_status(SyncState::Synced).await;
        }
    }
}

async fn rename(device: &Device, label: &str, new: &str) -> AccountRow {
    let id = device.row(label).await.expect("it has a row").id;
    let form = device.session.account_form(id.clone()).await.expect("it is usable");
    let mut details = form.details;
    details.label = new.to_owned();
    device.session.account_edit(id, AccountEdit { details, fields: Vec::new() }).await.expect("edited")
}

async fn secret_of(device: &Device, label: &str) -> Option<String> {
    let fields = device.reveal(label).await.ok()?;
    fields.into_iter().find(|(key, _)| key == "secret").map(|(_, value)| value)
}

async fn until_gone(device: &Device, label: &str) {
    let what = format!("{label} is gone from {}", device.name);
    wait(&what, async || device.row(label).await.is_none().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_edits_made_apart_are_both_kept_until_one_is_chosen() {
    let mut stage = Stage::new().await;
    let (desk, laptop) = stage.two_devices().await;
    stage.offline(&[&desk, &laptop]).await;
    assert_eq!(rename(&desk, "Main", "Of the desk").await.state, AccountState::Synced);
    assert_eq!(rename(&laptop, "Main", "Of the laptop").await.state, AccountState::Synced);
    stage.online(&[&desk, &laptop]).await;

    // The later of the two to arrive is in use; which one that is, is a matter of the network.
    let row = wait("both versions are kept", async || {
        let rows = laptop.accounts().await.rows;
        rows.into_iter().find(|row| row.state == AccountState::ConflictKept)
    })
    .await;
    desk.until_row(&row.label, AccountState::ConflictKept).await;
    let versions = laptop.session.account_conflict(row.id.clone()).await.expect("two versions");
    let [used, other] = versions.as_slice() else { panic!("two versions: {versions:?}") };
    assert!(used.current && !other.current);
    assert_eq!(used.label, row.label);
    assert!(["Of the desk", "Of the laptop"].contains(&other.label.as_str()) && other.label != used.label);
    assert_eq!(other.differs_in, [VersionPart::Label]);

    let unknown = laptop.session.account_choose_version(row.id.clone(), "0 7".to_owned(), false).await;
    assert_eq!(unknown.unwrap_err().code, Code::Cancelled);
    let chosen = laptop.session.account_choose_version(row.id, other.id.clone(), true).await.expect("chosen");
    assert_eq!((&chosen.label, chosen.state), (&other.label, AccountState::Synced));
    let copy = format!("{} (2)", used.label);
    laptop.until_row(&copy, AccountState::LocalOnly).await;
    desk.until_row(&other.label, AccountState::Synced).await;
    assert_eq!(secret_of(&laptop, &copy).await.as_deref(), Some("secret-Main"));
    desk.session.stop().await;
    laptop.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeping_an_account_local_withdraws_it_and_offers_the_others_a_copy() {
    let mut stage = Stage::new().await;
    let (desk, laptop) = stage.two_devices().await;
    let id = desk.row("Main").await.unwrap().id;
    let row = desk.session.account_keep_local(id.clone()).await.expect("withdrawn");
    assert_eq!(row.state, AccountState::LocalOnlyPinned);
    let copy = laptop.until_row("Main", AccountState::Withdrawn).await;
    assert_ne!(copy.id, id);
    let kept = laptop.session.account_keep_local(copy.id).await.expect("kept");
    assert_eq!(kept.state, AccountState::LocalOnlyPinned);
    assert_eq!(secret_of(&laptop, "Main").await.as_deref(), Some("secret-Main"));

    let desk = desk.restart(stage.folder.path(), stage.server.clock()).await;
    assert_eq!(desk.row("Main").await.unwrap().state, AccountState::LocalOnlyPinned);
    desk.until_status(SyncState::Synced).await;
    desk.session.accounts_upload(vec![id]).await.expect("uploaded again");
    desk.until_row("Main", AccountState::Synced).await;
    desk.session.stop().await;
    laptop.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_reaches_the_others_and_is_undone_everywhere() {
    let mut stage = Stage::new().await;
    let (desk, laptop) = stage.two_devices().await;
    let id = desk.row("Main").await.unwrap().id;
    desk.session.account_delete(id.clone()).await.expect("deleted");
    assert!(desk.row("Main").await.is_none());
    until_gone(&laptop, "Main").await;
    desk.until_status(SyncState::Synced).await;
    let row = desk.session.account_undelete(id.clone()).await.expect("undone");
    assert_eq!(row.state, AccountState::Synced);
    wait("the account is back", async || laptop.row("Main").await).await;

    // After a restart the content comes from the superseded blob.
    desk.session.account_delete(id.clone()).await.expect("deleted");
    until_gone(&laptop, "Main").await;
    let desk = desk.restart(stage.folder.path(), stage.server.clock()).await;
    desk.until_status(SyncState::Synced).await;
    desk.session.account_undelete(id).await.expect("undone");
    assert_eq!(secret_of(&desk, "Main").await.as_deref(), Some("secret-Main"));
    wait("the account is back", async || laptop.row("Main").await).await;

    // While it waits, a deletion is taken back without a trace.
    stage.offline(&[&desk]).await;
    let id = desk.row("Main").await.unwrap().id;
    rename(&desk, "Main", "Renamed offline").await;
    desk.session.account_delete(id.clone()).await.expect("deleted");
    desk.session.account_undelete(id).await.expect("undone");
    stage.online(&[&desk]).await;
    desk.until_row("Renamed offline", AccountState::Synced).await;
    wait("the edit arrives", async || laptop.row("Renamed offline").await).await;
    desk.session.stop().await;
    laptop.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_names_who_changed_what_and_brings_a_version_back() {
    let mut stage = Stage::new().await;
    let (desk, laptop) = stage.two_devices().await;
    rename(&desk, "Main", "By the desk").await;
    laptop.until_row("By the desk", AccountState::Synced).await;
    stage.server.clock().turn(60);
    rename(&laptop, "By the desk", "By the laptop").await;
    let row = desk.until_row("By the laptop", AccountState::Synced).await;
    assert!(row.has_history);

    let history = desk.session.account_history(row.id.clone()).await.expect("three versions");
    let told: Vec<_> = history
        .iter()
        .map(|version| {
            (version.label.as_str(), version.device.as_deref(), version.this_device, version.current)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("By the laptop", Some("laptop"), false, true),
            ("By the desk", None, true, false),
            ("Main", None, true, false),
        ]
    );
    assert_eq!(history[0].differs_in, [VersionPart::Label]);
    let first = history[2].id.clone();
    desk.session.account_restore_version(row.id.clone(), first).await.expect("restored");
    laptop.until_row("Main", AccountState::Synced).await;
    desk.until_status(SyncState::Synced).await;
    assert_eq!(desk.session.account_history(row.id).await.expect("four versions").len(), 4);
    desk.session.stop().await;
    laptop.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_connect_takes_every_account_both_ways_but_pinned_ones_only_when_named() {
    let mut stage = Stage::new().await;
    let desk = stage.first(&["Main"]).await;
    let laptop = stage.second().await;
    laptop.until_row("Main", AccountState::Available).await;
    laptop.add("kraken", "Free", "key-free", "secret-free").await;
    let pinned = laptop.add("kraken", "Pinned", "key-pinned", "secret-pinned").await;
    let named = laptop.add("kraken", "Named", "key-named", "secret-named").await;
    for id in [&pinned.id, &named.id] {
        laptop.session.account_set_pinned(id.clone(), true).await.expect("pinned");
    }
    let preview = laptop.session.accounts_auto_connect_preview().await.expect("a preview");
    assert_eq!((preview.local.len(), preview.available.len()), (3, 1));

    let view = laptop.session.accounts_set_auto_connect(true, vec![named.id]).await.expect("switched on");
    assert!(view.auto_connect);
    for label in ["Free", "Named", "Main"] {
        laptop.until_row(label, AccountState::Synced).await;
    }
    assert_eq!(laptop.row("Pinned").await.unwrap().state, AccountState::LocalOnlyPinned);
    desk.until_row("Free", AccountState::Available).await;
    desk.until_row("Named", AccountState::Available).await;

    // New ones too: added here, and added elsewhere.
    laptop.add("kraken", "Added here", "key-here", "secret-here").await;
    desk.until_row("Added here", AccountState::Available).await;
    let there = desk.add("kraken", "Added there", "key-there", "secret-there").await;
    desk.session.accounts_upload(vec![there.id]).await.expect("uploaded");
    laptop.until_row("Added there", AccountState::Synced).await;
    assert_eq!(secret_of(&laptop, "Added there").await.as_deref(), Some("secret-there"));
    let view = laptop.session.accounts_set_auto_connect(false, Vec::new()).await.expect("switched off");
    assert!(!view.auto_connect);
    desk.session.stop().await;
    laptop.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_chosen_while_closed_is_done_when_the_server_answers() {
    let mut stage = Stage::new().await;
    let desk = stage.first(&["Main"]).await;
    let given_up = desk.add("kraken", "Given up", "key-given-up", "secret-given-up").await.id;
    stage.offline(&[&desk]).await;
    desk.session.accounts_upload(vec![given_up.clone()]).await.expect("asked for");
    desk.until_row("Given up", AccountState::WaitingToUpload).await;
    let desk = desk.restart(stage.folder.path(), stage.server.clock()).await;
    let closed = desk.accounts().await.closed.expect("the synced account is closed");
    assert_eq!(closed.count, 1);

    let chosen = desk.add("kraken", "Chosen", "key-chosen", "secret-chosen").await.id;
    desk.session.accounts_upload(vec![chosen.clone()]).await.expect("asked for");
    desk.until_row("Chosen", AccountState::WaitingToUpload).await;
    rename(&desk, "Chosen", "Chosen and renamed").await;
    let row = desk.session.account_keep_local(given_up).await.expect("given up");
    assert_eq!(row.state, AccountState::LocalOnlyPinned);

    stage.online(&[&desk]).await;
    desk.until_row("Chosen and renamed", AccountState::Synced).await;
    assert_eq!(desk.row("Given up").await.unwrap().state, AccountState::LocalOnlyPinned);
    let laptop = stage.second().await;
    laptop.until_row("Chosen and renamed", AccountState::Available).await;
    laptop.until_row("Main", AccountState::Available).await;
    assert!(laptop.row("Given up").await.is_none());
    desk.session.stop().await;
    laptop.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retrieving_tells_how_far_it_is_and_asks_for_the_share() {
    let mut stage = Stage::new().await;
    let desk = stage.first(&["One", "Two", "Three"]).await;
    let laptop = stage.second().await;
    let mut ids = Vec::new();
    for label in ["One", "Two", "Three"] {
        ids.push(laptop.until_row(label, AccountState::Available).await.id);
    }
    // The sealed copies have come by then, which has a progress of its own.
    laptop.until_status(SyncState::Synced).await;
    let mut changes = laptop.session.changes();
    laptop.session.accounts_retrieve(ids.clone()).await.expect("retrieved");
    let progress: Vec<_> = std::iter::from_fn(|| changes.try_recv().ok())
        .filter_map(|change| match change {
            Change::Progress { progress } if progress.what == ProgressKind::Retrieving => {
                Some((progress.done, progress.total))
            }
            _ => None,
        })
        .collect();
    assert_eq!(progress, [(0, 3), (3, 3)]);
    laptop.session.accounts_retrieve(ids).await.expect("nothing left to do");

    stage.offline(&[&laptop]).await;
    let laptop = laptop.restart(stage.folder.path(), stage.server.clock()).await;
    let unknown = "00112233445566778899aabbccddeeff".to_owned();
    let closed = laptop.session.accounts_retrieve(vec![unknown]).await.unwrap_err();
    assert_eq!(closed.code, Code::Closed);
    desk.session.stop().await;
    laptop.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_lock_passphrase_keeps_synced_accounts_and_is_refused_while_they_are_closed() {
    let mut stage = Stage::new().await;
    let desk = stage.first(&["Main"]).await;
    let set = async |desk: &Device, old: &str, new: &str| {
        desk.session.general_set_passphrase(Some(secret(old)), Some(secret(new))).await
    };
    set(&desk, "lock passphrase", "another passphrase").await.expect("changed");
    rename(&desk, "Main", "Renamed").await;
    desk.until_status(SyncState::Synced).await;
    set(&desk, "another passphrase", "lock passphrase").await.expect("changed back");
    stage.offline(&[&desk]).await;
    let desk = desk.restart(stage.folder.path(), stage.server.clock()).await;
    let refused = set(&desk, "lock passphrase", "another passphrase").await.unwrap_err();
    assert_eq!(refused.code, Code::Closed);
    stage.online(&[&desk]).await;
    desk.until_row("Renamed", AccountState::Synced).await;
    assert_eq!(secret_of(&desk, "Renamed").await.as_deref(), Some("secret-Main"));
    desk.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_use_opens_synced_accounts_without_the_server_until_it_is_switched_off() {
    let mut stage = Stage::new().await;
    let desk = stage.first(&["Main"]).await;
    assert!(desk.session.general_set_offline_use(true).await.expect("switched on").offline_use);
    stage.offline(&[&desk]).await;
    let desk = desk.restart(stage.folder.path(), stage.server.clock()).await;
    assert_eq!(secret_of(&desk, "Main").await.as_deref(), Some("secret-Main"));
    assert!(!desk.session.general_set_offline_use(false).await.expect("switched off").offline_use);
    let desk = desk.restart(stage.folder.path(), stage.server.clock()).await;
    assert_eq!(desk.accounts().await.closed.expect("closed").count, 1);
    desk.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_holds_synced_accounts_and_comes_back_beside_closed_ones_as_copies() {
    let mut stage = Stage::new().await;
    let desk = stage.first(&["Main"]).await;
    desk.add("kraken", "Local", "key-local", "secret-local").await;
    let file = stage.folder.path().join("backup.age").display().to_string();
    let passphrase = || secret("passphrase of the backup");
    let written = desk.session.general_export_backup(file.clone(), passphrase()).await.expect("written");
    assert_eq!((written.accounts, written.closed), (2, 0));
    let restored = desk.session.general_restore_backup(file.clone(), passphrase()).await.expect("restored");
    assert_eq!((restored.added, restored.updated, restored.unchanged), (0, 0, 2));

    stage.offline(&[&desk]).await;
    let desk = desk.restart(stage.folder.path(), stage.server.clock()).await;
    let other = stage.folder.path().join("other.age").display().to_string();
    let written = desk.session.general_export_backup(other, passphrase()).await.expect("written");
    assert_eq!((written.accounts, written.closed), (1, 1));
    for (added, unchanged) in [(1, 1), (0, 2)] {
        let restored =
            desk.session.general_restore_backup(file.clone(), passphrase()).await.expect("restored");
        assert_eq!((restored.added, restored.unchanged), (added, unchanged));
    }
    assert_eq!(secret_of(&desk, "Main").await.as_deref(), Some("secret-Main"));
    stage.online(&[&desk]).await;
    let mains = wait("both are listed", async || {
        let rows = desk.accounts().await.rows;
        let mut states: Vec<_> =
            rows.into_iter().filter(|row| row.label == "Main").map(|row| row.state).collect();
        states.sort_by_key(|state| format!("{state:?}"));
        (states.len() == 2).then_some(states)
    })
    .await;
    assert_eq!(mains, [AccountState::LocalOnly, AccountState::Synced]);
    desk.session.stop().await;
}
