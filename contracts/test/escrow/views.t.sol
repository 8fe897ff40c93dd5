// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp, Units_Overflow } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

contract EscrowViewsTest is EscrowBase {
    function _assertGap(uint64 rental, uint8 gap, uint32 from, uint32 until) private view {
        IRentalEscrow.Gap memory g = escrow.gapOf(rental, gap);
        assertEq(Timestamp.unwrap(g.from), from, "from");
        assertEq(Timestamp.unwrap(g.until), until, "until");
        assertEq(keccak256(abi.encode(g.rental)), keccak256(abi.encode(_rentalAt(rental))), "and the rental itself");
    }

    function test_WhatIsNotThereIsEmpty() external view {
        IRentalEscrow.Rental memory none;
        assertEq(keccak256(abi.encode(_rentalAt(1))), keccak256(abi.encode(none)));
        assertEq(keccak256(abi.encode(_rentalAt(0))), keccak256(abi.encode(none)));
        assertEq(escrow.faultsOf(1).length, 0);
        assertEq(escrow.rentalCount(), 0);
        assertEq(escrow.lastRentalOf(1), 0);
        (IRentalEscrow.Offer memory terms, bytes32 offerHash, uint64 last) = escrow.offerOf(MACHINE);
        assertEq(RaoPerSecond.unwrap(terms.price), 0);
        assertEq(offerHash, 0);
        assertEq(last, 0);
        _assertGap(1, 0, 0, 0);
    }

    /* gapOf */

    function test_AGapEndsNowAndStartsWhereNothingIsPaid() external {
        uint64 rental = _rented();
        uint32 start = _now();
        _assertGap(rental, 0, start, start);
        skip(2 hours);
        _assertGap(rental, 0, start, start + 2 hours);
        escrow.claim(rental);
        _assertGap(rental, 0, start + 1 hours, start + 2 hours);
        skip(DAY);
        _assertGap(rental, 0, start + 1 hours, start + DAY);
        _assertGap(rental, 1, 0, 0); // no such gap
        _assertGap(rental, 255, 0, 0);
    }

    function test_FaultsCutTheTimeIntoGaps() external {
        uint64 rental = _rented();
        uint32 start = _now();
        skip(1 hours);
        _withhold(rental, 0, start + 100, start + 200, false);
        _withhold(rental, 1, start + 200, start + 300, false);
        _assertGap(rental, 0, start, start + 100);
        _assertGap(rental, 1, start + 200, start + 200); // two faults that touch leave an empty one
        _assertGap(rental, 2, start + 300, start + 1 hours);
        skip(10 minutes + 250 seconds);
        escrow.claim(rental); // 650 s are behind the lag
        IRentalEscrow.Gap memory g = escrow.gapOf(rental, 0);
        assertTrue(g.until < g.from, "all of it is paid");
    }

    /* quote */

    function test_AQuoteIsWhatRentTakes() external {
        _ready(MACHINE, 1e9);
        (Rao cost, Rao bond) = escrow.quote(MACHINE, DAY);
        assertEq(_rao(cost), _cost(DAY));
        assertEq(_rao(bond), H100_BOND);
        uint64 rental = _rent(MACHINE, DAY);
        assertEq(_rao(escrow.liabilities()), _rao(cost));
        assertEq(_reserved(rental), _rao(bond));
    }

    function test_RevertWhen_QuotingWithoutALiveOffer() external {
        bytes memory noOffer = abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoOffer.selector, MACHINE);
        vm.expectRevert(noOffer);
        escrow.quote(MACHINE, DAY);
        _ready(MACHINE, 1e9);
        skip(30 days);
        vm.expectRevert(noOffer);
        escrow.quote(MACHINE, DAY);
    }

    /// @dev cost = price * secs; bond = max(class bond * GPUs, a fifth of the cost rounded up).
    function testFuzz_AQuoteIsExactOrDoesNotFit(uint40 price, uint32 secs, uint8 gpus, uint64 perGpu) external {
        _register(MACHINE);
        IRentalEscrow.Offer memory terms = _terms();
        price = price == 0 ? 1 : price;
        terms.price = RaoPerSecond.wrap(price);
        terms.gpuCount = gpus == 0 ? 1 : gpus;
        perGpu = 1 + perGpu % 100e9;
        vm.prank(OWNER);
        escrow.setClassBond(H100, Rao.wrap(perGpu));
        vm.prank(MINER);
        escrow.offer(MACHINE, terms);
        uint256 wantCost = uint256(price) * secs;
        bytes memory expected;
        if (wantCost > type(uint64).max) {
            expected = abi.encodeWithSelector(Units_Overflow.selector, wantCost, type(uint64).max);
        }
        bool success = _expect(expected);
        (Rao cost, Rao bond) = escrow.quote(MACHINE, secs);
        if (!success) return;
        uint256 byCost = wantCost / 5 + (wantCost % 5 == 0 ? 0 : 1);
        uint256 byClass = uint256(perGpu) * terms.gpuCount;
        assertEq(_rao(cost), wantCost);
        assertEq(_rao(bond), byCost > byClass ? byCost : byClass);
    }

    /// @dev Every gap of three random faults, against a walk over the seconds.
    function testFuzz_GapsAreTheRunsOfSecondsNotYetDecided(uint32[3] memory at, uint32 later) external {
        uint64 rental = _rented();
        uint32 start = _now();
        skip(1_000);
        for (uint8 i = 0; i < 3; ++i) {
            uint32 from = 300 * uint32(i) + at[i] % 200;
            _withhold(rental, i, start + from, start + from + 50, false);
            at[i] = from;
        }
        skip(later % LAG);
        bool paid = _now() >= start + LAG + 150 + 1;
        if (paid) escrow.claim(rental);
        uint32 paidUntil = paid ? _now() - LAG : start;
        for (uint8 gap = 0; gap <= 3; ++gap) {
            uint32 low = gap == 0 ? start : start + at[gap - 1] + 50;
            uint32 high = gap == 3 ? _now() : start + at[gap];
            _assertGap(rental, gap, _max(low, paidUntil), high);
        }
    }
}
