//! Payloads of frames: one encoding each.

use super::decoder::HEADER_BYTES;
use super::{
    Bye, ByeCode, Echo, Frame, FrameType, Hello, HelloAck, Leaf, MAGIC, Open, Root, Row, Segment, Start, Walk, Walked,
};
use crate::Bytes32;
use crate::classes::ClassId;
use crate::limits::{
    BLOCK_BYTES_MAX, GPUS_MAX, OPENED_LEGS_MAX, OPENED_ROWS_MAX, PATH_MAX, ROUNDS_MAX, SEGMENT_LEAVES_MAX,
};
use crate::params::Params;
use crate::seed::{LegAt, RowAt};
use crate::wire::{Reader, WireError, Writer};

/// Why a payload is not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Fewer or more bytes than the fields need.
    #[error("{kind:?}: the payload has the wrong length")]
    Length {
        /// Type of the frame.
        kind: FrameType,
    },
    /// The hello does not begin with the protocol's name.
    #[error("the first frame does not begin with {}", String::from_utf8_lossy(MAGIC))]
    Magic,
    /// A count is zero or beyond its bound.
    #[error("{kind:?}: {name} is {value}, at most {max} (and at least 1)")]
    Count {
        /// Type of the frame.
        kind: FrameType,
        /// What is counted.
        name: &'static str,
        /// What it was.
        value: u32,
        /// Most that it may be.
        max: u32,
    },
    /// Rows or legs are not asked for in ascending order.
    #[error("{0} are not in ascending order")]
    Order(&'static str),
    /// A farewell with a code that this version does not know.
    #[error("{0} is no farewell code")]
    ByeCode(u8),
}

/// The frame's bytes: length, type, payload.
///
/// # Panics
/// On a frame that no bound allows (4 GiB and more), which no code path builds.
#[must_use]
pub fn encode(frame: &Frame) -> Vec<u8> {
    let mut out = Writer::with_capacity(HEADER_BYTES + bulk(frame));
    out.u32(0).u8(frame.kind() as u8);
    encode_payload(frame, &mut out);
    let mut bytes = out.finish();
    let payload = bytes.len() - HEADER_BYTES;
    let Ok(length) = u32::try_from(payload) else { panic!("a frame of {payload} bytes") };
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    bytes
}

/// Bytes of a payload, or a few more or less: room that is made once. What is large is exact.
fn bulk(frame: &Frame) -> usize {
    match frame {
        Frame::Root(root) => 70 + 32 * root.roots.len(),
        Frame::Row(row) => 16 + row.block.len() + 32 * row.path.len(),
        Frame::Segment(segment) => {
            let leaf = |leaf: &Leaf| leaf.bytes.len() + 2 + 32 * leaf.path.len();
            12 + segment.leaves.iter().map(leaf).sum::<usize>()
        }
        _ => 256,
    }
}

/// The frame of this type with this payload.
///
/// # Errors
/// When the payload is not exactly one frame of that type.
pub fn decode(kind: FrameType, payload: &[u8]) -> Result<Frame, FrameError> {
    let mut from = Reader::new(payload);
    let frame = match kind {
        FrameType::Hello => Frame::Hello(decode_hello(&mut from)?),
        FrameType::HelloAck => Frame::HelloAck(decode_hello_ack(&mut from).map_err(length(kind))?),
        FrameType::Echo => Frame::Echo(decode_echo(&mut from).map_err(length(kind))?),
        FrameType::EchoAck => Frame::EchoAck(decode_echo(&mut from).map_err(length(kind))?),
        FrameType::Start => Frame::Start(decode_start(&mut from).map_err(length(kind))?),
        FrameType::Root => Frame::Root(decode_root(&mut from)?),
        FrameType::Walk => Frame::Walk(Walk { nonce: from.array().map_err(length(kind))? }),
        FrameType::Walked => Frame::Walked(decode_walked(&mut from)?),
        FrameType::Segment => Frame::Segment(decode_segment(&mut from)?),
        FrameType::Open => Frame::Open(decode_open(&mut from)?),
        FrameType::Row => Frame::Row(decode_row(&mut from)?),
        FrameType::Bye => Frame::Bye(decode_bye(&mut from)?),
    };
    from.finish().map_err(length(kind))?;
    Ok(frame)
}

fn length(kind: FrameType) -> impl Fn(WireError) -> FrameError {
    move |_| FrameError::Length { kind }
}

