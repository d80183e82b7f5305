use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use keyquay_protocol::UserId;

use super::DataKey;

/// Data keys in the clear: each for at most a minute from the moment that it was unwrapped, and never more
/// than a bounded number. A key that goes is wiped as soon as nobody uses it any more.
pub struct DataKeys {
    lifetime: Duration,
    capacity: usize,
    keys: Mutex<HashMap<UserId, Cached>>,
}

struct Cached {
    key: Arc<DataKey>,
    unwrapped: Instant,
}

impl DataKeys {
    /// The time after which a disabled key of the KMS opens nothing any more.
    pub const LIFETIME: Duration = Duration::from_secs(60);

    #[must_use]
    pub fn new(lifetime: Duration, capacity: usize) -> Self {
        Self { lifetime, capacity, keys: Mutex::default() }
    }

    /// The key of `user`, if it was unwrapped less than a lifetime ago.
    #[must_use]
    pub fn get(&self, user: UserId) -> Option<Arc<DataKey>> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let cached = keys.get(&user)?;
        (cached.unwrapped.elapsed() < self.lifetime).then(|| Arc::clone(&cached.key))
    }

    /// Keeps a key that was unwrapped just now.
    pub fn keep(&self, user: UserId, key: DataKey) -> Arc<DataKey> {
        let key = Arc::new(key);
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= self.capacity && !keys.contains_key(&user) {
            make_room(&mut keys, self.lifetime);
        }
        keys.insert(user, Cached { key: Arc::clone(&key), unwrapped: Instant::now() });
        key
    }

    /// Wipes the key of a user.
    pub fn forget(&self, user: UserId) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&user);
    }

    /// Wipes every key that is too old.
    pub fn forget_old(&self) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|_, cached| cached.unwrapped.elapsed() < self.lifetime);
    }
}

/// Lets the old go, and where all are young, the older half: rare enough to look at all of them.
fn make_room(keys: &mut HashMap<UserId, Cached>, lifetime: Duration) {
    keys.retain(|_, cached| cached.unwrapped.elapsed() < lifetime);
    let mut ages: Vec<Instant> = keys.values().map(|cached| cached.unwrapped).collect();
    let middle = ages.len() / 2;
    if let Some((_, &mut median, _)) = ages.get(middle).is_some().then(|| ages.select_nth_unstable(middle)) {
        keys.retain(|_, cached| cached.unwrapped > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_forgotten_after_its_lifetime() {
        let keys = DataKeys::new(Duration::from_millis(20), 10);
        let user = UserId::make_random();
        keys.keep(user, DataKey::make_random());
        assert!(keys.get(user).is_some());
        std::thread::sleep(Duration::from_millis(30));
        assert!(keys.get(user).is_none());
        keys.forget_old();
        assert!(keys.keys.lock().unwrap().is_empty());
    }

    #[test]
    fn there_are_never_more_keys_than_allowed_and_the_newest_stays() {
        let keys = DataKeys::new(DataKeys::LIFETIME, 8);
        for _ in 0..100 {
            let user = UserId::make_random();
            keys.keep(user, DataKey::make_random());
            assert!(keys.get(user).is_some());
            assert!(keys.keys.lock().unwrap().len() <= 8);
        }
    }
}
