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
    pub hotkey: AccountId,
    host_key: ed25519_dalek::SigningKey,
    keeper_keys: Vec<k256::ecdsa::SigningKey>,
}

impl Surety {
    /// Deployed, three keepers appointed, the miner's hotkey at uid 0 and associated with the miner's address.
    pub fn new() -> Self {
        let [miner, renter, stranger, owner, judge] = ["miner", "renter", "stranger", "owner", "judge"].map(addr);
        let mut chain = chain(&[miner, renter, stranger, owner]);
        let hotkey = native("hotkey");
        chain.register_hotkey(NETUID, 0, hotkey, native("coldkey"));
        chain.associate(NETUID, 0, miner).unwrap();
        let [keepers, vault, escrow, arbiter, bids] = create_all(&mut chain, owner, judge);
        let mut keeper_keys: Vec<_> = (1..=3).map(|i| k256::ecdsa::SigningKey::from_slice(&[i; 32]).unwrap()).collect();
        keeper_keys.sort_by_key(account_of);
        let host_key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        for (key, weight) in keeper_keys.iter().zip([40, 35, 25]) {
            let (account, url) = (account_of(key), "http://keeper.example".to_string());
            let call = keepers::appointCall { account, weight, sshKey: account.into_word(), url };
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

    pub fn offer(&mut self) -> B256 {
        let terms = escrow::IRentalEscrow::Offer {
            price: alloy_primitives::Uint::from(PRICE_RAO),
            minDurationSecs: HOUR as u16,
            maxDurationSecs: 30 * DAY,
            gpuClass: H100,
            gpuCount: 1,
            turnaroundSecs: alloy_primitives::Uint::from(60),
            expiresAt: self.chain.now() as u32 + 30 * DAY,
        };
        let call = escrow::offerCall { machine: self.machine(), terms };
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

    pub fn file(&mut self, rental: u64, from: u32, until: u32, signers: usize) -> Outcome {
        let attestations = self.attestations(rental, from, until, signers);
        let call = arbiter::fileCall { kind: OFFLINE, rental, gap: 0, attestations };
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

fn create_all(chain: &mut Chain, owner: Address, judge: Address) -> [Address; 5] {
    let first = chain.nonce(owner);
    let [keepers, vault, escrow, arbiter, bids] = [0, 1, 2, 3, 4].map(|i| owner.create(first + i));
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
    for (((_, code), arguments), seed) in shipped().into_iter().zip(arguments).zip(seeds) {
        deploy(chain, owner, [code, &arguments].concat(), seed);
    }
    [keepers, vault, escrow, arbiter, bids]
}

fn endpoint() -> vault::ICollateralVault::Endpoint {
    let ip = std::net::Ipv4Addr::new(203, 0, 113, 1).to_ipv6_mapped().octets();
    vault::ICollateralVault::Endpoint { ip: ip.into(), port: 22 }
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
