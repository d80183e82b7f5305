//! Crockford base32: upper case without I, L, O and U; reading forgives case and look-alikes.

use zeroize::Zeroizing;

pub(crate) const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 20 bytes as 32 five-bit values.
pub(crate) fn split(bytes: &[u8; 20]) -> Zeroizing<[u8; 32]> {
    let mut values = Zeroizing::new([0_u8; 32]);
    for (chunk, out) in bytes.chunks_exact(5).zip(values.chunks_exact_mut(8)) {
        let number = chunk.iter().fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte));
        for (index, value) in out.iter_mut().enumerate() {
            *value = (number >> (35 - 5 * index) & 31) as u8;
        }
    }
    values
}

/// 32 five-bit values as 20 bytes.
pub(crate) fn join(values: &[u8; 32]) -> Zeroizing<[u8; 20]> {
    let mut bytes = Zeroizing::new([0_u8; 20]);
    for (chunk, out) in values.chunks_exact(8).zip(bytes.chunks_exact_mut(5)) {
        let number = chunk.iter().fold(0_u64, |sum, &value| sum << 5 | u64::from(value));
        out.copy_from_slice(&number.to_be_bytes()[3..]);
    }
    bytes
}

/// The character of the alphabet that was meant: upper case, and O, I, L read as 0, 1, 1.
pub(crate) fn unmistaken(typed: char) -> char {
    match typed.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    }
}

/// The five-bit value of a character of the alphabet.
pub(crate) fn value_of(character: char) -> Option<u8> {
    let position = ALPHABET.iter().position(|&known| char::from(known) == character)?;
    u8::try_from(position).ok()
}
