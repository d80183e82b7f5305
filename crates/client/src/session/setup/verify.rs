//! The two gates: second factor and emailed link.

use std::sync::Arc;
use std::time::Duration;

use keyquay_crypto::SecretString;
use keyquay_protocol::wire::{
    BackupCode, DeviceState, RegistrationConfirmed, RegistrationStatus, SecondFactorCode,
    SecondFactorConfirmed, SecondFactorStart, SecondFactorStarted, Status, VerificationMailSent,
};
use keyquay_protocol::{Code, Problem};
use qrcode::QrCode;
use qrcode::render::svg;

use super::{MailRecord, Setup, chosen_password};
use crate::server::{Connection, DeviceSigner};
use crate::session::lifecycle::parse_secret_key;
use crate::session::{Inner, Session};
use crate::view::SecretText;
use crate::view::sync::{BackupCodes, SecondFactorEnrolment, SetupPath, SetupStep, SetupView};

impl Session {
    /// A new second factor for a user who has none.
    ///
    /// # Errors
    /// Those of the server.
    pub async fn sync_setup_enrol_second_factor(&self) -> Result<SecondFactorEnrolment, Problem> {
        self.start_second_factor(None).await
    }

    /// A new second factor in place of a lost one; a backup code takes the place of its code.
    ///
    /// # Errors
    /// [`Code::SecondFactor`], and those of the server.
    pub async fn sync_setup_replace_second_factor(
        &self,
        backup_code: SecretText,
    ) -> Result<SecondFactorEnrolment, Problem> {
        self.start_second_factor(Some(backup_code.expose().trim().to_owned())).await
    }

    /// Brings the new second factor into force.
    ///
    /// # Errors
    /// [`Code::SecondFactor`], and those of the server.
    pub async fn sync_setup_confirm_second_factor(&self, code: String) -> Result<BackupCodes, Problem> {
        let _step = self.0.step().await;
        let (connection, signer) = self.0.pending()?;
        let codes = confirm_second_factor(&connection, &signer, &code).await?;
        self.0.with_setup(|setup| {
            setup.second_factor_confirmed = true;
            setup.step = after_second_factor(setup);
        })?;
        Ok(codes)
    }

    /// Gives the second factor, or one of the backup codes.
    ///
    /// # Errors
    /// [`Code::SecondFactor`], and those of the server.
    pub async fn sync_setup_prove_second_factor(&self, code: String) -> Result<SetupView, Problem> {
        let _step = self.0.step().await;
        let (connection, signer) = self.0.pending()?;
        give_second_factor(&connection, &signer, &code).await?;
        self.0.with_setup(|setup| setup.step = after_second_factor(setup))
    }

    /// "Request verification mail".
    ///
    /// # Errors
    /// Those of the server.
    pub async fn sync_setup_request_mail(&self, device_name: String) -> Result<SetupView, Problem> {
        let _step = self.0.step().await;
        let (connection, signer) = self.0.pending()?;
        let path = format!("/v1/devices/{}/verification-mail", signer.device);
        let sent: VerificationMailSent = connection.post_empty(&signer, &path).await?;
        let now = self.0.now();
        self.0
            .with_setup(|setup| {
                let name = device_name.trim();
                if !name.is_empty() {
                    setup.device_name = name.chars().take(60).collect();
                }
                setup.mail = Some(MailRecord { sent: now, expires: sent.expires });
            })
            .inspect(|_| self.watch_link())
    }

    /// Looks whether a link that is waited for was opened, and goes on if it was.
    ///
    /// # Errors
    /// Those of the server and, where the device can be added at once, those of that step.
    pub async fn sync_setup_check(&self) -> Result<SetupView, Problem> {
        let _step = self.0.step().await;
        match self.0.setup_of(|setup| Ok(setup.step))? {
            SetupStep::ConfirmAddress => self.check_address().await,
            SetupStep::Verification => self.check_link().await,
            _ => self.0.setup_view(),
        }
    }

    /// "No log here": whether sync was ever set up elsewhere.
    ///
    /// # Errors
    /// [`Code::OtherHistory`] when it was: then this server hides it, or is another one.
    pub async fn sync_setup_no_log(&self, ever_set_up: bool) -> Result<SetupView, Problem> {
        let _step = self.0.step().await;
        if ever_set_up {
            let detail = "Sync was set up before, but this server shows nothing of it.";
            return Err(Problem::new(Code::OtherHistory).with_detail(detail));
        }
        self.0.with_setup(|setup| {
            setup.path = SetupPath::FirstDevice;
            setup.step = SetupStep::Kit;
        })
    }

    /// The Secret Key of a further device.
    ///
    /// # Errors
    /// Those of a mistyped Secret Key; [`Code::SecretKeyWrong`] when it opens nothing.
    pub async fn sync_setup_secret_key(&self, secret_key: SecretText) -> Result<SetupView, Problem> {
        let _step = self.0.step().await;
        let secret_key = parse_secret_key(&secret_key)?;
        if self.0.setup_of(|setup| Ok(setup.step))? != SetupStep::SecretKey {
            return Err(Problem::new(Code::NotAllowed));
        }
        self.0.with_setup(|setup| setup.secret_key = Some(secret_key))?;
        self.join().await
    }

