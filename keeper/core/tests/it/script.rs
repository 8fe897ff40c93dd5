//! The language of the scenario scripts, and the golden text they produce.
//!
//! A line is `verb arguments`; `#` begins a comment; durations are `90s`, `10m`, `2h`. Times in golden output are
//! seconds since the world began.

use crate::seats;
use crate::sim::{Sim, Stepped, UNIX0, account, config, machine};
use std::collections::BTreeMap;
use std::fmt::Write;
use surety_core::effect::{Effect, Intent};
use surety_core::input::{Input, TxOutcome};
use surety_core::payout::PayoutRules;
use surety_core::statement::Statement;
use surety_core::types::{Account, Kind, MachineId};

/// Runs a script and returns its golden text.
pub(crate) fn golden(script: &str) -> String {
    let mut player =
        Player { sim: Sim::new(config()), out: String::new(), names: BTreeMap::new(), told: 0, last: String::new() };
    for (number, line) in script.lines().enumerate() {
        let line = line.split('#').next().unwrap().trim();
        if !line.is_empty() {
            player.play(line).unwrap_or_else(|| panic!("line {}: cannot read `{line}`", number + 1));
        }
    }
    writeln!(player.out, "state {}", player.sim.state.hash()).unwrap();
    player.out
}

struct Player {
    sim: Sim,
    out: String,
    names: BTreeMap<MachineId, String>,
    told: usize,
    last: String,
}

fn secs(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at(text.len().checked_sub(1)?);
    let unit_secs = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit_secs)
}

fn kind(text: &str) -> Option<Kind> {
    Some(match text {
        "not-delivered" => Kind::NotDelivered,
        "interrupted" => Kind::Interrupted,
        "offline" => Kind::Offline,
        _ => return None,
    })
}

impl Player {
    fn play(&mut self, line: &str) -> Option<()> {
        writeln!(self.out, "{:>6}  > {line}", self.sim.secs).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        self.set_up(&words).or_else(|| self.happen(&words))?;
        self.tell();
        Some(())
    }

    /// Lines that put things on the chain.
    fn set_up(&mut self, words: &[&str]) -> Option<()> {
        let sim = &mut self.sim;
        match words {
            ["keeper", name, weight] => sim.chain.add_keeper(name, weight.parse().ok()?),
            ["node", name, "of", owner] => {
                sim.chain.add_node(name, owner);
                self.names.insert(machine(name), (*name).to_owned());
            }
            ["offer", name, "class", class, "count", count] => {
                sim.chain.offer(name, class.parse().ok()?, count.parse().ok()?)
            }
            ["rent", id, name, "for", time] => {
                let now_secs = sim.now_secs();
                sim.chain.rent(id.parse().ok()?, name, now_secs, secs(time)?);
            }
            ["end", id] => {
                let now_secs = sim.now_secs();
                sim.chain.rentals.get_mut(&id.parse().ok()?)?.end_secs = now_secs;
            }
            ["close", id] => sim.chain.rentals.get_mut(&id.parse().ok()?)?.closed = true,
            ["claimed", id, "until", time] => {
                let rental = sim.chain.rentals.get_mut(&id.parse().ok()?)?;
                rental.paid_until_secs = UNIX0 + secs(time)?;
                rental.claimed_secs = rental.paid_until_secs - rental.start_secs;
            }
            ["somebody", "files", what, id, from, until] => {
                let (now_secs, interval) = (sim.now_secs(), (UNIX0 + secs(from)?, UNIX0 + secs(until)?));
                let id = id.parse().ok()?;
                let gap = u32::try_from(sim.chain.rentals.get(&id)?.faults.len()).ok()?;
                sim.chain.record(kind(what)?, id, gap, interval, now_secs).unwrap();
            }
            ["endpoint", name, "none"] => sim.chain.nodes.get_mut(&machine(name))?.endpoint = None,
            ["endpoint", name, "moves"] => {
                sim.chain.nodes.get_mut(&machine(name))?.endpoint.as_mut()?.port += 1;
            }
            ["pays", "out"] => sim.state.config.payout = PayoutRules::default(),
            ["seats", "of", time] => {
                sim.chain.seat = Some(seats::set(secs(time)?));
                sim.state.config.seat = seats::rules();
            }
            ["associate", "nobody"] => sim.chain.seat.as_mut()?.claim = None,
            ["associate", "uid", uid, "hotkey", hotkey, "power", power] => {
                let claim = seats::claim(uid.parse().ok()?, hotkey.parse().ok()?, power.parse().ok()?);
                sim.chain.seat.as_mut()?.claim = Some(claim);
            }
            ["tracking", on] => sim.chain.seat.as_mut()?.tracked = *on == "on",
            ["somebody", "expires", "me"] => sim.chain.seat.as_mut()?.seat = None,
            ["window", time] => sim.chain.window_secs = secs(time)?,
            _ => return None,
        }
        Some(())
    }

