//! The finished app, driven through its window: real processes, real Secret Service, real mail.
//!
//! `support` has what a test needs; every other module is a part of the story. One program for all of them, so that
//! it is linked once and the windows share the processor fairly.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

#[allow(dead_code, unused_imports, reason = "a vocabulary: no test needs every word of it")]
mod support;

mod accounts;
mod commands;
mod first_window;
mod no_packet;
mod start;
mod story;
mod story_general;
mod trader;
