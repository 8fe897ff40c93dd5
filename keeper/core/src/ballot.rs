//! Setting weights, once an epoch, as a pure function: what to do next, given what is stored and what a final block
//! shows.
//!
//! A ballot is one setting of weights. chosen → signed → bytes stored → sent → done only when the *subnet's state* at a
//! final block shows it. Signed calls are mortal: after their last block they are dead for certain, so a second one is
//! signed only then, and one epoch can never carry two that are both alive. What the pool answers is a hint.
//!
//! Where the subnet hides weights by a hash, the ballot has a second half: the reveal, in the epoch that the chain
//! allows it in and in no other. Timelocked ones are revealed by the chain itself, an epoch or more later: the next
//! ballot does not wait for it, and what became of them is told when their turn has come ([`Ballot::aftermath`]).

use crate::types::Hash32;
use serde::{Deserialize, Serialize};

mod sealed;
#[cfg(test)]
mod tests;

pub use sealed::{Aftermath, Later};

/// How often the same half of a ballot is signed at most: each attempt waits out its call's life, 64 blocks of an epoch
/// of 360.
pub const ATTEMPTS_MAX: u32 = 4;

/// Nothing is signed this many blocks before an epoch's end, as many as a signed call lives: what is in a block after
/// it would count for the next epoch, and timelocked weights could be read before they do.
pub const LAST_BLOCKS: u64 = 64;

/// Bytes that are in no block yet are sent again after this many: pools forget.
pub const RESEND_BLOCKS: u64 = 5;

/// How the subnet takes weights.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Openness {
    /// In the open.
    Open,
    /// By a hash, revealed so many epochs later.
    Hashed {
        /// Epochs.
        period_epochs: u64,
    },
    /// Encrypted to a round of the beacon, opened by the chain so many epochs later.
    Timelocked {
        /// Epochs.
        period_epochs: u64,
    },
}

/// What is set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Choice {
    /// Who gets weight, ascending.
    pub uids: Vec<u16>,
    /// How much, of 65,535; as many as uids.
    pub values: Vec<u16>,
    /// The subnet's version key when it was chosen.
    pub version_key: u64,
}

/// How it is set, with what must not be lost between its halves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// In the open.
    Open,
    /// By a hash of the choice and this salt.
    Hashed {
        /// Random; whoever knows it can read the choice from the hash by trying.
        salt: Vec<u16>,
        /// The hash.
        hash: Hash32,
        /// The epoch in which it may be revealed, once the commit is in a block.
        reveal_epoch: Option<u64>,
    },
    /// Encrypted.
    Timelocked {
        /// The ciphertext, hex without 0x.
        ciphertext: String,
        /// The round that opens it.
        round: u64,
        /// The version of commits.
        version: u16,
    },
}

/// A signed call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tx {
    /// Its nonce.
    pub nonce: u64,
    /// Its bytes, hex without 0x.
    pub raw: String,
    /// Its hash.
    pub hash: Hash32,
    /// The block from which it is good.
    pub from_block: u64,
    /// The last block that can have it.
    pub last_block: u64,
    /// The newest block when it was last sent.
    pub sent_at: Option<u64>,
}

/// How far a ballot is. Each state is stored before the action that leads out of it is taken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing is signed (any more).
    Chosen,
    /// Signed, and perhaps sent.
    Signed(Tx),
    /// A hash is on chain; the reveal's turn has not come, or nothing is signed for it (any more).
    Committed,
    /// The reveal is signed, and perhaps sent.
    Revealing(Tx),
    /// A ciphertext is on chain, and the chain opens it by itself.
    Sealed {
        /// The final block that showed it.
        block: u64,
        /// The epoch in which it is opened, by the rule of the day.
        reveal_epoch: u64,
    },
    /// The subnet's state shows it.
    Done {
        /// The final block that showed it.
        block: u64,
    },
    /// The chain had the ciphertext, and threw it away.
    Lost {
        /// The final block that showed neither it nor its weights.
        block: u64,
        /// Why, as far as that block tells.
        why: String,
    },
    /// It can no longer succeed.
    Failed {
        /// Why.
        why: String,
    },
}

