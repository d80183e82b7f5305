use secrecy::SecretString;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{SecretBytes, cbor_array, crockford, sha256};

/// Why a typed code was refused, so that a person sees a slip before anything is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CodeError {
    #[error("this is the other code of the recovery kit")]
    OtherKind,
    #[error("the code begins with its kind, KQ1 or KR1, and has seven groups of five characters")]
    Shape,
    #[error("one character is not used in these codes")]
    Character,
    #[error("a character is wrong or two are swapped")]
    Check,
}

macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $other:literal, $check:literal) => {
        $(#[$doc])*
        #[derive(Debug, PartialEq, Eq)]
        pub struct $name(SecretBytes<20>);

        impl $name {
            /// Fresh from the operating system.
            #[must_use]
            pub fn make_random() -> Self {
                Self(SecretBytes::make_random())
            }

            /// Reads 20 bytes as they were stored.
            ///
            /// # Errors
            /// [`CryptoError::Malformed`](crate::CryptoError::Malformed) on another length.
            pub fn try_copy_from(bytes: &[u8]) -> Result<Self, crate::CryptoError> {
                SecretBytes::try_copy_from(bytes).map(Self)
            }

            /// Reads the written form; case, spaces and hyphens do not matter, and O, I, L are read as 0, 1, 1.
            ///
            /// # Errors
            /// [`CodeError`], without any of the characters.
            pub fn parse(written: &str) -> Result<Self, CodeError> {
                read(written, $prefix, $other, $check).map(Self)
            }

            /// The written form: a prefix and seven groups of five.
            #[must_use]
            pub fn to_written(&self) -> SecretString {
                write(&self.0, $prefix, $check)
            }

            /// The 20 bytes, for the moment of their use.
            #[must_use]
            pub fn expose(&self) -> &[u8; 20] {
                self.0.expose()
            }

            /// A second holder of the same secret; each wipes its own.
            #[must_use]
            pub fn duplicate(&self) -> Self {
                Self(self.0.duplicate())
            }
        }
    };
}

code!(
    /// The Secret Key: 160 bits made on the first device and never sent. Written `KQ1-` and seven groups of
    /// five Crockford base32 characters, 32 of data and 3 of check.
    SecretKey, "KQ1", "KR1", "keyquay/1/secret-key-check"
);
code!(
    /// The recovery code of the kit: 160 bits of its own, written like the Secret Key with the prefix `KR1-`.
    RecoveryCode, "KR1", "KQ1", "keyquay/1/recovery-code-check"
);

const DATA: usize = 32;
const CHECK: usize = 3;

fn write(bytes: &SecretBytes<20>, prefix: &str, check_purpose: &str) -> SecretString {
    let values = crockford::split(bytes.expose());
    let check = check_of(bytes.expose(), check_purpose);
    let mut written = Zeroizing::new(String::with_capacity(64));
    written.push_str(prefix);
    for (index, value) in values.iter().chain(&check).enumerate() {
        if index % 5 == 0 {
            written.push('-');
        }
        let character = crockford::ALPHABET.get(usize::from(*value)).copied().unwrap_or(b'0');
        written.push(char::from(character));
    }
    SecretString::from(written.as_str())
}

fn read(written: &str, prefix: &str, other: &str, check_purpose: &str) -> Result<SecretBytes<20>, CodeError> {
    let is_separator = |c: &char| c.is_whitespace() || matches!(c, '-' | '‐' | '‑' | '–' | '—' | '\u{200b}');
    if written.len() > 512 {
        return Err(CodeError::Shape);
    }
    // All the room at once: a string that grows is moved, and what it leaves behind is not wiped.
    let mut compact = Zeroizing::new(String::with_capacity(written.len()));
    compact.extend(written.chars().filter(|c| !is_separator(c)).map(crockford::unmistaken));
    let Some(body) = compact.strip_prefix(prefix) else {
        return Err(if compact.starts_with(other) { CodeError::OtherKind } else { CodeError::Shape });
    };
    if body.chars().count() != DATA + CHECK {
        return Err(CodeError::Shape);
    }
    let mut values = Zeroizing::new([0_u8; DATA + CHECK]);
    for (slot, character) in values.iter_mut().zip(body.chars()) {
        *slot = crockford::value_of(character).ok_or(CodeError::Character)?;
    }
    let (data, check) = values.split_first_chunk::<DATA>().ok_or(CodeError::Shape)?;
    let bytes = crockford::join(data);
    if check != check_of(&bytes, check_purpose) {
        return Err(CodeError::Check);
    }
    Ok(SecretBytes::copy_from(&bytes))
}

/// The first 15 bits of SHA-256 over the purpose and the bytes, as three five-bit values.
fn check_of(bytes: &[u8; 20], purpose: &str) -> [u8; CHECK] {
    let message = Zeroizing::new(cbor_array![purpose, bytes]);
    let digest = sha256(&message);
    let number = u16::from_be_bytes([digest[0], digest[1]]);
    [11, 6, 1].map(|shift| (number >> shift & 31) as u8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    proptest! {
        #[test]
        fn a_written_code_is_read_back_however_it_is_typed(bytes: [u8; 20]) {
            let key = SecretKey::try_copy_from(&bytes).unwrap();
            let written = key.to_written();
            let written = written.expose_secret();
            prop_assert_eq!(written.len(), 3 + 7 * 6);
            prop_assert!(SecretKey::parse(written).unwrap() == key);
            let sloppy = format!("  {} ", written.to_lowercase().replace('-', " ").replace('0', "o"));
            prop_assert!(SecretKey::parse(&sloppy).unwrap() == key);
            for look_alike in ["I", "i", "L", "l"] {
                prop_assert!(SecretKey::parse(&written.replace('1', look_alike)).unwrap() == key);
            }
        }

        #[test]
        fn a_code_never_reads_as_the_other_kind(bytes: [u8; 20]) {
            let key = SecretKey::try_copy_from(&bytes).unwrap();
            let written = key.to_written();
            prop_assert_eq!(RecoveryCode::parse(written.expose_secret()), Err(CodeError::OtherKind));
            let renamed = written.expose_secret().replace("KQ1", "KR1");
            prop_assert_eq!(RecoveryCode::parse(&renamed), Err(CodeError::Check));
        }

        #[test]
        fn garbage_is_refused_without_a_panic(text: String) {
            prop_assert!(SecretKey::parse(&text).is_err());
        }
    }

    #[test]
    fn the_written_form_is_frozen() {
        let key = SecretKey::try_copy_from(&std::array::from_fn::<u8, 20, _>(|i| i as u8)).unwrap();
        assert_eq!(key.to_written().expose_secret(), "KQ1-000G4-0R40M-30E20-9185G-R38E1-W8124-GKQD0");
    }

    #[test]
    fn one_mistyped_character_is_caught() {
        let key = SecretKey::try_copy_from(&[7; 20]).unwrap();
        let written = key.to_written().expose_secret().to_owned();
        let position = written.len() - 10;
        let original = written.as_bytes()[position];
        let caught = crockford::ALPHABET
            .iter()
            .filter(|&&letter| letter != original)
            .filter(|&&letter| {
                let mut typed = written.clone().into_bytes();
                typed[position] = letter;
                SecretKey::parse(std::str::from_utf8(&typed).unwrap()) == Err(CodeError::Check)
            })
            .count();
        assert_eq!(caught, 31);
    }
}
