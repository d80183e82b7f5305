//! Deterministic CBOR (RFC 8949, section 4.2.1), as far as Keyquay uses it: unsigned integers, byte and
//! text strings, arrays and null. No maps, no tags, no floats, no indefinite lengths.
//!
//! Whatever is signed, sealed, or used as info or associated data is one array that begins with its
//! purpose. The decoder takes exactly one form of each value, so two different byte strings never mean
//! the same thing; it reads and never re-encodes, so what was signed is what is verified.

use thiserror::Error;

/// Why bytes were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CborError {
    #[error("the bytes end too early")]
    Truncated,
    #[error("bytes follow the end")]
    Trailing,
    #[error("a length or number is not in its shortest form")]
    NotCanonical,
    #[error("another type of value was expected")]
    UnexpectedType,
    #[error("a length differs from what was expected")]
    UnexpectedLength,
    #[error("the message is for another purpose or of another version")]
    UnexpectedPurpose,
    #[error("text is not UTF-8")]
    NotUtf8,
}

/// A value that has exactly one encoding.
pub trait Encode {
    fn encode(&self, out: &mut Vec<u8>);

    /// How many bytes to make room for. Never too few for the values that stand in one array with a secret
    /// [a buffer that grows is moved, and what it leaves behind is not wiped]; 0 where nothing is secret.
    fn room(&self) -> usize {
        0
    }
}

/// `cbor_array![purpose, a, b, …]`: one array of the values, as bytes.
#[macro_export]
macro_rules! cbor_array {
    ($($value:expr),+ $(,)?) => {
        $crate::cbor::array_of(&[$(&$value as &dyn $crate::cbor::Encode),+])
    };
}

/// One array of the values, as bytes that never moved while they were written (see [`Encode::room`]).
#[must_use]
pub fn array_of(values: &[&dyn Encode]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD + values.iter().map(|value| value.room()).sum::<usize>());
    encode_array(values, &mut out);
    out
}

/// Writes an array of the values.
pub fn encode_array(values: &[&dyn Encode], out: &mut Vec<u8>) {
    header(ARRAY, values.len() as u64, out);
    for value in values {
        value.encode(out);
    }
}

impl Encode for u64 {
    fn encode(&self, out: &mut Vec<u8>) {
        header(UINT, *self, out);
    }

    fn room(&self) -> usize {
        HEAD
    }
}

impl Encode for str {
    fn encode(&self, out: &mut Vec<u8>) {
        header(TEXT, self.len() as u64, out);
        out.extend_from_slice(self.as_bytes());
    }

    fn room(&self) -> usize {
        HEAD + self.len()
    }
}

impl Encode for String {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_str().encode(out);
    }

    fn room(&self) -> usize {
        self.as_str().room()
    }
}

impl Encode for [u8] {
    fn encode(&self, out: &mut Vec<u8>) {
        header(BYTES, self.len() as u64, out);
        out.extend_from_slice(self);
    }

    fn room(&self) -> usize {
        HEAD + self.len()
    }
}

impl<const N: usize> Encode for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_slice().encode(out);
    }

    fn room(&self) -> usize {
        self.as_slice().room()
    }
}

impl Encode for Vec<u8> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_slice().encode(out);
    }

    fn room(&self) -> usize {
        self.as_slice().room()
    }
}

impl<T: Encode + ?Sized> Encode for &T {
    fn encode(&self, out: &mut Vec<u8>) {
        (**self).encode(out);
    }

    fn room(&self) -> usize {
        (**self).room()
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.encode(out),
            None => out.push(NULL),
        }
    }

    fn room(&self) -> usize {
        self.as_ref().map_or(1, Encode::room)
    }
}

/// A list of values, written as an array of its own.
pub struct List<'a, T>(pub &'a [T]);

impl<T: Encode> Encode for List<'_, T> {
    fn encode(&self, out: &mut Vec<u8>) {
        header(ARRAY, self.0.len() as u64, out);
        for value in self.0 {
            value.encode(out);
        }
    }

    fn room(&self) -> usize {
        HEAD + self.0.iter().map(Encode::room).sum::<usize>()
    }
}

