//! The half of a device's lock that only the keystore keeps. It leaves sealed to the key of one request.

use keyquay_crypto::sealing::SealingPublicKey;
use keyquay_protocol::wire::{Bytes, Event, ShareAnswer, ShareRequest};
use keyquay_protocol::{Code, DeviceId, Problem, Seen, Share, seal_share};

use super::entries::{entry_key, read_entry};
use super::rows::{Draft, Kind, damaged};
use super::users::UserGuard;
use super::{Answer, Call, Inner, read_body};

impl Inner {
    /// Renews a device's lease: takes its word for how far it has come, gives the share.
    pub async fn give_share(
        &self,
        user: &mut UserGuard,
        device: DeviceId,
        call: &Call,
    ) -> Result<Answer, Problem> {
        let ShareRequest { key, seen } = read_body(call)?;
        let key = key.0.as_slice().try_into().map_err(|_| Code::Malformed)?;
        let key = SealingPublicKey::from_bytes(key).map_err(|_| Code::Malformed)?;
        let mut draft = self.rows.draft(user.id).await?;
        let seen = match seen {
            Some(seen) => Some(seen.to_seen().map_err(|_| Code::Malformed)?),
            None => None,
        };
        if let Some(seen) = &seen {
            self.keep_seen(user, device, seen, &mut draft).await?;
        }
        let share = self.share(user, device, &mut draft).await?;
        let sealed = seal_share(&share, &key, user.id, device).map_err(|_| Code::Malformed)?;
        user.put_device(&mut draft, device)?;
        user.commit(&self.rows, vec![draft]).await?;
        if let Some(seen) = seen {
            let others: Vec<DeviceId> =
                user.listening_devices().into_iter().filter(|other| *other != device).collect();
            self.connections.push(&others, &Event::Seen(seen));
        }
        Ok(Answer::json(&ShareAnswer { sealed: Bytes(sealed) }))
    }

    /// The stored share. A pending device gets one made; that of an active device is never made again [a
    /// wrong share would corrupt].
    async fn share(&self, user: &UserGuard, device: DeviceId, draft: &mut Draft) -> Result<Share, Problem> {
        if let Some(stored) = self.rows.get(user.id, Kind::Share, device.as_bytes()).await? {
            return Share::try_copy_from(&stored).map_err(|_| damaged(Kind::Share));
        }
        if user.devices.get(&device).is_none_or(|record| !record.is_pending()) {
            let detail = "The server has lost this device's half of the lock; verify the device anew.";
            return Err(Problem::new(Code::NotFound).with_detail(detail));
        }
        let share = Share::make_random();
        draft.insert(Kind::Share, device.as_bytes(), share.expose())?;
        Ok(share)
    }

    /// Takes a device's word if it is its own and on its chain.
    async fn keep_seen(
        &self,
        user: &UserGuard,
        device: DeviceId,
        seen: &Seen,
        draft: &mut Draft,
    ) -> Result<(), Problem> {
        let refused =
            || Problem::new(Code::EntryRefused).with_detail("This device has seen another history.");
        let record = user.devices.get(&device).ok_or(Code::NotSigned)?;
        let log = user.log.as_ref().filter(|_| record.generation == user.record.generation);
        let log = log.ok_or_else(refused)?;
        if seen.device != device || !record.is_active() || seen.seq > log.head().seq {
            return Err(refused());
        }
        let stored = self
            .rows
            .get(user.id, Kind::Entry, &entry_key(record.generation, seen.seq))
            .await?
            .map(|row| read_entry(&row).map(|entry| entry.head()))
            .transpose()?;
        log.check_seen(seen, |_| stored).map_err(|_| refused())?;
        if self.stored_seen(user, device).await?.is_none_or(|before| before.seq <= seen.seq) {
            draft.put(Kind::Seen, device.as_bytes(), &write_seen(seen))?;
        }
        Ok(())
    }

    async fn stored_seen(&self, user: &UserGuard, device: DeviceId) -> Result<Option<Seen>, Problem> {
        let stored = self.rows.get(user.id, Kind::Seen, device.as_bytes()).await?;
        stored.map(|row| read_seen(&row)).transpose()
    }
}

pub fn read_seen(row: &[u8]) -> Result<Seen, Problem> {
    let (signature, payload) = row.split_first_chunk::<64>().ok_or_else(|| damaged(Kind::Seen))?;
    Seen::decode(payload, *signature).map_err(|_| damaged(Kind::Seen))
}

fn write_seen(seen: &Seen) -> Vec<u8> {
    [seen.signature().as_slice(), seen.payload()].concat()
}
