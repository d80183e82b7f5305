//! What went wrong below, as a person is told.

use keyquay_exchanges::AccountError;
use keyquay_protocol::{Code, Problem, Violation};
use keyquay_vault::{KeyringError, ProfileError, VaultError};

use crate::view;

pub(crate) fn of_profile(error: ProfileError) -> Problem {
    match error {
        ProfileError::InUse { pid: Some(pid), .. } => {
            Problem::new(Code::VaultBusy).with_detail(format!("The other process has the number {pid}."))
        }
        ProfileError::InUse { .. } => Problem::new(Code::VaultBusy),
        ProfileError::Name => Problem::new(Code::File).with_detail(error.to_string()),
        other => Problem::new(Code::Disk).with_detail(other.to_string()),
    }
}

pub(crate) fn of_vault(error: VaultError) -> Problem {
    let code = match &error {
        VaultError::PassphraseMandatory | VaultError::PassphraseEmpty | VaultError::PassphraseNeeded => {
            Code::PassphraseRequired
        }
        VaultError::WrongPassphrase => Code::Passphrase,
        VaultError::KeyringUnavailable(KeyringError::Foreign) | VaultError::KeyringEntryWrong { .. } => {
            Code::KeyringEntry
        }
        VaultError::KeyringUnavailable(_) => Code::Keyring,
        VaultError::KeyringEntryMissing { .. } => Code::KeyringEntry,
        VaultError::Damaged { .. } => Code::VaultDamaged,
        VaultError::NewerVersion { .. } => Code::VaultNewer,
        VaultError::ReadOnly { .. } | VaultError::DiskFull { .. } | VaultError::Io { .. } => Code::Disk,
        VaultError::AlreadyOpen => Code::VaultBusy,
        VaultError::Disabled => Code::Disabled,
        VaultError::UnknownAccount => Code::AccountGone,
        VaultError::Account(account) => return of_account(account),
        VaultError::TooLarge => Code::TooLarge,
        VaultError::NoSyncHalf | VaultError::StaleSync | VaultError::ClosedNeedsServer => Code::Closed,
        VaultError::WrongShare => Code::ShareMismatch,
        VaultError::Missing => Code::Locked,
        VaultError::Stretching => Code::Busy,
        _ => Code::VaultDamaged,
    };
    Problem::new(code).with_detail(error.to_string())
}

pub(crate) fn of_account(error: &AccountError) -> Problem {
    Problem::new(Code::AccountInvalid).with_detail(error.to_string())
}

pub(crate) fn of_violation(violation: Violation) -> Problem {
    let code = match violation {
        Violation::OtherRoot => Code::OtherRoot,
        Violation::SeenOtherHistory => Code::SeenElsewhere,
        Violation::Unlock => Code::SecretKeyWrong,
        Violation::Limit => Code::Quota,
        Violation::Ended => Code::SyncEnded,
        _ => Code::OtherHistory,
    };
    Problem::new(code).with_detail(violation.to_string())
}

impl From<Problem> for view::Problem {
    fn from(problem: Problem) -> Self {
        // Some details say in their own crate's words what the title says.
        let detail = problem.detail.map(|detail| sentence(&detail)).filter(|detail| *detail != problem.title);
        let message = match detail {
            Some(detail) => format!("{} {detail}", problem.title),
            None => problem.title,
        };
        Self { code: problem.code.as_str().to_owned(), message, hint: problem.hint }
    }
}

impl From<&Problem> for view::Problem {
    fn from(problem: &Problem) -> Self {
        problem.clone().into()
    }
}

/// A detail of the crates below, with a capital letter and a full stop.
fn sentence(detail: &str) -> String {
    let mut characters = detail.chars();
    let mut whole: String =
        characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    whole.push_str(characters.as_str());
    if !whole.ends_with(['.', '!', '?']) {
        whole.push('.');
    }
    whole
}
