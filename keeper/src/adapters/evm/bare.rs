//! Logs that no Ethereum receipt shows, as hints: calls without an Ethereum transaction leave them in Substrate's
//! events alone (`contracts/SPEC.md` D7), where [`crate::runtime`] reads them at final blocks. What they name is read
//! by view at the next block that is not before theirs: the EVM's endpoints may be behind.

use super::Follower;
use super::touched::Touched;
use alloy::primitives::{Address, B256, Bytes, LogData};
use alloy::rpc::types::Log;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use surety_substrate::events::EvmLog;

/// Most logs that wait. Of more it is only known that there were more: everything is read then.
const WAITING_MAX: usize = 4_096;

/// Logs told by one task and read by another; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct BareLogs(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    /// With the block each is of, ascending.
    logs: VecDeque<(u64, Log)>,
    /// Blocks up to this one have some that nobody knows.
    lost_upto: Option<u64>,
}

/// What is to be read at a block.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) touched: Touched,
    /// Some are unknown, or cannot be decoded: everything is to be read.
    pub(super) lost: bool,
    /// So many of the oldest logs.
    logs: usize,
    lost_upto: Option<u64>,
}

impl BareLogs {
    /// A log of one of our contracts, in this block; blocks are told in order.
    pub fn tell(&self, block: u64, log: &EvmLog) {
        let mut waiting = self.lock();
        if waiting.logs.len() >= WAITING_MAX {
            waiting.lost_upto = waiting.lost_upto.max(Some(block));
        } else {
            waiting.logs.push_back((block, as_alloy(log)));
        }
    }

    /// Blocks up to this one were passed over: nobody knows what they say.
    pub fn tell_lost(&self, upto: u64) {
        let mut waiting = self.lock();
        waiting.lost_upto = waiting.lost_upto.max(Some(upto));
    }

    /// What can be read at a block; it goes on waiting until it is [`Self::done`].
    pub(super) fn hear(&self, block: u64) -> Heard {
        let waiting = self.lock();
        let logs: Vec<Log> =
            waiting.logs.iter().take_while(|(of, _)| *of <= block).map(|(_, log)| log.clone()).collect();
        let touched = Touched::by_logs(&logs);
        let lost_upto = waiting.lost_upto.filter(|upto| *upto <= block);
        Heard { lost: touched.undecoded || lost_upto.is_some(), touched, logs: logs.len(), lost_upto }
    }

    /// It was read. What was told meanwhile was not, whatever its block: it waits on.
    pub(super) fn done(&self, heard: &Heard) {
        let mut waiting = self.lock();
        let read = heard.logs.min(waiting.logs.len());
        waiting.logs.drain(..read);
        if waiting.lost_upto == heard.lost_upto {
            waiting.lost_upto = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
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

    fn closed(rental: u64) -> EvmLog {
        let event = RentalEscrow::RentalClosed { rental };
        let data = event.encode_log_data();
        let topics = data.topics().iter().map(|topic| Hash32(topic.0)).collect();
        EvmLog { address: Account([1; 20]), topics, data: data.data.to_vec(), has_receipt: false }
    }

    fn rentals(heard: &Heard) -> Vec<u64> {
        heard.touched.rentals.iter().copied().collect()
    }

    #[test]
    fn what_was_told_waits_until_it_was_read_and_what_is_told_meanwhile_waits_on() {
        let bare = BareLogs::default();
        bare.tell(10, &closed(1));
        let heard = bare.hear(10);
        assert!(rentals(&heard) == [1] && !heard.lost);
        bare.tell(11, &closed(2));
        assert_eq!(rentals(&bare.hear(10)), [1], "it was heard and not read");
        bare.done(&heard);
        let later = bare.hear(11);
        assert_eq!(rentals(&later), [2]);
        bare.done(&later);
        assert!(bare.hear(99).touched.is_empty());
    }

    #[test]
    fn what_is_told_of_an_old_block_while_a_later_one_is_read_waits_for_the_next() {
        let bare = BareLogs::default();
        bare.tell(9, &closed(1));
        let heard = bare.hear(12);
        bare.tell(10, &closed(2));
        bare.tell_lost(11);
        bare.done(&heard);
        let next = bare.hear(12);
        assert_eq!((rentals(&next), next.lost), (vec![2], true));
        bare.done(&next);
        assert!(bare.hear(12).touched.is_empty() && !bare.hear(12).lost);
    }

    #[test]
    fn a_log_of_a_later_block_is_not_read_at_an_earlier_one() {
        let bare = BareLogs::default();
        bare.tell(10, &closed(1));
        bare.tell_lost(10);
        let early = bare.hear(9);
        assert!(early.touched.is_empty() && !early.lost);
        bare.done(&early);
        let heard = bare.hear(10);
        assert!(rentals(&heard) == [1] && heard.lost);
    }

    #[test]
    fn more_than_there_is_room_for_blocks_passed_over_and_odd_logs_make_everything_be_read_once() {
        let bare = BareLogs::default();
        (0..=WAITING_MAX as u64).for_each(|rental| bare.tell(5, &closed(rental)));
        let heard = bare.hear(5);
        assert!(heard.lost && heard.touched.rentals.len() == WAITING_MAX);
        bare.tell_lost(6);
        bare.done(&heard);
        assert!(!bare.hear(5).lost && bare.hear(6).lost, "blocks were passed over since");
        bare.done(&bare.hear(6));
        assert!(!bare.hear(6).lost);
        bare.tell(7, &EvmLog { topics: vec![Hash32([9; 32])], ..closed(1) });
        assert!(bare.hear(7).lost, "a log that nobody can decode");
    }
}
