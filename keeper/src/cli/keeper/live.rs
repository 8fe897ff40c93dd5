//! What only a running keeper knows, asked of its own `/metrics`.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Longest that the keeper may take; it is on this host.
const PATIENCE: Duration = Duration::from_secs(2);

/// Most bytes of an answer; a page has some ten thousand.
const PAGE_BYTES_MAX: u64 = 1 << 20;

/// What the keeper that listens at `listen` thinks of its RPC endpoints, by place in `chain.rpc`.
pub(super) fn endpoints(listen: SocketAddr) -> Option<Vec<String>> {
    let page = page(reachable(listen)).ok()?;
    let found = standings(&page);
    (!found.is_empty()).then_some(found)
}

/// A server that listens everywhere listens here.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn page(at: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&at, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut page = Vec::new();
    stream.take(PAGE_BYTES_MAX).read_to_end(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// The lines of `surety_rpc_endpoint` that are 1, in their order.
fn standings(page: &str) -> Vec<String> {
    let one = |line: &str| {
        let labels = line.strip_prefix("surety_rpc_endpoint{endpoint=\"")?.strip_suffix("\"} 1")?;
        let (place, standing) = labels.split_once("\",standing=\"")?;
        Some(format!("{place} {standing}"))
    };
    page.lines().filter_map(|line| one(line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::net::TcpListener;

    const PAGE: &str = "surety_rpc_endpoint{endpoint=\"0\",standing=\"agreeing\"} 1\n\
        surety_rpc_endpoint{endpoint=\"0\",standing=\"behind\"} 0\n\
        surety_rpc_endpoint{endpoint=\"1\",standing=\"unreachable\"} 1\n";

    #[test]
    fn the_running_keepers_own_opinion_is_read_and_silence_is_none() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), listener.local_addr().unwrap().port());
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                asked.push(byte[0]);
            }
            assert!(asked.starts_with(b"GET /metrics HTTP/1.1\r\n"));
            write!(stream, "HTTP/1.1 200 OK\r\n\r\n{PAGE}").unwrap();
        });
        assert_eq!(endpoints(at), Some(vec!["0 agreeing".to_owned(), "1 unreachable".to_owned()]));
        serving.join().unwrap();
        assert_eq!(endpoints(at), None, "nobody listens any more");
    }
}
