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

    function _noOffer() private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoOffer.selector, MACHINE);
    }

    function _assertNone(uint64 rental) private view {
        IRentalEscrow.Rental memory none;
        (IRentalEscrow.Rental memory r, bytes32 renterKey) = escrow.rentalAt(rental);
        assertEq(keccak256(abi.encode(r)), keccak256(abi.encode(none)));
        assertEq(renterKey, 0);
    }

    /* rentalCount */

    function test_RentalCount_IsHowManyThereEverWere() external {
        assertEq(escrow.rentalCount(), 0);
        uint64 rental = _rented();
        assertEq(escrow.rentalCount(), 1);
        skip(DAY + LAG);
        escrow.close(rental);
        assertEq(escrow.rentalCount(), 1);
    }

    /* rentalAt */

    function test_RentalAt_WhenThereIsNoSuchRental() external {
        _assertNone(0);
        _assertNone(1);
        _rented();
        _assertNone(2);
        _assertNone(type(uint64).max);
    }

    function test_RentalAt_GivenItIsClosed() external {
        uint64 rental = _rented();
        skip(DAY + LAG);
        escrow.close(rental);
        (IRentalEscrow.Rental memory r, bytes32 renterKey) = escrow.rentalAt(rental);
        assertEq(r.renter, RENTER);
        assertEq(renterKey, RENTER_KEY);
        assertTrue(r.closed);
    }

    function test_RentalAt_GivenTwoTenantsWithKeysOfTheirOwn() external {
        _ready(MACHINE, 2e9);
        RentCall memory c = _goodRent(MACHINE);
        _send(c);
        skip(2 hours);
        _end(1);
        skip(60);
        c = _goodRent(MACHINE);
        c.renterKey = keccak256("the next tenant's key");
        _send(c);
        (, bytes32 first) = escrow.rentalAt(1);
        (, bytes32 second) = escrow.rentalAt(2);
        assertEq(first, RENTER_KEY);
        assertEq(second, c.renterKey);
    }

    /* faultsOf */

    function test_FaultsOf_WhenThereAreNone() external {
        assertEq(escrow.faultsOf(1).length, 0);
        assertEq(escrow.faultsOf(_rented()).length, 0);
    }

    function test_FaultsOf_GivenSome() external {
        uint64 rental = _rented();
        uint32 start = _now();
        skip(1 hours);
        _withhold(rental, 0, start + 100, start + 200, false);
        _withhold(rental, 0, start, start + 50, false);
        IRentalEscrow.Fault[] memory faults = escrow.faultsOf(rental);
        assertEq(faults.length, 2);
        assertEq(Timestamp.unwrap(faults[0].from), start);
        assertEq(Timestamp.unwrap(faults[0].until), start + 50);
        assertEq(Timestamp.unwrap(faults[1].from), start + 100);
        assertEq(faults[1].caseId, 1);
    }

    /* earnedOf */

    function test_EarnedOf_WhenThereIsNoSuchRental() external view {
        assertEq(_rao(escrow.earnedOf(1)), 0);
    }

    function test_EarnedOf_GivenItRuns() external {
        uint64 rental = _rented();
        assertEq(_rao(escrow.earnedOf(rental)), 0);
        skip(1);
        assertEq(_rao(escrow.earnedOf(rental)), PRICE);
        skip(2 hours - 1);
        escrow.claim(rental);
        assertEq(_rao(escrow.earnedOf(rental)), _cost(2 hours), "paid or not");
        _withhold(rental, 0, _now() - 10 minutes, _now(), false);
        assertEq(_rao(escrow.earnedOf(rental)), _cost(2 hours - 10 minutes));
        _decide(rental, 10 minutes, false);
        assertEq(_rao(escrow.earnedOf(rental)), _cost(2 hours - 10 minutes), "whoever got them in the end");
    }

    function test_EarnedOf_GivenItIsOver() external {
        uint64 rental = _rented();
        skip(3 * DAY);
        assertEq(_rao(escrow.earnedOf(rental)), _cost(DAY));
        escrow.close(rental);
        assertEq(_rao(escrow.earnedOf(rental)), _cost(DAY));
    }

    /* gapOf */

    function test_GapOf_WhenThereIsNoSuchRentalOrGap() external {
        _assertGap(1, 0, 0, 0);
        uint64 rental = _rented();
        skip(1 hours);
        _assertGap(rental, 1, 0, 0);
        _assertGap(rental, 255, 0, 0);
    }

    function test_GapOf_GivenNoFaults() external {
        uint64 rental = _rented();
        uint32 start = _now();
        _assertGap(rental, 0, start, start);
        skip(2 hours);
        _assertGap(rental, 0, start, start + 2 hours);
        escrow.claim(rental);
        _assertGap(rental, 0, start + 1 hours, start + 2 hours);
        skip(DAY);
        _assertGap(rental, 0, start + 1 hours, start + DAY);
    }

    function test_GapOf_GivenFaults() external {
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

    /// @dev Every gap of three random faults, against a walk over the seconds.
    function testFuzz_GapOfIsARunOfSecondsNotYetDecided(uint32[3] memory at, uint32 later) external {
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

    /* offerOf */

    function test_OfferOf_WhenThereIsNone() external {
        _register(MACHINE);
        (IRentalEscrow.Offer memory terms, bytes32 offerHash, uint64 last) = escrow.offerOf(MACHINE);
        IRentalEscrow.Offer memory none;
        assertEq(keccak256(abi.encode(terms)), keccak256(abi.encode(none)));
        assertEq(offerHash, 0);
        assertEq(last, 0);
    }

    function test_OfferOf_GivenItExpired() external {
        uint64 rental = _rented();
        skip(30 days);
        (IRentalEscrow.Offer memory terms, bytes32 offerHash, uint64 last) = escrow.offerOf(MACHINE);
        assertEq(RaoPerSecond.unwrap(terms.price), 0);
        assertEq(offerHash, 0);
        assertEq(last, rental, "the last rental is known still");
        assertEq(escrow.lastRentalOf(1), rental);
    }

    /* quote */

    function test_Quote_RevertWhen_WithoutALiveOffer() external {
        vm.expectRevert(_noOffer());
        escrow.quote(MACHINE, DAY);
        _ready(MACHINE, 1e9);
        skip(30 days);
        vm.expectRevert(_noOffer());
        escrow.quote(MACHINE, DAY);
    }

    function test_Quote_WhenTheOfferIsLive() external {
        _ready(MACHINE, 1e9);
        (Rao cost, Rao bond) = escrow.quote(MACHINE, DAY);
        assertEq(_rao(cost), _cost(DAY));
        assertEq(_rao(bond), H100_BOND);
        uint64 rental = _rent(MACHINE, DAY);
        assertEq(_rao(escrow.liabilities()), _rao(cost));
        assertEq(_reserved(rental), _rao(bond));
    }

    /// @dev cost = price * secs; bond = max(class bond * GPUs, a fifth of the cost rounded up).
    function testFuzz_QuoteIsExactOrDoesNotFit(uint40 price, uint32 secs, uint8 gpus, uint64 perGpu) external {
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
}
