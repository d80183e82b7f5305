//! What the program is told on its command line, and its exit codes.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand, ValueEnum};
use keyquay_crypto::SecretString;
use keyquay_protocol::SystemClock;
use tracing_subscriber::EnvFilter;

use crate::config::{Config, ConfigError, LISTEN, MailSettings, Settings};
use crate::server::{Running, Server, StartError};

/// Keyquay's sync server: carries sealed exchange keys between the devices of their owner, and reads none.
#[derive(Debug, Parser)]
#[command(name = "keyquay-server", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How much to log to standard error. Logs hold ids and codes only.
    #[arg(long, global = true, value_enum, default_value_t = Log::Info, env = "KEYQUAY_SERVER_LOG")]
    log: Log,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a server to try things with: nothing to set up, mail is shown at /outbox instead of sent.
    Dev {
        /// A TOML file with settings; flags and environment win over it.
        #[arg(long)]
        config: Option<PathBuf>,
        #[command(flatten)]
        flags: Flags,
    },
    /// Run a server that people rely on.
    Run {
        /// A TOML file with settings; flags and environment win over it.
        #[arg(long)]
        config: PathBuf,
        #[command(flatten)]
        flags: Flags,
    },
}

#[derive(Debug, Args)]
struct Flags {
    /// Where the database and the key file are.
    #[arg(long, env = "KEYQUAY_SERVER_DATA_DIR")]
    data_dir: Option<PathBuf>,
    #[arg(long, env = "KEYQUAY_SERVER_LISTEN", help = format!("Address and port to listen on; port 0 takes a free one [{LISTEN}]"))]
    listen: Option<std::net::SocketAddr>,
    /// Where people and devices reach the server: https://HOST[:PORT].
    #[arg(long, env = "KEYQUAY_SERVER_PUBLIC_URL")]
    public_url: Option<String>,
    /// The server's identity in sign-ins, never to change [the public URL's host].
    #[arg(long, env = "KEYQUAY_SERVER_NAME")]
    server_name: Option<String>,
    /// smtps://HOST[:465], or smtp://HOST[:587] with STARTTLS; plain to this computer itself only.
    #[arg(long, env = "KEYQUAY_SERVER_SMTP_URL")]
    smtp_url: Option<String>,
    #[arg(long, env = "KEYQUAY_SERVER_SMTP_USER")]
    smtp_user: Option<String>,
    /// A file that holds the password; it may also stand in KEYQUAY_SERVER_SMTP_PASSWORD.
    #[arg(long, env = "KEYQUAY_SERVER_SMTP_PASSWORD_FILE")]
    smtp_password_file: Option<PathBuf>,
    /// The sender of mails, such as "Keyquay <keyquay@example.org>".
    #[arg(long, env = "KEYQUAY_SERVER_MAIL_FROM")]
    mail_from: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Log {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Runs the program until it is told to stop.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.log);
    let config = match cli.command.config() {
        Ok(config) => config,
        Err(error) => return failed(&error, 2),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error, 1),
    };
    match runtime.block_on(serve(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error, 1),
    }
}

impl Command {
    fn config(self) -> Result<Config, ConfigError> {
        match self {
            Self::Dev { config, flags } => {
                let file = config.as_deref().map(Settings::read).transpose()?.unwrap_or_default();
                let mut settings = flags.into_settings().over(file);
                if settings.data_dir.is_none() {
                    let data = dirs::data_local_dir().ok_or(ConfigError::Missing("a data directory"))?;
                    settings.data_dir = Some(data.join("keyquay-server").join("dev"));
                }
                settings.for_development()
            }
            Self::Run { config, flags } => {
                flags.into_settings().over(Settings::read(&config)?).for_production()
            }
        }
    }
}

impl Flags {
    fn into_settings(self) -> Settings {
        let password = std::env::var("KEYQUAY_SERVER_SMTP_PASSWORD").ok();
        Settings {
            listen: self.listen,
            public_url: self.public_url,
            server_name: self.server_name,
            data_dir: self.data_dir,
            mail: MailSettings {
                smtp_url: self.smtp_url,
                smtp_user: self.smtp_user,
                smtp_password: password.map(SecretString::from),
                smtp_password_file: self.smtp_password_file,
                from: self.mail_from,
            },
            ..Settings::default()
        }
    }
}

/// The first line on standard output tells other programs where the server listens.
async fn serve(config: Config) -> Result<(), StartError> {
    let running = Server::start(config, Arc::new(SystemClock)).await?;
    announce(&running);
    stop_signal().await;
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

fn announce(running: &Running) {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "listening on http://{}", running.address()).and_then(|()| out.flush());
    if written.is_err() {
        tracing::warn!("standard output is closed");
    }
    tracing::info!(public_url = running.public_url(), "ready");
    if running.outbox().is_some() {
        tracing::info!("mail is not sent: see http://{}/outbox", running.address());
    }
}

async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                interrupted = tokio::signal::ctrl_c() => if interrupted.is_ok() { return },
            }
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Only this program's own words: libraries may log what passes through them.
fn start_log(log: Log) {
    let level = match log {
        Log::Error => "error",
        Log::Warn => "warn",
        Log::Info => "info",
        Log::Debug => "debug",
        Log::Trace => "trace",
    };
    let filter = EnvFilter::new(format!("keyquay_server={level}"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}

fn failed(error: &dyn std::error::Error, code: u8) -> ExitCode {
    let mut err = std::io::stderr().lock();
    if writeln!(err, "keyquay-server: {error}").is_err() {
        tracing::error!("standard error is closed");
    }
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_server_for_development_needs_no_setting() {
        let cli = Cli::try_parse_from(["keyquay-server", "dev", "--listen", "127.0.0.1:0"]).unwrap();
        let config = cli.command.config().unwrap();
        assert!(config.data_dir.ends_with("keyquay-server/dev"));
        assert!(config.public_url.is_none() && config.listen.port() == 0);
    }

    #[test]
    fn a_server_that_people_rely_on_needs_its_settings_file() {
        assert!(Cli::try_parse_from(["keyquay-server", "run"]).is_err());
        let file = std::env::temp_dir().join("keyquay-server-no-such-settings.toml");
        let file = file.to_str().unwrap();
        let cli = Cli::try_parse_from(["keyquay-server", "run", "--config", file]).unwrap();
        assert!(matches!(cli.command.config(), Err(ConfigError::Read { .. })));
    }
}
