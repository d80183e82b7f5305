//! The list: one row an account, and the state that each shows.

use std::collections::{BTreeMap, BTreeSet};

use keyquay_exchanges::{Account, AccountId};
use keyquay_protocol::{Code, ItemId, ItemStatus, Problem};
use keyquay_vault::{Disabled, SUPERSEDED_DAYS};

use super::form;
use crate::session::core::{account_of, item_of};
use crate::session::{EditKind, Open, SyncedItem};
use crate::view::UnixMillis;
use crate::view::accounts::{AccountRow, AccountState, AccountsView, ClosedAccounts, ClosedReason};
use crate::view::welcome::SyncState;

/// All that a row's state depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub place: Place,
    /// It can be read.
    pub opens: bool,
}

/// Where the account rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Local {
        /// Local accounts wait for their owner's proof.
        disabled: bool,
        pinned: bool,
        /// Another device keeps it local only; this is the copy of here.
        withdrawn: bool,
        uploading: bool,
        /// The edit that uploads it is on its way.
        sending: bool,
    },
    Synced {
        /// This device belongs to the user.
        verified: bool,
        retrieved: bool,
        retrieving: bool,
        /// Other versions wait for their owner's choice.
        conflict: bool,
    },
}

/// The state that a row shows.
pub(super) fn row_state(facts: Facts) -> AccountState {
    match facts.place {
        Place::Local { disabled: true, .. } => AccountState::DisabledProveIdentity,
        Place::Synced { verified: false, .. } => AccountState::DisabledVerifyDevice,
        _ if !facts.opens => AccountState::Damaged,
        Place::Local { uploading: true, sending: true, .. } => AccountState::Uploading,
        Place::Local { uploading: true, .. } => AccountState::WaitingToUpload,
        Place::Local { withdrawn: true, .. } => AccountState::Withdrawn,
        Place::Local { pinned: true, .. } => AccountState::LocalOnlyPinned,
        Place::Local { .. } => AccountState::LocalOnly,
        Place::Synced { retrieving: true, .. } => AccountState::Retrieving,
        Place::Synced { retrieved: false, .. } => AccountState::Available,
        Place::Synced { conflict: true, .. } => AccountState::ConflictKept,
        Place::Synced { .. } => AccountState::Synced,
    }
}

impl Open {
    /// The whole screen.
    pub(crate) fn accounts_view(&self, now: u64) -> AccountsView {
        let can_sync =
            self.is_active() && !matches!(self.link.state, SyncState::Suspended | SyncState::Removed);
        AccountsView {
            rows: self.rows(now),
            closed: self.closed_accounts(),
            sync_on: self.settings.sync_on,
            auto_connect: self.settings.auto_connect,
            can_sync,
            needs_proof: self.vault.disabled() == Disabled::UntilProven,
        }
    }

    /// Every account that has a row, in no order.
    pub(crate) fn rows(&self, now: u64) -> Vec<AccountRow> {
        let list = List::of(self, now);
        list.ids().into_iter().filter_map(|id| list.row(id)).collect()
    }

    /// The rows of some accounts, as far as they are there.
    pub(crate) fn rows_of(&self, ids: &BTreeSet<AccountId>, now: u64) -> Vec<AccountRow> {
        let list = List::of(self, now);
        ids.iter().filter_map(|id| list.row(*id)).collect()
    }

    /// One account's row.
    ///
    /// # Errors
    /// [`Code::AccountGone`].
    pub(crate) fn row(&self, id: AccountId, now: u64) -> Result<AccountRow, Problem> {
        List::of(self, now).row(id).ok_or_else(|| Problem::new(Code::AccountGone))
    }

    /// Whether a synced account is usable here and not only offered.
    pub(crate) fn is_retrieved(&self, id: AccountId) -> bool {
        let edited = |half: &crate::session::OpenHalf| half.edits.iter().any(|edit| edit.item == item_of(id));
        self.settings.retrieved.contains(&id) || self.half.as_ref().is_some_and(edited)
    }

    fn closed_accounts(&self) -> Option<ClosedAccounts> {
        if self.half.is_some() {
            return None;
        }
        let is_here =
            |id: &ItemId| self.local.get(&account_of(*id)).is_some_and(|local| local.deleted.is_none());
        let count = self.log.as_ref()?.live_items().filter(|(id, _)| !is_here(id)).count();
        let reason = match self.link.state {
            SyncState::Suspended => ClosedReason::Suspended,
            SyncState::Stopped => ClosedReason::Stopped,
            _ if self.is_removed() => ClosedReason::Removed,
            _ if !self.settings.sync_on => ClosedReason::Paused,
            _ => ClosedReason::NoServer,
        };
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        (count > 0).then_some(ClosedAccounts { count, reason })
    }
}

