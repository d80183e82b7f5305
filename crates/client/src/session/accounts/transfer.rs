//! Between this device and the server: upload, retrieve, "Auto connect all accounts", and taking an account out.

use std::collections::{BTreeMap, BTreeSet};

use keyquay_crypto::Zeroizing;
use keyquay_exchanges::AccountId;
use keyquay_protocol::{Code, ItemId, Problem};
use keyquay_vault::{EditId, Transaction};

use super::{Found, parse};
use crate::session::core::{account_of, item_of};
use crate::session::{Edit, EditKind, Open, Session, of_account, of_vault};
use crate::view::ProgressKind;
use crate::view::accounts::{AccountState, AccountsView, AutoConnectPreview};

/// Accounts of one transaction.
const BATCH: usize = 200;

impl Session {
    /// What "Auto connect all accounts" would do.
    ///
    /// # Errors
    /// [`Code::Locked`].
    pub async fn accounts_auto_connect_preview(&self) -> Result<AutoConnectPreview, Problem> {
        self.on_open(|open, now| {
            let rows = open.rows(now);
            let (local, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| {
                matches!(row.state, AccountState::LocalOnly | AccountState::LocalOnlyPinned)
            });
            let available = rows.into_iter().filter(|row| row.state == AccountState::Available).collect();
            Ok(AutoConnectPreview { local, available })
        })
        .await
    }

    /// Switches "Auto connect all accounts". On: uploads every local account that is not pinned, or pinned and in
    /// `include`, and retrieves every account of the server; from then on new ones too. Off changes no account.
    ///
    /// # Errors
    /// [`Code::NotAllowed`] before this device is verified, [`Code::SyncOff`].
    pub async fn accounts_set_auto_connect(
        &self,
        on: bool,
        include: Vec<String>,
    ) -> Result<AccountsView, Problem> {
        let include = parse_all(&include)?;
        let (upload, retrieve) = self
            .on_open(move |open, _| {
                if on {
                    open.refuse_unless_syncing()?;
                }
                open.change(|settings| settings.auto_connect = on, |_| Ok(()))?;
                if !on {
                    return Ok(Default::default());
                }
                Ok((open.not_pinned_or(&include), open.available()))
            })
            .await?;
        self.upload(upload).await?;
        let retrieved = self.retrieve(retrieve).await;
        let view = self.accounts_view().await?;
        self.0.emit_accounts();
        retrieved.map(|()| view)
    }

    /// Uploads local accounts; they stay local until the server has acknowledged them.
    ///
    /// # Errors
    /// [`Code::NotAllowed`] before this device is verified, [`Code::SyncOff`], and those of the disk.
    pub async fn accounts_upload(&self, accounts: Vec<String>) -> Result<(), Problem> {
        let ids = parse_all(&accounts)?;
        self.on_open(|open, _| open.refuse_unless_syncing()).await?;
        self.upload(ids).await
    }

    /// Makes accounts of the server usable on this device, batch by batch.
    ///
    /// # Errors
    /// [`Code::Closed`] without the share; [`Code::ItemDamaged`] says how many did not open. The others are
    /// retrieved all the same.
    pub async fn accounts_retrieve(&self, accounts: Vec<String>) -> Result<(), Problem> {
        let ids = parse_all(&accounts)?;
        self.on_open(|open, _| open.refuse_unless_syncing()).await?;
        self.retrieve(ids).await
    }

    async fn upload(&self, ids: BTreeSet<AccountId>) -> Result<(), Problem> {
        for batch in batches(&ids) {
            self.on_open(move |open, _| open.upload(&batch)).await?;
            self.0.emit_accounts();
        }
        self.0.wake.notify_one();
        Ok(())
    }

    async fn retrieve(&self, ids: BTreeSet<AccountId>) -> Result<(), Problem> {
        let wanted = self
            .on_open(move |open, _| {
                let wanted: BTreeSet<AccountId> =
                    ids.into_iter().filter(|id| !open.is_retrieved(*id)).collect();
                if !wanted.is_empty() {
                    open.half()?;
                }
                open.passing.retrieving.extend(&wanted);
                Ok(wanted)
            })
            .await?;
        if wanted.is_empty() {
            return Ok(());
        }
        let result = self.retrieve_batches(&wanted).await;
        if let Ok(open) = self.0.core().open_mut() {
            open.passing.retrieving.retain(|id| !wanted.contains(id));
        }
        self.0.emit_accounts();
        match result? {
            0 => Ok(()),
            failed => {
                let detail =
                    format!("{failed} of {} accounts did not open; the others are here.", wanted.len());
                Err(Problem::new(Code::ItemDamaged).with_detail(detail))
            }
        }
    }

