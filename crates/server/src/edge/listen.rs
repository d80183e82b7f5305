use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::Edge;
use super::surround::Remote;

/// Connections at once; more wait to be accepted.
const CONNECTIONS: usize = 50_000;

/// A connection that sends no request for so long is closed. Longer than the client keeps an idle one, so
/// that it never writes into a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(100);

/// How long requests and WebSockets may take to end when the server stops.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers until `edge.stopping`, then lets what is under way come to its end.
pub(crate) async fn serve(listener: TcpListener, router: Router, edge: Arc<Edge>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = TaskTracker::new();
    let tidying = tokio::spawn(tidy(Arc::clone(&edge)));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = edge.stopping.cancelled() => break,
        };
        match accepted {
            Ok((stream, remote)) => {
                let answering = answer(stream, remote, router.clone(), edge.stopping.clone());
                connections.spawn(async move {
                    answering.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    tidying.abort();
    edge.sockets.close();
    connections.close();
    let all = async { tokio::join!(connections.wait(), edge.sockets.wait()) };
    if tokio::time::timeout(PATIENCE, all).await.is_err() {
        tracing::warn!("stopped with requests under way");
    }
}

/// Answers the requests of one connection; after `stopping`, the one under way is the last.
async fn answer(stream: TcpStream, remote: SocketAddr, router: Router, stopping: CancellationToken) {
    if stream.set_nodelay(true).is_err() {
        tracing::trace!("a connection without nodelay");
    }
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Remote(remote));
        router.clone().oneshot(request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_headers(50)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if ended.is_err() {
        tracing::trace!("a connection broke");
    }
}

async fn tidy(edge: Arc<Edge>) {
    loop {
        tokio::time::sleep(Duration::from_secs(60)).await;
        edge.gate.tidy();
    }
}
