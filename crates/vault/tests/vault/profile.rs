use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use keyquay_vault::{Profile, ProfileError};
use tempfile::TempDir;

#[test]
fn a_second_process_is_told_which_one_has_the_profile() {
    let dir = TempDir::new().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "profile::holds_a_profile_until_its_input_ends"])
        .env("KEYQUAY_TEST_DIR", dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().contains("held")).unwrap().unwrap();

    match Profile::open(dir.path(), "main").unwrap_err() {
        ProfileError::InUse { pid, since } => {
            assert_eq!(pid, Some(child.id()));
            assert!(since.unwrap() > 1_700_000_000);
        }
        other => panic!("{other}"),
    }
    Profile::open(dir.path(), "other").unwrap();
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    Profile::open(dir.path(), "main").unwrap();
}

#[test]
/// The part of the test above that runs in a process of its own; without a folder there is nothing to do.
fn holds_a_profile_until_its_input_ends() {
    let Some(dir) = std::env::var_os("KEYQUAY_TEST_DIR") else { return };
    let _profile = Profile::open(dir.as_ref(), "main").unwrap();
    println!("held");
    std::io::stdin().lines().for_each(drop);
}

#[test]
fn the_folder_is_its_owners_alone_and_the_name_cannot_lead_elsewhere() {
    let dir = TempDir::new().unwrap();
    let profile = Profile::open(dir.path(), "main").unwrap();
    assert_eq!(profile.dir(), dir.path().join("profiles").join("main"));
    assert!(profile.logs_dir().is_dir());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for folder in [profile.dir(), &profile.logs_dir(), &dir.path().join("profiles")] {
            assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }
    for name in ["..", "a/b", "Main", ""] {
        assert!(matches!(Profile::open(dir.path(), name), Err(ProfileError::Name)), "{name}");
    }
}
