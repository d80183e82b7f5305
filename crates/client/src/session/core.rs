use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keyquay_exchanges::{Account, AccountId};
use keyquay_protocol::{Code, DeviceId, ItemId, Problem, State, VaultKeys};
use keyquay_vault::{Keyring, LocalAccount, OpenSync, Profile, Share, Transaction, Vault};

use super::accounts::Passing;
use super::{Edit, EditKind, Settings, Setup, of_vault};
use crate::server::{Connection, DeviceSigner};
use crate::view;
use crate::view::welcome::SyncState;

/// All that a session knows.
pub(crate) struct Core {
    pub profile: Profile,
    pub keyring: Option<Arc<dyn Keyring>>,
    pub keyring_state: view::welcome::Keyring,
    /// Set while unlocked.
    pub open: Option<Open>,
    /// The stepper, while it is under way. Its secrets live in memory only.
    pub setup: Option<Setup>,
    /// A new recovery code that waits for its kit to be confirmed.
    pub renewed_kit: Option<super::user::RenewedKit>,
    /// Why the vault did not open at the start, for the Unlock screen.
    pub open_problem: Option<Problem>,
}

/// An unlocked vault.
pub(crate) struct Open {
    pub vault: Vault,
    pub settings: Settings,
    pub local: BTreeMap<AccountId, LocalAccount>,
    /// Local accounts that are there and do not open.
    pub damaged: Vec<AccountId>,
    /// The log as far as this device has verified it.
    pub log: Option<State>,
    /// The synced half, while the share is at hand.
    pub half: Option<OpenHalf>,
    pub link: Link,
    /// The server this session talks to, once it answered.
    pub connection: Option<Connection>,
    /// What the list of accounts knows beyond the vault.
    pub passing: Passing,
}

/// What the share opens. Dropping it closes the synced accounts.
pub(crate) struct OpenHalf {
    pub sync: OpenSync,
    pub share: Share,
    pub keys: VaultKeys,
    pub items: BTreeMap<ItemId, SyncedItem>,
    /// Edits that wait, oldest first.
    pub edits: Vec<Edit>,
    /// Edits that are on their way at the moment.
    pub sending: Vec<ItemId>,
    pub lease: Lease,
}

/// A live item, as far as it opens.
pub(crate) struct SyncedItem {
    pub revision: u64,
    /// `None` when the blob does not open, or is not here yet.
    pub account: Option<Account>,
    pub beside: Vec<Account>,
}

/// How the connection stands, for the header's sentence.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub state: SyncState,
    pub problem: Option<Problem>,
}

/// How long a share may be kept. Counted on the monotonic clock and on the wall clock, whichever is further: the
/// one stands still in sleep on some systems, the other can be set back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lease {
    begun: Instant,
    /// Unix seconds.
    begun_at: u64,
}

/// 24 hours from the request that brought the share.
pub(crate) const LEASE: Duration = Duration::from_secs(24 * 60 * 60);

impl Lease {
    /// Begins with a request made at `begun`.
    pub fn new(begun: Instant, begun_at: u64) -> Self {
        Self { begun, begun_at }
    }

    pub fn is_over(&self, now: u64) -> bool {
        self.begun.elapsed() >= LEASE || now.saturating_sub(self.begun_at) >= LEASE.as_secs()
    }

    /// Unix seconds.
    pub fn ends_at(&self) -> u64 {
        self.begun_at + LEASE.as_secs()
    }

    /// Whether it is time to renew: an hour after the last time.
    pub fn is_due(&self, now: u64) -> bool {
        const RENEWAL: u64 = 60 * 60;
        self.begun.elapsed().as_secs() >= RENEWAL || now.saturating_sub(self.begun_at) >= RENEWAL
    }
}

impl Core {
    pub fn new(
        profile: Profile,
        keyring: Option<Arc<dyn Keyring>>,
        keyring_state: view::welcome::Keyring,
    ) -> Self {
        Self {
            profile,
            keyring,
            keyring_state,
            open: None,
            setup: None,
            renewed_kit: None,
            open_problem: None,
        }
    }

