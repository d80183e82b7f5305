//! What a device is told of itself and its siblings, and how one is suspended.

use keyquay_protocol::wire::{DeviceStatus, Event, Status, Suspension};
use keyquay_protocol::{Code, DeviceId, Problem};

use super::records::DeviceRecord;
use super::recovery::cautious_status;
use super::routes::Subject;
use super::rows::SERVER;
use super::users::UserGuard;
use super::{Answer, Call, Inner, read_body};

impl Inner {
    /// Where a device and its user stand. The other devices only for an active one.
    pub fn status(&self, user: &UserGuard, id: DeviceId) -> Result<Status, Problem> {
        let now = self.now();
        let device = user.device(id, now).ok_or(Code::NotSigned)?;
        if device.recovery && !device.link_confirmed {
            return Ok(cautious_status(user.id, &user.record.email, id));
        }
        let devices = match device.is_active() && !device.suspended && user.record.second_factor {
            true => {
                user.devices.iter().filter(|(_, other)| is_shown(user, other, now)).map(status_of).collect()
            }
            false => Vec::new(),
        };
        Ok(Status {
            user: user.id,
            email: user.record.email.clone(),
            device: id,
            state: device.state(),
            second_factor: user.record.second_factor,
            second_factor_given: device.second_factor_given,
            link_confirmed: device.link_confirmed,
            has_log: user.log.as_ref().is_some_and(|log| !log.is_ended()),
            proven_until: if device.proven_until > now { device.proven_until } else { 0 },
            backup_codes_left: user.record.backup_codes_left,
            devices,
        })
    }

    /// Suspends one device, or all others. Only a sign-in on a suspended device lifts it.
    pub async fn suspend(
        &self,
        user: &mut UserGuard,
        asking: DeviceId,
        call: &Call,
        subject: Subject,
    ) -> Result<Answer, Problem> {
        let Suspension { suspended } = read_body(call)?;
        if !suspended {
            let detail = "A suspension ends with a sign-in on the suspended device.";
            return Err(Problem::new(Code::NotAllowed).with_detail(detail));
        }
        let meant: Vec<DeviceId> = user
            .devices
            .iter()
            .filter(|(id, device)| match subject {
                Subject::Device(one) => **id == one,
                _ => **id != asking && (device.is_active() || device.is_pending()),
            })
            .map(|(id, _)| *id)
            .collect();
        if meant.is_empty() && subject != Subject::AllDevices {
            return Err(Code::NotFound.into());
        }
        self.suspend_devices(user, &meant).await?;
        self.connections.push(&user.listening_devices(), &Event::StatusChanged);
        Ok(Answer::json(&Suspension { suspended: true }))
    }

    pub async fn suspend_everybody(&self) -> Result<usize, Problem> {
        let (mut owner, mut users) = (SERVER, 0);
        while let Some(next) = self.rows.next_owner(owner).await? {
            owner = next;
            let Some(mut user) = self.users.open(&self.rows, owner).await? else {
                continue;
            };
            let all: Vec<DeviceId> = user.devices.keys().copied().collect();
            self.suspend_devices(&mut user, &all).await?;
            users += 1;
        }
        Ok(users)
    }

    async fn suspend_devices(&self, user: &mut UserGuard, devices: &[DeviceId]) -> Result<(), Problem> {
        let mut draft = self.rows.draft(user.id).await?;
        for id in devices {
            if let Some(device) = user.devices.get_mut(id) {
                device.suspend();
            }
            user.put_device(&mut draft, *id)?;
        }
        user.commit(&self.rows, vec![draft]).await?;
        self.connections.push_last(devices, &Event::Suspended);
        Ok(())
    }
}

/// Devices of a log that ended are history.
fn is_shown(user: &UserGuard, device: &DeviceRecord, now: u64) -> bool {
    !device.has_expired(now) && (device.is_pending() || device.generation == user.record.generation)
}

fn status_of((id, device): (&DeviceId, &DeviceRecord)) -> DeviceStatus {
    DeviceStatus {
        device: *id,
        state: device.state(),
        verified: device.verified,
        last_seen: device.last_seen,
        suspended: device.suspended,
    }
}
