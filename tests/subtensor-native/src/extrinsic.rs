//! Signed calls, taken apart by hand and not by the library that makes them: what a node would check first.

use super::{Chain, GENESIS, VERSIONS, blake2_256};
use subxt::ext::codec::{Compact, Decode, Encode};
use subxt_signer::sr25519;
use surety_core::types::Hash32;
use surety_substrate::needed::{self, CALLS, Call};
use surety_substrate::runtime::Part;
use surety_substrate::ss58::AccountId;

/// A call as it was sent.
pub(crate) struct Sent {
    pub(crate) signer: AccountId,
    pub(crate) nonce: u64,
    pub(crate) call: &'static Call,
    /// Arguments, one after another.
    pub(crate) args: Vec<u8>,
    pub(crate) hash: Hash32,
    /// First and last block that can have it.
    pub(crate) blocks: std::ops::RangeInclusive<u64>,
}

/// Why the pool refuses: JSON-RPC code, message, data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) i64, pub(crate) &'static str, pub(crate) String);

pub(crate) fn invalid(why: &str) -> Refused {
    Refused(1010, "Invalid Transaction", why.to_owned())
}

impl Chain {
    /// Takes bytes apart; anything but a signed call of ours is refused as undecodable.
    pub(crate) fn read(&self, bytes: &[u8]) -> Result<Sent, Refused> {
        let undecodable = || Refused(1040, "Client error: Could not decode `OpaqueExtrinsic.0`", String::new());
        let mut rest = bytes;
        let length = Compact::<u32>::decode(&mut rest).map_err(|_| undecodable())?.0;
        if u32::try_from(rest.len()) != Ok(length) || rest.get(..2) != Some(&[0x84, 0]) {
            return Err(undecodable());
        }
        rest = &rest[2..];
        let signer: [u8; 32] = Decode::decode(&mut rest).map_err(|_| undecodable())?;
        let (kind, signature): (u8, [u8; 64]) = Decode::decode(&mut rest).map_err(|_| undecodable())?;
        let said_from = rest;
        let era: u16 = Decode::decode(&mut rest).map_err(|_| undecodable())?;
        let nonce = Compact::<u64>::decode(&mut rest).map_err(|_| undecodable())?.0;
        let (_tip, _mode): (Compact<u64>, u8) = Decode::decode(&mut rest).map_err(|_| undecodable())?;
        let said = &said_from[..said_from.len() - rest.len()];
        let (call, args) = self.split_call(rest).ok_or_else(undecodable)?;
        let (born, blocks) = self.life_of(era)?;
        let only_signed = (VERSIONS.spec, VERSIONS.transaction, GENESIS.0, born.0, 0u8).encode();
        let payload = [rest, said, &only_signed].concat();
        let payload = if payload.len() > 256 { blake2_256(&payload).0.to_vec() } else { payload };
        let good = kind == 1 && sr25519::verify(&sr25519::Signature(signature), &payload, &sr25519::PublicKey(signer));
        if !good {
            return Err(invalid("Transaction has a bad signature"));
        }
        Ok(Sent { signer: AccountId(signer), nonce, call, args: args.to_vec(), hash: blake2_256(bytes), blocks })
    }

    fn split_call<'a>(&self, bytes: &'a [u8]) -> Option<(&'static Call, &'a [u8])> {
        let pallet = self.metadata.pallet_by_call_index(*bytes.first()?)?;
        let variant = pallet.call_variant_by_index(*bytes.get(1)?)?;
        let known = CALLS.iter().find(|call| call.pallet == pallet.name() && call.name == variant.name)?;
        Some((known, &bytes[2..]))
    }

    /// The block that a mortal call is born at, and those that can have it. Only periods up to 4,096 blocks.
    fn life_of(&self, era: u16) -> Result<(Hash32, std::ops::RangeInclusive<u64>), Refused> {
        let (period, phase) = (2u64 << (era & 0xf), u64::from(era >> 4));
        let now = self.best().number;
        if now < phase {
            return Err(invalid("Transaction has an ancient birth block"));
        }
        let born = (now - phase) / period * period + phase;
        let state = self.state();
        let hash = state.blocks.iter().find(|block| block.head.number == born).map(|block| block.head.hash);
        Ok((hash.ok_or_else(|| invalid("Transaction has an ancient birth block"))?, born + 1..=born + period - 1))
    }

    /// What is checked again in the block.
    pub(crate) fn is_valid_at(&self, sent: &Sent, block: u64) -> Result<(), Refused> {
        if !sent.blocks.contains(&block) {
            return Err(invalid("Transaction has an ancient birth block"));
        }
        if self.nonce_of(sent.signer) != sent.nonce {
            return Err(invalid("Transaction is outdated"));
        }
        self.can_pay(sent)?;
        self.may_weigh(sent)
    }

    /// Signed calls of an account that are in blocks.
    pub(crate) fn nonce_of(&self, account: AccountId) -> u64 {
        let (nonce, ..): (u32, u32, u32, u32, (u64, u64, u64, u128)) = self.get(&needed::ACCOUNT, &[account.into()]);
        nonce.into()
    }

    pub(crate) fn count_nonce(&self, account: AccountId) {
        let mut info: (u32, u32, u32, u32, (u64, u64, u64, u128)) = self.get(&needed::ACCOUNT, &[account.into()]);
        info.0 += 1;
        self.set(&needed::ACCOUNT, &[Part::from(account)], info);
    }

    /// What a pool does with bytes that are sent to it.
    pub(crate) fn submit(&self, bytes: Vec<u8>) -> Result<Hash32, Refused> {
        let hash = blake2_256(&bytes);
        if self.state().seen.contains(&hash) && self.state().pool.contains(&bytes) {
            return Err(Refused(1013, "Transaction Already Imported", "Any { .. }".into()));
        }
        let sent = self.read(&bytes)?;
        if sent.nonce < self.nonce_of(sent.signer) {
            return Err(invalid("Transaction is outdated"));
        }
        self.can_pay(&sent)?;
        self.may_weigh(&sent)?;
        let pooled: Vec<Vec<u8>> = self.state().pool.clone();
        let rival = |other: &Sent| other.signer == sent.signer && other.nonce == sent.nonce;
        if pooled.iter().filter_map(|bytes| self.read(bytes).ok()).any(|other| rival(&other)) {
            return Err(Refused(1014, "Priority is too low: (1 vs 1)", String::new()));
        }
        let mut state = self.state();
        state.pool.push(bytes);
        state.seen.push(hash);
        Ok(sent.hash)
    }
}
