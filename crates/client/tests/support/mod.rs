//! A trader with a mailbox, an authenticator app and devices, for tests and for the story in the terminal.

#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keyquay_client::session::{KeyringChoice, MemoryPreferences, Options, Session};
use keyquay_client::view::SecretText;
use keyquay_client::view::accounts::{
    AccountDetails, AccountRow, AccountState, AccountsView, Environment, FieldInput, NewAccount, Permissions,
};
use keyquay_client::view::sync::{SetupPath, SetupStep, SetupView, SyncView};
use keyquay_client::view::welcome::SyncState;
use keyquay_protocol::{Clock, Problem};
use keyquay_server::testing::{TestClock, TestServer};
use totp_rs::{Builder, Secret};

pub const PASSWORD: &str = "four words make it long";

/// What the trader has beside the devices.
pub struct Trader {
    pub email: String,
    pub password: String,
    pub totp_secret: String,
    pub backup_codes: Vec<String>,
    pub secret_key: String,
    pub recovery_code: String,
    /// The last mail that was read.
    pub mail: u64,
    pub clock: TestClock,
}

/// A server, a trader, and a folder for their devices.
pub struct Stage {
    pub server: TestServer,
    pub trader: Trader,
    pub folder: tempfile::TempDir,
}

/// One installation.
pub struct Device {
    pub session: Session,
    pub data_dir: PathBuf,
    pub name: String,
}

impl Stage {
    pub async fn new() -> Self {
        let server = TestServer::start().await.expect("the server starts");
        let trader = Trader::new("trader@example.com", server.clock());
        Self { server, trader, folder: tempfile::tempdir().expect("a folder") }
    }

    pub async fn device(&self, name: &str) -> Device {
        Device::start(self.folder.path(), name, self.server.clock()).await
    }

    /// A first device, "desk", with one synced account, "Main".
    pub async fn first(&mut self) -> Device {
        let desk = self.device("desk").await;
        let main = desk.add("binance", "Main", "key-of-main", "secret-of-main").await;
        desk.register(&mut self.trader, &self.server).await;
        desk.choose(&[&main.id], &[]).await;
        desk.until_row("Main", AccountState::Synced).await;
        desk
    }

    /// A second one, "laptop", to which it is available.
    pub async fn joined(&mut self) -> Device {
        let laptop = self.device("laptop").await;
        laptop.join(&mut self.trader, &self.server).await;
        laptop.choose(&[], &[]).await;
        laptop.until_row("Main", AccountState::Available).await;
        laptop
    }

    /// A second one that has retrieved it.
    pub async fn second(&mut self) -> Device {
        let laptop = self.joined().await;
        let main = laptop.row("Main").await.expect("it is available");
        laptop.session.accounts_retrieve(vec![main.id]).await.expect("retrieved");
        laptop
    }
}

impl Trader {
    pub fn new(email: &str, clock: &TestClock) -> Self {
        Self {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            totp_secret: String::new(),
            backup_codes: Vec::new(),
            secret_key: String::new(),
            recovery_code: String::new(),
            mail: 0,
            clock: clock.clone(),
        }
    }

    /// The code of the next step: each is accepted once, so time goes on for it.
    pub fn code(&self) -> String {
        self.clock.turn(30);
        self.code_now()
    }

    pub fn code_now(&self) -> String {
        let secret = Secret::try_from_base32(&self.totp_secret).expect("the secret is base32");
        let totp = Builder::new().with_secret(secret).build().expect("the secret is long enough");
        totp.generate(self.clock.unix_seconds()).to_string()
    }

    /// Opens the link of the next mail and presses its button.
    pub async fn confirm_next_mail(&mut self, server: &TestServer) {
        let link = self.next_link(server).await;
        answer_link(&link, "confirm").await;
    }

    pub async fn next_link(&mut self, server: &TestServer) -> String {
        let kept = server.mail_to(&self.email, self.mail).await.expect("a mail came");
        self.mail = kept.number;
        kept.letter.link().expect("the mail has a link").trim().to_owned()
    }
}

/// Presses a button of the page behind a link.
pub async fn answer_link(link: &str, answer: &str) -> u16 {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let response = client
        .post(link)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("answer={answer}"))
        .send()
        .await
        .expect("the page answers");
    response.status().as_u16()
}

impl Device {
    /// Starts one without a keyring, under a lock passphrase.
    pub async fn start(folder: &Path, name: &str, clock: &TestClock) -> Self {
        let device = Self::installed(folder, name, clock).await;
        device.session.welcome_start(Some(secret("lock passphrase"))).await.expect("the vault is made");
        device
    }

    /// Starts one whose vault may be there already.
    pub async fn installed(folder: &Path, name: &str, clock: &TestClock) -> Self {
        let data_dir = folder.join(name);
        let session = Session::start(options(&data_dir, name, clock)).await.expect("the session starts");
        Self { session, data_dir, name: name.to_owned() }
    }

    /// Ends the process, as far as a test can, and starts it again; the vault is unlocked.
    pub async fn restart(self, folder: &Path, clock: &TestClock) -> Self {
        let name = self.name.clone();
        self.session.stop().await;
        drop(self);
        let device = Self::installed(folder, &name, clock).await;
        device.session.unlock_with_passphrase(secret("lock passphrase")).await.expect("the vault opens");
        device
    }