    /// Recovery: a new password, before the new kit.
    ///
    /// # Errors
    /// [`Code::WeakPassword`].
    pub async fn sync_setup_new_password(&self, password: SecretText) -> Result<SetupView, Problem> {
        let _step = self.0.step().await;
        let password = chosen_password(&password)?;
        self.0.with_setup(|setup| {
            setup.password = Some(password);
            setup.step = SetupStep::Kit;
        })
    }

    /// Looks by itself whether the link that is waited for was opened, as long as its step lasts.
    pub(super) fn watch_link(&self) {
        const PAUSE: Duration = Duration::from_secs(2);
        let weak = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(PAUSE).await;
                let Some(session) = weak.upgrade().map(Session) else { return };
                let waits = |setup: &Setup| {
                    Ok(matches!(setup.step, SetupStep::ConfirmAddress | SetupStep::Verification))
                };
                if !session.0.setup_of(waits).unwrap_or(false) {
                    return;
                }
                if let Err(problem) = session.sync_setup_check().await {
                    tracing::debug!(code = problem.code.as_str(), "the link is still waited for");
                }
            }
        });
    }

    async fn check_address(&self) -> Result<SetupView, Problem> {
        let (connection, registration, email, password) = self.0.setup_of(|setup| {
            let missing = || Problem::new(Code::Expired);
            Ok((
                setup.connection()?,
                setup.registration.clone().ok_or_else(missing)?,
                setup.email.clone().ok_or_else(missing)?,
                setup.password.clone().ok_or_else(missing)?,
            ))
        })?;
        let asked = RegistrationStatus { registration };
        let status: RegistrationConfirmed = connection.post("/v1/users/registration/status", &asked).await?;
        if !status.confirmed {
            return self.0.setup_view();
        }
        self.sign_in(email, SecretString::clone(&password), None).await
    }

    async fn check_link(&self) -> Result<SetupView, Problem> {
        let (connection, signer) = self.0.pending()?;
        let status: Status = connection.get_json(&signer, "/v1/status").await?;
        if !status.link_confirmed && status.state == DeviceState::Pending {
            return self.0.setup_view();
        }
        let (path, has_secret_key) = self.0.setup_of(|setup| Ok((setup.path, setup.secret_key.is_some())))?;
        if path == SetupPath::Recovery {
            return self.0.with_setup(|setup| setup.step = SetupStep::SecondFactor);
        }
        if !status.has_log {
            return self.0.with_setup(|setup| {
                // Who has just registered here has no log anywhere; who signed in is asked.
                let just_registered = setup.address_mail_sent.is_some();
                setup.step = if just_registered { SetupStep::Kit } else { SetupStep::NoLog };
            });
        }
        self.0.with_setup(|setup| {
            setup.path = SetupPath::FurtherDevice;
            setup.step = SetupStep::SecretKey;
        })?;
        if has_secret_key { self.join().await } else { self.0.setup_view() }
    }

    async fn start_second_factor(
        &self,
        backup_code: Option<String>,
    ) -> Result<SecondFactorEnrolment, Problem> {
        let _step = self.0.step().await;
        let (connection, signer) = self.0.pending()?;
        start_second_factor(&connection, &signer, backup_code).await
    }
}

impl Inner {
    /// Connection and signer of the pending device.
    pub(super) fn pending(&self) -> Result<(Connection, DeviceSigner), Problem> {
        self.setup_of(|setup| Ok((setup.connection()?, setup.signer()?)))
    }
}

/// Recovery has its link behind it by then.
fn after_second_factor(setup: &Setup) -> SetupStep {
    match setup.path {
        SetupPath::Recovery => SetupStep::NewPassword,
        _ => SetupStep::Verification,
    }
}

/// Six digits are the authenticator's; anything else is a backup code.
pub(crate) async fn give_second_factor(
    connection: &Connection,
    signer: &DeviceSigner,
    typed: &str,
) -> Result<(), Problem> {
    const PATH: &str = "/v1/sign-in/second-factor";
    let code: String = typed.chars().filter(|character| !character.is_whitespace()).collect();
    let is_authenticator = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
    let _: serde_json::Value = if is_authenticator {
        connection.post_signed(signer, PATH, &SecondFactorCode { code }).await?
    } else {
        connection.post_signed(signer, PATH, &BackupCode { backup_code: code }).await?
    };
    Ok(())
}

pub(crate) async fn start_second_factor(
    connection: &Connection,
    signer: &DeviceSigner,
    backup_code: Option<String>,
) -> Result<SecondFactorEnrolment, Problem> {
    let started: SecondFactorStarted =
        connection.post_signed(signer, "/v1/second-factor/start", &SecondFactorStart { backup_code }).await?;
    let qr = QrCode::new(started.uri.as_bytes()).map_err(|_| Problem::new(Code::NotAServer))?;
    let svg = qr.render::<svg::Color<'_>>().min_dimensions(220, 220).quiet_zone(true).build();
    Ok(SecondFactorEnrolment { qr_svg: SecretText::new(svg), secret: SecretText::new(started.secret) })
}

pub(crate) async fn confirm_second_factor(
    connection: &Connection,
    signer: &DeviceSigner,
    code: &str,
) -> Result<BackupCodes, Problem> {
    let code = code.chars().filter(|character| !character.is_whitespace()).collect();
    let confirmed: SecondFactorConfirmed =
        connection.post_signed(signer, "/v1/second-factor/confirm", &SecondFactorCode { code }).await?;
    Ok(BackupCodes { codes: confirmed.backup_codes.into_iter().map(SecretText::new).collect() })
}
