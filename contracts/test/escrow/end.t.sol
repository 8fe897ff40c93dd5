// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

contract EndTest is EscrowBase {
    uint64 private rental;
    uint32 private start;

    function setUp() public override {
        super.setUp();
        rental = _rented();
        start = _now();
    }

    function _onlyRenter(uint64 id, address renter, address caller) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_OnlyRenter.selector, id, renter, caller);
    }

    function test_WhenTheRenterEndsIt() external {
        skip(5 hours);
        uint64 rest = _cost(DAY - 5 hours);
        vm.expectEmit(address(escrow));
        emit IRaoLedger.Credited(RENTER, Rao.wrap(rest), Rao.wrap(rest));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Ended(rental, _at(_now()), Rao.wrap(rest));
        _end(rental);
        IRentalEscrow.Rental memory r = _rentalAt(rental);
        assertEq(Timestamp.unwrap(r.end), start + 5 hours);
        assertFalse(r.closed);
        assertEq(_creditOf(RENTER), rest);
        assertEq(_reserved(rental), H100_BOND, "the bond stays until closed");
        (, bytes32 offered,) = escrow.offerOf(MACHINE);
        assertTrue(offered != 0, "the offer stays");
        _assertConserved(rental);
        escrow.withdrawCredit(RENTER);
        assertEq(_creditOf(RENTER), 0);
    }

    function test_GivenTheMinimumIsNotOver() external {
        skip(1 minutes);
        _end(rental);
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), start + 1 hours);
        assertEq(_creditOf(RENTER), _cost(DAY - 1 hours));
        _end(rental); // it still runs: ending it again changes nothing
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), start + 1 hours);
        assertEq(_creditOf(RENTER), _cost(DAY - 1 hours));
        _assertConserved(rental);
    }

    function test_RevertWhen_TheCallerIsNotItsRenter() external {
        vm.expectRevert(_onlyRenter(rental, RENTER, STRANGER));
        vm.prank(STRANGER);
        escrow.end(rental);
        vm.expectRevert(_onlyRenter(rental, RENTER, MINER));
        vm.prank(MINER);
        escrow.end(rental);
    }

    function test_RevertWhen_ThereIsNoSuchRental() external {
        vm.expectRevert(_onlyRenter(9, address(0), RENTER));
        _end(9);
    }

    function test_RevertGiven_ItIsOver() external {
        vm.warp(start + DAY);
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_Over.selector, rental, start + DAY));
        _end(rental);
    }

    function testFuzz_EveryEndIsTakenOrRefusedByTheFirstRuleItBreaks(uint8 who, uint32 first, uint32 later) external {
        first %= 2 * DAY;
        later %= 2 hours;
        skip(first);
        bool endedBefore = who % 2 == 0 && first < DAY;
        if (endedBefore) _end(rental);
        uint32 was = endedBefore ? start + _max(first, 1 hours) : start + DAY;
        skip(later);
        address caller = who % 8 == 1 ? STRANGER : RENTER;
        bytes memory expected;
        if (caller != RENTER) {
            expected = _onlyRenter(rental, RENTER, caller);
        } else if (_now() >= was) {
            expected = abi.encodeWithSelector(IRentalEscrow.RentalEscrow_Over.selector, rental, was);
        }
        vm.prank(caller);
        bool success = _expect(expected);
        escrow.end(rental);
        uint32 end = success ? _min(was, _max(_now(), start + 1 hours)) : was;
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), end);
        assertEq(_creditOf(RENTER), _cost(start + DAY - end));
        _assertConserved(rental);
    }
}
