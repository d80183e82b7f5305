//! The second factor of an enrolled user: new backup codes, and a new factor in place of the one in use.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use keyquay_protocol::Code;
use keyquay_server::testing::TestServer;
use support::{Device, Trader, secret};

struct Stage {
    server: TestServer,
    trader: Trader,
    desk: Device,
    _folder: tempfile::TempDir,
}

/// One enrolled device.
async fn stage() -> Stage {
    let server = TestServer::start().await.expect("the server starts");
    let mut trader = Trader::new("trader@example.com", server.clock());
    let folder = tempfile::tempdir().expect("a folder");
    let desk = Device::start(folder.path(), "desk", server.clock()).await;
    desk.register(&mut trader, &server).await;
    desk.choose(&[], &[]).await;
    Stage { server, trader, desk, _folder: folder }
}

impl Stage {
    /// The Secret Key is shown to who gives password and this code: the factor, or a backup code.
    async fn proves(&self, code: &str) -> Result<(), Code> {
        let password = secret(&self.trader.password);
        let shown = self.desk.session.general_secret_key(password, code.to_owned()).await;
        shown.map(|key| assert_eq!(key.expose(), self.trader.secret_key)).map_err(|problem| problem.code)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_backup_codes_work_and_the_old_ones_fail() {
    let stage = stage().await;
    let session = &stage.desk.session;
    stage.proves(&stage.trader.backup_codes[0]).await.expect("a backup code stands in for the factor");

    let wrong = session.general_renew_backup_codes(secret("another password"), stage.trader.code()).await;
    assert_eq!(wrong.err().map(|problem| problem.code), Some(Code::SignIn));
    stage.proves(&stage.trader.backup_codes[1]).await.expect("nothing changed");

    let password = secret(&stage.trader.password);
    let renewed = session.general_renew_backup_codes(password, stage.trader.code()).await.expect("renewed");
    let codes: Vec<&str> = renewed.codes.iter().map(|code| code.expose()).collect();
    assert_eq!(codes.len(), 10);
    assert_eq!(stage.proves(&stage.trader.backup_codes[2]).await, Err(Code::SecondFactor));
    stage.proves(codes[0]).await.expect("a new code");
    assert_eq!(stage.proves(codes[0]).await, Err(Code::SecondFactor), "each is good once");
    stage.proves(&stage.trader.code()).await.expect("the factor is the same");
    session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_factor_replaces_the_old_one_and_its_backup_codes() {
    let mut stage = stage().await;
    let password = secret(&stage.trader.password);
    let enrolment = stage
        .desk
        .session
        .general_replace_second_factor(password, stage.trader.code())
        .await
        .expect("the proof allows it");
    stage
        .proves(&stage.trader.code())
        .await
        .expect("the old factor is in force until the new one is confirmed");

    let guess = stage.desk.session.general_confirm_second_factor("000000".to_owned()).await;
    assert_eq!(guess.err().map(|problem| problem.code), Some(Code::SecondFactor));
    let old = std::mem::replace(&mut stage.trader.totp_secret, enrolment.secret.expose().to_owned());
    let renewed = stage
        .desk
        .session
        .general_confirm_second_factor(stage.trader.code())
        .await
        .expect("the new factor comes into force");
    assert_eq!(renewed.codes.len(), 10);

    stage.proves(&stage.trader.code()).await.expect("the new factor");
    stage.proves(renewed.codes[0].expose()).await.expect("a new backup code");
    assert_eq!(stage.proves(&stage.trader.backup_codes[0]).await, Err(Code::SecondFactor));
    let new = std::mem::replace(&mut stage.trader.totp_secret, old);
    assert_eq!(stage.proves(&stage.trader.code()).await, Err(Code::SecondFactor), "the old factor ended");
    stage.trader.totp_secret = new;
    stage.proves(&stage.trader.code()).await.expect("the new factor stays");
    stage.desk.session.stop().await;
    drop(stage.server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_that_took_too_long_asks_for_proof_and_changes_nothing() {
    let mut stage = stage().await;
    let password = secret(&stage.trader.password);
    let enrolment = stage
        .desk
        .session
        .general_replace_second_factor(password, stage.trader.code())
        .await
        .expect("the proof allows it");
    stage.server.clock().turn(11 * 60);
    let old = std::mem::replace(&mut stage.trader.totp_secret, enrolment.secret.expose().to_owned());
    let late = stage.desk.session.general_confirm_second_factor(stage.trader.code()).await;
    assert_eq!(late.err().map(|problem| problem.code), Some(Code::ProofRequired));
    stage.trader.totp_secret = old;
    stage.proves(&stage.trader.code()).await.expect("the old factor stays in force");
    stage.desk.session.stop().await;
}
