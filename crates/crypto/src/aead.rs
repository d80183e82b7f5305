//! AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces, under keys that serve one item or one record.
//!
//! A sealed value is `nonce (12) ‖ ciphertext ‖ tag (16)` and opens only with the context it was sealed for.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use zeroize::{Zeroize, Zeroizing};

use crate::{CryptoError, SecretBytes, random_bytes};

crate::secret_bytes! {
    /// A key of AES-256-GCM that serves one item or one record.
    pub struct AeadKey(32);
}

/// Plaintexts are padded to multiples of this, so that a size tells little.
pub const PADDING: usize = 256;

/// What [`seal`] adds to a padded plaintext: nonce and tag.
pub const OVERHEAD: usize = NONCE + 16;

/// Size of a wrapped 32-byte key.
pub const WRAPPED_KEY: usize = 32 + OVERHEAD;

/// Seals `plaintext`, padded to a multiple of 256 bytes (4-byte big-endian length, then zeros at the end).
/// `context` is a CBOR array that begins with its purpose.
///
/// # Errors
/// [`CryptoError::TooLong`] above 4 GiB.
pub fn seal(key: &AeadKey, context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let length = u32::try_from(plaintext.len()).map_err(|_| CryptoError::TooLong)?;
    let size = (plaintext.len() + LENGTH).next_multiple_of(PADDING);
    let mut padded = Zeroizing::new(Vec::with_capacity(size));
    padded.extend_from_slice(&length.to_be_bytes());
    padded.extend_from_slice(plaintext);
    padded.resize(size, 0);
    encrypt(key, context, &padded)
}

/// Opens what [`seal`] made with the same key and context.
///
/// # Errors
/// [`CryptoError::Open`] when anything differs, the padding included.
pub fn open(key: &AeadKey, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let mut padded = Zeroizing::new(decrypt(key, context, sealed)?);
    let (length, rest) = padded.split_first_chunk::<LENGTH>().ok_or(CryptoError::Open)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| CryptoError::Open)?;
    let padding = rest.get(length..).ok_or(CryptoError::Open)?;
    let canonical = (length + LENGTH).next_multiple_of(PADDING) == rest.len() + LENGTH;
    if !canonical || padding.iter().any(|&byte| byte != 0) {
        return Err(CryptoError::Open);
    }
    padded.drain(..LENGTH);
    let cleared = length..padded.len();
    if let Some(tail) = padded.get_mut(cleared) {
        tail.zeroize();
    }
    padded.truncate(length);
    Ok(padded)
}

/// Seals a key of fixed length, unpadded.
///
/// # Errors
/// None that a 32-byte key can cause.
pub fn wrap(key: &AeadKey, context: &[u8], secret: &SecretBytes<32>) -> Result<Vec<u8>, CryptoError> {
    encrypt(key, context, secret.expose())
}

/// Opens what [`wrap`] made with the same key and context.
///
/// # Errors
/// [`CryptoError::Open`] when anything differs.
pub fn unwrap(key: &AeadKey, context: &[u8], wrapped: &[u8]) -> Result<SecretBytes<32>, CryptoError> {
    let plain = Zeroizing::new(decrypt(key, context, wrapped)?);
    SecretBytes::try_copy_from(&plain).map_err(|_| CryptoError::Open)
}

const NONCE: usize = 12;
const LENGTH: usize = 4;

fn encrypt(key: &AeadKey, context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let nonce = random_bytes::<NONCE>();
    let ciphertext = cipher(key)
        .encrypt(&Nonce::from(nonce), Payload { msg: plaintext, aad: context })
        .map_err(|_| CryptoError::TooLong)?;
    let mut sealed = Vec::with_capacity(NONCE + ciphertext.len());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&ciphertext);
    Ok(sealed)
}

fn decrypt(key: &AeadKey, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE>().ok_or(CryptoError::Open)?;
    cipher(key)
        .decrypt(&Nonce::from(*nonce), Payload { msg: ciphertext, aad: context })
        .map_err(|_| CryptoError::Open)
}

fn cipher(key: &AeadKey) -> Aes256Gcm {
    Aes256Gcm::new(key.expose().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_sealed_plaintext_opens_and_its_size_is_a_multiple_of_256(plaintext: Vec<u8>, context: Vec<u8>) {
            let key = AeadKey::make_random();
            let sealed = seal(&key, &context, &plaintext).unwrap();
            prop_assert_eq!((sealed.len() - OVERHEAD) % PADDING, 0);
            prop_assert_eq!(&*open(&key, &context, &sealed).unwrap(), &plaintext);
        }

        #[test]
        fn a_flipped_bit_anywhere_or_another_context_opens_nothing(byte in 0_usize..(256 + OVERHEAD), bit in 0_u8..8) {
            let key = AeadKey::make_random();
            let mut sealed = seal(&key, b"here", b"plain").unwrap();
            prop_assert!(open(&key, b"there", &sealed).is_err());
            prop_assert!(open(&AeadKey::make_random(), b"here", &sealed).is_err());
            sealed[byte] ^= 1 << bit;
            prop_assert_eq!(open(&key, b"here", &sealed).unwrap_err(), CryptoError::Open);
        }
    }

    #[test]
    fn padding_that_hides_something_is_refused() {
        let key = AeadKey::make_random();
        let mut padded = vec![0_u8; 256];
        padded[3] = 1;
        padded[200] = 1;
        let sealed = encrypt(&key, b"", &padded).unwrap();
        assert_eq!(open(&key, b"", &sealed).unwrap_err(), CryptoError::Open);
        let longer = encrypt(&key, b"", &[0; 512]).unwrap();
        assert_eq!(open(&key, b"", &longer).unwrap_err(), CryptoError::Open);
    }

    #[test]
    fn a_wrapped_key_unwraps_only_in_its_context() {
        let key = AeadKey::make_random();
        let secret = SecretBytes::make_random();
        let wrapped = wrap(&key, b"a", &secret).unwrap();
        assert_eq!(wrapped.len(), WRAPPED_KEY);
        assert_eq!(unwrap(&key, b"a", &wrapped).unwrap(), secret);
        assert!(unwrap(&key, b"b", &wrapped).is_err());
    }
}
