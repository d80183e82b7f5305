//! Another lock passphrase, or none.

use keyquay_crypto::{SecretString, random_bytes};

use crate::custody::{Keeper, SYNC_SECRET, entry_name};
use crate::keys::{Stretched, SyncKey, SyncSecret, derive_sync_key, stretch};
use crate::vault::{local_secret, refuse_empty, wrap_local_key};
use crate::{OpenSync, Share, Transaction, Vault, VaultError};

impl Vault {
    /// Seals both halves under another lock passphrase, or under none, in one transaction. `old` is the one
    /// before, if there is one. With a sync half it takes the share, and returns the half opened anew: an
    /// [`OpenSync`] from before is stale.
    ///
    /// # Errors
    /// [`VaultError::ClosedNeedsServer`] without the share, [`VaultError::PassphraseMandatory`] without a
    /// keyring, [`VaultError::WrongPassphrase`], [`VaultError::PassphraseNeeded`],
    /// [`VaultError::PassphraseEmpty`], [`VaultError::WrongShare`], and those of keyring and disk.
    pub fn set_passphrase(
        &mut self,
        old: Option<&SecretString>,
        new: Option<&SecretString>,
        share: Option<&Share>,
    ) -> Result<Option<OpenSync>, VaultError> {
        self.check_old(old)?;
        refuse_empty(new)?;
        if new.is_none() && !self.header.has_keyring {
            return Err(VaultError::PassphraseMandatory);
        }
        if self.header.has_sync_half {
            self.check_share(share.ok_or(VaultError::ClosedNeedsServer)?)?;
        }
        let salt = new.map(|_| random_bytes());
        let stretched = match (new, &salt) {
            (Some(new), Some(salt)) => Some(stretch(new, salt)?),
            _ => None,
        };
        let sync = self.transaction(|transaction| {
            transaction.header.salt = salt;
            transaction.relock(stretched.as_ref(), share)
        })?;
        self.keys.stretched = stretched;
        Ok(sync)
    }

    fn check_old(&self, old: Option<&SecretString>) -> Result<(), VaultError> {
        match old {
            Some(old) => self.verify_passphrase(old),
            None if self.has_passphrase() => Err(VaultError::PassphraseNeeded),
            None => Ok(()),
        }
    }
}

impl Transaction<'_> {
    fn relock(
        &mut self,
        stretched: Option<&Stretched>,
        share: Option<&Share>,
    ) -> Result<Option<OpenSync>, VaultError> {
        let secret = local_secret(&self.keeper(), &self.header)?;
        let sync_keys = match share {
            Some(share) if self.header.has_sync_half => Some(self.sync_keys(stretched, share)?),
            _ => None,
        };
        let local = self.keys().local.duplicate();
        wrap_local_key(stretched, &mut self.header, &secret, &local)?;
        if !self.header.has_keyring {
            self.reseal_kept(stretched)?;
        }
        self.leave_no_residue();
        let Some((old, new)) = sync_keys else { return Ok(None) };
        self.reseal_sync(&old, &new)?;
        OpenSync::open(self.db(), &self.header, new).map(Some)
    }

    fn sync_keys(&self, new: Option<&Stretched>, share: &Share) -> Result<(SyncKey, SyncKey), VaultError> {
        let name = entry_name(SYNC_SECRET, self.header.sync_generation);
        let secret = SyncSecret::try_copy_from(&self.keeper().require(&name)?)
            .map_err(|_| VaultError::KeyringEntryWrong { name })?;
        let derive = |stretched| derive_sync_key(&secret, stretched, share, &self.header.profile);
        Ok((derive(self.keys().stretched.as_ref()), derive(new)))
    }

    fn reseal_kept(&self, stretched: Option<&Stretched>) -> Result<(), VaultError> {
        let old = self.keeper();
        let new = Keeper { stretched, ..self.keeper() };
        for name in old.kept_names()? {
            new.put(&name, &old.require(&name)?)?;
        }
        Ok(())
    }
}
