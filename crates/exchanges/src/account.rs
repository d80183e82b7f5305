//! The account: one key of one exchange, as a person keeps it.

mod check;
mod fields;
mod format;
mod id;

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use self::{
    check::AccountError,
    fields::{FieldValue, Fields},
    format::MAX_BYTES,
    id::AccountId,
};
use crate::{
    catalogue::{Exchange, Field},
    mask::masked,
};

/// Its bytes are made by [`Account::to_bytes`]; there is no serde on it, so that none is made by accident.
#[derive(Clone)]
pub struct Account {
    pub id: AccountId,
    /// The catalogue's id; one that this build does not know belongs to a later version.
    pub exchange: String,
    pub label: String,
    pub fields: Fields,
    pub tags: Vec<String>,
    pub note: SecretString,
    pub environment: Environment,
    pub permissions: Permissions,
    /// Which IP addresses the key is restricted to, as the person noted it.
    pub ip_note: String,
    /// `YYYY-MM-DD`
    pub expires_on: Option<String>,
    /// Unix time in seconds.
    pub created: u64,
    /// Unix time in seconds.
    pub changed: u64,
    later: format::Later,
    later_permissions: format::Later,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Environment {
    #[default]
    Live,
    Testnet,
}

/// What the key may do, noted by hand; nothing is asked of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Permissions {
    pub read: Permission,
    pub trade: Permission,
    pub withdraw: Permission,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Permission {
    Yes,
    No,
    #[default]
    Unknown,
}

impl Account {
    /// An empty account with an id of its own. `exchange` is an id or alias of the catalogue, `now` Unix
    /// time in seconds.
    ///
    /// # Errors
    /// [`AccountError::NoRandomness`] if the system gives none.
    pub fn make(exchange: &str, label: impl Into<String>, now: u64) -> Result<Self, AccountError> {
        Ok(Self::empty(AccountId::make()?, exchange, label, now))
    }

    /// Like [`Account::make`], with an id that exists.
    pub fn empty(id: AccountId, exchange: &str, label: impl Into<String>, now: u64) -> Self {
        let known = Exchange::find(exchange);
        Self {
            id,
            exchange: known.map_or_else(|| exchange.to_owned(), |exchange| exchange.id.clone()),
            label: label.into(),
            fields: Fields::default(),
            tags: Vec::new(),
            note: SecretString::default(),
            environment: Environment::default(),
            permissions: Permissions::default(),
            ip_note: String::new(),
            expires_on: None,
            created: now,
            changed: now,
            later: format::Later::default(),
            later_permissions: format::Later::default(),
        }
    }

    /// `None` if this build does not know the exchange.
    pub fn catalogue_entry(&self) -> Option<&'static Exchange> {
        Exchange::find(&self.exchange)
    }

    /// The exchange's name, or its id if this build does not know it.
    pub fn exchange_name(&self) -> &str {
        self.catalogue_entry().map_or(&self.exchange, |exchange| &exchange.name)
    }

    /// Whether a field's value is to be hidden. The catalogue decides about its fields; a flag can hide
    /// more but never show more. Of other fields the flag decides; without one they are secret.
    pub fn is_secret(&self, key: &str) -> bool {
        let known = self.catalogue_entry().and_then(|exchange| exchange.field(key)).map(|field| field.secret);
        let flag = self.fields.entry(key).and_then(|field| field.secret);
        match known {
            Some(secret) => secret || flag == Some(true),
            None => flag.unwrap_or(true),
        }
    }

    /// What a form needs to know about a field of this account: the catalogue's entry or, for a field
    /// that the person named, one made of its name and flag.
    pub fn describe(&self, key: &str) -> Field {
        let known = self.catalogue_entry().and_then(|exchange| exchange.field(key)).cloned();
        let mut field = known.unwrap_or_else(|| {
            let label = self.fields.entry(key).and_then(|field| field.label.as_deref()).unwrap_or(key);
            Field::free(key, label, true)
        });
        field.secret = self.is_secret(key);
        field
    }

    /// The first filled field that is no secret, masked, for a row. The catalogue's order goes first.
    pub fn shown_key(&self) -> Option<String> {
        let known =
            self.catalogue_entry().into_iter().flat_map(Exchange::fields).map(|field| field.key.as_str());
        let kept = self.fields.iter().map(|field| field.key.as_str());
        known
            .chain(kept)
            .filter(|key| !self.is_secret(key))
            .filter_map(|key| self.fields.get(key))
            .map(ExposeSecret::expose_secret)
            .find(|value| !value.is_empty())
            .map(masked)
    }

    /// Lower-case text in which a search finds this account: label, exchange, tags. No field, no note.
    pub fn search_text(&self) -> String {
        let mut text = format!("{} {} {}", self.label, self.exchange_name(), self.exchange);
        for tag in &self.tags {
            text.push(' ');
            text.push_str(tag);
        }
        text.to_lowercase()
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}
