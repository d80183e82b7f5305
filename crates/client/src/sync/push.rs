use keyquay_protocol::wire::Append;
use keyquay_protocol::{Body, Code, Entry, ItemContent, Problem, State};
use keyquay_vault::EditId;

use super::intake::{Acknowledged, Taken, open_content, take_in};
use super::merge::{Rebased, rebase};
use crate::server::{Connection, DeviceSigner};
use crate::session::{Edit, EditKind, Inner, Open, OpenHalf, of_vault};
use crate::view::ProgressKind;

/// Most edits of one batch, and most bytes.
const BATCH: usize = 100;
const BATCH_BYTES: usize = 4 << 20;

/// Sends what waits, batch by batch. [`Code::HeadMoved`] means: take in what others wrote, then call again.
///
/// # Errors
/// The server's problem, or one on the way to it. What was not acknowledged still waits then.
pub(super) async fn push(
    inner: &Inner,
    connection: &Connection,
    signer: &DeviceSigner,
) -> Result<Vec<Taken>, Problem> {
    let mut all = Vec::new();
    let total = inner.core().open()?.half()?.edits.len();
    let mut sent = 0;
    loop {
        let now = connection.now();
        let Some(outgoing) = prepare(inner.core().open_mut()?, signer, now)? else { break };
        if total > 1 {
            inner.progress(ProgressKind::Uploading, sent, total);
        }
        inner.emit_accounts();
        let result = send(inner, connection, signer, outgoing, now).await;
        if let Ok(half) = inner.core().open_mut().and_then(Open::half_mut) {
            half.sending.clear();
        }
        let (taken, count) = result?;
        sent += count;
        all.push(taken);
    }
    if total > 1 {
        inner.progress(ProgressKind::Uploading, total, total);
    }
    Ok(all)
}

struct Outgoing {
    entries: Vec<Entry>,
    /// Edits that are fulfilled when the entries are accepted.
    edits: Vec<EditId>,
    spilled: Vec<keyquay_exchanges::Account>,
}

async fn send(
    inner: &Inner,
    connection: &Connection,
    signer: &DeviceSigner,
    outgoing: Outgoing,
    now: u64,
) -> Result<(Taken, usize), Problem> {
    let Outgoing { entries, edits, spilled } = outgoing;
    let count = edits.len();
    let body = Append { entries: entries.clone(), records: None }.to_bytes();
    connection.post_cbor(signer, "/v1/log", body).await?;
    let mut core = inner.core();
    let open = core.open_mut()?;
    let taken = take_in(open, &entries, Acknowledged { edits, spilled }, now)?;
    advance_bases(open, &entries)?;
    Ok((taken, count))
}

/// Makes the next batch of entries from the edits that wait, each on the state that the one before leaves.
fn prepare(open: &mut Open, signer: &DeviceSigner, now: u64) -> Result<Option<Outgoing>, Problem> {
    let closed = || Problem::new(Code::Closed);
    let log = open.log.as_ref().ok_or_else(closed)?;
    let half = open.half.as_ref().ok_or_else(closed)?;
    if half.edits.is_empty() || log.is_ended() {
        return Ok(None);
    }
    let mut batch =
        Batch { outgoing: Outgoing { entries: vec![], edits: vec![], spilled: vec![] }, bytes: 0 };
    let mut done: Vec<EditId> = Vec::new();
    let mut sending = Vec::new();
    if let [edit] = half.edits.as_slice() {
        batch.add(&open.vault, log, half, edit, signer, now, &mut done)?;
        sending.push(edit.item);
    } else {
        let mut state = log.clone();
        for edit in half.edits.iter().take(BATCH) {
            // A second edit of an item waits until the first one's revision is known.
            if batch.bytes > BATCH_BYTES || sending.contains(&edit.item) {
                break;
            }
            let before = batch.outgoing.entries.len();
            batch.add(&open.vault, &state, half, edit, signer, now, &mut done)?;
            for entry in batch.outgoing.entries.iter().skip(before) {
                state.apply(entry).map_err(crate::session::of_violation)?;
            }
            sending.push(edit.item);
        }
    }
    let spilled = if batch.outgoing.entries.is_empty() {
        std::mem::take(&mut batch.outgoing.spilled)
    } else {
        Vec::new()
    };
    drop_edits(open, &done, &spilled)?;
    if batch.outgoing.entries.is_empty() {
        // All of this batch was moot; there may be more behind it.
        return if done.is_empty() { Ok(None) } else { prepare(open, signer, now) };
    }
    open.half_mut()?.sending = sending;
    Ok(Some(batch.outgoing))
}

struct Batch {
    outgoing: Outgoing,
    bytes: usize,
}

