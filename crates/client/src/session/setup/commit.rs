//! The moment a device becomes active: keys persisted, log verified, root opened, Genesis or DeviceAdded accepted.

use keyquay_crypto::{SecretKey, SecretString};
use keyquay_protocol::wire::{Append, Status, UnlockRecordAnswer};
use keyquay_protocol::{
    Code, DeviceProfile, Draft, Entry, Problem, Root, State, UnlockKey, UnlockRecords, UserId, VaultKey,
    VaultKeys, Violation,
};
use keyquay_vault::{End, Identity};

use super::{PendingDevice, Setup};
use crate::server::{Connection, DeviceSigner, change_password};
use crate::session::{Inner, Link, Session, Settings, of_vault, of_violation};
use crate::sync::{Acknowledged, open_half, pull, request_share, take_in};
use crate::view::sync::{SetupPath, SetupStep, SetupView};
use crate::view::welcome::SyncState;
use crate::view::{ProgressKind, SecretText};

impl Session {
    /// One group of the kit was typed again: the first device begins the log, a recovered one joins it.
    ///
    /// # Errors
    /// [`Code::KitGroup`], and those of the server.
    pub async fn sync_setup_confirm_kit(&self, group: SecretText) -> Result<SetupView, Problem> {
        let _step = self.0.step().await;
        let path = self.0.setup_of(|setup| {
            if setup.step != SetupStep::Kit {
                return Err(Problem::new(Code::NotAllowed));
            }
            setup.kit.as_ref().ok_or_else(|| Problem::new(Code::Expired))?.confirm(&group)?;
            Ok(setup.path)
        })?;
        if path == SetupPath::Recovery { self.join().await } else { self.begin().await }
    }

    /// Begins the log with a Genesis for this device.
    async fn begin(&self) -> Result<SetupView, Problem> {
        let inner = &*self.0;
        let step = Step::of(inner)?;
        inner.progress(ProgressKind::SigningIn, 0, 4);
        let password = step.password.clone().ok_or_else(|| Problem::new(Code::Expired))?;
        let (secret_key, recovery_code) = inner.setup_of(|setup| {
            let kit = setup.kit.as_ref().ok_or_else(|| Problem::new(Code::Expired))?;
            Ok((kit.secret_key.duplicate(), kit.recovery_code.duplicate()))
        })?;
        persist(inner, &step, &secret_key).await?;
        inner.progress(ProgressKind::SigningIn, 1, 4);

        let sent = inner.setup_of(|setup| Ok(setup.genesis.clone()))?;
        let (genesis, records) = match sent {
            Some(sent) => sent,
            None => make_genesis(&step, &password, &secret_key, &recovery_code).await?,
        };
        inner.progress(ProgressKind::SigningIn, 2, 4);
        inner.with_setup(|setup| setup.genesis = Some((genesis.clone(), records.clone())))?;
        let recovery_record = records.root_by_recovery.clone();
        match post(&step, vec![genesis.clone()], Some(records)).await {
            // The answer to this very Genesis was lost, or another device was faster; the log tells which.
            Err(problem) if problem.code == Code::LogExists => {
                pull(inner, &step.connection, &step.signer).await?;
            }
            other => other?,
        }
        inner.progress(ProgressKind::SigningIn, 3, 4);
        finish(inner, &step, &[genesis], &recovery_record, true).await?;
        inner.progress(ProgressKind::SigningIn, 4, 4);
        self.0.engine.start(self);
        self.0.with_setup(|setup| setup.finished(SetupStep::Choose))
    }

