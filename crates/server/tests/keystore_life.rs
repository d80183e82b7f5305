//! A user's whole life at the keystore: registration, devices, entries, removal, end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod keystore_support;

use keyquay_crypto::{Zeroizing, sha256};
use keyquay_protocol::wire::*;
use keyquay_protocol::*;
use keyquay_server::message::{LinkKind, MailKind};
use keystore_support::*;

#[tokio::test]
async fn a_registration_takes_effect_when_its_link_is_confirmed() {
    let world = World::new().await;
    let (person, registration) = Person::ask_to_register(&world, " ada@Example.com ", "long password").await;
    let status = |registration: &Bytes| RegistrationStatus { registration: registration.clone() };
    let asked: RegistrationConfirmed =
        world.post("/v1/users/registration/status", &status(&registration)).await.unwrap();
    assert!(!asked.confirmed);
    assert_eq!(code(Installation::make().sign_in(&world, &person).await), Some(Code::SignIn));

    let mail = world.last_mail();
    assert_eq!(mail.to, "ada@example.com");
    let done = world.confirm(&token_of(&mail)).await.unwrap();
    assert_eq!(done.kind, LinkKind::ConfirmAddress);
    let asked: RegistrationConfirmed =
        world.post("/v1/users/registration/status", &status(&registration)).await.unwrap();
    assert!(asked.confirmed);
    let signed_in = Installation::make().sign_in(&world, &person).await.unwrap();
    assert_eq!((signed_in.user, signed_in.state), (person.user, DeviceState::Pending));
    assert_eq!(code(world.confirm(&token_of(&mail)).await), Some(Code::Link));
}

#[tokio::test]
async fn who_registers_a_known_address_learns_nothing_and_its_owner_is_told() {
    let world = World::new().await;
    let owner = Person::register(&world, "ada@example.com").await;
    let (stranger, registration) = Person::ask_to_register(&world, "ada@example.com", "other password").await;
    assert_eq!(stranger.user, owner.user);
    assert!(matches!(world.last_mail().kind, MailKind::AlreadyRegistered { .. }));
    let status = RegistrationStatus { registration: registration.clone() };
    let asked: RegistrationConfirmed = world.post("/v1/users/registration/status", &status).await.unwrap();
    assert!(!asked.confirmed);
    let (_, unknown) = Person::ask_to_register(&world, "bob@example.com", "other password").await;
    assert_eq!(registration.0.len(), unknown.0.len());
    assert_eq!(code(Installation::make().sign_in(&world, &stranger).await), Some(Code::SignIn));
}

#[tokio::test]
async fn of_two_registrations_that_wait_the_one_that_is_confirmed_counts() {
    let world = World::new().await;
    let (first, _) = Person::ask_to_register(&world, "ada@example.com", "first password").await;
    let first_mail = world.last_mail();
    let (second, _) = Person::ask_to_register(&world, "ada@example.com", "second password").await;
    world.confirm(&token_of(&world.last_mail())).await.unwrap();
    assert_eq!(code(world.confirm(&token_of(&first_mail)).await), Some(Code::Link));
    assert_eq!(code(Installation::make().sign_in(&world, &first).await), Some(Code::SignIn));
    Installation::make().sign_in(&world, &second).await.unwrap();
}

#[tokio::test]
async fn an_unknown_address_signs_in_to_an_answer_of_the_same_form() {
    let world = World::new().await;
    let known = Person::register(&world, "ada@example.com").await;
    let answer = async |email: &str| {
        let device = Installation::make();
        let (_, request) = keyquay_crypto::opaque::ClientSignIn::start(&known.password).unwrap();
        let device = DeviceKeysText::of(&device.keys);
        let start = SignInStart { email: email.to_owned(), device, request: Bytes(request) };
        world.post::<SignInStarted>("/v1/sign-in/start", &start).await.unwrap()
    };
    let (known, unknown) = (answer("ada@example.com").await, answer("bob@example.com").await);
    assert_eq!(known.response.0.len(), unknown.response.0.len());
    assert_eq!(known.sign_in.0.len(), unknown.sign_in.0.len());
    assert_eq!(unknown.user, answer("bob@example.com").await.user, "the same id each time");
    assert_ne!(unknown.user, known.user);
}

