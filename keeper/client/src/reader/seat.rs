//! Which kind of keeper set a deployment has, and one account's seat where keepers sit by voting power.

use super::{MAX_URL_CHARS, Reader, next};
use crate::bindings::VotingPowerKeepers as Set;
use crate::provider::{Each, NodeError};
use crate::subtensor::{METAGRAPH, STORAGE_QUERY, UID_LOOKUP, VOTING_POWER, association_key};
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::SolCall;
use std::cmp::Reverse;
use surety_core::seat::{Claim, Contact, Seat, SeatView};
use surety_core::types::{Account, Hash32, SshKey};

mod precompiles {
    alloy::sol! {
        struct LookupItem {
            uint16 uid;
            uint64 blockAssociated;
        }

        interface IPrecompiles {
            function getHotkey(uint16 netuid, uint16 uid) external view returns (bytes32 hotkey);
            function getVotingPower(uint16 netuid, bytes32 hotkey) external view returns (uint256 power);
            function isVotingPowerTrackingEnabled(uint16 netuid) external view returns (bool enabled);
            function uidLookup(uint16 netuid, address account, uint16 limit)
                external
                view
                returns (LookupItem[] memory);
        }
    }
}
use precompiles::IPrecompiles::{getHotkeyCall, getVotingPowerCall, isVotingPowerTrackingEnabledCall, uidLookupCall};

/// Entries that 0x806 looks through: as many uids as a subnet has.
const LOOKUP_LIMIT: u16 = 256;

/// Most uids of one account that are looked at; a keeper needs one.
const UIDS_MAX: usize = 16;

/// Bytes of a stored association: an address, then a little-endian block number.
const ASSOCIATION_BYTES: usize = 28;

/// What kind a deployment's keeper set is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetKind {
    /// `AppointedKeepers`: its owner names them.
    Appointed,
    /// `VotingPowerKeepers`: they join and check in.
    VotingPower {
        /// Its `CHECK_IN_SECS`.
        check_in_secs: u64,
    },
}

/// Whose seat is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatOf {
    /// The account.
    pub account: Account,
    /// The subnet.
    pub netuid: u16,
    /// As [`SetKind::VotingPower`] says.
    pub check_in_secs: u64,
}

impl Reader {
    /// What kind the keeper set is of: only one of them has `CHECK_IN_SECS`. It never changes at one address.
    ///
    /// # Errors
    /// The node did not answer, or not as either kind does.
    pub async fn set_kind(&self, block: u64) -> Result<SetKind, NodeError> {
        let call = (*self.keepers.address(), Set::CHECK_IN_SECSCall {}.abi_encode().into());
        match next(&mut self.node.call_each(vec![call], block).await?.into_iter()) {
            Err(error) if error.is_the_evms() => Ok(SetKind::Appointed),
            Err(error) => Err(error),
            Ok(answer) => {
                let secs = Set::CHECK_IN_SECSCall::abi_decode_returns(&answer).map_err(odd)?;
                Ok(SetKind::VotingPower { check_in_secs: secs.into() })
            }
        }
    }

