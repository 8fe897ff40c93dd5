//! How fast one host may ask: a bucket each, that fills at the allowed rate.

use super::listener::host_of;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Hosts remembered at most. With more, those whose buckets are fullest are forgotten: that gives them nothing.
const HOSTS_MAX: usize = 16_384;

/// A bucket holds what comes in so many seconds: a page's first load, a keeper that catches up.
const BURST_SECS: u64 = 5;

/// Requests are counted in thousandths, so that the rate needs no fraction.
const ONE: u64 = 1_000;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: u64,
    at: Instant,
}

/// The buckets.
#[derive(Debug)]
pub(super) struct Pace {
    per_sec: u32,
    buckets: Mutex<BTreeMap<IpAddr, Bucket>>,
}

impl Pace {
    /// So many requests a second and host; 0: as many as it likes.
    pub(super) fn new(per_sec: u32) -> Self {
        Self { per_sec, buckets: Mutex::default() }
    }

    /// So many a second.
    pub(super) fn per_sec(&self) -> u32 {
        self.per_sec
    }

    /// Whether this host may ask now.
    pub(super) fn allows(&self, from: IpAddr, now: Instant) -> bool {
        if self.per_sec == 0 {
            return true;
        }
        let full = u64::from(self.per_sec).saturating_mul(BURST_SECS * ONE);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= HOSTS_MAX {
            let per_sec = self.per_sec;
            buckets.retain(|_, bucket| filled(*bucket, per_sec, full, now) < full);
            if buckets.len() >= HOSTS_MAX {
                // All of them ask: the server's own bounds hold.
                buckets.clear();
            }
        }
        let bucket = buckets.entry(host_of(from)).or_insert(Bucket { left: full, at: now });
        bucket.left = filled(*bucket, self.per_sec, full, now);
        bucket.at = now;
        let allowed = bucket.left >= ONE;
        if allowed {
            bucket.left -= ONE;
        }
        allowed
    }
}

/// What is in a bucket by now: a millisecond brings as many thousandths as a second brings requests.
fn filled(bucket: Bucket, per_sec: u32, full: u64, now: Instant) -> u64 {
    let passed_ms = u64::try_from(now.saturating_duration_since(bucket.at).as_millis()).unwrap_or(u64::MAX);
    bucket.left.saturating_add(passed_ms.saturating_mul(per_sec.into())).min(full)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::time::Duration;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_host_may_ask_in_a_burst_and_then_at_the_rate_and_others_are_not_slowed() {
        let (pace, begin) = (Pace::new(10), Instant::now());
        let allowed = |host: &str, at_ms: u64| pace.allows(ip(host), begin + Duration::from_millis(at_ms));
        assert!((0..50).all(|_| allowed("192.0.2.1", 0)));
        assert!(!allowed("192.0.2.1", 0) && allowed("192.0.2.2", 0));
        assert!(!allowed("192.0.2.1", 99) && allowed("192.0.2.1", 100) && !allowed("192.0.2.1", 100));
        assert_eq!((0..100).filter(|_| allowed("192.0.2.1", 60_000)).count(), 50);
    }

    #[test]
    fn a_whole_ipv6_network_of_one_host_is_one_host() {
        let (pace, now) = (Pace::new(1), Instant::now());
        assert_eq!((0..20).filter(|n| pace.allows(ip(&format!("2001:db8::{n}")), now)).count(), 5);
        assert!(pace.allows(ip("2001:db8:0:1::1"), now));
    }

    #[test]
    fn without_a_rate_everybody_may() {
        let (pace, now) = (Pace::new(0), Instant::now());
        assert!((0..10_000).all(|_| pace.allows(ip("192.0.2.1"), now)));
    }

    #[test]
    fn hosts_are_remembered_up_to_a_bound() {
        let (pace, now) = (Pace::new(1), Instant::now());
        for number in 0..u32::try_from(HOSTS_MAX).unwrap() + 10 {
            pace.allows(std::net::Ipv4Addr::from(number).into(), now);
        }
        assert!(pace.buckets.lock().unwrap().len() <= HOSTS_MAX);
    }
}