    /// Adds this device to the log that exists: root opens with password and Secret Key, or with the recovery code.
    pub(super) async fn join(&self) -> Result<SetupView, Problem> {
        let inner = &*self.0;
        let step = Step::of(inner)?;
        inner.progress(ProgressKind::SigningIn, 0, 4);
        // Opened before anything is persisted, so that a wrong Secret Key leaves nothing behind.
        let record: UnlockRecordAnswer = step.connection.get_json(&step.signer, "/v1/unlock-record").await?;
        let root = open_root(inner, &step, &record)?;
        inner.progress(ProgressKind::SigningIn, 1, 4);
        let secret_key = inner.setup_of(|setup| {
            let kit = setup.kit.as_ref().map(|kit| &kit.secret_key);
            setup
                .secret_key
                .as_ref()
                .or(kit)
                .map(SecretKey::duplicate)
                .ok_or_else(|| Problem::new(Code::SecretKeyWrong))
        })?;
        persist(inner, &step, &secret_key).await?;
        let is_fresh = inner.core().open()?.log.is_none();
        pull(inner, &step.connection, &step.signer).await?;
        inner.progress(ProgressKind::SigningIn, 2, 4);
        let entries = match self.add(&step, &root, &record, &secret_key).await {
            Err(problem) if problem.code == Code::OtherRoot && is_fresh => {
                // A log that is not this root's must not stand in the way of the true one.
                let mut core = inner.core();
                let open = core.open_mut()?;
                open.change(|_| {}, |transaction| transaction.clear_log().map_err(of_vault))?;
                open.reload_log()?;
                return Err(problem);
            }
            other => other?,
        };
        inner.progress(ProgressKind::SigningIn, 3, 4);
        finish(inner, &step, &entries, &record.root_by_recovery.0, false).await?;
        inner.progress(ProgressKind::SigningIn, 4, 4);
        self.0.with_setup(|setup| setup.finished(SetupStep::Compare))
    }

    /// Appends DeviceAdded, and in recovery the UnlockSet before it, until no other entry is faster.
    async fn add(
        &self,
        step: &Step,
        root: &Root,
        record: &UnlockRecordAnswer,
        secret_key: &SecretKey,
    ) -> Result<Vec<Entry>, Problem> {
        let inner = &*self.0;
        let records = match (step.path, &step.password) {
            (SetupPath::Recovery, Some(password)) => {
                let changed = change_password(&step.connection, &step.signer, step.user, password).await?;
                let unlock_key = UnlockKey::derive(&changed.export_key, secret_key, step.user);
                let by_recovery = record.root_by_recovery.0.clone();
                Some(seal_records(root, changed.record, &unlock_key, step.user, |_| Ok(by_recovery))?)
            }
            _ => None,
        };
        loop {
            let entries = {
                let core = inner.core();
                let log = core.open()?.log.as_ref().ok_or_else(|| Problem::new(Code::NoLog))?;
                if log.is_active(step.keys.id) {
                    return Ok(Vec::new());
                }
                check_record(log, root, record, step.path)?;
                added(log, root, step, records.as_ref())?
            };
            match post(step, entries.clone(), records.clone()).await {
                Ok(()) => return Ok(entries),
                Err(problem) if problem.code == Code::HeadMoved => {
                    pull(inner, &step.connection, &step.signer).await?;
                }
                Err(problem) => return Err(problem),
            }
        }
    }

    /// A device whose enrolment was accepted while the app ended goes on from there.
    pub(crate) async fn resume_enrolment(&self) -> Result<(), Problem> {
        let inner = &*self.0;
        let _step = inner.step().await;
        let (server, signer) = {
            let core = inner.core();
            let open = core.open()?;
            let server = open.settings.server.clone().ok_or_else(|| Problem::new(Code::NotSignedIn))?;
            (server, open.signer()?)
        };
        let address = crate::server::ServerAddress::parse(&server)?;
        let connection = Connection::open(address, &inner.platform, inner.clock.clone()).await?;
        let status: Status = connection.get_json(&signer, "/v1/status").await?;
        if status.state != keyquay_protocol::wire::DeviceState::Active {
            return Ok(());
        }
        pull(inner, &connection, &signer).await?;
        {
            let mut core = inner.core();
            let open = core.open_mut()?;
            if !open.log.as_ref().is_some_and(|log| log.is_active(signer.device)) {
                return Ok(());
            }
            open.change(|settings| settings.enrol(true), |_| Ok(()))?;
        }
        self.0.engine.start(self);
        Ok(())
    }
}

impl Setup {
    /// Enrolled: nothing of the sign-in is needed any more.
    fn finished(&mut self, step: SetupStep) {
        self.step = step;
        self.password = None;
        self.export_key = None;
        self.secret_key = None;
        self.recovery_code = None;
        self.kit = None;
        self.genesis = None;
    }
}

