//! Chooses weights when an epoch's are due, and has them set: the fleet as the contracts and this keeper know it,
//! weighed by the core's pure function.

use super::measurements::Measurements;
use super::points;
use crate::adapters::evm::{FleetReader, FollowError};
use crate::adapters::store::{Chosen, Store, StoreError};
use crate::ports::SoftFigures;
use std::collections::BTreeMap;
use std::sync::Arc;
use surety_core::ballot::Choice;
use surety_core::types::{Hotkey, MachineId};
use surety_core::weights::{Counted, Fleet, OnChain, OnSubnet, OwnRecord, Scheme, SchemeName, SubnetTerms};
use surety_core::weights::{NoWeights, WeightRules, WeightsError, gather, weigh};
use surety_substrate::node::Head;
use surety_substrate::runtime::Runtime;
use surety_substrate::subnet::{Subnet, SubnetError, WeightSettings, coldkeys_of};
use surety_substrate::voter::{Did, VoteError, Voter};
use surety_verifier::classes::ClassId;
use tokio::sync::Mutex;

/// Why weights were not looked after. The next look tries again.
#[derive(Debug, thiserror::Error)]
pub(super) enum WeighError {
    /// The subnet could not be read.
    #[error(transparent)]
    Subnet(#[from] SubnetError),
    /// The ballot could not go on.
    #[error(transparent)]
    Vote(#[from] VoteError),
}

/// Why no weights were chosen.
#[derive(Debug, thiserror::Error)]
enum NotChosen {
    #[error("the contracts were not read: {0}")]
    Chain(#[from] FollowError),
    #[error(transparent)]
    Subnet(#[from] SubnetError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the keeper's own measurements were not told in time")]
    Measurements,
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error("{0}")]
    None(NoWeights),
}

/// Sets weights.
pub(super) struct Weigher {
    pub(super) voter: Voter,
    pub(super) fleet: Mutex<FleetReader>,
    pub(super) measurements: Measurements,
    pub(super) store: Arc<Store>,
    pub(super) rules: WeightRules,
    /// The epoch of the last refusal kept, and the refusal: it comes again at each look.
    pub(super) refused: Mutex<Option<(u64, NoWeights)>>,
}

impl Weigher {
    /// One look at a final block; what was done, for the log, and what stood in the way of more.
    pub(super) async fn look(&self, runtime: &Runtime, at: Head) -> (Vec<Did>, Result<(), WeighError>) {
        let subnet = match Subnet::read(&self.voter.nodes, runtime, at, self.voter.netuid).await {
            Ok(subnet) => subnet,
            Err(error) => return (Vec::new(), Err(error.into())),
        };
        let choose = || async { self.choose(runtime, &subnet).await.map_err(|why| why.to_string()) };
        let (did, done) = self.voter.look(runtime, &subnet, choose).await;
        (did, done.map_err(WeighError::from))
    }

    async fn choose(&self, runtime: &Runtime, subnet: &Subnet) -> Result<Choice, NotChosen> {
        let points = points::of_classes();
        let classes: Vec<u16> = points.keys().copied().collect();
        let chain = self.fleet.lock().await.read(&classes, self.rules.window_secs).await?;
        let measured = self.measurements.ask().await.ok_or(NotChosen::Measurements)?;
        let own = OwnRecord { measured, counted: self.count(&chain).await? };
        let seats = subnet.neurons.iter().map(|neuron| (Hotkey(neuron.hotkey.0), neuron.uid)).collect();
        let coldkeys = coldkeys_of(&self.voter.nodes, runtime, subnet.at, chain.hotkeys()).await?;
        let fleet = gather(&chain, &own, OnSubnet { seats, coldkeys, terms: terms(subnet.weights) });
        let scheme = match self.rules.scheme {
            SchemeName::Surety => Scheme::Classes(points),
            SchemeName::Sn27 => points::of_machines(&fleet, &self.figures().await?),
        };
        let weighed = weigh(&fleet, &scheme, &self.rules)?;
        tell(&fleet, &weighed.explanation.text(&|class| ClassId(class).to_string()));
        let weights = weighed.weights.clone();
        self.keep(Chosen { epoch: subnet.epoch, block: subnet.at.number, rules: self.rules.clone(), weighed }, fleet)
            .await;
        let weights = weights.map_err(NotChosen::None)?;
        let version_key = subnet.weights.map_or(0, |settings| settings.version_key);
        Ok(Choice { uids: weights.uids, values: weights.values, version_key })
    }

    /// Notes how many registrations there are now, and gives what was noted before.
    async fn count(&self, chain: &OnChain) -> Result<Vec<Counted>, StoreError> {
        let registrations = chain.registered.iter().map(|one| one.node.registration).max().unwrap_or(0);
        let (store, at_secs) = (self.store.clone(), chain.at_secs);
        let noted = tokio::task::spawn_blocking(move || store.note_registrations(registrations, at_secs));
        noted.await.map_err(|_| StoreError::Poisoned)?
    }

    /// For `surety weights explain`. Weights do not wait for it: what cannot be kept is told, and they are set.
    async fn keep(&self, chosen: Chosen, fleet: Fleet) {
        let refusal = chosen.weighed.weights.as_ref().err().map(|why| (chosen.epoch, *why));
        let before = std::mem::replace(&mut *self.refused.lock().await, refusal);
        if refusal.is_some() && refusal == before {
            return;
        }
        let store = self.store.clone();
        let kept = tokio::task::spawn_blocking(move || store.put_chosen(&chosen, &fleet)).await;
        if let Err(error) = kept.unwrap_or(Err(StoreError::Poisoned)) {
            tracing::warn!(%error, "what weights were made of was not kept");
        }
    }

    async fn figures(&self) -> Result<BTreeMap<MachineId, SoftFigures>, StoreError> {
        let store = self.store.clone();
        let found = tokio::task::spawn_blocking(move || store.all_figures());
        found.await.map_err(|_| StoreError::Poisoned)?
    }
}

fn terms(settings: Option<WeightSettings>) -> SubnetTerms {
    settings.map_or_else(SubnetTerms::default, |settings| SubnetTerms {
        min_allowed_weights: settings.least_uids,
        max_weight_limit: settings.largest_share,
    })
}

fn tell(fleet: &Fleet, explained: &str) {
    tracing::info!(machines = fleet.machines.len(), seats = fleet.seats.len(), "weights were chosen");
    for line in explained.lines() {
        tracing::debug!("{line}");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::adapters::evm::tests::world::World;
    use crate::adapters::store::{FoundChosen, Reading};
    use crate::runtime::measurements::answering;
    use surety_core::ballot::Stage;
    use surety_core::weights::Why;
    use surety_substrate::needed::LEAST_UIDS;
    use surety_substrate::node::Node;
    use surety_substrate::nodes::Nodes;
    use surety_substrate::runtime::Part;
    use surety_substrate::ss58::AccountId;
    use surety_substrate::voter::BLOCK_TIME_MS;
    use surety_substrate::wallet::Hotkey as Signer;
    use surety_subtensor_native::{Chain, Server};

    const NETUID: u16 = 2;

    struct Scene {
        world: World,
        chain: Arc<Chain>,
        weigher: Weigher,
        _server: Server,
        dir: tempfile::TempDir,
    }

    /// A keeper's hotkey at uid 1 of the subnet that the contracts are for.
    async fn scene(rules: WeightRules) -> Scene {
        let (world, chain) = (World::start(1).await, Arc::new(Chain::new()));
        let server = Server::start(chain.clone()).await.unwrap();
        let hotkey = Arc::new(Signer::dev("//Alice", true).unwrap());
        chain.add_subnet(NETUID, 360, &[AccountId([9; 32]), hotkey.account()]);
        chain.set(&LEAST_UIDS, &[Part::Number(NETUID.into())], 1u16);
        chain.run(5);
        world.finalize().await;
        let nodes = Nodes::new(vec![Node::new(&server.url).unwrap()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(&dir.path().join("keeper.sqlite")).unwrap());
        let voter = Voter { nodes, hotkey, netuid: NETUID, ballots: store.clone(), block_time_ms: BLOCK_TIME_MS };
        let fleet = FleetReader::new(world.endpoints()).into();
        let weigher =
            Weigher { voter, fleet, measurements: Measurements::default(), store, rules, refused: None.into() };
        Scene { world, chain, weigher, _server: server, dir }
    }

    #[tokio::test]
    async fn an_epochs_weights_are_chosen_from_contracts_and_measurements_and_set_on_the_chain() {
        let Scene { chain, weigher, world, dir, .. } =
            &scene(WeightRules { burn_uid: Some(0), ..Default::default() }).await;
        let answering = answering(weigher.measurements.clone());
        let (did, done) = weigher.look(chain.runtime(), chain.best()).await;
        done.unwrap();
        assert_eq!(did, [Did::Chose, Did::Signed, Did::Sent { taken: 1, refusals: vec![] }]);
        let head = chain.run(1);
        let (did, _) = weigher.look(chain.runtime(), head).await;
        assert_eq!(did, [Did::Recorded(Stage::Done { block: head.number })]);
        // Nobody has measured the only machine there is, so nobody earns: all is burned.
        assert_eq!(chain.weights_of(NETUID, 1), [(0, 65_535)]);
        assert!(chain.failures().is_empty() && world.endpoints().need() == 1);
        // And why can be read beside the keeper.
        let found = Reading::open(&dir.path().join("keeper.sqlite")).unwrap();
        let FoundChosen { chosen, stage } = found.chosen().unwrap().unwrap();
        assert_eq!((chosen.epoch, stage), (0, Some(Stage::Done { block: head.number })));
        assert_eq!(chosen.weighed.weights.map(|weights| weights.uids), Ok(vec![0]));
        let fleet = found.chosen_fleet().unwrap().unwrap();
        assert_eq!((fleet.machines.len(), fleet.machines[0].since_secs), (1, 0));
        answering.abort();
    }

    #[tokio::test]
    async fn where_nobody_earned_anything_and_nobody_takes_the_burn_nothing_is_sent_and_the_reason_is_told() {
        let Scene { chain, weigher, dir, .. } = &scene(WeightRules::default()).await;
        let answering = answering(weigher.measurements.clone());
        let refused = weigher.look(chain.runtime(), chain.best()).await.1.unwrap_err();
        assert!(refused.to_string().starts_with("no weights were chosen: "), "{refused}");
        assert_eq!(chain.pool_size(), 0);
        let found = Reading::open(&dir.path().join("keeper.sqlite")).unwrap().chosen().unwrap().unwrap();
        assert_eq!((found.chosen.weighed.weights, found.stage), (Err(NoWeights::NobodyEarned), None));
        let first = found.chosen.block;
        weigher.look(chain.runtime(), chain.run(1)).await.1.unwrap_err();
        let found = Reading::open(&dir.path().join("keeper.sqlite")).unwrap().chosen().unwrap().unwrap();
        assert_eq!(found.chosen.block, first, "the same refusal is written down once an epoch");
        answering.abort();
    }

    #[tokio::test]
    async fn by_subnet_27s_scheme_each_machine_has_points_of_its_own_from_what_the_store_has_of_it() {
        let rules = WeightRules { scheme: SchemeName::Sn27, burn_uid: Some(0), ..WeightRules::default() };
        let Scene { chain, weigher, dir, .. } = &scene(rules).await;
        let answering = answering(weigher.measurements.clone());
        let (did, done) = weigher.look(chain.runtime(), chain.best()).await;
        done.unwrap();
        assert_eq!(did.first(), Some(&Did::Chose));
        let found = Reading::open(&dir.path().join("keeper.sqlite")).unwrap().chosen().unwrap().unwrap();
        assert_eq!(found.chosen.rules.scheme, SchemeName::Sn27);
        let machine = &found.chosen.weighed.explanation.miners[0].machines[0];
        assert!(matches!(machine.factors[0].why, Why::MachinePoints), "{:?}", machine.factors);
        answering.abort();
    }
}
