//! Whether a chain is ready for a deployment: one line a question, asked before anything is sent.

use crate::arguments::evm;
use crate::artifacts::{Kind, Shipped, hash};
use crate::chain;
use crate::network::Network;
use crate::params::{Keepers, Owner};
use crate::plan::{Plan, Step};
use alloy::primitives::{Address, Bytes, U256, address, b256};
use alloy::sol;
use alloy::sol_types::SolCall;
use serde::Serialize;
use serde_json::json;
use surety_client::provider::{Node, NodeError, Tag};
use surety_client::subtensor::{
    ADDRESS_MAPPING, BALANCE_TRANSFER, ED25519_VERIFY, METAGRAPH, STORAGE_QUERY, account_id, association_key,
};
use surety_client::units::{rao_floor, tao, wei};
use surety_core::types::Account;

/// The chain's own average of stake.
pub const VOTING_POWER: Address = address!("0x000000000000000000000000000000000000080d");

sol! {
    function transfer(bytes32 accountId) external payable;
    function addressMapping(address account) external view returns (bytes32 accountId);
    function getHotkey(uint16 netuid, uint16 uid) external view returns (bytes32 hotkey);
    function verify(bytes32 message, bytes32 publicKey, bytes32 r, bytes32 s) external view returns (bool);
    function isVotingPowerTrackingEnabled(uint16 netuid) external view returns (bool enabled);
    function getMinDelay() external view returns (uint256);
}

/// One question, and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was asked.
    pub asks: &'static str,
    /// Whether the deployment can go on.
    pub passed: bool,
    /// What was found; where it did not pass, also what to do.
    pub says: String,
}

impl Check {
    fn new(asks: &'static str, answer: Result<String, String>) -> Self {
        match answer {
            Ok(says) => Self { asks, passed: true, says },
            Err(says) => Self { asks, passed: false, says },
        }
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:<22} {}", if self.passed { "ok  " } else { "FAIL" }, self.asks, self.says)
    }
}

/// Asks everything about `plan`, as far as the chain has not got it already. Sends nothing. `signed`: how many of its
/// transactions a journal has.
pub async fn preflight(node: &Node, network: Network, plan: &Plan, signed: usize) -> Vec<Check> {
    // Not what a journal says: a run can be killed between a transaction's block and its note.
    let next = node.nonce(plan.deployer, Tag::Latest).await.unwrap_or_default();
    let todo: Vec<&Step> = plan.steps.iter().filter(|step| step.nonce >= next).collect();
    let ask = Asking { node, network, plan, signed, todo };
    vec![
        Check::new("chain id", ask.chain_id().await),
        Check::new("nothing in the pool", ask.pool().await),
        Check::new("balance", ask.balance().await),
        Check::new("deploying is open", ask.whitelist().await),
        Check::new("precompiles have code", ask.precompile_codes().await),
        Check::new("0x402 ed25519", ask.ed25519().await),
        Check::new("0x800 transfers", ask.transfers().await),
        Check::new("0x802 metagraph", ask.metagraph().await),
        Check::new("0x807 storage", ask.storage().await),
        Check::new("0x80c account ids", ask.account_ids().await),
        Check::new("0x80d voting power", ask.voting_power().await),
        Check::new("owner", ask.owner().await),
    ]
}

struct Asking<'a> {
    node: &'a Node,
    network: Network,
    plan: &'a Plan,
    signed: usize,
    todo: Vec<&'a Step>,
}

type Answer = Result<String, String>;

