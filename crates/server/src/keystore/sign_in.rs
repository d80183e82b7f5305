//! Sign-in: OPAQUE, bound to the device that asks. Only a good finish makes a device known.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use keyquay_crypto::opaque::{Parties, PasswordRecord, ServerSignIn};
use keyquay_crypto::{Digest, random_bytes, sha256};
use keyquay_protocol::wire::{
    Bytes, DeviceKeysText, Event, SignInFinish, SignInFinished, SignInStart, SignInStarted,
};
use keyquay_protocol::{Code, DeviceId, DeviceKeys, Problem, UserId, sign_in_context};

use super::addresses::{Email, Owner};
use super::entries::{Due, diary_key};
use super::limits::Counted;
use super::records::{DeviceRecord, PENDING, PROOF, Standing};
use super::registration::PASSWORD;
use super::rows::{Kind, SERVER, damaged};
use super::users::UserGuard;
use super::{Answer, Call, Inner, read_body};

impl Inner {
    /// KE2 for known and unknown addresses alike, bound to the keys that the device names.
    pub async fn start_sign_in(&self, call: &Call) -> Result<Answer, Problem> {
        let SignInStart { email, device, request } = read_body(call)?;
        self.count_start(&call.peer)?;
        let keys = device.to_keys().map_err(|_| Code::Malformed)?;
        let owner = self.setup.addresses.owner(&self.rows, &Email::parse(&email)?).await?;
        self.count_password(call, owner, &keys).await?;

        let record = match owner {
            Owner::Known(user) => self.rows.get(user, Kind::Unlock, PASSWORD).await?,
            Owner::Unknown(_) => None,
        };
        let record_hash = record.as_ref().map(|bytes| sha256(bytes));
        let record = record
            .map(|bytes| PasswordRecord::from_bytes(&bytes).map_err(|_| damaged(Kind::Unlock)))
            .transpose()?;
        let user = owner.id();
        let context = sign_in_context(&self.settings.name, &keys);
        let (step, response) = self
            .setup
            .opaque
            .sign_in(record.as_ref(), &request.0, &context, self.parties(&user))
            .map_err(|_| Code::Malformed)?;
        let sign_in = self.sign_ins.keep(UnderWay { step, owner, record_hash, keys, began: self.now() });
        Ok(Answer::json(&SignInStarted { sign_in: Bytes(sign_in.to_vec()), user, response: Bytes(response) }))
    }

    /// Checks KE3. A new device becomes pending, a known one has its password proven again.
    pub async fn finish_sign_in(&self, call: &Call) -> Result<Answer, Problem> {
        let SignInFinish { sign_in, finalization } = read_body(call)?;
        let now = self.now();
        let UnderWay { step, owner, record_hash, keys, .. } =
            self.sign_ins.take(&sign_in.0, now).ok_or(Code::Expired)?;
        let signed = call.signature.as_ref().ok_or(Code::NotSigned)?;
        if self.verify(call, signed, &keys.signing)? != keys.id {
            return Err(Code::NotSigned.into());
        }
        let user = owner.id();
        let context = sign_in_context(&self.settings.name, &keys);
        step.finish(&finalization.0, &context, self.parties(&user)).map_err(|_| Code::SignIn)?;

        let mut user = self.users.open(&self.rows, user).await?.ok_or(Code::SignIn)?;
        // A password that was changed since the start is not the password any more.
        let current = self.rows.get(user.id, Kind::Unlock, PASSWORD).await?;
        if current.map(|bytes| sha256(&bytes)) != record_hash {
            return Err(Code::SignIn.into());
        }
        let mut record = match self.known_device(&user, &keys).await? {
            Some(record) => record,
            None => self.new_pending(&mut user, &keys, false, call).await?,
        };
        if let Standing::Pending { expires } = &mut record.standing {
            *expires = now + PENDING;
        }
        record.password_until = now + PROOF;
        record.proven_until = 0;
        record.second_factor_given = false;
        self.keep_signed_in(&mut user, keys.id, record).await?;
        let status = self.status(&user, keys.id)?;
        self.connections.push(&user.listening_devices(), &Event::StatusChanged);
        Ok(Answer::json(&SignInFinished { status }))
    }

    /// A record for a device that was never seen, within the limit of what may wait.
    pub async fn new_pending(
        &self,
        user: &mut UserGuard,
        keys: &DeviceKeys,
        recovery: bool,
        call: &Call,
    ) -> Result<DeviceRecord, Problem> {
        let now = self.now();
        let text = DeviceKeysText::of(keys);
        let is_used =
            |known: &DeviceRecord| known.keys.signing == text.signing || known.keys.sealing == text.sealing;
        let in_log = user.log.as_ref().is_some_and(|log| log.devices().contains_key(&keys.id));
        if in_log || user.devices.values().any(is_used) {
            return Err(Code::NotAllowed.into());
        }
        let waiting: Vec<(bool, u64, DeviceId)> = user
            .devices
            .iter()
            .filter(|(_, device)| device.is_pending() && device.recovery == recovery)
            .map(|(id, device)| (device.link_confirmed, device.last_seen, *id))
            .collect();
        if waiting.len() >= WAITING
            && let Some((_, _, oldest)) = waiting.into_iter().min()
        {
            self.drop_pending(user, oldest).await?;
        }
        Ok(DeviceRecord::pending(keys, recovery, self.origin(call), now))
    }

