//! An SMTP server that we did not write, and the letters that it received.

use std::path::PathBuf;
use std::process::Command;

use mailparse::MailHeaderMap;
use tempfile::TempDir;

use super::process::Process;
use super::{free_port, has_programs, tool, wait_for};

/// Receives mail for everybody, as files in a maildir (aiosmtpd).
pub struct Mailbox {
    _receiver: Process,
    port: u16,
    folder: TempDir,
}

/// A received letter.
#[derive(Debug, Clone)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    /// The plain text, decoded.
    pub text: String,
}

impl Mailbox {
    /// `None`, noted as skipped, where the receiver is not installed.
    pub async fn start() -> Option<Self> {
        let python = tool("python/bin/python");
        if !has_programs(&[&python]) {
            return None;
        }
        let folder = tempfile::Builder::new().prefix("keyquay-mail-").tempdir().unwrap();
        let port = free_port();
        let mut command = Command::new(python);
        command
            .args(["-m", "aiosmtpd", "--nosetuid", "--listen", &format!("127.0.0.1:{port}")])
            .args(["--class", "aiosmtpd.handlers.Mailbox"])
            .arg(folder.path().join("mail"));
        let receiver = Process::start("mail", &command, folder.path());
        wait_for("the mail server", async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok())
            .await;
        Some(Self { _receiver: receiver, port, folder })
    }

    /// Where it listens: plain SMTP on loopback.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The newest letter to `to` whose subject contains `subject`. Waits for it.
    pub async fn wait_for(&self, to: &str, subject: &str) -> Mail {
        wait_for(&format!("mail to {to} about {subject:?}"), async || {
            self.all().into_iter().rev().find(|mail| mail.to.contains(to) && mail.subject.contains(subject))
        })
        .await
    }

    /// Every letter so far, oldest first.
    pub fn all(&self) -> Vec<Mail> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.folder.path().join("mail/new"))
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
        files.sort_by_key(|file| file.metadata().unwrap().modified().unwrap());
        files.iter().map(|file| read_mail(&std::fs::read(file).unwrap())).collect()
    }
}

impl Mail {
    /// The first link in the text.
    pub fn link(&self) -> String {
        self.text
            .split_whitespace()
            .map(|word| word.trim_matches(|mark| matches!(mark, '<' | '>' | '(' | ')' | '.' | ',')))
            .find(|word| word.starts_with("http://") || word.starts_with("https://"))
            .unwrap_or_else(|| panic!("no link in: {}", self.text))
            .to_owned()
    }
}

fn read_mail(bytes: &[u8]) -> Mail {
    let mail = mailparse::parse_mail(bytes).unwrap();
    let header = |name| mail.headers.get_first_value(name).unwrap_or_default();
    let plain = mail.parts().find(|part| part.ctype.mimetype == "text/plain").unwrap_or(&mail);
    Mail { to: header("To"), subject: header("Subject"), text: plain.get_body().unwrap() }
}
