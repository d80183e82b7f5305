//! The other ways through the story: sync switched on under General, a device without a lock passphrase, proof by
//! signing in.

use crate::support::{Desktop, Server, Window};
use crate::trader::{Keys, PASSWORD, Trader};

const SWITCH: &str = "Sync exchange API keys across devices";
const OWN: Keys = Keys {
    exchange: "Bitfinex",
    label: "Of the laptop",
    key: "3fKx8LmWq2ZtVn7RbYg5Hs1PdJc9EeUaOi4TwXvMkQz",
    secret_name: "API secret",
    secret: "9tRq5ZxWv2LmKn8BbYg1Hs7PdJc3EeUaOi6TwXfMkQz",
};

#[tokio::test]
async fn sync_switched_on_under_general_is_the_same_and_signing_in_proves_who_holds_a_removed_device() {
    let Some(desktop) = Desktop::start().await else { return };
    let Some(mut trader) = Trader::start().await else { return };
    let server = Server::start(&trader.mailbox).await;
    let desk = desktop.open_app("desk").await;
    desk.start_local().await;
    desk.press("tab", "General").await;
    desk.press("switch", SWITCH).await;
    trader.set_up_first_device(&desk, &server.address(), "Desk").await;
    desk.wait_for_text("There is no account yet.").await;
    trader.finish(&desk).await;
    both_switches_are_one(&desk).await;

    let laptop = desktop.open_app("laptop").await;
    laptop.start_local().await;
    laptop.add_account(&OWN, true).await;
    laptop.add_account(&Keys { label: "For all", ..OWN }, false).await;
    laptop.press("tab", "General").await;
    laptop.press("switch", SWITCH).await;
    trader.name_server(&laptop, &server.address()).await;
    trader.join(&laptop, "Laptop").await;
    trader.say_same(&laptop).await;
    laptop.tick("Auto connect all accounts").await;
    laptop.screens("70-choose-auto-connect").await;
    trader.finish(&laptop).await;
    laptop.press("tab", "Accounts").await;
    laptop.until_state("For all", "Synced").await;
    laptop.until_state(OWN.label, "Local only, pinned").await;
    desk.press("tab", "Accounts").await;
    desk.until_state("For all", "Available: Retrieve").await;
    assert!(desk.state_of(OWN.label).await.is_none(), "what is pinned stays on its device");

    desk.press("tab", "Sync").await;
    desk.press("button", "Remove Laptop").await;
    desk.press("button", "Remove").await;
    desk.find("button", "Remove for good").await;
    trader.give_proof(&desk).await;
    desk.press("button", "Remove for good").await;
    desk.find("dialog", "Replace the keys “Laptop” held").await;

    laptop.press("button", "Prove it is you").await;
    laptop.fill("Password", PASSWORD).await;
    laptop.fill("Second-factor code", &trader.code().await).await;
    laptop.screens("71-prove-by-signing-in").await;
    laptop.press("button", "Prove it is me").await;
    laptop.until_state(OWN.label, "Local only, pinned").await;
    laptop.screens("72-proven-by-signing-in").await;
    desk.close().await;
    laptop.close().await;
}

/// What is switched under one tab shows under the other.
async fn both_switches_are_one(desk: &Window) {
    desk.find("switch", SWITCH).await;
    assert!(desk.is_on(SWITCH).await);
    desk.press("tab", "Accounts").await;
    assert!(desk.is_on("Sync API keys").await);
    desk.press("switch", "Sync API keys").await;
    desk.wait_for_text("Sync is paused").await;
    desk.press("tab", "General").await;
    assert!(!desk.is_on(SWITCH).await);
    desk.press("switch", SWITCH).await;
    desk.wait_for_text("Synced just now").await;
    desk.press("tab", "Accounts").await;
    assert!(desk.is_on("Sync API keys").await);
}
