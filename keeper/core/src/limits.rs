//! Bounds on memory and work. None of these is a number of judgement (those are in [`crate::rules`]): reaching one is
//! an operator's problem that raises an alert, never a reason to accuse anybody.

use crate::types::UnixSecs;

/// Machines kept per view. Lium, the largest peer, had 483 (November 2026).
pub const NODES_MAX: usize = 16_384;
/// Rentals kept per view; the oldest closed ones make room.
pub const RENTALS_MAX: usize = 20_000;
/// Rentals of one machine that weights are made of: one every ten minutes for thirty days. A machine with more earns
/// nothing, so that nobody stops the weights of others by renting from himself.
pub const MACHINE_RENTALS_MAX: usize = 4_096;
/// Rentals, and cases, of a whole fleet that is weighed.
pub const FLEET_RENTALS_MAX: usize = 1_000_000;
/// Cases kept per view; the oldest decided ones make room.
pub const CASES_MAX: usize = 20_000;
/// Keepers kept per view.
pub const KEEPERS_MAX: usize = 256;
/// Recorded faults of one rental; a rental with more is left out with an alert.
pub const FAULTS_MAX: usize = 256;
/// Machines with a watch record (rented, or suspected from an earlier rental).
pub const WATCHES_MAX: usize = 8_192;
/// Failing looks kept in one streak before it is thinned, and then cut.
pub const STREAK_LOOKS_MAX: usize = 256;
/// Newest looks of a streak that thinning leaves alone: more than the strictest proof needs.
pub const STREAK_TAIL_KEPT: usize = 32;
/// Looks waiting for the next anchor round to say that our own side was well.
pub const PROVISIONAL_MAX: usize = 32;
/// Finished failing intervals of one machine that wait for their signature.
pub const FINISHED_MAX: usize = 8;
/// `Interrupted` attestations kept per signer and rental (of the other kinds only the newest counts).
pub const INTERRUPTED_PER_SIGNER_MAX: usize = 6;
/// Rentals with attestations in store.
pub const COURT_RENTALS_MAX: usize = 8_192;
/// Measurements in flight at once, those of rounds not counted.
pub const MEASURES_AT_ONCE: usize = 4;
/// Measurements of one round: at full size their roots alone, which come at one moment, are up to 8 MB, and all of it
/// 120 MiB and half a second of a core.
pub const ROUND_MAX: usize = 16;
/// Of those, behind one address: one below what a keeper does at one address at once, which leaves room for a look.
pub const ROUND_PER_ADDRESS_MAX: u32 = 3;
/// Machines that one owes to be seen with: those of four rounds. What comes when there are so many is not noted.
pub const DEBTS_MAX: usize = 64;
/// Bytes of one false proof in JSON: 16 cards with 4,096 rounds of 32-byte roots and one row of 64 KiB with its path,
/// two hex digits a byte, are 4.2 MiB.
pub const BAD_PROOF_BYTES_MAX: usize = 5 << 20;
/// Machines of which a first false proof is kept until the second; beyond it the second counts as the first.
pub const BAD_PROOFS_KEPT_MAX: usize = 64;
/// Machines with a file about spoofs.
pub const SPOOF_FILES_MAX: usize = 1_024;
/// Cards in one machine's statement: as many as the verifier can measure.
pub const CARDS_MAX: usize = 16;
/// Bytes of a card's name; NVIDIA's UUIDs have 40.
pub const CARD_NAME_BYTES_MAX: usize = 64;
/// Questions about cards under way at once.
pub const INVENTORIES_AT_ONCE: usize = 16;
/// False proofs recomputed at once.
pub const SPOOF_CHECKS_AT_ONCE: usize = 2;
/// Rentals closed by one transaction: about 37,000 gas each (SPEC section 15), so well within any block.
pub const CLOSES_AT_ONCE: usize = 32;
/// Bytes of a renter's text in a complaint.
pub const COMPLAINT_TEXT_BYTES_MAX: usize = 280;
/// How long after it was signed a complaint is taken: time enough for slow clocks and slow hands.
pub const COMPLAINT_AGE_MAX_SECS: u64 = 300;
/// How long from its signing one complaint makes a keeper look harder: as long as a lasting outage takes to be one.
/// Looks at the suspect pace are 90 in that time.
pub const COMPLAINT_OPEN_SECS: u64 = 900;
/// Complaints being looked into at once.
pub const COMPLAINTS_OPEN_MAX: usize = 256;
/// Failing machines that a keeper shows to its peers.
pub const HINTS_SHOWN_MAX: usize = 256;
/// Machines that one answer of a peer can make a keeper look at sooner.
pub const HINTS_AT_ONCE: usize = 16;
/// Hosts whose last look is remembered.
pub const HOSTS_MAX: usize = 16_384;
/// Seats of a subnet that weights are shared among. Subtensor's subnets have 256.
pub const SEATS_MAX: usize = 4_096;
/// Points of one card of a class, or of one machine where points come from elsewhere. Thousandths of the points of
/// [`NODES_MAX`] machines of [`CARDS_MAX`] cards, three times over, then still fit into 64 bits.
pub const POINTS_MAX: u64 = 1_000_000_000;
/// Bytes kept of any text that came from outside.
pub const TEXT_BYTES_MAX: usize = 160;
/// Hashes of earlier bytes at one nonce that an outbox row remembers; the oldest makes room.
pub const RESIGNS_MAX: usize = 16;
/// Largest integer that canonical JSON (RFC 8785, numbers are doubles) carries exactly: 2^53 - 1.
pub const SAFE_INTEGER_MAX: u64 = 9_007_199_254_740_991;
/// A time later than this (year 2286) in any input is nonsense.
pub const TIME_MAX_SECS: UnixSecs = 9_999_999_999;

/// The first [`TEXT_BYTES_MAX`] bytes of `text`, cut between characters.
pub fn clip_text(text: &str) -> String {
    let mut end = text.len();
    if end > TEXT_BYTES_MAX {
        end = TEXT_BYTES_MAX;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hole_31_text_from_outside_is_cut_between_characters() {
        let text = "é".repeat(TEXT_BYTES_MAX);
        assert_eq!(clip_text(&text).len(), TEXT_BYTES_MAX);
        let odd = format!("x{text}");
        assert_eq!(clip_text(&odd).len(), TEXT_BYTES_MAX - 1);
        assert_eq!(clip_text("short"), "short");
    }
}
