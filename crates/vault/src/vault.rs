use std::cell::OnceCell;
use std::sync::Arc;

use keyquay_crypto::sign::SigningKey;
use keyquay_crypto::{ExposeSecret, SecretString};
use keyquay_crypto::{SecretBytes, aead};

use crate::custody::{Custody, Keeper, LOCAL_SECRET, SIGNING_KEY, entry_name};
use crate::db::Db;
use crate::header::Header;
use crate::keys::{
    LocalKey, LocalSecret, Stretched, derive_local_check, derive_local_wrap, local_key_context, stretch,
};
use crate::profile::VaultMark;
use crate::record::Inventory;
use crate::{Keyring, Profile, VaultError};

/// The vault of a profile, unlocked. Dropping it locks it: no key is left in memory.
pub struct Vault {
    pub(crate) db: Db,
    pub(crate) header: Header,
    pub(crate) keys: Keys,
    pub(crate) custody: Custody,
    pub(crate) inventory: Inventory,
    pub(crate) signing: OnceCell<SigningKey>,
    _mark: VaultMark,
}

/// What an unlocked vault holds in memory.
pub(crate) struct Keys {
    pub local: LocalKey,
    pub stretched: Option<Stretched>,
}

impl Vault {
    /// Whether the profile has a vault, sound or not.
    ///
    /// # Errors
    /// [`VaultError::Io`] or [`VaultError::ReadOnly`] when the folder cannot be read.
    pub fn exists(profile: &Profile) -> Result<bool, VaultError> {
        let path = profile.vault_path();
        path.try_exists().map_err(|error| crate::db::of_io(&error, &path))
    }

    /// Makes the profile's vault and opens it. Without a keyring everything rests under the lock passphrase.
    ///
    /// # Errors
    /// [`VaultError::PassphraseMandatory`] without keyring and passphrase, [`VaultError::Exists`],
    /// [`VaultError::KeyringUnavailable`], and those of the disk.
    pub fn create(
        profile: &Profile,
        keyring: Option<Arc<dyn Keyring>>,
        passphrase: Option<&SecretString>,
    ) -> Result<Self, VaultError> {
        if Self::exists(profile)? {
            return Err(VaultError::Exists);
        }
        if keyring.is_none() && passphrase.is_none() {
            return Err(VaultError::PassphraseMandatory);
        }
        refuse_empty(passphrase)?;
        let mut header = Header::make(keyring.is_some(), passphrase.is_some());
        let stretched = stretch_for(&header, passphrase)?;
        let custody = keyring.clone().map_or(Custody::Passphrase, Custody::Keyring);
        let local = LocalKey::make_random();
        Db::create(&profile.vault_path(), |db| {
            let keeper = Keeper {
                db,
                custody: &custody,
                profile: &header.profile.clone(),
                stretched: stretched.as_ref(),
            };
            lock_local_key(&keeper, &mut header, &local)?;
            header.store(db)?;
            Inventory::empty(header.digest()).store(db, &local)
        })?;
        Self::open(profile, keyring, passphrase)
    }

    /// Whether opening the profile's vault takes the lock passphrase.
    ///
    /// # Errors
    /// Those of [`Vault::open`] that need no key.
    pub fn needs_passphrase(profile: &Profile) -> Result<bool, VaultError> {
        let db = Db::open(&profile.vault_path())?;
        Ok(Header::load(&db)?.salt.is_some())
    }

    /// Unlocks the profile's vault. A passphrase that a vault without one is given is ignored.
    ///
    /// # Errors
    /// [`VaultError::WrongPassphrase`] and [`VaultError::PassphraseNeeded`] are for the person;
    /// [`VaultError::KeyringUnavailable`] (locked or gone), [`VaultError::KeyringEntryMissing`] and
    /// [`VaultError::KeyringEntryWrong`] for the system; [`VaultError::Damaged`] leaves the file as it is.
    pub fn open(
        profile: &Profile,
        keyring: Option<Arc<dyn Keyring>>,
        passphrase: Option<&SecretString>,
    ) -> Result<Self, VaultError> {
        let mark = profile.mark_vault_open().ok_or(VaultError::AlreadyOpen)?;
        let db = Db::open(&profile.vault_path())?;
        let header = Header::load(&db)?;
        let custody = custody_of(&header, keyring)?;
        let stretched = stretch_for(&header, passphrase)?;
        let keeper =
            Keeper { db: &db, custody: &custody, profile: &header.profile, stretched: stretched.as_ref() };
        let local = unlock_local_key(&keeper, &header)?;
        let inventory = check_inventory(&db, &header, &local)?;
        db.settle()?;
        // What an earlier run could not finish; it stays on the list if it still cannot be done.
        let _ = keeper.finish_erasures(&header).and_then(|()| db.truncate_wal());
        let keys = Keys { local, stretched };
        Ok(Self { db, header, keys, custody, inventory, signing: OnceCell::new(), _mark: mark })
    }

    /// Whether this vault has a lock passphrase.
    #[must_use]
    pub fn has_passphrase(&self) -> bool {
        self.header.salt.is_some()
    }

    /// Whether its secrets rest in a keyring, and not under the lock passphrase alone.
    #[must_use]
    pub fn has_keyring(&self) -> bool {
        self.header.has_keyring
    }

