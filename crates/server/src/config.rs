//! Settings of a server: a TOML file, the environment and flags end in one checked [`Config`].

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use axum::http::Uri;
use keyquay_crypto::SecretString;
use lettre::message::Mailbox;
use serde::Deserialize;
use thiserror::Error;

use crate::keystore::Rates;

/// Where a server listens if nothing else is said.
pub const LISTEN: &str = "127.0.0.1:8787";

/// All that a server needs to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where people and devices reach the server; the address it listens on if it is not said.
    pub public_url: Option<PublicUrl>,
    /// The server's identity in OPAQUE, never to change; the public URL's host if it is not said.
    pub server_name: Option<String>,
    /// Holds the database and the key file.
    pub data_dir: PathBuf,
    pub mail: MailConfig,
    /// Proxies whose `X-Forwarded-For` names the true address.
    pub trusted_proxies: Vec<IpAddr>,
    pub limits: Limits,
    /// The keystore's own limits, by user and device.
    pub rates: Rates,
}

/// What becomes of mail.
#[derive(Debug, Clone)]
pub enum MailConfig {
    /// Nothing is sent; a page on loopback shows it.
    Outbox,
    Smtp(SmtpConfig),
}

/// How to reach the server that sends mail.
#[derive(Debug, Clone)]
pub struct SmtpConfig {
    pub url: SmtpUrl,
    pub from: Mailbox,
    /// User name and password.
    pub credentials: Option<(String, SecretString)>,
}

/// `smtps://HOST[:465]` for TLS from the first byte; `smtp://HOST[:587]` for STARTTLS, which must succeed;
/// `smtp://` to this computer itself (`[:25]`) goes in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    pub host: String,
    pub port: u16,
    pub security: SmtpSecurity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpSecurity {
    Tls,
    StartTls,
    /// Only to this computer itself.
    Plain,
}

/// `https://HOST[:PORT]`, or plain `http` on this computer alone; no path, no trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    host: String,
}

/// How often one network address may ask; an IPv6 address counts by its first 64 bits.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests of any kind a second, in the long run.
    pub requests_per_second: NonZeroU32,
    /// Requests at once.
    pub requests_burst: NonZeroU32,
    /// Requests a minute that try a secret or send mail, in the long run.
    pub attempts_per_minute: NonZeroU32,
    /// Such requests at once.
    pub attempts_burst: NonZeroU32,
}

/// A setting that cannot be used. Names the setting and never holds a secret.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} is not a settings file: {reason}")]
    Parse { path: PathBuf, reason: String },
    #[error("public URL: must be https://HOST[:PORT], or http on this computer alone, without a path")]
    PublicUrl,
    #[error("server name: must have 1 to 100 characters out of a-z, 0-9, dot and hyphen")]
    ServerName,
    #[error(
        "SMTP URL: must be smtps://HOST[:PORT] or smtp://HOST[:PORT]; user and password are settings of their own"
    )]
    SmtpUrl,
    #[error("mail sender: must be an address such as Keyquay <keyquay@example.org>")]
    MailFrom,
    #[error("SMTP user and SMTP password must be set both or not at all")]
    SmtpCredentials,
    #[error("SMTP password file: cannot be read: {0}")]
    SmtpPasswordFile(std::io::Error),
    #[error("a server needs {0}")]
    Missing(&'static str),
}

/// Settings as they are given, each of them optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub listen: Option<SocketAddr>,
    pub public_url: Option<String>,
    pub server_name: Option<String>,
    pub data_dir: Option<PathBuf>,
    pub trusted_proxies: Vec<IpAddr>,
    pub mail: MailSettings,
    pub limits: Limits,
}

/// The `[mail]` table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailSettings {
    pub smtp_url: Option<String>,
    pub smtp_user: Option<String>,
    /// From the environment only.
    #[serde(skip)]
    pub smtp_password: Option<SecretString>,
    /// A file that holds the password and nothing else.
    pub smtp_password_file: Option<PathBuf>,
    pub from: Option<String>,
}

