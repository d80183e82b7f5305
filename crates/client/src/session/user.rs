//! What General does with the user: Secret Key, password, second factor, kit, sign-out, deletion, and the way out
//! when the server is gone for good.

use std::sync::Arc;
use std::time::Duration;

use keyquay_crypto::RecoveryCode;
use keyquay_protocol::{Code, Problem, UnlockKey, VaultKeys};
use keyquay_vault::End;

use super::kit::Kit;
use super::lifecycle::{open_root_here, parse_recovery_code};
use super::setup::{chosen_password, confirm_second_factor, seal_records, start_second_factor};
use super::sync_view::Strict;
use super::{Inner, Session, Settings, account_of, of_vault, of_violation, proof};
use crate::server::change_password;
use crate::view::SecretText;
use crate::view::general::{GeneralView, OpenedWithoutServer};
use crate::view::sync::{BackupCodes, RecoveryKit, SecondFactorEnrolment, SyncView};
use crate::view::welcome::AppView;

/// A new recovery code that waits for its kit to be confirmed, with root's right to bring it into force.
pub(crate) struct RenewedKit {
    pub kit: Kit,
    root: proof::OpenRoot,
    password_record: Vec<u8>,
    unlock_key: UnlockKey,
}

impl Session {
    /// The Secret Key, shown again after password and second factor.
    ///
    /// # Errors
    /// [`Code::SignIn`], [`Code::SecondFactor`], [`Code::Closed`].
    pub async fn general_secret_key(
        &self,
        password: SecretText,
        code: String,
    ) -> Result<SecretText, Problem> {
        use keyquay_crypto::ExposeSecret;
        let _step = self.0.step().await;
        let root = proof::open_root(&self.0, &password, &code).await?;
        Ok(SecretText::new(root.secret_key.to_written().expose_secret().to_owned()))
    }

    /// A new password: its records come into force with root's UnlockSet. The recovery record stays as it is.
    ///
    /// # Errors
    /// [`Code::WeakPassword`], [`Code::SignIn`], [`Code::SecondFactor`].
    pub async fn general_change_password(
        &self,
        current: SecretText,
        code: String,
        password: SecretText,
    ) -> Result<GeneralView, Problem> {
        let _step = self.0.step().await;
        let password = chosen_password(&password)?;
        let open = proof::open_root(&self.0, &current, &code).await?;
        let proven = &open.proven;
        let changed = change_password(&proven.connection, &proven.signer, proven.user, &password).await?;
        let unlock_key = UnlockKey::derive(&changed.export_key, &open.secret_key, proven.user);
        let by_recovery = open.root_by_recovery.clone();
        let records =
            seal_records(&open.root, changed.record, &unlock_key, proven.user, |_| Ok(by_recovery))?;
        let now = proven.connection.now();
        open.append(&self.0, Some(records.clone()), |log, _| Ok(log.draft_unlock_set(&records, now))).await?;
        self.general_view().await
    }

    /// A new second factor in place of the one in use.
    ///
    /// # Errors
    /// [`Code::SignIn`], [`Code::SecondFactor`].
    pub async fn general_replace_second_factor(
        &self,
        password: SecretText,
        code: String,
    ) -> Result<SecondFactorEnrolment, Problem> {
        let _step = self.0.step().await;
        let proven = proof::prove(&self.0, &password, &code).await?;
        start_second_factor(&proven.connection, &proven.signer, None).await
    }

    /// Brings the new second factor into force, with ten new backup codes.
    ///
    /// # Errors
    /// [`Code::SecondFactor`]; [`Code::ProofRequired`] when the proof is older than ten minutes by then.
    pub async fn general_confirm_second_factor(&self, code: String) -> Result<BackupCodes, Problem> {
        let _step = self.0.step().await;
        let (connection, signer) = self.0.enrolled()?;
        confirm_second_factor(&connection, &signer, &code).await
    }

    /// Ten new backup codes; the old ones end.
    ///
    /// # Errors
    /// [`Code::SignIn`], [`Code::SecondFactor`].
    pub async fn general_renew_backup_codes(
        &self,
        password: SecretText,
        code: String,
    ) -> Result<BackupCodes, Problem> {
        let _step = self.0.step().await;
        let proven = proof::prove(&self.0, &password, &code).await?;
        let renewed: keyquay_protocol::wire::SecondFactorConfirmed =
            proven.connection.post_empty(&proven.signer, "/v1/second-factor/backup-codes").await?;
        Ok(BackupCodes { codes: renewed.backup_codes.into_iter().map(SecretText::new).collect() })
    }

