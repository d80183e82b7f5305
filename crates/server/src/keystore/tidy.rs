//! What has expired goes. The diary says where to look; what is there then decides.

use std::sync::Weak;
use std::time::Duration;

use keyquay_protocol::{DeviceId, Problem, UserId};

use super::Inner;
use super::append::{ROOT_BY_PASSWORD, ROOT_BY_RECOVERY};
use super::entries::{Due, blob_key, generation_key, hash_key, read_diary_key};
use super::records::{ENDED, LinkRecord, RegistrationRecord};
use super::rows::{Draft, Kind, SERVER};

/// Wipes old data keys every few seconds and tidies up once a minute, for as long as the keystore lives.
pub async fn keep_tidy(inner: Weak<Inner>) {
    let mut ticks = tokio::time::interval(TICK);
    let mut count: u64 = 0;
    loop {
        ticks.tick().await;
        let Some(inner) = inner.upgrade() else {
            return;
        };
        inner.rows.forget_old_keys();
        if count.is_multiple_of(TICKS_A_MINUTE) {
            inner.tidy().await;
        }
        count += 1;
    }
}

impl Inner {
    pub async fn tidy(&self) {
        let now = self.now();
        self.sign_ins.forget_old(now);
        self.strangers.forget_old(now);
        self.attempts.forget_old(now);
        self.nonces.forget_old(now);
        loop {
            let lines = match self.rows.diary_until(now, PAGE).await {
                Ok(lines) => lines,
                Err(_) => return,
            };
            let mut is_last = lines.len() < PAGE;
            for line in lines {
                if let Err(problem) = self.look_at(&line).await {
                    tracing::warn!(code = problem.code.as_str(), "something expired could not be tidied up");
                    is_last = true;
                }
            }
            if is_last {
                return;
            }
        }
    }

    async fn look_at(&self, line: &[u8]) -> Result<(), Problem> {
        let mut index = self.rows.draft(SERVER).await?;
        index.strike_out(line);
        let Some((user, due)) = read_diary_key(line) else {
            return self.rows.commit(vec![index]).await;
        };
        match due {
            Due::PendingDevice(device) => self.expire_pending(user, device).await?,
            Due::Link(hash) => {
                let link: Option<LinkRecord> = self.rows.get_json(user, Kind::Link, &hash).await?;
                if link.is_some_and(|link| link.expires <= self.now()) {
                    self.delete_row(user, Kind::Link, &hash).await?;
                }
            }
            Due::Registration(id) => {
                let found: Option<RegistrationRecord> =
                    self.rows.get_json(user, Kind::Registration, &id).await?;
                if found.is_some_and(|registration| registration.expires <= self.now()) {
                    self.delete_row(user, Kind::Registration, &id).await?;
                    self.forget_if_nobody(user).await?;
                }
            }
            Due::Superseded { generation, item, revision, hash } => {
                if self.rows.get(user, Kind::Blob, &blob_key(generation, item, revision)).await?.is_some() {
                    let mut draft = self.rows.draft(user).await?;
                    draft.delete(Kind::Blob, &blob_key(generation, item, revision));
                    draft.delete(Kind::Superseded, &hash_key(generation, &hash));
                    self.rows.commit(vec![draft]).await?;
                }
            }
            Due::EndedLog { generation } => self.purge_log(user, generation).await?,
            Due::DeleteUser => {
                if let Some(mut user) = self.users.open(&self.rows, user).await?
                    && user.record.deletion.is_some_and(|deletion| deletion <= self.now())
                {
                    self.delete_now(&mut user).await?;
                }
            }
        }
        self.rows.commit(vec![index]).await
    }

    async fn expire_pending(&self, user: UserId, device: DeviceId) -> Result<(), Problem> {
        let Some(mut user) = self.users.open(&self.rows, user).await? else {
            return Ok(());
        };
        match user.devices.get(&device).is_some_and(|record| record.has_expired(self.now())) {
            true => self.drop_pending(&mut user, device).await,
            false => Ok(()),
        }
    }

    /// Seven days after SyncEnded: log, blobs, shares and devices of that log go. The user stays.
    async fn purge_log(&self, user: UserId, generation: u32) -> Result<(), Problem> {
        let Some(mut user) = self.users.open(&self.rows, user).await? else {
            return Ok(());
        };
        let is_latest = user.record.generation == generation;
        if is_latest && user.record.ended.is_none_or(|ended| ended + ENDED > self.now()) {
            return Ok(());
        }
        let mut draft = self.rows.draft(user.id).await?;
        let mut index = self.rows.draft(SERVER).await?;
        let prefix = generation_key(generation);
        for kind in [Kind::Entry, Kind::Blob, Kind::Superseded, Kind::Snapshot] {
            draft.delete_all(kind, &prefix);
        }
        let of_that_log: Vec<DeviceId> = user
            .devices
            .iter()
            .filter(|(_, device)| !device.is_pending() && device.generation == generation)
            .map(|(id, _)| *id)
            .collect();
        for device in of_that_log {
            for kind in [Kind::Device, Kind::Share, Kind::Seen] {
                draft.delete(kind, device.as_bytes());
            }
            index.delete(Kind::DeviceOwner, device.as_bytes());
            user.devices.remove(&device);
            self.connections.close(device);
        }
        if is_latest {
            draft.delete(Kind::Unlock, ROOT_BY_PASSWORD);
            draft.delete(Kind::Unlock, ROOT_BY_RECOVERY);
            user.log = None;
        }
        user.commit(&self.rows, vec![draft, index]).await
    }

    /// A registration that nobody confirmed leaves no data key behind.
    async fn forget_if_nobody(&self, user: UserId) -> Result<(), Problem> {
        let _reserved = self.users.reserve(user).await;
        let is_user = self.rows.get(user, Kind::User, b"").await?.is_some();
        let waits = !self.rows.range(user, Kind::Registration, b"", b"", 1).await?.is_empty();
        if is_user || waits {
            return Ok(());
        }
        let mut draft = self.rows.draft(user).await?;
        draft.delete_owner();
        self.rows.commit(vec![draft]).await?;
        self.rows.forget_key(user);
        Ok(())
    }

    async fn delete_row(&self, user: UserId, kind: Kind, key: &[u8]) -> Result<(), Problem> {
        let mut draft: Draft = self.rows.draft(user).await?;
        draft.delete(kind, key);
        self.rows.commit(vec![draft]).await
    }
}

const TICK: Duration = Duration::from_secs(5);
const TICKS_A_MINUTE: u64 = 12;
/// Lines of the diary that are looked at together.
const PAGE: usize = 200;
