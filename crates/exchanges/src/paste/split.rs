//! Several values in one pasted text.

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{
    BEGIN, END, clean,
    names::{is_another, is_name_of_a_key, labelled, named},
    without_invisible,
};
use crate::{
    catalogue::{Exchange, Field},
    json::{Members, elements, unescaped},
};

/// Longer texts are no keys.
const LONGEST: usize = 64 * 1024;
/// Bare values shorter than this, which fit no shape either, are words of a sentence.
const SHORTEST: usize = 16;
const JSON_DEPTH: usize = 4;

/// A value for a field of the form.
#[derive(Debug, Clone)]
pub struct Suggestion {
    /// The field's key.
    pub key: String,
    /// Cleaned as [`clean`] does.
    pub value: SecretString,
}

/// The values of an exchange's fields in a pasted text, in the order of its form: JSON, `name: value` or
/// `NAME=value` in lines or one line, labels with the values below them, or two to four bare values in
/// the form's order. Empty if the text is a single value or none of these; text of other exchanges in it
/// is passed over.
pub fn split(exchange: &Exchange, text: &str) -> Vec<Suggestion> {
    if text.len() > LONGEST {
        return Vec::new();
    }
    let text = without_invisible(text);
    let mut found = Found::new(exchange);
    found.read_json(&text, &mut Vec::new());
    if found.is_empty() {
        found.read_lines(without_braces(&text));
    }
    if found.is_empty() {
        found.read_bare(&text);
    }
    found.into_suggestions()
}

struct Found<'e> {
    exchange: &'e Exchange,
    /// Beside each field of the exchange.
    slots: Vec<Option<Slot>>,
}

struct Slot {
    value: Zeroizing<String>,
    own: bool,
}

impl<'e> Found<'e> {
    fn new(exchange: &'e Exchange) -> Self {
        Self { exchange, slots: exchange.fields.iter().map(|_| None).collect() }
    }

    fn is_empty(&self) -> bool {
        self.slots.iter().all(Option::is_none)
    }

    /// The first value stays, unless a later name begins with the exchange's own.
    fn put(&mut self, field: &Field, own: bool, value: &str) {
        let value = clean(field, value);
        let is_exchange = !field.secret && Exchange::find(&value).is_some();
        if value.is_empty() || is_exchange {
            return;
        }
        let fields = self.exchange.fields.iter();
        let Some((_, slot)) = fields.zip(&mut self.slots).find(|(known, _)| known.key == field.key) else {
            return;
        };
        if slot.as_ref().is_none_or(|kept| own && !kept.own) {
            *slot = Some(Slot { value, own });
        }
    }

    fn put_named(&mut self, name: &str, value: &str) -> bool {
        let Some(named) = named(self.exchange, name) else { return false };
        self.put(named.field, named.own, value);
        true
    }

    fn into_suggestions(self) -> Vec<Suggestion> {
        let fields = self.exchange.fields.iter();
        fields
            .zip(self.slots)
            .filter_map(|(field, slot)| {
                let value = SecretString::from(slot?.value.as_str());
                Some(Suggestion { key: field.key.clone(), value })
            })
            .collect()
    }

    /// Every named text or number in objects and arrays, down to [`JSON_DEPTH`].
    fn read_json(&mut self, text: &str, path: &mut Vec<String>) {
        if path.len() > JSON_DEPTH {
            return;
        }
        let text = text.trim();
        if text.starts_with('[') {
            for raw in elements(text).unwrap_or_default() {
                path.push(String::new());
                self.read_json(raw.get(), path);
                path.pop();
            }
        } else if text.starts_with('{') {
            let mut members = Members::of(text).unwrap_or_default().0;
            members.retain(|name, _| !is_another(self.exchange, name));
            for (name, raw) in members {
                path.push(name);
                self.read_json(raw.get(), path);
                path.pop();
            }
        } else if !path.is_empty() {
            let value =
                unescaped(text).or_else(|| text.parse::<u64>().ok().map(|n| Zeroizing::new(n.to_string())));
            if let Some(value) = value {
                let near: Vec<&str> = path.iter().rev().take(2).rev().map(String::as_str).collect();
                self.put_named(&near.join("."), &value);
            }
        }
    }

    /// `name: value` and `NAME=value`, several to a line too, and names with the value in the next line.
    fn read_lines(&mut self, text: &str) {
        let mut label: Option<&'e Field> = None;
        for item in items(text) {
            let next = labelled(self.exchange, item);
            match label.take() {
                Some(field) if next.is_none() => self.put(field, false, item),
                _ if !self.read_pairs(item) => label = next,
                _ => {}
            }
        }
    }

    fn read_pairs(&mut self, item: &str) -> bool {
        if !item.contains(BEGIN) {
            let parts = || item.split([',', ';', '|', '&', '\t']).filter_map(pair);
            if parts().filter(|(name, _)| named(self.exchange, name).is_some()).take(2).count() == 2 {
                for (name, value) in parts() {
                    self.put_named(name, value);
                }
                return true;
            }
        }
        pair(item).is_some_and(|(name, value)| self.put_named(name, value))
    }

    /// Bare values in lines, or in one line with something between them.
    fn read_bare(&mut self, text: &str) {
        let wanted = self.wanted();
        let lines: Vec<&str> = items(text).take(wanted.len() + 1).collect();
        let values = match lines.as_slice() {
            [line] if wanted.iter().any(|field| fits(field, line)) => None,
            [line] => {
                SEPARATORS.iter().find_map(|between| in_order(&wanted, parts(line, between, wanted.len())))
            }
            _ => in_order(&wanted, lines),
        };
        for (field, value) in wanted.iter().zip(values.unwrap_or_default()) {
            self.put(field, false, value);
        }
    }