    /// Lines in which something happens.
    fn happen(&mut self, words: &[&str]) -> Option<()> {
        let sim = &mut self.sim;
        match words {
            ["start"] => sim.start(),
            ["keeper-down", time] => sim.down(secs(time)?),
            ["run", time] => sim.run(secs(time)?),
            ["machine", name, behaviour] => drop(sim.machines.insert(machine(name), (*behaviour).to_owned())),
            ["cards", name, "silent"] => drop(sim.cards.remove(&machine(name))),
            ["cards", name, count] => drop(sim.cards.insert(machine(name), count.parse().ok()?)),
            ["measure", name, behaviour] => drop(sim.measures.insert(machine(name), (*behaviour).to_owned())),
            ["anchors", up] => sim.anchors_up = *up == "up",
            ["rpc", up] => sim.rpc_up = *up == "up",
            ["clock", off] => sim.wall_off_secs = off.strip_suffix('s')?.parse().ok()?,
            ["renter", "of", rental, "complains"] => sim.complain(rental.parse().ok()?)?,
            ["peer", name, "shows", node, "failing"] => sim.hint(name, node),
            ["peer", name, "says", "spoofed", node, count, at] => {
                sim.peer_spoof(name, node, count.parse().ok()?, secs(at)?);
            }
            ["peer", name, "says", what, rental, from, until] => {
                sim.peer(name, kind(what)?, rental.parse().ok()?, secs(from)?, secs(until)?);
            }
            ["spoof", "evidence", shows] => sim.spoof_evidence = (*shows).to_owned(),
            ["shadow", "spoofed"] => drop(sim.state.config.shadow.insert(Kind::Spoofed)),
            ["agrees", name, off] => sim.echoes.push((account(name), off.strip_suffix('s')?.parse().ok()?)),
            ["tx", "fails", why] => sim.tx_fails = Some((*why).to_owned()),
            _ => return None,
        }
        Some(())
    }

    /// Writes what happened since the last line of the script: every input and effect but the routine ones, which are
    /// counted, and the state where its summary changed.
    fn tell(&mut self) {
        let new: Vec<Stepped> = self.sim.log[self.told..].to_vec();
        self.told = self.sim.log.len();
        let (mut looks, mut rounds, mut questions) = (0, 0, 0);
        for stepped in &new {
            let mut lines = Vec::new();
            for effect in &stepped.effects {
                match effect {
                    Effect::Probe { .. } => looks += 1,
                    Effect::ProbeAnchors { .. } => rounds += 1,
                    Effect::Inventory { .. } => questions += 1,
                    other => lines.push(self.effect(other)),
                }
            }
            let input = self.input(&stepped.input);
            if let Some(input) = input.or_else(|| (!lines.is_empty()).then(|| "tick".to_owned())) {
                writeln!(self.out, "{:>6}  {input}", stepped.secs).unwrap();
            }
            for line in lines {
                writeln!(self.out, "{:>6}    -> {line}", "").unwrap();
            }
        }
        if looks + rounds > 0 {
            let cards = if questions > 0 { format!(", asked about cards {questions} times") } else { String::new() };
            writeln!(self.out, "{:>6}  {looks} looks, {rounds} anchor rounds{cards}", "").unwrap();
        }
        let summary = self.summary();
        if summary != self.last {
            writeln!(self.out, "{:>6}  = {summary}", "").unwrap();
            self.last = summary;
        }
    }

    fn name(&self, machine: &MachineId) -> &str {
        self.names.get(machine).map_or("?", String::as_str)
    }

