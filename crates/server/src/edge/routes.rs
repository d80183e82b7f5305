//! The table of contents: every path that the server answers. Router and OpenAPI document are made from it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use keyquay_protocol::{Code, wire};

use super::exchange::{forward, problem_response, wait_response};
use super::openapi::{Described, described};
use super::surround::Peer;
use super::{Edge, events, openapi, verify};

/// One method of one path.
pub(super) struct Route {
    pub method: Verb,
    pub path: &'static str,
    pub summary: &'static str,
    /// Whether the request carries the signature of a device.
    pub signed: bool,
    /// Whether it tries a secret or has mail sent, and so counts as an attempt.
    pub attempt: bool,
    pub takes: Takes,
    pub gives: Gives,
    door: Door,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Delete,
}

/// The body of a request.
pub(super) enum Takes {
    Nothing,
    /// One of these.
    Json(&'static [fn() -> Described]),
    Cbor(&'static str),
    Form,
}

/// The body of an answer.
pub(super) enum Gives {
    Nothing,
    Json(fn() -> Described),
    Cbor(&'static str),
    Page,
    /// A WebSocket of such messages.
    Socket(&'static str),
    Document,
    Health,
}

enum Door {
    Keystore,
    Events,
    Link,
    Health,
    OpenApi,
}

pub(super) const ROUTES: &[Route] = &[
    open(Verb::Get, "/v1/server", "What a client must know of the server")
        .gives(Gives::Json(described::<wire::ServerInfo>)),
    open(Verb::Post, "/v1/users/registration/start", "Register: the first step of OPAQUE")
        .attempt()
        .takes(Takes::Json(&[described::<wire::RegistrationStart>]))
        .gives(Gives::Json(described::<wire::RegistrationStarted>)),
    open(Verb::Post, "/v1/users/registration/finish", "Register: the record; a mail confirms the address")
        .attempt()
        .takes(Takes::Json(&[described::<wire::RegistrationFinish>]))
        .gives(Gives::Json(described::<wire::RegistrationFinished>)),
    open(Verb::Post, "/v1/users/registration/status", "Whether the address of a registration is confirmed")
        .takes(Takes::Json(&[described::<wire::RegistrationStatus>]))
        .gives(Gives::Json(described::<wire::RegistrationConfirmed>)),
    open(Verb::Post, "/v1/sign-in/start", "Sign in: KE1 of OPAQUE, bound to a device")
        .attempt()
        .takes(Takes::Json(&[described::<wire::SignInStart>]))
        .gives(Gives::Json(described::<wire::SignInStarted>)),
    signed(Verb::Post, "/v1/sign-in/finish", "Sign in: KE3 of OPAQUE, signed by the device that start named")
        .attempt()
        .takes(Takes::Json(&[described::<wire::SignInFinish>]))
        .gives(Gives::Json(described::<wire::SignInFinished>)),
    signed(Verb::Post, "/v1/sign-in/second-factor", "Give the second factor, or a backup code")
        .attempt()
        .takes(Takes::Json(&[described::<wire::SecondFactorCode>, described::<wire::BackupCode>]))
        .gives(Gives::Json(described::<wire::Status>)),
    signed(Verb::Post, "/v1/second-factor/start", "Set up a second factor, or replace one")
        .attempt()
        .takes(Takes::Json(&[described::<wire::SecondFactorStart>]))
        .gives(Gives::Json(described::<wire::SecondFactorStarted>)),
    signed(Verb::Post, "/v1/second-factor/confirm", "Confirm the second factor; the backup codes")
        .attempt()
        .takes(Takes::Json(&[described::<wire::SecondFactorCode>]))
        .gives(Gives::Json(described::<wire::SecondFactorConfirmed>)),
    signed(Verb::Post, "/v1/second-factor/backup-codes", "Ten new backup codes; the old ones end")
        .attempt()
        .gives(Gives::Json(described::<wire::SecondFactorConfirmed>)),
    signed(Verb::Post, "/v1/devices/{id}/verification-mail", "Request the mail that verifies this device")
        .attempt()
        .gives(Gives::Json(described::<wire::VerificationMailSent>)),
    signed(Verb::Post, "/v1/devices/{id}/suspension", "Suspend a device")
        .takes(Takes::Json(&[described::<wire::Suspension>]))
        .gives(Gives::Json(described::<wire::Suspension>)),
    signed(Verb::Post, "/v1/devices/suspension", "Suspend all other devices at once")
        .takes(Takes::Json(&[described::<wire::Suspension>]))
        .gives(Gives::Json(described::<wire::Suspension>)),
    Route {
        takes: Takes::Nothing,
        ..link(Verb::Get, "Show what the link of a mail is for; changes nothing")
    },
    Route { takes: Takes::Form, ..link(Verb::Post, "Confirm or refuse what the link of a mail is for") },
    signed(Verb::Post, "/v1/password/start", "Choose another password: a new registration of OPAQUE")
        .attempt()
        .takes(Takes::Json(&[described::<wire::PasswordStart>]))
        .gives(Gives::Json(described::<wire::PasswordStarted>)),
    signed(Verb::Get, "/v1/unlock-record", "The sealed root seeds")
        .gives(Gives::Json(described::<wire::UnlockRecordAnswer>)),
    signed(Verb::Get, "/v1/recovery-record", "The root seed under the recovery code, for a device to keep")
        .gives(Gives::Json(described::<wire::RecoveryRecordAnswer>)),
    open(Verb::Post, "/v1/recovery/start", "Enrol a device without the password")
        .attempt()
        .takes(Takes::Json(&[described::<wire::RecoveryStart>]))
        .gives(Gives::Json(described::<wire::RecoveryStarted>)),
    signed(Verb::Get, "/v1/log", "The entries after a position, with their live blobs: `?after=SEQ`")
        .gives(Gives::Cbor("`keyquay/1/log`")),
    signed(Verb::Post, "/v1/log", "Append entries, all or none")
        .takes(Takes::Cbor("`keyquay/1/append`"))
        .gives(Gives::Cbor("`keyquay/1/log` without entries")),
    signed(Verb::Get, "/v1/blobs/{hash}", "One sealed blob").gives(Gives::Cbor("the blob")),
    signed(Verb::Post, "/v1/share", "The share of this device, and how far the device has come")
        .takes(Takes::Json(&[described::<wire::ShareRequest>]))
        .gives(Gives::Json(described::<wire::ShareAnswer>)),
    signed(Verb::Get, "/v1/status", "Where this device and its user stand")
        .gives(Gives::Json(described::<wire::Status>)),
    signed(Verb::Post, "/v1/email/start", "Change the mail address: a link goes to the new one")
        .attempt()
        .takes(Takes::Json(&[described::<wire::EmailChange>])),
    Route { door: Door::Events, ..signed(Verb::Get, "/v1/events", "What happens, pushed as it happens") }
        .gives(Gives::Socket("`keyquay/1/event`")),
    signed(
        Verb::Delete,
        "/v1/user",
        "Delete the user: at once after the end of sync, else by a link and after 14 days",
    )
    .attempt(),
    Route { door: Door::Health, ..open(Verb::Get, "/healthz", "Whether the server can answer") }
        .gives(Gives::Health),
    Route { door: Door::OpenApi, ..open(Verb::Get, "/openapi.json", "This document") }.gives(Gives::Document),
];

impl Route {
    pub fn handler(&'static self) -> MethodRouter<Arc<Edge>> {
        on(self.method.filter(), move |State(edge): State<Arc<Edge>>, request: Request| {
            self.enter(edge, request)
        })
    }

    /// How long a request may take.
    fn patience(&self) -> Duration {
        match self.takes {
            Takes::Cbor(_) => Duration::from_secs(120),
            _ => Duration::from_secs(20),
        }
    }

    async fn enter(&'static self, edge: Arc<Edge>, request: Request) -> Response {
        if let Err(wait) = self.admit(&edge, &request) {
            return wait_response(wait);
        }
        let answer = async {
            match self.door {
                Door::Keystore => forward(edge, self, request).await,
                Door::Events => events::connect(edge, request).await,
                Door::Link => verify::answer(edge, self, request).await,
                Door::Health => health(&edge).await,
                Door::OpenApi => openapi::document(),
            }
        };
        match tokio::time::timeout(self.patience(), answer).await {
            Ok(response) => response,
            Err(_) => problem_response(Code::Unavailable.into()),
        }
    }

    fn admit(&self, edge: &Edge, request: &Request) -> Result<(), Duration> {
        if self.attempt { edge.gate.attempt(Peer::of(request.extensions())) } else { Ok(()) }
    }

    const fn attempt(self) -> Self {
        Self { attempt: true, ..self }
    }

    const fn takes(self, takes: Takes) -> Self {
        Self { takes, ..self }
    }

    const fn gives(self, gives: Gives) -> Self {
        Self { gives, ..self }
    }
}

impl Verb {
    fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

impl Takes {
    /// Most bytes of a body.
    pub fn limit(&self) -> usize {
        match self {
            Self::Cbor(_) => 8 * 1024 * 1024,
            Self::Json(_) => 16 * 1024,
            Self::Form => 1024,
            Self::Nothing => 0,
        }
    }

    pub fn media_type(&self) -> &'static str {
        match self {
            Self::Cbor(_) => wire::CBOR,
            Self::Form => "application/x-www-form-urlencoded",
            Self::Json(_) | Self::Nothing => "application/json",
        }
    }

    /// Whether a `Content-Type` names the media type, with or without parameters.
    pub fn is_media_type(&self, content_type: Option<&HeaderValue>) -> bool {
        let named =
            content_type.and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
        named.is_some_and(|named| named.trim().eq_ignore_ascii_case(self.media_type()))
    }
}

async fn health(edge: &Edge) -> Response {
    match edge.keystore.health().await {
        Ok(()) => {
            axum::response::IntoResponse::into_response(axum::Json(serde_json::json!({ "status": "ok" })))
        }
        Err(problem) => problem_response(problem),
    }
}

const fn open(method: Verb, path: &'static str, summary: &'static str) -> Route {
    Route {
        method,
        path,
        summary,
        signed: false,
        attempt: false,
        takes: Takes::Nothing,
        gives: Gives::Nothing,
        door: Door::Keystore,
    }
}

const fn signed(method: Verb, path: &'static str, summary: &'static str) -> Route {
    Route { signed: true, ..open(method, path, summary) }
}

const fn link(method: Verb, summary: &'static str) -> Route {
    Route { attempt: true, gives: Gives::Page, door: Door::Link, ..open(method, "/verify/{token}", summary) }
}
