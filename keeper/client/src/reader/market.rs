//! What the market shows of the contracts, beyond what keepers follow: whole offers, who is bound to what, sums of
//! seconds, appeals.

use super::{NodeParts, Reader, endpoint, kind, next, status};
use crate::bindings::{Arbiter, IArbiter, RentalEscrow};
use crate::provider::{Each, NodeError};
use alloy::primitives::B256;
use surety_core::types::{Account, CaseId, Hash32, Hotkey, MachineId, RentalId, SshKey};
use surety_core::view::{CaseStatus, FaultView};
use surety_core::weights::StatedBond;
use surety_market::amount::Amount;
use surety_market::facts::{CaseFacts, NodeFacts, RentalFacts};
use surety_market::wire::Offer;

impl Reader {
    /// Registrations by number, current or over, each with its machine's live offer.
    pub async fn node_facts_at(&self, registrations: &[u32], block: u64) -> Result<Each<NodeFacts>, NodeError> {
        let parts = self.parts_of(registrations, block).await?;
        let stated = self.stated_at(registrations, block).await?;
        let live = |part: &&NodeParts| is_current(part) && live_offer(part).is_some();
        let quotes = parts.iter().flatten().filter(live).map(|part| RentalEscrow::quoteCall {
            machine: part.view.machine,
            durationSecs: part.offer.terms.minDurationSecs.into(),
        });
        let mut quotes = self.each(*self.escrow.address(), quotes, block).await?.into_iter();
        let facts = |(parts, stated): (Result<NodeParts, NodeError>, Result<Option<StatedBond>, NodeError>)| {
            let parts = parts?;
            let quoted = if live(&&parts) { Some(next(&mut quotes)) } else { None };
            let needed_rao = match quoted {
                None => 0,
                Some(Ok(quote)) => quote.bond,
                // A class that is off the market again has no quote: the offer cannot be rented, and needs nothing.
                Some(Err(NodeError::Refused { data: Some(_), .. })) => 0,
                Some(Err(other)) => return Err(other),
            };
            Ok(node_facts(&parts, stated?, needed_rao))
        };
        Ok(parts.into_iter().zip(stated).map(facts).collect())
    }

    /// Rentals with their recorded faults.
    pub async fn rental_facts_at(&self, rentals: &[RentalId], block: u64) -> Result<Each<RentalFacts>, NodeError> {
        let calls = rentals.iter().map(|rental| RentalEscrow::rentalAtCall { rental: *rental });
        let found = self.each(*self.escrow.address(), calls, block).await?;
        let views = self.rentals_at(rentals, block).await?;
        let facts = |((id, found), view): ((&RentalId, Result<RentalEscrow::rentalAtReturn, NodeError>), _)| {
            let (found, view): (_, Result<surety_core::view::RentalView, NodeError>) = (found?, view);
            Ok(rental_facts(*id, &found, view?.faults))
        };
        Ok(rentals.iter().zip(found).zip(views).map(facts).collect())
    }

    /// Cases, with what an appeal would ask, or has paid.
    pub async fn case_facts_at(&self, cases: &[CaseId], block: u64) -> Result<Each<CaseFacts>, NodeError> {
        let arbiter = *self.arbiter.address();
        let found = self.each(arbiter, cases.iter().map(|case| Arbiter::caseAtCall { caseId: *case }), block).await?;
        let views = self.cases_at(cases, block).await?;
        let asked = |case: &&CaseId| Arbiter::appealableUntilCall { caseId: **case };
        let until = self.each(arbiter, cases.iter().map(|case| asked(&case)), block).await?;
        let bonds = cases.iter().map(|case| Arbiter::appealBondOfCall { caseId: *case });
        let bonds = self.each(arbiter, bonds, block).await?;
        let appeals = cases.iter().map(|case| Arbiter::appealOfCall { caseId: *case });
        let appeals = self.each(arbiter, appeals, block).await?;
        let mut rest = until.into_iter().zip(bonds).zip(appeals).zip(views);
        let missing = || NodeError::Odd { method: "eth_call", what: "fewer answers than requests".into() };
        let facts = |(id, case): (&CaseId, Result<IArbiter::Case, NodeError>)| {
            // All parts before any is looked at: they go together with this case.
            let (((until, bond), appeal), view) = rest.next().ok_or_else(missing)?;
            let (case, appeal, executable_at_secs) = (case?, appeal?, view?.executable_at_secs);
            let waits = matches!(status(case.status)?, CaseStatus::Filed | CaseStatus::Refunded);
            // Neither says anything about a case that cannot be appealed any more.
            let until_secs = if waits { u64::from(until?) } else { 0 };
            let bond_rao = if waits { bond? } else { 0 };
            let appeal = (appeal.ruleBy != 0).then_some((appeal.bond, u64::from(appeal.ruleBy)));
            case_facts(*id, &case, executable_at_secs, (until_secs, bond_rao), appeal)
        };
        Ok(cases.iter().zip(found).map(facts).collect())
    }
}

