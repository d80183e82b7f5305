#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use keyquay_exchanges::{Account, AccountError, AccountId, Environment, MAX_BYTES, Permission};
use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

fn account(exchange: &str) -> Account {
    Account::make(exchange, "Main", 1_800_000_000).unwrap()
}

fn filled() -> Account {
    let mut account = account("binance");
    account.fields.set("secret", "Secret-that-nobody-sees".into());
    account.fields.set("apiKey", "AbC4567899xZ".into());
    account.tags = vec!["Bot".to_owned(), "Grid".to_owned()];
    account.note = "Note-that-nobody-sees".into();
    account
}

fn json_of(account: &Account) -> Value {
    serde_json::from_slice(&account.to_bytes().unwrap()).unwrap()
}

#[test]
fn ids_are_random_and_read_back_from_what_they_show() {
    let (one, other) = (AccountId::make().unwrap(), AccountId::make().unwrap());
    assert_ne!(one, other);
    assert_eq!(one.to_string().len(), 32);
    assert_eq!(one.to_string().parse(), Ok(one));
    assert_eq!(one.to_string().to_uppercase().parse(), Ok(one));
    assert_eq!("".parse::<AccountId>(), Err(AccountError::NoId));
    assert_eq!("00".repeat(17).parse::<AccountId>(), Err(AccountError::NoId));
    assert_eq!(serde_json::to_value(one).unwrap(), json!(one.to_string()));
    assert_eq!(AccountId::from_bytes(*one.as_bytes()), one);
}

#[test]
fn an_alias_becomes_the_id_of_the_catalogue_and_an_unknown_exchange_stays() {
    assert_eq!(account("huobi").exchange, "htx");
    assert_eq!(account("exchange-of-2030").exchange, "exchange-of-2030");
    assert_eq!(account("exchange-of-2030").exchange_name(), "exchange-of-2030");
}

