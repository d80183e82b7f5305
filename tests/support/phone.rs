//! The authenticator app on the trader's phone: one that we did not write (pyotp).

use std::process::Command;
use std::time::{Duration, SystemTime};

use super::tool;

/// Seconds for which a code is good (RFC 6238).
const STEP: u64 = 30;

pub struct Phone {
    uri: String,
    /// The time step of the last code that was given away.
    last: u64,
}

impl Phone {
    /// Scans the QR code that says `uri`.
    pub fn scan(uri: &str) -> Self {
        Self { uri: uri.to_owned(), last: 0 }
    }

    /// The next code. Each is accepted once, so when it is asked for more than once within 30 seconds it runs ahead by
    /// one step, as a phone whose clock is fast would, and then waits.
    pub async fn code(&mut self) -> String {
        let step = (self.last + 1).max(unix_seconds() / STEP);
        let not_before = (step - 1) * STEP;
        while unix_seconds() < not_before {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.last = step;
        self.code_of(step)
    }

    /// A code that is not good at the moment.
    pub fn wrong_code(&self) -> String {
        let now = unix_seconds() / STEP;
        let good: Vec<String> = (now - 2..=now + 2).map(|step| self.code_of(step)).collect();
        ["000000", "111111", "222222", "333333", "444444", "555555"]
            .into_iter()
            .find(|code| !good.iter().any(|good| good == code))
            .unwrap()
            .to_owned()
    }

    /// The secret that the QR code holds, in base32.
    pub fn secret(&self) -> String {
        self.ask("pyotp.parse_uri(sys.argv[1]).secret", 0)
    }

    /// To whom the code belongs, as the phone lists it: issuer and name.
    pub fn caption(&self) -> String {
        self.ask("'{0.issuer} {0.name}'.format(pyotp.parse_uri(sys.argv[1]))", 0)
    }

    fn code_of(&self, step: u64) -> String {
        self.ask("pyotp.parse_uri(sys.argv[1]).at(int(sys.argv[2]))", step * STEP)
    }

    fn ask(&self, expression: &str, time: u64) -> String {
        let output = Command::new(tool("python/bin/python"))
            .args(["-c", &format!("import pyotp, sys; print({expression})"), &self.uri, &time.to_string()])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}
