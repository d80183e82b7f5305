#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::{Duration, Instant};

use keyquay_exchanges::{
    Exchange, Field, catalogue, masked,
    paste::{clean, split},
};
use proptest::prelude::*;
use secrecy::ExposeSecret;

const KEY: &str = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
const UUID: &str = "01234567-89ab-cdef-0123-456789abcdef";
const BODY: &str = "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fAAAA";

fn field(exchange: &str, key: &str) -> &'static Field {
    Exchange::find(exchange).unwrap().field(key).unwrap()
}

fn pem() -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n{}\n-----END PRIVATE KEY-----", &BODY[..64], &BODY[64..])
}

fn found(exchange: &str, text: &str) -> Vec<(String, String)> {
    let suggestions = split(Exchange::find(exchange).unwrap(), text);
    suggestions.into_iter().map(|found| (found.key, found.value.expose_secret().to_owned())).collect()
}

fn pair() -> Vec<(String, String)> {
    vec![("apiKey".to_owned(), KEY.to_owned()), ("secret".to_owned(), SECRET.to_owned())]
}

#[test]
fn space_quotes_and_invisible_characters_around_a_key_are_removed() {
    let key = field("binance", "apiKey");
    for pasted in [
        format!("  {KEY}\r\n"),
        format!("\u{feff}{KEY}\u{200b}"),
        format!("\"{KEY}\","),
        format!("'\"{KEY}\"';"),
        format!("“{KEY}”"),
        format!("{}\n{}", &KEY[..30], &KEY[30..]),
        format!("{}\u{ad}{}\u{a0}", &KEY[..30], &KEY[30..]),
    ] {
        assert_eq!(clean(key, &pasted).as_str(), KEY);
    }
}

#[test]
fn a_passphrase_keeps_the_spaces_inside_it() {
    assert_eq!(clean(field("okx", "password"), " my pass, phrase;\n").as_str(), "my pass, phrase;");
    assert_eq!(clean(field("dydx", "mnemonic"), "abandon\n abandon   zoo").as_str(), "abandon abandon zoo");
}

#[test]
fn a_pem_block_arrives_in_lines_however_it_was_pasted() {
    let secret = field("binance", "secret");
    for pasted in [
        pem(),
        pem().replace('\n', "\r\n"),
        pem().replace('\n', "\\n"),
        pem().replace('\n', "\\r\\n"),
        pem().replace('\n', "\\\\n"),
        pem().replace('\n', " "),
        pem().replace('\n', "\n    "),
        pem().replace('\n', "\r"),
        format!("\"{}\\n\",", pem().replace('\n', "\\n")),
        format!("\u{feff}privateKey: {}\n", pem()),
    ] {
        assert_eq!(clean(secret, &pasted).as_str(), pem());
        assert_eq!(secret.hint(&clean(secret, &pasted)), None);
    }
}

#[test]
fn a_pem_block_with_headers_keeps_its_lines() {
    let block =
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----";
    assert_eq!(clean(field("bybit", "secret"), &block.replace('\n', "\r\n")).as_str(), block);
}

#[test]
fn an_unfinished_pem_block_stays_as_it_is() {
    let cut = &pem()[..60];
    assert_eq!(clean(field("binance", "secret"), cut).as_str(), cut);
}

