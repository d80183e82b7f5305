//! What must not pass: links, second factors, signatures and entries of those who may not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod keystore_support;

use keyquay_crypto::SecretString;
use keyquay_crypto::opaque::ClientRegistrationStep;
use keyquay_protocol::wire::*;
use keyquay_protocol::*;
use keyquay_server::keystore::Rate;
use keyquay_server::message::{Content, LinkKind, MailKind};
use keystore_support::*;

#[tokio::test]
async fn each_gate_opens_exactly_what_the_table_says() {
    let world = World::new().await;
    let (person, _, _) = synced(&world, "ada@example.com").await;
    let device = Installation::make();
    assert_eq!(code(device.status(&world).await), Some(Code::NotSigned));

    device.sign_in(&world, &person).await.unwrap();
    assert_eq!(code(device.status(&world).await), Some(Code::SecondFactorRequired));
    assert_eq!(code(device.order_link(&world).await), Some(Code::SecondFactorRequired));
    assert_eq!(code(device.log(&world, 0).await), Some(Code::SecondFactorRequired));
    assert_eq!(code(device.share(&world, person.user).await), Some(Code::SecondFactorRequired));

    device.give_factor(&world, &person).await.unwrap();
    assert!(device.status(&world).await.unwrap().second_factor_given);
    assert_eq!(code(device.log(&world, 0).await), Some(Code::LinkRequired));
    assert_eq!(code(device.share(&world, person.user).await), Some(Code::LinkRequired));
    let unlock: Result<UnlockRecordAnswer, _> = device.get(&world, "/v1/unlock-record").await;
    assert_eq!(code(unlock), Some(Code::LinkRequired));

    let token = device.order_link(&world).await.unwrap();
    world.confirm(&token).await.unwrap();
    let log = device.log(&world, 0).await.unwrap();
    assert!(log.entries.iter().all(|entry| entry.blob.is_none()) && log.seen.is_empty());
    let unlock: UnlockRecordAnswer = device.get(&world, "/v1/unlock-record").await.unwrap();
    Root::open_with_unlock_key(&person.unlock_key(), person.user, &unlock.root_by_password.0, None).unwrap();
    device.share(&world, person.user).await.unwrap();
    assert_eq!(code(device.blob(&world, b"any").await), Some(Code::NotAllowed));
    let change = EmailChange { email: "b@example.com".to_owned() };
    assert_eq!(code(device.post::<()>(&world, "/v1/email/start", &change).await), Some(Code::NotAllowed));
}

#[tokio::test]
async fn a_device_enters_the_log_only_by_its_own_entry_with_its_own_keys() {
    let world = World::new().await;
    let (person, one, root) = synced(&world, "ada@example.com").await;
    let (pending, other) = (Installation::make(), Installation::make());
    pending.pass_gates(&world, &person).await;
    other.pass_gates(&world, &person).await;

    let foreign = added(&world, &person, &other, &root).await;
    assert_eq!(code(pending.append(&world, vec![foreign.clone()], None).await), Some(Code::NotAllowed));
    one.prove(&world, &person).await;
    assert_eq!(code(one.append(&world, vec![foreign], None).await), Some(Code::NotAllowed));

    let fresh_root = Root::make_random();
    let (genesis, records) = genesis(&world, &person, &pending, &fresh_root);
    assert_eq!(code(pending.append(&world, vec![genesis], Some(records)).await), Some(Code::LogExists));
    let keys = VaultKeys::open_for_root(&other.state(), &root).unwrap();
    let forged = other.state().draft_device_added(&keys, &pending.keys, &profile(), 0).unwrap();
    let forged = forged.sign_as_root(&fresh_root);
    assert_eq!(code(pending.append(&world, vec![forged], None).await), Some(Code::EntryRefused));

    let swapped = DeviceKeys { sealing: other.keys.sealing, ..pending.keys };
    let swapped = other.state().draft_device_added(&keys, &swapped, &profile(), 0).unwrap();
    let refused = pending.append(&world, vec![swapped.sign_as_root(&root)], None).await;
    assert_eq!(code(refused), Some(Code::NotAllowed));
    assert_eq!(one.log(&world, 0).await.unwrap().head, one.state().head());
    let honest = added(&world, &person, &pending, &root).await;
    pending.append(&world, vec![honest], None).await.unwrap();
}

