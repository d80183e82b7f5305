use std::time::Duration;

use futures_util::StreamExt;
use keyquay_crypto::random_bytes;
use keyquay_protocol::wire::Event;
use keyquay_protocol::{Code, Problem};
use reqwest::header::{CONNECTION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use reqwest::{StatusCode, Upgraded};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::connection::{problem_of, unreachable, with_signature};
use super::{Connection, DeviceSigner};

/// What the server pushes, as it comes.
pub struct EventStream(WebSocketStream<Upgraded>);

/// One thing that came over the stream.
#[derive(Debug)]
pub enum Received {
    Event(Box<Event>),
    /// A sign of life without content.
    Alive,
    /// The stream ended; connect anew.
    Ended,
}

impl Connection {
    /// Opens the event stream of an active device.
    ///
    /// # Errors
    /// The server's problem, or one on the way to it.
    pub async fn events(&self, signer: &DeviceSigner) -> Result<EventStream, Problem> {
        const PATH: &str = "/v1/events";
        let signed = self.sign(signer, "GET", PATH, b"");
        let nonce = data_encoding::BASE64.encode(&random_bytes::<16>());
        let request = with_signature(self.upgrade_client().get(format!("{}{PATH}", self.address())), &signed)
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, nonce);
        let answer = timeout(UPGRADE_TIME, request.send()).await.map_err(|_| Problem::new(Code::Offline))?;
        let answer = answer.map_err(|error| unreachable(&error))?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let body = answer.bytes().await.unwrap_or_default();
            return Err(problem_of(status, &headers, &body));
        }
        let upgraded = answer.upgrade().await.map_err(|_| Problem::new(Code::Offline))?;
        let limits =
            WebSocketConfig::default().max_message_size(Some(MAX_FRAME)).max_frame_size(Some(MAX_FRAME));
        Ok(EventStream(WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(limits)).await))
    }
}

impl EventStream {
    /// The next event. A frame that is none of this protocol is a problem of its own: the server is not trusted
    /// to be well-formed.
    ///
    /// # Errors
    /// [`Code::NotAServer`] for a malformed frame.
    pub async fn next(&mut self) -> Result<Received, Problem> {
        match self.0.next().await {
            Some(Ok(Message::Binary(frame))) => Event::from_bytes(&frame)
                .map(|event| Received::Event(Box::new(event)))
                .map_err(|_| Problem::new(Code::NotAServer)),
            Some(Ok(Message::Close(_)) | Err(Error::ConnectionClosed | Error::AlreadyClosed)) | None => {
                Ok(Received::Ended)
            }
            Some(Ok(_)) => Ok(Received::Alive),
            Some(Err(_)) => Ok(Received::Ended),
        }
    }
}

/// How long the server may take to open the stream.
const UPGRADE_TIME: Duration = Duration::from_secs(30);

/// More than any frame that a server sends.
const MAX_FRAME: usize = 96 << 20;
