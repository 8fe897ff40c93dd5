//! Puts a keeper together, runs it, and takes it apart again within ten seconds.

use super::core_loop::{CoreLoop, Shown};
use super::deeds::{Hands, dispatch};
use super::feeds::{self, ChainHealth};
use super::gauges::{self, Candidate, Gauges};
use super::market::{Hints, Keeping};
use super::mirror::Mirror;
use super::native;
use super::spoofs;
use super::stating::{self, Newest, Notary};
use super::upkeep::{self, Upkeep};
use super::weights::Weigher;
use crate::adapters::clock::Clock;
use crate::adapters::evm::{BareLogs, Endpoints, FleetReader, Follower, MarketReader, Sender, StatedReader};
use crate::adapters::http::{self, Api, Desk, DeskLimits, HttpLimits, PeerCounts, PeerLimits, Peers, WallClock};
use crate::adapters::ssh::{Eyes, Rounds, SshLimits};
use crate::adapters::store::{Loaded, Store, StoreError};
use crate::adapters::substrate::NativeFollower;
use crate::adapters::verify::Epochs;
use crate::config::{Preflight, PreflightError, Settings};
use crate::outbox::Lane;
use crate::ports::{Shop, Stating};
use std::sync::Arc;
use std::time::Duration;
use surety_client::digest::Domains;
use surety_client::reader::{SeatOf, SetKind};
use surety_core::effect::Effect;
use surety_core::evidence::Contracts;
use surety_core::input::{Input, Started};
use surety_core::state::Config;
use surety_core::view::View;
use surety_market::facts::Setting;
use surety_market::market::Market;
use surety_market::wire;
use surety_substrate::node::Head;
use surety_substrate::nodes::Nodes;
use surety_substrate::runtime::Runtime;
use surety_substrate::voter::{BLOCK_TIME_MS, Voter};
use surety_verifier::classes::ClassId;
use surety_verifier::schedule::Master;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

/// Inputs and wishes waiting at most; a full channel slows its senders down.
const QUEUE_MAX: usize = 1_024;

/// Time between two questions to a peer about spoofs: they are rare, and serve for a day.
const SPOOFS_EVERY: Duration = Duration::from_secs(30);

/// From being told to stop to being gone.
const STOP_WITHIN: Duration = Duration::from_secs(8);

/// Why a keeper does not run, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The chain is not the one configured.
    #[error(transparent)]
    Preflight(#[from] PreflightError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The HTTP address is taken, or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// As configured.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The peer client.
    #[error("cannot set up the HTTP client for peers: {0}")]
    Peers(String),
    /// The thread that owns the state died.
    #[error("the loop died; what was committed is safe, start the keeper again")]
    LoopDied,
}

