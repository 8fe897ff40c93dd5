//! Everybody who is no keeper: renters, miners, the bot that claims and closes, the judge, the owner of the keeper set,
//! and a meddler who files whatever the contract takes.

mod liar;
mod miners;
mod owner;

pub(crate) use liar::Liar;

use crate::chain::bids::Bid;
use crate::chain::contracts::{Call, Contracts, PRICE_RAO};
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
    owner: owner::Owner,
    /// For what is not in every world, so that what is keeps its stream.
    more: Rng,
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
            owner: owner::Owner::new(env, seed),
            more: Rng::new(seed, "more-actors", 0),
            open: true,
        }
    }

    /// A second passes.
    pub(crate) fn second(&mut self, env: &mut Env) {
        if self.meddler.on(env.now) {
            self.meddle(env);
        }
        if !env.healed {
            self.owner.second(env);
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
            if env.options.exits_ppm > 0 {
                self.miner(env, number, machine);
            }
        }
        if env.options.bids {
            self.bids(env);
        }
        self.appeals(env, &block.state);
    }

    /// Renters post wishes, give them up, and somebody matches them with machines.
    fn bids(&mut self, env: &mut Env) {
        let rng = &mut self.more;
        if rng.percent(env.options.pace.rent_percent) {
            let renter = account("renter", rng.below(4));
            let key = SshKey(tagged("sim/renter-key", &[&renter.0]).0);
            let max_price_rao = PRICE_RAO * rng.range(80, 130) / 100;
            let secs = *rng.pick(&[900, 2_400, 5_400]).unwrap_or(&900);
            let expires_at = env.now + rng.range(300, 7_200);
            let bid = Bid { renter, key, max_price_rao, secs, expires_at };
            env.chain.pending.push(Call::Post { bid });
        }
        let open: Vec<u64> = env.chain.newest().state.bids.keys().copied().collect();
        for id in open {
            if rng.percent(2) {
                env.chain.pending.push(Call::GiveUp { id });
            } else if rng.percent(30)
                && let Some(machine) = rng.pick(&self.machines).copied()
            {
                let certificates = certificates(env, &machine);
                env.chain.pending.push(Call::Fill { id, machine, certificates });
            }
        }
    }

    fn idle(&mut self, env: &mut Env, machine: MachineId) {
        let state = &env.chain.newest().state;
        let Some(node) = state.nodes.get(&machine) else { return };
        if node.miner != Account::default() && node.offer.is_none() && self.rng.percent(20) {
            env.chain.pending.push(Call::Offer { machine });
        }
        let pace = &env.options.pace;
        if !self.rng.percent(pace.rent_percent) {
            return;
        }
        let certificates: Vec<Signed<Certificate>> = certificates(env, &machine);
        let secs = *self.rng.pick(&pace.rental_secs).unwrap_or(&900);
        let renter = account("renter", self.rng.below(4));
        let key = SshKey(tagged("sim/renter-key", &[&renter.0]).0);
        env.chain.pending.push(Call::Rent { machine, renter, key, secs, certificates });
    }

    fn during(&mut self, env: &mut Env, number: u64, machine: MachineId, rental: RentalId) {
        let Some(target) = env.machines.get(&machine) else { return };
        let hops = target.hops && target.is_down();
        let call = match self.rng.below(env.options.pace.turns) {
            0..3 => Call::End { rental },
            3..8 => Call::Extend { rental, secs: self.rng.range(300, 3_600) },
            8..12 if target.is_down() => Call::Abandon { rental },
            12..18 => self.moves_away(env, number, machine),
            18..300 if hops => self.moves_away(env, number, machine),
            _ => return,
        };
        env.chain.pending.push(call);
    }

    fn moves_away(&mut self, env: &Env, number: u64, machine: MachineId) -> Call {
        let endpoint = self.next_address(number);
        match self.more.percent(env.options.faults.silent_moves_percent) {
            true => Call::MoveSilently { machine, endpoint },
            false => Call::SetEndpoint { machine, endpoint },
        }
    }

    fn next_address(&mut self, number: u64) -> Endpoint {
        self.moves += 1;
        endpoint(number, self.moves)
    }

    fn appeals(&mut self, env: &mut Env, state: &Contracts) {
        for case in state.cases.values() {
            let case_id = case.view.id;
            match case.view.status {
                CaseStatus::Filed | CaseStatus::Refunded if self.rng.chance(env.options.pace.appeal_ppm) => {
                    env.chain.pending.push(Call::Appeal { case_id });
                }
                CaseStatus::Appealed | CaseStatus::RefundedAppealed if self.rng.chance(env.options.pace.rule_ppm) => {
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