/// Bytes that are already an encoding, put in as they are.
pub struct Encoded(pub Vec<u8>);

impl Encode for Encoded {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn room(&self) -> usize {
        self.0.len()
    }
}

/// Reads values one after the other and refuses every form but the deterministic one.
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Starts an array of `len` values whose first is `purpose`.
    ///
    /// # Errors
    /// When it is another array.
    pub fn message(bytes: &'a [u8], len: usize, purpose: &str) -> Result<Self, CborError> {
        let mut decoder = Self::new(bytes);
        decoder.array(len)?;
        if decoder.text()? == purpose { Ok(decoder) } else { Err(CborError::UnexpectedPurpose) }
    }

    /// An array of exactly `len` values follows.
    ///
    /// # Errors
    /// When it does not.
    pub fn array(&mut self, len: usize) -> Result<(), CborError> {
        if self.head(ARRAY)? == len as u64 { Ok(()) } else { Err(CborError::UnexpectedLength) }
    }

    /// An array of at most `max` values follows: its length.
    ///
    /// # Errors
    /// When it does not.
    pub fn list(&mut self, max: usize) -> Result<usize, CborError> {
        let len = usize::try_from(self.head(ARRAY)?).map_err(|_| CborError::UnexpectedLength)?;
        if len > max { Err(CborError::UnexpectedLength) } else { Ok(len) }
    }

    /// An unsigned integer follows.
    ///
    /// # Errors
    /// When it does not.
    pub fn uint(&mut self) -> Result<u64, CborError> {
        self.head(UINT)
    }

    /// A byte string follows.
    ///
    /// # Errors
    /// When it does not.
    pub fn bytes(&mut self) -> Result<&'a [u8], CborError> {
        let len = self.head(BYTES)?;
        self.take(len)
    }

    /// A byte string of exactly `N` bytes follows.
    ///
    /// # Errors
    /// When it does not.
    pub fn fixed<const N: usize>(&mut self) -> Result<[u8; N], CborError> {
        self.bytes()?.try_into().map_err(|_| CborError::UnexpectedLength)
    }

    /// A text string follows.
    ///
    /// # Errors
    /// When it does not.
    pub fn text(&mut self) -> Result<&'a str, CborError> {
        let len = self.head(TEXT)?;
        std::str::from_utf8(self.take(len)?).map_err(|_| CborError::NotUtf8)
    }

    /// Null, or what `read` reads.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, CborError>,
    ) -> Result<Option<T>, CborError> {
        if let Some((&NULL, rest)) = self.rest.split_first() {
            self.rest = rest;
            return Ok(None);
        }
        read(self).map(Some)
    }

    /// Nothing follows.
    ///
    /// # Errors
    /// [`CborError::Trailing`] when something does.
    pub fn end(&self) -> Result<(), CborError> {
        if self.rest.is_empty() { Ok(()) } else { Err(CborError::Trailing) }
    }

    fn head(&mut self, expected: u8) -> Result<u64, CborError> {
        let (&first, rest) = self.rest.split_first().ok_or(CborError::Truncated)?;
        self.rest = rest;
        if first >> 5 != expected {
            return Err(CborError::UnexpectedType);
        }
        let (width, least) = match first & 0x1F {
            small @ 0..=23 => return Ok(u64::from(small)),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            _ => return Err(CborError::NotCanonical),
        };
        let number = self.take(width)?.iter().fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte));
        if number < least { Err(CborError::NotCanonical) } else { Ok(number) }
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], CborError> {
        let len = usize::try_from(len).map_err(|_| CborError::Truncated)?;
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(CborError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }
}

const UINT: u8 = 0;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const NULL: u8 = 0xF6;
/// The longest head of a value: one byte and a number of eight.
const HEAD: usize = 9;

