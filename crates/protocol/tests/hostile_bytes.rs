//! Every decoder over bytes that are random, nearly right, or right with one thing bent: none panics, none takes
//! two spellings of one thing. The functions are those of the fuzz targets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../../fuzz/decoders.rs"]
mod decoders;

use keyquay_crypto::ExposeSecret;
use keyquay_crypto::sign::SigningKey;
use keyquay_protocol::{DeviceId, Root, sign_request};
use proptest::prelude::*;
use serde_json::Value;

const DECODERS: [fn(&[u8]); 11] = [
    decoders::entry,
    decoders::append,
    decoders::log_answer,
    decoders::event,
    decoders::snapshot,
    decoders::sealed_item,
    decoders::word,
    decoders::codes,
    decoders::request_headers,
    decoders::json,
    decoders::cbor,
];

/// Right bytes of every form: the frozen ones, and a few that are made here.
fn right_bytes() -> Vec<Vec<u8>> {
    let frozen: Value = serde_json::from_str(include_str!("data/frozen.json")).unwrap();
    let hex = |value: &Value| data_encoding::HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap();
    let mut right: Vec<Vec<u8>> =
        frozen["log"].as_array().unwrap().iter().map(|entry| hex(&entry["payload"])).collect();
    right.extend(
        ["append", "log_answer", "state", "state_before_the_end", "share"].map(|name| hex(&frozen[name])),
    );
    right.extend(frozen["events"].as_array().unwrap().iter().map(hex));
    right.push([hex(&frozen["seen"][1]), hex(&frozen["seen"][0])].concat());
    right.push(hex(&frozen["log"][2]["blob"]));
    right.push(hex(&frozen["records"][0]["root_by_recovery"]));
    right.extend(
        ["secret_key", "recovery_code"].map(|name| frozen[name].as_str().unwrap().as_bytes().to_vec()),
    );
    let key = SigningKey::make_random();
    let signed = sign_request("POST", "https://sync.example/v1/log", b"", DeviceId([7; 16]), &key, 0);
    right.push([signed.content_digest, signed.signature_input, signed.signature].join("\n").into_bytes());
    right.push(Root::make_random().public_keys().signing.to_bytes().to_vec());
    right.push(keyquay_crypto::opaque::ServerSetup::make_random().to_secret().expose_secret().clone());
    let zeros = "A".repeat(43);
    right.push(
        format!(r#"{{"id":"07070707070707070707070707070707","signing":"{zeros}","sealing":"{zeros}"}}"#)
            .into_bytes(),
    );
    right.push(br#"{"key":"AAAA","seen":{"payload":"AAAA","signature":"AAAA"}}"#.to_vec());
    right
}

#[test]
fn what_is_right_is_read_by_every_decoder_without_a_panic() {
    for bytes in right_bytes() {
        DECODERS.iter().for_each(|decode| decode(&bytes));
    }
}

#[test]
fn a_null_where_a_field_may_be_absent_is_refused() {
    use keyquay_protocol::wire::{SecondFactorStart, ShareRequest};
    assert!(serde_json::from_str::<ShareRequest>(r#"{"key":"AAAA"}"#).is_ok());
    assert!(serde_json::from_str::<ShareRequest>(r#"{"key":"AAAA","seen":null}"#).is_err());
    assert!(serde_json::from_str::<ShareRequest>(r#"{"key":null}"#).is_err());
    assert!(serde_json::from_str::<ShareRequest>(r#"{"key":"AAAA","key":"AAAA"}"#).is_err());
    assert!(serde_json::from_str::<ShareRequest>(r#"{"key":"AAAA","more":1}"#).is_err());
    assert!(serde_json::from_str::<ShareRequest>(r#"{"key":"AAAB="}"#).is_err());
    assert!(serde_json::from_str::<SecondFactorStart>("{}").is_ok());
    assert!(serde_json::from_str::<SecondFactorStart>(r#"{"backup_code":null}"#).is_err());
}

/// One way to bend bytes.
#[derive(Debug, Clone)]
enum Bend {
    Flip(prop::sample::Index, u8),
    Set(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Drop(prop::sample::Index),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index, prop::sample::Index),
}

fn bend() -> impl Strategy<Value = Bend> {
    let at = any::<prop::sample::Index>;
    // The first bytes of other forms of CBOR are worth more tries than the rest.
    let byte =
        || prop_oneof![any::<u8>(), prop::sample::select(&[0x18, 0x1B, 0x5B, 0x5F, 0x9F, 0xF6, 0xFF][..])];
    prop_oneof![
        (at(), 0_u8..8).prop_map(|(at, bit)| Bend::Flip(at, bit)),
        (at(), byte()).prop_map(|(at, byte)| Bend::Set(at, byte)),
        at().prop_map(Bend::Cut),
        at().prop_map(Bend::Drop),
        (at(), prop::collection::vec(byte(), 1..9)).prop_map(|(at, bytes)| Bend::Insert(at, bytes)),
        (at(), at()).prop_map(|(from, to)| Bend::Repeat(from, to)),
    ]
}

fn bent(mut bytes: Vec<u8>, bends: &[Bend]) -> Vec<u8> {
    for bend in bends {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match bend {
            Bend::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Bend::Set(at, byte) => bytes[at.index(length)] = *byte,
            Bend::Cut(at) => bytes.truncate(at.index(length)),
            Bend::Drop(at) => drop(bytes.remove(at.index(length))),
            Bend::Insert(at, more) => {
                drop(bytes.splice(at.index(length)..at.index(length), more.iter().copied()))
            }
            Bend::Repeat(from, to) => {
                let (from, to) =
                    (from.index(length).min(to.index(length)), from.index(length).max(to.index(length)));
                let part = bytes[from..to].to_vec();
                bytes.splice(to..to, part);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        DECODERS.iter().for_each(|decode| decode(&bytes));
    }

    #[test]
    fn bent_bytes_are_refused_or_have_one_spelling(
        right in prop::sample::select(right_bytes()),
        bends in prop::collection::vec(bend(), 1..4),
    ) {
        let bytes = bent(right, &bends);
        DECODERS.iter().for_each(|decode| decode(&bytes));
    }
}
