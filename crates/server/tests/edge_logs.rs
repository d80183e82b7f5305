#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
//! Logs hold ids and codes only. Alone in its file: it listens to the whole process.

mod edge_support;

use std::io::Write;
use std::sync::{Arc, Mutex};

use edge_support::{Person, problem};
use keyquay_protocol::Code;
use keyquay_server::testing::TestServer;
use reqwest::Method;

#[tokio::test]
async fn no_log_line_holds_an_address_a_token_or_a_secret_even_at_the_finest_level() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let server = TestServer::start().await.unwrap();
    let person = Person::new(&server, "canary.person@example.org");
    let mut canaries = person.enter(&server).await;
    let before = server.outbox().unwrap().letters()[0].number;
    person.order_verification_mail(&server).await;
    let link = person.link(&server, before).await;
    person.http.get(format!("{link}?canary-query=1")).send().await.unwrap();
    assert!(person.answer(&link, "confirm").await.status().is_success());
    let refused =
        person.send_signed(&server, Method::POST, "/v1/share", b"{\"canary-body\":1}".to_vec()).await;
    assert_eq!(problem(refused).await.code, Code::Malformed);
    drop(server);

    let log = lines.text();
    assert!(
        log.contains("/verify/{token}") && log.contains("code=\"malformed\""),
        "the log is empty:\n{log}"
    );
    let token = |link: &str| link.rsplit('/').next().unwrap().to_owned();
    let of_address = canaries.pop().unwrap();
    canaries.extend([token(&of_address), token(&link)]);
    canaries.extend(
        ["canary.person", "canary-password", "canary-query", "canary-body", "Debian", "127.0.0.1"]
            .map(str::to_owned),
    );
    canaries.push(person.phrase());
    for canary in canaries {
        // The client of this test is in the same process and has a log of its own.
        let ours =
            log.lines().filter(|line| !line.contains("reqwest") && !line.contains("hyper_util::client"));
        let found: Vec<&str> = ours.filter(|line| line.contains(&canary)).collect();
        assert!(found.is_empty(), "{canary}: {found:?}");
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
