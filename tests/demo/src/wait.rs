//! Waiting for conditions with a deadline, remembering what was seen last so that a failure can say it.

use anyhow::{Result, bail};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time between two looks at a condition.
const LOOK_EVERY: Duration = Duration::from_millis(150);

/// What one look at a condition showed.
pub enum Seen<T> {
    /// It holds.
    Done(T),
    /// It does not hold yet; the text says what is there instead.
    NotYet(String),
}

/// The last thing seen, shared between everything that waits.
#[derive(Debug, Clone, Default)]
pub struct Seer(Arc<Mutex<String>>);

impl Seer {
    /// Remembers what was just seen.
    pub fn note(&self, what: impl Into<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = what.into();
    }

    /// The last thing seen.
    pub fn last(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks until the condition holds. An error while looking is something seen, not the end: what is waited for may
    /// be the very reason for it.
    ///
    /// # Errors
    /// When it does not hold within `limit`; the message says what was seen last.
    pub async fn until<T>(
        &self,
        what: &str,
        limit: Duration,
        mut look: impl AsyncFnMut() -> Result<Seen<T>>,
    ) -> Result<T> {
        let end = Instant::now() + limit;
        loop {
            let seen = match tokio::time::timeout(limit, look()).await {
                Ok(Ok(Seen::Done(found))) => return Ok(found),
                Ok(Ok(Seen::NotYet(seen))) => seen,
                Ok(Err(error)) => format!("{error:#}"),
                Err(_) => "no answer".to_owned(),
            };
            self.note(format!("waiting until {what}: {seen}"));
            if Instant::now() >= end {
                bail!("waited {} s until {what}, in vain; last seen: {seen}", limit.as_secs());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_condition_that_never_holds_names_itself_and_what_was_seen() {
        let seer = Seer::default();
        let mut looks = 0;
        let waited = seer.until("the moon is blue", Duration::from_millis(1), async || {
            looks += 1;
            Ok(Seen::<()>::NotYet("grey".into()))
        });
        let message = waited.await.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains("the moon is blue") && message.contains("grey"), "{message}");
        assert!(looks >= 1);
        assert!(seer.last().contains("grey"));
    }

    #[tokio::test]
    async fn an_error_while_looking_is_not_the_end() {
        let mut looks = 0;
        let found = Seer::default()
            .until("it works", Duration::from_secs(5), async || {
                looks += 1;
                if looks < 2 { bail!("not up") } else { Ok(Seen::Done(looks)) }
            })
            .await;
        assert_eq!(found.ok(), Some(2));
    }
}
