//! Locking by itself: when nobody has touched the app for a while, when the computer slept, when its screen is locked.

#[cfg(target_os = "linux")]
mod linux;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use keyquay_client::session::Session;
use tauri::AppHandle;

/// How often the times are looked at.
const TICK: Duration = Duration::from_secs(5);
/// A tick that took so much longer was slept through.
const SLEPT: Duration = Duration::from_secs(30);

/// When somebody last touched the app. Cheap to clone.
#[derive(Clone)]
pub struct Autolock(Arc<Mutex<Instant>>);

impl Autolock {
    /// Locks `session` when its owner's preferences say so.
    pub fn watch(app: &AppHandle, session: &Session) -> Self {
        let autolock = Self(Arc::new(Mutex::new(Instant::now())));
        #[cfg(target_os = "linux")]
        linux::watch(app, session);
        #[cfg(not(target_os = "linux"))]
        let _ = app;
        tauri::async_runtime::spawn(autolock.clone().tick(session.clone()));
        autolock
    }

    /// Somebody is here.
    pub fn touch(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn idle(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    async fn tick(self, session: Session) {
        loop {
            let before = SystemTime::now();
            tokio::time::sleep(TICK).await;
            let passed = before.elapsed().unwrap_or_default();
            let times = session.preferences().lock;
            let slept = passed > TICK + SLEPT;
            if slept {
                session.forget_share();
            }
            let idle = times.idle_minutes.is_some_and(|minutes| self.idle() >= minutes_of(minutes));
            if (slept && times.on_sleep) || idle {
                lock(&session).await;
            }
        }
    }
}

fn minutes_of(minutes: u32) -> Duration {
    Duration::from_secs(u64::from(minutes) * 60)
}

/// Without a lock passphrase there is nothing to lock with; the session says so, and it is nobody's error here.
async fn lock(session: &Session) {
    if session.app_view().await.is_ok_and(|view| view.can_lock) && session.app_lock().await.is_ok() {
        tracing::info!("locked by itself");
    }
}
