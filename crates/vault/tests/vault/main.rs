//! The vault as its one caller sees it, on real files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

mod accounts;
mod backup;
mod bench;
mod crash;
mod damage;
mod frozen;
mod log;
mod passphrase;
mod profile;
mod residue;
mod secret_service;
mod sync;
