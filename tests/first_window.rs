//! What a person sees first.

use crate::support::Desktop;

#[tokio::test]
async fn the_window_opens_with_its_three_tabs() {
    let Some(desktop) = Desktop::start().await else { return };
    let window = desktop.open_app("first").await;
    for tab in ["Accounts", "Sync", "General"] {
        window.find("tab", tab).await;
    }
    window.screens("first-window").await;
}
