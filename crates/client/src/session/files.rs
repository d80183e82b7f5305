//! Files that a person names: backups and the recovery kit.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use keyquay_crypto::{ExposeSecret, SecretString, random_bytes};
use keyquay_protocol::{Code, Problem};

use super::{Session, blocking};

impl Session {
    /// Writes the kit that is being shown to a file of its owner's alone, outside the profile's folder.
    ///
    /// # Errors
    /// [`Code::File`], [`Code::Expired`] when none is being shown.
    pub async fn sync_kit_save(&self, file: String) -> Result<(), Problem> {
        let page = self.kit_page().await?;
        let path = place_of(&self.profile_dir(), &file)?;
        blocking(move || write_private(&path, &page).map_err(|error| refused(error.to_string()))).await
    }

    /// The folder of the profile.
    #[must_use]
    pub fn profile_dir(&self) -> PathBuf {
        self.0.core().profile.dir().to_owned()
    }
}

/// The absolute path of a file to write. `~` and a path without a folder mean the home folder.
///
/// # Errors
/// [`Code::File`] without a name or folder, and for a place beside the vault, where nothing else may lie.
pub(super) fn place_of(profile: &Path, typed: &str) -> Result<PathBuf, Problem> {
    let path = absolute(typed)?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(refused("this is no file name"));
    };
    let folder = folder.canonicalize().map_err(|error| refused(error.to_string()))?;
    let is_beside = profile.canonicalize().is_ok_and(|profile| folder.starts_with(profile));
    if is_beside {
        return Err(Problem {
            hint: "Choose a place that is not lost or stolen together with the vault.".to_owned(),
            ..refused("this is the vault's own folder")
        });
    }
    let path = folder.join(name);
    if path.is_dir() { Err(refused("this is a folder")) } else { Ok(path) }
}

/// # Errors
/// [`Code::File`] for an empty path, or without a home folder.
pub(super) fn absolute(typed: &str) -> Result<PathBuf, Problem> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(refused("no file was named"));
    }
    let below_home = typed.strip_prefix("~/").or_else(|| typed.strip_prefix("~\\")).unwrap_or(typed);
    let path = Path::new(below_home);
    if path.is_absolute() {
        return Ok(path.to_owned());
    }
    let home = std::env::home_dir().ok_or_else(|| refused("name the file with its folder"))?;
    Ok(home.join(path))
}

fn refused(detail: impl Into<String>) -> Problem {
    Problem::new(Code::File).with_detail(detail)
}

/// The whole file or none: it appears under its name only when it is written.
fn write_private(path: &Path, text: &SecretString) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", HEXLOWER.encode(&random_bytes::<4>())));
    let unfinished = path.with_file_name(name);
    let written = private_file(&unfinished)
        .and_then(|mut file| {
            file.write_all(text.expose_secret().as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written
}

#[cfg(unix)]
fn private_file(path: &Path) -> std::io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> std::io::Result<fs::File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_beside_the_vault_is_refused() {
        let data = tempfile::tempdir().unwrap();
        let profile = data.path().join("profiles/default");
        fs::create_dir_all(profile.join("logs")).unwrap();
        for typed in ["vault.sqlite", "logs/kit.txt", "logs/../kit.txt"] {
            let problem = place_of(&profile, profile.join(typed).to_str().unwrap()).unwrap_err();
            assert_eq!(problem.code, Code::File, "{typed}");
        }
        let elsewhere = data.path().join("kit.txt");
        assert!(place_of(&profile, elsewhere.to_str().unwrap()).is_ok());
    }

    #[test]
    fn a_file_without_a_name_or_a_folder_is_refused() {
        let data = tempfile::tempdir().unwrap();
        for typed in ["", "  ", "/", data.path().to_str().unwrap(), "/no/such/folder/kit.txt"] {
            assert_eq!(
                place_of(data.path().join("p").as_path(), typed).unwrap_err().code,
                Code::File,
                "{typed:?}"
            );
        }
    }

    #[test]
    fn a_name_alone_lies_in_the_home_folder() {
        let home = std::env::home_dir().unwrap();
        assert_eq!(absolute("kit.txt").unwrap(), home.join("kit.txt"));
        assert_eq!(absolute("~/kit.txt").unwrap(), home.join("kit.txt"));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_written_belongs_to_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kit.txt");
        fs::write(&path, "an older one, for everybody").unwrap();
        write_private(&path, &SecretString::from("the kit")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "the kit");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
