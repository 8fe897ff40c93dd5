//! Answers about the market, made once for each state of it: encoded, compressed, told apart by an `ETag`.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of answers kept, but for the last that came. With more, all are forgotten, and made again when asked for.
const BYTES_MAX: usize = 64 << 20;

/// Shorter answers are not compressed: a packet is a packet.
const COMPRESS_FROM: usize = 1_400;

/// Blocks are 12 s apart: who asks again within two has missed nothing.
const MAX_AGE: HeaderValue = HeaderValue::from_static("public, max-age=2");

/// One answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    kind: &'static str,
    plain: Bytes,
    gzip: Option<Bytes>,
}

impl Answer {
    /// Encodes. Level 1: answers are made anew with every block.
    pub(super) fn new(kind: &'static str, plain: Vec<u8>) -> Self {
        Self { kind, gzip: compressed(&plain, Compression::fast()), plain: plain.into() }
    }

    fn bytes(&self) -> usize {
        self.plain.len() + self.gzip.as_ref().map_or(0, Bytes::len)
    }

    /// The answer as this asker takes it; `etag` names its bytes.
    pub(super) fn response(&self, asked: &HeaderMap, etag: &str) -> Response {
        let Ok(etag) = HeaderValue::from_str(etag) else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
        let known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| names(known, &etag));
        let mut response = match (known, &self.gzip) {
            (true, _) => StatusCode::NOT_MODIFIED.into_response(),
            (false, Some(gzip)) if takes_gzip(asked) => {
                let mut response = Response::new(Body::from(gzip.clone()));
                response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                response
            }
            _ => Response::new(Body::from(self.plain.clone())),
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(header::ETAG, etag);
        headers.insert(header::CACHE_CONTROL, MAX_AGE);
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        response
    }
}

/// Bytes compressed, where that is worth it.
pub(super) fn compressed(plain: &[u8], level: Compression) -> Option<Bytes> {
    if plain.len() < COMPRESS_FROM {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), level);
    // Writing to memory does not fail; if it did, the answer would go out as it is.
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// Whether the asker takes gzip. `gzip;q=0` says no; nobody says it, and it is heard.
pub(super) fn takes_gzip(asked: &HeaderMap) -> bool {
    let accepted = asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        parts.next() == Some("gzip") && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// Whether a list of entity tags names this one.
fn names(known: &HeaderValue, etag: &HeaderValue) -> bool {
    let strong = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    match (known.to_str(), etag.to_str()) {
        (Ok(known), Ok(etag)) => known.split(',').any(|one| one.trim() == "*" || strong(one) == strong(etag)),
        _ => false,
    }
}

/// Answers of one state of the market.
#[derive(Debug, Default)]
struct Held {
    generation: u64,
    bytes: usize,
    answers: BTreeMap<String, Arc<Answer>>,
}

/// What was answered since the market last changed.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<Held>);

impl Cache {
    /// What was answered to this question in this state, if it is kept.
    pub(super) fn find(&self, generation: u64, question: &str) -> Option<Arc<Answer>> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.answers.get(question).filter(|_| held.generation == generation).cloned()
    }

    /// Keeps an answer, and forgets those of an older state.
    pub(super) fn keep(&self, generation: u64, question: String, answer: Arc<Answer>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.generation > generation {
            return;
        }
        if held.generation < generation || held.bytes > BYTES_MAX {
            *held = Held { generation, ..Held::default() };
        }
        held.bytes += question.len() + answer.bytes();
        if let Some(old) = held.answers.insert(question, answer) {
            held.bytes = held.bytes.saturating_sub(old.bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: header::HeaderName, value: &'static str) -> HeaderMap {
        [(name, HeaderValue::from_static(value))].into_iter().collect()
    }

    #[test]
    fn gzip_is_given_to_those_who_take_it() {
        for (accepted, takes) in
            [("gzip", true), ("br, gzip;q=0.5", true), ("gzip;q=0", false), ("gzip;q=0.0", false), ("identity", false)]
        {
            assert_eq!(takes_gzip(&asked(header::ACCEPT_ENCODING, accepted)), takes, "{accepted}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn a_known_answer_is_not_sent_again() {
        let answer = Answer::new("application/json", vec![b'7'; 5_000]);
        let status = |known| answer.response(&asked(header::IF_NONE_MATCH, known), "W/\"1-2\"").status();
        assert_eq!(status("W/\"1-2\""), StatusCode::NOT_MODIFIED);
        assert_eq!(status("\"0-0\", \"1-2\""), StatusCode::NOT_MODIFIED);
        assert_eq!(status("W/\"1-3\""), StatusCode::OK);
    }

    #[test]
    fn what_is_kept_is_of_one_state_and_bounded() {
        let cache = Cache::default();
        let answer = || Arc::new(Answer::new("application/json", vec![7; BYTES_MAX / 3]));
        cache.keep(1, "a".into(), answer());
        assert!(cache.find(1, "a").is_some() && cache.find(2, "a").is_none());
        cache.keep(2, "b".into(), answer());
        cache.keep(1, "late".into(), answer());
        assert!(cache.find(2, "b").is_some() && cache.find(1, "a").is_none() && cache.find(1, "late").is_none());
        for number in 0..20 {
            cache.keep(2, number.to_string(), answer());
            let held = cache.0.lock().unwrap_or_else(PoisonError::into_inner);
            assert!(held.bytes <= BYTES_MAX + BYTES_MAX, "{}", held.bytes);
        }
    }
}