    /// Forgets a device that never became active.
    pub async fn drop_pending(&self, user: &mut UserGuard, device: DeviceId) -> Result<(), Problem> {
        let mut draft = self.rows.draft(user.id).await?;
        let mut index = self.rows.draft(SERVER).await?;
        draft.delete(Kind::Device, device.as_bytes());
        draft.delete(Kind::Share, device.as_bytes());
        draft.delete(Kind::SecondFactor, device.as_bytes());
        index.delete(Kind::DeviceOwner, device.as_bytes());
        user.devices.remove(&device);
        user.commit(&self.rows, vec![draft, index]).await?;
        self.connections.close(device);
        Ok(())
    }

    /// Writes down a device that signed in or began recovery, and whose it is.
    pub async fn keep_signed_in(
        &self,
        user: &mut UserGuard,
        device: DeviceId,
        record: DeviceRecord,
    ) -> Result<(), Problem> {
        let mut draft = self.rows.draft(user.id).await?;
        let mut drafts = Vec::new();
        if let Standing::Pending { expires } = record.standing {
            draft.note(&diary_key(expires, user.id, &Due::PendingDevice(device)));
        }
        if !user.devices.contains_key(&device) {
            let mut index = self.rows.draft(SERVER).await?;
            index.insert(Kind::DeviceOwner, device.as_bytes(), user.id.as_bytes())?;
            drafts.push(index);
        }
        user.devices.insert(device, record);
        user.put_device(&mut draft, device)?;
        drafts.push(draft);
        user.commit_unless_conflict(&self.rows, drafts).await?.ok_or(Code::NotAllowed)?;
        Ok(())
    }

    pub fn parties<'a>(&'a self, user: &'a UserId) -> Parties<'a> {
        Parties { user: user.as_bytes(), server: self.settings.name.as_bytes() }
    }

    /// The record of a device that signs in again. Other keys under its id, or a removed one, are refused.
    async fn known_device(
        &self,
        user: &UserGuard,
        keys: &DeviceKeys,
    ) -> Result<Option<DeviceRecord>, Problem> {
        let Some(record) = user.devices.get(&keys.id) else {
            return match self.device_owner(keys.id).await? {
                Some(_) => Err(Code::NotAllowed.into()),
                None => Ok(None),
            };
        };
        if record.keys != DeviceKeysText::of(keys) {
            return Err(Code::NotAllowed.into());
        }
        match record.standing {
            Standing::Removed { .. } => Err(Code::Removed.into()),
            Standing::Pending { .. } if record.has_expired(self.now()) || record.recovery => {
                Err(Code::Expired.into())
            }
            _ => Ok(Some(record.clone())),
        }
    }

    /// KE2 lets its reader try one password, so starts are counted. A known device that signs has a count of
    /// its own [others could otherwise block the owner's sign-in, and with it a removal].
    async fn count_password(&self, call: &Call, owner: Owner, keys: &DeviceKeys) -> Result<(), Problem> {
        let rates = &self.settings.rates;
        if let (Owner::Known(id), Some(signed)) = (owner, &call.signature)
            && let Some(user) = self.users.open(&self.rows, id).await?
            && let Some(record) = user.devices.get(&keys.id)
            && record.keys == DeviceKeysText::of(keys)
            && !record.is_pending()
            && self.verify(call, signed, &keys.signing)? == keys.id
        {
            let counted = Counted::PasswordsOfDevice(keys.id);
            return self.attempts.take(counted, rates.passwords_of_device, self.now());
        }
        self.attempts.take(Counted::PasswordsOf(owner.id()), rates.passwords_of_user, self.now())
    }
}

/// Pending devices that a user may have at once, each way of enrolling counted by itself; the one that was
/// silent longest gives way, unverified ones first [anybody can begin a recovery].
const WAITING: usize = 8;
/// How long a sign-in may take from start to finish, in seconds.
const LASTS: u64 = 120;
/// Sign-ins that may be under way at once.
const MOST: usize = 20_000;

/// Sign-ins between start and finish. They are lost with the process; the client starts again.
#[derive(Default)]
pub struct SignIns(Mutex<HashMap<Digest, UnderWay>>);

struct UnderWay {
    step: ServerSignIn,
    owner: Owner,
    /// Which password record it began with.
    record_hash: Option<Digest>,
    keys: DeviceKeys,
    began: u64,
}

impl SignIns {
    pub fn forget_old(&self, now: u64) {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.retain(|_, sign_in| sign_in.began + LASTS > now);
    }

    fn keep(&self, sign_in: UnderWay) -> [u8; 32] {
        let token: [u8; 32] = random_bytes();
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if under_way.len() >= MOST {
            let now = sign_in.began;
            under_way.retain(|_, older| older.began + LASTS / 4 > now);
            if under_way.len() >= MOST {
                under_way.clear();
            }
        }
        under_way.insert(sha256(&token), sign_in);
        token
    }

    fn take(&self, token: &[u8], now: u64) -> Option<UnderWay> {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.remove(&sha256(token)).filter(|sign_in| sign_in.began + LASTS > now)
    }
}
