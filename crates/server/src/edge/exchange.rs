//! Between HTTP and the messages of the keystore.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use keyquay_protocol::{Code, Problem, Signed, wire};

use super::Edge;
use super::routes::Route;
use super::surround::Peer;
use crate::message::{Answer, Call, Content, MailOrder};

/// Passes a request on to the keystore, and its answer back.
pub(super) async fn forward(edge: Arc<Edge>, route: &'static Route, request: Request) -> Response {
    let call = match receive(&edge, route, request).await {
        Ok(call) => call,
        Err(problem) => return problem_response(problem),
    };
    let answer = edge.keystore.call(call).await;
    respond(&edge, answer)
}

/// Reads a whole request, as far as its route takes one.
///
/// # Errors
/// A problem for a body that is too large, too slow or of another kind, or a missing signature.
pub(super) async fn receive(edge: &Edge, route: &Route, request: Request) -> Result<Call, Problem> {
    let (parts, body) = request.into_parts();
    let call = call_of(&parts);
    if route.signed && call.signature.is_none() {
        return Err(Code::NotSigned.into());
    }
    let length = body.size_hint().upper();
    if length.is_some_and(|length| length > route.takes.limit() as u64) {
        return Err(Code::TooLarge.into());
    }
    let _place = match length {
        Some(length) if length <= SMALL => None,
        _ => Some(edge.large_bodies.acquire().await.map_err(|_| Code::Unavailable)?),
    };
    let body = read(body, route.takes.limit()).await?;
    if !body.is_empty() && !route.takes.is_media_type(parts.headers.get(header::CONTENT_TYPE)) {
        return Err(unsupported(route));
    }
    Ok(Call { body, ..call })
}

/// The call that a request's head makes, without a body.
pub(super) fn call_of(parts: &Parts) -> Call {
    let path_and_query = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    Call {
        method: parts.method.as_str().to_owned(),
        path_and_query: path_and_query.to_owned(),
        signature: signature(&parts.headers),
        body: Vec::new(),
        peer: Peer::of(&parts.extensions).to_string(),
        platform: single(&parts.headers, &PLATFORM).unwrap_or_default().to_owned(),
    }
}

/// Hands the mails over, then turns an answer into HTTP.
pub(super) fn respond(edge: &Edge, answer: Answer) -> Response {
    if let Err(problem) = post(edge, answer.mails) {
        return problem_response(problem);
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (media_type, body) = match answer.content {
        Content::Json(body) => ("application/json", body),
        Content::Cbor(body) => (wire::CBOR, body),
        Content::Problem(problem) => return problem_response(problem),
        Content::Empty => return status.into_response(),
    };
    (status, [(header::CONTENT_TYPE, media_type)], body).into_response()
}

/// Hands mails over.
///
/// # Errors
/// [`Code::MailFailed`]
pub(super) fn post(edge: &Edge, mails: Vec<MailOrder>) -> Result<(), Problem> {
    if mails.is_empty() {
        return Ok(());
    }
    edge.post.take(mails).map_err(|_| Code::MailFailed.into())
}

/// A problem as RFC 9457 has it; its code also goes to the log.
pub(super) fn problem_response(problem: Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = (status, [(header::CONTENT_TYPE, wire::PROBLEM)], body).into_response();
    response.extensions_mut().insert(problem.code);
    response
}

/// The same, saying when to come back.
pub(super) fn wait_response(wait: Duration) -> Response {
    let mut response = problem_response(Code::RateLimited.into());
    response.headers_mut().insert(header::RETRY_AFTER, (wait.as_secs() + 1).into());
    response
}

pub(super) async fn not_found() -> Response {
    problem_response(Code::NotFound.into())
}

/// The router adds which methods there are.
pub(super) async fn method_not_allowed() -> Response {
    problem_response(
        Problem { status: 405, ..Problem::new(Code::Malformed) }.with_detail("This path has other methods."),
    )
}

/// Bodies up to here need no place of their own, in bytes.
const SMALL: u64 = 64 * 1024;

static PLATFORM: HeaderName = HeaderName::from_static("keyquay-platform");
static CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
static SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
static SIGNATURE: HeaderName = HeaderName::from_static("signature");

fn signature(headers: &HeaderMap) -> Option<Signed> {
    Some(Signed {
        content_digest: single(headers, &CONTENT_DIGEST)?.to_owned(),
        signature_input: single(headers, &SIGNATURE_INPUT)?.to_owned(),
        signature: single(headers, &SIGNATURE)?.to_owned(),
    })
}

/// A header that is there once and is text.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

pub(super) async fn read(body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut whole =
        Vec::with_capacity(body.size_hint().exact().map_or(0, |exact| (exact as usize).min(limit)));
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Code::Malformed)?;
        if whole.len() + piece.len() > limit {
            return Err(Code::TooLarge.into());
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}

fn unsupported(route: &Route) -> Problem {
    let detail = format!("The body must be {}.", route.takes.media_type());
    Problem { status: 415, ..Problem::new(Code::Malformed) }.with_detail(detail)
}
