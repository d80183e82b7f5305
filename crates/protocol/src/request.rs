//! Requests of a device are signed as HTTP Message Signatures (RFC 9421), in one fixed profile: Ed25519 over
//! `@method`, `@target-uri` and `content-digest`, with `created`, `keyid` and `nonce`. Another set, order or
//! spelling is refused, so that there is nothing to negotiate.

use data_encoding::{BASE64, HEXLOWER};
use keyquay_crypto::sign::{Signature, SigningKey, VerifyingKey};
use keyquay_crypto::{random_bytes, sha256};
use thiserror::Error;

use crate::DeviceId;

/// How far a request's `created` may be from the server's clock, in seconds.
pub const WINDOW: u64 = 60;
/// How long the server remembers a nonce, in seconds: a request that is dated [`WINDOW`] ahead is still in time
/// twice that later, to the end of that second [one second less, and it could be replayed in it].
pub const NONCE_MEMORY: u64 = 2 * WINDOW + 2;

/// The header fields of a signed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// `Content-Digest` (RFC 9530).
    pub content_digest: String,
    /// `Signature-Input`.
    pub signature_input: String,
    /// `Signature`.
    pub signature: String,
}

/// What a verified signature says beside the request itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestSignature {
    pub device: DeviceId,
    /// Unix seconds.
    pub created: u64,
    pub nonce: [u8; 16],
}

/// Why a signed request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RequestError {
    #[error("the signature headers are not of the one accepted form")]
    Malformed,
    #[error("the body is not the one that was signed")]
    Digest,
    #[error("the signature does not verify")]
    Signature,
    #[error("the request was made at another time")]
    Clock,
}

/// `Content-Digest` of a body, the empty one included.
#[must_use]
pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64.encode(&sha256(body)))
}

/// Signs a request. `method` in upper case, `target_uri` absolute as the server names itself, `created` in unix seconds.
#[must_use]
pub fn sign_request(
    method: &str,
    target_uri: &str,
    body: &[u8],
    device: DeviceId,
    key: &SigningKey,
    created: u64,
) -> Signed {
    let content_digest = content_digest(body);
    let parameters = parameters(created, device, &random_bytes());
    let base = covered(method, target_uri, &content_digest, &parameters);
    Signed {
        content_digest,
        signature_input: format!("{LABEL}={parameters}"),
        signature: format!("{LABEL}=:{}:", BASE64.encode(&key.sign(base.as_bytes()))),
    }
}

impl Signed {
    /// What the signature claims, before the key is known that verifies it.
    ///
    /// # Errors
    /// [`RequestError::Malformed`] for any other form than the one that [`sign_request`] writes.
    pub fn claims(&self) -> Result<RequestSignature, RequestError> {
        let claims = read_parameters(&self.signature_input).ok_or(RequestError::Malformed)?;
        let canonical = format!("{LABEL}={}", parameters(claims.created, claims.device, &claims.nonce));
        if canonical == self.signature_input { Ok(claims) } else { Err(RequestError::Malformed) }
    }
}

/// Verifies a request against the key of the device that it names. The caller still remembers the nonce.
///
/// # Errors
/// [`RequestError`] by what differs.
pub fn verify_request(
    method: &str,
    target_uri: &str,
    body: &[u8],
    signed: &Signed,
    key: &VerifyingKey,
    now: u64,
) -> Result<RequestSignature, RequestError> {
    let claims = signed.claims()?;
    if signed.content_digest != content_digest(body) {
        return Err(RequestError::Digest);
    }
    let signature = read_signature(&signed.signature).ok_or(RequestError::Malformed)?;
    let parameters = parameters(claims.created, claims.device, &claims.nonce);
    let base = covered(method, target_uri, &signed.content_digest, &parameters);
    key.verify(base.as_bytes(), &signature).map_err(|_| RequestError::Signature)?;
    if claims.created.abs_diff(now) > WINDOW { Err(RequestError::Clock) } else { Ok(claims) }
}

const LABEL: &str = "sig";

fn parameters(created: u64, device: DeviceId, nonce: &[u8; 16]) -> String {
    let nonce = HEXLOWER.encode(nonce);
    format!(
        r#"("@method" "@target-uri" "content-digest");created={created};keyid="{device}";nonce="{nonce}";alg="ed25519""#
    )
}

fn covered(method: &str, target_uri: &str, content_digest: &str, parameters: &str) -> String {
    let components = [("@method", method), ("@target-uri", target_uri), ("content-digest", content_digest)];
    signature_base(&components, parameters)
}

