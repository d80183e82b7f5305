//! Before the tabs: the first start, the lock, and proof on a removed device.

use keyquay_crypto::{RecoveryCode, SecretString};
use keyquay_protocol::{Code, Problem, Root, Violation};
use keyquay_vault::{Disabled, OwnerProof, Vault};

use super::{Inner, Open, Session, blocking, of_vault, of_violation, proof};
use crate::sync::open_offline;
use crate::view::SecretText;
use crate::view::welcome::{AppView, SyncState, UnlockReason, UnlockView, WelcomeView};

/// Fewer characters than this protect nothing.
const SHORTEST_PASSPHRASE: usize = 8;

impl Session {
    /// # Errors
    /// None.
    pub async fn app_view(&self) -> Result<AppView, Problem> {
        Ok(self.0.app_view())
    }

    /// Locks, where a lock passphrase is set.
    ///
    /// # Errors
    /// [`Code::PassphraseRequired`] without one: a lock that opens by itself would only look like one.
    pub async fn app_lock(&self) -> Result<AppView, Problem> {
        let can_lock = self.0.core().open.as_ref().is_none_or(|open| open.vault.has_passphrase());
        if !can_lock {
            let detail = "Without a lock passphrase there is nothing to lock with. Set one under General.";
            return Err(Problem::new(Code::PassphraseRequired).with_detail(detail));
        }
        self.0.engine.stop().await;
        self.0.core().close();
        self.0.emit_app();
        Ok(self.0.app_view())
    }

    /// Before the computer sleeps: forgets the share, unless its owner keeps synced keys usable offline. The server
    /// gives it again after waking.
    pub fn forget_share(&self) {
        let closed = {
            let mut core = self.0.core();
            let Ok(open) = core.open_mut() else { return };
            let keeps = open.half.is_none() || open.vault.offline_share().ok().flatten().is_some();
            if !keeps {
                open.half = None;
                open.link.state = SyncState::Closed;
            }
            !keeps
        };
        if closed {
            self.0.emit_status();
            self.0.emit_accounts();
        }
    }

    /// # Errors
    /// None.
    pub async fn welcome_view(&self) -> Result<WelcomeView, Problem> {
        Ok(WelcomeView { keyring: self.0.core().keyring_state })
    }

    /// "Use on this device only": makes the vault.
    ///
    /// # Errors
    /// [`Code::PassphraseRequired`] where no keyring answers, and those of keyring and disk.
    pub async fn welcome_start(&self, passphrase: Option<SecretText>) -> Result<AppView, Problem> {
        let _step = self.0.step().await;
        let passphrase = chosen_passphrase(passphrase)?;
        self.create(passphrase).await
    }

    /// # Errors
    /// [`Code::Locked`] never: this is what a locked window asks.
    pub async fn unlock_view(&self) -> Result<UnlockView, Problem> {
        let core = self.0.core();
        let (reason, passphrase) = match &core.open {
            Some(open) => (UnlockReason::Removed, open.vault.has_passphrase()),
            None => (UnlockReason::Locked, Vault::needs_passphrase(&core.profile).unwrap_or(true)),
        };
        let settings = core.open.as_ref().map(|open| &open.settings);
        let recovery = core.open.as_ref().and_then(|open| open.vault.recovery_record().ok().flatten());
        Ok(UnlockView {
            reason,
            passphrase,
            server: settings.and_then(|settings| settings.server.clone()),
            email: settings.and_then(|settings| settings.email.clone()),
            recovery_code: recovery.is_some(),
            keyring: core.keyring_state,
        })
    }

    /// Unlocks; on a removed device, proves who is there.
    ///
    /// # Errors
    /// [`Code::Passphrase`], and those of keyring and disk.
    pub async fn unlock_with_passphrase(&self, passphrase: SecretText) -> Result<AppView, Problem> {
        let _step = self.0.step().await;
        let passphrase = SecretString::from(passphrase.expose());
        if self.0.core().open.is_some() {
            self.prove_owner(&OwnerProof::Passphrase(&passphrase))?;
        } else {
            self.open_vault(Some(passphrase)).await?;
        }
        Ok(self.0.app_view())
    }

