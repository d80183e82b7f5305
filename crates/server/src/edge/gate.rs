use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};

use crate::config::Limits;

/// Counts requests by the network address that they come from.
pub(crate) struct Gate {
    requests: DefaultKeyedRateLimiter<IpAddr>,
    attempts: DefaultKeyedRateLimiter<IpAddr>,
    all_attempts: DefaultDirectRateLimiter,
    clock: DefaultClock,
}

/// How many addresses together may use up their attempts.
const ADDRESSES: u32 = 100;

impl Gate {
    pub fn new(limits: Limits) -> Self {
        let attempts = Quota::per_minute(limits.attempts_per_minute).allow_burst(limits.attempts_burst);
        let all = |number: std::num::NonZeroU32| {
            number.saturating_mul(std::num::NonZeroU32::MIN.saturating_add(ADDRESSES - 1))
        };
        let all_attempts =
            Quota::per_minute(all(limits.attempts_per_minute)).allow_burst(all(limits.attempts_burst));
        Self {
            requests: RateLimiter::keyed(
                Quota::per_second(limits.requests_per_second).allow_burst(limits.requests_burst),
            ),
            attempts: RateLimiter::keyed(attempts),
            all_attempts: RateLimiter::direct(all_attempts),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a request of any kind.
    ///
    /// # Errors
    /// How long to wait.
    pub fn request(&self, from: IpAddr) -> Result<(), Duration> {
        self.requests.check_key(&site(from)).map_err(|full| self.wait(&full))
    }

    /// Counts a request that tries a secret or has mail sent.
    ///
    /// # Errors
    /// How long to wait.
    pub fn attempt(&self, from: IpAddr) -> Result<(), Duration> {
        self.attempts.check_key(&site(from)).map_err(|full| self.wait(&full))?;
        self.all_attempts.check().map_err(|full| self.wait(&full))
    }

    /// Forgets addresses that were quiet.
    pub fn tidy(&self) {
        for counter in [&self.requests, &self.attempts] {
            counter.retain_recent();
            counter.shrink_to_fit();
        }
    }

    fn wait(&self, full: &NotUntil<<DefaultClock as Clock>::Instant>) -> Duration {
        full.wait_time_from(self.clock.now())
    }
}

/// One line of a provider: an IPv4 address, or the first 64 bits of an IPv6 address.
fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn an_address_that_asks_too_often_waits_and_others_do_not() {
        let three = NonZeroU32::new(3).unwrap();
        let gate =
            Gate::new(Limits { attempts_per_minute: three, attempts_burst: three, ..Limits::default() });
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        let neighbour: IpAddr = "2001:db8::ffff".parse().unwrap();
        for _ in 0..3 {
            gate.attempt(one).unwrap();
        }
        let wait = gate.attempt(neighbour).unwrap_err();
        assert!(wait <= Duration::from_secs(20) && wait > Duration::from_secs(10), "{wait:?}");
        gate.attempt("2001:db8:0:1::1".parse().unwrap()).unwrap();
        gate.request(one).unwrap();
    }

    #[test]
    fn many_addresses_together_meet_a_limit_as_well() {
        let one = NonZeroU32::MIN;
        let gate = Gate::new(Limits { attempts_per_minute: one, attempts_burst: one, ..Limits::default() });
        let address = |n: u32| IpAddr::V4(n.into());
        assert!((0..ADDRESSES).all(|n| gate.attempt(address(n)).is_ok()));
        gate.attempt(address(ADDRESSES)).unwrap_err();
        gate.tidy();
    }
}
