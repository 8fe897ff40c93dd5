//! Everything these tests know about Surety's own contracts: their artifacts, how they are deployed, what keepers and
//! machines sign. When a constructor or a struct changes, this file changes and nothing else.

use crate::kit::{NETUID, TAO, addr, chain, deploy, native, ok, send, view, word};
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::{SolConstructor, SolValue};
use ed25519_dalek::Signer;
use surety_subtensor_evm::{AccountId, Chain, Outcome, Precompile, ledger::EXISTENTIAL_DEPOSIT_RAO, precompiles};

macro_rules! contract {
    ($module:ident, $name:ident, $path:literal) => {
        #[allow(missing_docs, unreachable_pub, clippy::all, clippy::unwrap_used)]
        pub mod $module {
            alloy_sol_types::sol!(
                #[sol(all_derives)]
                $name,
                $path
            );
            pub use $name::*;
        }
    };
}

contract!(keepers, AppointedKeepers, "../../contracts/artifacts/AppointedKeepers.json");
contract!(vault, CollateralVault, "../../contracts/artifacts/CollateralVault.json");
contract!(escrow, RentalEscrow, "../../contracts/artifacts/RentalEscrow.json");
contract!(arbiter, Arbiter, "../../contracts/artifacts/Arbiter.json");
contract!(bids, RentalBids, "../../contracts/artifacts/RentalBids.json");

/// GPU class with a bond in the table, and the bond for one GPU, in rao.
pub const H100: u16 = 3;
pub const H100_BOND_RAO: u64 = 721_000_000;
/// Price of the test's offer, in rao a second.
pub const PRICE_RAO: u64 = 2_000;
pub const HOUR: u32 = 3_600;
pub const DAY: u32 = 24 * HOUR;
/// Kinds of case.
pub const OFFLINE: u8 = 3;

/// The system on a chain, with everybody in it.
pub struct Surety {
    pub chain: Chain,
    pub keepers: Address,
    pub vault: Address,
    pub escrow: Address,
    pub arbiter: Address,
    pub bids: Address,
    pub miner: Address,
    pub renter: Address,
    pub stranger: Address,
    pub owner: Address,
    pub judge: Address,
    pub guardian: Address,
    pub hotkey: AccountId,
    host_key: ed25519_dalek::SigningKey,
    keeper_keys: Vec<k256::ecdsa::SigningKey>,
}

impl Surety {
    /// Deployed, three keepers appointed, the miner's hotkey at uid 0 and associated with the miner's address.
    pub fn new() -> Self {
        let [miner, renter, stranger, owner] = ["miner", "renter", "stranger", "owner"].map(addr);
        let [judge, guardian] = ["judge", "guardian"].map(addr);
        let mut chain = chain(&[miner, renter, stranger, owner, judge, guardian]);
        let hotkey = native("hotkey");
        chain.register_hotkey(NETUID, 0, hotkey, native("coldkey"));
        chain.associate(NETUID, 0, miner).unwrap();
        for (code, seed) in creations(owner, judge) {
            deploy(&mut chain, owner, code, seed);
        }
        let [keepers, vault, escrow, arbiter, bids] = addresses(owner);
        let mut keeper_keys: Vec<_> = (1..=3).map(|i| k256::ecdsa::SigningKey::from_slice(&[i; 32]).unwrap()).collect();
        keeper_keys.sort_by_key(account_of);
        let host_key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        for call in appointments(&keeper_keys) {
            ok(&mut chain, owner, keepers, call, 0);
        }
        Self {
            chain,
            keepers,
            vault,
            escrow,
            arbiter,
            bids,
            miner,
            renter,
            stranger,
            owner,
            judge,
            guardian,
            hotkey,
            host_key,
            keeper_keys,
        }
    }

    /// The machine's id: its host key.
    pub fn machine(&self) -> B256 {
        B256::from(self.host_key.verifying_key().to_bytes())
    }

    /// The five contracts.
    pub fn contracts(&self) -> [Address; 5] {
        [self.keepers, self.vault, self.escrow, self.arbiter, self.bids]
    }

    /* STEPS */

