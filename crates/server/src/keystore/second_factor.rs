//! The second factor: TOTP (RFC 6238: SHA-1, six digits, 30 seconds, one step either way), each step accepted
//! once, and ten backup codes, each good once. All guesses of a user pass through one hold on that user, so
//! that parallel ones cannot share a step or a count.

use data_encoding::BASE32_NOPAD;
use keyquay_crypto::cbor::{Decoder, List};
use keyquay_crypto::{Digest, SecretBytes, Zeroizing, cbor_array, random_bytes, sha256};
use keyquay_protocol::wire::{
    BackupCode, Event, SecondFactorCode, SecondFactorConfirmed, SecondFactorStart, SecondFactorStarted,
};
use keyquay_protocol::{Code, DeviceId, Problem, UserId};
use totp_rs::{Builder, Secret, Totp};

use super::limits::{Counted, Network};
use super::records::{DeviceRecord, PROOF};
use super::routes::Subject;
use super::rows::{Draft, Kind, damaged};
use super::users::UserGuard;
use super::{Answer, Call, Inner, read_body};

impl Inner {
    pub async fn second_factor(
        &self,
        user: &mut UserGuard,
        device: DeviceId,
        call: &Call,
        subject: Subject,
    ) -> Result<Answer, Problem> {
        match subject {
            Subject::StartSecondFactor => self.start_second_factor(user, device, call).await,
            Subject::ConfirmSecondFactor => self.confirm_second_factor(user, device, call).await,
            Subject::RenewBackupCodes => self.renew_backup_codes(user, call).await,
            _ => self.give_second_factor(user, device, call).await,
        }
    }

    /// A code of the authenticator or a backup code. It lifts the suspension of the device that gives it.
    async fn give_second_factor(
        &self,
        user: &mut UserGuard,
        device: DeviceId,
        call: &Call,
    ) -> Result<Answer, Problem> {
        if !user.record.second_factor {
            return Err(Code::SecondFactorRequired.into());
        }
        let given = read_given(call)?;
        self.count_factor(user, device, call)?;
        let mut factor = self.factor(user.id, IN_FORCE).await?.ok_or_else(|| damaged(Kind::SecondFactor))?;
        factor.accept(&given, self.now(), user.id).ok_or(Code::SecondFactor)?;
        self.uncount_factor(user, device);

        let mut draft = self.rows.draft(user.id).await?;
        user.forget();
        self.keep_factor(user, &factor, &mut draft)?;
        self.passed(user, device, &mut draft)?;
        user.commit(&self.rows, vec![draft]).await?;
        self.connections.push(&user.listening_devices(), &Event::StatusChanged);
        Ok(Answer::json(&self.status(user, device)?))
    }

    /// Ten new codes in the place of those that are left, for an active device that proved itself.
    async fn renew_backup_codes(&self, user: &mut UserGuard, call: &Call) -> Result<Answer, Problem> {
        if !call.body.is_empty() {
            return Err(Code::Malformed.into());
        }
        let mut factor = self.factor(user.id, IN_FORCE).await?.ok_or_else(|| damaged(Kind::SecondFactor))?;
        let backup_codes = factor.renew_backup_codes(user.id);
        let mut draft = self.rows.draft(user.id).await?;
        user.forget();
        self.keep_factor(user, &factor, &mut draft)?;
        user.commit(&self.rows, vec![draft]).await?;
        self.connections.push(&user.listening_devices(), &Event::StatusChanged);
        Ok(Answer::json(&SecondFactorConfirmed { backup_codes }))
    }

