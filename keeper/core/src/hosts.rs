//! Which hosts may be contacted, and how often: a keeper must not become a tool for aiming traffic at strangers.

use crate::limits::HOSTS_MAX;
use crate::types::{Endpoint, MonoMs};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// When each host was last contacted, so that no two reasons add up to a nuisance.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Hosts {
    /// Hashed: it is asked with every look, and in no order.
    #[serde(with = "entries")]
    last_ms: HashMap<HostKey, MonoMs>,
    window_ms: MonoMs,
    #[serde(with = "entries")]
    networks: HashMap<Network, u32>,
}

/// An address as IPv6 and a port.
type HostKey = ([u8; 16], u16);

/// The first 24 bits of an IPv4 address, or 48 of an IPv6 one, behind the number of its kind.
type Network = [u8; 7];

/// Length of the window in which looks per network are counted.
const NETWORK_WINDOW_MS: MonoMs = 10_000;

impl Hosts {
    /// A new run: every host counts as contacted just now.
    pub(crate) fn restart(&mut self, now_ms: MonoMs) {
        self.last_ms.values_mut().for_each(|last| *last = now_ms);
        self.window_ms = now_ms;
        self.networks.clear();
    }

    /// How many hosts are remembered.
    pub fn len(&self) -> usize {
        self.last_ms.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.last_ms.is_empty()
    }

    /// Whether this host may be contacted now; if so, it counts as contacted.
    pub(crate) fn touch(&mut self, endpoint: &Endpoint, now_ms: MonoMs, gap_ms: u64, network_max: u32) -> bool {
        let host = key(endpoint);
        let last_ms = self.last_ms.get_mut(&host);
        if last_ms.as_ref().is_some_and(|last| now_ms.saturating_sub(**last) < gap_ms) {
            return false;
        }
        if now_ms.saturating_sub(self.window_ms) >= NETWORK_WINDOW_MS {
            self.window_ms = now_ms;
            self.networks.clear();
        }
        let count = self.networks.entry(network(endpoint.ip)).or_insert(0);
        if *count >= network_max {
            return false;
        }
        *count = count.saturating_add(1);
        match last_ms {
            Some(last) => *last = now_ms,
            None => return self.remember(host, now_ms, gap_ms),
        }
        true
    }

    fn remember(&mut self, host: HostKey, now_ms: MonoMs, gap_ms: u64) -> bool {
        if self.last_ms.len() >= HOSTS_MAX {
            self.last_ms.retain(|_, last| now_ms.saturating_sub(*last) < gap_ms);
        }
        let room = self.last_ms.len() < HOSTS_MAX;
        if room {
            self.last_ms.insert(host, now_ms);
        }
        room
    }
}

fn key(endpoint: &Endpoint) -> HostKey {
    let ip = match endpoint.ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    };
    (ip.octets(), endpoint.port)
}

fn network(ip: IpAddr) -> Network {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            [4, a, b, c, 0, 0, 0]
        }
        IpAddr::V6(v6) => {
            let [a, b, c, d, e, f, ..] = v6.octets();
            [6, a, b, c, d, e, f]
        }
    }
}

/// Maps whose keys are no text, written as lists of pairs, sorted: one state has one encoding.
mod entries {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::{BTreeMap, HashMap};
    use std::hash::Hash;

    pub(super) fn serialize<K: Serialize + Ord, V: Serialize, S: Serializer>(
        map: &HashMap<K, V>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.collect_seq(map.iter().collect::<BTreeMap<_, _>>())
    }

    pub(super) fn deserialize<'de, K, V, D>(d: D) -> Result<HashMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Eq + Hash,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Vec::deserialize(d).map(|list: Vec<(K, V)>| list.into_iter().collect())
    }
}

/// Whether a keeper may contact this address: public unicast only, outside local chains. A miner who moves a rented
/// machine to an address nobody can reach has taken it out of service.
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let carrier_nat = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (18..20).contains(&b);
    let protocol_assignments = a == 192 && b == 0 && c == 0;
    let special = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_documentation();
    !(a == 0 || a >= 224 || special || carrier_nat || benchmark || protocol_assignments)
}

/// Global unicast is 2000::/3; within it 2001::/23 is for protocols, 2001:db8:: for documents, 2002::/16 wraps IPv4.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    (a & 0xe000) == 0x2000 && a != 0x2002 && !(a == 0x2001 && (b < 0x200 || b == 0xdb8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        let at: std::net::SocketAddr = text.parse().unwrap_or_else(|_| panic!("{text}"));
        Endpoint { ip: at.ip(), port: at.port() }
    }

    #[test]
    fn only_public_unicast_addresses_are_contacted() {
        let is = |text: &str| is_public(text.parse().unwrap_or_else(|_| panic!("{text}")));
        for good in ["5.9.0.1", "2a01:4f8::1", "::ffff:5.9.0.1", "172.32.0.1", "100.128.0.1"] {
            assert!(is(good), "{good}");
        }
        let bad = [
            "10.0.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "192.168.1.1",
            "172.16.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "100.64.0.1",
            "::1",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "2001:db8::1",
            "192.0.0.8",
            "198.18.0.1",
            "2002:a00:1::1",
            "2001:1::1",
            "64:ff9b::a00:1",
            "::10.0.0.1",
            "240.0.0.1",
            "203.0.113.1",
        ];
        for address in bad {
            assert!(!is(address), "{address}");
        }
    }

    #[test]
    fn a_host_is_left_alone_for_the_gap_whoever_asks() {
        let mut hosts = Hosts::default();
        let host = endpoint("5.9.0.1:22");
        assert!(hosts.touch(&host, 1_000, 10_000, 64));
        assert!(!hosts.touch(&host, 10_999, 10_000, 64));
        assert!(hosts.touch(&endpoint("5.9.0.1:23"), 10_999, 10_000, 64));
        assert!(hosts.touch(&host, 11_000, 10_000, 64));
        hosts.restart(0);
        assert!(!hosts.touch(&host, 9_999, 10_000, 64));
    }

    #[test]
    fn a_network_gets_no_more_looks_than_its_share() {
        let mut hosts = Hosts::default();
        for port in 1..=3 {
            assert_eq!(hosts.touch(&endpoint(&format!("5.9.0.{port}:22")), 0, 10_000, 2), port <= 2);
        }
        assert!(hosts.touch(&endpoint("5.9.1.1:22"), 0, 10_000, 2));
        assert!(hosts.touch(&endpoint("5.9.0.3:22"), 10_000, 10_000, 2));
    }
}
