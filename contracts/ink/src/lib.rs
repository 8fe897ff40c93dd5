//! AlphaVault: a bond vault of one subnet's alpha, for native coldkeys that have no key on the EVM side.
//!
//! What it does and why is section 19 of `contracts/SPEC.md`. The layout:
//!
//! - this file: storage, messages, constructor, nothing clever;
//! - [`books`]: shares and the parts of a bond, pure; [`court`]: quorum, intersection, penalties, pure;
//! - [`eip712`]: what keepers sign, pure but for hashing and recovery, which are handed in;
//! - [`extension`]: the only file that knows Subtensor's chain extension;
//! - `custody`, `hazards`, `docket`: what messages do with the chain, against what it does, and with cases;
//! - [`types`], [`error`], [`events`]: what goes in and comes out.
//!
//! Two rules hold everywhere. No message calls another contract, so nothing can call back. Every message makes all its
//! checks and every call that the chain may refuse before it writes its first value.
#![cfg_attr(not(feature = "std"), no_std, no_main)]
// The exported `call` and `deploy` that ink! generates; everywhere else `unsafe` is an error.
#![cfg_attr(target_arch = "wasm32", allow(unsafe_code))]
// A message's error is looked at once, in a whole transaction: its size is of no account.
#![allow(clippy::result_large_err)]

pub mod books;
pub mod court;
mod custody;
mod docket;
pub mod eip712;
pub mod error;
pub mod events;
pub mod extension;
mod hazards;
#[cfg(test)]
mod tests;
pub mod types;

pub use self::alpha_vault::AlphaVault;

#[ink::contract(env = crate::extension::SubtensorEnvironment)]
mod alpha_vault {
    use crate::books::Bond;
    use crate::error::Error;
    use crate::types::{
        Address, Attestation, Backing, BondView, BooksView, Case, Config, Roll, Shortfall, Signature, Spoof, Stateable,
        Stated, Verdict,
    };
    use ink::prelude::vec::Vec;
    use ink::storage::{Lazy, Mapping};

    /// Whose, for which machine.
    type BondKey = (AccountId, [u8; 32]);

    /// The vault. Fields are visible to the crate: `custody`, `hazards` and `docket` are its other parts.
    #[ink(storage)]
    pub struct AlphaVault {
        pub(crate) config: Config,
        /// The subnet's registration counter at construction: another number is another subnet.
        pub(crate) generation: u64,
        /// Under which hotkey the stake is held.
        pub(crate) hotkey: AccountId,
        /// The stake when the vault last looked, in rao of alpha.
        pub(crate) seen: u64,
        /// When the vault first saw that the subnet is gone, in seconds; 0: it has not.
        pub(crate) wound_up_at: u64,
        /// First second in which deposits are taken.
        pub(crate) deposits_from: u64,
        /// All shares: of bonds in every part, and of the pot.
        pub(crate) shares: u128,
        /// The pot: shares of executed cases that are not burned yet.
        pub(crate) to_burn: u128,
        /// TAO that is not the pool's: appeal bonds, credit, and burned bonds not yet sent, in rao.
        pub(crate) tao_owed: u64,
        pub(crate) tao_to_burn: u64,
        pub(crate) bond_count: u32,
        pub(crate) case_count: u32,
        pub(crate) bonds: Mapping<u32, Bond>,
        pub(crate) numbers: Mapping<BondKey, u32>,
        pub(crate) cases: Mapping<u32, Case>,
        /// The case by which a bond answered for a case of the Arbiter.
        pub(crate) judged: Mapping<(u64, u32), u32>,
        pub(crate) credit: Mapping<AccountId, u64>,
        pub(crate) roll: Lazy<Roll>,
    }

    impl AlphaVault {
        /// Makes a vault for `config.netuid` as it is now, holding its stake under `hotkey`, with `keepers` and their
        /// `weights` as roll 0.
        ///
        /// # Errors
        /// `BadConfig`, `BadRoll`, `NoSubnet`. Fails altogether on a runtime without function 34.
        #[ink(constructor)]
        pub fn new(config: Config, hotkey: AccountId, keepers: Vec<Address>, weights: Vec<u64>) -> Result<Self, Error> {
            Self::make(config, hotkey, Roll { number: 0, keepers, weights })
        }

        /* OWNERS OF BONDS */

        /// Takes `amount` rao of alpha from the caller's own stake under `from_hotkey` into the caller's bond for
        /// `machine`; returns how much arrived, which is what is credited. No approval is needed: the chain extension
        /// acts as the caller.
        ///
        /// # Errors
        /// `WoundUp`, `ZeroAmount`, `DepositsPaused`, `StakeMoved`, `NoStake`, `LockedAlpha`, `NothingArrived`,
        /// `Refused`.
        #[ink(message)]
        pub fn deposit(&mut self, machine: [u8; 32], from_hotkey: AccountId, amount: u64) -> Result<u64, Error> {
            self.take_deposit(machine, from_hotkey, amount)
        }

