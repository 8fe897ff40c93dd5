// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao, RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
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
    uint32 internal constant RULING_WINDOW = 48 hours;
    uint64 internal constant MIN_APPEAL_BOND = 10_000_000; // .01 TAO
    bytes32 internal constant PLEA = keccak256("what the miner has to say");

    IArbiter.Status internal constant NONE = IArbiter.Status.None;
    IArbiter.Status internal constant FILED = IArbiter.Status.Filed;
    IArbiter.Status internal constant APPEALED = IArbiter.Status.Appealed;
    IArbiter.Status internal constant EXECUTED = IArbiter.Status.Executed;
    IArbiter.Status internal constant DISMISSED = IArbiter.Status.Dismissed;
    IArbiter.Status internal constant REFUNDED = IArbiter.Status.Refunded;
    IArbiter.Status internal constant REFUNDED_APPEALED = IArbiter.Status.RefundedAppealed;

    uint64 internal rental;
    uint32 internal start;
    address[] internal everybody; // who could have credit

    function setUp() public virtual override {
        super.setUp();
        everybody = [MINER, RENTER, TREASURY, STRANGER, OWNER, JUDGE, GUARDIAN];
        for (uint256 i = 0; i < 3; ++i) {
            everybody.push(keeperAccounts[i]);
        }
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
        bytes32 before = keccak256(abi.encode(_rentalAt(rental)));
        vm.expectRevert(expected);
        _file(kind, gap, attestations);
        assertEq(arbiter.caseCount(), count, "no case");
        assertEq(keccak256(abi.encode(_rentalAt(rental))), before, "no change");
    }

    function _refuseSeen(IArbiter.Kind kind, uint8 gap, uint32 from, uint32 until, bytes memory expected) internal {
        _refuseFile(kind, gap, _attest(kind, rental, from, until, 3), expected);
    }

    /// @dev Ten hours, then an outage of twenty minutes is filed. The penalty is what was earned: 69,600,000 rao.
    function _outage() internal returns (uint64 caseId) {
        skip(10 hours);
        return _fileSeen(OFFLINE, 0, _now() - 20 minutes, _now());
    }

    /// @dev Another machine of the same miner, rented for a day. `rental` and `start` are then its.
    function _rentOther() internal {
        _ready(OTHER_MACHINE, 1e9);
        rental = _rent(OTHER_MACHINE, DAY);
        start = _now();
    }

    /* DECIDING */

    function _appealWith(address who, uint64 caseId, uint256 valueWei) internal {
        vm.prank(who);
        arbiter.appeal{ value: valueWei }(caseId, PLEA);
    }

    /// @dev The miner appeals and pays exactly.
    function _appeal(uint64 caseId) internal {
        _appealWith(MINER, caseId, _bondWei(caseId));
    }

    function _rule(uint64 caseId, bool uphold) internal {
        vm.prank(JUDGE);
        arbiter.rule(caseId, uphold);
    }

    function _execute(uint64 caseId) internal {
        vm.prank(STRANGER);
        arbiter.execute(caseId);
    }

    function _refuseAppeal(address who, uint64 caseId, uint256 valueWei, bytes memory expected) internal {
        bytes32 before = _snapshotOf(caseId);
        vm.expectRevert(expected);
        _appealWith(who, caseId, valueWei);
        assertEq(_snapshotOf(caseId), before, "no change");
    }

    function _refuseRule(uint64 caseId, bytes memory expected) internal {
        bytes32 before = _snapshotOf(caseId);
        vm.expectRevert(expected);
        _rule(caseId, true);
        vm.expectRevert(expected);
        _rule(caseId, false);
        assertEq(_snapshotOf(caseId), before, "no change");
    }

    function _refuseExecute(uint64 caseId, bytes memory expected) internal {
        bytes32 before = _snapshotOf(caseId);
        vm.expectRevert(expected);
        _execute(caseId);
        assertEq(_snapshotOf(caseId), before, "no change");
    }

    /// @dev Everything a decision could change.
    function _snapshotOf(uint64 caseId) private view returns (bytes32) {
        return keccak256(
            abi.encode(
                arbiter.caseAt(caseId),
                arbiter.appealOf(caseId),
                [arbiter.liabilities(), arbiter.toBurn(), vault.liabilities(), vault.toBurn()],
                vault.nodeAt(1),
                _rentalAt(rental),
                [escrow.creditOf(MINER), escrow.creditOf(RENTER), arbiter.creditOf(MINER)]
            )
        );
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

    function _notExecutable(uint64 caseId, IArbiter.Status status, uint32 from) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IArbiter.Arbiter_NotExecutable.selector, caseId, status, from);
    }

    function _notAppealable(uint64 caseId, IArbiter.Status status, uint32 until) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IArbiter.Arbiter_NotAppealable.selector, caseId, status, until);
    }

    function _notRulable(uint64 caseId, IArbiter.Status status, uint32 ruleBy) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IArbiter.Arbiter_NotRulable.selector, caseId, status, ruleBy);
    }

    function _noCase(uint64 caseId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IArbiter.Arbiter_NoCase.selector, caseId);
    }

    function _onlyMiner(uint64 caseId, address caller) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IArbiter.Arbiter_OnlyMiner.selector, caseId, MINER, caller);
    }

    function _onlyJudge(address caller) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IArbiter.Arbiter_OnlyJudge.selector, JUDGE, caller);
    }

    function _wrongBond(uint64 paid, uint64 bond) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IArbiter.Arbiter_WrongAppealBond.selector, paid, bond);
    }

    function _notWhole(uint256 valueWei) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IRaoLedger.RaoLedger_NotWholeRao.selector, valueWei);
    }

    /* READING */

    function _statusOf(uint64 caseId) internal view returns (IArbiter.Status) {
        return arbiter.caseAt(caseId).status;
    }

    function _assertStatus(uint64 caseId, IArbiter.Status expected) internal view {
        assertEq(uint8(_statusOf(caseId)), uint8(expected), "status");
    }

    function _bondWei(uint64 caseId) internal view returns (uint256) {
        return uint256(_rao(arbiter.appealBondOf(caseId))) * WEI;
    }

    function _ruleBy(uint64 caseId) internal view returns (uint32) {
        return Timestamp.unwrap(arbiter.appealOf(caseId).ruleBy);
    }

    function _isWaiting(IArbiter.Status status) internal pure returns (bool) {
        return status == FILED || status == REFUNDED || _isWithTheJudge(status);
    }

    function _isWithTheJudge(IArbiter.Status status) internal pure returns (bool) {
        return status == APPEALED || status == REFUNDED_APPEALED;
    }

    /// @dev What waits for the judge, what was burned and what is in somebody's credit is all that was paid in.
    function _arbiterOwes() internal view returns (uint64) {
        return _rao(arbiter.liabilities());
    }

    function _penaltyOf(uint64 caseId) internal view returns (uint64) {
        return _rao(arbiter.caseAt(caseId).penalty);
    }

    function _held() internal view returns (uint64) {
        (,, Rao held,,) = vault.bondOf(MACHINE);
        return _rao(held);
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

    /* CONSERVATION */

    /// @dev SPEC invariants 1 to 3 and 6 over all there is: every rao in the three ledgers is in exactly one place,
    /// what is held is the penalties of cases that wait, and what is withheld the seconds that nobody has decided.
    function _assertBooks() internal view {
        (uint256 appealBonds, uint256 penalties) = _waiting();
        _assertLedger(arbiter, appealBonds, "arbiter");
        (uint256 bonded, uint256 held) = _bonds();
        _assertLedger(vault, bonded, "vault");
        assertEq(held, penalties, "held is the penalties that wait");
        _assertLedger(escrow, _streams(), "escrow");
    }

    function _assertLedger(IRaoLedger ledger, uint256 kept, string memory name) private view {
        uint256 owed = kept + _rao(ledger.toBurn());
        for (uint256 i = 0; i < everybody.length; ++i) {
            owed += _rao(ledger.creditOf(everybody[i]));
        }
        assertEq(_rao(ledger.liabilities()), owed, string.concat(name, ": liabilities"));
        assertEq(address(ledger).balance, owed * WEI + SEED_WEI, string.concat(name, ": balance"));
    }

    function _waiting() private view returns (uint256 appealBonds, uint256 penalties) {
        for (uint64 id = 1; id <= arbiter.caseCount(); ++id) {
            IArbiter.Case memory c = arbiter.caseAt(id);
            if (_isWithTheJudge(c.status)) appealBonds += _rao(arbiter.appealOf(id).bond);
            if (_isWaiting(c.status)) penalties += _rao(c.penalty);
        }
    }

    function _bonds() private view returns (uint256 bonded, uint256 held) {
        for (uint32 id = 1; id <= vault.registrationCount(); ++id) {
            ICollateralVault.NodeView memory n = vault.nodeAt(id);
            bonded += uint256(_rao(n.free)) + _rao(n.exiting) + _rao(n.held) + _rao(n.reserved);
            held += _rao(n.held);
        }
    }

    function _streams() private view returns (uint256 owed) {
        for (uint64 id = 1; id <= escrow.rentalCount(); ++id) {
            IRentalEscrow.Rental memory r = _rentalAt(id);
            assertEq(r.openSecs, _undecided(id), "withheld seconds nobody decided");
            uint32 bought = Timestamp.unwrap(r.end) - Timestamp.unwrap(r.start);
            uint32 unclaimed = bought - r.claimedSecs - r.faultedSecs; // underflow: claimed or withheld too much
            owed += uint256(RaoPerSecond.unwrap(r.price)) * (unclaimed + r.openSecs);
        }
    }

    function _undecided(uint64 of_) private view returns (uint256 secs) {
        for (uint64 id = 1; id <= arbiter.caseCount(); ++id) {
            IArbiter.Case memory c = arbiter.caseAt(id);
            if (c.rental == of_ && (c.status == FILED || c.status == APPEALED)) secs += c.withheldSecs;
        }
    }
}
