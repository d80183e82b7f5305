//! Keeping this device in step: a background task that connects, takes in what others wrote, and sends what waits.

mod blobs;
mod engine;
mod intake;
mod merge;
mod push;
mod recovery;
mod share;

pub(crate) use self::engine::{
    Engine, after_intake, close_when_lease_is_over, open_offline, pull, watch_lease,
};
pub(crate) use self::intake::{Acknowledged, take_in};
pub(crate) use self::share::{open_half, request_share};
