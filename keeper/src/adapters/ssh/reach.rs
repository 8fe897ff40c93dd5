//! Which endpoints may be looked at, and whose failure a failed connection is.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Whether `ip` is an address of the public internet. Anything else (private, loopback, link-local, multicast,
/// reserved, or IPv6 wrapping such an IPv4) would point a keeper's probes at its own network.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let carrier_nat = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (18..20).contains(&b);
    let protocol_assignments = a == 192 && b == 0 && c == 0;
    !(a == 0
        || a >= 224
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || carrier_nat
        || benchmark
        || protocol_assignments)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(v4) = ip.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let [a, b, ..] = ip.segments();
    // Global unicast is 2000::/3; within it 2001::/23 is for protocols, 2001:db8:: for documents, 2002::/16 wraps IPv4.
    (a & 0xe000) == 0x2000 && a != 0x2002 && !(a == 0x2001 && (b < 0x200 || b == 0xdb8))
}

/// Whether a failed `connect` is our own host's fault rather than the machine's.
///
/// An "unreachable" can be forged by the machine's side with an ICMP message, so such an error counts as ours only
/// when our own routing table agrees.
pub(super) fn is_local_failure(error: &io::Error, target: SocketAddr) -> bool {
    match error.raw_os_error() {
        Some(
            libc::EMFILE
            | libc::ENFILE
            | libc::ENOBUFS
            | libc::ENOMEM
            | libc::EPERM
            | libc::EAFNOSUPPORT
            | libc::EADDRNOTAVAIL,
        ) => true,
        Some(libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EACCES | libc::ENETDOWN) => !has_route(target),
        _ => false,
    }
}

/// Whether this host has a route to `target`: connecting a UDP socket asks the routing table and sends nothing.
fn has_route(target: SocketAddr) -> bool {
    let unspecified: IpAddr =
        if target.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    UdpSocket::bind((unspecified, 0)).and_then(|socket| socket.connect(target)).is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn only_public_addresses_may_be_looked_at() {
        for allowed in ["8.8.8.8", "185.199.108.1", "100.63.0.1", "2a00:1450::1", "::ffff:8.8.8.8"] {
            assert!(public(allowed), "{allowed} is public");
        }
        let refused = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2001:db8::1",
            "2001::1",
            "2002:a00:1::",
            "::10.0.0.1",
        ];
        for ip in refused {
            assert!(!public(ip), "{ip} is not public");
        }
    }

    #[test]
    fn a_forged_unreachable_is_not_our_own_failure() {
        let loopback: SocketAddr = "127.0.0.1:22".parse().unwrap();
        for code in [libc::ENETUNREACH, libc::EHOSTUNREACH, libc::EACCES] {
            assert!(!is_local_failure(&io::Error::from_raw_os_error(code), loopback), "we have a route to loopback");
        }
        for code in [libc::ECONNREFUSED, libc::ECONNRESET, libc::ETIMEDOUT] {
            assert!(!is_local_failure(&io::Error::from_raw_os_error(code), loopback));
        }
    }

    #[test]
    fn running_out_of_sockets_is_our_own_failure() {
        let loopback: SocketAddr = "127.0.0.1:22".parse().unwrap();
        for code in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::EADDRNOTAVAIL, libc::EPERM] {
            assert!(is_local_failure(&io::Error::from_raw_os_error(code), loopback));
        }
    }
}
