//! The system's file chooser.

#[cfg_attr(target_os = "linux", path = "file_dialog/gtk.rs")]
#[cfg_attr(not(target_os = "linux"), path = "file_dialog/native.rs")]
mod system;

use std::path::PathBuf;

use keyquay_client::view::general::FilePurpose;
use tauri::WebviewWindow;

/// What the chooser says, and what it starts from.
struct Question {
    title: &'static str,
    saves: bool,
    name: String,
}

/// Asks for a file; `None` when its owner changed their mind.
pub async fn choose(
    window: &WebviewWindow,
    purpose: FilePurpose,
    suggested_backup: String,
) -> tauri::Result<Option<PathBuf>> {
    let question = match purpose {
        FilePurpose::SaveBackup => {
            Question { title: "Back up to a file", saves: true, name: suggested_backup }
        }
        FilePurpose::OpenBackup => {
            Question { title: "Restore from a file", saves: false, name: String::new() }
        }
        FilePurpose::SaveKit => Question {
            title: "Save the recovery kit",
            saves: true,
            name: "keyquay-recovery-kit.txt".to_owned(),
        },
    };
    system::ask(window, question).await
}
