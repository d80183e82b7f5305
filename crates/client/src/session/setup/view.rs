//! The last steps, and what the stepper shows.

use keyquay_protocol::{Code, Problem, device_phrase, head_phrase};

use super::{PendingDevice, Setup};
use crate::session::status::millis;
use crate::session::{Inner, Link, Open, Session};
use crate::view::Change;
use crate::view::accounts::{AccountRow, AccountState};
use crate::view::sync::{Comparison, SetupPath, SetupStep, SetupView, VerificationMail};
use crate::view::welcome::SyncState;

/// Not sooner may another mail be asked for, in seconds.
const RESEND: u64 = 60;

impl Session {
    /// What the server showed was compared with another device.
    ///
    /// # Errors
    /// [`Code::OtherHistory`] when it differs: nothing of it is used.
    pub async fn sync_setup_compared(&self, same: bool) -> Result<SetupView, Problem> {
        let _step = self.0.step().await;
        if !same {
            let problem = Problem::new(Code::OtherHistory);
            // It stays off over restarts, until its owner switches it on again.
            self.0.core().open_mut()?.change(|settings| settings.sync_on = false, |_| Ok(()))?;
            self.0.set_link(Link::with(SyncState::Stopped, problem.clone()));
            return Err(problem);
        }
        self.0.core().open_mut()?.change(|settings| settings.sync_on = true, |_| Ok(()))?;
        self.0.engine.start(self);
        self.0.with_setup(|setup| {
            if setup.step == SetupStep::Compare {
                setup.step = SetupStep::Choose;
            }
        })
    }

    /// What to upload and what to retrieve; the rest stays as it is.
    ///
    /// # Errors
    /// Those of the vault; [`Code::Closed`] without the share.
    pub async fn sync_setup_choose(
        &self,
        upload: Vec<String>,
        retrieve: Vec<String>,
        auto_connect: bool,
    ) -> Result<SetupView, Problem> {
        if self.0.setup_view()?.step != SetupStep::Choose {
            return Err(Problem::new(Code::NotAllowed));
        }
        if auto_connect {
            self.accounts_set_auto_connect(true, Vec::new()).await?;
        }
        if !upload.is_empty() {
            self.accounts_upload(upload).await?;
        }
        if !retrieve.is_empty() {
            self.accounts_retrieve(retrieve).await?;
        }
        {
            let mut core = self.0.core();
            core.open_mut()?.change(|settings| settings.set_up = true, |_| Ok(()))?;
            core.setup = None;
        }
        self.0.emit_setup();
        self.0.emit_sync();
        self.0.emit_status();
        self.0.setup_view()
    }
}

impl Inner {
    pub fn emit_setup(&self) {
        self.tell(|inner| inner.setup_view().ok().map(|view| Change::Setup { view }));
    }

    pub fn setup_view(&self) -> Result<SetupView, Problem> {
        let core = self.core();
        let open = core.open()?;
        let setup = core.setup.as_ref();
        let rows = open.rows(self.now());
        let with_state = |wanted: &[AccountState]| -> Vec<AccountRow> {
            rows.iter().filter(|row| wanted.contains(&row.state)).cloned().collect()
        };
        Ok(SetupView {
            step: setup.map_or_else(|| resting_step(open), |setup| setup.step),
            path: setup.map_or(SetupPath::Undecided, |setup| setup.path),
            server: setup
                .and_then(|setup| setup.connection.as_ref())
                .map(|connection| connection.address().to_string())
                .or_else(|| open.settings.server.clone()),
            suggested_server: self.suggested_server.clone(),
            email: setup.and_then(|setup| setup.email.clone()).or_else(|| open.settings.email.clone()),
            second_factor_confirmed: setup
                .map_or(open.settings.second_factor, |setup| setup.second_factor_confirmed),
            device_name: setup.map_or_else(
                || open.settings.device_name.clone().unwrap_or_else(|| self.device_name.clone()),
                |setup| setup.device_name.clone(),
            ),
            mail: setup.and_then(mail_view),
            address_mail_sent_at: setup.and_then(|setup| setup.address_mail_sent).map(millis),
            comparison: setup
                .filter(|setup| setup.step == SetupStep::Compare)
                .and_then(|_| comparison(self, open)),
            local: with_state(&[AccountState::LocalOnly, AccountState::LocalOnlyPinned]),
            available: with_state(&[AccountState::Available]),
        })
    }
}

fn resting_step(open: &Open) -> SetupStep {
    if open.settings.enrolled && !open.is_removed() && open.settings.ended.is_none() {
        if open.settings.set_up { SetupStep::Done } else { SetupStep::Choose }
    } else {
        SetupStep::Server
    }
}

fn mail_view(setup: &Setup) -> Option<VerificationMail> {
    let pending = setup.pending.as_ref().map(PendingDevice::keys)?;
    Some(VerificationMail {
        sent_to: setup.email.clone()?,
        phrase: device_phrase(&pending),
        sent_at: setup.mail.map(|mail| millis(mail.sent)),
        expires_at: setup.mail.map(|mail| millis(mail.expires)),
        resend_at: setup.mail.map(|mail| millis(mail.sent + RESEND)),
    })
}

fn comparison(inner: &Inner, open: &Open) -> Option<Comparison> {
    let log = open.log.as_ref()?;
    let last = log.items().values().map(|item| item.time).max();
    Some(Comparison {
        phrase: head_phrase(&log.head()),
        devices: inner.device_rows(open).into_iter().filter(|row| !row.this_device).collect(),
        items: u32::try_from(log.live_items().count()).unwrap_or(u32::MAX),
        last_change_at: last.map(millis),
    })
}
