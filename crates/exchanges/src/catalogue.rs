//! The exchanges, read once from `catalogue.json` beside this file.

use std::{collections::HashMap, sync::LazyLock};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::shape::{self, Form, Hint};

/// The id of the entry for every exchange that has none of its own.
pub const OTHER: &str = "other";

/// The catalogue of this build.
pub fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Catalogue {
    /// Grows with every change of an id, a key or a required field.
    pub version: u32,
    /// In the order of a picker; the last is [`OTHER`].
    pub exchanges: Vec<Exchange>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exchange {
    /// Lower-case letters and digits. Stands in stored accounts and therefore never changes.
    pub id: String,
    pub name: String,
    pub kind: Kind,
    /// Other names of the same fields: regional entities, older names, names in other tools.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Where the exchange's keys are made or explained.
    #[serde(default)]
    pub page: Option<Page>,
    /// The exchange has a testnet or demo trading.
    pub testnet: bool,
    /// Sentences worth reading before a key is added.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The person names further fields and says which are secret.
    #[serde(default)]
    pub free_fields: bool,
    /// In the order of the form.
    pub fields: Vec<Field>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A company holds the funds.
    Cex,
    /// A chain holds the funds; keys are wallets' keys.
    Dex,
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Page {
    /// Always https.
    pub url: String,
    pub kind: PageKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum PageKind {
    /// Keys are made and deleted there.
    Manage,
    /// Keys are explained there.
    Docs,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Field {
    /// Stands in stored accounts and therefore never changes.
    pub key: String,
    pub label: String,
    pub secret: bool,
    pub required: bool,
    /// The value may have lines (PEM).
    #[serde(default)]
    pub multi_line: bool,
    /// A sentence for the person who fills it in; may be empty.
    #[serde(default)]
    pub help: String,
    /// The forms that values usually have, any of them; empty if nothing is known.
    #[serde(default)]
    pub shape: Vec<Form>,
    /// Names of this field in pasted text beyond the common ones: lower-case letters and digits.
    #[serde(default)]
    pub names: Vec<String>,
}

impl Exchange {
    /// The exchange of this id, alias or name; case, spaces and punctuation do not matter.
    pub fn find(id_or_alias: &str) -> Option<&'static Exchange> {
        const LONGEST: usize = 64;
        if id_or_alias.len() > LONGEST {
            return None;
        }
        BY_NAME.get(&folded(id_or_alias)).copied()
    }

    /// The entry for an exchange that the catalogue does not know.
    pub fn other() -> Option<&'static Exchange> {
        Self::find(OTHER)
    }

    /// In the order of the form.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    pub fn field(&self, key: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// The fields without which a key cannot work, in the order of the form.
    pub fn required(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.required)
    }
}

impl Field {
    /// A field that a person named, for an exchange with free fields. Takes lines if it is secret.
    pub fn free(key: impl Into<String>, label: impl Into<String>, secret: bool) -> Self {
        Self {
            key: key.into(),
            label: label.into(),
            secret,
            required: false,
            multi_line: secret,
            help: String::new(),
            shape: Vec::new(),
            names: Vec::new(),
        }
    }

    /// What looks wrong about a value, in one sentence that contains nothing of it. `None` if it looks
    /// usual, is empty, or nothing is known. Never a reason to refuse: exchanges change their keys.
    pub fn hint(&self, value: &str) -> Option<Hint> {
        shape::hint(self, value)
    }

    /// How values usually look, in words ("64 letters and digits, or a private key in PEM form").
    pub fn usual(&self) -> Option<String> {
        shape::usual(&self.shape)
    }
}

/// Lower-case letters and digits of a name, the rest left out.
pub(crate) fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[expect(clippy::expect_used, reason = "the file is part of the program, and a test reads it")]
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    serde_json::from_str(include_str!("catalogue.json")).expect("the catalogue of this build is well-formed")
});

static BY_NAME: LazyLock<HashMap<String, &'static Exchange>> = LazyLock::new(|| {
    let mut found = HashMap::new();
    for exchange in &CATALOGUE.exchanges {
        for name in [&exchange.id, &exchange.name].into_iter().chain(&exchange.aliases) {
            found.entry(folded(name)).or_insert(exchange);
        }
    }
    found
});
