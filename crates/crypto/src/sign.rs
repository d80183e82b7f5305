//! Ed25519 (RFC 8032), verified strictly: small-order keys and malleable signatures are refused.

use ed25519_dalek::Signer;

use crate::{CryptoError, Secret32};

/// An Ed25519 signature: 64 bytes.
pub type Signature = [u8; 64];

/// A private signing key; its seed is wiped on drop.
pub struct SigningKey {
    seed: Secret32,
    inner: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// A fresh key.
    #[must_use]
    pub fn make_random() -> Self {
        Self::from_seed(Secret32::make_random())
    }

    /// The key of a 32-byte seed (RFC 8032, section 5.1.5).
    #[must_use]
    pub fn from_seed(seed: Secret32) -> Self {
        let inner = ed25519_dalek::SigningKey::from_bytes(seed.expose());
        Self { seed, inner }
    }

    /// The seed, to be stored sealed.
    #[must_use]
    pub fn seed(&self) -> &Secret32 {
        &self.seed
    }

    /// Signs `message`, a CBOR array that begins with its purpose, or the signature base of RFC 9421.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        self.inner.sign(message).to_bytes()
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.inner.verifying_key())
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey([secret])")
    }
}

/// A public signing key that is on the curve and not of small order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// Reads 32 bytes.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] for a point that is not on the curve, not in canonical form, or of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, CryptoError> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| CryptoError::PublicKey)?;
        if key.is_weak() || key.to_edwards().compress().to_bytes() != *bytes {
            return Err(CryptoError::PublicKey);
        }
        Ok(Self(key))
    }

    /// The 32 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Verifies bytes as they were received.
    ///
    /// # Errors
    /// [`CryptoError::Signature`] when it does not verify.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), CryptoError> {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0.verify_strict(message, &signature).map_err(|_| CryptoError::Signature)
    }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VerifyingKey({})", data_encoding::HEXLOWER.encode(&self.to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_verifies_only_over_its_message_and_key() {
        let key = SigningKey::make_random();
        let signature = key.sign(b"message");
        assert_eq!(key.verifying_key().verify(b"message", &signature), Ok(()));
        assert_eq!(key.verifying_key().verify(b"massage", &signature), Err(CryptoError::Signature));
        let other = SigningKey::make_random().verifying_key();
        assert_eq!(other.verify(b"message", &signature), Err(CryptoError::Signature));
    }

    #[test]
    fn keys_of_small_order_or_in_another_form_are_refused() {
        let mut identity = [0_u8; 32];
        identity[0] = 1;
        assert!(VerifyingKey::from_bytes(&identity).is_err());
        assert!(VerifyingKey::from_bytes(&[0; 32]).is_err());
        // p + 3: a point in a form that RFC 8032, section 5.1.3, does not allow.
        let mut not_canonical = [0xFF_u8; 32];
        not_canonical[0] = 0xF0;
        not_canonical[31] = 0x7F;
        assert!(VerifyingKey::from_bytes(&not_canonical).is_err());
    }
}
