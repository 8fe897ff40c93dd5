//! Which endpoints may be looked at, and whose failure a failed connection is.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

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
