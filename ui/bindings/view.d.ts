// Generated from crates/client/src/view by its test; do not edit.

/**
 * Where the app stands as a whole. Sent again whenever the stage changes.
 */
export type AppView = { stage: Stage, profile: string, version: string, theme: Theme,
/**
 * A lock passphrase is set, so that "Lock now" has something to do.
 */
canLock: boolean, status: SyncStatus, };

export type Stage = "welcome" | "locked" | "open";

/**
 * The header's sentence, as data.
 */
export type SyncStatus = { state: SyncState,
/**
 * When this device last had every change of the others.
 */
lastSyncedAt: UnixMillis | null,
/**
 * Own changes that the server has not acknowledged.
 */
waiting: number,
/**
 * When the share's lease ends while the server does not answer; afterwards synced accounts are Closed.
 */
leaseEndsAt: UnixMillis | null,
/**
 * Set for `Stopped` and `Offline` where the reason is known.
 */
problem: Problem | null, };

export type SyncState = "off" | "settingUp" | "paused" | "connecting" | "syncing" | "synced" | "offline" | "closed" | "suspended" | "removed" | "ended" | "stopped";

export type WelcomeView = { keyring: Keyring, };

/**
 * Whether the operating system keeps this device's secrets. Without it the lock passphrase is mandatory.
 */
export type Keyring = "available" | "missing" | "refused";

/**
 * What the Unlock screen, and "prove it is you" on a removed device, may offer.
 */
export type UnlockView = { reason: UnlockReason,
/**
 * A lock passphrase is set.
 */
passphrase: boolean,
/**
 * The server and email that this device knows, if it was ever signed in.
 */
server: string | null, email: string | null,
/**
 * Root's seed under the recovery code rests on this device.
 */
recoveryCode: boolean, keyring: Keyring, };

export type UnlockReason = "locked" | "removed";

export type AccountsView = {
/**
 * In no order; the screen sorts them.
 */
rows: Array<AccountRow>,
/**
 * Synced accounts whose labels cannot be read at the moment.
 */
closed: ClosedAccounts | null,
/**
 * "Sync API keys", the one setting of this device that General shows too.
 */
syncOn: boolean, autoConnect: boolean,
/**
 * This device was verified and not removed, so that accounts can be uploaded and retrieved.
 */
canSync: boolean,
/**
 * This device was removed and its local-only accounts wait for proof.
 */
needsProof: boolean, };

export type ClosedAccounts = { count: number, reason: ClosedReason, };

export type ClosedReason = "noServer" | "suspended" | "removed" | "paused" | "stopped";

/**
 * One exchange account, without any secret.
 */
export type AccountRow = {
/**
 * 16 bytes in hexadecimal.
 */
id: string,
/**
 * The catalogue's id, "other" for free fields.
 */
exchange: string, exchangeName: string, label: string,
/**
 * The first non-secret filled field, shortened to its ends: `AbC…9xZ`.
 */
keyHint: string | null, tags: Array<string>, environment: Environment, permissions: Permissions,
/**
 * `YYYY-MM-DD`
 */
expiresOn: string | null, createdAt: UnixMillis, changedAt: UnixMillis, state: AccountState,
/**
 * The synced account has versions of the last 30 days, or the vault keeps earlier ones.
 */
hasHistory: boolean, };

export type AccountState = "localOnly" | "localOnlyPinned" | "waitingToUpload" | "uploading" | "synced" | "available" | "retrieving" | "conflictKept" | "withdrawn" | "damaged" | "disabledVerifyDevice" | "disabledProveIdentity";

export type Environment = "live" | "testnet";

/**
 * Noted by hand; nothing is asked of the exchange.
 */
export type Permissions = { read: Permission, trade: Permission, withdraw: Permission, };

export type Permission = "yes" | "no" | "unknown";

/**
 * One exchange of the catalogue, for the form's picker.
 */
export type ExchangeInfo = { id: string, name: string,
/**
 * Other names under which people look for it.
 */
aliases: Array<string>,
/**
 * In the order of the form.
 */
fields: Array<ExchangeField>,
/**
 * The person may name further fields ("other").
 */
freeFields: boolean, hasTestnet: boolean,
/**
 * `account_open_api_page` has something to open.
 */
page: PageKind | null,
/**
 * Sentences worth reading before a key is added.
 */
notes: Array<string>, };

