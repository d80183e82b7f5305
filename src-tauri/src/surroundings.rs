//! What must hold around the app before anything of the user's is opened.

#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    #[error(
        "no display to open a window on: start it from a desktop session, or set DISPLAY or WAYLAND_DISPLAY to a running one"
    )]
    NoDisplay,
    #[error(
        "{variable} is set, which lets another program read and steer this window: unset it and start again"
    )]
    RemoteControl { variable: &'static str },
}

/// Variables through which another program takes hold of the web view.
const REMOTE_CONTROL: &[&str] = &[
    "TAURI_AUTOMATION",
    "TAURI_WEBVIEW_AUTOMATION",
    "WEBKIT_INSPECTOR_SERVER",
    "WEBKIT_INSPECTOR_HTTP_SERVER",
    "WEBVIEW2_ADDITIONAL_BROWSER_ARGUMENTS",
    "WEBVIEW2_BROWSER_EXECUTABLE_FOLDER",
    "WEBVIEW2_USER_DATA_FOLDER",
];

/// Refuses to start without a display, and, in a release build, under remote control.
pub fn check() -> Result<(), Refusal> {
    if !cfg!(debug_assertions) {
        refuse_remote_control(|variable| std::env::var_os(variable).is_some())?;
    }
    find_display()
}

/// Whether a test drives the window. Never true of a release build.
pub fn is_driven() -> bool {
    cfg!(debug_assertions) && std::env::var_os("TAURI_WEBVIEW_AUTOMATION").is_some()
}

/// This computer's name, as other devices will list it until its owner chooses another.
pub fn device_name() -> String {
    let name = gethostname::gethostname().to_string_lossy().into_owned();
    // Names of networks come with their domain.
    let name = name.split('.').next().unwrap_or_default();
    if name.is_empty() { "This computer".to_owned() } else { name.to_owned() }
}

/// Operating system and, where it can be read, its version.
pub fn platform() -> String {
    match std::env::consts::OS {
        "linux" => match linux_name() {
            Some(name) => format!("Linux, {name}"),
            None => "Linux".to_owned(),
        },
        "macos" => "macOS".to_owned(),
        "windows" => "Windows".to_owned(),
        other => other.to_owned(),
    }
}

/// `PRETTY_NAME` of os-release(5).
fn linux_name() -> Option<String> {
    let text = std::fs::read_to_string("/etc/os-release").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(line.trim_matches('"').to_owned())
}

fn refuse_remote_control(is_set: impl Fn(&str) -> bool) -> Result<(), Refusal> {
    match REMOTE_CONTROL.iter().find(|variable| is_set(variable)) {
        Some(variable) => Err(Refusal::RemoteControl { variable }),
        None => Ok(()),
    }
}

/// GTK is asked here because it would end the process with a panic later on.
#[cfg(target_os = "linux")]
fn find_display() -> Result<(), Refusal> {
    gtk::init().map_err(|_| Refusal::NoDisplay)
}

#[cfg(not(target_os = "linux"))]
fn find_display() -> Result<(), Refusal> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_opens_the_window_to_other_programs_is_named() {
        let refusal = refuse_remote_control(|variable| variable == "WEBKIT_INSPECTOR_SERVER");
        assert_eq!(refusal, Err(Refusal::RemoteControl { variable: "WEBKIT_INSPECTOR_SERVER" }));
    }

    #[test]
    fn other_variables_do_not_keep_the_app_from_starting() {
        assert_eq!(refuse_remote_control(|_| false), Ok(()));
    }
}
