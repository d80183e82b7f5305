use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::Letter;

/// Letters that are shown instead of sent, in memory; the oldest go first when it is full.
#[derive(Debug, Clone)]
pub struct Outbox {
    letters: Arc<Mutex<VecDeque<Arc<Kept>>>>,
    last: watch::Sender<u64>,
}

/// A letter in the outbox.
#[derive(Debug)]
pub struct Kept {
    /// Counts from 1.
    pub number: u64,
    /// Unix seconds.
    pub time: u64,
    pub letter: Letter,
}

/// How many letters an outbox holds.
const CAPACITY: usize = 200;

impl Outbox {
    pub(crate) fn new() -> Self {
        Self { letters: Arc::default(), last: watch::Sender::new(0) }
    }

    /// All letters, the newest first.
    #[must_use]
    pub fn letters(&self) -> Vec<Arc<Kept>> {
        self.lock().iter().rev().cloned().collect()
    }

    /// One letter by its number.
    #[must_use]
    pub fn letter(&self, number: u64) -> Option<Arc<Kept>> {
        self.lock().iter().find(|kept| kept.number == number).cloned()
    }

    /// The newest letter to an address with a number above `after`; waits until there is one.
    pub async fn next_to(&self, address: &str, after: u64) -> Arc<Kept> {
        let mut last = self.last.subscribe();
        loop {
            last.mark_unchanged();
            let found = self.letters().into_iter().find(|kept| kept.letter.to == address);
            if let Some(kept) = found.filter(|kept| kept.number > after) {
                return kept;
            }
            if last.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    pub(crate) fn keep(&self, letter: Letter, time: u64) {
        let mut letters = self.lock();
        let number = letters.back().map_or(1, |kept| kept.number + 1);
        if letters.len() == CAPACITY {
            letters.pop_front();
        }
        letters.push_back(Arc::new(Kept { number, time, letter }));
        drop(letters);
        self.last.send_replace(number);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<Kept>>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_outbox_forgets_the_oldest_and_goes_on_counting() {
        let outbox = Outbox::new();
        for _ in 0..CAPACITY + 3 {
            outbox.keep(letter("ada@example.org"), 0);
        }
        let letters = outbox.letters();
        assert_eq!(letters.len(), CAPACITY);
        assert_eq!(letters[0].number, 203);
        assert!(outbox.letter(3).is_none() && outbox.letter(4).is_some());
    }

    #[tokio::test]
    async fn one_can_wait_for_the_next_letter_to_an_address() {
        let outbox = Outbox::new();
        outbox.keep(letter("ada@example.org"), 1);
        let waiting = tokio::spawn({
            let outbox = outbox.clone();
            async move { outbox.next_to("ada@example.org", 1).await.number }
        });
        tokio::task::yield_now().await;
        outbox.keep(letter("bob@example.org"), 2);
        outbox.keep(letter("ada@example.org"), 3);
        assert_eq!(waiting.await.unwrap(), 3);
    }

    fn letter(to: &str) -> Letter {
        Letter { to: to.into(), subject: "s", text: String::new(), html: String::new() }
    }
}
