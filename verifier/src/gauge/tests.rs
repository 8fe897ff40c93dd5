#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use super::content::{self, Content};
use super::figures::Gpus;
use super::plan::{Gauge, Sizes};
use super::reference::Echoing;
use super::wire::{ASK_BYTES, Ask, AskError, Claims, Medium, Task};
use super::{CHUNK, CHUNK_BYTES, LEGS, LINE_BYTES_MAX};
use crate::score::sn27;
use proptest::prelude::*;
use rand_core::RngCore;

const CLAIMS: Claims = Claims { threads: 3, memory_bytes: 1 << 30, disk_bytes: 1 << 30 };

/// All questions with the honest answers, each bent by `bend`, each after 10 ms. Ends at the first wrong one.
fn measured(gauge: &mut Gauge, mut bend: impl FnMut(&Ask, &mut Vec<u8>)) -> Result<(), super::Wrong> {
    let mut machine = Echoing::new(CLAIMS);
    while let Some(ask) = gauge.ask() {
        let mut answer = machine.answer(&ask, &gauge.payload()).unwrap();
        bend(&ask, &mut answer);
        gauge.answered(&answer, 10_000)?;
    }
    Ok(())
}

#[test]
fn an_honest_machine_gets_every_figure() {
    let mut gauge = Gauge::new([1; 32], Sizes::SMALL);
    measured(&mut gauge, |_, _| {}).unwrap();
    let text = serde_json::to_value(gauge.figures()).unwrap();
    let missing: Vec<_> = text.as_object().unwrap().iter().filter(|(_, value)| value.is_null()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_figure_is_the_amount_over_the_time_with_the_round_trip_forgiven() {
    let mut gauge = Gauge::new([2; 32], Sizes::SMALL);
    let mut machine = Echoing::new(CLAIMS);
    while let Some(ask) = gauge.ask() {
        let answer = machine.answer(&ask, &gauge.payload()).unwrap();
        let took_us = if ask.task == Task::Echo { 2_000 } else { 12_000 };
        gauge.answered(&answer, took_us).unwrap();
    }
    let figures = gauge.figures();
    assert_eq!(figures.round_trip_us, Some(2_000));
    assert_eq!((figures.threads, figures.disk_free_mib), (3, 1024));
    // 64 legs of 2^12 steps of 5 cycles in 10 ms are 131.072 MHz.
    assert_eq!((figures.core_khz_one, figures.core_khz_all), (Some(131_072), Some(131_072)));
    // 8 MiB in 10 ms are 838,860.8 kB/s.
    assert_eq!(figures.memory_mib, Some(8));
    assert_eq!(figures.memory_fill_kb_per_sec, Some(838_860));
    assert_eq!(figures.memory_read_kb_per_sec, Some(838_860));
    assert_eq!(figures.disk_read_kb_per_sec, Some(838_860));
    assert_eq!(figures.memory_reads_per_sec, Some(64 * 64 * 100));
    assert_eq!(figures.disk_writes_per_sec, Some(400));
    assert_eq!(figures.upload_kb_per_sec, Some(26_214));
}

/// The clock of a machine whose echoes take `echo_us` (None: it declines them) and everything else `took_us`.
fn clock_khz(echo_us: Option<u64>, took_us: u64) -> u64 {
    let mut gauge = Gauge::new([2; 32], Sizes::SMALL);
    let mut machine = Echoing::new(CLAIMS);
    while let Some(ask) = gauge.ask() {
        let answer = machine.answer(&ask, &gauge.payload()).unwrap();
        match (ask.task, echo_us) {
            (Task::Echo, None) => gauge.declined(),
            (Task::Echo, Some(echo_us)) => gauge.answered(&answer, echo_us).unwrap(),
            _ => gauge.answered(&answer, took_us).unwrap(),
        }
    }
    gauge.figures().core_khz_one.unwrap()
}

#[test]
fn a_round_trip_is_forgiven_up_to_150_ms_and_a_quarter_of_the_time() {
    // 2^18 steps of 5 cycles in so many microseconds.
    let khz = |us: u64| (1 << 18) * 5 * 1_000 / us;
    assert_eq!(clock_khz(Some(900_000), 1_150_000), khz(1_000_000), "150 ms");
    assert_eq!(clock_khz(Some(900_000), 160_000), khz(120_000), "a quarter");
    assert_eq!(clock_khz(Some(10_000), 10_000), khz(7_500), "nothing is done in no time");
    assert_eq!(clock_khz(None, 160_000), khz(160_000), "no echo, no credit");
}

/// Each answer that has any content, made up: found out at once, whatever is drawn.
#[test]
fn made_up_answers_are_found_out_always() {
    let mut kinds = Vec::new();
    let mut gauge = Gauge::new([3; 32], Sizes::SMALL);
    measured(&mut gauge, |ask, _| kinds.push(ask.task)).unwrap();
    let has_content = |task: &&Task| !matches!(task, Task::Claims) && task.answer_bytes() > 0;
    for kind in kinds.iter().filter(has_content) {
        for seed in 0..20 {
            let mut gauge = Gauge::new([seed; 32], Sizes::SMALL);
            let lie = |ask: &Ask, answer: &mut Vec<u8>| {
                if ask.task == *kind {
                    crate::seed::generator(&[seed; 32], 1).fill_bytes(answer);
                }
            };
            assert!(measured(&mut gauge, lie).is_err(), "{kind:?}");
        }
    }
}

/// As a machine would that has several cores go a part each, from states that it invents.
#[test]
fn one_wrong_state_in_a_single_chain_or_a_walk_is_found_out_always() {
    let whole = |task: &Task| matches!(task, Task::Steps { threads: 1, .. } | Task::Gather { .. });
    let mut kinds = Vec::new();
    measured(&mut Gauge::new([3; 32], Sizes::SMALL), |ask, _| kinds.push(ask.task)).unwrap();
    for kind in kinds.into_iter().filter(whole) {
        for state in [0, 31, LEGS - 1] {
            let lie = |ask: &Ask, answer: &mut Vec<u8>| {
                if ask.task == kind {
                    answer[8 * state] ^= 1;
                }
            };
            assert!(measured(&mut Gauge::new([4; 32], Sizes::SMALL), lie).is_err(), "{kind:?} {state}");
        }
    }
}

/// Sixteen of 192 legs are gone again.
#[test]
fn one_made_up_leg_in_eight_of_all_threads_passes_once_in_eight_times() {
    let passes = |seed: u8| {
        let lie = |ask: &Ask, answer: &mut Vec<u8>| {
            if matches!(ask.task, Task::Steps { threads: 3, .. }) {
                // A wrong state makes two wrong legs, its own and the next.
                answer.chunks_exact_mut(8).step_by(16).for_each(|state| state[0] ^= 1);
            }
        };
        measured(&mut Gauge::new([seed; 32], Sizes { disk_bytes: 1 << 40, ..Sizes::SMALL }), lie).is_ok()
    };
    // 24 wrong legs of 192: (7/8)^16 = 0.118. Of 200 draws 99.99 % lie within 8 to 43.
    let passed = (0..200).filter(|seed| passes(*seed)).count();
    assert!((8..=43).contains(&passed), "{passed}");
}

#[test]
fn what_was_only_said_to_be_done_is_no_figure() {
    let mut gauge = Gauge::new([5; 32], Sizes::FULL);
    while let Some(ask) = gauge.ask() {
        match ask.task {
            Task::Claims => {
                let all = Claims { threads: 1024, memory_bytes: u64::MAX, disk_bytes: u64::MAX };
                gauge.answered(&all.encode(), 1).unwrap();
            }
            // Nothing but "done".
            Task::Fill { .. } | Task::Scatter { .. } => gauge.answered(&[], 1).unwrap(),
            _ => gauge.declined(),
        }
    }
    assert_eq!(*gauge.figures(), super::Figures::default());
}

/// Counting bits, say, is enough for a sum of words, whatever the nonce.
#[test]
fn a_sum_hangs_on_the_order_of_words_and_on_each_with_the_nonce() {
    let mut bytes = vec![0; 512];
    crate::seed::generator(&[1; 32], 0).fill_bytes(&mut bytes);
    let mut other = bytes.clone();
    other.copy_within(64..128, 0);
    other[64..128].copy_from_slice(&bytes[..64]);
    assert_ne!(content::sum(7, &bytes), content::sum(7, &other), "two lines in each other's places");
    let differences = [7, 8, 9].map(|nonce| content::sum(nonce, &bytes).wrapping_sub(content::sum(nonce, &other)));
    assert!(differences[0] != differences[1] && differences[1] != differences[2]);
}

#[test]
fn an_answer_of_another_length_is_wrong() {
    for (seed, longer) in [(4, true), (5, false)] {
        let mut gauge = Gauge::new([seed; 32], Sizes::SMALL);
        let bend = |ask: &Ask, answer: &mut Vec<u8>| match ask.task {
            Task::Steps { .. } if longer => answer.push(0),
            Task::Steps { .. } => drop(answer.pop()),
            _ => {}
        };
        assert!(measured(&mut gauge, bend).is_err());
    }
}

#[test]
fn what_a_machine_declines_is_not_asked_for_again_and_all_else_is() {
    let mut gauge = Gauge::new([6; 32], Sizes::SMALL);
    let (mut machine, mut asked) = (Echoing::new(CLAIMS), Vec::new());
    while let Some(ask) = gauge.ask() {
        asked.push(ask.task);
        if matches!(ask.task, Task::Fill { medium: Medium::Disk, .. }) {
            gauge.declined();
        } else {
            let answer = machine.answer(&ask, &gauge.payload()).unwrap();
            gauge.answered(&answer, 10_000).unwrap();
        }
    }
    let of_disk = |task: &&Task| {
        matches!(task, Task::Scatter { .. })
            || matches!(task, Task::Read { medium: Medium::Disk, .. } | Task::Gather { medium: Medium::Disk, .. })
    };
    assert_eq!(asked.iter().filter(of_disk).count(), 0);
    assert!(gauge.figures().disk_mib.is_none() && gauge.figures().disk_write_kb_per_sec.is_none());
    assert!(gauge.figures().memory_reads_per_sec.is_some() && gauge.figures().upload_kb_per_sec.is_some());
}

#[test]
fn no_more_is_asked_of_a_machine_than_it_says_it_has() {
    let asked = |memory_bytes, disk_bytes| {
        let mut gauge = Gauge::new([7; 32], Sizes::FULL);
        let mut tasks = Vec::new();
        while let Some(ask) = gauge.ask() {
            tasks.push(ask.task);
            match ask.task {
                Task::Claims => gauge.answered(&Claims { threads: 1, memory_bytes, disk_bytes }.encode(), 1).unwrap(),
                Task::Echo => gauge.answered(&ask.seed, 1).unwrap(),
                // Declined one by one, so that the rest is still asked.
                _ if ask.task.answer_bytes() > 0 => gauge.declined(),
                _ => gauge.answered(&[], 1).unwrap(),
            }
        }
        tasks
    };
    let fill = |medium, bytes| Task::Fill { medium, bytes };
    let little = asked(CHUNK_BYTES, (4 << 30) - 1);
    assert!(!little.iter().any(|task| matches!(task, Task::Fill { .. })), "{little:?}");
    let some = asked(10 << 30, 4 << 30);
    assert!(some.contains(&fill(Medium::Memory, (15 << 30) / 2)), "{some:?}");
    assert!(some.contains(&fill(Medium::Disk, 1 << 30)), "{some:?}");
    let much = asked(u64::MAX, u64::MAX);
    assert!(much.contains(&fill(Medium::Memory, 1 << 39)) && much.contains(&fill(Medium::Disk, 1 << 30)), "{much:?}");
}

#[test]
fn a_block_is_the_part_of_its_chunk_unless_it_was_written_anew() {
    let content = Content::of(&[8; 32]);
    let mut chunk = vec![0; CHUNK];
    content.chunk(1, &mut chunk);
    for medium in [Medium::Memory, Medium::Disk] {
        let size = medium.block_bytes();
        for at in [0, 1, 77, CHUNK / size - 1] {
            let mut block = vec![0; size];
            content.block(medium, (CHUNK / size + at) as u64, &mut block);
            assert_eq!(block, chunk[at * size..][..size], "{medium:?} {at}");
        }
    }
    let anew = content.clone().scattered(&[9; 32], 16, 2 * CHUNK_BYTES);
    let (mut before, mut after) = (vec![0; 4096], vec![0; 4096]);
    for block in 0..2 * CHUNK_BYTES / 4096 {
        content.block(Medium::Disk, block, &mut before);
        anew.block(Medium::Disk, block, &mut after);
        assert_eq!(before != after, anew.places().contains(&block), "{block}");
    }
}

#[test]
fn the_steps_and_sums_are_those_of_the_specification() {
    assert_eq!(content::steps(1, 1), 0x9e37_79b9_7f4a_7c15);
    let x = 0x9e37_79b9_7f4a_7c15_u64;
    assert_eq!(content::steps(1, 2), (x ^ (x >> 32)).wrapping_mul(x));
    let mut line = [0; 64];
    line[8] = 2;
    let lane = |number: u64| content::steps(3 ^ number ^ if number == 1 { 2 } else { 0 }, 1);
    assert_eq!(content::sum(3, &line), (0..8).fold(3, |state, number| content::steps(state ^ lane(number), 1)));
}

#[test]
fn what_was_measured_makes_subnet_27s_score() {
    let mut gauge = Gauge::new([10; 32], Sizes::SMALL);
    measured(&mut gauge, |_, _| {}).unwrap();
    let gpus = Gpus { mib: 81_559, khz: 2_000_000 };
    let figures = gauge.figures().sn27(gpus);
    assert_eq!((figures.cores, figures.ram_mib, figures.disk_free_mib), (3, 8, 1024));
    assert_eq!((figures.gpu_mib, figures.gpu_khz), (81_559, 2_000_000));
    assert_eq!(figures.disk_kb_per_sec, gauge.figures().disk_read_kb_per_sec.unwrap(), "both took 10 ms");
    let lazy = super::Figures {
        disk_write_kb_per_sec: Some(u64::MAX),
        disk_read_kb_per_sec: Some(500),
        ..super::Figures::default()
    };
    assert_eq!(lazy.sn27(Gpus::default()).disk_kb_per_sec, 999, "what is put off counts once more than once");
    let nothing = super::Figures::default().sn27(Gpus::default());
    assert_eq!(sn27::score_nano(&nothing, false), 10 * sn27::POINT, "nothing measured, nothing counted");
    assert!(sn27::score_nano(&figures, false) > 10 * sn27::POINT);
}

fn media() -> impl Strategy<Value = Medium> {
    prop_oneof![Just(Medium::Memory), Just(Medium::Disk)]
}

fn tasks() -> impl Strategy<Value = Task> {
    let bytes = || (1_u64..=1 << 17).prop_map(|chunks| chunks * CHUNK_BYTES);
    prop_oneof![
        Just(Task::Claims),
        Just(Task::Echo),
        (1_u16..=1024, 1_u64..=1 << 26).prop_map(|(threads, each)| Task::Steps { threads, each }),
        (media(), bytes()).prop_map(|(medium, bytes)| Task::Fill { medium, bytes }),
        (media(), bytes()).prop_map(|(medium, bytes)| Task::Read { medium, bytes }),
        (1_u32..=4096).prop_map(|writes| Task::Scatter { writes }),
        (media(), 1_u32..=1 << 16).prop_map(|(medium, each)| Task::Gather { medium, each }),
        (1..=LINE_BYTES_MAX).prop_map(|bytes| Task::Download { bytes }),
        (1..=LINE_BYTES_MAX).prop_map(|bytes| Task::Upload { bytes }),
    ]
}

proptest! {
    #[test]
    fn questions_come_back_from_their_bytes(task in tasks(), seed: [u8; 32]) {
        let ask = Ask { task, seed };
        prop_assert_eq!(Ask::decode(&ask.encode()), Ok(ask));
        prop_assert!(task.answer_bytes() < super::ANSWER_BYTES_MAX);
    }

    #[test]
    fn whatever_decodes_is_the_only_encoding_of_itself(
        head in proptest::array::uniform16(prop_oneof![Just(0_u8), 0..9_u8, any::<u8>()]),
    ) {
        let mut raw = [7; ASK_BYTES];
        raw[..16].copy_from_slice(&head);
        if let Ok(ask) = Ask::decode(&raw) {
            prop_assert_eq!(ask.encode(), raw);
            prop_assert!(ask.task.answer_bytes() < super::ANSWER_BYTES_MAX);
        }
    }
}

#[test]
fn a_question_out_of_its_bounds_names_the_field() {
    let raw = |task| Ask { task, seed: [0; 32] }.encode();
    let error = |raw: [u8; ASK_BYTES]| Ask::decode(&raw).unwrap_err();
    let odd = raw(Task::Fill { medium: Medium::Disk, bytes: CHUNK_BYTES + 1 });
    assert_eq!(error(odd), AskError { task: 3, what: "bytes", got: CHUNK_BYTES + 1 });
    assert_eq!(error(raw(Task::Steps { threads: 0, each: 1 })).what, "threads");
    assert_eq!(error(raw(Task::Upload { bytes: LINE_BYTES_MAX + 1 })).what, "bytes");
    let mut used = raw(Task::Echo);
    used[9] = 1;
    assert_eq!(error(used).what, "a field without use");
    let mut unknown = raw(Task::Claims);
    unknown[0] = 9;
    assert_eq!(error(unknown).what, "the task");
}