fn encode_payload(frame: &Frame, out: &mut Writer) {
    match frame {
        Frame::Hello(hello) => out.raw(MAGIC).u16(hello.version),
        Frame::HelloAck(ack) => out.u16(ack.version).u16(ack.class.0).u16(ack.count),
        Frame::Echo(echo) | Frame::EchoAck(echo) => out.u16(echo.sequence).raw(&echo.nonce),
        Frame::Start(start) => encode_start(start, out),
        Frame::Root(root) => out.u16(root.count).u32(root.rounds).raw(root.roots.as_flattened()).raw(&root.signature),
        Frame::Walk(walk) => out.raw(&walk.nonce),
        Frame::Walked(walked) => {
            out.u16(narrow(walked.roots.len())).raw(walked.roots.as_flattened()).raw(&walked.signature)
        }
        Frame::Segment(segment) => encode_segment(segment, out),
        Frame::Open(open) => encode_open(open, out),
        Frame::Row(row) => encode_row(row, out),
        Frame::Bye(bye) => out.u8(bye.code as u8),
    };
}

fn encode_start<'a>(start: &Start, out: &'a mut Writer) -> &'a mut Writer {
    out.u64(start.chain_id).raw(&start.keeper).raw(&start.machine).u32(start.registration);
    out.u16(start.class.0).u16(start.count);
    start.params.encode(out);
    out.raw(&start.epoch_seed).raw(&start.session_seed)
}

fn encode_open<'a>(open: &Open, out: &'a mut Writer) -> &'a mut Writer {
    out.u16(narrow(open.rows.len()));
    for at in &open.rows {
        encode_at(*at, out);
    }
    out.u16(narrow(open.legs.len()));
    for at in &open.legs {
        encode_leg_at(*at, out);
    }
    out
}

fn encode_segment<'a>(segment: &Segment, out: &'a mut Writer) -> &'a mut Writer {
    encode_leg_at(segment.at, out);
    out.u16(narrow(segment.leaves.len()));
    for leaf in &segment.leaves {
        out.raw(&leaf.bytes[..]).u16(narrow(leaf.path.len())).raw(leaf.path.as_flattened());
    }
    out
}

fn encode_row<'a>(row: &Row, out: &'a mut Writer) -> &'a mut Writer {
    encode_at(row.at, out);
    out.u32(u32::try_from(row.block.len()).unwrap_or(u32::MAX)).raw(&row.block);
    out.u16(narrow(row.path.len())).raw(row.path.as_flattened())
}

fn encode_at(at: RowAt, out: &mut Writer) {
    out.u16(at.gpu).u32(at.round).u32(at.row);
}

fn encode_leg_at(at: LegAt, out: &mut Writer) {
    out.u16(at.gpu).u32(at.walker).u32(at.leg);
}

