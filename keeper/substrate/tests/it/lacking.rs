//! Runtimes that lack something we need: it is named, what needs it is off, and the rest works. And nodes of no
//! Subtensor at all.

use super::metadata::{bytes_after, changed};
use super::votes::{WEIGHTS, polls};
use super::{GENESIS, VERSIONS};
use subxt::ext::frame_metadata::v15::RuntimeMetadataV15;
use surety_core::types::Hash32;
use surety_substrate::needed::{self, Feature, Item};
use surety_substrate::nodes::{EvmBlock, NodesError};
use surety_substrate::runtime::{CodecError, Runtime};
use surety_substrate::subnet::Subnet;
use surety_substrate::voter::VoteError;

fn without(metadata: &mut RuntimeMetadataV15, item: &Item) {
    let pallet = metadata.pallets.iter_mut().find(|pallet| pallet.name == item.pallet).unwrap();
    pallet.storage.as_mut().unwrap().entries.retain(|entry| entry.name != item.name);
}

#[tokio::test]
async fn a_runtime_without_associations_voting_power_and_prices_still_sets_weights() {
    let mut polls = polls(1).await;
    polls.runtime = changed(|metadata| {
        for item in [&needed::ASSOCIATED, &needed::VOTING_POWER, &needed::MOVING_PRICE] {
            without(metadata, item);
        }
    });
    let off: Vec<Feature> = polls.runtime.lacks().iter().map(|lack| lack.feature).collect();
    assert_eq!(off, [Feature::Association, Feature::VotingPower, Feature::Price]);
    polls.live(2).await;
    assert_eq!((polls.weights(), polls.world.chain.failures()), (WEIGHTS.to_vec(), vec![]));
}

#[tokio::test]
async fn a_runtime_without_what_weights_need_is_named_nothing_is_chosen_and_the_subnet_is_read_all_the_same() {
    let mut polls = polls(1).await;
    polls.runtime = changed(|metadata| without(metadata, &needed::RATE_LIMIT));
    let refused = polls.look().await.unwrap_err();
    assert!(matches!(refused, VoteError::Codec(CodecError::Lacks(_))), "{refused}");
    let said = refused.to_string();
    assert!(said.contains("Weights is off: the runtime's storage SubtensorModule.WeightsSetRateLimit"), "{said}");
    assert_eq!((polls.chosen.get(), polls.world.chain.pool_size()), (0, 0));
    let head = polls.world.nodes.finalized().await.unwrap();
    let subnet = Subnet::read(&polls.world.nodes, &polls.runtime, head, 2).await.unwrap();
    assert_eq!((subnet.neurons.len(), subnet.weights), (2, None));
}

/// A Substrate chain that is none of ours: System, Timestamp and Balances, as every one has them.
fn elsewhere() -> Runtime {
    let bytes = bytes_after(|metadata| {
        metadata.pallets.retain(|pallet| ["System", "Timestamp", "Balances"].contains(&pallet.name.as_str()));
        metadata.apis.clear();
    });
    Runtime::new(GENESIS, VERSIONS, &bytes).unwrap()
}

#[tokio::test]
async fn a_node_of_another_substrate_chain_is_refused_by_what_it_lacks_and_nothing_of_it_is_used() {
    let polls = polls(1).await;
    let (nodes, head, runtime) = (&polls.world.nodes, polls.world.chain.best(), elsewhere());
    let evm = EvmBlock { chain_id: 964, parent: Hash32([1; 32]), timestamp_secs: 1 };
    let refused = nodes.is_chain_of(&runtime, head, &evm).await.unwrap_err();
    assert!(matches!(refused, NodesError::Codec(CodecError::Lacks(_))), "{refused}");
    assert!(refused.to_string().contains("Chain is off: the runtime's storage EVMChainId.ChainId does not exist"));
    let subnet = Subnet::read(nodes, &runtime, head, 2).await.unwrap_err().to_string();
    assert!(subnet.contains("Subnet is off"), "{subnet}");
    assert_eq!(runtime.features(), [].into());
}