        /// Asks for `amount` rao (None: all) of the caller's bond for `machine` out of what is free and exiting. It
        /// can be withdrawn after the exit delay. Replaces an earlier request; returns when it is ready.
        ///
        /// # Errors
        /// `NoBond`, `ZeroAmount`, `NotEnough`, `StakeMoved`, `WindingUp`.
        #[ink(message)]
        pub fn request_exit(&mut self, machine: [u8; 32], amount: Option<u64>) -> Result<u64, Error> {
            self.start_exit(machine, amount)
        }

        /// What was exiting is free again.
        ///
        /// # Errors
        /// `NoBond`, `NoExit`.
        #[ink(message)]
        pub fn cancel_exit(&mut self, machine: [u8; 32]) -> Result<(), Error> {
            self.stop_exit(machine)
        }

        /// Inside the exit's window: gives the caller what the exit is worth now, dividends included, as stake under
        /// the vault's hotkey, or as TAO once the subnet is gone and the chain has had time to pay it. Never less than
        /// `min_rao` (0: whatever it is). Returns how many rao.
        ///
        /// # Errors
        /// `NoBond`, `NoExit`, `ExitNotReady`, `StakeMoved`, `WindingUp`, `NothingArrived`, `TooLittle`, `Refused`,
        /// `Clamped`, `PaymentFailed`.
        #[ink(message)]
        pub fn withdraw(&mut self, machine: [u8; 32], min_rao: u64) -> Result<u64, Error> {
            self.pay_exit(machine, min_rao)
        }

        /// Contests a case, paying `appeal_price` exactly. `evidence` is a digest, passed on in the event.
        ///
        /// # Errors
        /// `NoCase`, `OnlyOwner`, `NotAppealable`, `WrongAppealBond`.
        #[ink(message, payable)]
        pub fn appeal(&mut self, case: u32, evidence: [u8; 32]) -> Result<(), Error> {
            self.take_appeal(case, evidence)
        }

        /* KEEPERS' STATEMENTS, SENT BY ANYBODY */

        /// Sets aside what of a rental's penalty falls on alpha, on a quorum's word for what stood behind the rental
        /// in a case of the Arbiter, and a quorum's attestations: those that the Arbiter took. Returns the case here.
        ///
        /// # Errors
        /// `BadKind`, `NoBond`, `AlreadyJudged`, `BadCount`, `AheadOfTime`, `Stale`, `NothingInCommon`,
        /// `BadSignature`, `NotAKeeper`, `NotAscending`, `NoQuorum`, `NoPenalty`, `NothingToSetAside`.
        #[ink(message)]
        pub fn set_aside(
            &mut self,
            backing: Backing,
            stated: Vec<Stated>,
            attestations: Vec<Attestation>,
        ) -> Result<u32, Error> {
            self.file_rental(&backing, &stated, &attestations)
        }

        /// Sets aside what of a `Spoofed` penalty the TAO bond could not bear, likewise. Returns the case here.
        ///
        /// # Errors
        /// As `set_aside`, but for `BadKind` and `NothingInCommon`.
        #[ink(message)]
        pub fn set_aside_spoofed(
            &mut self,
            shortfall: Shortfall,
            gpu_class: u16,
            gpu_count: u16,
            stated: Vec<Stated>,
            spoofs: Vec<Spoof>,
        ) -> Result<u32, Error> {
            self.file_spoofed(&shortfall, gpu_class, gpu_count, &stated, &spoofs)
        }

        /// Makes a case that is not executed smaller, or dismisses it, on a quorum's word for what became of the
        /// Arbiter's case.
        ///
        /// # Errors
        /// `NoCase`, `NothingToAmend`, `BadCount`, `AheadOfTime`, `Stale`, `BadSignature`, `NotAKeeper`,
        /// `NotAscending`, `NoQuorum`.
        #[ink(message)]
        pub fn amend(&mut self, case: u32, verdict: Verdict, stated: Vec<Stated>) -> Result<(), Error> {
            self.take_verdict(case, &verdict, &stated)
        }

        /// Makes `next` the roll, on the word of a quorum of the present one, until the second `until`.
        ///
        /// # Errors
        /// `BadUntil`, `BadRollNumber`, `BadRoll`, `BadCount`, `BadSignature`, `NotAKeeper`, `NotAscending`,
        /// `NoQuorum`.
        #[ink(message)]
        pub fn hand_over(&mut self, next: Roll, until: u32, signatures: Vec<Signature>) -> Result<(), Error> {
            self.take_roll(next, until, &signatures)
        }

        /* JUDGE */

        /// Rules on an appeal, in time: upheld, the case is executed and the appeal's bond burned; overturned, the
        /// shares are free bond again and the appeal's bond is the owner's credit.
        ///
        /// # Errors
        /// `OnlyJudge`, `NoCase`, `NotRulable`.
        #[ink(message)]
        pub fn rule(&mut self, case: u32, uphold: bool) -> Result<(), Error> {
            self.decide(case, uphold)
        }

