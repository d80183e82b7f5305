//! The links that are mailed: 256 random bits that rest hashed, work once, for 15 minutes. Looking at one
//! changes nothing [mail scanners follow links].

use data_encoding::BASE64URL_NOPAD;
use keyquay_crypto::{Digest, random_bytes, sha256};
use keyquay_protocol::wire::{Event, VerificationMailSent};
use keyquay_protocol::{Code, DeviceId, Problem, UserId, device_phrase};

use super::entries::{Due, diary_key};
use super::limits::Counted;
use super::records::{LINK, LinkPurpose, LinkRecord};
use super::routes::Subject;
use super::rows::{Draft, Kind, damaged, read_json};
use super::users::UserGuard;
use super::{Answer, Call, Inner};
use crate::message::{LinkDone, LinkFacts, MailKind, MailOrder};

impl Inner {
    pub async fn view_link(&self, token: &str, peer: &str) -> Result<LinkFacts, Problem> {
        let (_, _, link) = self.find_link(token, peer).await?;
        let phrase = match &link.purpose {
            LinkPurpose::Device { phrase, .. } => Some(phrase.clone()),
            _ => None,
        };
        Ok(LinkFacts {
            kind: link.kind(),
            email: link.email,
            phrase,
            asked: link.asked,
            expires: link.expires,
        })
    }

    pub async fn confirm_link(&self, token: &str, peer: &str) -> Result<LinkDone, Problem> {
        let (user, _, link) = self.find_link(token, peer).await?;
        if matches!(link.purpose, LinkPurpose::Registration { .. }) {
            let _reserved = self.users.reserve(user).await;
            let (_, hash, link) = self.find_link(token, peer).await?;
            let LinkPurpose::Registration { id } = &link.purpose else {
                return Err(Code::Link.into());
            };
            let draft = self.use_up(user, &hash, &link).await?;
            self.confirm_registration(user, id, draft).await?;
            return Ok(LinkDone { kind: link.kind(), mails: Vec::new() });
        }
        let mut user = self.users.open(&self.rows, user).await?.ok_or(Code::Link)?;
        // Once more, now that nobody else can use it up.
        let (_, hash, link) = self.find_link(token, peer).await?;
        let draft = self.use_up(user.id, &hash, &link).await?;
        let kind = link.kind();
        let mails = match link.purpose {
            LinkPurpose::Device { device, .. } => self.confirm_device(&mut user, device, draft).await?,
            LinkPurpose::NewAddress => self.confirm_address(&mut user, link, draft).await?,
            LinkPurpose::DeleteUser => self.start_deletion(&mut user, link, draft).await?,
            LinkPurpose::CancelDeletion => self.cancel_deletion(&mut user, draft).await?,
            LinkPurpose::Registration { .. } => return Err(Code::Link.into()),
        };
        Ok(LinkDone { kind, mails })
    }

    pub async fn refuse_link(&self, token: &str, peer: &str) -> Result<LinkDone, Problem> {
        let (owner, hash, link) = self.find_link(token, peer).await?;
        let draft = self.use_up(owner, &hash, &link).await?;
        let kind = link.kind();
        let LinkPurpose::Device { device, phrase } = link.purpose else {
            let _reserved = self.users.reserve(owner).await;
            self.rows.commit(vec![draft]).await?;
            return Ok(LinkDone { kind, mails: Vec::new() });
        };
        let mut user = self.users.open(&self.rows, owner).await?.ok_or(Code::Link)?;
        self.find_link(token, peer).await?;
        let mut draft = draft;
        if let Some(record) = user.devices.get_mut(&device) {
            record.suspend();
            user.put_device(&mut draft, device)?;
        }
        user.commit(&self.rows, vec![draft]).await?;
        self.connections.push_last(&[device], &Event::Suspended);
        self.connections.push(&user.listening_devices(), &Event::StatusChanged);
        let to = user.record.email.clone();
        let warning = MailOrder { to, kind: MailKind::DeviceNotMe { phrase, asked: link.asked } };
        Ok(LinkDone { kind, mails: vec![warning] })
    }