    /// A new secret, in force once it is confirmed. Where there is a factor, a backup code says that it is lost, or
    /// the proof of an active device holds it.
    async fn start_second_factor(
        &self,
        user: &mut UserGuard,
        device: DeviceId,
        call: &Call,
    ) -> Result<Answer, Problem> {
        let SecondFactorStart { backup_code } = read_body(call)?;
        let backup_code = backup_code.map(Zeroizing::new);
        if user.devices.get(&device).is_none_or(|record| record.recovery) {
            return Err(Code::NotAllowed.into());
        }
        let mut replaces = None;
        if user.record.second_factor {
            if backup_code.is_none() && !self.may_replace(user, device) {
                return Err(Code::SecondFactorExists.into());
            }
            let factor = self.factor(user.id, IN_FORCE).await?.ok_or_else(|| damaged(Kind::SecondFactor))?;
            replaces = Some(match backup_code {
                Some(code) => {
                    self.count_factor(user, device, call)?;
                    let hash = hash_backup_code(user.id, &code);
                    if !factor.backup_codes.contains(&hash) {
                        return Err(Code::SecondFactor.into());
                    }
                    self.uncount_factor(user, device);
                    hash
                }
                None => factor.mark(user.id),
            });
        }
        let factor = Factor {
            secret: SecretBytes::make_random(),
            last_step: 0,
            backup_codes: replaces.into_iter().collect(),
        };
        let started = factor.to_started(&self.settings.name, &user.record.email);
        let mut draft = self.rows.draft(user.id).await?;
        draft.put(Kind::SecondFactor, device.as_bytes(), &factor.to_bytes())?;
        user.commit(&self.rows, vec![draft]).await?;
        Ok(Answer::json(&started))
    }

    /// Puts the new secret in force, with ten new backup codes, in the place of the one before.
    async fn confirm_second_factor(
        &self,
        user: &mut UserGuard,
        device: DeviceId,
        call: &Call,
    ) -> Result<Answer, Problem> {
        let SecondFactorCode { code } = read_body(call)?;
        let code = Zeroizing::new(code);
        self.count_factor(user, device, call)?;
        let mut factor = self.factor(user.id, device.as_bytes()).await?.ok_or(Code::Expired)?;
        if user.record.second_factor {
            let current = self.factor(user.id, IN_FORCE).await?.ok_or_else(|| damaged(Kind::SecondFactor))?;
            let mark = current.mark(user.id);
            let by_code = factor.backup_codes.iter().any(|hash| current.backup_codes.contains(hash));
            let by_proof = factor.backup_codes.contains(&mark);
            if !by_code && !by_proof {
                return Err(Code::SecondFactorExists.into());
            }
            if !by_code && !self.may_replace(user, device) {
                return Err(Code::ProofRequired.into());
            }
        }
        factor.accept(&Given::Code(code), self.now(), user.id).ok_or(Code::SecondFactor)?;
        self.uncount_factor(user, device);

        let backup_codes = factor.renew_backup_codes(user.id);
        let mut draft = self.rows.draft(user.id).await?;
        draft.delete(Kind::SecondFactor, device.as_bytes());
        // From here on memory is ahead of the database, and counts again with the commit.
        user.forget();
        user.record.second_factor = true;
        self.keep_factor(user, &factor, &mut draft)?;
        end_other_proofs(user, device, &mut draft)?;
        self.passed(user, device, &mut draft)?;
        user.commit(&self.rows, vec![draft]).await?;
        self.connections.push(&user.listening_devices(), &Event::StatusChanged);
        Ok(Answer::json(&SecondFactorConfirmed { backup_codes }))
    }

    /// Whether the factor in force was just given on this active device, after the password.
    fn may_replace(&self, user: &UserGuard, device: DeviceId) -> bool {
        let now = self.now();
        user.devices
            .get(&device)
            .is_some_and(|record| record.is_active() && !record.suspended && record.proven_until > now)
    }

    fn passed(&self, user: &mut UserGuard, device: DeviceId, draft: &mut Draft) -> Result<(), Problem> {
        let now = self.now();
        if let Some(record) = user.devices.get_mut(&device) {
            record.second_factor_given = true;
            if record.password_until > now {
                record.proven_until = now + PROOF;
                record.suspended = false;
            }
        }
        user.put_device(draft, device)
    }

    fn keep_factor(&self, user: &mut UserGuard, factor: &Factor, draft: &mut Draft) -> Result<(), Problem> {
        user.record.backup_codes_left = u32::try_from(factor.backup_codes.len()).unwrap_or(u32::MAX);
        user.put_record(draft)?;
        draft.put(Kind::SecondFactor, IN_FORCE, &factor.to_bytes())
    }