impl Settings {
    fn enrol(&mut self, set_up: bool) {
        self.enrolled = true;
        self.sync_on = true;
        self.set_up = set_up;
        self.ended = None;
    }
}

async fn make_genesis(
    step: &Step,
    password: &SecretString,
    secret_key: &SecretKey,
    recovery_code: &keyquay_crypto::RecoveryCode,
) -> Result<(Entry, UnlockRecords), Problem> {
    let changed = change_password(&step.connection, &step.signer, step.user, password).await?;
    let root = Root::make_random();
    let unlock_key = UnlockKey::derive(&changed.export_key, secret_key, step.user);
    let records = seal_records(&root, changed.record, &unlock_key, step.user, |root| {
        root.seal_with_recovery_code(recovery_code, step.user)
    })?;
    let genesis = State::draft_genesis(
        step.user,
        &root,
        &step.keys,
        &step.profile,
        &VaultKey::make_random(),
        records.to_set(1),
        step.connection.now(),
    )
    .map_err(|_| Problem::new(Code::Internal))?
    .sign_as_root(&root);
    Ok((genesis, records))
}

/// What the last step of an enrolment needs.
struct Step {
    connection: Connection,
    signer: DeviceSigner,
    keys: keyquay_protocol::DeviceKeys,
    user: UserId,
    path: SetupPath,
    password: Option<SecretString>,
    profile: DeviceProfile,
    email: String,
}

impl Step {
    fn of(inner: &Inner) -> Result<Self, Problem> {
        inner.setup_of(|setup| {
            let expired = || Problem::new(Code::Expired);
            Ok(Self {
                connection: setup.connection()?,
                signer: setup.signer()?,
                keys: setup.pending.as_ref().map(PendingDevice::keys).ok_or_else(expired)?,
                user: setup.user.ok_or_else(expired)?,
                path: setup.path,
                password: setup.password.clone(),
                profile: DeviceProfile { name: setup.device_name.clone(), platform: inner.platform.clone() },
                email: setup.email.clone().ok_or_else(expired)?,
            })
        })
    }
}

/// Fetches the share and persists the device's keys. What a device of before left is gone with that; a log of
/// another user, or one that ended, makes room.
async fn persist(inner: &Inner, step: &Step, secret_key: &SecretKey) -> Result<(), Problem> {
    let (share, _) = request_share(&step.connection, &step.signer, step.user, None).await?;
    let mut core = inner.core();
    let core = &mut *core;
    let open = core.open.as_mut().ok_or_else(|| Problem::new(Code::Locked))?;
    let pending = core.setup.as_ref().and_then(|setup| setup.pending.as_ref());
    let pending = pending.ok_or_else(|| Problem::new(Code::Expired))?;
    let makes_room = open.log.as_ref().is_some_and(|log| log.user() != step.user || log.is_ended());
    let had_half = open.vault.has_sync_half();
    let settings = |settings: &mut Settings| {
        *settings = Settings {
            server: Some(step.connection.address().to_string()),
            server_name: Some(step.connection.name().to_owned()),
            email: Some(step.email.clone()),
            user: Some(step.user),
            device: Some(step.keys.id),
            device_name: Some(step.profile.name.clone()),
            ..Settings::default()
        };
    };
    open.half = None;
    open.change(settings, |transaction| {
        if had_half {
            transaction.destroy_sync_half(End::SignedOff).map_err(of_vault)?;
        }
        if makes_room {
            transaction.clear_log().map_err(of_vault)?;
        }
        Ok(())
    })?;
    let identity =
        Identity { signing: &pending.signing, sealing: &pending.sealing, secret_key: Some(secret_key) };
    open.vault.begin_sync(&identity, &share).map_err(of_vault)?;
    open.connection = Some(step.connection.clone());
    open.reload_log()
}