export type ExchangeField = { key: string, label: string, secret: boolean, required: boolean, multiLine: boolean,
/**
 * A sentence for the person who fills it in; may be empty.
 */
help: string,
/**
 * What a value usually looks like, in words. Never a reason to refuse.
 */
usual: string | null, };

/**
 * What an exchange's page is about.
 */
export type PageKind = "manage" | "docs";

/**
 * A new account, as typed.
 */
export type NewAccount = { exchange: string, details: AccountDetails, fields: Array<FieldInput>,
/**
 * Never upload it, "Auto connect all accounts" included.
 */
pinned: boolean, };

/**
 * A changed account. A field that is not named keeps its value; one with an empty value is cleared.
 */
export type AccountEdit = { details: AccountDetails, fields: Array<FieldInput>, };

export type AccountDetails = { label: string, tags: Array<string>, note: string, environment: Environment, permissions: Permissions, ipNote: string,
/**
 * `YYYY-MM-DD`
 */
expiresOn: string | null, };

export type FieldInput = { key: string,
/**
 * Set for the fields of "other", which are named by the person.
 */
label: string | null,
/**
 * Set for the fields of "other".
 */
secret: boolean | null, value: SecretText, };

/**
 * What the edit form starts from. Secret values are not in it: they are "kept" until typed anew.
 */
export type AccountForm = { id: string, exchange: string, details: AccountDetails, fields: Array<FormField>, };

export type FormField = { key: string, label: string, secret: boolean, multiLine: boolean,
/**
 * A secret field has a value that is kept.
 */
filled: boolean,
/**
 * Named by the person ("other").
 */
free: boolean,
/**
 * The value of a field that is no secret.
 */
value: string | null, };

/**
 * Pasted text, tidied and split into the fields of one exchange.
 */
export type SplitPaste = {
/**
 * A single value comes back, tidied, as the field it was pasted into.
 */
fields: Array<FieldInput>, };

/**
 * The answer to "Reveal": the only way on which a kept value reaches the window.
 */
export type RevealedField = { key: string, label: string, secret: boolean, multiLine: boolean, value: SecretText, };

/**
 * The answer to "Copy": the value went to the clipboard without passing the window.
 */
export type Copied = {
/**
 * `None` where the person chose never to clear it.
 */
clearedAfterSeconds: number | null, };

/**
 * One version of an account, newest first in a list.
 */
export type AccountVersion = { id: string, changedAt: UnixMillis,
/**
 * The device that wrote it; `None` for this device before sync.
 */
device: string | null, thisDevice: boolean, current: boolean, label: string, keyHint: string | null,
/**
 * What differs from the version in use (in a history: from the version before).
 */
differsIn: Array<VersionPart>, };

/**
 * A part of an account that differs between two versions.
 */
export type VersionPart = { "part": "field", label: string, } | { "part": "label" } | { "part": "tags" } | { "part": "note" } | { "part": "environment" } | { "part": "permissions" } | { "part": "ipNote" } | { "part": "expiry" };

/**
 * What switching "Auto connect all accounts" on would do, for its confirmation.
 */
export type AutoConnectPreview = {
/**
 * Local accounts that would be uploaded, and pinned ones that stay out unless included.
 */
local: Array<AccountRow>,
/**
 * Accounts at the server that would be retrieved.
 */
available: Array<AccountRow>, };

export type SyncView = { status: SyncStatus,
/**
 * "Sync API keys", the one setting of this device.
 */
syncOn: boolean, setup: SetupView,
/**
 * Six words of the log's head, which a further device compares while it is set up.
 */
historyPhrase: string | null,
/**
 * Once there are keys for it, that is from the verification mail on.
 */
thisDevice: DeviceRow | null, otherDevices: Array<DeviceRow>, lastSync: LastSync | null,
/**
 * When the kit in force was made; `None` before the first.
 */
kitMadeAt: UnixMillis | null,
/**
 * Newest first, the latest 50 entries.
 */
activity: Array<Activity>,
/**
 * Removals whose accounts are not all replaced at their exchanges.
 */
openRemovals: Array<Removal>,
/**
 * After `Ended`: when the server deletes what is left.
 */
deletedAt: UnixMillis | null, };

