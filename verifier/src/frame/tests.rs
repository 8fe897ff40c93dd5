#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use proptest::prelude::*;

use super::*;
use crate::limits::{
    BLOCK_BYTES_MAX, GPUS_MAX, OPENED_LEGS_MAX, OPENED_ROWS_MAX, PATH_MAX, ROUNDS_MAX, SEGMENT_LEAVES_MAX,
};

const SIDES: [Side; 2] = [Side::FromKeeper, Side::FromMachine];

fn at() -> impl Strategy<Value = RowAt> {
    any::<(u16, u32, u32)>().prop_map(|(gpu, round, row)| RowAt { gpu, round, row })
}

fn params() -> impl Strategy<Value = Params> {
    any::<((u32, u32, u32, u32, u8, u16), (u32, u32, u16))>().prop_map(
        |((inner, cols, rows, rounds, vectors, openings), (walkers, hops, legs))| Params {
            inner,
            cols,
            rows,
            rounds,
            vectors,
            openings,
            walkers,
            hops,
            legs,
        },
    )
}

fn leg_at() -> impl Strategy<Value = LegAt> {
    any::<(u16, u32, u32)>().prop_map(|(gpu, walker, leg)| LegAt { gpu, walker, leg })
}

fn walked() -> impl Strategy<Value = Walked> {
    (prop::collection::vec(any::<[u8; 32]>(), 1..=usize::from(GPUS_MAX)), any::<([u8; 32], [u8; 32])>()).prop_map(
        |(roots, (r, s))| Walked {
            roots,
            signature: std::array::from_fn(|index| if index < 32 { r[index] } else { s[index - 32] }),
        },
    )
}

fn leaf() -> impl Strategy<Value = Leaf> {
    (any::<[u8; 32]>(), prop::collection::vec(any::<[u8; 32]>(), 1..4)).prop_map(|(some, path)| Leaf {
        bytes: Box::new(std::array::from_fn(|index| some[index % 32] ^ u8::try_from(index / 32).unwrap_or(0))),
        path,
    })
}

fn segment() -> impl Strategy<Value = Segment> {
    (leg_at(), prop::collection::vec(leaf(), 1..=SEGMENT_LEAVES_MAX)).prop_map(|(at, leaves)| Segment { at, leaves })
}

fn echo() -> impl Strategy<Value = Echo> {
    any::<(u16, [u8; 16])>().prop_map(|(sequence, nonce)| Echo { sequence, nonce })
}

fn start() -> impl Strategy<Value = Start> {
    (any::<(u64, [u8; 20], [u8; 32], u32, u16, u16)>(), params(), any::<([u8; 32], [u8; 32])>()).prop_map(
        |((chain_id, keeper, machine, registration, class, count), params, (epoch_seed, session_seed))| Start {
            chain_id,
            keeper,
            machine,
            registration,
            class: ClassId(class),
            count,
            params,
            epoch_seed,
            session_seed,
        },
    )
}

fn root() -> impl Strategy<Value = Root> {
    (1..=GPUS_MAX, 1_u32..20, any::<([u8; 32], [u8; 32], [u8; 32])>()).prop_map(|(count, rounds, (seed, r, s))| Root {
        count,
        rounds,
        roots: (0..u32::from(count) * rounds).map(|index| crate::seed::matrix_a_key(&seed, index, &r)).collect(),
        signature: std::array::from_fn(|index| if index < 32 { r[index] } else { s[index - 32] }),
    })
}

fn open() -> impl Strategy<Value = Open> {
    let (rows, legs) = (prop::collection::btree_set(at(), 1..40), prop::collection::btree_set(leg_at(), 1..20));
    (rows, legs).prop_map(|(rows, legs)| Open { rows: rows.into_iter().collect(), legs: legs.into_iter().collect() })
}

fn row() -> impl Strategy<Value = Row> {
    let block = prop::collection::vec(any::<u8>(), 1..3_000);
    let path = prop::collection::vec(any::<[u8; 32]>(), 1..=PATH_MAX);
    (at(), block, path).prop_map(|(at, block, path)| Row { at, block, path })
}

pub(crate) fn any_frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        any::<u16>().prop_map(|version| Frame::Hello(Hello { version })),
        any::<(u16, u16, u16)>().prop_map(|(version, class, count)| Frame::HelloAck(HelloAck {
            version,
            class: ClassId(class),
            count
        })),
        echo().prop_map(Frame::Echo),
        echo().prop_map(Frame::EchoAck),
        start().prop_map(Frame::Start),
        root().prop_map(Frame::Root),
        any::<[u8; 32]>().prop_map(|nonce| Frame::Walk(Walk { nonce })),
        walked().prop_map(Frame::Walked),
        segment().prop_map(Frame::Segment),
        open().prop_map(Frame::Open),
        row().prop_map(Frame::Row),
        prop::sample::select(&ByeCode::ALL[..]).prop_map(|code| Frame::Bye(Bye { code })),
    ]
}

