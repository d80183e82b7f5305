//! OPAQUE against the vectors of RFC 9807, appendix C, with ristretto255-SHA512.
//!
//! The vectors stretch no key, so the whole exchange runs on the crate below with the suite's own parameters but
//! that one, every random number taken from the vector. What of it needs no key stretching runs through the suite
//! itself: the server's OPRF and its answer to a registration. The suite's key stretching is pinned on its own
//! (`the_key_stretching_is_pinned_to_its_parameters`), and a whole exchange with it is frozen below.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod vectors;

use keyquay_crypto::opaque::{ClientRegistrationStep, ClientSignIn, Parties, PasswordRecord, ServerSetup};
use keyquay_crypto::{CryptoError, ExposeSecret, SecretString};
use opaque_ke::ksf::Identity;
use opaque_ke::{
    CipherSuite, ClientLogin, ClientLoginFinishParameters, ClientRegistration,
    ClientRegistrationFinishParameters, CredentialFinalization, CredentialRequest, CredentialResponse,
    Identifiers, RegistrationRequest, RegistrationResponse, RegistrationUpload, Ristretto255, ServerLogin,
    ServerLoginParameters, ServerRegistration, TripleDh,
};
use rand_core_opaque::{CryptoRng, RngCore};
use serde_json::Value;
use vectors::{hex, read};

/// The suite's, but for the key stretching.
struct WithoutStretching;

impl CipherSuite for WithoutStretching {
    type OprfCs = Ristretto255;
    type KeyExchange = TripleDh<Ristretto255, sha2_opaque::Sha512>;
    type Ksf = Identity;
}

/// Gives exactly the numbers of a vector, in the order in which they are asked for.
struct Script(Vec<u8>);

impl Script {
    fn of(parts: &[Vec<u8>]) -> Self {
        Self(parts.concat())
    }

    fn is_used_up(&self) -> bool {
        self.0.is_empty()
    }
}

impl RngCore for Script {
    fn next_u32(&mut self) -> u32 {
        rand_core_opaque::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core_opaque::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        let rest = self.0.split_off(dest.len());
        dest.copy_from_slice(&self.0);
        self.0 = rest;
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core_opaque::Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}

impl CryptoRng for Script {}

/// A scalar below the order is drawn from 64 bytes, reduced.
fn blind(vector: &Value, name: &str) -> Vec<u8> {
    [read(vector, name), vec![0; 32]].concat()
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("data/rfc9807.json")).unwrap()
}

fn identifiers<'a>(client: &'a Option<Vec<u8>>, server: &'a Option<Vec<u8>>) -> Identifiers<'a> {
    Identifiers { client: client.as_deref(), server: server.as_deref() }
}

fn identity(vector: &Value, name: &str) -> Option<Vec<u8>> {
    vector[name].as_str().map(hex)
}

fn setup(vector: &Value, dummy: &str) -> Vec<u8> {
    [read(vector, "oprf_seed"), read(vector, "server_private_key"), read(vector, dummy)].concat()
}

