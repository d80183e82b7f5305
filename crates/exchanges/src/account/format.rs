//! The bytes of an account: JSON, `{"v":1,"id":"…","exchange":"…","fields":[{"key":"…","value":"…"}],…}`.
//!
//! What a later version adds is kept as it stands and written back, in the account, in its permissions and
//! in each field. A later version whose accounts this one must not touch raises `v`.

use std::io;

use secrecy::{ExposeSecret, SecretString};
use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeMap},
};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::{Account, AccountError, AccountId, FieldValue, Fields, Permissions};
use crate::json::{Members, elements, unescaped};

/// The most bytes that an account takes.
pub const MAX_BYTES: usize = 48 * 1024;

const VERSION: u32 = 1;

/// Members that this version does not know, each as the JSON text that stood there.
#[derive(Debug, Clone, Default)]
pub(super) struct Later(Vec<(String, SecretString)>);

impl Account {
    /// # Errors
    /// [`AccountError::TooLarge`] above [`MAX_BYTES`].
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, AccountError> {
        let len = self.encoded_len();
        if len > MAX_BYTES {
            return Err(AccountError::TooLarge { bytes: len });
        }
        // All at once: a vector that grows leaves copies of its beginning behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(len));
        serde_json::to_writer(&mut *bytes, &Written(self)).map_err(|_| AccountError::Damaged)?;
        Ok(bytes)
    }

    /// Reads what [`Account::to_bytes`] wrote, here or in a later version.
    ///
    /// # Errors
    /// [`AccountError::LaterVersion`] if only an update can read it, [`AccountError::Damaged`] if nothing can.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AccountError> {
        if bytes.len() > MAX_BYTES {
            return Err(AccountError::TooLarge { bytes: bytes.len() });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| AccountError::Damaged)?;
        let mut members = Members::of(text).ok_or(AccountError::Damaged)?;
        match plain::<u32>(members.take("v"))? {
            Some(VERSION) => {}
            Some(later) if later > VERSION => return Err(AccountError::LaterVersion),
            _ => return Err(AccountError::Damaged),
        }
        let id: AccountId = plain(members.take("id"))?.ok_or(AccountError::Damaged)?;
        let exchange: String = plain(members.take("exchange"))?.ok_or(AccountError::Damaged)?;
        let (permissions, later_permissions) = permissions_of(members.take("permissions"))?;
        Ok(Self {
            id,
            exchange,
            label: plain(members.take("label"))?.unwrap_or_default(),
            fields: fields_of(members.take("fields"))?,
            tags: plain(members.take("tags"))?.unwrap_or_default(),
            note: secret(members.take("note"))?.unwrap_or_default(),
            environment: word(members.take("environment"))?,
            permissions,
            ip_note: plain(members.take("ipNote"))?.unwrap_or_default(),
            expires_on: plain(members.take("expiresOn"))?,
            created: plain(members.take("created"))?.unwrap_or_default(),
            changed: plain(members.take("changed"))?.unwrap_or_default(),
            later: Later::of(members),
            later_permissions,
        })
    }

    pub(super) fn encoded_len(&self) -> usize {
        let mut counted = Counted(0);
        // Counting cannot fail; if writing does, `to_bytes` says so.
        let _ = serde_json::to_writer(&mut counted, &Written(self));
        counted.0
    }
}

fn fields_of(raw: Option<&RawValue>) -> Result<Fields, AccountError> {
    let mut fields = Fields::default();
    let Some(raw) = raw else { return Ok(fields) };
    for raw in elements(raw.get()).ok_or(AccountError::Damaged)? {
        let mut members = Members::of(raw.get()).ok_or(AccountError::Damaged)?;
        let field = FieldValue {
            key: plain(members.take("key"))?.ok_or(AccountError::Damaged)?,
            label: plain(members.take("label"))?,
            secret: plain(members.take("secret"))?,
            value: secret(members.take("value"))?.unwrap_or_default(),
            later: Later::of(members),
        };
        if !fields.append(field) {
            return Err(AccountError::Damaged);
        }
    }
    Ok(fields)
}

