//! The sync server, as a process.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::Process;
use super::{Mailbox, Recorder, wait_for};

/// `keyquay-server dev` on a port of its own, its data in a folder of its own.
pub struct Server {
    process: Option<Process>,
    /// `127.0.0.1:PORT`; the port is 0 until the first start has found a free one.
    listen: String,
    /// Where apps reach it, if not there.
    public: Option<String>,
    mail: String,
    folder: TempDir,
}

impl Server {
    /// A server that sends its mail to `mailbox`.
    pub async fn start(mailbox: &Mailbox) -> Self {
        Self::start_as(None, mailbox).await
    }

    /// A server that apps reach only through `recorder`, and that knows it.
    pub async fn start_behind(recorder: &Recorder, mailbox: &Mailbox) -> Self {
        let server = Self::start_as(Some(recorder.address()), mailbox).await;
        recorder.lead_to(&server.listen);
        server
    }

    async fn start_as(public: Option<String>, mailbox: &Mailbox) -> Self {
        let folder = tempfile::Builder::new().prefix("keyquay-server-").tempdir().unwrap();
        let listen = "127.0.0.1:0".to_owned();
        let mut server = Self { process: None, listen, public, mail: mailbox.address(), folder };
        server.resume().await;
        server
    }

    /// The address that the app is given.
    pub fn address(&self) -> String {
        self.public.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }

    /// Where it keeps everything.
    pub fn data_folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What it has logged since it was started last.
    pub fn log(&self) -> String {
        self.process.as_ref().map(Process::output).unwrap_or_default()
    }

    /// Takes it away, as a failing network would.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Starts it again on the same address with the same data.
    pub async fn resume(&mut self) {
        let mut command = Command::new(binary());
        command
            .args([
                "dev",
                "--listen",
                &self.listen,
                "--smtp-url",
                &format!("smtp://{}", self.mail),
                "--data-dir",
            ])
            .arg(self.data_folder());
        if let Some(public) = &self.public {
            command.args(["--public-url", public]);
        }
        let process = Process::start("server", &command, self.folder.path());
        let address = wait_for("the sync server", async || {
            let output = process.output();
            output.lines().find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned))
        })
        .await;
        self.listen = address;
        self.process = Some(process);
    }
}

/// Built with all targets of the workspace, beside the app.
fn binary() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_keyquay")).with_file_name("keyquay-server");
    assert!(binary.exists(), "keyquay-server is not built: use `make test`, or build the workspace first");
    binary
}
