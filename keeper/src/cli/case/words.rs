//! Kinds, causes and states of cases in words, from the contract's numbers.

/// What a case says of the machine.
pub(super) fn kind(number: u8) -> &'static str {
    match number {
        1 => "not delivered: from the start, the renter's key was never let in",
        2 => "interrupted: an interval without service",
        3 => "offline: out of service for the minimum, and still so; the rental ended",
        4 => "spoofed: the machine signed false capacity proofs",
        _ => "of an unknown kind",
    }
}

/// One word for a kind.
pub(super) fn kind_word(number: u8) -> &'static str {
    match number {
        1 => "not_delivered",
        2 => "interrupted",
        3 => "offline",
        4 => "spoofed",
        _ => "unknown",
    }
}

/// Why, as seen from outside.
pub(super) fn cause(number: u8) -> &'static str {
    match number {
        1 => "nothing answered as an SSH server",
        2 => "an SSH server with another host key answered",
        3 => "it would not let the renter's key in",
        4 => "it admitted to fewer GPUs than it was rented out with",
        _ => "none is said",
    }
}

/// Where a case stands.
pub(super) fn state(number: u8) -> &'static str {
    match number {
        1 => "filed: the money is aside, and the miner may appeal",
        2 => "appealed: it waits for the judge",
        3 => "executed: the withheld pay is the renter's, the penalty burned",
        4 => "dismissed: everything is the miner's again",
        5 => "refunded: the withheld pay is the renter's; the penalty waits longer, and may be appealed",
        6 => "refunded and appealed: the withheld pay is the renter's; the penalty waits for the judge",
        _ => "in an unknown state",
    }
}

/// One word for a state.
pub(super) fn state_word(number: u8) -> &'static str {
    match number {
        1 => "filed",
        2 => "appealed",
        3 => "executed",
        4 => "dismissed",
        5 => "refunded",
        6 => "refunded_appealed",
        _ => "unknown",
    }
}

/// Whether nothing will happen to it any more.
pub(super) fn is_decided(number: u8) -> bool {
    matches!(number, 3 | 4)
}
