//! Every decoder of bytes from outside, and what must hold of whatever it takes. Each function here is one fuzz
//! target; the tests of keyquay-protocol run them all over bytes that are random or nearly right.

use keyquay_crypto::aead::{self, AeadKey};
use keyquay_crypto::cbor::Decoder;
use keyquay_crypto::opaque::{PasswordRecord, ServerSetup};
use keyquay_crypto::sealing::{SealingKey, SealingPublicKey};
use keyquay_crypto::sign::{SigningKey, VerifyingKey};
use keyquay_crypto::{ExposeSecret, RecoveryCode, Secret32, SecretKey};
use keyquay_protocol::wire::{Append, DeviceKeysText, Event, LogAnswer, ShareRequest, SignInStart};
use keyquay_protocol::{
    DeviceId, Draft, Entry, Payload, Problem, Root, RootPublicKeys, Seen, Signed, State, UserId, VaultKey,
    open_item, open_share, verify_request,
};

/// A payload: what is read is written the same, and no state takes what nobody signed.
pub fn entry(bytes: &[u8]) {
    let entry = Entry { payload: bytes.to_vec(), signature: [0; 64], blob: None };
    assert!(State::begin(UserId([0; 16]), &entry).is_err(), "nobody signed it");
    let Ok(Payload { user, seq, prev, time, body, author: _ }) = entry.decode() else { return };
    let draft = Draft { user, seq, prev, time, body, blob: None };
    // The author is written by the signer: a device of any id spells it as an id.
    let again =
        draft.sign_as_device(DeviceId([0; 16]), &SigningKey::from_seed(Secret32::copy_from(&[1; 32])));
    let after_prev = 1 + 16 + 17 + number_size(seq) + 34;
    assert_eq!(again.payload.get(..after_prev), bytes.get(..after_prev), "head of the payload");
    let author = if bytes.get(after_prev) == Some(&0xF6) { 1 } else { 17 };
    assert_eq!(again.payload.get(after_prev + 17..), bytes.get(after_prev + author..), "time and body");
}

/// `POST /v1/log`.
pub fn append(bytes: &[u8]) {
    if let Ok(append) = Append::from_bytes(bytes) {
        assert_eq!(append.to_bytes(), bytes);
        append.entries.iter().for_each(|inner| entry(&inner.payload));
    }
}

/// `GET /v1/log`.
pub fn log_answer(bytes: &[u8]) {
    if let Ok(answer) = LogAnswer::from_bytes(bytes) {
        assert_eq!(answer.to_bytes(), bytes);
        answer.entries.iter().for_each(|inner| entry(&inner.payload));
    }
}

/// A frame of `GET /v1/events`.
pub fn event(bytes: &[u8]) {
    if let Ok(event) = Event::from_bytes(bytes) {
        assert_eq!(event.to_bytes(), bytes);
    }
}

/// A stored state: what is read is written the same, and goes on without a panic.
pub fn snapshot(bytes: &[u8]) {
    let Ok(mut state) = State::from_snapshot(bytes) else { return };
    assert_eq!(state.to_snapshot(), bytes);
    let head = state.head();
    let end = state.draft_sync_ended(0).sign_as_root(&Root::make_random());
    assert!(state.apply(&end).is_err(), "another root signed it");
    assert_eq!(state.head(), head);
    let root = Root::make_random();
    assert!(keyquay_protocol::VaultKeys::open_for_root(&state, &root).is_err());
}

/// Everything that is sealed, under a key that the attacker does not have.
pub fn sealed_item(bytes: &[u8]) {
    let key = || Secret32::copy_from(&[0x0F; 32]);
    let (user, device) = (UserId([1; 16]), DeviceId([2; 16]));
    assert!(
        open_item(bytes, &VaultKey::from_secret(key()), user, keyquay_protocol::ItemId([3; 16]), 1, 1)
            .is_err()
    );
    assert!(aead::open(&AeadKey::from_secret(key()), b"context", bytes).is_err());
    assert!(aead::unwrap(&AeadKey::from_secret(key()), b"context", bytes).is_err());
    assert!(open_share(bytes, &SealingKey::from_seed(key()), user, device).is_err());
    let code = RecoveryCode::make_random();
    let named: Option<&RootPublicKeys> = None;
    assert!(Root::open_with_recovery_code(&code, user, bytes, named).is_err());
}

