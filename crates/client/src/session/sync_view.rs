//! The Sync screen, its switch, and the end of sync.

use keyquay_exchanges::{Account, AccountId};
use keyquay_protocol::{Author, Body, Code, DeviceId, Problem, State, head_phrase};
use keyquay_vault::End;

use super::records::load_removals;
use super::status::millis;
use super::{Inner, Link, Open, RemovalRecord, Session, account_of, of_vault, proof};
use crate::sync::close_when_lease_is_over;
use crate::view::accounts::AccountsView;
use crate::view::sync::{Activity, ActivityKind, LastSync, SetupView, SyncOutcome, SyncView};
use crate::view::welcome::SyncState;
use crate::view::{Change, ProgressKind, SecretText};

/// How many entries Activity shows.
const ACTIVITY: u64 = 50;
/// After SyncEnded the server deletes what is left, in seconds.
const ENDED_FOR: u64 = 7 * 24 * 60 * 60;

impl Session {
    /// # Errors
    /// [`Code::Locked`].
    pub async fn sync_view(&self) -> Result<SyncView, Problem> {
        close_when_lease_is_over(&self.0);
        self.0.sync_view()
    }

    /// The switch, on Accounts and on General: off pauses and deletes nothing.
    ///
    /// # Errors
    /// [`Code::SyncOff`] where sync is not set up: the stepper does that.
    pub async fn sync_set_on(&self, on: bool) -> Result<SyncView, Problem> {
        let _step = self.0.step().await;
        {
            let mut core = self.0.core();
            let open = core.open_mut()?;
            if !open.settings.enrolled || open.is_removed() {
                return Err(Problem::new(Code::SyncOff).with_detail("Sync is not set up on this device yet."));
            }
            if on && open.settings.ended.is_some() {
                return Err(Problem::new(Code::SyncEnded));
            }
            open.change(|settings| settings.sync_on = on, |_| Ok(()))?;
        }
        if on {
            self.0.engine.start(self);
        } else {
            self.0.engine.stop().await;
            self.0.set_link(Link::of(SyncState::Paused));
        }
        self.0.emit_accounts();
        self.0.emit_sync();
        self.0.sync_view()
    }

    /// Looks now, without waiting for the next attempt.
    ///
    /// # Errors
    /// [`Code::SyncOff`], and what stands in the way.
    pub async fn sync_now(&self) -> Result<SyncView, Problem> {
        if !self.0.core().open()?.settings.sync_on {
            return Err(Problem::new(Code::SyncOff));
        }
        self.0.engine.start(self);
        self.0.wake.notify_one();
        self.0.sync_view()
    }

    /// A removed device becomes a new one: enrolment from the sign-in on.
    ///
    /// # Errors
    /// Those on the way to the server.
    pub async fn sync_verify_again(&self) -> Result<SetupView, Problem> {
        let server = self.0.core().open()?.settings.server.clone();
        match server {
            Some(server) => self.sync_setup_server(server).await,
            None => self.sync_setup_view().await,
        }
    }

    /// Ends sync: every synced account becomes a local one, root's entry ends the log, and the server deletes what it
    /// holds after seven days.
    ///
    /// # Errors
    /// [`Code::SignIn`], [`Code::SecondFactor`], [`Code::ItemDamaged`] while an account does not open.
    pub async fn sync_delete_everything(
        &self,
        password: SecretText,
        code: String,
    ) -> Result<SyncView, Problem> {
        let _step = self.0.step().await;
        let root = proof::open_root(&self.0, &password, &code).await?;
        self.0.keep_all_local(Strict::Yes)?;
        let now = root.proven.connection.now();
        root.append(&self.0, None, |log, _| Ok(log.draft_sync_ended(now))).await?;
        self.0.engine.stop().await;
        self.0.end_sync_here()?;
        self.0.sync_view()
    }

    /// After another device ended sync: turns the synced accounts into local ones here.
    ///
    /// # Errors
    /// [`Code::Closed`] without the share.
    pub async fn sync_keep_all_local(&self) -> Result<AccountsView, Problem> {
        let _step = self.0.step().await;
        self.0.keep_all_local(Strict::No)?;
        let (is_ended, all_kept) = {
            let core = self.0.core();
            let open = core.open()?;
            let log = open.log.as_ref();
            let kept = |id| open.local.contains_key(&account_of(id));
            let all_kept = log.is_some_and(|log| log.live_items().all(|(id, _)| kept(*id)));
            (log.is_some_and(State::is_ended), all_kept)
        };
        if is_ended && all_kept {
            self.0.engine.stop().await;
            self.0.end_sync_here()?;
        }
        self.accounts_view().await
    }
}

/// Whether one account that does not open stands in the way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Strict {
    Yes,
    No,
}

