//! The outer layer of encryption: each user's data key comes wrapped from a key management service.
//!
//! What users synchronise is sealed before it reaches the server; this layer protects what the server must be
//! able to read (addresses, second factors, shares) and takes backups and stolen disks out of play.

mod cache;
mod local;

use std::future::Future;
use std::pin::Pin;

use keyquay_crypto::CryptoError;
use keyquay_crypto::cbor::Encode;
use keyquay_protocol::UserId;
use thiserror::Error;

pub use cache::DataKeys;
pub use local::{LocalKey, LocalKeyError};

keyquay_crypto::secret_bytes! {
    /// The key under which a user's rows rest. In the clear only in memory, for at most a minute.
    pub struct DataKey(32);
}

/// What a wrapped data key is bound to: it unwraps only for the same three words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyContext {
    pub app: &'static str,
    pub user: UserId,
    pub purpose: &'static str,
}

impl KeyContext {
    /// The data key of a user's rows.
    #[must_use]
    pub fn rows_of(user: UserId) -> Self {
        Self { app: "keyquay", user, purpose: "rows" }
    }
}

impl Encode for KeyContext {
    fn encode(&self, out: &mut Vec<u8>) {
        keyquay_crypto::cbor::encode_array(&[&self.app, &self.user, &self.purpose], out);
    }
}

/// Why a key management service gave no key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KmsError {
    #[error("the wrapped data key does not open with this key and context")]
    Refused,
    #[error("the data key was wrapped under another key than the one that is loaded")]
    OtherKey,
    #[error("the key management service does not answer")]
    Unavailable,
}

impl From<CryptoError> for KmsError {
    fn from(_: CryptoError) -> Self {
        Self::Refused
    }
}

/// A data key in the clear, to use, and wrapped, to store.
pub struct FreshDataKey {
    pub key: DataKey,
    pub wrapped: Vec<u8>,
}

/// What an answer of a key management service is waited for with.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, KmsError>> + Send + 'a>>;

/// A key management service: it keeps the one key that never leaves it.
pub trait Kms: Send + Sync {
    /// Makes a data key for `context`.
    ///
    /// # Errors
    /// [`KmsError`] when there is none to be had.
    fn generate_data_key(&self, context: KeyContext) -> Answer<'_, FreshDataKey>;

    /// Opens a data key that was made for the same `context`.
    ///
    /// # Errors
    /// [`KmsError`] when it does not open, or the service does not answer.
    fn unwrap<'a>(&'a self, wrapped: &'a [u8], context: KeyContext) -> Answer<'a, DataKey>;
}