#[test]
fn debug_shows_no_value_no_label_and_no_note() {
    let account = filled();
    let shown = format!("{account:?} {:?}", account.fields);
    for hidden in ["nobody", "AbC", "Main", "Grid"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
    assert!(shown.contains(&account.id.to_string()));
}

#[test]
fn what_is_secret_is_the_catalogues_word_for_its_fields_and_the_flags_for_others() {
    let mut account = filled();
    account.fields.set_free("secret", None, false, "x".into());
    account.fields.set_free("host", Some("Host".to_owned()), false, "x".into());
    account.fields.set("unheard", "x".into());
    assert!(account.is_secret("secret"));
    assert!(!account.is_secret("apiKey"));
    assert!(!account.is_secret("host"));
    assert!(account.is_secret("unheard"));
    account.fields.set_free("apiKey", None, true, "x".into());
    assert!(account.is_secret("apiKey"));
    assert_eq!(account.describe("host").label, "Host");
    assert!(!account.describe("host").secret);
    assert!(account.describe("apiKey").secret);
}

#[test]
fn the_key_shown_in_a_row_is_the_first_filled_one_that_is_no_secret() {
    assert_eq!(filled().shown_key().as_deref(), Some("AbC…9xZ"));
    let mut other = account("other");
    other.fields.set("secret", "Secret-that-nobody-sees".into());
    assert_eq!(other.shown_key(), None);
    other.fields.set_free("hidden", None, true, "hidden-from-the-row".into());
    other.fields.set_free("user", None, false, "user-name-1234".into());
    assert_eq!(other.shown_key().as_deref(), Some("use…234"));
    other.fields.set("apiKey", SecretString::default());
    assert_eq!(other.shown_key().as_deref(), Some("use…234"));
}

#[test]
fn a_search_finds_label_exchange_and_tags_and_no_value() {
    let text = filled().search_text();
    for part in ["main", "binance", "bot", "grid"] {
        assert!(text.contains(part));
    }
    assert!(!text.contains("nobody") && !text.contains("abc456"));
}

#[test]
fn what_a_later_version_adds_survives_at_every_depth() {
    let mut written = json_of(&filled());
    written["colour"] = json!({"deep": [1, {"er": null}], "big": 1.5});
    written["fields"][0]["rotated"] = json!("2030-01-01");
    written["permissions"]["transfer"] = json!("yes");
    let bytes = serde_json::to_vec(&written).unwrap();
    let mut account = Account::from_bytes(&bytes).unwrap();
    assert_eq!(json_of(&account), written);
    account.label = "Renamed".to_owned();
    account.permissions.withdraw = Permission::No;
    account.fields.set("secret", "Another".into());
    written["label"] = json!("Renamed");
    written["permissions"]["withdraw"] = json!("no");
    written["fields"][0]["value"] = json!("Another");
    assert_eq!(json_of(&account), written);
}

#[test]
fn numbers_of_a_later_version_keep_every_digit() {
    let mut text = String::from_utf8(filled().to_bytes().unwrap().to_vec()).unwrap();
    text.insert_str(1, r#""exact":123456789012345678901234567890.10,"#);
    let again = Account::from_bytes(text.as_bytes()).unwrap().to_bytes().unwrap();
    assert!(String::from_utf8_lossy(&again).contains(r#""exact":123456789012345678901234567890.10"#));
}

#[test]
fn a_version_that_this_one_must_not_touch_asks_for_an_update() {
    for (at, value) in [("v", json!(2)), ("environment", json!("paper"))] {
        let mut written = json_of(&filled());
        written[at] = value;
        let read = Account::from_bytes(&serde_json::to_vec(&written).unwrap());
        assert_eq!(read.unwrap_err(), AccountError::LaterVersion, "{at}");
    }
}

#[test]
fn damaged_bytes_are_refused_and_never_quoted() {
    let good = filled().to_bytes().unwrap();
    let text = String::from_utf8(good.to_vec()).unwrap();
    let damaged = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        text.replace("\"v\":1", "\"v\":0"),
        text.replace("\"v\":1", "\"v\":1,\"v\":1"),
        text.replace("\"key\":\"apiKey\"", "\"key\":\"secret\""),
        text.replace("\"note\":", "\"note\":1,\"nota\":"),
        text.replace("\"environment\":\"live\"", "\"environment\":7"),
        format!("{text}x"),
        text[..text.len() - 1].to_owned(),
    ];
    for bytes in damaged {
        let error = Account::from_bytes(bytes.as_bytes()).unwrap_err();
        assert_eq!(error, AccountError::Damaged, "{bytes}");
        assert!(!error.to_string().contains("nobody"));
    }
    assert_eq!(Account::from_bytes(b"\xff{}").unwrap_err(), AccountError::Damaged);
}

#[test]
fn an_account_takes_at_most_48_kib() {
    let mut large = account("other");
    for n in 0..4 {
        large.fields.set(&format!("field{n}"), "x".repeat(12 * 1024).into());
    }
    let Err(AccountError::TooLarge { bytes }) = large.to_bytes() else { panic!("it is too large") };
    assert!(bytes > MAX_BYTES);
    assert_eq!(large.problems(), [AccountError::TooLarge { bytes }]);
    large.fields.remove("field3");
    assert_eq!(large.validate(), Ok(()));
    assert!(large.to_bytes().is_ok());
    assert!(matches!(Account::from_bytes(&vec![b' '; MAX_BYTES + 1]), Err(AccountError::TooLarge { .. })));
}

#[test]
fn the_bytes_are_written_at_once_so_that_no_copy_stays_behind() {
    let bytes = filled().to_bytes().unwrap();
    assert_eq!(bytes.capacity(), bytes.len());
}

#[test]
fn what_keeps_an_account_from_being_saved_is_named_with_its_field() {
    let mut account = account("okx");
    account.fields.set("apiKey", "x".into());
    let missing: Vec<String> =
        account.problems().iter().map(|error| error.field().unwrap().to_owned()).collect();
    assert_eq!(missing, ["secret", "password"]);
    account.fields.set("secret", "x".repeat(16 * 1024 + 1).into());
    account.fields.set("password", "x".into());
    let problem = account.validate().unwrap_err();
    assert_eq!(problem.field(), Some("secret"));
    assert!(!problem.to_string().contains("xx"));
}

#[test]
fn an_unusual_value_is_no_problem() {
    let mut account = account("binance");
    account.fields.set("apiKey", "short".into());
    account.fields.set("secret", "with space and ü".into());
    assert_eq!(account.validate(), Ok(()));
}

#[test]
fn every_limit_has_a_message_that_says_what_to_do() {
    type Break = fn(&mut Account);
    let limits: [(Break, &str); 9] = [
        (|a| a.label = "ü".repeat(201), "The label has 201 characters; shorten it to 200."),
        (|a| a.tags = vec!["t".to_owned(); 21], "There are 21 tags; keep at most 20."),
        (|a| a.tags = vec!["t".repeat(51)], "A tag has 51 characters; shorten it to 50."),
        (|a| a.note = "n".repeat(10_001).into(), "The note has 10001 characters; shorten it to 10000."),
        (
            |a| a.ip_note = "i".repeat(1_001),
            "The note about IP addresses has 1001 characters; shorten it to 1000.",
        ),
        (
            |a| (0..32).for_each(|n| a.fields.set(&n.to_string(), "x".into())),
            "There are 34 fields; keep at most 32.",
        ),
        (
            |a| a.fields.set("", "x".into()),
            "A field's name is empty or longer than 100 characters; give it a short name.",
        ),
        (
            |a| a.expires_on = Some("31.1.2027".to_owned()),
            "The date on which the key ends is no date; write it as year-month-day, 2027-01-31, or leave it empty.",
        ),
        (|a| a.fields = Default::default(), "Fill in “API key”: the exchange refuses requests without it."),
    ];
    for (break_it, message) in limits {
        let mut account = filled();
        assert_eq!(account.validate(), Ok(()));
        break_it(&mut account);
        assert_eq!(account.validate().unwrap_err().to_string(), message);
    }
    assert_eq!(account("other").validate(), Err(AccountError::NoField));
}

fn arbitrary() -> impl Strategy<Value = Account> {
    let field = (any::<String>(), any::<String>(), any::<Option<bool>>());
    let texts = (any::<String>(), any::<String>(), any::<String>(), any::<Option<String>>());
    let fields = prop::collection::vec(field, 0..8);
    (
        any::<[u8; 16]>(),
        texts,
        fields,
        prop::collection::vec(any::<String>(), 0..5),
        any::<(u64, u64, bool)>(),
    )
        .prop_map(
            |(id, (label, note, ip_note, expires_on), fields, tags, (created, changed, testnet))| {
                let mut account = Account::empty(AccountId::from_bytes(id), "other", label, created);
                for (key, value, secret) in fields {
                    match secret {
                        Some(secret) => {
                            account.fields.set_free(&key, Some(key.clone()), secret, value.into())
                        }
                        None => account.fields.set(&key, value.into()),
                    }
                }
                account.tags = tags;
                account.note = note.into();
                account.ip_note = ip_note;
                account.expires_on = expires_on;
                account.changed = changed;
                account.environment = if testnet { Environment::Testnet } else { Environment::Live };
                account
            },
        )
}

proptest! {
    #[test]
    fn an_account_is_read_back_as_it_was_written(account in arbitrary()) {
        let bytes = account.to_bytes().unwrap();
        let read = Account::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&*read.to_bytes().unwrap(), &*bytes);
        prop_assert_eq!(&read.label, &account.label);
        prop_assert_eq!(read.note.expose_secret(), account.note.expose_secret());
        prop_assert_eq!((read.created, read.changed), (account.created, account.changed));
        prop_assert_eq!(read.fields.len(), account.fields.len());
        for (one, other) in read.fields.iter().zip(account.fields.iter()) {
            prop_assert_eq!((&one.key, one.secret, one.value.expose_secret()), (&other.key, other.secret, other.value.expose_secret()));
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Account::from_bytes(&bytes);
    }

    #[test]
    fn a_flipped_byte_is_read_without_a_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = filled().to_bytes().unwrap().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(account) = Account::from_bytes(&bytes) {
            account.to_bytes().unwrap();
            account.problems();
            account.shown_key();
        }
    }
}