#[tokio::test]
async fn two_devices_share_items_and_a_conflict_is_told() {
    let world = World::new().await;
    let (person, one, root) = synced(&world, "ada@example.com").await;
    let two = another_device(&world, &person, &root).await;
    one.pull(&world, person.user).await;

    let mut events = two.listen(&world).await.unwrap();
    let item = ItemId::make_random();
    let entry = one.put(&world, item, "first");
    let stale = {
        let content = ItemContent::of(Zeroizing::new(b"second".to_vec()));
        let draft = two.state().draft_item_put(&two.vault_keys(), item, &content, world.now()).unwrap();
        draft.sign_as_device(two.id(), &two.signing)
    };
    one.append_own(&world, entry.clone()).await.unwrap();
    let frame = events.frames.try_recv().unwrap();
    assert_eq!(Event::from_bytes(&frame.event).unwrap(), Event::Entries(vec![entry.clone()]));
    assert_eq!(code(two.append(&world, vec![stale], None).await), Some(Code::HeadMoved));

    let pulled = two.pull(&world, person.user).await;
    assert_eq!(pulled.as_slice(), std::slice::from_ref(&entry));
    let blob = entry.blob.unwrap();
    let epoch = two.state().epoch().number;
    let keys = two.vault_keys();
    let content = open_item(&blob, keys.of_epoch(epoch).unwrap(), person.user, item, 1, epoch).unwrap();
    assert_eq!(&**content.account, b"first");

    let next = two.put(&world, item, "second");
    two.append_own(&world, next).await.unwrap();
    assert_eq!(one.pull(&world, person.user).await[0].blob.as_ref().map(|blob| blob.len()), Some(blob.len()));
    assert_eq!(two.blob(&world, &blob).await.unwrap(), blob, "superseded blobs stay for a while");
    world.wait(30 * 24 * 3600);
    world.keystore.tidy().await;
    assert_eq!(code(two.blob(&world, &blob).await), Some(Code::NotFound));
}

#[tokio::test]
async fn a_removed_device_loses_its_share_and_all_that_comes_later() {
    let world = World::new().await;
    let (person, one, root) = synced(&world, "ada@example.com").await;
    let two = another_device(&world, &person, &root).await;
    one.pull(&world, person.user).await;
    let item = ItemId::make_random();
    let before = one.put(&world, item, "before");
    one.append_own(&world, before.clone()).await.unwrap();
    let mut events = two.listen(&world).await.unwrap();

    let removal = removed(&world, &one, &root, two.id());
    world.wait(600);
    let unproven = one.append(&world, vec![removal.clone()], None).await;
    assert_eq!(code(unproven), Some(Code::ProofRequired));
    one.prove(&world, &person).await;
    while events.frames.try_recv().is_ok() {}
    one.append_own(&world, removal.clone()).await.unwrap();
    let last = events.frames.recv().await.unwrap();
    assert!(last.then_close);
    assert_eq!(Event::from_bytes(&last.event).unwrap(), Event::Entries(vec![removal.clone()]));
    assert!(events.frames.recv().await.is_none());

    let after = one.put(&world, ItemId::make_random(), "after");
    one.append_own(&world, after.clone()).await.unwrap();
    assert_eq!(code(two.share(&world, person.user).await), Some(Code::Removed));
    assert_eq!(code(two.listen(&world).await.map(|_| ())), Some(Code::Removed));
    assert_eq!(code(two.blob(&world, &before.blob.clone().unwrap()).await), Some(Code::Removed));
    let told = two.log(&world, 0).await.unwrap();
    assert_eq!(told.entries.last().unwrap().payload, removal.payload);
    assert_eq!(told.head.hash, removal.head());
    assert!(told.entries.iter().all(|entry| entry.blob.is_none()) && told.seen.is_empty());
    assert_eq!(code(two.log(&world, told.head.seq).await), Some(Code::Removed));
    assert_eq!(code(two.sign_in(&world, &person).await), Some(Code::Removed));
}

