//! The whole story, through the windows of two devices.

use serde_json::json;

use crate::support::{Desktop, Recorder, Server, Window, wait_for};
use crate::trader::{Keys, Trader, phrase};

const MAIN: Keys = Keys {
    exchange: "Binance",
    label: "Main",
    key: "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
    secret_name: "API secret",
    secret: "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
};
const LONG_TERM: Keys = Keys {
    exchange: "Kraken",
    label: "Long term",
    key: "qSkXpL2mTz8vWf4nRb6yHd1jKg9cZs3aEx5uVo7iMt0wQrYeNlBhUfJk",
    secret_name: "Private key",
    secret: "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9dE1fG3hI5jK7lM9nO1pQ3rS5tU7vW9xY1zA3bC5dE7fG==",
};
const SAVINGS: Keys = Keys {
    exchange: "Bybit",
    label: "Savings, at home",
    key: "Xk29fLmQ7vTz4RwB1c",
    secret_name: "API secret",
    secret: "pL8sWq3ZxV6nYb1TgHr5Jk0MdFc7Ee2UaOi9",
};
const TRAVEL: Keys = Keys {
    exchange: "Bitfinex",
    label: "Travel, laptop alone",
    key: "3fKx8LmWq2ZtVn7RbYg5Hs1PdJc9EeUaOi4TwXvMkQz",
    secret_name: "API secret",
    secret: "9tRq5ZxWv2LmKn8BbYg1Hs7PdJc3EeUaOi6TwXfMkQz",
};
const PASSPHRASE: &str = "the laptop's own passphrase";

#[tokio::test]
async fn keys_travel_to_a_second_device_and_close_when_it_is_removed() {
    let Some(desktop) = Desktop::start().await else { return };
    let Some(mut trader) = Trader::start().await else { return };
    let recorder = Recorder::start().await;
    let server = Server::start_behind(&recorder, &trader.mailbox).await;
    let desk = desktop.open_app_with_server("desk", &server.address()).await;

    keep_keys_on_the_desk(&desktop, &desk).await;
    assert_eq!(recorder.connections(), 0, "before sync is switched on nobody connects");
    switch_on_under_accounts(&mut trader, &desk, &server).await;
    upload_two_of_three(&trader, &desk).await;
    let laptop = desktop.open_app("laptop").await;
    join_on_the_laptop(&mut trader, &desk, &laptop, &server).await;
    retrieve_one_and_then_all(&desk, &laptop).await;
    edit_here_and_see_it_there(&desk, &laptop).await;
    connect_all_but_the_laptops_own(&desk, &laptop).await;
    let laptop = restart(&desktop, laptop).await;
    remove_the_laptop(&mut trader, &desk, &laptop).await;
    prove_it_with_the_passphrase(&laptop).await;
    verify_the_laptop_again(&mut trader, &laptop).await;
    end_sync(&mut trader, &desk, &laptop).await;

    for trace in SAVINGS.traces().into_iter().chain(TRAVEL.traces()).chain(MAIN.traces()) {
        assert!(!recorder.saw(trace), "{trace} passed between device and server");
    }
    assert!(recorder.saw(trader.email), "the recorder sees what passes");
    desk.close().await;
    laptop.close().await;
}

async fn keep_keys_on_the_desk(desktop: &Desktop, desk: &Window) {
    desk.start_local().await;
    desk.screens("01-accounts-empty").await;
    desk.fill_account(&MAIN, false).await;
    desk.screens("02-add-account").await;
    desk.press("button", "Add account").await;
    desk.until_state("Main", "Local only").await;
    desk.add_account(&LONG_TERM, false).await;
    desk.add_account(&SAVINGS, true).await;
    desk.until_state("Savings, at home", "Local only, pinned").await;
    desk.screens("03-accounts-local").await;

    desk.choose_in_menu("Main", "Reveal keys").await;
    desk.wait_for_text(MAIN.secret).await;
    desk.press("button", "Copy API secret").await;
    wait_for("the secret on the clipboard", async || (desktop.clipboard() == MAIN.secret).then_some(()))
        .await;
    desk.wait_for_text("the clipboard is cleared in 30 s").await;
    desk.screens("04-revealed").await;
    desk.press("button", "Close").await;
    desk.wait_until_gone("dialog", "Main").await;
    assert!(!desk.text().await.contains(MAIN.secret), "what was revealed goes with its dialog");

    desk.press("tab", "Sync").await;
    desk.find("heading", "Sync is off").await;
    desk.screens("05-sync-off").await;
    desk.press("tab", "General").await;
    desk.find("switch", "Sync exchange API keys across devices").await;
    desk.screens("06-general").await;
    desk.press("tab", "Accounts").await;
}

