//! The types of `ui/bindings/view.d.ts`, written from the Rust ones.

use std::path::Path;

use ts_rs::{Config, TS};

use super::{
    Change, Problem, Progress, ProgressKind, SecretText, UnixMillis, accounts::*, general::*, sync::*,
    welcome::*,
};

/// Set to write the file anew instead of comparing it.
const WRITE: &str = "KEYQUAY_WRITE_BINDINGS";

#[test]
fn the_bindings_in_ui_are_those_of_the_rust_types() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/bindings/view.d.ts");
    let generated = bindings();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, &generated).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap().replace("\r\n", "\n");
    assert!(kept == generated, "{} is not current: run this test with {WRITE}=1", file.display());
}

macro_rules! declare {
    ($($type:ty),* $(,)?) => {{
        let config = Config::default();
        let mut declarations = Vec::new();
        $(
            let docs = <$type>::docs().unwrap_or_default();
            declarations.push(format!("{}export {}\n", docs, <$type>::decl(&config)));
        )*
        declarations.join("\n")
    }};
}

fn bindings() -> String {
    let declarations = declare!(
        // welcome
        AppView,
        Stage,
        SyncStatus,
        SyncState,
        WelcomeView,
        Keyring,
        UnlockView,
        UnlockReason,
        // accounts
        AccountsView,
        ClosedAccounts,
        ClosedReason,
        AccountRow,
        AccountState,
        Environment,
        Permissions,
        Permission,
        ExchangeInfo,
        ExchangeField,
        PageKind,
        NewAccount,
        AccountEdit,
        AccountDetails,
        FieldInput,
        AccountForm,
        FormField,
        SplitPaste,
        RevealedField,
        Copied,
        AccountVersion,
        VersionPart,
        AutoConnectPreview,
        // sync
        SyncView,
        DeviceRow,
        Platform,
        DeviceState,
        LastSync,
        SyncOutcome,
        Activity,
        ActivityKind,
        SetupView,
        SetupStep,
        SetupPath,
        VerificationMail,
        Comparison,
        SecondFactorEnrolment,
        BackupCodes,
        RecoveryKit,
        KitGroup,
        KitCode,
        Removal,
        ReplaceRow,
        // general
        GeneralView,
        SecondFactor,
        LockSettings,
        LockTimes,
        Theme,
        BackupWritten,
        BackupRestored,
        OpenedWithoutServer,
        FilePurpose,
        // every screen
        Change,
        Progress,
        ProgressKind,
        Problem,
        SecretText,
        UnixMillis,
    );
    let lines: Vec<&str> = declarations.lines().map(str::trim_end).collect();
    format!("// Generated from crates/client/src/view by its test; do not edit.\n\n{}\n", lines.join("\n"))
}
