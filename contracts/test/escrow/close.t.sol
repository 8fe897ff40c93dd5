// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

contract CloseTest is EscrowBase {
    uint64 private rental;
    uint32 private start;

    function setUp() public override {
        super.setUp();
        rental = _rented();
        start = _now();
    }

    function _tooEarly(uint32 closableAt) private view returns (bytes memory) {
        return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_TooEarly.selector, rental, closableAt);
    }

    function _closed() private view returns (bytes memory) {
        return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_Closed.selector, rental);
    }

    function test_WhenAnybodyCallsALagAfterTheEnd() external {
        skip(2 hours);
        escrow.claim(rental);
        skip(DAY - 2 hours + LAG);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Claimed(rental, MINER, Rao.wrap(_cost(DAY - 1 hours)), Rao.wrap(0));
        vm.expectEmit(address(vault));
        emit ICollateralVault.Released(1, rental, Rao.wrap(H100_BOND));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.RentalClosed(rental);
        vm.prank(STRANGER);
        escrow.close(rental);
        IRentalEscrow.Rental memory r = _rentalAt(rental);
        assertTrue(r.closed);
        assertEq(r.renter, RENTER, "stays readable");
        assertEq(r.claimedSecs, DAY);
        assertEq(Timestamp.unwrap(r.paidUntil), start + DAY);
        assertEq(_creditOf(MINER), _cost(DAY));
        (, Rao reserved,,, Rao free) = vault.bondOf(MACHINE);
        assertEq(_rao(reserved), 0);
        assertEq(_rao(free), 1e9);
        assertEq(vault.nodeAt(1).firstRental, 0, "the node backs it no more");
        (uint32 gapFrom, uint32 gapUntil) = _gap();
        assertGe(gapFrom, gapUntil, "nothing is left to withhold");
        _assertConserved(rental);
    }

    function _gap() private view returns (uint32, uint32) {
        IRentalEscrow.Gap memory g = escrow.gapOf(rental, 0);
        return (Timestamp.unwrap(g.from), Timestamp.unwrap(g.until));
    }

    function test_GivenACaseIsNotDecidedYet() external {
        skip(2 hours);
        _withhold(rental, 0, start + 90 minutes, start + 2 hours, true);
        skip(LAG);
        escrow.close(rental);
        assertEq(_creditOf(MINER), _cost(90 minutes));
        assertEq(_rentalAt(rental).openSecs, 30 minutes);
        _assertConserved(rental);
        _decide(rental, 30 minutes, true);
        assertEq(_creditOf(RENTER), _cost(DAY - 90 minutes));
        _assertConserved(rental);
    }

    function test_GivenEverySecondIsWithheld() external {
        skip(20 minutes);
        _withhold(rental, 0, start, start + 20 minutes, true);
        skip(LAG);
        vm.recordLogs();
        escrow.close(rental);
        assertEq(vm.getRecordedLogs().length, 2, "released and closed, nothing claimed");
        assertEq(_creditOf(MINER), 0);
        _assertConserved(rental);
    }

    function test_RevertGiven_TheLagIsNotOver() external {
        skip(DAY + LAG - 1);
        vm.expectRevert(_tooEarly(start + DAY + LAG));
        escrow.close(rental);
        skip(1);
        escrow.close(rental);
    }

    function test_RevertGiven_ItIsClosed() external {
        skip(DAY + LAG);
        escrow.close(rental);
        vm.expectRevert(_closed());
        escrow.close(rental);
        assertEq(_creditOf(MINER), _cost(DAY));
    }

    function test_RevertWhen_ThereIsNoSuchRental() external {
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoRental.selector, 2));
        escrow.close(2);
    }

    function testFuzz_EveryCloseSettlesAllOrSaysWhyNot(
        uint32 endsAt,
        uint32 claimsAt,
        uint32 faultSecs,
        uint32 closesAt,
        bool again
    ) external {
        endsAt = 1 + endsAt % (DAY - 1);
        claimsAt %= endsAt + 1;
        vm.warp(start + claimsAt);
        if (claimsAt > LAG) escrow.claim(rental);
        vm.warp(start + endsAt);
        faultSecs %= _min(endsAt, LAG) + 1;
        if (faultSecs != 0) _withhold(rental, 0, _now() - faultSecs, _now(), false);
        _end(rental);
        uint32 end = start + _max(endsAt, 1 hours);
        vm.warp(start + endsAt + closesAt % (3 * LAG));
        bytes memory expected = end + LAG > _now() ? _tooEarly(end + LAG) : bytes("");
        bool success = _expect(expected);
        escrow.close(rental);
        _assertConserved(rental);
        assertEq(_creditOf(RENTER), _cost(start + DAY - end));
        if (!success) return;
        assertEq(_creditOf(MINER), _cost(end - start - faultSecs), "all seconds served, whatever was claimed before");
        assertEq(_reserved(rental), 0);
        assertEq(vault.nodeAt(1).firstRental, 0);
        if (again) {
            vm.expectRevert(_closed());
            escrow.close(rental);
        }
    }
}