#[test]
fn an_exchange_gives_every_message_and_key_of_rfc_9807() {
    for vector in vectors()["real"].as_array().unwrap() {
        let password = read(vector, "password");
        let credential = read(vector, "credential_identifier");
        let context = read(vector, "context");
        let (client, server) = (identity(vector, "client_identity"), identity(vector, "server_identity"));
        let setup = setup(vector, "server_public_key");
        let setup = opaque_ke::ServerSetup::<WithoutStretching>::deserialize(&setup).unwrap();

        let mut script = Script::of(&[blind(vector, "blind_registration")]);
        let registration = ClientRegistration::<WithoutStretching>::start(&mut script, &password).unwrap();
        assert!(script.is_used_up());
        assert_eq!(registration.message.serialize().to_vec(), read(vector, "registration_request"));

        let request = RegistrationRequest::deserialize(&read(vector, "registration_request")).unwrap();
        let answer =
            ServerRegistration::<WithoutStretching>::start(&setup, request, &credential).unwrap().message;
        assert_eq!(answer.serialize().to_vec(), read(vector, "registration_response"));

        let mut script = Script::of(&[read(vector, "envelope_nonce")]);
        let answer = RegistrationResponse::deserialize(&read(vector, "registration_response")).unwrap();
        let parameters =
            ClientRegistrationFinishParameters::new(identifiers(&client, &server), Some(&Identity));
        let registered = registration.state.finish(&mut script, &password, answer, parameters).unwrap();
        assert!(script.is_used_up());
        assert_eq!(registered.message.serialize().to_vec(), read(vector, "registration_upload"));
        assert_eq!(registered.export_key.to_vec(), read(vector, "export_key"));

        let mut script = Script::of(&[
            blind(vector, "blind_login"),
            read(vector, "client_keyshare_seed"),
            read(vector, "client_nonce"),
        ]);
        let sign_in = ClientLogin::<WithoutStretching>::start(&mut script, &password).unwrap();
        assert!(script.is_used_up());
        assert_eq!(sign_in.message.serialize().to_vec(), read(vector, "ke1"));

        // The first 64 bytes are drawn for an unknown user, known or not.
        let mut script = Script::of(&[
            vec![0; 64],
            read(vector, "masking_nonce"),
            read(vector, "server_keyshare_seed"),
            read(vector, "server_nonce"),
        ]);
        let record = RegistrationUpload::deserialize(&read(vector, "registration_upload")).unwrap();
        let both =
            || ServerLoginParameters { context: Some(&context), identifiers: identifiers(&client, &server) };
        let answered = ServerLogin::start(
            &mut script,
            &setup,
            Some(ServerRegistration::finish(record)),
            CredentialRequest::deserialize(&read(vector, "ke1")).unwrap(),
            &credential,
            both(),
        )
        .unwrap();
        assert!(script.is_used_up());
        assert_eq!(answered.message.serialize().to_vec(), read(vector, "ke2"));

        let finished = sign_in
            .state
            .finish(
                &mut Script(Vec::new()),
                &password,
                CredentialResponse::deserialize(&read(vector, "ke2")).unwrap(),
                ClientLoginFinishParameters::new(
                    Some(&context),
                    identifiers(&client, &server),
                    Some(&Identity),
                ),
            )
            .unwrap();
        assert_eq!(finished.message.serialize().to_vec(), read(vector, "ke3"));
        assert_eq!(finished.export_key.to_vec(), read(vector, "export_key"));
        assert_eq!(finished.session_key.to_vec(), read(vector, "session_key"));

        let ke3 = CredentialFinalization::deserialize(&read(vector, "ke3")).unwrap();
        let session = answered.state.finish(ke3, both()).unwrap();
        assert_eq!(session.session_key.to_vec(), read(vector, "session_key"));
    }
}

#[test]
fn an_unknown_user_is_answered_as_in_rfc_9807() {
    for vector in vectors()["fake"].as_array().unwrap() {
        let (client, server) = (identity(vector, "client_identity"), identity(vector, "server_identity"));
        let setup = setup(vector, "client_public_key");
        let setup = opaque_ke::ServerSetup::<WithoutStretching>::deserialize(&setup).unwrap();
        let mut script = Script::of(&[
            read(vector, "masking_key"),
            read(vector, "masking_nonce"),
            read(vector, "server_keyshare_seed"),
            read(vector, "server_nonce"),
        ]);
        let answered = ServerLogin::start(
            &mut script,
            &setup,
            None,
            CredentialRequest::deserialize(&read(vector, "ke1")).unwrap(),
            &read(vector, "credential_identifier"),
            ServerLoginParameters {
                context: Some(&read(vector, "context")),
                identifiers: identifiers(&client, &server),
            },
        )
        .unwrap();
        assert_eq!(answered.message.serialize().to_vec(), read(vector, "ke2"));
    }
}

#[test]
fn the_suites_server_answers_a_registration_as_in_rfc_9807() {
    for vector in vectors()["real"].as_array().unwrap() {
        let setup = ServerSetup::from_bytes(&setup(vector, "server_public_key")).unwrap();
        let answer = setup
            .registration_response(
                &read(vector, "registration_request"),
                &read(vector, "credential_identifier"),
            )
            .unwrap();
        assert_eq!(answer, read(vector, "registration_response"));
        assert!(PasswordRecord::from_bytes(&read(vector, "registration_upload")).is_ok());
    }
}

const PARTIES: Parties<'_> = Parties { user: &[0x11; 16], server: b"sync.example" };

/// A server's setup, a record that it keeps and the export key, made once by this suite.
fn frozen() -> Value {
    serde_json::from_str(include_str!("data/frozen_opaque.json")).unwrap()
}

