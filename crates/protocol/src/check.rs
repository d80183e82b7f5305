//! What a device or the keystore holds against a verified log, beside its entries.

use keyquay_crypto::{Digest, RecoveryCode};

use crate::{Root, Seen, State, UnlockKey, Violation};

impl State {
    /// Verifies another device's word for how far it has come. `head_at` gives the own chain's head at a seq
    /// that is not beyond the own head. A word from beyond it stands until the own chain is as long.
    ///
    /// # Errors
    /// [`Violation::SeenOtherHistory`] when that device stands on another chain; [`Violation::NotActive`] when its
    /// word does not count: it is not known yet, or was removed [a stolen device could otherwise stop sync for
    /// good, even after its removal]; [`Violation::OtherUser`] and [`Violation::Signature`] when it is not its word.
    pub fn check_seen(
        &self,
        seen: &Seen,
        head_at: impl FnOnce(u64) -> Option<Digest>,
    ) -> Result<(), Violation> {
        let device = self.devices.get(&seen.device).filter(|device| device.is_active());
        let device = device.ok_or(Violation::NotActive)?;
        if seen.user != self.user {
            return Err(Violation::OtherUser);
        }
        seen.verify(&device.keys.signing).map_err(|_| Violation::Signature)?;
        if seen.seq > self.head.seq {
            return Ok(());
        }
        let own = if seen.seq == self.head.seq { Some(self.head.hash) } else { head_at(seen.seq) };
        if own == Some(seen.head) { Ok(()) } else { Err(Violation::SeenOtherHistory) }
    }

    /// What the keystore asks before it keeps a device's word: nobody can have come further than the keystore's
    /// own chain [a word about a future entry would pass now, and stop every other device when that entry comes].
    ///
    /// # Errors
    /// As for [`State::check_seen`]; [`Violation::SeenOtherHistory`] for a word from beyond the own head as well.
    pub fn admit_seen(
        &self,
        seen: &Seen,
        head_at: impl FnOnce(u64) -> Option<Digest>,
    ) -> Result<(), Violation> {
        self.check_seen(seen, head_at)?;
        if seen.seq > self.head.seq { Err(Violation::SeenOtherHistory) } else { Ok(()) }
    }

    /// Opens root with password and Secret Key: only the record that the latest UnlockSet names, and only the
    /// root that Genesis names.
    ///
    /// # Errors
    /// [`Violation::UnlockRecord`] for another record [that of an old password, say], [`Violation::Unlock`] when it
    /// does not open, [`Violation::OtherRoot`] when it is another root.
    pub fn open_root(&self, unlock_key: &UnlockKey, record: &[u8]) -> Result<Root, Violation> {
        if !self.unlock.names_root_by_password(record) {
            return Err(Violation::UnlockRecord);
        }
        Root::open_with_unlock_key(unlock_key, self.user, record, Some(&self.root))
    }

    /// Opens root with the recovery code, under the same conditions.
    ///
    /// # Errors
    /// As for [`State::open_root`].
    pub fn open_root_with_recovery_code(
        &self,
        code: &RecoveryCode,
        record: &[u8],
    ) -> Result<Root, Violation> {
        if !self.unlock.names_root_by_recovery(record) {
            return Err(Violation::UnlockRecord);
        }
        Root::open_with_recovery_code(code, self.user, record, Some(&self.root))
    }
}
