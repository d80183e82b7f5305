//! A desktop of its own for each test: display, session bus, keyring, home folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::process::Process;
use super::window::{Start, Window};
use super::{has_programs, tool, wait_for};

pub struct Desktop {
    // Dropped in this order: what lives on the display first, the folder last.
    _keyring: Option<Process>,
    _bus: Process,
    _display: Process,
    display_name: String,
    folder: TempDir,
}

impl Desktop {
    /// A desktop with an unlocked keyring; `None`, noted as skipped, where a program for it is missing.
    pub async fn start() -> Option<Self> {
        Self::start_with(true).await
    }

    /// A desktop on which no keyring answers.
    pub async fn start_without_keyring() -> Option<Self> {
        Self::start_with(false).await
    }

    async fn start_with(keyring: bool) -> Option<Self> {
        let driver = tool("bin/tauri-driver");
        let programs = [
            "Xvfb",
            "dbus-daemon",
            "dbus-send",
            "gnome-keyring-daemon",
            "WebKitWebDriver",
            "xclip",
            "zbarimg",
        ];
        let programs: Vec<&Path> = programs.iter().map(Path::new).chain([driver.as_path()]).collect();
        if !has_programs(&programs) {
            return None;
        }

        let folder = tempfile::Builder::new().prefix("keyquay-test-").tempdir().unwrap();
        for (name, mode) in [("home", 0o755), ("runtime", 0o700), ("logs", 0o755)] {
            make_folder(&folder.path().join(name), mode);
        }
        let (display, display_name) = start_display(folder.path()).await;
        let bus = start_bus(folder.path());
        let mut desktop = Self { _keyring: None, _bus: bus, _display: display, display_name, folder };
        wait_for("the session bus", async || desktop.bus_answers("org.freedesktop.DBus").then_some(())).await;
        if keyring {
            desktop._keyring = Some(desktop.start_keyring().await);
        }
        Some(desktop)
    }

    /// Opens the app on a device named `device`: its data folder, kept when the window closes, so that a second call
    /// with the same name is the same device started again.
    pub async fn open_app(&self, device: &str) -> Window {
        Window::open(self, Start::on(device)).await
    }

    /// As [`Self::open_app`], with the address of a sync server filled in.
    pub async fn open_app_with_server(&self, device: &str, server: &str) -> Window {
        Window::open(self, Start::on(device).with_server(server)).await
    }

    /// The app as a command, for what a window cannot show.
    pub fn app_command(&self, device: &str) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_keyquay"));
        command.args(Start::on(device).arguments(self));
        command
    }

    /// Where the device keeps everything.
    pub fn data_folder(&self, device: &str) -> PathBuf {
        self.folder.path().join("devices").join(device)
    }

    /// What is on the clipboard; empty when nothing is.
    pub fn clipboard(&self) -> String {
        let output = self.command("xclip").args(["-selection", "clipboard", "-out"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// A command on this desktop.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        let home = self.folder.path().join("home");
        for (variable, folder) in
            [("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache")]
        {
            command.env(variable, home.join(folder));
        }
        command
            .env("HOME", home)
            .env("XDG_RUNTIME_DIR", self.folder.path().join("runtime"))
            .env("DBUS_SESSION_BUS_ADDRESS", bus_address(self.folder.path()))
            .env("DISPLAY", &self.display_name)
            .env("GDK_BACKEND", "x11")
            .env("LANG", "C.UTF-8")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("GTK_THEME")
            .env_remove("KEYQUAY_DATA_DIR")
            .env_remove("KEYQUAY_SYNC_SERVER");
        command
    }

    pub(super) fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    async fn start_keyring(&self) -> Process {
        let daemon =
            "printf keyring-password | gnome-keyring-daemon --foreground --unlock --components=secrets";
        let mut command = self.command("sh");
        command.args(["-c", daemon]);
        let keyring = Process::start("keyring", &command, &self.logs());
        wait_for("the keyring", async || self.bus_answers("org.freedesktop.secrets").then_some(())).await;
        keyring
    }

    /// Whether somebody owns `name` on the session bus.
    fn bus_answers(&self, name: &str) -> bool {
        let output = self
            .command("dbus-send")
            .args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"])
            .args(["org.freedesktop.DBus.NameHasOwner", &format!("string:{name}")])
            .stderr(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).contains("boolean true")
    }
}

/// Xvfb looks for a free display number by itself and writes it to the file.
async fn start_display(folder: &Path) -> (Process, String) {
    let number = folder.join("display");
    let server = "exec Xvfb -displayfd 3 -screen 0 1280x1000x24 -nolisten tcp 3>\"$1\"";
    let mut command = Command::new("sh");
    command.args(["-c", server, "xvfb"]).arg(&number);
    let display = Process::start("display", &command, &folder.join("logs"));
    let number = wait_for("the display", async || {
        let written = std::fs::read_to_string(&number).ok()?;
        written.ends_with('\n').then(|| written.trim().to_owned())
    })
    .await;
    (display, format!(":{number}"))
}

/// A bus without service files: nothing is started behind the test's back, a keyring least of all.
fn start_bus(folder: &Path) -> Process {
    let config = folder.join("bus.conf");
    let address = bus_address(folder);
    let policy = format!(
        "<busconfig><type>session</type><listen>{address}</listen><auth>EXTERNAL</auth>\
         <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>\
         <allow own=\"*\"/></policy></busconfig>"
    );
    std::fs::write(&config, policy).unwrap();
    let mut command = Command::new("dbus-daemon");
    command.arg("--nofork").arg(format!("--config-file={}", config.display()));
    Process::start("bus", &command, &folder.join("logs"))
}

fn bus_address(folder: &Path) -> String {
    format!("unix:path={}", folder.join("bus").display())
}

fn make_folder(path: &Path, mode: u32) {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(mode).create(path).unwrap();
}
