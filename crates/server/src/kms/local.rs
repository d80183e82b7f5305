use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use keyquay_crypto::aead::{self, AeadKey};
use keyquay_crypto::{Secret32, Zeroizing, cbor_array, kdf, random_bytes, sha256};
use thiserror::Error;

use super::{Answer, DataKey, FreshDataKey, KeyContext, Kms, KmsError};

/// The key of a server that has no key management service: 32 bytes in a file that only the server's user
/// can read. Whoever copies that file together with the database reads the outer layer.
pub struct LocalKey {
    key: Secret32,
    id: [u8; ID],
}

/// Why the key file was not used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LocalKeyError {
    #[error("the key file {0} is readable by others than its owner; run: chmod 600 {0}")]
    Permissions(PathBuf),
    #[error("the key file {0} does not hold a key: one line of 64 hexadecimal characters")]
    Malformed(PathBuf),
    #[error("the key file {0} cannot be read or made: {1}")]
    Io(PathBuf, #[source] io::Error),
}

impl LocalKey {
    /// Reads the key file, or makes it where there is none.
    ///
    /// # Errors
    /// [`LocalKeyError`]; a file that others may read is refused.
    pub fn open_or_create(path: &Path) -> Result<Self, LocalKeyError> {
        match Self::open(path) {
            Err(LocalKeyError::Io(_, error)) if error.kind() == io::ErrorKind::NotFound => {
                create(path).map_err(|error| LocalKeyError::Io(path.to_owned(), error))?;
                Self::open(path)
            }
            opened => opened,
        }
    }

    /// Reads the key file.
    ///
    /// # Errors
    /// [`LocalKeyError`]; a file that others may read is refused.
    pub fn open(path: &Path) -> Result<Self, LocalKeyError> {
        let failed = |error| LocalKeyError::Io(path.to_owned(), error);
        let file = File::open(path).map_err(failed)?;
        if !is_private(&file.metadata().map_err(failed)?) {
            return Err(LocalKeyError::Permissions(path.to_owned()));
        }
        let mut written = Zeroizing::new(Vec::with_capacity(LINE + 1));
        file.take(LINE as u64 + 1).read_to_end(&mut written).map_err(failed)?;
        let malformed = || LocalKeyError::Malformed(path.to_owned());
        let line = written.strip_suffix(b"\n").unwrap_or(&written);
        let bytes = Zeroizing::new(HEXLOWER.decode(line).map_err(|_| malformed())?);
        let key = Secret32::try_copy_from(&bytes).map_err(|_| malformed())?;
        Ok(Self::from_key(key))
    }

    fn from_key(key: Secret32) -> Self {
        let digest = sha256(&Zeroizing::new(cbor_array!["keyquay/1/local-key-id", key.expose()]));
        let id = std::array::from_fn(|index| digest.get(index).copied().unwrap_or_default());
        Self { key, id }
    }

    fn wrapping_key(&self, context: &[u8]) -> AeadKey {
        AeadKey::from_secret(kdf::derive(self.key.expose(), context))
    }

    fn generate(&self, context: KeyContext) -> Result<FreshDataKey, KmsError> {
        let context = wrap_context(context);
        let key = DataKey::make_random();
        let mut wrapped = self.id.to_vec();
        wrapped.extend(aead::wrap(&self.wrapping_key(&context), &context, key.secret())?);
        Ok(FreshDataKey { key, wrapped })
    }

    fn open_wrapped(&self, wrapped: &[u8], context: KeyContext) -> Result<DataKey, KmsError> {
        let (id, sealed) = wrapped.split_first_chunk::<ID>().ok_or(KmsError::Refused)?;
        if *id != self.id {
            return Err(KmsError::OtherKey);
        }
        let context = wrap_context(context);
        Ok(DataKey::from_secret(aead::unwrap(&self.wrapping_key(&context), &context, sealed)?))
    }
}

impl Kms for LocalKey {
    fn generate_data_key(&self, context: KeyContext) -> Answer<'_, FreshDataKey> {
        Box::pin(std::future::ready(self.generate(context)))
    }

    fn unwrap<'a>(&'a self, wrapped: &'a [u8], context: KeyContext) -> Answer<'a, DataKey> {
        Box::pin(std::future::ready(self.open_wrapped(wrapped, context)))
    }
}

/// Which key wrapped a data key, so that a wrong key file is told apart from damage.
const ID: usize = 8;
/// 32 bytes in hexadecimal and a line's end.
const LINE: usize = 65;

fn wrap_context(context: KeyContext) -> Vec<u8> {
    cbor_array!["keyquay/1/data-key", context]
}

/// The file appears whole or not at all, and never replaces one that is there.
fn create(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let unfinished = folder.join(format!(".new-key-{}", HEXLOWER.encode(&random_bytes::<8>())));
    let made = write_private(&unfinished).and_then(|()| match fs::hard_link(&unfinished, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    fs::remove_file(&unfinished)?;
    made?;
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn write_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let key = Secret32::make_random();
    let mut line = Zeroizing::new(HEXLOWER.encode(key.expose()));
    line.push('\n');
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn is_private(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 == 0
}

#[cfg(not(unix))]
fn is_private(_: &fs::Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use keyquay_protocol::UserId;

    use super::*;

    #[test]
    fn the_key_file_is_made_once_private_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys").join("local.key");
        let context = KeyContext::rows_of(UserId::make_random());
        let fresh = LocalKey::open_or_create(&path).unwrap().generate(context).unwrap();
        assert!(is_private(&fs::metadata(&path).unwrap()));
        assert_eq!(fs::read_dir(folder.path().join("keys")).unwrap().count(), 1);
        let again = LocalKey::open_or_create(&path).unwrap();
        assert!(again.open_wrapped(&fresh.wrapped, context).unwrap() == fresh.key);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_others_may_read_is_refused_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("local.key");
        LocalKey::open_or_create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = LocalKey::open_or_create(&path).err().unwrap();
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }

    #[test]
    fn a_file_that_holds_no_key_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("local.key");
        LocalKey::open_or_create(&path).unwrap();
        fs::write(&path, "short\n").unwrap();
        assert!(matches!(LocalKey::open_or_create(&path), Err(LocalKeyError::Malformed(_))));
        assert_eq!(fs::read(&path).unwrap(), b"short\n");
    }

    #[test]
    fn a_data_key_unwraps_only_in_its_context_and_under_its_key() {
        let key = LocalKey::from_key(Secret32::make_random());
        let context = KeyContext::rows_of(UserId::make_random());
        let fresh = key.generate(context).unwrap();
        let other_user = KeyContext::rows_of(UserId::make_random());
        let other_purpose = KeyContext { purpose: "else", ..context };
        assert_eq!(key.open_wrapped(&fresh.wrapped, other_user).unwrap_err(), KmsError::Refused);
        assert_eq!(key.open_wrapped(&fresh.wrapped, other_purpose).unwrap_err(), KmsError::Refused);
        let other_key = LocalKey::from_key(Secret32::make_random());
        assert_eq!(other_key.open_wrapped(&fresh.wrapped, context).unwrap_err(), KmsError::OtherKey);
    }
}