async fn switch_on_under_accounts(trader: &mut Trader, desk: &Window, server: &Server) {
    desk.press("switch", "Sync API keys").await;
    desk.find("heading", "Which server should carry your keys?").await;
    desk.screens("10-server").await;
    trader.name_server(desk, &server.address()).await;
    desk.screens("11-register").await;
    trader.register(desk).await;
    desk.screens("12-confirm-address").await;
    trader.confirm_address(desk).await;
    trader.browser.screenshot("13-page-address-confirmed").await;

    go_on_without_a_second_factor(desk).await;
    trader.scan_qr_code(desk).await;
    desk.screens("15-second-factor").await;
    desk.fill("Six-digit code", &trader.wrong_code()).await;
    desk.press("button", "Confirm").await;
    desk.wait_for_text("The code is wrong or was used already.").await;
    desk.screens("16-second-factor-wrong").await;
    trader.enrol(desk).await;
    desk.press("button", "Continue").await;
    desk.wait_for_text("Keep the codes first").await;
    desk.screens("17-backup-codes").await;
    trader.keep_backup_codes(desk).await;

    desk.screens("18-verify-request").await;
    trader.request_mail(desk, "Desk").await;
    desk.screens("19-verify-wait").await;
    trader.open_verification(desk).await;
    trader.browser.screenshot("20-page-verify").await;
    trader.confirm_verification().await;
    trader.browser.screenshot("21-page-verified").await;

    trader.copy_kit(desk).await;
    desk.screens("22-kit").await;
    desk.press("button", "I have it").await;
    let (field, group) = trader.asked_group(desk).await;
    let other = if group.starts_with('0') { "11111" } else { "00000" };
    desk.fill(&field, other).await;
    desk.press("button", "Confirm").await;
    desk.wait_for_text("That is not the group we asked for.").await;
    desk.screens("23-kit-confirm").await;
    trader.type_group(desk).await;
}

/// Neither window nor server lets anybody past the second factor.
async fn go_on_without_a_second_factor(desk: &Window) {
    desk.press("button", "Confirm").await;
    desk.wait_for_text("Enter the code that your authenticator app shows.").await;
    for (command, arguments) in [
        ("sync_setup_request_mail", json!({ "deviceName": "Desk" })),
        ("sync_setup_kit", json!({})),
        ("accounts_upload", json!({ "accounts": [desk.account_id("Main").await] })),
    ] {
        let refused = desk.call(command, arguments).await;
        assert!(refused.is_err(), "{command} without a second factor: {refused:?}");
    }
    let problem = desk.call("sync_setup_request_mail", json!({ "deviceName": "Desk" })).await.unwrap_err();
    assert_eq!(problem["code"], "second_factor_required", "{problem}");

    desk.press("button", "Continue later").await;
    desk.wait_until_gone("dialog", "Set up sync").await;
    assert!(!desk.is_on("Sync API keys").await, "no second factor, no sync");
    desk.until_state("Main", "Local only").await;
    desk.press("tab", "Sync").await;
    desk.wait_for_text("Next: Prove or set up your second factor.").await;
    desk.screens("14-sync-without-second-factor").await;
    desk.press("button", "Continue").await;
}

