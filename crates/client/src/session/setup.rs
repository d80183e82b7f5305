//! The stepper: from "no server" to a verified device. Its secrets live in memory only; what is not finished when the
//! app ends begins again at the sign-in, with new keys.

mod commit;
mod verify;
mod view;

pub(crate) use self::commit::seal_records;
pub(crate) use self::verify::{confirm_second_factor, give_second_factor, start_second_factor};

use std::sync::Arc;

use keyquay_crypto::opaque::ExportKey;
use keyquay_crypto::sealing::SealingKey;
use keyquay_crypto::sign::SigningKey;
use keyquay_crypto::{RecoveryCode, SecretKey, SecretString};
use keyquay_protocol::wire::{Bytes, Status};
use keyquay_protocol::{Code, DeviceId, DeviceKeys, Entry, Problem, UnlockRecords, UserId};

use super::kit::Kit;
use super::lifecycle::{parse_recovery_code, parse_secret_key};
use super::{Inner, Session};
use crate::server::{self, Connection, DeviceSigner, ServerAddress};
use crate::view::SecretText;
use crate::view::sync::{SetupPath, SetupStep, SetupView};

/// Fewer characters than this protect nothing that a server keeps.
const SHORTEST_PASSWORD: usize = 10;

/// The stepper under way.
pub(crate) struct Setup {
    pub step: SetupStep,
    pub path: SetupPath,
    pub connection: Option<Connection>,
    pub email: Option<String>,
    pub password: Option<SecretString>,
    /// The registration whose address is not confirmed.
    pub registration: Option<Bytes>,
    pub address_mail_sent: Option<u64>,
    pub pending: Option<PendingDevice>,
    pub user: Option<UserId>,
    pub export_key: Option<ExportKey>,
    pub secret_key: Option<SecretKey>,
    pub recovery_code: Option<RecoveryCode>,
    pub second_factor_confirmed: bool,
    pub device_name: String,
    pub mail: Option<MailRecord>,
    pub kit: Option<Kit>,
    /// A Genesis that was sent: a lost answer is asked for again with the same bytes.
    pub genesis: Option<(Entry, UnlockRecords)>,
}

/// A device that the keystore knows and the log does not: its keys are in memory only.
pub(crate) struct PendingDevice {
    pub id: DeviceId,
    pub signing: Arc<SigningKey>,
    pub sealing: SealingKey,
}

/// The verification mail that was requested last: unix seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MailRecord {
    pub sent: u64,
    pub expires: u64,
}

impl PendingDevice {
    fn make_random() -> Self {
        Self {
            id: DeviceId::make_random(),
            signing: Arc::new(SigningKey::make_random()),
            sealing: SealingKey::make_random(),
        }
    }

    pub fn keys(&self) -> DeviceKeys {
        DeviceKeys { id: self.id, signing: self.signing.verifying_key(), sealing: self.sealing.public_key() }
    }

    pub fn signer(&self) -> DeviceSigner {
        DeviceSigner { device: self.id, key: self.signing.clone() }
    }
}

impl Setup {
    fn begin(device_name: String) -> Self {
        Self {
            step: SetupStep::Server,
            path: SetupPath::Undecided,
            connection: None,
            email: None,
            password: None,
            registration: None,
            address_mail_sent: None,
            pending: None,
            user: None,
            export_key: None,
            secret_key: None,
            recovery_code: None,
            second_factor_confirmed: false,
            device_name,
            mail: None,
            kit: None,
            genesis: None,
        }
    }

    fn connection(&self) -> Result<Connection, Problem> {
        self.connection.clone().ok_or_else(|| Problem::new(Code::NotSignedIn))
    }

    fn signer(&self) -> Result<DeviceSigner, Problem> {
        self.pending.as_ref().map(PendingDevice::signer).ok_or_else(|| Problem::new(Code::NotSignedIn))
    }

    /// Forgets a sign-in: its device keys are never used again.
    fn forget_sign_in(&mut self) {
        let server = self.connection.take();
        let (email, name) = (self.email.take(), std::mem::take(&mut self.device_name));
        *self = Self { connection: server, email, ..Self::begin(name) };
        self.step = if self.connection.is_some() { SetupStep::SignIn } else { SetupStep::Server };
    }
}

