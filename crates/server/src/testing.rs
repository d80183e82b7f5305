//! A whole server in this process, for tests of this crate and of others: on a free port of this computer,
//! in a folder of its own, with an outbox to read and a clock to turn.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use data_encoding::HEXLOWER;
use keyquay_crypto::random_bytes;
use keyquay_protocol::{Clock, SystemClock};

use crate::config::{Config, Limits, MailConfig};
use crate::keystore::Rates;
use crate::mail::{Kept, Outbox};
use crate::server::{Running, Server, StartError};

/// A server for tests. Its folder is removed with it.
pub struct TestServer {
    running: Option<Running>,
    config: Config,
    clock: TestClock,
}

/// The system's time, turned forward or back.
#[derive(Debug, Clone, Default)]
pub struct TestClock(Arc<AtomicI64>);

impl TestServer {
    /// Starts with limits that no test meets by accident.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn start() -> Result<Self, StartError> {
        Self::start_with(|_| {}).await
    }

    /// Starts with other settings; listening address, folder and outbox are given.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Result<Self, StartError> {
        let data_dir =
            std::env::temp_dir().join(format!("keyquay-server-{}", HEXLOWER.encode(&random_bytes::<8>())));
        let mut config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            public_url: None,
            server_name: None,
            data_dir,
            mail: MailConfig::Outbox,
            trusted_proxies: Vec::new(),
            limits: Limits::generous(),
            rates: Rates::default(),
        };
        change(&mut config);
        let mut server = Self { running: None, config, clock: TestClock::default() };
        server.resume().await?;
        Ok(server)
    }

    /// Where it answers, without a trailing slash; also the URL that signed requests name.
    #[must_use]
    pub fn url(&self) -> &str {
        self.running.as_ref().map_or("", Running::public_url)
    }

    #[must_use]
    pub fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// Holds the database and the key file.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.config.data_dir
    }

    /// Its mail. Empty again after a stop.
    #[must_use]
    pub fn outbox(&self) -> Option<&Outbox> {
        self.running.as_ref().and_then(Running::outbox)
    }

    /// The newest mail to an address with a number above `after` (0 for any), as soon as there is one; none
    /// after ten seconds.
    pub async fn mail_to(&self, address: &str, after: u64) -> Option<Arc<Kept>> {
        let outbox = self.outbox()?;
        tokio::time::timeout(Duration::from_secs(10), outbox.next_to(address, after)).await.ok()
    }

    /// Stops as the program does when it is told to. The folder and the address stay.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            self.config.listen = running.address();
            running.stop().await;
        }
    }

    /// Starts again after [`TestServer::stop`], at the same address.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn resume(&mut self) -> Result<(), StartError> {
        self.running = Some(Server::start(self.config.clone(), Arc::new(self.clock.clone())).await?);
        Ok(())
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.running.take());
        remove(&self.config.data_dir);
    }
}

impl TestClock {
    /// Turns the clock forward, or back.
    pub fn turn(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn unix_seconds(&self) -> u64 {
        SystemClock.unix_seconds().saturating_add_signed(self.0.load(Ordering::Relaxed))
    }
}

fn remove(data_dir: &PathBuf) {
    if let Err(error) = std::fs::remove_dir_all(data_dir) {
        tracing::debug!(kind = ?error.kind(), "a test's folder stays");
    }
}