fn permissions_of(raw: Option<&RawValue>) -> Result<(Permissions, Later), AccountError> {
    let Some(raw) = raw else { return Ok(Default::default()) };
    let mut members = Members::of(raw.get()).ok_or(AccountError::Damaged)?;
    let permissions = Permissions {
        read: word(members.take("read"))?,
        trade: word(members.take("trade"))?,
        withdraw: word(members.take("withdraw"))?,
    };
    Ok((permissions, Later::of(members)))
}

/// A value that is no secret; `null` is none.
fn plain<'a, T: serde::Deserialize<'a>>(raw: Option<&'a RawValue>) -> Result<Option<T>, AccountError> {
    raw.map_or(Ok(None), |raw| serde_json::from_str(raw.get()).map_err(|_| AccountError::Damaged))
}

/// One word of a fixed set; a word outside it can only be a later version's.
fn word<'a, T: serde::Deserialize<'a> + Default>(raw: Option<&'a RawValue>) -> Result<T, AccountError> {
    let Some(raw) = raw else { return Ok(T::default()) };
    serde_json::from_str(raw.get()).map_err(|_| match unescaped(raw.get()) {
        Some(_) => AccountError::LaterVersion,
        None => AccountError::Damaged,
    })
}

fn secret(raw: Option<&RawValue>) -> Result<Option<SecretString>, AccountError> {
    let Some(raw) = raw else { return Ok(None) };
    let text = unescaped(raw.get()).ok_or(AccountError::Damaged)?;
    Ok(Some(SecretString::from(text.as_str())))
}

impl Later {
    fn of(members: Members<'_>) -> Self {
        Self(members.0.into_iter().map(|(name, raw)| (name, SecretString::from(raw.get()))).collect())
    }

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        for (name, raw) in &self.0 {
            let raw: &RawValue = serde_json::from_str(raw.expose_secret()).map_err(M::Error::custom)?;
            map.serialize_entry(name, raw)?;
        }
        Ok(())
    }
}

struct Written<'a>(&'a Account);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let account = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("v", &VERSION)?;
        map.serialize_entry("id", &account.id)?;
        map.serialize_entry("exchange", &account.exchange)?;
        map.serialize_entry("label", &account.label)?;
        map.serialize_entry("fields", &WrittenFields(&account.fields))?;
        map.serialize_entry("tags", &account.tags)?;
        map.serialize_entry("note", account.note.expose_secret())?;
        map.serialize_entry("environment", &account.environment)?;
        map.serialize_entry("permissions", &WrittenPermissions(account))?;
        map.serialize_entry("ipNote", &account.ip_note)?;
        map.serialize_entry("expiresOn", &account.expires_on)?;
        map.serialize_entry("created", &account.created)?;
        map.serialize_entry("changed", &account.changed)?;
        account.later.write(&mut map)?;
        map.end()
    }
}

struct WrittenFields<'a>(&'a Fields);

impl Serialize for WrittenFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(WrittenField))
    }
}

struct WrittenField<'a>(&'a FieldValue);

impl Serialize for WrittenField<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let field = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("key", &field.key)?;
        if let Some(label) = &field.label {
            map.serialize_entry("label", label)?;
        }
        if let Some(secret) = field.secret {
            map.serialize_entry("secret", &secret)?;
        }
        map.serialize_entry("value", field.value.expose_secret())?;
        field.later.write(&mut map)?;
        map.end()
    }
}

struct WrittenPermissions<'a>(&'a Account);

impl Serialize for WrittenPermissions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let permissions = &self.0.permissions;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("read", &permissions.read)?;
        map.serialize_entry("trade", &permissions.trade)?;
        map.serialize_entry("withdraw", &permissions.withdraw)?;
        self.0.later_permissions.write(&mut map)?;
        map.end()
    }
}

struct Counted(usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
