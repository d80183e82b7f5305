//! What sync promises, between sessions and a real server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::time::Duration;

use keyquay_client::view::accounts::{AccountEdit, AccountState, ClosedReason};
use keyquay_client::view::welcome::SyncState;
use keyquay_protocol::Code;
use keyquay_server::testing::TestServer;
use support::{Device, Stage, new_account, options, secret, wait};

async fn rename(device: &Device, from: &str, to: &str) {
    let row = device.row(from).await.expect("the account has a row");
    let mut details = device.session.account_form(row.id.clone()).await.unwrap().details;
    details.label = to.to_owned();
    device.session.account_edit(row.id, AccountEdit { details, fields: Vec::new() }).await.expect("edited");
}

#[tokio::test(flavor = "multi_thread")]
async fn before_opt_in_no_connection_is_attempted() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start().await.unwrap();
    let mut options = options(&folder.path().join("desk"), "desk", server.clock());
    options.suggested_server = Some(address.clone());
    let session = keyquay_client::session::Session::start(options).await.unwrap();
    session.welcome_start(Some(secret("lock passphrase"))).await.unwrap();
    session.account_add(new_account("binance", "Main", "key", "secret-of-main")).await.unwrap();
    session.sync_view().await.unwrap();
    session.general_view().await.unwrap();
    session.sync_setup_view().await.unwrap();
    assert!(session.sync_set_on(true).await.is_err(), "the switch alone opens the stepper");
    let attempted = tokio::time::timeout(Duration::from_millis(700), listener.accept()).await;
    assert!(attempted.is_err(), "a connection was attempted");

    // The same listener sees the first packet of the step that its owner takes.
    let asked = tokio::spawn(async move { session.sync_setup_server(address).await });
    let seen = tokio::time::timeout(Duration::from_secs(5), listener.accept()).await;
    assert!(seen.is_ok(), "the listener sees what there is");
    asked.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_second_factor_the_server_answers_nothing_of_sync() {
    let mut stage = Stage::new().await;
    let desk = stage.device("desk").await;
    desk.session.sync_setup_server(stage.server.url().to_owned()).await.unwrap();
    let (email, password) = (stage.trader.email.clone(), stage.trader.password.clone());
    desk.session.sync_setup_register(email, secret(&password)).await.unwrap();
    stage.trader.confirm_next_mail(&stage.server).await;
    desk.session.sync_setup_check().await.unwrap();
    let refused = desk.session.sync_setup_request_mail("desk".to_owned()).await.unwrap_err();
    assert_eq!(refused.code, Code::SecondFactorRequired);
    desk.session.sync_setup_enrol_second_factor().await.unwrap();
    let wrong = desk.session.sync_setup_confirm_second_factor("000000".to_owned()).await;
    assert_eq!(wrong.err().map(|problem| problem.code), Some(Code::SecondFactor));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_secret_key_is_caught_before_anything_is_sent() {
    let mut stage = Stage::new().await;
    let desk = stage.first().await;
    let laptop = stage.device("laptop").await;
    laptop.session.sync_setup_server(stage.server.url().to_owned()).await.unwrap();
    let mut typed = stage.trader.secret_key.clone();
    let last = typed.pop().unwrap();
    typed.push(if last == '0' { '1' } else { '0' });
    let sign_in = |key: String| {
        let (email, password) = (stage.trader.email.clone(), secret(&stage.trader.password));
        laptop.session.sync_setup_sign_in(email, password, Some(secret(&key)))
    };
    assert_eq!(sign_in(typed).await.unwrap_err().code, Code::SecretKeyCheck);
    assert_eq!(sign_in(stage.trader.recovery_code.clone()).await.unwrap_err().code, Code::SecretKeyKind);
    assert_eq!(sign_in("KQ1-ABC".to_owned()).await.unwrap_err().code, Code::SecretKeyShape);
    desk.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_of_a_mail_works_once_and_refusing_it_suspends_the_device() {
    let mut stage = Stage::new().await;
    let desk = stage.first().await;
    let laptop = stage.device("laptop").await;
    laptop.session.sync_setup_server(stage.server.url().to_owned()).await.unwrap();
    let (email, password) = (stage.trader.email.clone(), secret(&stage.trader.password));
    let key = Some(secret(&stage.trader.secret_key));
    laptop.session.sync_setup_sign_in(email, password, key).await.unwrap();
    laptop.session.sync_setup_prove_second_factor(stage.trader.code()).await.unwrap();
    laptop.session.sync_setup_request_mail("laptop".to_owned()).await.unwrap();
    let link = stage.trader.next_link(&stage.server).await;
    let page = reqwest::get(&link).await.unwrap();
    assert_eq!(page.status(), 200, "a scanner that opens the link sees the page");
    let view = laptop.session.sync_setup_check().await.unwrap();
    assert_eq!(
        view.step,
        keyquay_client::view::sync::SetupStep::Verification,
        "and verifies nothing by that"
    );
    assert_eq!(support::answer_link(&link, "refuse").await, 200);
    assert_eq!(support::answer_link(&link, "confirm").await, 410, "a link works once");
    let refused = laptop.session.sync_setup_check().await.unwrap_err();
    assert_eq!(refused.code, Code::Suspended);
    desk.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_connect_uploads_and_retrieves_everything_but_what_is_pinned() {
    let mut stage = Stage::new().await;
    let desk = stage.first().await;
    let pinned = desk.add("bybit", "Savings", "key-of-savings", "secret-of-savings").await;
    desk.session.account_set_pinned(pinned.id.clone(), true).await.unwrap();
    desk.add("kraken", "Second", "key-of-second", "secret-of-second").await;
    let preview = desk.session.accounts_auto_connect_preview().await.unwrap();
    assert_eq!(preview.local.len(), 2, "the confirmation lists the pinned one too");
    desk.session.accounts_set_auto_connect(true, Vec::new()).await.unwrap();
    desk.until_row("Second", AccountState::Synced).await;
    desk.until_row("Savings", AccountState::LocalOnlyPinned).await;

    let laptop = stage.second().await;
    laptop.session.accounts_set_auto_connect(true, Vec::new()).await.unwrap();
    laptop.until_row("Second", AccountState::Synced).await;
    desk.add("bitfinex", "New", "key-of-new", "secret-of-new").await;
    laptop.until_row("New", AccountState::Synced).await;
    assert!(laptop.row("Savings").await.is_none());
    assert!(laptop.reveal("New").await.unwrap().iter().any(|(_, value)| value == "secret-of-new"));
    for device in [desk, laptop] {
        device.session.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_made_offline_arrive_later_and_of_two_edits_both_versions_are_kept() {
    let mut stage = Stage::new().await;
    let desk = stage.first().await;
    let laptop = stage.second().await;
    stage.server.stop().await;
    desk.until_status(SyncState::Offline).await;
    laptop.until_status(SyncState::Offline).await;
    rename(&desk, "Main", "Main of the desk").await;
    rename(&laptop, "Main", "Main of the laptop").await;
    assert_eq!(desk.sync().await.status.waiting, 1);
    stage.server.resume().await.unwrap();
    desk.session.sync_now().await.unwrap();
    laptop.session.sync_now().await.unwrap();
    let conflict = |device: Device| async move {
        let row = wait("both versions are kept", async || {
            device.accounts().await.rows.into_iter().find(|row| row.state == AccountState::ConflictKept)
        })
        .await;
        let versions = device.session.account_conflict(row.id.clone()).await.unwrap();
        let mut labels: Vec<_> = versions.iter().map(|version| version.label.clone()).collect();
        labels.sort();
        assert_eq!(labels, ["Main of the desk", "Main of the laptop"], "on {}", device.name);
        (device, row, versions)
    };
    let (desk, row, versions) = conflict(desk).await;
    let (laptop, ..) = conflict(laptop).await;
    let mine = versions.iter().find(|version| version.label == "Main of the desk").unwrap();
    desk.session.account_choose_version(row.id, mine.id.clone(), false).await.unwrap();
    laptop.until_row("Main of the desk", AccountState::Synced).await;
    for device in [desk, laptop] {
        device.session.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_kept_local_leaves_the_server_and_stays_as_a_copy_where_it_was_used() {
    let mut stage = Stage::new().await;
    let desk = stage.first().await;
    let laptop = stage.second().await;
    let main = desk.row("Main").await.unwrap();
    desk.session.account_keep_local(main.id).await.unwrap();
    desk.until_row("Main", AccountState::LocalOnlyPinned).await;
    laptop.until_row("Main", AccountState::Withdrawn).await;
    assert!(desk.reveal("Main").await.unwrap().iter().any(|(_, value)| value == "secret-of-main"));
    let phone = stage.device("phone").await;
    let view = phone.join(&mut stage.trader, &stage.server).await;
    assert!(view.available.is_empty(), "a later device sees nothing of it");
    for device in [desk, laptop, phone] {
        device.session.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_device_closes_and_comes_back_with_password_and_second_factor() {
    let mut stage = Stage::new().await;
    let desk = stage.first().await;
    let laptop = stage.second().await;
    let id = desk.sync().await.other_devices[0].id.parse().unwrap();
    desk.session.sync_device_suspend(id).await.unwrap();
    laptop.until_status(SyncState::Suspended).await;
    assert_eq!(laptop.accounts().await.closed.map(|closed| closed.reason), Some(ClosedReason::Suspended));
    let password = || secret(&stage.trader.password);
    let wrong = laptop.session.sync_resume_device(secret("not the password"), stage.trader.code()).await;
    assert_eq!(wrong.unwrap_err().code, Code::SignIn);
    laptop.session.sync_resume_device(password(), stage.trader.code()).await.expect("back");
    laptop.until_row("Main", AccountState::Synced).await;
    for device in [desk, laptop] {
        device.session.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_cut_off_closes_when_its_lease_ends_and_not_before() {
    let mut stage = Stage::new().await;
    let desk = stage.first().await;
    let laptop = stage.second().await;
    desk.session.stop().await;
    stage.server.stop().await;
    laptop.until_status(SyncState::Offline).await;
    stage.server.clock().turn(23 * 60 * 60);
    laptop.sync().await;
    assert!(laptop.reveal("Main").await.is_ok(), "an outage shorter than the lease stops nobody");
    stage.server.clock().turn(2 * 60 * 60);
    laptop.sync().await;
    assert_eq!(laptop.accounts().await.closed.map(|closed| closed.reason), Some(ClosedReason::NoServer));
    laptop.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asleep_the_synced_keys_are_closed_and_awake_they_come_back() {
    let mut stage = Stage::new().await;
    let desk = stage.first().await;
    desk.session.forget_share();
    let view = desk.accounts().await;
    assert_eq!(view.closed.map(|closed| closed.count), Some(1));
    assert!(view.rows.is_empty(), "no label opens without the share");
    desk.session.sync_now().await.unwrap();
    desk.until_row("Main", AccountState::Synced).await;
    desk.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_removed_while_it_was_off_opens_nothing_at_its_next_start() {
    let mut stage = Stage::new().await;
    let desk = stage.first().await;
    let laptop = stage.second().await;
    laptop.session.stop().await;
    let id = desk.sync().await.other_devices[0].id.parse().unwrap();
    let (password, code) = (secret(&stage.trader.password), stage.trader.code());
    desk.session.sync_device_remove(id, password, code).await.expect("removed");
    let laptop = laptop.restart(stage.folder.path(), stage.server.clock()).await;
    laptop.until_status(SyncState::Removed).await;
    let view = laptop.accounts().await;
    assert!(view.rows.iter().all(|row| row.label != "Main"), "not even the label opens");
    assert_eq!(view.closed.map(|closed| closed.count), Some(1));
    for device in [desk, laptop] {
        device.session.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_set_back_to_an_earlier_log_is_noticed_and_nothing_local_is_lost() {
    let mut stage = Stage::new().await;
    let desk = stage.first().await;
    stage.server.stop().await;
    let earlier = tempfile::tempdir().unwrap();
    copy(stage.server.data_dir(), earlier.path());
    stage.server.resume().await.unwrap();
    desk.session.sync_now().await.unwrap();
    desk.until_status(SyncState::Synced).await;
    rename(&desk, "Main", "Main, renamed").await;
    wait("the edit is acknowledged", async || (desk.sync().await.status.waiting == 0).then_some(())).await;
    desk.until_status(SyncState::Synced).await;
    stage.server.stop().await;
    copy(earlier.path(), stage.server.data_dir());
    stage.server.resume().await.unwrap();
    desk.session.sync_now().await.unwrap();
    desk.until_status(SyncState::Stopped).await;
    let problem = desk.sync().await.status.problem.expect("it says why");
    assert_eq!(problem.code, Code::OtherHistory.as_str());
    assert!(desk.reveal("Main, renamed").await.is_ok(), "what was open stays open");
    desk.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recovery_code_opens_every_synced_account_without_a_server() {
    let mut stage = Stage::new().await;
    let desk = stage.first().await;
    desk.session.stop().await;
    stage.server.stop().await;
    let desk = desk.restart(stage.folder.path(), stage.server.clock()).await;
    assert!(desk.row("Main").await.is_none(), "without the server it is closed");
    let other = keyquay_crypto::RecoveryCode::make_random().to_written();
    let other = keyquay_crypto::ExposeSecret::expose_secret(&other).to_owned();
    let wrong = desk.session.general_open_without_server(secret(&other)).await;
    assert_eq!(wrong.unwrap_err().code, Code::RecoveryCodeWrong);
    let code = secret(&stage.trader.recovery_code);
    let opened = desk.session.general_open_without_server(code).await.expect("it opens");
    assert_eq!((opened.accounts, opened.damaged), (1, 0));
    desk.until_row("Main", AccountState::LocalOnly).await;
    assert!(desk.reveal("Main").await.unwrap().iter().any(|(_, value)| value == "secret-of-main"));
    desk.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_off_nothing_travels_and_nothing_is_deleted() {
    let mut stage = Stage::new().await;
    let desk = stage.first().await;
    let laptop = stage.second().await;
    laptop.session.sync_set_on(false).await.unwrap();
    laptop.until_status(SyncState::Paused).await;
    rename(&desk, "Main", "Main, renamed").await;
    desk.until_row("Main, renamed", AccountState::Synced).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(laptop.row("Main").await.is_some(), "off pauses and deletes nothing");
    laptop.session.sync_set_on(true).await.unwrap();
    laptop.until_row("Main, renamed", AccountState::Synced).await;
    for device in [desk, laptop] {
        device.session.stop().await;
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(to).unwrap().flatten() {
        std::fs::remove_file(entry.path()).unwrap();
    }
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
