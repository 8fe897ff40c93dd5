//! Contract state at one block, as `surety_core::view` types. Views are the truth; logs only say where to look.

mod fleet;
mod market;
mod seat;
mod stated;
pub use seat::{SeatOf, SetKind};
pub use stated::FarTerms;

use crate::bindings::{
    AppointedKeepers, Arbiter, CollateralVault, IArbiter, ICollateralVault, IKeeperSet, IRentalEscrow, RentalEscrow,
};
use crate::deployment::Deployment;
use crate::provider::{Each, Node, NodeError, redacted};
use alloy::contract::Error as ContractError;
use alloy::eips::BlockId;
use alloy::network::AnyNetwork;
use alloy::primitives::{Address, B256, Bytes};
use alloy::providers::RootProvider;
use alloy::sol_types::SolCall;
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
        only(self.nodes_at(&[registration], block).await?).map(|found| found.node)
    }

    /// Nodes by registration number, each with the newest registration of its machine.
    pub async fn nodes_at(&self, registrations: &[u32], block: u64) -> Result<Each<FoundNode>, NodeError> {
        let read = self.parts_of(registrations, block).await?.into_iter();
        let found = |parts: NodeParts| FoundNode { node: node_view(&parts.view, &parts.offer), newest: parts.newest };
        Ok(read.map(|parts| parts.map(found)).collect())
    }

    /// Nodes as the contracts show them.
    async fn parts_of(&self, registrations: &[u32], block: u64) -> Result<Each<NodeParts>, NodeError> {
        let calls = registrations.iter().map(|n| CollateralVault::nodeAtCall { registration: *n });
        let views = self.each(*self.vault.address(), calls, block).await?;
        let machines: Vec<B256> = views.iter().flatten().map(|v| v.machine).collect();
        let calls = machines.iter().map(|machine| RentalEscrow::offerOfCall { machine: *machine });
        let mut offers = self.each(*self.escrow.address(), calls, block).await?.into_iter();
        let mut newest = self.newest_of(&machines, block).await?.into_iter();
        let parts = |view: Result<ICollateralVault::NodeView, NodeError>| {
            let view = view?;
            // Both before either is looked at: they go together with this view.
            let (offer, newest) = (next(&mut offers), next(&mut newest));
            Ok(NodeParts { view, offer: offer?, newest: newest? })
        };
        Ok(views.into_iter().map(parts).collect())
    }

    /// A machine's current registration, if it has one.
    pub async fn registration_of(&self, machine: MachineId, block: u64) -> Result<Option<u32>, NodeError> {
        only(self.registrations_of(&[machine], block).await?)
    }

    /// Machines' current registrations.
    pub async fn registrations_of(&self, machines: &[MachineId], block: u64) -> Result<Each<Option<u32>>, NodeError> {
        let machines: Vec<B256> = machines.iter().map(|machine| B256::from(machine.0)).collect();
        self.newest_of(&machines, block).await
    }

    async fn newest_of(&self, machines: &[B256], block: u64) -> Result<Each<Option<u32>>, NodeError> {
        let calls = machines.iter().map(|machine| CollateralVault::ownerOfCall { machine: *machine });
        let owners = self.each(*self.vault.address(), calls, block).await?;
        let current = |owner: CollateralVault::ownerOfReturn| (owner.registration != 0).then_some(owner.registration);
        Ok(owners.into_iter().map(|owner| owner.map(current)).collect())
    }

    /// A rental and its recorded faults.
    pub async fn rental_at(&self, rental: RentalId, block: u64) -> Result<RentalView, NodeError> {
        only(self.rentals_at(&[rental], block).await?)
    }

    /// Rentals and their recorded faults.
    pub async fn rentals_at(&self, rentals: &[RentalId], block: u64) -> Result<Each<RentalView>, NodeError> {
        let calls = rentals.iter().map(|rental| RentalEscrow::rentalAtCall { rental: *rental });
        let found = self.each(*self.escrow.address(), calls, block).await?;
        let calls = found.iter().flatten().map(|f| CollateralVault::machineOfCall { registration: f.r.registration });
        let mut machines = self.each(*self.vault.address(), calls, block).await?.into_iter();
        let with_faults = rentals.iter().zip(&found).filter(|(_, f)| f.as_ref().is_ok_and(|f| f.r.faultCount != 0));
        let calls = with_faults.map(|(rental, _)| RentalEscrow::faultsOfCall { rental: *rental });
        let mut faults = self.each(*self.escrow.address(), calls, block).await?.into_iter();
        let view = |(id, found): (&RentalId, Result<RentalEscrow::rentalAtReturn, NodeError>)| {
            let found = found?;
            // All parts before any is looked at: they go together with this rental.
            let machine = next(&mut machines);
            let faults = if found.r.faultCount == 0 { Ok(vec![]) } else { next(&mut faults) };
            Ok(rental_view(*id, &found, machine?, &faults?))
        };
        Ok(rentals.iter().zip(found).map(view).collect())
    }

    /// A case.
    pub async fn case_at(&self, case: u64, block: u64) -> Result<CaseView, NodeError> {
        only(self.cases_at(&[case], block).await?)
    }

    /// Cases.
    pub async fn cases_at(&self, cases: &[u64], block: u64) -> Result<Each<CaseView>, NodeError> {
        let calls = cases.iter().map(|case| Arbiter::caseAtCall { caseId: *case });
        let found = self.each(*self.arbiter.address(), calls, block).await?;
        let sound: Each<(IArbiter::Case, CaseStatus)> =
            found.into_iter().map(|case| case.and_then(|case| status(case.status).map(|s| (case, s)))).collect();
        let open = cases.iter().zip(&sound).filter(|(_, c)| c.as_ref().is_ok_and(|(_, s)| !s.is_decided()));
        let calls = open.map(|(case, _)| Arbiter::executableAtCall { caseId: *case });
        let mut executable = self.each(*self.arbiter.address(), calls, block).await?.into_iter();
        let view = |(id, sound): (&u64, Result<(IArbiter::Case, CaseStatus), NodeError>)| {
            let (case, status) = sound?;
            let executable_at = if status.is_decided() { 0 } else { next(&mut executable)? };
            Ok(CaseView {
                id: *id,
                kind: kind(case.kind)?,
                status,
                rental: case.rental,
                executable_at_secs: u64::from(executable_at),
                penalty_rao: case.penalty,
                registration: case.registration,
                filed_at_secs: u64::from(case.filedAt),
            })
        };
        Ok(cases.iter().zip(sound).map(view).collect())
    }

    /// One view of a contract for each call, in order; an answer that cannot be decoded is that call's own error.
    async fn each<C: SolCall>(
        &self,
        to: Address,
        calls: impl Iterator<Item = C>,
        block: u64,
    ) -> Result<Each<C::Return>, NodeError> {
        let calls = calls.map(|call| (to, Bytes::from(call.abi_encode()))).collect();
        let odd = |e: alloy::sol_types::Error| NodeError::Odd { method: "eth_call", what: e.to_string() };
        let decode = |answer: Bytes| C::abi_decode_returns(&answer).map_err(odd);
        let answers = self.node.call_each(calls, block).await?;
        Ok(answers.into_iter().map(|answer| answer.and_then(decode)).collect())
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
        let indices = (0..count.min(MAX_KEEPERS)).map(alloy::primitives::U256::from);
        let calls = indices.map(|index| AppointedKeepers::keeperAtCall { index });
        let found = self.each(*self.keepers.address(), calls, block).await?;
        found.into_iter().map(|keeper| keeper.map(keeper_view)).collect()
    }
}

