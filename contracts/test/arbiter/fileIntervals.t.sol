// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Timestamp } from "../../src/types/Units.sol";
import { ArbiterBase } from "./ArbiterBase.t.sol";

/// @dev Which seconds a case takes: the intersection, inside the gap named, not yet paid, and none twice.
contract FileIntervalsTest is ArbiterBase {
    function _empty(uint32 from, uint32 until, uint32 minSecs) private pure returns (bytes memory) {
        return _tooShort(from, until, minSecs);
    }

    function _notLastGap(uint8 gap, uint8 last) private view returns (bytes memory) {
        return abi.encodeWithSelector(IArbiter.Arbiter_NotLastGap.selector, rental, gap, last);
    }

    /* THE INTERSECTION */

    function test_WhenTheKeepersSawDifferentIntervals() external {
        skip(1 hours);
        _file(
            INTERRUPTED,
            0,
            _each(INTERRUPTED, [start + 100, start + 900], [start + 200, start + 1_000], [start + 50, start + 800])
        );
        _assertFault(0, start + 200, start + 800);
    }

    function test_WhenTheKeepersLastLookedAtDifferentTimes() external {
        skip(1 hours);
        uint32 n = _now();
        _file(OFFLINE, 0, _each(OFFLINE, [n - 1_200, n], [n - 1_000, n - 60], [n - 2_000, n - 30]));
        _assertFault(0, n - 1_000, n);
    }

    function test_RevertWhen_TheIntersectionIsEmpty() external {
        skip(1 hours);
        _refuseFile(
            INTERRUPTED,
            0,
            _each(INTERRUPTED, [start, start + 500], [start + 500, start + 900], [start, start + 900]),
            _empty(start + 500, start + 500, MIN_INTERRUPTED)
        );
        _refuseFile(
            INTERRUPTED,
            0,
            _each(INTERRUPTED, [start, start + 100], [start + 500, start + 900], [start, start + 900]),
            _empty(start + 500, start + 100, MIN_INTERRUPTED)
        );
    }

    function test_RevertWhen_TheIntersectionIsTooShort() external {
        skip(1 hours);
        uint32 n = _now();
        _refuseSeen(INTERRUPTED, 0, start + 1, start + 60, _tooShort(start + 1, start + 60, MIN_INTERRUPTED));
        // What counts is what all saw, not how long it is until now.
        uint32 from = n - FRESHNESS - MIN_OFFLINE + 1;
        _refuseSeen(OFFLINE, 0, from, n - FRESHNESS, _tooShort(from, n - FRESHNESS, MIN_OFFLINE));
        _fileSeen(OFFLINE, 0, from - 1, n - FRESHNESS);
        _assertFault(0, from - 1, n);
    }

    function test_RevertWhen_NotDeliveredInsideTheGrace() external {
        skip(GRACE - 1);
        _refuseSeen(NOT_DELIVERED, 0, start, _now(), _tooShort(start, _now(), GRACE));
        skip(FRESHNESS);
        _refuseSeen(NOT_DELIVERED, 0, start, start + GRACE - 1, _tooShort(start, start + GRACE - 1, GRACE));
        _fileSeen(NOT_DELIVERED, 0, start, start + GRACE);
        _assertFault(0, start, _now());
    }

    /* NOT YET PAID, NOT PAST THE END */

    function test_WhenItReachesOutOfTheRental() external {
        skip(DAY + 30 minutes);
        _fileSeen(INTERRUPTED, 0, start + DAY - 100, _now());
        _assertFault(0, start + DAY - 100, start + DAY);
        _fileSeen(INTERRUPTED, 0, start - 100, start + 100);
        _assertFault(0, start, start + 100);
    }

    function test_GivenAPartOfItIsPaid() external {
        skip(2 hours);
        escrow.claim(rental);
        _fileSeen(INTERRUPTED, 0, start, start + 1 hours + 60);
        _assertFault(0, start + 1 hours, start + 1 hours + 60);
        _assertConserved(rental);
    }

    function test_RevertGiven_AllOfItIsPaid() external {
        skip(2 hours);
        escrow.claim(rental);
        uint32 paidUntil = start + 1 hours;
        _refuseSeen(INTERRUPTED, 0, start, paidUntil, _empty(paidUntil, paidUntil, MIN_INTERRUPTED));
        _refuseSeen(INTERRUPTED, 0, start, paidUntil + 59, _tooShort(paidUntil, paidUntil + 59, MIN_INTERRUPTED));
    }

    function test_GivenAClaimOvertookTheFiling() external {
        skip(2 hours);
        uint32 out = _now();
        skip(80 minutes); // nobody filed for longer than the lag
        escrow.claim(rental);
        uint32 paidUntil = out + 20 minutes;
        _fileSeen(OFFLINE, 0, out, _now());
        _assertFault(0, paidUntil, _now());
        assertEq(_creditOf(RENTER), _cost(start + DAY - _now()));
        _assertConserved(rental);
    }

    function test_GivenAClaimWasMadeInTime() external {
        skip(2 hours);
        uint32 out = _now();
        skip(MIN_OFFLINE + FRESHNESS); // as late as it can be and in time
        escrow.claim(rental);
        _fileSeen(OFFLINE, 0, out, out + MIN_OFFLINE);
        _assertFault(0, out, _now());
        skip(LAG);
        escrow.close(rental);
        assertEq(_creditOf(MINER), _cost(2 hours));
        _assertConserved(rental);
    }

    function test_RevertGiven_TheRentalIsClosed() external {
        skip(DAY + LAG);
        escrow.close(rental);
        uint32 end = start + DAY;
        _refuseSeen(INTERRUPTED, 0, end - 600, end, _empty(end, end, MIN_INTERRUPTED));
        bytes4 selector = IArbiter.Arbiter_RentalOver.selector;
        _refuseSeen(OFFLINE, 0, end - 600, _now(), abi.encodeWithSelector(selector, rental, end));
    }

    /* GAPS */

    function test_GivenThereAreFaultsOnBothSides() external {
        skip(50 minutes);
        _fileSeen(INTERRUPTED, 0, start + 600, start + 900);
        _fileSeen(INTERRUPTED, 1, start + 1_800, start + 2_100);
        _fileSeen(INTERRUPTED, 1, start + 800, start + 1_500); // overlaps the first: clamped to the gap
        _assertFault(1, start + 900, start + 1_500);
        _fileSeen(INTERRUPTED, 2, start + 300, start + 2_500); // over everything: the rest of that gap
        _assertFault(2, start + 1_500, start + 1_800);
        _assertFault(3, start + 1_800, start + 2_100);
        assertEq(_rentalAt(rental).faultedSecs, 1_500);
        assertEq(escrow.faultsOf(rental)[1].caseId, 3);
        _assertConserved(rental);
    }

    function test_RevertWhen_TheSameSecondsAreFiledTwice() external {
        skip(30 minutes);
        IArbiter.SignedAttestation[] memory seen = _attest(INTERRUPTED, rental, start + 600, start + 900, 3);
        _file(INTERRUPTED, 0, seen);
        _refuseFile(INTERRUPTED, 0, seen, _empty(start + 600, start + 600, MIN_INTERRUPTED));
        _refuseFile(INTERRUPTED, 1, seen, _empty(start + 900, start + 900, MIN_INTERRUPTED));
        _refuseFile(INTERRUPTED, 2, seen, _empty(start + 600, 0, MIN_INTERRUPTED)); // no such gap
        assertEq(_rentalAt(rental).faultedSecs, 300);
    }

    function test_RevertWhen_AnEndingKindIsNotInTheLastGap() external {
        skip(30 minutes);
        _fileSeen(INTERRUPTED, 0, start + 60, start + 120);
        _refuseSeen(OFFLINE, 0, start + 120, _now(), _notLastGap(0, 1));
        _refuseSeen(OFFLINE, 2, start + 120, _now(), _notLastGap(2, 1));
        _refuseSeen(NOT_DELIVERED, 0, start, _now(), _notLastGap(0, 1));
        _fileSeen(OFFLINE, 1, start + 120, _now());
    }

    /* WHAT ENDS A RENTAL NEEDS ONE */

    function test_RevertGiven_TheRentalIsOver() external {
        skip(DAY);
        bytes memory over = abi.encodeWithSelector(IArbiter.Arbiter_RentalOver.selector, rental, start + DAY);
        _refuseSeen(OFFLINE, 0, _now() - 1_000, _now(), over);
        _refuseSeen(NOT_DELIVERED, 0, start, _now(), over);
        _fileSeen(INTERRUPTED, 0, _now() - 1_000, _now()); // its seconds can be withheld all the same
    }

    function test_RevertGiven_ItHasServedAlready() external {
        bytes memory served = abi.encodeWithSelector(IArbiter.Arbiter_AlreadyServed.selector, rental);
        skip(LAG + 1);
        escrow.claim(rental);
        _refuseSeen(NOT_DELIVERED, 0, start, _now(), served);
    }

    function test_RevertGiven_SomethingWasWithheldAlready() external {
        bytes memory served = abi.encodeWithSelector(IArbiter.Arbiter_AlreadyServed.selector, rental);
        skip(20 minutes);
        _fileSeen(INTERRUPTED, 0, start + 60, start + 120);
        _refuseSeen(NOT_DELIVERED, 1, start, _now(), served);
    }

    function test_WhenOverlappingFaultsAreFiledInAnotherOrder() external {
        skip(30 minutes);
        uint256 snapshot = vm.snapshotState();
        _fileSeen(INTERRUPTED, 0, start + 100, start + 500);
        _fileSeen(INTERRUPTED, 1, start + 300, start + 900);
        uint32 one = _rentalAt(rental).faultedSecs;
        vm.revertToState(snapshot);
        _fileSeen(INTERRUPTED, 0, start + 300, start + 900);
        _fileSeen(INTERRUPTED, 0, start + 100, start + 500);
        assertEq(_rentalAt(rental).faultedSecs, one);
        assertEq(one, 800);
        assertLt(Timestamp.unwrap(escrow.faultsOf(rental)[0].from), Timestamp.unwrap(escrow.faultsOf(rental)[1].from));
    }

    function test_GivenAMachineFlapped255Times() external {
        uint8 i = 0;
        for (; _rentalAt(rental).faultCount < 254; ++i) {
            skip(61);
            _fileSeen(INTERRUPTED, i, _now() - 60, _now());
        }
        skip(61);
        bytes4 full = IRentalEscrow.RentalEscrow_TooManyFaults.selector;
        _refuseSeen(INTERRUPTED, i, _now() - 60, _now(), abi.encodeWithSelector(full, rental));
        skip(20 minutes);
        _fileSeen(OFFLINE, i, _now() - 20 minutes, _now());
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), _now());
    }
}
