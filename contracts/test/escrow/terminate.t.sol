// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

contract TerminateTest is EscrowBase {
    uint64 private rental;
    uint32 private start;

    function setUp() public override {
        super.setUp();
        rental = _rented();
        start = _now();
    }

    function _terminate(uint64 id) private {
        vm.prank(address(arbiter));
        escrow.terminate(id);
    }

    function test_TheArbiterEndsARentalAndWithholdsNothing() external {
        skip(10 minutes);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Ended(rental, _at(_now()), Rao.wrap(_cost(DAY - 10 minutes)));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.OfferWithdrawn(1);
        _terminate(rental);
        IRentalEscrow.Rental memory r = escrow.rentalAt(rental);
        assertEq(Timestamp.unwrap(r.end), start + 10 minutes);
        assertEq(r.faultedSecs, 0);
        (, bytes32 offered,) = escrow.offerOf(MACHINE);
        assertEq(offered, 0);
        _assertConserved(rental);
    }

    function test_ARentalThatIsOverIsLeftAsItIs() external {
        vm.warp(start + DAY);
        vm.recordLogs();
        _terminate(rental);
        assertEq(vm.getRecordedLogs().length, 0);
        assertEq(Timestamp.unwrap(escrow.rentalAt(rental).end), start + DAY);
        (, bytes32 offered,) = escrow.offerOf(MACHINE);
        assertTrue(offered != 0);
    }

    function test_AStrangerCannotTerminate() external {
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_OnlyArbiter.selector, RENTER));
        vm.prank(RENTER);
        escrow.terminate(rental);
    }

    function testFuzz_EveryTerminationEndsARunningRentalOrSaysWhyNot(uint8 who, uint32 later, bool closes) external {
        skip(later % (2 * DAY));
        bool closed = closes && _now() >= start + DAY + LAG;
        if (closed) escrow.close(rental);
        uint64 id = who % 8 == 0 ? 2 : rental;
        address caller = who % 8 == 1 ? OWNER : address(arbiter);
        bytes memory expected;
        if (caller == OWNER) expected = abi.encodeWithSelector(IRentalEscrow.RentalEscrow_OnlyArbiter.selector, OWNER);
        else if (id == 2) expected = abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoRental.selector, 2);
        else if (closed) expected = abi.encodeWithSelector(IRentalEscrow.RentalEscrow_Closed.selector, rental);
        vm.prank(caller);
        bool success = _expect(expected);
        escrow.terminate(id);
        uint32 end = success ? _min(_now(), start + DAY) : start + DAY;
        assertEq(Timestamp.unwrap(escrow.rentalAt(rental).end), end);
        assertEq(_creditOf(RENTER), _cost(start + DAY - end));
        _assertConserved(rental);
    }
}
