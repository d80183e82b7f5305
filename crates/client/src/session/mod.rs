//! The session: one owner of all that a running Keyquay knows. Its methods and its [`Change`] events are its
//! only doors; each command of a screen is one method of the same name.
//!
//! Everything lives in [`Core`] behind one lock that is never held across a wait. Steps that take several
//! messages hold [`Inner::step`] meanwhile, so that no two of them mix; views and local edits do not wait for it.

mod accounts;
mod core;
mod devices;
mod edits;
mod files;
mod general;
mod kit;
mod lifecycle;
mod preferences;
mod problems;
mod proof;
mod records;
mod setup;
mod status;
mod sync_view;
mod user;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use keyquay_protocol::{Clock, Code, Problem};
use keyquay_vault::{Keyring, Profile, SystemKeyring};
use tokio::sync::{Mutex as StepMutex, MutexGuard as StepGuard, Notify, broadcast};

use crate::sync::Engine;
use crate::view::{self, Change, Progress, ProgressKind};

pub(crate) use self::core::{Core, Lease, Link, Open, OpenHalf, SyncedItem, account_of, item_of};
pub(crate) use self::edits::{Edit, EditKind};
pub use self::preferences::{MemoryPreferences, PreferenceStore, Preferences};
pub(crate) use self::problems::{of_account, of_vault, of_violation};
pub(crate) use self::records::{LastSyncRecord, RemovalRecord, Settings};
pub(crate) use self::setup::Setup;

/// What a session is started with.
pub struct Options {
    pub data_dir: PathBuf,
    pub profile: String,
    pub keyring: KeyringChoice,
    pub preferences: Arc<dyn PreferenceStore>,
    pub clock: Arc<dyn Clock>,
    /// Only ever a suggestion in the first step of the set-up.
    pub suggested_server: Option<String>,
    /// The name under which other devices will list this one, until its owner chooses another.
    pub device_name: String,
    /// Operating system and its version.
    pub platform: String,
    pub version: String,
}

/// Where the halves of the vault's locks rest that are not on the disk.
pub enum KeyringChoice {
    /// The operating system's, if it answers.
    System,
    /// None: the lock passphrase is mandatory.
    None,
    Given(Arc<dyn Keyring>),
}

/// A running Keyquay. Cheap to clone.
#[derive(Clone)]
pub struct Session(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub core: Mutex<Core>,
    pub step: StepMutex<()>,
    pub changes: broadcast::Sender<Change>,
    /// Held from the look at something to the end of telling it.
    telling: Mutex<()>,
    /// Wakes the engine: an edit waits, or the switch was moved.
    pub wake: Notify,
    pub engine: Engine,
    pub clock: Arc<dyn Clock>,
    pub preferences: Arc<dyn PreferenceStore>,
    pub suggested_server: Option<String>,
    pub device_name: String,
    pub platform: String,
    pub version: String,
}

impl Session {
    /// Opens the profile; where its vault has no lock passphrase, it is unlocked at once.
    ///
    /// # Errors
    /// [`Code::VaultBusy`] when another process has the profile, and those of the disk. A vault that does not
    /// open is no error here: the Unlock screen says what is wrong.
    pub async fn start(options: Options) -> Result<Self, Problem> {
        let Options { data_dir, profile, keyring, preferences, clock, .. } = options;
        let (core, clock) = blocking(move || {
            let profile = Profile::open(&data_dir, &profile).map_err(problems::of_profile)?;
            let (keyring, keyring_state) = probe(keyring);
            Ok((Core::new(profile, keyring, keyring_state), clock))
        })
        .await?;
        let session = Self(Arc::new(Inner {
            core: Mutex::new(core),
            step: StepMutex::new(()),
            changes: broadcast::channel(1024).0,
            telling: Mutex::default(),
            wake: Notify::new(),
            engine: Engine::default(),
            clock,
            preferences,
            suggested_server: options.suggested_server,
            device_name: options.device_name,
            platform: options.platform,
            version: options.version,
        }));
        tokio::spawn(crate::sync::watch_lease(Arc::downgrade(&session.0)));
        session.open_unlocked_vault().await?;
        Ok(session)
    }

    /// What a window renders, as it changes.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.0.changes.subscribe()
    }

    /// Stops what runs in the background and locks the vault.
    pub async fn stop(&self) {
        self.0.engine.stop().await;
        self.0.core().close();
    }
}

impl Inner {
    /// The state, for a moment. Never held across a wait.
    pub fn core(&self) -> MutexGuard<'_, Core> {
        // A panic while the lock was held ended that command alone: the vault's transactions are whole or not at all.
        self.core.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The right to run a step of several messages.
    pub async fn step(&self) -> StepGuard<'_, ()> {
        self.step.lock().await
    }

    pub fn now(&self) -> u64 {
        self.clock.unix_seconds()
    }

    /// Tells the windows how something stands, one at a time, so that what is told last is how it is. Not to be
    /// called while the state is held.
    pub fn tell(&self, look: impl FnOnce(&Self) -> Option<Change>) {
        let _turn = self.telling.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(change) = look(self) {
            self.emit(change);
        }
    }

    pub fn emit(&self, change: Change) {
        // Nobody listening is no error: a session without a window has no one to tell.
        let _ = self.changes.send(change);
    }

    pub fn progress(&self, what: ProgressKind, done: usize, total: usize) {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        self.emit(Change::Progress { progress: Progress { what, done: count(done), total: count(total) } });
    }
}

/// Runs what blocks (key stretching, the keyring, large transactions) off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(Problem::new(Code::Cancelled)),
    }
}

fn probe(choice: KeyringChoice) -> (Option<Arc<dyn Keyring>>, view::welcome::Keyring) {
    use keyquay_vault::KeyringError;
    use view::welcome::Keyring as State;
    match choice {
        KeyringChoice::None => (None, State::Missing),
        KeyringChoice::Given(keyring) => (Some(keyring), State::Available),
        KeyringChoice::System => {
            let keyring = SystemKeyring::new();
            match keyring.probe() {
                Ok(()) => (Some(Arc::new(keyring)), State::Available),
                Err(KeyringError::Unavailable { .. }) => (None, State::Missing),
                Err(_) => (None, State::Refused),
            }
        }
    }
}
