//! How the app starts, and how it says that it cannot.

use std::process::Command;

fn app() -> Command {
    let mut app = Command::new(env!("CARGO_BIN_EXE_keyquay"));
    app.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    app
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_display_one_sentence_says_what_is_missing() {
    let output = app().output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(69), "{message}");
    assert_eq!(message.trim().lines().count(), 1, "{message}");
    assert!(message.contains("no display"), "{message}");
}

#[test]
fn a_profile_name_that_is_no_folder_name_is_refused() {
    let output = app().args(["--profile", "../elsewhere"]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("a profile name has 1 to 32 small letters"), "{message}");
}
