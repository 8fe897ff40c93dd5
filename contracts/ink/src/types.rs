//! What the vault keeps, is told, and shows.

use crate::books::Bond;
use crate::error::Error;
use ink::prelude::vec::Vec;

/// A native account: a coldkey, a hotkey, or a contract.
pub type AccountId = ink::primitives::AccountId;

/// Twenty bytes as on the EVM side: a keeper's signing key or a contract there.
pub type Address = [u8; 20];

/// Where burned TAO goes: the chain's own burn account (PalletId `burntnsr`), which nobody can act as.
pub const BURN_ACCOUNT: [u8; 32] = *b"modlburntnsr\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// Least bond of an appeal, in rao of TAO (.01 TAO).
pub const MIN_APPEAL_BOND_RAO: u64 = 10_000_000;

/// From the moment the vault first sees that its subnet is gone to the first payment in TAO, in seconds. The chain pays
/// a dissolved subnet's stake over many blocks; a week is long for that, also where the chain stands still for days.
pub const WIND_UP_SECS: u64 = 7 * DAY;

/// How long nothing is deposited after a swapped hotkey was followed, in seconds: the time that everybody has to gather
/// what else is the vault's, before somebody buys in at a price without it.
pub const FOLLOW_PAUSE_SECS: u64 = DAY;

/// How far ahead a hand-over's last second may be, in seconds. Long enough to collect signatures by hand, short against
/// the time in which an electorate changes.
pub const ROLL_LIFE_SECS: u64 = 30 * DAY;

const DAY: u64 = 86_400;

/// What a vault is made with; nothing of it can change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "std", derive(ink::storage::traits::StorageLayout))]
pub struct Config {
    /// The subnet whose alpha is bonded.
    pub netuid: u16,
    /// The EVM side's chain id, part of every signature. A contract here cannot read it, so it is fixed.
    pub chain_id: u64,
    /// The Arbiter on the EVM side: `verifyingContract` of every signature.
    pub arbiter: Address,
    /// Rules on appeals and can do nothing else.
    pub judge: AccountId,
    /// From asking for an exit to when it can be withdrawn, in seconds.
    pub exit_delay_secs: u64,
    /// How long it can be withdrawn then, in seconds.
    pub exit_window_secs: u64,
    /// How old attestations, spoofs and what was stated about a bond may be when they are filed, in seconds.
    pub filing_life_secs: u64,
    /// From filing to when a case can be executed, in seconds.
    pub appeal_window_secs: u64,
    /// From an appeal to when the judge's silence upholds the case, in seconds.
    pub ruling_window_secs: u64,
    /// The Arbiter's penalty of `NotDelivered`, in hundredths of a percent of what stood behind the rental.
    pub not_delivered_bps: u16,
    /// The Arbiter's penalty of `Offline`, likewise, and never above what the rental has earned.
    pub offline_bps: u16,
}

impl Config {
    /// # Errors
    /// `BadConfig` with what is wrong. Every window is bounded, so that the time in which everybody gets out is.
    pub fn check(&self) -> Result<(), Error> {
        let demands = [
            (self.netuid != 0, BadConfig::RootSubnet),
            (self.chain_id != 0, BadConfig::ZeroChainId),
            (self.arbiter != [0; 20], BadConfig::ZeroArbiter),
            (self.judge != AccountId::from([0; 32]), BadConfig::ZeroJudge),
            (within(self.exit_delay_secs, 60 * DAY), BadConfig::ExitDelay),
            (within(self.exit_window_secs, 365 * DAY), BadConfig::ExitWindow),
            (within(self.appeal_window_secs, 30 * DAY), BadConfig::AppealWindow),
            (within(self.ruling_window_secs, 30 * DAY), BadConfig::RulingWindow),
            // What is on its way out must answer for as long as something may be filed.
            (within(self.filing_life_secs, self.exit_delay_secs), BadConfig::FilingLife),
            (self.not_delivered_bps <= 2_000, BadConfig::NotDeliveredBps),
            (self.offline_bps <= 2_000, BadConfig::OfflineBps),
        ];
        match demands.iter().find(|(holds, _)| !holds) {
            Some((_, what)) => Err(Error::BadConfig(*what)),
            None => Ok(()),
        }
    }
}

fn within(secs: u64, max: u64) -> bool {
    secs > 0 && secs <= max
}

