//! Earlier versions of an account: of a local one from the vault, of a synced one from superseded blobs.

use keyquay_crypto::ExposeSecret;
use keyquay_exchanges::{Account, AccountId};
use keyquay_protocol::{Body, Code, DeviceId, ItemId, ItemStatus, Payload, Problem, open_item};

use super::{Found, parse};
use crate::session::core::item_of;
use crate::session::{EditKind, Open, Session, of_vault};
use crate::view::UnixMillis;
use crate::view::accounts::{AccountRow, AccountVersion, VersionPart};

/// A version with its content.
struct Version {
    id: String,
    account: Account,
    author: Author,
    current: bool,
}

/// Who wrote a version.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Author {
    ThisDevice,
    Device(DeviceId),
}

impl Session {
    /// The versions of an account, newest first, with what each changed.
    ///
    /// # Errors
    /// [`Code::AccountGone`], [`Code::Closed`], [`Code::Disabled`], and those of the disk.
    pub async fn account_history(&self, account: String) -> Result<Vec<AccountVersion>, Problem> {
        let id = parse(&account)?;
        self.on_open(move |open, _| {
            let versions = versions(open, id)?;
            let before = versions.iter().skip(1).map(Some).chain([None]);
            Ok(versions.iter().zip(before).map(|(version, before)| view(open, version, before)).collect())
        })
        .await
    }

    /// Makes an earlier version the newest one; the one before it stays in the history.
    ///
    /// # Errors
    /// [`Code::NotFound`] when the version is not there any more, [`Code::Closed`], [`Code::Disabled`].
    pub async fn account_restore_version(
        &self,
        account: String,
        version: String,
    ) -> Result<AccountRow, Problem> {
        let id = parse(&account)?;
        self.change_account(id, move |open, now| {
            let versions = versions(open, id)?;
            let chosen = versions.into_iter().find(|known| known.id == version);
            let chosen = chosen.ok_or_else(|| Problem::new(Code::NotFound))?;
            if chosen.current {
                return Ok(());
            }
            let mut account = chosen.account;
            account.changed = now;
            open.save(account)
        })
        .await
    }
}

/// What a deleted synced account last held, as far as its blob is still here.
///
/// # Errors
/// [`Code::AccountGone`], [`Code::Closed`].
pub(super) fn last_content(open: &Open, id: AccountId) -> Result<Account, Problem> {
    let gone = || Problem::new(Code::AccountGone);
    let log = open.log.as_ref().ok_or_else(gone)?;
    let item = log.items().get(&item_of(id)).ok_or_else(gone)?;
    let half = open.half()?;
    // The blob is that of the last put; a deletion has taken one revision more.
    let revision =
        if item.status == ItemStatus::Live { item.revision } else { item.revision.saturating_sub(1) };
    let key = half.keys.of_epoch(item.epoch).ok_or_else(gone)?;
    let blob = open.vault.blob(&item.blob).map_err(of_vault)?.ok_or_else(gone)?;
    let content = open_item(&blob, key, log.user(), item_of(id), revision, item.epoch).map_err(|_| gone())?;
    Account::from_bytes(&content.account).map_err(|_| gone())
}

/// The parts in which two versions differ, in the order of the form.
pub(super) fn differences(one: &Account, other: &Account) -> Vec<VersionPart> {
    let mut keys: Vec<&str> = one.fields.iter().map(|field| field.key.as_str()).collect();
    keys.extend(
        other.fields.iter().map(|field| field.key.as_str()).filter(|key| one.fields.get(key).is_none()),
    );
    let mut parts: Vec<VersionPart> = keys
        .into_iter()
        .filter(|key| value(one, key) != value(other, key))
        .map(|key| {
            let holder = if one.fields.get(key).is_some() { one } else { other };
            VersionPart::Field { label: holder.describe(key).label }
        })
        .collect();
    let details = [
        (one.label != other.label, VersionPart::Label),
        (one.tags != other.tags, VersionPart::Tags),
        (one.note.expose_secret() != other.note.expose_secret(), VersionPart::Note),
        (one.environment != other.environment, VersionPart::Environment),
        (one.permissions != other.permissions, VersionPart::Permissions),
        (one.ip_note != other.ip_note, VersionPart::IpNote),
        (one.expires_on != other.expires_on, VersionPart::Expiry),
    ];
    parts.extend(details.into_iter().filter(|(differs, _)| *differs).map(|(_, part)| part));
    parts
}

