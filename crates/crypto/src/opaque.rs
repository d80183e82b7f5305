//! OPAQUE (RFC 9807): ristretto255-SHA512 for the OPRF, 3DH over ristretto255, Argon2id as key stretching.
//!
//! The only module that sees the older generation of curve crates which `opaque-ke` brings. The key
//! stretching is passed at every step: left out, the crate would fall back to its own defaults.

use opaque_ke::errors::InternalError;
use opaque_ke::generic_array::{ArrayLength, GenericArray};
use opaque_ke::{
    CipherSuite, ClientLogin, ClientLoginFinishParameters, ClientRegistration,
    ClientRegistrationFinishParameters, CredentialFinalization, CredentialRequest, CredentialResponse,
    Identifiers, RegistrationRequest, RegistrationResponse, RegistrationUpload, Ristretto255, ServerLogin,
    ServerLoginParameters, ServerRegistration, TripleDh,
};
use rand_core_opaque::OsRng;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use zeroize::{Zeroize, Zeroizing};

use crate::{CryptoError, SecretVec, kdf};

crate::secret_bytes! {
    /// What the password gives its owner and nobody else (RFC 9807, section 3.2): 64 bytes.
    pub struct ExportKey(64);
}

/// Who takes part: the user's id, and the public name of the server.
#[derive(Debug, Clone, Copy)]
pub struct Parties<'a> {
    pub user: &'a [u8],
    pub server: &'a [u8],
}

/// A registration under way at the client.
pub struct ClientRegistrationStep(ClientRegistration<Suite>);

impl ClientRegistrationStep {
    /// The first message: the blinded password.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the library refuses the password (longer than 64 KiB).
    pub fn start(password: &SecretString) -> Result<(Self, Vec<u8>), CryptoError> {
        let started = ClientRegistration::start(&mut OsRng, password.expose_secret().as_bytes())
            .map_err(|_| CryptoError::Malformed)?;
        Ok((Self(started.state), started.message.serialize().to_vec()))
    }

    /// The record for the server, and the export key.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] for an answer that is not one, [`CryptoError::Stretching`] without memory.
    pub fn finish(
        self,
        password: &SecretString,
        response: &[u8],
        parties: Parties<'_>,
    ) -> Result<(Vec<u8>, ExportKey), CryptoError> {
        let response = whole(response, RegistrationResponse::deserialize, RegistrationResponse::serialize)
            .ok_or(CryptoError::Malformed)?;
        let mut finished = self
            .0
            .finish(
                &mut OsRng,
                password.expose_secret().as_bytes(),
                response,
                ClientRegistrationFinishParameters::new(parties.into(), Some(&Stretching)),
            )
            .map_err(refused)?;
        let export_key = ExportKey::try_copy_from(&finished.export_key)?;
        finished.export_key.zeroize();
        Ok((finished.message.serialize().to_vec(), export_key))
    }
}

/// A sign-in under way at the client.
pub struct ClientSignIn(ClientLogin<Suite>);

impl ClientSignIn {
    /// KE1.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the library refuses the password (longer than 64 KiB).
    pub fn start(password: &SecretString) -> Result<(Self, Vec<u8>), CryptoError> {
        let started = ClientLogin::start(&mut OsRng, password.expose_secret().as_bytes())
            .map_err(|_| CryptoError::Malformed)?;
        Ok((Self(started.state), started.message.serialize().to_vec()))
    }

    /// KE3 and the export key, from KE2. `context` binds the exchange to the device that signs in.
    ///
    /// # Errors
    /// [`CryptoError::SignIn`] when the password is wrong or anything was altered.
    pub fn finish(
        self,
        password: &SecretString,
        response: &[u8],
        context: &[u8],
        parties: Parties<'_>,
    ) -> Result<(Vec<u8>, ExportKey), CryptoError> {
        let response = whole(response, CredentialResponse::deserialize, CredentialResponse::serialize)
            .ok_or(CryptoError::SignIn)?;
        let mut finished = self
            .0
            .finish(
                &mut OsRng,
                password.expose_secret().as_bytes(),
                response,
                ClientLoginFinishParameters::new(Some(context), parties.into(), Some(&Stretching)),
            )
            .map_err(|error| match refused(error) {
                CryptoError::Stretching => CryptoError::Stretching,
                _ => CryptoError::SignIn,
            })?;
        let export_key = ExportKey::try_copy_from(&finished.export_key)?;
        finished.export_key.zeroize();
        finished.session_key.zeroize();
        Ok((finished.message.serialize().to_vec(), export_key))
    }
}

/// The server's setup secret: its OPRF seed and key pair. Never rotated, and part of the backup.
pub struct ServerSetup(opaque_ke::ServerSetup<Suite>);

impl ServerSetup {
    /// Fresh from the operating system.
    #[must_use]
    pub fn make_random() -> Self {
        Self(opaque_ke::ServerSetup::new(&mut OsRng))
    }

