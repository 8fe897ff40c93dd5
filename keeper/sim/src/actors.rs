//! Everybody who is no keeper: renters, miners, the bot that claims and closes, the judge, and a meddler who files
//! whatever the contract takes.

use crate::chain::contracts::{Call, Contracts};
use crate::chain::signature::sign;
use crate::env::{Env, account};
use crate::machines::endpoint;
use crate::rng::{Episodes, Rng};
use surety_core::effect::Intent;
use surety_core::ids::tagged;
use surety_core::statement::{Attestation, Certificate, Signed};
use surety_core::types::{Account, Endpoint, Kind, MachineId, RentalId, SshKey};
use surety_core::view::{CaseStatus, RentalView};

/// They act this often.
const EVERY_SECS: u64 = 30;
/// The bot claims and closes this often.
const CRANK_SECS: u64 = 300;

/// All of them.
#[derive(Debug)]
pub(crate) struct Actors {
    rng: Rng,
    machines: Vec<MachineId>,
    moves: u64,
    meddler: Episodes,
    /// New rentals, moves and appeals are made.
    pub(crate) open: bool,
}

impl Actors {
    pub(crate) fn new(env: &Env, seed: u64) -> Self {
        let gap_secs = env.options.faults.meddler_gap_secs;
        Self {
            rng: Rng::new(seed, "actors", 0),
            machines: env.machines.keys().copied().collect(),
            moves: 0,
            meddler: Episodes::new(Rng::new(seed, "meddler", 0), gap_secs, (1, 1), env.now),
            open: true,
        }
    }

    /// A second passes.
    pub(crate) fn second(&mut self, env: &mut Env) {
        if self.meddler.on(env.now) {
            self.meddle(env);
        }
        if env.options.bot && env.now.is_multiple_of(CRANK_SECS) {
            crank(env);
        }
        if !env.now.is_multiple_of(EVERY_SECS) || !self.open {
            return;
        }
        let block = env.chain.newest().clone();
        for (number, machine) in (0..).zip(self.machines.clone()) {
            match running(&block.state, &machine, env.now) {
                Some(rental) => self.during(env, number, machine, rental),
                None => self.idle(env, machine),
            }
        }
        self.appeals(env, &block.state);
    }

    fn idle(&mut self, env: &mut Env, machine: MachineId) {
        let state = &env.chain.newest().state;
        let Some(node) = state.nodes.get(&machine) else { return };
        if node.offer.is_none() && self.rng.percent(20) {
            env.chain.pending.push(Call::Offer { machine });
        }
        if !self.rng.percent(10) {
            return;
        }
        let certificates: Vec<Signed<Certificate>> = certificates(env, &machine);
        let secs = *self.rng.pick(&[900, 2_400, 5_400, 10_800]).unwrap_or(&900);
        let renter = account("renter", self.rng.below(4));
        let key = SshKey(tagged("sim/renter-key", &[&renter.0]).0);
        env.chain.pending.push(Call::Rent { machine, renter, key, secs, certificates });
    }

    fn during(&mut self, env: &mut Env, number: u64, machine: MachineId, rental: RentalId) {
        let Some(target) = env.machines.get(&machine) else { return };
        let hops = target.hops && target.is_down();
        let call = match self.rng.below(1_000) {
            0..3 => Call::End { rental },
            3..8 => Call::Extend { rental, secs: self.rng.range(300, 3_600) },
            8..12 if target.is_down() => Call::Abandon { rental },
            12..18 => Call::SetEndpoint { machine, endpoint: self.next_address(number) },
            18..300 if hops => Call::SetEndpoint { machine, endpoint: self.next_address(number) },
            _ => return,
        };
        env.chain.pending.push(call);
    }

    fn next_address(&mut self, number: u64) -> Endpoint {
        self.moves += 1;
        endpoint(number, self.moves)
    }

    fn appeals(&mut self, env: &mut Env, state: &Contracts) {
        for case in state.cases.values() {
            let case_id = case.view.id;
            match case.view.status {
                CaseStatus::Filed | CaseStatus::Refunded if self.rng.chance(1_000) => {
                    env.chain.pending.push(Call::Appeal { case_id });
                }
                CaseStatus::Appealed | CaseStatus::RefundedAppealed if self.rng.chance(5_000) => {
                    let uphold = self.rng.percent(50);
                    env.chain.pending.push(Call::Rule { case_id, uphold });
                }
                _ => {}
            }
        }
    }

    /// Files some quorum's statements, of any age, in any combination, as any kind.
    fn meddle(&mut self, env: &mut Env) {
        let block = env.chain.newest().clone();
        let rentals: Vec<&RentalView> =
            block.state.rentals.values().map(|rental| &rental.view).filter(|rental| !rental.closed).collect();
        let Some(rental) = self.rng.pick(&rentals) else { return };
        for _ in 0..20 {
            let kind =
                *self.rng.pick(&[Kind::NotDelivered, Kind::Interrupted, Kind::Offline]).unwrap_or(&Kind::Offline);
            let attestations = self.some_of(env, rental.id);
            let gap = u32::try_from(self.rng.below(rental.faults.len() as u64 + 1)).unwrap_or(0);
            let call = Call::Intent(Intent::File { kind, rental: rental.id, gap, attestations });
            if block.state.clone().call(&call, env.now).is_ok() {
                env.event(|| format!("somebody files {kind:?} of rental {}", rental.id));
                return env.chain.pending.push(call);
            }
        }
    }

