//! What a keeper hears from its peers, and from the agents of machines.

use super::Keeper;
use super::deeds::{Due, LookStart, LookTruth};
use crate::env::{Env, keeper_account};
use crate::proofs;
use surety_core::effect::EffectId;
use surety_core::hints::{self, Hint};
use surety_core::input::{Input, InventoryOutcome, InventoryResult, SpoofCheck, SpoofOutcome};
use surety_core::statement::{Signed, Spoof};
use surety_core::types::{Account, Endpoint, MachineId};

/// Attestations taken from one peer in one round.
const PEER_PAGE: usize = 32;
/// Peers are asked for their spoofs this often.
const SPOOFS_EVERY_SECS: u64 = 30;
/// An agent answers within this.
const AGENT_SECS: u64 = 2;

impl Keeper {
    /// What peers signed; what is about rentals we have not read yet waits.
    pub(super) fn ask_peers(&mut self, env: &mut Env) {
        if !self.net.talks() {
            return;
        }
        let Some(run) = &mut self.run else { return };
        let mut new = std::mem::take(&mut run.early);
        for (peer, board) in env.boards.iter().enumerate() {
            let (Some(cursor), true) = (run.cursors.get_mut(peer), peer != self.index) else { continue };
            let page = board.attestations.iter().skip(*cursor).take(PEER_PAGE);
            let before = new.len();
            new.extend(page.cloned());
            *cursor += new.len() - before;
        }
        let newest = run.state.world.best.rentals.last_key_value().map_or(0, |(id, _)| *id);
        let (known, early): (Vec<_>, Vec<_>) = new.into_iter().partition(|one| one.statement.rental <= newest);
        run.early = early;
        run.early.truncate(256);
        self.hear_hints(env);
        for signed in known {
            let held = self.state().is_some_and(|state| surety_core::court::holds(state, &signed));
            if !held {
                self.feed(env, Input::Peer(signed));
            }
        }
    }

    /// Shows to peers what fails; nothing while nobody reaches this keeper.
    pub(super) fn show_hints(&mut self, env: &mut Env) {
        let shown = self.run.as_ref().filter(|_| self.net.talks()).map(|run| hints::shown(&run.state));
        if let Some(board) = env.boards.get_mut(self.index) {
            board.hints = shown.unwrap_or_default();
        }
    }

    fn hear_hints(&mut self, env: &mut Env) {
        for peer in (0..env.boards.len()).filter(|peer| *peer != self.index).collect::<Vec<_>>() {
            let (Some(run), Some(board)) = (&mut self.run, env.boards.get(peer)) else { return };
            let machines = run.hinted.get_mut(peer).map(|known| hints::news(known, &board.hints));
            if let Some(machines) = machines.filter(|machines| !machines.is_empty()) {
                self.feed(env, Input::Hint(Hint { peer: keeper_account(peer), machines }));
            }
        }
    }

    /// What peers say about spoofs, each statement once in a run.
    pub(super) fn ask_about_spoofs(&mut self, env: &mut Env) {
        if env.now % SPOOFS_EVERY_SECS >= super::ROUND_SECS || !self.net.talks() || !env.options.spoofs {
            return;
        }
        let (index, Some(run)) = (self.index, &mut self.run) else { return };
        let others = env.boards.iter().enumerate().filter(|(peer, _)| *peer != index).map(|(_, board)| board);
        let all = others.flat_map(|board| &board.spoofs);
        let new: Vec<Signed<Spoof>> = all.filter(|signed| run.heard.insert(signed.signature)).cloned().collect();
        for signed in new {
            self.feed(env, Input::PeerSpoof(signed));
        }
    }

    /// Reads a peer's evidence and recomputes it.
    pub(super) fn check_spoof(&mut self, env: &mut Env, id: EffectId, peer: Account, spoof: Spoof) -> Input {
        let at = (0..env.boards.len()).find(|index| keeper_account(*index) == peer);
        let bundle = at.and_then(|at| env.boards.get(at)).and_then(|board| board.bundles.get(&spoof.evidence));
        let outcome = match bundle.filter(|_| self.net.talks()) {
            Some(evidence) => proofs::judge(evidence, peer, spoof),
            None => SpoofOutcome::Unread { why: "no answer".to_owned() },
        };
        let (index, short) = (self.index, spoof.evidence.to_string());
        let said = match &outcome {
            SpoofOutcome::Bad { .. } => "both are false",
            SpoofOutcome::NotShown { why } | SpoofOutcome::Unread { why } => why,
        };
        env.event(|| format!("keeper {index} recomputes {}: {said}", short.get(..10).unwrap_or_default()));
        Input::SpoofChecked(SpoofCheck { id, machine: spoof.machine, outcome })
    }

    /// Asks an agent which cards it has.
    pub(super) fn ask_cards(&mut self, env: &mut Env, id: EffectId, machine: MachineId, endpoint: Endpoint) {
        let reached = self.net.reaches(&machine) && env.chain.newest().state.endpoint(&machine) == Some(endpoint);
        let (at_secs, started_ms) = (self.wall.now_ms(env.now) / 1_000, self.mono_ms(env.now));
        let start = LookStart { at: env.now, at_secs, started_ms, reached, served: true };
        if !self.rare(env, 1) {
            self.later(env, AGENT_SECS, Due::Cards { id, machine, start });
        }
    }

    /// What it says, as of now.
    pub(super) fn cards(&mut self, env: &mut Env, id: EffectId, machine: MachineId, start: LookStart) -> Option<Input> {
        let registration = env.chain.newest().state.nodes.get(&machine)?.registration;
        let reached = start.reached && self.net.reaches(&machine);
        let target = env.machines.get_mut(&machine)?;
        let outcome = match reached {
            true => target.stated(registration, self.index, env.now),
            false => InventoryOutcome::Unmeasured { why: "no answer".to_owned() },
        };
        if matches!(outcome, InventoryOutcome::Stated { .. }) {
            self.looks.insert(id, LookTruth { machine, began: start.at, ended: env.now });
        }
        let LookStart { at_secs, started_ms, .. } = start;
        let ended_ms = self.mono_ms(env.now);
        Some(Input::Inventory(InventoryResult { id, machine, started_ms, ended_ms, at_secs, outcome }))
    }
}
