use std::sync::Arc;
use std::time::Duration;

use keyquay_protocol::Clock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::smtp::{Failure, Smtp};
use super::{Letter, Outbox};
use crate::config::MailConfig;
use crate::message::MailOrder;

/// Takes orders for mail and sees to the rest by itself. An answer never waits for SMTP: how long that takes
/// would tell whether a mail was sent at all, and so who is registered.
#[derive(Clone)]
pub(crate) struct Post {
    public_url: Arc<str>,
    way: Way,
}

/// Nobody took the mail: too many wait already, or its address is not one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NotTaken;

#[derive(Clone)]
enum Way {
    Outbox(Outbox, Arc<dyn Clock>),
    Smtp(Arc<Queue>),
}

struct Queue {
    smtp: Smtp,
    waiting: Arc<Semaphore>,
    connections: Semaphore,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

const WAITING: usize = 500;
const CONNECTIONS: usize = 4;

/// Waits before each attempt. Together shorter than a link lives.
const ATTEMPTS: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_secs(2),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(300),
];

impl Post {
    /// # Errors
    /// Where the settings name a mail server that TLS cannot name.
    pub fn open(
        config: &MailConfig,
        public_url: &str,
        server_name: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, lettre::transport::smtp::Error> {
        let way = match config {
            MailConfig::Outbox => Way::Outbox(Outbox::new(), clock),
            MailConfig::Smtp(smtp) => Way::Smtp(Arc::new(Queue {
                smtp: Smtp::open(smtp, server_name)?,
                waiting: Arc::new(Semaphore::new(WAITING)),
                connections: Semaphore::new(CONNECTIONS),
                tasks: TaskTracker::new(),
                stopping: CancellationToken::new(),
            })),
        };
        Ok(Self { public_url: public_url.into(), way })
    }

    pub fn outbox(&self) -> Option<&Outbox> {
        match &self.way {
            Way::Outbox(outbox, _) => Some(outbox),
            Way::Smtp(_) => None,
        }
    }

    /// Takes orders, all or none.
    ///
    /// # Errors
    /// [`NotTaken`]
    pub fn take(&self, orders: Vec<MailOrder>) -> Result<(), NotTaken> {
        let letters = orders.into_iter().map(|order| Letter::write(order, &self.public_url));
        match &self.way {
            Way::Outbox(outbox, clock) => {
                letters.for_each(|letter| outbox.keep(letter, clock.unix_seconds()));
                Ok(())
            }
            Way::Smtp(queue) => queue.take(letters.collect()),
        }
    }

    /// Tries once more what waits, at most for `patience`, and takes nothing more.
    pub async fn stop(&self, patience: Duration) {
        let Way::Smtp(queue) = &self.way else { return };
        queue.waiting.close();
        queue.stopping.cancel();
        queue.tasks.close();
        if tokio::time::timeout(patience, queue.tasks.wait()).await.is_err() {
            tracing::warn!(letters = queue.tasks.len(), "stopped before all mail was sent");
        }
    }
}

impl Queue {
    fn take(self: &Arc<Self>, letters: Vec<Letter>) -> Result<(), NotTaken> {
        let mut ready = Vec::with_capacity(letters.len());
        for letter in &letters {
            let place = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| NotTaken)?;
            ready.push((self.smtp.message(letter).map_err(|_| NotTaken)?, place));
        }
        for (message, place) in ready {
            self.tasks.spawn(Arc::clone(self).deliver(message, place));
        }
        Ok(())
    }

    async fn deliver(self: Arc<Self>, message: lettre::Message, place: OwnedSemaphorePermit) {
        for (attempt, wait) in (1u32..).zip(ATTEMPTS) {
            let last_chance = tokio::select! {
                () = tokio::time::sleep(wait) => self.stopping.is_cancelled(),
                () = self.stopping.cancelled() => true,
            };
            let Ok(_connection) = self.connections.acquire().await else { return };
            match self.smtp.send(&message).await {
                Ok(()) => {
                    tracing::debug!(attempt, "mail sent");
                    return;
                }
                Err(Failure { permanent: true, code }) => {
                    tracing::warn!(attempt, code, "mail refused for good");
                    return;
                }
                Err(Failure { code, .. }) => tracing::warn!(attempt, code, "mail not sent yet"),
            }
            if last_chance {
                break;
            }
        }
        tracing::error!("mail given up");
        drop(place);
    }
}
