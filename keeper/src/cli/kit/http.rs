//! What keepers answer over HTTP: strangers, so every answer is bounded in bytes and in time, and nothing is followed
//! to another address.

use super::text::plain;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Longest that one answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// Longest that a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Most bytes of a list: a page of 1,000 machines is some 800 KB.
pub(in crate::cli) const LIST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most bytes of an evidence bundle, as `surety evidence verify` reads it.
pub(in crate::cli) const BUNDLE_BYTES_MAX: usize = 64 << 20;

/// Most characters of a stranger's message.
const MESSAGE_MAX: usize = 300;

/// Why there is no answer. URLs are shown without what may be a secret in them.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum HttpError {
    /// No connection, or it broke off.
    #[error("{url} cannot be reached: {why}")]
    Unreachable {
        /// Which.
        url: String,
        /// What was seen.
        why: String,
    },
    /// It said no.
    #[error("{url} answered {status}: {message}")]
    Refused {
        /// Which.
        url: String,
        /// The HTTP status.
        status: u16,
        /// Its words.
        message: String,
    },
    /// More than is read.
    #[error("{url} answered with more than {most} bytes: not read")]
    TooLong {
        /// Which.
        url: String,
        /// The bound.
        most: usize,
    },
    /// Something else.
    #[error("{url} answered something else than expected: {why}")]
    Odd {
        /// Which.
        url: String,
        /// What is wrong with it.
        why: String,
    },
}

impl HttpError {
    /// Whether nobody answered at all.
    pub(in crate::cli) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// The two forms in which a keeper says why not.
#[derive(Deserialize)]
#[serde(untagged)]
enum Why {
    Problem { detail: String },
    Error { error: Message },
}

#[derive(Deserialize)]
struct Message {
    message: String,
}

/// Asks keepers.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Http(reqwest::Client);

impl Http {
    /// One for all.
    ///
    /// # Errors
    /// The system gives no TLS certificates to trust.
    pub(in crate::cli) fn new() -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(ANSWER_LIMIT)
            .connect_timeout(CONNECT_LIMIT)
            .redirect(reqwest::redirect::Policy::none());
        let client = client.build().map_err(|error| {
            anyhow::anyhow!("the HTTP client cannot be set up ({error}): are the system's CA certificates installed?")
        })?;
        Ok(Self(client))
    }

    /// `GET base/path?query` as JSON of at most `bytes_max` bytes.
    ///
    /// # Errors
    /// [`HttpError`] says what was answered instead.
    pub(in crate::cli) async fn get<T: DeserializeOwned>(
        &self,
        base: &str,
        path: &str,
        query: &[(&str, String)],
        bytes_max: usize,
    ) -> Result<T, HttpError> {
        let url = shown(base, path);
        let full = full_url(base, path, query).ok_or_else(|| HttpError::Odd {
            url: url.clone(),
            why: "it is no URL: want http:// or https:// and a host".into(),
        })?;
        let unreachable =
            |error: reqwest::Error| HttpError::Unreachable { url: url.clone(), why: reason(&error.without_url()) };
        let mut answer = self.0.get(full).send().await.map_err(unreachable)?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + piece.len() > bytes_max {
                return Err(HttpError::TooLong { url, most: bytes_max });
            }
            body.extend_from_slice(&piece);
        }
        if !status.is_success() {
            return Err(HttpError::Refused { url, status: status.as_u16(), message: message(&body) });
        }
        serde_json::from_slice(&body)
            .map_err(|error| HttpError::Odd { url, why: plain(&error.to_string(), MESSAGE_MAX) })
    }
}

fn full_url(base: &str, path: &str, query: &[(&str, String)]) -> Option<reqwest::Url> {
    let mut url: reqwest::Url = format!("{}{path}", base.trim_end_matches('/')).parse().ok()?;
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    (matches!(url.scheme(), "http" | "https") && url.host().is_some()).then_some(url)
}

/// An address without what may be a secret in it.
fn shown(base: &str, path: &str) -> String {
    let host = base.rsplit_once('@').map_or(base, |(_, host)| host);
    plain(&format!("{}{path}", host.split(['?', '#']).next().unwrap_or("").trim_end_matches('/')), 120)
}

fn reason(error: &reqwest::Error) -> String {
    use std::error::Error;
    let mut deepest: &dyn Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    if error.is_timeout() { "it took too long".into() } else { plain(&deepest.to_string(), MESSAGE_MAX) }
}

fn message(body: &[u8]) -> String {
    let said = match serde_json::from_slice(body) {
        Ok(Why::Problem { detail }) => detail,
        Ok(Why::Error { error }) => error.message,
        Err(_) => String::from_utf8_lossy(&body[..body.len().min(MESSAGE_MAX)]).into_owned(),
    };
    plain(&said, MESSAGE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keepers_no_is_shown_in_either_of_its_forms_and_harmless() {
        assert_eq!(
            message(br#"{"type":"about:blank","title":"t","status":400,"detail":"no\u001b[2J","code":"c"}"#),
            "no[2J"
        );
        assert_eq!(message(br#"{"error":{"code":"not_found","message":"gone"}}"#), "gone");
        assert_eq!(message(b"<html>\n"), "<html>");
    }

    #[test]
    fn a_password_in_a_url_is_never_shown() {
        assert_eq!(shown("http://me:secret@host:1/", "/v1/market"), "host:1/v1/market");
        assert!(full_url("file:///etc", "/passwd", &[]).is_none());
        assert!(full_url("host", "/v1", &[]).is_none());
    }
}
