//! The only place where edge and keystore meet: plain data that a Unix socket can carry.
//!
//! The edge forwards a [`Call`] as it was received and sends what the [`Answer`] says. It is trusted with
//! nothing: the keystore builds the target URI of a signed request itself, from its own public URL and
//! `path_and_query` [an owned edge could otherwise have one path signed and another one called].
//!
//! The keystore's doors, all on `keystore::Keystore`, which is `Clone` and cheap to clone:
//!
//! ```text
//! async Keystore::start(keystore::Settings::new(name, public_url), Arc<dyn Storage>, Arc<dyn Kms>, Arc<dyn Clock>)
//!                                                          -> Result<Keystore, keystore::StartError>
//!     where storage::Sqlite::open(&Path) and kms::LocalKey::open_or_create(&Path) give the two in the middle
//! async call(&self, Call)                                  -> Answer
//! async view_link(&self, token: &str, peer: &str)          -> Result<LinkFacts, Problem>
//! async confirm_link(&self, token: &str, peer: &str)       -> Result<LinkDone, Problem>
//! async refuse_link(&self, token: &str, peer: &str)        -> Result<LinkDone, Problem>
//! async subscribe(&self, Call)                             -> Result<Subscription, Problem>
//! async health(&self)                                      -> Result<(), Problem>
//! async tidy(&self)   what has expired goes; started by itself once a minute, public for tests and commands
//! async suspend_everybody(&self)                           -> Result<usize, Problem>, for a restored backup
//!
//! Subscription { subscriber: Subscriber, frames: tokio::sync::mpsc::Receiver<Frame>, .. }
//! ```
//!
//! A subscription exists from the moment that `subscribe` answers and ends when it is dropped. When `frames`
//! ends, or after a frame with `then_close`, the edge closes the connection; the client comes back and pulls.

use bytes::Bytes;
use keyquay_protocol::{DeviceId, Problem, Signed, UserId};
use serde::{Deserialize, Serialize};

/// One HTTP request of the API, as received.
#[derive(Debug, Clone)]
pub struct Call {
    /// In upper case.
    pub method: String,
    /// As in the request line, with the query.
    pub path_and_query: String,
    /// The three signature headers, where all are present.
    pub signature: Option<Signed>,
    pub body: Vec<u8>,
    /// The network address that the request came from, without the port.
    pub peer: String,
    /// The header `Keyquay-Platform`, for the mail; empty where absent.
    pub platform: String,
}

/// What to answer, and which mails to send. An answer that orders mails does not wait for them, except those of
/// signed requests, where a mail that cannot be handed over is [`Code::MailFailed`](keyquay_protocol::Code::MailFailed).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub content: Content,
    pub mails: Vec<MailOrder>,
}

/// The body of an answer, by media type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// `application/json`.
    Json(Vec<u8>),
    /// `application/cbor`.
    Cbor(Vec<u8>),
    /// `application/problem+json`; the status is the problem's.
    Problem(Problem),
    /// Nothing: 204, or 202 where a link in a mail still decides.
    Empty,
}

/// A mail for the edge to write and send. Tokens are the text that ends a link: `PUBLIC_URL/verify/TOKEN`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailOrder {
    pub to: String,
    pub kind: MailKind,
}

/// Why a mail is sent, with all that it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MailKind {
    /// The link that makes a registration take effect.
    ConfirmAddress { token: String, asked: Origin },
    /// Somebody registers an address that is registered already.
    AlreadyRegistered { asked: Origin },
    /// The link that verifies a device. `phrase` has six words, which the app shows too.
    VerifyDevice { token: String, phrase: String, asked: Origin },
    /// A warning to the owner: somebody answered "This was not me" to the verification of a device.
    DeviceNotMe { phrase: String, asked: Origin },
    /// The link that proves a new address.
    NewAddress { token: String, asked: Origin },
    /// A notice to the old address.
    AddressChanged { new: String, asked: Origin },
    /// The link that starts the 14 days after which a user is deleted, asked for without root.
    DeleteUser { token: String, asked: Origin },
    /// A notice that the 14 days run; `cancel` is a link that stops them.
    DeletionStarted { cancel: String, deleted: u64, asked: Origin },
}

/// Where a request came from, as mails and pages show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// What the device says it runs on; cleaned and bounded by the keystore, still somebody else's text.
    pub platform: String,
    /// Unix seconds.
    pub time: u64,
    /// Network address.
    pub peer: String,
}

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkKind {
    ConfirmAddress,
    VerifyDevice,
    NewAddress,
    DeleteUser,
    /// Stops a deletion that was asked for.
    CancelDeletion,
}

/// What the page of a link shows. Looking changes nothing [mail scanners].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkFacts {
    pub kind: LinkKind,
    pub email: String,
    /// The six words of a device's keys; for a device only.
    pub phrase: Option<String>,
    pub asked: Origin,
    /// Unix seconds.
    pub expires: u64,
}

/// What the button of a link did, and which mails follow from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkDone {
    pub kind: LinkKind,
    pub mails: Vec<MailOrder>,
}

/// One frame for a connection of `GET /v1/events`.
#[derive(Debug, Clone)]
pub struct Frame {
    /// [`keyquay_protocol::wire::Event`] as bytes.
    pub event: Bytes,
    /// The connection ends after this frame.
    pub then_close: bool,
}

/// Who a connection of `GET /v1/events` belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscriber {
    pub user: UserId,
    pub device: DeviceId,
}

impl Answer {
    /// 200 with a JSON body.
    #[must_use]
    pub fn json(value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self { status: 200, content: Content::Json(body), mails: Vec::new() },
            Err(_) => Problem::new(keyquay_protocol::Code::Internal).into(),
        }
    }

    /// 200 with a CBOR body.
    #[must_use]
    pub fn cbor(body: Vec<u8>) -> Self {
        Self { status: 200, content: Content::Cbor(body), mails: Vec::new() }
    }

    /// 204.
    #[must_use]
    pub fn empty() -> Self {
        Self { status: 204, content: Content::Empty, mails: Vec::new() }
    }

    /// The same, and a mail.
    #[must_use]
    pub fn with_mail(mut self, mail: MailOrder) -> Self {
        self.mails.push(mail);
        self
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        Self { status: problem.status, content: Content::Problem(problem), mails: Vec::new() }
    }
}
