use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::{BASE64, HEXLOWER};
use keyquay_crypto::{Zeroizing, random_bytes};
use keyring_core::{CredentialStore, Entry, Error};

use super::{Keyring, KeyringError};

/// The keyring of the desktop: Secret Service (GNOME Keyring, KWallet), macOS Keychain, Windows Credential
/// Manager. Entries stand under the service `keyquay`, in base64, because KWallet keeps UTF-8 only.
///
/// Nothing is assumed: the first use writes, reads and erases a random entry. When that fails, the next
/// use tries again from the start, so that a keyring that comes up later is found.
#[derive(Default)]
pub struct SystemKeyring {
    proven: Mutex<Option<Arc<CredentialStore>>>,
}

impl SystemKeyring {
    /// Connects to nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a keyring is there and keeps what it is given. May wait for a person to unlock it.
    ///
    /// # Errors
    /// [`KeyringError`]; calling again tries again.
    pub fn probe(&self) -> Result<(), KeyringError> {
        self.with_store(|_| Ok(()))
    }

    /// Runs `act` on a store that has passed the round trip, and forgets the store when it breaks, so that
    /// the next call connects anew.
    fn with_store<T>(
        &self,
        act: impl FnOnce(&CredentialStore) -> Result<T, KeyringError>,
    ) -> Result<T, KeyringError> {
        let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        let store = match proven.take() {
            Some(store) => store,
            None => {
                let store = connect().map_err(described)?;
                round_trip(&*store)?;
                store
            }
        };
        let result = act(&*store);
        if !matches!(result, Err(KeyringError::Unavailable { .. })) {
            *proven = Some(store);
        }
        result
    }
}

impl Keyring for SystemKeyring {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        self.with_store(|store| get(store, name))
    }

    fn set(&self, name: &str, secret: &[u8]) -> Result<(), KeyringError> {
        self.with_store(|store| set(store, name, secret))
    }

    fn delete(&self, name: &str) -> Result<(), KeyringError> {
        self.with_store(|store| delete(store, name))
    }
}

const SERVICE: &str = "keyquay";

fn round_trip(store: &CredentialStore) -> Result<(), KeyringError> {
    let name = format!("probe/{}", HEXLOWER.encode(&random_bytes::<8>()));
    let written = random_bytes::<32>();
    set(store, &name, &written)?;
    let read = get(store, &name);
    let erased = delete(store, &name);
    let kept = read?.is_some_and(|read| **read == written);
    erased?;
    if kept { Ok(()) } else { Err(KeyringError::NotKept) }
}

fn get(store: &CredentialStore, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
    let text = match entry(store, name)?.get_password() {
        Ok(text) => Zeroizing::new(text),
        Err(Error::NoEntry) => return Ok(None),
        Err(error) => return Err(described(error)),
    };
    let bytes = BASE64.decode(text.as_bytes()).map_err(|_| KeyringError::Foreign)?;
    Ok(Some(Zeroizing::new(bytes)))
}

fn set(store: &CredentialStore, name: &str, secret: &[u8]) -> Result<(), KeyringError> {
    let text = Zeroizing::new(BASE64.encode(secret));
    entry(store, name)?.set_password(&text).map_err(described)
}

fn delete(store: &CredentialStore, name: &str) -> Result<(), KeyringError> {
    let all = match entry(store, name)?.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => return Ok(()),
        Err(Error::Ambiguous(all)) => all,
        Err(error) => return Err(described(error)),
    };
    all.iter().try_for_each(Entry::delete_credential).map_err(described)
}

fn entry(store: &CredentialStore, name: &str) -> Result<Entry, KeyringError> {
    store.build(SERVICE, name, None).map_err(described)
}

#[cfg(target_os = "macos")]
fn connect() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(target_os = "windows")]
fn connect() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(all(unix, not(target_os = "macos")))]
fn connect() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

/// Errors that carry an entry's bytes lose them here.
fn described(error: Error) -> KeyringError {
    match error {
        Error::NoStorageAccess(reason) => KeyringError::Locked { reason: reason.to_string() },
        Error::PlatformFailure(reason) => KeyringError::Unavailable { reason: reason.to_string() },
        Error::BadEncoding(bytes) | Error::BadDataFormat(bytes, _) => {
            drop(Zeroizing::new(bytes));
            KeyringError::Foreign
        }
        Error::Ambiguous(_) => KeyringError::Foreign,
        Error::NoEntry => KeyringError::NotKept,
        other => KeyringError::Unavailable { reason: other.to_string() },
    }
}
