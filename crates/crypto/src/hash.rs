//! SHA-256 (FIPS 180-4).

use sha2::{Digest as _, Sha256};

/// A SHA-256 digest: 32 bytes.
pub type Digest = [u8; 32];

/// SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

/// SHA-256 of the concatenation of `parts`. Only for parts whose boundaries are clear from their own form.
#[must_use]
pub fn sha256_parts(parts: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}