fn value<'a>(account: &'a Account, key: &str) -> Option<&'a str> {
    account.fields.get(key).map(ExposeSecret::expose_secret)
}

fn versions(open: &Open, id: AccountId) -> Result<Vec<Version>, Problem> {
    match open.find(id) {
        Ok(Found::Local(account)) => local_versions(open, id, Some(account)),
        Ok(Found::Synced(_)) => synced_versions(open, id),
        Err(problem) if problem.code == Code::ItemDamaged => {
            if open.damaged.contains(&id) {
                local_versions(open, id, None)
            } else {
                synced_versions(open, id)
            }
        }
        Err(problem) => Err(problem),
    }
}

fn local_versions(open: &Open, id: AccountId, current: Option<Account>) -> Result<Vec<Version>, Problem> {
    let current = current.map(|account| Version {
        id: "current".to_owned(),
        account,
        author: Author::ThisDevice,
        current: true,
    });
    let earlier = open.vault.history(id).map_err(of_vault)?;
    let mut versions: Vec<Version> = current.into_iter().collect();
    for (at, version) in earlier.iter().enumerate() {
        // A restored backup may have left several versions of one revision: count among them.
        let twins = earlier.iter().skip(at + 1).filter(|other| other.revision == version.revision).count();
        versions.push(Version {
            id: format!("revision {} {twins}", version.revision),
            account: version.account.clone(),
            author: Author::ThisDevice,
            current: false,
        });
    }
    Ok(versions)
}

fn synced_versions(open: &Open, id: AccountId) -> Result<Vec<Version>, Problem> {
    let item = item_of(id);
    let half = open.half()?;
    let live = open.log.as_ref().and_then(|log| log.items().get(&item)).map(|item| item.seq);
    let mut versions = Vec::new();
    let waiting = half.edits.iter().rev().find(|edit| edit.item == item).map(|edit| &edit.kind);
    if let Some(EditKind::Put { account, .. }) = waiting
        && let Ok(account) = Account::from_bytes(account)
    {
        versions.push(Version {
            id: "waiting".to_owned(),
            account,
            author: Author::ThisDevice,
            current: true,
        });
    }
    let entries = open.vault.entries_after(None).map_err(of_vault)?;
    for payload in entries.iter().rev().filter_map(|entry| Payload::decode(&entry.payload).ok()) {
        let Some(account) = put_content(open, item, &payload)? else { continue };
        let author = match payload.author {
            keyquay_protocol::Author::Device(device) if open.settings.device != Some(device) => {
                Author::Device(device)
            }
            _ => Author::ThisDevice,
        };
        let current = versions.is_empty() && live == Some(payload.seq);
        versions.push(Version { id: format!("entry {}", payload.seq), account, author, current });
    }
    Ok(versions)
}

/// The account that an entry put, if it is about this item and its blob is still here and opens.
fn put_content(open: &Open, wanted: ItemId, payload: &Payload) -> Result<Option<Account>, Problem> {
    let Body::ItemPut { item, revision, epoch, blob } = &payload.body else { return Ok(None) };
    if *item != wanted {
        return Ok(None);
    }
    let Some(key) = open.half()?.keys.of_epoch(*epoch) else { return Ok(None) };
    let Some(blob) = open.vault.blob(blob).map_err(of_vault)? else { return Ok(None) };
    let content = open_item(&blob, key, payload.user, wanted, *revision, *epoch).ok();
    Ok(content.and_then(|content| Account::from_bytes(&content.account).ok()))
}

fn view(open: &Open, version: &Version, before: Option<&Version>) -> AccountVersion {
    let device = match version.author {
        Author::ThisDevice => None,
        Author::Device(device) => open.device_name(device).map(|profile| profile.name),
    };
    AccountVersion {
        id: version.id.clone(),
        changed_at: UnixMillis(version.account.changed.saturating_mul(1000)),
        device,
        this_device: version.author == Author::ThisDevice,
        current: version.current,
        label: version.account.label.clone(),
        key_hint: version.account.shown_key(),
        differs_in: before.map(|before| differences(&before.account, &version.account)).unwrap_or_default(),
    }
}
