#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]
//! The program as it is built: its command line, its first line, its end, and mail over SMTP.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn a_server_for_development_says_where_it_listens_and_ends_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Program::dev(folder.path(), &[]);
    let body = curl(&server.url, "/v1/server");
    assert!(body.contains(r#""protocol":"keyquay/1""#) && body.contains(&server.url), "{body}");
    assert!(curl(&server.url, "/outbox").contains("<h1>Outbox</h1>"));

    let told = Instant::now();
    terminate(&server.child);
    assert!(server.child.wait().unwrap().success());
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());

    let files: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        files.iter().any(|name| name == "keyquay.sqlite") && files.iter().any(|name| name == "local.key"),
        "{files:?}"
    );
}

#[test]
fn a_setting_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("server.toml");
    let fails_with = |text: &str, words: &str| {
        std::fs::write(&settings, text).unwrap();
        let output = program().args(["run", "--config"]).arg(&settings).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
    };
    fails_with("public_url = 'http://sync.example'", "public URL");
    fails_with("public_url = 'https://sync.example'", "an SMTP URL");
    fails_with("publik_url = 'https://sync.example'", "publik_url");
    fails_with(
        "public_url = 'https://sync.example'\n[mail]\nsmtp_url = 'smtp://user:word@mail.example'",
        "SMTP URL",
    );
}

#[test]
fn a_letter_reaches_a_mail_server_that_was_away_and_that_we_did_not_write() {
    let Some(python) = python_with_aiosmtpd() else {
        eprintln!("skipped: no Python with aiosmtpd; scripts/install-deps.sh test installs it");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let maildir = folder.path().join("mail");
    let smtp_url = format!("smtp://127.0.0.1:{port}");
    let data = folder.path().join("data");
    let server = Program::dev(&data, &["--smtp-url", &smtp_url, "--server-name", "sync.example"]);
    register(&server.url, "ada@example.org");
    std::thread::sleep(Duration::from_millis(500));
    let _receiver = receive(&python, port, &maildir);

    let mut letter = String::new();
    wait_for("the letter", || {
        let Some(Ok(file)) = std::fs::read_dir(maildir.join("new")).ok().and_then(|mut files| files.next())
        else {
            return false;
        };
        letter = std::fs::read_to_string(file.path()).unwrap();
        true
    });
    let unfolded = letter.replace("=\n", "").replace("=\r\n", "");
    for part in [
        "To: ada@example.org",
        "From: Keyquay <keyquay@sync.example>",
        "Subject: Confirm your email address for Keyquay",
        "Auto-Submitted: auto-generated",
        "@sync.example>",
        "text/plain",
        "text/html",
    ] {
        assert!(unfolded.contains(part), "{part} is missing in {unfolded}");
    }
    assert_eq!(unfolded.matches(&format!("{}/verify/", server.url)).count(), 4, "{unfolded}");
}

struct Program {
    child: Child,
    url: String,
}

impl Program {
    fn dev(data: &Path, more: &[&str]) -> Self {
        let mut command = program();
        command.args(["dev", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data).args(more);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("listening on ").expect("another first line").to_owned();
        Self { child, url }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }
}

/// A process that ends with its test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A mail server that keeps what it receives as files.
fn receive(python: &Path, port: u16, maildir: &Path) -> Killed {
    let mut command = Command::new(python);
    command.args(["-m", "aiosmtpd", "--nosetuid", "--listen", &format!("127.0.0.1:{port}")]);
    command.args(["--class", "aiosmtpd.handlers.Mailbox"]).arg(maildir);
    let receiver = Killed(command.spawn().unwrap());
    wait_for("the mail server", || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
    receiver
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_keyquay-server"))
}

fn http() -> reqwest::Client {
    // Already installed by an earlier test of this process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

#[tokio::main(flavor = "current_thread")]
async fn curl(url: &str, path: &str) -> String {
    let http = http();
    http.get(format!("{url}{path}")).send().await.unwrap().text().await.unwrap()
}

/// Registers with a record of the right form; the mail does not depend on what it holds.
#[tokio::main(flavor = "current_thread")]
async fn register(url: &str, email: &str) {
    use keyquay_crypto::SecretString;
    use keyquay_crypto::opaque::{ClientRegistrationStep, Parties};
    use keyquay_protocol::wire::{Bytes, RegistrationFinish, RegistrationStart, RegistrationStarted};

    let http = http();
    let post = async |path: &str, body: Vec<u8>| {
        let request = http.post(format!("{url}{path}")).header("content-type", "application/json");
        let answer = request.body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        answer.bytes().await.unwrap()
    };
    let password = SecretString::from("correct horse battery staple".to_owned());
    let (step, request) = ClientRegistrationStep::start(&password).unwrap();
    let start = RegistrationStart { email: email.to_owned(), request: Bytes(request) };
    let started = post("/v1/users/registration/start", serde_json::to_vec(&start).unwrap()).await;
    let started: RegistrationStarted = serde_json::from_slice(&started).unwrap();
    let parties = Parties { user: started.user.as_bytes(), server: b"sync.example" };
    let (record, _) = step.finish(&password, &started.response.0, parties).unwrap();
    let finish = RegistrationFinish { email: email.to_owned(), record: Bytes(record) };
    post("/v1/users/registration/finish", serde_json::to_vec(&finish).unwrap()).await;
}

fn terminate(child: &Child) {
    let status = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

fn python_with_aiosmtpd() -> Option<PathBuf> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/python/bin/python");
    [tools, PathBuf::from("python3")].into_iter().find(|python| {
        let import = Command::new(python).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
        import.is_ok_and(|status| status.success())
    })
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn wait_for(what: &str, mut ready: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !ready() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}
