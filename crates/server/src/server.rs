use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use keyquay_protocol::Clock;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Config, PublicUrl};
use crate::edge::{Edge, Gate, LARGE_BODIES, router, serve};
use crate::keystore::{self, Keystore};
use crate::kms::{LocalKey, LocalKeyError};
use crate::mail::{Outbox, Post};
use crate::storage::{Sqlite, StorageError};

/// A server with all its roles in this process.
pub struct Server;

/// A server that answers. It goes on until [`Running::stop`]; dropping it lets go of it without waiting.
#[must_use]
pub struct Running {
    address: SocketAddr,
    edge: Arc<Edge>,
    serving: JoinHandle<()>,
}

/// Why a server did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    #[error("cannot create the data directory: {0}")]
    DataDir(std::io::Error),
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("the key file: {0}")]
    KeyFile(#[from] LocalKeyError),
    #[error("the database: {0}")]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Keystore(#[from] keystore::StartError),
    #[error("the mail server's name cannot be used for TLS")]
    Smtp(#[from] lettre::transport::smtp::Error),
}

/// How long mail may take to go out when the server stops.
const MAIL: Duration = Duration::from_secs(5);

impl Server {
    /// Starts with SQLite and a local key file in the data directory.
    ///
    /// # Errors
    /// [`StartError`] by what is in the way.
    pub async fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
        create_private(&config.data_dir).map_err(StartError::DataDir)?;
        let listening = |source| StartError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let public_url = config.public_url.unwrap_or_else(|| PublicUrl::of_listener(address));
        let name = config.server_name.unwrap_or_else(|| public_url.host().to_owned());

        let post = Post::open(&config.mail, public_url.as_str(), &name, Arc::clone(&clock))?;
        let key = LocalKey::open_or_create(&config.data_dir.join("local.key"))?;
        let storage = Sqlite::open(&config.data_dir.join("keyquay.sqlite"))?;
        let mut settings = keystore::Settings::new(name, public_url.as_str());
        settings.rates = config.rates;
        let (storage, key) = (Arc::new(storage), Arc::new(key));
        let keystore = Keystore::start(settings, storage, key, Arc::clone(&clock)).await?;

        let edge = Arc::new(Edge {
            keystore,
            post,
            clock,
            public_url,
            trusted_proxies: config.trusted_proxies,
            gate: Gate::new(config.limits),
            large_bodies: Semaphore::new(LARGE_BODIES),
            sockets: TaskTracker::new(),
            stopping: CancellationToken::new(),
        });
        let serving = tokio::spawn(serve(listener, router(Arc::clone(&edge)), Arc::clone(&edge)));
        Ok(Running { address, edge, serving })
    }
}

impl Running {
    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where people and devices reach it, without a trailing slash.
    #[must_use]
    pub fn public_url(&self) -> &str {
        self.edge.public_url.as_str()
    }

    /// What would have been sent, where nothing is sent.
    #[must_use]
    pub fn outbox(&self) -> Option<&Outbox> {
        self.edge.post.outbox()
    }

    /// Accepts nothing more, lets requests end and mail go out, and closes every connection.
    pub async fn stop(mut self) {
        self.edge.stopping.cancel();
        if (&mut self.serving).await.is_err() {
            tracing::error!("the server ended before it was stopped");
        }
        self.edge.post.stop(MAIL).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.edge.stopping.cancel();
    }
}

/// For its owner alone, where the system knows owners.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