    async fn factor(&self, user: UserId, key: &[u8]) -> Result<Option<Factor>, Problem> {
        match self.rows.get(user, Kind::SecondFactor, key).await? {
            Some(bytes) => Factor::read(&bytes).map(Some).ok_or_else(|| damaged(Kind::SecondFactor)),
            None => Ok(None),
        }
    }

    /// Each guess counts before it is looked at; pending devices share a count, since one can always make another.
    fn count_factor(&self, user: &UserGuard, device: DeviceId, call: &Call) -> Result<(), Problem> {
        let (rates, now) = (&self.settings.rates, self.now());
        let by = Counted::FactorsBy(Network::of(&call.peer));
        self.attempts.take(by, rates.factors_by_address, now)?;
        let whose = counted_device(user, device);
        self.attempts.take(Counted::FactorsDaily(user.id, whose), rates.factors_daily, now)?;
        self.attempts.take(Counted::FactorsOf(user.id, whose), rates.factors, now)
    }

    fn uncount_factor(&self, user: &UserGuard, device: DeviceId) {
        let whose = counted_device(user, device);
        self.attempts.clear(&Counted::FactorsOf(user.id, whose));
        self.attempts.clear(&Counted::FactorsDaily(user.id, whose));
    }
}

/// Key of the factor in force; those being set up have their device's id.
const IN_FORCE: &[u8] = b"in force";
const PURPOSE: &str = "keyquay/1/second-factor";
const MARK: &str = "keyquay/1/second-factor-mark";
const BACKUP_CODES: usize = 10;
/// Without the letters that look like others; 32 of them: five bits each.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A device that is in the log has a count of its own; the pending ones together have one.
fn counted_device(user: &UserGuard, device: DeviceId) -> Option<DeviceId> {
    user.devices.get(&device).filter(|record| !record.is_pending()).map(|_| device)
}

/// The proof of every other device rested on the factor before.
fn end_other_proofs(user: &mut UserGuard, device: DeviceId, draft: &mut Draft) -> Result<(), Problem> {
    let proven =
        |(id, record): (&DeviceId, &DeviceRecord)| (*id != device && record.proven_until > 0).then_some(*id);
    let others: Vec<DeviceId> = user.devices.iter().filter_map(proven).collect();
    for other in others {
        if let Some(record) = user.devices.get_mut(&other) {
            record.proven_until = 0;
        }
        user.put_device(draft, other)?;
    }
    Ok(())
}

enum Given {
    Code(Zeroizing<String>),
    BackupCode(Zeroizing<String>),
}

fn read_given(call: &Call) -> Result<Given, Problem> {
    if let Ok(SecondFactorCode { code }) = read_body(call) {
        return Ok(Given::Code(Zeroizing::new(code)));
    }
    let BackupCode { backup_code } = read_body(call)?;
    Ok(Given::BackupCode(Zeroizing::new(backup_code)))
}

/// A second factor as it rests.
struct Factor {
    secret: SecretBytes<20>,
    /// The last step that was accepted.
    last_step: u64,
    /// Hashes of the codes that are left. While it is being set up: of the code that allows to replace, or the mark
    /// of the factor that a proof held.
    backup_codes: Vec<Digest>,
}

impl Factor {
    /// Takes a code if it is right and new.
    fn accept(&mut self, given: &Given, now: u64, user: UserId) -> Option<()> {
        match given {
            Given::Code(code) => {
                let step = self.totp()?.check(code, now)?;
                (step > self.last_step).then(|| self.last_step = step)
            }
            Given::BackupCode(code) => {
                let hash = hash_backup_code(user, code);
                let place = self.backup_codes.iter().position(|left| *left == hash)?;
                self.backup_codes.remove(place);
                Some(())
            }
        }
    }

    /// Ten new codes in the place of those that are left.
    fn renew_backup_codes(&mut self, user: UserId) -> Vec<String> {
        let codes: Vec<String> = (0..BACKUP_CODES).map(|_| make_backup_code()).collect();
        self.backup_codes = codes.iter().map(|code| hash_backup_code(user, code)).collect();
        codes
    }

    /// Tells this factor from those before and after it.
    fn mark(&self, user: UserId) -> Digest {
        sha256(&Zeroizing::new(cbor_array![MARK, user, self.secret.expose()]))
    }

