use std::collections::BTreeMap;

use keyquay_crypto::aead::{self, AeadKey};
use keyquay_crypto::cbor::{CborError, Decoder, Encode, encode_array};
use keyquay_crypto::sealing::{SEALED_KEY, SealingKey, SealingPublicKey};
use keyquay_crypto::{CryptoError, Digest, Zeroizing, cbor_array, kdf, sha256};
use thiserror::Error;

use crate::state::limits;
use crate::{DeviceId, DeviceKeys, Root, State, UserId};

keyquay_crypto::secret_bytes! {
    /// The key of one epoch. It never rests in the clear.
    pub struct VaultKey(32);
}

/// Why a vault key was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EpochViolation {
    #[error("no vault key is sealed to this recipient")]
    NotARecipient,
    #[error("the sealed vault key does not open")]
    Open,
    #[error("the vault key is not the one that the log commits to")]
    Commit,
}

/// The start of an epoch, as its entry carries it: the commitment to its vault key, and the key sealed to
/// exactly those who may have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochStart {
    /// Counts from 1.
    pub number: u64,
    /// SHA-256 of `["keyquay/1/epoch", user, number, vault key]`.
    pub commit: Digest,
    /// The vault key, sealed to root.
    pub to_root: Vec<u8>,
    /// The vault key, sealed to each device that is active afterwards.
    pub to_devices: BTreeMap<DeviceId, Vec<u8>>,
    /// The vault key of the epoch before, sealed under this one; none in epoch 1.
    pub previous: Option<Vec<u8>>,
}

impl EpochStart {
    /// Starts epoch `number` with `vault_key` for `devices`.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] for a recipient with whom no secret can be agreed.
    pub fn seal<'a>(
        user: UserId,
        number: u64,
        vault_key: &VaultKey,
        previous: Option<&VaultKey>,
        root: &SealingPublicKey,
        devices: impl IntoIterator<Item = &'a DeviceKeys>,
    ) -> Result<Self, CryptoError> {
        let to_devices = devices
            .into_iter()
            .map(|device| Ok((device.id, seal_to_device(user, number, vault_key, device)?)))
            .collect::<Result<_, CryptoError>>()?;
        let previous = previous
            .map(|before| {
                aead::wrap(&chain_key(vault_key, number), &chain_context(user, number), before.secret())
            })
            .transpose()?;
        Ok(Self {
            number,
            commit: commit(user, number, vault_key),
            to_root: root.seal_key(&info(user, number, None), vault_key.secret())?,
            to_devices,
            previous,
        })
    }

    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, CborError> {
        decoder.array(5)?;
        let number = decoder.uint()?;
        let commit = decoder.fixed()?;
        let to_root = sealed_key(decoder)?;
        let count = decoder.list(limits::ACTIVE_DEVICES)?;
        let mut to_devices = BTreeMap::new();
        let mut last = None;
        for _ in 0..count {
            decoder.array(2)?;
            let id = DeviceId(decoder.fixed()?);
            if last.is_some_and(|last| last >= id) {
                return Err(CborError::NotCanonical);
            }
            last = Some(id);
            to_devices.insert(id, sealed_key(decoder)?);
        }
        let previous = decoder.optional(|decoder| {
            let wrapped = decoder.bytes()?;
            if wrapped.len() == aead::WRAPPED_KEY {
                Ok(wrapped.to_vec())
            } else {
                Err(CborError::UnexpectedLength)
            }
        })?;
        Ok(Self { number, commit, to_root, to_devices, previous })
    }
}

impl Encode for EpochStart {
    fn encode(&self, out: &mut Vec<u8>) {
        let recipients: Vec<Recipient<'_>> =
            self.to_devices.iter().map(|(id, sealed)| Recipient(id, sealed)).collect();
        encode_array(
            &[
                &self.number,
                &self.commit,
                &self.to_root,
                &keyquay_crypto::cbor::List(&recipients),
                &self.previous,
            ],
            out,
        );
    }
}

/// The vault keys that a recipient can open: that of the current epoch and, through the chain, all before.
pub struct VaultKeys {
    by_epoch: BTreeMap<u64, VaultKey>,
}

impl VaultKeys {
    /// Opens the vault keys of the whole log for a device.
    ///
    /// # Errors
    /// [`EpochViolation`] when the current key is not sealed to it, or any key differs from its commitment.
    pub fn open_for_device(
        state: &State,
        device: DeviceId,
        key: &SealingKey,
    ) -> Result<Self, EpochViolation> {
        let sealed = state.epoch().to_devices.get(&device).ok_or(EpochViolation::NotARecipient)?;
        Self::open(state, Some(device), key, sealed)
    }

