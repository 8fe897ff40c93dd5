//! What the chain does with calls about weights: what its pool refuses, what fails in the block, what it stores; and
//! what it does by itself when an epoch turns.

use super::Chain;
use crate::extrinsic::{Refused, Sent, invalid};
use subxt::ext::codec::{Compact, Decode, Encode};
use surety_core::types::Hash32;
use surety_substrate::needed::{self, HashCommit, TimelockedCommit};
use surety_substrate::runtime::Part;
use surety_substrate::ss58::AccountId;
use surety_substrate::timelock;

fn net(netuid: u16) -> Part {
    Part::Number(netuid.into())
}

impl Chain {
    /// The pool's own check: whoever weighs needs stake, but for the subnet's owner.
    pub(crate) fn may_weigh(&self, sent: &Sent) -> Result<(), Refused> {
        if sent.call.pallet != "SubtensorModule" || sent.call == &needed::ASSOCIATE {
            return Ok(());
        }
        let netuid = u16::decode(&mut &sent.args[..]).map_err(|_| invalid("Custom error: 255"))?;
        let stake: u64 = self.get(&needed::HOTKEY_ALPHA, &[sent.signer.into(), net(netuid)]);
        let owner: [u8; 32] = self.get(&needed::OWNER_HOTKEY, &[net(netuid)]);
        let enough = stake >= self.get::<u64>(&needed::STAKE_THRESHOLD, &[]) || owner == sent.signer.0;
        if enough { Ok(()) } else { Err(invalid("Custom error: 1")) }
    }

    /// In a block: the nonce is used whatever comes of it.
    pub(crate) fn carry_out(&self, sent: &Sent, extrinsic: u32, block: u64) {
        self.count_nonce(sent.signer);
        let args = &mut &sent.args[..];
        let done = match sent.call.name {
            "set_weights" => {
                let (netuid, uids, values, key): (u16, Vec<u16>, Vec<u16>, u64) = Decode::decode(args).unwrap();
                self.set_weights(sent.signer, netuid, (uids, values), key, block)
            }
            "commit_weights" => {
                let (netuid, hash): (u16, [u8; 32]) = Decode::decode(args).unwrap();
                self.commit_hash(sent.signer, netuid, hash, block)
            }
            "reveal_weights" => self.reveal(sent.signer, args),
            "commit_timelocked_weights" => self.commit_timelocked(sent.signer, args, block),
            "call" => self.call_contract(sent, extrinsic, block),
            _ => Err("no such call in this model"),
        };
        // Weight, class and payment, which nobody looks at here.
        let info = (Compact(0u64), Compact(0u64), 0u8, 0u8).encode();
        match done {
            Ok(()) => self.event(Some(extrinsic), &needed::SUCCESS, &info),
            Err(why) => {
                let error = self.contracts_error(why);
                self.event(Some(extrinsic), &needed::FAILED, &[error, info].concat());
                self.state().failures.push(why);
            }
        }
    }