async fn upload_two_of_three(trader: &Trader, desk: &Window) {
    desk.wait_for_text("Pinned: stays local").await;
    desk.press("button", "Upload all").await;
    desk.screens("24-choose").await;
    desk.press("button", "Finish").await;
    desk.find("heading", "Sync is on").await;
    desk.screens("25-sync-is-on").await;
    desk.press("button", "Done").await;
    desk.press("tab", "Accounts").await;
    for label in ["Main", "Long term"] {
        desk.until_state(label, "Synced").await;
    }
    desk.until_state("Savings, at home", "Local only, pinned").await;
    assert!(desk.is_on("Sync API keys").await);
    desk.screens("26-accounts-synced").await;
    desk.press("tab", "Sync").await;
    desk.wait_for_text("This device: Desk").await;
    let uploads = desk.text().await.matches("This device uploaded").count();
    assert_eq!(uploads, 2, "the pinned account is not in the log: {}", desk.text().await);
    desk.screens("27-sync-first-device").await;
    desk.press("tab", "General").await;
    desk.wait_for_text(trader.email).await;
    desk.screens("28-general-synced").await;
}

async fn join_on_the_laptop(trader: &mut Trader, desk: &Window, laptop: &Window, server: &Server) {
    laptop.press("radio", "I already use Keyquay: sign in").await;
    laptop.run("document.querySelector('details').open = true").await;
    laptop.fill("Lock passphrase", PASSPHRASE).await;
    laptop.fill("Lock passphrase, again", PASSPHRASE).await;
    laptop.screens("30-welcome-sign-in").await;
    laptop.press("button", "Start").await;
    trader.name_server(laptop, &server.address()).await;
    laptop.fill("Email", trader.email).await;
    laptop.fill("Password", "not the password").await;
    laptop.fill("Secret Key", &trader.secret_key).await;
    laptop.press("button", "Continue").await;
    laptop.wait_for_text("Email or password is wrong.").await;
    laptop.screens("31-sign-in-refused").await;
    trader.sign_in(laptop).await;
    laptop.screens("32-second-factor-code").await;
    trader.prove_second_factor(laptop).await;
    trader.verify_by_mail(laptop, "Laptop").await;

    laptop.find("heading", "Compare with another device").await;
    let seen = phrase(laptop, "Phrase of the history").await;
    laptop.screens("33-compare").await;
    desk.press("tab", "Sync").await;
    desk.device_row("Laptop").await;
    desk.run("document.querySelector('.history-phrase').open = true").await;
    assert_eq!(phrase(desk, "Phrase of the history").await, seen, "both devices show the same history");
    desk.screens("34-sync-two-devices").await;
    trader.say_same(laptop).await;
    for label in ["Main", "Long term"] {
        laptop.wait_for_text(label).await;
    }
    laptop.screens("35-choose-on-laptop").await;
    trader.finish(laptop).await;
}

async fn retrieve_one_and_then_all(desk: &Window, laptop: &Window) {
    for label in ["Main", "Long term"] {
        laptop.until_state(label, "Available: Retrieve").await;
    }
    assert!(laptop.state_of(SAVINGS.label).await.is_none(), "what is pinned stays where it is");
    laptop.screens("40-available").await;
    let main = laptop.account_id("Main").await;
    assert!(
        laptop.call("account_reveal", json!({ "account": main })).await.is_err(),
        "not before it is retrieved"
    );
    laptop.press("button", "Available: Retrieve, Main").await;
    laptop.until_state("Main", "Synced").await;
    laptop.until_state("Long term", "Available: Retrieve").await;
    laptop.choose_in_menu("Main", "Reveal keys").await;
    laptop.wait_for_text(MAIN.secret).await;
    laptop.press("button", "Close").await;

    upload_many(desk).await;
    laptop.wait_for_text("accounts are available on the server").await;
    wait_for("all accounts of the desk", async || {
        (laptop.count("Available: Retrieve").await == MANY + 1).then_some(())
    })
    .await;
    watch_progress(laptop).await;
    laptop.press("button", "Retrieve all").await;
    wait_for("all to be retrieved", async || (laptop.count("Synced").await == MANY + 2).then_some(())).await;
    let progress = laptop.run("return window.progressSeen").await;
    let total = MANY + 1;
    let sentences: Vec<String> = serde_json::from_value(progress).unwrap();
    assert!(
        sentences.iter().any(|sentence| sentence.contains(&format!("of {total}"))),
        "a bar showed how far it was: {sentences:?}"
    );
    laptop.screens("41-retrieved").await;
}

