//! JSON whose values may be secret: read in place, without copies that nobody erases.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// The members of one object, each value as it stands in the text.
#[derive(Default)]
pub(crate) struct Members<'a>(pub(crate) BTreeMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    /// `None` if the text is no object or names a member twice.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        self.0.remove(name)
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member stands there twice"));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// The values of an array as they stand in the text; `None` if the text is no array.
pub(crate) fn elements(text: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(text).ok()
}

/// The text of a JSON string. Unlike serde_json's own reading it leaves no unescaped copy behind.
/// `None` if it is no string or has a broken escape.
pub(crate) fn unescaped(raw: &str) -> Option<Zeroizing<String>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = Zeroizing::new(String::with_capacity(inner.len()));
    let mut rest = inner;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut after = escape.chars();
        let unescaped = match after.next()? {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => code_point(&mut after)?,
            _ => return None,
        };
        text.push(unescaped);
        rest = after.as_str();
    }
    text.push_str(rest);
    Some(text)
}

/// What follows `\u`: four digits, or a surrogate pair (RFC 8259, section 7).
fn code_point(after: &mut std::str::Chars<'_>) -> Option<char> {
    let high = unit(after)?;
    if !(0xd800..0xdc00).contains(&high) {
        return char::from_u32(high);
    }
    if after.next()? != '\\' || after.next()? != 'u' {
        return None;
    }
    let low = unit(after)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)
}

fn unit(after: &mut std::str::Chars<'_>) -> Option<u32> {
    let mut unit = 0;
    for _ in 0..4 {
        unit = unit * 16 + after.next()?.to_digit(16)?;
    }
    Some(unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_read_as_serde_json_reads_it(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unescaped(&json).map(|read| read.to_string()), Some(text));
        }

        #[test]
        fn any_escapes_are_read_as_serde_json_reads_them(inner in r#"(\\["\\/bfnrtu]|[0-9a-fD]{1,4}|\\u[dD][8-9a-fA-F][0-9a-f]{2}|é|x){0,12}"#) {
            let json = format!("\"{inner}\"");
            let theirs = serde_json::from_str::<String>(&json).ok();
            prop_assert_eq!(unescaped(&json).map(|text| text.to_string()), theirs);
        }
    }

    #[test]
    fn a_member_that_stands_there_twice_is_refused() {
        assert!(Members::of(r#"{"a":1,"b":2}"#).is_some());
        assert!(Members::of(r#"{"a":1,"a":2}"#).is_none());
    }
}