#[tokio::test]
async fn a_known_id_with_other_keys_and_known_keys_under_another_id_are_refused() {
    let world = World::new().await;
    let (person, one, _) = synced(&world, "ada@example.com").await;
    let mut impostor = Installation::make();
    impostor.keys.id = one.id();
    assert_eq!(code(impostor.sign_in(&world, &person).await), Some(Code::NotAllowed));
    let mut renamed = Installation::make();
    renamed.keys.sealing = one.keys.sealing;
    assert_eq!(code(renamed.sign_in(&world, &person).await), Some(Code::NotAllowed));
    let bob = Person::register(&world, "bob@example.com").await;
    assert_eq!(code(one.sign_in(&world, &bob).await), Some(Code::NotAllowed));
}

#[tokio::test]
async fn a_request_that_is_replayed_altered_late_or_unsigned_is_refused() {
    let world = World::new().await;
    let (_, one, _) = synced(&world, "ada@example.com").await;
    let call = one.signed(&world, "GET", "/v1/status", Vec::new());
    world.call(call.clone()).await.unwrap();
    assert_eq!(code(world.call(call.clone()).await), Some(Code::Replayed));

    let mut elsewhere = one.signed(&world, "GET", "/v1/log?after=0", Vec::new());
    elsewhere.path_and_query = "/v1/log?after=1".to_owned();
    assert_eq!(code(world.call(elsewhere).await), Some(Code::NotSigned));
    let mut other_body =
        one.signed(&world, "POST", "/v1/devices/suspension", b"{\"suspended\":false}".to_vec());
    other_body.body = b"{\"suspended\":true}".to_vec();
    assert_eq!(code(world.call(other_body).await), Some(Code::NotSigned));
    let late = one.signed(&world, "GET", "/v1/status", Vec::new());
    world.wait(61);
    assert_eq!(code(world.call(late).await), Some(Code::Clock));
    assert_eq!(code(world.call(call).await), Some(Code::Clock));
    let unsigned = world.unsigned("GET", "/v1/status", Vec::new());
    assert_eq!(code(world.call(unsigned).await), Some(Code::NotSigned));
}

#[tokio::test]
async fn a_link_is_only_looked_at_by_scanners_and_works_once_in_time_for_its_device() {
    let world = World::new().await;
    let person = Person::register(&world, "ada@example.com").await;
    let (mine, theirs) = (Installation::make(), Installation::make());
    mine.sign_in(&world, &person).await.unwrap();
    mine.set_up_factor(&world, &person).await;
    theirs.sign_in(&world, &person).await.unwrap();
    theirs.give_factor(&world, &person).await.unwrap();
    let path = format!("/v1/devices/{}/verification-mail", theirs.id());
    assert_eq!(code(mine.post::<VerificationMailSent>(&world, &path, &()).await), Some(Code::NotAllowed));

    let token = mine.order_link(&world).await.unwrap();
    for _ in 0..3 {
        let facts = world.view(&token).await.unwrap();
        assert_eq!(facts.kind, LinkKind::VerifyDevice);
        assert_eq!(facts.phrase, Some(device_phrase(&mine.keys)));
        assert_eq!((facts.asked.platform.as_str(), facts.asked.peer.as_str()), ("Linux", "192.0.2.7"));
    }
    assert!(!mine.status(&world).await.unwrap().link_confirmed);
    world.confirm(&token).await.unwrap();
    assert!(mine.status(&world).await.unwrap().link_confirmed);
    assert!(!theirs.status(&world).await.unwrap().link_confirmed);
    assert_eq!(code(world.confirm(&token).await), Some(Code::Link));

    let late = theirs.order_link(&world).await.unwrap();
    world.wait(15 * 60);
    assert_eq!(code(world.view(&late).await), Some(Code::Link));
    assert_eq!(code(world.confirm(&late).await), Some(Code::Link));
    let older = theirs.order_link(&world).await.unwrap();
    let newer = theirs.order_link(&world).await.unwrap();
    assert_eq!(code(world.confirm(&older).await), Some(Code::Link));
    let altered: String = newer.chars().rev().collect();
    assert_eq!(code(world.confirm(&altered).await), Some(Code::Link));
    world.confirm(&newer).await.unwrap();
}

