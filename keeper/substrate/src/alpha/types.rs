//! What AlphaVault answers, field by field as `contracts/ink/src/types.rs` has it. Amounts are rao, times seconds.
//! While the subnet lives the pool is alpha; once it is gone (`wound_up`), TAO.

use crate::ss58::AccountId;
use subxt::ext::codec::{Decode, Encode};

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
            #[codec(crate = subxt::ext::codec)]
            #[cfg_attr(test, derive(scale_info::TypeInfo))]
            pub struct $name { $($(#[$field_doc])* pub $field: $ty,)* }
        )*
    };
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
            #[codec(crate = subxt::ext::codec)]
            #[cfg_attr(test, derive(scale_info::TypeInfo))]
            pub enum $name { $($(#[$variant_doc])* $variant,)* }
        )*
    };
}

records! {
    /// What the vault was made with; nothing of it can change.
    Config {
        /// The subnet whose alpha is bonded.
        netuid: u16,
        /// The EVM side's chain id.
        chain_id: u64,
        /// The Arbiter on the EVM side.
        arbiter: [u8; 20],
        /// Rules on appeals.
        judge: AccountId,
        /// From asking for an exit to when it can be withdrawn.
        exit_delay_secs: u64,
        /// How long it can be withdrawn then.
        exit_window_secs: u64,
        /// How old what is filed may be.
        filing_life_secs: u64,
        /// From filing to when a case can be executed.
        appeal_window_secs: u64,
        /// From an appeal to when the judge's silence upholds the case.
        ruling_window_secs: u64,
        /// The penalty of `NotDelivered`, in hundredths of a percent of what stood behind the rental.
        not_delivered_bps: u16,
        /// The penalty of `Offline`, likewise.
        offline_bps: u16,
    }
    /// The totals.
    Books {
        /// The subnet is gone, or the netuid is another one's: the pool is TAO.
        wound_up: bool,
        /// The hotkey under which the stake is held.
        hotkey: AccountId,
        /// The subnet's registration counter at construction.
        generation: u64,
        /// What the pool holds now.
        stake: u64,
        /// What it held after the vault's last own move, in rao of alpha.
        seen: u64,
        /// When the vault took note that the subnet is gone; 0: it has not.
        wound_up_at: u64,
        /// First second in which deposits are taken.
        deposits_from: u64,
        /// All shares.
        shares: u128,
        /// Shares that wait to be burned; part of `shares`.
        to_burn: u128,
        /// TAO that is not the pool's.
        tao_owed: u64,
        /// Burned appeal bonds that wait to be sent; part of `tao_owed`.
        tao_to_burn: u64,
        /// Bonds ever made.
        bonds: u32,
        /// Cases ever filed.
        cases: u32,
    }
    /// Who speaks for the keepers.
    Roll {
        /// 0 at construction, one more at each hand-over.
        number: u64,
        /// Signing addresses of the EVM side, strictly ascending.
        keepers: Vec<[u8; 20]>,
        /// Their weights.
        weights: Vec<u64>,
    }
    /// A bond in shares, an exit whose window is over counted as free.
    BondRecord {
        /// Whose it is.
        owner: AccountId,
        /// The machine's ed25519 host key.
        machine: [u8; 32],
        /// Unbound.
        free: u128,
        /// On its way out.
        exiting: u128,
        /// Set aside by cases.
        held: u128,
        /// When the exit can be withdrawn; means nothing while nothing is exiting.
        ready_at: u64,
    }
    /// A bond as it counts now.
    Bond {
        /// The record.
        bond: BondRecord,
        /// What the free part is worth.
        free_rao: u64,
        /// What the exiting part is worth.
        exiting_rao: u64,
        /// What the held part is worth.
        held_rao: u64,
    }
    /// A case against one bond.
    Case {
        /// What it says.
        kind: Kind,
        /// Where it stands.
        status: Status,
        /// Number of the bond.
        bond: u32,
        /// The Arbiter's case that it is for.
        case_id: u64,
        /// The node's registration on the EVM side.
        registration: u32,
        /// The rental on the EVM side; 0: none.
        rental: u64,
        /// What was set aside.
        shares: u128,
        /// What the shares were meant to be worth at filing, in rao of alpha.
        alpha: u64,
        /// What of the penalty falls on alpha, in rao of TAO.
        penalty_rao: u64,
        /// What of the penalty TAO bears first, in rao.
        tao_first_rao: u64,
        /// What the alpha set aside counted for, in rao of TAO.
        value_rao: u64,
        /// When it was filed.
        filed_at: u64,
        /// The appeal's bond in rao of TAO; 0: not appealed.
        appeal_bond: u64,
        /// The judge's last second; 0: not appealed.
        rule_by: u64,
    }
    /// What keepers may state about a bond.
    Stateable {
        /// What the free part is worth, in rao of alpha; 0: nothing may be stated.
        alpha: u64,
        /// Nothing of it can leave before this second.
        until: u64,
    }
    /// What stood behind a rental when its case was filed with the Arbiter: `AlphaBacking` without its time.
    Backing {
        /// Whose alpha.
        owner: AccountId,
        /// The machine's ed25519 host key.
        machine: [u8; 32],
        /// The node's registration.
        registration: u32,
        /// The Arbiter's case.
        case_id: u64,
        /// What it says: `NotDelivered` or `Offline`.
        kind: Kind,
        /// The rental.
        rental: u64,
        /// What bears before this alpha, in rao of TAO.
        tao_reserve: u64,
        /// Alpha that backed the rental.
        alpha: u64,
        /// What that alpha counted for, in rao of TAO.
        alpha_value: u64,
        /// What the rental has earned, in rao of TAO.
        earned: u64,
    }
    /// What of a `Spoofed` penalty TAO could not bear: `AlphaShortfall` without its time.
    Shortfall {
        /// Whose alpha.
        owner: AccountId,
        /// The machine's ed25519 host key.
        machine: [u8; 32],
        /// The node's registration.
        registration: u32,
        /// The Arbiter's case.
        case_id: u64,
        /// Alpha pledged to that registration when the case was filed.
        alpha: u64,
        /// What that alpha counted for, in rao of TAO.
        alpha_value: u64,
        /// What of the penalty TAO could not bear, in rao of TAO.
        shortfall: u64,
    }
    /// What became of the Arbiter's case: `AlphaVerdict` without the case and its time.
    Verdict {
        /// The Arbiter dismissed it.
        dismissed: bool,
        /// What the rental has earned, in rao of TAO.
        earned: u64,
    }
    /// An EIP-2098 compact signature.
    Signature {
        /// r.
        r: [u8; 32],
        /// s, and in its highest bit the parity of the recovered point.
        vs: [u8; 32],
    }
    /// A keeper's signature under a statement that it dated itself.
    Stated {
        /// When the keeper read it.
        stated_at: u32,
        /// Its signature.
        signature: Signature,
    }
    /// The Arbiter's attestation, without what all of a case have in common.
    Attestation {
        /// Why, as the Arbiter numbers causes.
        cause: u8,
        /// First failing look.
        from: u32,
        /// Last failing look.
        until: u32,
        /// Digest of the evidence.
        evidence: [u8; 32],
        /// The keeper's signature.
        signature: Signature,
    }
    /// The Arbiter's spoof, without what all of a case have in common.
    Spoof {
        /// When it was proved.
        proved_at: u32,
        /// Digest of the evidence.
        evidence: [u8; 32],
        /// The keeper's signature.
        signature: Signature,
    }
}

choices! {
    /// What a case says.
    Kind {
        /// The renter's key was never accepted.
        NotDelivered,
        /// Out of service.
        Offline,
        /// The machine signed false capacity proofs.
        Spoofed,
    }
    /// Where a case stands.
    Status {
        /// Shares are aside; can be appealed until the window closes.
        Filed,
        /// Waits for the judge.
        Appealed,
        /// The shares are burned, or wait to be.
        Executed,
        /// The shares are free bond again.
        Dismissed,
    }
}

/// ink!'s own answer where it did not get as far as the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[codec(crate = subxt::ext::codec)]
#[cfg_attr(test, derive(scale_info::TypeInfo))]
pub enum LangError {
    /// No message has this selector, or its arguments are others.
    #[codec(index = 1)]
    CouldNotReadInput,
}

impl Bond {
    /// Free and exiting: what an exit may ask for, in rao.
    pub fn unheld_rao(&self) -> u64 {
        self.free_rao.saturating_add(self.exiting_rao)
    }

    /// The last second in which an exit can be withdrawn; None: nothing is exiting.
    pub fn closes_at(&self, config: &Config) -> Option<u64> {
        let exiting = self.bond.exiting > 0;
        exiting.then(|| self.bond.ready_at.saturating_add(config.exit_window_secs))
    }
}