impl Asking<'_> {
    async fn chain_id(&self) -> Answer {
        let (found, wanted) = (self.node.chain_id().await.map_err(failed)?, self.network.chain_id());
        if found == wanted {
            return Ok(format!("{found}, {}", self.network));
        }
        Err(format!("the node is on chain {found}, {} is {wanted}: change --network or --rpc", self.network))
    }

    async fn pool(&self) -> Answer {
        let deployer = self.plan.deployer;
        let next = self.node.nonce(deployer, Tag::Latest).await.map_err(failed)?;
        let pending = self.node.pending_nonce(deployer).await.map_err(failed)?;
        let own = self.plan.first_nonce().saturating_add(u64::try_from(self.signed).unwrap_or(u64::MAX));
        match (pending.saturating_sub(next), pending.saturating_sub(own.max(next))) {
            (0, _) => Ok(format!("the next nonce of {deployer} is {next}")),
            (count, 0) => Ok(format!("{count} waiting, of this deployment's own")),
            (_, foreign) => {
                Err(format!("{foreign} other transactions of {deployer} wait: let them pass, use it for nothing else"))
            }
        }
    }

    async fn balance(&self) -> Answer {
        let has = self.node.balance_wei(self.plan.deployer).await.map_err(failed)?;
        let price_wei = self.node.gas_price_wei().await.map_err(failed)?;
        let gas: u64 = self.todo.iter().map(|step| step.gas_bound()).sum();
        let seeds = self.todo.iter().map(|step| step.arguments.seed_rao()).sum();
        // Twice the price of now: so much is promised for each gas, and a balance must cover the promise (SPEC D19).
        let needed = U256::from(gas) * U256::from(price_wei) * U256::from(2) + wei(seeds);
        let shown = |amount: U256| rao_floor(amount).map_or_else(|| "more than there is".into(), tao);
        let what =
            format!("{} TAO: at most {gas} gas at twice {price_wei} wei, and {seeds} rao of seeds", shown(needed));
        if has >= needed {
            return Ok(format!("{} TAO; needed are at most {what}", shown(has)));
        }
        let missing = shown(needed - has);
        Err(format!("{} has {} TAO; needed are at most {what}: send it {missing} TAO", self.plan.deployer, shown(has)))
    }

    /// Estimating a creation is refused for an account that may not create (SPEC D18). Of something small: what the
    /// contracts' own constructors say is asked when it is their turn, since they ask for each other.
    async fn whitelist(&self) -> Answer {
        let request = chain::creation(self.plan.deployer, &code_probe(&[]), U256::ZERO);
        match self.node.estimate_gas(request).await {
            Ok(_) => Ok(format!("{} may create contracts", self.plan.deployer)),
            Err(NodeError::Refused { message, .. }) => Err(format!(
                "{} may not create contracts: {message}. If the chain keeps a list of who may, have it put on that list, or \
                 the list switched off (EVM.disable_whitelist, root)",
                self.plan.deployer
            )),
            Err(other) => Err(failed(other)),
        }
    }

    /// As a constructor sees it: on Subtensor a precompile's code is one byte to contracts and none to `eth_getCode`.
    async fn precompile_codes(&self) -> Answer {
        let mut wanted = vec![ED25519_VERIFY, BALANCE_TRANSFER, METAGRAPH, STORAGE_QUERY, ADDRESS_MAPPING];
        if self.needs_voting_power() {
            wanted.push(VOTING_POWER);
        }
        let request = json!({ "from": evm(&self.plan.deployer), "data": code_probe(&wanted) });
        let answer = chain::call(self.node, request, Tag::Latest).await.map_err(failed)?;
        if answer.len() != wanted.len() {
            return Err(format!("the node answered {} bytes, not {}: use another", answer.len(), wanted.len()));
        }
        let missing: Vec<String> =
            wanted.iter().zip(&answer).filter(|(_, has)| **has == 0).map(|(at, _)| short(at)).collect();
        if missing.is_empty() {
            return Ok(format!("all {}", wanted.len()));
        }
        let what = "on this chain: payouts through them would be lost. Use Subtensor, or place the stand-ins";
        Err(format!("no code at {} {what}", missing.join(", ")))
    }

    async fn ed25519(&self) -> Answer {
        let answer = self.ask(ED25519_VERIFY, vector().abi_encode()).await?;
        let yes = verifyCall::abi_decode_returns_validate(&answer).map_err(|_| strange("0x402", &answer))?;
        match (yes, self.network.is_subtensor()) {
            (true, _) => Ok("a good signature is good".into()),
            (false, false) => Ok("answers; a stand-in knows only the signatures it was told of".into()),
            (false, true) => Err("0x402 calls a good signature bad: no machine could be registered".into()),
        }
    }

    /// Nothing is moved: the chain answers a transfer of nothing.
    async fn transfers(&self) -> Answer {
        let own = transferCall { accountId: account_id(self.plan.deployer).0.into() };
        self.ask(BALANCE_TRANSFER, own.abi_encode()).await?;
        Ok("answers".into())
    }

    async fn metagraph(&self) -> Answer {
        let netuid = self.plan.params.netuid;
        let no =
            |why: String| format!("{why}. Is there a subnet {netuid}, with anybody in it? Has root disabled 0x802?");
        let answer = self.ask(METAGRAPH, getHotkeyCall { netuid, uid: 0 }.abi_encode()).await.map_err(no)?;
        if answer.len() == 32 { Ok(format!("knows subnet {netuid}")) } else { Err(strange("0x802", &answer)) }
    }

    /// It answers a key of the right pallet, and fails on one of none: an empty address would answer both.
    async fn storage(&self) -> Answer {
        let answer = self.ask(STORAGE_QUERY, association_key(self.plan.params.netuid, 0)).await?;
        if !matches!(answer.len(), 0 | 28) {
            return Err(strange("0x807", &answer));
        }
        match self.ask(STORAGE_QUERY, vec![0; 16]).await {
            Err(_) => Ok("answers".into()),
            Ok(_) => Err("0x807 answers a key that it must refuse: it is not the chain's".into()),
        }
    }

    async fn account_ids(&self) -> Answer {
        let call = addressMappingCall { account: evm(&self.plan.deployer) };
        let answer = self.ask(ADDRESS_MAPPING, call.abi_encode()).await?;
        if answer.as_ref() == account_id(self.plan.deployer).0 {
            return Ok(format!("{} is the account {}", self.plan.deployer, account_id(self.plan.deployer)));
        }
        Err(strange("0x80c", &answer))
    }

    async fn voting_power(&self) -> Answer {
        if !self.needs_voting_power() {
            return Ok("not asked: keepers are appointed".into());
        }
        let netuid = self.plan.params.netuid;
        let answer = self.ask(VOTING_POWER, isVotingPowerTrackingEnabledCall { netuid }.abi_encode()).await?;
        let on = isVotingPowerTrackingEnabledCall::abi_decode_returns_validate(&answer);
        if on.map_err(|_| strange("0x80d", &answer))? {
            return Ok(format!("subnet {netuid} keeps count"));
        }
        Err(format!("subnet {netuid} does not keep count of voting power: its owner switches that on"))
    }

    async fn owner(&self) -> Answer {
        let owner = self.plan.owner;
        match &self.plan.params.owner {
            Owner::Timelock { min_delay_secs, .. } => {
                Ok(format!("a TimelockController with {min_delay_secs} s of delay, to be at {owner}"))
            }
            Owner::Account { .. } => Ok(format!("{owner}, a plain account: a local chain only")),
            Owner::Existing { .. } => self.timelock(owner).await,
        }
    }

    async fn timelock(&self, owner: Account) -> Answer {
        let code = chain::code(self.node, owner, Tag::Latest).await.map_err(failed)?;
        let shipped = Shipped::of(Kind::TimelockController).map_err(|error| error.to_string())?;
        if hash(&code) != hash(&shipped.runtime) {
            return Err(format!(
                "the code at {owner} is not the TimelockController that this version ships: name one that it deployed, \
                 or have it deploy one (owner.kind = \"timelock\")"
            ));
        }
        let answer = self.ask(evm(&owner), getMinDelayCall {}.abi_encode()).await?;
        let delay =
            getMinDelayCall::abi_decode_returns_validate(&answer).map_err(|_| strange("getMinDelay", &answer))?;
        let needed = self.plan.params.windows.exit_delay_secs;
        if delay < U256::from(needed) {
            return Err(format!("the timelock {owner} has {delay} s of delay, under exit_delay_secs, {needed}"));
        }
        Ok(format!("the TimelockController {owner}, with {delay} s of delay"))
    }

    fn needs_voting_power(&self) -> bool {
        matches!(self.plan.params.keepers, Keepers::VotingPower { .. })
    }

    async fn ask(&self, to: Address, data: Vec<u8>) -> Result<Bytes, String> {
        let request = json!({ "from": evm(&self.plan.deployer), "to": to, "data": Bytes::from(data) });
        chain::call(self.node, request, Tag::Latest).await.map_err(|error| match error {
            NodeError::Refused { message, .. } => format!("{} fails: {message}", short(&to)),
            other => failed(other),
        })
    }
}

