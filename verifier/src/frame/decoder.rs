//! The streaming decoder: fed whatever bytes arrive, it gives whole frames, and holds no more than one frame's worth.

use super::{Frame, FrameError, FrameType, decode};
use crate::limits::{
    BLOCK_BYTES_MAX, GPUS_MAX, LEAF_BYTES, OPENED_LEGS_MAX, OPENED_ROWS_MAX, PATH_MAX, ROUNDS_MAX, SEGMENT_LEAVES_MAX,
};

/// Length and type.
pub const HEADER_BYTES: usize = 5;

/// Which side's frames a decoder takes. Frames that this side never sends are refused by their header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Reads what a keeper sends: the machine's decoder.
    FromKeeper,
    /// Reads what a machine sends: the keeper's decoder.
    FromMachine,
}

/// Why a stream is not this protocol. The stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No such type, or one that this side never sends.
    #[error("frame type {0} is not expected from this side")]
    Type(u8),
    /// The header announces more bytes than the type may have.
    #[error("{kind:?} of {length} bytes: at most {max}")]
    TooLong {
        /// Type of the frame.
        kind: FrameType,
        /// Bytes announced.
        length: u32,
        /// Most that the type may have.
        max: usize,
    },
    /// The payload is not a frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// Turns a stream of bytes into frames.
///
/// It never holds more than one frame's bytes, whatever a header announces: memory grows with bytes that came.
/// Feed it with [`Self::take`].
#[derive(Debug)]
pub struct Decoder {
    side: Side,
    /// Header and payload so far of the frame that is arriving.
    held: Vec<u8>,
    failed: Option<DecodeError>,
}

impl Decoder {
    /// A decoder of one side's frames.
    #[must_use]
    pub fn new(side: Side) -> Self {
        Self { side, held: Vec::new(), failed: None }
    }

    /// Takes bytes from the front of `bytes`, at most to the end of one frame, and returns the frame if it is whole.
    /// Call until `bytes` is empty:
    ///
    /// ```
    /// # use surety_verifier::frame::{Decoder, Side};
    /// # let mut decoder = Decoder::new(Side::FromKeeper);
    /// # let received = [0, 0, 0, 10, 1, 83, 85, 82, 69, 84, 89, 86, 49, 0, 1];
    /// let mut bytes = &received[..];
    /// while !bytes.is_empty() {
    ///     if let Some(frame) = decoder.take(&mut bytes)? {
    ///         println!("{frame:?}");
    ///     }
    /// }
    /// # Ok::<(), surety_verifier::frame::DecodeError>(())
    /// ```
    ///
    /// # Errors
    /// When the stream is not this protocol; the same error again on every later call.
    pub fn take(&mut self, bytes: &mut &[u8]) -> Result<Option<Frame>, DecodeError> {
        Ok(self.take_whole(bytes)?.map(|(frame, _)| frame))
    }

    /// As [`Self::take`], with the frame's bytes: those that it encodes to.
    ///
    /// # Errors
    /// Those of [`Self::take`].
    pub fn take_whole(&mut self, bytes: &mut &[u8]) -> Result<Option<(Frame, Vec<u8>)>, DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let taken = self.take_one(bytes);
        if let Err(error) = &taken {
            self.failed = Some(*error);
            self.held = Vec::new();
        }
        taken
    }

    /// Bytes held of a frame that is not whole yet. Not zero at the end of a stream: it was cut off.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held.len()
    }

    fn take_one(&mut self, bytes: &mut &[u8]) -> Result<Option<(Frame, Vec<u8>)>, DecodeError> {
        self.fill_to(HEADER_BYTES, bytes);
        let Some(header) = self.held.first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let (kind, length) = self.check_header(*header)?;
        self.fill_to(HEADER_BYTES + length, bytes);
        if self.held.len() < HEADER_BYTES + length {
            return Ok(None);
        }
        let frame = decode(kind, &self.held[HEADER_BYTES..])?;
        Ok(Some((frame, std::mem::take(&mut self.held))))
    }

    fn fill_to(&mut self, target: usize, bytes: &mut &[u8]) {
        let wanted = target.saturating_sub(self.held.len());
        let (head, tail) = bytes.split_at(wanted.min(bytes.len()));
        let length = self.held.len() + head.len();
        if self.held.capacity() < length {
            // Twice what came, so that copying stays cheap, but never more than this frame can need.
            self.held.reserve_exact((2 * length).min(target) - self.held.len());
        }
        self.held.extend_from_slice(head);
        *bytes = tail;
    }

    fn check_header(&self, [a, b, c, d, number]: [u8; HEADER_BYTES]) -> Result<(FrameType, usize), DecodeError> {
        let length = u32::from_be_bytes([a, b, c, d]);
        let kind = FrameType::from_wire(number).filter(|kind| self.side.sends(*kind));
        let kind = kind.ok_or(DecodeError::Type(number))?;
        let max = payload_bytes_max(kind);
        match usize::try_from(length) {
            Ok(length) if length <= max => Ok((kind, length)),
            _ => Err(DecodeError::TooLong { kind, length, max }),
        }
    }
}

impl Side {
    fn sends(self, kind: FrameType) -> bool {
        use FrameType::{Bye, Echo, EchoAck, Hello, HelloAck, Open, Root, Row, Segment, Start, Walk, Walked};
        match kind {
            Hello | Echo | Start | Walk | Open => self == Self::FromKeeper,
            HelloAck | EchoAck | Root | Walked | Row | Segment => self == Self::FromMachine,
            Bye => true,
        }
    }
}

/// Most bytes that a payload of this type may have.
#[must_use]
pub const fn payload_bytes_max(kind: FrameType) -> usize {
    match kind {
        FrameType::Hello => 10,
        FrameType::HelloAck => 6,
        FrameType::Echo | FrameType::EchoAck => 18,
        FrameType::Start => 161,
        FrameType::Root => 6 + 32 * GPUS_MAX as usize * ROUNDS_MAX as usize + 64,
        FrameType::Walk => 32,
        FrameType::Walked => 2 + 32 * GPUS_MAX as usize + 64,
        FrameType::Segment => 10 + 2 + SEGMENT_LEAVES_MAX * (LEAF_BYTES + 2 + 32 * PATH_MAX),
        FrameType::Open => 2 + 10 * OPENED_ROWS_MAX as usize + 2 + 10 * OPENED_LEGS_MAX as usize,
        FrameType::Row => 10 + 4 + BLOCK_BYTES_MAX + 2 + 32 * PATH_MAX,
        FrameType::Bye => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_grows_with_what_came_and_not_with_what_a_header_announces() {
        let mut decoder = Decoder::new(Side::FromMachine);
        let length = u32::try_from(payload_bytes_max(FrameType::Root)).unwrap_or_default();
        let [a, b, c, d] = length.to_be_bytes();
        assert_eq!(decoder.take(&mut &[a, b, c, d, FrameType::Root as u8][..]), Ok(None));
        assert!(decoder.held.capacity() <= 2 * HEADER_BYTES);
        assert_eq!(decoder.take(&mut &[0; 1_000][..]), Ok(None));
        assert!(decoder.held.capacity() <= 2 * (HEADER_BYTES + 1_000));
        let most = HEADER_BYTES + payload_bytes_max(FrameType::Root);
        while decoder.take(&mut &[0; 10_000][..]) == Ok(None) {
            assert!(decoder.held.capacity() <= most);
        }
    }
}
