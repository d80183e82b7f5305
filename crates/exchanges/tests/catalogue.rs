#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet, HashSet};

use keyquay_exchanges::{AccountId, Chars, Exchange, Field, Form, Kind, OTHER, catalogue};
use ts_rs::TS as _;

#[derive(serde::Deserialize)]
struct RequiredByCcxt {
    required: BTreeMap<String, BTreeSet<String>>,
}

fn required_by_ccxt() -> BTreeMap<String, BTreeSet<String>> {
    serde_json::from_str::<RequiredByCcxt>(include_str!("data/required-by-ccxt.json")).unwrap().required
}

/// Where this catalogue requires other fields than ccxt, and why.
const DIFFERENT: [(&str, &[&str], &str); 2] = [
    ("dydx", &["privateKey"], "ccxt lists none as required, and still cannot trade without a private key"),
    (
        "lighter",
        &["accountIndex", "apiKeyIndex", "privateKey"],
        "ccxt takes both indexes as options; a key is useless without them, so the form asks",
    ),
];

/// What ccxt does not have, and why this catalogue does.
const NOT_IN_CCXT: [(&str, &str); 2] =
    [("bitmex", "was in ccxt until 4.5.0; the exchange and its keys live on"), (OTHER, "is no exchange")];

#[test]
fn required_fields_are_those_of_ccxt_but_for_known_differences() {
    let ccxt = required_by_ccxt();
    for (name, theirs) in &ccxt {
        let exchange = Exchange::find(name).unwrap_or_else(|| panic!("{name} is not found"));
        let ours: BTreeSet<String> = exchange.required().map(|field| field.key.clone()).collect();
        match DIFFERENT.iter().find(|(id, ..)| *id == exchange.id) {
            Some((_, known, reason)) => {
                assert_eq!(ours, known.iter().map(|key| (*key).to_owned()).collect(), "{name}: {reason}");
                assert_ne!(&ours, theirs, "{name} is no longer different: take it off the list");
            }
            None => assert_eq!(&ours, theirs, "{name}"),
        }
    }
    for exchange in &catalogue().exchanges {
        let excused = NOT_IN_CCXT.iter().any(|(id, _)| *id == exchange.id);
        assert_ne!(ccxt.contains_key(&exchange.id), excused, "{}", exchange.id);
    }
}

#[test]
fn ids_aliases_and_names_find_one_exchange_each() {
    let mut seen = HashSet::new();
    for exchange in &catalogue().exchanges {
        let plain = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        assert!(plain(&exchange.id) && exchange.aliases.iter().all(|alias| plain(alias)), "{}", exchange.id);
        assert!(
            exchange.fields().iter().flat_map(|field| &field.names).all(|name| plain(name)),
            "{}",
            exchange.id
        );
        for name in [&exchange.id].into_iter().chain(&exchange.aliases) {
            assert!(seen.insert(name.clone()), "{name} stands there twice");
            assert_eq!(Exchange::find(name).unwrap().id, exchange.id);
        }
        assert_eq!(Exchange::find(&exchange.name).unwrap().id, exchange.id, "{}", exchange.name);
    }
    assert_eq!(seen.iter().filter(|name| **name == OTHER).count(), 1);
}

#[test]
fn names_are_found_as_people_write_them() {
    for (name, id) in [
        ("Gate.io", "gate"),
        ("CRYPTO.COM", "cryptocom"),
        ("Huobi", "htx"),
        ("binance_perpetual", "binance"),
        ("OKX US", "okx"),
    ] {
        assert_eq!(Exchange::find(name).map(|found| found.id.as_str()), Some(id));
    }
    assert!(Exchange::find("").is_none());
    assert!(Exchange::find(&"binance".repeat(1000)).is_none());
}

#[test]
fn every_exchange_has_fields_with_unique_keys_and_something_to_hide() {
    for exchange in &catalogue().exchanges {
        let mut keys = HashSet::new();
        assert!(
            exchange.fields().iter().all(|field| keys.insert(&field.key) && !field.label.is_empty()),
            "{}",
            exchange.id
        );
        assert!(exchange.fields().iter().any(|field| field.secret), "{}", exchange.id);
        assert_eq!(exchange.required().next().is_none(), exchange.free_fields, "{}", exchange.id);
        assert_eq!(exchange.free_fields, exchange.kind == Kind::Other, "{}", exchange.id);
        let takes_pem = |field: &Field| field.shape.contains(&Form::Pem);
        assert!(
            exchange.fields().iter().all(|field| !takes_pem(field) || field.multi_line),
            "{}",
            exchange.id
        );
    }
    assert_eq!(catalogue().exchanges.last().unwrap().id, OTHER);
}

