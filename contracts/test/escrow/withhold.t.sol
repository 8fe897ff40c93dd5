// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

/// @dev The escrow trusts the arbiter with who says so, and checks for itself which seconds it is about.
contract WithholdTest is EscrowBase {
    uint64 private rental;
    uint32 private start;

    function setUp() public override {
        super.setUp();
        rental = _rented();
        start = _now();
    }

    function _badInterval(uint32 from, uint32 until) private view returns (bytes memory) {
        return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_BadInterval.selector, rental, from, until);
    }

    function _refuseInterval(uint8 gap, uint32 from, uint32 until) private {
        vm.expectRevert(_badInterval(from, until));
        _withhold(rental, gap, from, until, false);
    }

    /* THE WAY THROUGH */

    function test_WhenTheIntervalIsInItsGap() external {
        skip(30 minutes);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Withheld(rental, 1, _at(start + 60), _at(start + 360));
        Rao earned = _withhold(rental, 0, start + 60, start + 360, false);
        assertEq(_rao(earned), _cost(30 minutes - 300));
        IRentalEscrow.Rental memory r = _rentalAt(rental);
        assertEq(r.faultedSecs, 300);
        assertEq(r.openSecs, 300);
        assertEq(r.faultCount, 1);
        assertEq(Timestamp.unwrap(r.end), start + DAY, "it goes on");
        IRentalEscrow.Fault[] memory faults = escrow.faultsOf(rental);
        assertEq(faults.length, 1);
        assertEq(Timestamp.unwrap(faults[0].from), start + 60);
        assertEq(Timestamp.unwrap(faults[0].until), start + 360);
        assertEq(faults[0].caseId, 1);
        (, bytes32 offered,) = escrow.offerOf(MACHINE);
        assertTrue(offered != 0);
        _assertConserved(rental);
    }

    function test_WhenItTerminates() external {
        skip(10 minutes); // the renter's minimum does not bind a case
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Withheld(rental, 1, _at(start), _at(_now()));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Ended(rental, _at(_now()), Rao.wrap(_cost(DAY - 10 minutes)));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.OfferWithdrawn(1);
        Rao earned = _withhold(rental, 0, start, _now(), true);
        assertEq(_rao(earned), 0);
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), _now());
        assertEq(_creditOf(RENTER), _cost(DAY - 10 minutes));
        (IRentalEscrow.Offer memory offered,,) = escrow.offerOf(MACHINE);
        assertEq(RaoPerSecond.unwrap(offered.price), 0);
        _assertConserved(rental);
    }

    function test_WhenFiledInAnyOrder() external {
        skip(LAG);
        _withhold(rental, 0, start + 1_000, start + 1_100, false);
        _withhold(rental, 1, start + 2_000, start + 2_100, false);
        _withhold(rental, 1, start + 1_500, start + 1_600, false);
        _withhold(rental, 0, start, start + 1, false);
        IRentalEscrow.Fault[] memory faults = escrow.faultsOf(rental);
        uint32[4] memory wanted = [start, start + 1_000, start + 1_500, start + 2_000];
        assertEq(faults.length, 4);
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(Timestamp.unwrap(faults[i].from), wanted[i]);
        }
        assertEq(_rentalAt(rental).faultedSecs, 301);
        _assertConserved(rental);
    }

    function test_WhenItFillsAGapToTheLastSecond() external {
        skip(LAG);
        _withhold(rental, 0, start, start + 100, false);
        _withhold(rental, 1, start + 200, start + 300, false);
        _withhold(rental, 1, start + 100, start + 200, false);
        assertEq(_rentalAt(rental).faultedSecs, 300);
        _refuseInterval(1, start + 100, start + 101); // the gap is empty now
    }

    function test_GivenItIsOverButNotClosed() external {
        skip(DAY + LAG - 1);
        _withhold(rental, 0, start + DAY - 100, start + DAY, false);
        skip(1);
        escrow.close(rental);
        assertEq(_creditOf(MINER), _cost(DAY - 100));
        _assertConserved(rental);
    }

    /* REVERTS */

    function test_RevertWhen_TheCallerIsNotTheArbiter() external {
        skip(LAG);
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_OnlyArbiter.selector, OWNER));
        vm.prank(OWNER);
        escrow.withhold(rental, 1, 0, _at(start), _at(start + 1), false);
    }

    function test_RevertWhen_ThereIsNoSuchRentalOrItIsClosed() external {
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoRental.selector, 2));
        _withhold(2, 0, start, start + 1, false);
        skip(DAY + LAG);
        escrow.close(rental);
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_Closed.selector, rental));
        _withhold(rental, 0, start, start + 1, false);
    }

    function test_RevertWhen_TheIntervalIsEmptyOrTurnedRound() external {
        skip(LAG);
        _refuseInterval(0, start + 5, start + 5);
        _refuseInterval(0, start + 6, start + 5);
    }

    function test_RevertWhen_OutsideTheRentalOrInTheFuture() external {
        skip(LAG);
        _refuseInterval(0, start - 1, start + 5);
        _refuseInterval(0, start, _now() + 1);
        skip(DAY);
        _refuseInterval(0, start + DAY - 5, start + DAY + 1);
    }

    function test_RevertGiven_ThoseSecondsArePaid() external {
        skip(LAG + 100);
        escrow.claim(rental);
        _refuseInterval(0, start + 99, start + 200);
        _withhold(rental, 0, start + 100, start + 200, false);
    }

    function test_RevertGiven_ThoseSecondsAreWithheldAlready() external {
        skip(LAG);
        _withhold(rental, 0, start + 100, start + 200, false);
        _refuseInterval(0, start + 100, start + 200);
        _refuseInterval(1, start + 100, start + 200);
        _refuseInterval(0, start + 50, start + 101);
        _refuseInterval(1, start + 199, start + 300);
        _refuseInterval(2, start + 300, start + 301); // no such gap
    }

    function test_RevertGiven_OnlyThePlaceOfTheEndingCaseIsLeft() external {
        skip(LAG);
        for (uint8 i = 0; i < 254; ++i) {
            _withhold(rental, i, start + 2 * uint32(i), start + 2 * uint32(i) + 1, false);
        }
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_TooManyFaults.selector, rental));
        _withhold(rental, 254, start + 600, start + 601, false);
        assertEq(escrow.faultsOf(rental).length, 254);
        assertEq(_rentalAt(rental).faultedSecs, 254);
        _withhold(rental, 254, start + 600, _now(), true); // the place kept for it
        assertEq(escrow.faultsOf(rental).length, 255);
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_TooManyFaults.selector, rental));
        _withhold(rental, 1, start + 1, start + 2, true);
        skip(LAG);
        escrow.close(rental);
        _assertConserved(rental);
    }

    /* A TOTAL FUNCTION */

    struct Try {
        uint8 who;
        uint8 state;
        uint8 gap;
        uint32 from;
        uint32 length;
        bool ends;
    }

    uint64 private id;
    address private caller;
    bool private closed;

    function testFuzz_EveryIntervalIsTakenOrRefusedByTheFirstRuleItBreaks(Try memory t) external {
        _draw(t);
        uint32 until = t.from + t.length;
        bytes memory expected = _prediction(t.gap, t.from, until);
        vm.prank(caller);
        bool success = _expect(expected);
        Rao earned = escrow.withhold(id, 2, t.gap, _at(t.from), _at(until), t.ends);
        uint32 secs = success ? t.length : 0;
        assertEq(_rao(earned), success ? _cost(2 hours - 10 minutes - secs) : 0);
        assertEq(_rentalAt(rental).faultedSecs, 10 minutes + secs);
        assertEq(escrow.faultsOf(rental).length, success ? 2 : 1);
        if (!closed) assertEq(_creditOf(RENTER), success && t.ends ? _cost(DAY - 2 hours) : 0);
        _assertConserved(rental);
    }

    /// @dev At start + 2 h, the first hour is paid and [90 min, 100 min) is withheld.
    function _draw(Try memory t) private {
        skip(2 hours);
        escrow.claim(rental);
        _withhold(rental, 0, start + 90 minutes, start + 100 minutes, false);
        closed = t.state % 16 == 0;
        if (closed) {
            _end(rental);
            skip(LAG);
            escrow.close(rental);
        }
        id = t.state % 16 == 1 ? 9 : rental;
        caller = t.who % 16 == 0 ? MINER : address(arbiter);
        t.gap = t.gap % 8 == 0 ? t.gap : t.gap % 2;
        t.from = start + (t.gap == 0 ? 1 hours - 60 : 100 minutes - 60) + t.from % 30 minutes;
        t.length %= 20 minutes;
    }

    function _prediction(uint8 gap, uint32 from, uint32 until) private view returns (bytes memory) {
        if (caller != address(arbiter)) {
            return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_OnlyArbiter.selector, caller);
        }
        if (id != rental) return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoRental.selector, id);
        if (closed) return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_Closed.selector, rental);
        bool fits = (gap == 0 && from >= start + 1 hours && until <= start + 90 minutes)
            || (gap == 1 && from >= start + 100 minutes && until <= start + 2 hours);
        return fits && from < until ? bytes("") : _badInterval(from, until);
    }
}
