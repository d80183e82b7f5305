use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use keyquay_protocol::{Code, Problem};

use super::Edge;
use super::exchange::{post, receive};
use super::pages::{self, Page};
use super::routes::{Route, Verb};
use crate::message::{Call, LinkDone};

/// `GET /verify/{token}` shows what the link is for and changes nothing [mail scanners open links];
/// `POST` does what its button says.
pub(super) async fn answer(edge: Arc<Edge>, route: &'static Route, request: Request) -> Response {
    match page(&edge, route, request).await {
        Ok(page) => page.into_response(200, None),
        Err(problem) => pages::refused(&problem).into_response(problem.status, Some(problem.code)),
    }
}

async fn page(edge: &Edge, route: &Route, request: Request) -> Result<Page, Problem> {
    let call = receive(edge, route, request).await?;
    let token = token(&call)?;
    match route.method {
        Verb::Post => done(edge, token, &call).await,
        Verb::Get | Verb::Delete => {
            edge.keystore.view_link(token, &call.peer).await.map(|facts| pages::ask(&facts))
        }
    }
}

async fn done(edge: &Edge, token: &str, call: &Call) -> Result<Page, Problem> {
    let (LinkDone { kind, mails }, page): (_, fn(_) -> Page) = match call.body.as_slice() {
        b"answer=confirm" => (edge.keystore.confirm_link(token, &call.peer).await?, pages::confirmed),
        b"answer=refuse" => (edge.keystore.refuse_link(token, &call.peer).await?, pages::not_me),
        _ => return Err(Code::Malformed.into()),
    };
    // What the link did has happened, whether or not a notice of it can be sent.
    if post(edge, mails).is_err() {
        tracing::warn!("a notice could not be handed over");
    }
    Ok(page(kind))
}

/// The token is what the keystore made: text without escapes.
fn token(call: &Call) -> Result<&str, Problem> {
    let path = call.path_and_query.split('?').next().unwrap_or_default();
    let token = path.strip_prefix("/verify/").unwrap_or_default();
    let whole = (16..=128).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if whole { Ok(token) } else { Err(Code::Link.into()) }
}
