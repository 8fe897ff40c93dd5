// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { EscrowBase } from "../escrow/EscrowBase.t.sol";

/// @dev What suites about cases share: a rental, intervals relative to its start, and signed statements.
abstract contract ArbiterBase is EscrowBase {
    IArbiter.Kind internal constant NOT_DELIVERED = IArbiter.Kind.NotDelivered;
    IArbiter.Kind internal constant INTERRUPTED = IArbiter.Kind.Interrupted;
    IArbiter.Kind internal constant OFFLINE = IArbiter.Kind.Offline;
    uint32 internal constant GRACE = 10 minutes;
    uint32 internal constant MIN_INTERRUPTED = 1 minutes;
    uint32 internal constant MIN_OFFLINE = 15 minutes;
    uint32 internal constant FRESHNESS = 5 minutes;
    uint32 internal constant APPEAL_WINDOW = 24 hours;

    uint64 internal rental;
    uint32 internal start;

    function setUp() public virtual override {
        super.setUp();
        rental = _rented();
        start = _now();
    }

    /* FILING */

    function _file(IArbiter.Kind kind, uint8 gap, IArbiter.SignedAttestation[] memory attestations)
        internal
        returns (uint64)
    {
        vm.prank(STRANGER);
        return arbiter.file(kind, rental, gap, attestations);
    }

    /// @dev All three keepers saw the same, and it is filed as what they said.
    function _fileSeen(IArbiter.Kind kind, uint8 gap, uint32 from, uint32 until) internal returns (uint64) {
        return _file(kind, gap, _attest(kind, rental, from, until, 3));
    }

    function _refuseFile(
        IArbiter.Kind kind,
        uint8 gap,
        IArbiter.SignedAttestation[] memory attestations,
        bytes memory expected
    ) internal {
        uint64 count = arbiter.caseCount();
        bytes32 before = keccak256(abi.encode(escrow.rentalAt(rental)));
        vm.expectRevert(expected);
        _file(kind, gap, attestations);
        assertEq(arbiter.caseCount(), count, "no case");
        assertEq(keccak256(abi.encode(escrow.rentalAt(rental))), before, "no change");
    }

    function _refuseSeen(IArbiter.Kind kind, uint8 gap, uint32 from, uint32 until, bytes memory expected) internal {
        _refuseFile(kind, gap, _attest(kind, rental, from, until, 3), expected);
    }

    /* SIGNING */

    /// @dev A different interval for each keeper.
    function _each(IArbiter.Kind kind, uint32[2] memory a, uint32[2] memory b, uint32[2] memory c)
        internal
        view
        returns (IArbiter.SignedAttestation[] memory seen)
    {
        seen = new IArbiter.SignedAttestation[](3);
        seen[0] = _attestation(keeperKeys[0], kind, rental, a[0], a[1]);
        seen[1] = _attestation(keeperKeys[1], kind, rental, b[0], b[1]);
        seen[2] = _attestation(keeperKeys[2], kind, rental, c[0], c[1]);
    }

    function _attestationHash(uint64 of_, IArbiter.SignedAttestation memory a) internal pure returns (bytes32) {
        bytes32 typehash =
            keccak256("Attestation(uint8 kind,uint64 rental,uint8 cause,uint32 from,uint32 until,bytes32 evidence)");
        return keccak256(abi.encode(typehash, a.kind, of_, a.cause, a.from, a.until, a.evidence));
    }

    function _spoof(uint256 key, uint32 registration, uint16 gpuClass, uint16 gpuCount, uint32 provedAt)
        internal
        view
        returns (IArbiter.SignedSpoof memory p)
    {
        bytes32 typehash = keccak256(
            "Spoof(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,"
            "uint32 provedAt,bytes32 evidence)"
        );
        p.provedAt = _at(provedAt);
        p.evidence = keccak256(abi.encode("proof", key));
        bytes32 hash = keccak256(abi.encode(typehash, MACHINE, registration, gpuClass, gpuCount, provedAt, p.evidence));
        (p.r, p.vs) = _sign(key, address(arbiter), hash);
    }

    function _spoofs(uint16 gpuClass, uint16 gpuCount, uint32 provedAt, uint256 signers)
        internal
        view
        returns (IArbiter.SignedSpoof[] memory spoofs)
    {
        spoofs = new IArbiter.SignedSpoof[](signers);
        for (uint256 i = 0; i < signers; ++i) {
            spoofs[i] = _spoof(keeperKeys[i], 1, gpuClass, gpuCount, provedAt);
        }
    }

    function _fileSpoofed(uint16 gpuClass, uint16 gpuCount, IArbiter.SignedSpoof[] memory spoofs)
        internal
        returns (uint64)
    {
        vm.prank(STRANGER);
        return arbiter.fileSpoofed(MACHINE, 1, gpuClass, gpuCount, spoofs);
    }

    /* ERRORS */

    function _noQuorum(uint256 signers) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IArbiter.Arbiter_NoQuorum.selector, signers);
    }

    function _tooShort(uint32 from, uint32 until, uint32 minSecs) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IArbiter.Arbiter_TooShort.selector, from, until, minSecs);
    }

    /* READING */

    function _penaltyOf(uint64 caseId) internal view returns (uint64) {
        return _rao(arbiter.caseAt(caseId).penalty);
    }

    function _assertFault(uint256 index, uint32 from, uint32 until) internal view {
        assertEq(Timestamp.unwrap(escrow.faultsOf(rental)[index].from), from, "fault from");
        assertEq(Timestamp.unwrap(escrow.faultsOf(rental)[index].until), until, "fault until");
    }

    function _assertBond(uint64 reserved, uint64 held, uint64 exiting, uint64 free) internal view {
        (Rao b, Rao r, Rao h, Rao e, Rao f) = vault.bondOf(MACHINE);
        assertEq(_rao(r), reserved, "reserved");
        assertEq(_rao(h), held, "held");
        assertEq(_rao(e), exiting, "exiting");
        assertEq(_rao(f), free, "free");
        assertEq(_rao(b), reserved + held + exiting + free, "invariant 3");
    }
}