#[tokio::test]
async fn a_share_is_the_same_each_time_and_only_for_its_device() {
    let world = World::new().await;
    let (person, one, root) = synced(&world, "ada@example.com").await;
    let two = another_device(&world, &person, &root).await;
    one.pull(&world, person.user).await;
    let share = one.share(&world, person.user).await.unwrap();
    assert!(share == one.share(&world, person.user).await.unwrap());
    assert!(share != two.share(&world, person.user).await.unwrap());

    let seen = two.log(&world, 0).await.unwrap().seen;
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|seen| seen.head == two.state().head().hash));
}

#[tokio::test]
async fn a_word_that_is_off_the_chain_is_refused_and_not_stored() {
    let world = World::new().await;
    let (person, one, _) = synced(&world, "ada@example.com").await;
    let head = one.state().head();
    let request = |seq, hash| {
        let seen = Seen::sign(person.user, one.id(), seq, hash, world.now(), &one.signing);
        let key = keyquay_crypto::sealing::SealingKey::make_random().public_key();
        ShareRequest { key: Bytes(key.to_bytes().to_vec()), seen: Some(SeenText::of(&seen)) }
    };
    for (seq, hash) in [(head.seq, sha256(b"other")), (head.seq + 1, head.hash), (0, [0; 32])] {
        let refused: Result<ShareAnswer, _> = one.post(&world, "/v1/share", &request(seq, hash)).await;
        assert_eq!(code(refused), Some(Code::EntryRefused));
    }
    assert!(one.log(&world, 0).await.unwrap().seen.is_empty());
}

#[tokio::test]
async fn withdrawn_blobs_go_at_once() {
    let world = World::new().await;
    let (_, one, _) = synced(&world, "ada@example.com").await;
    let item = ItemId::make_random();
    let first = one.put(&world, item, "first");
    one.append_own(&world, first.clone()).await.unwrap();
    let second = one.put(&world, item, "second");
    one.append_own(&world, second.clone()).await.unwrap();
    let withdrawn =
        one.state().draft_item_withdrawn(item, world.now()).sign_as_device(one.id(), &one.signing);
    one.append_own(&world, withdrawn).await.unwrap();
    for entry in [first, second] {
        assert_eq!(code(one.blob(&world, &entry.blob.unwrap()).await), Some(Code::NotFound));
    }
    assert!(one.log(&world, 0).await.unwrap().entries.iter().all(|entry| entry.blob.is_none()));
}

#[tokio::test]
async fn an_item_without_its_blob_and_records_with_wrong_hashes_are_refused() {
    let world = World::new().await;
    let (person, one, root) = synced(&world, "ada@example.com").await;
    let bare = Entry { blob: None, ..one.put(&world, ItemId::make_random(), "x") };
    assert_eq!(code(one.append(&world, vec![bare], None).await), Some(Code::EntryRefused));

    one.prove(&world, &person).await;
    let records = person.records(&root);
    let set = one.state().draft_unlock_set(&records, world.now()).sign_as_root(&root);
    let other = UnlockRecords { root_by_recovery: vec![1; 60], ..records.clone() };
    for wrong in [None, Some(other)] {
        let refused = one.append(&world, vec![set.clone()], wrong).await;
        assert_eq!(code(refused), Some(Code::RecordMismatch));
    }
    one.append(&world, vec![set], Some(records)).await.unwrap();
}

