//! How a value is shown in a row.

use zeroize::Zeroizing;

const ENDS: usize = 3;
const SHORTEST: usize = 12;
const HIDDEN: &str = "••••••";

/// The two ends of a value, `AbC…9xZ`. Values below twelve characters, values with lines and ends that
/// would not show as they are (spaces, invisible or unusual characters) are hidden altogether, in a way
/// that does not tell their length.
pub fn masked(value: &str) -> String {
    let mut first = Zeroizing::new(String::with_capacity(4 * ENDS));
    first.extend(value.chars().take(ENDS));
    let last =
        value.char_indices().rev().nth(ENDS - 1).and_then(|(at, _)| value.get(at..)).unwrap_or_default();
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_graphic());
    let long_enough = value.chars().nth(SHORTEST - 1).is_some();
    if !long_enough || !plain(&first) || !plain(last) || value.contains(['\n', '\r']) {
        return HIDDEN.to_owned();
    }
    format!("{}…{last}", first.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_shows_its_ends() {
        assert_eq!(masked("AbC4567899xZ"), "AbC…9xZ");
        assert_eq!(masked("0x52908400098527886E0F7030069857D2E4169EE7"), "0x5…EE7");
    }

    #[test]
    fn a_short_value_shows_nothing_not_even_its_length() {
        assert_eq!(masked(""), masked("AbC456789xZ"));
        assert_eq!(masked("ä"), HIDDEN);
    }

    #[test]
    fn a_value_with_lines_or_invisible_ends_shows_nothing() {
        assert_eq!(masked("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"), HIDDEN);
        assert_eq!(masked("\u{202e}AbC4567899xZ"), HIDDEN);
        assert_eq!(masked("AbC4567899xZ \u{200b}"), HIDDEN);
    }
}
