//! keyquay-server: the sync server, in three roles

pub mod message;
