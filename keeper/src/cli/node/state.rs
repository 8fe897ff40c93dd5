//! A machine as the contracts show it.

use crate::cli::kit::exit::Stop;
use crate::cli::kit::place::Place;
use crate::cli::kit::who::Actor;
use alloy::primitives::B256;
use anyhow::{Context, Result};
use surety_client::bindings::{CollateralVault, ICollateralVault, IRentalEscrow, RentalEscrow};
use surety_client::reader::endpoint;
use surety_core::types::{Account, Endpoint, Hash32, MachineId, Rao, RentalId};

/// A registered machine, its bond, and its offer.
#[derive(Debug, Clone)]
pub(in crate::cli) struct NodeState {
    /// As the vault shows it.
    pub(in crate::cli) node: ICollateralVault::NodeView,
    /// The offer; price 0: none.
    pub(in crate::cli) terms: IRentalEscrow::Offer,
    /// What a renter agrees to.
    pub(in crate::cli) offer_hash: Hash32,
    /// Its newest rental; 0: none.
    pub(in crate::cli) last_rental: RentalId,
}

impl NodeState {
    /// Reads a machine's current registration; None: it has none.
    ///
    /// # Errors
    /// The node does not answer.
    pub(in crate::cli) async fn find(place: &Place, machine: MachineId) -> Result<Option<Self>> {
        let word = B256::from(machine.0);
        let vault = place.deployment.vault.address;
        let owner = place.view().call(vault, &CollateralVault::ownerOfCall { machine: word }).await;
        let registration = owner.context("the machine's registration was not read")?.registration;
        if registration == 0 {
            return Ok(None);
        }
        Self::of(place, registration).await.map(Some)
    }

    /// Reads a registration.
    ///
    /// # Errors
    /// There is none, or the node does not answer.
    pub(in crate::cli) async fn of(place: &Place, registration: u32) -> Result<Self> {
        let (vault, escrow) = (place.deployment.vault.address, place.deployment.escrow.address);
        let node = place.view().call(vault, &CollateralVault::nodeAtCall { registration }).await;
        let node = node.with_context(|| format!("registration {registration} was not read"))?;
        let offer = place.view().call(escrow, &RentalEscrow::offerOfCall { machine: node.machine }).await;
        let offer = offer.with_context(|| format!("the offer of registration {registration} was not read"))?;
        let (terms, last_rental) = (offer.terms, offer.lastRental);
        Ok(Self { node, terms, offer_hash: Hash32(offer.offerHash.0), last_rental })
    }

    /// The machine.
    pub(in crate::cli) fn machine(&self) -> MachineId {
        MachineId(self.node.machine.0)
    }

    /// Whose it is.
    pub(in crate::cli) fn miner(&self) -> Account {
        Account(self.node.miner.into_array())
    }

    /// Where its SSH server listens; None: none is set.
    pub(in crate::cli) fn endpoint(&self) -> Option<Endpoint> {
        endpoint(self.node.endpoint.ip.0, self.node.endpoint.port)
    }

    /// All its bond.
    pub(in crate::cli) fn bonded_rao(&self) -> Rao {
        let parts = [self.node.free, self.node.reserved, self.node.held, self.node.exiting];
        parts.into_iter().fold(0, Rao::saturating_add)
    }

    /// Whether there is an offer that has not lapsed.
    pub(in crate::cli) fn is_offered(&self, now_secs: u64) -> bool {
        self.price_rao_per_sec() != 0 && u64::from(self.terms.expiresAt) > now_secs
    }

    /// What the machine costs a second; 0: no offer.
    pub(in crate::cli) fn price_rao_per_sec(&self) -> u64 {
        self.terms.price.to()
    }
}

/// A machine that is the actor's.
///
/// # Errors
/// It is not registered, or another's.
pub(in crate::cli) async fn mine(place: &Place, machine: MachineId, actor: &Actor) -> Result<NodeState> {
    let not_registered = || Stop::refused(format!("machine {machine} is not registered: surety node register does it"));
    let state = NodeState::find(place, machine).await?.ok_or_else(not_registered)?;
    if state.miner() != actor.account {
        let why = format!(
            "the machine is {}'s, and the key is that of {}: sign with the miner's key",
            state.miner(),
            actor.account
        );
        return Err(Stop::refused(why));
    }
    Ok(state)
}