/// What is wrong with a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub enum BadConfig {
    /// `netuid` is zero: the root subnet's stake is no alpha, and none of it can be burned.
    RootSubnet,
    /// `chain_id` is zero.
    ZeroChainId,
    /// `arbiter` is zero.
    ZeroArbiter,
    /// `judge` is zero.
    ZeroJudge,
    /// `exit_delay_secs` is zero or over 60 days.
    ExitDelay,
    /// `exit_window_secs` is zero or over 365 days.
    ExitWindow,
    /// `appeal_window_secs` is zero or over 30 days.
    AppealWindow,
    /// `ruling_window_secs` is zero or over 30 days.
    RulingWindow,
    /// `filing_life_secs` is zero or over `exit_delay_secs`.
    FilingLife,
    /// `not_delivered_bps` is over 2,000.
    NotDeliveredBps,
    /// `offline_bps` is over 2,000.
    OfflineBps,
}

/// What a case says. The numbers are those of the Arbiter's kinds, which keepers sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "std", derive(ink::storage::traits::StorageLayout))]
pub enum Kind {
    /// From the start and still now the renter's key was never accepted.
    NotDelivered,
    /// Out of service for the minimum and still so.
    Offline,
    /// The machine signed false capacity proofs, twice. Filed by a message of its own.
    Spoofed,
}

impl Kind {
    /// As the Arbiter numbers it.
    pub fn number(self) -> u8 {
        match self {
            Kind::NotDelivered => 1,
            Kind::Offline => 3,
            Kind::Spoofed => 4,
        }
    }
}

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "std", derive(ink::storage::traits::StorageLayout))]
pub enum Status {
    /// Shares are aside; can be appealed until the window closes.
    Filed,
    /// Waits for the judge.
    Appealed,
    /// The shares were burned, or wait in the pot to be burned.
    Executed,
    /// The shares are free bond again.
    Dismissed,
}

/// A case against one bond.
#[derive(Debug, Clone, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "std", derive(ink::storage::traits::StorageLayout))]
pub struct Case {
    /// What it says.
    pub kind: Kind,
    /// Where it stands.
    pub status: Status,
    /// Number of the bond.
    pub bond: u32,
    /// The Arbiter's number of it.
    pub case_id: u64,
    /// The node's registration on the EVM side.
    pub registration: u32,
    /// The rental on the EVM side; 0: none.
    pub rental: u64,
    /// What was set aside; once executed, what went into the pot.
    pub shares: u128,
    /// Alpha that is asked for, in rao. Never more is taken.
    pub alpha: u64,
    /// The same in rao of TAO, as keepers valued it.
    pub penalty_rao: u64,
    /// What of the rule's penalty TAO bears first, in rao: the first that a smaller `earned` spares alpha.
    pub tao_first_rao: u64,
    /// What is at stake, in rao of TAO: `penalty_rao`, or less where less was there. An appeal costs a tenth of it.
    pub value_rao: u64,
    /// When it was filed, in seconds.
    pub filed_at: u64,
    /// The appeal's bond in rao of TAO; 0: not appealed.
    pub appeal_bond: u64,
    /// The judge's last second; 0: not appealed.
    pub rule_by: u64,
}

impl Case {
    /// A tenth of what is at stake, and never nothing, in rao of TAO.
    pub fn appeal_price(&self) -> u64 {
        (self.value_rao / 10).max(MIN_APPEAL_BOND_RAO)
    }

    /// First second in which it can be executed.
    pub fn executable_at(&self, appeal_window_secs: u64) -> u64 {
        match self.status {
            Status::Appealed => self.rule_by.saturating_add(1),
            _ => self.filed_at.saturating_add(appeal_window_secs),
        }
    }

    /// Not decided yet.
    pub fn is_pending(&self) -> bool {
        matches!(self.status, Status::Filed | Status::Appealed)
    }
}

/// What stood behind a rental when its case was filed on the EVM side, in rao: `AlphaBacking` without its time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Backing {
    /// Whose alpha.
    pub owner: AccountId,
    /// The machine's host key.
    pub machine: [u8; 32],
    /// The node's registration.
    pub registration: u32,
    /// The Arbiter's case.
    pub case_id: u64,
    /// What that case says: `NotDelivered` or `Offline`.
    pub kind: Kind,
    /// The rental.
    pub rental: u64,
    /// What bears before this alpha, in rao of TAO: TAO reserved for the rental in the CollateralVault before the case,
    /// and what the alpha of other bonds behind it counted for, of those that were made earlier.
    pub tao_reserve: u64,
    /// Alpha that backed the rental.
    pub alpha: u64,
    /// What that alpha counted for, in rao of TAO, when the rental was made.
    pub alpha_value: u64,
    /// What the rental has earned, in rao of TAO.
    pub earned: u64,
}