impl Inner {
    /// Seals every open synced account under the local key, and reads each back.
    pub(super) fn keep_all_local(&self, strict: Strict) -> Result<usize, Problem> {
        let mut core = self.core();
        let open = core.open_mut()?;
        let log = open.log.as_ref().ok_or_else(|| Problem::new(Code::NoLog))?;
        open.half()?;
        let ids: Vec<AccountId> = log.live_items().map(|(id, _)| account_of(*id)).collect();
        let accounts: Vec<Account> = ids.iter().filter_map(|id| open.synced_account(*id)).collect();
        if strict == Strict::Yes && accounts.len() < ids.len() {
            return Err(Problem::new(Code::ItemDamaged));
        }
        let waiting: Vec<Account> =
            accounts.into_iter().filter(|account| !open.local.contains_key(&account.id)).collect();
        open.change(
            |settings| settings.uploading.clear(),
            |transaction| {
                for account in &waiting {
                    transaction.put_account(account).map_err(of_vault)?;
                }
                Ok(())
            },
        )?;
        open.reload_local()?;
        let kept = waiting.iter().all(|account| {
            let read = open.local.get(&account.id).and_then(|local| local.account.to_bytes().ok());
            read.is_some() && read == account.to_bytes().ok()
        });
        drop(core);
        self.progress(ProgressKind::Sealing, waiting.len(), waiting.len());
        if kept { Ok(waiting.len()) } else { Err(Problem::new(Code::VaultDamaged)) }
    }

    /// Nothing of the synced half is needed any more.
    pub(super) fn end_sync_here(&self) -> Result<(), Problem> {
        {
            let mut core = self.core();
            let open = core.open_mut()?;
            open.half = None;
            let has_half = open.vault.has_sync_half();
            open.change(
                |settings| {
                    settings.sync_on = false;
                    settings.auto_connect = false;
                    settings.retrieved.clear();
                },
                |transaction| {
                    if has_half {
                        transaction.destroy_sync_half(End::SignedOff).map_err(of_vault)?;
                    }
                    Ok(())
                },
            )?;
            open.link = open.resting_link();
        }
        self.emit_status();
        self.emit_accounts();
        self.emit_sync();
        Ok(())
    }

    /// Tells the windows all of Sync, and of General, which shows the same switch, user and server.
    pub fn emit_sync(&self) {
        self.tell(|inner| inner.sync_view().ok().map(|view| Change::Sync { view }));
        self.tell(|inner| inner.general_view().ok().map(|view| Change::General { view }));
    }

    pub fn sync_view(&self) -> Result<SyncView, Problem> {
        let status = self.sync_status();
        let setup = self.setup_view()?;
        let core = self.core();
        let open = core.open()?;
        let (this, others) = self.device_rows(open).into_iter().partition::<Vec<_>, _>(|row| row.this_device);
        Ok(SyncView {
            status,
            sync_on: open.settings.sync_on,
            setup,
            history_phrase: open.log.as_ref().map(|log| head_phrase(&log.head())),
            this_device: this.into_iter().next(),
            other_devices: others,
            last_sync: last_sync(open),
            kit_made_at: open.settings.kit_made.map(millis),
            activity: activity(open)?,
            open_removals: load_removals(&open.vault)?.iter().map(RemovalRecord::view).collect(),
            deleted_at: open.settings.ended.map(|ended| millis(ended + ENDED_FOR)),
        })
    }
}

fn last_sync(open: &Open) -> Option<LastSync> {
    let last = open.settings.last_sync.as_ref()?;
    let damaged = open.half.iter().flat_map(|half| half.items.values()).any(|item| item.account.is_none());
    let outcome = match (&open.link.problem, damaged) {
        (Some(_), _) => SyncOutcome::Failed,
        (None, true) => SyncOutcome::Incomplete,
        (None, false) => SyncOutcome::Complete,
    };
    Some(LastSync {
        at: millis(last.at),
        outcome,
        received: last.received,
        sent: last.sent,
        problem: open.link.problem.as_ref().map(Into::into),
    })
}

/// The latest entries in words, newest first.
fn activity(open: &Open) -> Result<Vec<Activity>, Problem> {
    let Some(log) = &open.log else { return Ok(Vec::new()) };
    let after = log.head().seq.saturating_sub(ACTIVITY);
    let entries = open.vault.entries_after((after > 0).then_some(after)).map_err(of_vault)?;
    let name = |id: DeviceId| open.device_name(id).map(|profile| profile.name);
    let label = |item| open.synced_account(account_of(item)).map(|account| account.label);
    let told = entries.iter().rev().filter_map(|entry| {
        let payload = keyquay_protocol::Payload::decode(&entry.payload).ok()?;
        let what = match &payload.body {
            Body::Genesis(_) => ActivityKind::SyncStarted,
            Body::DeviceAdded { device, .. } => ActivityKind::DeviceAdded { device: name(device.id) },
            Body::DeviceRemoved { device, .. } => ActivityKind::DeviceRemoved { device: name(*device) },
            Body::UnlockSet(_) => ActivityKind::UnlockChanged,
            Body::ItemPut { item, revision, .. } => {
                ActivityKind::AccountSaved { label: label(*item), first: *revision == 1 }
            }
            Body::ItemDeleted { item, .. } => ActivityKind::AccountDeleted { label: label(*item) },
            Body::ItemWithdrawn { item, .. } => ActivityKind::AccountWithdrawn { label: label(*item) },
            Body::SyncEnded => ActivityKind::SyncEnded,
        };
        let author = match payload.author {
            Author::Root => None,
            Author::Device(id) => Some(id),
        };
        Some(Activity {
            seq: payload.seq,
            at: millis(payload.time),
            by: author.and_then(name),
            by_this_device: author.is_some() && author == open.settings.device,
            what,
        })
    });
    Ok(told.collect())
}
