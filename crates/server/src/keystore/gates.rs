//! Who may call what: the one place that decides, from where a device and its user stand.

use keyquay_protocol::Code;

use super::records::{DeviceRecord, Standing, UserRecord};

/// What a signed request asks for, as far as the gates tell requests apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Give a second factor, or set one up.
    SecondFactor,
    /// New backup codes in place of the old ones.
    BackupCodes,
    Status,
    VerificationMail,
    /// Suspend one device or all.
    Suspend,
    Log,
    UnlockRecord,
    /// The record of the recovery code alone, which each device keeps.
    RecoveryRecord,
    Share,
    /// Any append; what an entry needs beyond this is [`Needs`].
    Append,
    PasswordStart,
    Blob,
    EmailStart,
    Events,
    DeleteUser,
}

/// What kind of entries an append brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Items only.
    ActiveDevice,
    /// DeviceRemoved, UnlockSet or SyncEnded.
    Proof,
    /// The Genesis or DeviceAdded of exactly this device; `recovers` when an UnlockSet comes before it.
    Enrolment { recovers: bool },
}

/// Whether a device may take a step now.
///
/// # Errors
/// The [`Code`] that says what is missing.
pub fn gate(user: &UserRecord, device: &DeviceRecord, step: Step, now: u64) -> Result<(), Code> {
    match device.standing {
        Standing::Removed { .. } if step == Step::Log => Ok(()),
        Standing::Removed { .. } => Err(Code::Removed),
        _ if device.suspended && step == Step::SecondFactor => password(device, now),
        _ if device.suspended => Err(Code::Suspended),
        Standing::Pending { .. } => pending_gate(user, device, step, now),
        Standing::Active => active_gate(user, device, step, now),
    }
}

/// Whether a device that passed [`Step::Append`] may append such entries.
///
/// # Errors
/// The [`Code`] that says what is missing.
pub fn append_gate(device: &DeviceRecord, needs: Needs, now: u64) -> Result<(), Code> {
    match (needs, device.is_active()) {
        (Needs::ActiveDevice, true) => Ok(()),
        (Needs::Proof, true) => proof(device, now),
        (Needs::Enrolment { recovers }, false) if recovers == device.recovery => Ok(()),
        _ => Err(Code::NotAllowed),
    }
}

fn pending_gate(user: &UserRecord, device: &DeviceRecord, step: Step, now: u64) -> Result<(), Code> {
    if device.recovery {
        return recovery_gate(user, device, step);
    }
    match step {
        Step::SecondFactor => password(device, now),
        Step::Status | Step::VerificationMail | Step::Events => second_factor(user, device),
        Step::Suspend => second_factor(user, device),
        Step::DeleteUser => second_factor(user, device).and_then(|()| proof(device, now)),
        Step::Log | Step::UnlockRecord | Step::Share | Step::Append | Step::PasswordStart => {
            second_factor(user, device).and_then(|()| link(device))
        }
        Step::Blob | Step::EmailStart | Step::BackupCodes | Step::RecoveryRecord => Err(Code::NotAllowed),
    }
}

/// Without a password the link comes first, so that nobody guesses second factors who cannot read the mail.
fn recovery_gate(user: &UserRecord, device: &DeviceRecord, step: Step) -> Result<(), Code> {
    match step {
        Step::VerificationMail | Step::Status | Step::Events => Ok(()),
        Step::SecondFactor => link(device),
        Step::Log | Step::UnlockRecord | Step::Share | Step::Append | Step::PasswordStart => {
            link(device).and_then(|()| second_factor(user, device))
        }
        Step::Suspend | Step::DeleteUser | Step::Blob | Step::EmailStart => Err(Code::NotAllowed),
        Step::BackupCodes | Step::RecoveryRecord => Err(Code::NotAllowed),
    }
}

fn active_gate(user: &UserRecord, device: &DeviceRecord, step: Step, now: u64) -> Result<(), Code> {
    if !user.second_factor && !matches!(step, Step::SecondFactor) {
        return Err(Code::SecondFactorRequired);
    }
    let has_ended = device.generation != user.generation || user.ended.is_some();
    match step {
        Step::SecondFactor => password(device, now),
        Step::Status | Step::Log | Step::Blob | Step::Share => Ok(()),
        Step::DeleteUser => proof(device, now),
        _ if has_ended => Err(Code::SyncEnded),
        Step::Suspend | Step::Append | Step::Events | Step::RecoveryRecord => Ok(()),
        Step::UnlockRecord | Step::PasswordStart | Step::EmailStart | Step::BackupCodes => proof(device, now),
        Step::VerificationMail => Err(Code::NotAllowed),
    }
}

fn password(device: &DeviceRecord, now: u64) -> Result<(), Code> {
    if device.password_until > now { Ok(()) } else { Err(Code::ProofRequired) }
}

