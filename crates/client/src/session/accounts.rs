//! The Accounts screen: what is listed, and what its owner does with one account.
//!
//! A local account is changed in the vault at once. A change of a synced one is an edit that waits in the outbox
//! until the server has acknowledged it; the list shows it as done meanwhile.

mod conflict;
mod form;
mod history;
mod rows;
mod transfer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use keyquay_exchanges::{Account, AccountId, Exchange, catalogue};
use keyquay_protocol::{Code, Problem};
use keyquay_vault::Disabled;

use super::core::item_of;
use super::{EditKind, Inner, Open, Session, blocking, of_account, of_vault};
use crate::view::accounts::{
    AccountEdit, AccountForm, AccountRow, AccountsView, ExchangeInfo, NewAccount, RevealedField, SplitPaste,
};
use crate::view::{Change, SecretText};

/// What the list knows beyond the vault, for as long as it is unlocked.
#[derive(Default)]
pub(crate) struct Passing {
    /// Accounts that are being retrieved at this moment.
    retrieving: BTreeSet<AccountId>,
    /// Synced accounts as they were when they were deleted here, so that the deletion can be undone.
    deleted: BTreeMap<AccountId, Account>,
}

/// Where an account that is there rests.
enum Found {
    Local(Account),
    Synced(Account),
}

/// A deleted local account can be brought back for so long.
const KEPT_DELETED: u64 = 24 * 60 * 60;

impl Session {
    /// # Errors
    /// [`Code::Locked`].
    pub async fn accounts_view(&self) -> Result<AccountsView, Problem> {
        self.on_open(|open, now| Ok(open.accounts_view(now))).await
    }

    /// The catalogue, in the order of a picker.
    ///
    /// # Errors
    /// None.
    pub async fn accounts_exchanges(&self) -> Result<Vec<ExchangeInfo>, Problem> {
        Ok(catalogue().exchanges.iter().map(form::exchange_info).collect())
    }

