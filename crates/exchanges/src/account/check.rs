//! The limits of an account and what to do about each.

use secrecy::ExposeSecret;
use thiserror::Error;

use super::Account;

const MAX_LABEL: usize = 200;
const MAX_TAGS: usize = 20;
const MAX_TAG: usize = 50;
const MAX_NOTE: usize = 10_000;
const MAX_IP_NOTE: usize = 1_000;
const MAX_FIELDS: usize = 32;
const MAX_FIELD_NAME: usize = 100;
const MAX_VALUE: usize = 16 * 1024;

/// Each message is fit for the screen and says what to do. None contains a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AccountError {
    #[error("The system gives no random numbers. Restart the computer and try again.")]
    NoRandomness,
    #[error("This is no account id: it has 32 hexadecimal digits.")]
    NoId,
    #[error("Fill in “{label}”: the exchange refuses requests without it.")]
    MissingField { key: String, label: String },
    #[error("Fill in at least one field.")]
    NoField,
    #[error("The label has {chars} characters; shorten it to {MAX_LABEL}.")]
    LabelTooLong { chars: usize },
    #[error("There are {count} tags; keep at most {MAX_TAGS}.")]
    TooManyTags { count: usize },
    #[error("A tag has {chars} characters; shorten it to {MAX_TAG}.")]
    TagTooLong { chars: usize },
    #[error("The note has {chars} characters; shorten it to {MAX_NOTE}.")]
    NoteTooLong { chars: usize },
    #[error("The note about IP addresses has {chars} characters; shorten it to {MAX_IP_NOTE}.")]
    IpNoteTooLong { chars: usize },
    #[error("There are {count} fields; keep at most {MAX_FIELDS}.")]
    TooManyFields { count: usize },
    #[error("A field's name is empty or longer than {MAX_FIELD_NAME} characters; give it a short name.")]
    FieldName,
    #[error("“{label}” has {bytes} bytes and may have {MAX_VALUE}; paste the key alone, without other text.")]
    ValueTooLong { key: String, label: String, bytes: usize },
    #[error(
        "The date on which the key ends is no date; write it as year-month-day, 2027-01-31, or leave it empty."
    )]
    NoDate,
    #[error("The account takes {bytes} bytes and may take {max}; shorten the note or the fields.", max = super::MAX_BYTES)]
    TooLarge { bytes: usize },
    #[error(
        "The account was written by a later version of Keyquay; update Keyquay on this device to open it."
    )]
    LaterVersion,
    #[error(
        "The account is damaged and cannot be read; take it from another device, its history or a backup."
    )]
    Damaged,
}

impl AccountError {
    /// The key of the field that it is about.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::MissingField { key, .. } | Self::ValueTooLong { key, .. } => Some(key),
            _ => None,
        }
    }
}

impl Account {
    /// # Errors
    /// The first of [`Account::problems`].
    pub fn validate(&self) -> Result<(), AccountError> {
        self.problems().into_iter().next().map_or(Ok(()), Err)
    }

    /// Everything that keeps the account from being saved, in the order of the form. What only looks
    /// unusual is not among it.
    pub fn problems(&self) -> Vec<AccountError> {
        let mut problems = Vec::new();
        self.check_label_and_tags(&mut problems);
        self.check_fields(&mut problems);
        self.check_notes(&mut problems);
        let bytes = self.encoded_len();
        if problems.is_empty() && bytes > super::MAX_BYTES {
            problems.push(AccountError::TooLarge { bytes });
        }
        problems
    }

    fn check_label_and_tags(&self, problems: &mut Vec<AccountError>) {
        if let Some(chars) = above(&self.label, MAX_LABEL) {
            problems.push(AccountError::LabelTooLong { chars });
        }
        if self.tags.len() > MAX_TAGS {
            problems.push(AccountError::TooManyTags { count: self.tags.len() });
        }
        if let Some(chars) = self.tags.iter().find_map(|tag| above(tag, MAX_TAG)) {
            problems.push(AccountError::TagTooLong { chars });
        }
    }

    fn check_fields(&self, problems: &mut Vec<AccountError>) {
        if let Some(exchange) = self.catalogue_entry() {
            for field in exchange.required().filter(|field| !self.fields.is_filled(&field.key)) {
                problems
                    .push(AccountError::MissingField { key: field.key.clone(), label: field.label.clone() });
            }
        }
        if problems.is_empty() && !self.fields.iter().any(|field| self.fields.is_filled(&field.key)) {
            problems.push(AccountError::NoField);
        }
        if self.fields.len() > MAX_FIELDS {
            problems.push(AccountError::TooManyFields { count: self.fields.len() });
        }
        for field in self.fields.iter() {
            let label = self.describe(&field.key).label;
            if field.key.is_empty()
                || above(&field.key, MAX_FIELD_NAME).or(above(&label, MAX_FIELD_NAME)).is_some()
            {
                problems.push(AccountError::FieldName);
                continue;
            }
            let bytes = field.value.expose_secret().len();
            if bytes > MAX_VALUE {
                problems.push(AccountError::ValueTooLong { key: field.key.clone(), label, bytes });
            }
        }
    }

    fn check_notes(&self, problems: &mut Vec<AccountError>) {
        if let Some(chars) = above(self.note.expose_secret(), MAX_NOTE) {
            problems.push(AccountError::NoteTooLong { chars });
        }
        if let Some(chars) = above(&self.ip_note, MAX_IP_NOTE) {
            problems.push(AccountError::IpNoteTooLong { chars });
        }
        if self.expires_on.as_deref().is_some_and(|date| !is_date(date)) {
            problems.push(AccountError::NoDate);
        }
    }
}

/// The number of characters if there are more than `max`.
fn above(text: &str, max: usize) -> Option<usize> {
    let chars = text.chars().count();
    (chars > max).then_some(chars)
}

/// `YYYY-MM-DD` in the Gregorian calendar.
fn is_date(text: &str) -> bool {
    let well_formed = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
    let mut parts = text.split('-').map(|part| part.parse::<u32>().unwrap_or_default());
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    well_formed && year > 0 && (1..=last).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::is_date;

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        for date in ["2027-01-31", "2028-02-29", "2000-02-29", "2027-12-01"] {
            assert!(is_date(date), "{date}");
        }
        for text in [
            "2027-02-29",
            "1900-02-29",
            "2027-13-01",
            "2027-00-10",
            "2027-1-1",
            "27-01-01",
            "2027-01-00",
            "",
            "2027/01/01",
            "0000-01-01",
            "2027-01-011",
            "２027-01-1",
        ] {
            assert!(!is_date(text), "{text}");
        }
    }
}
