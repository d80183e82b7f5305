use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use keyquay_crypto::sign::SigningKey;
use keyquay_protocol::wire::{self, ServerInfo};
use keyquay_protocol::{Clock, Code, DeviceId, Problem, Signed, VERSION, sign_request};
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap};
use reqwest::{Client, Method, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ServerAddress;

/// Who signs a device's requests.
#[derive(Debug, Clone)]
pub struct DeviceSigner {
    pub device: DeviceId,
    pub key: Arc<SigningKey>,
}

/// A server that answered and names itself as expected. Cheap to clone; connections are reused.
#[derive(Clone)]
pub struct Connection {
    http: Client,
    /// For the upgrade to a WebSocket, which HTTP/2 does not know.
    http1: Client,
    address: ServerAddress,
    info: Arc<ServerInfo>,
    clock: Arc<dyn Clock>,
    /// The server's clock minus this device's, in seconds.
    skew: Arc<AtomicI64>,
    platform: Arc<str>,
}

impl Connection {
    /// Asks the server who it is. This is the first packet that leaves the device, after its owner opted in.
    ///
    /// # Errors
    /// [`Code::Offline`], [`Code::Certificate`], [`Code::NotAServer`], [`Code::Version`].
    pub async fn open(
        address: ServerAddress,
        platform: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Problem> {
        let (http, http1) = (client(false)?, client(true)?);
        let url = format!("{address}/v1/server");
        let answer = http.get(url).send().await.map_err(|error| unreachable(&error))?;
        let (headers, body) = read(answer).await?;
        let info: ServerInfo = parse(&body).map_err(|_| Problem::new(Code::NotAServer))?;
        if info.protocol != VERSION {
            return Err(Problem::new(Code::Version));
        }
        if info.public_url != address.as_str() {
            let detail = format!("This server calls itself {}. Enter that address.", info.public_url);
            return Err(Problem::new(Code::NotAServer).with_detail(detail));
        }
        let connection = Self {
            http,
            http1,
            address,
            info: Arc::new(info),
            clock,
            skew: Arc::default(),
            platform: platform.into(),
        };
        connection.correct_clock(&headers);
        Ok(connection)
    }

    #[must_use]
    pub fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// The server's public name: its identity in OPAQUE.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// Unix seconds, as the server counts them.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.clock.unix_seconds().saturating_add_signed(self.skew.load(Ordering::Relaxed))
    }

    /// Unix seconds on this device's own clock, whatever the server says the time is.
    #[must_use]
    pub fn own_now(&self) -> u64 {
        self.clock.unix_seconds()
    }

    /// `POST` of a request that no device signs yet.
    ///
    /// # Errors
    /// The server's problem, or one on the way to it.
    pub async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        message: &impl Serialize,
    ) -> Result<A, Problem> {
        let body = to_json(message)?;
        let request = self
            .http
            .post(format!("{}{path}", self.address))
            .header(CONTENT_TYPE, "application/json")
            .header("keyquay-platform", &*self.platform)
            .body(body);
        let (headers, body) = read(request.send().await.map_err(|error| unreachable(&error))?).await?;
        self.correct_clock(&headers);
        parse(&body)
    }

    /// A signed `POST` of JSON, answered with JSON.
    ///
    /// # Errors
    /// The server's problem, or one on the way to it.
    pub async fn post_signed<A: DeserializeOwned>(
        &self,
        signer: &DeviceSigner,
        path: &str,
        message: &impl Serialize,
    ) -> Result<A, Problem> {
        let body = to_json(message)?;
        parse(&self.send_signed(signer, Method::POST, path, "application/json", body).await?)
    }

    /// A signed `POST` without a body, answered with JSON.
    ///
    /// # Errors
    /// The server's problem, or one on the way to it.
    pub async fn post_empty<A: DeserializeOwned>(
        &self,
        signer: &DeviceSigner,
        path: &str,
    ) -> Result<A, Problem> {
        parse(&self.send_signed(signer, Method::POST, path, "application/json", Vec::new()).await?)
    }

    /// A signed `POST` of CBOR; the answer is read by the caller.
    ///
    /// # Errors
    /// The server's problem, or one on the way to it.
    pub async fn post_cbor(
        &self,
        signer: &DeviceSigner,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, Problem> {
        self.send_signed(signer, Method::POST, path, wire::CBOR, body).await
    }

    /// A signed `GET`; the answer is read by the caller.
    ///
    /// # Errors
    /// The server's problem, or one on the way to it.
    pub async fn get(&self, signer: &DeviceSigner, path: &str) -> Result<Vec<u8>, Problem> {
        self.send_signed(signer, Method::GET, path, wire::CBOR, Vec::new()).await
    }

    /// A signed `GET`, answered with JSON.
    ///
    /// # Errors
    /// The server's problem, or one on the way to it.
    pub async fn get_json<A: DeserializeOwned>(
        &self,
        signer: &DeviceSigner,
        path: &str,
    ) -> Result<A, Problem> {
        parse(&self.get(signer, path).await?)
    }

    /// A signed `DELETE`.
    ///
    /// # Errors
    /// The server's problem, or one on the way to it.
    pub async fn delete(&self, signer: &DeviceSigner, path: &str) -> Result<(), Problem> {
        self.send_signed(signer, Method::DELETE, path, wire::CBOR, Vec::new()).await.map(|_| ())
    }

    pub(super) fn upgrade_client(&self) -> &Client {
        &self.http1
    }

    pub(super) fn sign(&self, signer: &DeviceSigner, method: &str, path: &str, body: &[u8]) -> Signed {
        let target = format!("{}{path}", self.address);
        sign_request(method, &target, body, signer.device, &signer.key, self.now())
    }

    /// A clock that was off is corrected from the refusal's own date, and the request sent once more.
    async fn send_signed(
        &self,
        signer: &DeviceSigner,
        method: Method,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, Problem> {
        for attempt in 0.. {
            let signed = self.sign(signer, method.as_str(), path, &body);
            let request =
                with_signature(self.http.request(method.clone(), format!("{}{path}", self.address)), &signed)
                    .header(CONTENT_TYPE, content_type)
                    .header("keyquay-platform", &*self.platform)
                    .body(body.clone());
            let answer = request.send().await.map_err(|error| unreachable(&error))?;
            self.correct_clock(answer.headers());
            match read(answer).await {
                Err(problem) if problem.code == Code::Clock && attempt == 0 => {}
                other => return other.map(|(_, body)| body),
            }
        }
        Err(Problem::new(Code::Clock))
    }

    fn correct_clock(&self, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let server = date
            .and_then(|date| httpdate::parse_http_date(date).ok())
            .and_then(|date| date.duration_since(UNIX_EPOCH).ok());
        if let Some(server) = server {
            let own = self.clock.unix_seconds();
            let skew = server.as_secs().checked_signed_diff(own).unwrap_or(0);
            self.skew.store(skew, Ordering::Relaxed);
        }
    }
}

pub(super) fn with_signature(request: reqwest::RequestBuilder, signed: &Signed) -> reqwest::RequestBuilder {
    request
        .header("content-digest", &signed.content_digest)
        .header("signature-input", &signed.signature_input)
        .header("signature", &signed.signature)
}

/// Headers and body of a success, or the problem that the server names.
async fn read(answer: Response) -> Result<(HeaderMap, Vec<u8>), Problem> {
    let status = answer.status();
    let headers = answer.headers().clone();
    let body = read_bounded(answer).await?;
    if status.is_success() {
        return Ok((headers, body));
    }
    Err(problem_of(status.as_u16(), &headers, &body))
}

/// The problem that an answer names. Anything that is not a problem of this protocol is an outage, so that a
/// proxy's page never means more than "later".
pub(super) fn problem_of(status: u16, headers: &HeaderMap, body: &[u8]) -> Problem {
    let is_problem = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with(wire::PROBLEM));
    let named = is_problem.then(|| serde_json::from_slice::<Problem>(body).ok()).flatten();
    match named {
        Some(problem) if problem.code.status() == status => Problem::new(problem.code),
        _ if status == 404 => Problem::new(Code::NotAServer),
        _ => Problem::new(Code::Unavailable),
    }
}

/// More than the largest answer: 1,000 entries with full blobs.
const MAX_ANSWER: usize = 96 << 20;

async fn read_bounded(mut answer: Response) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Problem::new(Code::NotAServer));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn client(http1_only: bool) -> Result<Client, Problem> {
    // Installed once for the process; a second call finds it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .pool_idle_timeout(Duration::from_secs(90))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("Keyquay/", env!("CARGO_PKG_VERSION")));
    builder = if http1_only { builder.http1_only() } else { builder.read_timeout(Duration::from_secs(30)) };
    builder.build().map_err(|_| Problem::new(Code::Offline))
}

pub(super) fn unreachable(error: &reqwest::Error) -> Problem {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(current) = cause {
        let is_certificate = current
            .downcast_ref::<rustls::Error>()
            .is_some_and(|error| matches!(error, rustls::Error::InvalidCertificate(_)));
        if is_certificate || current.to_string().contains("invalid peer certificate") {
            return Problem::new(Code::Certificate);
        }
        cause = current.source();
    }
    Problem::new(Code::Offline)
}

fn to_json(message: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(message).map_err(|_| Problem::new(Code::Internal))
}

fn parse<A: DeserializeOwned>(body: &[u8]) -> Result<A, Problem> {
    let body = if body.is_empty() { b"null" } else { body };
    serde_json::from_slice(body).map_err(|_| Problem::new(Code::NotAServer))
}
