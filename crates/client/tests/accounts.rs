//! Accounts on one device, without a server: a real vault file, and a keyring in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use keyquay_client::session::{
    KeyringChoice, MemoryPreferences, Options, PreferenceStore, Preferences, Session,
};
use keyquay_client::view::accounts::{
    AccountDetails, AccountEdit, AccountRow, AccountState, Environment, FieldInput, NewAccount, Permission,
    Permissions, VersionPart,
};
use keyquay_client::view::general::{LockTimes, Theme};
use keyquay_client::view::welcome::{Stage, SyncState};
use keyquay_client::view::{Change, ProgressKind, SecretText};
use keyquay_protocol::{Clock, Code};
use keyquay_vault::testing::MemoryKeyring;
use tempfile::TempDir;

const KEY: &str = "AbCdEfGh0123456789AbCdEfGh0123456789AbCdEfGh0123456789AbCdEfGh9xZ";
const SECRET: &str = "CANARY-secret-0123456789-0123456789";
const PASSPHRASE: &str = "a passphrase of the lock";

/// One device: what stays when the app is closed.
struct Device {
    folder: TempDir,
    keyring: Arc<MemoryKeyring>,
    preferences: Arc<MemoryPreferences>,
    clock: Arc<TestClock>,
}

struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn unix_seconds(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Device {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            keyring: Arc::new(MemoryKeyring::new()),
            preferences: Arc::default(),
            clock: Arc::new(TestClock(AtomicU64::new(1_800_000_000))),
        }
    }

    async fn start(&self) -> Session {
        self.start_with(KeyringChoice::Given(self.keyring.clone())).await
    }

    async fn start_with(&self, keyring: KeyringChoice) -> Session {
        let options = Options {
            data_dir: self.folder.path().to_owned(),
            profile: "test".to_owned(),
            keyring,
            preferences: self.preferences.clone(),
            clock: self.clock.clone(),
            suggested_server: None,
            device_name: "laptop".to_owned(),
            platform: "Linux".to_owned(),
            version: "0.0.0".to_owned(),
        };
        Session::start(options).await.unwrap()
    }

    /// A device whose vault is there and open.
    async fn started(&self) -> Session {
        let session = self.start().await;
        session.welcome_start(None).await.unwrap();
        session
    }

    fn pass(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn profile(&self) -> PathBuf {
        self.folder.path().join("profiles/test")
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned())
}

fn field(key: &str, value: &str) -> FieldInput {
    FieldInput { key: key.to_owned(), label: None, secret: None, value: secret(value) }
}

fn details(label: &str) -> AccountDetails {
    AccountDetails {
        label: label.to_owned(),
        tags: vec!["spot".to_owned(), " spot ".to_owned(), String::new()],
        note: "a note".to_owned(),
        environment: Environment::Testnet,
        permissions: Permissions {
            read: Permission::Yes,
            trade: Permission::No,
            withdraw: Permission::Unknown,
        },
        ip_note: "192.0.2.1".to_owned(),
        expires_on: Some("2027-12-31".to_owned()),
    }
}

fn binance(label: &str) -> NewAccount {
    NewAccount {
        exchange: "binance".to_owned(),
        details: details(label),
        fields: vec![field("apiKey", KEY), field("secret", SECRET)],
        pinned: false,
    }
}

async fn add(session: &Session, label: &str) -> AccountRow {
    session.account_add(binance(label)).await.unwrap()
}

async fn rows(session: &Session) -> Vec<AccountRow> {
    session.accounts_view().await.unwrap().rows
}

async fn label_of(session: &Session, id: &str) -> Option<String> {
    rows(session).await.into_iter().find(|row| row.id == id).map(|row| row.label)
}

