//! The catalogue of exchanges (which fields their API keys have and how they look) and the account,
//! which is one key of one exchange as a person keeps it.
//!
//! Nothing here talks to an exchange, and no value is ever refused for its looks: the catalogue knows
//! what is usual, and [`Field::hint`] says what looks unusual.

mod account;
mod catalogue;
mod json;
mod mask;
pub mod paste;
mod shape;

pub use account::{
    Account, AccountError, AccountId, Environment, FieldValue, Fields, MAX_BYTES, Permission, Permissions,
};
pub use catalogue::{Catalogue, Exchange, Field, Kind, OTHER, Page, PageKind, catalogue};
pub use mask::masked;
pub use shape::{Chars, Form, Hint};
