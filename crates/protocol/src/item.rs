use keyquay_crypto::aead::{self, AeadKey};
use keyquay_crypto::cbor::{CborError, Decoder, List};
use keyquay_crypto::{CryptoError, Zeroizing, cbor_array, kdf};

use crate::state::limits;
use crate::{ItemId, UserId, VaultKey};

/// The form of what is inside an item. Part of the associated data.
const SCHEMA: u64 = 1;

/// What an item holds: its account, and beside it the versions that lost a conflict, until the owner has chosen.
#[derive(Clone, PartialEq, Eq)]
pub struct ItemContent {
    /// The account, as the vault writes it.
    pub account: Zeroizing<Vec<u8>>,
    /// Other versions of the account, oldest first, at most [`MAX_BESIDE`].
    pub beside: Vec<Zeroizing<Vec<u8>>>,
}

/// How many versions of a conflict travel beside the current one.
pub const MAX_BESIDE: usize = 4;

impl ItemContent {
    /// An account with nothing beside it.
    #[must_use]
    pub fn of(account: Zeroizing<Vec<u8>>) -> Self {
        Self { account, beside: Vec::new() }
    }
}

impl std::fmt::Debug for ItemContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ItemContent([secret], {} beside)", self.beside.len())
    }
}

/// Seals an item's content under the vault key of `epoch`; the blob opens only as this revision of this item.
///
/// # Errors
/// [`CryptoError::TooLong`] for more versions beside it, or a longer blob, than anyone would take in.
pub fn seal_item(
    content: &ItemContent,
    vault_key: &VaultKey,
    user: UserId,
    item: ItemId,
    revision: u64,
    epoch: u64,
) -> Result<Vec<u8>, CryptoError> {
    if content.beside.len() > MAX_BESIDE {
        return Err(CryptoError::TooLong);
    }
    let beside: Vec<&Vec<u8>> = content.beside.iter().map(|version| &**version).collect();
    let plain = Zeroizing::new(cbor_array![CONTENT, *content.account, List(&beside)]);
    let blob = aead::seal(&item_key(vault_key, item), &context(user, item, revision, epoch), &plain)?;
    if blob.len() > limits::BLOB { Err(CryptoError::TooLong) } else { Ok(blob) }
}

/// Opens a blob as exactly this revision of this item.
///
/// # Errors
/// [`CryptoError::Open`] for anything else.
pub fn open_item(
    blob: &[u8],
    vault_key: &VaultKey,
    user: UserId,
    item: ItemId,
    revision: u64,
    epoch: u64,
) -> Result<ItemContent, CryptoError> {
    let plain = aead::open(&item_key(vault_key, item), &context(user, item, revision, epoch), blob)?;
    decode(&plain).map_err(|_| CryptoError::Open)
}

const CONTENT: &str = "keyquay/1/item-content";

fn decode(plain: &[u8]) -> Result<ItemContent, CborError> {
    let mut decoder = Decoder::message(plain, 3, CONTENT)?;
    let account = Zeroizing::new(decoder.bytes()?.to_vec());
    let count = decoder.list(MAX_BESIDE)?;
    let beside = (0..count)
        .map(|_| Ok(Zeroizing::new(decoder.bytes()?.to_vec())))
        .collect::<Result<_, CborError>>()?;
    decoder.end()?;
    Ok(ItemContent { account, beside })
}

fn item_key(vault_key: &VaultKey, item: ItemId) -> AeadKey {
    AeadKey::from_secret(kdf::derive(vault_key.expose(), &cbor_array!["keyquay/1/item", item]))
}

fn context(user: UserId, item: ItemId, revision: u64, epoch: u64) -> Vec<u8> {
    cbor_array!["keyquay/1/item-blob", user, item, revision, epoch, SCHEMA]
}
