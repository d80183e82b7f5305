//! A profile in a temporary folder, and accounts to put into it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use keyquay_crypto::sealing::SealingKey;
use keyquay_crypto::sign::SigningKey;
use keyquay_crypto::{ExposeSecret, SecretKey, SecretString};
use keyquay_exchanges::{Account, AccountId};
use keyquay_vault::testing::MemoryKeyring;
use keyquay_vault::{Identity, Keyring, OpenSync, Profile, Share, Vault, VaultError};
use tempfile::TempDir;

pub struct Bench {
    pub keyring: Arc<MemoryKeyring>,
    pub profile: Profile,
    _dir: TempDir,
}

impl Bench {
    pub fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let profile = Profile::open(dir.path(), "main").unwrap();
        Self { keyring: Arc::new(MemoryKeyring::new()), profile, _dir: dir }
    }

    /// A profile whose vault's file and keyring are copies.
    pub fn of_copy(file: &[u8], wal: Option<&[u8]>, entries: BTreeMap<String, Vec<u8>>) -> Self {
        let bench = Self { keyring: Arc::new(MemoryKeyring::holding(entries)), ..Self::new() };
        std::fs::write(bench.profile.vault_path(), file).unwrap();
        if let Some(wal) = wal {
            std::fs::write(wal_path(&bench.profile), wal).unwrap();
        }
        bench
    }

    pub fn create(&self) -> Vault {
        Vault::create(&self.profile, self.keyring(), None).unwrap()
    }

    pub fn create_with(&self, passphrase: &str) -> Vault {
        Vault::create(&self.profile, self.keyring(), Some(&secret(passphrase))).unwrap()
    }

    pub fn create_without_keyring(&self, passphrase: &str) -> Vault {
        Vault::create(&self.profile, None, Some(&secret(passphrase))).unwrap()
    }

    pub fn open(&self) -> Vault {
        self.try_open(None).unwrap()
    }

    pub fn try_open(&self, passphrase: Option<&str>) -> Result<Vault, VaultError> {
        Vault::open(&self.profile, self.keyring(), passphrase.map(secret).as_ref())
    }

    pub fn keyring(&self) -> Option<Arc<dyn Keyring>> {
        Some(Arc::clone(&self.keyring) as Arc<dyn Keyring>)
    }

    pub fn file(&self) -> Vec<u8> {
        std::fs::read(self.profile.vault_path()).unwrap()
    }

    pub fn wal(&self) -> Vec<u8> {
        std::fs::read(wal_path(&self.profile)).unwrap_or_default()
    }
}

pub fn wal_path(profile: &Profile) -> PathBuf {
    profile.dir().join("vault.sqlite-wal")
}

pub fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

/// An account with a fixed id.
pub fn account(number: u8, label: &str) -> Account {
    let mut account = Account::empty(AccountId::from_bytes([number; 16]), "binance", label, 1_700_000_000);
    account.fields.set("apiKey", secret(&format!("key of {label}")));
    account.fields.set("secret", secret(&format!("secret of {label}")));
    account
}

/// What there is to compare of an account.
pub fn bytes(account: &Account) -> Vec<u8> {
    account.to_bytes().unwrap().to_vec()
}

pub fn put(vault: &mut Vault, account: &Account) {
    vault.transaction(|tx| tx.put_account(account)).unwrap();
}

/// Labels of the accounts that are open and not deleted, sorted.
pub fn labels(vault: &Vault) -> Vec<String> {
    let listing = vault.accounts().unwrap();
    assert_eq!(listing.unreadable, []);
    let live = listing.accounts.into_iter().filter(|account| account.deleted.is_none());
    let mut labels: Vec<String> = live.map(|account| account.account.label).collect();
    labels.sort();
    labels
}

pub struct Device {
    pub signing: SigningKey,
    pub sealing: SealingKey,
    pub secret_key: SecretKey,
    pub share: Share,
}

impl Device {
    pub fn make() -> Self {
        Self {
            signing: SigningKey::make_random(),
            sealing: SealingKey::make_random(),
            secret_key: SecretKey::make_random(),
            share: Share::make_random(),
        }
    }

    pub fn identity(&self) -> Identity<'_> {
        Identity { signing: &self.signing, sealing: &self.sealing, secret_key: Some(&self.secret_key) }
    }

    pub fn begin(&self, vault: &mut Vault) -> OpenSync {
        vault.begin_sync(&self.identity(), &self.share).unwrap()
    }

    pub fn assert_opened_by(&self, sync: &OpenSync) {
        assert_eq!(sync.sealing_key().seed(), self.sealing.seed());
        assert_eq!(sync.secret_key(), Some(&self.secret_key));
    }
}

pub fn outbox(vault: &Vault, sync: &OpenSync) -> Vec<Vec<u8>> {
    vault.outbox(sync).unwrap().into_iter().map(|edit| edit.bytes.to_vec()).collect()
}

pub fn field(account: &Account, key: &str) -> String {
    account.fields.get(key).unwrap().expose_secret().to_owned()
}
