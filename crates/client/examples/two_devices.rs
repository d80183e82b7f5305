//! The whole story between two devices without a screen, step by step: `cargo run --example two_devices`.
//!
//! A real sync server answers on loopback, real vaults rest on the disk, and mail goes to the server's outbox.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::Path;

use keyquay_client::view::accounts::{AccountEdit, AccountState};
use keyquay_client::view::welcome::SyncState;
use keyquay_server::testing::TestServer;
use support::{Device, Trader, is_in_files, secret};

#[tokio::main]
async fn main() {
    println!("Keyquay: two devices, one server, nobody at a screen.\n");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = TestServer::start().await.expect("the server starts");
    let mut trader = Trader::new("trader@example.com", server.clock());
    say(1, "A sync server runs on this computer", &[&format!("It answers at {}.", server.url())]);

    let desk = Device::start(folder.path(), "desk", server.clock()).await;
    let main_account = desk.add("binance", "Main", "AbCdEf-main-9xZ", "the-secret-of-main").await;
    let second = desk.add("kraken", "Second", "GhIjKl-second-8yY", "the-secret-of-second").await;
    let savings = desk.add("bybit", "Savings", "MnOpQr-savings-7wW", "the-secret-of-savings").await;
    desk.session.account_set_pinned(savings.id, true).await.expect("pinned");
    say(
        2,
        "The desk keeps three accounts in its vault",
        &[
            "Main, Second and Savings; Savings is pinned: keep local only.",
            "Sync is off. No packet has left the device.",
        ],
    );

    let choice = desk.register(&mut trader, &server).await;
    say(
        3,
        "Its owner opts in",
        &[
            "Registered with email and password; the address confirmed by mail.",
            "Second factor enrolled and given; ten backup codes kept.",
            "Verification mail requested, its page opened, its button pressed.",
            "Recovery kit made, one group of it typed again, then Genesis: the log begins.",
            &format!("{} accounts wait for the choice.", choice.local.len()),
        ],
    );

    desk.choose(&[&main_account.id, &second.id], &[]).await;
    desk.until_row("Main", AccountState::Synced).await;
    desk.until_row("Second", AccountState::Synced).await;
    say(4, "Two accounts are uploaded, sealed", &["Main and Second are synced. Savings stays where it is."]);

    let laptop = Device::start(folder.path(), "laptop", server.clock()).await;
    laptop.join(&mut trader, &server).await;
    laptop.choose(&[], &[]).await;
    laptop.until_row("Main", AccountState::Available).await;
    laptop.until_row("Second", AccountState::Available).await;
    let phrase = laptop.sync().await.this_device.map(|device| device.phrase).unwrap_or_default();
    say(
        5,
        "A laptop joins",
        &[
            "Signed in with password, Secret Key and second factor; verified by mail.",
            &format!("Its phrase, the same in the app and in the mail: {phrase}."),
            "It sees two accounts, and cannot use them before they are retrieved.",
        ],
    );

    let ids = laptop.accounts().await.rows.into_iter().map(|row| row.id).collect();
    laptop.session.accounts_retrieve(ids).await.expect("retrieved");
    let revealed = laptop.reveal("Main").await.expect("it opens");
    assert!(revealed.iter().any(|(_, value)| value == "the-secret-of-main"));
    say(6, "The laptop retrieves both", &["The secret of Main reads the same on both devices."]);

    let form = desk.session.account_form(main_account.id.clone()).await.expect("the form");
    let mut details = form.details;
    details.label = "Main (renamed)".to_owned();
    desk.session.account_edit(form.id, AccountEdit { details, fields: Vec::new() }).await.expect("edited");
    laptop.until_row("Main (renamed)", AccountState::Synced).await;
    say(7, "An edit on the desk shows on the laptop", &["Nobody pressed anything there."]);

    let own = laptop.add("bitfinex", "Only here", "StUvWx-laptop-6vV", "the-secret-of-the-laptop").await;
    laptop.session.account_set_pinned(own.id, true).await.expect("pinned");
    let resting =
        rests(folder.path(), &server, &["the-secret-of-main", "Savings", "binance", "trader@example.com"]);
    say(8, "What rests where", &resting.iter().map(String::as_str).collect::<Vec<_>>());

    let other = desk.sync().await.other_devices.into_iter().next().expect("the laptop is listed");
    let removal = desk
        .session
        .sync_device_remove(other.id.parse().expect("an id"), secret(&trader.password), trader.code())
        .await
        .expect("removed");
    laptop.until_status(SyncState::Removed).await;
    let view = laptop.accounts().await;
    let closed = view.closed.map_or(0, |closed| closed.count);
    say(
        9,
        "The desk removes the laptop",
        &[
            "Suspended at once; then password, second factor, and root's entry.",
            &format!("{} accounts are listed to be replaced at their exchanges.", removal.accounts.len()),
            &format!("On the laptop {closed} synced accounts are closed, and its own asks for proof."),
        ],
    );

    laptop.session.unlock_with_passphrase(secret("lock passphrase")).await.expect("it is the owner");
    laptop.until_row("Only here", AccountState::LocalOnlyPinned).await;
    say(10, "The lock passphrase opens what is the laptop's own", &["The synced accounts stay closed."]);

    laptop.session.sync_verify_again().await.expect("the server answers");
    laptop.join(&mut trader, &server).await;
    laptop.choose(&[], &[]).await;
    laptop.until_row("Main (renamed)", AccountState::Available).await;
    say(11, "Verified again, as a new device", &["The synced accounts are available once more."]);

    desk.session.sync_delete_everything(secret(&trader.password), trader.code()).await.expect("sync ends");
    desk.until_row("Main (renamed)", AccountState::LocalOnly).await;
    desk.session.stop().await;
    laptop.session.stop().await;
    say(
        12,
        "Sync is ended",
        &["Every account of the desk is a local one again; the server deletes after seven days."],
    );
    println!("The story is at its end, and every step of it was checked.");
}

fn say(number: usize, title: &str, lines: &[&str]) {
    println!("{number:>2}. {title}");
    for line in lines {
        println!("      {line}");
    }
    println!();
}

/// What is on the two disks and at the server, and what is in none of it.
fn rests(devices: &Path, server: &TestServer, needles: &[&str]) -> Vec<String> {
    let mut lines = Vec::new();
    for (who, folder) in [
        ("desk  ", devices.join("desk")),
        ("laptop", devices.join("laptop")),
        ("server", server.data_dir().to_owned()),
    ] {
        lines.push(format!("{who}  {}", files(&folder).join(", ")));
    }
    for needle in needles {
        let found = is_in_files(devices, needle) || is_in_files(server.data_dir(), needle);
        assert!(!found, "{needle} rests somewhere in the clear");
        lines.push(format!("\"{needle}\" is in none of these files."));
    }
    lines
}

fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            names.extend(files(&path));
        } else if let Some(name) = path.file_name() {
            let size = entry.metadata().map_or(0, |metadata| metadata.len().div_ceil(1024));
            names.push(format!("{} {size} KiB", name.to_string_lossy()));
        }
    }
    names.sort();
    names
}