    /// Opens the vault keys of the whole log for root.
    ///
    /// # Errors
    /// [`EpochViolation`] when any key differs from its commitment.
    pub fn open_for_root(state: &State, root: &Root) -> Result<Self, EpochViolation> {
        Self::open(state, None, root.sealing_key(), &state.epoch().to_root)
    }

    /// The vault key of an epoch.
    #[must_use]
    pub fn of_epoch(&self, number: u64) -> Option<&VaultKey> {
        self.by_epoch.get(&number)
    }

    /// The number and vault key of the current epoch.
    #[must_use]
    pub fn current(&self) -> Option<(u64, &VaultKey)> {
        self.by_epoch.last_key_value().map(|(number, key)| (*number, key))
    }

    /// Takes in the epoch that an entry just started, from the keys held so far.
    ///
    /// # Errors
    /// As for [`VaultKeys::open_for_device`].
    pub fn advance(
        &mut self,
        state: &State,
        device: DeviceId,
        key: &SealingKey,
    ) -> Result<(), EpochViolation> {
        if self.by_epoch.contains_key(&state.epoch().number) {
            return Ok(());
        }
        *self = Self::open_for_device(state, device, key)?;
        Ok(())
    }

    fn open(
        state: &State,
        recipient: Option<DeviceId>,
        key: &SealingKey,
        sealed: &[u8],
    ) -> Result<Self, EpochViolation> {
        let user = state.user();
        let mut number = state.epoch().number;
        let opened =
            key.open_key(&info(user, number, recipient), sealed).map_err(|_| EpochViolation::Open)?;
        let mut vault_key = VaultKey::from_secret(opened);
        let mut by_epoch = BTreeMap::new();
        loop {
            let (expected, previous) = state.epoch_record(number).ok_or(EpochViolation::Commit)?;
            if commit(user, number, &vault_key) != *expected {
                return Err(EpochViolation::Commit);
            }
            let before = previous
                .map(|wrapped| {
                    aead::unwrap(&chain_key(&vault_key, number), &chain_context(user, number), wrapped)
                })
                .transpose()
                .map_err(|_| EpochViolation::Open)?;
            by_epoch.insert(number, vault_key);
            match before {
                Some(before) => vault_key = VaultKey::from_secret(before),
                None => return Ok(Self { by_epoch }),
            }
            number -= 1;
        }
    }
}

impl std::fmt::Debug for VaultKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VaultKeys(epochs {:?})", self.by_epoch.keys())
    }
}

/// The vault key of `number`, sealed to one device.
pub(crate) fn seal_to_device(
    user: UserId,
    number: u64,
    vault_key: &VaultKey,
    device: &DeviceKeys,
) -> Result<Vec<u8>, CryptoError> {
    device.sealing.seal_key(&info(user, number, Some(device.id)), vault_key.secret())
}

pub(crate) fn sealed_key(decoder: &mut Decoder<'_>) -> Result<Vec<u8>, CborError> {
    let sealed = decoder.bytes()?;
    if sealed.len() == SEALED_KEY { Ok(sealed.to_vec()) } else { Err(CborError::UnexpectedLength) }
}

struct Recipient<'a>(&'a DeviceId, &'a Vec<u8>);

impl Encode for Recipient<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_array(&[self.0, self.1], out);
    }
}

fn commit(user: UserId, number: u64, vault_key: &VaultKey) -> Digest {
    sha256(&Zeroizing::new(cbor_array!["keyquay/1/epoch", user, number, vault_key.expose()]))
}

/// Info of HPKE: purpose, user, epoch, recipient (a device, or null for root).
fn info(user: UserId, number: u64, recipient: Option<DeviceId>) -> Vec<u8> {
    cbor_array!["keyquay/1/vault-key", user, number, recipient]
}

fn chain_key(vault_key: &VaultKey, number: u64) -> AeadKey {
    let info = cbor_array!["keyquay/1/previous-vault-key", number];
    AeadKey::from_secret(kdf::derive(vault_key.expose(), &info))
}

fn chain_context(user: UserId, number: u64) -> Vec<u8> {
    cbor_array!["keyquay/1/previous-vault-key", user, number]
}
