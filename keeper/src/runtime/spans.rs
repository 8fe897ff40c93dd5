//! Spans with the ids an operator searches logs by: `rental`, `machine`, `case`, `id` (of an effect).

use surety_core::effect::{Effect, Intent};
use surety_core::input::Input;
use surety_core::statement::Statement;
use tracing::{Span, info_span};

/// Round the step that takes this input. Ticks, anchors and the chain are about nothing in particular.
pub(super) fn of_input(input: &Input) -> Span {
    match input {
        Input::Probe(probe) => info_span!("look", machine = %probe.machine, id = %probe.id),
        Input::Measure(measured) => info_span!("measurement", machine = %measured.machine, id = %measured.id),
        Input::Inventory(answer) => info_span!("cards", machine = %answer.machine, id = %answer.id),
        Input::PeerSpoof(signed) => of_statement("peer", &Statement::from(signed.statement)),
        Input::Complaint(signed) => {
            info_span!("complaint", rental = signed.statement.rental, id = %signed.statement.id())
        }
        Input::Hint(hint) => info_span!("hint", peer = %hint.peer),
        Input::SpoofChecked(check) => info_span!("spoof", machine = %check.machine, id = %check.id),
        Input::Signed(signed) => of_statement("signed", &signed.statement),
        Input::Peer(signed) => of_statement("peer", &Statement::from(signed.statement)),
        Input::Tx(result) => info_span!("transaction", id = %result.id),
        Input::Started(_) | Input::Tick(_) | Input::Chain(_) | Input::Anchors(_) => Span::none(),
    }
}

fn of_statement(what: &'static str, statement: &Statement) -> Span {
    match statement {
        Statement::Attestation(a) => info_span!("statement", what, rental = a.rental, evidence = %a.evidence),
        Statement::Spoof(s) => info_span!("statement", what, machine = %s.machine, evidence = %s.evidence),
        Statement::Certificate(c) => info_span!("statement", what, machine = %c.machine, evidence = %c.evidence),
    }
}

/// Round the deed that answers this wish, and round what is logged about it.
pub(super) fn of_effect(effect: &Effect) -> Span {
    match effect {
        Effect::Probe { id, machine, .. } => info_span!("look", %machine, %id),
        Effect::Measure { id, machine, .. } => info_span!("measurement", %machine, %id),
        Effect::Inventory { id, machine, .. } => info_span!("cards", %machine, %id),
        Effect::CheckSpoof { id, spoof, .. } => info_span!("spoof", machine = %spoof.machine, %id),
        Effect::Sign { statement, .. } => of_statement("to sign", statement),
        Effect::Submit { id, intent } => match intent {
            Intent::File { rental, .. } => info_span!("transaction", intent = "file", rental, %id),
            Intent::FileSpoofed { machine, .. } => {
                info_span!("transaction", intent = "file_spoofed", %machine, %id)
            }
            Intent::Claim { rental, .. } => info_span!("transaction", intent = "claim", rental, %id),
            Intent::Join { uid, .. } => info_span!("transaction", intent = "join", uid, %id),
            Intent::CheckIn { uid, .. } => info_span!("transaction", intent = "check_in", uid, %id),
            Intent::Execute { case_id } => info_span!("transaction", intent = "execute", case = case_id, %id),
            Intent::Close { rentals } => info_span!("transaction", intent = "close", ?rentals, %id),
            Intent::FlushBurn => info_span!("transaction", intent = "flush_burn", %id),
        },
        Effect::ProbeAnchors { .. } | Effect::Alert { .. } => Span::none(),
    }
}

/// Says that something is to be signed or sent: in a dry run, all there ever is of it.
pub(super) fn announce(effect: &Effect) {
    let what = match effect {
        Effect::Sign { .. } => "a statement is to be signed",
        Effect::Submit { .. } => "a transaction is to be sent",
        _ => return,
    };
    of_effect(effect).in_scope(|| tracing::info!("{what}"));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};
    use surety_core::types::Hash32;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_line_is_json_and_carries_the_ids_of_what_it_is_about() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            announce(&Effect::Submit { id: Hash32([1; 32]), intent: Intent::Execute { case_id: 7 } });
            announce(&Effect::Submit { id: Hash32([2; 32]), intent: Intent::Claim { rental: 9, past_secs: 1 } });
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let parsed: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            (&parsed[0]["span"]["case"], &parsed[0]["span"]["intent"]),
            (&7.into(), &"execute".into()),
            "{text}"
        );
        assert_eq!(parsed[1]["span"]["rental"], 9, "{text}");
        assert_eq!(parsed[1]["fields"]["message"], "a transaction is to be sent");
    }
}
