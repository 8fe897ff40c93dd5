//! Keepers who sign whatever they like.

use crate::chain::contracts::CLASS;
use crate::chain::signature::sign;
use crate::env::{Env, account};
use crate::proofs;
use crate::rng::Rng;
use surety_core::evidence::{Contracts, EVIDENCE_VERSION, Evidence, Spoofing, Subject};
use surety_core::ids::tagged;
use surety_core::statement::{Attestation, Signed, Spoof};
use surety_core::types::{Account, Cause, Kind};
use surety_core::view::{NodeView, RentalView};

/// One of them.
#[derive(Debug)]
pub(crate) struct Liar {
    index: usize,
    account: Account,
    rng: Rng,
    more: Rng,
}

impl Liar {
    pub(crate) fn new(index: usize, account: Account, seed: u64) -> Self {
        let (rng, more) = (Rng::new(seed, "liar", index as u64), Rng::new(seed, "liar-spoofs", index as u64));
        Self { index, account, rng, more }
    }

    /// Publishes lies, several at once now and then.
    pub(crate) fn second(&mut self, env: &mut Env) {
        if env.options.spoofs && self.more.chance(env.options.pace.lie_ppm / 10) {
            self.accuse(env);
        }
        if !self.rng.chance(env.options.pace.lie_ppm) {
            return;
        }
        let block = env.chain.newest().clone();
        let machines: Vec<_> = block.state.nodes.keys().copied().collect();
        let shown: Vec<_> = machines.into_iter().filter(|_| self.more.percent(50)).collect();
        if let Some(board) = env.boards.get_mut(self.index) {
            board.hints = shown;
        }
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

    /// Says that a machine spoofed, with evidence that does not show it, none, or another's; or with real proofs of its
    /// own machine, dated anew.
    fn accuse(&mut self, env: &mut Env) {
        let block = env.chain.newest().clone();
        let nodes: Vec<NodeView> = block.state.nodes.values().map(|node| **node).collect();
        let Some(mut node) = self.more.pick(&nodes) else { return };
        let proved_at_secs = env.now.saturating_sub(self.more.below(200));
        let theirs = env.boards.iter().flat_map(|board| board.bundles.values()).take(8);
        let theirs: Vec<Evidence> = theirs.cloned().collect();
        let shown = self.more.pick(&theirs).cloned().filter(|_| self.more.percent(40));
        if let Some(Subject::Spoof(about)) = shown.as_ref().map(|evidence| &evidence.subject) {
            node = nodes.iter().find(|node| node.machine == about.machine).unwrap_or(node);
        }
        let evidence = match shown {
            Some(evidence) if self.more.percent(30) => evidence,
            Some(evidence) => self.dated_anew(env, evidence, node, proved_at_secs),
            None => self.bundle(env, node, proved_at_secs),
        };
        let Ok(digest) = evidence.digest() else { return };
        let named = if self.more.percent(10) { tagged("sim/no-bundle", &[&digest.0]) } else { digest };
        let (machine, registration) = (node.machine, node.registration);
        let gpu_count = if self.more.percent(20) { 16 } else { CLASS.1 };
        let spoof = Spoof { machine, registration, gpu_class: CLASS.0, gpu_count, proved_at_secs, evidence: named };
        let signed = Signed { statement: spoof, signer: self.account, signature: sign(&self.account, &spoof) };
        if let Some(board) = env.boards.get_mut(self.index) {
            // Under the digest that was signed, or in its place.
            board.bundles.insert(named, evidence);
            board.spoofs.push(signed);
        }
    }

    /// Real proofs that others have shown before, as if they had come now.
    fn dated_anew(&mut self, env: &Env, theirs: Evidence, node: &NodeView, at_secs: u64) -> Evidence {
        let mut own = self.bundle(env, node, at_secs);
        if let (Subject::Spoof(own), Subject::Spoof(theirs)) = (&mut own.subject, theirs.subject) {
            own.proofs = theirs.proofs;
            (own.proofs[0].at_secs, own.proofs[1].at_secs) = (at_secs - 60, at_secs);
            if self.more.percent(30) {
                own.proofs.swap(0, 1);
                (own.proofs[0].at_secs, own.proofs[1].at_secs) = (at_secs - 60, at_secs);
            }
        }
        own
    }

    fn bundle(&mut self, env: &Env, node: &NodeView, at_secs: u64) -> Evidence {
        let NodeView { machine, registration, .. } = *node;
        let [mut first, second] = proofs::forged(machine, registration, self.more.below(6), at_secs);
        first.at_secs = at_secs - 60;
        let (gpu_class, gpu_count) = CLASS;
        let proofs = [first, second];
        let spoofing =
            Spoofing { machine, registration, gpu_class, gpu_count, proved_at_secs: at_secs, recomputed: None, proofs };
        let contract = |name| account(name, 0);
        Evidence {
            version: EVIDENCE_VERSION,
            chain_id: 964,
            contracts: Contracts { escrow: contract("escrow"), arbiter: contract("arbiter"), vault: contract("vault") },
            keeper: self.account,
            block: env.chain.newest().at,
            rules: Default::default(),
            times: env.options.times,
            subject: Subject::Spoof(Box::new(spoofing)),
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
        let cause = *self.more.pick(&[Cause::Unreachable, Cause::GpusMissing]).unwrap_or(&Cause::Unreachable);
        let evidence = tagged("sim/lie", &[&self.rng.next().to_be_bytes()]);
        Attestation { kind, rental: rental.id, cause, from_secs, until_secs, evidence }
    }
}
