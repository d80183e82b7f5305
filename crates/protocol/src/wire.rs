//! What travels as JSON between device and server, and the CBOR messages of the log. Byte strings in JSON
//! are base64url without padding (RFC 4648, section 5). Unknown fields are refused.

use data_encoding::BASE64URL_NOPAD;
use keyquay_crypto::Digest;
use keyquay_crypto::cbor::{CborError, Decoder, Encode, List, encode_array};
use keyquay_crypto::sealing::SealingPublicKey;
use keyquay_crypto::sign::VerifyingKey;
use keyquay_crypto::{CryptoError, cbor_array};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{DeviceId, DeviceKeys, Entry, LogHead, Seen, UnlockRecords, UserId};

/// Media type of entries and blobs.
pub const CBOR: &str = "application/cbor";
/// Media type of problems (RFC 9457).
pub const PROBLEM: &str = "application/problem+json";

/// Bytes in JSON: base64url without padding.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct Bytes(pub Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bytes({} bytes)", self.0.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        BASE64URL_NOPAD.decode(text.as_bytes()).map(Self).map_err(serde::de::Error::custom)
    }
}

macro_rules! message {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        // Some messages carry codes and secrets, so none prints what it holds.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}

message! {
    /// `GET /v1/server`: what a client must know of a server before it sends anything.
    ServerInfo {
        /// Always `keyquay/1`.
        protocol: String,
        /// The server's public name: its identity in OPAQUE.
        name: String,
        /// The scheme and authority that signed requests name, without a trailing slash.
        public_url: String,
    }

    /// `POST /v1/users/registration/start`.
    RegistrationStart { email: String, request: Bytes, }
    RegistrationStarted { user: UserIdText, response: Bytes, }
    /// `POST /v1/users/registration/finish`: a mail with a link to confirm the address follows.
    RegistrationFinish { email: String, record: Bytes, }
    /// Answers alike whether the address is known or not.
    RegistrationFinished {
        /// To ask `POST /v1/users/registration/status` with.
        registration: Bytes,
    }
    RegistrationStatus { registration: Bytes, }
    RegistrationConfirmed { confirmed: bool, }

    /// `POST /v1/sign-in/start`: KE1, bound to the device that signs in.
    SignInStart { email: String, device: DeviceKeysText, request: Bytes, }
    SignInStarted { sign_in: Bytes, user: UserIdText, response: Bytes, }
    /// `POST /v1/sign-in/finish`: KE3. Creates the pending device, or renews the proof of a known one.
    SignInFinish { sign_in: Bytes, finalization: Bytes, }
    SignInFinished { status: Status, }
    /// `POST /v1/sign-in/second-factor`, `POST /v1/second-factor/confirm`: a code of the authenticator.
    SecondFactorCode { code: String, }
    /// `POST /v1/sign-in/second-factor` with a backup code instead.
    BackupCode { backup_code: String, }
    /// `POST /v1/second-factor/start`: a new secret, not in force before it is confirmed. `backup_code` replaces a lost one;
    /// without it, an active device with fresh proof replaces the one that gave the proof.
    SecondFactorStart {
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        backup_code: Option<String>,
    }
    SecondFactorStarted {
        /// Base32 (RFC 4648, section 6), for typing.
        secret: String,
        /// `otpauth://…`, for the QR code.
        uri: String,
    }
    SecondFactorConfirmed {
        /// Ten codes, each good once.
        backup_codes: Vec<String>,
    }

    /// `POST /v1/devices/{id}/verification-mail`.
    VerificationMailSent {
        /// Where it went.
        email: String,
        /// Unix seconds.
        expires: u64,
    }
    /// `POST /v1/devices/{id}/suspension`, and `POST /v1/devices/suspension` for all at once.
    Suspension { suspended: bool, }

    /// `POST /v1/password/start` (signed, proven): a new OPAQUE registration for the user; its record travels with the UnlockSet.
    PasswordStart { request: Bytes, }
    PasswordStarted { response: Bytes, }

    /// `GET /v1/unlock-record` (signed, proven).
    UnlockRecordAnswer { root_by_password: Bytes, root_by_recovery: Bytes, }
    /// `GET /v1/recovery-record` (active): what a device keeps for the day the server is gone.
    RecoveryRecordAnswer { root_by_recovery: Bytes, }

    /// `POST /v1/recovery/start`: enrolment without the password. The answer is the same for unknown addresses.
    RecoveryStart { email: String, device: DeviceKeysText, }
    RecoveryStarted { user: UserIdText, }

    /// `POST /v1/share`: a fresh X25519 key, and where there is a log, how far this device has come.
    ShareRequest {
        key: Bytes,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        seen: Option<SeenText>,
    }
    /// The share, sealed to that key.
    ShareAnswer { sealed: Bytes, }
    SeenText { payload: Bytes, signature: Bytes, }

    /// `POST /v1/email/start` (active, proven): a link goes to the new address, a notice to the old.
    EmailChange { email: String, }

    /// `GET /v1/status`: where this device and its user stand.
    Status {
        user: UserIdText,
        email: String,
        device: DeviceIdText,
        state: DeviceState,
        /// Whether the user has a confirmed second factor.
        second_factor: bool,
        /// Whether this device gave one since it signed in.
        second_factor_given: bool,
        /// Whether the emailed link of this device was confirmed.
        link_confirmed: bool,
        /// Whether the user has a log that has not ended.
        has_log: bool,
        /// Unix seconds until which password and second factor count as just given; 0 for never.
        proven_until: u64,
        backup_codes_left: u32,
        /// All devices of the user that the keystore knows; only for an active device.
        devices: Vec<DeviceStatus>,
    }
    DeviceStatus {
        device: DeviceIdText,
        state: DeviceState,
        /// Unix seconds; 0 for never.
        verified: u64,
        /// Unix seconds; 0 for never.
        last_seen: u64,
        suspended: bool,
    }
    DeviceKeysText { id: DeviceIdText, signing: Bytes, sealing: Bytes, }
}

/// A field that may be absent, but is not null where it is there.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A user id as text.
pub type UserIdText = UserId;
/// A device id as text.
pub type DeviceIdText = DeviceId;

/// What the keystore lets a device do; see the table in `docs/protocol.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    Pending,
    Active,
    Suspended,
    Removed,
}

