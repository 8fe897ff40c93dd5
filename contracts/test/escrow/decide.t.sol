// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

contract DecideTest is EscrowBase {
    uint64 private rental;
    uint32 private constant SECS = 300;

    function setUp() public override {
        super.setUp();
        rental = _rented();
        skip(30 minutes);
        _withhold(rental, 0, _now() - SECS, _now(), false);
    }

    function test_WhenDecidedForTheRenter() external {
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Decided(rental, SECS, Rao.wrap(_cost(SECS)), true);
        _decide(rental, SECS, true);
        assertEq(_creditOf(RENTER), _cost(SECS));
        assertEq(_creditOf(MINER), 0);
        assertEq(_rentalAt(rental).openSecs, 0);
        assertEq(_rentalAt(rental).faultedSecs, SECS, "never earned");
        _assertConserved(rental);
    }

    function test_WhenDecidedForTheMiner() external {
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Claimed(rental, MINER, Rao.wrap(_cost(SECS)), Rao.wrap(0));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Decided(rental, SECS, Rao.wrap(_cost(SECS)), false);
        _decide(rental, SECS, false);
        assertEq(_creditOf(MINER), _cost(SECS));
        assertEq(_rentalAt(rental).faultedSecs, SECS, "and is not claimed a second time");
        skip(DAY + LAG);
        escrow.close(rental);
        assertEq(_creditOf(MINER), _cost(DAY));
        _assertConserved(rental);
    }

    function test_RevertWhen_TheCallerIsNotTheArbiter() external {
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_OnlyArbiter.selector, RENTER));
        vm.prank(RENTER);
        escrow.decide(rental, SECS, true);
    }

    function test_RevertWhen_MoreIsDecidedThanIsWithheld() external {
        bytes4 selector = IRentalEscrow.RentalEscrow_NotWithheld.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, rental, SECS, SECS + 1));
        _decide(rental, SECS + 1, true);
        _decide(rental, SECS, true);
        vm.expectRevert(abi.encodeWithSelector(selector, rental, 0, SECS));
        _decide(rental, SECS, true);
        vm.expectRevert(abi.encodeWithSelector(selector, 2, 0, 1));
        _decide(2, 1, true);
    }

    function testFuzz_WithheldSecondsAreDecidedOnce(uint8 who, uint32 first, uint32 second, bool toRenter, bool closes)
        external
    {
        first %= SECS + 1;
        second %= SECS + 100;
        if (closes) {
            skip(DAY + LAG);
            escrow.close(rental);
        }
        _decide(rental, first, !toRenter);
        address caller = who % 8 == 0 ? MINER : address(arbiter);
        bytes memory expected;
        if (caller == MINER) {
            expected = abi.encodeWithSelector(IRentalEscrow.RentalEscrow_OnlyArbiter.selector, MINER);
        } else if (first + second > SECS) {
            bytes4 selector = IRentalEscrow.RentalEscrow_NotWithheld.selector;
            expected = abi.encodeWithSelector(selector, rental, SECS - first, second);
        }
        vm.prank(caller);
        bool success = _expect(expected);
        escrow.decide(rental, second, toRenter);
        if (!success) second = 0;
        uint64 served = closes ? _cost(DAY - SECS) : 0;
        assertEq(_creditOf(RENTER), _cost(toRenter ? second : first));
        assertEq(_creditOf(MINER), served + _cost(toRenter ? first : second));
        assertEq(_rentalAt(rental).openSecs, SECS - first - second);
        _assertConserved(rental);
    }
}
