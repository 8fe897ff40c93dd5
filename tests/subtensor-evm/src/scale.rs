//! As much of SCALE as runtime calls need.

/// Reads from the front of some bytes; nothing is ever read twice.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl Reader<'_> {
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_at_checked(N)?;
        self.0 = rest;
        head.try_into().ok()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A compact integer that fits 64 bits.
    pub(crate) fn compact(&mut self) -> Option<u64> {
        let first = *self.0.first()?;
        match first & 3 {
            0 => self.byte().map(|b| u64::from(b >> 2)),
            1 => self.u16().map(|v| u64::from(v >> 2)),
            2 => self.u32().map(|v| u64::from(v >> 2)),
            _ => {
                let length = usize::from(self.byte()? >> 2) + 4;
                let (head, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                (length <= 8).then(|| head.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
            }
        }
    }

    /// MultiAddress::Id, the only form this chain's users send.
    pub(crate) fn multi_address(&mut self) -> Option<[u8; 32]> {
        if self.byte()? == 0 { self.array() } else { None }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A compact integer in its shortest form.
pub(crate) fn compact(value: u64) -> Vec<u8> {
    match value {
        0..0x40 => value.to_le_bytes()[..1].iter().map(|b| b << 2).collect(),
        0x40..0x4000 => (value << 2 | 1).to_le_bytes()[..2].to_vec(),
        0x4000..0x4000_0000 => (value << 2 | 2).to_le_bytes()[..4].to_vec(),
        _ => {
            let bytes = value.to_le_bytes();
            let length = 8 - (value.leading_zeros() / 8) as usize;
            let mut out = vec![((length as u64 - 4) << 2 | 3).to_le_bytes()[0]];
            out.extend_from_slice(&bytes[..length]);
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_integers_survive_and_have_the_known_form() {
        for value in [0, 1, 63, 64, 16_383, 16_384, (1 << 30) - 1, 1 << 30, 50_000_000_000, u64::MAX] {
            let bytes = compact(value);
            assert_eq!(Reader(&bytes).compact(), Some(value), "{value}");
        }
        assert_eq!(compact(1), [4]);
        assert_eq!(compact(64), [0x01, 0x01]);
        assert_eq!(compact(1 << 30), [3, 0, 0, 0, 0x40]);
        assert_eq!(Reader(&[0x33; 20]).compact(), None, "wider than 64 bits");
    }
}
