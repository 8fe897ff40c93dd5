//! For which round weights are sealed: when the reveal epoch of a commit begins, and what drand has published by then.
//!
//! A commit of epoch e is opened in epoch e + `RevealPeriodEpochs`. From the first block of that epoch on the chain
//! looks for the commit's round at the beginning of every block, before the epoch itself is run; where the round is
//! missing it tries again in the next. With the next epoch what is left is deleted, without an event. So a round too
//! late is a commit lost, and a round too early lets everybody read the weights, and copy them, before they count.

use super::TimelockError;

/// When quicknet's round 1 was published, in seconds since the Unix epoch: from drand's description of the chain.
pub const QUICKNET_GENESIS_SECS: u64 = 1_692_803_367;
/// Milliseconds between two rounds of quicknet: from the same.
pub const ROUND_MS: u64 = 3_000;
/// How many blocks after the reveal epoch's first the round is due. Bittensor's own client has the same three
/// (`SECURITY_BLOCK_OFFSET`): blocks may come a little faster than they are counted with, and a round before the epoch
/// shows the weights. Against an epoch of 360 blocks it is nothing.
pub const MARGIN_BLOCKS: u64 = 3;

/// What `SubtensorModule` says of a subnet's epochs, all read at one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochSchedule {
    /// `LastEpochBlock`: the block of the last epoch.
    pub last_epoch_block: u64,
    /// `PendingEpochAt`: the block of an epoch that the owner called for; 0 is none.
    pub pending_epoch_at: u64,
    /// `Tempo`: blocks between two epochs; 0 is a subnet without any.
    pub tempo: u16,
}

impl EpochSchedule {
    /// The block of the next epoch after block `head`, at which all this was read. The runtime runs one as soon as
    /// `tempo` blocks passed since the last (`LastEpochBlock + Tempo`, not the `tempo + 1` of the days before
    /// `LastEpochBlock`), or at a pending one's block if that is sooner. What is overdue (a block runs a few subnets'
    /// epochs at most) comes with the next block.
    pub fn next_epoch_block(&self, head: u64) -> Result<u64, TimelockError> {
        if self.tempo == 0 {
            return Err(TimelockError::NoEpochs);
        }
        let regular = self.last_epoch_block.saturating_add(self.tempo.into());
        let due = match self.pending_epoch_at {
            0 => regular,
            pending => pending.min(regular),
        };
        Ok(due.max(head.saturating_add(1)))
    }

    /// The first block of the epoch in which a commit is opened that is sent at block `head` and included in the next.
    ///
    /// An epoch begins with its block, so a commit in the very block of an epoch is of the new one. One that is
    /// included later than the next epoch's block ([`Self::next_epoch_block`]) is opened an epoch later than this says:
    /// not lost, but readable in the meantime; so do not commit in the last blocks of an epoch. After the next, epochs
    /// are `tempo` apart, unless the owner calls for one or changes the tempo.
    pub fn first_block_of_reveal_epoch(&self, head: u64, reveal_period_epochs: u64) -> Result<u64, TimelockError> {
        let before = reveal_period_epochs.checked_sub(1).ok_or(TimelockError::NoRevealPeriod)?;
        let next = self.next_epoch_block(head)?;
        let of_new_epoch = next == head.saturating_add(1);
        let epochs = if of_new_epoch { reveal_period_epochs } else { before };
        Ok(next.saturating_add(epochs.saturating_mul(self.tempo.into())))
    }
}

/// The round to seal for: what the chain has stored [`MARGIN_BLOCKS`] after the reveal epoch's first block, if it goes
/// on storing as many as drand publishes.
///
/// It is counted from the chain's own `Drand.LastStoredRound`, read at the same block as the schedule, and not from a
/// clock: the chain's rounds can lag behind drand's. If it lags by an hour, a round by the clock is missing for an hour
/// of the reveal epoch, which may be all of it: a lost commit. Counted from the chain, the same lag lets those who ask
/// drand themselves read the weights an hour early: a loss of secrecy, once. [`round_at`] tells how far it lags.
///
/// `blocks_until_reveal` is the first block of the reveal epoch less the block that was read at; `block_time_ms` the
/// chain's block time in milliseconds (12,000; 250 on a fast local chain).
pub fn reveal_round(
    last_stored_round: u64,
    blocks_until_reveal: u64,
    block_time_ms: u64,
) -> Result<u64, TimelockError> {
    if last_stored_round == 0 {
        return Err(TimelockError::NoBeacon);
    }
    let wait_ms = blocks_until_reveal.saturating_add(MARGIN_BLOCKS).saturating_mul(block_time_ms);
    // Rounded up, and at least one: the last stored one can be read by everybody already.
    Ok(last_stored_round.saturating_add(wait_ms.div_ceil(ROUND_MS).max(1)))
}

/// The newest round that quicknet has published at a time, 0 before the first.
pub fn round_at(unix_secs: u64) -> u64 {
    let since = unix_secs.checked_sub(QUICKNET_GENESIS_SECS);
    since.map_or(0, |secs| secs.saturating_mul(1_000) / ROUND_MS + 1)
}