    fn some_of(&mut self, env: &Env, rental: RentalId) -> Vec<Signed<Attestation>> {
        let mut chosen: Vec<Signed<Attestation>> = Vec::new();
        for board in &env.boards {
            let about: Vec<_> = board.attestations.iter().filter(|one| one.statement.rental == rental).collect();
            // The newest ones more often than others: they are what ends a rental.
            let newest = about.last().copied();
            let any = self.rng.pick(&about).copied();
            let one = if self.rng.percent(60) { newest } else { any };
            chosen.extend(one.filter(|_| self.rng.percent(85)).cloned());
        }
        chosen.sort_by_key(|signed| signed.signer);
        chosen
    }

    /// Renters leave.
    pub(crate) fn end_all(&self, env: &mut Env) {
        let block = env.chain.newest().clone();
        for machine in &self.machines {
            if let Some(rental) = running(&block.state, machine, env.now) {
                env.chain.pending.push(Call::End { rental });
            }
        }
    }
}

fn running(state: &Contracts, machine: &MachineId, now: u64) -> Option<RentalId> {
    let last = state.nodes.get(machine)?.last_rental;
    state.running(last, now).ok().map(|rental| rental.view.id)
}

/// Pays miners and closes what is over.
fn crank(env: &mut Env) {
    let block = env.chain.newest().clone();
    for rental in block.state.rentals.values().filter(|rental| !rental.view.closed) {
        let id = rental.view.id;
        env.chain.pending.push(Call::Claim { rental: id });
        if env.now >= rental.view.end_secs + env.options.times.settle_lag_secs {
            env.chain.pending.push(Call::Close { rental: id });
        }
    }
}

/// The fewest certificates in signers' order that are a quorum, heaviest first; all of them when they are none.
fn certificates(env: &Env, machine: &MachineId) -> Vec<Signed<Certificate>> {
    let state = &env.chain.newest().state;
    let left = state.nodes.get(machine).and_then(|node| state.rentals.get(&node.last_rental));
    let since = left.map_or(0, |rental| rental.view.end_secs);
    let good = |one: &&Signed<Certificate>| {
        one.statement.measured_at_secs >= since && one.statement.measured_at_secs <= env.now
    };
    let mut all: Vec<Signed<Certificate>> =
        env.boards.iter().filter_map(|board| board.certificates.get(machine).filter(good).cloned()).collect();
    all.sort_by_key(|signed| signed.signer);
    all
}

/// Keepers who sign whatever they like.
#[derive(Debug)]
pub(crate) struct Liar {
    index: usize,
    account: Account,
    rng: Rng,
}

impl Liar {
    pub(crate) fn new(index: usize, account: Account, seed: u64) -> Self {
        Self { index, account, rng: Rng::new(seed, "liar", index as u64) }
    }

    /// Publishes lies, several at once now and then.
    pub(crate) fn second(&mut self, env: &mut Env) {
        if !self.rng.chance(30_000) {
            return;
        }
        let block = env.chain.newest().clone();
        let count = if self.rng.percent(5) { 50 } else { 1 };
        for _ in 0..count {
            let rentals: Vec<&RentalView> = block.state.rentals.values().map(|rental| &rental.view).collect();
            let Some(rental) = self.rng.pick(&rentals) else { return };
            let lie = self.lie(rental, env.now);
            let signed = Signed { statement: lie, signer: self.account, signature: sign(&self.account, &lie) };
            if let Some(board) = env.boards.get_mut(self.index) {
                board.attestations.push(signed);
            }
        }
    }

    fn lie(&mut self, rental: &RentalView, now: u64) -> Attestation {
        let kinds = [Kind::NotDelivered, Kind::Interrupted, Kind::Interrupted, Kind::Offline, Kind::Offline];
        let kind = *self.rng.pick(&kinds).unwrap_or(&Kind::Offline);
        let (start, age_secs) = (rental.start_secs, now - rental.start_secs.min(now));
        let (from_secs, until_secs) = match self.rng.below(6) {
            // The widest of all: whatever anybody else saw lies within.
            0..3 => (start, now),
            3 => (start + self.rng.below(age_secs + 1), now),
            4 => (start + self.rng.below(age_secs + 1), start + self.rng.below(age_secs + 1)),
            _ => (start.saturating_sub(100), now + self.rng.below(10_000)),
        };
        let from_secs = if kind == Kind::NotDelivered { start } else { from_secs };
        let cause = surety_core::types::Cause::Unreachable;
        let evidence = tagged("sim/lie", &[&self.rng.next().to_be_bytes()]);
        Attestation { kind, rental: rental.id, cause, from_secs, until_secs, evidence }
    }
}
