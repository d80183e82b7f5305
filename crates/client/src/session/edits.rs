use keyquay_crypto::Zeroizing;
use keyquay_crypto::cbor::{CborError, Decoder, List};
use keyquay_crypto::cbor_array;
use keyquay_protocol::{ItemId, Problem};
use keyquay_vault::{EditId, Transaction};

use super::{Open, OpenHalf, Settings, of_vault};

/// An edit of a synced item that the server has not acknowledged. It rests in the outbox, under the sync key.
#[derive(Clone)]
pub(crate) struct Edit {
    pub id: EditId,
    pub item: ItemId,
    /// The revision that it was made on; 0 for none.
    pub base: u64,
    pub kind: EditKind,
}

#[derive(Clone)]
pub(crate) enum EditKind {
    /// A new version. `beside` replaces the versions of a conflict; `None` leaves them.
    Put {
        account: Zeroizing<Vec<u8>>,
        beside: Option<Vec<Zeroizing<Vec<u8>>>>,
    },
    Delete,
    Withdraw,
}

impl Edit {
    pub fn to_bytes(item: ItemId, base: u64, kind: &EditKind) -> Zeroizing<Vec<u8>> {
        let (word, account, beside) = match kind {
            EditKind::Put { account, beside } => ("put", Some(&**account), beside.as_ref()),
            EditKind::Delete => ("delete", None, None),
            EditKind::Withdraw => ("withdraw", None, None),
        };
        let versions: Vec<&Vec<u8>> = beside.into_iter().flatten().map(|version| &**version).collect();
        let has_beside = u64::from(beside.is_some());
        Zeroizing::new(cbor_array![PURPOSE, item, base, word, account, has_beside, List(&versions)])
    }

    pub fn from_bytes(id: EditId, bytes: &[u8]) -> Result<Self, CborError> {
        let mut decoder = Decoder::message(bytes, 7, PURPOSE)?;
        let item = ItemId(decoder.fixed()?);
        let base = decoder.uint()?;
        let word = decoder.text()?;
        let account = decoder.optional(Decoder::bytes)?;
        let has_beside = decoder.uint()? == 1;
        let count = decoder.list(64)?;
        let versions = (0..count)
            .map(|_| Ok(Zeroizing::new(decoder.bytes()?.to_vec())))
            .collect::<Result<Vec<_>, CborError>>()?;
        decoder.end()?;
        let kind = match (word, account) {
            ("put", Some(account)) => EditKind::Put {
                account: Zeroizing::new(account.to_vec()),
                beside: has_beside.then_some(versions),
            },
            ("delete", None) => EditKind::Delete,
            ("withdraw", None) => EditKind::Withdraw,
            _ => return Err(CborError::UnexpectedType),
        };
        Ok(Self { id, item, base, kind })
    }
}

const PURPOSE: &str = "keyquay/1/edit";

impl Open {
    /// Queues edits of synced items and makes other changes in the same transaction. An edit that waits for the
    /// same item and is not on its way is replaced, on the base that it had.
    ///
    /// # Errors
    /// [`Code::Closed`](keyquay_protocol::Code::Closed) without the share, those of `more`, and those of the disk.
    pub fn queue(
        &mut self,
        edits: Vec<(ItemId, EditKind)>,
        settings: impl FnOnce(&mut Settings),
        more: impl FnOnce(&mut Transaction<'_>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let closed = || Problem::new(keyquay_protocol::Code::Closed);
        // The half is taken out while the vault writes with it, and put back whatever happens.
        let mut half = self.half.take().ok_or_else(closed)?;
        let log = self.log.as_ref();
        let planned: Vec<Planned> = edits
            .into_iter()
            .map(|(item, kind)| {
                let replaced: Vec<Edit> = half
                    .edits
                    .iter()
                    .filter(|edit| edit.item == item && !half.sending.contains(&item))
                    .cloned()
                    .collect();
                let known = log.and_then(|log| log.items().get(&item)).map_or(0, |item| item.revision);
                let base = replaced.first().map_or(known, |edit| edit.base);
                Planned { item, base, kind, replaced: replaced.into_iter().map(|edit| edit.id).collect() }
            })
            .collect();
        let written = self.change(settings, |transaction| {
            more(transaction)?;
            planned.iter().map(|plan| plan.write(transaction, &half)).collect::<Result<Vec<_>, Problem>>()
        });
        let result = written.map(|ids| {
            for (plan, id) in planned.into_iter().zip(ids) {
                half.edits.retain(|edit| !plan.replaced.contains(&edit.id));
                half.edits.push(Edit { id, item: plan.item, base: plan.base, kind: plan.kind });
            }
        });
        self.half = Some(half);
        result
    }
}

struct Planned {
    item: ItemId,
    base: u64,
    kind: EditKind,
    replaced: Vec<EditId>,
}

impl Planned {
    fn write(&self, transaction: &mut Transaction<'_>, half: &OpenHalf) -> Result<EditId, Problem> {
        for id in &self.replaced {
            transaction.remove_edit(*id).map_err(of_vault)?;
        }
        let bytes = Edit::to_bytes(self.item, self.base, &self.kind);
        transaction.put_edit(&half.sync, &bytes).map_err(of_vault)
    }
}
