//! The sync server, as a process.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::Process;
use super::{Mailbox, free_port, wait_for};

/// `keyquay-server dev` on a free port, its data in a folder of its own.
pub struct Server {
    process: Option<Process>,
    port: u16,
    mail: String,
    folder: TempDir,
}

impl Server {
    /// A server that sends its mail to `mailbox`.
    pub async fn start(mailbox: &Mailbox) -> Self {
        let folder = tempfile::Builder::new().prefix("keyquay-server-").tempdir().unwrap();
        let mut server = Self { process: None, port: free_port(), mail: mailbox.address(), folder };
        server.resume().await;
        server
    }

    /// The address that the app is given.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where it keeps everything.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has logged.
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
            .arg("dev")
            .args(["--listen", &format!("127.0.0.1:{}", self.port)])
            .arg("--data-dir")
            .arg(self.folder.path().join("data"))
            .args(["--smtp", &format!("smtp://{}", self.mail)]);
        self.process = Some(Process::start("server", &command, self.folder.path()));
        wait_for("the sync server", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.ok()
        })
        .await;
    }
}

/// Built by `cargo test --workspace`, beside the app.
fn binary() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_keyquay")).with_file_name("keyquay-server");
    assert!(
        binary.exists(),
        "keyquay-server is not built: run the tests with `make test` or build the workspace"
    );
    binary
}
