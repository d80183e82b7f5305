//! What a person sees first.

use crate::support::Desktop;

#[tokio::test]
async fn the_window_opens_with_its_three_tabs() {
    let Some(desktop) = Desktop::start().await else { return };
    let window = desktop.open_app("laptop").await;
    window.find("heading", "Welcome to Keyquay").await;
    window.screens("welcome").await;

    window.press("radio", "Use on this device only").await;
    window.press("button", "Start").await;
    for tab in ["Accounts", "Sync", "General"] {
        window.find("tab", tab).await;
    }
    window.screens("accounts-empty").await;
}

#[tokio::test]
async fn a_device_that_was_set_up_opens_on_its_accounts() {
    let Some(desktop) = Desktop::start().await else { return };
    let window = desktop.open_app("laptop").await;
    window.press("button", "Start").await;
    window.find("tab", "Accounts").await;
    window.close().await;

    let window = desktop.open_app("laptop").await;
    window.find("tab", "Accounts").await;
    assert!(!window.has("heading", "Welcome to Keyquay").await);
}

#[tokio::test]
async fn without_a_keyring_a_lock_passphrase_must_be_chosen_and_the_reason_is_said() {
    let Some(desktop) = Desktop::start_without_keyring().await else { return };
    let window = desktop.open_app("laptop").await;
    window.wait_for_text("A lock passphrase is needed").await;
    window.screens("welcome-without-keyring").await;
}
