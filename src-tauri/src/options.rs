//! The command line, and the profile it names.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Parser;
use tauri::Url;

/// Exchange API keys, on every device that their owner trusts, and on no other
#[derive(Debug, Parser)]
#[command(name = "keyquay", version)]
pub struct Options {
    /// Which profile to open; each has its own vault and may run beside the others
    #[arg(long, value_name = "NAME", default_value = ProfileName::DEFAULT)]
    profile: ProfileName,

    /// Folder that holds the profiles [default: the place for application data of this system]
    #[arg(long, value_name = "DIR", env = "KEYQUAY_DATA_DIR")]
    data_dir: Option<PathBuf>,

    /// Sync server that is filled in when sync is first switched on; nothing connects to it before
    #[arg(long, value_name = "URL", env = "KEYQUAY_SYNC_SERVER")]
    sync_server: Option<Url>,
}

/// Which profile this process works on.
#[derive(Debug)]
pub struct Profile {
    pub name: ProfileName,
    /// Holds the profiles; absolute.
    pub data_folder: PathBuf,
    /// `DATA_DIR/profiles/NAME`, absolute; it exists, and on Unix nobody but its owner may enter.
    pub folder: PathBuf,
    /// What `--sync-server` said.
    pub sync_server: Option<Url>,
}

/// A name that is a plain folder name on every system: 1 to 32 of a-z, 0-9, `_`, `-`, the first a letter or digit.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileName(String);

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    #[error("this system names no folder for application data: pass one with --data-dir")]
    NoDataFolder,
    #[error("the profile folder {} cannot be used: {error}", folder.display())]
    Folder { folder: PathBuf, error: std::io::Error },
}

#[derive(Debug, thiserror::Error, PartialEq)]
#[error(
    "a profile name has 1 to 32 small letters, digits, dashes or underscores, the first a letter or digit"
)]
pub struct BadProfileName;

impl Options {
    /// Makes the profile's folder where it does not exist yet.
    pub fn open_profile(self) -> Result<Profile, OptionsError> {
        let data_folder = match self.data_dir {
            Some(folder) => folder,
            None => default_data_folder().ok_or(OptionsError::NoDataFolder)?,
        };
        let folder = data_folder.join("profiles").join(&self.profile.0);
        let folder =
            make_private_folder(folder.clone()).map_err(|error| OptionsError::Folder { folder, error })?;
        let data_folder = folder.ancestors().nth(2).map_or(data_folder, std::path::Path::to_path_buf);
        Ok(Profile { name: self.profile, data_folder, folder, sync_server: self.sync_server })
    }
}

impl ProfileName {
    const DEFAULT: &str = "default";

    pub fn is_default(&self) -> bool {
        self.0 == Self::DEFAULT
    }
}

impl FromStr for ProfileName {
    type Err = BadProfileName;

    fn from_str(name: &str) -> Result<Self, BadProfileName> {
        let is_small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_plain = name.bytes().all(|byte| is_small(byte) || b"_-".contains(&byte));
        let begins_well = name.bytes().next().is_some_and(is_small);
        if is_plain && begins_well && name.len() <= 32 {
            Ok(Self(name.to_owned()))
        } else {
            Err(BadProfileName)
        }
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `$XDG_DATA_HOME/keyquay`, `~/Library/Application Support/Keyquay` or `%LOCALAPPDATA%\Keyquay`:
/// keys belong to one device, so the folder is none that a Windows domain carries to another.
fn default_data_folder() -> Option<PathBuf> {
    let name = if cfg!(target_os = "linux") { "keyquay" } else { "Keyquay" };
    dirs::data_local_dir().map(|folder| folder.join(name))
}

#[cfg(unix)]
fn make_private_folder(folder: PathBuf) -> std::io::Result<PathBuf> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700))?;
    folder.canonicalize()
}

#[cfg(not(unix))]
fn make_private_folder(folder: PathBuf) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(&folder)?;
    std::path::absolute(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from([&["keyquay"], arguments].concat())
    }

    #[test]
    fn a_profile_lies_below_the_data_folder_and_is_its_owners_alone() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().to_str().unwrap();
        let profile = options(&["--data-dir", folder, "--profile", "work"]).unwrap().open_profile().unwrap();
        assert_eq!(profile.folder, data.path().canonicalize().unwrap().join("profiles/work"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = profile.folder.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
    }

    #[test]
    fn a_profile_name_cannot_leave_the_data_folder() {
        for name in ["..", "a/b", "a\\b", "", ".hidden", "-a", "Main", "C:", "é"] {
            assert_eq!(name.parse::<ProfileName>(), Err(BadProfileName), "{name:?}");
        }
        assert!(options(&["--profile", "../other"]).is_err());
    }

    #[test]
    fn the_default_profile_is_opened_when_none_is_named() {
        assert!(options(&[]).unwrap().profile.is_default());
    }

    #[test]
    fn a_data_folder_that_cannot_be_made_is_named() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("a-file");
        std::fs::write(&file, "").unwrap();
        let error = options(&["--data-dir", file.to_str().unwrap()]).unwrap().open_profile().unwrap_err();
        assert!(error.to_string().contains("a-file"), "{error}");
    }

    #[test]
    fn a_sync_server_must_be_an_address() {
        assert!(options(&["--sync-server", "not an address"]).is_err());
        let options = options(&["--sync-server", "http://127.0.0.1:8787"]).unwrap();
        assert_eq!(options.sync_server.unwrap().as_str(), "http://127.0.0.1:8787/");
    }
}