/// What all rows are made from, looked up once.
struct List<'o> {
    open: &'o Open,
    now: u64,
    with_history: BTreeSet<AccountId>,
    /// The latest edit that waits, by item.
    edits: BTreeMap<ItemId, &'o EditKind>,
    sending: BTreeSet<ItemId>,
    disabled: bool,
    verified: bool,
}

impl<'o> List<'o> {
    fn of(open: &'o Open, now: u64) -> Self {
        let half = open.half.as_ref();
        let edits = half.iter().flat_map(|half| &half.edits).map(|edit| (edit.item, &edit.kind)).collect();
        Self {
            open,
            now,
            // Without it a row only lacks its way to the history.
            with_history: open.vault.accounts_with_history().unwrap_or_default(),
            edits,
            sending: half.iter().flat_map(|half| half.sending.iter().copied()).collect(),
            disabled: open.vault.disabled() == Disabled::UntilProven,
            verified: open.is_active() || open.settings.ended.is_some(),
        }
    }

    fn ids(&self) -> BTreeSet<AccountId> {
        let synced = self.open.half.iter().flat_map(|half| half.items.keys());
        let edited = self.edits.keys();
        let local = self.open.local.keys().chain(&self.open.damaged).copied();
        local.chain(synced.chain(edited).map(|item| account_of(*item))).collect()
    }

    fn row(&self, id: AccountId) -> Option<AccountRow> {
        if self.open.damaged.contains(&id) {
            return Some(self.local_row(id, None, false));
        }
        match self.open.local.get(&id) {
            Some(local) if local.deleted.is_none() => {
                Some(self.local_row(id, Some(&local.account), local.pinned))
            }
            _ => self.synced_row(id),
        }
    }

    fn local_row(&self, id: AccountId, account: Option<&Account>, pinned: bool) -> AccountRow {
        let settings = &self.open.settings;
        let place = Place::Local {
            disabled: self.disabled,
            pinned,
            withdrawn: settings.withdrawn.contains(&id),
            uploading: settings.uploading.contains(&id),
            sending: self.sending.contains(&item_of(id)),
        };
        let state = row_state(Facts { place, opens: account.is_some() });
        row_of(id, account, state, self.with_history.contains(&id))
    }

    fn synced_row(&self, id: AccountId) -> Option<AccountRow> {
        let item = item_of(id);
        let synced = self.open.half.as_ref()?.items.get(&item);
        let edit = self.edits.get(&item);
        let edited;
        let account = match edit {
            Some(EditKind::Delete | EditKind::Withdraw) => return None,
            Some(EditKind::Put { account, .. }) => {
                edited = Account::from_bytes(account).ok();
                edited.as_ref()
            }
            None => synced?.account.as_ref(),
        };
        let place = Place::Synced {
            verified: self.verified,
            retrieved: self.open.settings.retrieved.contains(&id) || edit.is_some(),
            retrieving: self.open.passing.retrieving.contains(&id),
            conflict: is_conflict(synced, edit.copied()),
        };
        let state = row_state(Facts { place, opens: account.is_some() });
        Some(row_of(id, account, state, self.has_superseded(&item)))
    }

    /// A blob before the current one stays for 30 days.
    fn has_superseded(&self, item: &ItemId) -> bool {
        let kept = SUPERSEDED_DAYS * 24 * 60 * 60;
        let known = self.open.log.as_ref().and_then(|log| log.items().get(item));
        let edited = self.edits.contains_key(item);
        known.is_some_and(|known| {
            let is_recent = self.now.saturating_sub(known.time) < kept;
            edited || (known.status == ItemStatus::Live && known.revision > 1 && is_recent)
        })
    }
}

/// Versions stand beside the account, and no choice waits to be sent.
pub(super) fn is_conflict(synced: Option<&SyncedItem>, edit: Option<&EditKind>) -> bool {
    let is_chosen = matches!(edit, Some(EditKind::Put { beside: Some(beside), .. }) if beside.is_empty());
    synced.is_some_and(|synced| !synced.beside.is_empty()) && !is_chosen
}

fn row_of(id: AccountId, account: Option<&Account>, state: AccountState, has_history: bool) -> AccountRow {
    let Some(account) = account else { return unreadable_row(id, state, has_history) };
    AccountRow {
        id: id.to_string(),
        exchange: account.exchange.clone(),
        exchange_name: account.exchange_name().to_owned(),
        label: account.label.clone(),
        key_hint: account.shown_key(),
        tags: account.tags.clone(),
        environment: form::environment_view(account.environment),
        permissions: form::permissions_view(account.permissions),
        expires_on: account.expires_on.clone(),
        created_at: UnixMillis(account.created.saturating_mul(1000)),
        changed_at: UnixMillis(account.changed.saturating_mul(1000)),
        state,
        has_history,
    }
}