#[tokio::test]
async fn a_new_account_has_a_row_without_its_secret_and_is_there_after_a_restart() {
    let device = Device::new();
    let session = device.started().await;
    let mut changes = session.changes();
    let row = add(&session, "  main  ").await;
    assert_eq!((row.label.as_str(), row.exchange_name.as_str()), ("main", "Binance"));
    assert_eq!(row.state, AccountState::LocalOnly);
    assert_eq!(row.tags, ["spot"]);
    assert_eq!(row.key_hint.as_deref(), Some("AbC…9xZ"));
    assert!(!row.has_history);
    assert!(!format!("{row:?}").contains(SECRET));
    assert_eq!(
        changes.recv().await.unwrap(),
        Change::AccountRows { changed: vec![row.clone()], removed: vec![] }
    );

    session.stop().await;
    drop(session);
    let session = device.start().await;
    assert_eq!(rows(&session).await, [row]);
}

#[tokio::test]
async fn the_list_says_how_sync_stands_on_a_device_that_never_had_it() {
    let device = Device::new();
    let session = device.started().await;
    let view = session.accounts_view().await.unwrap();
    assert!(!view.sync_on && !view.auto_connect && !view.can_sync && !view.needs_proof);
    assert_eq!(view.closed, None);
    let id = add(&session, "main").await.id;
    for refused in [
        session.accounts_upload(vec![id.clone()]).await,
        session.accounts_retrieve(vec![id.clone()]).await,
        session.accounts_set_auto_connect(true, vec![]).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().code, Code::NotAllowed);
    }
    assert_eq!(rows(&session).await[0].state, AccountState::LocalOnly);
    let preview = session.accounts_auto_connect_preview().await.unwrap();
    assert_eq!((preview.local.len(), preview.available.len()), (1, 0));
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_named_and_nothing_is_kept() {
    let device = Device::new();
    let session = device.started().await;
    let mut without_secret = binance("main");
    without_secret.fields.truncate(1);
    let problem = session.account_add(without_secret).await.unwrap_err();
    assert_eq!(problem.code, Code::AccountInvalid);
    assert!(problem.detail.unwrap().contains("API secret"));

    for wrong in [
        NewAccount { details: details("   "), ..binance("") },
        NewAccount { exchange: "no such exchange".to_owned(), ..binance("main") },
        NewAccount {
            details: AccountDetails { expires_on: Some("tomorrow".to_owned()), ..details("main") },
            ..binance("main")
        },
    ] {
        let problem = session.account_add(wrong).await.unwrap_err();
        assert_eq!(problem.code, Code::AccountInvalid);
        assert!(!format!("{problem:?}").contains(SECRET));
    }
    assert!(rows(&session).await.is_empty());
}

#[tokio::test]
async fn the_form_starts_from_the_account_but_without_secret_values() {
    let device = Device::new();
    let session = device.started().await;
    let id = add(&session, "main").await.id;
    let form = session.account_form(id).await.unwrap();
    assert_eq!(form.details.note, "a note");
    assert_eq!(form.details.permissions.trade, Permission::No);
    let [key, hidden] = form.fields.as_slice() else { panic!("two fields") };
    assert_eq!((key.value.as_deref(), key.secret, key.free), (Some(KEY), false, false));
    assert_eq!((hidden.value.as_deref(), hidden.secret, hidden.filled), (None, true, true));
    assert!(!format!("{form:?}").contains(SECRET));
}

#[tokio::test]
async fn an_edit_keeps_what_it_does_not_name_and_the_version_before_comes_back() {
    let device = Device::new();
    let session = device.started().await;
    let id = add(&session, "main").await.id;
    device.pass(60);
    let edit = AccountEdit { details: details("renamed"), fields: vec![field("apiKey", "another key")] };
    let row = session.account_edit(id.clone(), edit).await.unwrap();
    assert_eq!(row.label, "renamed");
    assert!(row.has_history && row.changed_at > row.created_at);
    assert_eq!(session.account_secret(id.clone(), "secret".to_owned()).await.unwrap().expose(), SECRET);

    let history = session.account_history(id.clone()).await.unwrap();
    let [now, before] = history.as_slice() else { panic!("two versions: {history:?}") };
    assert!(now.current && !before.current && before.this_device);
    assert_eq!((now.label.as_str(), before.label.as_str()), ("renamed", "main"));
    assert_eq!(now.differs_in, [VersionPart::Field { label: "API key".to_owned() }, VersionPart::Label]);
    assert!(before.differs_in.is_empty());

    device.pass(60);
    let row = session.account_restore_version(id.clone(), before.id.clone()).await.unwrap();
    assert_eq!(row.label, "main");
    assert_eq!(session.account_history(id.clone()).await.unwrap().len(), 3);
    let gone = session.account_restore_version(id, "revision 99 0".to_owned()).await.unwrap_err();
    assert_eq!(gone.code, Code::NotFound);
}