/// A node, and what its machine's registration is by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundNode {
    /// The node.
    pub node: NodeView,
    /// The newest registration of its machine, if it has one.
    pub newest: Option<u32>,
}

/// A node as the contracts show it.
struct NodeParts {
    view: ICollateralVault::NodeView,
    offer: RentalEscrow::offerOfReturn,
    newest: Option<u32>,
}

/// The answer to the only question asked.
fn only<T>(mut answers: Each<T>) -> Result<T, NodeError> {
    next(&mut answers.drain(..))
}

fn next<T>(answers: &mut impl Iterator<Item = Result<T, NodeError>>) -> Result<T, NodeError> {
    let missing = || NodeError::Odd { method: "eth_call", what: "fewer answers than requests".into() };
    answers.next().unwrap_or_else(|| Err(missing()))
}

/// `AppointedKeepers.MAX_KEEPERS`.
const MAX_KEEPERS: u64 = 256;
/// `AppointedKeepers.MAX_URL_BYTES`.
const MAX_URL_CHARS: usize = 256;

fn keeper_view(k: IKeeperSet::Keeper) -> KeeperView {
    KeeperView {
        account: Account(k.account.into_array()),
        weight: k.weight,
        active: k.active,
        ssh_key: SshKey(k.sshKey.0),
        url: k.url.chars().take(MAX_URL_CHARS).collect(),
    }
}

fn node_view(v: &ICollateralVault::NodeView, offer: &RentalEscrow::offerOfReturn) -> NodeView {
    NodeView {
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
    }
}

fn rental_view(
    id: RentalId,
    found: &RentalEscrow::rentalAtReturn,
    machine: B256,
    faults: &[IRentalEscrow::Fault],
) -> RentalView {
    let r = &found.r;
    let fault = |f: &IRentalEscrow::Fault| FaultView {
        from_secs: u64::from(f.from),
        until_secs: u64::from(f.until),
        case_id: f.caseId,
    };
    RentalView {
        id,
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
        faults: faults.iter().map(fault).collect(),
    }
}

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
    answer.map_err(not_viewed)
}

/// What alloy says of a view that was not answered, without the URL that was asked: it may hold a key.
pub fn not_viewed(error: ContractError) -> NodeError {
    let method = "eth_call";
    match error {
        ContractError::TransportError(inner) => match inner.as_error_resp() {
            Some(payload) => NodeError::Refused {
                method,
                code: payload.code,
                message: payload.message.chars().take(300).collect(),
                data: payload.as_revert_data(),
            },
            None => NodeError::Refused { method, code: 0, message: redacted(&inner.to_string()), data: None },
        },
        other => NodeError::Odd { method, what: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::transports::TransportErrorKind;

    #[test]
    fn a_key_in_an_rpc_url_is_not_in_a_views_error_either() {
        let inner = TransportErrorKind::custom_str("error sending request for url (https://node.example/v2/SECRET)");
        let said = view::<()>(Err(ContractError::TransportError(inner))).map_err(|error| error.to_string());
        assert_eq!(said, Err("the node answered eth_call with: error sending request for the node".into()));
    }
}
