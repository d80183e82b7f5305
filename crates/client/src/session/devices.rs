//! Devices: listed, suspended, removed, and brought back.

use keyquay_exchanges::{Account, AccountId};
use keyquay_protocol::wire::Suspension;
use keyquay_protocol::{Code, DeviceId, ItemStatus, Problem, State, device_phrase};

use super::records::{ReplaceRecord, load_removals, store_removals};
use super::status::millis;
use super::{Inner, Open, RemovalRecord, Session, account_of, of_vault, proof};
use crate::server::Connection;
use crate::view::SecretText;
use crate::view::accounts::PageKind;
use crate::view::sync::{DeviceRow, DeviceState, Platform, Removal, ReplaceRow, SyncView};

impl Session {
    /// Suspends another device, reversibly: the keystore withholds answers and share from it.
    ///
    /// # Errors
    /// Those of the server.
    pub async fn sync_device_suspend(&self, device: DeviceId) -> Result<SyncView, Problem> {
        let _step = self.0.step().await;
        self.suspend(device).await?;
        self.0.sync_view()
    }

    /// Removes a device: suspended at once, then password and second factor, then the entry of root that destroys
    /// what it holds. The answer lists what to replace at the exchanges.
    ///
    /// # Errors
    /// [`Code::SignIn`], [`Code::SecondFactor`]; the device stays suspended then.
    pub async fn sync_device_remove(
        &self,
        device: DeviceId,
        password: SecretText,
        code: String,
    ) -> Result<Removal, Problem> {
        let _step = self.0.step().await;
        let inner = &*self.0;
        if inner.core().open()?.settings.device == Some(device) {
            let detail = "This is the device in front of you. Sign out under General instead, or remove it from another device.";
            return Err(Problem::new(Code::NotAllowed).with_detail(detail));
        }
        self.suspend(device).await?;
        let root = proof::open_root(inner, &password, &code).await?;
        let record = {
            let core = inner.core();
            RemovalRecord::of(core.open()?, device, inner.now())?
        };
        let now = root.proven.connection.now();
        root.append(inner, None, |log, keys| {
            log.draft_device_removed(keys, device, now).map_err(|_| Problem::new(Code::Internal))
        })
        .await?;
        let removal = record.view();
        {
            let mut core = inner.core();
            let open = core.open_mut()?;
            let mut removals = load_removals(&open.vault)?;
            removals.push(record);
            open.change(|_| {}, |transaction| store_removals(transaction, &removals))?;
        }
        inner.emit_sync();
        Ok(removal)
    }

    /// Ticks an account that was replaced at its exchange, or takes the tick away.
    ///
    /// # Errors
    /// [`Code::AccountGone`] for a removal that is not open.
    pub async fn sync_removal_mark(
        &self,
        device: DeviceId,
        account: AccountId,
        replaced: bool,
    ) -> Result<Removal, Problem> {
        let mut core = self.0.core();
        let open = core.open_mut()?;
        let mut removals = load_removals(&open.vault)?;
        let gone = || Problem::new(Code::AccountGone);
        let removal = removals.iter_mut().find(|removal| removal.device == device).ok_or_else(gone)?;
        let row = removal.accounts.iter_mut().find(|row| row.account == account).ok_or_else(gone)?;
        row.replaced = replaced;
        let view = removal.view();
        open.change(|_| {}, |transaction| store_removals(transaction, &removals))?;
        Ok(view)
    }

    /// Puts a removal's list away.
    ///
    /// # Errors
    /// Those of the disk.
    pub async fn sync_removal_close(&self, device: DeviceId) -> Result<SyncView, Problem> {
        {
            let mut core = self.0.core();
            let open = core.open_mut()?;
            let mut removals = load_removals(&open.vault)?;
            removals.retain(|removal| removal.device != device);
            open.change(|_| {}, |transaction| store_removals(transaction, &removals))?;
        }
        self.0.sync_view()
    }

    /// Brings this suspended device back, with password and second factor.
    ///
    /// # Errors
    /// [`Code::SignIn`], [`Code::SecondFactor`].
    pub async fn sync_resume_device(&self, password: SecretText, code: String) -> Result<SyncView, Problem> {
        let _step = self.0.step().await;
        proof::prove(&self.0, &password, &code).await?;
        self.0.engine.start(self);
        self.0.sync_view()
    }

    async fn suspend(&self, device: DeviceId) -> Result<(), Problem> {
        let (connection, signer) = {
            let core = self.0.core();
            let open = core.open()?;
            (open.connection.clone().ok_or_else(|| Problem::new(Code::Offline))?, open.signer()?)
        };
        let path = format!("/v1/devices/{device}/suspension");
        let _: serde_json::Value =
            connection.post_signed(&signer, &path, &Suspension { suspended: true }).await?;
        self.0.core().open_mut()?.settings.suspended_devices.insert(device);
        self.0.emit_sync();
        Ok(())
    }
}