    fn totp(&self) -> Option<Totp> {
        Builder::new().with_secret(Secret::from(*self.secret.expose())).build().ok()
    }

    fn to_started(&self, server: &str, email: &str) -> SecondFactorStarted {
        let secret = BASE32_NOPAD.encode(self.secret.expose());
        let (server, email) = (percent_encode(server), percent_encode(email));
        let uri = format!(
            "otpauth://totp/Keyquay%20{server}:{email}?secret={secret}&issuer=Keyquay%20{server}\
             &algorithm=SHA1&digits=6&period=30"
        );
        SecondFactorStarted { secret, uri }
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(cbor_array![PURPOSE, self.secret.expose(), self.last_step, List(&self.backup_codes)])
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut decoder = Decoder::message(bytes, 4, PURPOSE).ok()?;
        let secret = SecretBytes::try_copy_from(decoder.bytes().ok()?).ok()?;
        let last_step = decoder.uint().ok()?;
        let count = decoder.list(BACKUP_CODES).ok()?;
        let backup_codes = (0..count).map(|_| decoder.fixed()).collect::<Result<_, _>>().ok()?;
        decoder.end().ok()?;
        Some(Self { secret, last_step, backup_codes })
    }
}

/// Ten characters in two groups: 50 bits.
fn make_backup_code() -> String {
    let bytes: [u8; 10] = random_bytes();
    let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).map_or('0', |letter| char::from(*letter));
    let letters: Vec<char> = bytes.iter().map(letter).collect();
    let (first, second) = letters.split_at(5);
    first.iter().chain(&['-']).chain(second).collect()
}

/// How a backup code rests; typed case, spaces and hyphens do not matter.
fn hash_backup_code(user: UserId, code: &str) -> Digest {
    let plain: String = code
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            letter => letter,
        })
        .collect();
    sha256(&Zeroizing::new(cbor_array!["keyquay/1/backup-code", user, Zeroizing::new(plain).as_str()]))
}

fn percent_encode(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factor() -> Factor {
        let secret = SecretBytes::copy_from(b"12345678901234567890");
        Factor { secret, last_step: 0, backup_codes: Vec::new() }
    }

    fn code(text: &str) -> Given {
        Given::Code(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn codes_agree_with_rfc_6238_appendix_b() {
        let user = UserId::make_random();
        for (time, expected) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert!(factor().accept(&code(expected), time, user).is_some(), "{time}");
            assert!(factor().accept(&code(expected), time + 30, user).is_some(), "one step late");
            assert!(factor().accept(&code(expected), time - 30, user).is_some(), "one step early");
            assert!(factor().accept(&code(expected), time + 60, user).is_none(), "two steps late");
        }
    }

    #[test]
    fn a_step_is_accepted_once_and_none_before_it() {
        let (mut factor, user) = (factor(), UserId::make_random());
        let at = |time: u64| code(&factor_code(time));
        assert!(factor.accept(&at(1_030), 1_030, user).is_some());
        assert!(factor.accept(&at(1_030), 1_030, user).is_none());
        assert!(factor.accept(&at(1_000), 1_030, user).is_none());
        assert!(factor.accept(&at(1_060), 1_030, user).is_some());
    }

    fn factor_code(time: u64) -> String {
        factor().totp().unwrap().generate(time).to_string()
    }

    #[test]
    fn a_backup_code_is_good_once_however_it_is_typed() {
        let (mut factor, user) = (factor(), UserId::make_random());
        let codes: Vec<String> = (0..BACKUP_CODES).map(|_| make_backup_code()).collect();
        factor.backup_codes = codes.iter().map(|code| hash_backup_code(user, code)).collect();
        let mut factor = Factor::read(&factor.to_bytes()).unwrap();
        let typed =
            Given::BackupCode(Zeroizing::new(format!(" {} ", codes[3].to_uppercase().replace('-', " "))));
        assert!(factor.accept(&typed, 0, user).is_some());
        assert!(factor.accept(&typed, 0, user).is_none());
        assert_eq!(factor.backup_codes.len(), BACKUP_CODES - 1);
        assert!(factor.accept(&code("000000x"), 0, user).is_none());
    }
}