#[tokio::test]
async fn two_clicks_at_the_same_time_count_once() {
    let world = World::new().await;
    let person = Person::register(&world, "ada@example.com").await;
    let device = Installation::make();
    device.sign_in(&world, &person).await.unwrap();
    device.set_up_factor(&world, &person).await;
    let token = device.order_link(&world).await.unwrap();
    let (one, two) = tokio::join!(world.confirm(&token), world.confirm(&token));
    assert_eq!([one.is_ok(), two.is_ok()].iter().filter(|ok| **ok).count(), 1);
}

#[tokio::test]
async fn this_was_not_me_suspends_the_device_and_warns_the_others() {
    let world = World::new().await;
    let (person, one, _) = synced(&world, "ada@example.com").await;
    let mut events = one.listen(&world).await.unwrap();
    let thief = Installation::make();
    thief.sign_in(&world, &person).await.unwrap();
    thief.give_factor(&world, &person).await.unwrap();
    let token = thief.order_link(&world).await.unwrap();
    while events.frames.try_recv().is_ok() {}
    world.refuse(&token).await.unwrap();
    assert!(matches!(world.last_mail().kind, MailKind::DeviceNotMe { .. }));
    let told = Event::from_bytes(&events.frames.recv().await.unwrap().event).unwrap();
    assert_eq!(told, Event::StatusChanged);
    assert_eq!(code(thief.status(&world).await), Some(Code::Suspended));
    assert_eq!(code(world.confirm(&token).await), Some(Code::Link));
    let seen = one.status(&world).await.unwrap().devices;
    assert!(seen.iter().any(|device| device.device == thief.id() && device.suspended));
}

#[tokio::test]
async fn a_step_of_the_second_factor_is_accepted_once_even_in_parallel() {
    let world = World::with_settings(|settings| settings.rates.factors = Rate::new(100, 600)).await;
    let (person, one, root) = synced(&world, "ada@example.com").await;
    let two = another_device(&world, &person, &root).await;
    one.sign_in(&world, &person).await.unwrap();
    two.sign_in(&world, &person).await.unwrap();
    world.wait(30);
    let body = SecondFactorCode { code: person.code(&world) };
    let give = |device: &Installation| {
        let call =
            device.signed(&world, "POST", "/v1/sign-in/second-factor", serde_json::to_vec(&body).unwrap());
        let keystore = world.keystore.clone();
        tokio::spawn(async move { keystore.call(call).await.status })
    };
    let calls: Vec<_> = (0..10).flat_map(|_| [give(&one), give(&two)]).collect();
    let mut accepted = 0;
    for call in calls {
        accepted += usize::from(call.await.unwrap() == 200);
    }
    assert_eq!(accepted, 1);
}

#[tokio::test]
async fn guesses_are_limited_and_a_guessing_device_does_not_lock_out_the_others() {
    let world = World::new().await;
    let (person, one, _) = synced(&world, "ada@example.com").await;
    let guess = SecondFactorCode { code: "000000".to_owned() };
    let mut answers = Vec::new();
    for _ in 0..3 {
        let thief = Installation::make();
        thief.sign_in(&world, &person).await.unwrap();
        for _ in 0..3 {
            let answer: Result<Status, _> = thief.post(&world, "/v1/sign-in/second-factor", &guess).await;
            answers.push(code(answer));
        }
    }
    assert_eq!(answers[..5], [Some(Code::SecondFactor); 5]);
    assert_eq!(answers[5..], [Some(Code::RateLimited); 4]);
    one.prove(&world, &person).await;
}

