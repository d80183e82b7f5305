//! Registration: a password's record waits for its address to be confirmed, and takes effect with the link.

use data_encoding::BASE64URL_NOPAD;
use keyquay_crypto::opaque::PasswordRecord;
use keyquay_crypto::{random_bytes, sha256};
use keyquay_protocol::wire::{
    Bytes, RegistrationConfirmed, RegistrationFinish, RegistrationFinished, RegistrationStart,
    RegistrationStarted, RegistrationStatus,
};
use keyquay_protocol::{Code, Problem, UserId};

use super::addresses::{Email, Owner};
use super::entries::{Due, diary_key};
use super::limits::Counted;
use super::links::make_link;
use super::records::{LINK, LinkPurpose, LinkRecord, RegistrationRecord, UserRecord};
use super::rows::{Draft, Kind, SERVER};
use super::{Answer, Call, Inner, read_body};
use crate::message::{MailKind, MailOrder};

impl Inner {
    /// OPAQUE's first answer, for known and unknown addresses alike.
    pub async fn start_registration(&self, call: &Call) -> Result<Answer, Problem> {
        let RegistrationStart { email, request } = read_body(call)?;
        self.count_start(&call.peer)?;
        let owner = self.setup.addresses.owner(&self.rows, &Email::parse(&email)?).await?;
        let user = owner.id();
        let response = self
            .setup
            .opaque
            .registration_response(&request.0, user.as_bytes())
            .map_err(|_| Code::Malformed)?;
        Ok(Answer::json(&RegistrationStarted { user, response: Bytes(response) }))
    }

    /// Keeps the record until its link is confirmed. Who is registered already gets a mail that says so.
    pub async fn finish_registration(&self, call: &Call) -> Result<Answer, Problem> {
        let RegistrationFinish { email, record } = read_body(call)?;
        self.count_start(&call.peer)?;
        let email = Email::parse(&email)?;
        PasswordRecord::from_bytes(&record.0).map_err(|_| Code::Malformed)?;
        let owner = self.setup.addresses.owner(&self.rows, &email).await?;
        let rate = self.settings.rates.mails_unasked;
        self.attempts.take(Counted::MailsUnasked(owner.id()), rate, self.now())?;

        let id: [u8; 32] = random_bytes();
        let registration = Bytes([owner.id().as_bytes().as_slice(), &id].concat());
        let answer = Answer::json(&RegistrationFinished { registration });
        let to = email.as_str().to_owned();
        let kind = match owner {
            Owner::Known(_) => MailKind::AlreadyRegistered { asked: self.origin(call) },
            Owner::Unknown(user) => self.keep_registration(user, &email, record, &id, call).await?,
        };
        Ok(answer.with_mail(MailOrder { to, kind }))
    }

    /// Whether a registration took effect; never so for an address that was registered already.
    pub async fn registration_status(&self, call: &Call) -> Result<Answer, Problem> {
        let RegistrationStatus { registration } = read_body(call)?;
        let (user, id) = registration.0.split_first_chunk::<16>().ok_or(Code::Malformed)?;
        let found: Option<RegistrationRecord> =
            self.rows.get_json(UserId(*user), Kind::Registration, &sha256(id)).await?;
        let confirmed = found.is_some_and(|found| found.confirmed);
        Ok(Answer::json(&RegistrationConfirmed { confirmed }))
    }

    /// What the link of a registration does: the address is confirmed, the user exists.
    pub async fn confirm_registration(
        &self,
        user: UserId,
        id: &[u8; 32],
        mut draft: Draft,
    ) -> Result<(), Problem> {
        let now = self.now();
        let mut registration: RegistrationRecord =
            self.rows.get_json(user, Kind::Registration, id).await?.ok_or(Code::Link)?;
        let email = Email::parse(&registration.email)?;
        if self.setup.addresses.owner(&self.rows, &email).await? != Owner::Unknown(user) {
            return Err(Code::Link.into());
        }
        let record = UserRecord { email: registration.email.clone(), created: now, ..UserRecord::default() };
        draft.put_json(Kind::User, b"", &record)?;
        draft.put(Kind::Unlock, PASSWORD, &registration.record.0)?;
        registration.confirmed = true;
        registration.record = Bytes(Vec::new());
        registration.expires = now + ASKED_ABOUT;
        draft.delete_all(Kind::Registration, b"");
        draft.put_json(Kind::Registration, id, &registration)?;
        draft.note(&diary_key(registration.expires, user, &Due::Registration(*id)));
        let mut index = self.rows.draft(SERVER).await?;
        index.insert(Kind::Address, &self.setup.addresses.row_key(&email), user.as_bytes())?;
        self.rows.commit_unless_conflict(vec![draft, index]).await?.ok_or(Code::Link)?;
        Ok(())
    }

    async fn keep_registration(
        &self,
        user: UserId,
        email: &Email,
        record: Bytes,
        id: &[u8; 32],
        call: &Call,
    ) -> Result<MailKind, Problem> {
        let _reserved = self.users.reserve(user).await;
        let now = self.now();
        let waiting = self.rows.range(user, Kind::Registration, b"", b"", WAITING + 1).await?;
        let mut draft = self.rows.draft(user).await?;
        if waiting.len() > WAITING {
            return Err(Code::RateLimited.into());
        }
        let id = sha256(id);
        let asked = self.origin(call);
        let (token, token_hash) = make_link(user);
        let link = LinkRecord {
            purpose: LinkPurpose::Registration { id },
            email: email.as_str().to_owned(),
            asked: asked.clone(),
            expires: now + LINK,
        };
        let registration = RegistrationRecord {
            email: email.as_str().to_owned(),
            record,
            confirmed: false,
            expires: link.expires,
        };
        draft.put_json(Kind::Registration, &id, &registration)?;
        draft.put_json(Kind::Link, &token_hash, &link)?;
        draft.note(&diary_key(link.expires, user, &Due::Link(token_hash)));
        draft.note(&diary_key(registration.expires, user, &Due::Registration(id)));
        self.rows.commit(vec![draft]).await?;
        Ok(MailKind::ConfirmAddress { token: BASE64URL_NOPAD.encode(&token), asked })
    }
}

/// Name of the OPAQUE record among a user's unlock records.
pub const PASSWORD: &[u8] = b"password";

/// How long the app may ask whether a confirmed registration took effect, in seconds.
const ASKED_ABOUT: u64 = 24 * 60 * 60;
/// Registrations of one address that may wait at once.
const WAITING: usize = 10;
