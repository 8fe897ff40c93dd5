// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";
import { createAppointed, createArbiter, createBids, createEscrow, createVault } from "./Build.sol";
import { AppointedKeepers } from "../src/AppointedKeepers.sol";
import { Arbiter } from "../src/Arbiter.sol";
import { CollateralVault } from "../src/CollateralVault.sol";
import { RentalBids } from "../src/RentalBids.sol";
import { RentalEscrow } from "../src/RentalEscrow.sol";
import { IArbiter } from "../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../src/interfaces/ICollateralVault.sol";
import { IRentalEscrow } from "../src/interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp } from "../src/types/Units.sol";
import { AddressMappingStandIn } from "./standins/AddressMappingStandIn.sol";
import { BalanceTransferStandIn } from "./standins/BalanceTransferStandIn.sol";
import { Ed25519VerifyStandIn } from "./standins/Ed25519VerifyStandIn.sol";
import { MetagraphStandIn } from "./standins/MetagraphStandIn.sol";
import { StorageQueryStandIn } from "./standins/StorageQueryStandIn.sol";

/// @dev Deploys the whole system with the default numbers, the precompile stand-ins at their addresses, and actors.
abstract contract Base is Test {
    uint256 internal constant WEI = 1e9;
    uint256 internal constant SEED_WEI = 500 * WEI;
    uint16 internal constant NETUID = 2;
    bytes8 internal constant NETUID_HASH = 0x283537e217dff459; // twox64(0x0200), as recorded from a node
    bytes8 internal constant UID_HASH = 0x01a12dfa1fa4ab9a; // twox64(0x0000), as recorded from a node
    bytes32 internal constant BURN = 0x6d6f646c6275726e746e73720000000000000000000000000000000000000000;
    bytes32 internal constant ASSOCIATION_PREFIX = 0x658faa385070e074c85bf6b568cf05552ee3ea5cc28fb0bcd7e9c900544e35b2;

    uint16 internal constant H100 = 3;
    uint64 internal constant H100_BOND = 721_000_000; // .721 TAO
    uint40 internal constant PRICE = 2_000; // rao a second, about 7.2e-3 TAO an hour
    uint32 internal constant DAY = 1 days;

    bytes32 internal constant MACHINE = keccak256("machine");
    bytes32 internal constant HOTKEY = keccak256("hotkey");
    bytes32 internal constant RENTER_KEY = keccak256("renter key");
    bytes32 internal constant SIG_R = keccak256("r");
    bytes32 internal constant SIG_S = keccak256("s");

    BalanceTransferStandIn internal constant TRANSFERS = BalanceTransferStandIn(address(0x800));
    MetagraphStandIn internal constant METAGRAPH = MetagraphStandIn(address(0x802));
    StorageQueryStandIn internal constant STORAGE = StorageQueryStandIn(address(0x807));
    AddressMappingStandIn internal constant MAPPING = AddressMappingStandIn(address(0x80c));
    Ed25519VerifyStandIn internal constant ED25519 = Ed25519VerifyStandIn(address(0x402));

    AppointedKeepers internal keepers;
    CollateralVault internal vault;
    RentalEscrow internal escrow;
    Arbiter internal arbiter;
    RentalBids internal bids;

    address internal OWNER = makeAddr("owner");
    address internal GUARDIAN = makeAddr("guardian");
    address internal JUDGE = makeAddr("judge");
    address internal TREASURY = makeAddr("treasury");
    address internal MINER = makeAddr("miner");
    address internal RENTER = makeAddr("renter");
    address internal STRANGER = makeAddr("stranger");

    /// @dev The keeper set that escrow and arbiter ask.
    address internal court;

    /// @dev Keeper accounts ascending, with their keys in the same order. Weights 40, 35, 25.
    address[] internal keeperAccounts;
    uint256[] internal keeperKeys;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        _placeStandIns();
        _deploy();
        _appointKeepers();
        vm.deal(MINER, 1_000 ether);
        vm.deal(RENTER, 1_000 ether);
        vm.deal(STRANGER, 1_000 ether);
    }

    /* DEPLOYMENT */

    function _placeStandIns() internal {
        vm.etch(address(0x800), type(BalanceTransferStandIn).runtimeCode);
        vm.etch(address(0x802), type(MetagraphStandIn).runtimeCode);
        vm.etch(address(0x807), type(StorageQueryStandIn).runtimeCode);
        vm.etch(address(0x80c), type(AddressMappingStandIn).runtimeCode);
        vm.etch(address(0x402), type(Ed25519VerifyStandIn).runtimeCode);
    }

    function _deploy() internal {
        keepers = createAppointed(OWNER);
        court = _createCourt();
        uint64 nonce = vm.getNonce(address(this));
        address vaultAt = vm.computeCreateAddress(address(this), nonce);
        address escrowAt = vm.computeCreateAddress(address(this), nonce + 1);
        address arbiterAt = vm.computeCreateAddress(address(this), nonce + 2);
        (uint16[] memory classes, Rao[] memory bonds) = _classBonds();
        vault = createVault(SEED_WEI, OWNER, _vaultConfig(escrowAt, arbiterAt));
        escrow = createEscrow(SEED_WEI, OWNER, _escrowConfig(vaultAt, arbiterAt), classes, bonds);
        arbiter = createArbiter(SEED_WEI, _arbiterConfig(vaultAt, escrowAt));
        bids = createBids(SEED_WEI, escrowAt);
    }

    function _vaultConfig(address escrowAt, address arbiterAt) internal view returns (ICollateralVault.Config memory) {
        return ICollateralVault.Config({
            netuid: NETUID,
            netuidHash: NETUID_HASH,
            escrow: escrowAt,
            arbiter: arbiterAt,
            keepers: court,
            exitDelaySecs: 2 days,
            exitWindowSecs: 3 days,
            statementLifeSecs: 1 days,
            statedFilingSecs: 3 days,
            guardian: GUARDIAN
        });
    }

    function _escrowConfig(address vaultAt, address arbiterAt) internal view returns (IRentalEscrow.Config memory) {
        return IRentalEscrow.Config({
            vault: vaultAt,
            arbiter: arbiterAt,
            keepers: court,
            treasury: TREASURY,
            settleLagSecs: 1 hours,
            certificateLifeSecs: 24 hours,
            bondBps: 2_000,
            feeBps: _feeBps(),
            abandonBps: 500
        });
    }

    function _arbiterConfig(address vaultAt, address escrowAt) internal view returns (IArbiter.Config memory) {
        return IArbiter.Config({
            vault: vaultAt,
            escrow: escrowAt,
            keepers: court,
            judge: JUDGE,
            appealWindowSecs: 24 hours,
            rulingWindowSecs: 48 hours,
            deliveryGraceSecs: 10 minutes,
            minInterruptedSecs: _minInterruptedSecs(),
            minOfflineSecs: 15 minutes,
            freshnessSecs: 5 minutes,
            spoofLifeSecs: 24 hours,
            notDeliveredBps: 200,
            offlineBps: 1_000,
            breakerBps: _breakerBps()
        });
    }

    /// @dev Suites about another keeper set override this.
    function _createCourt() internal virtual returns (address) {
        return address(keepers);
    }

    /// @dev Suites about fees override this.
    function _feeBps() internal view virtual returns (uint16) {
        return 0;
    }

    /// @dev Suites about the breaker override this; elsewhere nothing is slow (a test's vault is small).
    function _breakerBps() internal view virtual returns (uint16) {
        return 10_000;
    }

    /// @dev Suites about the shortest of cases override this.
    function _minInterruptedSecs() internal view virtual returns (uint32) {
        return 1 minutes;
    }

    function _classBonds() internal pure returns (uint16[] memory classes, Rao[] memory bonds) {
        classes = new uint16[](1);
        bonds = new Rao[](1);
        classes[0] = H100;
        bonds[0] = Rao.wrap(H100_BOND);
    }

    function _appointKeepers() internal {
        uint64[3] memory weights = [uint64(40), 35, 25];
        for (uint256 i = 0; i < 3; ++i) {
            _insertSorted(uint256(keccak256(abi.encode("keeper", i))));
        }
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(OWNER);
            keepers.appoint(keeperAccounts[i], weights[i], bytes32(i + 1), "http://keeper.example");
        }
    }

    function _insertSorted(uint256 key) private {
        address account = vm.addr(key);
        keeperAccounts.push(account);
        keeperKeys.push(key);
        for (uint256 j = keeperAccounts.length - 1; j > 0 && keeperAccounts[j] < keeperAccounts[j - 1]; --j) {
            (keeperAccounts[j], keeperAccounts[j - 1]) = (keeperAccounts[j - 1], keeperAccounts[j]);
            (keeperKeys[j], keeperKeys[j - 1]) = (keeperKeys[j - 1], keeperKeys[j]);
        }
    }

    /* STEPS */

    /// @dev The chain says: `miner` is associated with uid 0, whose hotkey is HOTKEY.
    function _associate(address miner) internal {
        METAGRAPH.setHotkey(NETUID, 0, HOTKEY);
        STORAGE.setValue(_associationKey(), abi.encodePacked(miner, hex"0700000000000000"));
    }

    function _associationKey() internal pure returns (bytes memory) {
        return abi.encodePacked(ASSOCIATION_PREFIX, NETUID_HASH, hex"0200", UID_HASH, hex"0000");
    }

    /// @dev Stands for a real ed25519 signature by the machine's host key (the demo makes real ones).
    function _signRegistration(bytes32 machine, address miner) internal returns (bytes32[2] memory) {
        ED25519.recordVerified(vault.registrationDigest(machine, HOTKEY, miner), machine, SIG_R, SIG_S);
        return [SIG_R, SIG_S];
    }

    function _endpoint() internal pure returns (ICollateralVault.Endpoint memory) {
        // forge-lint: disable-next-line(unsafe-typecast) 16 bytes: 203.0.113.1, v4-mapped
        return ICollateralVault.Endpoint({ ip: bytes16(hex"00000000000000000000ffffcb007101"), port: 22 });
    }

    function _register(bytes32 machine) internal returns (uint32 registration) {
        _associate(MINER);
        bytes32[2] memory sig = _signRegistration(machine, MINER);
        vm.prank(MINER);
        registration = vault.register(machine, HOTKEY, 0, UID_HASH, _endpoint(), sig);
    }

    function _deposit(bytes32 machine, uint64 rao) internal {
        vm.prank(MINER);
        vault.deposit{ value: uint256(rao) * WEI }(machine);
    }

    function _terms() internal view returns (IRentalEscrow.Offer memory) {
        return IRentalEscrow.Offer({
            price: RaoPerSecond.wrap(PRICE),
            minDurationSecs: 1 hours,
            maxDurationSecs: 30 days,
            gpuClass: H100,
            gpuCount: 1,
            turnaroundSecs: 60,
            expiresAt: Timestamp.wrap(uint32(block.timestamp) + 30 days)
        });
    }

    function _offer(bytes32 machine) internal returns (bytes32 offerHash) {
        vm.prank(MINER);
        offerHash = escrow.offer(machine, _terms());
    }

    /// @dev A registered, bonded and offered machine.
    function _ready(bytes32 machine, uint64 bondRao) internal returns (bytes32 offerHash) {
        _register(machine);
        _deposit(machine, bondRao);
        return _offer(machine);
    }

    function _rent(bytes32 machine, uint32 secs) internal returns (uint64 rental) {
        (, bytes32 offerHash,) = escrow.offerOf(machine);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(machine, 3);
        vm.prank(RENTER);
        rental = escrow.rent{ value: uint256(PRICE) * secs * WEI }(machine, secs, RENTER_KEY, offerHash, certificates);
    }

    /// @dev A rental of MACHINE for a day, bonded with 1 TAO, one second old.
    function _rented() internal returns (uint64 rental) {
        _ready(MACHINE, 1e9);
        rental = _rent(MACHINE, DAY);
    }

    /* SIGNATURES */

    function _certify(bytes32 machine, uint256 signers)
        internal
        view
        returns (IRentalEscrow.SignedCertificate[] memory certificates)
    {
        (uint32 registration,) = vault.ownerOf(machine);
        certificates = new IRentalEscrow.SignedCertificate[](signers);
        for (uint256 i = 0; i < signers; ++i) {
            certificates[i] = _certificate(keeperKeys[i], machine, registration, H100, 1, uint32(block.timestamp));
        }
    }

    function _certificate(
        uint256 key,
        bytes32 machine,
        uint32 registration,
        uint16 gpuClass,
        uint16 gpuCount,
        uint32 measuredAt
    ) internal view returns (IRentalEscrow.SignedCertificate memory c) {
        bytes32 typehash = keccak256(
            "Certificate(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,uint32 measuredAt,bytes32 evidence)"
        );
        c.gpuClass = gpuClass;
        c.gpuCount = gpuCount;
        c.measuredAt = Timestamp.wrap(measuredAt);
        c.evidence = keccak256("evidence");
        bytes32 hash =
            keccak256(abi.encode(typehash, machine, registration, gpuClass, gpuCount, measuredAt, c.evidence));
        (c.r, c.vs) = _sign(key, address(escrow), hash);
    }

    function _attest(IArbiter.Kind kind, uint64 rental, uint32 from, uint32 until, uint256 signers)
        internal
        view
        returns (IArbiter.SignedAttestation[] memory attestations)
    {
        attestations = new IArbiter.SignedAttestation[](signers);
        for (uint256 i = 0; i < signers; ++i) {
            attestations[i] = _attestation(keeperKeys[i], kind, rental, from, until);
        }
    }

    function _attestation(uint256 key, IArbiter.Kind kind, uint64 rental, uint32 from, uint32 until)
        internal
        view
        returns (IArbiter.SignedAttestation memory a)
    {
        bytes32 typehash = keccak256(
            "Attestation(uint8 kind,uint64 rental,uint8 cause,uint32 from,uint32 until,bytes32 evidence)"
        );
        a.kind = kind;
        a.cause = IArbiter.Cause.Unreachable;
        a.from = Timestamp.wrap(from);
        a.until = Timestamp.wrap(until);
        a.evidence = keccak256("evidence");
        bytes32 hash = keccak256(abi.encode(typehash, uint8(kind), rental, uint8(a.cause), from, until, a.evidence));
        (a.r, a.vs) = _sign(key, address(arbiter), hash);
    }

    function _sign(uint256 key, address consumer, bytes32 structHash) internal view returns (bytes32 r, bytes32 vs) {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Surety"),
                keccak256("1"),
                block.chainid,
                consumer
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", separator, structHash));
        bytes32 s;
        uint8 v;
        (v, r, s) = vm.sign(key, digest);
        vs = bytes32((uint256(v - 27) << 255) | uint256(s));
    }

    /* READING */

    function _rentalAt(uint64 rental) internal view returns (IRentalEscrow.Rental memory r) {
        (r,) = escrow.rentalAt(rental);
    }

    function _reserved(uint64 rental) internal view returns (uint64) {
        return Rao.unwrap(vault.reservedFor(_rentalAt(rental).registration, rental));
    }

    function _now() internal view returns (uint32) {
        return uint32(block.timestamp);
    }

    function _rao(Rao amount) internal pure returns (uint64) {
        return Rao.unwrap(amount);
    }
}
