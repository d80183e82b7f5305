//! HKDF-SHA256 (RFC 5869) and Argon2id (RFC 9106).

use argon2::{Algorithm, Argon2, Params, Version};
use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::{CryptoError, SecretBytes};

/// Memory of the key stretching, in KiB: 64 MiB.
pub const STRETCHING_MEMORY_KIB: u32 = 64 * 1024;
/// Passes of the key stretching.
pub const STRETCHING_PASSES: u32 = 3;
/// Lanes of the key stretching.
pub const STRETCHING_LANES: u32 = 4;

/// HKDF-SHA256 without salt: `key` is either uniformly random or a CBOR array of fixed-length parts,
/// `info` a CBOR array that begins with its purpose.
#[must_use]
pub fn derive<const N: usize>(key: &[u8], info: &[u8]) -> SecretBytes<N> {
    const { assert!(N <= 255 * 32, "HKDF-SHA256 gives at most 8160 bytes") };
    SecretBytes::init_with(|out| {
        // The length is the only error, and it is checked above.
        let _ = Hkdf::<Sha256>::new(None, key).expand(info, out);
    })
}

/// A salt for [`stretch`]: 16 random bytes, kept beside what the stretched passphrase opens.
pub type Salt = [u8; 16];

/// Argon2id with this suite's parameters: 32 bytes of a passphrase.
///
/// # Errors
/// [`CryptoError::Stretching`] when the memory cannot be had.
pub fn stretch(passphrase: &SecretString, salt: &Salt) -> Result<SecretBytes<32>, CryptoError> {
    let mut stretched = Ok(());
    let secret = SecretBytes::init_with(|out| {
        stretched = stretch_into(passphrase.expose_secret().as_bytes(), salt, out);
    });
    stretched.map(|()| secret)
}

pub(crate) fn stretch_into(input: &[u8], salt: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
    let params = Params::new(STRETCHING_MEMORY_KIB, STRETCHING_PASSES, STRETCHING_LANES, Some(out.len()))
        .map_err(|_| CryptoError::Stretching)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(input, salt, out)
        .map_err(|_| CryptoError::Stretching)
}
