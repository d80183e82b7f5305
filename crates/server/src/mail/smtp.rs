use std::time::Duration;

use data_encoding::HEXLOWER;
use keyquay_crypto::{ExposeSecret, random_bytes};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::{Letter, NotTaken};
use crate::config::{SmtpConfig, SmtpSecurity};

/// The way to a mail server.
pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    server_name: String,
}

/// Why an attempt failed, without the server's words: they may quote addresses.
pub(super) struct Failure {
    pub permanent: bool,
    /// The SMTP status, or 0 where there was none.
    pub code: u16,
}

impl Smtp {
    pub fn open(config: &SmtpConfig, server_name: &str) -> Result<Self, lettre::transport::smtp::Error> {
        type Transport = AsyncSmtpTransport<Tokio1Executor>;
        let host = &config.url.host;
        let builder = match config.url.security {
            SmtpSecurity::Tls => Transport::relay(host)?,
            SmtpSecurity::StartTls => Transport::starttls_relay(host)?,
            SmtpSecurity::Plain => Transport::builder_dangerous(host),
        };
        let mut builder = builder
            .port(config.url.port)
            .hello_name(ClientId::Domain(server_name.to_owned()))
            .timeout(Some(Duration::from_secs(30)));
        if let Some((user, password)) = &config.credentials {
            builder =
                builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
        }
        let server_name = server_name.to_owned();
        Ok(Self { transport: builder.build(), from: config.from.clone(), server_name })
    }

    /// The letter as a message with both parts.
    ///
    /// # Errors
    /// [`NotTaken`] where its address is none.
    pub fn message(&self, letter: &Letter) -> Result<Message, NotTaken> {
        let to = Mailbox::new(None, letter.to.parse().map_err(|_| NotTaken)?);
        let id = HEXLOWER.encode(&random_bytes::<16>());
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(letter.subject)
            .message_id(Some(format!("<{id}@{}>", self.server_name)))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone()))
            .map_err(|_| NotTaken)
    }

    pub async fn send(&self, message: &Message) -> Result<(), Failure> {
        match self.transport.send(message.clone()).await {
            Ok(_) => Ok(()),
            Err(error) => {
                Err(Failure { permanent: error.is_permanent(), code: error.status().map_or(0, u16::from) })
            }
        }
    }
}