    pub fn registration(&self, uid: u16) -> vault::registerCall {
        let call =
            vault::registrationDigestCall { machine: self.machine(), hotkey: self.hotkey.to_b256(), miner: self.miner };
        let digest: B256 = view(&self.chain, self.vault, call);
        let signature = self.host_key.sign(digest.as_slice());
        let uid_hash = precompiles::twox64_concat(&uid.to_le_bytes());
        vault::registerCall {
            machine: self.machine(),
            hotkey: self.hotkey.to_b256(),
            uid,
            uidHash: alloy_primitives::FixedBytes::from_slice(&uid_hash[..8]),
            endpoint: endpoint(),
            machineSig: [B256::from(*signature.r_bytes()), B256::from(*signature.s_bytes())],
        }
    }

    pub fn register(&mut self) -> u32 {
        let call = self.registration(0);
        ok(&mut self.chain, self.miner, self.vault, call, 0)
    }

    pub fn deposit(&mut self, rao: u64) {
        let call = vault::depositCall { machine: self.machine() };
        ok(&mut self.chain, self.miner, self.vault, call, rao);
    }

    pub fn offer_call(&self) -> escrow::offerCall {
        let terms = escrow::IRentalEscrow::Offer {
            price: alloy_primitives::Uint::from(PRICE_RAO),
            minDurationSecs: HOUR as u16,
            maxDurationSecs: 30 * DAY,
            gpuClass: H100,
            gpuCount: 1,
            turnaroundSecs: alloy_primitives::Uint::from(60),
            expiresAt: self.chain.now() as u32 + 30 * DAY,
        };
        escrow::offerCall { machine: self.machine(), terms }
    }

    pub fn offer(&mut self) -> B256 {
        let call = self.offer_call();
        ok(&mut self.chain, self.miner, self.escrow, call, 0)
    }

    /// Registered, bonded, offered.
    pub fn ready(&mut self, bond_rao: u64) -> B256 {
        self.register();
        self.deposit(bond_rao);
        self.offer()
    }

    pub fn rent_call(&self, offer_hash: B256, secs: u32) -> escrow::rentCall {
        escrow::rentCall {
            machine: self.machine(),
            durationSecs: secs,
            renterKey: word("renter's ssh key"),
            offerHash: offer_hash,
            certificates: self.certificates(3),
        }
    }

    /// A day's rental by the renter.
    pub fn rented(&mut self) -> u64 {
        let hash = self.ready(TAO);
        let call = self.rent_call(hash, DAY);
        ok(&mut self.chain, self.renter, self.escrow, call, PRICE_RAO * u64::from(DAY))
    }

    pub fn bid_call(&self, secs: u32, max_price_rao: u64) -> bids::postCall {
        bids::postCall {
            gpuClass: H100,
            gpuCount: 1,
            durationSecs: secs,
            maxPrice: alloy_primitives::Uint::from(max_price_rao),
            renterKey: word("renter's ssh key"),
            expiresAt: self.chain.now() as u32 + DAY,
        }
    }

    pub fn file_call(&self, rental: u64, from: u32, until: u32, signers: usize) -> arbiter::fileCall {
        let attestations = self.attestations(rental, from, until, signers);
        arbiter::fileCall { kind: OFFLINE, rental, gap: 0, attestations }
    }

    pub fn file(&mut self, rental: u64, from: u32, until: u32, signers: usize) -> Outcome {
        let call = self.file_call(rental, from, until, signers);
        send(&mut self.chain, self.stranger, self.arbiter, call, 0)
    }

    pub fn withdraw_credit(&mut self, from: Address, account: Address) -> Outcome {
        send(&mut self.chain, self.stranger, from, vault::withdrawCreditCall { account }, 0)
    }

    /* SIGNATURES */

    pub fn certificates(&self, signers: usize) -> Vec<escrow::IRentalEscrow::SignedCertificate> {
        let (measured_at, evidence) = (self.chain.now() as u32, word("evidence"));
        let owner = view(&self.chain, self.vault, vault::ownerOfCall { machine: self.machine() });
        let typehash = keccak256(
            "Certificate(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,uint32 measuredAt,bytes32 evidence)",
        );
        let fields = (typehash, self.machine(), owner.registration, H100, 1u16, measured_at, evidence);
        let digest = self.digest(self.escrow, keccak256(fields.abi_encode()));
        let sign = |key| {
            let (r, vs) = sign(key, digest);
            escrow::IRentalEscrow::SignedCertificate {
                gpuClass: H100,
                gpuCount: 1,
                measuredAt: measured_at,
                evidence,
                r,
                vs,
            }
        };
        self.keeper_keys.iter().take(signers).map(sign).collect()
    }

