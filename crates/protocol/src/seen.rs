use keyquay_crypto::cbor::{CborError, Decoder};
use keyquay_crypto::sign::{Signature, SigningKey, VerifyingKey};
use keyquay_crypto::{CryptoError, Digest, cbor_array};

use crate::{DeviceId, UserId};

/// A device's signed word for how far it has come: others hold it against their own chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub user: UserId,
    pub device: DeviceId,
    pub seq: u64,
    pub head: Digest,
    /// Unix seconds, for display only.
    pub time: u64,
    payload: Vec<u8>,
    signature: Signature,
}

impl Seen {
    /// Signs it with the device's key.
    #[must_use]
    pub fn sign(user: UserId, device: DeviceId, seq: u64, head: Digest, time: u64, key: &SigningKey) -> Self {
        let payload = cbor_array![PURPOSE, user, device, seq, head, time];
        let signature = key.sign(&payload);
        Self { user, device, seq, head, time, payload, signature }
    }

    /// Reads bytes as received; nothing is verified yet.
    ///
    /// # Errors
    /// [`CborError`] for another form.
    pub fn decode(payload: &[u8], signature: Signature) -> Result<Self, CborError> {
        let mut decoder = Decoder::message(payload, 6, PURPOSE)?;
        let seen = Self {
            user: UserId(decoder.fixed()?),
            device: DeviceId(decoder.fixed()?),
            seq: decoder.uint()?,
            head: decoder.fixed()?,
            time: decoder.uint()?,
            payload: payload.to_vec(),
            signature,
        };
        decoder.end()?;
        Ok(seen)
    }

    /// Verifies the signature over the bytes as received.
    ///
    /// # Errors
    /// [`CryptoError::Signature`] when another key signed it.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), CryptoError> {
        key.verify(&self.payload, &self.signature)
    }

    /// The signed bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.signature
    }
}

const PURPOSE: &str = "keyquay/1/seen";