    /// How many did not open.
    async fn retrieve_batches(&self, wanted: &BTreeSet<AccountId>) -> Result<usize, Problem> {
        let (mut done, mut failed) = (0, 0);
        self.0.progress(ProgressKind::Retrieving, 0, wanted.len());
        for batch in batches(wanted) {
            done += batch.len();
            let (opened, unopened) = self
                .on_open(move |open, _| {
                    let opened = open.mark_retrieved(&batch)?;
                    let unopened = batch.len() - opened.len();
                    Ok((opened, unopened))
                })
                .await?;
            failed += unopened;
            self.0.emit_rows(&opened);
            self.0.progress(ProgressKind::Retrieving, done, wanted.len());
        }
        Ok(failed)
    }
}

impl Open {
    /// Uploads accounts that were just made, if that is what "Auto connect all accounts" asks for.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn upload_by_itself(&mut self, ids: &[AccountId]) -> Result<(), Problem> {
        if !self.settings.auto_connect || self.refuse_unless_syncing().is_err() {
            return Ok(());
        }
        let free = |id: &&AccountId| self.local.get(id).is_some_and(|local| !local.pinned);
        let ids = ids.iter().filter(free).copied().collect();
        self.upload(&ids)
    }

    /// Brings the outbox in step with what was chosen while the synced half was closed, when nothing could be
    /// sealed for it: uploads that were asked for or changed, and uploads that were given up.
    ///
    /// # Errors
    /// [`Code::Closed`] without the share, and those of the disk.
    pub(crate) fn settle_uploads(&mut self) -> Result<(), Problem> {
        let half = self.half()?;
        let is_known = |item: &ItemId| self.log.as_ref().is_some_and(|log| log.items().contains_key(item));
        let given_up: Vec<EditId> = half
            .edits
            .iter()
            .filter(|edit| !is_known(&edit.item) && !self.settings.uploading.contains(&account_of(edit.item)))
            .filter(|edit| !half.sending.contains(&edit.item))
            .map(|edit| edit.id)
            .collect();
        let queued: BTreeMap<ItemId, &EditKind> =
            half.edits.iter().map(|edit| (edit.item, &edit.kind)).collect();
        let mut edits = Vec::new();
        for id in &self.settings.uploading {
            let Some(local) = self.local.get(id).filter(|local| local.deleted.is_none()) else { continue };
            let account = local.account.to_bytes().map_err(|error| of_account(&error))?;
            let is_queued = matches!(queued.get(&item_of(*id)), Some(EditKind::Put { account: queued, .. }) if *queued == account);
            if !is_queued {
                edits.push((item_of(*id), EditKind::Put { account, beside: None }));
            }
        }
        let available = if self.settings.auto_connect { self.available() } else { BTreeSet::new() };
        if given_up.is_empty() && edits.is_empty() && available.is_empty() {
            return Ok(());
        }
        self.queue(
            edits,
            |settings| settings.retrieved.extend(available),
            |transaction| remove_edits(transaction, &given_up),
        )?;
        self.half_mut()?.edits.retain(|edit| !given_up.contains(&edit.id));
        Ok(())
    }

    /// Marks local accounts for upload, and queues them if the share is at hand.
    pub(super) fn upload(&mut self, ids: &BTreeSet<AccountId>) -> Result<(), Problem> {
        let chosen: Vec<_> = ids
            .iter()
            .filter(|id| !self.settings.uploading.contains(id))
            .filter_map(|id| self.local.get(id))
            .filter(|local| local.deleted.is_none())
            .collect();
        let pinned: Vec<AccountId> =
            chosen.iter().filter(|local| local.pinned).map(|local| local.account.id).collect();
        let bytes: Vec<(AccountId, Zeroizing<Vec<u8>>)> = chosen
            .iter()
            .map(|local| {
                Ok((local.account.id, local.account.to_bytes().map_err(|error| of_account(&error))?))
            })
            .collect::<Result<_, Problem>>()?;
        if bytes.is_empty() {
            return Ok(());
        }
        let uploading: Vec<AccountId> = bytes.iter().map(|(id, _)| *id).collect();
        let settings = |settings: &mut crate::session::Settings| {
            for id in uploading {
                settings.withdrawn.remove(&id);
                settings.uploading.insert(id);
                settings.retrieved.insert(id);
            }
        };
        let unpin = |transaction: &mut Transaction<'_>| {
            pinned.iter().try_for_each(|id| transaction.set_pinned(*id, false).map_err(of_vault))
        };
        if self.half.is_some() {
            let edit = |(id, account)| (item_of(id), EditKind::Put { account, beside: None });
            self.queue(bytes.into_iter().map(edit).collect(), settings, unpin)?;
        } else {
            self.change(settings, unpin)?;
        }
        pinned.iter().try_for_each(|id| self.refresh_local(*id))
    }

    /// Keeps an account on this device alone, pinned.
    pub(super) fn keep_local(&mut self, id: AccountId) -> Result<(), Problem> {
        let pin = |transaction: &mut Transaction<'_>| transaction.set_pinned(id, true).map_err(of_vault);
        match self.usable(id)? {
            Found::Local(_) => self.take_out_of_sync(id, EditKind::Withdraw, pin)?,
            Found::Synced(account) => self.queue(
                vec![(item_of(id), EditKind::Withdraw)],
                |settings| settings.retrieved.retain(|retrieved| *retrieved != id),
                |transaction| {
                    transaction.put_account(&account).map_err(of_vault)?;
                    pin(transaction)
                },
            )?,
        }
        self.refresh_local(id)
    }

    /// Changes a local account with `more` and gives up its upload. What is on its way already is followed by `after`.
    pub(super) fn take_out_of_sync(
        &mut self,
        id: AccountId,
        after: EditKind,
        more: impl FnOnce(&mut Transaction<'_>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let item = item_of(id);
        let half = self.half.as_ref();
        let is_on_its_way = half.is_some_and(|half| half.sending.contains(&item));
        let mine = |edit: &&Edit| edit.item == item;
        let waiting: Vec<EditId> =
            half.iter().flat_map(|half| half.edits.iter().filter(mine)).map(|edit| edit.id).collect();
        let settings = |settings: &mut crate::session::Settings| {
            settings.uploading.remove(&id);
            settings.withdrawn.remove(&id);
            settings.retrieved.remove(&id);
        };
        if is_on_its_way {
            return self.queue(vec![(item, after)], settings, more);
        }
        self.change(settings, |transaction| {
            remove_edits(transaction, &waiting)?;
            more(transaction)
        })?;
        if let Some(half) = &mut self.half {
            half.edits.retain(|edit| !waiting.contains(&edit.id));
        }
        Ok(())
    }

    /// # Errors
    /// [`Code::NotAllowed`], [`Code::SyncOff`].
    fn refuse_unless_syncing(&self) -> Result<(), Problem> {
        if !self.is_active() {
            return Err(Problem::new(if self.is_removed() { Code::Removed } else { Code::NotAllowed }));
        }
        if self.settings.sync_on { Ok(()) } else { Err(Problem::new(Code::SyncOff)) }
    }

    /// Marks those that open as usable here, and returns them.
    fn mark_retrieved(&mut self, ids: &BTreeSet<AccountId>) -> Result<BTreeSet<AccountId>, Problem> {
        self.half()?;
        let opened: BTreeSet<AccountId> =
            ids.iter().copied().filter(|id| self.synced_account(*id).is_some()).collect();
        self.change(|settings| settings.retrieved.extend(&opened), |_| Ok(()))?;
        self.passing.retrieving.retain(|id| !ids.contains(id));
        Ok(opened)
    }

    fn not_pinned_or(&self, include: &BTreeSet<AccountId>) -> BTreeSet<AccountId> {
        let is_chosen = |local: &&keyquay_vault::LocalAccount| {
            let id = local.account.id;
            local.deleted.is_none()
                && (include.contains(&id) || !(local.pinned || self.settings.withdrawn.contains(&id)))
        };
        self.local.values().filter(is_chosen).map(|local| local.account.id).collect()
    }

    fn available(&self) -> BTreeSet<AccountId> {
        let items = self.half.iter().flat_map(|half| &half.items);
        items
            .filter(|(_, item)| item.account.is_some())
            .map(|(item, _)| account_of(*item))
            .filter(|id| !self.is_retrieved(*id))
            .collect()
    }
}

fn remove_edits(transaction: &mut Transaction<'_>, edits: &[EditId]) -> Result<(), Problem> {
    edits.iter().try_for_each(|id| transaction.remove_edit(*id).map(|_| ()).map_err(of_vault))
}

fn batches(ids: &BTreeSet<AccountId>) -> Vec<BTreeSet<AccountId>> {
    let ids: Vec<AccountId> = ids.iter().copied().collect();
    ids.chunks(BATCH).map(|chunk| chunk.iter().copied().collect()).collect()
}

fn parse_all(ids: &[String]) -> Result<BTreeSet<AccountId>, Problem> {
    ids.iter().map(|id| parse(id)).collect()
}
