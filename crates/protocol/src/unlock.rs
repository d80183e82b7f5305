use keyquay_crypto::cbor::{CborError, Decoder, Encode, encode_array};
use keyquay_crypto::sealing::{SealingKey, SealingPublicKey};
use keyquay_crypto::{CryptoError, Digest, cbor_array, sha256};

use crate::{DeviceId, UserId};

/// The three records that travel with Genesis and each UnlockSet, as the keystore keeps them.
#[derive(Clone, PartialEq, Eq)]
pub struct UnlockRecords {
    /// The OPAQUE registration record.
    pub password: Vec<u8>,
    /// The root seed under the key of password and Secret Key.
    pub root_by_password: Vec<u8>,
    /// The root seed under the recovery code's key.
    pub root_by_recovery: Vec<u8>,
}

impl UnlockRecords {
    /// What the log says of these records.
    #[must_use]
    pub fn to_set(&self, version: u64) -> UnlockSet {
        UnlockSet {
            version,
            password: sha256(&self.password),
            root_by_password: sha256(&self.root_by_password),
            root_by_recovery: sha256(&self.root_by_recovery),
        }
    }
}

impl std::fmt::Debug for UnlockRecords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UnlockRecords([secret])")
    }
}

/// Which records are the current ones: their hashes, in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnlockSet {
    /// Counts from 1.
    pub version: u64,
    pub password: Digest,
    pub root_by_password: Digest,
    pub root_by_recovery: Digest,
}

impl UnlockSet {
    /// Whether exactly these records are meant.
    #[must_use]
    pub fn names(&self, records: &UnlockRecords) -> bool {
        *self == records.to_set(self.version)
    }

    /// Whether this is the current seed under the key of password and Secret Key
    /// [a server could otherwise serve the record of an old password].
    #[must_use]
    pub fn names_root_by_password(&self, record: &[u8]) -> bool {
        self.root_by_password == sha256(record)
    }

    /// Whether this is the current seed under the recovery code's key.
    #[must_use]
    pub fn names_root_by_recovery(&self, record: &[u8]) -> bool {
        self.root_by_recovery == sha256(record)
    }

    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, CborError> {
        decoder.array(4)?;
        Ok(Self {
            version: decoder.uint()?,
            password: decoder.fixed()?,
            root_by_password: decoder.fixed()?,
            root_by_recovery: decoder.fixed()?,
        })
    }
}

impl Encode for UnlockSet {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_array(&[&self.version, &self.password, &self.root_by_password, &self.root_by_recovery], out);
    }
}

keyquay_crypto::secret_bytes! {
    /// The half of a device's lock that only the server keeps: 32 bytes, made by the keystore.
    pub struct Share(32);
}

/// SHA-256 of a share, which its device keeps from the first time and holds every later answer against.
#[must_use]
pub fn share_hash(share: &Share) -> Digest {
    sha256(share.expose())
}

/// Seals a share to the fresh key that the device's request carried.
///
/// # Errors
/// [`CryptoError::PublicKey`] for a key with which no secret can be agreed.
pub fn seal_share(
    share: &Share,
    to: &SealingPublicKey,
    user: UserId,
    device: DeviceId,
) -> Result<Vec<u8>, CryptoError> {
    to.seal_key(&share_info(user, device), share.secret())
}

/// Opens the keystore's answer with the key of this request.
///
/// # Errors
/// [`CryptoError::Open`] for an answer to another request, device or user.
pub fn open_share(
    sealed: &[u8],
    key: &SealingKey,
    user: UserId,
    device: DeviceId,
) -> Result<Share, CryptoError> {
    key.open_key(&share_info(user, device), sealed).map(Share::from_secret)
}

/// Info of HPKE: purpose, user, epoch (none), recipient.
fn share_info(user: UserId, device: DeviceId) -> Vec<u8> {
    cbor_array!["keyquay/1/share", user, None::<u64>, device]
}