impl Batch {
    #[expect(clippy::too_many_arguments, reason = "all of it is what one edit depends on")]
    fn add(
        &mut self,
        vault: &keyquay_vault::Vault,
        state: &State,
        half: &OpenHalf,
        edit: &Edit,
        signer: &DeviceSigner,
        now: u64,
        moot: &mut Vec<EditId>,
    ) -> Result<(), Problem> {
        let item = state.items().get(&edit.item);
        let current = current_content(vault, state, half, edit)?;
        let draft = match rebase(&edit.kind, edit.base, item, current.as_ref()) {
            Rebased::Drop => {
                moot.push(edit.id);
                return Ok(());
            }
            Rebased::Delete => state.draft_item_deleted(edit.item, now),
            Rebased::Withdraw { unseen } => {
                unseen.iter().for_each(|version| self.spill(version));
                state.draft_item_withdrawn(edit.item, now)
            }
            Rebased::KeepBeside(version) => {
                self.spill(&version);
                moot.push(edit.id);
                return Ok(());
            }
            Rebased::Put { content, spilled, conflict } => {
                if conflict {
                    tracing::info!(item = %edit.item, "two edits of one item: both versions are kept");
                }
                for version in spilled {
                    self.spill(&version);
                }
                state
                    .draft_item_put(&half.keys, edit.item, &content, now)
                    .map_err(|_| Problem::new(Code::TooLarge))?
            }
        };
        let entry = draft.sign_as_device(signer.device, &signer.key);
        self.bytes += entry.payload.len() + entry.blob.as_ref().map_or(0, Vec::len);
        self.outgoing.entries.push(entry);
        self.outgoing.edits.push(edit.id);
        Ok(())
    }

    fn spill(&mut self, version: &[u8]) {
        let account = keyquay_exchanges::Account::from_bytes(version).ok();
        let id = keyquay_exchanges::AccountId::make().ok();
        if let (Some(mut account), Some(id)) = (account, id) {
            account.id = id;
            self.outgoing.spilled.push(account);
        }
    }
}

/// What a put must not lose: the content as the log has it now.
fn current_content(
    vault: &keyquay_vault::Vault,
    state: &State,
    half: &OpenHalf,
    edit: &Edit,
) -> Result<Option<ItemContent>, Problem> {
    let (EditKind::Put { .. } | EditKind::Withdraw, Some(item)) = (&edit.kind, state.items().get(&edit.item))
    else {
        return Ok(None);
    };
    let Some(blob) = vault.blob(&item.blob).map_err(of_vault)? else { return Ok(None) };
    Ok(open_content(state, half, edit.item, item, &blob))
}

/// Takes edits out that need no entry; what they held beyond it becomes local accounts.
fn drop_edits(
    open: &mut Open,
    done: &[EditId],
    spilled: &[keyquay_exchanges::Account],
) -> Result<(), Problem> {
    if done.is_empty() {
        return Ok(());
    }
    let moot: Vec<_> =
        open.half()?.edits.iter().filter(|edit| done.contains(&edit.id)).map(|edit| edit.item).collect();
    let uploading: Vec<_> = moot.iter().map(|item| crate::session::account_of(*item)).collect();
    open.change(
        |settings| settings.uploading.retain(|id| !uploading.contains(id)),
        |transaction| {
            for id in done {
                transaction.remove_edit(*id).map_err(of_vault)?;
            }
            for account in spilled {
                transaction.put_account(account).map_err(of_vault)?;
            }
            Ok(())
        },
    )?;
    if !spilled.is_empty() {
        open.reload_local()?;
    }
    open.half_mut()?.edits.retain(|edit| !done.contains(&edit.id));
    Ok(())
}

/// Edits made while an earlier one of the same item was on its way stand on the revision that it became.
fn advance_bases(open: &mut Open, entries: &[Entry]) -> Result<(), Problem> {
    let revisions: Vec<_> = entries
        .iter()
        .filter_map(|entry| match entry.decode().ok()?.body {
            Body::ItemPut { item, revision, .. }
            | Body::ItemDeleted { item, revision }
            | Body::ItemWithdrawn { item, revision } => Some((item, revision)),
            _ => None,
        })
        .collect();
    let Some(mut half) = open.half.take() else { return Ok(()) };
    let mut result = Ok(());
    for edit in &mut half.edits {
        let Some((_, revision)) = revisions.iter().find(|(item, _)| *item == edit.item) else { continue };
        let bytes = Edit::to_bytes(edit.item, *revision, &edit.kind);
        let (sync, old) = (&half.sync, edit.id);
        let written = open.change(
            |_| {},
            |transaction| {
                transaction.remove_edit(old).map_err(of_vault)?;
                transaction.put_edit(sync, &bytes).map_err(of_vault)
            },
        );
        match written {
            Ok(id) => {
                edit.id = id;
                edit.base = *revision;
            }
            Err(problem) => {
                result = Err(problem);
                break;
            }
        }
    }
    open.half = Some(half);
    result
}