    /// An account's seat in `VotingPowerKeepers` at `block`, and what the chain says of its right to one.
    ///
    /// # Errors
    /// The node did not answer. A precompile that fails or is not there says "no", as it does to the contract.
    pub async fn seat(&self, of: &SeatOf, block: u64) -> Result<SeatView, NodeError> {
        let (set, me, netuid) = (*self.keepers.address(), Address::from(of.account.0), of.netuid);
        let calls: Vec<(Address, Bytes)> = vec![
            (set, Set::seatOfCall { account: me }.abi_encode().into()),
            (set, Set::contactOfCall { account: me }.abi_encode().into()),
            (VOTING_POWER, isVotingPowerTrackingEnabledCall { netuid }.abi_encode().into()),
            (UID_LOOKUP, uidLookupCall { netuid, account: me, limit: LOOKUP_LIMIT }.abi_encode().into()),
        ];
        let mut answers = self.node.call_each(calls, block).await?.into_iter();
        let seat = Set::seatOfCall::abi_decode_returns(&next(&mut answers)?).map_err(odd)?;
        let contact = Set::contactOfCall::abi_decode_returns(&next(&mut answers)?).map_err(odd)?;
        let tracked = number(next(&mut answers))? == 1;
        let seat = (seat.place != 0).then(|| Seat {
            weight_rao: seat.weight,
            active_until_secs: seat.activeUntil.into(),
            uid: seat.uid,
            hotkey: Hash32(seat.hotkey.0),
        });
        let uids = self.uids(of, next(&mut answers), seat, block).await?;
        let claim = self.claim(netuid, &uids, seat, block).await?;
        let url = contact.url.chars().take(MAX_URL_CHARS).collect();
        let contact = (!contact.sshKey.is_zero()).then_some(Contact { ssh_key: SshKey(contact.sshKey.0), url });
        let check_in_secs = of.check_in_secs;
        Ok(SeatView { set: Account(set.into_array()), check_in_secs, contact, seat, tracked, claim })
    }