    /// `POST /v1/devices/{id}/verification-mail`, for the device that asks.
    pub async fn order_verification_mail(
        &self,
        user: &mut UserGuard,
        device: DeviceId,
        call: &Call,
        subject: Subject,
    ) -> Result<Answer, Problem> {
        let record = user.devices.get(&device).ok_or(Code::NotSigned)?;
        if subject != Subject::Device(device) || !record.is_pending() {
            return Err(Code::NotAllowed.into());
        }
        let (counted, rate) = match record.recovery {
            true => (Counted::MailsUnasked(user.id), self.settings.rates.mails_unasked),
            false => (Counted::MailsTo(user.id), self.settings.rates.mails),
        };
        self.attempts.take(counted, rate, self.now())?;

        let phrase = device_phrase(&record.keys.to_keys().map_err(|_| damaged(Kind::Device))?);
        let purpose = LinkPurpose::Device { device, phrase: phrase.clone() };
        let mut draft = self.rows.draft(user.id).await?;
        self.drop_links_of(user, device, &mut draft).await?;
        let email = user.record.email.clone();
        let link = LinkRecord { purpose, email, asked: self.origin(call), expires: self.now() + LINK };
        let token = self.keep_link(user.id, &link, &mut draft)?;
        user.commit(&self.rows, vec![draft]).await?;

        let sent = VerificationMailSent { email: link.email.clone(), expires: link.expires };
        let kind = MailKind::VerifyDevice { token, phrase, asked: link.asked };
        Ok(Answer::json(&sent).with_mail(MailOrder { to: link.email, kind }))
    }

    /// Writes a link down: its token, as the mail shows it.
    pub fn keep_link(&self, user: UserId, link: &LinkRecord, draft: &mut Draft) -> Result<String, Problem> {
        let (token, hash) = make_link(user);
        draft.put_json(Kind::Link, &hash, link)?;
        draft.note(&diary_key(link.expires, user, &Due::Link(hash)));
        Ok(BASE64URL_NOPAD.encode(&token))
    }

    async fn confirm_device(
        &self,
        user: &mut UserGuard,
        device: DeviceId,
        mut draft: Draft,
    ) -> Result<Vec<MailOrder>, Problem> {
        let now = self.now();
        user.device(device, now).ok_or(Code::Link)?;
        let record = user.devices.get_mut(&device).ok_or(Code::Link)?;
        if !record.is_pending() || record.suspended {
            return Err(Code::Link.into());
        }
        record.link_confirmed = true;
        user.put_device(&mut draft, device)?;
        user.commit(&self.rows, vec![draft]).await?;
        self.connections.push(&[device], &Event::StatusChanged);
        Ok(Vec::new())
    }

    /// Only the newest link of a device works.
    async fn drop_links_of(
        &self,
        user: &UserGuard,
        device: DeviceId,
        draft: &mut Draft,
    ) -> Result<(), Problem> {
        for row in self.rows.range(user.id, Kind::Link, b"", b"", usize::MAX).await? {
            let link: LinkRecord = read_json(Kind::Link, &row.value)?;
            if matches!(link.purpose, LinkPurpose::Device { device: of, .. } if of == device) {
                draft.delete(Kind::Link, &row.key);
            }
        }
        Ok(())
    }

    async fn find_link(&self, token: &str, peer: &str) -> Result<(UserId, Digest, LinkRecord), Problem> {
        let (user, hash) = read_token(token).ok_or(Code::Link)?;
        let found: Option<LinkRecord> = self.rows.get_json(user, Kind::Link, &hash).await?;
        match found.filter(|link| link.expires > self.now()) {
            Some(link) => Ok((user, hash, link)),
            None => {
                self.count_start(peer)?;
                Err(Code::Link.into())
            }
        }
    }

    async fn use_up(&self, user: UserId, hash: &Digest, link: &LinkRecord) -> Result<Draft, Problem> {
        let mut draft = self.rows.draft(user).await?;
        draft.delete(Kind::Link, hash);
        draft.strike_out(&diary_key(link.expires, user, &Due::Link(*hash)));
        Ok(draft)
    }
}

/// A token, and the hash under which it rests. The token begins with the user's id, so that no index of
/// links crosses users; 256 random bits follow.
pub fn make_link(user: UserId) -> (Vec<u8>, Digest) {
    let secret: [u8; 32] = random_bytes();
    ([user.as_bytes().as_slice(), &secret].concat(), sha256(&secret))
}

fn read_token(token: &str) -> Option<(UserId, Digest)> {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
    let (user, secret) = bytes.split_first_chunk::<16>()?;
    (secret.len() == 32).then(|| (UserId(*user), sha256(secret)))
}
