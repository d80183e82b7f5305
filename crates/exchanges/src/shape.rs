//! How values usually look, and a sentence if one does not.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{catalogue::Field, paste};

/// One form that values of a field usually have. Lengths count characters, a prefix included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "form", rename_all = "camelCase")]
pub enum Form {
    Text {
        chars: Chars,
        min: u32,
        max: u32,
        /// Stands before characters of the class; may be empty.
        #[serde(default)]
        prefix: String,
    },
    /// 8-4-4-4-12 hexadecimal digits (RFC 9562).
    Uuid,
    /// A private key between BEGIN and END lines (RFC 7468).
    Pem,
    /// 0x and 40 hexadecimal digits.
    EthAddress,
    /// A whole number.
    Number { min: u32, max: u32 },
    /// 12 to 24 lower-case words, a multiple of three of them (BIP-39).
    Words,
}

/// A class of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Chars {
    Digits,
    /// Digits and commas.
    DigitList,
    Hex,
    UpperHex,
    Alphanumeric,
    /// Letters, digits, `-` and `_`.
    UrlSafe,
    /// Letters, digits, `-`, `_` and `/`.
    Path,
    Base58,
    Base64,
    /// ASCII from space to tilde.
    Printable,
}

/// What looks wrong about a value: one sentence with nothing of the value in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Hint {
    pub sentence: String,
}

/// See [`Field::hint`].
pub(crate) fn hint(field: &Field, value: &str) -> Option<Hint> {
    if value.is_empty() {
        return None;
    }
    let sentence = match general(field, value) {
        Some(sentence) => Some(sentence.to_owned()),
        None => nearest_misfit(&field.shape, value),
    };
    sentence.map(|sentence| Hint { sentence })
}

/// See [`Field::usual`].
pub(crate) fn usual(shape: &[Form]) -> Option<String> {
    let words: Vec<String> = shape.iter().map(Form::words).collect();
    (!words.is_empty()).then(|| words.join(", or "))
}

/// What is wrong in any field, whatever its shape.
fn general(field: &Field, value: &str) -> Option<&'static str> {
    if value.trim().len() != value.len() || value.chars().any(paste::is_invisible) {
        return Some(
            "Has spaces around it or invisible characters in it: paste it again, which removes them.",
        );
    }
    if !field.secret && value.contains("PRIVATE KEY-----") {
        return Some("Looks like a private key, which belongs into a secret field.");
    }
    if looks_like_wallet_phrase(value) && !field.shape.contains(&Form::Words) {
        return Some(
            "Looks like a wallet's secret phrase, which opens the whole wallet: use a key made for trading.",
        );
    }
    if field.shape.contains(&Form::EthAddress) && is_private_key_in_hex(value) {
        return Some("Has the length of a private key: an address is 0x and 40 hexadecimal digits.");
    }
    None
}

/// `None` if the value fits one of the forms or there are none.
fn nearest_misfit(shape: &[Form], value: &str) -> Option<String> {
    let mut nearest: Option<Misfit> = None;
    for form in shape {
        let misfit = form.misfit(value)?;
        if nearest.as_ref().is_none_or(|best| misfit.distance < best.distance) {
            nearest = Some(misfit);
        }
    }
    nearest.map(|misfit| misfit.sentence)
}

struct Misfit {
    distance: usize,
    sentence: String,
}

/// Distances, apart from differences of length: what speaks more clearly against a form counts more.
const WRONG_CHARS: usize = 1 << 40;
const WRONG_PREFIX: usize = 1 << 39;
const WRONG_KIND: usize = 1 << 41;
/// It is certainly meant to be this form.
const MEANT: usize = 0;

impl Form {
    /// Whether white space may stand inside a value.
    pub(crate) fn has_spaces(&self) -> bool {
        matches!(self, Self::Pem | Self::Words | Self::Text { chars: Chars::Printable, .. })
    }

    pub(crate) fn fits(&self, value: &str) -> bool {
        self.misfit(value).is_none()
    }

    fn misfit(&self, value: &str) -> Option<Misfit> {
        let (distance, sentence) = match self {
            Self::Text { chars, min, max, prefix } => {
                return text_misfit(*chars, (*min, *max), prefix, value);
            }
            Self::Pem => return pem_misfit(value),
            Self::Uuid if !is_uuid(value) => {
                (36_usize.abs_diff(count(value)) + 1, format!("Usually {}.", self.words()))
            }
            Self::EthAddress if !is_eth_address(value) => (
                42_usize.abs_diff(count(value)) + 1,
                format!("Usually {}; this has {}.", self.words(), characters(count(value))),
            ),
            Self::Number { min, max } if !value.parse::<u32>().is_ok_and(|n| (*min..=*max).contains(&n)) => {
                (WRONG_KIND, format!("Usually {}.", self.words()))
            }
            Self::Words if !looks_like_wallet_phrase(value) => {
                (WRONG_KIND, format!("Usually {}.", self.words()))
            }
            Self::Uuid | Self::EthAddress | Self::Number { .. } | Self::Words => return None,
        };
        Some(Misfit { distance, sentence })
    }

