use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{FromRequestParts, Request};
use axum::response::Response;
use keyquay_protocol::{Code, Problem};
use tokio::time::{Instant, interval_at, timeout};

use super::Edge;
use super::exchange::{call_of, problem_response};
use crate::keystore::Subscription;
use crate::message::Frame;

/// Something travels at least so often, so that no proxy closes the connection as idle.
const PING: Duration = Duration::from_secs(25);

/// A device that does not take a frame for so long is gone.
const WRITE: Duration = Duration::from_secs(10);

/// How long the other side may take to answer a close.
const CLOSE: Duration = Duration::from_secs(2);

/// Devices send nothing but control frames.
const LARGEST_MESSAGE: usize = 1024;

/// `GET /v1/events`: from the moment of the answer, all that happens is pushed.
pub(super) async fn connect(edge: Arc<Edge>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let call = call_of(&parts);
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &edge).await {
        Ok(upgrade) => upgrade,
        Err(_) => return problem_response(upgrade_required()),
    };
    let subscription = match edge.keystore.subscribe(call).await {
        Ok(subscription) => subscription,
        Err(problem) => return problem_response(problem),
    };
    let sockets = edge.sockets.token();
    // Small buffers: thousands of devices are connected and silent.
    upgrade
        .read_buffer_size(LARGEST_MESSAGE)
        .write_buffer_size(0)
        .max_message_size(LARGEST_MESSAGE)
        .max_frame_size(LARGEST_MESSAGE)
        .on_upgrade(move |socket| async move {
            push(socket, subscription, &edge).await;
            drop(sockets);
        })
}

async fn push(mut socket: WebSocket, mut subscription: Subscription, edge: &Edge) {
    let mut ping = interval_at(Instant::now() + PING, PING);
    let mut heard = true;
    let code = loop {
        tokio::select! {
            () = edge.stopping.cancelled() => break close_code::RESTART,
            frame = subscription.frames.recv() => {
                let Some(Frame { event, then_close }) = frame else { break close_code::AGAIN };
                if !send(&mut socket, Message::Binary(event)).await {
                    return;
                }
                if then_close {
                    break close_code::NORMAL;
                }
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => heard = true,
                Some(Ok(Message::Text(_) | Message::Binary(_))) => break close_code::POLICY,
                Some(Ok(Message::Close(_))) => return end(socket).await,
                Some(Err(_)) | None => return,
            },
            _ = ping.tick() => {
                if !std::mem::take(&mut heard) || !send(&mut socket, Message::Ping(bytes::Bytes::new())).await {
                    return;
                }
            }
        }
    };
    drop(subscription);
    close(socket, code).await;
}

/// Sends and flushes; false where the device does not take it.
async fn send(socket: &mut WebSocket, message: Message) -> bool {
    matches!(timeout(WRITE, socket.send(message)).await, Ok(Ok(())))
}

async fn close(mut socket: WebSocket, code: u16) {
    let frame = CloseFrame { code, reason: "".into() };
    if send(&mut socket, Message::Close(Some(frame))).await {
        end(socket).await;
    }
}

/// Answers the other side's close, or waits for its answer, so that what was sent before arrives.
async fn end(mut socket: WebSocket) {
    let ended = timeout(CLOSE, async { while let Some(Ok(_)) = socket.recv().await {} }).await;
    if ended.is_err() {
        tracing::trace!("a device did not answer the close");
    }
}

fn upgrade_required() -> Problem {
    Problem { status: 426, ..Problem::new(Code::Malformed) }.with_detail("This path takes a WebSocket.")
}
