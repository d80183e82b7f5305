//! The outbox of a server for development: what would have been sent, shown on this computer alone.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use serde::Serialize;

use super::Edge;
use super::exchange::not_found;
use super::pages::Page;
use super::surround::Remote;
use crate::config::is_loopback;
use crate::html::{escape, utc};
use crate::mail::{Kept, Outbox};

/// `/outbox` for people, `/outbox.json` for tests, `/outbox/{number}` as HTML.
pub(super) fn add_routes(router: Router<Arc<Edge>>) -> Router<Arc<Edge>> {
    let outbox = Router::new()
        .route("/outbox", get(list))
        .route("/outbox.json", get(json))
        .route("/outbox/{number}", get(one))
        .route_layer(middleware::from_fn(on_this_computer));
    router.merge(outbox)
}

/// One letter in `/outbox.json`, where the newest is first.
#[derive(Serialize)]
struct Shown<'a> {
    number: u64,
    time: u64,
    to: &'a str,
    subject: &'a str,
    text: &'a str,
    html: &'a str,
    link: Option<&'a str>,
}

async fn list(State(edge): State<Arc<Edge>>) -> Response {
    let letters = edge.post.outbox().map(Outbox::letters).unwrap_or_default();
    let mut body = String::from("<h1>Outbox</h1>\n");
    body += "<p>Mail of this server for development. Nothing is sent; all of it is gone when the server stops.</p>\n";
    body += "<p><a href=\"/outbox\">Look again</a></p>\n";
    if letters.is_empty() {
        body += "<p class=\"quiet\">No mail yet.</p>\n";
    }
    for kept in &letters {
        body += &article(kept);
    }
    Page::of("Outbox", body).into_response(200, None)
}

async fn json(State(edge): State<Arc<Edge>>) -> Response {
    let letters = edge.post.outbox().map(Outbox::letters).unwrap_or_default();
    Json(letters.iter().map(|kept| shown(kept)).collect::<Vec<_>>()).into_response()
}

/// The HTML part as a mail program shows it, without scripts and without a way to this server's pages.
async fn one(State(edge): State<Arc<Edge>>, Path(number): Path<u64>) -> Response {
    let Some(kept) = edge.post.outbox().and_then(|outbox| outbox.letter(number)) else {
        return not_found().await;
    };
    let policy = HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-top-navigation-by-user-activation",
    );
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(kept.letter.html.clone())).into_response()
}

/// Links open devices: nobody else on the network reads them, nor a page that got itself this server's name.
async fn on_this_computer(request: Request, next: Next) -> Response {
    let from_here =
        request.extensions().get::<Remote>().is_some_and(|remote| remote.0.ip().to_canonical().is_loopback());
    if from_here && names_this_computer(request.headers()) {
        next.run(request).await
    } else {
        not_found().await
    }
}

fn names_this_computer(headers: &HeaderMap) -> bool {
    let authority = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let authority = authority.parse::<axum::http::uri::Authority>();
    authority.is_ok_and(|authority| is_loopback(authority.host().trim_matches(['[', ']'])))
}

fn shown(kept: &Kept) -> Shown<'_> {
    let letter = &kept.letter;
    Shown {
        number: kept.number,
        time: kept.time,
        to: &letter.to,
        subject: letter.subject,
        text: &letter.text,
        html: &letter.html,
        link: letter.link(),
    }
}

fn article(kept: &Kept) -> String {
    let Kept { number, time, letter } = kept;
    let text = escape(&letter.text);
    let text = match letter.link().map(escape) {
        Some(link) => text.replace(&link, &format!("<a href=\"{link}\">{link}</a>")),
        None => text,
    };
    let (to, subject, time) = (escape(&letter.to), escape(letter.subject), utc(*time));
    format!(
        "<article>\n<h2>{subject}</h2>\n<p class=\"quiet\">To {to}, {time} · <a href=\"/outbox/{number}\">as HTML</a></p>\n\
         <pre>{text}</pre>\n</article>\n"
    )
}
