//! What the recovery kit is for: a new recovery code, a lost password, and a server that is gone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use keyquay_client::view::accounts::AccountState;
use keyquay_client::view::sync::{KitCode, SetupPath, SetupStep};
use keyquay_client::view::welcome::SyncState;
use keyquay_crypto::SecretString;
use keyquay_protocol::Code;
use keyquay_vault::{Profile, Vault};
use support::{Device, Stage, secret};

const NEW_PASSWORD: &str = "five other words are longer";

impl Stage {
    /// Makes a new recovery code on `device`, and returns the one before.
    async fn renew_code(&mut self, device: &Device) -> String {
        let password = secret(&self.trader.password);
        let kit = device.session.sync_kit_renew(password, self.trader.code()).await.expect("a kit is made");
        let new = kit.recovery_code.expose().to_owned();
        let code = match kit.asked.of {
            KitCode::SecretKey => kit.secret_key.expose(),
            KitCode::RecoveryCode => &new,
        };
        let group = code.split('-').nth(usize::from(kit.asked.number)).expect("the group is there");
        device.session.sync_kit_confirm(secret(group)).await.expect("the kit is confirmed");
        std::mem::replace(&mut self.trader.recovery_code, new)
    }

    /// Reads the recovery record that rests on a device which does not run, and puts another in its place.
    fn swap_record(&self, name: &str, other: Option<&[u8]>) -> Vec<u8> {
        let profile = Profile::open(&self.folder.path().join(name), "main").expect("the device does not run");
        let passphrase = SecretString::from("lock passphrase");
        let mut vault = Vault::open(&profile, None, Some(&passphrase)).expect("the vault opens");
        let record = vault.recovery_record().expect("it is whole").expect("there is one");
        if let Some(other) = other {
            vault.transaction(|transaction| transaction.set_recovery_record(other)).expect("it is stored");
        }
        record
    }
}

