// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

contract DistrustTest is EscrowBase {
    uint64 private rental;
    uint32 private start;

    function setUp() public override {
        super.setUp();
        rental = _rented();
        start = _now();
    }

    function _distrust(uint32 registration) private returns (uint64) {
        vm.prank(address(arbiter));
        return escrow.distrust(registration);
    }

    function test_GivenARentalRuns() external {
        skip(10 minutes);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.OfferWithdrawn(1);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Ended(rental, _at(_now()), Rao.wrap(_cost(DAY - 10 minutes)));
        assertEq(_distrust(1), rental);
        IRentalEscrow.Rental memory r = _rentalAt(rental);
        assertEq(Timestamp.unwrap(r.end), start + 10 minutes);
        assertEq(r.faultedSecs, 0);
        (, bytes32 offered,) = escrow.offerOf(MACHINE);
        assertEq(offered, 0);
        _assertConserved(rental);
    }

    function test_GivenARentalIsOver() external {
        vm.warp(start + DAY);
        assertEq(_distrust(1), rental);
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), start + DAY);
        skip(LAG);
        escrow.close(rental);
        assertEq(_distrust(1), 0);
    }

    function test_GivenItWasNeverRented() external {
        bytes32 machine = keccak256("idle");
        _ready(machine, 1e9);
        assertEq(_distrust(2), 0);
        (, bytes32 offered,) = escrow.offerOf(machine);
        assertEq(offered, 0);
    }

    function test_GivenCertificatesFromBefore() external {
        bytes32 machine = keccak256("idle");
        _ready(machine, 1e9);
        RentCall memory c = _goodRent(machine);
        skip(1);
        _distrust(2);
        c.offerHash = _offer(machine);
        vm.expectPartialRevert(IRentalEscrow.RentalEscrow_CertificateStale.selector);
        _send(c);
        c = _goodRent(machine); // measured anew
        c.offerHash = _offer(machine);
        _send(c);
        assertEq(escrow.rentalCount(), 2);
    }

    function test_RevertWhen_TheCallerIsNotTheArbiter() external {
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_OnlyArbiter.selector, RENTER));
        vm.prank(RENTER);
        escrow.distrust(1);
    }

    function testFuzz_OnlyTheArbiterAndOnlyARunningRentalEnds(uint8 who, uint32 later, bool closes) external {
        skip(later % (2 * DAY));
        bool closed = closes && _now() >= start + DAY + LAG;
        if (closed) escrow.close(rental);
        address caller = who % 8 == 1 ? OWNER : address(arbiter);
        bytes memory expected;
        if (caller == OWNER) expected = abi.encodeWithSelector(IRentalEscrow.RentalEscrow_OnlyArbiter.selector, OWNER);
        vm.prank(caller);
        bool success = _expect(expected);
        uint64 named = escrow.distrust(1);
        if (success) assertEq(named, closed ? 0 : rental);
        uint32 end = success ? _min(_now(), start + DAY) : start + DAY;
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), end);
        assertEq(_creditOf(RENTER), _cost(start + DAY - end));
        _assertConserved(rental);
    }
}
