use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident, $code:literal, $status:literal, $title:literal, $hint:literal;)+) => {
        /// What can go wrong, as a stable code. Nobody matches on text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $code)] $name,)+
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The stable spelling.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// The HTTP status that goes with it; 0 where it never travels.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status),+ }
            }

            /// What happened, in one sentence.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }

            /// What to do next.
            #[must_use]
            pub fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint),+ }
            }
        }
    };
}

codes! {
    // Answers of the server.
    Malformed, "malformed", 400, "The request is not well-formed.", "Update Keyquay on this device, then try again.";
    Version, "version", 400, "App and server speak different versions of the protocol.", "Update the older of the two.";
    NotSigned, "not_signed", 401, "The request is not signed by a known device.", "Sign in on this device again.";
    Clock, "clock", 401, "This device's clock differs from the server's.", "Set the clock of this device, then try again.";
    Replayed, "replayed", 401, "The request was received before.", "Try again.";
    SignIn, "sign_in", 401, "Email or password is wrong.", "Check both and try again. If you lost the password, use the recovery code.";
    AddressUnconfirmed, "address_unconfirmed", 403, "The email address is not confirmed yet.", "Open the link in the mail that was sent to you.";
    SecondFactorRequired, "second_factor_required", 403, "A second factor is needed first.", "Set up or enter the second factor.";
    SecondFactor, "second_factor", 403, "The code is wrong or was used already.", "Wait for the next code and enter that one.";
    SecondFactorExists, "second_factor_exists", 409, "A second factor is set up already.", "Enter a code from it, or one of the backup codes.";
    LinkRequired, "link_required", 403, "This device is not verified by mail yet.", "Request the verification mail and open its link.";
    ProofRequired, "proof_required", 403, "This step needs your password and second factor.", "Enter both again.";
    NotAllowed, "not_allowed", 403, "This device may not do that now.", "Finish verifying this device first.";
    Suspended, "suspended", 403, "This device is suspended.", "Sign in on it again if it is in your hands.";
    Removed, "removed", 410, "This device was removed.", "To use synced keys here, verify this device again.";
    NoLog, "no_log", 404, "Nothing is stored for this user yet.", "Set up sync on your first device.";
    LogExists, "log_exists", 409, "Sync is set up already.", "Add this device with your Secret Key instead.";
    HeadMoved, "head_moved", 409, "Another device was faster.", "Keyquay takes in its change and tries again by itself.";
    EntryRefused, "entry_refused", 422, "The server refused a change that does not fit the history.", "Restart Keyquay. If it stays, compare the phrase on Sync with another device.";
    RecordMismatch, "record_mismatch", 422, "The unlock records are not the ones that the change names.", "Try again.";
    SyncEnded, "sync_ended", 409, "Sync was ended by its owner.", "Turn your accounts into local ones, or set up sync anew.";
    TooLarge, "too_large", 413, "That is too large.", "Shorten the account's note or fields.";
    Quota, "quota", 403, "A limit of the server is reached.", "Delete accounts or devices that you do not need, or ask the server's operator.";
    RateLimited, "rate_limited", 429, "Too many attempts.", "Wait a minute, then try again.";
    NotFound, "not_found", 404, "There is nothing here.", "Check the server address.";
    Link, "link", 410, "This link was used, has expired, or is not whole.", "Request a new verification mail in the app.";
    Expired, "expired", 410, "This step took too long and has expired.", "Start it again.";
    MailFailed, "mail_failed", 502, "The mail could not be sent.", "Check the address, then try again in a few minutes.";
    Unavailable, "unavailable", 503, "The server cannot answer now.", "Your keys stay usable here. Keyquay tries again by itself.";
    Internal, "internal", 500, "Something went wrong at the server.", "Try again. If it stays, tell the server's operator the time.";

    // On the way to the server.
    Offline, "offline", 0, "The server cannot be reached.", "Check the network and the server address. Changes are kept and sent later.";
    Certificate, "certificate", 0, "The server's certificate is not trusted.", "Check the server address; do not go on in a network that you do not trust.";
    NotAServer, "not_a_server", 0, "This address does not answer like a Keyquay server.", "Check the server address.";
    ServerAddress, "server_address", 0, "This is not a usable server address.", "Enter one that begins with https://. Plain http works on this computer only.";

    // What the device itself finds.
    OtherHistory, "other_history", 0, "The server shows another history than the one this device saw. Sync is stopped.", "Nothing local is lost. Compare the phrase on Sync with your other devices, and speak to the server's operator.";
    OtherRoot, "other_root", 0, "The server shows keys that are not yours. Nothing was accepted.", "Check the server address. If it is right, do not use this server.";
    SeenElsewhere, "seen_elsewhere", 0, "Another of your devices saw a different history. Sync is stopped.", "See Sync for its name; suspend or remove it if it is not in your hands.";
    SecretKeyShape, "secret_key_shape", 0, "This is not a whole Secret Key.", "It begins with KQ1- and has seven groups of five characters.";
    SecretKeyCheck, "secret_key_check", 0, "The Secret Key has a typing error.", "Compare it with the kit, group by group.";
    SecretKeyKind, "secret_key_kind", 0, "This is the other code of your recovery kit.", "The Secret Key begins with KQ1-, the recovery code with KR1-.";
    SecretKeyWrong, "secret_key_wrong", 0, "This Secret Key does not open this user's keys.", "Use the Secret Key from the recovery kit of this email address, or General > Secret Key on another device.";
    RecoveryCodeShape, "recovery_code_shape", 0, "This is not a whole recovery code.", "It begins with KR1- and has seven groups of five characters.";
    RecoveryCodeCheck, "recovery_code_check", 0, "The recovery code has a typing error.", "Compare it with the kit, group by group.";
    RecoveryCodeWrong, "recovery_code_wrong", 0, "This recovery code does not open this user's keys.", "Use the newest kit; making a new recovery code ends the old one.";
    KitGroup, "kit_group", 0, "That is not the group we asked for.", "Look at the kit that you saved or printed and type that group again.";
    Passphrase, "passphrase", 0, "The lock passphrase is wrong.", "Try again. Large and small letters differ.";
    PassphraseRequired, "passphrase_required", 0, "A lock passphrase is needed: this computer offers no keyring that could keep the keys' lock.", "Choose a passphrase of at least eight characters.";
    WeakPassword, "weak_password", 0, "That is too short to protect your keys.", "Use at least ten characters, better four or five words.";
    ShareMismatch, "share_mismatch", 0, "The server gave another half of this device's lock than before. It was not used.", "Nothing is lost. Try again later, or verify this device anew.";
    Keyring, "keyring", 0, "The system's keyring does not answer.", "Unlock it and try again.";
    KeyringEntry, "keyring_entry", 0, "The keyring has no entry for this vault.", "Sign in to the system as the user who made the vault, or restore a backup.";
    VaultDamaged, "vault_damaged", 0, "The vault file is damaged. It was left as it is.", "Restore a backup, or bring the accounts back by signing in.";
    VaultNewer, "vault_newer", 0, "The vault was written by a newer Keyquay. It was left as it is.", "Install the newer version.";
    VaultBusy, "vault_busy", 0, "This profile is open in another Keyquay.", "Use that window, close it, or start with another profile.";
    Disk, "disk", 0, "The disk refused to store the change.", "Free some space or make the folder writable; nothing was lost.";
    File, "file", 0, "The file could not be read or written.", "Choose another place or file.";
    BackupPassphrase, "backup_passphrase", 0, "This passphrase does not open the backup.", "Try again with the passphrase that the backup was made with.";
    BackupDamaged, "backup_damaged", 0, "This file is not a whole Keyquay backup.", "Choose another file.";
    BackupNewer, "backup_newer", 0, "The backup was made by a newer Keyquay.", "Install the newer version, then restore it.";
    Locked, "locked", 0, "Keyquay is locked.", "Unlock it first.";
    Closed, "closed", 0, "Synced keys are closed until the server answers.", "Go online. Local accounts stay usable.";
    Disabled, "disabled", 0, "This device was removed, so its local accounts are disabled.", "Prove that it is you: with the lock passphrase, by signing in, or with the recovery code.";
    SyncOff, "sync_off", 0, "Sync is off on this device.", "Switch it on under Accounts or General.";
    NotSignedIn, "not_signed_in", 0, "Nobody is signed in on this device.", "Sign in first.";
    AccountInvalid, "account_invalid", 0, "The account cannot be saved like this.", "Correct the fields that are named.";
    NotRetrieved, "not_retrieved", 0, "This account is at the server and was not retrieved on this device.", "Retrieve it first.";
    AccountGone, "account_gone", 0, "This account does not exist any more.", "It may have been deleted on another device.";
    ItemDamaged, "item_damaged", 0, "This account's sealed copy does not open.", "Retrieve it again, or take it from another device or a backup.";
    Clipboard, "clipboard", 0, "The clipboard does not answer.", "Try again, or reveal the value and copy it by hand.";
    Browser, "browser", 0, "No browser could be opened.", "Open the exchange's site by hand and look for its API keys.";
    Printer, "printer", 0, "The print dialog could not be opened.", "Save the kit to a stick instead, or copy it by hand.";
    Busy, "busy", 0, "Another step is still under way.", "Wait until it is finished, or cancel it.";
    Cancelled, "cancelled", 0, "Cancelled.", "Nothing was changed.";
}