/// One setting of weights.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ballot {
    /// The subnet, by number and by how many had it before: another count is another subnet.
    pub netuid: u16,
    /// See `netuid`.
    pub registered_counter: u64,
    /// Whose it is: another hotkey's calls are none of ours.
    pub hotkey: Hash32,
    /// The epoch it was chosen in.
    pub epoch: u64,
    /// What is set.
    pub choice: Choice,
    /// How.
    pub way: Way,
    /// How far it is.
    pub stage: Stage,
    /// How often this half was signed.
    pub attempts: u32,
}

/// What a final block shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// The subnet.
    pub netuid: u16,
    /// The hotkey that sets weights now.
    pub hotkey: Hash32,
    /// The block's number.
    pub block: u64,
    /// How many subnets had this number.
    pub registered_counter: u64,
    /// The subnet's epoch.
    pub epoch: u64,
    /// The first block of the next one.
    pub next_epoch_block: u64,
    /// How weights are taken.
    pub openness: Openness,
    /// Who we are there; None without a uid.
    pub seat: Option<Seat>,
    /// Blocks between two weights of one uid.
    pub rate_limit_blocks: u64,
    /// The version of weights that is taken.
    pub version_key: u64,
    /// Whether the subnet has the weights of the ballot at hand for our uid.
    pub weights_are_there: bool,
    /// The epoch of the commit with the hash of the ballot at hand, if it is among our commits.
    pub hash_committed_in: Option<u64>,
    /// The epoch of the commit with the ciphertext of the ballot at hand, if it is among our commits.
    pub ciphertext_committed_in: Option<u64>,
}

/// Our seat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seat {
    /// The uid.
    pub uid: u16,
    /// Whether it may set weights for others.
    pub permit: bool,
    /// The block of our newest weights or commit; 0 for none.
    pub updated_at: u64,
    /// Our stake by our own count, in rao.
    pub stake_rao: u64,
    /// Least stake of whoever sets weights, in rao; 0 for the subnet's owner, who needs none.
    pub stake_needed_rao: u64,
}

/// Why no weights are set now.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// We are not on the subnet.
    #[error("the hotkey has no uid on the subnet: register it (btcli subnets register)")]
    NotRegistered,
    /// We may not.
    #[error("uid {uid} has no validator permit: it needs more stake than others have")]
    NoPermit {
        /// Our uid.
        uid: u16,
    },
    /// Too little stake.
    #[error("uid {uid} has some {have_rao} rao of stake by our count, the chain asks for {need_rao}")]
    TooLittleStake {
        /// Our uid.
        uid: u16,
        /// Ours.
        have_rao: u64,
        /// The least.
        need_rao: u64,
    },
    /// Not yet.
    #[error("weights were set at block {updated_at}, the next ones are taken from block {from_block}")]
    TooEarly {
        /// Our newest.
        updated_at: u64,
        /// When.
        from_block: u64,
    },
    /// The epoch is nearly over.
    #[error("the epoch ends at block {next_epoch_block}: the next ballot begins there")]
    EpochEnds {
        /// When.
        next_epoch_block: u64,
    },
}

/// What to do next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Nothing now; look again at a later block.
    Wait,
    /// Nothing now, for this reason.
    Refuse(Refusal),
    /// Choose weights for this epoch and store the ballot.
    Choose,
    /// Sign the half at hand and store it ([`Ballot::signed`]).
    Sign,
    /// Send the stored bytes, and store that they were sent ([`Ballot::sent`]).
    Send,
    /// Store this stage.
    Record(Stage),
    /// Store that the commit is on chain, and in which epoch it is revealed.
    Commit {
        /// The epoch.
        reveal_epoch: u64,
    },
}

/// The next action. `ballot` is the newest there is.
pub fn next_action(ballot: Option<&Ballot>, seen: &Seen) -> Action {
    match ballot {
        Some(ballot) if !ballot.is_over() => ballot.next(seen),
        Some(ballot) if ballot.is_of(seen) && ballot.epoch >= seen.epoch => Action::Wait,
        _ => begin(seen),
    }
}

/// A factor between our count of stake and the chain's, below which we believe that we have too little: ours leaves out
/// what changed since, and what a later runtime may count.
const STAKE_DOUBT: u64 = 2;

/// Whether a ballot can begin.
fn begin(seen: &Seen) -> Action {
    match refusal(seen) {
        Some(refusal) => Action::Refuse(refusal),
        None => Action::Choose,
    }
}

