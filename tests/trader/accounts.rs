//! Accounts, as a trader adds and handles them.

use std::time::{Duration, Instant};

use fantoccini::key::Key;
use serde_json::json;

use crate::support::{PATIENCE, Window, wait_for};

/// What one exchange account is made of here.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    pub exchange: &'static str,
    pub label: &'static str,
    pub key: &'static str,
    /// What the exchange calls its secret.
    pub secret_name: &'static str,
    pub secret: &'static str,
}

impl Keys {
    /// Everything about the account that must not be readable where it does not belong.
    pub fn traces(&self) -> [&'static str; 3] {
        [self.label, self.key, self.secret]
    }
}

impl Window {
    /// Starts without sync, as Welcome suggests.
    pub async fn start_local(&self) {
        self.press("radio", "Use on this device only").await;
        self.press("button", "Start").await;
        self.find("tab", "Accounts").await;
    }

    /// Fills in the form of a new account, which is then ready to be added.
    pub async fn fill_account(&self, keys: &Keys, pinned: bool) {
        self.press("button", "Add account").await;
        let exchange = self.find("combobox", "Exchange").await;
        exchange.send_keys(keys.exchange).await.unwrap();
        self.type_key(Key::Enter).await;
        assert_eq!(exchange.prop("value").await.unwrap().as_deref(), Some(keys.exchange));
        self.fill("API key", keys.key).await;
        self.fill(keys.secret_name, keys.secret).await;
        self.fill("Label", keys.label).await;
        if pinned {
            self.tick("Keep local only").await;
        }
    }

    /// Adds an account through the form.
    pub async fn add_account(&self, keys: &Keys, pinned: bool) {
        self.fill_account(keys, pinned).await;
        self.press("button", "Add account").await;
        self.account_row(keys.label).await;
        self.wait_until_gone("dialog", "Add account").await;
    }

    /// Chooses from the menu of an account's row.
    pub async fn choose_in_menu(&self, label: &str, action: &str) {
        self.press("button", &format!("Actions for {label}")).await;
        self.press("menuitem", action).await;
    }

    /// Waits until the row of the account says `state`.
    pub async fn until_state(&self, label: &str, state: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let shown = self.state_of(label).await;
            if shown.as_deref() == Some(state) {
                return;
            }
            assert!(
                Instant::now() < end,
                "{label:?} is {shown:?} instead of {state:?}; the page reads:\n{}",
                self.text().await
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What the row says at the moment, if there is one.
    pub async fn state_of(&self, label: &str) -> Option<String> {
        let script = "const [label] = arguments;
            const row = [...document.querySelectorAll('#accounts .account-row')]
                .find((row) => row.querySelector('.row-name').textContent === label);
            return row?.querySelector('.state').textContent.replace(/\\s+/g, ' ').trim() ?? null";
        let state = self.client.execute(script, vec![json!(label)]).await.ok()?;
        state.as_str().map(str::to_owned)
    }

    /// Ticks the box whose caption begins with `caption`.
    pub async fn tick(&self, caption: &str) {
        let script = "const [caption] = arguments;
            const scope = [...document.querySelectorAll('dialog:modal')].at(-1) ?? document;
            const label = [...scope.querySelectorAll('label')].find((label) => label.innerText.trim().startsWith(caption));
            label?.scrollIntoView({ block: 'center' });
            return label?.querySelector('input')";
        wait_for(&format!("the box {caption:?} to take a tick"), async || {
            let found = self.client.execute(script, vec![json!(caption)]).await.ok()?;
            let control = self.element(found)?;
            control.click().await.ok()?;
            (control.prop("checked").await.ok()?.as_deref() == Some("true")).then_some(())
        })
        .await;
    }

    /// The id of the account with this label, in hexadecimal.
    pub async fn account_id(&self, label: &str) -> String {
        let row = self.account_row(label).await;
        row.attr("data-account").await.unwrap().expect("a row names its account")
    }

    /// Whether the switch of this name is on.
    pub async fn is_on(&self, name: &str) -> bool {
        let control = self.find("switch", name).await;
        control.prop("checked").await.unwrap().as_deref() == Some("true")
    }

    /// How many rows are in this state.
    pub async fn count(&self, state: &str) -> usize {
        let states = self
            .run("return [...document.querySelectorAll('#accounts .account-row .state')].map((state) => state.textContent.replace(/\\s+/g, ' ').trim())")
            .await;
        states.as_array().unwrap().iter().filter(|shown| *shown == state).count()
    }
}
