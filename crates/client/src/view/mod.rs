//! What a screen is given: plain data, one file a screen, no logic and no words.
//!
//! States are enums and times are numbers; the screens choose the wording. Secrets are in no view: a [`SecretText`] is an
//! argument the person just typed, or the answer to one explicit request to show something.
//! The UI's types in `ui/bindings/view.d.ts` are generated from this module.

pub mod accounts;
#[cfg(test)]
mod bindings;
mod change;
pub mod general;
mod problem;
mod secret;
pub mod sync;
mod time;
pub mod welcome;

pub use change::{Change, Progress, ProgressKind};
pub use problem::Problem;
pub use secret::SecretText;
pub use time::UnixMillis;
