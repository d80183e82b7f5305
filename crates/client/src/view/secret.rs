use serde::{Deserialize, Serialize};
use ts_rs::TS;
use zeroize::Zeroize;

/// A secret on its way between the person and the session: typed in, or shown because it was asked for.
///
/// It has no `Debug`, `Display` or `Clone`, so that nothing that holds one can be printed, and it is erased when dropped.
#[derive(Serialize, Deserialize, TS)]
#[ts(type = "string")]
pub struct SecretText(String);

impl SecretText {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for SecretText {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
