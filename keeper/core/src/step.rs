//! The fold: one input in, the next state and what is to be done out.

use crate::effect::Effect;
use crate::input::{ChainUpdate, Input};
use crate::state::State;
use crate::statement::{Signed, Statement};
use crate::view::View;
use crate::world::Touched;
use crate::{capacity, cards, complaints, court, health, hints, judge, payout, seat, settle, spoof, watch};

/// Takes one entry of the log. Total: it never panics and never fails, whatever the input; what makes no sense is left
/// out, with an alert where an operator should know.
///
/// Results only change what is known; decisions are taken at ticks, at the keeper's own pace.
pub fn step(state: &mut State, input: &Input) -> Vec<Effect> {
    let mut effects = Vec::new();
    match input {
        Input::Started(started) => state.start(started),
        Input::Tick(tick) => {
            state.tick(tick);
            decide(state, &mut effects);
        }
        Input::Chain(update) => on_chain(state, update, &mut effects),
        Input::Probe(result) => watch::on_probe(state, result),
        Input::Anchors(result) => health::on_anchors(state, result, &mut effects),
        Input::Inventory(result) => cards::on_inventory(state, result),
        Input::Measure(result) => capacity::on_measure(state, result, &mut effects),
        Input::Signed(signed) => on_signed(state, signed),
        Input::Peer(attestation) => court::on_peer(state, attestation),
        Input::PeerSpoof(signed) => spoof::on_peer(state, signed),
        Input::Complaint(signed) => complaints::on_complaint(state, signed),
        Input::Hint(hint) => hints::on_hint(state, hint),
        Input::SpoofChecked(result) => spoof::on_checked(state, result, &mut effects),
        Input::Tx(result) => {
            court::on_tx(state, result, &mut effects);
            spoof::on_tx(state, result, &mut effects);
            settle::on_tx(state, result, &mut effects);
            payout::on_tx(state, result, &mut effects);
            seat::on_tx(state, result, &mut effects);
        }
    }
    effects
}

fn decide(state: &mut State, effects: &mut Vec<Effect>) {
    health::refresh(state, effects);
    let seen = watch::sync(state, Touched::new(), effects);
    cards::sync(state, seen);
    complaints::sync(state);
    health::schedule(state, effects);
    watch::schedule(state, effects);
    cards::schedule(state, effects);
    judge::sign(state, effects);
    court::file(state, effects);
    spoof::decide(state, effects);
    settle::execute(state, effects);
    payout::pay(state, effects);
    seat::keep(state, effects);
    capacity::schedule(state, effects);
}

fn on_chain(state: &mut State, update: &ChainUpdate, effects: &mut Vec<Effect>) {
    let touched = state.world.apply(update, effects);
    state.health.chain_read |= update.view == View::Best;
    capacity::note(state, &touched);
    let seen = watch::sync(state, touched, effects);
    cards::sync(state, seen);
    court::forget_closed(state);
    settle::forget_decided(state);
}

fn on_signed(state: &mut State, signed: &Signed<Statement>) {
    if signed.signer != state.config.me {
        return;
    }
    match signed.statement {
        Statement::Attestation(statement) => {
            judge::on_signed(state, &statement);
            let own = Signed { statement, signer: signed.signer, signature: signed.signature };
            court::keep(state, own);
        }
        Statement::Certificate(statement) => {
            let own = Signed { statement, signer: signed.signer, signature: signed.signature };
            capacity::on_signed(state, &own);
        }
        Statement::Spoof(statement) => {
            let own = Signed { statement, signer: signed.signer, signature: signed.signature };
            spoof::on_signed(state, &own);
        }
    }
}