impl Session {
    /// # Errors
    /// [`Code::Locked`].
    pub async fn sync_setup_view(&self) -> Result<SetupView, Problem> {
        self.0.setup_view()
    }

    /// The first step: asks the server who it is. Until here no packet has left the device.
    ///
    /// # Errors
    /// [`Code::ServerAddress`], and those on the way to the server.
    pub async fn sync_setup_server(&self, server: String) -> Result<SetupView, Problem> {
        let _step = self.0.step().await;
        let address = ServerAddress::parse(&server)?;
        let connection = Connection::open(address, &self.0.platform, self.0.clock.clone()).await?;
        self.0.with_setup(|setup| {
            setup.forget_sign_in();
            setup.connection = Some(connection);
            setup.step = SetupStep::SignIn;
        })
    }

    /// Registers; a mail with a link confirms the address.
    ///
    /// # Errors
    /// [`Code::WeakPassword`], and those of the server.
    pub async fn sync_setup_register(
        &self,
        email: String,
        password: SecretText,
    ) -> Result<SetupView, Problem> {
        let _step = self.0.step().await;
        let password = chosen_password(&password)?;
        let email = checked_email(&email)?;
        let connection = self.0.setup_of(Setup::connection)?;
        let registration = server::register(&connection, &email, &password).await?;
        let now = self.0.now();
        self.0
            .with_setup(|setup| {
                setup.path = SetupPath::FirstDevice;
                setup.email = Some(email);
                setup.password = Some(password);
                setup.registration = Some(registration);
                setup.address_mail_sent = Some(now);
                setup.step = SetupStep::ConfirmAddress;
            })
            .inspect(|_| self.watch_link())
    }

    /// Signs in; a further device brings its Secret Key along, now or when it is asked for.
    ///
    /// # Errors
    /// [`Code::SignIn`], those of a mistyped Secret Key, and those on the way to the server.
    pub async fn sync_setup_sign_in(
        &self,
        email: String,
        password: SecretText,
        secret_key: Option<SecretText>,
    ) -> Result<SetupView, Problem> {
        let _step = self.0.step().await;
        let secret_key = secret_key
            .filter(|typed| !typed.expose().trim().is_empty())
            .map(|typed| parse_secret_key(&typed))
            .transpose()?;
        let password = SecretString::from(password.expose());
        let email = checked_email(&email)?;
        self.sign_in(email, password, secret_key).await
    }

    /// The password is lost: the recovery code opens the root, and the link comes before the second factor.
    ///
    /// # Errors
    /// Those of a mistyped code, and those of the server.
    pub async fn sync_setup_recover(
        &self,
        email: String,
        recovery_code: SecretText,
    ) -> Result<SetupView, Problem> {
        let _step = self.0.step().await;
        let code = parse_recovery_code(&recovery_code)?;
        let email = checked_email(&email)?;
        let connection = self.0.setup_of(Setup::connection)?;
        let pending = PendingDevice::make_random();
        let user = server::recover(&connection, &email, &pending.keys()).await?;
        self.0.with_setup(|setup| {
            setup.path = SetupPath::Recovery;
            setup.email = Some(email);
            setup.user = Some(user);
            setup.pending = Some(pending);
            setup.recovery_code = Some(code);
            setup.second_factor_confirmed = true;
            setup.step = SetupStep::Verification;
        })
    }

    /// Registers the same address again, which sends another mail.
    ///
    /// # Errors
    /// Those of the server.
    pub async fn sync_setup_resend_address_mail(&self) -> Result<SetupView, Problem> {
        let (email, password) = self.0.setup_of(|setup| {
            let missing = || Problem::new(Code::Expired);
            Ok((setup.email.clone().ok_or_else(missing)?, setup.password.clone().ok_or_else(missing)?))
        })?;
        let _step = self.0.step().await;
        let connection = self.0.setup_of(Setup::connection)?;
        let registration = server::register(&connection, &email, &password).await?;
        let now = self.0.now();
        self.0.with_setup(|setup| {
            setup.registration = Some(registration);
            setup.address_mail_sent = Some(now);
        })
    }

