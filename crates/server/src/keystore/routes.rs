//! The table of contents of the API, as far as the keystore answers it.

use data_encoding::HEXLOWER;
use keyquay_crypto::Digest;
use keyquay_protocol::{Code, DeviceId, Problem};

use super::gates::Step;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    Server,
    RegistrationStart,
    RegistrationFinish,
    RegistrationStatus,
    SignInStart,
    SignInFinish,
    RecoveryStart,
    /// Everything else is signed by a device, and passes its gate.
    Signed(Step, Subject),
}

/// What a signed request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    None,
    Device(DeviceId),
    AllDevices,
    After(u64),
    Blob(Digest),
    GiveSecondFactor,
    StartSecondFactor,
    ConfirmSecondFactor,
    RenewBackupCodes,
}

impl Route {
    /// Reads method, path and query.
    ///
    /// # Errors
    /// [`Code::NotFound`] for what there is not.
    pub fn parse(method: &str, path_and_query: &str) -> Result<Self, Problem> {
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path_and_query, None),
        };
        let path = path.strip_prefix("/v1/").ok_or(Code::NotFound)?;
        let route = parse(method, path, query).ok_or(Code::NotFound)?;
        if query.is_some() && !matches!(route, Self::Signed(Step::Log, _)) {
            return Err(Code::NotFound.into());
        }
        Ok(route)
    }
}

fn parse(method: &str, path: &str, query: Option<&str>) -> Option<Route> {
    use Route::Signed;
    let parts: Vec<&str> = path.split('/').collect();
    Some(match (method, parts.as_slice()) {
        ("GET", ["server"]) => Route::Server,
        ("POST", ["users", "registration", "start"]) => Route::RegistrationStart,
        ("POST", ["users", "registration", "finish"]) => Route::RegistrationFinish,
        ("POST", ["users", "registration", "status"]) => Route::RegistrationStatus,
        ("POST", ["sign-in", "start"]) => Route::SignInStart,
        ("POST", ["sign-in", "finish"]) => Route::SignInFinish,
        ("POST", ["recovery", "start"]) => Route::RecoveryStart,
        ("POST", ["sign-in", "second-factor"]) => Signed(Step::SecondFactor, Subject::GiveSecondFactor),
        ("POST", ["second-factor", "start"]) => Signed(Step::SecondFactor, Subject::StartSecondFactor),
        ("POST", ["second-factor", "confirm"]) => Signed(Step::SecondFactor, Subject::ConfirmSecondFactor),
        ("POST", ["second-factor", "backup-codes"]) => Signed(Step::BackupCodes, Subject::RenewBackupCodes),
        ("POST", ["devices", "suspension"]) => Signed(Step::Suspend, Subject::AllDevices),
        ("POST", ["devices", id, "suspension"]) => Signed(Step::Suspend, Subject::Device(id.parse().ok()?)),
        ("POST", ["devices", id, "verification-mail"]) => {
            Signed(Step::VerificationMail, Subject::Device(id.parse().ok()?))
        }
        ("POST", ["password", "start"]) => Signed(Step::PasswordStart, Subject::None),
        ("GET", ["unlock-record"]) => Signed(Step::UnlockRecord, Subject::None),
        ("GET", ["recovery-record"]) => Signed(Step::RecoveryRecord, Subject::None),
        ("GET", ["log"]) => Signed(Step::Log, Subject::After(after(query)?)),
        ("POST", ["log"]) if query.is_none() => Signed(Step::Append, Subject::None),
        ("GET", ["blobs", hash]) => Signed(Step::Blob, Subject::Blob(digest(hash)?)),
        ("POST", ["share"]) => Signed(Step::Share, Subject::None),
        ("GET", ["status"]) => Signed(Step::Status, Subject::None),
        ("POST", ["email", "start"]) => Signed(Step::EmailStart, Subject::None),
        ("GET", ["events"]) => Signed(Step::Events, Subject::None),
        ("DELETE", ["user"]) => Signed(Step::DeleteUser, Subject::None),
        _ => return None,
    })
}

fn after(query: Option<&str>) -> Option<u64> {
    match query {
        None => Some(0),
        Some(query) => query.strip_prefix("after=")?.parse().ok(),
    }
}

fn digest(written: &str) -> Option<Digest> {
    HEXLOWER.decode(written.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_has_one_spelling() {
        let id = DeviceId([0xAB; 16]);
        let suspend = Route::Signed(Step::Suspend, Subject::Device(id));
        assert_eq!(Route::parse("POST", &format!("/v1/devices/{id}/suspension")).unwrap(), suspend);
        let log = |seq| Route::Signed(Step::Log, Subject::After(seq));
        assert_eq!(Route::parse("GET", "/v1/log?after=7").unwrap(), log(7));
        assert_eq!(Route::parse("GET", "/v1/log").unwrap(), log(0));

        for (method, path) in [
            ("GET", "/v1/log?after=-1"),
            ("GET", "/v1/log?after=1&x=2"),
            ("POST", "/v1/log?after=1"),
            ("GET", "/v1/status?x"),
            ("GET", "/v1/status/"),
            ("GET", "/v1//status"),
            ("GET", "/v2/status"),
            ("PUT", "/v1/share"),
            ("POST", "/v1/devices/xyz/suspension"),
            ("GET", "/v1/blobs/AB"),
            ("GET", ""),
        ] {
            assert_eq!(Route::parse(method, path).unwrap_err().code, Code::NotFound, "{method} {path}");
        }
    }
}
