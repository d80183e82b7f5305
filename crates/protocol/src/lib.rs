//! What travels between devices and server, and what it means: the signed log and its pure state machine,
//! the envelopes of items and keys, request signatures, wire types and problem codes.
//!
//! `docs/protocol.md` describes all of it. [`State::apply`] is the one judge of a log, shared by the client
//! and the keystore.

mod check;
mod device;
mod draft;
mod entry;
mod epoch;
mod ids;
mod item;
mod problem;
mod request;
mod root;
mod seen;
mod snapshot;
mod state;
mod time;
mod unlock;
pub mod wire;

pub use device::{DeviceKeys, DeviceProfile, device_phrase, sign_in_context};
pub use entry::{Author, Body, Draft, Entry, Genesis, Payload, entry_head};
pub use epoch::{EpochStart, EpochViolation, VaultKey, VaultKeys};
pub use ids::{DeviceId, IdError, ItemId, UserId};
pub use item::{ItemContent, MAX_BESIDE, open_item, seal_item};
pub use problem::{Code, Problem};
pub use request::{
    NONCE_MEMORY, RequestError, RequestSignature, Signed, WINDOW, content_digest, sign_request,
    verify_request,
};
pub use root::{Root, RootPublicKeys, RootSeed, UnlockKey};
pub use seen::Seen;
pub use state::{Device, Item, ItemStatus, LogHead, Membership, State, Violation, head_phrase, limits};
pub use time::{Clock, SystemClock};
pub use unlock::{Share, UnlockRecords, UnlockSet, open_share, seal_share, share_hash};

/// The only version of the protocol. A message that names another is refused.
pub const VERSION: &str = "keyquay/1";