    /// One step back: to the sign-in, or from there to the server's address.
    ///
    /// # Errors
    /// [`Code::Locked`].
    pub async fn sync_setup_back(&self) -> Result<SetupView, Problem> {
        let _step = self.0.step().await;
        self.0.with_setup(|setup| match setup.step {
            SetupStep::SignIn | SetupStep::Server => {
                setup.forget_sign_in();
                setup.connection = None;
                setup.step = SetupStep::Server;
            }
            SetupStep::Compare | SetupStep::Choose | SetupStep::Done => {}
            _ => setup.forget_sign_in(),
        })
    }

    /// Ends the stepper; an enrolled device stays enrolled.
    ///
    /// # Errors
    /// [`Code::Locked`].
    pub async fn sync_setup_cancel(&self) -> Result<SetupView, Problem> {
        let _step = self.0.step().await;
        self.0.core().setup = None;
        self.0.emit_status();
        self.0.setup_view()
    }

    pub(super) async fn sign_in(
        &self,
        email: String,
        password: SecretString,
        secret_key: Option<SecretKey>,
    ) -> Result<SetupView, Problem> {
        let connection = self.0.setup_of(Setup::connection)?;
        let pending = PendingDevice::make_random();
        let signed_in = server::sign_in(
            &connection,
            &email,
            &password,
            &pending.keys(),
            &pending.signer(),
            None,
            server::Standing::New,
        )
        .await?;
        self.0.with_setup(|setup| {
            setup.email = Some(email);
            setup.password = Some(password);
            setup.user = Some(signed_in.user);
            setup.export_key = Some(signed_in.export_key);
            setup.pending = Some(pending);
            setup.registration = None;
            if secret_key.is_some() {
                setup.secret_key = secret_key;
            }
            setup.note(&signed_in.status);
            setup.step = SetupStep::SecondFactor;
        })
    }
}

impl Setup {
    fn note(&mut self, status: &Status) {
        self.second_factor_confirmed = status.second_factor;
        if self.path != SetupPath::Recovery {
            self.path = if status.has_log { SetupPath::FurtherDevice } else { SetupPath::FirstDevice };
        }
    }
}

impl Inner {
    /// Reads from the stepper.
    pub fn setup_of<T>(&self, read: impl FnOnce(&Setup) -> Result<T, Problem>) -> Result<T, Problem> {
        let core = self.core();
        read(core.setup.as_ref().ok_or_else(|| Problem::new(Code::Expired))?)
    }

    /// Changes the stepper, begins it where there is none, and shows it.
    pub fn with_setup(&self, change: impl FnOnce(&mut Setup)) -> Result<SetupView, Problem> {
        {
            let mut core = self.core();
            let open = core.open()?;
            if open.settings.enrolled
                && !open.is_removed()
                && open.settings.set_up
                && open.settings.ended.is_none()
            {
                return Err(
                    Problem::new(Code::NotAllowed).with_detail("Sync is set up on this device already.")
                );
            }
            let name = open.settings.device_name.clone().unwrap_or_else(|| self.device_name.clone());
            change(core.setup.get_or_insert_with(|| Setup::begin(name)));
        }
        self.emit_setup();
        self.emit_status();
        self.setup_view()
    }
}

/// A password that is long enough; nothing else is asked of it.
pub(super) fn chosen_password(typed: &SecretText) -> Result<SecretString, Problem> {
    if typed.expose().chars().count() < SHORTEST_PASSWORD {
        return Err(Problem::new(Code::WeakPassword));
    }
    if typed.expose().len() > 1024 {
        return Err(Problem::new(Code::TooLarge).with_detail("A password has at most 1,024 bytes."));
    }
    Ok(SecretString::from(typed.expose()))
}

fn checked_email(typed: &str) -> Result<String, Problem> {
    let typed = typed.trim();
    let well_formed =
        typed.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if well_formed && typed.len() <= 254 && !typed.contains(char::is_whitespace) {
        return Ok(typed.to_owned());
    }
    Err(Problem::new(Code::SignIn).with_detail("This is not an email address."))
}
