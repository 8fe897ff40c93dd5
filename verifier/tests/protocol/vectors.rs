//! Known answers for a second implementation: `tests/vectors/verifier.json` at the repository's root.
//!
//! `SURETY_WRITE_VECTORS=1 cargo test -p surety-verifier vectors` writes the file anew; without, it must agree.

use std::path::Path;

use rand_core::RngCore;
use serde_json::{Value, json};
use surety_verifier::frame::{self, Frame};
use surety_verifier::freivalds;
use surety_verifier::gauge::reference::Echoing;
use surety_verifier::gauge::{Claims, Gauge, Sizes};
use surety_verifier::matrix;
use surety_verifier::params::Params;
use surety_verifier::seed::{self, ROOT_BEFORE_FIRST};
use surety_verifier::statement::{Statement, WalkStatement};
use surety_verifier::transcript::Party;
use surety_verifier::tree::{Kind, Place, Tree};
use surety_verifier::walk::{self, LINE_BYTES, Walk};

use crate::rig::{TINY, challenge, cpus, measure};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/verifier.json");
const BLOCK_HASH: [u8; 32] = [0x22; 32];
const KEEPER_SECRET: [u8; 32] = [0x33; 32];
const VECTOR_SECRET: [u8; 32] = [0x44; 32];
const RANDOM: [u8; 32] = [0x55; 32];

#[test]
fn known_answers_have_not_changed() {
    let answers = json!({
        "seeds": seeds(),
        "generator": generator(),
        "residues": residues(),
        "tree": tree_answers(),
        "walk": walk(),
        "secret_vectors": secret_vectors(),
        "cpu_small": session(Params::cpu_small(1), 1),
        "two_gpus": session(TINY, 2),
        "soft_figures": soft_figures(),
    });
    let text = serde_json::to_string_pretty(&answers).unwrap() + "\n";
    if std::env::var_os("SURETY_WRITE_VECTORS").is_some() {
        std::fs::create_dir_all(Path::new(PATH).parent().unwrap()).unwrap();
        std::fs::write(PATH, &text).unwrap();
    }
    let known: Value = serde_json::from_str(&std::fs::read_to_string(PATH).unwrap()).unwrap();
    assert_eq!(known, answers, "the protocol changed: that needs a new version, not new vectors");
}

fn seeds() -> Value {
    let epoch_seed = seed::epoch_seed(&BLOCK_HASH, &KEEPER_SECRET);
    let machine = challenge(TINY, 1, RANDOM).machine;
    let session_seed = seed::session_seed(&epoch_seed, &RANDOM, &crate::rig::KEEPER, &machine);
    let gpu_seed = seed::gpu_seed(&session_seed, 1);
    json!({
        "block_hash": hex::encode(BLOCK_HASH),
        "keeper_secret": hex::encode(KEEPER_SECRET),
        "session_random": hex::encode(RANDOM),
        "keeper": hex::encode(crate::rig::KEEPER),
        "machine": hex::encode(machine),
        "secret_commitment": hex::encode(seed::secret_commitment(&KEEPER_SECRET)),
        "epoch_seed": hex::encode(epoch_seed),
        "epoch_commitment": hex::encode(seed::epoch_commitment(&epoch_seed)),
        "session_seed": hex::encode(session_seed),
        "gpu_1_seed": hex::encode(gpu_seed),
        "gpu_1_matrix_a_key_round_0": hex::encode(seed::matrix_a_key(&gpu_seed, 0, &ROOT_BEFORE_FIRST)),
        "gpu_1_matrix_a_key_round_3_after_root_77": hex::encode(seed::matrix_a_key(&gpu_seed, 3, &[0x77; 32])),
        "matrix_b_key": hex::encode(seed::matrix_b_key(&epoch_seed)),
        "echo_nonce_0": hex::encode(seed::echo_nonce(&RANDOM, 0)),
        "echo_nonce_19": hex::encode(seed::echo_nonce(&RANDOM, 19)),
    })
}

fn generator() -> Value {
    let stream = |stream| {
        let mut bytes = [0; 96];
        seed::generator(&[0x66; 32], stream).fill_bytes(&mut bytes);
        hex::encode(bytes)
    };
    json!({
        "key": hex::encode([0x66; 32]),
        "stream_0": stream(0),
        "stream_1": stream(1),
        "stream_4294967296": stream(1 << 32),
    })
}

fn residues() -> Value {
    let values = [0, 1, -1, 65_520, 65_521, 65_522, -65_521, -65_522, 1 << 30, -(1 << 30), i32::MAX, i32::MIN];
    values.map(|value| json!([value, surety_verifier::field::residue(value)])).to_vec().into()
}

fn tree_answers() -> Value {
    let params = Params { rounds: 1, vectors: 1, openings: 1, ..TINY };
    let bytes: Vec<u8> = (0..params.round_bytes()).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
    let tree = Tree::build(Kind::Residues, &bytes);
    let path: Vec<_> = tree.path(&Place::of_row(&params, 44).unwrap()).iter().map(hex::encode).collect();
    json!({ "bytes": "8192 bytes, byte i is 7·i mod 251", "root": hex::encode(tree.root()), "row_44_path": path })
}

