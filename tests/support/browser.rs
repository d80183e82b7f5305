//! The browser in which a person opens the links that are mailed to them.

use std::ops::Deref;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use super::page::Page;
use super::process::Process;
use super::webdriver::connect;
use super::{free_port, has_programs, is_installed, wait_for};

/// A headless Chromium. Everything of [`Page`] works on it.
pub struct Browser {
    page: Page,
    _driver: Process,
    _folder: TempDir,
}

impl Browser {
    /// `None`, noted as skipped, where no browser or no driver of it is installed.
    pub async fn start() -> Option<Self> {
        if !has_programs(&[Path::new("chromedriver")]) {
            return None;
        }
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let Some(binary) = names.into_iter().find(|name| is_installed(Path::new(name))) else {
            has_programs(&[Path::new("chromium")]);
            return None;
        };

        let folder = tempfile::Builder::new().prefix("keyquay-browser-").tempdir().unwrap();
        let port = free_port();
        let mut command = std::process::Command::new("chromedriver");
        command.arg(format!("--port={port}")).env("HOME", folder.path()).env("TMPDIR", folder.path());
        let driver = Process::start("browser", &command, folder.path());
        wait_for("the browser's driver", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;

        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-breakpad",
            "--disable-component-update",
            "--disable-sync",
            "--no-default-browser-check",
            "--no-first-run",
            "--window-size=960,800",
        ];
        let client =
            connect(port, json!({ "goog:chromeOptions": { "args": arguments, "binary": which(binary) } }))
                .await
                .unwrap_or_else(|error| panic!("the browser did not start: {error}\n{}", driver.output()));
        Some(Self { page: Page { client }, _driver: driver, _folder: folder })
    }

    /// Opens an address.
    pub async fn open(&self, address: &str) {
        self.client.goto(address).await.unwrap();
    }

    /// Closes it, and waits until it is gone.
    pub async fn close(self) {
        self.page.client.close().await.unwrap();
    }
}

impl Deref for Browser {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.page
    }
}

fn which(program: &str) -> std::path::PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.exists()).unwrap()
}