    /// The address of the page where an exchange's keys are made or explained; always https, always of the catalogue.
    ///
    /// # Errors
    /// [`Code::NotFound`] when the catalogue knows none.
    pub async fn account_api_page(&self, exchange: String) -> Result<&'static str, Problem> {
        let page = Exchange::find(&exchange).and_then(|exchange| exchange.page.as_ref());
        page.map(|page| page.url.as_str()).ok_or_else(|| Problem::new(Code::NotFound))
    }

    /// What was pasted into a field, tidied, and split where it holds several values.
    ///
    /// # Errors
    /// [`Code::TooLarge`] for what can be no key.
    pub async fn account_split_paste(
        &self,
        exchange: String,
        field: String,
        text: SecretText,
    ) -> Result<SplitPaste, Problem> {
        form::split_paste(&exchange, &field, &text)
    }

    /// What looks unusual about a value; nothing is refused for it.
    ///
    /// # Errors
    /// None.
    pub async fn account_hint(
        &self,
        exchange: String,
        field: String,
        value: SecretText,
    ) -> Result<Option<String>, Problem> {
        Ok(form::hint(&exchange, &field, &value))
    }

    /// Keeps a new account on this device; "Auto connect all accounts" uploads it, unless it is pinned.
    ///
    /// # Errors
    /// [`Code::AccountInvalid`] says which field; [`Code::Disabled`], and those of the disk.
    pub async fn account_add(&self, account: NewAccount) -> Result<AccountRow, Problem> {
        let row = self
            .on_open(move |open, now| {
                let made = form::make_account(&account, now)?;
                let id = made.id;
                open.change(
                    |_| {},
                    |transaction| {
                        transaction.put_account(&made).map_err(of_vault)?;
                        if account.pinned {
                            transaction.set_pinned(id, true).map_err(of_vault)
                        } else {
                            Ok(())
                        }
                    },
                )?;
                open.refresh_local(id)?;
                open.upload_by_itself(&[id])?;
                open.row(id, now)
            })
            .await?;
        self.told(parse(&row.id)?);
        Ok(row)
    }

    /// What the edit form starts from.
    ///
    /// # Errors
    /// Those of an account that is not usable here.
    pub async fn account_form(&self, account: String) -> Result<AccountForm, Problem> {
        let id = parse(&account)?;
        self.on_open(move |open, _| Ok(form::account_form(open.usable(id)?.account()))).await
    }

    /// Changes details and fields; a field that is not named keeps its value.
    ///
    /// # Errors
    /// [`Code::AccountInvalid`], and those of an account that is not usable here.
    pub async fn account_edit(&self, account: String, edit: AccountEdit) -> Result<AccountRow, Problem> {
        let id = parse(&account)?;
        self.change_account(id, move |open, now| {
            let found = open.usable(id)?;
            match form::edited(found.account(), &edit, now)? {
                Some(edited) => open.save(edited),
                None => Ok(()),
            }
        })
        .await
    }

    /// Every filled field, in the clear, because its owner asked to see it.
    ///
    /// # Errors
    /// Those of an account that is not usable here.
    pub async fn account_reveal(&self, account: String) -> Result<Vec<RevealedField>, Problem> {
        let id = parse(&account)?;
        self.on_open(move |open, _| Ok(form::revealed(open.usable(id)?.account()))).await
    }

    /// One field's value, for the clipboard.
    ///
    /// # Errors
    /// [`Code::NotFound`] for a field that is not filled, and those of an account that is not usable here.
    pub async fn account_secret(&self, account: String, field: String) -> Result<SecretText, Problem> {
        let id = parse(&account)?;
        self.on_open(move |open, _| {
            form::value(open.usable(id)?.account(), &field).ok_or_else(|| Problem::new(Code::NotFound))
        })
        .await
    }

    /// "Keep local only", or not. A synced account is withdrawn by it, as by [`Session::account_keep_local`].
    ///
    /// # Errors
    /// Those of an account that is not usable here.
    pub async fn account_set_pinned(&self, account: String, pinned: bool) -> Result<AccountRow, Problem> {
        let id = parse(&account)?;
        self.change_account(id, move |open, _| match open.find(id)? {
            Found::Local(_) if !pinned => {
                open.change(|_| {}, |transaction| transaction.set_pinned(id, false).map_err(of_vault))?;
                open.refresh_local(id)?;
                open.upload_by_itself(&[id])
            }
            Found::Synced(_) if !pinned => Ok(()),
            _ => open.keep_local(id),
        })
        .await
    }

    /// Takes an account out of sync: it stays here and leaves the server, the other devices are offered a copy.
    ///
    /// # Errors
    /// Those of an account that is not usable here.
    pub async fn account_keep_local(&self, account: String) -> Result<AccountRow, Problem> {
        let id = parse(&account)?;
        self.change_account(id, move |open, _| open.keep_local(id)).await
    }

    /// Deletes an account, everywhere if it is synced. [`Session::account_undelete`] brings it back.
    ///
    /// # Errors
    /// [`Code::AccountGone`], [`Code::Closed`], [`Code::Disabled`], and those of the disk.
    pub async fn account_delete(&self, account: String) -> Result<(), Problem> {
        let id = parse(&account)?;
        self.on_open(move |open, now| open.delete(id, now)).await?;
        self.0.emit(Change::AccountRows { changed: Vec::new(), removed: vec![id.to_string()] });
        self.0.wake.notify_one();
        Ok(())
    }

    /// Undoes a deletion: of a local account for a day, of a synced one until Keyquay is locked or for 30 days,
    /// whichever still has its content.
    ///
    /// # Errors
    /// [`Code::AccountGone`] when nothing is left, [`Code::Closed`], [`Code::Disabled`].
    pub async fn account_undelete(&self, account: String) -> Result<AccountRow, Problem> {
        let id = parse(&account)?;
        self.change_account(id, move |open, _| open.undelete(id)).await
    }

    /// Changes one account and tells the windows and the engine.
    async fn change_account(
        &self,
        id: AccountId,
        work: impl FnOnce(&mut Open, u64) -> Result<(), Problem> + Send + 'static,
    ) -> Result<AccountRow, Problem> {
        let row = self
            .on_open(move |open, now| {
                work(open, now)?;
                open.row(id, now)
            })
            .await?;
        self.told(id);
        Ok(row)
    }

    fn told(&self, id: AccountId) {
        self.0.emit_rows(&BTreeSet::from([id]));
        self.0.wake.notify_one();
    }

    /// Runs `work` on the unlocked vault, off the async threads, with the time in Unix seconds.
    pub(super) async fn on_open<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Open, u64) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let inner = Arc::clone(&self.0);
        blocking(move || {
            let now = inner.now();
            let mut core = inner.core();
            work(core.open_mut()?, now)
        })
        .await
    }
}