/// A length as a u16. Longer than any bound becomes a number that every decoder refuses, never a silent wrap.
fn narrow(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

fn decode_hello(from: &mut Reader<'_>) -> Result<Hello, FrameError> {
    let magic: [u8; 8] = from.array().map_err(length(FrameType::Hello))?;
    if magic != *MAGIC {
        return Err(FrameError::Magic);
    }
    Ok(Hello { version: from.u16().map_err(length(FrameType::Hello))? })
}

fn decode_hello_ack(from: &mut Reader<'_>) -> Result<HelloAck, WireError> {
    Ok(HelloAck { version: from.u16()?, class: ClassId(from.u16()?), count: from.u16()? })
}

fn decode_echo(from: &mut Reader<'_>) -> Result<Echo, WireError> {
    Ok(Echo { sequence: from.u16()?, nonce: from.array()? })
}

fn decode_start(from: &mut Reader<'_>) -> Result<Start, WireError> {
    Ok(Start {
        chain_id: from.u64()?,
        keeper: from.array()?,
        machine: from.array()?,
        registration: from.u32()?,
        class: ClassId(from.u16()?),
        count: from.u16()?,
        params: Params::decode(from)?,
        epoch_seed: from.array()?,
        session_seed: from.array()?,
    })
}

fn decode_root(from: &mut Reader<'_>) -> Result<Root, FrameError> {
    let kind = FrameType::Root;
    let short = length(kind);
    let count = from.u16().map_err(&short)?;
    counted(kind, "count", u32::from(count), 1, u32::from(GPUS_MAX))?;
    let rounds = from.u32().map_err(&short)?;
    counted(kind, "rounds", rounds, 1, ROUNDS_MAX)?;
    let roots = from.slice(32 * usize::from(count) * rounds as usize).map_err(&short)?;
    Ok(Root { count, rounds, roots: roots.as_chunks().0.to_vec(), signature: from.array().map_err(&short)? })
}

fn decode_open(from: &mut Reader<'_>) -> Result<Open, FrameError> {
    let kind = FrameType::Open;
    let count = from.u16().map_err(length(kind))?;
    counted(kind, "rows", u32::from(count), 1, u32::from(OPENED_ROWS_MAX))?;
    let rows: Result<Vec<RowAt>, WireError> = (0..count).map(|_| decode_at(from)).collect();
    let rows = ascending("rows", rows.map_err(length(kind))?)?;
    let count = from.u16().map_err(length(kind))?;
    counted(kind, "legs", u32::from(count), 1, u32::from(OPENED_LEGS_MAX))?;
    let legs: Result<Vec<LegAt>, WireError> = (0..count).map(|_| decode_leg_at(from)).collect();
    let legs = ascending("legs", legs.map_err(length(kind))?)?;
    Ok(Open { rows, legs })
}

fn ascending<T: PartialOrd>(what: &'static str, places: Vec<T>) -> Result<Vec<T>, FrameError> {
    if places.is_sorted_by(|before, after| before < after) { Ok(places) } else { Err(FrameError::Order(what)) }
}

fn decode_walked(from: &mut Reader<'_>) -> Result<Walked, FrameError> {
    let kind = FrameType::Walked;
    let short = length(kind);
    let count = from.u16().map_err(&short)?;
    counted(kind, "count", u32::from(count), 1, u32::from(GPUS_MAX))?;
    let roots = from.slice(32 * usize::from(count)).map_err(&short)?;
    Ok(Walked { roots: roots.as_chunks().0.to_vec(), signature: from.array().map_err(&short)? })
}

fn decode_segment(from: &mut Reader<'_>) -> Result<Segment, FrameError> {
    let kind = FrameType::Segment;
    let at = decode_leg_at(from).map_err(length(kind))?;
    let count = from.u16().map_err(length(kind))?;
    counted(kind, "leaves", u32::from(count), 1, u32::try_from(SEGMENT_LEAVES_MAX).unwrap_or(u32::MAX))?;
    let leaves: Result<Vec<Leaf>, FrameError> = (0..count).map(|_| decode_leaf(from)).collect();
    Ok(Segment { at, leaves: leaves? })
}

fn decode_leaf(from: &mut Reader<'_>) -> Result<Leaf, FrameError> {
    let bytes = Box::new(from.array().map_err(length(FrameType::Segment))?);
    Ok(Leaf { bytes, path: decode_path(FrameType::Segment, from)? })
}

fn decode_path(kind: FrameType, from: &mut Reader<'_>) -> Result<Vec<Bytes32>, FrameError> {
    let count = from.u16().map_err(length(kind))?;
    counted(kind, "path", u32::from(count), 1, u32::try_from(PATH_MAX).unwrap_or(u32::MAX))?;
    let path = from.slice(32 * usize::from(count)).map_err(length(kind))?;
    Ok(path.as_chunks().0.to_vec())
}

fn decode_row(from: &mut Reader<'_>) -> Result<Row, FrameError> {
    let kind = FrameType::Row;
    let short = length(kind);
    let at = decode_at(from).map_err(&short)?;
    let block_bytes = from.u32().map_err(&short)?;
    counted(kind, "block bytes", block_bytes, 1, u32::try_from(BLOCK_BYTES_MAX).unwrap_or(u32::MAX))?;
    let block = from.slice(block_bytes as usize).map_err(&short)?.to_vec();
    Ok(Row { at, block, path: decode_path(kind, from)? })
}

fn decode_at(from: &mut Reader<'_>) -> Result<RowAt, WireError> {
    Ok(RowAt { gpu: from.u16()?, round: from.u32()?, row: from.u32()? })
}

fn decode_leg_at(from: &mut Reader<'_>) -> Result<LegAt, WireError> {
    Ok(LegAt { gpu: from.u16()?, walker: from.u32()?, leg: from.u32()? })
}

fn decode_bye(from: &mut Reader<'_>) -> Result<Bye, FrameError> {
    let code = from.u8().map_err(length(FrameType::Bye))?;
    Ok(Bye { code: ByeCode::from_wire(code).ok_or(FrameError::ByeCode(code))? })
}

fn counted(kind: FrameType, name: &'static str, value: u32, min: u32, max: u32) -> Result<(), FrameError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(FrameError::Count { kind, name, value, max })
}
