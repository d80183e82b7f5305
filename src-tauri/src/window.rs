//! The one window of the app.

use tauri::{App, Manager, WebviewWindowBuilder};

use crate::options::Profile;
use crate::surroundings;

/// As `tauri.conf.json` calls it.
pub const LABEL: &str = "main";

/// Opens the window that `tauri.conf.json` describes, its title naming the profile unless it is the default one.
pub fn open(app: &App) -> tauri::Result<()> {
    let Some(config) = app.config().app.windows.first() else {
        return Err(tauri::Error::WindowNotFound);
    };
    let profile = app.state::<Profile>();

    // Nothing of the web view outlives the window, except what a driven one needs: WebKitGTK cannot drive an
    // incognito web view. Either way its files lie with the profile.
    let mut window = WebviewWindowBuilder::from_config(app, config)?
        .incognito(!surroundings::is_driven())
        .data_directory(profile.folder.join("webview"));
    if !profile.name.is_default() {
        window = window.title(format!("{} – {}", config.title, profile.name));
    }
    window.build()?;
    Ok(())
}
