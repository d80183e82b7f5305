//! Accounts in the window of one device: added, looked at, copied, and locked away.

use fantoccini::key::Key;

use crate::support::{Desktop, Window, wait_for};

const KEY: &str = "AbCdEfGh0123456789AbCdEfGh0123456789AbCdEfGh0123456789AbCdEfGh9x";
const SECRET: &str = "ZyXwVuTs9876543210ZyXwVuTs9876543210ZyXwVuTs9876543210ZyXwVuTs12";
const PASSPHRASE: &str = "a lock passphrase";

/// A window on a new vault.
async fn on_a_new_vault(desktop: &Desktop) -> Window {
    let window = desktop.open_app("laptop").await;
    window.press("button", "Start").await;
    window.find("tab", "Accounts").await;
    window
}

async fn add_binance(window: &Window, label: &str) {
    window.press("button", "Add account").await;
    window.find("combobox", "Exchange").await.send_keys("binance").await.unwrap();
    window.type_key(Key::Enter).await;
    window.fill("API key", KEY).await;
    window.fill("API secret", SECRET).await;
    window.fill("Label", label).await;
    window.press("button", "Add account").await;
    window.account_row(label).await;
}

#[tokio::test]
async fn an_added_account_shows_its_keys_only_when_asked() {
    let Some(desktop) = Desktop::start().await else { return };
    let window = on_a_new_vault(&desktop).await;
    add_binance(&window, "Main account").await;
    window.wait_for_text("Local only").await;
    let text = window.text().await;
    assert!(text.contains("AbC…h9x") && !text.contains(KEY) && !text.contains(SECRET), "{text}");
    window.screens("accounts").await;

    window.press("button", "Main account").await;
    window.find("dialog", "Main account").await;
    assert!(!window.text().await.contains(SECRET));
    window.press("button", "Reveal").await;
    window.wait_for_text(SECRET).await;
    window.screens("account-revealed").await;
    window.press("button", "Copy API secret").await;
    wait_for("the secret on the clipboard", async || (desktop.clipboard() == SECRET).then_some(())).await;
}

#[tokio::test]
async fn locking_closes_the_accounts_and_clears_what_was_copied() {
    let Some(desktop) = Desktop::start().await else { return };
    let window = on_a_new_vault(&desktop).await;
    add_binance(&window, "Main account").await;
    window.press("tab", "General").await;
    window.press("button", "Set lock passphrase").await;
    window.fill("New lock passphrase", PASSPHRASE).await;
    window.fill("New lock passphrase, again", PASSPHRASE).await;
    window.press("button", "Set").await;
    window.wait_for_text("Lock passphrase set").await;
    window.screens("general").await;

    window.press("tab", "Accounts").await;
    window.press("button", "Main account").await;
    window.press("button", "Copy API key").await;
    wait_for("the key on the clipboard", async || (desktop.clipboard() == KEY).then_some(())).await;
    window.run("document.querySelector('dialog').close()").await;
    window.press("button", "Lock now").await;
    window.find("heading", "Keyquay is locked").await;
    wait_for("an empty clipboard", async || desktop.clipboard().is_empty().then_some(())).await;
    assert!(!window.text().await.contains("Main account"));
    window.screens("locked").await;

    window.fill("Lock passphrase", "not this one").await;
    window.press("button", "Unlock").await;
    window.wait_for_text("The lock passphrase is wrong").await;
    window.fill("Lock passphrase", PASSPHRASE).await;
    window.press("button", "Unlock").await;
    window.account_row("Main account").await;
    window.close().await;
    assert_eq!(desktop.clipboard(), "");

    let window = desktop.open_app("laptop").await;
    window.find("heading", "Keyquay is locked").await;
}

#[tokio::test]
async fn a_second_app_on_one_profile_says_who_has_it() {
    let Some(desktop) = Desktop::start().await else { return };
    let _first = on_a_new_vault(&desktop).await;
    let second = desktop
        .command(env!("CARGO_BIN_EXE_keyquay"))
        .args(["--profile", "test", "--data-dir"])
        .arg(desktop.data_folder("laptop"))
        .output()
        .unwrap();
    let message = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(75), "{message}");
    assert!(message.contains("This profile is open in another Keyquay"), "{message}");
}

#[tokio::test]
async fn the_window_locks_with_the_screen() {
    let Some(desktop) = Desktop::start().await else { return };
    let window = on_a_new_vault(&desktop).await;
    let lock = serde_json::json!({ "current": null, "passphrase": PASSPHRASE });
    window.call("general_set_passphrase", lock).await.unwrap();
    let tell = |active: &str| {
        let signal = ["--session", "--type=signal", "/org/freedesktop/ScreenSaver"];
        let member = "org.freedesktop.ScreenSaver.ActiveChanged";
        let told = desktop.command("dbus-send").args(signal).args([member, active]).status().unwrap();
        assert!(told.success());
    };
    tell("boolean:false");
    window.press("tab", "General").await;
    tell("boolean:true");
    window.find("heading", "Keyquay is locked").await;
}
