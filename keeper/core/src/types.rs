//! Words of the protocol as types: identities, money, time. Amounts are integer rao, times integers whose unit is in
//! the type's name.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Declares a fixed-size byte identity that prints and serialises as `0x` + lower-case hex.
macro_rules! hex_bytes {
    ($(#[$doc:meta])* $name:ident, $len:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// The first eight bytes as a number: in the order of the whole, and settles nearly every comparison.
            fn head(&self) -> u64 {
                let mut head = [0u8; 8];
                head.copy_from_slice(&self.0[..8]);
                u64::from_be_bytes(head)
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.head().cmp(&other.head()).then_with(|| self.0.cmp(&other.0))
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self([0; $len])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "0x{}", hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = ParseHexError;

            fn from_str(text: &str) -> Result<Self, ParseHexError> {
                let digits = text.strip_prefix("0x").unwrap_or(text);
                let mut bytes = [0u8; $len];
                hex::decode_to_slice(digits, &mut bytes).map_err(|_| ParseHexError { want_bytes: $len })?;
                Ok(Self(bytes))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// Text that is not the hex of the wanted number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {want_bytes} bytes as hex digits, with or without 0x")]
pub struct ParseHexError {
    /// How many bytes were expected.
    pub want_bytes: usize,
}

hex_bytes!(
    /// A machine: the ed25519 public key of its SSH host key.
    MachineId,
    32
);
hex_bytes!(
    /// An ed25519 public key that somebody logs in with (a renter's or a keeper's).
    SshKey,
    32
);
hex_bytes!(
    /// A hotkey of the subnet: the 32 bytes of its public key.
    Hotkey,
    32
);
hex_bytes!(
    /// A coldkey: the account that owns hotkeys, and gets what they earn.
    Coldkey,
    32
);
hex_bytes!(
    /// An EVM account: a miner, renter, keeper or contract.
    Account,
    20
);
hex_bytes!(
    /// A keccak256 digest or a block hash.
    Hash32,
    32
);
hex_bytes!(
    /// A 65-byte ECDSA signature: r (32), s (32), v (27 or 28).
    Signature,
    65
);

hex_bytes!(
    /// A 64-byte ed25519 signature of a machine's host key: R, then S.
    Ed25519Signature,
    64
);

/// A rental's dense id on chain, from 1.
pub type RentalId = u64;
/// A case's dense id on chain, from 1.
pub type CaseId = u64;
/// Seconds since the Unix epoch, as the chain counts them.
pub type UnixSecs = u64;
/// Milliseconds on the keeper's own monotonic clock; comparable only within one run of the process.
pub type MonoMs = u64;
/// An amount of money in rao (1e-9 TAO).
pub type Rao = u64;

/// Where a machine's SSH server listens. The address is the 16 bytes stored on chain (IPv4 as v4-mapped IPv6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Endpoint {
    /// IP address; IPv4 addresses are unmapped.
    pub ip: std::net::IpAddr,
    /// TCP port, never 0 for a registered machine.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::net::SocketAddr::new(self.ip, self.port).fmt(f)
    }
}

/// What an attestation says happened; the numbers are those of the contracts' `Kind`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum Kind {
    /// The renter's key was never accepted since the start, and still is not.
    NotDelivered = 1,
    /// An interval without service.
    Interrupted = 2,
    /// Out of service for the minimum and still so.
    Offline = 3,
    /// The machine signed false capacity proofs, twice.
    Spoofed = 4,
}

/// Why a machine was out of service; the numbers are those of the contracts' `Cause`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum Cause {
    /// No TCP connection, or no SSH key exchange, within the deadline.
    Unreachable = 1,
    /// Another host key than the machine's answered.
    WrongHostKey = 2,
    /// The right machine said it would not let the renter's key in.
    RenterRefused = 3,
    /// The machine admits to fewer GPUs than it rents out.
    GpusMissing = 4,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_ordered_as_their_bytes_are() {
        let ids: Vec<MachineId> = (0..400u64)
            .map(|n| {
                let mut bytes = [(n % 3) as u8 * 0x7f; 32];
                bytes[(n % 32) as usize] = (n % 251) as u8;
                MachineId(bytes)
            })
            .collect();
        for a in &ids {
            assert!(ids.iter().all(|b| a.cmp(b) == a.0.cmp(&b.0)));
        }
    }
}
