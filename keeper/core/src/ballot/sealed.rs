//! What becomes of timelocked weights after their commit: the chain opens them itself, and throws away without an event
//! what it cannot open, read or take. So what counts is looked for when their turn has come.

use super::{Ballot, STAKE_DOUBT, Seen, Stage, Way};

/// What a final block shows of a ballot whose ciphertext was on chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aftermath {
    /// Whether it still is.
    pub ciphertext_is_there: bool,
    /// Whether the subnet has its weights for our uid.
    pub weights_are_there: bool,
    /// What came of later ballots.
    pub later: Later,
    /// Fewer uids than this are refused.
    pub least_uids: u16,
    /// How many uids there are.
    pub seats: u16,
    /// The newest round of the beacon that the chain has.
    pub last_round: u64,
}

/// How far later ballots of the same hotkey are, the least first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Later {
    /// No block has any of them.
    None,
    /// One is committed, and not opened.
    Committed,
    /// It is not known whether a block has one.
    Unknown,
    /// One was opened, or set in the open: its weights may stand where the earlier ones stood.
    Counted,
}

impl Later {
    /// Of later ballots, each with whether its ciphertext is on chain: the furthest.
    pub fn of<'a>(later: impl Iterator<Item = (&'a Ballot, bool)>) -> Self {
        let far = |(ballot, ciphertext_is_there): (&Ballot, bool)| match (&ballot.stage, &ballot.way) {
            (Stage::Done { .. }, _) => Self::Counted,
            (Stage::Sealed { .. }, _) if !ciphertext_is_there => Self::Counted,
            (Stage::Signed(_), Way::Open) | (Stage::Revealing(_), _) => Self::Unknown,
            (Stage::Sealed { .. } | Stage::Committed, _) => Self::Committed,
            (Stage::Chosen | Stage::Signed(_) | Stage::Lost { .. } | Stage::Failed { .. }, _) => Self::None,
        };
        later.map(far).max().unwrap_or(Self::None)
    }
}

impl Ballot {
    /// What became of a sealed ballot; None while it cannot be told yet.
    pub fn aftermath(&self, seen: &Seen, after: &Aftermath) -> Option<Stage> {
        let Stage::Sealed { block, reveal_epoch } = self.stage else { return None };
        if !self.is_of(seen) {
            let why = "weights are set on another subnet now, or by another hotkey: whether it counted is unknown";
            return Some(Stage::Failed { why: why.to_owned() });
        }
        if after.ciphertext_is_there {
            return None;
        }
        if after.weights_are_there {
            return Some(Stage::Done { block: seen.block });
        }
        match after.later {
            Later::Unknown => None,
            Later::Counted => {
                let why = "nobody looked before later weights stood in its place: whether it counted is unknown";
                Some(Stage::Failed { why: why.to_owned() })
            }
            Later::None | Later::Committed => {
                Some(Stage::Lost { block: seen.block, why: self.reason((block, reveal_epoch), seen, after) })
            }
        }
    }

    /// Why it was thrown away, as far as the state at this block tells: the first of the chain's own conditions that
    /// it does not meet.
    fn reason(&self, (sealed_at, reveal_epoch): (u64, u64), seen: &Seen, after: &Aftermath) -> String {
        let Some(seat) = seen.seat else { return "the hotkey has lost its uid".into() };
        let round = if let Way::Timelocked { round, .. } = self.way { round } else { 0 };
        let (ours, wanted) = (self.choice.version_key, seen.version_key);
        let (uids, least) = (self.choice.uids.len(), usize::from(after.least_uids.min(after.seats)));
        let gone = self.choice.uids.iter().find(|uid| **uid >= after.seats);
        if seen.epoch > reveal_epoch && round > after.last_round {
            return format!("round {round} of the beacon did not come in time, the chain has {}", after.last_round);
        }
        if wanted > ours {
            return format!("the subnet takes weights of version {wanted} now, these are of {ours}");
        }
        if !seat.permit {
            return format!("uid {} has lost its validator permit", seat.uid);
        }
        if seat.stake_rao.saturating_mul(STAKE_DOUBT) < seat.stake_needed_rao {
            return format!(
                "some {} rao of stake are left, the chain asks for {}",
                seat.stake_rao, seat.stake_needed_rao
            );
        }
        if let Some(uid) = gone {
            return format!("uid {uid} is not on the subnet any more");
        }
        if uids < least {
            return format!("it weighs {uids} uids, and the subnet asks for {least} now");
        }
        if seat.updated_at > sealed_at && after.later == Later::None {
            return format!(
                "another program with this hotkey has set or committed weights at block {}",
                seat.updated_at
            );
        }
        "the chain said nothing: it could not open it, or read something else in it".into()
    }
}
