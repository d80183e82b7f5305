//! A trader: email and password, a phone, a mailbox, a browser; and what they do in the window.

mod accounts;
mod set_up;

use serde_json::{Value, json};

pub use self::accounts::Keys;
use crate::support::{Browser, Mail, Mailbox, Page, Phone, Window, wait_for};

pub const PASSWORD: &str = "four words make it long";

pub struct Trader {
    pub email: &'static str,
    pub mailbox: Mailbox,
    pub browser: Browser,
    phone: Option<Phone>,
    /// The recovery kit as it was kept on paper.
    pub secret_key: String,
    pub recovery_code: String,
    pub backup_codes: Vec<String>,
    /// How many letters were read.
    read: usize,
}

impl Trader {
    /// `None`, noted as skipped, where a program for it is missing.
    pub async fn start() -> Option<Self> {
        let mailbox = Mailbox::start().await?;
        let browser = Browser::start().await?;
        Some(Self {
            email: "trader@example.com",
            mailbox,
            browser,
            phone: None,
            secret_key: String::new(),
            recovery_code: String::new(),
            backup_codes: Vec::new(),
            read: 0,
        })
    }

    /// The authenticator's next code.
    pub async fn code(&mut self) -> String {
        self.phone.as_mut().expect("the QR code was scanned").code().await
    }

    /// The next letter about `subject`; those before it are never read again.
    pub async fn next_mail(&mut self, subject: &str) -> Mail {
        let (place, mail) = wait_for(&format!("mail about {subject:?}"), async || {
            let letters = self.mailbox.all().into_iter().enumerate().skip(self.read);
            letters.into_iter().find(|(_, mail)| mail.subject.contains(subject))
        })
        .await;
        assert!(mail.to.contains(self.email), "{}", mail.to);
        self.read = place + 1;
        mail
    }
}

/// The words of a phrase that a page shows.
pub async fn phrase(page: &Page, name: &str) -> Vec<String> {
    let script = "const [name] = arguments;
        const list = [...document.querySelectorAll('ol.phrase')]
            .find((list) => list.ariaLabel === name || list.getAttribute('aria-labelledby') === name);
        return [...(list?.children ?? [])].map((word) => word.innerText.trim())";
    let words: Value = page.client.execute(script, vec![json!(name)]).await.unwrap();
    let words: Vec<String> = serde_json::from_value(words).unwrap();
    assert_eq!(words.len(), 6, "the phrase {name:?}: {words:?}");
    words
}

/// A code that the window shows in groups, written as on paper.
pub async fn shown_code(window: &Window, name: &str) -> String {
    let script = "const [name] = arguments;
        const groups = document.querySelectorAll(`.code-block[aria-label=\"${name}\"] .code-groups span`);
        return [...groups].map((group) => group.innerText.trim()).join('-')";
    let code = window.client.execute(script, vec![json!(name)]).await.unwrap();
    let code = code.as_str().unwrap().to_owned();
    assert!(!code.is_empty(), "no code is labelled {name:?}");
    code
}