fn is_current(parts: &NodeParts) -> bool {
    parts.newest == Some(parts.view.registration)
}

/// The machine's live offer; one of a newer registration is told from its own by [`is_current`].
fn live_offer(parts: &NodeParts) -> Option<Offer> {
    let terms = &parts.offer.terms;
    let price: u64 = terms.price.to();
    (price != 0).then_some(Offer {
        gpu_class: terms.gpuClass,
        gpu_count: terms.gpuCount,
        price_rao_per_sec: Amount(price),
        min_duration_secs: terms.minDurationSecs.into(),
        max_duration_secs: terms.maxDurationSecs.into(),
        turnaround_secs: terms.turnaroundSecs.to(),
        expires_at_secs: terms.expiresAt.into(),
        offer_hash: Hash32(parts.offer.offerHash.0),
    })
}

fn node_facts(parts: &NodeParts, stated: Option<StatedBond>, needed_rao: u64) -> NodeFacts {
    let (view, current) = (&parts.view, is_current(parts));
    let outdated_at_secs = u64::from(view.outdatedAt);
    NodeFacts {
        registration: view.registration,
        machine: MachineId(view.machine.0),
        miner: Account(view.miner.into_array()),
        hotkey: Hotkey(view.hotkey.0),
        uid: view.uid,
        endpoint: endpoint(view.endpoint.ip.0, view.endpoint.port),
        free_rao: view.free,
        reserved_rao: view.reserved,
        held_rao: view.held,
        exiting_rao: view.exiting,
        exit_ready_at_secs: view.exitReadyAt.into(),
        retired: view.retired,
        current: current && !view.retired,
        offer: live_offer(parts).filter(|_| current),
        needed_rao,
        stated: stated.filter(|stated| outdated_at_secs < stated.stated_at_secs),
    }
}

fn rental_facts(id: RentalId, found: &RentalEscrow::rentalAtReturn, faults: Vec<FaultView>) -> RentalFacts {
    let (r, key): (_, B256) = (&found.r, found.renterKey);
    RentalFacts {
        id,
        registration: r.registration,
        renter: Account(r.renter.into_array()),
        renter_key: SshKey(key.0),
        gpu_class: r.gpuClass,
        gpu_count: r.gpuCount,
        price_rao_per_sec: r.price.to(),
        start_secs: r.start.into(),
        end_secs: r.end.into(),
        paid_until_secs: r.paidUntil.into(),
        min_duration_secs: r.minDurationSecs.into(),
        bought_secs: r.boughtSecs.into(),
        claimed_secs: r.claimedSecs.into(),
        faulted_secs: r.faultedSecs.into(),
        open_secs: r.openSecs.into(),
        closed: r.closed,
        faults,
    }
}

fn case_facts(
    id: CaseId,
    case: &IArbiter::Case,
    executable_at_secs: u64,
    appealable: (u64, u64),
    appeal: Option<(u64, u64)>,
) -> Result<CaseFacts, NodeError> {
    Ok(CaseFacts {
        id,
        kind: kind(case.kind)?,
        cause: case.cause,
        status: status(case.status)?,
        slow: case.slow,
        rental: case.rental,
        registration: case.registration,
        filed_at_secs: case.filedAt.into(),
        withheld_secs: case.withheldSecs.into(),
        penalty_rao: case.penalty,
        executable_at_secs,
        appealable_until_secs: appealable.0,
        appeal_bond_rao: appealable.1,
        appeal,
    })
}