    /// Reads what [`ServerSetup::to_secret`] wrote.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        whole(bytes, opaque_ke::ServerSetup::deserialize, opaque_ke::ServerSetup::serialize)
            .map(Self)
            .ok_or(CryptoError::Malformed)
    }

    /// The bytes to store, sealed.
    #[must_use]
    pub fn to_secret(&self) -> SecretVec {
        SecretBox::new(Box::new(self.0.serialize().to_vec()))
    }

    /// The answer to the first message of a registration. `user` is the credential identifier.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] for a request that is not one.
    pub fn registration_response(&self, request: &[u8], user: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let request = whole(request, RegistrationRequest::deserialize, RegistrationRequest::serialize)
            .ok_or(CryptoError::Malformed)?;
        let started =
            ServerRegistration::<Suite>::start(&self.0, request, user).map_err(|_| CryptoError::Malformed)?;
        Ok(started.message.serialize().to_vec())
    }

    /// KE2 in answer to KE1. Without a `record` the answer looks the same and nothing finishes with it.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] for a request or record that is not one.
    pub fn sign_in(
        &self,
        record: Option<&PasswordRecord>,
        request: &[u8],
        context: &[u8],
        parties: Parties<'_>,
    ) -> Result<(ServerSignIn, Vec<u8>), CryptoError> {
        let request = whole(request, CredentialRequest::deserialize, CredentialRequest::serialize)
            .ok_or(CryptoError::Malformed)?;
        let started = ServerLogin::start(
            &mut OsRng,
            &self.0,
            record.map(|record| record.0.clone()),
            request,
            parties.user,
            ServerLoginParameters { context: Some(context), identifiers: parties.into() },
        )
        .map_err(|_| CryptoError::Malformed)?;
        Ok((ServerSignIn(started.state), started.message.serialize().to_vec()))
    }
}

/// What the server keeps of a password: enough to check it, not enough to know it.
pub struct PasswordRecord(ServerRegistration<Suite>);

impl PasswordRecord {
    /// Reads the bytes that [`ClientRegistrationStep::finish`] made; they are kept as they are.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        let upload = whole(bytes, RegistrationUpload::deserialize, RegistrationUpload::serialize)
            .ok_or(CryptoError::Malformed)?;
        Ok(Self(ServerRegistration::finish(upload)))
    }
}

/// A sign-in under way at the server.
pub struct ServerSignIn(ServerLogin<Suite>);

impl ServerSignIn {
    /// Checks KE3, with the same context and parties as at the start.
    ///
    /// # Errors
    /// [`CryptoError::SignIn`] when the password was wrong or anything was altered.
    pub fn finish(
        self,
        finalization: &[u8],
        context: &[u8],
        parties: Parties<'_>,
    ) -> Result<(), CryptoError> {
        let finalization =
            whole(finalization, CredentialFinalization::deserialize, CredentialFinalization::serialize)
                .ok_or(CryptoError::SignIn)?;
        self.0
            .finish(
                finalization,
                ServerLoginParameters { context: Some(context), identifiers: parties.into() },
            )
            .map(|_session_key| ())
            .map_err(|_| CryptoError::SignIn)
    }
}

struct Suite;

impl CipherSuite for Suite {
    type OprfCs = Ristretto255;
    type KeyExchange = TripleDh<Ristretto255, sha2_opaque::Sha512>;
    type Ksf = Stretching;
}

/// Argon2id with this suite's parameters and a salt of zeros (RFC 9807, section 7): the OPRF has salted the input.
#[derive(Default)]
struct Stretching;

impl opaque_ke::ksf::Ksf for Stretching {
    fn hash<L: ArrayLength<u8>>(
        &self,
        input: GenericArray<u8, L>,
    ) -> Result<GenericArray<u8, L>, InternalError> {
        let input = Zeroizing::new(input.to_vec());
        let mut output = GenericArray::default();
        kdf::stretch_into(&input, &[0; 16], &mut output).map_err(|_| InternalError::KsfError)?;
        Ok(output)
    }
}

impl<'a> From<Parties<'a>> for Identifiers<'a> {
    fn from(parties: Parties<'a>) -> Self {
        Self { client: Some(parties.user), server: Some(parties.server) }
    }
}

/// Reads a message that is exactly these bytes [the crate reads the beginning and leaves what follows, so that a
/// record could be of any length and one record have many hashes].
fn whole<T, L: ArrayLength<u8>>(
    bytes: &[u8],
    read: impl FnOnce(&[u8]) -> Result<T, opaque_ke::errors::ProtocolError>,
    write: impl FnOnce(&T) -> GenericArray<u8, L>,
) -> Option<T> {
    let message = read(bytes).ok()?;
    let mut again = write(&message);
    let same = again.as_slice() == bytes;
    again.zeroize();
    same.then_some(message)
}