impl Settings {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// [`ConfigError::Read`] and [`ConfigError::Parse`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text)
            .map_err(|error| ConfigError::Parse { path: path.to_owned(), reason: error.message().to_owned() })
    }

    /// These settings, and `below` where they say nothing.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            listen: self.listen.or(below.listen),
            public_url: self.public_url.or(below.public_url),
            server_name: self.server_name.or(below.server_name),
            data_dir: self.data_dir.or(below.data_dir),
            trusted_proxies: below.trusted_proxies,
            mail: MailSettings {
                smtp_url: self.mail.smtp_url.or(below.mail.smtp_url),
                smtp_user: self.mail.smtp_user.or(below.mail.smtp_user),
                smtp_password: self.mail.smtp_password,
                smtp_password_file: self.mail.smtp_password_file.or(below.mail.smtp_password_file),
                from: self.mail.from.or(below.mail.from),
            },
            limits: below.limits,
        }
    }

    /// A server to try things with: all that it needs is a data directory; without SMTP, mail rests in an outbox.
    ///
    /// # Errors
    /// [`ConfigError`] for a setting that cannot be used.
    pub fn for_development(self) -> Result<Config, ConfigError> {
        let default_listen = SocketAddr::from(([127, 0, 0, 1], 8787));
        let (public_url, server_name) = self.names()?;
        let mail = match self.mail.smtp(server_name.as_deref().unwrap_or("localhost"))? {
            Some(smtp) => MailConfig::Smtp(smtp),
            None => MailConfig::Outbox,
        };
        Ok(Config {
            listen: self.listen.unwrap_or(default_listen),
            public_url,
            server_name,
            data_dir: self.data_dir.ok_or(ConfigError::Missing("a data directory"))?,
            mail,
            trusted_proxies: self.trusted_proxies,
            limits: self.limits,
            rates: Rates::default(),
        })
    }

    /// A server that people rely on: nothing that matters is guessed.
    ///
    /// # Errors
    /// [`ConfigError`] for a setting that is missing or cannot be used.
    pub fn for_production(self) -> Result<Config, ConfigError> {
        let (public_url, server_name) = self.names()?;
        let public_url = public_url.ok_or(ConfigError::Missing("a public URL"))?;
        let server_name = server_name.unwrap_or_else(|| public_url.host().to_owned());
        let smtp = self.mail.smtp(&server_name)?.ok_or(ConfigError::Missing("an SMTP URL"))?;
        Ok(Config {
            listen: self.listen.ok_or(ConfigError::Missing("an address to listen on"))?,
            public_url: Some(public_url),
            server_name: Some(server_name),
            data_dir: self.data_dir.ok_or(ConfigError::Missing("a data directory"))?,
            mail: MailConfig::Smtp(smtp),
            trusted_proxies: self.trusted_proxies,
            limits: self.limits,
            rates: Rates::default(),
        })
    }

    fn names(&self) -> Result<(Option<PublicUrl>, Option<String>), ConfigError> {
        let public_url = self.public_url.as_deref().map(str::parse).transpose()?;
        match self.server_name.as_deref() {
            Some(name) if !is_server_name(name) => Err(ConfigError::ServerName),
            name => Ok((public_url, name.map(str::to_owned))),
        }
    }
}

impl MailSettings {
    fn smtp(&self, server_name: &str) -> Result<Option<SmtpConfig>, ConfigError> {
        let Some(url) = &self.smtp_url else { return Ok(None) };
        let password = match (&self.smtp_password, &self.smtp_password_file) {
            (Some(password), _) => Some(password.clone()),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path).map_err(ConfigError::SmtpPasswordFile)?;
                Some(SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned()))
            }
            (None, None) => None,
        };
        let credentials = match (&self.smtp_user, password) {
            (Some(user), Some(password)) => Some((user.clone(), password)),
            (None, None) => None,
            _ => return Err(ConfigError::SmtpCredentials),
        };
        let from = self.from.clone().unwrap_or_else(|| format!("Keyquay <keyquay@{server_name}>"));
        let from = from.parse().map_err(|_| ConfigError::MailFrom)?;
        Ok(Some(SmtpConfig { url: url.parse()?, from, credentials }))
    }
}

impl PublicUrl {
    /// Plain HTTP on the address that a server listens on.
    #[must_use]
    pub fn of_listener(address: SocketAddr) -> Self {
        Self { text: format!("http://{address}"), host: address.ip().to_string() }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Without port and brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl std::str::FromStr for PublicUrl {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        let uri: Uri = text.parse().map_err(|_| ConfigError::PublicUrl)?;
        let authority = uri.authority().ok_or(ConfigError::PublicUrl)?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let bare = text == format!("{}://{authority}", uri.scheme_str().unwrap_or_default());
        let safe = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => is_loopback(&host),
            _ => false,
        };
        if bare && safe && !host.is_empty() && !authority.as_str().contains('@') {
            Ok(Self { text, host })
        } else {
            Err(ConfigError::PublicUrl)
        }
    }
}

