//! The Accounts tab.

use keyquay_client::view::SecretText;
use keyquay_client::view::accounts::{
    AccountEdit, AccountForm, AccountRow, AccountVersion, AccountsView, AutoConnectPreview, Copied,
    ExchangeInfo, NewAccount, RevealedField, SplitPaste,
};
use keyquay_protocol::{Code, Problem};
use tauri::State;

use super::{Answer, TheSession};
use crate::clipboard::Clipboard;

/// Copies one field; its value never passes the page.
#[tauri::command]
pub async fn account_copy(
    session: TheSession<'_>,
    clipboard: State<'_, Clipboard>,
    account: String,
    field: String,
) -> Answer<Copied> {
    let value = session.account_secret(account, field).await?;
    Ok(clipboard.copy(value, session.preferences().clipboard_seconds).await?)
}

/// Opens the exchange's page in the browser. The page of the app names an exchange; the address is the catalogue's.
#[tauri::command]
pub async fn account_open_api_page(session: TheSession<'_>, exchange: String) -> Answer<()> {
    let page = session.account_api_page(exchange).await?;
    open::that_detached(page)
        .map_err(|error| Problem::new(Code::Browser).with_detail(error.to_string()).into())
}

#[tauri::command]
pub async fn accounts_view(session: TheSession<'_>) -> Answer<AccountsView> {
    Ok(session.accounts_view().await?)
}

#[tauri::command]
pub async fn accounts_exchanges(session: TheSession<'_>) -> Answer<Vec<ExchangeInfo>> {
    Ok(session.accounts_exchanges().await?)
}

#[tauri::command]
pub async fn accounts_auto_connect_preview(session: TheSession<'_>) -> Answer<AutoConnectPreview> {
    Ok(session.accounts_auto_connect_preview().await?)
}

#[tauri::command]
pub async fn accounts_set_auto_connect(
    session: TheSession<'_>,
    on: bool,
    include: Vec<String>,
) -> Answer<AccountsView> {
    Ok(session.accounts_set_auto_connect(on, include).await?)
}

#[tauri::command]
pub async fn accounts_upload(session: TheSession<'_>, accounts: Vec<String>) -> Answer<()> {
    Ok(session.accounts_upload(accounts).await?)
}

#[tauri::command]
pub async fn accounts_retrieve(session: TheSession<'_>, accounts: Vec<String>) -> Answer<()> {
    Ok(session.accounts_retrieve(accounts).await?)
}

#[tauri::command]
pub async fn account_split_paste(
    session: TheSession<'_>,
    exchange: String,
    field: String,
    text: SecretText,
) -> Answer<SplitPaste> {
    Ok(session.account_split_paste(exchange, field, text).await?)
}

#[tauri::command]
pub async fn account_hint(
    session: TheSession<'_>,
    exchange: String,
    field: String,
    value: SecretText,
) -> Answer<Option<String>> {
    Ok(session.account_hint(exchange, field, value).await?)
}

#[tauri::command]
pub async fn account_add(session: TheSession<'_>, account: NewAccount) -> Answer<AccountRow> {
    Ok(session.account_add(account).await?)
}

#[tauri::command]
pub async fn account_form(session: TheSession<'_>, account: String) -> Answer<AccountForm> {
    Ok(session.account_form(account).await?)
}

#[tauri::command]
pub async fn account_edit(session: TheSession<'_>, account: String, edit: AccountEdit) -> Answer<AccountRow> {
    Ok(session.account_edit(account, edit).await?)
}

#[tauri::command]
pub async fn account_reveal(session: TheSession<'_>, account: String) -> Answer<Vec<RevealedField>> {
    Ok(session.account_reveal(account).await?)
}

#[tauri::command]
pub async fn account_keep_local(session: TheSession<'_>, account: String) -> Answer<AccountRow> {
    Ok(session.account_keep_local(account).await?)
}

#[tauri::command]
pub async fn account_set_pinned(
    session: TheSession<'_>,
    account: String,
    pinned: bool,
) -> Answer<AccountRow> {
    Ok(session.account_set_pinned(account, pinned).await?)
}

#[tauri::command]
pub async fn account_history(session: TheSession<'_>, account: String) -> Answer<Vec<AccountVersion>> {
    Ok(session.account_history(account).await?)
}

#[tauri::command]
pub async fn account_restore_version(
    session: TheSession<'_>,
    account: String,
    version: String,
) -> Answer<AccountRow> {
    Ok(session.account_restore_version(account, version).await?)
}

#[tauri::command]
pub async fn account_conflict(session: TheSession<'_>, account: String) -> Answer<Vec<AccountVersion>> {
    Ok(session.account_conflict(account).await?)
}

#[tauri::command]
pub async fn account_choose_version(
    session: TheSession<'_>,
    account: String,
    version: String,
    keep_others: bool,
) -> Answer<AccountRow> {
    Ok(session.account_choose_version(account, version, keep_others).await?)
}

#[tauri::command]
pub async fn account_delete(session: TheSession<'_>, account: String) -> Answer<()> {
    Ok(session.account_delete(account).await?)
}

#[tauri::command]
pub async fn account_undelete(session: TheSession<'_>, account: String) -> Answer<AccountRow> {
    Ok(session.account_undelete(account).await?)
}