    /// On a removed device: a complete sign-in proves who is there. On a locked one there is nothing that a sign-in
    /// could open; see [`Session::unlock_start_over`].
    ///
    /// # Errors
    /// [`Code::SignIn`], [`Code::SecondFactor`], and those on the way to the server.
    pub async fn unlock_with_sign_in(
        &self,
        email: String,
        password: SecretText,
        code: String,
    ) -> Result<AppView, Problem> {
        let _step = self.0.step().await;
        if self.0.core().open.is_none() {
            let detail = "A lock passphrase cannot be reset: it is part of the key. Start over, then sign in to bring the synced accounts back.";
            return Err(Problem::new(Code::Locked).with_detail(detail));
        }
        let password = SecretString::from(password.expose());
        proof::sign_in_as_owner(&self.0, &email, &password, &code).await?;
        self.prove_owner(&OwnerProof::SignedIn)?;
        Ok(self.0.app_view())
    }

    /// On a removed device: the recovery code opens the root that rests here, which proves who is there.
    ///
    /// # Errors
    /// [`Code::RecoveryCodeWrong`], and those of a mistyped code.
    pub async fn unlock_with_recovery_code(
        &self,
        recovery_code: SecretText,
        new_passphrase: Option<SecretText>,
    ) -> Result<AppView, Problem> {
        let _step = self.0.step().await;
        let code = parse_recovery_code(&recovery_code)?;
        if self.0.core().open.is_none() {
            let detail = "A lock passphrase cannot be reset: it is part of the key. Start over, then sign in to bring the synced accounts back.";
            return Err(Problem::new(Code::Locked).with_detail(detail));
        }
        open_root_here(&self.0, &code)?;
        self.prove_owner(&OwnerProof::RecoveryCode)?;
        if let Some(passphrase) = chosen_passphrase(new_passphrase)? {
            tracing::debug!("a new lock passphrase goes with the proof");
            let mut core = self.0.core();
            let open = core.open_mut()?;
            if !open.vault.has_passphrase() {
                open.vault.set_passphrase(None, Some(&passphrase), None).map_err(of_vault)?;
            }
        }
        Ok(self.0.app_view())
    }

    /// Sets a vault that nobody can open aside, and makes an empty one. The old file stays.
    ///
    /// # Errors
    /// Those of keyring and disk.
    pub async fn unlock_start_over(&self, new_passphrase: Option<SecretText>) -> Result<AppView, Problem> {
        let _step = self.0.step().await;
        let passphrase = chosen_passphrase(new_passphrase)?;
        self.0.engine.stop().await;
        {
            let mut core = self.0.core();
            core.close();
            core.open_problem = None;
            set_aside(&core.profile.vault_path(), self.0.now())?;
        }
        self.create(passphrase).await
    }

    /// Opens a vault without lock passphrase at the start, and remembers why it did not open.
    pub(super) async fn open_unlocked_vault(&self) -> Result<(), Problem> {
        let opens_by_itself = {
            let mut core = self.0.core();
            match Vault::exists(&core.profile) {
                Ok(false) => false,
                Ok(true) => match Vault::needs_passphrase(&core.profile) {
                    Ok(needs) => !needs,
                    Err(error) => {
                        core.open_problem = Some(of_vault(error));
                        false
                    }
                },
                Err(error) => {
                    core.open_problem = Some(of_vault(error));
                    false
                }
            }
        };
        if opens_by_itself && let Err(problem) = self.open_vault(None).await {
            self.0.core().open_problem = Some(problem);
        }
        Ok(())
    }

    async fn create(&self, passphrase: Option<SecretString>) -> Result<AppView, Problem> {
        let (profile, keyring) = {
            let core = self.0.core();
            (core.profile.clone(), core.keyring.clone())
        };
        let open = blocking(move || {
            let vault = Vault::create(&profile, keyring, passphrase.as_ref()).map_err(of_vault)?;
            Open::load(vault)
        })
        .await?;
        self.0.core().open = Some(open);
        self.0.emit_app();
        Ok(self.0.app_view())
    }