fn refusal(seen: &Seen) -> Option<Refusal> {
    let Some(seat) = seen.seat else { return Some(Refusal::NotRegistered) };
    if !seat.permit {
        return Some(Refusal::NoPermit { uid: seat.uid });
    }
    if seat.stake_rao.saturating_mul(STAKE_DOUBT) < seat.stake_needed_rao {
        let (have_rao, need_rao) = (seat.stake_rao, seat.stake_needed_rao);
        return Some(Refusal::TooLittleStake { uid: seat.uid, have_rao, need_rao });
    }
    // A call is checked in the block after the one we see, at the earliest.
    let from_block = seat.updated_at.saturating_add(seen.rate_limit_blocks);
    if seat.updated_at != 0 && seen.block.saturating_add(1) < from_block {
        return Some(Refusal::TooEarly { updated_at: seat.updated_at, from_block });
    }
    let ends = seen.block.saturating_add(LAST_BLOCKS) >= seen.next_epoch_block;
    ends.then_some(Refusal::EpochEnds { next_epoch_block: seen.next_epoch_block })
}

impl Ballot {
    /// A ballot as chosen.
    pub fn new(seen: &Seen, choice: Choice, way: Way) -> Self {
        let Seen { netuid, registered_counter, hotkey, epoch, .. } = *seen;
        Self { netuid, registered_counter, hotkey, epoch, choice, way, stage: Stage::Chosen, attempts: 0 }
    }

