//! The main story between two sessions and a real server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use keyquay_client::view::accounts::{AccountEdit, AccountState, ClosedReason};
use keyquay_client::view::welcome::SyncState;
use support::{Device, Stage, is_in_files, secret};

impl Stage {
    /// Two devices; two accounts are synced, one is pinned on the first.
    async fn two_devices(&mut self) -> (Device, Device) {
        let desk = self.device("desk").await;
        let one = desk.add("binance", "Main", "key-of-main", "secret-of-main").await;
        let two = desk.add("kraken", "Second", "key-of-second", "secret-of-second").await;
        let pinned = desk.add("bybit", "Savings", "key-of-savings", "secret-of-savings").await;
        desk.session.account_set_pinned(pinned.id, true).await.expect("pinned");
        desk.register(&mut self.trader, &self.server).await;
        desk.choose(&[&one.id, &two.id], &[]).await;
        desk.until_row("Main", AccountState::Synced).await;
        desk.until_row("Second", AccountState::Synced).await;
        let laptop = self.device("laptop").await;
        laptop.join(&mut self.trader, &self.server).await;
        laptop.choose(&[], &[]).await;
        laptop.until_row("Main", AccountState::Available).await;
        (desk, laptop)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_travel_between_two_sessions_and_close_when_one_is_removed() {
    let mut stage = Stage::new().await;
    let (desk, laptop) = stage.two_devices().await;
    assert!(laptop.row("Savings").await.is_none(), "a pinned account never leaves its device");

    let main = laptop.row("Main").await.unwrap();
    assert!(laptop.session.account_reveal(main.id.clone()).await.is_err(), "not before it is retrieved");
    laptop.session.accounts_retrieve(vec![main.id]).await.expect("retrieved");
    let fields = laptop.reveal("Main").await.expect("retrieved accounts open");
    assert!(fields.contains(&("secret".to_owned(), "secret-of-main".to_owned())));

    let form = desk.session.account_form(desk.row("Main").await.unwrap().id).await.unwrap();
    let mut details = form.details;
    details.label = "Main, renamed".to_owned();
    desk.session.account_edit(form.id, AccountEdit { details, fields: Vec::new() }).await.expect("edited");
    laptop.until_row("Main, renamed", AccountState::Synced).await;

    let own = laptop.add("bitfinex", "Of the laptop", "key-of-laptop", "secret-of-laptop").await;
    laptop.session.account_set_pinned(own.id, true).await.expect("pinned");

    let other = desk.sync().await.other_devices[0].clone();
    let removal = desk
        .session
        .sync_device_remove(other.id.parse().unwrap(), secret(&stage.trader.password), stage.trader.code())
        .await
        .expect("removed");
    let mut listed: Vec<_> = removal.accounts.iter().map(|row| row.label.clone()).collect();
    listed.sort();
    assert_eq!(listed, ["Main, renamed", "Second"]);

    laptop.until_status(SyncState::Removed).await;
    let view = laptop.accounts().await;
    let closed = view.closed.expect("the synced accounts are closed");
    assert_eq!((closed.count, closed.reason), (2, ClosedReason::Removed));
    assert!(view.needs_proof, "its own account asks for proof");
    assert!(!view.rows.iter().any(|row| row.state == AccountState::LocalOnlyPinned));

    laptop.session.unlock_with_passphrase(secret("lock passphrase")).await.expect("it is the owner");
    laptop.until_row("Of the laptop", AccountState::LocalOnlyPinned).await;

    laptop.session.sync_verify_again().await.expect("the server answers");
    laptop.join(&mut stage.trader, &stage.server).await;
    laptop.choose(&[], &[]).await;
    laptop.until_row("Main, renamed", AccountState::Available).await;
    desk.session.stop().await;
    laptop.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_of_app_or_server_holds_a_secret_a_label_or_an_exchange() {
    let mut stage = Stage::new().await;
    let (desk, laptop) = stage.two_devices().await;
    for needle in
        ["secret-of-main", "key-of-main", "Savings", "secret-of-savings", "kraken", "trader@example.com"]
    {
        assert!(!is_in_files(stage.folder.path(), needle), "{needle} is in a file of a device");
        assert!(!is_in_files(stage.server.data_dir(), needle), "{needle} is in a file of the server");
    }
    std::fs::write(stage.folder.path().join("canary"), "xx secret-of-main xx").unwrap();
    assert!(is_in_files(stage.folder.path(), "secret-of-main"), "the search finds what is there");
    desk.session.stop().await;
    laptop.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_the_synced_accounts_open_with_the_servers_share() {
    let mut stage = Stage::new().await;
    let (desk, laptop) = stage.two_devices().await;
    desk.session.stop().await;
    stage.server.stop().await;
    let laptop = laptop.restart(stage.folder.path(), stage.server.clock()).await;
    let closed = laptop.accounts().await.closed.expect("closed without the server");
    assert_eq!((closed.count, closed.reason), (2, ClosedReason::NoServer));
    stage.server.resume().await.expect("the server is back");
    laptop.session.sync_now().await.expect("asked again");
    laptop.until_row("Main", AccountState::Available).await;
    laptop.session.stop().await;
}
