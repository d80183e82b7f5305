//! A session: unlock, sign in, verify this device, keep accounts in step. It knows no window and no terminal.

pub mod server;
pub mod session;
mod sync;
pub mod view;

pub use keyquay_exchanges::AccountId;
