//! Enrolment without the password. It begins alike for addresses that nobody registered: such a device is a
//! stranger, kept in memory for as long as a pending one, and gets the same answers up to the link.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use keyquay_protocol::wire::{DeviceState, RecoveryStart, RecoveryStarted, Status, VerificationMailSent};
use keyquay_protocol::{Code, DeviceId, DeviceKeys, Problem, UserId};

use super::addresses::{Email, Owner};
use super::gates::Step;
use super::limits::Counted;
use super::records::{LINK, PENDING};
use super::routes::Subject;
use super::{Answer, Call, Inner, read_body};

impl Inner {
    /// Makes the device pending, without a password.
    pub async fn start_recovery(&self, call: &Call) -> Result<Answer, Problem> {
        let RecoveryStart { email, device } = read_body(call)?;
        self.count_start(&call.peer)?;
        let email = Email::parse(&email)?;
        let keys = device.to_keys().map_err(|_| Code::Malformed)?;
        let owner = self.setup.addresses.owner(&self.rows, &email).await?;
        if self.device_owner(keys.id).await?.is_some() || self.strangers.get(keys.id, self.now()).is_some() {
            return Err(Code::NotAllowed.into());
        }
        match owner {
            Owner::Known(id) => {
                let mut user = self.users.open(&self.rows, id).await?.ok_or(Code::Unavailable)?;
                let record = self.new_pending(&mut user, &keys, true, call).await?;
                self.keep_signed_in(&mut user, keys.id, record).await?;
            }
            Owner::Unknown(user) => {
                self.strangers.keep(Stranger { user, email, keys, expires: self.now() + PENDING });
            }
        }
        Ok(Answer::json(&RecoveryStarted { user: owner.id() }))
    }

    /// Answers a stranger as it would a device of a user, up to the link that no mail brings.
    pub fn answer_stranger(
        &self,
        stranger: &Stranger,
        step: Step,
        subject: Subject,
    ) -> Result<Answer, Problem> {
        match step {
            Step::Status => Ok(Answer::json(&stranger.status())),
            Step::VerificationMail if subject == Subject::Device(stranger.keys.id) => {
                let rate = self.settings.rates.mails_unasked;
                self.attempts.take(Counted::MailsUnasked(stranger.user), rate, self.now())?;
                let email = stranger.email.as_str().to_owned();
                Ok(Answer::json(&VerificationMailSent { email, expires: self.now() + LINK }))
            }
            Step::VerificationMail | Step::Suspend | Step::DeleteUser | Step::Blob | Step::EmailStart => {
                Err(Code::NotAllowed.into())
            }
            Step::BackupCodes | Step::RecoveryRecord => Err(Code::NotAllowed.into()),
            _ => Err(Code::LinkRequired.into()),
        }
    }
}

/// What a device that recovers is told of its user before its link is confirmed: what is true of most.
pub fn cautious_status(user: UserId, email: &str, device: DeviceId) -> Status {
    Status {
        user,
        email: email.to_owned(),
        device,
        state: DeviceState::Pending,
        second_factor: true,
        second_factor_given: false,
        link_confirmed: false,
        has_log: true,
        proven_until: 0,
        backup_codes_left: 0,
        devices: Vec::new(),
    }
}

/// A device that began recovery for an address that nobody registered.
#[derive(Clone)]
pub struct Stranger {
    user: UserId,
    email: Email,
    pub keys: DeviceKeys,
    expires: u64,
}

impl Stranger {
    fn status(&self) -> Status {
        cautious_status(self.user, self.email.as_str(), self.keys.id)
    }
}

#[derive(Default)]
pub struct Strangers(Mutex<HashMap<DeviceId, Stranger>>);

/// Strangers that are remembered at once.
const MOST: usize = 20_000;

impl Strangers {
    pub fn get(&self, device: DeviceId, now: u64) -> Option<Stranger> {
        let strangers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        strangers.get(&device).filter(|stranger| stranger.expires > now).cloned()
    }

    pub fn forget_old(&self, now: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, stranger| stranger.expires > now);
    }

    fn keep(&self, stranger: Stranger) {
        let mut strangers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if strangers.len() >= MOST {
            strangers.clear();
        }
        strangers.insert(stranger.keys.id, stranger);
    }
}