/// Takes all bytes in pieces of `piece` bytes.
fn decode_all(decoder: &mut Decoder, bytes: &[u8], piece: usize) -> Result<Vec<Frame>, DecodeError> {
    let mut frames = Vec::new();
    for mut piece in bytes.chunks(piece) {
        while !piece.is_empty() {
            frames.extend(decoder.take(&mut piece)?);
        }
    }
    Ok(frames)
}

fn side_of(frame: &Frame) -> Side {
    let taken = Decoder::new(Side::FromKeeper).take(&mut &encode(frame)[..]);
    if matches!(taken, Err(DecodeError::Type(_))) { Side::FromMachine } else { Side::FromKeeper }
}

proptest! {
    #[test]
    fn every_frame_comes_back_from_its_bytes_in_pieces_of_any_size(frame in any_frame(), piece in 1_usize..4_000) {
        let bytes = encode(&frame);
        prop_assert!(bytes.len() - HEADER_BYTES <= payload_bytes_max(frame.kind()));
        let mut decoder = Decoder::new(side_of(&frame));
        prop_assert_eq!(decode_all(&mut decoder, &bytes, piece), Ok(vec![frame.clone()]));
        prop_assert_eq!(decoder.held_bytes(), 0);
    }

    #[test]
    fn frames_that_follow_each_other_come_apart(frames in prop::collection::vec(root().prop_map(Frame::Root), 1..4),
                                                piece in 1_usize..4_000) {
        let bytes: Vec<u8> = frames.iter().flat_map(encode).collect();
        prop_assert_eq!(decode_all(&mut Decoder::new(Side::FromMachine), &bytes, piece), Ok(frames));
    }

    #[test]
    fn a_frame_cut_short_is_no_frame(frame in any_frame(), cut in 1_usize..40) {
        let bytes = encode(&frame);
        let kept = bytes.len().saturating_sub(cut);
        let mut decoder = Decoder::new(side_of(&frame));
        prop_assert_eq!(decode_all(&mut decoder, &bytes[..kept], 9), Ok(vec![]));
        prop_assert_eq!(decoder.held_bytes(), kept);
        // And with a header that fits what is left, the payload has the wrong length or is another frame's.
        let payload = &bytes[HEADER_BYTES..kept.max(HEADER_BYTES)];
        prop_assert_ne!(decode(frame.kind(), payload), Ok(frame));
    }

    #[test]
    fn arbitrary_bytes_never_panic_nor_hold_more_than_one_frame(bytes in prop::collection::vec(any::<u8>(), 0..600),
                                                                piece in 1_usize..600) {
        for side in SIDES {
            let mut decoder = Decoder::new(side);
            let taken = decode_all(&mut decoder, &bytes, piece);
            prop_assert!(decoder.held_bytes() <= HEADER_BYTES + payload_bytes_max(FrameType::Root));
            if let Err(error) = taken {
                prop_assert_eq!(decoder.held_bytes(), 0);
                prop_assert_eq!(decoder.take(&mut &[1_u8][..]), Err(error));
            }
        }
    }

    #[test]
    fn arbitrary_payloads_never_panic_and_what_decodes_has_one_encoding(
        kind in prop::sample::select(&FrameType::ALL[..]),
        payload in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        if let Ok(frame) = decode(kind, &payload) {
            prop_assert_eq!(&encode(&frame)[HEADER_BYTES..], &payload[..]);
        }
    }

    #[test]
    fn a_byte_changed_in_a_frame_gives_another_frame_or_none(frame in any_frame(), at in any::<prop::sample::Index>()) {
        let mut bytes = encode(&frame);
        let at = at.index(bytes.len());
        bytes[at] ^= 1;
        let taken = Decoder::new(side_of(&frame)).take(&mut &bytes[..]);
        prop_assert_ne!(taken, Ok(Some(frame)));
    }
}

#[test]
fn the_largest_frames_that_a_session_can_need_fit_their_bounds() {
    let at = RowAt { gpu: u16::MAX, round: u32::MAX, row: u32::MAX };
    let roots = vec![[1; 32]; usize::from(GPUS_MAX) * ROUNDS_MAX as usize];
    let rows = (0..u32::from(OPENED_ROWS_MAX)).map(|row| RowAt { row, ..at }).collect();
    let leg_at = LegAt { gpu: u16::MAX, walker: u32::MAX, leg: u32::MAX };
    let legs = (0..u32::from(OPENED_LEGS_MAX)).map(|leg| LegAt { leg, ..leg_at }).collect();
    let leaf = Leaf { bytes: Box::new([1; LEAF_BYTES]), path: vec![[1; 32]; PATH_MAX] };
    let largest = [
        Frame::Root(Root { count: GPUS_MAX, rounds: ROUNDS_MAX, roots, signature: [1; 64] }),
        Frame::Walk(Walk { nonce: [1; 32] }),
        Frame::Walked(Walked { roots: vec![[1; 32]; usize::from(GPUS_MAX)], signature: [1; 64] }),
        Frame::Segment(Segment { at: leg_at, leaves: vec![leaf; SEGMENT_LEAVES_MAX] }),
        Frame::Open(Open { rows, legs }),
        Frame::Row(Row { at, block: vec![1; BLOCK_BYTES_MAX], path: vec![[1; 32]; PATH_MAX] }),
    ];
    for frame in largest {
        let bytes = encode(&frame);
        assert_eq!(bytes.len(), HEADER_BYTES + payload_bytes_max(frame.kind()));
        assert_eq!(Decoder::new(side_of(&frame)).take(&mut &bytes[..]), Ok(Some(frame)));
    }
}