fn refused(error: opaque_ke::errors::ProtocolError) -> CryptoError {
    match error {
        opaque_ke::errors::ProtocolError::LibraryError(InternalError::KsfError) => CryptoError::Stretching,
        _ => CryptoError::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use opaque_ke::ksf::Ksf;

    use super::*;

    const PARTIES: Parties<'_> = Parties { user: b"user", server: b"sync.example" };

    fn register(setup: &ServerSetup, password: &str) -> (PasswordRecord, ExportKey) {
        let password = SecretString::from(password);
        let (step, request) = ClientRegistrationStep::start(&password).unwrap();
        let response = setup.registration_response(&request, PARTIES.user).unwrap();
        let (record, export_key) = step.finish(&password, &response, PARTIES).unwrap();
        (PasswordRecord::from_bytes(&record).unwrap(), export_key)
    }

    #[test]
    fn the_right_password_signs_in_and_gives_the_same_export_key() {
        let setup = ServerSetup::make_random();
        let (record, export_key) = register(&setup, "correct horse");
        let setup = ServerSetup::from_bytes(setup.to_secret().expose_secret()).unwrap();

        let password = SecretString::from("correct horse");
        let (client, request) = ClientSignIn::start(&password).unwrap();
        let (server, response) = setup.sign_in(Some(&record), &request, b"device", PARTIES).unwrap();
        let (finalization, again) = client.finish(&password, &response, b"device", PARTIES).unwrap();
        assert_eq!(again, export_key);
        assert_eq!(server.finish(&finalization, b"device", PARTIES), Ok(()));
    }

    #[test]
    fn a_wrong_password_an_unknown_user_and_another_device_all_fail_alike() {
        let setup = ServerSetup::make_random();
        let (record, _) = register(&setup, "correct horse");
        let wrong = SecretString::from("battery staple");
        let right = SecretString::from("correct horse");

        let attempts = [(Some(&record), &wrong), (None, &right)];
        for (record, password) in attempts {
            let (client, request) = ClientSignIn::start(password).unwrap();
            let (_, response) = setup.sign_in(record, &request, b"device", PARTIES).unwrap();
            let failed = client.finish(password, &response, b"device", PARTIES);
            assert_eq!(failed.unwrap_err(), CryptoError::SignIn);
        }

        let (client, request) = ClientSignIn::start(&right).unwrap();
        let (server, response) = setup.sign_in(Some(&record), &request, b"device", PARTIES).unwrap();
        let swapped = client.finish(&right, &response, b"other device", PARTIES);
        assert_eq!(swapped.unwrap_err(), CryptoError::SignIn);
        assert_eq!(server.finish(&[0; 64], b"device", PARTIES), Err(CryptoError::SignIn));
    }

    #[test]
    fn a_message_with_bytes_after_its_end_is_refused() {
        let longer = |bytes: &[u8]| [bytes, &[0]].concat();
        let setup = ServerSetup::make_random();
        assert!(ServerSetup::from_bytes(&longer(setup.to_secret().expose_secret())).is_err());

        let password = SecretString::from("correct horse");
        let (step, request) = ClientRegistrationStep::start(&password).unwrap();
        assert!(setup.registration_response(&longer(&request), PARTIES.user).is_err());
        let response = setup.registration_response(&request, PARTIES.user).unwrap();
        let (refused, _) = ClientRegistrationStep::start(&password).unwrap();
        assert!(refused.finish(&password, &longer(&response), PARTIES).is_err());
        let (record, _) = step.finish(&password, &response, PARTIES).unwrap();
        assert!(PasswordRecord::from_bytes(&longer(&record)).is_err());
        let record = PasswordRecord::from_bytes(&record).unwrap();

        let (client, ke1) = ClientSignIn::start(&password).unwrap();
        assert!(setup.sign_in(Some(&record), &longer(&ke1), b"device", PARTIES).is_err());
        let (server, ke2) = setup.sign_in(Some(&record), &ke1, b"device", PARTIES).unwrap();
        let (refused, again) = ClientSignIn::start(&password).unwrap();
        let (_, answer) = setup.sign_in(Some(&record), &again, b"device", PARTIES).unwrap();
        assert!(refused.finish(&password, &longer(&answer), b"device", PARTIES).is_err());
        let (ke3, _) = client.finish(&password, &ke2, b"device", PARTIES).unwrap();
        assert_eq!(server.finish(&longer(&ke3), b"device", PARTIES), Err(CryptoError::SignIn));
    }

    #[test]
    fn the_key_stretching_is_pinned_to_its_parameters() {
        let input = GenericArray::<u8, opaque_ke::generic_array::typenum::U64>::from([0x42; 64]);
        let output = Stretching.hash(input).unwrap();
        // Computed with the reference implementation: argon2id, 64 MiB, t = 3, p = 4, 64 bytes, salt of 16 zeros.
        assert_eq!(data_encoding::HEXLOWER.encode(&output), PINNED);
    }

    const PINNED: &str = "972613d74d6b7aa8e61d8ce674717a1abdbe325eec9b13b37590d349acb0c3b4\
        a2bbd5c74d3f39dc75bbc3341f1855300d17bcfc777ea35cbbe11d8dce12e8cc";
}