#[test]
fn what_moves_money_is_secret() {
    let secret =
        ["secret", "password", "privateKey", "l1PrivateKey", "paradexPrivateKey", "mnemonic", "seeds"];
    for exchange in &catalogue().exchanges {
        for field in exchange.fields() {
            assert_eq!(field.secret, secret.contains(&field.key.as_str()), "{} {}", exchange.id, field.key);
        }
    }
}

#[test]
fn pages_are_https_and_texts_are_sentences() {
    for exchange in &catalogue().exchanges {
        assert!(
            exchange.page.as_ref().is_none_or(|page| page.url.starts_with("https://")),
            "{}",
            exchange.id
        );
        let helps = exchange.fields().iter().map(|field| &field.help).filter(|help| !help.is_empty());
        for sentence in exchange.notes.iter().chain(helps) {
            assert!(sentence.ends_with('.'), "{}: {sentence}", exchange.id);
        }
    }
}

#[test]
fn every_form_of_every_field_passes_its_own_hint() {
    for exchange in &catalogue().exchanges {
        for field in exchange.fields() {
            for sample in field.shape.iter().flat_map(samples) {
                assert_eq!(field.hint(&sample), None, "{} {} {sample}", exchange.id, field.key);
            }
            assert_eq!(field.usual().is_none(), field.shape.is_empty());
        }
    }
}

#[test]
fn values_as_exchanges_issue_them_pass_without_a_hint() {
    let hex = |n: usize| "0123456789abcdef".chars().cycle().take(n).collect::<String>();
    let text = |n: usize| "AbCdEfGh1234".chars().cycle().take(n).collect::<String>();
    let uuid = "01234567-89ab-cdef-0123-456789abcdef";
    let pem = |label: &str| format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", text(48));
    let plausible = [
        ("binance", "apiKey", text(64)),
        ("binance", "secret", text(64)),
        ("binance", "secret", pem("PRIVATE KEY")),
        ("bybit", "secret", pem("RSA PRIVATE KEY")),
        ("okx", "apiKey", uuid.to_owned()),
        ("okx", "secret", hex(32).to_uppercase()),
        ("okx", "password", "Any Phrase, really!".to_owned()),
        ("kraken", "secret", format!("{}==", text(86))),
        ("coinbase", "apiKey", format!("organizations/{uuid}/apiKeys/{uuid}")),
        ("coinbase", "apiKey", uuid.to_owned()),
        ("coinbase", "secret", pem("EC PRIVATE KEY")),
        ("kucoin", "apiKey", hex(24)),
        ("bitget", "apiKey", format!("bg_{}", hex(32))),
        ("mexc", "apiKey", format!("mx0{}", text(15))),
        ("deribit", "apiKey", "aBc-1_x9".to_owned()),
        ("hyperliquid", "walletAddress", format!("0x{}", hex(40))),
        ("hyperliquid", "privateKey", hex(64)),
        ("hyperliquid", "privateKey", format!("0x{}", hex(64))),
        ("gemini", "apiKey", format!("account-{}", text(20))),
        ("gemini", "apiKey", format!("master-{}", text(20))),
        ("backpack", "apiKey", format!("{}=", text(43))),
        ("lighter", "apiKeyIndex", "3".to_owned()),
        ("lighter", "privateKey", format!("0x{}", hex(80))),
        ("dydx", "authenticatorIds", "11,12".to_owned()),
        ("dydx", "mnemonic", ["abandon"; 24].join(" ")),
        ("paradex", "walletAddress", format!("0x{}", hex(63))),
        ("woofipro", "apiKey", format!("ed25519:{}", "4Hk".repeat(15).chars().take(44).collect::<String>())),
        ("woofipro", "accountId", format!("0x{}", hex(64))),
        ("bitvavo", "secret", hex(128)),
        (OTHER, "secret", "whatever it is".to_owned()),
    ];
    for (exchange, key, value) in plausible {
        assert_eq!(field(exchange, key).hint(&value), None, "{exchange} {key}");
    }
}