impl Inner {
    /// Tells the windows the whole list, while the vault is unlocked; the stepper, too, where it asks what to choose.
    pub(crate) fn emit_accounts(&self) {
        self.tell(|inner| {
            let now = inner.now();
            let core = inner.core();
            core.open.as_ref().map(|open| Change::Accounts { view: open.accounts_view(now) })
        });
        let is_choosing = |open: &Open| open.settings.enrolled && !open.settings.set_up;
        if self.core().open.as_ref().is_some_and(is_choosing) {
            self.emit_setup();
        }
    }

    /// Tells the windows some rows as they are.
    pub(crate) fn emit_rows(&self, ids: &BTreeSet<AccountId>) {
        self.tell(|inner| {
            let now = inner.now();
            let core = inner.core();
            let changed = core.open.as_ref()?.rows_of(ids, now);
            Some(Change::AccountRows { changed, removed: Vec::new() })
        });
    }
}

impl Found {
    fn account(&self) -> &Account {
        match self {
            Self::Local(account) | Self::Synced(account) => account,
        }
    }
}

impl Open {
    /// The account where it rests, live and open.
    ///
    /// # Errors
    /// [`Code::Disabled`], [`Code::ItemDamaged`], [`Code::Closed`], [`Code::AccountGone`].
    fn find(&self, id: AccountId) -> Result<Found, Problem> {
        let local = self.local.get(&id).filter(|local| local.deleted.is_none());
        if let Some(local) = local {
            return Ok(Found::Local(local.account.clone()));
        }
        if self.damaged.contains(&id) {
            let disabled = self.vault.disabled() == Disabled::UntilProven;
            return Err(Problem::new(if disabled { Code::Disabled } else { Code::ItemDamaged }));
        }
        if let Some(account) = self.synced_account(id) {
            return Ok(Found::Synced(account));
        }
        Err(Problem::new(self.why_not_synced(id)))
    }

    /// Like [`Open::find`], for what only a retrieved account of a verified device may do.
    ///
    /// # Errors
    /// Those of [`Open::find`], [`Code::Removed`], [`Code::NotRetrieved`].
    fn usable(&self, id: AccountId) -> Result<Found, Problem> {
        let found = self.find(id)?;
        if let Found::Synced(_) = found {
            if !self.is_active() && self.settings.ended.is_none() {
                return Err(Problem::new(Code::Removed));
            }
            if !self.is_retrieved(id) {
                return Err(Problem::new(Code::NotRetrieved));
            }
        }
        Ok(found)
    }

    fn why_not_synced(&self, id: AccountId) -> Code {
        let item = item_of(id);
        let is_live = self.log.as_ref().is_some_and(|log| log.live_items().any(|(live, _)| *live == item));
        match &self.half {
            _ if !is_live => Code::AccountGone,
            None => Code::Closed,
            Some(half) if half.edits.iter().any(|edit| edit.item == item) => Code::AccountGone,
            Some(_) => Code::ItemDamaged,
        }
    }

