//! What a user does with password, address and registration itself.

use keyquay_protocol::wire::{
    Bytes, EmailChange, Event, PasswordStart, PasswordStarted, RecoveryRecordAnswer, UnlockRecordAnswer,
};
use keyquay_protocol::{Code, DeviceId, Problem};

use super::addresses::{Email, Owner};
use super::append::{ROOT_BY_PASSWORD, ROOT_BY_RECOVERY};
use super::entries::{Due, diary_key};
use super::limits::Counted;
use super::records::{DELETION, LINK, LinkPurpose, LinkRecord};
use super::rows::{Draft, Kind, SERVER, damaged};
use super::users::UserGuard;
use super::{Answer, Call, Inner, read_body};
use crate::message::{Content, MailKind, MailOrder};

impl Inner {
    /// The sealed root seed. Who recovers gets the record of the recovery code alone.
    pub async fn unlock_record(&self, user: &UserGuard, device: DeviceId) -> Result<Answer, Problem> {
        if user.log.as_ref().is_none_or(keyquay_protocol::State::is_ended) {
            return Err(Code::NoLog.into());
        }
        let record = user.devices.get(&device).ok_or(Code::NotSigned)?;
        let root_by_password = match record.recovery {
            true => Vec::new(),
            false => self.unlock_bytes(user, ROOT_BY_PASSWORD).await?,
        };
        let root_by_recovery = self.unlock_bytes(user, ROOT_BY_RECOVERY).await?;
        Ok(Answer::json(&UnlockRecordAnswer {
            root_by_password: Bytes(root_by_password),
            root_by_recovery: Bytes(root_by_recovery),
        }))
    }

    /// What each device keeps, so that the recovery code opens what it holds without a server.
    pub async fn recovery_record(&self, user: &UserGuard) -> Result<Answer, Problem> {
        let root_by_recovery = Bytes(self.unlock_bytes(user, ROOT_BY_RECOVERY).await?);
        Ok(Answer::json(&RecoveryRecordAnswer { root_by_recovery }))
    }

    /// OPAQUE's first answer for a new password; the record travels with the UnlockSet or Genesis.
    pub fn start_password(&self, user: &UserGuard, call: &Call) -> Result<Answer, Problem> {
        let PasswordStart { request } = read_body(call)?;
        let response = self
            .setup
            .opaque
            .registration_response(&request.0, user.id.as_bytes())
            .map_err(|_| Code::Malformed)?;
        Ok(Answer::json(&PasswordStarted { response: Bytes(response) }))
    }

    /// Mails a link to the new address. That of somebody else gets a notice instead, and the answer is the same.
    pub async fn start_email_change(&self, user: &mut UserGuard, call: &Call) -> Result<Answer, Problem> {
        let EmailChange { email } = read_body(call)?;
        let email = Email::parse(&email)?;
        self.attempts.take(Counted::MailsTo(user.id), self.settings.rates.mails, self.now())?;
        let asked = self.origin(call);
        let to = email.as_str().to_owned();
        if let Owner::Known(_) = self.setup.addresses.owner(&self.rows, &email).await? {
            let kind = MailKind::AlreadyRegistered { asked };
            return Ok(Answer::empty().with_mail(MailOrder { to, kind }));
        }
        let link = LinkRecord {
            purpose: LinkPurpose::NewAddress,
            email: to.clone(),
            asked: asked.clone(),
            expires: self.now() + LINK,
        };
        let mut draft = self.rows.draft(user.id).await?;
        let token = self.keep_link(user.id, &link, &mut draft)?;
        user.commit(&self.rows, vec![draft]).await?;
        Ok(Answer::empty().with_mail(MailOrder { to, kind: MailKind::NewAddress { token, asked } }))
    }