    fn uid_of(&self, hotkey: AccountId, netuid: u16) -> Result<u16, &'static str> {
        let key = self.key(&needed::UID, &[net(netuid), hotkey.into()]);
        let stored = self.state().next.get(&key).cloned();
        stored.map(|bytes| u16::decode(&mut &bytes[..]).unwrap()).ok_or("HotKeyNotRegisteredInSubNet")
    }

    /// Checks permit and rate limit, and counts the update.
    fn update(&self, hotkey: AccountId, netuid: u16, block: u64, too_fast: &'static str) -> Result<u16, &'static str> {
        let uid = self.uid_of(hotkey, netuid)?;
        let permits: Vec<bool> = self.get(&needed::PERMITS, &[net(netuid)]);
        let owner: [u8; 32] = self.get(&needed::OWNER_HOTKEY, &[net(netuid)]);
        if permits.get(usize::from(uid)) != Some(&true) && owner != hotkey.0 {
            return Err("NeuronNoValidatorPermit");
        }
        let mut updated: Vec<u64> = self.get(&needed::LAST_UPDATE, &[net(netuid)]);
        let last = &mut updated[usize::from(uid)];
        if *last != 0 && block < *last + self.get::<u64>(&needed::RATE_LIMIT, &[net(netuid)]) {
            return Err(too_fast);
        }
        *last = block;
        self.set(&needed::LAST_UPDATE, &[net(netuid)], updated);
        Ok(uid)
    }

    fn put_weights(
        &self,
        netuid: u16,
        uid: u16,
        uids: Vec<u16>,
        values: Vec<u16>,
        key: u64,
    ) -> Result<(), &'static str> {
        if uids.len() != values.len() {
            return Err("WeightVecNotEqualSize");
        }
        let wanted: u64 = self.get(&needed::VERSION_KEY, &[net(netuid)]);
        if wanted != 0 && key < wanted {
            return Err("IncorrectWeightVersionKey");
        }
        let size: u16 = self.get(&needed::SIZE, &[net(netuid)]);
        if uids.iter().any(|uid| *uid >= size) {
            return Err("UidVecContainInvalidOne");
        }
        // No subnet asks for more weights than it has seats; whoever weighs only itself needs one.
        let least = self.get::<u16>(&needed::LEAST_UIDS, &[net(netuid)]).min(size);
        if uids.len() < usize::from(least) && uids != [uid] {
            return Err("WeightVecLengthIsLow");
        }
        let largest = u64::from(values.iter().copied().max().unwrap_or(0)).max(1);
        let scaled = |value: u16| u16::try_from(u64::from(value) * 65_535 / largest).unwrap_or(u16::MAX);
        let rows: Vec<(u16, u16)> = uids.into_iter().zip(values.into_iter().map(scaled)).collect();
        self.set(&needed::WEIGHTS, &[net(netuid), net(uid)], rows);
        Ok(())
    }

    fn is_hidden(&self, netuid: u16) -> bool {
        self.get(&needed::HIDDEN, &[net(netuid)])
    }

    fn set_weights(
        &self,
        hotkey: AccountId,
        netuid: u16,
        (uids, values): (Vec<u16>, Vec<u16>),
        key: u64,
        block: u64,
    ) -> Result<(), &'static str> {
        if self.is_hidden(netuid) {
            return Err("CommitRevealEnabled");
        }
        let uid = self.update(hotkey, netuid, block, "SettingWeightsTooFast")?;
        self.put_weights(netuid, uid, uids, values, key)
    }

    fn commit_hash(&self, hotkey: AccountId, netuid: u16, hash: [u8; 32], block: u64) -> Result<(), &'static str> {
        if !self.is_hidden(netuid) {
            return Err("CommitRevealDisabled");
        }
        self.update(hotkey, netuid, block, "CommittingWeightsTooFast")?;
        let parts = [net(netuid), hotkey.into()];
        let mut commits: Vec<HashCommit> = self.get(&needed::HASH_COMMITS, &parts);
        let epoch: u64 = self.get(&needed::EPOCH, &[net(netuid)]);
        commits.push((hash, epoch, block, 0));
        self.set(&needed::HASH_COMMITS, &parts, commits);
        Ok(())
    }

    fn reveal(&self, hotkey: AccountId, args: &mut &[u8]) -> Result<(), &'static str> {
        let (netuid, uids, values, salt, key): (u16, Vec<u16>, Vec<u16>, Vec<u16>, u64) = Decode::decode(args).unwrap();
        let hash = Hash32(timelock::commit_hash(hotkey, netuid, &uids, &values, &salt, key));
        let parts = [net(netuid), hotkey.into()];
        let mut commits: Vec<HashCommit> = self.get(&needed::HASH_COMMITS, &parts);
        let found =
            commits.iter().position(|commit| Hash32(commit.0) == hash).ok_or("InvalidRevealCommitHashNotMatch")?;
        let period: u64 = self.get(&needed::REVEAL_PERIOD, &[net(netuid)]);
        let epoch: u64 = self.get(&needed::EPOCH, &[net(netuid)]);
        if commits[found].1 + period != epoch {
            return Err("RevealTooEarly");
        }
        commits.remove(found);
        self.set(&needed::HASH_COMMITS, &parts, commits);
        let uid = self.uid_of(hotkey, netuid)?;
        self.put_weights(netuid, uid, uids, values, key)
    }

    fn commit_timelocked(&self, hotkey: AccountId, args: &mut &[u8], block: u64) -> Result<(), &'static str> {
        let (netuid, ciphertext, round, version): (u16, Vec<u8>, u64, u16) = Decode::decode(args).unwrap();
        if !self.is_hidden(netuid) {
            return Err("CommitRevealDisabled");
        }
        if version != self.get::<u16>(&needed::COMMIT_VERSION, &[]) {
            return Err("IncorrectCommitRevealVersion");
        }
        self.update(hotkey, netuid, block, "CommittingWeightsTooFast")?;
        let epoch: u64 = self.get(&needed::EPOCH, &[net(netuid)]);
        let parts = [net(netuid), Part::Number(epoch)];
        let mut commits: Vec<TimelockedCommit> = self.get(&needed::TIMELOCKED, &parts);
        commits.push((hotkey.0, block, ciphertext, round));
        self.set(&needed::TIMELOCKED, &parts, commits);
        Ok(())
    }

    /// Epochs turn every `tempo` blocks; at each block, commits whose epoch it is are opened by their round, and those
    /// whose epoch is over are dropped.
    pub(crate) fn turn_epochs(&self, block: u64) {
        for netuid in 0..4 {
            if !self.get::<bool>(&needed::NETWORK_ADDED, &[net(netuid)]) {
                continue;
            }
            let began: u64 = self.get(&needed::LAST_EPOCH_BLOCK, &[net(netuid)]);
            let mut epoch: u64 = self.get(&needed::EPOCH, &[net(netuid)]);
            if block >= began + u64::from(self.get::<u16>(&needed::TEMPO, &[net(netuid)])) {
                epoch += 1;
                self.set(&needed::EPOCH, &[net(netuid)], epoch);
                self.set(&needed::LAST_EPOCH_BLOCK, &[net(netuid)], block);
            }
            let period: u64 = self.get(&needed::REVEAL_PERIOD, &[net(netuid)]);
            if let Some(due) = epoch.checked_sub(period) {
                self.open_commits(netuid, due);
            }
            if let Some(over) = epoch.checked_sub(period + 1) {
                self.clear(&needed::TIMELOCKED, &[net(netuid), Part::Number(over)]);
            }
        }
    }

    fn open_commits(&self, netuid: u16, epoch: u64) {
        let parts = [net(netuid), Part::Number(epoch)];
        let commits: Vec<TimelockedCommit> = self.get(&needed::TIMELOCKED, &parts);
        let (mut kept, rounds) = (Vec::new(), self.state().rounds.clone());
        for (hotkey, block, ciphertext, round) in commits {
            let Some(signature) = rounds.get(&round) else {
                kept.push((hotkey, block, ciphertext, round));
                continue;
            };
            if let Err(why) = self.open_commit(AccountId(hotkey), netuid, &ciphertext, signature) {
                self.state().failures.push(why);
            }
        }
        self.set(&needed::TIMELOCKED, &parts, kept);
    }

    fn open_commit(&self, hotkey: AccountId, netuid: u16, text: &[u8], signature: &[u8]) -> Result<(), &'static str> {
        let signature = signature.try_into().map_err(|_| "a round without a signature")?;
        let payload = timelock::open(text, signature).map_err(|_| "a ciphertext that its round does not open")?;
        if payload.hotkey != hotkey {
            return Err("a payload of another hotkey");
        }
        let uid = self.uid_of(hotkey, netuid)?;
        self.put_weights(netuid, uid, payload.uids, payload.values, payload.version_key)
    }
}
