use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why a command was refused, for a person: what happened and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Stable code, one of those that `keyquay-protocol` documents. The only part that code may compare.
    pub code: String,
    /// One sentence: what happened.
    pub message: String,
    /// One sentence: what to do next.
    pub hint: String,
}
