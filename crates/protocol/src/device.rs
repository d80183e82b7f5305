use keyquay_crypto::aead::{self, AeadKey};
use keyquay_crypto::cbor::{CborError, Decoder, Encode, encode_array};
use keyquay_crypto::phrase::six_words;
use keyquay_crypto::sealing::SealingPublicKey;
use keyquay_crypto::sign::VerifyingKey;
use keyquay_crypto::{CryptoError, cbor_array, kdf, sha256};

use crate::root::{sealing_key, verifying_key};
use crate::{DeviceId, UserId, VaultKey};

/// A device's id and public keys: what root signs, and what the phrase is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceKeys {
    pub id: DeviceId,
    pub signing: VerifyingKey,
    pub sealing: SealingPublicKey,
}

impl DeviceKeys {
    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, CborError> {
        decoder.array(3)?;
        Ok(Self {
            id: DeviceId(decoder.fixed()?),
            signing: verifying_key(decoder)?,
            sealing: sealing_key(decoder)?,
        })
    }
}

impl Encode for DeviceKeys {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_array(&[&self.id, &self.signing.to_bytes(), &self.sealing.to_bytes()], out);
    }
}

/// The six words that app, mail and verification page show for a device.
#[must_use]
pub fn device_phrase(keys: &DeviceKeys) -> String {
    six_words(&sha256(&cbor_array!["keyquay/1/device-phrase", keys]))
}

/// The context that binds a sign-in to the device that asks for it: `["keyquay/1", server name, SHA-256(id, keys)]`.
#[must_use]
pub fn sign_in_context(server: &str, keys: &DeviceKeys) -> Vec<u8> {
    cbor_array!["keyquay/1", server, sha256(&cbor_array!["keyquay/1/sign-in", keys])]
}

/// What people call a device; travels sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceProfile {
    pub name: String,
    /// Operating system and its version, as shown.
    pub platform: String,
}

impl DeviceProfile {
    /// Seals name and platform under the vault key of `epoch`, as an item is.
    ///
    /// # Errors
    /// [`CryptoError::TooLong`] for a name and platform that no entry takes: above about 1,900 bytes.
    pub fn seal(
        &self,
        vault_key: &VaultKey,
        user: UserId,
        device: DeviceId,
        epoch: u64,
    ) -> Result<Vec<u8>, CryptoError> {
        let plain = cbor_array![PURPOSE, self.name, self.platform];
        let sealed = aead::seal(&profile_key(vault_key, device), &context(user, device, epoch), &plain)?;
        if sealed.len() > PROFILE_LIMIT { Err(CryptoError::TooLong) } else { Ok(sealed) }
    }

    /// Opens what [`DeviceProfile::seal`] made for the same user, device and epoch.
    ///
    /// # Errors
    /// [`CryptoError::Open`] for anything else.
    pub fn open(
        sealed: &[u8],
        vault_key: &VaultKey,
        user: UserId,
        device: DeviceId,
        epoch: u64,
    ) -> Result<Self, CryptoError> {
        let plain = aead::open(&profile_key(vault_key, device), &context(user, device, epoch), sealed)?;
        Self::decode(&plain).map_err(|_| CryptoError::Open)
    }

    fn decode(plain: &[u8]) -> Result<Self, CborError> {
        let mut decoder = Decoder::message(plain, 3, PURPOSE)?;
        let profile = Self { name: decoder.text()?.to_owned(), platform: decoder.text()?.to_owned() };
        decoder.end()?;
        Ok(profile)
    }
}

const PURPOSE: &str = "keyquay/1/device-profile";

/// Most bytes of a sealed profile in an entry.
pub(crate) const PROFILE_LIMIT: usize = 2048;

fn profile_key(vault_key: &VaultKey, device: DeviceId) -> AeadKey {
    AeadKey::from_secret(kdf::derive(vault_key.expose(), &cbor_array!["keyquay/1/device", device]))
}

fn context(user: UserId, device: DeviceId, epoch: u64) -> Vec<u8> {
    cbor_array![PURPOSE, user, device, epoch]
}