    /// Writes a changed account where it rests.
    ///
    /// # Errors
    /// [`Code::Closed`] for a synced one without the share, and those of the disk.
    fn save(&mut self, account: Account) -> Result<(), Problem> {
        let id = account.id;
        let bytes = account.to_bytes().map_err(|error| of_account(&error))?;
        let put = |bytes| vec![(item_of(id), EditKind::Put { account: bytes, beside: None })];
        match self.find(id) {
            Ok(Found::Synced(_)) => return self.queue(put(bytes), |_| {}, |_| Ok(())),
            Ok(Found::Local(_)) if self.settings.uploading.contains(&id) && self.half.is_some() => {
                let write = |transaction: &mut keyquay_vault::Transaction<'_>| {
                    transaction.put_account(&account).map(|_| ()).map_err(of_vault)
                };
                self.queue(put(bytes), |_| {}, write)?;
            }
            Err(problem) if problem.code == Code::ItemDamaged && !self.damaged.contains(&id) => {
                return self.queue(put(bytes), |_| {}, |_| Ok(()));
            }
            Ok(Found::Local(_)) | Err(_) => {
                self.change(|_| {}, |transaction| transaction.put_account(&account).map_err(of_vault))?;
            }
        }
        self.refresh_local(id)
    }

    fn delete(&mut self, id: AccountId, now: u64) -> Result<(), Problem> {
        let item = item_of(id);
        match self.find(id) {
            Ok(Found::Local(_)) => self.delete_local(id, now),
            Ok(Found::Synced(account)) => {
                self.queue(vec![(item, EditKind::Delete)], |_| {}, |_| Ok(()))?;
                self.passing.deleted.insert(id, account);
                Ok(())
            }
            // What does not open can still be deleted where others can.
            Err(problem) if problem.code == Code::ItemDamaged && !self.damaged.contains(&id) => {
                self.queue(vec![(item, EditKind::Delete)], |_| {}, |_| Ok(()))
            }
            Err(problem) => Err(problem),
        }
    }

    fn delete_local(&mut self, id: AccountId, now: u64) -> Result<(), Problem> {
        self.take_out_of_sync(id, EditKind::Delete, |transaction| {
            transaction.delete_account(id, now).map_err(of_vault)?;
            transaction.purge_deleted_before(now.saturating_sub(KEPT_DELETED)).map(|_| ()).map_err(of_vault)
        })?;
        self.reload_local()
    }

    fn undelete(&mut self, id: AccountId) -> Result<(), Problem> {
        if self.local.get(&id).is_some_and(|local| local.deleted.is_some()) {
            self.change(|_| {}, |transaction| transaction.undelete_account(id).map_err(of_vault))?;
            self.refresh_local(id)?;
            return self.upload_by_itself(&[id]);
        }
        let account = match self.passing.deleted.get(&id) {
            Some(account) => account.clone(),
            None => history::last_content(self, id)?,
        };
        let bytes = account.to_bytes().map_err(|error| of_account(&error))?;
        let put = EditKind::Put { account: bytes, beside: None };
        let retrieve = |settings: &mut super::Settings| settings.retrieved.extend([id]);
        self.queue(vec![(item_of(id), put)], retrieve, |_| Ok(()))?;
        self.passing.deleted.remove(&id);
        Ok(())
    }

    /// Reads one local account anew.
    fn refresh_local(&mut self, id: AccountId) -> Result<(), Problem> {
        match self.vault.account(id).map_err(of_vault)? {
            Some(local) => {
                self.damaged.retain(|damaged| *damaged != id);
                self.local.insert(id, local);
            }
            None => drop(self.local.remove(&id)),
        }
        Ok(())
    }
}

fn parse(id: &str) -> Result<AccountId, Problem> {
    id.parse().map_err(|_| Problem::new(Code::AccountGone))
}