#[test]
fn a_header_beyond_the_types_bound_is_refused_before_any_payload() {
    for kind in FrameType::ALL {
        let side = SIDES.into_iter().find(|side| {
            !matches!(Decoder::new(*side).take(&mut &[0, 0, 0, 0, kind as u8][..]), Err(DecodeError::Type(_)))
        });
        let length = u32::try_from(payload_bytes_max(kind) + 1).unwrap();
        let [a, b, c, d] = length.to_be_bytes();
        let taken = Decoder::new(side.unwrap()).take(&mut &[a, b, c, d, kind as u8][..]);
        assert_eq!(taken, Err(DecodeError::TooLong { kind, length, max: payload_bytes_max(kind) }));
    }
}

#[test]
fn unknown_types_are_refused() {
    for number in [0, 13, 255] {
        for side in SIDES {
            let taken = Decoder::new(side).take(&mut &[0, 0, 0, 0, number][..]);
            assert_eq!(taken, Err(DecodeError::Type(number)));
        }
    }
}

#[test]
fn rows_and_legs_asked_for_twice_or_out_of_order_are_refused() {
    let row = |row| RowAt { gpu: 0, round: 0, row };
    let leg = |leg| LegAt { gpu: 0, walker: 0, leg };
    for (low, high) in [(1, 1), (2, 1)] {
        let open = |rows, legs| encode(&Frame::Open(Open { rows, legs }));
        let bytes = open(vec![row(low), row(high)], vec![leg(0)]);
        assert_eq!(decode(FrameType::Open, &bytes[HEADER_BYTES..]), Err(FrameError::Order("rows")));
        let bytes = open(vec![row(0)], vec![leg(low), leg(high)]);
        assert_eq!(decode(FrameType::Open, &bytes[HEADER_BYTES..]), Err(FrameError::Order("legs")));
    }
}

#[test]
fn counts_of_zero_or_beyond_their_bounds_are_refused() {
    let row = |block, path| Frame::Row(Row { at: RowAt { gpu: 0, round: 0, row: 0 }, block, path });
    let leg_at = LegAt { gpu: 0, walker: 0, leg: 0 };
    let walked = |count| Frame::Walked(Walked { roots: vec![[0; 32]; count], signature: [0; 64] });
    let leaf = |path| Leaf { bytes: Box::new([0; LEAF_BYTES]), path: vec![[0; 32]; path] };
    let segment = |leaves, path| Frame::Segment(Segment { at: leg_at, leaves: vec![leaf(path); leaves] });
    let root = |count, rounds| Frame::Root(Root { count, rounds, roots: Vec::new(), signature: [0; 64] });
    let frames = [
        Frame::Open(Open { rows: Vec::new(), legs: vec![leg_at] }),
        Frame::Open(Open { rows: vec![RowAt { gpu: 0, round: 0, row: 0 }], legs: Vec::new() }),
        walked(0),
        walked(usize::from(GPUS_MAX) + 1),
        segment(0, 1),
        segment(SEGMENT_LEAVES_MAX + 1, 1),
        segment(1, 0),
        segment(1, PATH_MAX + 1),
        row(Vec::new(), vec![[0; 32]]),
        row(vec![0; BLOCK_BYTES_MAX + 1], vec![[0; 32]]),
        row(vec![0], Vec::new()),
        row(vec![0], vec![[0; 32]; PATH_MAX + 1]),
        root(0, 1),
        root(1, 0),
        root(GPUS_MAX + 1, 1),
        root(1, ROUNDS_MAX + 1),
    ];
    for frame in frames {
        let decoded = decode(frame.kind(), &encode(&frame)[HEADER_BYTES..]);
        assert!(matches!(decoded, Err(FrameError::Count { .. })), "{decoded:?}");
    }
}

#[test]
fn a_machine_that_meets_another_protocol_is_told_so() {
    let taken = Decoder::new(Side::FromKeeper).take(&mut &b"\x00\x00\x00\x0a\x01NOT-MINE\x00\x01"[..]);
    assert_eq!(taken, Err(DecodeError::Frame(FrameError::Magic)));
}