        /* ANYBODY */

        /// After the appeal's window or the judge's silence, once: what was set aside goes into the pot, and the pot
        /// is burned if the chain takes it now.
        ///
        /// # Errors
        /// `NoCase`, `NotExecutable`.
        #[ink(message)]
        pub fn execute(&mut self, case: u32) -> Result<(), Error> {
            self.carry_out(case)
        }

        /// Burns the pot; returns how many rao.
        ///
        /// # Errors
        /// `NothingToBurn`, `StakeMoved`, `WindingUp`, `Refused`, `PaymentFailed`.
        #[ink(message)]
        pub fn flush_burn(&mut self) -> Result<u64, Error> {
            self.burn_pot()
        }

        /// Sends burned appeal bonds to the chain's burn account; returns how many rao of TAO.
        ///
        /// # Errors
        /// `NothingToBurn`, `PaymentFailed`.
        #[ink(message)]
        pub fn flush_appeal_bonds(&mut self) -> Result<u64, Error> {
            self.burn_tao()
        }

        /// Pays an account its credit, in TAO; returns how many rao.
        ///
        /// # Errors
        /// `NoCredit`, `PaymentFailed`.
        #[ink(message)]
        pub fn withdraw_credit(&mut self, account: AccountId) -> Result<u64, Error> {
            self.pay_credit(account)
        }

        /// The hotkey was swapped and took the vault's stake along: holds it under `new_hotkey` from now on. Takes no
        /// caller's word: the stake must be gone from the old one, and all that was last seen be under the new one.
        ///
        /// # Errors
        /// `WoundUp`, `StakeNotMoved`, `NotThere`.
        #[ink(message)]
        pub fn follow_swap(&mut self, new_hotkey: AccountId) -> Result<(), Error> {
            self.follow(new_hotkey)
        }

        /// Moves stake of the vault's that is under another hotkey (sent there by somebody, or left by rounding) to
        /// the vault's own; returns how many rao came. It is everybody's, like dividends.
        ///
        /// # Errors
        /// `WoundUp`, `NothingArrived`, `Refused`.
        #[ink(message)]
        pub fn gather(&mut self, other_hotkey: AccountId) -> Result<u64, Error> {
            self.gather_stake(other_hotkey)
        }

        /// Looks at what the chain has done: dividends, or the subnet's end. Returns what was last seen, in rao of
        /// alpha. Messages about bonds, cases, stake and the roll look too.
        #[ink(message)]
        pub fn touch(&mut self) -> u64 {
            self.look_now()
        }

        /// Takes note that the subnet is gone: from now on it is a week until the pool pays. Returns the first second
        /// in which it does.
        ///
        /// # Errors
        /// `NotWoundUp`.
        #[ink(message)]
        pub fn wind_up(&mut self) -> Result<u64, Error> {
            self.notice_end()
        }

        /* VIEWS: THEY SUFFICE TO REBUILD ALL OF IT */

        /// What the vault was made with.
        #[ink(message)]
        pub fn config(&self) -> Config {
            self.config.clone()
        }

        /// The totals.
        #[ink(message)]
        pub fn books(&self) -> BooksView {
            self.view_books()
        }

        /// Who speaks for the keepers.
        #[ink(message)]
        pub fn roll(&self) -> Roll {
            self.present_roll()
        }

        /// Bond `number`, from 1 to `books().bonds`.
        #[ink(message)]
        pub fn bond_at(&self, number: u32) -> Option<BondView> {
            self.bonds.get(number).map(|bond| self.view_bond(bond))
        }

        /// Number of the bond of `owner` for `machine`.
        #[ink(message)]
        pub fn bond_number(&self, owner: AccountId, machine: [u8; 32]) -> Option<u32> {
            self.numbers.get((owner, machine))
        }

        /// Case `number`, from 1 to `books().cases`.
        #[ink(message)]
        pub fn case_at(&self, number: u32) -> Option<Case> {
            self.cases.get(number)
        }

        /// What an appeal of a case must be paid with, in rao of TAO.
        #[ink(message)]
        pub fn appeal_price(&self, case: u32) -> Option<u64> {
            self.cases.get(case).map(|case| case.appeal_price())
        }

        /// The case by which bond `bond` answered for the Arbiter's case `case_id`.
        #[ink(message)]
        pub fn judged_by(&self, case_id: u64, bond: u32) -> Option<u32> {
            self.judged.get((case_id, bond))
        }

        /// What an account can have paid out, in rao of TAO.
        #[ink(message)]
        pub fn credit_of(&self, account: AccountId) -> u64 {
            self.credit.get(account).unwrap_or(0)
        }

        /// What keepers may state about a bond now. Zero once the subnet is gone, or while the stake is not where the
        /// vault looks for it.
        #[ink(message)]
        pub fn stateable(&self, owner: AccountId, machine: [u8; 32]) -> Stateable {
            self.view_stateable(owner, machine)
        }
    }
}