#[tokio::test]
async fn passwords_are_limited_for_strangers_while_a_known_device_still_signs_in() {
    let world = World::new().await;
    let (person, one, _) = synced(&world, "ada@example.com").await;
    let mut last = None;
    for _ in 0..12 {
        let (_, request) = keyquay_crypto::opaque::ClientSignIn::start(&SecretString::from("guess")).unwrap();
        let device = DeviceKeysText::of(&Installation::make().keys);
        let start = SignInStart { email: person.email.clone(), device, request: Bytes(request) };
        last = code(world.post::<SignInStarted>("/v1/sign-in/start", &start).await);
    }
    assert_eq!(last, Some(Code::RateLimited));
    one.prove(&world, &person).await;
}

#[tokio::test]
async fn no_second_factor_no_sync_and_a_second_one_needs_a_backup_code() {
    let world = World::new().await;
    let person = Person::register(&world, "ada@example.com").await;
    let device = Installation::make();
    let status = device.sign_in(&world, &person).await.unwrap();
    assert!(!status.second_factor);
    assert_eq!(code(device.status(&world).await), Some(Code::SecondFactorRequired));
    device.set_up_factor(&world, &person).await;
    let old_authenticator = person.authenticator.lock().unwrap().clone();

    let start = |backup_code| SecondFactorStart { backup_code };
    let again: Result<SecondFactorStarted, _> =
        device.post(&world, "/v1/second-factor/start", &start(None)).await;
    assert_eq!(code(again), Some(Code::SecondFactorExists));
    let wrong: Result<SecondFactorStarted, _> =
        device.post(&world, "/v1/second-factor/start", &start(Some("aaaaa-aaaaa".to_owned()))).await;
    assert_eq!(code(wrong), Some(Code::SecondFactor));

    let backup_code = person.backup_codes.lock().unwrap()[0].clone();
    let started: SecondFactorStarted =
        device.post(&world, "/v1/second-factor/start", &start(Some(backup_code.clone()))).await.unwrap();
    world.wait(30);
    let old = SecondFactorCode { code: code_at(&old_authenticator, world.now()) };
    let _: Status = device.post(&world, "/v1/sign-in/second-factor", &old).await.unwrap();
    let new = SecondFactorCode { code: code_at(&started.secret, world.now()) };
    let confirmed: SecondFactorConfirmed =
        device.post(&world, "/v1/second-factor/confirm", &new).await.unwrap();
    assert_eq!(confirmed.backup_codes.len(), 10);
    world.wait(30);
    let old = SecondFactorCode { code: code_at(&old_authenticator, world.now()) };
    let refused: Result<Status, _> = device.post(&world, "/v1/sign-in/second-factor", &old).await;
    assert_eq!(code(refused), Some(Code::SecondFactor));
    let used = BackupCode { backup_code };
    let refused: Result<Status, _> = device.post(&world, "/v1/sign-in/second-factor", &used).await;
    assert_eq!(code(refused), Some(Code::SecondFactor));
    let left = BackupCode { backup_code: confirmed.backup_codes[9].clone() };
    let status: Status = device.post(&world, "/v1/sign-in/second-factor", &left).await.unwrap();
    assert_eq!(status.backup_codes_left, 9);
}

