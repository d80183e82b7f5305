//! Steps that need the person again: password and second factor on this device, and root open for as long as one
//! step takes.

use keyquay_crypto::opaque::ExportKey;
use keyquay_crypto::sealing::SealingKey;
use keyquay_crypto::sign::SigningKey;
use keyquay_crypto::{SecretKey, SecretString};
use keyquay_protocol::wire::{Append, UnlockRecordAnswer};
use keyquay_protocol::{
    Code, DeviceId, DeviceKeys, Draft, Problem, Root, State, UnlockKey, UnlockRecords, UserId, VaultKeys,
    Violation,
};

use super::setup::give_second_factor;
use super::{Inner, of_violation};
use crate::server::{self, Connection, DeviceSigner, ServerAddress, Standing};
use crate::sync::{Acknowledged, after_intake, pull, take_in};
use crate::view::SecretText;

/// Password and second factor were just given on this device.
pub(super) struct Proven {
    pub connection: Connection,
    pub signer: DeviceSigner,
    pub user: UserId,
    pub export_key: ExportKey,
}

/// Root, open for one step.
pub(super) struct OpenRoot {
    pub proven: Proven,
    pub root: Root,
    pub secret_key: SecretKey,
    pub root_by_recovery: Vec<u8>,
}

/// Signs in again as this device and gives the second factor, which the keystore counts as proof for ten minutes. A
/// suspended device is back with it.
///
/// # Errors
/// [`Code::SignIn`], [`Code::SecondFactor`], and those on the way to the server.
pub(super) async fn prove(inner: &Inner, password: &SecretText, code: &str) -> Result<Proven, Problem> {
    let (known, server, email, user, signer, keys) = {
        let core = inner.core();
        let open = core.open()?;
        let missing = || Problem::new(Code::NotSignedIn);
        let signer = open.signer()?;
        let log = open.log.as_ref().ok_or_else(missing)?;
        let keys = log.devices().get(&signer.device).map(|device| device.keys).ok_or_else(missing)?;
        let settings = &open.settings;
        (
            open.connection.clone(),
            settings.server.clone().ok_or_else(missing)?,
            settings.email.clone().ok_or_else(missing)?,
            settings.user.ok_or_else(missing)?,
            signer,
            keys,
        )
    };
    let connection = match known {
        Some(connection) => connection,
        None => {
            Connection::open(ServerAddress::parse(&server)?, &inner.platform, inner.clock.clone()).await?
        }
    };
    let password = SecretString::from(password.expose());
    let signed_in =
        server::sign_in(&connection, &email, &password, &keys, &signer, Some(user), Standing::Known).await?;
    give_second_factor(&connection, &signer, code).await?;
    Ok(Proven { connection, signer, user, export_key: signed_in.export_key })
}

/// Proves, then opens root with the password and the Secret Key that this device holds.
///
/// # Errors
/// As [`prove`]; [`Code::Closed`] without the Secret Key, [`Code::OtherHistory`] for an old or foreign record.
pub(super) async fn open_root(inner: &Inner, password: &SecretText, code: &str) -> Result<OpenRoot, Problem> {
    let proven = prove(inner, password, code).await?;
    pull(inner, &proven.connection, &proven.signer).await?;
    let record: UnlockRecordAnswer = proven.connection.get_json(&proven.signer, "/v1/unlock-record").await?;
    let core = inner.core();
    let open = core.open()?;
    let secret_key = open.half()?.sync.secret_key().ok_or_else(|| Problem::new(Code::Closed))?.duplicate();
    let log = open.log.as_ref().ok_or_else(|| Problem::new(Code::NoLog))?;
    let set = log.unlock();
    if !set.names_root_by_password(&record.root_by_password.0)
        || !set.names_root_by_recovery(&record.root_by_recovery.0)
    {
        return Err(of_violation(Violation::UnlockRecord));
    }
    let unlock_key = UnlockKey::derive(&proven.export_key, &secret_key, proven.user);
    let root =
        Root::open_with_unlock_key(&unlock_key, proven.user, &record.root_by_password.0, Some(log.root()))
            .map_err(of_violation)?;
    Ok(OpenRoot { proven, root, secret_key, root_by_recovery: record.root_by_recovery.0 })
}

impl OpenRoot {
    /// Appends an entry of root, made anew on every state that turns out to be the latest.
    ///
    /// # Errors
    /// The server's problem; those of `draft`.
    pub async fn append(
        &self,
        inner: &Inner,
        records: Option<UnlockRecords>,
        draft: impl Fn(&State, &VaultKeys) -> Result<Draft, Problem>,
    ) -> Result<(), Problem> {
        let Proven { connection, signer, .. } = &self.proven;
        let version = inner.core().open()?.log.as_ref().map(|log| log.unlock().version);
        loop {
            let entry = {
                let core = inner.core();
                let log = core.open()?.log.as_ref().ok_or_else(|| Problem::new(Code::NoLog))?;
                if records.is_some() && Some(log.unlock().version) != version {
                    let detail = "The password or recovery code was changed on another device just now. This change was given up.";
                    return Err(Problem::new(Code::HeadMoved).with_detail(detail));
                }
                let keys = VaultKeys::open_for_root(log, &self.root)
                    .map_err(|violation| of_violation(violation.into()))?;
                draft(log, &keys)?.sign_as_root(&self.root)
            };
            let body = Append { entries: vec![entry.clone()], records: records.clone() }.to_bytes();
            match connection.post_cbor(signer, "/v1/log", body).await {
                Ok(_) => {
                    let taken =
                        take_in(inner.core().open_mut()?, &[entry], Acknowledged::default(), inner.now())?;
                    return match after_intake(inner, &taken) {
                        Err(problem) if problem.code == Code::SyncEnded => Ok(()),
                        other => other,
                    };
                }
                Err(problem) if problem.code == Code::HeadMoved => {
                    pull(inner, connection, signer).await?;
                }
                Err(problem) => return Err(problem),
            }
        }
    }
}

/// A complete sign-in as the owner, with keys that are thrown away: on a removed device its own count no more.
pub(super) async fn sign_in_as_owner(
    inner: &Inner,
    email: &str,
    password: &SecretString,
    code: &str,
) -> Result<(), Problem> {
    let (server, user) = {
        let core = inner.core();
        let settings = &core.open()?.settings;
        let missing = || Problem::new(Code::NotSignedIn);
        (settings.server.clone().ok_or_else(missing)?, settings.user)
    };
    let connection =
        Connection::open(ServerAddress::parse(&server)?, &inner.platform, inner.clock.clone()).await?;
    let signing = SigningKey::make_random();
    let sealing = SealingKey::make_random();
    let keys = DeviceKeys {
        id: DeviceId::make_random(),
        signing: signing.verifying_key(),
        sealing: sealing.public_key(),
    };
    let signer = DeviceSigner { device: keys.id, key: std::sync::Arc::new(signing) };
    server::sign_in(&connection, email, password, &keys, &signer, user, Standing::New).await?;
    give_second_factor(&connection, &signer, code).await
}