    /// Makes a new recovery code; it comes into force when its kit is confirmed.
    ///
    /// # Errors
    /// [`Code::SignIn`], [`Code::SecondFactor`].
    pub async fn sync_kit_renew(&self, password: SecretText, code: String) -> Result<RecoveryKit, Problem> {
        let _step = self.0.step().await;
        let typed = keyquay_crypto::SecretString::from(password.expose());
        let root = proof::open_root(&self.0, &password, &code).await?;
        let proven = &root.proven;
        // The password stays; its record is made anew, since the keystore swaps all three together.
        let changed = change_password(&proven.connection, &proven.signer, proven.user, &typed).await?;
        let unlock_key = UnlockKey::derive(&changed.export_key, &root.secret_key, proven.user);
        let email = self.0.core().open()?.settings.email.clone().unwrap_or_default();
        let kit = Kit::make(
            root.secret_key.duplicate(),
            RecoveryCode::make_random(),
            self.0.now(),
            proven.connection.address().to_string(),
            email,
        );
        let view = kit.view();
        let renewed = RenewedKit { kit, root, password_record: changed.record, unlock_key };
        self.0.core().renewed_kit = Some(renewed);
        self.forget_renewed_kit_later();
        Ok(view)
    }

    /// A dialog that was closed says nothing: root does not stay open for it.
    fn forget_renewed_kit_later(&self) {
        const PATIENCE: Duration = Duration::from_secs(15 * 60);
        let made = self.0.core().renewed_kit.as_ref().map(|renewed| renewed.kit.made);
        let inner = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            let Some(inner) = inner.upgrade() else { return };
            let mut core = inner.core();
            if core.renewed_kit.as_ref().map(|renewed| renewed.kit.made) == made {
                core.renewed_kit = None;
            }
        });
    }

    /// One group of the new kit was typed again: the new recovery code comes into force.
    ///
    /// # Errors
    /// [`Code::KitGroup`], and those of the server.
    pub async fn sync_kit_confirm(&self, group: SecretText) -> Result<SyncView, Problem> {
        let _step = self.0.step().await;
        self.0.with_kit(|kit| kit.confirm(&group))?;
        let renewed = self.0.core().renewed_kit.take().ok_or_else(|| Problem::new(Code::Expired))?;
        let RenewedKit { kit, root, password_record, unlock_key } = renewed;
        let user = root.proven.user;
        let records = seal_records(&root.root, password_record, &unlock_key, user, |root| {
            root.seal_with_recovery_code(&kit.recovery_code, user)
        })?;
        let now = root.proven.connection.now();
        root.append(&self.0, Some(records.clone()), |log, _| Ok(log.draft_unlock_set(&records, now))).await?;
        {
            let mut core = self.0.core();
            let open = core.open_mut()?;
            let made = kit.made;
            open.change(
                |settings| settings.kit_made = Some(made),
                |transaction| transaction.set_recovery_record(&records.root_by_recovery).map_err(of_vault),
            )?;
        }
        self.0.emit_sync();
        self.0.sync_view()
    }

    /// The server is gone for good: the recovery code opens the root that rests here, and every synced account becomes
    /// a local one.
    ///
    /// # Errors
    /// [`Code::RecoveryCodeWrong`], [`Code::NoLog`]; [`Code::Closed`] where the newest recovery record was never fetched.
    pub async fn general_open_without_server(
        &self,
        recovery_code: SecretText,
    ) -> Result<OpenedWithoutServer, Problem> {
        let _step = self.0.step().await;
        let code = parse_recovery_code(&recovery_code)?;
        let root = open_root_here(&self.0, &code)?;
        self.0.engine.stop().await;
        let opened = self.0.take_over_as_local(&root)?;
        let waiting = self.0.core().open()?.vault.outbox_len().map_err(of_vault)?;
        if opened.damaged == 0 && waiting == 0 {
            self.0.forget_sync()?;
        }
        self.0.emit_accounts();
        self.0.emit_sync();
        self.0.emit_status();
        Ok(opened)
    }

    /// Signs this device out: what is local stays, what is synced leaves this device and stays at the server.
    ///
    /// # Errors
    /// Those of the disk.
    pub async fn general_sign_out(&self) -> Result<AppView, Problem> {
        let _step = self.0.step().await;
        self.0.refuse_sign_out()?;
        self.0.engine.stop().await;
        if let Ok((connection, signer)) = self.0.enrolled() {
            let path = format!("/v1/devices/{}/suspension", signer.device);
            let suspension = keyquay_protocol::wire::Suspension { suspended: true };
            // Best effort: offline, the device stays in the list until it is removed there.
            let _: Result<serde_json::Value, Problem> =
                connection.post_signed(&signer, &path, &suspension).await;
        }
        self.0.forget_sync()?;
        self.0.emit_app();
        self.0.emit_accounts();
        self.0.emit_sync();
        Ok(self.0.app_view())
    }

    /// Deletes the user at the server. Every synced account becomes a local one on this device first.
    ///
    /// # Errors
    /// [`Code::SignIn`] when `email` is not this user's, [`Code::SecondFactor`].
    pub async fn general_delete_user(
        &self,
        email: String,
        password: SecretText,
        code: String,
    ) -> Result<AppView, Problem> {
        let _step = self.0.step().await;
        let known = self.0.core().open()?.settings.email.clone();
        if known.as_deref().map(str::to_lowercase) != Some(email.trim().to_lowercase()) {
            return Err(
                Problem::new(Code::SignIn).with_detail("This is not the email of the user on this device.")
            );
        }
        let root = proof::open_root(&self.0, &password, &code).await?;
        self.0.keep_all_local(Strict::Yes)?;
        let now = root.proven.connection.now();
        root.append(&self.0, None, |log, _| Ok(log.draft_sync_ended(now))).await?;
        self.0.engine.stop().await;
        root.proven.connection.delete(&root.proven.signer, "/v1/user").await?;
        self.0.forget_sync()?;
        self.0.emit_app();
        self.0.emit_accounts();
        Ok(self.0.app_view())
    }
}

