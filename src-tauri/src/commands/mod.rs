//! What the page may ask for, one file a screen. Each command parses, calls, and answers; it decides nothing.

pub mod accounts;
pub mod general;
pub mod sync;
pub mod welcome;

use keyquay_client::session::Session;
use keyquay_client::view;
use tauri::State;

/// Data for the page, or why not.
type Answer<T> = Result<T, view::Problem>;

/// The one session of this process.
type TheSession<'s> = State<'s, Session>;