/// Runs a keeper until `stop` says so.
pub async fn run(settings: Settings, dry_run: bool, mut stop: watch::Receiver<bool>) -> Result<(), RunError> {
    let clock = Clock::start();
    let preflight = Preflight::run(&settings).await?;
    let config = core_config(&settings);
    let (store, loaded) = open_store(&settings, &config, dry_run).await?;
    let address = settings.file.http.listen;
    let listener = TcpListener::bind(address).await.map_err(|source| RunError::Listen { address, source })?;
    let http_address = listener.local_addr().map_err(|source| RunError::Listen { address, source })?;
    tracing::info!(account = %config.me, chain_id = config.chain_id, %http_address, seq = loaded.seq, "keeper starts");

    let (inputs, inputs_rx) = mpsc::channel(QUEUE_MAX);
    let (wishes, wishes_rx) = mpsc::channel(QUEUE_MAX);
    let started =
        Started { now_unix_ms: clock.now_unix_ms(), now_ms: clock.now_ms(), times: settings.deployment.times };
    // The first input of every run; the channel is empty, so this cannot wait.
    let _ = inputs.send(Input::Started(started)).await;
    for effect in loaded.unsigned {
        let _ = wishes.send(effect).await;
    }
    let shown = Shown::default();
    let (state, seq, slow_told) = (loaded.state, loaded.seq, None);
    let core = CoreLoop { state, seq, store: store.clone(), clock, shown: shown.clone(), slow_told };
    let mut looping = tokio::task::spawn_blocking(move || core.run(inputs_rx, wishes));

    let (endpoints, set, peer_counts) = (preflight.endpoints, preflight.set, Arc::default());
    let peers = peers(&settings, &peer_counts)?;
    let (lane, native) = (Arc::new(Notify::new()), watch::channel(None).0);
    let market = (Shop::new(Market::new(setting(&settings))), Hints::default());
    let parts = Parts {
        settings,
        clock,
        endpoints,
        set,
        store,
        shown,
        inputs,
        peers,
        peer_counts,
        lane,
        native,
        market,
        dry_run,
    };
    let (fault, mut faults) = mpsc::channel(1);
    let mut tasks = parts.spawn_all(listener, wishes_rx, fault, &stop);
    drop(parts);

    let (mut early, mut fault) = (None, None);
    tokio::select! {
        _ = stop.changed() => {}
        Some(found) = faults.recv() => fault = Some(found),
        ended = &mut looping => early = Some(ended),
    }
    // With its senders gone the loop drains what was queued, writes a snapshot and ends.
    tasks.abort_all();
    while tasks.join_next().await.is_some() {}
    let ended = match early {
        Some(ended) => ended,
        None => tokio::time::timeout(STOP_WITHIN, looping).await.map_err(|_| RunError::LoopDied)?,
    };
    ended.map_err(|_| RunError::LoopDied)?.map_err(RunError::Store)?;
    fault.map_or(Ok(()), |found| Err(RunError::Preflight(found)))
}

fn core_config(settings: &Settings) -> Config {
    Config {
        me: settings.key.account(),
        chain_id: settings.deployment.chain_id,
        contracts: contracts(settings),
        rules: settings.file.rules.clone(),
        shadow: settings.file.shadow.clone(),
        payout: settings.file.payout,
        seat: settings.file.seat.rules(settings.ssh_key.public()),
    }
}

fn domains(settings: &Settings) -> Domains {
    let d = &settings.deployment;
    Domains { chain_id: d.chain_id, escrow: d.escrow.address, arbiter: d.arbiter.address }
}

fn peers(settings: &Settings, counts: &Arc<PeerCounts>) -> Result<Arc<Peers>, RunError> {
    let limits = PeerLimits { allow_private: settings.file.look.allow_private, ..PeerLimits::default() };
    let peers = Peers::new(domains(settings), limits, counts.clone());
    peers.map(Arc::new).map_err(|error| RunError::Peers(error.to_string()))
}

fn contracts(settings: &Settings) -> Contracts {
    let d = &settings.deployment;
    Contracts { escrow: d.escrow.address, arbiter: d.arbiter.address, vault: d.vault.address }
}

/// What the market's answers say of where they come from.
fn setting(settings: &Settings) -> Setting {
    let (d, times) = (&settings.deployment, settings.deployment.times);
    Setting {
        chain_id: d.chain_id,
        netuid: d.netuid,
        keeper: settings.key.account(),
        contracts: wire::Contracts {
            vault: d.vault.address,
            escrow: d.escrow.address,
            arbiter: d.arbiter.address,
            bids: d.bids.address,
            keepers: d.keepers.address,
        },
        terms: wire::Terms {
            settle_lag_secs: times.settle_lag_secs,
            certificate_life_secs: times.certificate_life_secs,
            delivery_grace_secs: times.delivery_grace_secs,
            min_interrupted_secs: times.min_interrupted_secs,
            min_offline_secs: times.min_offline_secs,
        },
        class_name: |class| ClassId(class).to_string(),
    }
}