    /// Asks for the lock passphrase again, for steps that want the person.
    ///
    /// # Errors
    /// [`VaultError::WrongPassphrase`], also when the vault has none.
    pub fn verify_passphrase(&self, passphrase: &SecretString) -> Result<(), VaultError> {
        let salt = self.header.salt.as_ref().ok_or(VaultError::WrongPassphrase)?;
        let given = stretch(passphrase, salt)?;
        if self.keys.stretched.as_ref() == Some(&given) { Ok(()) } else { Err(VaultError::WrongPassphrase) }
    }

    /// The device's signing key, also while synced keys are closed and after they were destroyed; `None`
    /// before the first [`Vault::begin_sync`] and after [`Transaction::forget_device`](crate::Transaction::forget_device).
    ///
    /// # Errors
    /// Those of the keyring.
    pub fn signing_key(&self) -> Result<Option<&SigningKey>, VaultError> {
        if !self.header.has_signing_key {
            return Ok(None);
        }
        if self.signing.get().is_none() {
            let name = entry_name(SIGNING_KEY, self.header.sync_generation);
            let seed = self.keeper().require(&name)?;
            let seed =
                SecretBytes::try_copy_from(&seed).map_err(|_| VaultError::KeyringEntryWrong { name })?;
            let _ = self.signing.set(SigningKey::from_seed(seed));
        }
        Ok(self.signing.get())
    }

    /// Whether secrets that this vault has given up are still in the keyring, because it did not answer.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn has_erasures(&self) -> Result<bool, VaultError> {
        self.keeper().has_erasures()
    }

    /// Erases them; opening the vault tries it too.
    ///
    /// # Errors
    /// Those of the keyring and of the disk; it can be called again.
    pub fn finish_erasures(&self) -> Result<(), VaultError> {
        self.keeper().finish_erasures(&self.header)?;
        self.db.truncate_wal()
    }

    pub(crate) fn keeper(&self) -> Keeper<'_> {
        Keeper {
            db: &self.db,
            custody: &self.custody,
            profile: &self.header.profile,
            stretched: self.keys.stretched.as_ref(),
        }
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault([unlocked])")
    }
}

/// Makes a local secret, gives it into custody, and wraps `local` under it.
pub(crate) fn lock_local_key(
    keeper: &Keeper<'_>,
    header: &mut Header,
    local: &LocalKey,
) -> Result<(), VaultError> {
    let secret = LocalSecret::make_random();
    keeper.put(&entry_name(LOCAL_SECRET, header.local_generation), secret.expose())?;
    header.local_check = derive_local_check(&secret, &header.profile);
    wrap_local_key(keeper.stretched, header, &secret, local)
}

/// Wraps `local` under a secret that is in custody.
pub(crate) fn wrap_local_key(
    stretched: Option<&Stretched>,
    header: &mut Header,
    secret: &LocalSecret,
    local: &LocalKey,
) -> Result<(), VaultError> {
    let key = derive_local_wrap(secret, stretched, &header.profile);
    let context = local_key_context(&header.profile, header.local_generation);
    header.wrapped_local_key = aead::wrap(&key, &context, local.secret())?;
    Ok(())
}

/// The local secret out of custody, checked to be the one that the header names.
pub(crate) fn local_secret(keeper: &Keeper<'_>, header: &Header) -> Result<LocalSecret, VaultError> {
    let name = entry_name(LOCAL_SECRET, header.local_generation);
    let bytes = keeper.require(&name)?;
    match LocalSecret::try_copy_from(&bytes) {
        Ok(secret) if derive_local_check(&secret, &header.profile) == header.local_check => Ok(secret),
        _ => Err(VaultError::KeyringEntryWrong { name }),
    }
}

pub(crate) fn refuse_empty(passphrase: Option<&SecretString>) -> Result<(), VaultError> {
    if passphrase.is_some_and(|passphrase| passphrase.expose_secret().is_empty()) {
        return Err(VaultError::PassphraseEmpty);
    }
    Ok(())
}

fn unlock_local_key(keeper: &Keeper<'_>, header: &Header) -> Result<LocalKey, VaultError> {
    let secret = local_secret(keeper, header)?;
    let key = derive_local_wrap(&secret, keeper.stretched, &header.profile);
    let context = local_key_context(&header.profile, header.local_generation);
    // Secret and header have passed their checks: only the passphrase can be another.
    aead::unwrap(&key, &context, &header.wrapped_local_key).map(LocalKey::from_secret).map_err(|_| {
        match keeper.stretched {
            Some(_) => VaultError::WrongPassphrase,
            None => keeper.db.damaged("the local key does not open"),
        }
    })
}

fn check_inventory(db: &Db, header: &Header, local: &LocalKey) -> Result<Inventory, VaultError> {
    let stored = Inventory::load(db, local)?;
    let counted = Inventory::take(db, local, header.digest(), stored.disabled)?;
    if stored == counted { Ok(stored) } else { Err(db.damaged("records are missing, added or older")) }
}

fn stretch_for(header: &Header, passphrase: Option<&SecretString>) -> Result<Option<Stretched>, VaultError> {
    let Some(salt) = &header.salt else { return Ok(None) };
    let passphrase = passphrase.ok_or(VaultError::PassphraseNeeded)?;
    Ok(Some(stretch(passphrase, salt)?))
}

fn custody_of(header: &Header, keyring: Option<Arc<dyn Keyring>>) -> Result<Custody, VaultError> {
    match (header.has_keyring, keyring) {
        (false, _) => Ok(Custody::Passphrase),
        (true, Some(keyring)) => Ok(Custody::Keyring(keyring)),
        (true, None) => {
            let reason = "this vault was made with one".to_owned();
            Err(crate::KeyringError::Unavailable { reason }.into())
        }
    }
}