    fn keeper(&self, account_: &Account) -> &'static str {
        ["me", "k2", "k3", "k4", "k5"].into_iter().find(|name| account(name) == *account_).unwrap_or("?")
    }

    fn input(&self, input: &Input) -> Option<String> {
        Some(match input {
            Input::Started(_) => "started".to_owned(),
            Input::Signed(signed) => format!("signed {}", self.statement(&signed.statement)),
            Input::Peer(signed) => {
                let said = self.statement(&Statement::Attestation(signed.statement));
                format!("peer {} {said}", self.keeper(&signed.signer))
            }
            Input::Measure(result) => {
                let outcome = serde_json::to_value(&result.outcome).unwrap();
                format!("measured {} {}", self.name(&result.machine), outcome["outcome"].as_str().unwrap())
            }
            Input::PeerSpoof(signed) => {
                let said = self.statement(&Statement::Spoof(signed.statement));
                format!("peer {} {said}", self.keeper(&signed.signer))
            }
            Input::SpoofChecked(result) => {
                let outcome = serde_json::to_value(&result.outcome).unwrap();
                format!("recomputed {} {}", self.name(&result.machine), outcome["outcome"].as_str().unwrap())
            }
            Input::Complaint(signed) => {
                format!("renter of rental {} complains: {:?}", signed.statement.rental, signed.statement.code)
            }
            Input::Hint(hint) => {
                let machines: Vec<&str> = hint.machines.iter().map(|machine| self.name(machine)).collect();
                format!("peer {} shows {} failing", self.keeper(&hint.peer), machines.join(" "))
            }
            Input::Tx(result) => match &result.outcome {
                TxOutcome::Settled => "tx settled".to_owned(),
                TxOutcome::Failed { why } => format!("tx failed {why}"),
            },
            Input::Tick(_) | Input::Chain(_) | Input::Probe(_) | Input::Inventory(_) | Input::Anchors(_) => {
                return None;
            }
        })
    }

    fn statement(&self, statement: &Statement) -> String {
        match statement {
            Statement::Attestation(claim) => {
                let (from, until) = (claim.from_secs - UNIX0, claim.until_secs - UNIX0);
                format!("{:?} of rental {}, {from}..{until}, {:?}", claim.kind, claim.rental, claim.cause)
            }
            Statement::Certificate(claim) => {
                let (name, at) = (self.name(&claim.machine), claim.measured_at_secs - UNIX0);
                format!("certificate {name}: {} of class {} at {at}", claim.gpu_count, claim.gpu_class)
            }
            Statement::Spoof(claim) => {
                let (name, at) = (self.name(&claim.machine), claim.proved_at_secs - UNIX0);
                format!("spoof {name}: {} of class {} at {at}", claim.gpu_count, claim.gpu_class)
            }
        }
    }

    fn effect(&self, effect: &Effect) -> String {
        match effect {
            Effect::Sign { statement, evidence, .. } => {
                let bytes = evidence.canonical().unwrap().len();
                format!("sign {} ({bytes} bytes of evidence)", self.statement(statement))
            }
            Effect::Measure { machine, gpu_class, gpu_count, .. } => {
                format!("measure {}: {gpu_count} of class {gpu_class}", self.name(machine))
            }
            Effect::CheckSpoof { peer, spoof, .. } => {
                format!("recompute what {} says of {}", self.keeper(peer), self.name(&spoof.machine))
            }
            Effect::Submit { intent: Intent::FileSpoofed { machine, gpu_count, spoofs, .. }, .. } => {
                let signers: Vec<&str> = spoofs.iter().map(|one| self.keeper(&one.signer)).collect();
                format!("file Spoofed of {}, {gpu_count} cards, signed by {}", self.name(machine), signers.join(" "))
            }
            Effect::Submit { intent: Intent::File { kind, rental, gap, attestations }, .. } => {
                let signers: Vec<&str> = attestations.iter().map(|one| self.keeper(&one.signer)).collect();
                format!("file {kind:?} of rental {rental} in gap {gap}, signed by {}", signers.join(" "))
            }
            Effect::Submit { intent: Intent::Join { uid, .. }, .. } => format!("join as uid {uid}"),
            Effect::Submit { intent: Intent::CheckIn { uid, .. }, .. } => format!("check in as uid {uid}"),
            Effect::Submit { intent, .. } => format!("submit {intent:?}"),
            Effect::Alert { message, .. } => {
                let named =
                    self.names.iter().fold(message.clone(), |text, (id, name)| text.replace(&id.to_string(), name));
                format!("alert: {named}")
            }
            Effect::Probe { .. } | Effect::ProbeAnchors { .. } | Effect::Inventory { .. } => "routine".to_owned(),
        }
    }

    fn summary(&self) -> String {
        let state = &self.sim.state;
        let mut text = state.health.blind.map_or("sees".to_owned(), |why| format!("blind ({why:?})"));
        for (machine, watch) in state.watches.iter() {
            write!(text, "; {}", self.name(machine)).unwrap();
            match &watch.tenancy {
                Some(tenancy) if tenancy.delivered_secs.is_some() => {
                    write!(text, " rental {} delivered", tenancy.rental)
                }
                Some(tenancy) => write!(text, " rental {} not delivered", tenancy.rental),
                None => write!(text, " idle"),
            }
            .unwrap();
            if watch.suspected {
                text.push_str(" suspected");
            }
            if let Some(clip) = watch.streak.as_ref().and_then(|streak| streak.clip(0, u64::MAX)) {
                write!(text, " failing {}..{}", clip.from_secs - UNIX0, clip.until_secs - UNIX0).unwrap();
            }
            if let Some(clip) = state
                .cards
                .get(machine)
                .and_then(|cards| cards.streak.as_ref())
                .and_then(|streak| streak.clip(0, u64::MAX))
            {
                write!(text, " short of cards {}..{}", clip.from_secs - UNIX0, clip.until_secs - UNIX0).unwrap();
            }
            if !watch.finished.is_empty() {
                write!(text, " {} to sign", watch.finished.len()).unwrap();
            }
        }
        for (rental, open) in &state.complaints {
            write!(text, "; complaint {rental} until {}", open.until_secs - UNIX0).unwrap();
        }
        if let Some(seat) = &state.world.best.seat {
            text.push_str(&seats::summary(seat, state.world.best.block.timestamp_secs));
        }
        for (rental, docket) in &state.court.dockets {
            let count: usize = docket.attestations.values().map(Vec::len).sum();
            write!(text, "; docket {rental}: {count}").unwrap();
            if let Some(ready) = docket.ready {
                write!(text, " ready {:?}", ready.kind).unwrap();
            }
            if docket.filing.is_some() {
                text.push_str(" filing");
            }
        }
        text
    }
}
