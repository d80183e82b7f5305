//! What stays on the device: everything before sync is switched on, and afterwards what is kept local.

use serde_json::json;

use crate::support::{Desktop, Recorder, Server};
use crate::trader::{Keys, Trader};

const SYNCED: Keys = Keys {
    exchange: "Kraken",
    label: "Carried to others",
    key: "qSkXpL2mTz8vWf4nRb6yHd1jKg9cZs3aEx5uVo7iMt0wQrYeNlBhUfJk",
    secret_name: "Private key",
    secret: "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9dE1fG3hI5jK7lM9nO1pQ3rS5tU7vW9xY1zA3bC5dE7fG==",
};
const LOCAL: Keys = Keys {
    label: "Canary, never synced",
    key: "canaryKey1XpL2mTz8vWf4nRb6yHd1jKg9cZs3aEx5uVo7iMt0wQrYeN",
    ..SYNCED
};
const PINNED: Keys = Keys {
    label: "Canary, pinned",
    key: "canaryKey2XpL2mTz8vWf4nRb6yHd1jKg9cZs3aEx5uVo7iMt0wQrYeN",
    ..SYNCED
};

#[tokio::test]
async fn before_sync_is_switched_on_nothing_connects_to_the_server_that_is_filled_in() {
    let Some(desktop) = Desktop::start().await else { return };
    let recorder = Recorder::start().await;
    let window = desktop.open_app_with_server("desk", &recorder.address()).await;
    window.start_local().await;
    window.add_account(&LOCAL, false).await;
    window.add_account(&PINNED, true).await;
    window.choose_in_menu(LOCAL.label, "Edit…").await;
    window.fill("Label", "Renamed").await;
    window.press("button", "Save").await;
    window.until_state("Renamed", "Local only").await;
    for tab in ["Sync", "General", "Accounts"] {
        window.press("tab", tab).await;
    }
    window.close().await;

    let window = desktop.open_app_with_server("desk", &recorder.address()).await;
    window.until_state("Renamed", "Local only").await;
    window.press("switch", "Sync API keys").await;
    window.find("heading", "Which server should carry your keys?").await;
    assert_eq!(recorder.connections(), 0, "the address is only filled in");

    window.press("button", "Continue").await;
    window.wait_for_text("The server cannot be reached.").await;
    assert!(recorder.connections() > 0, "the recorder sees who connects");
    window.close().await;
}

#[tokio::test]
async fn a_local_only_account_never_passes_between_device_and_server_sealed_or_not() {
    let Some(desktop) = Desktop::start().await else { return };
    let Some(mut trader) = Trader::start().await else { return };
    let recorder = Recorder::start().await;
    let server = Server::start_behind(&recorder, &trader.mailbox).await;
    let window = desktop.open_app("desk").await;
    window.start_local().await;
    window.add_account(&SYNCED, false).await;
    window.add_account(&LOCAL, false).await;
    window.add_account(&PINNED, true).await;
    let synced = window.account_id(SYNCED.label).await;
    let kept = [window.account_id(LOCAL.label).await, window.account_id(PINNED.label).await];

    trader.set_up_by_commands(&window, &server.address(), &[&synced]).await;
    window.until_state(SYNCED.label, "Synced").await;
    for label in [LOCAL.label, PINNED.label] {
        window.choose_in_menu(label, "Edit…").await;
        window.press("button", "Save").await;
        window.wait_until_gone("dialog", &format!("Edit “{label}”")).await;
    }
    window.press("switch", "Auto connect all accounts").await;
    window.wait_for_text("Pinned “Keep local only”").await;
    window.press("button", "Cancel").await;
    window.call("sync_now", json!({})).await.unwrap();
    window.until_state(LOCAL.label, "Local only").await;
    window.until_state(PINNED.label, "Local only, pinned").await;
    window.close().await;

    for trace in [LOCAL, PINNED, SYNCED].iter().flat_map(Keys::traces) {
        assert!(!recorder.saw(trace), "{trace} passed");
    }
    for id in &kept {
        assert!(!recorder.saw(id) && !recorder.saw(raw(id)), "an entry about {id} passed");
    }
    assert!(recorder.saw(raw(&synced)), "an entry about what is synced passes, and is seen");
    assert!(recorder.saw(trader.email), "what is sent in the clear is seen");
}

/// The sixteen bytes of an account's id, as an entry of the log carries them.
fn raw(id: &str) -> Vec<u8> {
    (0..id.len()).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()).collect()
}
