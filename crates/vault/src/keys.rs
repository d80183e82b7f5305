//! Every key of the vault, what it is derived from, and the context of everything that is sealed here.

use keyquay_crypto::aead::AeadKey;
use keyquay_crypto::cbor::{self, Encode};
use keyquay_crypto::kdf::{self, Salt};
use keyquay_crypto::sign::SigningKey;
use keyquay_crypto::{CryptoError, SecretBytes, SecretString, Zeroizing, cbor_array, secret_bytes};

/// 16 random bytes that name a profile's vault in the keyring and in every context.
pub(crate) type ProfileId = [u8; 16];
/// 16 random bytes.
pub(crate) type RecordId = [u8; 16];

secret_bytes! {
    /// The half of the synced keys' lock that only the server keeps.
    pub struct Share(32);
}
secret_bytes! {
    /// In the keyring: half of what wraps the local key.
    pub(crate) struct LocalSecret(32);
}
secret_bytes! {
    /// In the keyring: half of what makes the sync key.
    pub(crate) struct SyncSecret(32);
}
secret_bytes! {
    /// Seals what is kept on this device only.
    pub(crate) struct LocalKey(32);
}
secret_bytes! {
    /// Seals the device's sealing key, the Secret Key and edits not yet sent.
    pub(crate) struct SyncKey(32);
}
secret_bytes! {
    /// Seals the log's head and snapshot.
    pub(crate) struct LogKey(32);
}
secret_bytes! {
    /// The lock passphrase after Argon2id.
    pub(crate) struct Stretched(32);
}

pub(crate) fn stretch(passphrase: &SecretString, salt: &Salt) -> Result<Stretched, CryptoError> {
    kdf::stretch(passphrase, salt).map(Stretched::from_secret)
}

/// The key that wraps the local key.
pub(crate) fn derive_local_wrap(
    secret: &LocalSecret,
    stretched: Option<&Stretched>,
    profile: &ProfileId,
) -> AeadKey {
    let key = secret_array(&[secret.expose(), &stretched.map(Stretched::expose)], 64);
    derive_aead(&key, &cbor_array!["keyquay/1/vault/local-wrap-key", profile])
}

/// Tells whether the keyring's local secret is the one that this vault was locked with.
pub(crate) fn derive_local_check(secret: &LocalSecret, profile: &ProfileId) -> [u8; 16] {
    let check: SecretBytes<16> =
        kdf::derive(secret.expose(), &cbor_array!["keyquay/1/vault/local-secret-check", profile]);
    *check.expose()
}

pub(crate) fn local_key_context(profile: &ProfileId, generation: u64) -> Vec<u8> {
    cbor_array!["keyquay/1/vault/local-key", profile, generation]
}

pub(crate) fn derive_sync_key(
    secret: &SyncSecret,
    stretched: Option<&Stretched>,
    share: &Share,
    profile: &ProfileId,
) -> SyncKey {
    let key = secret_array(&[secret.expose(), &stretched.map(Stretched::expose), share.expose()], 96);
    SyncKey::from_secret(kdf::derive(&key, &cbor_array!["keyquay/1/vault/sync-key", profile]))
}

impl LocalKey {
    /// The key of one record.
    pub fn record_key(&self, id: &RecordId) -> AeadKey {
        derive_aead(self.expose(), &cbor_array!["keyquay/1/vault/local-record-key", id])
    }

    /// Where the record of this name rests; without the key nobody tells which names there are.
    pub fn named_id(&self, name: &str) -> RecordId {
        let id: SecretBytes<16> = kdf::derive(self.expose(), &cbor_array!["keyquay/1/vault/named-id", name]);
        *id.expose()
    }

    pub fn inventory_key(&self) -> AeadKey {
        derive_aead(self.expose(), &cbor_array!["keyquay/1/vault/inventory-key"])
    }

    /// 32 bytes that stand for one record in the inventory; nobody else can make them.
    pub fn fingerprint(&self, record: &[u8]) -> SecretBytes<32> {
        kdf::derive(self.expose(), &cbor_array!["keyquay/1/vault/fingerprint", record])
    }
}

impl SyncKey {
    /// The key of one record.
    pub fn record_key(&self, id: &RecordId) -> AeadKey {
        derive_aead(self.expose(), &cbor_array!["keyquay/1/vault/sync-record-key", id])
    }
}

/// The associated data of a sealed record.
pub(crate) fn record_context(kind: u64, id: &RecordId, owner: Option<&RecordId>, revision: u64) -> Vec<u8> {
    cbor_array!["keyquay/1/vault/record", kind, id, owner, revision]
}

pub(crate) fn derive_log_key(signing: &SigningKey) -> LogKey {
    LogKey::from_secret(kdf::derive(signing.seed().expose(), &cbor_array!["keyquay/1/vault/log-key"]))
}

impl LogKey {
    /// The key of the head or of the snapshot.
    pub fn part_key(&self, part: &str) -> AeadKey {
        derive_aead(self.expose(), &cbor_array!["keyquay/1/vault/log-part-key", part])
    }
}

pub(crate) fn log_part_context(profile: &ProfileId, part: &str) -> Vec<u8> {
    cbor_array!["keyquay/1/vault/log-part", profile, part]
}

/// The key of a secret that rests in the file because there is no keyring.
pub(crate) fn derive_kept_key(stretched: &Stretched, profile: &ProfileId, name: &str) -> AeadKey {
    derive_aead(stretched.expose(), &cbor_array!["keyquay/1/vault/kept-key", profile, name])
}

pub(crate) fn kept_context(profile: &ProfileId, name: &str) -> Vec<u8> {
    cbor_array!["keyquay/1/vault/kept", profile, name]
}

/// An array of `size` bytes of content, made in one piece, so that no copy is left behind by a growing vector.
pub(crate) fn secret_array(values: &[&dyn Encode], size: usize) -> Zeroizing<Vec<u8>> {
    let headers = 9 * (values.len() + 1);
    let mut out = Zeroizing::new(Vec::with_capacity(size + headers));
    cbor::encode_array(values, &mut out);
    out
}

fn derive_aead(key: &[u8], info: &[u8]) -> AeadKey {
    AeadKey::from_secret(kdf::derive(key, info))
}
