//! The General screen: preferences, the lock passphrase, offline use, and backups.

use std::sync::Arc;

use keyquay_crypto::{SecretString, cbor_array, sha256};
use keyquay_exchanges::{Account, AccountId};
use keyquay_protocol::{Code, Problem};
use keyquay_vault::{BackupError, Disabled, Restored, read_backup, write_backup};

use super::core::{account_of, item_of};
use super::files::place_of;
use super::lifecycle::chosen_passphrase;
use super::status::millis;
use super::{EditKind, Inner, Open, Preferences, Session, blocking, of_account, of_vault};
use crate::view::general::{
    BackupRestored, BackupWritten, GeneralView, LockSettings, LockTimes, SecondFactor, Theme,
};
use crate::view::{Change, ProgressKind, SecretText};

/// Times between which a copied value is cleared from the clipboard, in seconds.
const CLIPBOARD_SECONDS: std::ops::RangeInclusive<u32> = 5..=3600;
/// Accounts restored in one transaction.
const BATCH: usize = 100;

impl Session {
    /// # Errors
    /// [`Code::Locked`].
    pub async fn general_view(&self) -> Result<GeneralView, Problem> {
        let inner = Arc::clone(&self.0);
        blocking(move || inner.general_view()).await
    }

    /// What counts outside the vault too: theme, clipboard, times of the lock.
    #[must_use]
    pub fn preferences(&self) -> Preferences {
        self.0.preferences.load()
    }

    /// # Errors
    /// [`Code::Locked`], [`Code::Disk`].
    pub async fn general_set_theme(&self, theme: Theme) -> Result<GeneralView, Problem> {
        let view = self.prefer(|preferences| preferences.theme = theme).await?;
        self.0.emit_app();
        Ok(view)
    }

    /// After how many seconds a copied value leaves the clipboard; never when `None`.
    ///
    /// # Errors
    /// [`Code::Locked`], [`Code::Disk`].
    pub async fn general_set_clipboard_seconds(&self, seconds: Option<u32>) -> Result<GeneralView, Problem> {
        let seconds =
            seconds.map(|seconds| seconds.clamp(*CLIPBOARD_SECONDS.start(), *CLIPBOARD_SECONDS.end()));
        self.prefer(|preferences| preferences.clipboard_seconds = seconds).await
    }

    /// When the app locks by itself.
    ///
    /// # Errors
    /// [`Code::Locked`], [`Code::Disk`].
    pub async fn general_set_lock(&self, lock: LockTimes) -> Result<GeneralView, Problem> {
        let idle_minutes = lock.idle_minutes.map(|minutes| minutes.max(1));
        self.prefer(|preferences| preferences.lock = LockTimes { idle_minutes, ..lock }).await
    }

    /// Sets, changes or takes off the lock passphrase; both halves of the vault are sealed anew in one transaction.
    ///
    /// # Errors
    /// [`Code::Passphrase`] when `current` is wrong, [`Code::WeakPassword`], [`Code::PassphraseRequired`] without a
    /// keyring, [`Code::Closed`] when there are synced accounts and the share is not at hand.
    pub async fn general_set_passphrase(
        &self,
        current: Option<SecretText>,
        passphrase: Option<SecretText>,
    ) -> Result<GeneralView, Problem> {
        let current = current.map(|current| SecretString::from(current.expose()));
        let new = chosen_passphrase(passphrase)?;
        self.on_open(move |open, _| open.set_passphrase(current.as_ref(), new.as_ref())).await?;
        self.0.emit_app();
        self.shown().await
    }

    /// "Keep synced keys usable offline": the share is put into the keyring, or taken out of it.
    ///
    /// # Errors
    /// [`Code::Closed`] without the share, and those of the keyring.
    pub async fn general_set_offline_use(&self, on: bool) -> Result<GeneralView, Problem> {
        self.on_open(move |open, _| {
            if !on {
                return open.vault.forget_offline_share().map_err(of_vault);
            }
            let share = open.half()?.share.duplicate();
            open.vault.keep_share_offline(&share).map_err(of_vault)
        })
        .await?;
        self.shown().await
    }

    /// Writes every account that is open here to an age file under a passphrase of its own.
    ///
    /// # Errors
    /// [`Code::File`], [`Code::PassphraseRequired`], [`Code::Disabled`].
    pub async fn general_export_backup(
        &self,
        file: String,
        passphrase: SecretText,
    ) -> Result<BackupWritten, Problem> {
        let passphrase = SecretString::from(passphrase.expose());
        let (path, accounts, closed) = self
            .on_open(move |open, now| {
                let accounts = open.accounts_for_backup()?;
                let closed = open.accounts_view(now).closed.map_or(0, |closed| closed.count);
                Ok((file, accounts, closed))
            })
            .await?;
        let path = place_of(&self.profile_dir(), &path)?;
        let count = count(accounts.len());
        let now = self.0.now();
        let written = blocking(move || {
            write_backup(&path, &passphrase, &accounts, now).map_err(of_backup)?;
            Ok(path.display().to_string())
        })
        .await?;
        self.prefer(|preferences| preferences.last_backup = Some(now)).await?;
        Ok(BackupWritten { file: written, accounts: count, closed })
    }