const MANY: usize = 12;

/// More accounts on the desk: added at once, and uploaded with one click each in a row's menu would take a minute.
async fn upload_many(desk: &Window) {
    desk.press("tab", "Accounts").await;
    let mut ids = Vec::new();
    for number in 1..=MANY {
        let account = json!({
            "exchange": "okx",
            "details": {
                "label": format!("Strategy {number}"), "tags": ["bots"], "note": "", "environment": "live",
                "permissions": { "read": "yes", "trade": "yes", "withdraw": "no" }, "ipNote": "", "expiresOn": null,
            },
            "fields": [
                { "key": "apiKey", "label": null, "secret": null, "value": format!("0b2f7c1e-4d3a-4b5c-8e6f-{number:012}") },
                { "key": "secret", "label": null, "secret": null, "value": "8F2C41D09B7A4E63A1C5D8E7F6B09324" },
                { "key": "password", "label": null, "secret": null, "value": "a passphrase of the exchange" },
            ],
            "pinned": false,
        });
        let row = desk.call("account_add", json!({ "account": account })).await.unwrap();
        ids.push(row["id"].clone());
    }
    desk.call("accounts_upload", json!({ "accounts": ids })).await.unwrap();
    wait_for("all to be uploaded", async || (desk.count("Synced").await == MANY + 2).then_some(())).await;
}

/// Keeps every sentence that the progress bar shows from now on.
async fn watch_progress(window: &Window) {
    let script = "window.progressSeen = [];
        const bar = document.querySelector('#accounts kq-progress');
        new MutationObserver(() => { if (!bar.hidden) window.progressSeen.push(bar.innerText); })
            .observe(bar, { subtree: true, childList: true, characterData: true, attributes: true })";
    window.run(script).await;
}

async fn edit_here_and_see_it_there(desk: &Window, laptop: &Window) {
    desk.choose_in_menu("Main", "Edit…").await;
    desk.fill("Label", "Main, spot only").await;
    desk.screens("42-edit").await;
    desk.press("button", "Save").await;
    desk.wait_until_gone("dialog", "Edit “Main”").await;
    laptop.until_state("Main, spot only", "Synced").await;
    laptop.screens("43-edit-arrived").await;
}

async fn connect_all_but_the_laptops_own(desk: &Window, laptop: &Window) {
    laptop.press("switch", "Auto connect all accounts").await;
    laptop.find("dialog", "Auto connect all accounts?").await;
    laptop.wait_for_text("All your accounts are carried already.").await;
    laptop.screens("44-auto-connect").await;
    laptop.press("button", "Auto connect").await;
    laptop.wait_until_gone("dialog", "Auto connect all accounts?").await;
    assert!(laptop.is_on("Auto connect all accounts").await);

    let new = Keys { label: "From the laptop", ..MAIN };
    laptop.add_account(&new, false).await;
    laptop.until_state(new.label, "Synced").await;
    desk.until_state(new.label, "Available: Retrieve").await;
    laptop.add_account(&TRAVEL, true).await;
    laptop.until_state(TRAVEL.label, "Local only, pinned").await;
    desk.add_account(&Keys { label: "From the desk", ..LONG_TERM }, false).await;
    desk.choose_in_menu("From the desk", "Upload").await;
    laptop.until_state("From the desk", "Synced").await;
    laptop.screens("45-auto-connected").await;
}

/// After a restart the passphrase opens the vault and the server its synced half.
async fn restart(desktop: &Desktop, laptop: Window) -> Window {
    laptop.close().await;
    let laptop = desktop.open_app("laptop").await;
    laptop.find("heading", "Keyquay is locked").await;
    laptop.screens("46-locked").await;
    laptop.fill("Lock passphrase", PASSPHRASE).await;
    laptop.press("button", "Unlock").await;
    laptop.until_state("Main, spot only", "Synced").await;
    laptop
}

