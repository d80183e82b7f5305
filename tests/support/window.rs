//! The app's window, driven as a person would.

use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

use fantoccini::elements::Element;
use serde_json::{Value, json};

use super::desktop::Desktop;
use super::page::Page;
use super::process::Process;
use super::webdriver::connect;
use super::{free_port, tool, wait_for};

/// The profile that every device here opens.
const PROFILE: &str = "test";

/// A running app. Everything of [`Page`] works on it.
pub struct Window {
    page: Page,
    driver: Process,
    /// Held by the app for as long as it runs.
    lock: PathBuf,
}

/// How to start the app.
pub struct Start<'a> {
    device: &'a str,
    server: Option<&'a str>,
}

impl<'a> Start<'a> {
    pub fn on(device: &'a str) -> Self {
        Self { device, server: None }
    }

    pub fn with_server(self, server: &'a str) -> Self {
        Self { server: Some(server), ..self }
    }

    pub fn arguments(&self, desktop: &Desktop) -> Vec<String> {
        let folder = desktop.data_folder(self.device).display().to_string();
        let mut arguments = vec!["--profile".to_owned(), PROFILE.to_owned(), "--data-dir".to_owned(), folder];
        if let Some(server) = self.server {
            arguments.extend(["--sync-server".to_owned(), server.to_owned()]);
        }
        arguments
    }
}

impl Window {
    pub(super) async fn open(desktop: &Desktop, start: Start<'_>) -> Self {
        let (port, native_port) = (free_port(), free_port());
        let mut command = desktop.command(tool("bin/tauri-driver"));
        command.args(["--port", &port.to_string(), "--native-port", &native_port.to_string()]);
        let driver = Process::start(&format!("app-{}", start.device), &command, &desktop.logs());
        for port in [port, native_port] {
            wait_for("the WebDriver of the window", async || {
                tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
            })
            .await;
        }

        let arguments = start.arguments(desktop);
        let application = json!({ "application": env!("CARGO_BIN_EXE_keyquay"), "args": arguments });
        let opening = connect(port, json!({ "tauri:options": application }));
        let client = tokio::time::timeout(Duration::from_secs(60), opening)
            .await
            .unwrap_or_else(|_| panic!("the window did not open within a minute:\n{}", driver.output()))
            .unwrap_or_else(|error| panic!("the window did not open: {error}\n{}", driver.output()));
        let lock = desktop.data_folder(start.device).join("profiles").join(PROFILE).join("lock");
        let window = Self { page: Page { client }, driver, lock };
        // The session starts on a blank page that the app's own one then replaces.
        let is_ours = "return location.protocol === 'tauri:' && document.readyState === 'complete'";
        wait_for("the app's page", async || {
            let is_ours = window.client.execute(is_ours, vec![]).await.ok()?;
            (is_ours == true).then_some(())
        })
        .await;
        window
    }

    /// Closes the window as its owner would; its data stays.
    pub async fn close(self) {
        self.page.client.close_window().await.unwrap();
        self.driver.wait_until_ended("keyquay").await;
        // A process that has ended by name may still hold its files for a moment.
        let lock = std::fs::File::open(&self.lock).unwrap();
        wait_for("the profile to be free", async || lock.try_lock().ok()).await;
    }

    /// The row of the account that is labelled `label`.
    pub async fn account_row(&self, label: &str) -> Element {
        self.row("data-account", label).await
    }

    /// The row of the device that is named `name`.
    pub async fn device_row(&self, name: &str) -> Element {
        self.row("data-device", name).await
    }

    /// Keeps what the window shows, in both themes, as `target/screens/{name}-{light,dark}.png`.
    pub async fn screens(&self, name: &str) {
        for theme in ["light", "dark"] {
            self.set_theme(theme).await;
            let query = format!("return matchMedia('(prefers-color-scheme: {theme})').matches");
            wait_for(&format!("the {theme} theme"), async || (self.run(&query).await == true).then_some(()))
                .await;
            self.screenshot(&format!("{name}-{theme}")).await;
        }
        self.set_theme("system").await;
    }

    /// Calls a command of the backend as the page would: its answer, or the problem.
    pub async fn call(&self, command: &str, arguments: Value) -> Result<Value, Value> {
        let script = "const [command, args, done] = arguments;
            window.__TAURI__.core.invoke(command, args).then((ok) => done({ ok }), (problem) => done({ problem }))";
        let answer = self.client.execute_async(script, vec![json!(command), arguments]).await.unwrap();
        match answer.get("problem") {
            Some(problem) => Err(problem.clone()),
            None => Ok(answer["ok"].clone()),
        }
    }

    /// A locked app changes its theme too, though it then has no view of General to answer with.
    async fn set_theme(&self, theme: &str) {
        let _ = self.call("general_set_theme", json!({ "theme": theme })).await;
    }

    async fn row(&self, attribute: &str, name: &str) -> Element {
        let script = "const [attribute, name] = arguments;
            return [...document.querySelectorAll(`[${attribute}]`)].find((row) => row.innerText.includes(name))";
        wait_for(&format!("the row of {name:?}"), async || {
            let found = self.client.execute(script, vec![json!(attribute), json!(name)]).await.ok()?;
            self.element(found)
        })
        .await
    }
}

impl Deref for Window {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.page
    }
}
