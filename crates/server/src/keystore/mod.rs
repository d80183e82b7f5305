//! The role that decides: sign-in, second factor, log, shares, devices. It checks every device's signature
//! itself and believes the edge nothing but where a call came from.

mod account;
mod addresses;
mod append;
mod authenticate;
mod connections;
mod devices;
mod entries;
mod gates;
mod limits;
mod links;
mod log;
mod records;
mod recovery;
mod registration;
mod routes;
mod rows;
mod second_factor;
mod setup;
mod share;
mod sign_in;
mod tidy;
mod users;

use std::sync::Arc;
use std::time::Duration;

use keyquay_protocol::wire::ServerInfo;
use keyquay_protocol::{Clock, Code, Problem};
use thiserror::Error;

use crate::kms::{DataKeys, Kms};
use crate::message::{Answer, Call, LinkDone, LinkFacts, Origin};
use crate::storage::Storage;

use authenticate::Nonces;
use connections::Connections;
use gates::Step;
use limits::{Attempts, Counted, Network};
use recovery::Strangers;
use routes::Route;
use rows::Rows;
use setup::Setup;
use sign_in::SignIns;
use users::Users;

pub use connections::Subscription;
pub use limits::{Rate, Rates};

/// How a keystore is run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The server's public name: its identity in OPAQUE. Never changes, or no password fits any more.
    pub name: String,
    /// Scheme and authority that signed requests name, without a trailing slash.
    pub public_url: String,
    pub rates: Rates,
    /// Users whose standing stays in memory.
    pub users_in_memory: usize,
    /// How long an unwrapped data key is used before the KMS is asked again.
    pub data_key_lifetime: Duration,
}

impl Settings {
    /// The usual settings of a server of this name.
    #[must_use]
    pub fn new(name: impl Into<String>, public_url: impl Into<String>) -> Self {
        let public_url = public_url.into().trim_end_matches('/').to_owned();
        Self {
            name: name.into(),
            public_url,
            rates: Rates::default(),
            users_in_memory: 2_000,
            data_key_lifetime: DataKeys::LIFETIME,
        }
    }
}