    /// From nothing to the first device of a new user, up to the choice of accounts.
    pub async fn register(&self, trader: &mut Trader, server: &TestServer) -> SetupView {
        let session = &self.session;
        session.sync_setup_server(server.url().to_owned()).await.expect("the server answers");
        session
            .sync_setup_register(trader.email.clone(), secret(&trader.password))
            .await
            .expect("the registration is taken");
        trader.confirm_next_mail(server).await;
        let view = session.sync_setup_check().await.expect("the address is confirmed");
        assert_eq!(view.step, SetupStep::SecondFactor);
        let enrolment = session.sync_setup_enrol_second_factor().await.expect("a second factor is made");
        trader.totp_secret = enrolment.secret.expose().to_owned();
        let codes = session.sync_setup_confirm_second_factor(trader.code()).await.expect("the code is right");
        trader.backup_codes = codes.codes.iter().map(|code| code.expose().to_owned()).collect();
        self.verify_by_mail(trader, server).await;
        assert_eq!(session.sync_setup_view().await.expect("the step").step, SetupStep::Kit);
        self.confirm_kit(trader).await
    }

    pub async fn confirm_kit(&self, trader: &mut Trader) -> SetupView {
        let kit = self.session.sync_setup_kit().await.expect("the kit is made");
        trader.secret_key = kit.secret_key.expose().to_owned();
        trader.recovery_code = kit.recovery_code.expose().to_owned();
        let code = match kit.asked.of {
            keyquay_client::view::sync::KitCode::SecretKey => &trader.secret_key,
            keyquay_client::view::sync::KitCode::RecoveryCode => &trader.recovery_code,
        };
        let group = code.split('-').nth(usize::from(kit.asked.number)).expect("the group is there");
        self.session.sync_setup_confirm_kit(secret(group)).await.expect("the kit is confirmed")
    }

    pub async fn verify_by_mail(&self, trader: &mut Trader, server: &TestServer) {
        self.session.sync_setup_request_mail(self.name.clone()).await.expect("the mail is sent");
        trader.confirm_next_mail(server).await;
        self.session.sync_setup_check().await.expect("the link was opened");
    }

    /// Adds this device to a user who has one already, up to the choice of accounts.
    pub async fn join(&self, trader: &mut Trader, server: &TestServer) -> SetupView {
        let session = &self.session;
        session.sync_setup_server(server.url().to_owned()).await.expect("the server answers");
        session
            .sync_setup_sign_in(
                trader.email.clone(),
                secret(&trader.password),
                Some(secret(&trader.secret_key)),
            )
            .await
            .expect("the password is right");
        session.sync_setup_prove_second_factor(trader.code()).await.expect("the code is right");
        self.verify_by_mail(trader, server).await;
        let view = session.sync_setup_view().await.expect("the step");
        assert_eq!((view.step, view.path), (SetupStep::Compare, SetupPath::FurtherDevice));
        session.sync_setup_compared(true).await.expect("the phrases are the same")
    }

    pub async fn choose(&self, upload: &[&str], retrieve: &[&str]) {
        let own = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        self.session.sync_setup_choose(own(upload), own(retrieve), false).await.expect("the choice is taken");
    }

    pub async fn add(&self, exchange: &str, label: &str, key: &str, api_secret: &str) -> AccountRow {
        self.session
            .account_add(new_account(exchange, label, key, api_secret))
            .await
            .expect("the account is added")
    }

    pub async fn accounts(&self) -> AccountsView {
        self.session.accounts_view().await.expect("the vault is open")
    }

    pub async fn sync(&self) -> SyncView {
        self.session.sync_view().await.expect("the vault is open")
    }

    pub async fn row(&self, label: &str) -> Option<AccountRow> {
        self.accounts().await.rows.into_iter().find(|row| row.label == label)
    }

    /// Waits until the account with this label is in `state`.
    pub async fn until_row(&self, label: &str, state: AccountState) -> AccountRow {
        let what = format!("{label} is {state:?} on {}", self.name);
        wait(&what, async || self.row(label).await.filter(|row| row.state == state)).await
    }

    pub async fn until_status(&self, state: SyncState) {
        let what = format!("{} is {state:?}", self.name);
        wait(&what, async || (self.sync().await.status.state == state).then_some(())).await;
    }

    /// The values of an account, as revealed.
    pub async fn reveal(&self, label: &str) -> Result<Vec<(String, String)>, Problem> {
        let row = self.row(label).await.expect("the account has a row");
        let fields = self.session.account_reveal(row.id).await?;
        Ok(fields.into_iter().map(|field| (field.key.clone(), field.value.expose().to_owned())).collect())
    }
}

/// What a session is started with here: no keyring, a clock to turn.
pub fn options(data_dir: &Path, name: &str, clock: &TestClock) -> Options {
    Options {
        data_dir: data_dir.to_owned(),
        profile: "main".to_owned(),
        keyring: KeyringChoice::None,
        preferences: Arc::new(MemoryPreferences::default()),
        clock: Arc::new(clock.clone()),
        suggested_server: None,
        device_name: name.to_owned(),
        platform: "Linux (test)".to_owned(),
        version: "0.0.0".to_owned(),
    }
}

pub fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned())
}

pub fn new_account(exchange: &str, label: &str, key: &str, api_secret: &str) -> NewAccount {
    let field = |name: &str, value: &str| FieldInput {
        key: name.to_owned(),
        label: None,
        secret: None,
        value: secret(value),
    };
    NewAccount {
        exchange: exchange.to_owned(),
        details: AccountDetails {
            label: label.to_owned(),
            tags: vec!["test".to_owned()],
            note: String::new(),
            environment: Environment::Live,
            permissions: Permissions::default(),
            ip_note: String::new(),
            expires_on: None,
        },
        fields: vec![field("apiKey", key), field("secret", api_secret)],
        pinned: false,
    }
}

/// Asks until there is an answer; ten seconds at most.
pub async fn wait<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..400 {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("waited in vain until {what}");
}

/// Whether `needle` is in any file below `folder`, databases with their free pages and logs included.
pub fn is_in_files(folder: &Path, needle: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return is_in_files(&path, needle);
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
    })
}
