//! The recovery kit: server, email, Secret Key, recovery code; shown until one group of it was typed again.

use keyquay_crypto::{ExposeSecret, RecoveryCode, SecretKey, SecretString, random_bytes};
use keyquay_protocol::{Code, Problem};

use super::setup::Setup;
use super::status::millis;
use super::{Inner, Session};
use crate::view::SecretText;
use crate::view::sync::{KitCode, KitGroup, RecoveryKit, SetupStep};

/// A kit that was made and is not confirmed.
pub(crate) struct Kit {
    pub secret_key: SecretKey,
    pub recovery_code: RecoveryCode,
    /// Unix seconds.
    pub made: u64,
    pub asked: KitGroup,
    pub server: String,
    pub email: String,
}

impl Kit {
    pub fn make(
        secret_key: SecretKey,
        recovery_code: RecoveryCode,
        made: u64,
        server: String,
        email: String,
    ) -> Self {
        let [random] = random_bytes::<1>();
        let of = if random & 1 == 0 { KitCode::SecretKey } else { KitCode::RecoveryCode };
        Self {
            secret_key,
            recovery_code,
            made,
            asked: KitGroup { of, number: 1 + (random >> 1) % 7 },
            server,
            email,
        }
    }

    pub fn view(&self) -> RecoveryKit {
        let day = self.made / 86_400;
        RecoveryKit {
            server: self.server.clone(),
            email: self.email.clone(),
            secret_key: SecretText::new(self.secret_key.to_written().expose_secret().to_owned()),
            recovery_code: SecretText::new(self.recovery_code.to_written().expose_secret().to_owned()),
            made_at: millis(self.made),
            asked: self.asked,
            suggested_file: format!("keyquay-recovery-kit-{day}.txt"),
        }
    }

    /// Whether the group that was asked for was typed.
    ///
    /// # Errors
    /// [`Code::KitGroup`].
    pub fn confirm(&self, typed: &SecretText) -> Result<(), Problem> {
        let written = match self.asked.of {
            KitCode::SecretKey => self.secret_key.to_written(),
            KitCode::RecoveryCode => self.recovery_code.to_written(),
        };
        let expected = written.expose_secret().split('-').nth(usize::from(self.asked.number));
        let typed = keyquay_crypto::Zeroizing::new(typed.expose().trim().to_uppercase());
        if expected == Some(typed.as_str()) { Ok(()) } else { Err(Problem::new(Code::KitGroup)) }
    }

    /// The kit as a page to print or keep.
    pub fn text(&self) -> SecretString {
        let (secret_key, recovery_code) = (self.secret_key.to_written(), self.recovery_code.to_written());
        let page = keyquay_crypto::Zeroizing::new(format!(
            "Keyquay recovery kit\n\nServer         {}\nEmail          {}\nSecret Key     {}\nRecovery code  {}\n\n\
             Keep this page where you keep your passport, not beside the device.\n\
             With your password, the Secret Key adds a device. The recovery code alone opens your accounts on any\n\
             device that holds them, and replaces a lost password.\n",
            self.server,
            self.email,
            secret_key.expose_secret(),
            recovery_code.expose_secret(),
        ));
        SecretString::from(page.as_str())
    }
}

impl Session {
    /// Shows the kit of this set-up; made at the first call.
    ///
    /// # Errors
    /// [`Code::NotAllowed`] at another step.
    pub async fn sync_setup_kit(&self) -> Result<RecoveryKit, Problem> {
        let _step = self.0.step().await;
        let now = self.0.now();
        let mut core = self.0.core();
        let setup = core.setup.as_mut().ok_or_else(|| Problem::new(Code::Expired))?;
        if setup.step != SetupStep::Kit {
            return Err(Problem::new(Code::NotAllowed));
        }
        if setup.kit.is_none() {
            setup.kit = Some(new_kit(setup, now)?);
        }
        setup.kit.as_ref().map(Kit::view).ok_or_else(|| Problem::new(Code::Expired))
    }

    /// The kit that is being shown, as a page to print or save.
    ///
    /// # Errors
    /// [`Code::Expired`] when none is being shown.
    pub async fn kit_page(&self) -> Result<SecretString, Problem> {
        self.0.with_kit(|kit| Ok(kit.text()))
    }
}

impl Inner {
    /// The kit that is being shown, of a set-up or of a renewal.
    pub fn with_kit<T>(&self, read: impl FnOnce(&Kit) -> Result<T, Problem>) -> Result<T, Problem> {
        let core = self.core();
        let of_setup = core.setup.as_ref().and_then(|setup| setup.kit.as_ref());
        let renewed = core.renewed_kit.as_ref().map(|renewal| &renewal.kit);
        read(of_setup.or(renewed).ok_or_else(|| Problem::new(Code::Expired))?)
    }
}

/// A first device gets both codes; recovery keeps its code and gets a new Secret Key.
fn new_kit(setup: &Setup, now: u64) -> Result<Kit, Problem> {
    let expired = || Problem::new(Code::Expired);
    let connection = setup.connection.as_ref().ok_or_else(expired)?;
    let email = setup.email.clone().ok_or_else(expired)?;
    let recovery_code =
        setup.recovery_code.as_ref().map_or_else(RecoveryCode::make_random, RecoveryCode::duplicate);
    Ok(Kit::make(SecretKey::make_random(), recovery_code, now, connection.address().to_string(), email))
}