    /// # Errors
    /// [`Code::Locked`].
    pub fn open(&self) -> Result<&Open, Problem> {
        self.open.as_ref().ok_or_else(|| Problem::new(Code::Locked))
    }

    /// # Errors
    /// [`Code::Locked`].
    pub fn open_mut(&mut self) -> Result<&mut Open, Problem> {
        self.open.as_mut().ok_or_else(|| Problem::new(Code::Locked))
    }

    /// Locks: no key stays in memory.
    pub fn close(&mut self) {
        self.open = None;
        self.setup = None;
        self.renewed_kit = None;
    }
}

impl Open {
    /// Reads what an unlocked vault holds.
    ///
    /// # Errors
    /// [`Code::VaultDamaged`], and those of the disk.
    pub fn load(vault: Vault) -> Result<Self, Problem> {
        let settings = Settings::load(&vault)?;
        let mut open = Self {
            link: Link::of(if settings.enrolled { SyncState::Connecting } else { SyncState::Off }),
            vault,
            settings,
            local: BTreeMap::new(),
            damaged: Vec::new(),
            log: None,
            half: None,
            connection: None,
            passing: Passing::default(),
        };
        open.reload_local()?;
        open.reload_log()?;
        open.link = open.resting_link();
        Ok(open)
    }

    /// Reads the local accounts anew.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn reload_local(&mut self) -> Result<(), Problem> {
        let listing = self.vault.accounts().map_err(of_vault)?;
        self.local = listing.accounts.into_iter().map(|local| (local.account.id, local)).collect();
        self.damaged = listing.unreadable.into_iter().map(|(id, _)| id).collect();
        Ok(())
    }

    /// Reads the verified log anew: the newest snapshot and what follows it.
    ///
    /// # Errors
    /// [`Code::VaultDamaged`] when what rests here is not what was verified.
    pub fn reload_log(&mut self) -> Result<(), Problem> {
        let damaged = || Problem::new(Code::VaultDamaged).with_detail("the stored log");
        self.log = None;
        let Some(snapshot) = self.vault.snapshot().map_err(of_vault)? else { return Ok(()) };
        let mut state = State::from_snapshot(&snapshot.bytes).map_err(|_| damaged())?;
        for entry in self.vault.entries_after(Some(snapshot.head.seq)).map_err(of_vault)? {
            let entry =
                keyquay_protocol::Entry { payload: entry.payload, signature: entry.signature, blob: None };
            state.apply(&entry).map_err(|_| damaged())?;
        }
        self.log = Some(state);
        Ok(())
    }

    /// How the link stands while nothing runs.
    pub fn resting_link(&self) -> Link {
        let state = if !self.settings.enrolled {
            SyncState::Off
        } else if self.settings.ended.is_some() {
            SyncState::Ended
        } else if self.is_removed() {
            SyncState::Removed
        } else if self.settings.sync_on {
            SyncState::Connecting
        } else {
            SyncState::Paused
        };
        Link::of(state)
    }

    /// Whether a verified entry removed this device.
    pub fn is_removed(&self) -> bool {
        let (Some(device), Some(log)) = (self.settings.device, &self.log) else { return false };
        log.devices().get(&device).is_some_and(|device| !device.is_active())
    }

    /// Whether this device is active in the words of the log.
    pub fn is_active(&self) -> bool {
        let (Some(device), Some(log)) = (self.settings.device, &self.log) else { return false };
        log.is_active(device) && !log.is_ended()
    }

    /// Who signs this device's requests and entries.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`] before the enrolment.
    pub fn signer(&self) -> Result<DeviceSigner, Problem> {
        let device = self.settings.device.ok_or_else(|| Problem::new(Code::NotSignedIn))?;
        let key =
            self.vault.signing_key().map_err(of_vault)?.ok_or_else(|| Problem::new(Code::NotSignedIn))?;
        let key = keyquay_crypto::sign::SigningKey::from_seed(key.seed().duplicate());
        Ok(DeviceSigner { device, key: Arc::new(key) })
    }

    /// # Errors
    /// [`Code::Closed`] while the share is not at hand.
    pub fn half(&self) -> Result<&OpenHalf, Problem> {
        self.half.as_ref().ok_or_else(|| Problem::new(Code::Closed))
    }

    /// # Errors
    /// [`Code::Closed`] while the share is not at hand.
    pub fn half_mut(&mut self) -> Result<&mut OpenHalf, Problem> {
        self.half.as_mut().ok_or_else(|| Problem::new(Code::Closed))
    }

    /// Changes settings and, with `more`, other things in one transaction.
    ///
    /// # Errors
    /// Those of `more` and of the disk; then the settings are as before.
    pub fn change<T>(
        &mut self,
        settings: impl FnOnce(&mut Settings),
        more: impl FnOnce(&mut Transaction<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut changed = self.settings.clone();
        settings(&mut changed);
        let result = self.vault.transaction(|transaction| {
            let result = more(transaction)?;
            changed.store(transaction).map_err(InTransaction)?;
            Ok::<T, InTransaction>(result)
        });
        let result = result.map_err(|InTransaction(problem)| problem)?;
        self.settings = changed;
        Ok(result)
    }

    /// Reads the outbox into memory.
    ///
    /// # Errors
    /// [`Code::Closed`], [`Code::VaultDamaged`].
    pub fn reload_edits(&mut self) -> Result<(), Problem> {
        let half = self.half.as_ref().ok_or_else(|| Problem::new(Code::Closed))?;
        let stored = self.vault.outbox(&half.sync).map_err(of_vault)?;
        let edits = stored
            .into_iter()
            .map(|edit| Edit::from_bytes(edit.id, &edit.bytes))
            .collect::<Result<_, _>>()
            .map_err(|_| Problem::new(Code::VaultDamaged).with_detail("an edit that was not sent yet"))?;
        self.half_mut()?.edits = edits;
        Ok(())
    }

    /// The account that an item shows now: the latest waiting edit, or what the log says. `None` when it is
    /// deleted, withdrawn, not here, or does not open.
    pub fn synced_account(&self, id: AccountId) -> Option<Account> {
        let half = self.half.as_ref()?;
        let item = item_of(id);
        match half.edits.iter().rev().find(|edit| edit.item == item).map(|edit| &edit.kind) {
            Some(EditKind::Put { account, .. }) => Account::from_bytes(account).ok(),
            Some(EditKind::Delete | EditKind::Withdraw) => None,
            None => half.items.get(&item)?.account.clone(),
        }
    }

    /// The name of a device, where a vault key that seals it is at hand.
    pub fn device_name(&self, id: DeviceId) -> Option<keyquay_protocol::DeviceProfile> {
        let (log, half) = (self.log.as_ref()?, self.half.as_ref()?);
        let device = log.devices().get(&id)?;
        let key = half.keys.of_epoch(device.profile_epoch)?;
        keyquay_protocol::DeviceProfile::open(&device.profile, key, log.user(), id, device.profile_epoch).ok()
    }
}

impl Link {
    pub fn of(state: SyncState) -> Self {
        Self { state, problem: None }
    }

    pub fn with(state: SyncState, problem: Problem) -> Self {
        Self { state, problem: Some(problem) }
    }
}

/// A problem that crosses the vault's transaction.
pub(crate) struct InTransaction(pub Problem);

impl From<keyquay_vault::VaultError> for InTransaction {
    fn from(error: keyquay_vault::VaultError) -> Self {
        Self(of_vault(error))
    }
}

impl From<Problem> for InTransaction {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

/// An account and its item have the same 16 bytes.
pub(crate) fn item_of(account: AccountId) -> ItemId {
    ItemId(*account.as_bytes())
}

/// An account and its item have the same 16 bytes.
pub(crate) fn account_of(item: ItemId) -> AccountId {
    AccountId::from_bytes(item.0)
}
