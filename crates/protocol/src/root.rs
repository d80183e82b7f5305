use keyquay_crypto::aead::AeadKey;
use keyquay_crypto::cbor::{CborError, Decoder, Encode};
use keyquay_crypto::opaque::ExportKey;
use keyquay_crypto::sealing::{SealingKey, SealingPublicKey};
use keyquay_crypto::sign::{Signature, SigningKey, VerifyingKey};
use keyquay_crypto::{RecoveryCode, Secret32, SecretKey, Zeroizing, aead, cbor_array, kdf};

use crate::{UserId, Violation};

keyquay_crypto::secret_bytes! {
    /// The seed of the user's own key pair. It exists in the clear only while a step needs root.
    pub struct RootSeed(32);
}

/// Root, open: it alone adds and removes devices. Dropped as soon as its step is acknowledged or abandoned.
pub struct Root {
    seed: RootSeed,
    signing: SigningKey,
    sealing: SealingKey,
}

impl Root {
    /// A fresh root, for a Genesis.
    #[must_use]
    pub fn make_random() -> Self {
        Self::from_seed(RootSeed::make_random())
    }

    /// Opens the record that the password and the Secret Key seal, and stops unless the log's Genesis names
    /// this root [a server could otherwise serve a Genesis of its own].
    ///
    /// # Errors
    /// [`Violation::Unlock`] when it does not open, [`Violation::OtherRoot`] when it is another root.
    pub fn open_with_unlock_key(
        unlock_key: &UnlockKey,
        user: UserId,
        record: &[u8],
        named: Option<&RootPublicKeys>,
    ) -> Result<Self, Violation> {
        Self::open(&unlock_key.0, &cbor_array![BY_PASSWORD, user], record, named)
    }

    /// Opens the record that the recovery code seals, under the same condition.
    ///
    /// # Errors
    /// [`Violation::Unlock`] when it does not open, [`Violation::OtherRoot`] when it is another root.
    pub fn open_with_recovery_code(
        code: &RecoveryCode,
        user: UserId,
        record: &[u8],
        named: Option<&RootPublicKeys>,
    ) -> Result<Self, Violation> {
        Self::open(&recovery_key(code, user), &cbor_array![BY_RECOVERY, user], record, named)
    }

    /// The seed, sealed under the key of password and Secret Key.
    ///
    /// # Errors
    /// None that a 32-byte seed can cause.
    pub fn seal_with_unlock_key(
        &self,
        unlock_key: &UnlockKey,
        user: UserId,
    ) -> Result<Vec<u8>, keyquay_crypto::CryptoError> {
        aead::wrap(&unlock_key.0, &cbor_array![BY_PASSWORD, user], self.seed.secret())
    }

    /// The seed, sealed under the recovery code's key.
    ///
    /// # Errors
    /// None that a 32-byte seed can cause.
    pub fn seal_with_recovery_code(
        &self,
        code: &RecoveryCode,
        user: UserId,
    ) -> Result<Vec<u8>, keyquay_crypto::CryptoError> {
        aead::wrap(&recovery_key(code, user), &cbor_array![BY_RECOVERY, user], self.seed.secret())
    }

    /// The public halves, as Genesis names them.
    #[must_use]
    pub fn public_keys(&self) -> RootPublicKeys {
        RootPublicKeys { signing: self.signing.verifying_key(), sealing: self.sealing.public_key() }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Signature {
        self.signing.sign(message)
    }

    pub(crate) fn sealing_key(&self) -> &SealingKey {
        &self.sealing
    }

    fn from_seed(seed: RootSeed) -> Self {
        let signing = kdf::derive(seed.expose(), &cbor_array!["keyquay/1/root-signing"]);
        let sealing = kdf::derive(seed.expose(), &cbor_array!["keyquay/1/root-sealing"]);
        Self { seed, signing: SigningKey::from_seed(signing), sealing: SealingKey::from_seed(sealing) }
    }

    fn open(
        key: &AeadKey,
        context: &[u8],
        record: &[u8],
        named: Option<&RootPublicKeys>,
    ) -> Result<Self, Violation> {
        let seed = aead::unwrap(key, context, record).map_err(|_| Violation::Unlock)?;
        let root = Self::from_seed(RootSeed::from_secret(seed));
        match named {
            Some(named) if *named != root.public_keys() => Err(Violation::OtherRoot),
            _ => Ok(root),
        }
    }
}

/// The key that password and Secret Key together make.
pub struct UnlockKey(AeadKey);

impl UnlockKey {
    /// `HKDF-SHA256(CBOR[export_key, secret_key], info = ["keyquay/1/unlock", user])`.
    #[must_use]
    pub fn derive(export_key: &ExportKey, secret_key: &SecretKey, user: UserId) -> Self {
        let input = Zeroizing::new(cbor_array![export_key.expose(), secret_key.expose()]);
        let info = cbor_array!["keyquay/1/unlock", user];
        Self(AeadKey::from_secret(kdf::derive(&input, &info)))
    }
}

/// The public halves of root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootPublicKeys {
    pub signing: VerifyingKey,
    pub sealing: SealingPublicKey,
}

impl RootPublicKeys {
    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, CborError> {
        Ok(Self { signing: verifying_key(decoder)?, sealing: sealing_key(decoder)? })
    }
}

impl RootPublicKeys {
    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        self.signing.to_bytes().encode(out);
        self.sealing.to_bytes().encode(out);
    }
}

pub(crate) fn verifying_key(decoder: &mut Decoder<'_>) -> Result<VerifyingKey, CborError> {
    VerifyingKey::from_bytes(&decoder.fixed()?).map_err(|_| CborError::UnexpectedType)
}

pub(crate) fn sealing_key(decoder: &mut Decoder<'_>) -> Result<SealingPublicKey, CborError> {
    SealingPublicKey::from_bytes(&decoder.fixed()?).map_err(|_| CborError::UnexpectedType)
}

const BY_PASSWORD: &str = "keyquay/1/root-by-password";
const BY_RECOVERY: &str = "keyquay/1/root-by-recovery";

fn recovery_key(code: &RecoveryCode, user: UserId) -> AeadKey {
    let input = Zeroizing::new(cbor_array![code.expose()]);
    let key: Secret32 = kdf::derive(&input, &cbor_array!["keyquay/1/recovery", user]);
    AeadKey::from_secret(key)
}