async fn remove_the_laptop(trader: &mut Trader, desk: &Window, laptop: &Window) {
    desk.press("tab", "Sync").await;
    desk.press("button", "Remove Laptop").await;
    desk.find("dialog", "Remove “Laptop”?").await;
    desk.screens("50-remove").await;
    desk.press("button", "Remove").await;
    desk.find("button", "Remove for good").await;
    laptop.wait_for_text("This device is suspended").await;
    laptop.screens("51-suspended").await;
    trader.give_proof(desk).await;
    desk.screens("52-remove-proof").await;
    desk.press("button", "Remove for good").await;
    desk.find("dialog", "Replace the keys “Laptop” held").await;
    desk.tick("Main, spot only").await;
    desk.wait_for_text("1 of 16 keys replaced").await;
    desk.screens("53-replace").await;
    desk.press("button", "Continue later").await;

    laptop.wait_for_text("Disabled: this device was removed").await;
    assert!(laptop.state_of("Main, spot only").await.is_none(), "a synced account is closed, its label too");
    laptop.screens("54-removed").await;
    laptop.press("tab", "Sync").await;
    laptop.screens("55-removed-sync").await;
    laptop.press("tab", "Accounts").await;
    desk.screens("56-sync-after-removal").await;
}

async fn prove_it_with_the_passphrase(laptop: &Window) {
    assert_ne!(
        laptop.state_of(TRAVEL.label).await.as_deref(),
        Some("Local only, pinned"),
        "it asks for proof first"
    );
    laptop.press("button", "Prove it is you").await;
    laptop.fill("Lock passphrase", "a guess of the thief").await;
    laptop.press("button", "Prove it is me").await;
    laptop.wait_for_text("The lock passphrase is wrong.").await;
    laptop.screens("57-prove").await;
    laptop.fill("Lock passphrase", PASSPHRASE).await;
    laptop.press("button", "Prove it is me").await;
    laptop.until_state(TRAVEL.label, "Local only, pinned").await;
    laptop.wait_for_text("16 synced accounts, Disabled: this device was removed").await;
    laptop.screens("58-proven").await;
}

async fn verify_the_laptop_again(trader: &mut Trader, laptop: &Window) {
    laptop.press("button", "Verify this device again").await;
    trader.join(laptop, "Laptop").await;
    trader.say_same(laptop).await;
    laptop.press("button", "Retrieve all").await;
    laptop.find("button", "Retrieve none").await;
    laptop.screens("59-verified-again").await;
    trader.finish(laptop).await;
    laptop.press("tab", "Accounts").await;
    laptop.until_state("Main, spot only", "Synced").await;
    laptop.until_state(TRAVEL.label, "Local only, pinned").await;
    laptop.screens("60-back").await;
}

async fn end_sync(trader: &mut Trader, desk: &Window, laptop: &Window) {
    laptop.press("switch", "Sync API keys").await;
    laptop.wait_for_text("Sync is paused").await;
    assert!(!laptop.is_on("Sync API keys").await);
    laptop.screens("61-paused").await;
    laptop.press("switch", "Sync API keys").await;
    laptop.until_state("Main, spot only", "Synced").await;

    desk.press("tab", "Sync").await;
    desk.press("button", "Delete everything…").await;
    trader.give_proof(desk).await;
    desk.screens("62-delete-everything").await;
    desk.press("button", "Delete everything").await;
    desk.wait_for_text("Your accounts are on this device as local ones.").await;
    desk.find("button", "Set up sync again").await;
    desk.screens("63-ended").await;
    desk.press("tab", "Accounts").await;
    desk.until_state("Main, spot only", "Local only").await;
    laptop.wait_for_text("Until then you can keep the synced accounts here as local ones.").await;
    laptop.screens("64-ended-elsewhere").await;
    laptop.press("button", "Keep all as local").await;
    laptop.until_state("Main, spot only", "Local only").await;
    laptop.wait_until_gone("button", "Keep all as local").await;
    laptop.screens("65-kept-local").await;
}