impl DeviceKeysText {
    /// The keys as they travel.
    #[must_use]
    pub fn of(keys: &DeviceKeys) -> Self {
        Self {
            id: keys.id,
            signing: Bytes(keys.signing.to_bytes().to_vec()),
            sealing: Bytes(keys.sealing.to_bytes().to_vec()),
        }
    }

    /// Reads them.
    ///
    /// # Errors
    /// [`CryptoError`] for other lengths, or keys of small order.
    pub fn to_keys(&self) -> Result<DeviceKeys, CryptoError> {
        let bytes =
            |bytes: &Bytes| <[u8; 32]>::try_from(bytes.0.as_slice()).map_err(|_| CryptoError::Malformed);
        Ok(DeviceKeys {
            id: self.id,
            signing: VerifyingKey::from_bytes(&bytes(&self.signing)?)?,
            sealing: SealingPublicKey::from_bytes(&bytes(&self.sealing)?)?,
        })
    }
}

impl SeenText {
    #[must_use]
    pub fn of(seen: &Seen) -> Self {
        Self { payload: Bytes(seen.payload().to_vec()), signature: Bytes(seen.signature().to_vec()) }
    }

    /// Reads it; nothing is verified yet.
    ///
    /// # Errors
    /// [`CborError`] for another form.
    pub fn to_seen(&self) -> Result<Seen, CborError> {
        let signature = self.signature.0.as_slice().try_into().map_err(|_| CborError::UnexpectedLength)?;
        Seen::decode(&self.payload.0, signature)
    }
}

/// `POST /v1/log`: entries to append, in order, all or none; the three records go with a Genesis or UnlockSet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    pub entries: Vec<Entry>,
    pub records: Option<UnlockRecords>,
}

/// Most entries of one batch, and of one answer.
pub const MAX_ENTRIES: usize = 1_000;

impl Append {
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let records = self.records.as_ref().map(Records);
        cbor_array!["keyquay/1/append", entries(&self.entries), records]
    }

    /// # Errors
    /// [`CborError`] for any other form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CborError> {
        let mut decoder = Decoder::message(bytes, 3, "keyquay/1/append")?;
        let entries = read_entries(&mut decoder)?;
        let records = decoder.optional(|decoder| {
            decoder.array(3)?;
            Ok(UnlockRecords {
                password: decoder.bytes()?.to_vec(),
                root_by_password: decoder.bytes()?.to_vec(),
                root_by_recovery: decoder.bytes()?.to_vec(),
            })
        })?;
        decoder.end()?;
        Ok(Self { entries, records })
    }
}

/// `GET /v1/log?after=SEQ`: what follows, with the blobs that are still live; and every device's latest word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogAnswer {
    pub entries: Vec<Entry>,
    /// Where the server's log ends; beyond the last entry here when there is more to fetch.
    pub head: LogHead,
    pub seen: Vec<Seen>,
}

