//! Wall and monotonic time of this run of the process.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Started once; copied wherever time is needed.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// Monotonic time counts from here.
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// Monotonic milliseconds of this run.
    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Wall clock, Unix milliseconds; 0 when it is set before 1970.
    pub fn now_unix_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Wall clock, Unix seconds.
    pub fn now_secs(&self) -> u64 {
        self.now_unix_ms() / 1_000
    }
}
