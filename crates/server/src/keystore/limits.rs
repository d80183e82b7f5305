//! How often something may be tried: fixed windows, in memory, bounded in number.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use keyquay_protocol::{Code, DeviceId, Problem, UserId};

/// So many within so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub count: u32,
    pub seconds: u64,
}

impl Rate {
    #[must_use]
    pub const fn new(count: u32, seconds: u64) -> Self {
        Self { count, seconds }
    }
}

/// Every limit on attempts.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Rates {
    /// Sign-ins, registrations, recoveries and links that one network address starts.
    pub starts_by_address: Rate,
    /// Sign-ins of one user that no known device signed; each tries one password.
    pub passwords_of_user: Rate,
    /// Sign-ins that a known device signed.
    pub passwords_of_device: Rate,
    /// Second factors and backup codes from one network address.
    pub factors_by_address: Rate,
    /// Second factors and backup codes of all pending devices of a user together, and of each other device.
    pub factors: Rate,
    /// The same by the day.
    pub factors_daily: Rate,
    /// Mails to one user that a signed-in device orders.
    pub mails: Rate,
    /// Mails to one address that anybody can order: registration and recovery.
    pub mails_unasked: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            starts_by_address: Rate::new(60, 600),
            passwords_of_user: Rate::new(10, 600),
            passwords_of_device: Rate::new(10, 600),
            factors_by_address: Rate::new(30, 600),
            factors: Rate::new(5, 600),
            factors_daily: Rate::new(50, 86_400),
            mails: Rate::new(5, 3_600),
            mails_unasked: Rate::new(3, 3_600),
        }
    }
}

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Counted {
    StartsBy(Network),
    PasswordsOf(UserId),
    PasswordsOfDevice(DeviceId),
    FactorsBy(Network),
    FactorsOf(UserId, Option<DeviceId>),
    FactorsDaily(UserId, Option<DeviceId>),
    MailsTo(UserId),
    MailsUnasked(UserId),
}

/// Where attempts come from: an IPv4 address, or the /64 of an IPv6 one, which one customer has for himself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Network(Vec<u8>);

impl Network {
    pub fn of(peer: &str) -> Self {
        match peer.parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(IpAddr::V4(address)) => Self(address.octets().to_vec()),
            Ok(IpAddr::V6(address)) => Self(address.octets().into_iter().take(8).collect()),
            Err(_) => Self(peer.bytes().take(64).collect()),
        }
    }
}

/// The attempts of the present windows.
#[derive(Default)]
pub struct Attempts(Mutex<HashMap<Counted, Window>>);

struct Window {
    ends: u64,
    count: u32,
}

/// More than a server meets within a window; an attacker who brings more only makes it forget sooner.
const MOST: usize = 200_000;

impl Attempts {
    /// Counts one attempt.
    ///
    /// # Errors
    /// [`Code::RateLimited`] when there were as many as the rate allows.
    pub fn take(&self, counted: Counted, rate: Rate, now: u64) -> Result<(), Problem> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MOST && !windows.contains_key(&counted) {
            make_room(&mut windows, now);
        }
        let window = windows.entry(counted).or_insert(Window { ends: 0, count: 0 });
        if window.ends <= now {
            *window = Window { ends: now + rate.seconds, count: 0 };
        }
        if window.count >= rate.count {
            return Err(Problem::new(Code::RateLimited));
        }
        window.count += 1;
        Ok(())
    }

    /// Forgets the attempts that led to a success.
    pub fn clear(&self, counted: &Counted) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(counted);
    }

    pub fn forget_old(&self, now: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, window| window.ends > now);
    }
}

fn make_room(windows: &mut HashMap<Counted, Window>, now: u64) {
    windows.retain(|_, window| window.ends > now);
    let mut keep = false;
    if windows.len() >= MOST {
        windows.retain(|_, _| {
            keep = !keep;
            keep
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_end_with_the_rate_and_begin_again_with_the_next_window() {
        let attempts = Attempts::default();
        let user = UserId::make_random();
        let rate = Rate::new(2, 60);
        let take = |now| attempts.take(Counted::MailsTo(user), rate, now).is_ok();
        assert_eq!([take(0), take(1), take(59), take(60)], [true, true, false, true]);
        attempts.clear(&Counted::MailsTo(user));
        assert_eq!([take(61), take(61), take(61)], [true, true, false]);
    }

    #[test]
    fn an_ipv6_customer_is_one_network_and_ipv4_neighbours_are_two() {
        assert_eq!(Network::of("2001:db8::1"), Network::of("2001:db8:0:0:ffff::2"));
        assert_ne!(Network::of("2001:db8::1"), Network::of("2001:db8:0:1::1"));
        assert_ne!(Network::of("192.0.2.1"), Network::of("192.0.2.2"));
        assert_eq!(Network::of("192.0.2.1"), Network::of("::ffff:192.0.2.1"));
    }
}
