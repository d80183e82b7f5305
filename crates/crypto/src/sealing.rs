//! HPKE base mode (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
//!
//! Sealed bytes are `enc (32) ‖ ciphertext ‖ tag (16)`. `info` is a CBOR array that begins with its purpose
//! and names the recipient; the associated data of HPKE is empty, since `info` binds everything.

use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};

use crate::{CryptoError, Secret32, SecretBytes};

/// Size of a sealed 32-byte key.
pub const SEALED_KEY: usize = 32 + 32 + 16;

/// A private sealing key, kept as the seed of `DeriveKeyPair` (RFC 9180, section 7.1.3).
pub struct SealingKey {
    seed: Secret32,
}

impl SealingKey {
    /// A fresh key.
    #[must_use]
    pub fn make_random() -> Self {
        Self::from_seed(Secret32::make_random())
    }

    /// The key of a 32-byte seed.
    #[must_use]
    pub fn from_seed(seed: Secret32) -> Self {
        Self { seed }
    }

    /// The seed, to be stored sealed.
    #[must_use]
    pub fn seed(&self) -> &Secret32 {
        &self.seed
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> SealingPublicKey {
        let (_, public) = X25519HkdfSha256::derive_keypair(self.seed.expose());
        SealingPublicKey(public.to_bytes().into())
    }

    /// Opens 32 bytes that were sealed to this key for the same `info`.
    ///
    /// # Errors
    /// [`CryptoError::Open`] when anything differs.
    pub fn open_key(&self, info: &[u8], sealed: &[u8]) -> Result<Secret32, CryptoError> {
        let (encapped, ciphertext) = sealed.split_at_checked(32).ok_or(CryptoError::Open)?;
        let (private, _) = X25519HkdfSha256::derive_keypair(self.seed.expose());
        let encapped =
            <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapped).map_err(|_| CryptoError::Open)?;
        let plain = hpke::single_shot_open::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &private,
            &encapped,
            info,
            ciphertext,
            b"",
        )
        .map_err(|_| CryptoError::Open)?;
        let plain = zeroize::Zeroizing::new(plain);
        SecretBytes::try_copy_from(&plain).map_err(|_| CryptoError::Open)
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey([secret])")
    }
}

/// A public sealing key (X25519) in its one canonical form and not of small order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealingPublicKey([u8; 32]);

impl SealingPublicKey {
    /// Reads 32 bytes.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] for a point of small order, with which no secret can be agreed, and for another
    /// form than the shortest (RFC 7748, section 5, would take bit 255 and values from 2^255 - 19 on) [one key in
    /// two spellings would pass for two keys, and what is sealed to the second opens nowhere].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, CryptoError> {
        if !is_canonical(bytes) {
            return Err(CryptoError::PublicKey);
        }
        let any = x25519_dalek::StaticSecret::from([0x55; 32]);
        let agreed = any.diffie_hellman(&x25519_dalek::PublicKey::from(*bytes));
        if agreed.was_contributory() { Ok(Self(*bytes)) } else { Err(CryptoError::PublicKey) }
    }

    /// The 32 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0
    }

    /// Seals 32 bytes to this key for `info`.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] when no secret can be agreed with it.
    pub fn seal_key(&self, info: &[u8], secret: &Secret32) -> Result<Vec<u8>, CryptoError> {
        let public =
            <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&self.0).map_err(|_| CryptoError::PublicKey)?;
        let (encapped, ciphertext) = hpke::single_shot_seal::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &public,
            info,
            secret.expose(),
            b"",
        )
        .map_err(|_| CryptoError::PublicKey)?;
        let mut sealed = encapped.to_bytes().to_vec();
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }
}

/// Whether the little-endian number is below 2^255 - 19.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    *high < 0x7F || (*high == 0x7F && (*low < 0xED || middle.iter().any(|&byte| byte != 0xFF)))
}

impl std::fmt::Debug for SealingPublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealingPublicKey({})", data_encoding::HEXLOWER.encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_sealed_to_a_recipient_opens_only_there_and_for_its_info() {
        let (one, other) = (SealingKey::make_random(), SealingKey::make_random());
        let secret = Secret32::make_random();
        let sealed = one.public_key().seal_key(b"info", &secret).unwrap();
        assert_eq!(sealed.len(), SEALED_KEY);
        assert_eq!(one.open_key(b"info", &sealed).unwrap(), secret);
        assert_eq!(one.open_key(b"else", &sealed), Err(CryptoError::Open));
        assert_eq!(other.open_key(b"info", &sealed), Err(CryptoError::Open));
        for index in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[index] ^= 1;
            assert_eq!(one.open_key(b"info", &flipped), Err(CryptoError::Open), "byte {index}");
        }
    }

    #[test]
    fn a_key_has_one_accepted_form() {
        let good = SealingKey::make_random().public_key().to_bytes();
        assert!(SealingPublicKey::from_bytes(&good).is_ok());
        let mut high_bit = good;
        high_bit[31] |= 0x80;
        assert_eq!(SealingPublicKey::from_bytes(&high_bit), Err(CryptoError::PublicKey));

        let mut base_point = [0; 32];
        base_point[0] = 9;
        assert!(SealingPublicKey::from_bytes(&base_point).is_ok());
        let mut base_point_plus_p = [0xFF; 32];
        base_point_plus_p[0] = 0xED + 9;
        base_point_plus_p[31] = 0x7F;
        assert_eq!(SealingPublicKey::from_bytes(&base_point_plus_p), Err(CryptoError::PublicKey));
        let mut largest = [0xFF; 32];
        largest[0] = 0xEB;
        largest[31] = 0x7F;
        assert!(SealingPublicKey::from_bytes(&largest).is_ok());
    }

    #[test]
    fn keys_of_small_order_are_refused() {
        assert_eq!(SealingPublicKey::from_bytes(&[0; 32]), Err(CryptoError::PublicKey));
        let mut one = [0; 32];
        one[0] = 1;
        assert_eq!(SealingPublicKey::from_bytes(&one), Err(CryptoError::PublicKey));
    }
}
