//! The add and edit form: between what a person types and an account.

use keyquay_crypto::{ExposeSecret, SecretString};
use keyquay_exchanges::{Account, AccountId, Exchange, Field, paste};
use keyquay_protocol::{Code, Problem};

use crate::session::of_account;
use crate::view::SecretText;
use crate::view::accounts::{
    AccountDetails, AccountEdit, AccountForm, Environment, ExchangeField, ExchangeInfo, FieldInput,
    FormField, NewAccount, PageKind, Permission, Permissions, RevealedField, SplitPaste,
};

/// Longer texts hold no key of any exchange.
const LONGEST_PASTE: usize = 64 * 1024;

pub(super) fn exchange_info(exchange: &Exchange) -> ExchangeInfo {
    let field = |field: &Field| ExchangeField {
        key: field.key.clone(),
        label: field.label.clone(),
        secret: field.secret,
        required: field.required,
        multi_line: field.multi_line,
        help: field.help.clone(),
        usual: field.usual(),
    };
    ExchangeInfo {
        id: exchange.id.clone(),
        name: exchange.name.clone(),
        aliases: exchange.aliases.clone(),
        fields: exchange.fields().iter().map(field).collect(),
        free_fields: exchange.free_fields,
        has_testnet: exchange.testnet,
        page: exchange.page.as_ref().map(|page| page_kind(page.kind)),
        notes: exchange.notes.clone(),
    }
}

pub(crate) fn page_kind(kind: keyquay_exchanges::PageKind) -> PageKind {
    match kind {
        keyquay_exchanges::PageKind::Manage => PageKind::Manage,
        keyquay_exchanges::PageKind::Docs => PageKind::Docs,
    }
}

pub(super) fn split_paste(exchange: &str, field: &str, text: &SecretText) -> Result<SplitPaste, Problem> {
    let text = text.expose();
    if text.len() > LONGEST_PASTE {
        return Err(Problem {
            hint: "Paste the key alone, without other text.".to_owned(),
            ..Problem::new(Code::TooLarge)
        });
    }
    let found = Exchange::find(exchange).map(|exchange| paste::split(exchange, text)).unwrap_or_default();
    let input = |key: &str, value: &str| FieldInput {
        key: key.to_owned(),
        label: None,
        secret: None,
        value: SecretText::new(value.to_owned()),
    };
    if found.is_empty() {
        let cleaned = paste::clean(&described(exchange, field), text);
        return Ok(SplitPaste { fields: vec![input(field, &cleaned)] });
    }
    let fields = found.iter().map(|found| input(&found.key, found.value.expose_secret())).collect();
    Ok(SplitPaste { fields })
}

pub(super) fn hint(exchange: &str, field: &str, value: &SecretText) -> Option<String> {
    described(exchange, field).hint(value.expose()).map(|hint| hint.sentence)
}

/// The catalogue's field, or one that a person named.
fn described(exchange: &str, key: &str) -> Field {
    let known = Exchange::find(exchange).and_then(|exchange| exchange.field(key)).cloned();
    known.unwrap_or_else(|| Field::free(key, key, true))
}

pub(super) fn make_account(new: &NewAccount, now: u64) -> Result<Account, Problem> {
    if Exchange::find(&new.exchange).is_none() {
        return Err(invalid("Choose an exchange; “Other” has free fields."));
    }
    refuse_long(&new.fields)?;
    let mut account =
        Account::make(&new.exchange, new.details.label.trim(), now).map_err(|error| of_account(&error))?;
    apply(&mut account, &new.details, &new.fields);
    checked(account)
}

/// `None` when nothing changed.
pub(super) fn edited(before: &Account, edit: &AccountEdit, now: u64) -> Result<Option<Account>, Problem> {
    refuse_long(&edit.fields)?;
    let mut account = before.clone();
    apply(&mut account, &edit.details, &edit.fields);
    let mut account = checked(account)?;
    let bytes = |account: &Account| account.to_bytes().map_err(|error| of_account(&error));
    if bytes(&account)? == bytes(before)? {
        return Ok(None);
    }
    account.changed = now;
    Ok(Some(account))
}

fn apply(account: &mut Account, details: &AccountDetails, fields: &[FieldInput]) {
    account.label = details.label.trim().to_owned();
    account.tags = tags(&details.tags);
    account.note = SecretString::from(details.note.clone());
    account.environment = match details.environment {
        Environment::Live => keyquay_exchanges::Environment::Live,
        Environment::Testnet => keyquay_exchanges::Environment::Testnet,
    };
    let Permissions { read, trade, withdraw } = details.permissions;
    account.permissions = keyquay_exchanges::Permissions {
        read: permission(read),
        trade: permission(trade),
        withdraw: permission(withdraw),
    };
    account.ip_note = details.ip_note.trim().to_owned();
    account.expires_on = details.expires_on.clone().filter(|date| !date.is_empty());
    for field in fields {
        set_field(account, field);
    }
}