    /// The same, for the contract of bids.
    pub fn bid_certificates(&self, signers: usize) -> Vec<bids::IRentalEscrow::SignedCertificate> {
        let same = |c: escrow::IRentalEscrow::SignedCertificate| bids::IRentalEscrow::SignedCertificate {
            gpuClass: c.gpuClass,
            gpuCount: c.gpuCount,
            measuredAt: c.measuredAt,
            evidence: c.evidence,
            r: c.r,
            vs: c.vs,
        };
        self.certificates(signers).into_iter().map(same).collect()
    }

    fn attestations(
        &self,
        rental: u64,
        from: u32,
        until: u32,
        signers: usize,
    ) -> Vec<arbiter::IArbiter::SignedAttestation> {
        let (cause, evidence) = (1u8, word("evidence"));
        let typehash =
            keccak256("Attestation(uint8 kind,uint64 rental,uint8 cause,uint32 from,uint32 until,bytes32 evidence)");
        let fields = (typehash, U256::from(OFFLINE), rental, U256::from(cause), from, until, evidence);
        let digest = self.digest(self.arbiter, keccak256(fields.abi_encode()));
        let sign = |key| {
            let (r, vs) = sign(key, digest);
            arbiter::IArbiter::SignedAttestation { kind: OFFLINE, cause, from, until, evidence, r, vs }
        };
        self.keeper_keys.iter().take(signers).map(sign).collect()
    }

    /// The machine signed false proofs of its whole class, just now.
    pub fn spoof_call(&self, signers: usize) -> arbiter::fileSpoofedCall {
        let (machine, proved_at, evidence) = (self.machine(), self.chain.now() as u32, word("evidence"));
        let registration = view(&self.chain, self.vault, vault::ownerOfCall { machine }).registration;
        let typehash = keccak256(
            "Spoof(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,uint32 provedAt,bytes32 evidence)",
        );
        let fields = (typehash, machine, registration, H100, 1u16, proved_at, evidence);
        let digest = self.digest(self.arbiter, keccak256(fields.abi_encode()));
        let sign = |key| {
            let (r, vs) = sign(key, digest);
            arbiter::IArbiter::SignedSpoof { provedAt: proved_at, evidence, r, vs }
        };
        let spoofs = self.keeper_keys.iter().take(signers).map(sign).collect();
        arbiter::fileSpoofedCall { machine, registration, gpuClass: H100, gpuCount: 1, spoofs }
    }

    fn digest(&self, consumer: Address, struct_hash: B256) -> B256 {
        let typehash = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        let chain_id = U256::from(self.chain.block().chain_id);
        let domain = (typehash, keccak256("Surety"), keccak256("1"), chain_id, consumer).abi_encode();
        keccak256([&[0x19, 0x01][..], keccak256(domain).as_slice(), struct_hash.as_slice()].concat())
    }

    /* BOOKS */

    pub fn liabilities(&self, of: Address) -> u64 {
        view(&self.chain, of, vault::liabilitiesCall {})
    }

    pub fn credit(&self, of: Address, account: Address) -> u64 {
        view(&self.chain, of, vault::creditOfCall { account })
    }

    /// SPEC: each contract's free balance is at least its liabilities and the seed.
    pub fn assert_solvent(&self) {
        for contract in [self.vault, self.escrow, self.arbiter, self.bids] {
            let (owns, owes) = (self.chain.free_rao(contract), self.liabilities(contract));
            assert!(owns >= owes + EXISTENTIAL_DEPOSIT_RAO, "{contract} owns {owns} rao and owes {owes}");
        }
    }

    /// SPEC: no external call to an address that is not a constant precompile or a sibling, none of them delegated.
    /// Answers which precompiles were called since the last time.
    pub fn assert_only_known_callees(&mut self) -> Vec<Precompile> {
        let (ours, mut called) = (self.contracts(), Vec::new());
        let precompiles = [
            Precompile::EcRecover,
            Precompile::Ed25519Verify,
            Precompile::BalanceTransfer,
            Precompile::Metagraph,
            Precompile::StorageQuery,
            Precompile::AddressMapping,
        ];
        for frame in self.chain.take_frames() {
            let by_us = ours.contains(&frame.caller) || ours.contains(&frame.context);
            if by_us {
                assert_eq!(frame.context, frame.code, "code of others in the name of ours: {frame:?}");
            }
            if ours.contains(&frame.caller) {
                let precompile = precompiles.into_iter().find(|p| p.address() == frame.code);
                assert!(ours.contains(&frame.code) || precompile.is_some(), "{frame:?}");
                called.extend(precompile);
            }
        }
        called.sort_unstable();
        called.dedup();
        called
    }
}