/// Whose seat is to be read: ours, where keepers have seats.
fn seat_of(settings: &Settings, set: SetKind) -> Option<SeatOf> {
    let SetKind::VotingPower { check_in_secs } = set else { return None };
    Some(SeatOf { account: settings.key.account(), netuid: settings.deployment.netuid, check_in_secs })
}

async fn open_store(settings: &Settings, config: &Config, dry_run: bool) -> Result<(Arc<Store>, Loaded), RunError> {
    let path = settings.file.store.file(dry_run);
    let retention = settings.file.store.retention();
    let config = config.clone();
    let opening = tokio::task::spawn_blocking(move || {
        let store = Store::open_with(&path, retention, dry_run)?;
        let loaded = store.load(&path, &config)?;
        Ok::<_, StoreError>((Arc::new(store), loaded))
    });
    Ok(opening.await.map_err(|_| RunError::LoopDied)??)
}

/// What the tasks are made from.
struct Parts {
    settings: Settings,
    clock: Clock,
    endpoints: Endpoints,
    set: SetKind,
    store: Arc<Store>,
    shown: Shown,
    inputs: mpsc::Sender<Input>,
    peers: Arc<Peers>,
    peer_counts: Arc<PeerCounts>,
    lane: Arc<Notify>,
    /// The Substrate side's newest final block, once it is known to be of the same chain.
    native: watch::Sender<Option<(Arc<Runtime>, Head)>>,
    /// The market that is shown, and what is to be read for it.
    market: (Shop, Hints),
    dry_run: bool,
}