/// A device's word, its signature first.
pub fn word(bytes: &[u8]) {
    let Some((signature, payload)) = bytes.split_first_chunk::<64>() else { return };
    let Ok(seen) = Seen::decode(payload, *signature) else { return };
    let key = SigningKey::from_seed(Secret32::copy_from(&[1; 32]));
    let again = Seen::sign(seen.user, seen.device, seen.seq, seen.head, seen.time, &key);
    assert_eq!(again.payload(), payload);
    assert!(seen.verify(&SigningKey::make_random().verifying_key()).is_err());
}

/// A typed Secret Key or recovery code: what is read is one code, and it reads back.
pub fn codes(bytes: &[u8]) {
    let typed = String::from_utf8_lossy(bytes);
    let key = SecretKey::parse(&typed);
    let code = RecoveryCode::parse(&typed);
    assert!(key.is_err() || code.is_err(), "a code is of one kind");
    if let Ok(key) = key {
        assert!(SecretKey::parse(key.to_written().expose_secret()).is_ok_and(|again| again == key));
    }
    if let Ok(code) = code {
        assert!(RecoveryCode::parse(code.to_written().expose_secret()).is_ok_and(|again| again == code));
    }
}

/// The header fields of a signed request, one a line.
pub fn request_headers(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.splitn(3, '\n').map(str::to_owned);
    let mut line = || lines.next().unwrap_or_default();
    let signed = Signed { content_digest: line(), signature_input: line(), signature: line() };
    let key = SigningKey::from_seed(Secret32::copy_from(&[1; 32])).verifying_key();
    assert!(verify_request("POST", "https://sync.example/v1/log", b"", &signed, &key, 0).is_err());
    if let Ok(claims) = signed.claims() {
        assert!(signed.signature_input.contains(&claims.device.to_string()));
    }
}

/// JSON that carries keys and bytes.
pub fn json(bytes: &[u8]) {
    if let Ok(keys) = serde_json::from_slice::<DeviceKeysText>(bytes)
        && let Ok(read) = keys.to_keys()
    {
        assert_eq!(DeviceKeysText::of(&read), keys);
    }
    let _ = serde_json::from_slice::<SignInStart>(bytes);
    if let Ok(request) = serde_json::from_slice::<ShareRequest>(bytes) {
        let _ = request.seen.map(|seen| seen.to_seen());
    }
    let _ = serde_json::from_slice::<Problem>(bytes);
}

/// The readers below all others, and public keys and records as bytes.
pub fn cbor(bytes: &[u8]) {
    let mut decoder = Decoder::new(bytes);
    for step in 0..bytes.len() {
        let read = match step % 5 {
            0 => decoder.list(100).is_ok(),
            1 => decoder.text().is_ok(),
            2 => decoder.bytes().is_ok(),
            3 => decoder.uint().is_ok(),
            _ => decoder.optional(Decoder::fixed::<16>).is_ok(),
        };
        if !read {
            break;
        }
    }
    if let Ok(key) = <&[u8; 32]>::try_from(bytes) {
        assert!(VerifyingKey::from_bytes(key).map_or(true, |read| read.to_bytes() == *key));
        assert!(SealingPublicKey::from_bytes(key).map_or(true, |read| read.to_bytes() == *key));
    }
    let _ = PasswordRecord::from_bytes(bytes);
    if let Ok(setup) = ServerSetup::from_bytes(bytes) {
        assert_eq!(*setup.to_secret().expose_secret(), bytes);
    }
}

fn number_size(number: u64) -> usize {
    match number {
        0..=23 => 1,
        24..=0xFF => 2,
        0x100..=0xFFFF => 3,
        0x1_0000..=0xFFFF_FFFF => 5,
        _ => 9,
    }
}