/// Why a keystore did not start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the server's setup cannot be read; was the database moved without its key? ({0})")]
pub struct StartError(#[from] Problem);

/// The keystore, as a handle to share.
#[derive(Clone)]
pub struct Keystore(Arc<Inner>);

impl Keystore {
    /// Opens the server's setup, or makes it in an empty database, and begins to tidy up once a minute.
    ///
    /// # Errors
    /// [`StartError`] when the setup does not open.
    pub async fn start(
        settings: Settings,
        storage: Arc<dyn Storage>,
        kms: Arc<dyn Kms>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let keys = DataKeys::new(settings.data_key_lifetime, DATA_KEYS_IN_MEMORY);
        let rows = Rows::new(storage, kms, keys);
        let setup = Setup::open_or_create(&rows).await?;
        let users = Users::new(settings.users_in_memory);
        let inner = Arc::new(Inner {
            settings,
            clock,
            rows,
            setup,
            users,
            sign_ins: SignIns::default(),
            strangers: Strangers::default(),
            nonces: Nonces::default(),
            attempts: Attempts::default(),
            connections: Arc::new(Connections::default()),
        });
        tokio::spawn(tidy::keep_tidy(Arc::downgrade(&inner)));
        Ok(Self(inner))
    }

    /// Answers a call. What was begun is finished even if nobody waits for the answer any more.
    pub async fn call(&self, call: Call) -> Answer {
        let inner = Arc::clone(&self.0);
        finish(async move { inner.answer(&call).await }).await.unwrap_or_else(Answer::from)
    }

    /// What the page of a link shows. Nothing is changed.
    ///
    /// # Errors
    /// [`Code::Link`] for a link that does not work (any more).
    pub async fn view_link(&self, token: &str, peer: &str) -> Result<LinkFacts, Problem> {
        self.0.view_link(token, peer).await
    }

    /// What the button of a link does.
    ///
    /// # Errors
    /// [`Code::Link`] for a link that does not work (any more).
    pub async fn confirm_link(&self, token: &str, peer: &str) -> Result<LinkDone, Problem> {
        let (inner, token, peer) = (Arc::clone(&self.0), token.to_owned(), peer.to_owned());
        finish(async move { inner.confirm_link(&token, &peer).await }).await
    }

    /// "This was not me": the link ends, and the device that asked for it is suspended.
    ///
    /// # Errors
    /// [`Code::Link`] for a link that does not work (any more).
    pub async fn refuse_link(&self, token: &str, peer: &str) -> Result<LinkDone, Problem> {
        let (inner, token, peer) = (Arc::clone(&self.0), token.to_owned(), peer.to_owned());
        finish(async move { inner.refuse_link(&token, &peer).await }).await
    }

    /// Begins a connection of `GET /v1/events`; it exists from the moment of this answer.
    ///
    /// # Errors
    /// The [`Problem`] to answer instead.
    pub async fn subscribe(&self, call: Call) -> Result<Subscription, Problem> {
        match Route::parse(&call.method, &call.path_and_query)? {
            Route::Signed(Step::Events, _) => self.0.subscribe(&call).await,
            _ => Err(Problem::new(Code::NotFound)),
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`Code::Unavailable`] when it does not.
    pub async fn health(&self) -> Result<(), Problem> {
        self.0.rows.diary_until(0, 1).await.map(|_| ())
    }

    /// Suspends every device of every user, as after restoring a backup that may be older than a removal. Each
    /// returns by signing in on it. Returns how many users there are.
    ///
    /// # Errors
    /// The [`Problem`] that stopped it; what was suspended stays suspended.
    pub async fn suspend_everybody(&self) -> Result<usize, Problem> {
        self.0.suspend_everybody().await
    }

    /// Lets go of what has expired.
    pub async fn tidy(&self) {
        self.0.tidy().await;
    }
}

/// Data keys that are held in the clear at once.
const DATA_KEYS_IN_MEMORY: usize = 10_000;

struct Inner {
    settings: Settings,
    clock: Arc<dyn Clock>,
    rows: Rows,
    setup: Setup,
    users: Users,
    sign_ins: SignIns,
    strangers: Strangers,
    nonces: Nonces,
    attempts: Attempts,
    connections: Arc<Connections>,
}

impl Inner {
    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match Route::parse(&call.method, &call.path_and_query)? {
            Route::Server => Ok(Answer::json(&ServerInfo {
                protocol: keyquay_protocol::VERSION.to_owned(),
                name: self.settings.name.clone(),
                public_url: self.settings.public_url.clone(),
            })),
            Route::RegistrationStart => self.start_registration(call).await,
            Route::RegistrationFinish => self.finish_registration(call).await,
            Route::RegistrationStatus => self.registration_status(call).await,
            Route::SignInStart => self.start_sign_in(call).await,
            Route::SignInFinish => self.finish_sign_in(call).await,
            Route::RecoveryStart => self.start_recovery(call).await,
            Route::Signed(step, subject) => self.answer_signed(call, step, subject).await,
        }
    }

    fn now(&self) -> u64 {
        self.clock.unix_seconds()
    }

    /// Counts the start of something that anybody may start.
    fn count_start(&self, peer: &str) -> Result<(), Problem> {
        let rate = self.settings.rates.starts_by_address;
        self.attempts.take(Counted::StartsBy(Network::of(peer)), rate, self.now())
    }

    fn origin(&self, call: &Call) -> Origin {
        // Nothing that could make a link or a line of its own in a mail.
        let is_plain = |c: &char| c.is_alphanumeric() || " .,:-_()".contains(*c);
        let clean = |text: &str| -> String { text.chars().filter(is_plain).take(64).collect() };
        Origin { platform: clean(&call.platform), time: self.now(), peer: clean(&call.peer) }
    }
}

/// Runs a task of its own, so that a caller who leaves does not stop it halfway.
async fn finish<T: Send + 'static>(
    task: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(task).await.unwrap_or_else(|_| Err(Problem::new(Code::Internal)))
}

/// The body of a call, as JSON.
fn read_body<T: serde::de::DeserializeOwned>(call: &Call) -> Result<T, Problem> {
    if call.body.len() > JSON_LIMIT {
        return Err(Problem::new(Code::TooLarge));
    }
    serde_json::from_slice(&call.body).map_err(|error| {
        Problem::new(Code::Malformed).with_detail(format!("{:?} error in the body", error.classify()))
    })
}

/// More than any JSON body needs.
const JSON_LIMIT: usize = 16 * 1024;
