//! The choosers of macOS and Windows.

use std::path::PathBuf;

use tauri::WebviewWindow;

use super::Question;

pub async fn ask(window: &WebviewWindow, question: Question) -> tauri::Result<Option<PathBuf>> {
    let dialog = rfd::AsyncFileDialog::new().set_title(question.title).set_parent(window);
    let chosen = if question.saves {
        dialog.set_file_name(question.name).save_file().await
    } else {
        dialog.pick_file().await
    };
    Ok(chosen.map(|file| file.path().to_owned()))
}
