//! What rests in the database, and what the key management service has to say about it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod keystore_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use data_encoding::BASE32_NOPAD;
use keyquay_protocol::*;
use keyquay_server::kms::{Answer, DataKey, FreshDataKey, KeyContext, Kms, KmsError, LocalKey};
use keystore_support::*;
use rusqlite::Connection;

const SHARE: i64 = 14;
const BLOB: i64 = 17;
const UNLOCK: i64 = 11;
const SECOND_FACTOR: i64 = 12;

#[tokio::test]
async fn no_secret_and_no_address_rests_in_the_clear() {
    let world = World::new().await;
    let (person, one, _) = synced(&world, "canary.address@example.com").await;
    let share = one.share(&world, person.user).await.unwrap();
    let entry = one.put(&world, ItemId::make_random(), "x");
    one.append_own(&world, entry.clone()).await.unwrap();
    let secret = person.authenticator.lock().unwrap().clone();
    let backup_code = person.backup_codes.lock().unwrap()[0].clone();
    let canaries: Vec<Vec<u8>> = vec![
        b"canary.address".to_vec(),
        BASE32_NOPAD.decode(secret.as_bytes()).unwrap(),
        secret.into_bytes(),
        backup_code.into_bytes(),
        share.expose().to_vec(),
        person.record.clone(),
        entry.blob.unwrap(),
        entry.payload,
    ];
    let mut files = 0;
    for file in std::fs::read_dir(world.folder.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        files += 1;
        for (number, canary) in canaries.iter().enumerate() {
            let found = bytes.windows(canary.len()).any(|window| window == canary.as_slice());
            assert!(!found, "canary {number} in {}", path.display());
        }
    }
    assert!(files >= 3, "database, WAL and key");
    assert!(canaries.iter().all(|canary| canary.len() > 8));
}

#[cfg(unix)]
#[tokio::test]
async fn the_database_is_for_the_servers_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new().await;
    for file in std::fs::read_dir(world.folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", file.path().display());
    }
}

/// A key management service that checks nothing: every data key is the same, whatever the context.
struct StubbedOpen;

impl Kms for StubbedOpen {
    fn generate_data_key(&self, _: KeyContext) -> Answer<'_, FreshDataKey> {
        let key = DataKey::try_copy_from(&[7; 32]).unwrap();
        Box::pin(std::future::ready(Ok(FreshDataKey { key, wrapped: vec![7] })))
    }

    fn unwrap<'a>(&'a self, _: &'a [u8], _: KeyContext) -> Answer<'a, DataKey> {
        Box::pin(std::future::ready(Ok(DataKey::try_copy_from(&[7; 32]).unwrap())))
    }
}

#[tokio::test]
async fn swapped_rows_do_not_open_even_with_the_kms_stubbed_open() {
    let mut world = World::with_kms(tempfile::tempdir().unwrap(), Arc::new(StubbedOpen), |_| {}).await;
    let (ada, one, root) = synced(&world, "ada@example.com").await;
    let two = another_device(&world, &ada, &root).await;
    one.pull(&world, ada.user).await;
    let (bob, three, _) = synced(&world, "bob@example.com").await;
    let entries =
        [one.put(&world, ItemId::make_random(), "x"), three.put(&world, ItemId::make_random(), "y")];
    one.append_own(&world, entries[0].clone()).await.unwrap();
    three.append_own(&world, entries[1].clone()).await.unwrap();
    one.share(&world, ada.user).await.unwrap();

    let database = Connection::open(world.database()).unwrap();
    // Ada's two shares change places; blobs, unlock records and second factors those of Ada and Bob.
    let key = |device: &Installation| device.id().0.to_vec();
    swap(&database, SHARE, (ada.user, Some(key(&one))), (ada.user, Some(key(&two))));
    for kind in [BLOB, UNLOCK, SECOND_FACTOR] {
        swap(&database, kind, (ada.user, None), (bob.user, None));
    }
    world.restart_with(Arc::new(StubbedOpen)).await;
    assert_eq!(code(one.share(&world, ada.user).await), Some(Code::Internal));
    assert_eq!(code(two.share(&world, ada.user).await), Some(Code::Internal));
    assert_eq!(code(one.log(&world, 0).await), Some(Code::Internal));
    assert_eq!(code(three.blob(&world, entries[1].blob.as_ref().unwrap()).await), Some(Code::Internal));
    assert_eq!(code(one.sign_in(&world, &ada).await), Some(Code::Internal));
    three.status(&world).await.unwrap();
}