/// What of a `Spoofed` penalty the TAO bond could not bear: `AlphaShortfall` without its time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Shortfall {
    /// Whose alpha.
    pub owner: AccountId,
    /// The machine's host key.
    pub machine: [u8; 32],
    /// The node's registration.
    pub registration: u32,
    /// The Arbiter's case.
    pub case_id: u64,
    /// Alpha pledged to that registration when the case was filed on the EVM side.
    pub alpha: u64,
    /// What that alpha counted for, in rao of TAO.
    pub alpha_value: u64,
    /// Class bond times GPUs, less what the Arbiter set aside in TAO and what other bonds bear, in rao of TAO.
    pub shortfall: u64,
}

/// What became of the Arbiter's case: `AlphaVerdict` without the case and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Verdict {
    /// The Arbiter dismissed it.
    pub dismissed: bool,
    /// What the rental has earned, in rao of TAO, as it is known now.
    pub earned: u64,
}

/// An EIP-2098 compact signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Signature {
    /// r.
    pub r: [u8; 32],
    /// s, and in its highest bit the parity of the recovered point.
    pub vs: [u8; 32],
}

/// A keeper's signature under a statement that it dated itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Stated {
    /// When the keeper read it, in seconds.
    pub stated_at: u32,
    /// Its signature.
    pub signature: Signature,
}

/// "I saw it fail from `from` to `until`, my last failing look": the Arbiter's attestation, without what is common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Attestation {
    /// Why, as the Arbiter numbers causes.
    pub cause: u8,
    /// First failing look, in seconds.
    pub from: u32,
    /// Last failing look, in seconds.
    pub until: u32,
    /// Digest of the evidence.
    pub evidence: [u8; 32],
    /// The keeper's signature.
    pub signature: Signature,
}

/// "I checked two false capacity proofs signed by this machine": the Arbiter's spoof, without what is common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Spoof {
    /// When it was proved, in seconds.
    pub proved_at: u32,
    /// Digest of the evidence.
    pub evidence: [u8; 32],
    /// The keeper's signature.
    pub signature: Signature,
}

/// Who speaks for the keepers here, with weights.
#[derive(Debug, Clone, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "std", derive(ink::storage::traits::StorageLayout))]
pub struct Roll {
    /// 0 at construction, one more at each hand-over.
    pub number: u64,
    /// Signing addresses, strictly ascending.
    pub keepers: Vec<Address>,
    /// Their weights, none of them zero.
    pub weights: Vec<u64>,
}

/// What keepers may state about a bond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct Stateable {
    /// What the free part is worth now, in rao of alpha; 0: nothing may be stated.
    pub alpha: u64,
    /// Nothing of it can leave before this second.
    pub until: u64,
}

/// A bond as it counts now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct BondView {
    /// The record, an exit whose window is over counted as free.
    pub bond: Bond,
    /// What the free part is worth, in rao of what the pool holds.
    pub free_rao: u64,
    /// What the exiting part is worth, likewise.
    pub exiting_rao: u64,
    /// What the held part is worth, likewise.
    pub held_rao: u64,
}

/// The vault's totals.
#[derive(Debug, Clone, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub struct BooksView {
    /// The subnet is gone, or the netuid belongs to another one: the pool is TAO.
    pub wound_up: bool,
    /// The hotkey under which the stake is held.
    pub hotkey: AccountId,
    /// The subnet's registration counter at construction.
    pub generation: u64,
    /// What the chain says the pool holds now, in rao.
    pub stake: u64,
    /// What the vault last saw there, in rao of alpha.
    pub seen: u64,
    /// When the vault first saw that its subnet is gone, in seconds; 0: it has not. TAO is paid `WIND_UP_SECS` later.
    pub wound_up_at: u64,
    /// Nothing is deposited before this second: a swapped hotkey was followed.
    pub deposits_from: u64,
    /// All shares, the virtual ones left out.
    pub shares: u128,
    /// Shares of executed cases that wait to be burned; part of `shares`.
    pub to_burn: u128,
    /// TAO that is not the pool's, in rao: appeal bonds, credit, and what waits to be burned of them.
    pub tao_owed: u64,
    /// Burned appeal bonds that wait to be sent, in rao of TAO; part of `tao_owed`.
    pub tao_to_burn: u64,
    /// Bonds ever made; `bond_at` takes 1 to this.
    pub bonds: u32,
    /// Cases ever filed; `case_at` takes 1 to this.
    pub cases: u32,
}