    /// The uids that the chain associates with the account. Without 0x806 the seat's own is known, and raw storage says
    /// whether it still is.
    async fn uids(
        &self,
        of: &SeatOf,
        lookup: Result<Bytes, NodeError>,
        seat: Option<Seat>,
        block: u64,
    ) -> Result<Vec<u16>, NodeError> {
        match lookup.map(|answer| uidLookupCall::abi_decode_returns(&answer)) {
            Ok(Ok(found)) => return Ok(found.iter().map(|item| item.uid).take(UIDS_MAX).collect()),
            Ok(Err(_)) => {}
            Err(error) if error.is_the_evms() => {}
            Err(error) => return Err(error),
        }
        let Some(seat) = seat else { return Ok(Vec::new()) };
        let call = (STORAGE_QUERY, Bytes::from(association_key(of.netuid, seat.uid)));
        match next(&mut self.node.call_each(vec![call], block).await?.into_iter()) {
            Ok(value) if value.len() == ASSOCIATION_BYTES && value.starts_with(&of.account.0) => Ok(vec![seat.uid]),
            Ok(_) => Ok(Vec::new()),
            Err(error) if error.is_the_evms() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Of several hotkeys the one that a seat is for already, if it has power; else the heaviest.
    async fn claim(
        &self,
        netuid: u16,
        uids: &[u16],
        seat: Option<Seat>,
        block: u64,
    ) -> Result<Option<Claim>, NodeError> {
        let hotkey = |uid: &u16| (METAGRAPH, getHotkeyCall { netuid, uid: *uid }.abi_encode().into());
        let hotkeys = words(self.node.call_each(uids.iter().map(hotkey).collect(), block).await?)?;
        let known: Vec<(u16, B256)> =
            uids.iter().copied().zip(hotkeys).filter(|(_, hotkey)| !hotkey.is_zero()).collect();
        let power = |(_, hotkey): &(u16, B256)| {
            (VOTING_POWER, getVotingPowerCall { netuid, hotkey: *hotkey }.abi_encode().into())
        };
        let powers = words(self.node.call_each(known.iter().map(power).collect(), block).await?)?;
        let claim = |((uid, hotkey), power): ((u16, B256), B256)| Claim {
            uid,
            hotkey: Hash32(hotkey.0),
            power_rao: U256::from_be_bytes(power.0).saturating_to(),
        };
        let sat = |claim: &Claim| seat.is_some_and(|seat| seat.hotkey == claim.hotkey);
        let best = |claim: &Claim| (claim.power_rao != 0, sat(claim), claim.power_rao, Reverse(claim.uid));
        Ok(known.into_iter().zip(powers).map(claim).max_by_key(best))
    }
}

/// A precompile's answer as the contracts take it: failing, absent and of another shape are all zero.
fn number(answer: Result<Bytes, NodeError>) -> Result<U256, NodeError> {
    match answer {
        Ok(bytes) if bytes.len() == 32 => Ok(U256::from_be_slice(&bytes)),
        Ok(_) => Ok(U256::ZERO),
        Err(error) if error.is_the_evms() => Ok(U256::ZERO),
        Err(error) => Err(error),
    }
}

fn words(answers: Each<Bytes>) -> Result<Vec<B256>, NodeError> {
    answers.into_iter().map(|answer| number(answer).map(B256::from)).collect()
}

fn odd(error: alloy::sol_types::Error) -> NodeError {
    NodeError::Odd { method: "eth_call", what: error.to_string() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::Value;

    fn recorded(file: &str) -> Vec<Value> {
        let path = format!("{}/../../tests/vectors/subtensor-rpc/{file}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// What a node at spec 425 answered, as [`Reader::seat`] gets it.
    fn answered(note: &str) -> Result<Bytes, NodeError> {
        let found = recorded("precompiles.json").into_iter().find(|one| one["note"].as_str().unwrap() == note);
        said(&found.unwrap()["response"])
    }

    fn said(response: &Value) -> Result<Bytes, NodeError> {
        if let Some(result) = response["result"].as_str() {
            return Ok(result.parse().unwrap());
        }
        let error = &response["error"];
        let (code, message) = (error["code"].as_i64().unwrap(), error["message"].as_str().unwrap().to_owned());
        Err(NodeError::Refused { method: "eth_call", code, message, data: None })
    }

    #[test]
    fn answers_recorded_from_a_node_mean_what_they_mean_to_the_contracts() {
        let one = |note| number(answered(note)).unwrap().to::<u64>();
        assert_eq!(one("0x80d isVotingPowerTrackingEnabled(2), enabled"), 1);
        assert_eq!(one("0x80d isVotingPowerTrackingEnabled(1), never enabled"), 0);
        assert_eq!(one("0x80d isVotingPowerTrackingEnabled(77), no such subnet"), 0);
        assert!(one("0x80d getVotingPower, first hotkey") > 0);
        assert_eq!(one("0x80d getVotingPower, unknown hotkey"), 0);
        assert_eq!(one("0x80d unknown selector"), 0, "a revert is no");
        assert!(!number(answered("0x802 getHotkey(2,0), present")).unwrap().is_zero());
        assert!(number(answered("0x802 getHotkey(2,9), absent uid")).unwrap().is_zero());
        let found = uidLookupCall::abi_decode_returns(&answered("0x806 uidLookup(2,evm,256)").unwrap()).unwrap();
        assert_eq!(found.iter().map(|item| (item.uid, item.blockAssociated)).collect::<Vec<_>>(), [(0, 7)]);
    }

    /// "No" may only be said by the chain: a node that cannot answer says nothing.
    #[test]
    fn a_call_that_failed_is_told_from_a_node_that_failed() {
        let mut failed = 0;
        for record in recorded("precompiles.json").iter().filter(|one| one["request"]["method"] == "eth_call") {
            if let Err(error) = said(&record["response"]) {
                assert!(error.is_the_evms(), "{error}");
                failed += 1;
            }
        }
        assert!(failed >= 4, "only {failed} recorded failures were read");
        for record in recorded("pruned.json") {
            let Some(error) = record["response"].get("error").map(|_| said(&record["response"]).unwrap_err()) else {
                continue;
            };
            assert!(!error.is_the_evms(), "{error}");
        }
        for (code, message) in [(-32_000, "header not found"), (0, "connection reset: revert"), (-32_005, "too many")] {
            let error = NodeError::Refused { method: "eth_call", code, message: message.into(), data: None };
            assert!(!error.is_the_evms(), "{error}");
        }
    }
}