impl Inner {
    /// What a sign-out would lose for good.
    fn refuse_sign_out(&self) -> Result<(), Problem> {
        let core = self.core();
        let open = core.open()?;
        if matches!(open.vault.disabled(), keyquay_vault::Disabled::UntilProven) {
            return Err(Problem::new(Code::Disabled));
        }
        if open.vault.outbox_len().map_err(of_vault)? > 0 {
            let detail = "Changes of synced accounts wait to be sent, and signing out would lose them. Go online first.";
            return Err(Problem::new(Code::NotAllowed).with_detail(detail));
        }
        Ok(())
    }

    /// Opens every live item for root, and keeps each as a local account.
    fn take_over_as_local(&self, root: &keyquay_protocol::Root) -> Result<OpenedWithoutServer, Problem> {
        let mut core = self.core();
        let open = core.open_mut()?;
        let log = open.log.as_ref().ok_or_else(|| Problem::new(Code::NoLog))?;
        let keys = VaultKeys::open_for_root(log, root).map_err(|violation| of_violation(violation.into()))?;
        let mut accounts = Vec::new();
        let mut damaged = 0;
        for (id, item) in log.live_items() {
            if open.local.contains_key(&account_of(*id)) {
                continue;
            }
            let blob = open.vault.blob(&item.blob).map_err(of_vault)?;
            let opened = blob.and_then(|blob| {
                let key = keys.of_epoch(item.epoch)?;
                let content =
                    keyquay_protocol::open_item(&blob, key, log.user(), *id, item.revision, item.epoch)
                        .ok()?;
                keyquay_exchanges::Account::from_bytes(&content.account).ok()
            });
            match opened {
                Some(account) => accounts.push(account),
                None => damaged += 1,
            }
        }
        if matches!(open.vault.disabled(), keyquay_vault::Disabled::UntilProven) {
            open.vault.clear_disabled(&keyquay_vault::OwnerProof::RecoveryCode).map_err(of_vault)?;
        }
        open.change(
            |_| {},
            |transaction| {
                for account in &accounts {
                    transaction.put_account(account).map_err(of_vault)?;
                }
                Ok(())
            },
        )?;
        open.reload_local()?;
        Ok(OpenedWithoutServer { accounts: u32::try_from(accounts.len()).unwrap_or(u32::MAX), damaged })
    }

    /// This device belongs to no user any more; local accounts stay.
    fn forget_sync(&self) -> Result<(), Problem> {
        let mut core = self.core();
        core.setup = None;
        core.renewed_kit = None;
        let open = core.open_mut()?;
        open.half = None;
        let has_half = open.vault.has_sync_half();
        open.change(
            |settings| *settings = Settings::default(),
            |transaction| {
                if has_half {
                    transaction.destroy_sync_half(End::SignedOff).map_err(of_vault)?;
                }
                transaction.clear_log().map_err(of_vault)
            },
        )?;
        open.log = None;
        open.connection = None;
        open.link = open.resting_link();
        Ok(())
    }
}
