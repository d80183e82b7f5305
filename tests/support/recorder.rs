//! What passes between apps and server, written down.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Listens where the apps look for their server, hands on what they send, and keeps all of it.
pub struct Recorder {
    port: u16,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    server: OnceLock<SocketAddr>,
    connections: AtomicUsize,
    /// What came from one side of one connection, each side by itself.
    streams: Mutex<Vec<Arc<Mutex<Vec<u8>>>>>,
}

impl Recorder {
    /// Until [`Self::lead_to`] there is nobody behind it: it counts who comes.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Self { port, shared, accepting }
    }

    /// The address that the apps are given.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on the server at `127.0.0.1:PORT` answers behind it.
    pub fn lead_to(&self, server: &str) {
        self.shared.server.set(server.parse().unwrap()).unwrap();
    }

    /// How many connections were opened so far, whatever became of them.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Whether `needle` has passed, in either direction. The frames of WebSockets are looked at without their masks.
    pub fn saw(&self, needle: impl AsRef<[u8]>) -> bool {
        let needle = needle.as_ref();
        assert!(needle.len() >= 4, "anything shorter passes by chance");
        let streams = self.shared.streams.lock().unwrap().clone();
        streams.iter().any(|stream| {
            let bytes = stream.lock().unwrap();
            has(&bytes, needle) || has(&without_masks(&bytes), needle)
        })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((app, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let Some(server) = shared.server.get() else { continue };
        let Ok(server) = TcpStream::connect(server).await else { continue };
        let (from_app, to_app) = app.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::spawn(hand_on(from_app, to_server, shared.new_stream()));
        tokio::spawn(hand_on(from_server, to_app, shared.new_stream()));
    }
}

impl Shared {
    fn new_stream(&self) -> Arc<Mutex<Vec<u8>>> {
        let stream = Arc::default();
        self.streams.lock().unwrap().push(Arc::clone(&stream));
        stream
    }
}

async fn hand_on(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    stream: Arc<Mutex<Vec<u8>>>,
) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        stream.lock().unwrap().extend_from_slice(&bytes[..count]);
        if to.write_all(&bytes[..count]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

fn has(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// The payloads of a client's WebSocket frames (RFC 6455, section 5.2), one after the other; empty where there are none.
fn without_masks(bytes: &[u8]) -> Vec<u8> {
    const END_OF_HEAD: &[u8] = b"\r\n\r\n";
    let head =
        bytes.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD).unwrap_or(bytes.len());
    if !has(&bytes[..head].to_ascii_lowercase(), b"upgrade: websocket") {
        return Vec::new();
    }
    let mut payloads = Vec::new();
    let mut rest = &bytes[head + END_OF_HEAD.len()..];
    while let Some((payload, after)) = unmask(rest) {
        payloads.extend(payload);
        rest = after;
    }
    payloads
}

/// The payload of the first frame, and what comes after it.
fn unmask(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (length, from) = match bytes.get(1)? & 0x7f {
        126 => (usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?, 10),
        length => (usize::from(length), 2),
    };
    let mask = bytes.get(from..from + 4)?;
    let payload = bytes.get(from + 4..from + 4 + length)?;
    let plain = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    Some((plain, &bytes[from + 4 + length..]))
}