/// Exchanges the values of two rows; of the first ones where no key is named.
fn swap(database: &Connection, kind: i64, one: (UserId, Option<Vec<u8>>), two: (UserId, Option<Vec<u8>>)) {
    let read = |(owner, key): &(UserId, Option<Vec<u8>>)| -> (Vec<u8>, Vec<u8>) {
        database
            .query_row(
                "SELECT key, value FROM rows WHERE owner = ?1 AND kind = ?2 AND (?3 IS NULL OR key = ?3)
                 ORDER BY key LIMIT 1",
                (owner.0.to_vec(), kind, key.clone()),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap()
    };
    let (first, second) = (read(&one), read(&two));
    let write = |owner: UserId, key: &[u8], value: &[u8]| {
        let changed = database
            .execute(
                "UPDATE rows SET value = ?4 WHERE owner = ?1 AND kind = ?2 AND key = ?3",
                (owner.0.to_vec(), kind, key, value),
            )
            .unwrap();
        assert_eq!(changed, 1);
    };
    write(one.0, &first.0, &second.1);
    write(two.0, &second.0, &first.1);
}

/// A key management service whose key can be disabled.
struct Switched {
    key: LocalKey,
    disabled: AtomicBool,
}

impl Kms for Switched {
    fn generate_data_key(&self, context: KeyContext) -> Answer<'_, FreshDataKey> {
        self.key.generate_data_key(context)
    }

    fn unwrap<'a>(&'a self, wrapped: &'a [u8], context: KeyContext) -> Answer<'a, DataKey> {
        match self.disabled.load(Ordering::SeqCst) {
            true => Box::pin(std::future::ready(Err(KmsError::Unavailable))),
            false => self.key.unwrap(wrapped, context),
        }
    }
}

#[tokio::test]
async fn a_disabled_key_opens_nothing_once_cached_data_keys_are_old() {
    let folder = tempfile::tempdir().unwrap();
    let key = LocalKey::open_or_create(&folder.path().join("local.key")).unwrap();
    let kms = Arc::new(Switched { key, disabled: AtomicBool::new(false) });
    let mut world = World::with_kms(folder, kms.clone(), |_| {}).await;
    world.data_key_lifetime = std::time::Duration::from_millis(300);
    world.restart_with(kms.clone()).await;
    let (person, one, _) = synced(&world, "ada@example.com").await;
    one.share(&world, person.user).await.unwrap();
    kms.disabled.store(true, Ordering::SeqCst);
    tokio::time::sleep(std::time::Duration::from_millis(350)).await;
    for answer in [code(one.share(&world, person.user).await), code(one.log(&world, 0).await)] {
        assert_eq!(answer, Some(Code::Unavailable));
    }
    kms.disabled.store(false, Ordering::SeqCst);
    one.share(&world, person.user).await.unwrap();
}

#[tokio::test]
async fn another_key_file_is_told_apart_and_harms_nothing() {
    let mut world = World::new().await;
    let (person, one, _) = synced(&world, "ada@example.com").await;
    let own = world.folder.path().join("local.key");
    let other = LocalKey::open_or_create(&world.folder.path().join("other.key")).unwrap();
    let refused = world.try_restart_with(Arc::new(other)).await;
    assert!(refused.is_err());
    world.restart_with(Arc::new(LocalKey::open(&own).unwrap())).await;
    one.share(&world, person.user).await.unwrap();
}
