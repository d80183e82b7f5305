#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
//! The edge over real HTTP.

mod edge_support;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use edge_support::{Person, http, problem};
use futures_util::StreamExt;
use keyquay_protocol::wire::{Event, RegistrationConfirmed, RegistrationFinished, RegistrationStatus};
use keyquay_protocol::{Clock, Code};
use keyquay_server::config::{MailConfig, SmtpConfig};
use keyquay_server::testing::TestServer;
use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

#[tokio::test]
async fn what_goes_wrong_is_a_problem_with_a_stable_code() {
    let server = TestServer::start().await.unwrap();
    let (http, url) = (http(), server.url());

    let unknown = http.get(format!("{url}/v1/nothing")).send().await.unwrap();
    assert_eq!(problem(unknown).await.code, Code::NotFound);

    let other_method = http.put(format!("{url}/v1/log")).send().await.unwrap();
    assert_eq!(other_method.headers()["allow"], "GET,HEAD,POST");
    assert_eq!(other_method.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(problem(other_method).await.code, Code::Malformed);

    let start = format!("{url}/v1/sign-in/start");
    let json = |body: Vec<u8>| {
        http.post(&start).header("content-type", "application/json; charset=utf-8").body(body)
    };
    assert_eq!(problem(json(b"{".to_vec()).send().await.unwrap()).await.code, Code::Malformed);
    assert_eq!(problem(json(vec![b' '; 16 * 1024 + 1]).send().await.unwrap()).await.code, Code::TooLarge);

    let text = http.post(&start).header("content-type", "text/plain").body("{}").send().await.unwrap();
    assert_eq!(text.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(problem(text).await.code, Code::Malformed);

    let unsigned = http.get(format!("{url}/v1/status")).send().await.unwrap();
    assert_eq!(problem(unsigned).await.code, Code::NotSigned);

    let no_socket = http.get(format!("{url}/v1/events")).send().await.unwrap();
    assert_eq!(no_socket.status(), StatusCode::UPGRADE_REQUIRED);
    assert_eq!(problem(no_socket).await.code, Code::Malformed);
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_refused_before_it_is_sent() {
    let server = TestServer::start().await.unwrap();
    let head = "Content-Type: application/cbor\r\nContent-Digest: x\r\nSignature-Input: x\r\n\
                Signature: x\r\nContent-Length: 8388609";
    let answer = raw(&server, "POST /v1/log", head, "").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains(r#""code":"too_large""#), "{answer}");
}

#[tokio::test]
async fn a_body_without_a_length_is_cut_off_at_the_limit() {
    let server = TestServer::start().await.unwrap();
    let piece = "4000\r\n".to_owned() + &" ".repeat(0x4000) + "\r\n1\r\n \r\n";
    let head = "Content-Type: application/json\r\nTransfer-Encoding: chunked";
    let answer = raw(&server, "POST /v1/sign-in/start", head, &piece).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn every_answer_is_fenced_in_and_carries_the_servers_own_time() {
    let server = TestServer::start().await.unwrap();
    server.clock().turn(3_600);
    let paths = [
        "/v1/server",
        "/v1/status",
        "/nothing",
        "/healthz",
        "/openapi.json",
        "/verify/x",
        "/outbox",
        "/outbox.json",
    ];
    let mut ids = BTreeSet::new();
    for path in paths {
        let request = http().get(format!("{}{path}", server.url())).header("origin", "https://evil.example");
        let answer = request.send().await.unwrap();
        let headers = answer.headers();
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none';"), "{path}: {policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("script"), "{path}: {policy}");
        assert!(
            headers.keys().all(|name| !name.as_str().starts_with("access-control") && name != "set-cookie")
        );
        assert!(ids.insert(headers["x-request-id"].to_str().unwrap().to_owned()), "an id twice");

        let date = httpdate::parse_http_date(headers["date"].to_str().unwrap()).unwrap();
        let date = date.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert!(date.abs_diff(server.clock().unix_seconds()) <= 2, "{path}: {date}");
    }
}

#[tokio::test]
async fn who_tries_too_often_waits_and_may_still_look() {
    let three = NonZeroU32::new(3).unwrap();
    let server = TestServer::start_with(|config| {
        config.limits.attempts_per_minute = three;
        config.limits.attempts_burst = three;
    })
    .await
    .unwrap();
    let attempt = |forwarded: &'static str| {
        let request = http().post(format!("{}/v1/sign-in/start", server.url()));
        request
            .header("content-type", "application/json")
            .header("x-forwarded-for", forwarded)
            .body("{}")
            .send()
    };
    for forwarded in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        assert_eq!(problem(attempt(forwarded).await.unwrap()).await.code, Code::Malformed);
    }
    let refused = attempt("192.0.2.4").await.unwrap();
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(problem(refused).await.code, Code::RateLimited);
    let look = http().get(format!("{}/v1/server", server.url())).send().await.unwrap();
    assert_eq!(look.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_flood_of_any_requests_is_slowed_down() {
    let five = NonZeroU32::new(5).unwrap();
    let server = TestServer::start_with(|config| {
        config.limits.requests_per_second = NonZeroU32::MIN;
        config.limits.requests_burst = five;
    })
    .await
    .unwrap();
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(http().get(format!("{}/nothing", server.url())).send().await.unwrap().status());
    }
    assert_eq!(statuses[..5], [StatusCode::NOT_FOUND; 5]);
    assert!(statuses.contains(&StatusCode::TOO_MANY_REQUESTS));
}

#[tokio::test]
async fn only_the_button_of_a_link_confirms_and_only_once() {
    let server = TestServer::start().await.unwrap();
    let person = Person::new(&server, "ada@example.org");
    let registration = person.register().await;
    let link = person.link(&server, 0).await;

    for _ in 0..3 {
        let page = person.http.get(&link).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK);
        let page = page.text().await.unwrap();
        for part in [
            "<h1>Confirm your email address?</h1>",
            "<main>",
            "Debian 13.1",
            "127.0.0.1",
            ">Yes, confirm this address</button>",
            ">This was not me</button>",
            "ada@example.org",
        ] {
            assert!(page.contains(part), "{part} is missing in {page}");
        }
        assert!(!page.contains("<script") && !page.contains("style="));
        person.http.head(&link).send().await.unwrap();
        assert!(!is_registered(&person, &registration).await, "looking must not confirm");
    }
    assert_eq!(person.answer(&link, "perhaps").await.status(), StatusCode::BAD_REQUEST);
    assert!(!is_registered(&person, &registration).await);

    let done = person.answer(&link, "confirm").await;
    assert!(done.text().await.unwrap().contains("<h1>Your address is confirmed</h1>"));
    assert!(is_registered(&person, &registration).await);

    for again in [person.answer(&link, "confirm").await, person.http.get(&link).send().await.unwrap()] {
        assert_eq!(again.status(), StatusCode::GONE);
        assert!(again.text().await.unwrap().contains("This link does not work any more"));
    }
}

#[tokio::test]
async fn a_link_expires() {
    let server = TestServer::start().await.unwrap();
    let person = Person::new(&server, "ada@example.org");
    let registration = person.register().await;
    let link = person.link(&server, 0).await;
    server.clock().turn(16 * 60);
    assert_eq!(person.answer(&link, "confirm").await.status(), StatusCode::GONE);
    assert!(!is_registered(&person, &registration).await);
}

#[tokio::test]
async fn mail_and_page_show_the_phrase_of_the_device_and_the_button_verifies_it() {
    let server = TestServer::start().await.unwrap();
    let person = Person::new(&server, "ada@example.org");
    person.enter(&server).await;
    let before = server.outbox().unwrap().letters()[0].number;
    assert_eq!(person.order_verification_mail(&server).await.email, "ada@example.org");
    let kept = server.mail_to("ada@example.org", before).await.unwrap();
    assert!(kept.letter.text.contains(&person.phrase()) && kept.letter.html.contains(&person.phrase()));

    let link = kept.letter.link().unwrap();
    let page = person.http.get(link).send().await.unwrap().text().await.unwrap();
    let words: String = person.phrase().split(' ').map(|word| format!("<li>{word}</li>\n")).collect();
    assert!(page.contains(&words), "{page}");
    assert!(page.contains(">Yes, verify this device</button>"));
    let done = person.answer(link, "confirm").await.text().await.unwrap();
    assert!(done.contains("<h1>This device is verified</h1>") && done.contains("Go back to Keyquay"));

    let status =
        person.send_signed(&server, Method::GET, "/v1/status", Vec::new()).await.text().await.unwrap();
    assert!(status.contains(r#""link_confirmed":true"#), "{status}");
}

#[tokio::test]
async fn this_was_not_me_suspends_the_device_ends_its_connection_and_warns_the_owner() {
    let server = TestServer::start().await.unwrap();
    let person = Person::new(&server, "ada@example.org");
    person.enter(&server).await;
    let before = server.outbox().unwrap().letters()[0].number;
    person.order_verification_mail(&server).await;
    let link = person.link(&server, before).await;
    let mut events = connect(&server, &person).await;

    let done = person.answer(&link, "refuse").await.text().await.unwrap();
    assert!(done.contains("The device was suspended") && done.contains("your other devices are warned"));
    let mut seen = Vec::new();
    while let Some(Ok(Message::Binary(frame))) = events.next().await {
        seen.push(Event::from_bytes(&frame).unwrap());
    }
    assert_eq!(seen.last(), Some(&Event::Suspended), "{seen:?}");
    let warning = server.mail_to("ada@example.org", before + 1).await.unwrap();
    assert_eq!(warning.letter.subject, "A device was suspended: this was not you");
    let refused = person.send_signed(&server, Method::GET, "/v1/status", Vec::new()).await;
    assert_eq!(problem(refused).await.code, Code::Suspended);
}

#[tokio::test]
async fn connections_are_told_when_the_server_stops_and_open_again_after() {
    let mut server = TestServer::start().await.unwrap();
    let person = Person::new(&server, "ada@example.org");
    person.enter(&server).await;
    let mut events = connect(&server, &person).await;

    let stopping = Instant::now();
    let (closed, ()) = tokio::join!(
        async {
            match events.next().await {
                Some(Ok(Message::Close(Some(CloseFrame { code, .. })))) => {
                    assert!(events.next().await.is_none_or(|end| end.is_err()));
                    u16::from(code)
                }
                other => panic!("{other:?}"),
            }
        },
        server.stop()
    );
    assert_eq!(closed, 1012, "service restart");
    assert!(stopping.elapsed() < Duration::from_secs(5), "{:?}", stopping.elapsed());

    server.resume().await.unwrap();
    drop(connect(&server, &person).await);
}

#[tokio::test]
async fn a_connection_for_events_needs_a_signature_and_sends_nothing_itself() {
    let server = TestServer::start().await.unwrap();
    let person = Person::new(&server, "ada@example.org");
    person.enter(&server).await;

    let unsigned =
        format!("{}/v1/events", server.url().replace("http:", "ws:")).into_client_request().unwrap();
    match client_async(unsigned, stream(&server).await.1).await {
        Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => assert_eq!(answer.status(), 401),
        other => panic!("{:?}", other.map(|_| ())),
    }
    let mut events = connect(&server, &person).await;
    events.close(None).await.unwrap();
    let answered = events.next().await;
    assert!(matches!(answered, Some(Ok(Message::Close(None)))), "{answered:?}");

    let mut events = connect(&server, &person).await;
    futures_util::SinkExt::send(&mut events, Message::Text("hello".into())).await.unwrap();
    let ended = events.next().await;
    assert!(
        matches!(&ended, Some(Ok(Message::Close(Some(CloseFrame { code, .. })))) if u16::from(*code) == 1008),
        "{ended:?}"
    );
}

#[tokio::test]
async fn the_outbox_is_for_this_computer_and_for_development_alone() {
    let server = TestServer::start().await.unwrap();
    let person = Person::new(&server, "ada@example.org");
    person.register().await;
    person.link(&server, 0).await;
    let outbox = format!("{}/outbox.json", server.url());
    let letters: serde_json::Value =
        serde_json::from_str(&http().get(&outbox).send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(letters[0]["to"], "ada@example.org");
    assert_eq!(letters[0]["link"], person.link(&server, 0).await);
    let page = http().get(format!("{}/outbox", server.url())).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("<h2>Confirm your email address for Keyquay</h2>"));

    let rebound = http().get(&outbox).header("host", "evil.example").send().await.unwrap();
    assert_eq!(problem(rebound).await.code, Code::NotFound);

    let sending = TestServer::start_with(|config| {
        config.mail = MailConfig::Smtp(SmtpConfig {
            url: "smtp://127.0.0.1:9".parse().unwrap(),
            from: "keyquay@example.org".parse().unwrap(),
            credentials: None,
        });
    })
    .await
    .unwrap();
    assert!(sending.outbox().is_none());
    for path in ["/outbox", "/outbox.json", "/outbox/1"] {
        let answer = http().get(format!("{}{path}", sending.url())).send().await.unwrap();
        assert_eq!(problem(answer).await.code, Code::NotFound, "{path}");
    }
}

#[tokio::test]
async fn the_openapi_document_names_every_route_and_no_other() {
    let server = TestServer::start().await.unwrap();
    let document =
        http().get(format!("{}/openapi.json", server.url())).send().await.unwrap().text().await.unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let mut routes = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            routes.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    assert_eq!(routes, EXPECTED.iter().map(|route| (*route).to_owned()).collect());

    for route in &routes {
        let (method, path) = route.split_once(' ').unwrap();
        let path = path
            .replace("{id}", &"0".repeat(32))
            .replace("{hash}", &"0".repeat(64))
            .replace("{token}", "none");
        let request = http().request(method.parse().unwrap(), format!("{}{path}", server.url()));
        let status = request.send().await.unwrap().status();
        assert!(
            status != StatusCode::NOT_FOUND && status != StatusCode::METHOD_NOT_ALLOWED,
            "{route}: {status}"
        );
    }
    for reference in references(&document) {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

/// The routes of protocol.md.
const EXPECTED: &[&str] = &[
    "GET /v1/server",
    "POST /v1/users/registration/start",
    "POST /v1/users/registration/finish",
    "POST /v1/users/registration/status",
    "POST /v1/sign-in/start",
    "POST /v1/sign-in/finish",
    "POST /v1/sign-in/second-factor",
    "POST /v1/second-factor/start",
    "POST /v1/second-factor/confirm",
    "POST /v1/second-factor/backup-codes",
    "POST /v1/devices/{id}/verification-mail",
    "POST /v1/devices/{id}/suspension",
    "POST /v1/devices/suspension",
    "GET /verify/{token}",
    "POST /verify/{token}",
    "POST /v1/password/start",
    "GET /v1/unlock-record",
    "GET /v1/recovery-record",
    "POST /v1/recovery/start",
    "GET /v1/log",
    "POST /v1/log",
    "GET /v1/blobs/{hash}",
    "POST /v1/share",
    "GET /v1/status",
    "POST /v1/email/start",
    "GET /v1/events",
    "DELETE /v1/user",
    "GET /healthz",
    "GET /openapi.json",
];

async fn is_registered(person: &Person, finished: &RegistrationFinished) -> bool {
    let status = RegistrationStatus { registration: finished.registration.clone() };
    let answer: RegistrationConfirmed = person.post("/v1/users/registration/status", &status).await;
    answer.confirmed
}

type Events = tokio_tungstenite::WebSocketStream<TcpStream>;

/// Sends a request as it stands and gives the whole answer.
async fn raw(server: &TestServer, line: &str, head: &str, body: &str) -> String {
    let (address, mut stream) = stream(server).await;
    let request = format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{head}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn stream(server: &TestServer) -> (String, TcpStream) {
    let address = server.url().strip_prefix("http://").unwrap();
    (address.to_owned(), TcpStream::connect(address).await.unwrap())
}

async fn connect(server: &TestServer, person: &Person) -> Events {
    let signed = person.sign(server, "GET", "/v1/events", b"");
    let url = format!("{}/v1/events", server.url().replace("http:", "ws:"));
    let mut request = url.into_client_request().unwrap();
    for (name, value) in [
        ("content-digest", signed.content_digest),
        ("signature-input", signed.signature_input),
        ("signature", signed.signature),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    client_async(request, stream(server).await.1).await.unwrap().0
}

fn references(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| match value.as_str() {
                Some(reference) if name == "$ref" => vec![reference.to_owned()],
                _ => references(value),
            })
            .collect(),
        serde_json::Value::Array(values) => values.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