export type DeviceRow = { id: string,
/**
 * `None` while the vault key that seals the name is not at hand.
 */
name: string | null, platform: Platform, verifiedAt: UnixMillis | null, lastSeenAt: UnixMillis | null, state: DeviceState,
/**
 * Six words of the device's keys.
 */
phrase: string, thisDevice: boolean, };

export type Platform = "linux" | "macOs" | "windows" | "unknown";

export type DeviceState = "pending" | "active" | "suspended" | "removed" | "offChain";

export type LastSync = { at: UnixMillis, outcome: SyncOutcome,
/**
 * Changes of other devices that were taken in, and own ones that were acknowledged.
 */
received: number, sent: number, problem: Problem | null, };

export type SyncOutcome = "complete" | "incomplete" | "failed";

/**
 * An entry of the signed log.
 */
export type Activity = { seq: number, at: UnixMillis,
/**
 * The device's name; `None` for root, or where the name cannot be read.
 */
by: string | null, byThisDevice: boolean, what: ActivityKind, };

export type ActivityKind = { "kind": "syncStarted" } | { "kind": "deviceAdded", device: string | null, } | { "kind": "deviceRemoved", device: string | null, } | { "kind": "unlockChanged" } | { "kind": "accountSaved", label: string | null, first: boolean, } | { "kind": "accountDeleted", label: string | null, } | { "kind": "accountWithdrawn", label: string | null, } | { "kind": "syncEnded" };

/**
 * Where the stepper stands. It outlives the dialog and the app; the window shows whatever step this names.
 */
export type SetupView = { step: SetupStep, path: SetupPath, server: string | null,
/**
 * Passed by `make run` or a policy; only ever a suggestion.
 */
suggestedServer: string | null, email: string | null,
/**
 * The second factor of this user is confirmed, so a code is asked for and no QR code shown.
 */
secondFactorConfirmed: boolean,
/**
 * The name under which other devices will list this one.
 */
deviceName: string, mail: VerificationMail | null,
/**
 * When the mail that confirms the address was sent.
 */
addressMailSentAt: UnixMillis | null,
/**
 * What a further device sees before it is trusted with accounts.
 */
comparison: Comparison | null,
/**
 * Local accounts, for the choice of what to upload.
 */
local: Array<AccountRow>,
/**
 * Accounts at the server, for the choice of what to retrieve.
 */
available: Array<AccountRow>, };

export type SetupStep = "server" | "signIn" | "confirmAddress" | "secondFactor" | "verification" | "noLog" | "secretKey" | "newPassword" | "kit" | "compare" | "choose" | "done";

export type SetupPath = "undecided" | "firstDevice" | "furtherDevice" | "recovery";

export type VerificationMail = { sentTo: string,
/**
 * Six words, the same in the mail, on its page and here.
 */
phrase: string,
/**
 * `None` before the first request.
 */
sentAt: UnixMillis | null, expiresAt: UnixMillis | null,
/**
 * Not before this time may another be requested.
 */
resendAt: UnixMillis | null, };

export type Comparison = {
/**
 * Six words of the log's head; another device shows the same.
 */
phrase: string, devices: Array<DeviceRow>, items: number, lastChangeAt: UnixMillis | null, };

/**
 * For an authenticator app. Shown once.
 */
export type SecondFactorEnrolment = {
/**
 * A whole SVG document, shown as an image.
 */
qrSvg: SecretText,
/**
 * The same in base32, for typing.
 */
secret: SecretText, };

/**
 * Ten one-time codes for a lost second factor. Shown once.
 */
export type BackupCodes = { codes: Array<SecretText>, };

export type RecoveryKit = { server: string, email: string,
/**
 * `KQ1-` and seven groups of five.
 */
secretKey: SecretText, recoveryCode: SecretText, madeAt: UnixMillis,
/**
 * The group that must be typed again, counted from 1 after the prefix.
 */
asked: KitGroup, suggestedFile: string, };

