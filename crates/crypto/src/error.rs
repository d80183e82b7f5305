use thiserror::Error;

/// What a cryptographic step can answer instead of a result. None says more than its reader may know:
/// a wrong key, wrong associated data and altered bytes look alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CryptoError {
    #[error("the sealed bytes do not open with this key and context")]
    Open,
    #[error("the plaintext is too long to seal")]
    TooLong,
    #[error("the public key is malformed or of small order")]
    PublicKey,
    #[error("the signature does not verify")]
    Signature,
    #[error("the message is malformed")]
    Malformed,
    #[error("the password is wrong or the messages were altered")]
    SignIn,
    #[error("key stretching needs 64 MiB of memory, which the system did not give")]
    Stretching,
}
