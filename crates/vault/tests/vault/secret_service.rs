//! The desktop's real keyring, on a bus of its own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use keyquay_vault::{Keyring, KeyringError, SystemKeyring, Vault, VaultError};

use crate::bench::{Bench, Device, account, labels, put};

#[test]
fn a_vault_lives_with_a_real_secret_service_that_comes_up_late() {
    let tools = ["dbus-daemon", "gnome-keyring-daemon"];
    if let Some(missing) = tools.iter().find(|tool| !is_installed(tool)) {
        println!("skipped: {missing} is not installed");
        return;
    }
    let dir = tempfile::TempDir::new().unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "secret_service::runs_on_a_bus_of_its_own"])
        .env("KEYQUAY_TEST_DIR", dir.path())
        .env("DBUS_SESSION_BUS_ADDRESS", address(dir.path()))
        .env("XDG_RUNTIME_DIR", dir.path())
        .env("XDG_DATA_HOME", dir.path())
        .env("HOME", dir.path())
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
/// The part of the test above that runs in a process of its own; without a folder there is nothing to do.
fn runs_on_a_bus_of_its_own() {
    let Some(dir) = std::env::var_os("KEYQUAY_TEST_DIR").map(PathBuf::from) else { return };
    let keyring = Arc::new(SystemKeyring::new());
    let early = keyring.probe();
    assert!(matches!(early, Err(KeyringError::Unavailable { .. })), "{early:?}");
    let session = Session::start(&dir);
    keyring.probe().expect("the same keyring finds the service now");
    keeps_bytes(&keyring);
    keeps_a_vault(&keyring);
    drop(session);
    let gone = keyring.get("anything");
    assert!(matches!(gone, Err(KeyringError::Unavailable { .. })), "{gone:?}");
    let again = Session::start(&dir);
    keyring.probe().expect("it connects anew");
    drop(again);
}

fn keeps_bytes(keyring: &SystemKeyring) {
    assert_eq!(keyring.get("name").unwrap(), None);
    keyring.delete("name").unwrap();
    for secret in [&[0_u8, 255, 128][..], b"", &[7; 1000]] {
        keyring.set("name", secret).unwrap();
        assert_eq!(keyring.get("name").unwrap().unwrap().as_slice(), secret);
    }
    keyring.delete("name").unwrap();
    assert_eq!(keyring.get("name").unwrap(), None);
}

fn keeps_a_vault(keyring: &Arc<SystemKeyring>) {
    let bench = Bench::new();
    let shared = || Some(Arc::clone(keyring) as Arc<dyn Keyring>);
    let mut vault = Vault::create(&bench.profile, shared(), None).unwrap();
    put(&mut vault, &account(1, "main"));
    let device = Device::make();
    device.begin(&mut vault);
    vault.transaction(|tx| tx.rotate_local_key()).unwrap();
    drop(vault);
    let fresh: Option<Arc<dyn Keyring>> = Some(Arc::new(SystemKeyring::new()));
    let vault = Vault::open(&bench.profile, fresh, None).unwrap();
    assert_eq!(labels(&vault), ["main"]);
    device.assert_opened_by(&vault.open_sync(&device.share).unwrap());
    drop(vault);

    let other = Bench::of_copy(&bench.file(), None, Default::default());
    let emptied = Vault::open(&other.profile, other.keyring(), None).map(|_| ());
    assert!(matches!(emptied, Err(VaultError::KeyringEntryMissing { .. })));
}

/// A message bus and a keyring daemon, unlocked.
struct Session([Child; 2]);

impl Session {
    fn start(dir: &Path) -> Self {
        let socket = dir.join("bus");
        let _ = std::fs::remove_file(&socket);
        let bus = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--address", &address(dir)])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_until(|| socket.exists());
        let mut daemon = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        daemon.stdin.take().unwrap().write_all(b"password of the keyring").unwrap();
        let session = Self([daemon, bus]);
        wait_until(|| SystemKeyring::new().probe().is_ok());
        session
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn wait_until(is_true: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < Duration::from_secs(20), "the session does not come up");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn address(dir: &Path) -> String {
    format!("unix:path={}", dir.join("bus").display())
}

fn is_installed(tool: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(tool).is_file())
}