async fn opens_without_server(device: &Device, code: &str) -> Result<u32, Code> {
    let opened = device.session.general_open_without_server(secret(code)).await;
    opened.map(|opened| opened.accounts).map_err(|problem| problem.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_recovery_code_opens_another_device_without_a_server_and_the_old_one_does_not() {
    let mut stage = Stage::new().await;
    let desk = stage.first().await;
    let laptop = stage.joined().await;
    let old = stage.renew_code(&desk).await;
    assert_ne!(old, stage.trader.recovery_code);
    // What comes after the new code is here, so the new code's record is as well.
    let after = desk.add("kraken", "After", "key-of-after", "secret-of-after").await;
    desk.session.accounts_upload(vec![after.id]).await.expect("uploaded");
    laptop.until_row("After", AccountState::Available).await;
    desk.session.stop().await;
    stage.server.stop().await;

    let laptop = laptop.restart(stage.folder.path(), stage.server.clock()).await;
    assert_eq!(opens_without_server(&laptop, &old).await, Err(Code::RecoveryCodeWrong));
    assert_eq!(opens_without_server(&laptop, &stage.trader.recovery_code).await, Ok(2));
    laptop.until_row("Main", AccountState::LocalOnly).await;
    let fields = laptop.reveal("After").await.expect("it is a local account");
    assert!(fields.contains(&("secret".to_owned(), "secret-of-after".to_owned())));
    laptop.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_missed_the_new_record_says_so_and_fetches_it_online() {
    let mut stage = Stage::new().await;
    let desk = stage.first().await;
    let laptop = stage.joined().await;
    laptop.session.stop().await;
    drop(laptop);
    let before = stage.swap_record("laptop", None);

    let old = stage.renew_code(&desk).await;
    let restarted = async |stage: &Stage| {
        let laptop = Device::installed(stage.folder.path(), "laptop", stage.server.clock()).await;
        laptop.session.unlock_with_passphrase(secret("lock passphrase")).await.expect("the vault opens");
        laptop
    };
    let laptop = restarted(&stage).await;
    laptop.until_status(SyncState::Synced).await;
    laptop.session.stop().await;
    drop(laptop);
    // As if it had gone offline between the entry and the record.
    let fetched = stage.swap_record("laptop", Some(&before));
    assert_ne!(fetched, before, "a device that comes back fetches the record");

    stage.server.stop().await;
    let laptop = restarted(&stage).await;
    for code in [&old, &stage.trader.recovery_code] {
        let problem = laptop.session.general_open_without_server(secret(code)).await.expect_err("refused");
        assert_eq!(problem.code, Code::Closed);
        assert!(problem.detail.is_some_and(|detail| detail.contains("Go online once")));
    }
    stage.server.resume().await.expect("the server is back");
    laptop.session.sync_now().await.expect("asked again");
    laptop.until_status(SyncState::Synced).await;
    stage.server.stop().await;
    assert_eq!(opens_without_server(&laptop, &old).await, Err(Code::RecoveryCodeWrong));
    assert_eq!(opens_without_server(&laptop, &stage.trader.recovery_code).await, Ok(1));
    laptop.session.stop().await;
    desk.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_password_is_replaced_with_the_recovery_code_on_a_new_device() {
    let mut stage = Stage::new().await;
    let desk = stage.first().await;
    let phone = stage.device("phone").await;
    let session = &phone.session;
    session.sync_setup_server(stage.server.url().to_owned()).await.expect("the server answers");
    session
        .sync_setup_recover(stage.trader.email.clone(), secret(&stage.trader.recovery_code))
        .await
        .expect("recovery begins");
    phone.verify_by_mail(&mut stage.trader, &stage.server).await;
    let view = session.sync_setup_view().await.expect("the step");
    assert_eq!((view.step, view.path), (SetupStep::SecondFactor, SetupPath::Recovery));
    session.sync_setup_prove_second_factor(stage.trader.code()).await.expect("the code is right");
    session.sync_setup_new_password(secret(NEW_PASSWORD)).await.expect("it is long enough");
    let (old_key, code) = (stage.trader.secret_key.clone(), stage.trader.recovery_code.clone());
    let view = phone.confirm_kit(&mut stage.trader).await;
    assert_eq!(view.step, SetupStep::Compare);
    assert_ne!(stage.trader.secret_key, old_key, "the kit has a new Secret Key");
    assert_eq!(stage.trader.recovery_code, code, "and the recovery code that was just used");
    session.sync_setup_compared(true).await.expect("the phrases are the same");
    phone.choose(&[], &[]).await;
    phone.until_status(SyncState::Synced).await;
    let main = phone.until_row("Main", AccountState::Available).await;
    session.accounts_retrieve(vec![main.id]).await.expect("retrieved");
    let fields = phone.reveal("Main").await.expect("retrieved accounts open");
    assert!(fields.contains(&("secret".to_owned(), "secret-of-main".to_owned())));

    let old = session.general_secret_key(secret(&stage.trader.password), stage.trader.code()).await;
    assert_eq!(old.err().map(|problem| problem.code), Some(Code::SignIn), "the lost password ended");
    stage.trader.password = NEW_PASSWORD.to_owned();
    let laptop = stage.joined().await;
    for device in [&desk, &phone, &laptop] {
        device.session.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_recovery_code_recovers_nothing() {
    let mut stage = Stage::new().await;
    let desk = stage.first().await;
    let old = stage.renew_code(&desk).await;
    let phone = stage.device("phone").await;
    let session = &phone.session;
    session.sync_setup_server(stage.server.url().to_owned()).await.expect("the server answers");
    session.sync_setup_recover(stage.trader.email.clone(), secret(&old)).await.expect("recovery begins");
    phone.verify_by_mail(&mut stage.trader, &stage.server).await;
    session.sync_setup_prove_second_factor(stage.trader.code()).await.expect("the code is right");
    session.sync_setup_new_password(secret(NEW_PASSWORD)).await.expect("it is long enough");
    let kit = session.sync_setup_kit().await.expect("the kit is made");
    let code = match kit.asked.of {
        KitCode::SecretKey => &kit.secret_key,
        KitCode::RecoveryCode => &kit.recovery_code,
    };
    let group = code.expose().split('-').nth(usize::from(kit.asked.number)).expect("the group is there");
    let refused = session.sync_setup_confirm_kit(secret(group)).await;
    assert_eq!(refused.err().map(|problem| problem.code), Some(Code::RecoveryCodeWrong));
    let password = secret(&stage.trader.password);
    desk.session.general_secret_key(password, stage.trader.code()).await.expect("the password is as before");
    desk.session.stop().await;
    session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_change_of_password_devices_sign_in_with_the_new_one_only() {
    let mut stage = Stage::new().await;
    let desk = stage.first().await;
    let laptop = stage.joined().await;
    let current = secret(&stage.trader.password);
    desk.session
        .general_change_password(current, stage.trader.code(), secret(NEW_PASSWORD))
        .await
        .expect("changed");

    let old = secret(&stage.trader.password);
    let refused = laptop.session.general_secret_key(old, stage.trader.code()).await;
    assert_eq!(refused.err().map(|problem| problem.code), Some(Code::SignIn));
    let shown = laptop.session.general_secret_key(secret(NEW_PASSWORD), stage.trader.code()).await;
    assert_eq!(shown.expect("the new password").expose(), stage.trader.secret_key);

    stage.trader.password = NEW_PASSWORD.to_owned();
    let phone = stage.device("phone").await;
    phone.join(&mut stage.trader, &stage.server).await;
    phone.choose(&[], &[]).await;
    phone.until_row("Main", AccountState::Available).await;
    // The recovery code is the one of before.
    stage.server.stop().await;
    assert_eq!(opens_without_server(&phone, &stage.trader.recovery_code).await, Ok(1));
    for device in [&desk, &laptop, &phone] {
        device.session.stop().await;
    }
}
