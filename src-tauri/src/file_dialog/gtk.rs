//! GTK's own chooser, which takes the desktop portal's where there is one and needs none.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use gtk::prelude::{FileChooserExt, NativeDialogExt};
use gtk::{FileChooserAction, FileChooserNative, ResponseType};
use tauri::WebviewWindow;
use tokio::sync::oneshot;

use super::Question;

pub async fn ask(window: &WebviewWindow, question: Question) -> tauri::Result<Option<PathBuf>> {
    let (answer, chosen) = oneshot::channel();
    let parent = window.clone();
    window.run_on_main_thread(move || show(&parent, &question, answer))?;
    // A window that closes meanwhile has chosen nothing.
    Ok(chosen.await.ok().flatten())
}

fn show(parent: &WebviewWindow, question: &Question, answer: oneshot::Sender<Option<PathBuf>>) {
    let (action, accept) =
        if question.saves { (FileChooserAction::Save, "Save") } else { (FileChooserAction::Open, "Open") };
    let parent = parent.gtk_window().ok();
    let dialog =
        FileChooserNative::new(Some(question.title), parent.as_ref(), action, Some(accept), Some("Cancel"));
    dialog.set_do_overwrite_confirmation(true);
    if question.saves {
        dialog.set_current_name(&question.name);
    }
    // Nobody else holds the dialog while it is shown.
    let held = Rc::new(RefCell::new(Some((dialog.clone(), answer))));
    dialog.connect_response(move |dialog, response| {
        if let Some((_, answer)) = held.borrow_mut().take() {
            let path = (response == ResponseType::Accept).then(|| dialog.filename()).flatten();
            // Nobody waits any more when the command was given up.
            let _ = answer.send(path);
        }
    });
    dialog.show();
}