/// Creation code that leaves one byte for each address: 1 where a contract sees code there.
fn code_probe(addresses: &[Address]) -> Bytes {
    const PUSH2: u8 = 0x61;
    const EXTCODESIZE_ISZERO_ISZERO_PUSH1: [u8; 4] = [0x3b, 0x15, 0x15, 0x60];
    const MSTORE8: u8 = 0x53;
    let mut code = Vec::new();
    for (index, address) in (0u8..).zip(addresses) {
        code.extend([PUSH2, address[18], address[19]]);
        code.extend(EXTCODESIZE_ISZERO_ISZERO_PUSH1);
        code.extend([index, MSTORE8]);
    }
    let length = u8::try_from(addresses.len()).unwrap_or(u8::MAX);
    code.extend([0x60, length, 0x60, 0, 0xf3]); // return memory[0..length]
    code.into()
}

/// A signature of 32 bytes by the key whose secret is 32 bytes of 7; the tests make it anew.
fn vector() -> verifyCall {
    verifyCall {
        message: b256!("0x5375726574793a20707265666c69676874206f66203078343032000000000000"),
        publicKey: b256!("0xea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c"),
        r: b256!("0xc5ea656cdc63e4ed79435631cbb2fbb6beb3da3c067d5e92c67e7e3413a7b114"),
        s: b256!("0x0fb093dfa7924a93761580e686149006d9cf5a98773d0634f78823ebc96c9101"),
    }
}

fn short(address: &Address) -> String {
    if address[..18].iter().all(|byte| *byte == 0) {
        return format!("0x{:x}", u16::from_be_bytes([address[18], address[19]]));
    }
    address.to_string()
}

fn strange(what: &str, answer: &Bytes) -> String {
    format!("{what} answered {} bytes that make no sense: it is not what Subtensor has there", answer.len())
}

fn failed(error: NodeError) -> String {
    format!("{error}: use another node, or try again")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use ed25519_dalek::{Signer, SigningKey};

    #[test]
    fn the_signature_that_0x402_is_asked_about_is_good() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let call = vector();
        let signature = key.sign(call.message.as_slice());
        assert_eq!(call.publicKey.0, key.verifying_key().to_bytes());
        let bytes = [call.r.0, call.s.0].concat();
        assert_eq!(alloy::primitives::hex::encode(bytes), alloy::primitives::hex::encode(signature.to_bytes()));
    }

    #[test]
    fn a_precompile_is_named_by_its_number() {
        assert_eq!(short(&ADDRESS_MAPPING), "0x80c");
    }
}