#[tokio::test]
async fn a_suspended_device_gets_nothing_until_it_signs_in_with_both_factors() {
    let world = World::new().await;
    let (person, one, root) = synced(&world, "ada@example.com").await;
    let two = another_device(&world, &person, &root).await;
    one.pull(&world, person.user).await;
    let mut events = two.listen(&world).await.unwrap();
    let path = format!("/v1/devices/{}/suspension", two.id());
    let _: Suspension = one.post(&world, &path, &Suspension { suspended: true }).await.unwrap();
    let frame = events.frames.recv().await.unwrap();
    assert!(frame.then_close);
    assert_eq!(Event::from_bytes(&frame.event).unwrap(), Event::Suspended);
    assert_eq!(code(two.log(&world, 0).await), Some(Code::Suspended));
    assert_eq!(code(two.share(&world, person.user).await), Some(Code::Suspended));
    assert_eq!(code(two.listen(&world).await.map(|_| ())), Some(Code::Suspended));
    let lift: Result<Suspension, _> = one.post(&world, &path, &Suspension { suspended: false }).await;
    assert_eq!(code(lift), Some(Code::NotAllowed));

    let status = two.sign_in(&world, &person).await.unwrap();
    assert_eq!(status.state, DeviceState::Suspended);
    assert_eq!(code(two.log(&world, 0).await), Some(Code::Suspended));
    assert_eq!(two.give_factor(&world, &person).await.unwrap().state, DeviceState::Active);
    two.log(&world, 0).await.unwrap();

    // All at once, by password and second factor on a machine that is not in the log.
    let borrowed = Installation::make();
    borrowed.sign_in(&world, &person).await.unwrap();
    borrowed.give_factor(&world, &person).await.unwrap();
    let all: Suspension =
        borrowed.post(&world, "/v1/devices/suspension", &Suspension { suspended: true }).await.unwrap();
    assert!(all.suspended);
    for device in [&one, &two] {
        assert_eq!(code(device.status(&world).await), Some(Code::Suspended));
    }
}

#[tokio::test]
async fn a_pending_device_expires_with_its_share() {
    let world = World::new().await;
    let (person, _, root) = synced(&world, "ada@example.com").await;
    let pending = Installation::make();
    pending.pass_gates(&world, &person).await;
    let share = pending.share(&world, person.user).await.unwrap();
    let entry = added(&world, &person, &pending, &root).await;
    *pending.state.lock().unwrap() = None;
    world.wait(60 * 60);
    assert_eq!(code(pending.append(&world, vec![entry], None).await), Some(Code::NotSigned));
    world.keystore.tidy().await;
    pending.pass_gates(&world, &person).await;
    assert!(share != pending.share(&world, person.user).await.unwrap());
}

#[tokio::test]
async fn recovery_needs_link_and_second_factor_and_ends_with_a_new_password() {
    let world = World::new().await;
    let (person, one, _) = synced(&world, "ada@example.com").await;
    let device = Installation::make();
    let start = |email: &str, device: &Installation| RecoveryStart {
        email: email.to_owned(),
        device: DeviceKeysText::of(&device.keys),
    };
    let _: RecoveryStarted = world.post("/v1/recovery/start", &start(&person.email, &device)).await.unwrap();
    let code_now = |world: &World| SecondFactorCode { code: person.code(world) };
    let early: Result<Status, _> = device.post(&world, "/v1/sign-in/second-factor", &code_now(&world)).await;
    assert_eq!(code(early), Some(Code::LinkRequired));
    let token = device.order_link(&world).await.unwrap();
    world.confirm(&token).await.unwrap();
    assert_eq!(code(device.log(&world, 0).await), Some(Code::SecondFactorRequired));
    device.give_factor(&world, &person).await.unwrap();

    let unlock: UnlockRecordAnswer = device.get(&world, "/v1/unlock-record").await.unwrap();
    assert!(unlock.root_by_password.0.is_empty());
    let root =
        Root::open_with_recovery_code(&person.recovery_code, person.user, &unlock.root_by_recovery.0, None);
    let root = root.unwrap();
    device.share(&world, person.user).await.unwrap();
    let alone = added(&world, &person, &device, &root).await;
    assert_eq!(code(device.append(&world, vec![alone], None).await), Some(Code::NotAllowed));

    let password = SecretString::from("a new and better one");
    let (step, request) = ClientRegistrationStep::start(&password).unwrap();
    let started: PasswordStarted =
        device.post(&world, "/v1/password/start", &PasswordStart { request: Bytes(request) }).await.unwrap();
    let (record, export_key) = step.finish(&password, &started.response.0, parties(&person.user)).unwrap();
    let person = Person { password, record, export_key, ..person };
    let records = person.records(&root);
    let mut state = device.state();
    let set = state.draft_unlock_set(&records, world.now()).sign_as_root(&root);
    state.apply(&set).unwrap();
    let keys = VaultKeys::open_for_root(&state, &root).unwrap();
    let add = state.draft_device_added(&keys, &device.keys, &profile(), world.now()).unwrap();
    device.append(&world, vec![set, add.sign_as_root(&root)], Some(records)).await.unwrap();
    assert_eq!(device.status(&world).await.unwrap().state, DeviceState::Active);
    one.pull(&world, person.user).await;
    one.prove(&world, &person).await;
}