#[tokio::test]
async fn the_log_survives_a_restart_and_a_thousand_entries() {
    let mut world = World::new().await;
    let (person, one, _) = synced(&world, "ada@example.com").await;
    let item = ItemId::make_random();
    for round in 0..11 {
        let mut entries = Vec::new();
        for _ in 0..100 {
            let entry = one.put(&world, item, "value");
            one.state.lock().unwrap().as_mut().unwrap().apply(&entry).unwrap();
            entries.push(entry);
        }
        if round == 5 {
            world.restart().await;
        }
        let answer = one.append(&world, entries, None).await.unwrap();
        assert_eq!(answer.head, one.state().head());
    }
    world.restart().await;
    let first = one.log(&world, 0).await.unwrap();
    assert_eq!(first.entries.len(), MAX_ENTRIES);
    let rest = one.log(&world, MAX_ENTRIES as u64).await.unwrap();
    let mut state = State::begin(person.user, &first.entries[0]).unwrap();
    for entry in first.entries[1..].iter().chain(&rest.entries) {
        state.apply(entry).unwrap();
    }
    assert_eq!(state.head(), rest.head);
    assert_eq!(
        rest.entries.last().unwrap().blob.as_ref().map(|blob| sha256(blob)),
        Some(state.items()[&item].blob)
    );
    assert!(rest.entries.iter().rev().skip(1).all(|entry| entry.blob.is_none()));
}

#[tokio::test]
async fn after_sync_ended_all_is_there_for_seven_days_and_then_gone() {
    let world = World::new().await;
    let (person, one, root) = synced(&world, "ada@example.com").await;
    let put = one.put(&world, ItemId::make_random(), "x");
    one.append_own(&world, put.clone()).await.unwrap();
    one.prove(&world, &person).await;
    let end = one.state().draft_sync_ended(world.now()).sign_as_root(&root);
    one.append_own(&world, end).await.unwrap();

    assert_eq!(code(one.append(&world, vec![put.clone()], None).await), Some(Code::SyncEnded));
    assert_eq!(code(one.listen(&world).await.map(|_| ())), Some(Code::SyncEnded));
    one.share(&world, person.user).await.unwrap();
    assert!(one.log(&world, 0).await.unwrap().entries[1].blob.is_some());
    assert_eq!(one.blob(&world, put.blob.as_ref().unwrap()).await.unwrap(), put.blob.clone().unwrap());
    assert!(!one.status(&world).await.unwrap().has_log);

    // Begun anew with another device, while the old log is still there.
    let next = Installation::make();
    next.pass_gates(&world, &person).await;
    next.share(&world, person.user).await.unwrap();
    let fresh_root = Root::make_random();
    let (entry, records) = genesis(&world, &person, &next, &fresh_root);
    next.append(&world, vec![entry.clone()], Some(records)).await.unwrap();
    assert_eq!(one.log(&world, 0).await.unwrap().entries.len(), 3);
    assert_eq!(code(one.append(&world, vec![put], None).await), Some(Code::SyncEnded));

    world.wait(7 * 24 * 3600);
    world.keystore.tidy().await;
    assert_eq!(code(one.log(&world, 0).await), Some(Code::NotSigned));
    assert_eq!(next.log(&world, 0).await.unwrap().entries, [entry]);
}

#[tokio::test]
async fn a_user_whose_sync_ended_is_deleted_at_once_and_the_address_is_free() {
    let world = World::new().await;
    let (person, one, root) = synced(&world, "ada@example.com").await;
    one.prove(&world, &person).await;
    let end = one.state().draft_sync_ended(world.now()).sign_as_root(&root);
    one.append_own(&world, end).await.unwrap();
    world.call(one.signed(&world, "DELETE", "/v1/user", Vec::new())).await.unwrap();
    assert_eq!(code(one.status(&world).await), Some(Code::NotSigned));
    assert_eq!(code(Installation::make().sign_in(&world, &person).await), Some(Code::SignIn));
    let again = Person::register(&world, "ada@example.com").await;
    Installation::make().sign_in(&world, &again).await.unwrap();
}