/// Takes in the entries that made this device active, and opens the synced half.
async fn finish(
    inner: &Inner,
    step: &Step,
    entries: &[Entry],
    recovery_record: &[u8],
    is_first: bool,
) -> Result<(), Problem> {
    let (share, lease) = request_share(&step.connection, &step.signer, step.user, None).await?;
    let now = inner.now();
    {
        let mut core = inner.core();
        let open = core.open_mut()?;
        take_in(open, entries, Acknowledged::default(), now)?;
        open.change(
            |settings| {
                settings.enrol(false);
                settings.kit_made = is_first.then_some(now).or(settings.kit_made);
                settings.second_factor = true;
            },
            |transaction| transaction.set_recovery_record(recovery_record).map_err(of_vault),
        )?;
        open_half(open, share, lease)?;
        open.link = Link::of(SyncState::Connecting);
    }
    inner.emit_accounts();
    inner.emit_sync();
    Ok(())
}

/// Opens root before the log is here; [`check_record`] holds it against the log afterwards.
fn open_root(inner: &Inner, step: &Step, record: &UnlockRecordAnswer) -> Result<Root, Problem> {
    inner.setup_of(|setup| {
        if let (SetupPath::Recovery, Some(code)) = (setup.path, &setup.recovery_code) {
            return Root::open_with_recovery_code(code, step.user, &record.root_by_recovery.0, None)
                .map_err(|_| Problem::new(Code::RecoveryCodeWrong));
        }
        let (Some(export_key), Some(secret_key)) = (&setup.export_key, &setup.secret_key) else {
            return Err(Problem::new(Code::Expired));
        };
        let unlock_key = UnlockKey::derive(export_key, secret_key, step.user);
        Root::open_with_unlock_key(&unlock_key, step.user, &record.root_by_password.0, None)
            .map_err(of_violation)
    })
}

/// Before any key of the log is used: the root that opened is the one that Genesis names, and its record is the
/// latest UnlockSet's.
fn check_record(
    log: &State,
    root: &Root,
    record: &UnlockRecordAnswer,
    path: SetupPath,
) -> Result<(), Problem> {
    if root.public_keys() != *log.root() {
        return Err(of_violation(Violation::OtherRoot));
    }
    let set = log.unlock();
    let by_password = path == SetupPath::Recovery || set.names_root_by_password(&record.root_by_password.0);
    if by_password && set.names_root_by_recovery(&record.root_by_recovery.0) {
        Ok(())
    } else {
        Err(of_violation(Violation::UnlockRecord))
    }
}

/// The entries that add this device, on the state as it is now.
fn added(
    log: &State,
    root: &Root,
    step: &Step,
    records: Option<&UnlockRecords>,
) -> Result<Vec<Entry>, Problem> {
    let keys = VaultKeys::open_for_root(log, root).map_err(|violation| of_violation(violation.into()))?;
    let now = step.connection.now();
    let mut entries = Vec::new();
    let mut state = None;
    if let Some(records) = records {
        let entry = log.draft_unlock_set(records, now).sign_as_root(root);
        let mut next = log.clone();
        next.apply(&entry).map_err(of_violation)?;
        entries.push(entry);
        state = Some(next);
    }
    let draft: Draft = state
        .as_ref()
        .unwrap_or(log)
        .draft_device_added(&keys, &step.keys, &step.profile, now)
        .map_err(|_| Problem::new(Code::Internal))?;
    entries.push(draft.sign_as_root(root));
    Ok(entries)
}

async fn post(step: &Step, entries: Vec<Entry>, records: Option<UnlockRecords>) -> Result<(), Problem> {
    let body = Append { entries, records }.to_bytes();
    step.connection.post_cbor(&step.signer, "/v1/log", body).await.map(|_| ())
}

pub(crate) fn seal_records(
    root: &Root,
    password: Vec<u8>,
    unlock_key: &UnlockKey,
    user: UserId,
    by_recovery: impl FnOnce(&Root) -> Result<Vec<u8>, keyquay_crypto::CryptoError>,
) -> Result<UnlockRecords, Problem> {
    let internal = |_| Problem::new(Code::Internal);
    Ok(UnlockRecords {
        password,
        root_by_password: root.seal_with_unlock_key(unlock_key, user).map_err(internal)?,
        root_by_recovery: by_recovery(root).map_err(internal)?,
    })
}