    fn words(&self) -> String {
        match self {
            Self::Text { chars, min, max, prefix } => {
                let begins =
                    if prefix.is_empty() { String::new() } else { format!(" beginning with “{prefix}”") };
                format!("{} ({}){begins}", lengths(*min, *max), chars.words())
            }
            Self::Uuid => "a UUID (8-4-4-4-12 hexadecimal digits)".to_owned(),
            Self::Pem => "a private key in PEM form".to_owned(),
            Self::EthAddress => "0x and 40 hexadecimal digits".to_owned(),
            Self::Number { min, max: u32::MAX } => format!("a whole number from {min}"),
            Self::Number { min, max } => format!("a whole number from {min} to {max}"),
            Self::Words => "12 or 24 words".to_owned(),
        }
    }
}

fn text_misfit(chars: Chars, (min, max): (u32, u32), prefix: &str, value: &str) -> Option<Misfit> {
    let length = count(value);
    let (min_chars, max_chars) = (min as usize, max as usize);
    let off = min_chars.saturating_sub(length) + length.saturating_sub(max_chars);
    let Some(rest) = value.strip_prefix(prefix) else {
        let sentence = format!("Usually begins with “{prefix}”; this does not.");
        return Some(Misfit { distance: WRONG_PREFIX + off, sentence });
    };
    if !rest.chars().all(|c| chars.has(c)) {
        let what =
            if rest.contains(char::is_whitespace) { "this has a space in it" } else { "this has others" };
        let sentence = format!("Usually only {}; {what}.", chars.words());
        return Some(Misfit { distance: WRONG_CHARS + off, sentence });
    }
    (off > 0).then(|| Misfit {
        distance: off,
        sentence: format!("Usually {}; this has {length}.", lengths(min, max)),
    })
}

fn pem_misfit(value: &str) -> Option<Misfit> {
    let meant = |sentence: &str| Some(Misfit { distance: MEANT, sentence: sentence.to_owned() });
    let Some(block) = value.trim().strip_prefix("-----BEGIN ") else {
        let sentence = "Usually a private key in PEM form, from its BEGIN line to its END line.".to_owned();
        let distance = if value.contains("-----") { MEANT } else { WRONG_KIND };
        return Some(Misfit { distance, sentence });
    };
    let label = block.split_once("-----").map(|(label, _)| label).unwrap_or_default();
    if label.contains("PUBLIC KEY") || label.contains("CERTIFICATE") {
        return meant("This is a public key; the private key of the pair is needed.");
    }
    if !label.contains("PRIVATE KEY") {
        return meant("Usually the BEGIN line says PRIVATE KEY; this one does not.");
    }
    match block.split_once("-----END ") {
        Some((_, end)) if end.strip_suffix("-----") == Some(label) => None,
        Some(_) => meant("The END line does not belong to the BEGIN line."),
        None => meant("The END line is missing: copy the key down to its last line."),
    }
}

impl Chars {
    fn has(self, c: char) -> bool {
        match self {
            Self::Digits => c.is_ascii_digit(),
            Self::DigitList => c.is_ascii_digit() || c == ',',
            Self::Hex => c.is_ascii_hexdigit(),
            Self::UpperHex => c.is_ascii_digit() || ('A'..='F').contains(&c),
            Self::Alphanumeric => c.is_ascii_alphanumeric(),
            Self::UrlSafe => c.is_ascii_alphanumeric() || matches!(c, '-' | '_'),
            Self::Path => c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/'),
            Self::Base58 => c.is_ascii_alphanumeric() && !matches!(c, '0' | 'O' | 'I' | 'l'),
            Self::Base64 => c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='),
            Self::Printable => matches!(c, ' '..='~'),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::DigitList => "digits and commas",
            Self::Hex => "hexadecimal digits",
            Self::UpperHex => "hexadecimal digits in upper case",
            Self::Alphanumeric => "letters and digits",
            Self::UrlSafe => "letters, digits, - and _",
            Self::Path => "letters, digits, -, _ and /",
            Self::Base58 => "letters and digits without 0, O, I and l",
            Self::Base64 => "letters, digits, +, / and =",
            Self::Printable => "letters, digits and signs of a plain keyboard",
        }
    }
}

fn count(value: &str) -> usize {
    value.chars().count()
}

fn characters(n: usize) -> String {
    if n == 1 { "1 character".to_owned() } else { format!("{n} characters") }
}

fn lengths(min: u32, max: u32) -> String {
    if min == max { characters(min as usize) } else { format!("{min} to {max} characters") }
}

fn is_uuid(value: &str) -> bool {
    let mut groups = value.split('-');
    let right = [8, 4, 4, 4, 12].iter().all(|length| {
        groups
            .next()
            .is_some_and(|group| group.len() == *length && group.chars().all(|c| c.is_ascii_hexdigit()))
    });
    right && groups.next().is_none()
}

fn is_eth_address(value: &str) -> bool {
    value
        .strip_prefix("0x")
        .is_some_and(|digits| digits.len() == 40 && digits.chars().all(|c| c.is_ascii_hexdigit()))
}

fn is_private_key_in_hex(value: &str) -> bool {
    let digits = value.strip_prefix("0x").unwrap_or(value);
    digits.len() == 64 && digits.chars().all(|c| c.is_ascii_hexdigit())
}

fn looks_like_wallet_phrase(value: &str) -> bool {
    const LONGEST: usize = 24 * 9;
    if value.len() > LONGEST {
        return false;
    }
    let word = |word: &str| (3..=8).contains(&word.len()) && word.chars().all(|c| c.is_ascii_lowercase());
    let words = value.split_ascii_whitespace().count();
    (12..=24).contains(&words) && words.is_multiple_of(3) && value.split_ascii_whitespace().all(word)
}
