use keyquay_crypto::sha256;
use keyquay_protocol::wire::{LogAnswer, blob_address};
use keyquay_protocol::{Code, ItemId, ItemStatus, Problem, Violation};
use keyquay_vault::LogBatch;

use super::intake::open_synced;
use crate::server::{Connection, DeviceSigner};
use crate::session::{Inner, Open, of_vault, of_violation};
use crate::view::ProgressKind;

/// Above so many missing blobs the log's pages bring them in fewer requests.
const MANY: usize = 16;

/// Fetches the blobs of live items that are not here: on a new device all of them.
///
/// # Errors
/// The server's problem; [`Code::OtherHistory`] when a live blob is withheld.
pub(super) async fn fetch_missing(
    inner: &Inner,
    connection: &Connection,
    signer: &DeviceSigner,
) -> Result<bool, Problem> {
    let missing = missing(inner.core().open()?)?;
    if missing.is_empty() {
        return Ok(false);
    }
    let total = missing.len();
    inner.progress(ProgressKind::Retrieving, 0, total);
    if total > MANY {
        fetch_pages(inner, connection, signer, total).await?;
    }
    let rest = self::missing(inner.core().open()?)?;
    for (id, hash) in rest {
        let path = format!("/v1/blobs/{}", blob_address(&hash));
        let blob = match connection.get(signer, &path).await {
            Ok(blob) => blob,
            // It may have been superseded or withdrawn in the meantime; then the log says so.
            Err(problem) if problem.code == Code::NotFound => {
                super::engine::pull(inner, connection, signer).await?;
                withheld(inner, id, &hash)?;
                continue;
            }
            Err(problem) => return Err(problem),
        };
        store(inner.core().open_mut()?, vec![blob])?;
    }
    inner.progress(ProgressKind::Retrieving, total, total);
    Ok(true)
}

async fn fetch_pages(
    inner: &Inner,
    connection: &Connection,
    signer: &DeviceSigner,
    total: usize,
) -> Result<(), Problem> {
    let mut after = 0;
    loop {
        let answer = connection.get(signer, &format!("/v1/log?after={after}")).await?;
        let answer = LogAnswer::from_bytes(&answer).map_err(|_| Problem::new(Code::NotAServer))?;
        let count = answer.entries.len() as u64;
        let blobs = answer.entries.into_iter().filter_map(|entry| entry.blob).collect();
        let left = {
            let mut core = inner.core();
            let open = core.open_mut()?;
            store(open, blobs)?;
            missing(open)?.len()
        };
        inner.progress(ProgressKind::Retrieving, total.saturating_sub(left), total);
        after += count;
        if count == 0 || left == 0 || after >= answer.head.seq {
            return Ok(());
        }
    }
}

fn missing(open: &Open) -> Result<Vec<(ItemId, [u8; 32])>, Problem> {
    let mut missing = Vec::new();
    for (id, item) in open.log.iter().flat_map(keyquay_protocol::State::live_items) {
        if !open.vault.has_blob(&item.blob).map_err(of_vault)? {
            missing.push((*id, item.blob));
        }
    }
    Ok(missing)
}

/// Stores the blobs that the log names for a live item, and opens them. The log proves each by its hash.
fn store(open: &mut Open, blobs: Vec<Vec<u8>>) -> Result<(), Problem> {
    let Some(log) = &open.log else { return Err(Problem::new(Code::NoLog)) };
    let by_hash: std::collections::HashMap<[u8; 32], ItemId> =
        log.live_items().map(|(id, item)| (item.blob, *id)).collect();
    let wanted: Vec<(ItemId, Vec<u8>)> =
        blobs.into_iter().filter_map(|blob| by_hash.get(&sha256(&blob)).map(|id| (*id, blob))).collect();
    if let Some(half) = &mut open.half {
        for (id, blob) in &wanted {
            let opened = open_synced(log, half, *id, blob);
            half.items.insert(*id, opened);
        }
    }
    let batch = LogBatch { blobs: wanted.into_iter().map(|(_, blob)| blob).collect(), ..LogBatch::default() };
    open.change(|_| {}, |transaction| transaction.append_log(&batch).map(|_| ()).map_err(of_vault))
}

/// A blob that is live by the latest word of the log and not given out is a violation.
fn withheld(inner: &Inner, id: ItemId, hash: &[u8; 32]) -> Result<(), Problem> {
    let core = inner.core();
    let item = core.open()?.log.as_ref().and_then(|log| log.items().get(&id)).copied();
    let still_live = item.is_some_and(|item| item.status == ItemStatus::Live && item.blob == *hash);
    if still_live { Err(of_violation(Violation::Blob)) } else { Ok(()) }
}