impl Parts {
    fn spawn_all(
        &self,
        listener: TcpListener,
        wishes: mpsc::Receiver<Effect>,
        fault: mpsc::Sender<PreflightError>,
        stop: &watch::Receiver<bool>,
    ) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        self.spawn_feeds(&mut tasks, stop);
        tasks.spawn(self.keeping().run(stop.clone()));
        tasks.spawn(self.mirror().run(stop.clone()));
        self.spawn_lane(&mut tasks, stop);
        self.spawn_http(&mut tasks, listener, stop);
        let (gauges, candidates) = mpsc::channel(gauges::WAITING_MAX);
        let hands = Arc::new(self.hands(gauges));
        tasks.spawn(self.gauges(&hands).run(candidates));
        tasks.spawn(dispatch(hands, wishes));
        tasks.spawn(self.upkeep(fault).run(stop.clone()));
        tasks
    }

    fn poll_every(&self) -> Duration {
        Duration::from_millis(self.settings.file.chain.poll_ms)
    }

    /// Core decides at ticks: at least five in the shortest time any rule names.
    fn tick_every(&self) -> Duration {
        Duration::from_millis((self.settings.file.rules.suspect_every_ms / 5).clamp(100, 1_000))
    }

    fn spawn_feeds(&self, tasks: &mut JoinSet<()>, stop: &watch::Receiver<bool>) {
        let health = Arc::new(ChainHealth::new(self.shown.progress.clone()));
        let (every, ends) = (self.poll_every(), [BareLogs::default(), BareLogs::default()]);
        self.spawn_native(tasks, ends.clone(), stop);
        for (view, bare) in [View::Best, View::Finalized].into_iter().zip(ends) {
            let follower = Follower::new(self.endpoints.clone(), self.settings.deployment.clone(), view);
            let follower = follower.with_seat(seat_of(&self.settings, self.set));
            // What is settled needs no haste: the finalized view waits for the full read.
            let suspects = if view == View::Best { self.shown.suspects.clone() } else { Default::default() };
            let follower = follower.with_suspects(suspects).with_bare_logs(bare);
            let (health, inputs) = (health.clone(), self.inputs.clone());
            let hints = (view == View::Best).then(|| self.market.1.clone());
            tasks.spawn(feeds::chain(follower, hints, self.clock, every, health, inputs, stop.clone()));
        }
        // Three polls without an answer, and never less than a slow request takes.
        let patience_ms = self.settings.file.chain.poll_ms.saturating_mul(3).max(15_000);
        let (tick_every, inputs) = (self.tick_every(), self.inputs.clone());
        tasks.spawn(feeds::ticks(self.clock, tick_every, patience_ms, health, inputs, stop.clone()));
        let (me, shown) = (self.settings.key.account(), self.shown.clone());
        let (peers, inputs) = (self.peers.clone(), self.inputs.clone());
        tasks.spawn(feeds::peers(peers, me, shown, every, inputs, stop.clone()));
        let (peers, shown, inputs) = (self.peers.clone(), self.shown.clone(), self.inputs.clone());
        tasks.spawn(spoofs::poll(peers, me, shown, every.max(SPOOFS_EVERY), inputs, stop.clone()));
    }

    /// The Substrate side, where nodes are named for it.
    fn spawn_native(&self, tasks: &mut JoinSet<()>, ends: [BareLogs; 2], stop: &watch::Receiver<bool>) {
        // The URLs were checked with the configuration.
        let Ok(Some(nodes)) = self.settings.file.subnet.nodes() else { return };
        let weigher = self.weigher(&nodes);
        let follower = NativeFollower::new(nodes, self.endpoints.clone(), &self.settings.deployment);
        let (progress, every) = (self.shown.progress.clone(), self.poll_every().max(native::EVERY));
        let newest = self.native.clone();
        tasks.spawn(native::follow(follower, ends, weigher, newest, progress, every, stop.clone()));
    }

    /// Sets weights, where there is a hotkey for it; a dry run sends none.
    fn weigher(&self, nodes: &Nodes) -> Option<Weigher> {
        let hotkey = self.settings.hotkey.clone().filter(|_| !self.dry_run)?;
        let (nodes, ballots, netuid) = (nodes.clone(), self.store.clone(), self.settings.deployment.netuid);
        let voter = Voter { nodes, hotkey, netuid, ballots, block_time_ms: BLOCK_TIME_MS };
        let fleet = FleetReader::new(self.endpoints.clone()).into();
        let (measurements, rules) = (self.shown.measurements.clone(), self.settings.file.weights.clone());
        Some(Weigher { voter, fleet, measurements, store: self.store.clone(), rules, refused: None.into() })
    }

    fn keeping(&self) -> Keeping {
        let (shop, hints) = self.market.clone();
        let measurements = self.shown.measurements.clone();
        let (reader, poll_every) = (MarketReader::new(self.endpoints.clone()), self.poll_every());
        Keeping { reader, shop, hints, measurements, poll_every }
    }

    fn mirror(&self) -> Mirror {
        let (store, peers, counts) = (self.store.clone(), self.peers.clone(), self.peer_counts.clone());
        let (shown, me) = (self.shown.clone(), self.settings.key.account());
        Mirror { store, peers, counts, clock: self.clock, keepers: shown.keepers, me }
    }

    fn spawn_lane(&self, tasks: &mut JoinSet<()>, stop: &watch::Receiver<bool>) {
        if self.dry_run {
            return;
        }
        let (key, contracts) = (self.settings.key.clone(), contracts(&self.settings));
        let chain_id = self.settings.deployment.chain_id;
        let sender = Sender::new(self.endpoints.clone(), key, chain_id, contracts);
        let times = self.settings.deployment.times;
        let lane = Lane::new(self.store.clone(), sender, self.shown.finalized.clone(), times, self.inputs.clone());
        tasks.spawn(lane.run(self.poll_every(), self.lane.clone(), stop.clone()));
    }

    fn spawn_http(&self, tasks: &mut JoinSet<()>, listener: TcpListener, stop: &watch::Receiver<bool>) {
        let clock = self.clock;
        let api = Api {
            archive: self.store.clone(),
            progress: self.shown.progress.clone(),
            peers: self.peer_counts.clone(),
            now_ms: Arc::new(move || clock.now_ms()),
            desk: Arc::new(self.desk()),
            epochs: Arc::new(self.master()),
            stating: self.notary(self.native.subscribe()),
            shop: self.market.0.clone(),
            limits: HttpLimits { requests_per_sec: self.settings.file.http.requests_per_sec, ..HttpLimits::default() },
        };
        let mut stop = stop.clone();
        tasks.spawn(async move {
            let stopped = async move {
                let _ = stop.changed().await;
            };
            if let Err(error) = http::serve(listener, api, stopped).await {
                tracing::error!(%error, "the HTTP API ended");
            }
        });
    }

    /// States bonds of alpha, where a vault is named; a dry run signs nothing.
    fn notary(&self, newest: Newest) -> Option<Arc<dyn Stating>> {
        let file = &self.settings.file;
        // Both were checked with the configuration.
        let (Ok(Some(vault)), Ok(Some(nodes)), false) = (file.alpha.vault(), file.subnet.nodes(), self.dry_run) else {
            return None;
        };
        let deployment = &self.settings.deployment;
        Some(Arc::new(Notary {
            nodes,
            newest,
            contracts: StatedReader::new(self.endpoints.clone()),
            vault,
            netuid: deployment.netuid,
            rules: file.alpha.rules(),
            key: self.settings.key.clone(),
            domains: domains(&self.settings),
            collateral_vault: deployment.vault.address,
            archive: self.store.clone(),
            spoof_life_secs: deployment.times.spoof_life_secs,
            apart_max_secs: stating::APART_MAX_SECS,
            lane: Notary::lane(),
        }))
    }

    /// What measuring epochs are made of.
    fn master(&self) -> Master {
        self.settings.ssh_key.epoch_master(self.settings.deployment.chain_id, self.settings.key.account())
    }

    fn desk(&self) -> Desk {
        let (clock, shown) = (self.clock, &self.shown);
        let now_secs: WallClock = Arc::new(move || clock.now_secs());
        let (domains, stored) = (domains(&self.settings), shown.complaints.subscribe());
        Desk::new(domains, shown.renters.clone(), &self.inputs, stored, now_secs, DeskLimits::default())
    }

    fn upkeep(&self, fault: mpsc::Sender<PreflightError>) -> Upkeep {
        let local = self.settings.file.rules.local;
        Upkeep {
            every: if local { upkeep::EVERY_LOCAL } else { upkeep::EVERY },
            endpoints: self.endpoints.clone(),
            deployment: self.settings.deployment.clone(),
            account: self.settings.key.account(),
            gas_min_rao: self.settings.file.alerts.gas_min_rao,
            store: self.store.clone(),
            clock: self.clock,
            progress: self.shown.progress.clone(),
            crowded: Default::default(),
            fault,
        }
    }

    fn gauges(&self, hands: &Hands) -> Gauges {
        let (eyes, store) = (hands.eyes.clone(), self.store.clone());
        Gauges { eyes, store, clock: self.clock, keeper_user: hands.keeper_user.clone() }
    }

    fn hands(&self, gauges: mpsc::Sender<Candidate>) -> Hands {
        let look = &self.settings.file.look;
        let limits = SshLimits { allow_private: look.allow_private, ..SshLimits::default() };
        let me = self.settings.key.account();
        Hands {
            clock: self.clock,
            eyes: Eyes::new(limits, self.settings.ssh_key.clone()),
            rounds: Rounds::default(),
            epochs: Epochs::new(self.endpoints.clone(), self.settings.deployment.chain_id, me, self.master()),
            store: self.store.clone(),
            key: self.settings.key.clone(),
            domains: domains(&self.settings),
            contracts: contracts(&self.settings),
            peers: self.peers.clone(),
            anchors: look.anchors.clone(),
            tenant_user: look.tenant_user.clone(),
            keeper_user: look.keeper_user.clone(),
            dry_run: self.dry_run,
            inputs: self.inputs.clone(),
            gauges,
            lane: self.lane.clone(),
        }
    }
}
