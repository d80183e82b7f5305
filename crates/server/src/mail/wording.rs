use crate::message::{MailKind, MailOrder, Origin};

/// What a mail says, before it is text or HTML.
pub(super) struct Wording {
    pub subject: &'static str,
    pub opening: &'static str,
    pub phrase: Option<String>,
    pub origin: Option<Origin>,
    /// Facts beside the origin: name and value.
    pub fact: Option<(&'static str, String)>,
    pub link: Option<Link>,
    /// What to do if it was not the reader.
    pub otherwise: &'static str,
}

/// The one link of a mail.
pub(super) struct Link {
    pub before: &'static str,
    pub label: &'static str,
    pub token: String,
    pub after: &'static str,
}

impl Wording {
    pub fn of(order: MailOrder) -> Self {
        match order.kind {
            MailKind::ConfirmAddress { token, asked } => Self {
                subject: "Confirm your email address for Keyquay",
                opening: "Somebody, probably you, registers this email address at a Keyquay server.",
                phrase: None,
                origin: Some(asked),
                fact: None,
                link: Some(Link {
                    before: "If this is you, open this link and confirm there:",
                    label: "Confirm this address",
                    token,
                    after: ONCE,
                }),
                otherwise: "If this was not you, do nothing: without the link the registration never takes effect.",
            },
            MailKind::AlreadyRegistered { asked } => Self {
                subject: "Your email address is registered with Keyquay already",
                opening: "Somebody, perhaps you, tried to register this email address at a Keyquay server where it is registered already. Nothing was changed. If this was you, sign in instead; if you lost the password, use the recovery code of your kit.",
                phrase: None,
                origin: Some(asked),
                fact: None,
                link: None,
                otherwise: "If this was not you, there is nothing to do. The other person was not told that you are registered.",
            },
            MailKind::VerifyDevice { token, phrase, asked } => Self {
                subject: "Verify a device for Keyquay",
                opening: "A device asks to be verified for your Keyquay user. Compare the six words below with those that Keyquay shows on the device.",
                phrase: Some(phrase),
                origin: Some(asked),
                fact: None,
                link: Some(Link {
                    before: "If the device is in your hands and the words are the same, open this link and confirm there:",
                    label: "Look at this device",
                    token,
                    after: ONCE,
                }),
                otherwise: "If this was not you, open the same link and choose \"This was not me\": the device is suspended and your other devices are warned. Then change your password on a device of yours.",
            },
            MailKind::DeviceNotMe { phrase, asked } => Self {
                subject: "A device was suspended: this was not you",
                opening: "Somebody with this mailbox answered \"This was not me\" when the device below asked to be verified. It is suspended and gets nothing from the server.",
                phrase: Some(phrase),
                origin: Some(asked),
                fact: None,
                link: None,
                otherwise: "Whoever used it may know your password. Change it now on a device of yours, and look through your devices on the Sync screen. If you chose that answer by mistake, sign in again on the device.",
            },
            MailKind::NewAddress { token, asked } => Self {
                subject: "Confirm your new email address for Keyquay",
                opening: "A verified device asks to use this email address for its Keyquay user from now on.",
                phrase: None,
                origin: Some(asked),
                fact: None,
                link: Some(Link {
                    before: "If this is you, open this link and confirm there:",
                    label: "Confirm this address",
                    token,
                    after: ONCE,
                }),
                otherwise: "If this was not you, do nothing: without the link nothing changes.",
            },
            MailKind::AddressChanged { new, asked } => Self {
                subject: "Your Keyquay email address was changed",
                opening: "Your Keyquay user now has another email address. This is the last mail to the old one.",
                phrase: None,
                origin: Some(asked),
                fact: Some(("New address", new)),
                link: None,
                otherwise: "If this was not you, suspend all other devices on the Sync screen of a device of yours now, and change your password there.",
            },
            MailKind::DeleteUser { token, asked } => Self {
                subject: "Confirm that your Keyquay user is to be deleted",
                opening: "Somebody signed in and asks to delete your Keyquay user with all that the server stores for it.",
                phrase: None,
                origin: Some(asked),
                fact: None,
                link: Some(Link {
                    before: "If this is you, open this link and confirm there. The deletion follows 14 days later and can be stopped until then:",
                    label: "Look at the deletion",
                    token,
                    after: ONCE,
                }),
                otherwise: "If this was not you, do not confirm, and change your password on a device of yours: whoever asked knows it.",
            },
            MailKind::DeletionStarted { cancel, deleted, asked } => Self {
                subject: "Your Keyquay user will be deleted in 14 days",
                opening: "It was confirmed from this mailbox that your Keyquay user and all that the server stores for it is to be deleted. Accounts kept on your devices stay there.",
                phrase: None,
                origin: Some(asked),
                fact: Some(("Deleted on", crate::html::utc(deleted))),
                link: Some(Link {
                    before: "To keep your user, open this link and confirm there:",
                    label: "Stop the deletion",
                    token: cancel,
                    after: "The link works until the deletion.",
                }),
                otherwise: "If this was not you, stop the deletion, then change your password on a device of yours.",
            },
        }
    }
}

const ONCE: &str = "The link works once, within 15 minutes.";