#[tokio::test]
async fn recovery_of_an_unknown_address_looks_alike_up_to_the_link() {
    let world = World::new().await;
    let (person, _, _) = synced(&world, "ada@example.com").await;
    let mut answers = Vec::new();
    for email in [person.email.as_str(), "nobody@example.com"] {
        let device = Installation::make();
        let start = RecoveryStart { email: email.to_owned(), device: DeviceKeysText::of(&device.keys) };
        let _: RecoveryStarted = world.post("/v1/recovery/start", &start).await.unwrap();
        let path = format!("/v1/devices/{}/verification-mail", device.id());
        let sent: VerificationMailSent = device.post(&world, &path, &()).await.unwrap();
        assert_eq!(sent.email, email);
        let status = device.status(&world).await.unwrap();
        let guess = SecondFactorCode { code: "000000".to_owned() };
        let factor: Result<Status, _> = device.post(&world, "/v1/sign-in/second-factor", &guess).await;
        answers.push((
            (status.state, status.second_factor, status.has_log, status.link_confirmed, status.devices.len()),
            code(factor),
            code(device.log(&world, 0).await),
            code(device.share(&world, person.user).await),
            sent.expires,
        ));
    }
    assert_eq!(answers[0], answers[1]);
    let mails = world.mails().into_iter().filter(|mail| matches!(mail.kind, MailKind::VerifyDevice { .. }));
    assert_eq!(mails.filter(|mail| mail.to == "nobody@example.com").count(), 0);
}

#[tokio::test]
async fn mails_are_limited() {
    let world = World::new().await;
    let person = Person::register(&world, "ada@example.com").await;
    let device = Installation::make();
    device.sign_in(&world, &person).await.unwrap();
    device.set_up_factor(&world, &person).await;
    for _ in 0..5 {
        device.order_link(&world).await.unwrap();
    }
    assert_eq!(code(device.order_link(&world).await), Some(Code::RateLimited));
}

#[tokio::test]
async fn garbage_in_any_body_is_an_answer_and_never_a_crash() {
    let world = World::new().await;
    let (_, one, _) = synced(&world, "ada@example.com").await;
    let bodies: [&[u8]; 5] = [b"", b"{}", b"\xFF\x00", b"{\"email\":null}", b"[1,2,3]"];
    let paths = [
        "/v1/users/registration/start",
        "/v1/users/registration/finish",
        "/v1/users/registration/status",
        "/v1/sign-in/start",
        "/v1/sign-in/finish",
        "/v1/recovery/start",
        "/v1/share",
        "/v1/log",
        "/v1/devices/suspension",
        "/v1/sign-in/second-factor",
    ];
    for path in paths {
        for body in bodies {
            let unsigned = world.call(world.unsigned("POST", path, body.to_vec())).await;
            let signed = world.call(one.signed(&world, "POST", path, body.to_vec())).await;
            for answer in [unsigned, signed] {
                let problem = answer.unwrap_err();
                assert!((400..500).contains(&problem.status), "{path} {body:?} {problem:?}");
            }
        }
    }
    let answer = world.call(world.unsigned("GET", "/v1/server", Vec::new())).await.unwrap();
    assert!(matches!(answer, Content::Json(_)));
}