/// Nothing is known but the id; its beginning tells several apart.
fn unreadable_row(id: AccountId, state: AccountState, has_history: bool) -> AccountRow {
    let id = id.to_string();
    AccountRow {
        label: format!("{}…", id.get(..6).unwrap_or_default()),
        id,
        exchange: String::new(),
        exchange_name: String::new(),
        key_hint: None,
        tags: Vec::new(),
        environment: Default::default(),
        permissions: Default::default(),
        expires_on: None,
        created_at: UnixMillis(0),
        changed_at: UnixMillis(0),
        state,
        has_history,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: Place =
        Place::Local { disabled: false, pinned: false, withdrawn: false, uploading: false, sending: false };
    const SYNCED: Place =
        Place::Synced { verified: true, retrieved: true, retrieving: false, conflict: false };

    fn local(change: impl FnOnce(&mut bool, &mut bool, &mut bool, &mut bool, &mut bool)) -> Place {
        let mut place = LOCAL;
        if let Place::Local { disabled, pinned, withdrawn, uploading, sending } = &mut place {
            change(disabled, pinned, withdrawn, uploading, sending);
        }
        place
    }

    fn synced(change: impl FnOnce(&mut bool, &mut bool, &mut bool, &mut bool)) -> Place {
        let mut place = SYNCED;
        if let Place::Synced { verified, retrieved, retrieving, conflict } = &mut place {
            change(verified, retrieved, retrieving, conflict);
        }
        place
    }

    #[test]
    fn every_place_of_an_account_has_its_state() {
        let table = [
            (LOCAL, AccountState::LocalOnly),
            (local(|_, pinned, _, _, _| *pinned = true), AccountState::LocalOnlyPinned),
            (local(|_, _, withdrawn, _, _| *withdrawn = true), AccountState::Withdrawn),
            (local(|_, _, _, uploading, _| *uploading = true), AccountState::WaitingToUpload),
            (
                local(|_, _, _, uploading, sending| (*uploading, *sending) = (true, true)),
                AccountState::Uploading,
            ),
            (local(|_, _, _, _, sending| *sending = true), AccountState::LocalOnly),
            (local(|disabled, _, _, _, _| *disabled = true), AccountState::DisabledProveIdentity),
            (
                local(|disabled, pinned, withdrawn, uploading, sending| {
                    for fact in [disabled, pinned, withdrawn, uploading, sending] {
                        *fact = true;
                    }
                }),
                AccountState::DisabledProveIdentity,
            ),
            (SYNCED, AccountState::Synced),
            (synced(|_, _, _, conflict| *conflict = true), AccountState::ConflictKept),
            (synced(|_, retrieved, _, _| *retrieved = false), AccountState::Available),
            (
                synced(|_, retrieved, _, conflict| (*retrieved, *conflict) = (false, true)),
                AccountState::Available,
            ),
            (
                synced(|_, retrieved, retrieving, _| (*retrieved, *retrieving) = (false, true)),
                AccountState::Retrieving,
            ),
            (synced(|verified, _, _, _| *verified = false), AccountState::DisabledVerifyDevice),
        ];
        for (place, state) in table {
            assert_eq!(row_state(Facts { place, opens: true }), state, "{place:?}");
        }
    }

    #[test]
    fn what_does_not_open_is_damaged_unless_it_is_disabled() {
        for place in [LOCAL, SYNCED, local(|_, pinned, _, _, _| *pinned = true)] {
            assert_eq!(row_state(Facts { place, opens: false }), AccountState::Damaged, "{place:?}");
        }
        let disabled = local(|disabled, _, _, _, _| *disabled = true);
        assert_eq!(row_state(Facts { place: disabled, opens: false }), AccountState::DisabledProveIdentity);
    }

    #[test]
    fn a_choice_that_waits_ends_the_conflict_in_the_list() {
        let conflict = SyncedItem {
            revision: 3,
            account: None,
            beside: vec![Account::make("other", "theirs", 1).unwrap()],
        };
        let put = |beside| EditKind::Put { account: Default::default(), beside };
        assert!(is_conflict(Some(&conflict), None));
        assert!(is_conflict(Some(&conflict), Some(&put(None))));
        assert!(!is_conflict(Some(&conflict), Some(&put(Some(Vec::new())))));
        assert!(!is_conflict(None, None));
    }
}
