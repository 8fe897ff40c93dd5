//! What is asked for: looked at, tried by the runtime, and put into words before anything is signed.

use super::place::Place;
use super::refused::Refused;
use super::words::{Table, date, span};
use anyhow::Result;
use serde_json::{Value, json};
use surety_core::types::MachineId;
use surety_substrate::alpha::message::{
    Amend, CancelExit, Deed, Deposit, RequestExit, SetAside, SetAsideSpoofed, Withdraw,
};
use surety_substrate::alpha::types::{Bond, Config};
use surety_substrate::alpha::{AlphaVault, Would};
use surety_substrate::amount::Amount;
use surety_substrate::contracts::{self, Gas, Limits, Message, Tried};
use surety_substrate::holdings::{Holdings, fee, free_tao, holdings};
use surety_substrate::ss58::AccountId;

/// More than twenty times what any message of the vault was measured to take (section 19, "On pallet-contracts"), and a
/// twentieth of a block: what one is let to take at most.
const GAS_MAX: Gas = Gas { ref_time: 100_000_000_000, proof_size: 2 << 20 };

/// Most that the chain may hold for storage, in rao of TAO. A bond's record was measured to take 3,870.
const HELD_MAX_RAO: u64 = 1_000_000;

/// What may be held beyond what was tried: two records more.
const HELD_MARGIN_RAO: u64 = 10_000;

/// What an account must keep to stay alive: the chain's existential deposit, in rao.
const KEPT_RAO: u64 = 500;

/// What the chain's share arithmetic may be off by in one move, in rao: the vault's own `ROUNDING_RAO`.
const ROUNDING_RAO: u64 = 1_000;

/// What somebody wants of the vault. Amounts are rao.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Stake under a hotkey into the bond of a machine.
    Deposit { machine: MachineId, hotkey: AccountId, rao: u64 },
    /// Part of a bond on its way out; None: all.
    Exit { machine: MachineId, rao: Option<u64> },
    /// Nothing on its way out.
    Cancel { machine: MachineId },
    /// What is ready, and at least so much of it.
    Withdraw { machine: MachineId, least_rao: Option<u64> },
    /// What of a rental's penalty falls on a bond, held.
    SetAside(SetAside),
    /// What of a `Spoofed` penalty falls on a bond, held.
    SetAsideSpoofed(SetAsideSpoofed),
    /// A case smaller, or dismissed.
    Amend(Amend),
}

/// What will be sent, as it was tried.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) message: Message,
    pub(super) limits: Limits,
    /// In words.
    pub(super) table: Table,
    /// The same for programs.
    pub(super) json: Value,
}

/// Who, where.
pub(super) struct Desk<'a> {
    pub(super) place: &'a Place,
    pub(super) vault: AlphaVault<'a>,
    pub(super) config: Config,
    pub(super) owner: AccountId,
}