fn proof(device: &DeviceRecord, now: u64) -> Result<(), Code> {
    if device.proven_until > now { Ok(()) } else { Err(Code::ProofRequired) }
}

fn second_factor(user: &UserRecord, device: &DeviceRecord) -> Result<(), Code> {
    if user.second_factor && device.second_factor_given { Ok(()) } else { Err(Code::SecondFactorRequired) }
}

fn link(device: &DeviceRecord) -> Result<(), Code> {
    if device.link_confirmed { Ok(()) } else { Err(Code::LinkRequired) }
}

#[cfg(test)]
mod tests {
    use keyquay_crypto::sealing::SealingKey;
    use keyquay_crypto::sign::SigningKey;
    use keyquay_protocol::{DeviceId, DeviceKeys};

    use super::*;
    use crate::message::Origin;

    const NOW: u64 = 1_000;
    const ALL: [Step; 15] = [
        Step::SecondFactor,
        Step::BackupCodes,
        Step::Status,
        Step::VerificationMail,
        Step::Suspend,
        Step::Log,
        Step::UnlockRecord,
        Step::Share,
        Step::Append,
        Step::PasswordStart,
        Step::Blob,
        Step::EmailStart,
        Step::Events,
        Step::DeleteUser,
        Step::RecoveryRecord,
    ];

    fn user() -> UserRecord {
        UserRecord {
            email: "a@example.com".to_owned(),
            created: 0,
            generation: 1,
            ended: None,
            second_factor: true,
            backup_codes_left: 10,
            deletion: None,
        }
    }

    /// Signed in, and nothing more.
    fn signed_in() -> DeviceRecord {
        let keys = DeviceKeys {
            id: DeviceId::make_random(),
            signing: SigningKey::make_random().verifying_key(),
            sealing: SealingKey::make_random().public_key(),
        };
        let origin = Origin { platform: String::new(), time: 0, peer: String::new() };
        DeviceRecord { password_until: NOW + 1, ..DeviceRecord::pending(&keys, false, origin, NOW) }
    }

    fn with_second_factor() -> DeviceRecord {
        DeviceRecord { second_factor_given: true, proven_until: NOW + 1, ..signed_in() }
    }

    fn with_both_gates() -> DeviceRecord {
        DeviceRecord { link_confirmed: true, ..with_second_factor() }
    }

    fn active() -> DeviceRecord {
        DeviceRecord {
            standing: Standing::Active,
            generation: 1,
            password_until: 0,
            proven_until: 0,
            ..with_both_gates()
        }
    }

    fn allowed(user: &UserRecord, device: &DeviceRecord) -> Vec<Step> {
        ALL.into_iter().filter(|step| gate(user, device, *step, NOW).is_ok()).collect()
    }

    #[test]
    fn a_device_that_signed_in_may_only_give_or_set_up_the_second_factor() {
        assert_eq!(allowed(&user(), &signed_in()), [Step::SecondFactor]);
        let nothing = UserRecord { second_factor: false, ..user() };
        assert_eq!(allowed(&nothing, &signed_in()), [Step::SecondFactor]);
        assert_eq!(allowed(&nothing, &with_both_gates()), [Step::SecondFactor]);
        let late = DeviceRecord { password_until: NOW, ..signed_in() };
        assert_eq!(allowed(&user(), &late), []);
    }

    #[test]
    fn with_the_second_factor_come_mail_status_and_what_password_and_factor_may_do() {
        let expected = [
            Step::SecondFactor,
            Step::Status,
            Step::VerificationMail,
            Step::Suspend,
            Step::Events,
            Step::DeleteUser,
        ];
        assert_eq!(allowed(&user(), &with_second_factor()), expected);
    }

    #[test]
    fn with_the_link_come_log_unlock_record_share_and_the_own_entry_but_no_blob() {
        let expected = [
            Step::SecondFactor,
            Step::Status,
            Step::VerificationMail,
            Step::Suspend,
            Step::Log,
            Step::UnlockRecord,
            Step::Share,
            Step::Append,
            Step::PasswordStart,
            Step::Events,
            Step::DeleteUser,
        ];
        assert_eq!(allowed(&user(), &with_both_gates()), expected);
        let link_alone = DeviceRecord { link_confirmed: true, ..signed_in() };
        assert_eq!(allowed(&user(), &link_alone), [Step::SecondFactor]);
    }

