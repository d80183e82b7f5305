//! The sync server as a device sees it: an address, a connection, and the steps that take several messages.

mod address;
mod connection;
mod events;
mod sign_in;

pub use address::ServerAddress;
pub use connection::{Connection, DeviceSigner};
pub use events::{EventStream, Received};
pub use sign_in::{PasswordStep, SignedIn, Standing, change_password, recover, register, sign_in};
