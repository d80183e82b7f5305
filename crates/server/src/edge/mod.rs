//! The edge: HTTP, rate limits, mail, the pages that links open, WebSockets. It forwards to the keystore
//! and decides nothing that matters: it sees passing ciphertext, and no secret rests here.

mod events;
mod exchange;
mod gate;
mod listen;
mod openapi;
mod outbox;
mod pages;
mod routes;
mod surround;
mod verify;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use keyquay_protocol::Clock;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use gate::Gate;
pub(crate) use listen::serve;

use crate::config::PublicUrl;
use crate::keystore::Keystore;
use crate::mail::Post;

/// What every request needs.
pub(crate) struct Edge {
    pub keystore: Keystore,
    pub post: Post,
    pub clock: Arc<dyn Clock>,
    pub public_url: PublicUrl,
    pub trusted_proxies: Vec<IpAddr>,
    pub gate: Gate,
    /// Places for large bodies, so that they cannot fill the memory together.
    pub large_bodies: Semaphore,
    /// Connections of `GET /v1/events`.
    pub sockets: TaskTracker,
    pub stopping: CancellationToken,
}

/// How many large bodies are in memory at once.
pub(crate) const LARGE_BODIES: usize = 8;

/// Everything that the server answers.
pub(crate) fn router(edge: Arc<Edge>) -> Router {
    let mut router = Router::new();
    for route in routes::ROUTES {
        router = router.route(route.path, route.handler());
    }
    if edge.post.outbox().is_some() {
        router = outbox::add_routes(router);
    }
    router
        .method_not_allowed_fallback(exchange::method_not_allowed)
        .fallback(exchange::not_found)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&edge), surround::surround))
        .with_state(edge)
}
