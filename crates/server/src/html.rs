//! Text for mails and pages: escaped, and somebody else's words made harmless.

use time::OffsetDateTime;

/// Text as HTML, also inside a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A platform as a stranger's device names it, without anything that a mail program makes a link of or that
/// turns the direction of writing: letters, digits, and dots between digits.
pub(crate) fn plain_platform(platform: &str) -> String {
    let mut plain = String::new();
    let mut before = ' ';
    let mut rest = platform.chars().take(60).peekable();
    while let Some(character) = rest.next() {
        let after = rest.peek().copied().unwrap_or(' ');
        let number_point = character == '.' && before.is_ascii_digit() && after.is_ascii_digit();
        let kept = character.is_alphanumeric() || "-_,()+".contains(character) || number_point;
        plain.push(if kept { character } else { ' ' });
        before = character;
    }
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if plain.is_empty() { "not said".to_owned() } else { plain }
}

/// `23 November 2026, 07:13 UTC`.
pub(crate) fn utc(unix_seconds: u64) -> String {
    let moment = i64::try_from(unix_seconds).ok().and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    match moment {
        Some(at) => {
            let (day, month, year) = (at.day(), at.month(), at.year());
            format!("{day} {month} {year}, {:02}:{:02} UTC", at.hour(), at.minute())
        }
        None => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text_inside_markup() {
        assert_eq!(escape(r#"<a b="c">&'"#), "&lt;a b=&quot;c&quot;&gt;&amp;&#39;");
    }

    #[test]
    fn a_platform_carries_no_link_into_a_strangers_mailbox() {
        assert_eq!(plain_platform("Debian 13.1 (x86_64)"), "Debian 13.1 (x86_64)");
        assert_eq!(plain_platform("WIN at https://evil.example/x?y"), "WIN at https evil example x y");
        assert_eq!(plain_platform("mail me@evil.example\u{202e}\r\nBcc: x"), "mail me evil example Bcc x");
        assert_eq!(plain_platform("  \u{202e} "), "not said");
        assert_eq!(plain_platform(&"a".repeat(500)).len(), 60);
    }

    #[test]
    fn a_time_is_written_out_in_utc() {
        assert_eq!(utc(1_795_418_013), "23 November 2026, 07:13 UTC");
        assert_eq!(utc(0), "1 January 1970, 00:00 UTC");
        assert_eq!(utc(u64::MAX), "unknown");
    }
}