#[tokio::test]
async fn after_restoring_a_backup_every_device_is_suspended_until_it_signs_in() {
    let world = World::new().await;
    let (ada, one, _) = synced(&world, "ada@example.com").await;
    let (bob, two, _) = synced(&world, "bob@example.com").await;
    assert_eq!(world.keystore.suspend_everybody().await.unwrap(), 2);
    for (person, device) in [(&ada, &one), (&bob, &two)] {
        assert_eq!(code(device.log(&world, 0).await), Some(Code::Suspended));
        device.prove(&world, person).await;
        device.log(&world, 0).await.unwrap();
    }
}

#[tokio::test]
async fn a_password_that_was_changed_during_a_sign_in_does_not_finish_it() {
    let world = World::new().await;
    let (person, one, root) = synced(&world, "ada@example.com").await;
    one.prove(&world, &person).await;
    let late = Installation::make();
    let begun = late.start_sign_in(&world, &person).await.unwrap();

    let password = SecretString::from("a new and better one");
    let (step, request) = ClientRegistrationStep::start(&password).unwrap();
    let start = PasswordStart { request: Bytes(request) };
    let started: PasswordStarted = one.post(&world, "/v1/password/start", &start).await.unwrap();
    let (record, export_key) = step.finish(&password, &started.response.0, parties(&person.user)).unwrap();
    let changed = Person { password, record, export_key, ..person };
    let records = changed.records(&root);
    let set = one.state().draft_unlock_set(&records, world.now()).sign_as_root(&root);
    one.append(&world, vec![set], Some(records)).await.unwrap();

    let finished: Result<SignInFinished, _> = late.post(&world, "/v1/sign-in/finish", &begun).await;
    assert_eq!(code(finished), Some(Code::SignIn));
    late.sign_in(&world, &changed).await.unwrap();
}

#[tokio::test]
async fn new_backup_codes_need_proof_and_end_the_old_ones() {
    let world = World::new().await;
    let (person, one, _) = synced(&world, "ada@example.com").await;
    let renew = async |device: &Installation, body: &[u8]| {
        let call = device.signed(&world, "POST", "/v1/second-factor/backup-codes", body.to_vec());
        world.call(call).await.map(|content| from_json::<SecondFactorConfirmed>(content).unwrap())
    };
    let pending = Installation::make();
    pending.pass_gates(&world, &person).await;
    assert_eq!(code(renew(&pending, b"").await), Some(Code::NotAllowed));
    world.wait(11 * 60);
    assert_eq!(code(renew(&one, b"").await), Some(Code::ProofRequired));
    one.sign_in(&world, &person).await.unwrap();
    assert_eq!(code(renew(&one, b"").await), Some(Code::ProofRequired), "the password alone is no proof");

    one.prove(&world, &person).await;
    assert_eq!(code(renew(&one, b"{}").await), Some(Code::Malformed));
    let renewed = renew(&one, b"").await.unwrap();
    assert_eq!(renewed.backup_codes.len(), 10);
    one.sign_in(&world, &person).await.unwrap();
    let old_codes = person.backup_codes.lock().unwrap().clone();
    for backup_code in old_codes.into_iter().take(2) {
        let old = BackupCode { backup_code };
        let refused: Result<Status, _> = one.post(&world, "/v1/sign-in/second-factor", &old).await;
        assert_eq!(code(refused), Some(Code::SecondFactor));
    }
    let new = BackupCode { backup_code: renewed.backup_codes[3].clone() };
    let status: Status = one.post(&world, "/v1/sign-in/second-factor", &new).await.unwrap();
    assert_eq!(status.backup_codes_left, 9);
    one.prove(&world, &person).await;
}

