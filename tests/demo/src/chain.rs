//! The deployed contracts, seen through one node at its newest block.

use alloy::network::AnyNetwork;
use alloy::primitives::{Address, B256};
use alloy::providers::RootProvider;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use surety_client::bindings::{
    AppointedKeepers, Arbiter, CollateralVault, IArbiter, IRentalEscrow, RentalBids, RentalEscrow,
};
use surety_client::deployment::Deployment;
use surety_client::digest::Domains;
use surety_client::provider::{Node, Tag};
use surety_client::reader::Reader;
use surety_core::types::{Account, MachineId, Rao, RentalId};
use surety_core::view::{BlockRef, KeeperView, RentalView};

type Provider = RootProvider<AnyNetwork>;
type Vault = CollateralVault::CollateralVaultInstance<Provider, AnyNetwork>;
type Escrow = RentalEscrow::RentalEscrowInstance<Provider, AnyNetwork>;
type Court = Arbiter::ArbiterInstance<Provider, AnyNetwork>;
type Bids = RentalBids::RentalBidsInstance<Provider, AnyNetwork>;
type Electorate = AppointedKeepers::AppointedKeepersInstance<Provider, AnyNetwork>;

/// The contracts.
#[derive(Debug, Clone)]
pub struct Chain {
    /// The node.
    pub node: Node,
    /// What is deployed where.
    pub deployment: Deployment,
    /// Views as the keepers' types.
    pub reader: Reader,
    /// Holds bonds.
    pub vault: Vault,
    /// Holds rent.
    pub escrow: Escrow,
    /// Turns facts into money.
    pub arbiter: Court,
    /// Holds renters' wishes.
    pub bids: Bids,
    /// The electorate.
    pub keepers: Electorate,
}

/// A machine's bond, in rao.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bond {
    /// All of it.
    pub bonded: Rao,
    /// Behind rentals.
    pub reserved: Rao,
    /// In cases.
    pub held: Rao,
    /// On its way out.
    pub exiting: Rao,
    /// Not bound.
    pub free: Rao,
}

impl Chain {
    /// The contracts of `deployment`, through `node`.
    pub fn new(node: &Node, deployment: &Deployment) -> Self {
        let provider = || node.provider().clone();
        let at = |account: Account| Address::from(account.0);
        Self {
            vault: CollateralVault::new(at(deployment.vault.address), provider()),
            escrow: RentalEscrow::new(at(deployment.escrow.address), provider()),
            arbiter: Arbiter::new(at(deployment.arbiter.address), provider()),
            bids: RentalBids::new(at(deployment.bids.address), provider()),
            keepers: AppointedKeepers::new(at(deployment.keepers.address), provider()),
            reader: Reader::new(node.clone(), deployment),
            node: node.clone(),
            deployment: deployment.clone(),
        }
    }

    /// What keepers' signatures are bound to.
    pub fn domains(&self) -> Domains {
        Domains {
            chain_id: self.deployment.chain_id,
            escrow: self.deployment.escrow.address,
            arbiter: self.deployment.arbiter.address,
        }
    }

    /// The newest block.
    pub async fn head(&self) -> Result<BlockRef> {
        let header = self.node.header(Tag::Latest).await?;
        header.and_then(|header| header.to_ref()).context("the node has no newest block")
    }

    /// The newest block's time, Unix seconds.
    pub async fn now_secs(&self) -> Result<u64> {
        Ok(self.head().await?.timestamp_secs)
    }

    /// A rental.
    pub async fn rental(&self, rental: RentalId) -> Result<RentalView> {
        Ok(self.reader.rental_at(rental, self.head().await?.number).await?)
    }

    /// A rental with the fields that only the contract has.
    pub async fn raw_rental(&self, rental: RentalId) -> Result<IRentalEscrow::Rental> {
        Ok(self.escrow.rentalAt(rental).call().await?.r)
    }

    /// A case.
    pub async fn case(&self, case: u64) -> Result<IArbiter::Case> {
        Ok(self.arbiter.caseAt(case).call().await?)
    }

    /// The keepers by account.
    pub async fn electorate(&self) -> Result<BTreeMap<Account, KeeperView>> {
        let keepers = self.reader.keepers(self.head().await?.number).await?;
        Ok(keepers.into_iter().map(|keeper| (keeper.account, keeper)).collect())
    }

    /// A machine's bond.
    pub async fn bond(&self, machine: MachineId) -> Result<Bond> {
        let bond = self.vault.bondOf(B256::from(machine.0)).call().await?;
        Ok(Bond {
            bonded: bond.bonded,
            reserved: bond.reserved,
            held: bond.held,
            exiting: bond.exiting,
            free: bond.free,
        })
    }

    /// What the vault owes an account.
    pub async fn vault_credit(&self, account: Account) -> Result<Rao> {
        Ok(self.vault.creditOf(Address::from(account.0)).call().await?)
    }

    /// What the escrow owes an account.
    pub async fn escrow_credit(&self, account: Account) -> Result<Rao> {
        Ok(self.escrow.creditOf(Address::from(account.0)).call().await?)
    }

    /// What the bids owe an account.
    pub async fn bids_credit(&self, account: Account) -> Result<Rao> {
        Ok(self.bids.creditOf(Address::from(account.0)).call().await?)
    }

    /// The contracts that hold money: vault, escrow, arbiter, bids.
    pub fn custodians(&self) -> [Address; 4] {
        [*self.vault.address(), *self.escrow.address(), *self.arbiter.address(), *self.bids.address()]
    }
}
