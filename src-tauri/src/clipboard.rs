//! What was copied from the app: kept out of clipboard histories where the system has a way, and taken off again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keyquay_client::view::SecretText;
use keyquay_client::view::accounts::Copied;
use keyquay_protocol::{Code, Problem};

/// The system's clipboard, as far as this app has filled it. Cheap to clone.
#[derive(Clone, Default)]
pub struct Clipboard(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Opened at the first use and kept: on X11 the text lives in this process.
    board: Option<arboard::Clipboard>,
    /// What is to be taken off again, and which copy that was.
    ours: Option<SecretText>,
    copies: u64,
}

impl Clipboard {
    /// Puts `text` on the clipboard. After `seconds` it is taken off again, unless something else is there by then.
    pub async fn copy(&self, text: SecretText, seconds: Option<u32>) -> Result<Copied, Problem> {
        let copy = self.on_blocking(move |state| state.put(text, seconds.is_some())).await?;
        if let Some(seconds) = seconds {
            let clipboard = self.clone();
            tauri::async_runtime::spawn(async move {
                tokio::time::sleep(Duration::from_secs(seconds.into())).await;
                let cleared = clipboard.on_blocking(move |state| match state.copies {
                    last if last == copy => state.clear(),
                    _ => Ok(()),
                });
                if cleared.await.is_err() {
                    tracing::warn!("the clipboard could not be cleared");
                }
            });
        }
        Ok(Copied { cleared_after_seconds: seconds })
    }

    /// Takes off at once what is to be taken off.
    pub fn clear(&self) {
        if self.state().clear().is_err() {
            tracing::warn!("the clipboard could not be cleared");
        }
    }

    /// The clipboard's owner may be another program that does not answer: never waited for on an async thread.
    async fn on_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut State) -> Result<T, arboard::Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let clipboard = self.clone();
        let done = tauri::async_runtime::spawn_blocking(move || work(&mut clipboard.state())).await;
        done.map_err(|_| Problem::new(Code::Clipboard))?
            .map_err(|error| Problem::new(Code::Clipboard).with_detail(error.to_string()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The number of this copy.
    fn put(&mut self, text: SecretText, forget: bool) -> Result<u64, arboard::Error> {
        let board = match self.board.take() {
            Some(board) => board,
            None => arboard::Clipboard::new()?,
        };
        let board = self.board.insert(board);
        outside_histories(board.set()).text(text.expose())?;
        self.copies += 1;
        self.ours = forget.then_some(text);
        Ok(self.copies)
    }

    fn clear(&mut self) -> Result<(), arboard::Error> {
        let (Some(ours), Some(board)) = (self.ours.take(), &mut self.board) else { return Ok(()) };
        let is_there = match board.get_text() {
            Ok(there) => SecretText::new(there).expose() == ours.expose(),
            Err(arboard::Error::ContentNotAvailable) => false,
            Err(error) => return Err(error),
        };
        if is_there { board.clear() } else { Ok(()) }
    }
}

#[cfg(target_os = "linux")]
fn outside_histories(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtLinux::exclude_from_history(set)
}

#[cfg(target_os = "macos")]
fn outside_histories(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtApple::exclude_from_history(set)
}

#[cfg(windows)]
fn outside_histories(set: arboard::Set<'_>) -> arboard::Set<'_> {
    use arboard::SetExtWindows;
    set.exclude_from_history().exclude_from_cloud().exclude_from_monitoring()
}