/// What went wrong, as it travels (RFC 9457) and as a screen shows it. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[error("{title} [{code}]", code = self.code.as_str())]
pub struct Problem {
    /// `urn:keyquay:problem:CODE`.
    #[serde(rename = "type")]
    pub kind: String,
    pub code: Code,
    pub status: u16,
    /// What happened.
    pub title: String,
    /// What to do next.
    pub hint: String,
    /// More about this case, where there is something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Problem {
    /// The problem of a code, in its usual words.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self {
            kind: format!("urn:keyquay:problem:{}", code.as_str()),
            code,
            status: code.status(),
            title: code.title().to_owned(),
            hint: code.hint().to_owned(),
            detail: None,
        }
    }

    /// The same with more about this case. `detail` never holds a secret.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_has_its_own_spelling_a_title_and_a_hint() {
        let mut spellings = HashSet::new();
        for code in Code::ALL {
            assert!(spellings.insert(code.as_str()), "{} is used twice", code.as_str());
            assert!(code.title().ends_with('.') && code.hint().ends_with('.'), "{}", code.as_str());
            assert!(code.status() == 0 || (400..=599).contains(&code.status()), "{}", code.as_str());
        }
    }

    #[test]
    fn a_problem_travels_as_in_rfc_9457() {
        let json = serde_json::to_value(Problem::new(Code::HeadMoved)).unwrap();
        assert_eq!(json["type"], "urn:keyquay:problem:head_moved");
        assert_eq!(json["code"], "head_moved");
        assert_eq!(json["status"], 409);
        let back: Problem = serde_json::from_value(json).unwrap();
        assert_eq!(back.code, Code::HeadMoved);
    }
}
