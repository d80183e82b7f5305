//! A keyring in memory, for the tests of every crate that has a vault.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use keyquay_crypto::Zeroizing;

use crate::{Keyring, KeyringError};

/// A keyring that lives and dies with the test, can be taken away, and tells of each step.
#[derive(Default)]
pub struct MemoryKeyring {
    entries: Mutex<BTreeMap<String, Vec<u8>>>,
    failure: Mutex<Option<KeyringError>>,
    watcher: Mutex<Option<Watcher>>,
}

/// Called around each change with its moment and the entries as they are then.
pub type Watcher = Box<dyn FnMut(&'static str, &BTreeMap<String, Vec<u8>>) + Send>;

impl MemoryKeyring {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A keyring that holds what another held at some moment.
    #[must_use]
    pub fn holding(entries: BTreeMap<String, Vec<u8>>) -> Self {
        Self { entries: Mutex::new(entries), ..Self::default() }
    }

    /// Every call fails like this, until `None` is given.
    pub fn fail_with(&self, failure: Option<KeyringError>) {
        *guard(&self.failure) = failure;
    }

    /// `watcher` is called before and after each change.
    pub fn watch(&self, watcher: Watcher) {
        *guard(&self.watcher) = Some(watcher);
    }

    /// All entries, by name.
    #[must_use]
    pub fn entries(&self) -> BTreeMap<String, Vec<u8>> {
        guard(&self.entries).clone()
    }

    fn change(
        &self,
        moments: [&'static str; 2],
        change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>),
    ) -> Result<(), KeyringError> {
        self.check()?;
        let [before, after] = moments;
        let mut entries = guard(&self.entries);
        let mut watcher = guard(&self.watcher);
        if let Some(watch) = watcher.as_mut() {
            watch(before, &entries);
        }
        change(&mut entries);
        if let Some(watch) = watcher.as_mut() {
            watch(after, &entries);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), KeyringError> {
        guard(&self.failure).clone().map_or(Ok(()), Err)
    }
}

impl Keyring for MemoryKeyring {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        self.check()?;
        Ok(guard(&self.entries).get(name).cloned().map(Zeroizing::new))
    }

    fn set(&self, name: &str, secret: &[u8]) -> Result<(), KeyringError> {
        self.change(["before set", "after set"], |entries| {
            entries.insert(name.to_owned(), secret.to_vec());
        })
    }

    fn delete(&self, name: &str) -> Result<(), KeyringError> {
        self.change(["before delete", "after delete"], |entries| {
            entries.remove(name);
        })
    }
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