/// The signature base (RFC 9421, section 2.5).
fn signature_base(components: &[(&str, &str)], parameters: &str) -> String {
    let mut base = String::new();
    for (name, value) in components {
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {parameters}"));
    base
}

fn read_parameters(input: &str) -> Option<RequestSignature> {
    let mut parts = input.split(';').skip(1);
    let created = parts.next()?.strip_prefix("created=")?.parse().ok()?;
    let device = quoted(parts.next()?.strip_prefix("keyid=")?)?.parse().ok()?;
    let nonce = HEXLOWER.decode(quoted(parts.next()?.strip_prefix("nonce=")?)?.as_bytes()).ok()?;
    Some(RequestSignature { device, created, nonce: nonce.try_into().ok()? })
}

fn read_signature(field: &str) -> Option<Signature> {
    let encoded = field.strip_prefix(LABEL)?.strip_prefix("=:")?.strip_suffix(':')?;
    BASE64.decode(encoded.as_bytes()).ok()?.try_into().ok()
}

fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use keyquay_crypto::Secret32;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_signature_base_signs_as_in_rfc_9421_b_2_6() {
        // RFC 9421, B.1.4: test-key-ed25519.
        let seed = BASE64.decode(b"n4Ni+HpISpVObnQMW0wOhCKROaIKqKtW/2ZYb2p9KcU=").unwrap();
        let key = SigningKey::from_seed(Secret32::try_copy_from(&seed).unwrap());
        let public = BASE64.decode(b"JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=").unwrap();
        assert_eq!(key.verifying_key().to_bytes().to_vec(), public);

        let components = [
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("@method", "POST"),
            ("@path", "/foo"),
            ("@authority", "example.com"),
            ("content-type", "application/json"),
            ("content-length", "18"),
        ];
        let parameters = concat!(
            r#"("date" "@method" "@path" "@authority" "content-type" "content-length")"#,
            r#";created=1618884473;keyid="test-key-ed25519""#
        );
        let signature = key.sign(signature_base(&components, parameters).as_bytes());
        let expected =
            "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";
        assert_eq!(BASE64.encode(&signature), expected);
    }

    const URI: &str = "https://sync.example/v1/log";

    fn signed(key: &SigningKey, device: DeviceId) -> Signed {
        sign_request("POST", URI, b"body", device, key, 1_000)
    }

    #[test]
    fn a_signed_request_verifies_as_it_was_sent_and_in_no_other_way() {
        let (key, device) = (SigningKey::make_random(), DeviceId::make_random());
        let public = key.verifying_key();
        let ok = signed(&key, device);
        let claims = verify_request("POST", URI, b"body", &ok, &public, 1_060).unwrap();
        assert_eq!((claims.device, claims.created), (device, 1_000));

        let refused = [
            verify_request("GET", URI, b"body", &ok, &public, 1_000),
            verify_request("POST", "https://sync.example/v1/share", b"body", &ok, &public, 1_000),
            verify_request("POST", URI, b"other", &ok, &public, 1_000),
            verify_request("POST", URI, b"body", &ok, &SigningKey::make_random().verifying_key(), 1_000),
            verify_request("POST", URI, b"body", &ok, &public, 1_061),
            verify_request("POST", URI, b"body", &ok, &public, 939),
        ];
        assert!(refused.iter().all(Result::is_err), "{refused:?}");
    }

    #[test]
    fn another_spelling_of_the_parameters_is_refused() {
        let (key, device) = (SigningKey::make_random(), DeviceId::make_random());
        let ok = signed(&key, device);
        let respelled = [
            ok.signature_input.replace("created=1000", "created=01000"),
            ok.signature_input.replace(r#" "content-digest""#, ""),
            ok.signature_input.replace("keyid", "keyId"),
            format!("{};tag=\"x\"", ok.signature_input),
            String::new(),
        ];
        for signature_input in respelled {
            let other = Signed { signature_input, ..ok.clone() };
            assert_eq!(other.claims(), Err(RequestError::Malformed));
        }
    }

    proptest! {
        #[test]
        fn garbage_in_the_headers_is_refused_without_a_panic(input: String, signature: String) {
            let signed = Signed { content_digest: content_digest(b""), signature_input: input, signature };
            let key = SigningKey::make_random().verifying_key();
            prop_assert!(verify_request("GET", URI, b"", &signed, &key, 0).is_err());
        }
    }
}
