//! A session: unlock, sign in, verify this device, keep accounts in step

pub mod view;