/// Creation code of each contract, and a name.
pub fn shipped() -> [(&'static str, &'static [u8]); 5] {
    [
        ("AppointedKeepers", &keepers::BYTECODE),
        ("CollateralVault", &vault::BYTECODE),
        ("RentalEscrow", &escrow::BYTECODE),
        ("Arbiter", &arbiter::BYTECODE),
        ("RentalBids", &bids::BYTECODE),
    ]
}

/// Creation codes with arguments, and what each is created with in rao, for an owner that has sent nothing before.
fn creations(owner: Address, judge: Address) -> Vec<(Vec<u8>, u64)> {
    let [keepers, vault, escrow, arbiter, _bids] = addresses(owner);
    let vault_config = vault::ICollateralVault::Config {
        netuid: NETUID,
        netuidHash: alloy_primitives::FixedBytes::from_slice(&precompiles::twox64_concat(&NETUID.to_le_bytes())[..8]),
        escrow,
        arbiter,
        exitDelaySecs: 2 * DAY,
        exitWindowSecs: 3 * DAY,
        guardian: addr("guardian"),
    };
    let escrow_config = escrow::IRentalEscrow::Config {
        vault,
        arbiter,
        keepers,
        treasury: addr("treasury"),
        settleLagSecs: HOUR,
        certificateLifeSecs: DAY,
        bondBps: 2_000,
        feeBps: 0,
        abandonBps: 500,
    };
    let arbiter_config = arbiter::IArbiter::Config {
        vault,
        escrow,
        keepers,
        judge,
        appealWindowSecs: DAY,
        rulingWindowSecs: 2 * DAY,
        deliveryGraceSecs: 600,
        minInterruptedSecs: 60,
        minOfflineSecs: 900,
        freshnessSecs: 300,
        spoofLifeSecs: DAY,
        notDeliveredBps: 200,
        offlineBps: 1_000,
        breakerBps: 10_000,
    };
    let (classes, bonds) = (vec![H100], vec![H100_BOND_RAO]);
    let arguments = [
        keepers::constructorCall { owner }.abi_encode(),
        vault::constructorCall { owner, config: vault_config }.abi_encode(),
        escrow::constructorCall { owner, config: escrow_config, classes, bonds }.abi_encode(),
        arbiter::constructorCall { config: arbiter_config }.abi_encode(),
        bids::constructorCall { escrow }.abi_encode(),
    ];
    let seeds = [0, EXISTENTIAL_DEPOSIT_RAO, EXISTENTIAL_DEPOSIT_RAO, EXISTENTIAL_DEPOSIT_RAO, EXISTENTIAL_DEPOSIT_RAO];
    let codes = shipped().into_iter().zip(arguments).zip(seeds);
    codes.map(|(((_, code), arguments), seed)| ([code, &arguments].concat(), seed)).collect()
}

/// Siblings' addresses are computed before anything is deployed.
fn addresses(owner: Address) -> [Address; 5] {
    [0, 1, 2, 3, 4].map(|nonce| owner.create(nonce))
}

fn endpoint() -> vault::ICollateralVault::Endpoint {
    let ip = std::net::Ipv4Addr::new(203, 0, 113, 1).to_ipv6_mapped().octets();
    vault::ICollateralVault::Endpoint { ip: ip.into(), port: 22 }
}

fn appointments(keys: &[k256::ecdsa::SigningKey]) -> impl Iterator<Item = keepers::appointCall> + '_ {
    keys.iter().zip([40, 35, 25]).map(|(key, weight)| {
        let (account, url) = (account_of(key), "http://keeper.example".to_string());
        keepers::appointCall { account, weight, sshKey: account.into_word(), url }
    })
}

fn account_of(key: &k256::ecdsa::SigningKey) -> Address {
    Address::from_public_key(key.verifying_key())
}

/// EIP-2098 form of a low-s signature.
fn sign(key: &k256::ecdsa::SigningKey, digest: B256) -> (B256, B256) {
    let (signature, recovery) = key.sign_prehash_recoverable(digest.as_slice()).unwrap();
    let bytes: [u8; 64] = signature.to_bytes().into();
    let mut vs = B256::from_slice(&bytes[32..]);
    vs.0[0] |= u8::from(recovery.is_y_odd()) << 7;
    (B256::from_slice(&bytes[..32]), vs)
}