    /// What the link at the new address does.
    pub async fn confirm_address(
        &self,
        user: &mut UserGuard,
        link: LinkRecord,
        mut draft: Draft,
    ) -> Result<Vec<MailOrder>, Problem> {
        let new = Email::parse(&link.email)?;
        let old = Email::parse(&user.record.email)?;
        let mut index = self.rows.draft(SERVER).await?;
        index.delete(Kind::Address, &self.setup.addresses.row_key(&old));
        index.insert(Kind::Address, &self.setup.addresses.row_key(&new), user.id.as_bytes())?;
        user.record.email = link.email;
        user.put_record(&mut draft)?;
        user.commit_unless_conflict(&self.rows, vec![draft, index]).await?.ok_or(Code::Link)?;
        self.connections.push(&user.listening_devices(), &Event::StatusChanged);
        let kind = MailKind::AddressChanged { new: new.as_str().to_owned(), asked: link.asked };
        Ok(vec![MailOrder { to: old.as_str().to_owned(), kind }])
    }

    /// Where root ended sync, or never began it, the user is deleted now; otherwise a link starts 14 days.
    pub async fn delete_user(
        &self,
        mut user: UserGuard,
        device: DeviceId,
        call: &Call,
    ) -> Result<Answer, Problem> {
        tracing::info!(user = %user.id, %device, "deletion of a user was asked for");
        if user.log.as_ref().is_none_or(keyquay_protocol::State::is_ended) {
            self.delete_now(&mut user).await?;
            return Ok(Answer::empty());
        }
        self.attempts.take(Counted::MailsTo(user.id), self.settings.rates.mails, self.now())?;
        let asked = self.origin(call);
        let email = user.record.email.clone();
        let link = LinkRecord {
            purpose: LinkPurpose::DeleteUser,
            email: email.clone(),
            asked: asked.clone(),
            expires: self.now() + LINK,
        };
        let mut draft = self.rows.draft(user.id).await?;
        let token = self.keep_link(user.id, &link, &mut draft)?;
        user.commit(&self.rows, vec![draft]).await?;
        let mail = MailOrder { to: email, kind: MailKind::DeleteUser { token, asked } };
        Ok(Answer { status: 202, content: Content::Empty, mails: vec![mail] })
    }

    /// What the link of a deletion does: 14 days begin, which another link stops.
    pub async fn start_deletion(
        &self,
        user: &mut UserGuard,
        link: LinkRecord,
        mut draft: Draft,
    ) -> Result<Vec<MailOrder>, Problem> {
        let deleted = self.now() + DELETION;
        user.record.deletion = Some(deleted);
        user.put_record(&mut draft)?;
        draft.note(&diary_key(deleted, user.id, &Due::DeleteUser));
        let email = user.record.email.clone();
        let stop = LinkRecord {
            purpose: LinkPurpose::CancelDeletion,
            email: email.clone(),
            asked: link.asked.clone(),
            expires: deleted,
        };
        let cancel = self.keep_link(user.id, &stop, &mut draft)?;
        user.commit(&self.rows, vec![draft]).await?;
        let kind = MailKind::DeletionStarted { cancel, deleted, asked: link.asked };
        Ok(vec![MailOrder { to: email, kind }])
    }

    pub async fn cancel_deletion(
        &self,
        user: &mut UserGuard,
        mut draft: Draft,
    ) -> Result<Vec<MailOrder>, Problem> {
        user.record.deletion = None;
        user.put_record(&mut draft)?;
        user.commit(&self.rows, vec![draft]).await?;
        Ok(Vec::new())
    }

    /// Deletes everything of a user, its data key included, so that what is left in backups opens no more.
    pub async fn delete_now(&self, user: &mut UserGuard) -> Result<(), Problem> {
        let mut draft = self.rows.draft(user.id).await?;
        draft.delete_owner();
        let mut index = self.rows.draft(SERVER).await?;
        let email = Email::parse(&user.record.email)?;
        index.delete(Kind::Address, &self.setup.addresses.row_key(&email));
        let devices: Vec<DeviceId> = user.devices.keys().copied().collect();
        for device in &devices {
            index.delete(Kind::DeviceOwner, device.as_bytes());
        }
        user.commit(&self.rows, vec![draft, index]).await?;
        user.forget();
        self.rows.forget_key(user.id);
        for device in devices {
            self.connections.close(device);
        }
        Ok(())
    }

    async fn unlock_bytes(&self, user: &UserGuard, name: &[u8]) -> Result<Vec<u8>, Problem> {
        let bytes = self.rows.get(user.id, Kind::Unlock, name).await?;
        Ok(bytes.ok_or_else(|| damaged(Kind::Unlock))?.to_vec())
    }
}
