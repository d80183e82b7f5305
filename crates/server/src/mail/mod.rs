//! Mail: one order becomes one letter, which goes out through SMTP or rests in an outbox.

mod letter;
mod outbox;
mod post;
mod smtp;
mod wording;

pub use letter::Letter;
pub use outbox::{Kept, Outbox};
pub(crate) use post::{NotTaken, Post};