#[test]
fn a_hint_says_in_one_sentence_what_looks_wrong() {
    let hints = [
        ("binance", "apiKey", "a".repeat(63), "Usually 64 characters; this has 63."),
        (
            "binance",
            "apiKey",
            format!("{} {}", "a".repeat(32), "a".repeat(31)),
            "Usually only letters and digits; this has a space in it.",
        ),
        (
            "binance",
            "secret",
            "-----BEGIN PRIVATE KEY-----\nAAAA".to_owned(),
            "The END line is missing: copy the key down to its last line.",
        ),
        (
            "binance",
            "secret",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----".to_owned(),
            "This is a public key; the private key of the pair is needed.",
        ),
        ("deribit", "apiKey", "a".repeat(12), "Usually 8 to 10 characters; this has 12."),
        ("bitget", "apiKey", "a".repeat(35), "Usually begins with “bg_”; this does not."),
        ("okx", "apiKey", "b".repeat(35), "Usually a UUID (8-4-4-4-12 hexadecimal digits)."),
        (
            "hyperliquid",
            "walletAddress",
            "a".repeat(64),
            "Has the length of a private key: an address is 0x and 40 hexadecimal digits.",
        ),
        (
            "hyperliquid",
            "walletAddress",
            "0xab".to_owned(),
            "Usually 0x and 40 hexadecimal digits; this has 4 characters.",
        ),
        ("lighter", "apiKeyIndex", "2".to_owned(), "Usually a whole number from 3 to 254."),
        (
            OTHER,
            "apiKey",
            "-----BEGIN PRIVATE KEY-----".to_owned(),
            "Looks like a private key, which belongs into a secret field.",
        ),
        (
            OTHER,
            "secret",
            ["abandon"; 12].join(" "),
            "Looks like a wallet's secret phrase, which opens the whole wallet: use a key made for trading.",
        ),
        (
            "kraken",
            "apiKey",
            " a".to_owned(),
            "Has spaces around it or invisible characters in it: paste it again, which removes them.",
        ),
    ];
    for (exchange, key, value, sentence) in hints {
        assert_eq!(field(exchange, key).hint(&value).unwrap().sentence, sentence);
    }
    assert_eq!(field("binance", "apiKey").hint(""), None);
}

#[test]
fn a_hint_never_contains_the_value() {
    for exchange in &catalogue().exchanges {
        for field in exchange.fields() {
            for value in [
                "Zq7#",
                "Zq7#Zq7#Zq7#Zq7#",
                "-----BEGIN Zq7#",
                "Zq7# Zq7#",
                " Zq7#",
                "0xZq7#",
                "-----BEGIN PRIVATE KEY-----Zq7#",
            ] {
                assert!(field.hint(value).is_none_or(|hint| !hint.sentence.contains("Zq7")));
            }
        }
    }
}

#[test]
fn the_screens_get_types_with_the_names_that_are_sent() {
    let config = ts_rs::Config::default();
    let exchange = Exchange::decl(&config);
    let sent = serde_json::to_value(Exchange::find("binance").unwrap()).unwrap();
    for name in sent.as_object().unwrap().keys() {
        assert!(exchange.contains(&format!("{name}:")), "{name} is missing in {exchange}");
    }
    assert_eq!(AccountId::inline(&config), "string");
}

fn field(exchange: &str, key: &str) -> &'static Field {
    Exchange::find(exchange).unwrap().field(key).unwrap()
}

/// The shortest and the longest value of a form.
fn samples(form: &Form) -> Vec<String> {
    match form {
        Form::Text { chars, min, max, prefix } => {
            let alphabet = match chars {
                Chars::Digits => "0123456789",
                Chars::DigitList => "1,2,30",
                Chars::Hex => "09afAF",
                Chars::UpperHex => "09AF",
                Chars::Alphanumeric => "09azAZ",
                Chars::UrlSafe => "09azAZ-_",
                Chars::Path => "09azAZ-_/",
                Chars::Base58 => "19azAZ",
                Chars::Base64 => "09azAZ+/",
                Chars::Printable => "09azAZ!~",
            };
            [min, max]
                .map(|length| prefix.chars().chain(alphabet.chars().cycle()).take(*length as usize).collect())
                .into()
        }
        Form::Uuid => vec!["01234567-89ab-cdef-0123-456789ABCDEF".to_owned()],
        Form::Pem => ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"]
            .map(|label| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----"))
            .into(),
        Form::EthAddress => vec![format!("0x{}", "0aF9".repeat(10))],
        Form::Number { min, max } => vec![min.to_string(), max.to_string()],
        Form::Words => vec![["abandon"; 12].join(" "), ["zoo"; 24].join(" ")],
    }
}
