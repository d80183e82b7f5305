//! The exchanges that prove a password, over several messages each. Key stretching runs off the async threads.

use keyquay_crypto::opaque::{ClientRegistrationStep, ClientSignIn, ExportKey, Parties};
use keyquay_crypto::{CryptoError, SecretString};
use keyquay_protocol::wire::{
    Bytes, DeviceKeysText, PasswordStart, PasswordStarted, RecoveryStart, RecoveryStarted,
    RegistrationFinish, RegistrationFinished, RegistrationStart, RegistrationStarted, SignInFinish,
    SignInFinished, SignInStart, SignInStarted, Status,
};
use keyquay_protocol::{Code, DeviceKeys, Problem, UserId, sign_in_context};

use super::{Connection, DeviceSigner};

/// A sign-in that succeeded.
pub struct SignedIn {
    pub user: UserId,
    pub export_key: ExportKey,
    pub status: Status,
}

/// Registers at the server; the address is confirmed by the mail that follows. Returns the registration's id, to
/// ask for its confirmation with.
///
/// # Errors
/// The server's problem, or one on the way to it.
pub async fn register(
    connection: &Connection,
    email: &str,
    password: &SecretString,
) -> Result<Bytes, Problem> {
    let (step, request) = ClientRegistrationStep::start(password).map_err(of_crypto)?;
    let started: RegistrationStarted = connection
        .post(
            "/v1/users/registration/start",
            &RegistrationStart { email: email.to_owned(), request: Bytes(request) },
        )
        .await?;
    let password = password.clone();
    let (name, user) = (connection.name().to_owned(), started.user);
    let (record, _) =
        stretched(move || step.finish(&password, &started.response.0, parties(&user, &name))).await?;
    let finished: RegistrationFinished = connection
        .post(
            "/v1/users/registration/finish",
            &RegistrationFinish { email: email.to_owned(), record: Bytes(record) },
        )
        .await?;
    Ok(finished.registration)
}

/// Whether the server knows the device that signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    New,
    Known,
}

/// Signs a device in. `expected` is the user that this device belongs to, once it belongs to one.
///
/// # Errors
/// [`Code::SignIn`] when email or password is wrong or the user is another one.
pub async fn sign_in(
    connection: &Connection,
    email: &str,
    password: &SecretString,
    keys: &DeviceKeys,
    signer: &DeviceSigner,
    expected: Option<UserId>,
    standing: Standing,
) -> Result<SignedIn, Problem> {
    let (step, request) = ClientSignIn::start(password).map_err(of_crypto)?;
    let start =
        SignInStart { email: email.to_owned(), device: DeviceKeysText::of(keys), request: Bytes(request) };
    const START: &str = "/v1/sign-in/start";
    // A known device signs the start too, so that a stranger's attempts do not use up its own.
    let started: SignInStarted = match standing {
        Standing::Known => connection.post_signed(signer, START, &start).await?,
        Standing::New => connection.post(START, &start).await?,
    };
    if expected.is_some_and(|expected| expected != started.user) {
        return Err(Problem::new(Code::SignIn));
    }
    let password = password.clone();
    let (name, user) = (connection.name().to_owned(), started.user);
    let context = sign_in_context(&name, keys);
    let (finalization, export_key) =
        stretched(move || step.finish(&password, &started.response.0, &context, parties(&user, &name)))
            .await?;
    let finish = SignInFinish { sign_in: started.sign_in, finalization: Bytes(finalization) };
    let finished: SignInFinished = connection.post_signed(signer, "/v1/sign-in/finish", &finish).await?;
    if finished.status.user != user || finished.status.device != keys.id {
        return Err(Problem::new(Code::NotAServer));
    }
    Ok(SignedIn { user, export_key, status: finished.status })
}

/// Enrols a device without the password: link first, then second factor or backup code.
///
/// # Errors
/// The server's problem, or one on the way to it.
pub async fn recover(connection: &Connection, email: &str, keys: &DeviceKeys) -> Result<UserId, Problem> {
    let start = RecoveryStart { email: email.to_owned(), device: DeviceKeysText::of(keys) };
    let started: RecoveryStarted = connection.post("/v1/recovery/start", &start).await?;
    Ok(started.user)
}

/// A password that is about to come into force, with the UnlockSet that carries its record.
pub struct PasswordStep {
    /// The OPAQUE record.
    pub record: Vec<u8>,
    pub export_key: ExportKey,
}

/// Makes the record of a new password.
///
/// # Errors
/// The server's problem, or one on the way to it.
pub async fn change_password(
    connection: &Connection,
    signer: &DeviceSigner,
    user: UserId,
    password: &SecretString,
) -> Result<PasswordStep, Problem> {
    let (step, request) = ClientRegistrationStep::start(password).map_err(of_crypto)?;
    let started: PasswordStarted = connection
        .post_signed(signer, "/v1/password/start", &PasswordStart { request: Bytes(request) })
        .await?;
    let password = password.clone();
    let name = connection.name().to_owned();
    let (record, export_key) =
        stretched(move || step.finish(&password, &started.response.0, parties(&user, &name))).await?;
    Ok(PasswordStep { record, export_key })
}

fn parties<'a>(user: &'a UserId, server: &'a str) -> Parties<'a> {
    Parties { user: user.as_bytes(), server: server.as_bytes() }
}

async fn stretched<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CryptoError> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(of_crypto),
        Err(_) => Err(Problem::new(Code::Cancelled)),
    }
}

fn of_crypto(error: CryptoError) -> Problem {
    match error {
        CryptoError::SignIn => Problem::new(Code::SignIn),
        CryptoError::Stretching => Problem::new(Code::Busy)
            .with_detail("Signing in needs 64 MiB of free memory. Close something and try again."),
        _ => Problem::new(Code::NotAServer),
    }
}
