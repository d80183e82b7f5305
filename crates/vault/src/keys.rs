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

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    /// Every derivation of the vault from fixed inputs. They never change: files would not open any more.
    #[test]
    fn derivations_are_frozen() {
        let profile = [1; 16];
        let id = [2; 16];
        let local_secret = LocalSecret::try_copy_from(&[3; 32]).unwrap();
        let sync_secret = SyncSecret::try_copy_from(&[4; 32]).unwrap();
        let stretched = Stretched::try_copy_from(&[5; 32]).unwrap();
        let share = Share::try_copy_from(&[6; 32]).unwrap();
        let local = LocalKey::try_copy_from(&[7; 32]).unwrap();
        let sync = SyncKey::try_copy_from(&[8; 32]).unwrap();
        let log = derive_log_key(&SigningKey::from_seed(SecretBytes::copy_from(&[9; 32])));
        let derived: [(&str, Vec<u8>); 13] = [
            ("local wrap", derive_local_wrap(&local_secret, None, &profile).expose().to_vec()),
            (
                "local wrap, passphrase",
                derive_local_wrap(&local_secret, Some(&stretched), &profile).expose().to_vec(),
            ),
            ("local check", derive_local_check(&local_secret, &profile).to_vec()),
            ("sync key", derive_sync_key(&sync_secret, None, &share, &profile).expose().to_vec()),
            (
                "sync key, passphrase",
                derive_sync_key(&sync_secret, Some(&stretched), &share, &profile).expose().to_vec(),
            ),
            ("local record", local.record_key(&id).expose().to_vec()),
            ("named id", local.named_id("email").to_vec()),
            ("inventory", local.inventory_key().expose().to_vec()),
            ("fingerprint", local.fingerprint(b"place").expose().to_vec()),
            ("sync record", sync.record_key(&id).expose().to_vec()),
            ("log key", log.expose().to_vec()),
            ("log part", log.part_key("head").expose().to_vec()),
            ("kept", derive_kept_key(&stretched, &profile, "local-secret-1").expose().to_vec()),
        ];
        let found: Vec<String> =
            derived.iter().map(|(name, bytes)| format!("{name}: {}", HEXLOWER.encode(bytes))).collect();
        assert_eq!(found, FROZEN);
    }

    #[test]
    fn the_passphrase_counts_in_both_keys_and_the_share_in_one() {
        let (secret, share, profile) = (LocalSecret::make_random(), Share::make_random(), [0; 16]);
        let sync = SyncSecret::try_copy_from(secret.expose()).unwrap();
        let stretched = Stretched::make_random();
        assert_ne!(
            derive_local_wrap(&secret, None, &profile),
            derive_local_wrap(&secret, Some(&stretched), &profile)
        );
        assert_ne!(
            derive_sync_key(&sync, None, &share, &profile),
            derive_sync_key(&sync, Some(&stretched), &share, &profile)
        );
        assert_ne!(
            derive_sync_key(&sync, None, &share, &profile),
            derive_sync_key(&sync, None, &Share::make_random(), &profile)
        );
    }

    /// Computed apart from this code, with HMAC and a CBOR encoder written for the purpose.
    const FROZEN: [&str; 13] = [
        "local wrap: 639f4b989c0815f8004017f3f1d52ef84fed490f51e14c27b59e50d0e691915c",
        "local wrap, passphrase: 97f670d6aa47029c7c13d3a0b3090c0dd9a400e8bb8ba34710c63425c4aa4f87",
        "local check: ccaa695df39c01a7879c538c1af96919",
        "sync key: d5aa4a14bc4d1b4fdeb3dce3bfc0c5fe8e6e288fd420287dba6d7a5227c30d4e",
        "sync key, passphrase: befef70c5c47e03c270f9e8678cbcc39974ae84f8fd3f48595152f6e75c20307",
        "local record: 365dc002cfa321aca964ca178b56f186251fe88b6bd04ef4a49b292abf21f720",
        "named id: 3dc00ef88d77e89cbb196876d8cb0183",
        "inventory: 686fa331999a9f41de333dc4fc0d14802c5e73edc3ee88498a7fcea472b46bfd",
        "fingerprint: d38ded9e95a35c25ca4435de04de5059909fecedcdf81236c43e3070b8848464",
        "sync record: dc6d964e4a5d1226797d43edb4c96d45bba1da5523d29204b1c911eb21646aec",
        "log key: 3dbe1c9c53ec64a8a442f572274bb615c3f55a96d77b6156ecb1ede4a6334288",
        "log part: fa15af4ded20ec1800ffcef0ae8ad598f51a39c6432c91546a8c943d9f852c62",
        "kept: 9284c9fa1b97d77619b43b3567ef9ec3ff4e1bc44909eaba6cac67d950c644aa",
    ];
}
