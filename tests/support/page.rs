//! A page as a person meets it: things have a role and a name.

use std::path::PathBuf;

use fantoccini::Client;
use fantoccini::elements::Element;
use fantoccini::key::Key;
use serde_json::{Value, json};

use super::webdriver::{computed_name, computed_role};
use super::{PATIENCE, root, wait_for};

/// Elements that may have the role and the name, most likely few; the browser has the last word.
const CANDIDATES: &str = include_str!("candidates.js");

pub struct Page {
    pub client: Client,
}

impl Page {
    /// The visible thing with this role and accessible name, for example `("button", "Add account")`. Waits for it.
    /// While a modal dialog is open only what is inside counts.
    pub async fn find(&self, role: &str, name: &str) -> Element {
        for_a_while(|| self.look_for(role, name)).await.unwrap_or_else(|seen| {
            panic!("no {role} is named {name:?} after {} s; the page reads:\n{seen}", PATIENCE.as_secs())
        })
    }

    /// Whether there is such a thing right now.
    pub async fn has(&self, role: &str, name: &str) -> bool {
        self.look_for(role, name).await.is_ok()
    }

    /// Waits until there is no such thing any more.
    pub async fn wait_until_gone(&self, role: &str, name: &str) {
        wait_for(&format!("the {role} {name:?} to go away"), async || {
            (!self.has(role, name).await).then_some(())
        })
        .await;
    }

    /// Clicks the thing with this role and name as soon as it can be clicked.
    pub async fn press(&self, role: &str, name: &str) {
        wait_for(&format!("the {role} {name:?} to take a click"), async || {
            let element = self.find(role, name).await;
            (element.is_enabled().await.ok()? && element.click().await.is_ok()).then_some(())
        })
        .await;
    }

    /// Replaces what stands in the text field labelled `name`.
    pub async fn fill(&self, name: &str, text: &str) {
        let field = self.find("textbox", name).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Chooses the option that reads `option` in the list labelled `name`.
    pub async fn choose(&self, name: &str, option: &str) {
        self.find("combobox", name).await.select_by_label(option).await.unwrap();
    }

    /// Sends a key to whatever has the focus.
    pub async fn type_key(&self, key: Key) {
        self.client.active_element().await.unwrap().send_keys(&char::from(key).to_string()).await.unwrap();
    }

    /// Everything that can be read at the moment.
    pub async fn text(&self) -> String {
        let text = self.run("return document.body.innerText").await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until `text` can be read somewhere on the page.
    pub async fn wait_for_text(&self, text: &str) {
        for_a_while(async || {
            let seen = self.text().await;
            if seen.contains(text) { Ok(()) } else { Err(seen) }
        })
        .await
        .unwrap_or_else(|seen| {
            panic!("nothing reads {text:?} after {} s, only:\n{seen}", PATIENCE.as_secs())
        });
    }

    /// Runs a script's body in the page and gives what it returns.
    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// Keeps what the page shows as `target/screens/{name}.png`.
    pub async fn screenshot(&self, name: &str) -> PathBuf {
        // What has just changed is on the picture once a frame was drawn after it.
        let drawn =
            "const [done] = arguments; requestAnimationFrame(() => requestAnimationFrame(() => done()))";
        self.client.execute_async(drawn, vec![]).await.unwrap();
        let folder = root().join("target/screens");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{name}.png"));
        std::fs::write(&file, self.client.screenshot().await.unwrap()).unwrap();
        file
    }

    /// The text in the QR code that is on the screen, as a phone would read it.
    pub async fn read_qr_code(&self) -> String {
        let picture = tempfile::NamedTempFile::with_suffix(".png").unwrap();
        wait_for("a QR code that can be read", async || {
            std::fs::write(picture.path(), self.client.screenshot().await.unwrap()).unwrap();
            let reader = std::process::Command::new("zbarimg")
                .args(["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"])
                .arg(picture.path())
                .env_remove("DBUS_SESSION_BUS_ADDRESS")
                .output()
                .unwrap();
            reader.status.success().then(|| String::from_utf8(reader.stdout).unwrap().trim().to_owned())
        })
        .await
    }

    /// The element that a script returned. The standard wraps its id in an object with one fixed key.
    pub fn element(&self, returned: Value) -> Option<Element> {
        let id = returned.as_object()?.values().next()?.as_str()?.to_owned();
        Some(Element::from_element_id(self.client.clone(), id.into()))
    }

    /// The thing, or what the page reads instead.
    async fn look_for(&self, role: &str, name: &str) -> Result<Element, String> {
        let found = self.client.execute(CANDIDATES, vec![json!(role), json!(name)]).await;
        for candidate in found.ok().and_then(|found| found.as_array().cloned()).unwrap_or_default() {
            let Some(element) = self.element(candidate["element"].clone()) else { continue };
            let is_it = candidate["certain"] == true
                || computed_name(&self.client, &element).await.is_ok_and(|it| it.trim() == name)
                    && computed_role(&self.client, &element).await.is_ok_and(|it| it == role);
            if is_it {
                return Ok(element);
            }
        }
        Err(self.text().await)
    }
}

async fn for_a_while<T, E>(mut look: impl AsyncFnMut() -> Result<T, E>) -> Result<T, E> {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        match look().await {
            Ok(found) => return Ok(found),
            Err(seen) if std::time::Instant::now() > end => return Err(seen),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
}
