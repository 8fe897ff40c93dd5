// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IKeeperSet } from "../../src/interfaces/IKeeperSet.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Eip712 } from "../../src/libraries/Eip712.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { ArbiterBase } from "./ArbiterBase.t.sol";

/// @dev Who says so, what they said, of when; and the way through for each kind: what is withheld, what is refunded,
/// what is set aside, what is recorded. (Which seconds count: FileIntervalsTest.)
contract FileTest is ArbiterBase {
    function _signers() private view returns (address[] memory) {
        return keeperAccounts;
    }

    function _evidence() private pure returns (bytes32[] memory evidence) {
        evidence = new bytes32[](3);
        evidence[0] = evidence[1] = evidence[2] = keccak256("evidence");
    }

    function _case(IArbiter.Kind kind, uint32 withheld, uint64 penalty) private view returns (bytes32) {
        IArbiter.Case memory c;
        c.kind = kind;
        c.status = IArbiter.Status.Filed;
        c.cause = IArbiter.Cause.Unreachable;
        c.rental = rental;
        c.registration = 1;
        c.filedAt = _at(_now());
        c.withheldSecs = withheld;
        c.penalty = Rao.wrap(penalty);
        return keccak256(abi.encode(c));
    }

    function _expectFiled(IArbiter.Kind kind, uint32 withheld, uint64 penalty) private {
        vm.expectEmit(address(arbiter));
        emit IArbiter.Filed(1, rental, 1, kind, withheld, Rao.wrap(penalty), _signers(), _evidence());
    }

    function _good() private view returns (IArbiter.SignedAttestation[] memory) {
        return _attest(OFFLINE, rental, start, _now(), 3);
    }

    function _refuseOffline(IArbiter.SignedAttestation[] memory seen, bytes memory expected) private {
        _refuseFile(OFFLINE, 0, seen, expected);
    }

    function _notAscending(address previous, address next) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IKeeperSet.KeeperSet_SignersNotAscending.selector, previous, next);
    }

    function test_RevertWhen_ThereIsNoSuchRental() external {
        IArbiter.SignedAttestation[] memory seen = _attest(OFFLINE, 2, start, _now(), 3);
        vm.expectRevert(abi.encodeWithSelector(IArbiter.Arbiter_NoRental.selector, 2));
        arbiter.file(OFFLINE, 2, 0, seen);
    }

    /* WHO */

    modifier whenWhoSignedIsNoQuorum() {
        skip(30 minutes);
        _;
    }

    function test_RevertWhen_TooFewSigned() external whenWhoSignedIsNoQuorum {
        _refuseOffline(_attest(OFFLINE, rental, start, _now(), 0), _noQuorum(0));
        _refuseOffline(_attest(OFFLINE, rental, start, _now(), 1), _noQuorum(1));
    }

    function test_RevertWhen_TheSignersAreTooLight() external whenWhoSignedIsNoQuorum {
        IArbiter.SignedAttestation[] memory seen = _good();
        (seen[0], seen[1]) = (seen[1], seen[2]);
        assembly ("memory-safe") {
            mstore(seen, 2)
        }
        _refuseOffline(seen, _noQuorum(2));
    }

    function test_RevertWhen_OneIsForged() external whenWhoSignedIsNoQuorum {
        IArbiter.SignedAttestation[] memory seen = _good();
        seen[0] = _attestation(uint256(keccak256("forger")), OFFLINE, rental, start, _now());
        _refuseOffline(seen, _noQuorum(3));
    }

    function test_RevertWhen_OneSignerAppearsTwice() external whenWhoSignedIsNoQuorum {
        IArbiter.SignedAttestation[] memory seen = _good();
        seen[1] = _attestation(keeperKeys[0], OFFLINE, rental, start, _now() - 1);
        _refuseOffline(seen, _notAscending(keeperAccounts[0], keeperAccounts[0]));
    }

    function test_RevertWhen_SignersAreNotSorted() external whenWhoSignedIsNoQuorum {
        IArbiter.SignedAttestation[] memory seen = _good();
        (seen[0], seen[1]) = (seen[1], seen[0]);
        _refuseOffline(seen, _notAscending(keeperAccounts[1], keeperAccounts[0]));
    }

    function test_RevertWhen_ASignerWasDismissed() external whenWhoSignedIsNoQuorum {
        vm.prank(OWNER);
        keepers.dismiss(keeperAccounts[2]);
        _refuseOffline(_good(), _noQuorum(3));
    }

    modifier whenTheSignaturesAreOfSomethingElse() {
        skip(30 minutes);
        _;
    }

    function test_RevertWhen_ASignatureIsMalleableOrOfNobody() external whenTheSignaturesAreOfSomethingElse {
        IArbiter.SignedAttestation[] memory seen = _good();
        bytes32 digest = _digest(address(arbiter), _attestationHash(rental, seen[2]));
        bytes memory bad = abi.encodeWithSelector(Eip712.Eip712_BadSignature.selector, digest);
        seen[2].vs = bytes32(type(uint256).max);
        _refuseOffline(seen, bad);
        seen = _good();
        seen[2].r = 0;
        _refuseOffline(seen, bad);
    }

    function test_RevertWhen_SignedForTheEscrow() external whenTheSignaturesAreOfSomethingElse {
        IArbiter.SignedAttestation[] memory seen = _good();
        (seen[0].r, seen[0].vs) = _sign(keeperKeys[0], address(escrow), _attestationHash(rental, seen[0]));
        _refuseOffline(seen, _noQuorum(3));
    }

    function test_RevertWhen_SignedForAnotherRental() external whenTheSignaturesAreOfSomethingElse {
        IArbiter.SignedAttestation[] memory seen = _good();
        seen[0] = _attestation(keeperKeys[0], OFFLINE, rental + 1, start, _now());
        _refuseOffline(seen, _noQuorum(3));
    }

    /// @dev One signature, one statement: no field can be changed under it.
    function test_RevertWhen_AnyFieldIsNotTheOneSigned() external whenTheSignaturesAreOfSomethingElse {
        for (uint256 i = 0; i < 5; ++i) {
            IArbiter.SignedAttestation[] memory seen = _good();
            if (i == 0) seen[0].cause = IArbiter.Cause.GpusMissing;
            if (i == 1) seen[0].from = _at(start + 1);
            if (i == 2) seen[0].until = _at(_now() - 1);
            if (i == 3) seen[0].evidence = keccak256("other evidence");
            if (i == 4) seen[0] = _attestation(keeperKeys[0], INTERRUPTED, rental, start, _now());
            if (i == 4) seen[0].kind = OFFLINE;
            _refuseOffline(seen, _noQuorum(3));
        }
    }

    function test_RevertWhen_TheChainIdChanged() external whenTheSignaturesAreOfSomethingElse {
        IArbiter.SignedAttestation[] memory seen = new IArbiter.SignedAttestation[](1);
        seen[0] = _good()[0];
        vm.chainId(block.chainid + 1);
        _refuseOffline(seen, _noQuorum(1));
        seen = _good(); // signed for the new id
        _file(OFFLINE, 0, seen);
    }

    /* WHAT, OF WHEN */

    modifier whenTheStatementsDoNotServe() {
        skip(30 minutes);
        _;
    }

    function test_RevertWhen_TheKindIsAnother() external whenTheStatementsDoNotServe {
        bytes4 selector = IArbiter.Arbiter_WrongKind.selector;
        IArbiter.SignedAttestation[] memory seen = _good();
        seen[1] = _attestation(keeperKeys[1], INTERRUPTED, rental, start, _now());
        _refuseFile(OFFLINE, 0, seen, abi.encodeWithSelector(selector, 1, INTERRUPTED, OFFLINE));
        _refuseFile(NOT_DELIVERED, 0, seen, abi.encodeWithSelector(selector, 0, OFFLINE, NOT_DELIVERED));
        seen = _attest(NOT_DELIVERED, rental, start, _now(), 3);
        _refuseFile(INTERRUPTED, 0, seen, abi.encodeWithSelector(selector, 0, NOT_DELIVERED, INTERRUPTED));
        _refuseFile(OFFLINE, 0, seen, abi.encodeWithSelector(selector, 0, NOT_DELIVERED, OFFLINE));
        seen = _attest(IArbiter.Kind.Spoofed, rental, start, _now(), 3);
        _refuseFile(INTERRUPTED, 0, seen, abi.encodeWithSelector(selector, 0, IArbiter.Kind.Spoofed, INTERRUPTED));
    }

    function test_RevertWhen_TheKindIsNotForThisCall() external whenTheStatementsDoNotServe {
        bytes4 selector = IArbiter.Arbiter_BadKind.selector;
        IArbiter.Kind[2] memory kinds = [IArbiter.Kind.None, IArbiter.Kind.Spoofed];
        for (uint256 i = 0; i < 2; ++i) {
            _refuseSeen(kinds[i], 0, start, _now(), abi.encodeWithSelector(selector, kinds[i]));
        }
    }

    function test_RevertWhen_AnIntervalIsEmptyOrTurnedRound() external whenTheStatementsDoNotServe {
        bytes4 selector = IArbiter.Arbiter_BadInterval.selector;
        _refuseSeen(OFFLINE, 0, _now(), _now(), abi.encodeWithSelector(selector, 0, _now(), _now()));
        _refuseSeen(INTERRUPTED, 0, start + 9, start, abi.encodeWithSelector(selector, 0, start + 9, start));
    }

    function test_RevertWhen_ItReachesIntoTheFuture() external whenTheStatementsDoNotServe {
        bytes memory bad = abi.encodeWithSelector(IArbiter.Arbiter_BadInterval.selector, 0, start, _now() + 1);
        _refuseSeen(OFFLINE, 0, start, _now() + 1, bad);
        _refuseSeen(INTERRUPTED, 0, start, _now() + 1, bad);
        _refuseSeen(NOT_DELIVERED, 0, start, _now() + 1, bad);
    }

    function test_RevertWhen_TheLastFailingLookIsStale() external whenTheStatementsDoNotServe {
        uint32 notBefore = _now() - FRESHNESS;
        bytes4 selector = IArbiter.Arbiter_Stale.selector;
        bytes memory stale = abi.encodeWithSelector(selector, 0, notBefore - 1, notBefore);
        _refuseSeen(OFFLINE, 0, start, notBefore - 1, stale);
        _refuseSeen(NOT_DELIVERED, 0, start, notBefore - 1, stale);
        IArbiter.SignedAttestation[] memory seen = _good();
        seen[2] = _attestation(keeperKeys[2], OFFLINE, rental, start, notBefore - 1);
        _refuseOffline(seen, abi.encodeWithSelector(selector, 2, notBefore - 1, notBefore));
        seen[2] = _attestation(keeperKeys[2], OFFLINE, rental, start, notBefore);
        _file(OFFLINE, 0, seen);
    }

    function test_RevertWhen_NotDeliveredIsNotFromTheStart() external whenTheStatementsDoNotServe {
        bytes4 selector = IArbiter.Arbiter_NotFromStart.selector;
        _refuseSeen(NOT_DELIVERED, 0, start + 1, _now(), abi.encodeWithSelector(selector, 0, start + 1, start));
        _refuseSeen(NOT_DELIVERED, 0, start - 1, _now(), abi.encodeWithSelector(selector, 0, start - 1, start));
    }

    /* THE WAY THROUGH */

    modifier whenAQuorumSaysSo() {
        _;
        _assertBooks();
    }

    function test_WhenTwoOfThreeKeepersSay() external whenAQuorumSaysSo {
        skip(15 minutes);
        _file(OFFLINE, 0, _attest(OFFLINE, rental, start, _now(), 2));
        assertEq(_rentalAt(rental).faultedSecs, 15 minutes);
    }

    function test_WhenTheMachineWasNotDelivered() external whenAQuorumSaysSo {
        skip(12 minutes);
        uint64 penalty = H100_BOND / 50;
        IArbiter.SignedAttestation[] memory seen = _attest(NOT_DELIVERED, rental, start, _now() - 30, 3);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Withheld(rental, 1, _at(start), _at(_now()));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Ended(rental, _at(_now()), Rao.wrap(_cost(DAY - 12 minutes)));
        vm.expectEmit(address(vault));
        emit ICollateralVault.SetAside(1, Rao.wrap(penalty));
        _expectFiled(NOT_DELIVERED, 12 minutes, penalty);
        assertEq(_file(NOT_DELIVERED, 0, seen), 1);

        assertEq(arbiter.caseCount(), 1);
        assertEq(keccak256(abi.encode(arbiter.caseAt(1))), _case(NOT_DELIVERED, 12 minutes, penalty));
        assertEq(Timestamp.unwrap(arbiter.executableAt(1)), _now() + APPEAL_WINDOW);
        assertEq(_creditOf(RENTER), _cost(DAY - 12 minutes));
        _assertFault(0, start, _now()); // what is withheld runs to now, not to the last look
        _assertBond(H100_BOND - penalty, penalty, 0, 1e9 - H100_BOND);
        _assertConserved(rental);
        skip(APPEAL_WINDOW);
        arbiter.execute(1);
        assertEq(_creditOf(RENTER), _cost(DAY), "the renter owes nothing");
        escrow.close(rental);
        assertEq(_creditOf(MINER), 0);
        _assertConserved(rental);
    }

    function test_WhenTheServiceWasInterrupted() external whenAQuorumSaysSo {
        skip(30 minutes);
        IArbiter.SignedAttestation[] memory seen = _attest(INTERRUPTED, rental, start + 300, start + 480, 3);
        _expectFiled(INTERRUPTED, 3 minutes, 0);
        _file(INTERRUPTED, 0, seen);
        assertEq(keccak256(abi.encode(arbiter.caseAt(1))), _case(INTERRUPTED, 3 minutes, 0));
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), start + DAY);
        _assertFault(0, start + 5 minutes, start + 8 minutes);
        assertEq(_creditOf(RENTER), 0, "until it is executed");
        _assertBond(H100_BOND, 0, 0, 1e9 - H100_BOND);
        (, bytes32 offered,) = escrow.offerOf(MACHINE);
        assertTrue(offered != 0);
        _assertConserved(rental);
    }

    function test_WhenTheMachineIsOffline() external whenAQuorumSaysSo {
        skip(20 hours);
        uint32 out = _now();
        skip(15 minutes);
        uint64 penalty = H100_BOND / 10; // earned: 20 h * 2,000 = .144 TAO, more than a tenth of the reserve
        IArbiter.SignedAttestation[] memory seen = _attest(OFFLINE, rental, out, _now(), 3);
        _expectFiled(OFFLINE, 15 minutes, penalty);
        _file(OFFLINE, 0, seen);
        assertEq(keccak256(abi.encode(arbiter.caseAt(1))), _case(OFFLINE, 15 minutes, penalty));
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), _now());
        assertEq(_creditOf(RENTER), _cost(DAY - 20 hours - 15 minutes));
        _assertFault(0, out, _now());
        _assertBond(H100_BOND - penalty, penalty, 0, 1e9 - H100_BOND);
        assertEq(_held(), penalty);
        (, bytes32 offered,) = escrow.offerOf(MACHINE);
        assertEq(offered, 0, "off the market until offered again");
        _assertConserved(rental);
    }

    function test_WhenTheKeepersSignedOfflineForAnInterruption() external whenAQuorumSaysSo {
        skip(1 hours);
        IArbiter.SignedAttestation[] memory seen = _attest(INTERRUPTED, rental, start + 600, start + 1_800, 3);
        seen[1] = _attestation(keeperKeys[1], OFFLINE, rental, start + 600, start + 1_800);
        _file(INTERRUPTED, 0, seen);
        _assertFault(0, start + 600, start + 1_800);
        seen = _attest(OFFLINE, rental, start + 1_800, start + 1_900, 3);
        _file(INTERRUPTED, 1, seen);
        _assertFault(1, start + 1_800, start + 1_900);
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), start + DAY, "an interruption ends nothing");
    }

    function test_WhenTheCausesDiffer() external whenAQuorumSaysSo {
        skip(1 hours);
        IArbiter.SignedAttestation[] memory seen = _attest(INTERRUPTED, rental, start + 600, start + 1_800, 3);
        seen[1].cause = IArbiter.Cause.RenterRefused;
        seen[1].from = _at(start + 700);
        (seen[1].r, seen[1].vs) = _sign(keeperKeys[1], address(arbiter), _attestationHash(rental, seen[1]));
        _file(INTERRUPTED, 0, seen);
        assertEq(uint8(arbiter.caseAt(1).cause), uint8(IArbiter.Cause.RenterRefused));
        _assertFault(0, start + 700, start + 1_800);
    }

    function test_WhenAnInterruptionIsOld() external whenAQuorumSaysSo {
        skip(30 minutes);
        _fileSeen(INTERRUPTED, 0, start, start + MIN_INTERRUPTED);
        _assertFault(0, start, start + MIN_INTERRUPTED);
    }

    function test_GivenFewerThanThreeKeepersAreLeft() external whenAQuorumSaysSo {
        vm.prank(OWNER);
        keepers.dismiss(keeperAccounts[2]);
        skip(10 hours);
        _file(OFFLINE, 0, _attest(OFFLINE, rental, _now() - 1_000, _now(), 2));
        IArbiter.Case memory c = arbiter.caseAt(1);
        assertEq(_rao(c.penalty), 0);
        assertEq(c.withheldSecs, 1_000);
        assertEq(_creditOf(RENTER), _cost(14 hours));
        assertEq(_rao(arbiter.appealBondOf(1)), MIN_APPEAL_BOND);
        _assertBond(H100_BOND, 0, 0, 1e9 - H100_BOND);
    }
}