impl Desk<'_> {
    /// Looks, tries, and says what would be done.
    pub(super) async fn prepare(&self, wanted: &Wanted) -> Result<Prepared> {
        let (input, tried, mut table, mut json) = match wanted {
            Wanted::Deposit { machine, hotkey, rao } => self.deposit(*machine, *hotkey, *rao).await?,
            Wanted::Exit { machine, rao } => self.exit(*machine, *rao).await?,
            Wanted::Cancel { machine } => self.cancel(*machine).await?,
            Wanted::Withdraw { machine, least_rao } => self.withdraw(*machine, *least_rao).await?,
            Wanted::SetAside(deed) => self.set_aside(deed).await?,
            Wanted::SetAsideSpoofed(deed) => self.set_aside_spoofed(deed).await?,
            Wanted::Amend(deed) => self.amend(deed).await?,
        };
        let message = self.vault.message(self.owner, input);
        let limits = limits(&tried)?;
        let (call, args) = contracts::call(&message, limits);
        let place = self.place;
        let call = place.runtime.call(call, args)?;
        let fee = fee(&place.nodes, &place.runtime, place.at, &call).await?;
        self.can_pay(fee.unwrap_or(0), limits).await?;
        let fee_words =
            fee.map_or("what the chain asks; it does not say".to_owned(), |rao| format!("at most {} TAO", Amount(rao)));
        table.row("fee", fee_words);
        if tried.deposit_rao > 0 {
            let (held, most) = (Amount(tried.deposit_rao), Amount(limits.deposit_rao));
            table.row("held", format!("{held} TAO, by the chain, for the record (at most {most})"));
        }
        table.row("tried", "the vault would do it, at that block");
        json["fee_rao"] = json!(fee);
        json["held_rao"] = json!(tried.deposit_rao);
        json["gas_limit"] = json!({ "ref_time": limits.gas.ref_time, "proof_size": limits.gas.proof_size });
        Ok(Prepared { message, limits, table, json })
    }

    /// What every summary begins with.
    pub(super) fn begin(&self, title: String, what: &str, machine: Option<MachineId>) -> (Table, Value) {
        let mut table = Table::new(title);
        table.row("chain", self.place.words());
        table.row("vault", format!("{}, its code as committed, subnet {}", self.vault.account(), self.config.netuid));
        table.row("coldkey", self.owner.to_string());
        if let Some(machine) = machine {
            table.row("machine", machine.to_string());
        }
        let json = json!({
            "message": what, "chain_id": self.place.chain_id, "block": self.place.at.number,
            "vault": self.vault.account().to_string(), "netuid": self.config.netuid,
            "owner": self.owner.to_string(), "machine": machine,
        });
        (table, json)
    }

    async fn deposit(&self, machine: MachineId, hotkey: AccountId, rao: u64) -> Result<Step> {
        let held = self.may_deposit(hotkey, rao).await?;
        let deed = Deposit { machine: machine.0, from_hotkey: hotkey, amount: rao };
        let would = self.vault.try_deed(self.owner, &deed).await?;
        let title = format!("Deposit {} alpha of subnet {} into a bond.", Amount(rao), self.config.netuid);
        let (mut table, mut json) = self.begin(title, Deposit::NAME, Some(machine));
        let (under, available) = (Amount(held.under(hotkey)), Amount(held.available));
        table.row("from", format!("hotkey {hotkey}: {under} alpha; {available} of the coldkey's can be moved"));
        table.row("to", format!("the vault, under its own hotkey {}", self.vault.books().await?.hotkey));
        table.row("credited", format!("{} alpha, as tried; what arrives is what counts", Amount(would.answer)));
        table.row("out again", self.way_out());
        json["asked_rao"] = json!(rao);
        json["would_rao"] = json!(would.answer);
        Ok(step(&deed, would, table, json))
    }

    async fn may_deposit(&self, hotkey: AccountId, asked: u64) -> Result<Holdings> {
        if asked == 0 {
            return Err(Refused::Zero.into());
        }
        let (place, owner, netuid) = (self.place, self.owner, self.config.netuid);
        let held = holdings(&place.nodes, &place.runtime, place.at, owner, netuid).await?;
        let staked = held.under(hotkey);
        if staked == 0 {
            let others = held.positions.iter().map(|position| (position.hotkey, position.rao)).collect();
            return Err(Refused::NoStake { owner, hotkey, netuid, others }.into());
        }
        if asked > staked {
            return Err(Refused::MoreThanStaked { asked, staked, hotkey }.into());
        }
        if asked > held.available {
            return Err(Refused::Locked { asked, available: held.available, locked: held.locked }.into());
        }
        Ok(held)
    }

    /// When what is bonded can leave.
    fn way_out(&self) -> String {
        let (delay, window) = (span(self.config.exit_delay_secs), span(self.config.exit_window_secs));
        format!("{delay} after surety alpha exit, for {window}; until then it answers for cases")
    }

    async fn bond(&self, machine: MachineId) -> Result<Bond> {
        let found = self.vault.bond(self.owner, machine.0).await?;
        found.map(|(_, bond)| bond).ok_or_else(|| Refused::NoBond { owner: self.owner, machine }.into())
    }

    async fn exit(&self, machine: MachineId, rao: Option<u64>) -> Result<Step> {
        let bond = self.bond(machine).await?;
        let available = bond.unheld_rao();
        match rao {
            Some(0) => return Err(Refused::Zero.into()),
            Some(asked) if asked > available => return Err(Refused::MoreThanBonded { asked, available }.into()),
            _ => {}
        }
        let deed = RequestExit { machine: machine.0, amount: rao };
        let would = self.vault.try_deed(self.owner, &deed).await?;
        let title = format!("Ask for {} out of a bond.", Amount(rao.unwrap_or(available)));
        let (mut table, mut json) = self.begin(title, RequestExit::NAME, Some(machine));
        table.row("bond", bond_words(&bond));
        let (ready_at, closes_at) = (would.answer, would.answer.saturating_add(self.config.exit_window_secs));
        table.row("ready", format!("from about {} to {}", date(ready_at), date(closes_at)));
        table.row(
            "meanwhile",
            "it backs nothing and still answers for cases; not withdrawn by the end, it stays bonded",
        );
        if bond.bond.exiting > 0 {
            let on_its_way = Amount(bond.exiting_rao);
            table.row("replaces", format!("the exit of {on_its_way} that is ready from {}", date(bond.bond.ready_at)));
        }
        json["asked_rao"] = json!(rao);
        json["ready_at"] = json!(ready_at);
        json["closes_at"] = json!(closes_at);
        Ok(step(&deed, would, table, json))
    }

    async fn cancel(&self, machine: MachineId) -> Result<Step> {
        let bond = self.bond(machine).await?;
        if bond.bond.exiting == 0 {
            return Err(Refused::NoExit.into());
        }
        let deed = CancelExit { machine: machine.0 };
        let would = self.vault.try_deed(self.owner, &deed).await?;
        let title = format!("Call off an exit of {}.", Amount(bond.exiting_rao));
        let (mut table, json) = self.begin(title, CancelExit::NAME, Some(machine));
        table.row("bond", bond_words(&bond));
        Ok(step(&deed, would, table, json))
    }

    async fn withdraw(&self, machine: MachineId, least_rao: Option<u64>) -> Result<Step> {
        let bond = self.bond(machine).await?;
        let Some(closes_at) = bond.closes_at(&self.config) else { return Err(Refused::NoExit.into()) };
        let (ready_at, now) = (bond.bond.ready_at, self.place.now);
        if now < ready_at {
            return Err(Refused::TooEarly { ready_at, now }.into());
        }
        let worth = self.vault.try_deed(self.owner, &Withdraw { machine: machine.0, min_rao: 0 }).await?.answer;
        let least = least_rao.unwrap_or_else(|| least_of(worth));
        if worth < least {
            return Err(Refused::WorthLess { worth, least }.into());
        }
        let deed = Withdraw { machine: machine.0, min_rao: least };
        let would = self.vault.try_deed(self.owner, &deed).await?;
        let books = self.vault.books().await?;
        let unit = if books.wound_up { "TAO" } else { "alpha" };
        let title = format!("Withdraw {} {unit} from a bond.", Amount(would.answer));
        let (mut table, mut json) = self.begin(title, Withdraw::NAME, Some(machine));
        table.row("bond", bond_words(&bond));
        match books.wound_up {
            true => table.row("to", "the coldkey's free TAO: the subnet is gone"),
            false => table.row("to", format!("the coldkey's stake under the vault's hotkey {}", books.hotkey)),
        }
        table.row("at least", format!("{}, or it is refused", Amount(least)));
        table.row("window", format!("until {}", date(closes_at)));
        json["would_rao"] = json!(would.answer);
        json["least_rao"] = json!(least);
        json["unit"] = json!(unit);
        Ok(step(&deed, would, table, json))
    }

    async fn can_pay(&self, fee_rao: u64, limits: Limits) -> Result<()> {
        let place = self.place;
        let free = free_tao(&place.nodes, &place.runtime, place.at, self.owner).await?;
        let need = fee_rao.saturating_add(limits.deposit_rao).saturating_add(KEPT_RAO);
        if free < need {
            return Err(Refused::TooLittleTao { owner: self.owner, free, need }.into());
        }
        Ok(())
    }
}

