//! keyquay-server: the sync server, in three roles

pub mod cli;
pub mod config;
mod edge;
mod html;
pub mod keystore;
pub mod kms;
pub mod mail;
pub mod message;
mod server;
pub mod storage;
pub mod testing;

pub use server::{Running, Server, StartError};
