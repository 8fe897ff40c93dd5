//! Contract state at one block, as `surety_core::view` types. Views are the truth; logs only say where to look.

use crate::bindings::{AppointedKeepers, Arbiter, CollateralVault, IRentalEscrow, RentalEscrow};
use crate::deployment::Deployment;
use crate::provider::{Node, NodeError};
use alloy::contract::Error as ContractError;
use alloy::eips::BlockId;
use alloy::network::AnyNetwork;
use alloy::primitives::{Address, B256};
use alloy::providers::RootProvider;
use std::net::{IpAddr, Ipv6Addr};
use surety_core::types::{Account, Endpoint, Kind, MachineId, RentalId, SshKey};
use surety_core::view::{CaseStatus, CaseView, ContractTimes, FaultView, KeeperView, NodeView, OfferView, RentalView};

type Provider = RootProvider<AnyNetwork>;

/// Reads the four contracts of one deployment through one node.
#[derive(Debug, Clone)]
pub struct Reader {
    node: Node,
    vault: CollateralVault::CollateralVaultInstance<Provider, AnyNetwork>,
    escrow: RentalEscrow::RentalEscrowInstance<Provider, AnyNetwork>,
    arbiter: Arbiter::ArbiterInstance<Provider, AnyNetwork>,
    keepers: AppointedKeepers::AppointedKeepersInstance<Provider, AnyNetwork>,
}

/// How many of each there are; ids are dense, from 1 (keepers: from 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Registrations ever made.
    pub registrations: u32,
    /// Rentals ever made.
    pub rentals: u64,
    /// Cases ever filed.
    pub cases: u64,
}

impl Reader {
    /// Reads `deployment` through `node`.
    pub fn new(node: Node, deployment: &Deployment) -> Self {
        let at = |account: Account| Address::from(account.0);
        let provider = node.provider().clone();
        Self {
            vault: CollateralVault::new(at(deployment.vault.address), provider.clone()),
            escrow: RentalEscrow::new(at(deployment.escrow.address), provider.clone()),
            arbiter: Arbiter::new(at(deployment.arbiter.address), provider.clone()),
            keepers: AppointedKeepers::new(at(deployment.keepers.address), provider),
            node,
        }
    }

    /// The node read through.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// How many of each there are at `block`.
    pub async fn counts(&self, block: u64) -> Result<Counts, NodeError> {
        let id = BlockId::number(block);
        Ok(Counts {
            registrations: view(self.vault.registrationCount().block(id).call().await)?,
            rentals: view(self.escrow.rentalCount().block(id).call().await)?,
            cases: view(self.arbiter.caseCount().block(id).call().await)?,
        })
    }

    /// The node of a registration number, with its offer if it is the machine's current one.
    pub async fn node_at(&self, registration: u32, block: u64) -> Result<NodeView, NodeError> {
        let id = BlockId::number(block);
        let v = view(self.vault.nodeAt(registration).block(id).call().await)?;
        let offer = view(self.escrow.offerOf(v.machine).block(id).call().await)?;
        Ok(NodeView {
            machine: MachineId(v.machine.0),
            miner: if v.retired { Account([0; 20]) } else { Account(v.miner.into_array()) },
            registration: v.registration,
            endpoint: endpoint(v.endpoint.ip.0, v.endpoint.port),
            free_rao: v.free,
            reserved_rao: v.reserved,
            held_rao: v.held,
            exiting_rao: v.exiting,
            offer: offer_view(&offer.terms),
            last_rental: offer.lastRental,
        })
    }

    /// A machine's current registration, if it has one.
    pub async fn registration_of(&self, machine: MachineId, block: u64) -> Result<Option<u32>, NodeError> {
        let id = BlockId::number(block);
        let owner = view(self.vault.ownerOf(B256::from(machine.0)).block(id).call().await)?;
        Ok((owner.registration != 0).then_some(owner.registration))
    }

    /// A rental and its recorded faults.
    pub async fn rental_at(&self, rental: RentalId, block: u64) -> Result<RentalView, NodeError> {
        let id = BlockId::number(block);
        let found = view(self.escrow.rentalAt(rental).block(id).call().await)?;
        let r = found.r;
        let machine = view(self.vault.machineOf(r.registration).block(id).call().await)?;
        let faults = if r.faultCount == 0 { vec![] } else { self.faults_of(rental, id).await? };
        Ok(RentalView {
            id: rental,
            machine: MachineId(machine.0),
            renter: Account(r.renter.into_array()),
            renter_key: SshKey(found.renterKey.0),
            gpu_class: r.gpuClass,
            gpu_count: u16::from(r.gpuCount),
            price_rao_per_sec: r.price.to(),
            start_secs: u64::from(r.start),
            end_secs: u64::from(r.end),
            paid_until_secs: u64::from(r.paidUntil),
            claimed_secs: u64::from(r.claimedSecs),
            closed: r.closed,
            faults,
        })
    }

    async fn faults_of(&self, rental: RentalId, id: BlockId) -> Result<Vec<FaultView>, NodeError> {
        let faults = view(self.escrow.faultsOf(rental).block(id).call().await)?;
        let fault = |f: &IRentalEscrow::Fault| FaultView {
            from_secs: u64::from(f.from),
            until_secs: u64::from(f.until),
            case_id: f.caseId,
        };
        Ok(faults.iter().map(fault).collect())
    }