#[tokio::test]
async fn a_proven_device_replaces_the_factor_and_what_rested_on_the_old_one_ends() {
    let world = World::new().await;
    let (person, one, root) = synced(&world, "ada@example.com").await;
    let two = another_device(&world, &person, &root).await;
    let start = SecondFactorStart { backup_code: None };
    let begin = async |device: &Installation| {
        device.post::<SecondFactorStarted>(&world, "/v1/second-factor/start", &start).await
    };
    let confirm = async |device: &Installation, secret: &str| {
        let new = SecondFactorCode { code: code_at(secret, world.now()) };
        device.post::<SecondFactorConfirmed>(&world, "/v1/second-factor/confirm", &new).await
    };
    world.wait(11 * 60);
    one.sign_in(&world, &person).await.unwrap();
    assert_eq!(code(begin(&one).await), Some(Code::SecondFactorExists), "the password alone is no proof");

    // Not confirmed in time: the old factor stays in force, and proves again.
    one.prove(&world, &person).await;
    let late = begin(&one).await.unwrap();
    world.wait(10 * 60);
    one.sign_in(&world, &person).await.unwrap();
    assert_eq!(code(confirm(&one, &late.secret).await), Some(Code::ProofRequired));

    one.prove(&world, &person).await;
    two.prove(&world, &person).await;
    let (of_one, of_two) = (begin(&one).await.unwrap(), begin(&two).await.unwrap());
    let confirmed = confirm(&one, &of_one.secret).await.unwrap();
    assert_eq!(confirmed.backup_codes.len(), 10);
    assert_eq!(code(confirm(&two, &of_two.secret).await), Some(Code::SecondFactorExists));
    let unlock: Result<UnlockRecordAnswer, _> = two.get(&world, "/v1/unlock-record").await;
    assert_eq!(code(unlock), Some(Code::ProofRequired), "the proof held the old factor");

    two.sign_in(&world, &person).await.unwrap();
    assert_eq!(code(two.give_factor(&world, &person).await), Some(Code::SecondFactor));
    let old = BackupCode { backup_code: person.backup_codes.lock().unwrap()[0].clone() };
    let refused: Result<Status, _> = two.post(&world, "/v1/sign-in/second-factor", &old).await;
    assert_eq!(code(refused), Some(Code::SecondFactor));
    *person.authenticator.lock().unwrap() = of_one.secret;
    two.give_factor(&world, &person).await.unwrap();
    // A setup that rested on the factor before stays refused, with a new proof as well.
    assert_eq!(code(confirm(&two, &of_two.secret).await), Some(Code::SecondFactorExists));
}

#[tokio::test]
async fn each_active_device_gets_the_recovery_record_that_the_latest_unlock_set_names() {
    let world = World::new().await;
    let (person, one, root) = synced(&world, "ada@example.com").await;
    let pending = Installation::make();
    pending.pass_gates(&world, &person).await;
    let record =
        async |device: &Installation| device.get::<RecoveryRecordAnswer>(&world, "/v1/recovery-record").await;
    assert_eq!(code(record(&pending).await), Some(Code::NotAllowed));
    let two = another_device(&world, &person, &root).await;
    one.pull(&world, person.user).await;
    world.wait(11 * 60);
    let first = record(&two).await.unwrap().root_by_recovery;
    assert!(two.state().unlock().names_root_by_recovery(&first.0));

    one.prove(&world, &person).await;
    let renewed = Person { recovery_code: keyquay_crypto::RecoveryCode::make_random(), ..person };
    let records = renewed.records(&root);
    let set = one.state().draft_unlock_set(&records, world.now()).sign_as_root(&root);
    one.append(&world, vec![set], Some(records)).await.unwrap();
    two.pull(&world, renewed.user).await;
    assert!(!two.state().unlock().names_root_by_recovery(&first.0));
    let second = record(&two).await.unwrap().root_by_recovery;
    two.state().open_root_with_recovery_code(&renewed.recovery_code, &second.0).unwrap();
}
