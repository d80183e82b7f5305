//! What happens around every request: who asks, how often, what is logged, and the headers of every answer.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use data_encoding::HEXLOWER;
use keyquay_crypto::random_bytes;
use keyquay_protocol::Code;

use super::Edge;
use super::exchange::wait_response;

/// The address at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Remote(pub SocketAddr);

/// The network address that a request comes from, seen through trusted proxies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub IpAddr);

impl Peer {
    pub fn of(extensions: &Extensions) -> IpAddr {
        extensions.get::<Self>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0)
    }
}

pub(super) async fn surround(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = HEXLOWER.encode(&random_bytes::<8>());
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let peer = peer(&request, &edge.trusted_proxies);
    request.extensions_mut().insert(Peer(peer));

    let mut response = match edge.gate.request(peer) {
        Ok(()) => next.run(request).await,
        Err(wait) => wait_response(wait),
    };

    let path = path.as_ref().map_or("-", MatchedPath::as_str);
    log(&id, method.as_str(), path, &response, started.elapsed());
    finish(&edge, &id, response.headers_mut());
    response
}

/// Ids and codes only: no address, no query, and of the path the template.
fn log(request: &str, method: &str, path: &str, response: &Response, took: Duration) {
    let status = response.status().as_u16();
    let code = response.extensions().get::<Code>().map_or("", |code| code.as_str());
    let millis = took.as_millis();
    match status {
        500.. => tracing::error!(request, method, path, status, code, millis, "answered"),
        400.. => tracing::info!(request, method, path, status, code, millis, "answered"),
        _ => tracing::debug!(request, method, path, status, millis, "answered"),
    }
}

/// `Date` is from the server's own clock: devices correct theirs by it.
fn finish(edge: &Edge, id: &str, headers: &mut HeaderMap) {
    let now: SystemTime = UNIX_EPOCH + Duration::from_secs(edge.clock.unix_seconds());
    if let Ok(date) = httpdate::fmt_http_date(now).parse() {
        headers.insert(header::DATE, date);
    }
    if let Ok(id) = id.parse() {
        headers.insert(REQUEST_ID, id);
    }
    for (name, value) in &FIXED {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if edge.public_url.as_str().starts_with("https:") {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Of every answer; a page brings its own content security policy.
const FIXED: [(HeaderName, &str); 8] = [
    (header::CACHE_CONTROL, "no-store"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
];

/// The nearest address that is not a trusted proxy.
fn peer(request: &Request, trusted: &[IpAddr]) -> IpAddr {
    let remote = request.extensions().get::<Remote>();
    let mut peer = remote.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |remote| remote.0.ip().to_canonical());
    let forwarded = request.headers().get_all("x-forwarded-for").iter().rev();
    let mut hops = forwarded.filter_map(|value| value.to_str().ok()).flat_map(|value| value.rsplit(','));
    while trusted.contains(&peer) {
        match hops.next().map(|hop| hop.trim().parse::<IpAddr>()) {
            Some(Ok(hop)) => peer = hop.to_canonical(),
            _ => break,
        }
    }
    peer
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn only_a_trusted_proxy_may_say_who_asks() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let seen = |remote: &str, forwarded: &[&str]| {
            let mut request = Request::new(Body::empty());
            request.extensions_mut().insert(Remote(remote.parse().unwrap()));
            for value in forwarded {
                request.headers_mut().append("x-forwarded-for", value.parse().unwrap());
            }
            peer(&request, &[proxy]).to_string()
        };
        assert_eq!(seen("192.0.2.7:1", &["198.51.100.9"]), "192.0.2.7");
        assert_eq!(seen("[::ffff:192.0.2.7]:1", &[]), "192.0.2.7");
        assert_eq!(seen("10.0.0.1:1", &["198.51.100.9"]), "198.51.100.9");
        assert_eq!(seen("10.0.0.1:1", &["203.0.113.1, 198.51.100.9"]), "198.51.100.9");
        assert_eq!(seen("10.0.0.1:1", &["203.0.113.1", "198.51.100.9, 10.0.0.1"]), "198.51.100.9");
        assert_eq!(seen("10.0.0.1:1", &["nonsense"]), "10.0.0.1");
    }
}