    async fn open_vault(&self, passphrase: Option<SecretString>) -> Result<(), Problem> {
        let (profile, keyring) = {
            let core = self.0.core();
            (core.profile.clone(), core.keyring.clone())
        };
        let now = self.0.now();
        let open = blocking(move || {
            let vault = Vault::open(&profile, keyring, passphrase.as_ref()).map_err(of_vault)?;
            let mut open = Open::load(vault)?;
            open.change(
                |_| {},
                |transaction| transaction.prune_superseded(now).map(|_| ()).map_err(of_vault),
            )?;
            open_offline(&mut open, now)?;
            Ok(open)
        })
        .await?;
        let starts = open.settings.enrolled && open.settings.sync_on && !open.is_removed();
        let resumes = !open.settings.enrolled && open.settings.device.is_some() && open.vault.has_sync_half();
        {
            let mut core = self.0.core();
            core.open = Some(open);
            core.open_problem = None;
        }
        if starts {
            self.0.engine.start(self);
        }
        if resumes {
            let session = self.clone();
            tokio::spawn(async move {
                // Without the server it is tried again at the next start.
                if let Err(problem) = session.resume_enrolment().await {
                    tracing::info!(
                        code = problem.code.as_str(),
                        "an enrolment that was cut off could not go on"
                    );
                }
            });
        }
        self.0.emit_app();
        Ok(())
    }

    fn prove_owner(&self, proof: &OwnerProof<'_>) -> Result<(), Problem> {
        {
            let mut core = self.0.core();
            let open = core.open_mut()?;
            if matches!(open.vault.disabled(), Disabled::UntilProven) {
                open.vault.clear_disabled(proof).map_err(of_vault)?;
                open.reload_local()?;
            }
        }
        self.0.emit_accounts();
        self.0.emit_app();
        Ok(())
    }
}

/// Opens the root that rests on this device with the recovery code, and checks it against the log.
///
/// # Errors
/// [`Code::RecoveryCodeWrong`]; [`Code::Closed`] where the log names a newer record than the one that rests here.
pub(super) fn open_root_here(inner: &Inner, code: &RecoveryCode) -> Result<Root, Problem> {
    let core = inner.core();
    let open = core.open()?;
    let record = open.vault.recovery_record().map_err(of_vault)?;
    let (Some(record), Some(log)) = (record, &open.log) else {
        return Err(Problem::new(Code::NoLog).with_detail("This device holds no synced accounts."));
    };
    log.open_root_with_recovery_code(code, &record).map_err(|violation| match violation {
        Violation::Unlock => Problem::new(Code::RecoveryCodeWrong),
        Violation::UnlockRecord if open.is_removed() => Problem::new(Code::Closed).with_detail(
            "The recovery code was replaced, and this device was removed before it learned of the new one. \
             Use its lock passphrase, or sign in.",
        ),
        Violation::UnlockRecord => Problem::new(Code::Closed).with_detail(
            "The recovery code was replaced on another device, and this one has not fetched what the new code opens. \
             Go online once, then use the newest kit.",
        ),
        other => of_violation(other),
    })
}

pub(super) fn parse_recovery_code(typed: &SecretText) -> Result<RecoveryCode, Problem> {
    use keyquay_crypto::CodeError;
    RecoveryCode::parse(typed.expose()).map_err(|error| {
        Problem::new(match error {
            CodeError::OtherKind => Code::SecretKeyKind,
            CodeError::Check => Code::RecoveryCodeCheck,
            _ => Code::RecoveryCodeShape,
        })
    })
}

pub(super) fn parse_secret_key(typed: &SecretText) -> Result<keyquay_crypto::SecretKey, Problem> {
    use keyquay_crypto::CodeError;
    keyquay_crypto::SecretKey::parse(typed.expose()).map_err(|error| {
        Problem::new(match error {
            CodeError::OtherKind => Code::SecretKeyKind,
            CodeError::Check => Code::SecretKeyCheck,
            _ => Code::SecretKeyShape,
        })
    })
}

/// A lock passphrase that is long enough; an empty field is none.
pub(super) fn chosen_passphrase(typed: Option<SecretText>) -> Result<Option<SecretString>, Problem> {
    let Some(typed) = typed.filter(|typed| !typed.expose().is_empty()) else { return Ok(None) };
    if typed.expose().chars().count() < SHORTEST_PASSPHRASE {
        return Err(
            Problem::new(Code::WeakPassword).with_detail("A lock passphrase has at least eight characters.")
        );
    }
    Ok(Some(SecretString::from(typed.expose())))
}

/// Renames the vault's files; nothing is deleted.
fn set_aside(vault: &std::path::Path, now: u64) -> Result<(), Problem> {
    for suffix in ["", "-wal", "-shm"] {
        let mut from = vault.as_os_str().to_owned();
        from.push(suffix);
        let mut to = vault.as_os_str().to_owned();
        to.push(format!(".before-{now}{suffix}"));
        match std::fs::rename(&from, &to) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Problem::new(Code::Disk).with_detail(error.to_string())),
        }
    }
    Ok(())
}