#[test]
fn pairs_are_recognised_in_every_common_form() {
    for text in [
        format!("API Key: {KEY}\nSecret Key: {SECRET}"),
        format!("key: {KEY}\nsecret: {SECRET}"),
        format!("Secret = {SECRET}\r\nApi-Key = {KEY}\r\n"),
        format!("API Key\n{KEY}\n\nSecret Key\n{SECRET}\n"),
        format!(r#"{{"apiKey":"{KEY}","secret":"{SECRET}"}}"#),
        format!(r#"{{"exchange":{{"name":"binance","key":"{KEY}","secret":"{SECRET}"}},"stake":10}}"#),
        format!(r#"[{{"api_key":"{KEY}","api_secret":"{SECRET}"}}]"#),
        format!(
            r#"{{"bitget":[{{"key":"x","secret":"y"}}],"binance":{{"main":{{"key":"{KEY}","secret":"{SECRET}"}}}}}}"#
        ),
        format!("{{ apiKey: '{KEY}', secret: '{SECRET}' }}"),
        format!("const config = {{\n  apiKey: '{KEY}',\n  secret: '{SECRET}',\n}};"),
        format!("'apiKey': '{KEY}',\n'secret': '{SECRET}',"),
        format!("BINANCE_API_KEY={KEY}\nBINANCE_API_SECRET={SECRET}"),
        format!("export BINANCE_API_KEY=\"{KEY}\" # main\nexport BINANCE_SECRET_KEY='{SECRET}'"),
        format!("$env:BINANCE_API_KEY = \"{KEY}\"\n$env:BINANCE_API_SECRET = \"{SECRET}\""),
        format!("binance_perpetual_api_key: {KEY}\nbinance_perpetual_api_secret: {SECRET}"),
        format!("MYBOT_API_KEY_1={KEY}\nMYBOT_API_SECRET_1={SECRET}"),
        format!(
            "KRAKEN_API_KEY=other\nKRAKEN_API_SECRET=other\nBINANCE_API_KEY={KEY}\nBINANCE_API_SECRET={SECRET}"
        ),
        format!("API_KEY=general\nBINANCE_API_KEY={KEY}\nBINANCE_API_SECRET={SECRET}"),
        format!("apiKey={KEY}&secret={SECRET}"),
        format!("- API key: `{KEY}`\n- API secret: `{SECRET}`"),
        format!("{KEY}\n{SECRET}"),
        format!("{KEY} {SECRET}"),
        format!("{KEY}:{SECRET}"),
        format!("{KEY},{SECRET}\n"),
        format!("\u{feff}{KEY}\t{SECRET}"),
    ] {
        assert_eq!(found("binance", &text), pair(), "{text}");
    }
}

#[test]
fn triples_are_recognised_and_put_where_their_shapes_fit() {
    let key = "0123456789abcdef01234567";
    let all = |password: &str| {
        [("apiKey", key), ("secret", UUID), ("password", password)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec()
    };
    for text in [
        format!("{key}\n{UUID}\npass phrase 1"),
        format!("{UUID}\n{key}\npass phrase 1"),
        format!("Key: {key}\nSecret: {UUID}\nPassphrase: pass phrase 1"),
        format!(r#"{{"apiKey":"{key}","secret":"{UUID}","password":"pass phrase 1"}}"#),
    ] {
        assert_eq!(found("kucoin", &text), all("pass phrase 1"), "{text}");
    }
    assert_eq!(found("kucoin", &format!("{key}\n{UUID}")), all("")[..2]);
}

#[test]
fn a_downloaded_coinbase_key_file_fills_both_fields() {
    let name = format!("organizations/{UUID}/apiKeys/{UUID}");
    let file = serde_json::json!({"name": name, "privateKey": format!("{}\n", pem().replace("PRIVATE", "EC PRIVATE"))});
    let expected =
        [("apiKey".to_owned(), name), ("secret".to_owned(), pem().replace("PRIVATE", "EC PRIVATE"))];
    assert_eq!(found("coinbase", &file.to_string()), expected);
    assert_eq!(found("coinbase", &serde_json::to_string_pretty(&file).unwrap()), expected);
}

#[test]
fn a_pem_block_among_lines_is_one_value() {
    let expected = vec![("apiKey".to_owned(), KEY.to_owned()), ("secret".to_owned(), pem())];
    for text in [
        format!("BINANCE_API_KEY={KEY}\nBINANCE_API_SECRET=\"{}\"\n", pem()),
        format!("BINANCE_API_KEY={KEY}\nBINANCE_API_SECRET=\"{}\"\n", pem().replace('\n', "\\n")),
        format!("{KEY}\n{}\n", pem()),
        format!("{}\n{KEY}\n", pem()),
    ] {
        assert_eq!(found("binance", &text), expected, "{text}");
    }
}

#[test]
fn wallets_of_chains_are_told_apart_from_their_keys() {
    let address = format!("0x{}", "0aF9".repeat(10));
    let key = format!("0x{}", "0af9".repeat(16));
    let expected =
        vec![("walletAddress".to_owned(), address.clone()), ("privateKey".to_owned(), key.clone())];
    assert_eq!(found("hyperliquid", &format!("{address}\n{key}")), expected);
    assert_eq!(found("hyperliquid", &format!("{key}\n{address}")), expected);
    assert_eq!(found("hyperliquid", &format!("Address: {address}\nPrivate key: {key}")), expected);
    assert_eq!(
        found(
            "lighter",
            &format!(
                "lighter_perpetual_api_key_index: 3\naccount index: 77\nlighter_perpetual_api_private_key: {key}"
            )
        ),
        [("accountIndex", "77"), ("apiKeyIndex", "3"), ("privateKey", &key)]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
    );
}

#[test]
fn a_private_key_is_never_put_into_a_field_that_shows_it() {
    let key = "0af9".repeat(16);
    for exchange in ["dydx", "aster", "lighter"] {
        assert_eq!(found(exchange, &format!("{key}\n{key}")), []);
    }
}

#[test]
fn a_single_value_or_a_sentence_is_left_alone() {
    for (exchange, text) in [
        ("binance", KEY.to_owned()),
        ("binance", pem()),
        ("binance", String::new()),
        ("binance", "Please find my keys below, thanks".to_owned()),
        ("binance", "https://www.binance.com/en/my/settings/api-management".to_owned()),
        ("okx", "correct horse battery".to_owned()),
        ("okx", UUID.to_owned()),
        ("kraken", format!("{}/{}+{}==", &KEY[..40], &KEY[..30], &KEY[..14])),
        ("woofipro", format!("ed25519:{}", "4Hk".repeat(15))),
        ("binance", format!("{KEY}\n{SECRET}\n{KEY}")),
        ("binance", format!("KRAKEN_API_KEY={KEY}\nKRAKEN_API_SECRET={SECRET}")),
    ] {
        assert_eq!(found(exchange, &text), [], "{exchange} {text}");
    }
}

#[test]
fn ten_megabytes_of_anything_are_read_in_proportion_and_without_a_panic() {
    // What each way of reading could trip over, and the field that reads so.
    let garbage = [
        (
            "binance",
            "secret",
            ["-----BEGIN ", "-----BEGIN A-----", "-----END ", "-----BEGIN A-----\n-----END A-----\n", "\\n"],
        ),
        ("okx", "password", ["\"", "'\"", "\n", "\u{200b}", ",\""]),
        ("dydx", "mnemonic", ["é ", " #", "a", ":", "key: "]),
        ("coinbase", "apiKey", ["{", "[", "{\"a\":", "a=b\n", "\\"]),
    ];
    for (exchange, key, units) in garbage {
        let (exchange, field) = (Exchange::find(exchange).unwrap(), field(exchange, key));
        for unit in units {
            let text = unit.repeat(10_000_000 / unit.len());
            let started = Instant::now();
            clean(field, &text);
            field.hint(&text);
            masked(&text);
            split(exchange, &text);
            split(exchange, &unit.repeat(64 * 1024 / unit.len()));
            // Quadratic work on this much text would take hours.
            assert!(started.elapsed() < Duration::from_secs(60), "{unit:?} took {:?}", started.elapsed());
        }
    }
}

fn messy() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[ -~]{0,40}",
        prop::sample::select(vec![
            "\n",
            "\r\n",
            "\"",
            "'",
            "\\n",
            "\\",
            ":",
            "=",
            ",",
            "{",
            "}",
            "[",
            "]",
            " ",
            "#",
            "\u{feff}",
            "-----BEGIN ",
            "PRIVATE KEY",
            "-----",
            "-----END ",
            "API Key",
            "secret",
            "binance_",
            "passphrase",
            "\"apiKey\"",
            KEY,
            UUID,
            "0x",
            "12",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_is_cleaned_once_and_for_all(text in messy()) {
        for exchange in &catalogue().exchanges {
            for field in exchange.fields() {
                let once = clean(field, &text);
                prop_assert_eq!(clean(field, &once), once.clone(), "{} {}", &exchange.id, &field.key);
                field.hint(&once);
                masked(&once);
            }
        }
    }

    #[test]
    fn any_text_is_split_into_cleaned_values_of_fields_that_exist(text in messy()) {
        for exchange in &catalogue().exchanges {
            let mut seen = Vec::new();
            for suggestion in split(exchange, &text) {
                let field = exchange.field(&suggestion.key).unwrap();
                let value = suggestion.value.expose_secret();
                prop_assert!(!value.is_empty());
                prop_assert_eq!(clean(field, value).to_string(), value);
                prop_assert!(!seen.contains(&suggestion.key));
                seen.push(suggestion.key);
            }
        }
    }

    #[test]
    fn a_pair_is_found_whatever_its_values(key in "[A-Za-z0-9]{64}", secret in "[A-Za-z0-9]{64}", separator in "\n|\r\n|, ?|;|\t| ") {
        let expected = vec![("apiKey".to_owned(), key.clone()), ("secret".to_owned(), secret.clone())];
        prop_assert_eq!(found("binance", &format!("{key}{separator}{secret}")), expected.clone());
        if separator != " " {
            prop_assert_eq!(found("binance", &format!("apiKey:{key}{separator}secret:{secret}")), expected);
        }
    }
}