export type KitGroup = { of: KitCode, number: number, };

export type KitCode = "secretKey" | "recoveryCode";

/**
 * A device that was removed, and every account that was synced while it was active.
 */
export type Removal = {
/**
 * The removed device's id.
 */
device: string, name: string | null, removedAt: UnixMillis, accounts: Array<ReplaceRow>, };

export type ReplaceRow = { account: string, label: string, exchange: string, exchangeName: string, keyHint: string | null, page: PageKind | null,
/**
 * Ticked by the person.
 */
replaced: boolean, };

export type GeneralView = { status: SyncStatus,
/**
 * "Sync exchange API keys across devices", the one setting of this device.
 */
syncOn: boolean,
/**
 * The set-up is finished, so that the switch pauses and resumes; otherwise it opens the stepper.
 */
setUp: boolean, server: string | null, email: string | null, secondFactor: SecondFactor, lock: LockSettings,
/**
 * `None`: never cleared.
 */
clipboardSeconds: number | null,
/**
 * "Keep synced keys usable offline": the share is put into the keyring.
 */
offlineUse: boolean, theme: Theme, lastBackupAt: UnixMillis | null, suggestedBackupFile: string,
/**
 * The system offers a file chooser; without one the path is typed.
 */
canChooseFiles: boolean,
/**
 * A recovery code can open this device's synced accounts without a server.
 */
canOpenWithoutServer: boolean, };

export type SecondFactor = { confirmed: boolean, backupCodesLeft: number | null, };

export type LockSettings = { passphraseSet: boolean,
/**
 * Without a keyring the passphrase cannot be taken off.
 */
keyring: Keyring, times: LockTimes, };

/**
 * When the app locks by itself.
 */
export type LockTimes = {
/**
 * `None`: never.
 */
idleMinutes: number | null, onSleep: boolean, onScreenLock: boolean, };

export type Theme = "system" | "light" | "dark";

export type BackupWritten = { file: string, accounts: number,
/**
 * Synced accounts that are closed at the moment and therefore not in it.
 */
closed: number, };

export type BackupRestored = { added: number,
/**
 * Existed and were older; their earlier version stays in the history.
 */
updated: number,
/**
 * The same or newer here.
 */
unchanged: number, };

/**
 * After "Open without a server".
 */
export type OpenedWithoutServer = { accounts: number,
/**
 * Items that did not open; they stay as they are.
 */
damaged: number, };

/**
 * What a file is chosen for.
 */
export type FilePurpose = "saveBackup" | "openBackup" | "saveKit";

/**
 * The one kind of event that a window gets: a whole view, or only the rows that changed.
 */
export type Change = { "kind": "app", view: AppView, } | { "kind": "status", status: SyncStatus, } | { "kind": "accounts", view: AccountsView, } | { "kind": "accountRows", changed: Array<AccountRow>, removed: Array<string>, } | { "kind": "setup", view: SetupView, } | { "kind": "sync", view: SyncView, } | { "kind": "deviceRows", changed: Array<DeviceRow>, removed: Array<string>, } | { "kind": "general", view: GeneralView, } | { "kind": "progress", progress: Progress, };

/**
 * How far a long operation is. It is over when `done == total`, or when its command answers.
 */
export type Progress = { what: ProgressKind, done: number, total: number, };

export type ProgressKind = "retrieving" | "uploading" | "restoring" | "sealing" | "signingIn";

/**
 * Why a command was refused, for a person: what happened and what to do next.
 */
export type Problem = {
/**
 * Stable code, one of those that `keyquay-protocol` documents. The only part that code may compare.
 */
code: string,
/**
 * One sentence: what happened.
 */
message: string,
/**
 * One sentence: what to do next.
 */
hint: string, };

/**
 * A secret on its way between the person and the session: typed in, or shown because it was asked for.
 *
 * It has no `Debug`, `Display` or `Clone`, so that nothing that holds one can be printed, and it is erased when dropped.
 */
export type SecretText = string;

/**
 * Milliseconds since 1970-01-01 UTC, for display only.
 */
export type UnixMillis = number;
