//! What a long run was like, for people.

use crate::check::liveness::{clear_outages, first_fileable, recorded};
use crate::env::Env;
use crate::keeper::Keeper;
use crate::summary::{SURELY_SEEN_SECS, spread};
use crate::tally::name;
use crate::world::EPOCH;
use std::collections::BTreeMap;
use surety_core::types::{Rao, UnixSecs};
use surety_core::view::CaseStatus;

const RAO_PER_TAO: Rao = 1_000_000_000;

/// The report, some twenty lines. What began after `until` is the world's end and no part of it.
pub(crate) fn report(env: &Env, keepers: &[Keeper], until: UnixSecs) -> String {
    let lines = [fleet(env, until), statements(env), cases(env), times(env, until), money(env), hosts(env, keepers)];
    lines.join("\n")
}

fn fleet(env: &Env, until: UnixSecs) -> String {
    let state = &env.chain.newest().state;
    let rentals = state.rentals.values().filter(|rental| rental.view.start_secs < until);
    let (mut count, mut rented_secs, mut out_secs, mut outages, mut admitted) = (0, 0, 0, 0, 0);
    for rental in rentals {
        let (from, until) = (rental.view.start_secs, rental.view.end_secs);
        let Some(machine) = env.machines.get(&rental.view.machine) else { continue };
        count += 1;
        rented_secs += until - from;
        out_secs += machine.served.total_secs(false, from, until);
        outages += machine.served.stretches(false, from, until).count();
        admitted += machine.admits().stretches(true, from, until).count();
    }
    let lies: u64 = env.machines.values().map(|machine| machine.lies).sum();
    let again = u64::from(state.registrations) - env.machines.len() as u64;
    format!(
        "fleet: {} machines of {} owners, {again} registered again; {count} rentals, {} rented hours, {:.2} % of them \
         without service\nwhat happened: {outages} outages while rented, {admitted} times cards were missing and \
         admitted, {lies} false proofs",
        env.machines.len(),
        env.options.owners,
        rented_secs / 3_600,
        percent(out_secs, rented_secs)
    )
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

fn statements(env: &Env) -> String {
    let signed: Vec<String> = env.tally.signed.iter().map(|(what, count)| format!("{count} {what}")).collect();
    let gas: Vec<String> = env
        .tally
        .mined
        .iter()
        .map(|(what, (count, gas))| format!("{what} {count} for {:.1}", millions(*gas)))
        .collect();
    let sum: u64 = env.tally.mined.values().map(|(_, gas)| gas).sum();
    let lane = &env.check.lane;
    format!(
        "signed: {}\ntransactions: {} mined for good, {} of them reverted\ngas, in millions: {}; together {:.1}",
        signed.join(", "),
        lane.mined,
        lane.reverted,
        gas.join(", "),
        millions(sum)
    )
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn millions(gas: u64) -> f64 {
    gas as f64 / 1e6
}

fn cases(env: &Env) -> String {
    let state = &env.chain.newest().state;
    let mut kinds: BTreeMap<&'static str, u64> = BTreeMap::new();
    state.cases.values().for_each(|case| *kinds.entry(name(case.view.kind)).or_default() += 1);
    let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let stands = |status: CaseStatus| state.cases.values().filter(|case| case.view.status == status).count();
    let appealed = state.cases.values().filter(|case| case.appealed_at > 0).count();
    let slow = state.cases.values().filter(|case| case.slow).count();
    let (executed, dismissed) = (stands(CaseStatus::Executed), stands(CaseStatus::Dismissed));
    format!(
        "filed: {}; false: {}\ndecided: {executed} executed, {dismissed} dismissed, {} open; {appealed} were appealed, \
         {slow} slowed down by the breaker",
        kinds.join(", "),
        env.check.false_cases,
        state.cases.len() - executed - dismissed
    )
}

/// An outage on chain later than this is named.
const LATE_SECS: u64 = 300;

fn times(env: &Env, until: UnixSecs) -> String {
    let state = &env.chain.newest().state;
    let (mut clear, mut lost_secs, mut delay_secs, mut odd) = (0, Vec::new(), Vec::new(), Vec::new());
    for rental in state.rentals.values() {
        for outage in clear_outages(env, rental, EPOCH) {
            let length_secs = outage.until - outage.from;
            if outage.from >= until || length_secs < SURELY_SEEN_SECS {
                continue;
            }
            clear += 1;
            let says = format!("rental {} {}..{}", rental.view.id, outage.from - EPOCH, outage.until - EPOCH);
            let Some((filed_at, secs)) = recorded(env, rental, &outage) else {
                odd.push(format!("{says} never"));
                continue;
            };
            let late_secs = filed_at.saturating_sub(first_fileable(env, &outage).1);
            if late_secs > LATE_SECS {
                odd.push(format!("{says} after {late_secs} s"));
            }
            delay_secs.push(late_secs);
            if outage.returned {
                lost_secs.push(length_secs.saturating_sub(secs));
            }
        }
    }
    format!(
        "outages of {SURELY_SEEN_SECS} s or more that stand alone: {clear}, on chain {}\nseconds from fileable to on \
         chain: {}\nlate or never: {}\nseconds lost to the intersection: {}",
        delay_secs.len(),
        spread(&delay_secs),
        if odd.is_empty() { "none".to_owned() } else { odd.join("; ") },
        spread(&lost_secs)
    )
}

fn money(env: &Env) -> String {
    let ledger = &env.chain.newest().state.ledger;
    let tao = |rao: Rao| format!("{}.{:03}", rao / RAO_PER_TAO, rao % RAO_PER_TAO / 1_000_000);
    let miners_rao: Rao = ledger.miners_rao.values().sum();
    format!(
        "TAO: {} came in; {} went to miners (pay and bond), {} back to renters, {} were burned; all accounted for after \
         each block",
        tao(ledger.paid_in_rao),
        tao(miners_rao),
        tao(ledger.renters_rao),
        tao(ledger.burned_rao)
    )
}

fn hosts(env: &Env, keepers: &[Keeper]) -> String {
    let one = |keeper: &Keeper| {
        let (blind, down) = (keeper.blind_secs / 60, keeper.down_secs / 60);
        let (role, index, deaths) = (keeper.role, keeper.index, keeper.deaths);
        format!("keeper {index} ({role:?}): blind {blind} min, down {down} min in {deaths} crashes")
    };
    let all: Vec<String> = keepers.iter().map(one).collect();
    format!("{}\nchain: {} blocks, {} undone", all.join("\n"), env.chain.tip(), env.chain.undone)
}