    /// The fields that bare values are for.
    fn wanted(&self) -> Vec<&'e Field> {
        if self.exchange.free_fields {
            self.exchange.fields.iter().collect()
        } else {
            self.exchange.required().collect()
        }
    }
}

/// Colons last: they stand inside values too.
const SEPARATORS: [&[char]; 2] = [&[',', ';', '|', '\t', ' '], &[':']];

/// At most one part more than wanted, which is enough to know that there are too many.
fn parts<'t>(line: &'t str, between: &[char], wanted: usize) -> Vec<&'t str> {
    line.split(between).map(str::trim).filter(|part| !part.is_empty()).take(wanted + 1).collect()
}

/// One value for each wanted field, of which a passphrase may be missing; `None` if the values are
/// too many, too few or no keys by their looks.
fn in_order<'t>(wanted: &[&Field], values: Vec<&'t str>) -> Option<Vec<&'t str>> {
    let missing = wanted.get(values.len()..)?;
    if values.len() < 2 || !missing.iter().all(|field| is_passphrase(field)) {
        return None;
    }
    let values = best_order(wanted, values);
    wanted.iter().zip(&values).all(|(field, value)| is_plausible(field, value)).then_some(values)
}

/// Swapped in pairs where that makes more of them fit the fields' shapes.
fn best_order<'t>(wanted: &[&Field], mut values: Vec<&'t str>) -> Vec<&'t str> {
    let fit = |values: &[&str]| wanted.iter().zip(values).filter(|(field, value)| fits(field, value)).count();
    let mut best = fit(&values);
    for first in 0..values.len() {
        for second in first + 1..values.len() {
            values.swap(first, second);
            let now = fit(&values);
            if now > best {
                best = now;
            } else {
                values.swap(first, second);
            }
        }
    }
    values
}

fn is_plausible(field: &Field, value: &str) -> bool {
    if pair(value).is_some_and(|(name, _)| is_name_of_a_key(name)) {
        return false;
    }
    let long = value.chars().nth(SHORTEST - 1).is_some() && !value.contains(char::is_whitespace);
    is_passphrase(field) || long || value.contains(BEGIN) || fits(field, value)
}

fn is_passphrase(field: &Field) -> bool {
    field.key == "password"
}

fn fits(field: &Field, value: &str) -> bool {
    let value = clean(field, value);
    !field.shape.is_empty() && field.shape.iter().any(|form| form.fits(&value))
}

/// The lines of a text that are not empty, a PEM block in one piece with what stands before it.
fn items(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let line_end = rest.find('\n').unwrap_or(rest.len());
            let begins = rest.get(..line_end).is_some_and(|line| line.contains(BEGIN));
            let end = if begins { block_end(rest) } else { line_end };
            let (item, after) = rest.split_at_checked(end)?;
            rest = after.strip_prefix('\n').unwrap_or(after);
            let item = item.trim();
            if !item.is_empty() {
                return Some(item);
            }
        }
    })
}

/// The end of the line with a PEM block's END, or of the text.
fn block_end(text: &str) -> usize {
    let Some(end) = text.find(END) else { return text.len() };
    text.get(end..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| end + length)
}

/// A name and a value that is not empty, around the first `:` or `=`.
fn pair(item: &str) -> Option<(&str, &str)> {
    const AROUND: [char; 14] = [' ', '"', '\'', '`', '-', '*', '•', '{', '}', '[', ']', '(', ')', '$'];
    const BEFORE: [&str; 6] = ["export ", "set ", "const ", "let ", "var ", "env:"];
    let item = item.trim_start_matches(AROUND);
    let item = BEFORE.iter().find_map(|word| item.strip_prefix(word)).unwrap_or(item);
    let (name, value) = item.split_once([':', '='])?;
    let value = without_comment(value.strip_prefix(['>', '=']).unwrap_or(value).trim());
    (!value.is_empty() && !name.contains("-----")).then(|| (name.trim_end_matches(AROUND), value))
}

/// What stands between the braces of an object that is no JSON.
fn without_braces(text: &str) -> &str {
    let text = text.trim();
    let inner =
        text.strip_prefix('{').and_then(|text| text.trim_end_matches([';', ' ', '\n']).strip_suffix('}'));
    inner.unwrap_or(text)
}

/// Without ` # …` behind a value and its quotes.
fn without_comment(value: &str) -> &str {
    if value.contains(BEGIN) {
        return value;
    }
    let quoted = value.strip_prefix(['"', '\'', '`']).and_then(|inner| {
        let quote = value.strip_suffix(inner)?;
        inner.split_once(quote)
    });
    match quoted {
        Some((inner, rest)) if rest.trim_start().starts_with('#') => inner,
        Some(_) => value,
        None => value.split_once(" #").map_or(value, |(value, _)| value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pem_block_is_one_item_with_what_names_it() {
        let text = "a\n\nSECRET=-----BEGIN X-----\nAAAA\n-----END X-----\nb";
        let found: Vec<&str> = items(text).collect();
        assert_eq!(found, ["a", "SECRET=-----BEGIN X-----\nAAAA\n-----END X-----", "b"]);
    }

    #[test]
    fn shapes_decide_about_the_order_of_bare_values() {
        let exchange = Exchange::find("kucoin").unwrap();
        let wanted: Vec<&Field> = exchange.required().collect();
        let key = "0123456789abcdef01234567";
        let secret = "01234567-89ab-cdef-0123-456789abcdef";
        assert_eq!(best_order(&wanted, vec![secret, key, "pass phrase"]), [key, secret, "pass phrase"]);
    }
}
