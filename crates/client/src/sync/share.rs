use std::time::Instant;

use keyquay_crypto::sealing::SealingKey;
use keyquay_protocol::wire::{Bytes, SeenText, ShareAnswer, ShareRequest};
use keyquay_protocol::{Code, Problem, Seen, State, UserId, VaultKeys, open_share};
use keyquay_vault::Share;

use super::intake::open_synced;
use crate::server::{Connection, DeviceSigner};
use crate::session::{Lease, Open, OpenHalf, of_vault, of_violation};

/// Asks the keystore for this device's share, sealed to a key of this request alone; tells how far this device has
/// come. The lease counts from the request.
///
/// # Errors
/// The server's problem, or one on the way to it; [`Code::ShareMismatch`] for an answer that does not open.
pub(crate) async fn request_share(
    connection: &Connection,
    signer: &DeviceSigner,
    user: UserId,
    log: Option<keyquay_protocol::LogHead>,
) -> Result<(Share, Lease), Problem> {
    let key = SealingKey::make_random();
    let now = connection.now();
    let begun = (Instant::now(), connection.own_now());
    let seen = log.map(|head| {
        let seen = Seen::sign(user, signer.device, head.seq, head.hash, now, &signer.key);
        SeenText::of(&seen)
    });
    let request = ShareRequest { key: Bytes(key.public_key().to_bytes().to_vec()), seen };
    let answer: ShareAnswer = connection.post_signed(signer, "/v1/share", &request).await?;
    let share = open_share(&answer.sealed.0, &key, user, signer.device)
        .map_err(|_| Problem::new(Code::ShareMismatch))?;
    let share = Share::try_copy_from(share.expose()).map_err(|_| Problem::new(Code::ShareMismatch))?;
    Ok((share, Lease::new(begun.0, begun.1)))
}

/// Opens the synced half with the share: sealing key, vault keys, then every live item that is here.
///
/// # Errors
/// [`Code::ShareMismatch`], [`Code::OtherHistory`] when the vault keys are not those of the log, and those of the disk.
pub(crate) fn open_half(open: &mut Open, share: Share, lease: Lease) -> Result<(), Problem> {
    let sync = open.vault.open_sync(&share).map_err(of_vault)?;
    let (Some(log), Some(device)) = (&open.log, open.settings.device) else {
        return Err(Problem::new(Code::NoLog));
    };
    let keys = VaultKeys::open_for_device(log, device, sync.sealing_key())
        .map_err(|violation| of_violation(violation.into()))?;
    let mut half = OpenHalf {
        sync,
        share,
        keys,
        items: Default::default(),
        edits: Vec::new(),
        sending: Vec::new(),
        lease,
    };
    open_items(log, &open.vault, &mut half)?;
    open.half = Some(half);
    open.reload_edits()?;
    open.settle_uploads()
}

fn open_items(log: &State, vault: &keyquay_vault::Vault, half: &mut OpenHalf) -> Result<(), Problem> {
    for (id, item) in log.live_items() {
        if let Some(blob) = vault.blob(&item.blob).map_err(of_vault)? {
            let opened = open_synced(log, half, *id, &blob);
            half.items.insert(*id, opened);
        }
    }
    Ok(())
}
