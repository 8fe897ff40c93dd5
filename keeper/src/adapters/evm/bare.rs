//! Logs that no Ethereum receipt shows, as hints: calls without an Ethereum transaction leave them in Substrate's
//! events alone (`contracts/SPEC.md` D7), where [`crate::runtime`] reads them at final blocks. What they name is read
//! by view with the next block, as after any log.

use super::Follower;
use super::touched::Touched;
use alloy::primitives::{Address, B256, Bytes, LogData};
use alloy::rpc::types::Log;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use surety_substrate::events::EvmLog;

/// Most logs that wait. Of more it is only known that there were more: everything is read then.
const WAITING_MAX: usize = 4_096;

/// Logs told by one task and read by another; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct BareLogs(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    logs: VecDeque<Log>,
    /// Told in all: what is read is what had been told when it was looked at.
    told: u64,
    /// Some were lost, at this count.
    lost_at: Option<u64>,
}

/// What waits, and how much of it that is.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) touched: Touched,
    pub(super) lost: bool,
    upto: u64,
}

impl BareLogs {
    /// A log of one of our contracts.
    pub fn tell(&self, log: &EvmLog) {
        let mut waiting = self.lock();
        waiting.told += 1;
        if waiting.logs.len() >= WAITING_MAX {
            waiting.lost_at = Some(waiting.told);
        } else {
            waiting.logs.push_back(as_alloy(log));
        }
    }

    /// Blocks were passed over: nobody knows what they say.
    pub fn tell_lost(&self) {
        let mut waiting = self.lock();
        waiting.told += 1;
        waiting.lost_at = Some(waiting.told);
    }

    /// What waits; it goes on waiting until it is [`Self::done`].
    pub(super) fn hear(&self) -> Heard {
        let mut waiting = self.lock();
        let touched = Touched::by_logs(waiting.logs.make_contiguous());
        Heard { touched, lost: waiting.lost_at.is_some(), upto: waiting.told }
    }

    /// It was read.
    pub(super) fn done(&self, heard: &Heard) {
        let mut waiting = self.lock();
        let later = usize::try_from(waiting.told - heard.upto).unwrap_or(usize::MAX);
        let read = waiting.logs.len().saturating_sub(later);
        waiting.logs.drain(..read);
        waiting.lost_at = waiting.lost_at.filter(|at| *at > heard.upto);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Follower {
    /// Reads what these logs name with the next block.
    #[must_use]
    pub fn with_bare_logs(self, bare: BareLogs) -> Self {
        Self { bare, ..self }
    }
}

fn as_alloy(log: &EvmLog) -> Log {
    let topics = log.topics.iter().map(|topic| B256::from(topic.0)).collect();
    let data = LogData::new_unchecked(topics, Bytes::from(log.data.clone()));
    let inner = alloy::primitives::Log { address: Address::from(log.address.0), data };
    Log { inner, ..Log::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::sol_types::SolEvent;
    use surety_client::bindings::RentalEscrow;
    use surety_core::types::{Account, Hash32};

    fn ended(rental: u64) -> EvmLog {
        let event = RentalEscrow::RentalClosed { rental };
        let data = event.encode_log_data();
        let topics = data.topics().iter().map(|topic| Hash32(topic.0)).collect();
        EvmLog { address: Account([1; 20]), topics, data: data.data.to_vec(), has_receipt: false }
    }

    #[test]
    fn what_was_told_waits_until_it_was_read_and_what_is_told_meanwhile_waits_on() {
        let bare = BareLogs::default();
        bare.tell(&ended(1));
        let heard = bare.hear();
        assert!(heard.touched.rentals.contains(&1) && !heard.lost);
        bare.tell(&ended(2));
        assert!(bare.hear().touched.rentals.contains(&1), "it was heard and not read");
        bare.done(&heard);
        let later = bare.hear();
        assert_eq!(later.touched.rentals.iter().copied().collect::<Vec<_>>(), [2]);
        bare.done(&later);
        assert!(bare.hear().touched.is_empty());
    }

    #[test]
    fn more_than_there_is_room_for_and_blocks_passed_over_make_everything_be_read_once() {
        let bare = BareLogs::default();
        (0..=WAITING_MAX as u64).for_each(|rental| bare.tell(&ended(rental)));
        let heard = bare.hear();
        assert!(heard.lost && heard.touched.rentals.len() == WAITING_MAX);
        bare.tell_lost();
        bare.done(&heard);
        let again = bare.hear();
        assert!(again.lost, "blocks were passed over since");
        bare.done(&again);
        assert!(!bare.hear().lost);
    }
}