impl Inner {
    /// Connection and signer of this enrolled device.
    pub fn enrolled(&self) -> Result<(Connection, crate::server::DeviceSigner), Problem> {
        let core = self.core();
        let open = core.open()?;
        Ok((open.connection.clone().ok_or_else(|| Problem::new(Code::Offline))?, open.signer()?))
    }

    pub fn device_rows(&self, open: &Open) -> Vec<DeviceRow> {
        let devices = open.log.iter().flat_map(|log| log.devices().values());
        let mut rows: Vec<DeviceRow> = devices.map(|device| device_row(open, device)).collect();
        rows.sort_by_key(|row| (row.state != DeviceState::Active, std::cmp::Reverse(row.verified_at)));
        rows
    }
}

fn device_row(open: &Open, device: &keyquay_protocol::Device) -> DeviceRow {
    let id = device.keys.id;
    let profile = open.device_name(id);
    let settings = &open.settings;
    let state = if !device.is_active() {
        DeviceState::Removed
    } else if settings.suspended_devices.contains(&id) {
        DeviceState::Suspended
    } else {
        DeviceState::Active
    };
    let verified = settings.verified.get(&id).copied().unwrap_or(device.added);
    DeviceRow {
        id: id.to_string(),
        platform: profile.as_ref().map_or(Platform::Unknown, |profile| platform(&profile.platform)),
        name: profile.map(|profile| profile.name),
        verified_at: Some(millis(verified)),
        last_seen_at: settings.last_seen.get(&id).copied().map(millis),
        state,
        phrase: device_phrase(&device.keys),
        this_device: settings.device == Some(id),
    }
}

fn platform(name: &str) -> Platform {
    let name = name.to_lowercase();
    if name.contains("linux") || name.contains("debian") || name.contains("ubuntu") {
        Platform::Linux
    } else if name.contains("mac") {
        Platform::MacOs
    } else if name.contains("windows") {
        Platform::Windows
    } else {
        Platform::Unknown
    }
}

impl RemovalRecord {
    /// Every account that was synced while the device was active.
    fn of(open: &Open, device: DeviceId, now: u64) -> Result<Self, Problem> {
        let log = open.log.as_ref().ok_or_else(|| Problem::new(Code::NoLog))?;
        let added = log.devices().get(&device).map_or(0, |device| device.added_seq);
        let mut accounts = Vec::new();
        for (id, item) in log.items() {
            let was_there = item.status == ItemStatus::Live || item.seq > added;
            if !was_there {
                continue;
            }
            let account = open
                .synced_account(account_of(*id))
                .map_or_else(|| old_account(open, log, *id), |a| Ok(Some(a)))?;
            accounts.extend(account.map(|account| ReplaceRecord {
                account: account.id,
                key_hint: account.shown_key(),
                label: account.label,
                exchange: account.exchange,
                replaced: false,
            }));
        }
        Ok(Self {
            device,
            name: open.device_name(device).map(|profile| profile.name),
            removed: now,
            accounts,
        })
    }

    pub fn view(&self) -> Removal {
        Removal {
            device: self.device.to_string(),
            name: self.name.clone(),
            removed_at: millis(self.removed),
            accounts: self.accounts.iter().map(ReplaceRecord::view).collect(),
        }
    }
}

impl ReplaceRecord {
    fn view(&self) -> ReplaceRow {
        let exchange = keyquay_exchanges::Exchange::find(&self.exchange);
        ReplaceRow {
            account: self.account.to_string(),
            label: self.label.clone(),
            exchange: self.exchange.clone(),
            exchange_name: exchange.map_or_else(|| self.exchange.clone(), |exchange| exchange.name.clone()),
            key_hint: self.key_hint.clone(),
            page: exchange.and_then(page_kind),
            replaced: self.replaced,
        }
    }
}

fn page_kind(exchange: &keyquay_exchanges::Exchange) -> Option<PageKind> {
    exchange.page.as_ref().map(|page| match page.kind {
        keyquay_exchanges::PageKind::Manage => PageKind::Manage,
        keyquay_exchanges::PageKind::Docs => PageKind::Docs,
    })
}

/// An account that is not live any more, from its last blob while that is kept.
fn old_account(open: &Open, log: &State, id: keyquay_protocol::ItemId) -> Result<Option<Account>, Problem> {
    let (Some(item), Ok(half)) = (log.items().get(&id), open.half()) else { return Ok(None) };
    let Some(blob) = open.vault.blob(&item.blob).map_err(of_vault)? else { return Ok(None) };
    // A deletion counts as a revision without a blob of its own.
    let revision =
        if item.status == ItemStatus::Live { item.revision } else { item.revision.saturating_sub(1) };
    let Some(key) = half.keys.of_epoch(item.epoch) else { return Ok(None) };
    let content = keyquay_protocol::open_item(&blob, key, log.user(), id, revision, item.epoch).ok();
    Ok(content.and_then(|content| Account::from_bytes(&content.account).ok()))
}
