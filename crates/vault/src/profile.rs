//! The folder of one profile, and the lock that keeps a second process out of it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use thiserror::Error;

/// `profiles/NAME/` below the data folder, locked against other processes for as long as a clone of this lives.
///
/// The folder holds `vault.sqlite`, `preferences.json`, `lock` and `logs/`.
#[derive(Debug, Clone)]
pub struct Profile(Arc<Inner>);

/// Why a profile cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProfileError {
    #[error(
        "a profile's name has 1 to 32 of a-z, 0-9, - and _, begins with a letter or digit, and is no device name"
    )]
    Name,
    #[error("another process uses this profile")]
    InUse {
        /// Its process id, if it could be read.
        pid: Option<u32>,
        /// Since when, in Unix seconds, if it could be read.
        since: Option<u64>,
    },
    #[error("the profile's folder cannot be used: {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
}

impl Profile {
    /// Makes the folder if it is missing (for its owner alone, where the system knows that) and locks it.
    ///
    /// # Errors
    /// [`ProfileError::InUse`] names the process that has it.
    pub fn open(data_dir: &Path, name: &str) -> Result<Self, ProfileError> {
        if !is_valid_name(name) {
            return Err(ProfileError::Name);
        }
        let dir = data_dir.join("profiles").join(name);
        for folder in [data_dir.join("profiles"), dir.clone(), dir.join("logs")] {
            make_private_folder(&folder).map_err(|source| ProfileError::Io { path: folder, source })?;
        }
        let lock = lock(&dir)?;
        let name = name.to_owned();
        Ok(Self(Arc::new(Inner { dir, name, vault_is_open: AtomicBool::new(false), _lock: lock })))
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    #[must_use]
    pub fn vault_path(&self) -> PathBuf {
        self.0.dir.join("vault.sqlite")
    }

    #[must_use]
    pub fn preferences_path(&self) -> PathBuf {
        self.0.dir.join("preferences.json")
    }

    #[must_use]
    pub fn logs_dir(&self) -> PathBuf {
        self.0.dir.join("logs")
    }

    /// `None` if a vault of this profile is open already.
    pub(crate) fn mark_vault_open(&self) -> Option<VaultMark> {
        let was_open = self.0.vault_is_open.swap(true, Ordering::AcqRel);
        (!was_open).then(|| VaultMark(self.clone()))
    }
}

/// While it lives, no second vault of the profile opens in this process.
#[derive(Debug)]
pub(crate) struct VaultMark(Profile);

impl Drop for VaultMark {
    fn drop(&mut self) {
        self.0.0.vault_is_open.store(false, Ordering::Release);
    }
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    name: String,
    vault_is_open: AtomicBool,
    _lock: File,
}

/// Lower case only, since some file systems take `Main` and `main` for the same; without the names that
/// Windows keeps for devices.
fn is_valid_name(name: &str) -> bool {
    let characters = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
    let begins_well = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let numbered = |prefix| name.strip_prefix(prefix).is_some_and(|rest: &str| rest.len() == 1);
    let is_device = matches!(name, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt");
    characters && begins_well && name.len() <= 32 && !is_device
}

/// The system's lock on `lock` decides; `lock-holder` beside it only tells who has it, since a locked file
/// itself cannot be read on Windows.
fn lock(dir: &Path) -> Result<File, ProfileError> {
    let path = dir.join("lock");
    let io_error = |source| ProfileError::Io { path: path.clone(), source };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(io_error)?;
    let holder = dir.join("lock-holder");
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let (pid, since) = read_holder(&holder);
            return Err(ProfileError::InUse { pid, since });
        }
        Err(TryLockError::Error(source)) => return Err(io_error(source)),
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
    fs::write(&holder, format!("{} {since}\n", std::process::id())).map_err(io_error)?;
    Ok(file)
}

fn read_holder(path: &Path) -> (Option<u32>, Option<u64>) {
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut words = text.split_whitespace();
    let pid = words.next().and_then(|word| word.parse().ok());
    let since = words.next().and_then(|word| word.parse().ok());
    (pid, since)
}

#[cfg(unix)]
fn make_private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_every_file_system_takes_are_valid() {
        for name in ["main", "a", "2", "work-1", "a_b", "console", "com10"] {
            assert!(is_valid_name(name), "{name}");
        }
        let long = "a".repeat(33);
        for name in ["", "Main", "../x", "a/b", "a.b", "-a", "_a", "con", "com1", "lpt9", "ä", " a", &long] {
            assert!(!is_valid_name(name), "{name}");
        }
    }
}