impl std::str::FromStr for SmtpUrl {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let (scheme, authority) = text.split_once("://").ok_or(ConfigError::SmtpUrl)?;
        let authority: axum::http::uri::Authority = authority.parse().map_err(|_| ConfigError::SmtpUrl)?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let (security, port) = match scheme {
            "smtps" => (SmtpSecurity::Tls, 465),
            "smtp" if is_loopback(&host) => (SmtpSecurity::Plain, 25),
            "smtp" => (SmtpSecurity::StartTls, 587),
            _ => return Err(ConfigError::SmtpUrl),
        };
        if host.is_empty() || authority.as_str().contains('@') {
            return Err(ConfigError::SmtpUrl);
        }
        Ok(Self { host, port: authority.port_u16().unwrap_or(port), security })
    }
}

impl Default for Limits {
    fn default() -> Self {
        let at = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self {
            requests_per_second: at(50),
            requests_burst: at(400),
            attempts_per_minute: at(20),
            attempts_burst: at(40),
        }
    }
}

impl Limits {
    /// So high that only a runaway loop meets them: for benchmarks and tests of other things.
    #[must_use]
    pub fn generous() -> Self {
        let most = NonZeroU32::MIN.saturating_add(999_999);
        Self {
            requests_per_second: most,
            requests_burst: most,
            attempts_per_minute: most,
            attempts_burst: most,
        }
    }
}

/// Whether a host names this computer itself, whatever the resolver says.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_server_name(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_https_or_this_computer_and_nothing_more() {
        for good in
            ["https://sync.example", "https://sync.example:8443/", "http://127.0.0.1:1", "http://[::1]:80"]
        {
            good.parse::<PublicUrl>().unwrap();
        }
        assert_eq!("https://Sync.Example/".parse::<PublicUrl>().unwrap().as_str(), "https://sync.example");
        assert_eq!("http://[::1]:80".parse::<PublicUrl>().unwrap().host(), "::1");
        let bad = [
            "http://sync.example",
            "ftp://sync.example",
            "https://sync.example/path",
            "https://a?b",
            "",
            "sync.example",
            "https://user@sync.example",
            "http://127.0.0.1.evil.example",
        ];
        for bad in bad {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn mail_leaves_this_computer_only_encrypted() {
        let security = |url: &str| url.parse::<SmtpUrl>().map(|url| (url.security, url.port));
        assert_eq!(security("smtps://mail.example").unwrap(), (SmtpSecurity::Tls, 465));
        assert_eq!(security("smtp://mail.example").unwrap(), (SmtpSecurity::StartTls, 587));
        assert_eq!(security("smtp://mail.example:25").unwrap(), (SmtpSecurity::StartTls, 25));
        assert_eq!(security("smtp://127.0.0.1:2525").unwrap(), (SmtpSecurity::Plain, 2525));
        assert_eq!(security("smtp://localhost").unwrap(), (SmtpSecurity::Plain, 25));
        for bad in ["http://mail.example", "smtp://user:word@mail.example", "smtp://", "mail.example:25"] {
            assert!(security(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn flags_win_over_the_file_and_production_guesses_nothing() {
        let file: Settings = toml::from_str(
            "listen = '127.0.0.1:1'\npublic_url = 'https://sync.example'\ndata_dir = 'data'\n\
             [mail]\nsmtp_url = 'smtps://mail.example'\n[limits]\nattempts_burst = 3\n",
        )
        .unwrap();
        let flags = Settings { listen: Some("127.0.0.1:2".parse().unwrap()), ..Settings::default() };
        let config = flags.over(file).for_production().unwrap();
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.server_name.unwrap(), "sync.example");
        assert_eq!(config.limits.attempts_burst.get(), 3);
        assert_eq!(config.limits.requests_burst, Limits::default().requests_burst);
        let MailConfig::Smtp(smtp) = config.mail else { panic!("no SMTP") };
        assert_eq!(smtp.from.to_string(), "Keyquay <keyquay@sync.example>");

        assert!(matches!(Settings::default().for_production(), Err(ConfigError::Missing(_))));
        assert!(
            toml::from_str::<Settings>("listne = '127.0.0.1:1'").is_err(),
            "a misspelt setting is an error"
        );
        assert!(
            toml::from_str::<Settings>("[mail]\nsmtp_password = 'x'").is_err(),
            "no password in the file"
        );
    }

    #[test]
    fn half_of_the_credentials_is_an_error() {
        let mail = MailSettings {
            smtp_url: Some("smtps://mail.example".into()),
            smtp_user: Some("keyquay".into()),
            ..MailSettings::default()
        };
        assert!(matches!(mail.smtp("sync.example"), Err(ConfigError::SmtpCredentials)));
    }
}
