//! What the keystore knows of users, devices, links and registrations, as it rests in their rows.

use keyquay_protocol::wire::{Bytes, DeviceKeysText, DeviceState};
use keyquay_protocol::{DeviceId, DeviceKeys};
use serde::{Deserialize, Serialize};

use crate::message::{LinkKind, Origin};

/// Password and second factor count as just given for this long, in seconds.
pub const PROOF: u64 = 10 * 60;
/// A pending device expires after this many seconds, and its share with it.
pub const PENDING: u64 = 60 * 60;
/// A link works for this many seconds.
pub const LINK: u64 = 15 * 60;
/// Blobs that are not live any more stay for this many seconds.
pub const SUPERSEDED: u64 = 30 * 24 * 60 * 60;
/// After SyncEnded, log, blobs and shares stay for this many seconds.
pub const ENDED: u64 = 7 * 24 * 60 * 60;
/// A deletion that was asked for without root happens after this many seconds.
pub const DELETION: u64 = 14 * 24 * 60 * 60;

/// A registered user.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct UserRecord {
    pub email: String,
    /// Unix seconds.
    pub created: u64,
    /// Which log of the user is the latest; 0 before the first Genesis.
    pub generation: u32,
    /// When the latest log ended, in unix seconds.
    pub ended: Option<u64>,
    /// Whether a second factor was confirmed.
    pub second_factor: bool,
    pub backup_codes_left: u32,
    /// When the user is to be deleted, in unix seconds.
    pub deletion: Option<u64>,
}

/// What a device is to the keystore, beside suspension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// Signed in, not in the log.
    Pending {
        expires: u64,
    },
    Active,
    Removed {
        seq: u64,
    },
}

/// A device that signed in at least once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeviceRecord {
    pub keys: DeviceKeysText,
    pub standing: Standing,
    pub suspended: bool,
    /// Enrols by recovery: no password was given.
    pub recovery: bool,
    /// The log that it belongs to; 0 while pending.
    pub generation: u32,
    pub origin: Origin,
    /// Until when the password counts as just given, in unix seconds.
    pub password_until: u64,
    /// Until when password and second factor count as just given, in unix seconds.
    pub proven_until: u64,
    /// Whether a second factor was given since the sign-in.
    pub second_factor_given: bool,
    pub link_confirmed: bool,
    /// Unix seconds; 0 for never.
    pub verified: u64,
    /// Unix seconds.
    pub last_seen: u64,
}

impl DeviceRecord {
    pub fn pending(keys: &DeviceKeys, recovery: bool, origin: Origin, now: u64) -> Self {
        Self {
            keys: DeviceKeysText::of(keys),
            standing: Standing::Pending { expires: now + PENDING },
            suspended: false,
            recovery,
            generation: 0,
            origin,
            password_until: 0,
            proven_until: 0,
            second_factor_given: false,
            link_confirmed: false,
            verified: 0,
            last_seen: now,
        }
    }

    /// Withholds everything until both factors were given again on the device itself.
    pub fn suspend(&mut self) {
        self.suspended = true;
        self.second_factor_given = false;
        self.password_until = 0;
        self.proven_until = 0;
    }

    pub fn is_active(&self) -> bool {
        self.standing == Standing::Active
    }

    pub fn is_pending(&self) -> bool {
        matches!(self.standing, Standing::Pending { .. })
    }

    pub fn has_expired(&self, now: u64) -> bool {
        matches!(self.standing, Standing::Pending { expires } if expires <= now)
    }

    pub fn state(&self) -> DeviceState {
        match self.standing {
            Standing::Removed { .. } => DeviceState::Removed,
            _ if self.suspended => DeviceState::Suspended,
            Standing::Pending { .. } => DeviceState::Pending,
            Standing::Active => DeviceState::Active,
        }
    }
}

/// What the button of a link does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum LinkPurpose {
    Registration { id: [u8; 32] },
    Device { device: DeviceId, phrase: String },
    NewAddress,
    DeleteUser,
    CancelDeletion,
}

/// A link that was mailed; its row's key is the hash of its token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LinkRecord {
    pub purpose: LinkPurpose,
    /// The address that it went to.
    pub email: String,
    pub asked: Origin,
    /// Unix seconds.
    pub expires: u64,
}

impl LinkRecord {
    pub fn kind(&self) -> LinkKind {
        match self.purpose {
            LinkPurpose::Registration { .. } => LinkKind::ConfirmAddress,
            LinkPurpose::Device { .. } => LinkKind::VerifyDevice,
            LinkPurpose::NewAddress => LinkKind::NewAddress,
            LinkPurpose::DeleteUser => LinkKind::DeleteUser,
            LinkPurpose::CancelDeletion => LinkKind::CancelDeletion,
        }
    }
}

/// A registration whose address is not confirmed yet, or was just now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RegistrationRecord {
    pub email: String,
    /// The OPAQUE record; empty once the registration took effect.
    pub record: Bytes,
    pub confirmed: bool,
    /// Unix seconds.
    pub expires: u64,
}
