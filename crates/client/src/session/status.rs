use keyquay_protocol::wire::{DeviceState, Status};

use super::{Inner, Link, Open};
use crate::view::welcome::{AppView, Stage, SyncState, SyncStatus};
use crate::view::{Change, UnixMillis};

/// Seconds as a screen takes them.
pub(crate) fn millis(seconds: u64) -> UnixMillis {
    UnixMillis(seconds.saturating_mul(1000))
}

impl Inner {
    /// The header's sentence, as data.
    pub fn sync_status(&self) -> SyncStatus {
        let core = self.core();
        let Some(open) = &core.open else {
            return SyncStatus {
                state: SyncState::Off,
                last_synced_at: None,
                waiting: 0,
                lease_ends_at: None,
                problem: None,
            };
        };
        let is_setting_up = core.setup.is_some() && !open.settings.enrolled;
        let state = if is_setting_up { SyncState::SettingUp } else { open.link.state };
        let waiting = open.half.as_ref().map(|half| half.edits.len() as u64);
        let waiting = waiting.or_else(|| open.vault.outbox_len().ok()).unwrap_or(0);
        let lease = open
            .half
            .as_ref()
            .filter(|_| state == SyncState::Offline)
            .map(|half| millis(half.lease.ends_at()));
        SyncStatus {
            state,
            last_synced_at: open.settings.last_sync.as_ref().map(|last| millis(last.at)),
            waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
            lease_ends_at: lease,
            problem: open.link.problem.as_ref().map(Into::into),
        }
    }

    pub fn app_view(&self) -> AppView {
        let stage = {
            let core = self.core();
            match &core.open {
                Some(_) => Stage::Open,
                None if core.open_problem.is_some() => Stage::Locked,
                None if keyquay_vault::Vault::exists(&core.profile).unwrap_or(true) => Stage::Locked,
                None => Stage::Welcome,
            }
        };
        let core = self.core();
        let can_lock = core.open.as_ref().is_some_and(|open| open.vault.has_passphrase());
        let profile = core.profile.name().to_owned();
        drop(core);
        AppView {
            stage,
            profile,
            version: self.version.clone(),
            theme: self.preferences.load().theme,
            can_lock,
            status: self.sync_status(),
        }
    }

    pub fn set_link(&self, link: Link) {
        if let Ok(open) = self.core().open_mut() {
            open.link = link;
        }
        self.emit_status();
    }

    pub fn emit_status(&self) {
        self.tell(|inner| Some(Change::Status { status: inner.sync_status() }));
    }

    pub fn emit_app(&self) {
        self.tell(|inner| Some(Change::App { view: inner.app_view() }));
    }
}

impl Open {
    /// Notes what the keystore says beside the log. It is for display, and for nothing that decides.
    pub fn note_status(&mut self, status: &Status) {
        let settings = &mut self.settings;
        settings.second_factor = status.second_factor;
        settings.backup_codes_left = Some(status.backup_codes_left);
        settings.email = Some(status.email.clone());
        settings.suspended_devices = status
            .devices
            .iter()
            .filter(|device| device.suspended || device.state == DeviceState::Suspended)
            .map(|device| device.device)
            .collect();
        for device in &status.devices {
            if device.verified > 0 {
                settings.verified.insert(device.device, device.verified);
            }
            if device.last_seen > 0 {
                let known = settings.last_seen.entry(device.device).or_default();
                *known = (*known).max(device.last_seen);
            }
        }
    }
}
