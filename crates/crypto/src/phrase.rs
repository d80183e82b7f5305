//! Words that two people, or two screens, can compare.

use bip39::Language;

use crate::Digest;

/// The first 66 bits of a SHA-256 digest as six words of the BIP-39 English list.
#[must_use]
pub fn six_words(digest: &Digest) -> String {
    let words = Language::English.word_list();
    let mut phrase = Vec::with_capacity(6);
    let mut bits = 0_u32;
    let mut held = 0_u32;
    for &byte in digest {
        bits = bits << 8 | u32::from(byte);
        held += 8;
        if held >= 11 {
            held -= 11;
            let index = (bits >> held & 0x7FF) as usize;
            phrase.extend(words.get(index).copied());
            bits &= (1 << held) - 1;
        }
        if phrase.len() == 6 {
            break;
        }
    }
    phrase.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_the_first_66_bits() {
        assert_eq!(six_words(&[0; 32]), "abandon abandon abandon abandon abandon abandon");
        assert_eq!(six_words(&[0xFF; 32]), "zoo zoo zoo zoo zoo zoo");
        let mut digest = [0; 32];
        digest[1] = 0b0010_0000;
        digest[8] = 0b0100_0000;
        assert_eq!(six_words(&digest), "ability abandon abandon abandon abandon ability");
        digest[8] = 0b0111_1111;
        assert_eq!(six_words(&digest), "ability abandon abandon abandon abandon ability");
    }
}