    #[test]
    fn an_active_device_may_do_everything_and_proves_itself_for_what_needs_root() {
        let plain = [
            Step::Status,
            Step::Suspend,
            Step::Log,
            Step::Share,
            Step::Append,
            Step::Blob,
            Step::Events,
            Step::RecoveryRecord,
        ];
        assert_eq!(allowed(&user(), &active()), plain);
        let proven = DeviceRecord { password_until: NOW + 1, proven_until: NOW + 1, ..active() };
        let missing: Vec<Step> =
            ALL.into_iter().filter(|step| gate(&user(), &proven, *step, NOW).is_err()).collect();
        assert_eq!(missing, [Step::VerificationMail]);
        let with_proof =
            [Step::UnlockRecord, Step::PasswordStart, Step::EmailStart, Step::DeleteUser, Step::BackupCodes];
        for step in with_proof {
            assert_eq!(gate(&user(), &active(), step, NOW), Err(Code::ProofRequired));
        }
    }

    #[test]
    fn no_second_factor_no_sync() {
        let nothing = UserRecord { second_factor: false, ..user() };
        let proven = DeviceRecord { password_until: NOW + 1, proven_until: NOW + 1, ..active() };
        assert_eq!(allowed(&nothing, &proven), [Step::SecondFactor]);
    }

    #[test]
    fn a_suspended_device_may_only_sign_in_again() {
        for device in [with_both_gates(), active()] {
            let suspended = DeviceRecord { suspended: true, password_until: NOW + 1, ..device };
            assert_eq!(allowed(&user(), &suspended), [Step::SecondFactor]);
            assert_eq!(gate(&user(), &suspended, Step::Log, NOW), Err(Code::Suspended));
        }
    }

    #[test]
    fn a_removed_device_may_only_read_the_log_up_to_its_removal() {
        let removed = DeviceRecord { standing: Standing::Removed { seq: 3 }, suspended: true, ..active() };
        assert_eq!(allowed(&user(), &removed), [Step::Log]);
        assert_eq!(gate(&user(), &removed, Step::Share, NOW), Err(Code::Removed));
    }

    #[test]
    fn after_sync_ended_log_blobs_share_and_status_are_left() {
        let ended = UserRecord { ended: Some(NOW), ..user() };
        let left = [Step::Status, Step::Log, Step::Share, Step::Blob];
        assert_eq!(allowed(&ended, &active()), left);
        let begun_anew = UserRecord { generation: 2, ..user() };
        assert_eq!(allowed(&begun_anew, &active()), left);
        assert_eq!(gate(&ended, &active(), Step::Append, NOW), Err(Code::SyncEnded));
    }

    #[test]
    fn recovery_needs_the_link_before_the_second_factor_and_never_suspends_or_deletes() {
        let recovery = DeviceRecord { recovery: true, password_until: 0, ..signed_in() };
        let at_first = [Step::Status, Step::VerificationMail, Step::Events];
        assert_eq!(allowed(&user(), &recovery), at_first);
        assert_eq!(gate(&user(), &recovery, Step::SecondFactor, NOW), Err(Code::LinkRequired));
        let linked = DeviceRecord { link_confirmed: true, ..recovery };
        assert_eq!(gate(&user(), &linked, Step::Share, NOW), Err(Code::SecondFactorRequired));
        let both = DeviceRecord { second_factor_given: true, ..linked };
        for step in [Step::Log, Step::UnlockRecord, Step::Share, Step::Append, Step::PasswordStart] {
            assert_eq!(gate(&user(), &both, step, NOW), Ok(()));
        }
        let never = [Step::Suspend, Step::DeleteUser, Step::Blob, Step::EmailStart];
        for step in never.into_iter().chain([Step::BackupCodes, Step::RecoveryRecord]) {
            assert_eq!(gate(&user(), &both, step, NOW), Err(Code::NotAllowed));
        }
    }

    #[test]
    fn entries_need_what_their_kind_says() {
        let proven = DeviceRecord { proven_until: NOW + 1, ..active() };
        assert_eq!(append_gate(&active(), Needs::ActiveDevice, NOW), Ok(()));
        assert_eq!(append_gate(&active(), Needs::Proof, NOW), Err(Code::ProofRequired));
        assert_eq!(append_gate(&proven, Needs::Proof, NOW), Ok(()));
        let enrolment = Needs::Enrolment { recovers: false };
        assert_eq!(append_gate(&with_both_gates(), enrolment, NOW), Ok(()));
        for needs in [Needs::ActiveDevice, Needs::Proof, Needs::Enrolment { recovers: true }] {
            assert_eq!(append_gate(&with_both_gates(), needs, NOW), Err(Code::NotAllowed));
        }
        assert_eq!(append_gate(&proven, enrolment, NOW), Err(Code::NotAllowed));
        let recovery = DeviceRecord { recovery: true, ..with_both_gates() };
        assert_eq!(append_gate(&recovery, Needs::Enrolment { recovers: true }, NOW), Ok(()));
        assert_eq!(append_gate(&recovery, enrolment, NOW), Err(Code::NotAllowed));
    }
}
