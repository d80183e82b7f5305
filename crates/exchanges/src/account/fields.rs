use secrecy::{ExposeSecret, SecretString};

use super::format::Later;

/// The filled fields of an account, in the order in which they were set; keys are unique.
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<FieldValue>);

/// One field. Every value is kept as a secret, whether it is shown or not.
#[derive(Debug, Clone)]
pub struct FieldValue {
    pub key: String,
    /// The name that the person gave it, for exchanges with free fields.
    pub label: Option<String>,
    /// Whether it is hidden, for exchanges with free fields; see [`super::Account::is_secret`].
    pub secret: Option<bool>,
    pub value: SecretString,
    pub(super) later: Later,
}

impl Fields {
    pub fn get(&self, key: &str) -> Option<&SecretString> {
        self.entry(key).map(|field| &field.value)
    }

    /// The field with its label and flag.
    pub fn entry(&self, key: &str) -> Option<&FieldValue> {
        self.0.iter().find(|field| field.key == key)
    }

    /// Sets a value; a field that is there keeps its place, label and flag.
    pub fn set(&mut self, key: &str, value: SecretString) {
        self.slot(key).value = value;
    }

    /// Sets a field that the person named.
    pub fn set_free(&mut self, key: &str, label: Option<String>, secret: bool, value: SecretString) {
        let field = self.slot(key);
        field.label = label;
        field.secret = Some(secret);
        field.value = value;
    }

    pub fn remove(&mut self, key: &str) -> Option<FieldValue> {
        let at = self.0.iter().position(|field| field.key == key)?;
        Some(self.0.remove(at))
    }

    pub fn iter(&self) -> impl Iterator<Item = &FieldValue> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// There is a value and it is not empty.
    pub fn is_filled(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| !value.expose_secret().is_empty())
    }

    /// `false`, and nothing changed, if the key is there already.
    pub(super) fn append(&mut self, field: FieldValue) -> bool {
        let new = self.entry(&field.key).is_none();
        if new {
            self.0.push(field);
        }
        new
    }

    fn slot(&mut self, key: &str) -> &mut FieldValue {
        let at = self.0.iter().position(|field| field.key == key).unwrap_or(self.0.len());
        if at == self.0.len() {
            self.0.push(FieldValue {
                key: key.to_owned(),
                label: None,
                secret: None,
                value: SecretString::default(),
                later: Later::default(),
            });
        }
        #[expect(clippy::indexing_slicing, reason = "found or pushed just above")]
        &mut self.0[at]
    }
}
