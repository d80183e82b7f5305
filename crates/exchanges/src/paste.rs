//! Pasted text: one value cleaned, or several told apart. Both take time in proportion to the text.

mod names;
mod split;

use zeroize::Zeroizing;

pub use self::split::{Suggestion, split};
use crate::{catalogue::Field, shape::Form};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const PEM_LINE: usize = 64;

/// A pasted value as the field keeps it: without space and quotes around it and without invisible
/// characters; a PEM block out of its surroundings and in lines of 64; other values in one line unless
/// the field has lines. Cleaning twice changes nothing more.
pub fn clean(field: &Field, text: &str) -> Zeroizing<String> {
    let visible = without_invisible(text);
    if let Some(block) = takes_pem(field).then(|| pem_block(&visible)).flatten() {
        return block;
    }
    let bare = unquoted(&visible);
    if field.multi_line && bare.contains(BEGIN) {
        return Zeroizing::new(bare.to_owned());
    }
    if !field.shape.is_empty() && !field.shape.iter().any(has_inner_spaces) {
        return kept(bare, |c| !c.is_whitespace());
    }
    if field.shape.contains(&Form::Words) {
        return single_spaced(bare);
    }
    if field.multi_line {
        return Zeroizing::new(bare.to_owned());
    }
    // What is left after the breaks may begin with what stood behind one.
    let one_line = kept(bare, |c| !matches!(c, '\n' | '\r'));
    Zeroizing::new(unquoted(&one_line).to_owned())
}

/// Zero-width and direction marks, byte order marks, soft hyphens, controls other than tab and line breaks.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
        || (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// PEM aside, which [`pem_block`] sees to.
fn has_inner_spaces(form: &Form) -> bool {
    form.has_spaces() && *form != Form::Pem
}

fn takes_pem(field: &Field) -> bool {
    field.multi_line || field.shape.contains(&Form::Pem)
}

/// With `\n` for every line break.
fn without_invisible(text: &str) -> Zeroizing<String> {
    let mut visible = Zeroizing::new(String::with_capacity(text.len()));
    let mut chars = text.chars().filter(|c| !is_invisible(*c)).peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                visible.push('\n');
            }
            c => visible.push(c),
        }
    }
    visible
}

fn kept(text: &str, keep: impl Fn(char) -> bool) -> Zeroizing<String> {
    let mut kept = Zeroizing::new(String::with_capacity(text.len()));
    kept.extend(text.chars().filter(|c| keep(*c)));
    kept
}

fn single_spaced(text: &str) -> Zeroizing<String> {
    let mut spaced = Zeroizing::new(String::with_capacity(text.len()));
    for word in text.split_whitespace() {
        if !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.push_str(word);
    }
    spaced
}

/// Without space around, pairs of quotes, and a comma or semicolon behind a quote.
fn unquoted(text: &str) -> &str {
    const QUOTES: [(char, char); 6] =
        [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’'), ('«', '»')];
    let mut bare = text.trim();
    loop {
        let ended = bare.strip_suffix([',', ';']).unwrap_or(bare).trim_end();
        let inner = QUOTES.iter().find_map(|(open, close)| ended.strip_prefix(*open)?.strip_suffix(*close));
        match inner {
            Some(inner) => bare = inner.trim(),
            None => return bare,
        }
    }
}

/// The only PEM block of a text, in lines of 64 characters and without a break at its end, its `\n` escapes
/// read. Blocks with headers keep their lines. `None` if there is no block, or not exactly one.
fn pem_block(text: &str) -> Option<Zeroizing<String>> {
    let start = text.find(BEGIN)?;
    let block = text.get(start..)?;
    let (label, rest) = block.strip_prefix(BEGIN)?.split_once("-----")?;
    let (body, rest) = rest.split_once(END)?;
    let (end_label, rest) = rest.split_once("-----")?;
    if end_label != label || label.len() > PEM_LINE || label.contains(['\n', '\\']) || rest.contains(BEGIN) {
        return None;
    }
    let body = with_escapes_read(body);
    let wrapped_len = body.len() + body.len() / PEM_LINE + 1;
    let mut pem = Zeroizing::new(String::with_capacity(wrapped_len + 2 * (label.len() + 18)));
    pem.push_str(BEGIN);
    pem.push_str(label);
    pem.push_str("-----\n");
    if body.contains(':') {
        pem.push_str(body.trim());
    } else {
        let digits = body.chars().filter(|c| !c.is_whitespace());
        for (at, c) in digits.enumerate() {
            if at > 0 && at % PEM_LINE == 0 {
                pem.push('\n');
            }
            pem.push(c);
        }
    }
    if !pem.ends_with('\n') {
        pem.push('\n');
    }
    pem.push_str(END);
    pem.push_str(label);
    pem.push_str("-----");
    Some(pem)
}

/// With line breaks in place of `\n`, `\r\n` and `\\n` as they stand in JSON and env files.
fn with_escapes_read(text: &str) -> Zeroizing<String> {
    let mut read = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        read.push_str(plain);
        rest = escape.trim_start_matches('\\');
        if let Some(after) = rest.strip_prefix('n') {
            read.push('\n');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('r') {
            rest = after;
        }
    }
    read.push_str(rest);
    read
}