/// Code as it stands on chain.
pub fn code_of(s: &Surety, contract: Address) -> Vec<u8> {
    s.chain.code(contract).to_vec()
}

/// The same system on anvil, where stand-ins are the precompiles.
pub mod setup {
    use super::{Surety, appointments, creations, vault};
    use crate::{
        kit::{NETUID, TAO, at, view},
        node::{Anvil, Node},
    };
    use alloy_primitives::{Address, hex};
    use alloy_sol_types::SolCall;
    use surety_subtensor_evm::{AccountId, Precompile, precompiles::twox64_concat};

    contract!(transfers, BalanceTransferStandIn, "../../contracts/artifacts/BalanceTransferStandIn.json");
    contract!(metagraph, MetagraphStandIn, "../../contracts/artifacts/MetagraphStandIn.json");
    contract!(storage, StorageQueryStandIn, "../../contracts/artifacts/StorageQueryStandIn.json");
    contract!(mapping, AddressMappingStandIn, "../../contracts/artifacts/AddressMappingStandIn.json");
    contract!(ed25519, Ed25519VerifyStandIn, "../../contracts/artifacts/Ed25519VerifyStandIn.json");

    /// Deploys on anvil what `s` has, for the same people with the same keys at the same addresses.
    pub fn on_anvil(anvil: &mut Anvil, s: &Surety) {
        for who in [s.miner, s.renter, s.stranger, s.owner, s.judge] {
            anvil.fund(who, 1_000 * TAO);
        }
        anvil.set_code(at(Precompile::BalanceTransfer), &transfers::DEPLOYED_BYTECODE);
        anvil.set_code(at(Precompile::Metagraph), &metagraph::DEPLOYED_BYTECODE);
        anvil.set_code(at(Precompile::StorageQuery), &storage::DEPLOYED_BYTECODE);
        anvil.set_code(at(Precompile::AddressMapping), &mapping::DEPLOYED_BYTECODE);
        anvil.set_code(at(Precompile::Ed25519Verify), &ed25519::DEPLOYED_BYTECODE);
        for ((code, seed), address) in creations(s.owner, s.judge).into_iter().zip(s.contracts()) {
            let answer = anvil.send(s.owner, None, code, seed);
            assert!(answer.succeeded && answer.created == Some(address), "{answer:?}");
        }
        for call in appointments(&s.keeper_keys) {
            done(anvil, s.owner, s.keepers, call);
        }
        associate(anvil, s);
    }

    fn associate(anvil: &mut Anvil, s: &Surety) {
        let (hotkey, stranger) = (s.hotkey.to_b256(), s.stranger);
        let seat = metagraph::setHotkeyCall { netuid: NETUID, uid: 0, hotkey };
        done(anvil, stranger, at(Precompile::Metagraph), seat);
        let prefix = hex!("658faa385070e074c85bf6b568cf05552ee3ea5cc28fb0bcd7e9c900544e35b2");
        let [net, uid] = [NETUID, 0].map(|id: u16| twox64_concat(&id.to_le_bytes()));
        let key = [&prefix[..], &net, &uid].concat().into();
        let value = [s.miner.as_slice(), &10_000u64.to_le_bytes()].concat().into();
        done(anvil, stranger, at(Precompile::StorageQuery), storage::setValueCall { key, value });

        let register = s.registration(0);
        let (machine, miner) = (s.machine(), s.miner);
        let message = view(&s.chain, s.vault, vault::registrationDigestCall { machine, hotkey, miner });
        let [r, signed] = register.machineSig;
        let verified = ed25519::recordVerifiedCall { message, publicKey: machine, r, s: signed };
        done(anvil, stranger, at(Precompile::Ed25519Verify), verified);
        for account in [s.miner, s.renter, s.stranger] {
            let known = transfers::introduceCall { accountId: AccountId::of(account).to_b256(), account };
            done(anvil, stranger, at(Precompile::BalanceTransfer), known);
        }
    }

    fn done(anvil: &mut Anvil, from: Address, to: Address, call: impl SolCall) {
        let answer = anvil.send(from, Some(to), call.abi_encode(), 0);
        assert!(answer.succeeded, "{answer:?}");
    }
}
