//! Who signed a request, and that it is new.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use keyquay_crypto::sign::VerifyingKey;
use keyquay_protocol::{Code, DeviceId, NONCE_MEMORY, Problem, RequestError, Signed, UserId, verify_request};

use super::gates::{Step, gate};
use super::routes::Subject;
use super::rows::{Kind, SERVER, damaged};
use super::users::UserGuard;
use super::{Answer, Call, Inner};

impl Inner {
    /// Answers a signed request: finds the device, verifies, passes the gate, and only then looks at the body.
    pub async fn answer_signed(&self, call: &Call, step: Step, subject: Subject) -> Result<Answer, Problem> {
        let (mut user, device) = match self.authenticate(call).await? {
            Caller::Device(user, device) => (user, device),
            Caller::Stranger(stranger) => return self.answer_stranger(&stranger, step, subject),
        };
        self.pass_gate(&user, device, step)?;
        match step {
            Step::SecondFactor | Step::BackupCodes => {
                self.second_factor(&mut user, device, call, subject).await
            }
            Step::Status => Ok(Answer::json(&self.status(&user, device)?)),
            Step::VerificationMail => self.order_verification_mail(&mut user, device, call, subject).await,
            Step::Suspend => self.suspend(&mut user, device, call, subject).await,
            Step::Log => self.log_answer(&user, device, subject).await,
            Step::UnlockRecord => self.unlock_record(&user, device).await,
            Step::RecoveryRecord => self.recovery_record(&user).await,
            Step::Share => self.give_share(&mut user, device, call).await,
            Step::Append => self.append(&mut user, device, call).await,
            Step::PasswordStart => self.start_password(&user, call),
            Step::Blob => self.blob_answer(&user, device, subject).await,
            Step::EmailStart => self.start_email_change(&mut user, call).await,
            Step::DeleteUser => self.delete_user(user, device, call).await,
            Step::Events => Err(Problem::new(Code::NotFound)),
        }
    }

    /// The user and device that signed a call.
    pub async fn authenticate(&self, call: &Call) -> Result<Caller, Problem> {
        let signed = call.signature.as_ref().ok_or(Code::NotSigned)?;
        let device = signed.claims().map_err(refused)?.device;
        let Some(owner) = self.device_owner(device).await? else {
            let stranger = self.strangers.get(device, self.now()).ok_or(Code::NotSigned)?;
            self.verify(call, signed, &stranger.keys.signing)?;
            return Ok(Caller::Stranger(Box::new(stranger)));
        };
        let mut user = self.users.open(&self.rows, owner).await?.ok_or(Code::NotSigned)?;
        let now = self.now();
        let keys = user
            .device(device, now)
            .ok_or(Code::NotSigned)?
            .keys
            .to_keys()
            .map_err(|_| damaged(Kind::Device))?;
        self.verify(call, signed, &keys.signing)?;
        if let Some(record) = user.devices.get_mut(&device) {
            record.last_seen = now;
        }
        Ok(Caller::Device(user, device))
    }

    /// That `key` signed exactly this call, within the window and for the first time.
    pub fn verify(&self, call: &Call, signed: &Signed, key: &VerifyingKey) -> Result<DeviceId, Problem> {
        let target_uri = format!("{}{}", self.settings.public_url, call.path_and_query);
        let now = self.now();
        let claims =
            verify_request(&call.method, &target_uri, &call.body, signed, key, now).map_err(refused)?;
        self.nonces.remember(claims.device, claims.nonce, now)?;
        Ok(claims.device)
    }

    /// The gate's answer for a device of this user.
    pub fn pass_gate(&self, user: &UserGuard, device: DeviceId, step: Step) -> Result<(), Problem> {
        let record = user.devices.get(&device).ok_or(Code::NotSigned)?;
        Ok(gate(&user.record, record, step, self.now())?)
    }

    /// Whose device it is.
    pub async fn device_owner(&self, device: DeviceId) -> Result<Option<UserId>, Problem> {
        let owner = self.rows.get(SERVER, Kind::DeviceOwner, device.as_bytes()).await?;
        owner
            .map(|id| id.as_slice().try_into().map(UserId).map_err(|_| damaged(Kind::DeviceOwner)))
            .transpose()
    }
}

/// Who signed a call.
pub enum Caller {
    Device(UserGuard, DeviceId),
    /// A device that began recovery for an address that nobody registered.
    Stranger(Box<super::recovery::Stranger>),
}

/// The nonces of the last minutes, in two halves that take turns.
#[derive(Default)]
pub struct Nonces(Mutex<Halves>);

#[derive(Default)]
struct Halves {
    began: u64,
    current: HashSet<(DeviceId, [u8; 16])>,
    previous: HashSet<(DeviceId, [u8; 16])>,
}

/// Requests of two minutes; only registered devices can fill it.
const MOST: usize = 2_000_000;

impl Nonces {
    fn remember(&self, device: DeviceId, nonce: [u8; 16], now: u64) -> Result<(), Problem> {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        halves.turn(now);
        let nonce = (device, nonce);
        if halves.previous.contains(&nonce) || halves.current.contains(&nonce) {
            return Err(Code::Replayed.into());
        }
        if halves.current.len() >= MOST {
            return Err(Code::RateLimited.into());
        }
        halves.current.insert(nonce);
        Ok(())
    }

    pub fn forget_old(&self, now: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).turn(now);
    }
}

impl Halves {
    /// A half is kept for at least [`NONCE_MEMORY`] seconds after it is full of age.
    fn turn(&mut self, now: u64) {
        let age = now.saturating_sub(self.began);
        if age < NONCE_MEMORY {
            return;
        }
        let current = std::mem::take(&mut self.current);
        self.previous = if age < 2 * NONCE_MEMORY { current } else { HashSet::new() };
        self.began = now;
    }
}

/// What a refused signature is called.
pub fn refused(error: RequestError) -> Problem {
    match error {
        RequestError::Clock => Code::Clock.into(),
        _ => Code::NotSigned.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_remembered_for_two_minutes_and_then_forgotten() {
        let nonces = Nonces::default();
        let device = DeviceId::make_random();
        let remember = |now| nonces.remember(device, [1; 16], now).is_ok();
        assert!(remember(1_000));
        assert!(!remember(1_000));
        assert!(!remember(1_000 + NONCE_MEMORY));
        assert!(remember(1_000 + 3 * NONCE_MEMORY));
        let other = DeviceId::make_random();
        assert!(nonces.remember(other, [1; 16], 1_000 + 3 * NONCE_MEMORY).is_ok());
    }
}
