//! Two devices changed one account before they heard of each other: both versions are kept until its owner chose.

use keyquay_exchanges::{Account, AccountId};
use keyquay_protocol::{Code, Problem};

use super::form::copy_of;
use super::history::differences;
use super::parse;
use crate::session::core::item_of;
use crate::session::{EditKind, Open, Session, of_account, of_vault};
use crate::view::UnixMillis;
use crate::view::accounts::{AccountRow, AccountVersion};

/// A version of a conflict; its id stops to name it when the item has changed.
struct Version {
    id: String,
    account: Account,
}

impl Session {
    /// The versions to choose from, the one in use first.
    ///
    /// # Errors
    /// [`Code::AccountGone`] when there is no conflict any more, [`Code::Closed`].
    pub async fn account_conflict(&self, account: String) -> Result<Vec<AccountVersion>, Problem> {
        let id = parse(&account)?;
        self.on_open(move |open, _| {
            let versions = versions(open, id)?;
            Ok(versions.iter().enumerate().map(|(at, version)| view(&versions, at, version)).collect())
        })
        .await
    }

    /// Puts one version in use. The others become local accounts of their own, or are given up.
    ///
    /// # Errors
    /// [`Code::Cancelled`] when another device has changed the account since it was shown, [`Code::Closed`].
    pub async fn account_choose_version(
        &self,
        account: String,
        version: String,
        keep_others: bool,
    ) -> Result<AccountRow, Problem> {
        let id = parse(&account)?;
        let row = self.change_account(id, move |open, _| choose(open, id, &version, keep_others)).await?;
        if keep_others {
            self.0.emit_accounts();
        }
        Ok(row)
    }
}

fn versions(open: &Open, id: AccountId) -> Result<Vec<Version>, Problem> {
    let gone = || Problem::new(Code::AccountGone);
    let synced = open.half()?.items.get(&item_of(id)).ok_or_else(gone)?;
    let current = open.synced_account(id);
    let others = synced.beside.iter().cloned();
    let number = |(at, account)| Version { id: format!("{} {at}", synced.revision), account };
    Ok(current.into_iter().chain(others).enumerate().map(number).collect())
}

fn view(versions: &[Version], at: usize, version: &Version) -> AccountVersion {
    let in_use = versions.first().filter(|_| at > 0);
    AccountVersion {
        id: version.id.clone(),
        changed_at: UnixMillis(version.account.changed.saturating_mul(1000)),
        device: None,
        this_device: false,
        current: at == 0,
        label: version.account.label.clone(),
        key_hint: version.account.shown_key(),
        differs_in: in_use.map(|used| differences(&used.account, &version.account)).unwrap_or_default(),
    }
}

fn choose(open: &mut Open, id: AccountId, version: &str, keep_others: bool) -> Result<(), Problem> {
    let versions = versions(open, id)?;
    let chosen = versions.iter().position(|known| known.id == version).ok_or_else(|| {
        Problem::new(Code::Cancelled)
            .with_detail("another device changed the account meanwhile; look at its versions again")
    })?;
    let (mut put, mut copies) = (None, Vec::new());
    for (at, version) in versions.iter().enumerate() {
        if at == chosen {
            put = Some(version.account.to_bytes().map_err(|error| of_account(&error))?);
        } else if keep_others {
            let number = copies.len() + 2;
            copies.push(copy_of(&version.account, format!("{} ({number})", version.account.label))?);
        }
    }
    let account = put.ok_or_else(|| Problem::new(Code::AccountGone))?;
    open.queue(
        vec![(item_of(id), EditKind::Put { account, beside: Some(Vec::new()) })],
        |_| {},
        |transaction| {
            copies.iter().try_for_each(|copy| transaction.put_account(copy).map(|_| ()).map_err(of_vault))
        },
    )?;
    let ids: Vec<AccountId> = copies.iter().map(|copy| copy.id).collect();
    ids.iter().try_for_each(|id| open.refresh_local(*id))?;
    open.upload_by_itself(&ids)
}