#[tokio::test]
async fn saving_a_form_without_a_change_makes_no_version() {
    let device = Device::new();
    let session = device.started().await;
    let row = add(&session, "main").await;
    device.pass(60);
    let edit = AccountEdit { details: details("main"), fields: vec![] };
    assert_eq!(session.account_edit(row.id.clone(), edit).await.unwrap(), row);
    assert_eq!(session.account_history(row.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn fields_of_another_exchange_are_named_by_the_person_and_can_be_cleared() {
    let device = Device::new();
    let session = device.started().await;
    let named = |key: &str, label: &str, is_secret, value: &str| FieldInput {
        key: key.to_owned(),
        label: Some(label.to_owned()),
        secret: Some(is_secret),
        value: secret(value),
    };
    let account = NewAccount {
        exchange: "other".to_owned(),
        details: details("small exchange"),
        fields: vec![
            named("clientId", "Client id", false, "client-000000"),
            named("pin", "Trading PIN", true, "CANARY-pin"),
        ],
        pinned: true,
    };
    let row = session.account_add(account).await.unwrap();
    assert_eq!((row.state, row.key_hint.as_deref()), (AccountState::LocalOnlyPinned, Some("cli…000")));
    let revealed = session.account_reveal(row.id.clone()).await.unwrap();
    let shown: Vec<_> =
        revealed.iter().map(|field| (field.label.as_str(), field.secret, field.value.expose())).collect();
    assert_eq!(shown, [("Client id", false, "client-000000"), ("Trading PIN", true, "CANARY-pin")]);

    let edit = AccountEdit {
        details: details("small exchange"),
        fields: vec![FieldInput { label: Some("Trading PIN".to_owned()), ..field("pin", "") }],
    };
    session.account_edit(row.id.clone(), edit).await.unwrap();
    assert_eq!(session.account_reveal(row.id.clone()).await.unwrap().len(), 1);
    let gone = session.account_secret(row.id, "pin".to_owned()).await;
    assert_eq!(gone.err().unwrap().code, Code::NotFound);
}

#[tokio::test]
async fn a_deletion_is_undone_for_a_day_and_then_final() {
    let device = Device::new();
    let session = device.started().await;
    let (one, other) = (add(&session, "one").await.id, add(&session, "other").await.id);
    session.account_delete(one.clone()).await.unwrap();
    assert_eq!(rows(&session).await.len(), 1);
    assert_eq!(session.account_form(one.clone()).await.unwrap_err().code, Code::AccountGone);
    assert_eq!(session.account_delete(one.clone()).await.unwrap_err().code, Code::AccountGone);
    assert_eq!(session.account_undelete(one.clone()).await.unwrap().label, "one");

    session.account_delete(one.clone()).await.unwrap();
    device.pass(2 * 24 * 60 * 60);
    session.account_delete(other.clone()).await.unwrap();
    assert_eq!(session.account_undelete(one).await.unwrap_err().code, Code::AccountGone);
    assert_eq!(session.account_undelete(other).await.unwrap().label, "other");
}

#[tokio::test]
async fn a_pin_is_set_and_taken_off() {
    let device = Device::new();
    let session = device.started().await;
    let id = add(&session, "main").await.id;
    for (pinned, state) in [(true, AccountState::LocalOnlyPinned), (false, AccountState::LocalOnly)] {
        assert_eq!(session.account_set_pinned(id.clone(), pinned).await.unwrap().state, state);
    }
    assert_eq!(session.account_keep_local(id.clone()).await.unwrap().state, AccountState::LocalOnlyPinned);
    let edit = AccountEdit { details: details("renamed"), fields: vec![] };
    assert_eq!(session.account_edit(id, edit).await.unwrap().state, AccountState::LocalOnlyPinned);
}

#[tokio::test]
async fn a_pasted_pair_is_split_and_a_single_value_tidied() {
    let device = Device::new();
    let session = device.start().await;
    let split = async |field: &str, text: String| {
        let text = SecretText::new(text);
        session.account_split_paste("binance".to_owned(), field.to_owned(), text).await.map(|split| {
            split
                .fields
                .iter()
                .map(|field| (field.key.clone(), field.value.expose().to_owned()))
                .collect::<Vec<_>>()
        })
    };
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let both = split("apiKey", format!("API Key: {KEY}\nSecret Key: {SECRET}")).await.unwrap();
    assert_eq!(both, [pair("apiKey", KEY), pair("secret", SECRET)]);
    let single = split("secret", format!("  \"{SECRET}\"\u{200b}\n")).await.unwrap();
    assert_eq!(single, [pair("secret", SECRET)]);
}

#[tokio::test]
async fn a_paste_of_ten_megabytes_is_refused_at_once() {
    let device = Device::new();
    let session = device.started().await;
    let begun = std::time::Instant::now();
    let text = SecretText::new("x".repeat(10 << 20));
    let refused = session.account_split_paste("binance".to_owned(), "secret".to_owned(), text).await;
    assert_eq!(refused.err().unwrap().code, Code::TooLarge);
    let fields = vec![field("apiKey", KEY), field("secret", &"x".repeat(10 << 20))];
    let refused = session.account_add(NewAccount { fields, ..binance("main") }).await.unwrap_err();
    assert_eq!(refused.code, Code::AccountInvalid);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_hint_names_what_looks_unusual_and_nothing_of_the_value() {
    let device = Device::new();
    let session = device.start().await;
    let hint = async |value: &str| {
        session.account_hint("binance".to_owned(), "apiKey".to_owned(), secret(value)).await.unwrap()
    };
    assert_eq!(hint(&"a".repeat(64)).await, None);
    let sentence = hint("CANARY").await.unwrap();
    assert!(!sentence.contains("CANARY"), "{sentence}");
}

#[tokio::test]
async fn only_pages_of_the_catalogue_can_be_opened() {
    let device = Device::new();
    let session = device.start().await;
    for exchange in session.accounts_exchanges().await.unwrap() {
        let page = session.account_api_page(exchange.id.clone()).await;
        assert_eq!(page.is_ok(), exchange.page.is_some(), "{}", exchange.id);
        assert!(page.is_ok_and(|page| page.starts_with("https://")) || exchange.page.is_none());
    }
    let other = session.account_api_page("https://example.com".to_owned()).await.unwrap_err();
    assert_eq!(other.code, Code::NotFound);
}

#[tokio::test]
async fn the_lock_passphrase_is_set_changed_and_taken_off() {
    let device = Device::new();
    let session = device.started().await;
    add(&session, "main").await;
    assert_eq!(session.app_lock().await.unwrap_err().code, Code::PassphraseRequired);
    let short = session.general_set_passphrase(None, Some(secret("short"))).await.unwrap_err();
    assert_eq!(short.code, Code::WeakPassword);

    let view = session.general_set_passphrase(None, Some(secret(PASSPHRASE))).await.unwrap();
    assert!(view.lock.passphrase_set);
    assert_eq!(session.app_lock().await.unwrap().stage, Stage::Locked);
    for locked in [
        session.accounts_view().await.map(drop),
        session.account_add(binance("other")).await.map(drop),
        session.general_view().await.map(drop),
        session.general_export_backup(device.file("b.age"), secret(PASSPHRASE)).await.map(drop),
    ] {
        assert_eq!(locked.unwrap_err().code, Code::Locked);
    }
    let wrong = session.unlock_with_passphrase(secret("another passphrase")).await.unwrap_err();
    assert_eq!(wrong.code, Code::Passphrase);
    assert_eq!(session.unlock_with_passphrase(secret(PASSPHRASE)).await.unwrap().stage, Stage::Open);
    assert_eq!(rows(&session).await.len(), 1);

    let new = "another passphrase of the lock";
    let wrong = session.general_set_passphrase(Some(secret("not this one")), Some(secret(new))).await;
    assert_eq!(wrong.unwrap_err().code, Code::Passphrase);
    session.general_set_passphrase(Some(secret(PASSPHRASE)), Some(secret(new))).await.unwrap();
    session.app_lock().await.unwrap();
    assert_eq!(session.unlock_with_passphrase(secret(PASSPHRASE)).await.unwrap_err().code, Code::Passphrase);
    session.unlock_with_passphrase(secret(new)).await.unwrap();

    let view = session.general_set_passphrase(Some(secret(new)), None).await.unwrap();
    assert!(!view.lock.passphrase_set);
    session.stop().await;
    drop(session);
    assert_eq!(rows(&device.start().await).await.len(), 1);
}

#[tokio::test]
async fn without_a_keyring_the_passphrase_cannot_be_taken_off() {
    let device = Device::new();
    let session = device.start_with(KeyringChoice::None).await;
    let refused = session.welcome_start(None).await.unwrap_err();
    assert_eq!(refused.code, Code::PassphraseRequired);
    session.welcome_start(Some(secret(PASSPHRASE))).await.unwrap();
    add(&session, "main").await;
    let refused = session.general_set_passphrase(Some(secret(PASSPHRASE)), None).await.unwrap_err();
    assert_eq!(refused.code, Code::PassphraseRequired);
    let new = "another passphrase of the lock";
    session.general_set_passphrase(Some(secret(PASSPHRASE)), Some(secret(new))).await.unwrap();
    session.app_lock().await.unwrap();
    session.unlock_with_passphrase(secret(new)).await.unwrap();
    assert_eq!(rows(&session).await.len(), 1);
}

#[tokio::test]
async fn a_backup_comes_back_on_another_device_and_never_replaces_what_is_newer() {
    let device = Device::new();
    let session = device.started().await;
    let kept = add(&session, "kept").await.id;
    let edited = add(&session, "edited").await.id;
    let file = device.file("backup.age");
    device.pass(100);
    let written = session.general_export_backup(file.clone(), secret(PASSPHRASE)).await.unwrap();
    assert_eq!((written.accounts, written.closed, written.file.as_str()), (2, 0, file.as_str()));
    let made_at = session.general_view().await.unwrap().last_backup_at.unwrap();
    assert_eq!(made_at.0, device.clock.unix_seconds() * 1000);

    let edit = AccountEdit { details: details("edited later"), fields: vec![] };
    session.account_edit(edited.clone(), edit).await.unwrap();
    let again = session.general_restore_backup(file.clone(), secret(PASSPHRASE)).await.unwrap();
    assert_eq!((again.added, again.updated, again.unchanged), (0, 0, 2));
    assert_eq!(label_of(&session, &edited).await.unwrap(), "edited later");
    session.account_delete(kept.clone()).await.unwrap();
    let again = session.general_restore_backup(file.clone(), secret(PASSPHRASE)).await.unwrap();
    assert_eq!((again.added, again.unchanged), (1, 1));

    let other = Device::new();
    let session = other.started().await;
    let mut changes = session.changes();
    let wrong = session.general_restore_backup(file.clone(), secret("another")).await.unwrap_err();
    assert_eq!(wrong.code, Code::BackupPassphrase);
    let restored = session.general_restore_backup(file, secret(PASSPHRASE)).await.unwrap();
    assert_eq!((restored.added, restored.updated, restored.unchanged), (2, 0, 0));
    let value = session.account_secret(kept, "secret".to_owned()).await.unwrap();
    assert_eq!(value.expose(), SECRET);
    let mut progress = Vec::new();
    while let Ok(change) = changes.try_recv() {
        if let Change::Progress { progress: step } = change {
            progress.push((step.what, step.done, step.total));
        }
    }
    assert_eq!(progress, [(ProgressKind::Restoring, 0, 2), (ProgressKind::Restoring, 2, 2)]);
}

#[tokio::test]
async fn a_backup_is_refused_where_it_cannot_or_should_not_be() {
    let device = Device::new();
    let session = device.started().await;
    add(&session, "main").await;
    let beside = device.profile().join("vault.sqlite").display().to_string();
    for file in [beside, device.file("no/such/folder/b.age"), String::new()] {
        let refused = session.general_export_backup(file, secret(PASSPHRASE)).await.unwrap_err();
        assert_eq!(refused.code, Code::File);
    }
    let empty = session.general_export_backup(device.file("b.age"), secret("")).await.unwrap_err();
    assert_eq!(empty.code, Code::PassphraseRequired);
    std::fs::write(device.file("foreign.age"), "something else").unwrap();
    let foreign = session.general_restore_backup(device.file("foreign.age"), secret(PASSPHRASE)).await;
    assert_eq!(foreign.unwrap_err().code, Code::BackupDamaged);
    let missing = session.general_restore_backup(device.file("none.age"), secret(PASSPHRASE)).await;
    assert_eq!(missing.unwrap_err().code, Code::File);
    assert_eq!(rows(&session).await.len(), 1);
}

#[tokio::test]
async fn preferences_are_kept_and_told() {
    let device = Device::new();
    let session = device.started().await;
    let mut changes = session.changes();
    let lock = LockTimes { idle_minutes: Some(0), on_sleep: false, on_screen_lock: true };
    session.general_set_lock(lock).await.unwrap();
    session.general_set_clipboard_seconds(Some(1)).await.unwrap();
    let view = session.general_set_theme(Theme::Dark).await.unwrap();
    assert_eq!((view.theme, view.clipboard_seconds), (Theme::Dark, Some(5)));
    assert_eq!(view.lock.times, LockTimes { idle_minutes: Some(1), ..lock });
    assert_eq!(view.status.state, SyncState::Off);
    assert!(view.suggested_backup_file.ends_with("-2027-01-15.age"), "{}", view.suggested_backup_file);
    assert_eq!(session.app_view().await.unwrap().theme, Theme::Dark);
    let stored = device.preferences.load();
    assert_eq!(
        stored,
        Preferences {
            theme: Theme::Dark,
            clipboard_seconds: Some(5),
            lock: view.lock.times,
            last_backup: None
        }
    );
    let told = std::iter::from_fn(|| changes.try_recv().ok())
        .filter(|change| matches!(change, Change::General { .. }));
    assert_eq!(told.count(), 3);
    let never = session.general_set_clipboard_seconds(None).await.unwrap();
    assert_eq!(never.clipboard_seconds, None);
}

#[tokio::test]
async fn nothing_of_an_account_lies_readable_in_the_profile() {
    const CANARIES: [&str; 5] = ["CANARY-", "label of mine", "note of mine", "binance", "AbCdEfGh0123"];
    let device = Device::new();
    let session = device.started().await;
    let details = AccountDetails { note: "note of mine".to_owned(), ..details("label of mine") };
    let id = session.account_add(NewAccount { details, ..binance("") }).await.unwrap().id;
    for label in ["label of mine, again", "label of mine"] {
        let edit = AccountEdit { details: self::details(label), fields: vec![field("secret", "CANARY-2")] };
        session.account_edit(id.clone(), edit).await.unwrap();
    }
    session.general_set_passphrase(None, Some(secret("CANARY-passphrase"))).await.unwrap();
    session.general_export_backup(device.file("backup.age"), secret("CANARY-backup")).await.unwrap();
    session.account_delete(id).await.unwrap();
    assert_none_of(&CANARIES, device.folder.path());
    session.stop().await;
    assert_none_of(&CANARIES, device.folder.path());
}

fn assert_none_of(canaries: &[&str], folder: &Path) {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_none_of(canaries, &path);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        seen += bytes.len();
        for canary in canaries {
            let is_there =
                bytes.windows(canary.len()).any(|window| window.eq_ignore_ascii_case(canary.as_bytes()));
            assert!(!is_there, "{canary} in {}", path.display());
        }
    }
    let is_vault = folder.join("vault.sqlite").exists();
    assert!(!is_vault || seen > 10_000, "the vault holds something");
}
