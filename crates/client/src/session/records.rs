//! What a session keeps in the vault's named records. All of it is sealed under the local key.

use std::collections::{BTreeMap, BTreeSet};

use keyquay_exchanges::AccountId;
use keyquay_protocol::{DeviceId, Problem, UserId};
use keyquay_vault::{Transaction, Vault};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::of_vault;

/// The sync of this device: who, where, and what its owner has switched on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Settings {
    pub server: Option<String>,
    pub server_name: Option<String>,
    pub email: Option<String>,
    pub user: Option<UserId>,
    pub device: Option<DeviceId>,
    pub device_name: Option<String>,
    /// The two sync switches are this one setting.
    pub sync_on: bool,
    pub auto_connect: bool,
    /// The log says that this device is active, or was.
    pub enrolled: bool,
    /// The stepper was gone through to its end.
    pub set_up: bool,
    pub retrieved: BTreeSet<AccountId>,
    /// Local accounts on their way to the server.
    pub uploading: BTreeSet<AccountId>,
    /// Local copies of accounts that their owner withdrew elsewhere, until it is decided what becomes of them.
    pub withdrawn: BTreeSet<AccountId>,
    /// Unix seconds.
    pub kit_made: Option<u64>,
    pub last_sync: Option<LastSyncRecord>,
    /// Unix seconds at which SyncEnded was taken in.
    pub ended: Option<u64>,
    /// What the server last said of the second factor.
    pub second_factor: bool,
    pub backup_codes_left: Option<u32>,
    /// When the keystore verified each device, and last heard of it: unix seconds.
    pub verified: BTreeMap<DeviceId, u64>,
    pub last_seen: BTreeMap<DeviceId, u64>,
    pub suspended_devices: BTreeSet<DeviceId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LastSyncRecord {
    /// Unix seconds.
    pub at: u64,
    pub received: u32,
    pub sent: u32,
}

/// A removed device, and what must be replaced at the exchanges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RemovalRecord {
    pub device: DeviceId,
    pub name: Option<String>,
    /// Unix seconds.
    pub removed: u64,
    pub accounts: Vec<ReplaceRecord>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReplaceRecord {
    pub account: AccountId,
    pub label: String,
    pub exchange: String,
    pub key_hint: Option<String>,
    pub replaced: bool,
}

const SETTINGS: &str = "settings";
const REMOVALS: &str = "removals";

impl Settings {
    pub fn load(vault: &Vault) -> Result<Self, Problem> {
        Ok(load(vault, SETTINGS)?.unwrap_or_default())
    }

    pub fn store(&self, transaction: &mut Transaction<'_>) -> Result<(), Problem> {
        store(transaction, SETTINGS, self)
    }
}

pub(crate) fn load_removals(vault: &Vault) -> Result<Vec<RemovalRecord>, Problem> {
    Ok(load(vault, REMOVALS)?.unwrap_or_default())
}

pub(crate) fn store_removals(
    transaction: &mut Transaction<'_>,
    removals: &[RemovalRecord],
) -> Result<(), Problem> {
    store(transaction, REMOVALS, &removals)
}

fn load<T: DeserializeOwned>(vault: &Vault, name: &str) -> Result<Option<T>, Problem> {
    let Some(bytes) = vault.record(name).map_err(of_vault)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|_| {
        Problem::new(keyquay_protocol::Code::VaultDamaged).with_detail(format!("the record {name}"))
    })
}

fn store(transaction: &mut Transaction<'_>, name: &str, value: &impl Serialize) -> Result<(), Problem> {
    let bytes = serde_json::to_vec(value).map_err(|_| Problem::new(keyquay_protocol::Code::Internal))?;
    transaction.put_record(name, &bytes).map_err(of_vault)
}
