//! Which field a name in pasted text means.

use crate::catalogue::{Exchange, Field, folded};

/// Names longer than this are no names.
const LONGEST: usize = 64;
const MOST_WORDS: usize = 8;

/// How people and tools name the fields that most exchanges have.
const COMMON: [(&str, &[&str]); 6] = [
    (
        "apiKey",
        &[
            "apikey",
            "key",
            "api",
            "accesskey",
            "accesskeyid",
            "apikeyid",
            "keyid",
            "apiid",
            "publickey",
            "clientid",
            "apitoken",
            "publicapikey",
            "apiaccesskey",
        ],
    ),
    (
        "secret",
        &[
            "secret",
            "apisecret",
            "secretkey",
            "apisecretkey",
            "apikeysecret",
            "clientsecret",
            "keysecret",
            "secretapikey",
            "privatekey",
            "apiprivatekey",
            "secretaccesskey",
        ],
    ),
    (
        "password",
        &["passphrase", "password", "apipassphrase", "apipassword", "pass", "passwd", "apikeypassphrase"],
    ),
    ("privateKey", &["privatekey", "walletprivatekey", "apiwalletprivatekey"]),
    ("walletAddress", &["walletaddress", "wallet", "address", "publicaddress"]),
    ("accountId", &["accountid"]),
];

/// A field that a name means. Names that begin with the exchange's own name mean it more surely.
pub(super) struct Named<'e> {
    pub field: &'e Field,
    pub own: bool,
}

/// The field that a name means, `API Key` as well as `BINANCE_API_KEY` or `mybot.apiKey`; `None` for a
/// name that means no field or belongs to another exchange.
pub(super) fn named<'e>(exchange: &'e Exchange, name: &str) -> Option<Named<'e>> {
    let words = words(name)?;
    let own = after_own_name(exchange, &words);
    if own.is_none() && begins_with_another(exchange, &words) {
        return None;
    }
    let mut rest = own.unwrap_or(&words);
    while rest
        .last()
        .is_some_and(|word| is_own_name(exchange, word) || word.chars().all(|c| c.is_ascii_digit()))
    {
        rest = rest.split_last().map(|(_, rest)| rest).unwrap_or_default();
    }
    (0..rest.len()).find_map(|skipped| {
        let field = meant(exchange, &rest.get(skipped..)?.concat())?;
        Some(Named { field, own: own.is_some() })
    })
}

/// Whether a name says that a key follows, of whatever exchange.
pub(super) fn is_name_of_a_key(name: &str) -> bool {
    let Some(words) = words(name) else { return false };
    (0..words.len()).any(|skipped| {
        let name = words.get(skipped..).unwrap_or_default().concat();
        COMMON.iter().any(|(_, names)| names.contains(&name.as_str()))
    })
}

/// The field whose label or key a whole line is.
pub(super) fn labelled<'e>(exchange: &'e Exchange, line: &str) -> Option<&'e Field> {
    if line.len() > LONGEST {
        return None;
    }
    meant(exchange, &folded(line))
}

fn meant<'e>(exchange: &'e Exchange, name: &str) -> Option<&'e Field> {
    if name.is_empty() {
        return None;
    }
    let fields = &exchange.fields;
    let exact = |field: &&Field| folded(&field.key) == name || folded(&field.label) == name;
    let special = |field: &&Field| field.names.iter().any(|known| known == name);
    let common =
        |field: &&Field| COMMON.iter().any(|(key, names)| *key == field.key && names.contains(&name));
    fields.iter().find(exact).or_else(|| fields.iter().find(special)).or_else(|| fields.iter().find(common))
}

/// What follows the exchange's own name (`gate`, `gate_io`, `coinbase_advanced_trade`).
fn after_own_name<'w>(exchange: &Exchange, words: &'w [String]) -> Option<&'w [String]> {
    let most = words.len().min(4);
    (1..=most).rev().find_map(|taken| {
        let (name, rest) = words.split_at_checked(taken)?;
        is_own_name(exchange, &name.concat()).then_some(rest)
    })
}

fn is_own_name(exchange: &Exchange, name: &str) -> bool {
    Exchange::find(name).is_some_and(|found| found.id == exchange.id)
}

fn begins_with_another(exchange: &Exchange, words: &[String]) -> bool {
    words.first().is_some_and(|word| is_another(exchange, word))
}

/// Whether this is the name of an exchange that is not this one.
pub(super) fn is_another(exchange: &Exchange, name: &str) -> bool {
    Exchange::find(name).is_some_and(|found| found.id != exchange.id && !found.free_fields)
}

/// `BINANCE_API_KEY`, `apiKey` and `API Key` in lower-case words; `None` if it is no name.
fn words(name: &str) -> Option<Vec<String>> {
    if name.len() > LONGEST {
        return None;
    }
    let mut words: Vec<String> = Vec::new();
    let mut inside = false;
    let mut after_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            inside = false;
            continue;
        }
        if !inside || (after_lower && c.is_uppercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
        inside = true;
        after_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    (1..=MOST_WORDS).contains(&words.len()).then_some(words)
}