    /// Takes over the accounts of a backup. What is here and newer stays; nothing is deleted.
    ///
    /// # Errors
    /// [`Code::File`], [`Code::BackupPassphrase`], [`Code::BackupDamaged`], [`Code::BackupNewer`], [`Code::Disabled`].
    pub async fn general_restore_backup(
        &self,
        file: String,
        passphrase: SecretText,
    ) -> Result<BackupRestored, Problem> {
        self.on_open(|open, _| open.refuse_disabled()).await?;
        let passphrase = SecretString::from(passphrase.expose());
        let path = super::files::absolute(&file)?;
        let accounts = blocking(move || read_backup(&path, &passphrase).map_err(of_backup)).await?;
        let total = accounts.len();
        let mut sum = Restored::default();
        self.0.progress(ProgressKind::Restoring, 0, total);
        for (at, batch) in accounts.chunks(BATCH).enumerate() {
            let batch = batch.to_vec();
            let restored = self.on_open(move |open, _| open.restore(&batch)).await?;
            sum.added += restored.added;
            sum.updated += restored.updated;
            sum.older += restored.older;
            sum.same += restored.same;
            self.0.progress(ProgressKind::Restoring, total.min((at + 1) * BATCH), total);
        }
        self.0.emit_accounts();
        self.0.wake.notify_one();
        Ok(BackupRestored {
            added: count(sum.added),
            updated: count(sum.updated),
            unchanged: count(sum.older + sum.same),
        })
    }

    /// Changes preferences and shows the screen.
    async fn prefer(&self, change: impl FnOnce(&mut Preferences)) -> Result<GeneralView, Problem> {
        let mut preferences = self.0.preferences.load();
        change(&mut preferences);
        self.0.preferences.save(&preferences)?;
        self.shown().await
    }

    async fn shown(&self) -> Result<GeneralView, Problem> {
        self.0.tell(|inner| inner.general_view().ok().map(|view| Change::General { view }));
        self.general_view().await
    }
}

impl Inner {
    pub(super) fn general_view(&self) -> Result<GeneralView, Problem> {
        let status = self.sync_status();
        let preferences = self.preferences.load();
        let core = self.core();
        let open = core.open()?;
        let settings = &open.settings;
        let holds_synced = open.log.as_ref().is_some_and(|log| log.live_items().next().is_some());
        let has_recovery = open.vault.recovery_record().is_ok_and(|record| record.is_some());
        Ok(GeneralView {
            status,
            sync_on: settings.sync_on,
            set_up: settings.set_up,
            server: settings.server.clone(),
            email: settings.email.clone(),
            second_factor: SecondFactor {
                confirmed: settings.second_factor,
                backup_codes_left: settings
                    .backup_codes_left
                    .map(|left| u8::try_from(left).unwrap_or(u8::MAX)),
            },
            lock: LockSettings {
                passphrase_set: open.vault.has_passphrase(),
                keyring: core.keyring_state,
                times: preferences.lock,
            },
            clipboard_seconds: preferences.clipboard_seconds,
            offline_use: open.vault.offline_share().is_ok_and(|share| share.is_some()),
            theme: preferences.theme,
            last_backup_at: preferences.last_backup.map(millis),
            suggested_backup_file: format!("keyquay-backup-{}.age", day_of(self.now())),
            can_choose_files: true,
            can_open_without_server: holds_synced && has_recovery,
        })
    }
}

impl Open {
    fn set_passphrase(
        &mut self,
        current: Option<&SecretString>,
        new: Option<&SecretString>,
    ) -> Result<(), Problem> {
        let share = self.half.as_ref().map(|half| half.share.duplicate());
        let sync = self.vault.set_passphrase(current, new, share.as_ref()).map_err(of_vault)?;
        if let (Some(half), Some(sync)) = (&mut self.half, sync) {
            half.sync = sync;
        }
        Ok(())
    }

    fn refuse_disabled(&self) -> Result<(), Problem> {
        match self.vault.disabled() {
            Disabled::UntilProven => Err(Problem::new(Code::Disabled)),
            Disabled::No => Ok(()),
        }
    }

    /// Local accounts, and synced ones as they show now.
    fn accounts_for_backup(&self) -> Result<Vec<Account>, Problem> {
        self.refuse_disabled()?;
        let local = self.local.values().filter(|local| local.deleted.is_none());
        let mut accounts: Vec<Account> = local.map(|local| local.account.clone()).collect();
        let half = self.half.iter();
        let items =
            half.flat_map(|half| half.items.keys().copied().chain(half.edits.iter().map(|edit| edit.item)));
        let ids: std::collections::BTreeSet<AccountId> = items.map(account_of).collect();
        let only_synced = ids.into_iter().filter(|id| !self.is_live_here(*id));
        accounts.extend(only_synced.filter_map(|id| self.synced_account(id)));
        Ok(accounts)
    }