fn header(major: u8, number: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    let bytes = number.to_be_bytes();
    match number {
        0..=23 => out.push(major | bytes[7]),
        24..=0xFF => out.extend_from_slice(&[major | 24, bytes[7]]),
        0x100..=0xFFFF => {
            out.push(major | 25);
            out.extend_from_slice(&bytes[6..]);
        }
        0x1_0000..=0xFFFF_FFFF => {
            out.push(major | 26);
            out.extend_from_slice(&bytes[4..]);
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn encodings_agree_with_the_examples_of_rfc_8949_appendix_a() {
        let cases: [(u64, &[u8]); 8] = [
            (0, &[0x00]),
            (23, &[0x17]),
            (24, &[0x18, 0x18]),
            (100, &[0x18, 0x64]),
            (1000, &[0x19, 0x03, 0xE8]),
            (1_000_000, &[0x1A, 0x00, 0x0F, 0x42, 0x40]),
            (1_000_000_000_000, &[0x1B, 0x00, 0x00, 0x00, 0xE8, 0xD4, 0xA5, 0x10, 0x00]),
            (u64::MAX, &[0x1B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
        ];
        for (number, expected) in cases {
            let mut out = Vec::new();
            number.encode(&mut out);
            assert_eq!(out, expected);
            assert_eq!(Decoder::new(expected).uint(), Ok(number));
        }
        assert_eq!(
            cbor_array!["IETF", [1_u8, 2, 3, 4], None::<u64>],
            b"\x83\x64IETF\x44\x01\x02\x03\x04\xF6"
        );
    }

    #[test]
    fn longer_forms_trailing_bytes_and_other_purposes_are_refused() {
        assert_eq!(Decoder::new(&[0x18, 0x17]).uint(), Err(CborError::NotCanonical));
        assert_eq!(Decoder::new(&[0x19, 0x00, 0xFF]).uint(), Err(CborError::NotCanonical));
        assert_eq!(Decoder::new(&[0x5F, 0x41, 0x00, 0xFF]).bytes(), Err(CborError::NotCanonical));
        let message = cbor_array!["keyquay/1/test", 1_u64];
        assert!(Decoder::message(&message, 2, "keyquay/1/other").is_err());
        assert!(Decoder::message(&message, 3, "keyquay/1/test").is_err());
        let mut decoder = Decoder::message(&message, 2, "keyquay/1/test").unwrap();
        assert_eq!(decoder.end(), Err(CborError::Trailing));
        assert_eq!(decoder.uint(), Ok(1));
        assert_eq!(decoder.end(), Ok(()));
    }

    proptest! {
        #[test]
        fn a_message_is_written_into_room_that_was_there_from_the_start(
            number: u64, bytes: Vec<u8>, text: String, fixed: [u8; 32], list: Vec<Vec<u8>>, maybe: Option<u64>,
        ) {
            let values: [&dyn Encode; 6] = [&text, &number, &bytes, &fixed, &List(&list), &maybe];
            let room = HEAD + values.iter().map(|value| value.room()).sum::<usize>();
            prop_assert!(array_of(&values).len() <= room);
        }

        #[test]
        fn what_is_encoded_is_read_back(number: u64, bytes: Vec<u8>, text: String, maybe: Option<u64>) {
            let message = cbor_array![text, bytes, number, maybe];
            let mut decoder = Decoder::message(&message, 4, &text).unwrap();
            prop_assert_eq!(decoder.bytes().unwrap(), &bytes);
            prop_assert_eq!(decoder.uint().unwrap(), number);
            prop_assert_eq!(decoder.optional(Decoder::uint).unwrap(), maybe);
            prop_assert_eq!(decoder.end(), Ok(()));
        }

        #[test]
        fn a_number_has_exactly_one_accepted_form(bytes in proptest::collection::vec(any::<u8>(), 0..10)) {
            let mut decoder = Decoder::new(&bytes);
            if let Ok(number) = decoder.uint() {
                let mut again = Vec::new();
                number.encode(&mut again);
                prop_assert!(bytes.starts_with(&again));
            }
        }
    }
}