/// An empty value clears the field.
fn set_field(account: &mut Account, input: &FieldInput) {
    let value = input.value.expose();
    if value.is_empty() {
        account.fields.remove(&input.key);
        return;
    }
    let value = SecretString::from(value.to_owned());
    let is_known = account.catalogue_entry().is_some_and(|exchange| exchange.field(&input.key).is_some());
    let is_there = account.fields.entry(&input.key).is_some();
    if is_known || (is_there && input.label.is_none()) {
        account.fields.set(&input.key, value);
    } else {
        account.fields.set_free(&input.key, input.label.clone(), input.secret.unwrap_or(true), value);
    }
}

/// Trimmed, without empty ones, each once.
fn tags(typed: &[String]) -> Vec<String> {
    let mut tags: Vec<String> = Vec::with_capacity(typed.len());
    for tag in typed.iter().map(|tag| tag.trim()).filter(|tag| !tag.is_empty()) {
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    tags
}

fn checked(account: Account) -> Result<Account, Problem> {
    if account.label.is_empty() {
        return Err(invalid("Give the account a label, so that you find it again."));
    }
    account.validate().map_err(|error| of_account(&error))?;
    Ok(account)
}

/// Before anything is copied: what is far too long for a key need not be looked at.
fn refuse_long(fields: &[FieldInput]) -> Result<(), Problem> {
    if fields.iter().all(|field| field.value.expose().len() <= LONGEST_PASTE) {
        return Ok(());
    }
    Err(invalid("A field is too long for a key; paste the key alone, without other text."))
}

fn invalid(detail: &str) -> Problem {
    Problem::new(Code::AccountInvalid).with_detail(detail)
}

pub(super) fn account_form(account: &Account) -> AccountForm {
    AccountForm {
        id: account.id.to_string(),
        exchange: account.exchange.clone(),
        details: AccountDetails {
            label: account.label.clone(),
            tags: account.tags.clone(),
            note: account.note.expose_secret().to_owned(),
            environment: environment_view(account.environment),
            permissions: permissions_view(account.permissions),
            ip_note: account.ip_note.clone(),
            expires_on: account.expires_on.clone(),
        },
        fields: in_order(account).map(|field| form_field(account, field)).collect(),
    }
}

fn form_field(account: &Account, field: Field) -> FormField {
    let free = account.catalogue_entry().is_none_or(|exchange| exchange.field(&field.key).is_none());
    let value = account.fields.get(&field.key).map(|value| value.expose_secret()).unwrap_or_default();
    FormField {
        filled: !value.is_empty(),
        value: (!field.secret).then(|| value.to_owned()),
        key: field.key,
        label: field.label,
        secret: field.secret,
        multi_line: field.multi_line,
        free,
    }
}

pub(super) fn revealed(account: &Account) -> Vec<RevealedField> {
    let shown = |field: Field| {
        let value = value(account, &field.key)?;
        let Field { key, label, secret, multi_line, .. } = field;
        Some(RevealedField { key, label, secret, multi_line, value })
    };
    in_order(account).filter_map(shown).collect()
}

/// `None` if the field is not filled.
pub(super) fn value(account: &Account, key: &str) -> Option<SecretText> {
    let value = account.fields.get(key)?.expose_secret();
    (!value.is_empty()).then(|| SecretText::new(value.to_owned()))
}

/// The account's fields: the catalogue's in the order of its form, then the others.
fn in_order(account: &Account) -> impl Iterator<Item = Field> {
    let known: Vec<&str> = account
        .catalogue_entry()
        .into_iter()
        .flat_map(Exchange::fields)
        .map(|field| field.key.as_str())
        .filter(|key| account.fields.entry(key).is_some())
        .collect();
    let others = account.fields.iter().map(|field| field.key.as_str()).filter(|key| !known.contains(key));
    let keys: Vec<&str> = known.iter().copied().chain(others).collect();
    keys.into_iter().map(|key| account.describe(key))
}

/// A version of an account that becomes an account of its own.
pub(super) fn copy_of(account: &Account, label: String) -> Result<Account, Problem> {
    let mut copy = account.clone();
    copy.id = AccountId::make().map_err(|error| of_account(&error))?;
    copy.label = label;
    Ok(copy)
}

pub(super) fn environment_view(environment: keyquay_exchanges::Environment) -> Environment {
    match environment {
        keyquay_exchanges::Environment::Live => Environment::Live,
        keyquay_exchanges::Environment::Testnet => Environment::Testnet,
    }
}

pub(super) fn permissions_view(permissions: keyquay_exchanges::Permissions) -> Permissions {
    let view = |permission| match permission {
        keyquay_exchanges::Permission::Yes => Permission::Yes,
        keyquay_exchanges::Permission::No => Permission::No,
        keyquay_exchanges::Permission::Unknown => Permission::Unknown,
    };
    let keyquay_exchanges::Permissions { read, trade, withdraw } = permissions;
    Permissions { read: view(read), trade: view(trade), withdraw: view(withdraw) }
}

fn permission(permission: Permission) -> keyquay_exchanges::Permission {
    match permission {
        Permission::Yes => keyquay_exchanges::Permission::Yes,
        Permission::No => keyquay_exchanges::Permission::No,
        Permission::Unknown => keyquay_exchanges::Permission::Unknown,
    }
}
