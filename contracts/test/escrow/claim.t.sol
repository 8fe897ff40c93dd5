// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

contract ClaimTest is EscrowBase {
    uint64 private rental;
    uint32 private start;

    function setUp() public override {
        super.setUp();
        rental = _rented();
        start = _now();
    }

    function _nothing() private view returns (bytes memory) {
        return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NothingToClaim.selector, rental);
    }

    function test_WhenAnybodyCallsAfterTheLag() external {
        skip(LAG + 100);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Claimed(rental, MINER, Rao.wrap(_cost(100)), Rao.wrap(0));
        vm.prank(STRANGER);
        escrow.claim(rental);
        IRentalEscrow.Rental memory r = _rentalAt(rental);
        assertEq(r.claimedSecs, 100);
        assertEq(Timestamp.unwrap(r.paidUntil), start + 100);
        assertEq(_creditOf(MINER), _cost(100));
        assertEq(_creditOf(STRANGER), 0, "the caller gains nothing");
        _assertConserved(rental);
    }

    function test_WhenCalledAgain() external {
        skip(LAG + 100);
        escrow.claim(rental);
        vm.expectRevert(_nothing());
        escrow.claim(rental);
        skip(1);
        escrow.claim(rental);
        assertEq(_creditOf(MINER), _cost(101));
    }

    function test_GivenItIsOver() external {
        skip(2 hours);
        _end(rental);
        skip(3 * DAY);
        escrow.claim(rental);
        IRentalEscrow.Rental memory r = _rentalAt(rental);
        assertEq(_creditOf(MINER), _cost(2 hours));
        assertEq(Timestamp.unwrap(r.paidUntil), start + 2 hours);
        vm.expectRevert(_nothing());
        escrow.claim(rental);
        _assertConserved(rental);
    }

    function test_GivenSecondsAreWithheld() external {
        skip(30 minutes);
        _withhold(rental, 0, start + 10 minutes, start + 20 minutes, false);
        skip(LAG);
        escrow.claim(rental);
        assertEq(_creditOf(MINER), _cost(20 minutes));
        assertEq(Timestamp.unwrap(_rentalAt(rental).paidUntil), start + 30 minutes);
        _assertConserved(rental);
    }

    /// @dev A fault inside the lag delays pay for as many seconds before it, and costs none of them.
    function test_GivenSecondsInsideTheLagAreWithheld() external {
        skip(LAG + 10 minutes);
        _withhold(rental, 0, start + LAG, start + LAG + 4 minutes, false);
        escrow.claim(rental);
        assertEq(_creditOf(MINER), _cost(6 minutes));
        assertEq(Timestamp.unwrap(_rentalAt(rental).paidUntil), start + 10 minutes);
        skip(LAG);
        escrow.claim(rental);
        assertEq(_creditOf(MINER), _cost(LAG + 10 minutes - 4 minutes));
        _assertConserved(rental);
    }

    function test_RevertWhen_ThereIsNoSuchRental() external {
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoRental.selector, 3));
        escrow.claim(3);
    }

    function test_RevertGiven_ItIsClosed() external {
        skip(DAY + LAG);
        escrow.close(rental);
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_Closed.selector, rental));
        escrow.claim(rental);
    }

    function test_RevertGiven_NothingIsEarnedYet() external {
        skip(LAG);
        vm.expectRevert(_nothing());
        escrow.claim(rental);
    }

    function testFuzz_EveryClaimPaysExactlyWhatIsDueOrSaysWhyNot(
        uint32 first,
        uint32 later,
        uint32 faultFrom,
        uint32 faultSecs,
        bool closes
    ) external {
        first = LAG + 1 + first % (DAY - LAG);
        faultSecs = 1 + faultSecs % LAG; // not yet paid, whenever claimed
        faultFrom = first - faultSecs - faultFrom % (LAG - faultSecs + 1);
        skip(first);
        escrow.claim(rental);
        _withhold(rental, 0, start + faultFrom, start + faultFrom + faultSecs, false);
        skip(later % (2 * DAY));
        bool closed = closes && _now() >= start + DAY + LAG;
        if (closed) escrow.close(rental);

        uint32 served = _min(_now() - LAG - start, DAY);
        uint32 earned = served > faultSecs ? served - faultSecs : 0;
        uint32 paid = first - LAG;
        bytes memory expected;
        if (closed) expected = abi.encodeWithSelector(IRentalEscrow.RentalEscrow_Closed.selector, rental);
        else if (earned <= paid) expected = _nothing();
        bool success = _expect(expected);
        escrow.claim(rental);
        if (closed) paid = DAY - faultSecs;
        else if (success) paid = earned;
        assertEq(_creditOf(MINER), _cost(paid));
        assertEq(_rentalAt(rental).claimedSecs, paid);
        _assertConserved(rental);
    }
}

/// @dev A chain's clock is far ahead of any lag; a fresh local one's may not be.
contract ClaimOnAYoungChainTest is EscrowBase {
    function test_NothingIsEarnedBeforeTheFirstLagOfAChain() external {
        vm.warp(100);
        uint64 rental = _rented();
        vm.warp(LAG + 100);
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NothingToClaim.selector, rental));
        escrow.claim(rental);
        skip(7);
        escrow.claim(rental);
        assertEq(_creditOf(MINER), _cost(7));
    }
}