/// A message's bytes, what it was found to take, and what is said of it.
pub(super) type Step = (Vec<u8>, Tried, Table, Value);

pub(super) fn step<D: Deed>(deed: &D, would: Would<D::Answer>, table: Table, json: Value) -> Step {
    (deed.input(), would.tried, table, json)
}

/// Less than this is not what was tried: a thousandth and the chain's rounding less.
fn least_of(worth: u64) -> u64 {
    worth.saturating_sub(worth / 1_000).saturating_sub(ROUNDING_RAO)
}

fn limits(tried: &Tried) -> Result<Limits, Refused> {
    let gas = tried.gas.with_margin();
    if !gas.is_within(GAS_MAX) {
        return Err(Refused::TooMuchGas { found: tried.gas, most: GAS_MAX });
    }
    if tried.deposit_rao > HELD_MAX_RAO {
        return Err(Refused::TooMuchDeposit { found: tried.deposit_rao, most: HELD_MAX_RAO });
    }
    Ok(Limits { gas, deposit_rao: tried.deposit_rao.saturating_add(HELD_MARGIN_RAO) })
}

/// The parts of a bond.
pub(super) fn bond_words(bond: &Bond) -> String {
    let (free, exiting, held) = (Amount(bond.free_rao), Amount(bond.exiting_rao), Amount(bond.held_rao));
    format!("{free} free, {exiting} on its way out, {held} held by cases")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(ref_time: u64, deposit_rao: u64) -> Tried {
        Tried { gas: Gas { ref_time, proof_size: 134_000 }, deposit_rao, reverted: false, data: vec![] }
    }

    #[test]
    fn what_is_signed_is_what_was_tried_and_a_bounded_margin() {
        let limits = limits(&tried(4_000_000_000, 3_870)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(limits.gas, Gas { ref_time: 5_000_000_000, proof_size: 167_500 });
        assert_eq!(limits.deposit_rao, 13_870);
    }

    #[test]
    fn more_than_any_message_takes_is_not_signed() {
        assert!(matches!(limits(&tried(u64::MAX, 0)), Err(Refused::TooMuchGas { .. })));
        assert!(matches!(limits(&tried(90_000_000_000, 0)), Err(Refused::TooMuchGas { .. })));
        assert!(matches!(limits(&tried(1, HELD_MAX_RAO + 1)), Err(Refused::TooMuchDeposit { .. })));
    }

    #[test]
    fn the_least_that_is_taken_is_a_thousandth_and_rounding_less_and_never_below_zero() {
        assert_eq!(least_of(12_500_000_000), 12_487_499_000);
        assert_eq!((least_of(0), least_of(999)), (0, 0));
    }
}