    /// A case.
    pub async fn case_at(&self, case: u64, block: u64) -> Result<CaseView, NodeError> {
        let id = BlockId::number(block);
        let c = view(self.arbiter.caseAt(case).block(id).call().await)?;
        let status = status(c.status)?;
        let executable_at =
            if status.is_decided() { 0 } else { view(self.arbiter.executableAt(case).block(id).call().await)? };
        Ok(CaseView {
            id: case,
            kind: kind(c.kind)?,
            status,
            rental: c.rental,
            executable_at_secs: u64::from(executable_at),
            penalty_rao: c.penalty,
            registration: c.registration,
            filed_at_secs: u64::from(c.filedAt),
        })
    }

    /// Windows and minimums, from the contracts' own immutables.
    pub async fn times(&self, block: u64) -> Result<ContractTimes, NodeError> {
        let id = BlockId::number(block);
        Ok(ContractTimes {
            settle_lag_secs: view(self.escrow.SETTLE_LAG_SECS().block(id).call().await)?.into(),
            delivery_grace_secs: view(self.arbiter.DELIVERY_GRACE_SECS().block(id).call().await)?.into(),
            min_interrupted_secs: view(self.arbiter.MIN_INTERRUPTED_SECS().block(id).call().await)?.into(),
            min_offline_secs: view(self.arbiter.MIN_OFFLINE_SECS().block(id).call().await)?.into(),
            freshness_secs: view(self.arbiter.FRESHNESS_SECS().block(id).call().await)?.into(),
            certificate_life_secs: view(self.escrow.CERTIFICATE_LIFE_SECS().block(id).call().await)?.into(),
            spoof_life_secs: view(self.arbiter.SPOOF_LIFE_SECS().block(id).call().await)?.into(),
        })
    }

    /// The whole electorate.
    pub async fn keepers(&self, block: u64) -> Result<Vec<KeeperView>, NodeError> {
        let id = BlockId::number(block);
        let count: u64 = view(self.keepers.keeperCount().block(id).call().await)?.saturating_to();
        let mut keepers = Vec::new();
        for index in 0..count.min(MAX_KEEPERS) {
            let index = alloy::primitives::U256::from(index);
            let k = view(self.keepers.keeperAt(index).block(id).call().await)?;
            keepers.push(KeeperView {
                account: Account(k.account.into_array()),
                weight: k.weight,
                active: k.active,
                ssh_key: SshKey(k.sshKey.0),
                url: k.url.chars().take(MAX_URL_CHARS).collect(),
            });
        }
        Ok(keepers)
    }
}

/// `AppointedKeepers.MAX_KEEPERS`.
const MAX_KEEPERS: u64 = 256;
/// `AppointedKeepers.MAX_URL_BYTES`.
const MAX_URL_CHARS: usize = 256;

fn offer_view(terms: &IRentalEscrow::Offer) -> Option<OfferView> {
    let price: u64 = terms.price.to();
    (price != 0).then_some(OfferView {
        gpu_class: terms.gpuClass,
        gpu_count: u16::from(terms.gpuCount),
        price_rao_per_sec: price,
        expires_at_secs: u64::from(terms.expiresAt),
    })
}

/// The 16 bytes on chain as an address; `None` while none is set.
pub fn endpoint(ip: [u8; 16], port: u16) -> Option<Endpoint> {
    let v6 = Ipv6Addr::from(ip);
    let ip = v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4);
    (port != 0).then_some(Endpoint { ip, port })
}

/// An address as the 16 bytes on chain.
pub fn endpoint_bytes(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

fn kind(value: u8) -> Result<Kind, NodeError> {
    match value {
        1 => Ok(Kind::NotDelivered),
        2 => Ok(Kind::Interrupted),
        3 => Ok(Kind::Offline),
        4 => Ok(Kind::Spoofed),
        other => Err(NodeError::Odd { method: "caseAt", what: format!("kind {other}") }),
    }
}

fn status(value: u8) -> Result<CaseStatus, NodeError> {
    match value {
        1 => Ok(CaseStatus::Filed),
        2 => Ok(CaseStatus::Appealed),
        3 => Ok(CaseStatus::Executed),
        4 => Ok(CaseStatus::Dismissed),
        5 => Ok(CaseStatus::Refunded),
        6 => Ok(CaseStatus::RefundedAppealed),
        other => Err(NodeError::Odd { method: "caseAt", what: format!("status {other}") }),
    }
}

fn view<T>(answer: Result<T, ContractError>) -> Result<T, NodeError> {
    answer.map_err(|error| match error {
        ContractError::TransportError(inner) => match inner.as_error_resp() {
            Some(payload) => NodeError::Refused {
                method: "eth_call",
                code: payload.code,
                message: payload.message.chars().take(300).collect(),
                data: payload.as_revert_data(),
            },
            None => NodeError::Refused { method: "eth_call", code: 0, message: inner.to_string(), data: None },
        },
        other => NodeError::Odd { method: "eth_call", what: other.to_string() },
    })
}
