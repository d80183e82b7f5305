//! The cryptographic suite of Keyquay, version 1, and nothing else.
//!
//! Every function here takes its key in a type of its own and its context as a deterministic CBOR array
//! that begins with a purpose (see [`cbor`]), so that bytes made for one use never verify, open or derive
//! for another. What the keys mean and who holds them is the business of the crates above.

pub mod aead;
pub mod cbor;
mod crockford;
mod error;
pub mod hash;
pub mod kdf;
pub mod opaque;
pub mod phrase;
mod random;
pub mod sealing;
mod secret;
mod secret_key;
pub mod sign;

pub use error::CryptoError;
pub use hash::{Digest, sha256};
pub use random::random_bytes;
pub use secrecy::{ExposeSecret, SecretBox, SecretString};
pub use secret::{Secret32, SecretBytes, SecretVec};
pub use secret_key::{CodeError, RecoveryCode, SecretKey};
pub use zeroize::{Zeroize, Zeroizing};