#[tokio::test]
async fn without_root_a_deletion_needs_a_link_and_fourteen_days_and_can_be_stopped() {
    let world = World::new().await;
    let (person, one, _) = synced(&world, "ada@example.com").await;
    let ask = async || {
        one.prove(&world, &person).await;
        world.call(one.signed(&world, "DELETE", "/v1/user", Vec::new())).await.unwrap();
        world.confirm(&token_of(&world.last_mail())).await.unwrap();
        token_of(&world.last_mail())
    };
    let cancel = ask().await;
    world.confirm(&cancel).await.unwrap();
    world.wait(15 * 24 * 3600);
    world.keystore.tidy().await;
    one.status(&world).await.unwrap();

    ask().await;
    world.wait(14 * 24 * 3600);
    world.keystore.tidy().await;
    assert_eq!(code(one.status(&world).await), Some(Code::NotSigned));
}

#[tokio::test]
async fn a_new_address_counts_once_its_link_is_confirmed_and_the_old_one_is_told() {
    let world = World::new().await;
    let (person, one, _) = synced(&world, "ada@example.com").await;
    let change = EmailChange { email: "ada@new.example".to_owned() };
    world.wait(600);
    assert_eq!(code(one.post::<()>(&world, "/v1/email/start", &change).await), Some(Code::ProofRequired));
    one.prove(&world, &person).await;
    one.post::<()>(&world, "/v1/email/start", &change).await.unwrap();
    let mail = world.last_mail();
    assert_eq!(mail.to, "ada@new.example");
    assert_eq!(one.status(&world).await.unwrap().email, "ada@example.com");
    world.confirm(&token_of(&mail)).await.unwrap();
    assert_eq!(one.status(&world).await.unwrap().email, "ada@new.example");
    assert_eq!(world.last_mail().to, "ada@example.com");
    assert!(matches!(world.last_mail().kind, MailKind::AddressChanged { .. }));

    assert_eq!(code(Installation::make().sign_in(&world, &person).await), Some(Code::SignIn));
    let moved = Person { email: "ada@new.example".to_owned(), ..person };
    Installation::make().sign_in(&world, &moved).await.unwrap();
    // Whoever registers the old address becomes another user.
    let other = Person::register(&world, "ada@example.com").await;
    assert_ne!(other.user, moved.user);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_appends_to_the_same_head_exactly_one_lands() {
    let world = World::new().await;
    let (person, one, root) = synced(&world, "ada@example.com").await;
    let two = another_device(&world, &person, &root).await;
    for round in 1..=10 {
        one.pull(&world, person.user).await;
        two.pull(&world, person.user).await;
        let mut calls = Vec::new();
        for device in [&one, &two, &one, &two] {
            let entry = device.put(&world, ItemId::make_random(), "x");
            let body = Append { entries: vec![entry], records: None }.to_bytes();
            let call = device.signed(&world, "POST", "/v1/log", body);
            let keystore = world.keystore.clone();
            calls.push(tokio::spawn(async move { keystore.call(call).await.status }));
        }
        let mut answers = Vec::new();
        for call in calls {
            answers.push(call.await.unwrap());
        }
        answers.sort_unstable();
        assert_eq!(answers, [200, 409, 409, 409], "round {round}");
    }
    one.pull(&world, person.user).await;
    assert_eq!(one.state().live_items().count(), 10);
}

#[tokio::test]
async fn users_that_leave_memory_come_back_as_they_were() {
    let world = World::with_settings(|settings| settings.users_in_memory = 2).await;
    let mut people = Vec::new();
    for number in 0..4 {
        people.push(synced(&world, &format!("user{number}@example.com")).await);
    }
    for _ in 0..5 {
        for (_, device, _) in &people {
            let entry = device.put(&world, ItemId::make_random(), "x");
            device.append_own(&world, entry).await.unwrap();
        }
    }
    for (_, device, _) in &people {
        assert_eq!(device.log(&world, 0).await.unwrap().head, device.state().head());
    }
}
