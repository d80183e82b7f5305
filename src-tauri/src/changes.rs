//! The session's changes, on their way to the page.

use keyquay_client::session::Session;
use keyquay_client::view::Change;
use keyquay_client::view::general::GeneralView;
use keyquay_client::view::welcome::Stage;
use tauri::{AppHandle, Emitter, Manager};
use tokio::sync::broadcast::error::RecvError;

use crate::autolock::Autolock;
use crate::clipboard::Clipboard;
use crate::{surroundings, window};

/// The one event that the page hears.
const CHANGE: &str = "keyquay://change";

/// Tells the page every change, for as long as the session lives.
pub fn forward(app: &AppHandle, session: &Session) {
    let mut changes = session.changes();
    let (app, session) = (app.clone(), session.clone());
    tauri::async_runtime::spawn(async move {
        loop {
            match changes.recv().await {
                Ok(change) => pass_on(&app, change),
                // So much has changed that some of it was dropped: tell how everything stands now.
                Err(RecvError::Lagged(_)) => {
                    for change in everything(&session).await {
                        pass_on(&app, change);
                    }
                }
                Err(RecvError::Closed) => return,
            }
        }
    });
}

/// What this desktop can do is its own to say.
pub fn on_this_desktop(view: GeneralView) -> GeneralView {
    // Nobody is there to use a file chooser in a driven window.
    GeneralView { can_choose_files: !surroundings::is_driven(), ..view }
}

fn pass_on(app: &AppHandle, change: Change) {
    let change = match change {
        Change::General { view } => Change::General { view: on_this_desktop(view) },
        change => change,
    };
    if let Change::App { view } = &change {
        match view.stage {
            Stage::Open => app.state::<Autolock>().touch(),
            Stage::Locked | Stage::Welcome => forget_copied(app),
        }
    }
    if app.emit_to(window::LABEL, CHANGE, change).is_err() {
        tracing::warn!("the window did not hear of a change");
    }
}

fn forget_copied(app: &AppHandle) {
    let clipboard = app.state::<Clipboard>().inner().clone();
    tauri::async_runtime::spawn_blocking(move || clipboard.clear());
}

/// Every view that can be had at this stage.
async fn everything(session: &Session) -> Vec<Change> {
    let mut changes = Vec::new();
    changes.extend(session.app_view().await.map(|view| Change::App { view }));
    changes.extend(session.accounts_view().await.map(|view| Change::Accounts { view }));
    changes.extend(session.sync_view().await.map(|view| Change::Sync { view }));
    changes.extend(session.general_view().await.map(|view| Change::General { view }));
    changes
}