/// One leg over lines of a generator.
fn walk() -> Value {
    let mut bytes = [0; 20 * LINE_BYTES];
    seed::generator(&[0x66; 32], 0).fill_bytes(&mut bytes);
    let lines = bytes.as_chunks::<LINE_BYTES>().0;
    let walk = Walk { word: 0x0123_4567_89ab_cdef, lines: 20 };
    let (walker, leg, before) = (3, 7, 0xfedc_ba98_7654_3210);
    let (entered, mut places) = (walk.enter(before, walker, leg), Vec::new());
    let after = walk.leg(entered, |at| {
        places.push(at);
        lines.get(at as usize)
    });
    json!({
        "lines": "20, the first 2560 bytes of stream 0 of the generator's key above",
        "word": walk.word, "walker": walker, "leg": leg, "before": before,
        "entered": entered, "places": places, "mixed_once": walk::mix(entered, &lines[places[0] as usize]),
        "after": after,
    })
}

fn secret_vectors() -> Value {
    let vectors = freivalds::secret_vectors(&VECTOR_SECRET, &TINY);
    let epoch_seed = seed::epoch_seed(&BLOCK_HASH, &KEEPER_SECRET);
    json!({
        "params": TINY,
        "vector_secret": hex::encode(VECTOR_SECRET),
        "vectors": vectors,
        "images": freivalds::images(&epoch_seed, &vectors, &TINY),
    })
}

/// A whole session: every frame, and rows of the first round as numbers.
fn session(params: Params, count: u16) -> Value {
    let outcome = measure(params, RANDOM, cpus(count));
    let transcript = &outcome.transcript;
    let start = transcript.challenge.start();
    let root = transcript.frames_from(Party::Machine).find_map(|frame| match frame {
        Frame::Root(root) => Some(root),
        _ => None,
    });
    let root = root.unwrap();
    let statement = Statement::answering(&start, &root.roots);
    let nonce = seed::walk_nonce(&RANDOM, &statement.digest());
    let walked = transcript.frames_from(Party::Machine).find_map(|frame| match frame {
        Frame::Walked(walked) => Some(walked),
        _ => None,
    });
    let walked = walked.unwrap();
    let (machine, results) = (start.machine, statement.digest());
    let walk_statement = WalkStatement { machine, results, nonce, roots: &walked.roots };
    let opened = seed::choose_openings(&params, count, &RANDOM, &walk_statement.digest());
    let a_key = seed::matrix_a_key(&seed::gpu_seed(&start.session_seed, 0), 0, &ROOT_BEFORE_FIRST);
    let a = matrix::row(&a_key, 0, params.inner);
    let row = matrix::rows_from_seed(&params, &seed::matrix_b_key(&start.epoch_seed), std::slice::from_ref(&a));
    let frames: Vec<_> = transcript.events.iter().filter(|event| event.frame.len() < 600 || count == 2).collect();
    json!({
        "params": params,
        "host_key_secret": hex::encode([1; 32]),
        "start": hex::encode(frame::encode(&Frame::Start(start.clone()))),
        "gpu_0_round_0_row_0_of_a": a,
        "gpu_0_round_0_row_0_residues": row[0],
        "roots": root.roots.iter().map(hex::encode).collect::<Vec<_>>(),
        "statement_digest": hex::encode(statement.digest()),
        "signed_message": hex::encode(statement.message()),
        "signature": hex::encode(root.signature),
        "walk_nonce": hex::encode(nonce),
        "walk_words": (0..count).map(|gpu| seed::walk_word(&nonce, gpu)).collect::<Vec<_>>(),
        "walk_roots": walked.roots.iter().map(hex::encode).collect::<Vec<_>>(),
        "walk_statement_digest": hex::encode(walk_statement.digest()),
        "walk_signed_message": hex::encode(walk_statement.message()),
        "walk_signature": hex::encode(walked.signature),
        "rows": opened.rows.iter().map(|at| json!([at.gpu, at.round, at.row])).collect::<Vec<_>>(),
        "legs": opened.legs.iter().map(|at| json!([at.gpu, at.walker, at.leg])).collect::<Vec<_>>(),
        "frames": frames.iter().take(60).map(|event| json!([event.from, event.at_ms, hex::encode(&event.frame)]))
            .collect::<Vec<_>>(),
        "transcript_digest": hex::encode(transcript.digest()),
        "verdict": outcome.verdict,
    })
}

/// Every question of one conversation, and the hash of its right answer.
fn soft_figures() -> Value {
    let mut gauge = Gauge::new(RANDOM, Sizes { line_bytes: 1_000, ..Sizes::SMALL });
    let mut machine = Echoing::new(Claims { threads: 2, memory_bytes: 1 << 30, disk_bytes: 1 << 30 });
    let mut asked = Vec::new();
    while let Some(ask) = gauge.ask() {
        let payload = gauge.payload();
        let answer = machine.answer(&ask, &payload).unwrap();
        gauge.answered(&answer, 1_000).unwrap();
        asked.push(json!({
            "question": hex::encode(ask.encode()),
            "followed_by": hex::encode(payload),
            "answer_bytes": answer.len(),
            "answer_blake3": hex::encode(blake3::hash(&answer).as_bytes()),
        }));
    }
    Value::Array(asked)
}