    fn restore(&mut self, accounts: &[Account]) -> Result<Restored, Problem> {
        let mut restored = Restored::default();
        let (mut local, mut edits) = (Vec::new(), Vec::new());
        for account in accounts {
            match self.restored_synced(account, &mut restored)? {
                Place::Local(account) => local.push(account),
                Place::Edit(edit) => edits.push(edit),
                Place::Unchanged => {}
            }
        }
        let restore =
            |transaction: &mut keyquay_vault::Transaction<'_>| transaction.restore(&local).map_err(of_vault);
        let mut counted = Restored::default();
        if edits.is_empty() {
            counted = self.change(|_| {}, restore)?;
        } else {
            let retrieved: Vec<AccountId> = edits.iter().map(|(item, _)| account_of(*item)).collect();
            self.queue(
                edits,
                |settings| settings.retrieved.extend(retrieved),
                |transaction| {
                    counted = restore(transaction)?;
                    Ok(())
                },
            )?;
        }
        restored.added += counted.added;
        restored.updated += counted.updated;
        restored.older += counted.older;
        restored.same += counted.same;
        self.reload_local()?;
        let ids: Vec<AccountId> = local.iter().map(|account| account.id).collect();
        self.upload_by_itself(&ids)?;
        self.settle_changed_uploads()?;
        Ok(restored)
    }

    /// Where an account of a backup goes. One that is synced becomes an edit if it is newer; while synced accounts
    /// are closed it becomes a local copy under an id of its own, always the same.
    fn restored_synced(&self, account: &Account, restored: &mut Restored) -> Result<Place, Problem> {
        let id = account.id;
        let item = item_of(id);
        let known = self.log.as_ref().and_then(|log| log.items().get(&item));
        let is_synced = known.is_some_and(|known| known.status == keyquay_protocol::ItemStatus::Live);
        if !is_synced || self.is_live_here(id) {
            return Ok(Place::Local(account.clone()));
        }
        let Some(_) = &self.half else {
            let digest = sha256(&cbor_array!["keyquay/1/restored-copy", *id.as_bytes()]);
            let mut bytes = [0; 16];
            bytes.iter_mut().zip(digest).for_each(|(byte, of)| *byte = of);
            let mut copy = account.clone();
            copy.id = AccountId::from_bytes(bytes);
            return Ok(Place::Local(copy));
        };
        let bytes = |account: &Account| account.to_bytes().map_err(|error| of_account(&error));
        let put = EditKind::Put { account: bytes(account)?, beside: None };
        match self.synced_account(id) {
            None => restored.added += 1,
            Some(here) if bytes(&here)? == bytes(account)? => {
                restored.same += 1;
                return Ok(Place::Unchanged);
            }
            Some(here) if here.changed > account.changed => {
                restored.older += 1;
                return Ok(Place::Unchanged);
            }
            Some(_) => restored.updated += 1,
        }
        Ok(Place::Edit((item, put)))
    }

    fn is_live_here(&self, id: AccountId) -> bool {
        self.local.get(&id).is_some_and(|local| local.deleted.is_none())
    }

    /// An upload that waits must carry what was restored over it.
    fn settle_changed_uploads(&mut self) -> Result<(), Problem> {
        if self.half.is_some() { self.settle_uploads() } else { Ok(()) }
    }
}

enum Place {
    Local(Account),
    Edit((keyquay_protocol::ItemId, EditKind)),
    Unchanged,
}

fn of_backup(error: BackupError) -> Problem {
    match error {
        BackupError::PassphraseEmpty => Problem {
            title: "A backup needs a passphrase.".to_owned(),
            hint: "Choose one of at least eight characters.".to_owned(),
            ..Problem::new(Code::PassphraseRequired)
        },
        BackupError::WrongPassphrase => Problem::new(Code::BackupPassphrase),
        BackupError::NewerVersion { .. } => Problem::new(Code::BackupNewer),
        BackupError::Io { source, .. } => Problem::new(Code::File).with_detail(source.to_string()),
        BackupError::Account(error) => of_account(&error),
        other => Problem::new(Code::BackupDamaged).with_detail(other.to_string()),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// `YYYY-MM-DD` in UTC, in the Gregorian calendar. Years are counted from March, so that the leap day is their last.
fn day_of(unix_seconds: u64) -> String {
    const DAYS_BEFORE_1970: u64 = 719_468;
    const DAYS_IN_400_YEARS: u64 = 146_097;
    let days = unix_seconds / 86_400 + DAYS_BEFORE_1970;
    let (era, day) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day_of_month:02}", era * 400 + year + next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_the_day() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_761_599, "2026-12-31"),
            (1_798_761_600, "2027-01-01"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(day_of(seconds), day);
        }
    }
}