impl LogAnswer {
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let seen: Vec<SeenRow<'_>> = self.seen.iter().map(SeenRow).collect();
        cbor_array!["keyquay/1/log", entries(&self.entries), self.head.seq, self.head.hash, List(&seen)]
    }

    /// # Errors
    /// [`CborError`] for any other form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CborError> {
        let mut decoder = Decoder::message(bytes, 5, "keyquay/1/log")?;
        let entries = read_entries(&mut decoder)?;
        let head = LogHead { seq: decoder.uint()?, hash: decoder.fixed()? };
        let seen = read_seen(&mut decoder)?;
        decoder.end()?;
        Ok(Self { entries, head, seen })
    }
}

/// One frame of `GET /v1/events`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Entries that were appended, whole.
    Entries(Vec<Entry>),
    /// Another device's word for how far it has come.
    Seen(Seen),
    /// This device may not see more until it signs in again.
    Suspended,
    /// Something outside the log changed (a device waits, was suspended, an address changed): ask for the status.
    StatusChanged,
}

impl Event {
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Entries(list) => cbor_array![EVENT, "entries", entries(list)],
            Self::Seen(seen) => cbor_array![EVENT, "seen", SeenRow(seen)],
            Self::Suspended => cbor_array![EVENT, "suspended", None::<u64>],
            Self::StatusChanged => cbor_array![EVENT, "status", None::<u64>],
        }
    }

    /// # Errors
    /// [`CborError`] for any other form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CborError> {
        let mut decoder = Decoder::message(bytes, 3, EVENT)?;
        let event = match decoder.text()? {
            "entries" => Self::Entries(read_entries(&mut decoder)?),
            "seen" => Self::Seen(seen(&mut decoder)?),
            "suspended" => null(&mut decoder, Self::Suspended)?,
            "status" => null(&mut decoder, Self::StatusChanged)?,
            _ => return Err(CborError::UnexpectedPurpose),
        };
        decoder.end()?;
        Ok(event)
    }
}

const EVENT: &str = "keyquay/1/event";

struct Records<'a>(&'a UnlockRecords);
struct EntryRow<'a>(&'a Entry);
struct SeenRow<'a>(&'a Seen);
struct EntryRows<'a>(&'a [Entry]);

impl Encode for Records<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        let records = self.0;
        encode_array(&[&records.password, &records.root_by_password, &records.root_by_recovery], out);
    }
}

impl Encode for EntryRow<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_array(&[&self.0.payload, &self.0.signature, &self.0.blob], out);
    }
}

impl Encode for SeenRow<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_array(&[&self.0.payload(), self.0.signature()], out);
    }
}

impl Encode for EntryRows<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        let rows: Vec<EntryRow<'_>> = self.0.iter().map(EntryRow).collect();
        List(&rows).encode(out);
    }
}

fn entries(list: &[Entry]) -> EntryRows<'_> {
    EntryRows(list)
}

fn read_entries(decoder: &mut Decoder<'_>) -> Result<Vec<Entry>, CborError> {
    let count = decoder.list(MAX_ENTRIES)?;
    (0..count)
        .map(|_| {
            decoder.array(3)?;
            Ok(Entry {
                payload: decoder.bytes()?.to_vec(),
                signature: decoder.fixed()?,
                blob: decoder.optional(Decoder::bytes)?.map(<[u8]>::to_vec),
            })
        })
        .collect()
}

fn read_seen(decoder: &mut Decoder<'_>) -> Result<Vec<Seen>, CborError> {
    let count = decoder.list(crate::limits::ACTIVE_DEVICES)?;
    (0..count).map(|_| seen(decoder)).collect()
}

fn seen(decoder: &mut Decoder<'_>) -> Result<Seen, CborError> {
    decoder.array(2)?;
    let payload = decoder.bytes()?;
    Seen::decode(payload, decoder.fixed()?)
}

fn null(decoder: &mut Decoder<'_>, event: Event) -> Result<Event, CborError> {
    match decoder.optional(Decoder::uint)? {
        None => Ok(event),
        Some(_) => Err(CborError::UnexpectedType),
    }
}

/// A blob's address: the lower-case hexadecimal of its SHA-256.
#[must_use]
pub fn blob_address(hash: &Digest) -> String {
    data_encoding::HEXLOWER.encode(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_prints_a_secret_or_a_code() {
        let started = SecondFactorStarted { secret: "CANARY".to_owned(), uri: "otpauth://CANARY".to_owned() };
        let confirmed = SecondFactorConfirmed { backup_codes: vec!["CANARY".to_owned()] };
        let code = SecondFactorCode { code: "CANARY".to_owned() };
        let backup = BackupCode { backup_code: "CANARY".to_owned() };
        let printed = format!("{started:?} {confirmed:?} {code:?} {backup:?}");
        assert!(!printed.contains("CANARY") && printed.contains("SecondFactorStarted"), "{printed}");
    }
}