    /// Whether nothing will be signed or sent for it any more.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Sealed { .. } | Stage::Done { .. } | Stage::Lost { .. } | Stage::Failed { .. })
    }

    /// The bytes that are on their way, if any.
    pub fn tx(&self) -> Option<&Tx> {
        match &self.stage {
            Stage::Signed(tx) | Stage::Revealing(tx) => Some(tx),
            _ => None,
        }
    }

    fn is_of(&self, seen: &Seen) -> bool {
        let (ours, theirs) = (self.registered_counter, seen.registered_counter);
        (self.netuid, ours, self.hotkey) == (seen.netuid, theirs, seen.hotkey)
    }

    fn next(&self, seen: &Seen) -> Action {
        if !self.is_of(seen) {
            // What is signed may still get into a block: nothing else is signed before it cannot.
            return match self.tx().is_some_and(|tx| seen.block <= tx.last_block) {
                true => Action::Wait,
                false => failed("weights are set on another subnet now, or by another hotkey"),
            };
        }
        match &self.stage {
            Stage::Chosen => self.chosen(seen),
            Stage::Signed(tx) => self.signed_waits(tx, seen),
            Stage::Committed => self.committed(seen),
            Stage::Revealing(tx) => self.revealing(tx, seen),
            Stage::Sealed { .. } | Stage::Done { .. } | Stage::Lost { .. } | Stage::Failed { .. } => Action::Wait,
        }
    }

    /// Nothing of it is alive: it may be given up for a newer epoch's, or because the subnet changed its rules.
    fn chosen(&self, seen: &Seen) -> Action {
        if seen.epoch != self.epoch {
            return failed("its epoch is over, and no block has it");
        }
        if !self.fits(seen.openness) {
            return failed("the subnet takes weights in another way now");
        }
        if self.choice.version_key != seen.version_key {
            return failed("the subnet takes weights of another version now");
        }
        if self.attempts >= ATTEMPTS_MAX {
            return failed("no block took it, however often it was signed");
        }
        match refusal(seen) {
            Some(refusal) => Action::Refuse(refusal),
            None => Action::Sign,
        }
    }

    fn fits(&self, openness: Openness) -> bool {
        matches!(
            (&self.way, openness),
            (Way::Open, Openness::Open)
                | (Way::Hashed { .. }, Openness::Hashed { .. })
                | (Way::Timelocked { .. }, Openness::Timelocked { .. })
        )
    }

    fn signed_waits(&self, tx: &Tx, seen: &Seen) -> Action {
        let updated = seen.seat.is_some_and(|seat| seat.updated_at > tx.from_block && seat.updated_at <= seen.block);
        match &self.way {
            // An update alone may be another program's.
            Way::Open if updated && seen.weights_are_there => Action::Record(Stage::Done { block: seen.block }),
            Way::Timelocked { .. } if seen.ciphertext_committed_in.is_some() => sealed(seen),
            Way::Hashed { .. } if seen.hash_committed_in.is_some() => commit(seen),
            _ if seen.block > tx.last_block => Action::Record(Stage::Chosen),
            _ => send(tx, seen),
        }
    }

    fn reveal_epoch(&self) -> Option<u64> {
        match self.way {
            Way::Hashed { reveal_epoch, .. } => reveal_epoch,
            Way::Open | Way::Timelocked { .. } => None,
        }
    }

    fn committed(&self, seen: &Seen) -> Action {
        let Some(epoch) = self.reveal_epoch() else { return failed("a commit without an epoch to reveal it in") };
        match seen.epoch.cmp(&epoch) {
            std::cmp::Ordering::Less => Action::Wait,
            std::cmp::Ordering::Greater => failed("the epoch for its reveal is over"),
            std::cmp::Ordering::Equal if self.attempts >= ATTEMPTS_MAX => {
                failed("no block took its reveal, however often it was signed")
            }
            std::cmp::Ordering::Equal => Action::Sign,
        }
    }

    /// A revealed commit is taken off the chain's list.
    fn revealing(&self, tx: &Tx, seen: &Seen) -> Action {
        if seen.hash_committed_in.is_none() {
            return match self.reveal_epoch().is_some_and(|epoch| seen.epoch <= epoch) {
                true => Action::Record(Stage::Done { block: seen.block }),
                false => {
                    failed("the epoch for its reveal is over, and the commit is gone: whether it counted is unknown")
                }
            };
        }
        if seen.block > tx.last_block { Action::Record(Stage::Committed) } else { send(tx, seen) }
    }

    /// After [`Action::Sign`]: these bytes are stored before they are sent.
    #[must_use]
    pub fn signed(self, tx: Tx) -> Self {
        let stage = match self.stage {
            Stage::Committed | Stage::Revealing(_) => Stage::Revealing(tx),
            _ => Stage::Signed(tx),
        };
        Self { stage, attempts: self.attempts.saturating_add(1), ..self }
    }

    /// After [`Action::Send`], at a block.
    #[must_use]
    pub fn sent(mut self, block: u64) -> Self {
        if let Stage::Signed(tx) | Stage::Revealing(tx) = &mut self.stage {
            tx.sent_at = Some(block);
        }
        self
    }

    /// After [`Action::Record`].
    #[must_use]
    pub fn at(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }

    /// After [`Action::Commit`]: the second half begins to count its attempts anew.
    #[must_use]
    pub fn committed_until(mut self, epoch: u64) -> Self {
        if let Way::Hashed { reveal_epoch, .. } = &mut self.way {
            *reveal_epoch = Some(epoch);
        }
        Self { stage: Stage::Committed, attempts: 0, ..self }
    }
}

/// The chain reveals by the rule of the day: a subnet that has changed its mind since is asked in the next epoch.
fn commit(seen: &Seen) -> Action {
    let period_epochs = match seen.openness {
        Openness::Hashed { period_epochs } => period_epochs,
        Openness::Open | Openness::Timelocked { .. } => 1,
    };
    let committed_in = seen.hash_committed_in.unwrap_or(seen.epoch);
    Action::Commit { reveal_epoch: committed_in.saturating_add(period_epochs) }
}

/// The same for what the chain opens itself.
fn sealed(seen: &Seen) -> Action {
    let period_epochs = match seen.openness {
        Openness::Timelocked { period_epochs } => period_epochs,
        Openness::Open | Openness::Hashed { .. } => 1,
    };
    let committed_in = seen.ciphertext_committed_in.unwrap_or(seen.epoch);
    let reveal_epoch = committed_in.saturating_add(period_epochs);
    Action::Record(Stage::Sealed { block: seen.block, reveal_epoch })
}

/// Sent once, and again when no block has it after a while.
fn send(tx: &Tx, seen: &Seen) -> Action {
    match tx.sent_at {
        Some(at) if seen.block < at.saturating_add(RESEND_BLOCKS) => Action::Wait,
        _ => Action::Send,
    }
}

fn failed(why: &str) -> Action {
    Action::Record(Stage::Failed { why: why.to_owned() })
}