fn sign_in(setup: &ServerSetup, record: &PasswordRecord, password: &str) -> Result<Vec<u8>, CryptoError> {
    let password = SecretString::from(password);
    let (client, ke1) = ClientSignIn::start(&password).unwrap();
    let (server, ke2) = setup.sign_in(Some(record), &ke1, b"context", PARTIES).unwrap();
    let (ke3, export_key) = client.finish(&password, &ke2, b"context", PARTIES)?;
    server.finish(&ke3, b"context", PARTIES)?;
    Ok(export_key.expose().to_vec())
}

// Fails when anything of the suite changes: curve, hash, key stretching, who takes part.
#[test]
fn a_record_that_a_server_kept_still_signs_in_and_gives_the_same_key() {
    let frozen = frozen();
    let setup = ServerSetup::from_bytes(&read(&frozen, "setup")).unwrap();
    let record = PasswordRecord::from_bytes(&read(&frozen, "record")).unwrap();
    let password = frozen["password"].as_str().unwrap();
    assert_eq!(sign_in(&setup, &record, password).unwrap(), read(&frozen, "export_key"));
    assert_eq!(sign_in(&setup, &record, "another"), Err(CryptoError::SignIn));
}

#[test]
fn a_flipped_bit_anywhere_in_a_message_or_record_signs_nobody_in() {
    let frozen = frozen();
    let setup = ServerSetup::from_bytes(&read(&frozen, "setup")).unwrap();
    let bytes = read(&frozen, "record");
    let record = PasswordRecord::from_bytes(&bytes).unwrap();
    let password = SecretString::from(frozen["password"].as_str().unwrap());

    // KE2 is 320 bytes: some of every part, as each try stretches a key.
    let (_, ke1) = ClientSignIn::start(&password).unwrap();
    let (_, ke2) = setup.sign_in(Some(&record), &ke1, b"context", PARTIES).unwrap();
    for index in (0..ke2.len()).step_by(29) {
        let (client, ke1) = ClientSignIn::start(&password).unwrap();
        let (_, mut ke2) = setup.sign_in(Some(&record), &ke1, b"context", PARTIES).unwrap();
        ke2[index] ^= 1;
        let answer = client.finish(&password, &ke2, b"context", PARTIES);
        assert_eq!(answer.unwrap_err(), CryptoError::SignIn, "byte {index}");
    }

    let (client, ke1) = ClientSignIn::start(&password).unwrap();
    let (_, ke2) = setup.sign_in(Some(&record), &ke1, b"context", PARTIES).unwrap();
    let (ke3, _) = client.finish(&password, &ke2, b"context", PARTIES).unwrap();
    for index in 0..ke3.len() {
        let (server, _) = setup.sign_in(Some(&record), &ke1, b"context", PARTIES).unwrap();
        let mut altered = ke3.clone();
        altered[index] ^= 1;
        assert_eq!(server.finish(&altered, b"context", PARTIES), Err(CryptoError::SignIn));
    }
    for index in (0..bytes.len()).step_by(31) {
        let mut altered = bytes.clone();
        altered[index] ^= 1;
        let Ok(altered) = PasswordRecord::from_bytes(&altered) else { continue };
        assert!(sign_in(&setup, &altered, password.expose_secret()).is_err(), "byte {index}");
    }
}

// KEYQUAY_FREEZE=directory writes the file anew, after a change of format that was decided.
#[test]
fn a_fresh_record_has_the_frozen_sizes() {
    let frozen = frozen();
    let password = SecretString::from(frozen["password"].as_str().unwrap());
    let setup = ServerSetup::make_random();
    let (step, request) = ClientRegistrationStep::start(&password).unwrap();
    let response = setup.registration_response(&request, PARTIES.user).unwrap();
    let (record, export_key) = step.finish(&password, &response, PARTIES).unwrap();
    let secret = setup.to_secret();
    let fresh = serde_json::json!({
        "password": password.expose_secret(),
        "setup": data_encoding::HEXLOWER.encode(secret.expose_secret()),
        "record": data_encoding::HEXLOWER.encode(&record),
        "export_key": data_encoding::HEXLOWER.encode(export_key.expose()),
    });
    if let Some(directory) = std::env::var_os("KEYQUAY_FREEZE") {
        let text = serde_json::to_string_pretty(&fresh).unwrap();
        std::fs::write(std::path::Path::new(&directory).join("frozen_opaque.json"), text + "\n").unwrap();
        return;
    }
    for name in ["setup", "record", "export_key"] {
        assert_eq!(read(&fresh, name).len(), read(&frozen, name).len(), "{name}");
    }
}
