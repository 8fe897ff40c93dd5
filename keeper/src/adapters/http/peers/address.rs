//! Which URLs may be asked at all. A keeper's URL comes from the chain: whoever wrote it may want us to talk to our own
//! network, so only public addresses are asked, after names are resolved.

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, SocketAddr};
use surety_core::hosts::is_public;

/// Why a URL is not asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum UrlError {
    #[error("the URL is not one: want http:// or https:// and a host")]
    NotOne,
    #[error("the URL holds a user name or password: it must not")]
    Credentials,
    #[error("the URL has a query or fragment: want only a base, as in https://keeper.example")]
    NotABase,
    #[error("the URL leads to {ip}, which is not an address of the public internet")]
    NotPublic { ip: IpAddr },
}

/// The base URL of a keeper, if it may be asked. Names are checked when they are resolved.
pub(super) fn base(text: &str, allow_private: bool) -> Result<Url, UrlError> {
    let url: Url = text.parse().map_err(|_| UrlError::NotOne)?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(UrlError::NotOne)?;
    if !matches!(url.scheme(), "http" | "https") || url.port() == Some(0) {
        return Err(UrlError::NotOne);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Credentials);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(UrlError::NotABase);
    }
    match host.trim_start_matches('[').trim_end_matches(']').parse() {
        Ok(ip) if !allow_private && !is_public(ip) => Err(UrlError::NotPublic { ip }),
        _ => Ok(url),
    }
}

/// `GET /v1/attestations` under a base URL.
pub(super) fn page_url(base: &Url, after: u64, limit: u32) -> Url {
    let mut url = under(base, "/v1/attestations");
    url.set_query(Some(&format!("after={after}&limit={limit}")));
    url
}

/// A path under a base URL.
pub(super) fn under(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

/// A path under a keeper's base URL, when that may be asked; else why not.
pub(in crate::adapters::http) fn under_base(text: &str, allow_private: bool, path: &str) -> Result<Url, String> {
    base(text, allow_private).map(|base| under(&base, path)).map_err(|error| error.to_string())
}

/// Resolves names by the operating system and leaves out what may not be asked. It is the resolver of the connection
/// itself, so a name cannot be checked as one address and connected to as another.
pub(super) struct Resolver {
    pub(super) allow_private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let (allowed, refused): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|address| allow_private || is_public(address.ip()));
            match (allowed.is_empty(), refused.first()) {
                (true, Some(address)) => Err(UrlError::NotPublic { ip: address.ip() }.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_a_plain_web_address_is_a_base() {
        for good in ["https://keeper.example", "http://8.8.8.8:8080/", "https://[2a00:1450::1]/sub/path/"] {
            assert!(base(good, false).is_ok(), "{good}");
        }
        for bad in ["", "keeper.example", "ftp://keeper.example", "file:///etc/passwd", "http://", "http://k:0"] {
            assert_eq!(base(bad, true), Err(UrlError::NotOne), "{bad}");
        }
        assert_eq!(base("https://me:secret@keeper.example", true), Err(UrlError::Credentials));
        assert_eq!(base("https://me@keeper.example", true), Err(UrlError::Credentials));
        assert_eq!(base("https://keeper.example/?a=b", true), Err(UrlError::NotABase));
        assert_eq!(base("https://keeper.example/#a", true), Err(UrlError::NotABase));
    }

    #[test]
    fn private_addresses_are_refused_however_they_are_written() {
        let private = [
            "http://127.0.0.1:8080",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://10.0.0.1",
            "http://169.254.169.254/latest/meta-data",
            "http://192.168.1.1",
            "http://100.64.0.1",
            "http://0.0.0.0",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://[fe80::1]/",
            "http://[fd00::1]/",
            "http://[64:ff9b::a00:1]/",
            "http://[2002:a00:1::]/",
        ];
        for url in private {
            assert!(matches!(base(url, false), Err(UrlError::NotPublic { .. })), "{url}");
            assert!(base(url, true).is_ok(), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_to_a_private_address_is_refused_when_resolved() {
        let resolve = |allow_private| Resolver { allow_private }.resolve("localhost".parse().unwrap());
        let refused = resolve(false).await.err().unwrap();
        assert!(refused.to_string().contains("not an address of the public internet"), "{refused}");
        assert!(resolve(true).await.unwrap().all(|address| address.ip().is_loopback()));
    }

    #[test]
    fn a_page_is_asked_for_under_the_base() {
        let page = |text: &str| page_url(&base(text, false).unwrap(), 3, 100).to_string();
        assert_eq!(page("https://k.example"), "https://k.example/v1/attestations?after=3&limit=100");
        assert_eq!(page("https://k.example/sub/"), "https://k.example/sub/v1/attestations?after=3&limit=100");
    }
}
