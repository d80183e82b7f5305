use keyquay_protocol::wire::RecoveryRecordAnswer;
use keyquay_protocol::{Problem, Violation};

use super::engine::pull;
use crate::server::{Connection, DeviceSigner};
use crate::session::{Inner, Open, of_vault, of_violation};

/// So many UnlockSets may fall between an answer and the log that judges it.
const ROUNDS: usize = 3;

/// Keeps the recovery record that rests here the one that the log's latest UnlockSet names, so that the newest recovery
/// code opens what this device holds without a server. Asks the server only where another one rests here.
///
/// # Errors
/// [`Violation::UnlockRecord`] when the server gives another record than its log names; those on the way to it.
pub(super) async fn keep_recovery_record(
    inner: &Inner,
    connection: &Connection,
    signer: &DeviceSigner,
) -> Result<(), Problem> {
    for _round in 0..ROUNDS {
        if holds_named(inner.core().open()?)? {
            return Ok(());
        }
        let answer: RecoveryRecordAnswer = connection.get_json(signer, "/v1/recovery-record").await?;
        if store(inner.core().open_mut()?, &answer.root_by_recovery.0)? {
            return Ok(());
        }
        // The record may be of an UnlockSet that is not here yet.
        pull(inner, connection, signer).await?;
    }
    Err(of_violation(Violation::UnlockRecord))
}

/// Whether nothing is to be fetched.
fn holds_named(open: &Open) -> Result<bool, Problem> {
    let Some(log) = open.log.as_ref().filter(|log| !log.is_ended()) else { return Ok(true) };
    let record = open.vault.recovery_record().map_err(of_vault)?;
    Ok(record.is_some_and(|record| log.unlock().names_root_by_recovery(&record)))
}

/// Keeps a record that the log names; `false` for any other.
fn store(open: &mut Open, record: &[u8]) -> Result<bool, Problem> {
    let is_named = open.log.as_ref().is_some_and(|log| log.unlock().names_root_by_recovery(record));
    if is_named {
        open.change(|_| {}, |transaction| transaction.set_recovery_record(record).map_err(of_vault))?;
    }
    Ok(is_named)
}
