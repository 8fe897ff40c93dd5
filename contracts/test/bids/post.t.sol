// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalBids } from "../../src/interfaces/IRentalBids.sol";
import { RaoPerSecond, Units_Overflow, toRao } from "../../src/types/Units.sol";
import { BidsBase } from "./BidsBase.t.sol";

contract PostTest is BidsBase {
    function _wrongPayment(uint256 paid, uint256 cost) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRentalBids.RentalBids_WrongPayment.selector, paid, cost);
    }

    function _notWholeRao(uint256 valueWei) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRaoLedger.RaoLedger_NotWholeRao.selector, valueWei);
    }

    function _refusePost(IRentalBids.Bid memory b, uint256 valueWei, bytes memory expected) private {
        vm.expectRevert(expected);
        _post(b, valueWei);
        assertEq(bids.bidCount(), 0, "no bid");
        _assertBooks(0);
    }

    function _refuse(IRentalBids.Bid memory b, bytes memory expected) private {
        _refusePost(b, _costOf(b) * WEI, expected);
    }

    /* REVERTS */

    function test_RevertGiven_NewBusinessIsPaused() external {
        uint32 until = _pause(1 hours);
        vm.warp(until - 1);
        _refuse(_wish(), _paused(until));
        skip(1);
        assertEq(_posted(), 1);
    }

    function test_RevertGiven_TheSunset() external {
        _sunset();
        _refuse(_wish(), _sunsetError());
    }

    function test_RevertWhen_NoGpuIsWished() external {
        IRentalBids.Bid memory b = _wish();
        b.gpuCount = 0;
        _refuse(b, _badBid("gpuCount is zero"));
    }

    function test_RevertWhen_ThereIsNoRenterKey() external {
        IRentalBids.Bid memory b = _wish();
        b.renterKey = 0;
        _refuse(b, _badBid("renterKey is zero"));
    }

    function test_RevertWhen_ItExpiresNowOrBefore() external {
        IRentalBids.Bid memory b = _wish();
        b.expiresAt = _at(_now());
        _refuse(b, _badBid("expiresAt is not in the future"));
        b.expiresAt = _at(0);
        _refuse(b, _badBid("expiresAt is not in the future"));
        b.expiresAt = _at(_now() + 1);
        assertEq(_post(b, _costOf(b) * WEI), 1);
    }

    function test_RevertWhen_ItLivesOverThirtyDays() external {
        IRentalBids.Bid memory b = _wish();
        b.expiresAt = _at(_now() + MAX_LIFE + 1);
        _refuse(b, _badBid("expiresAt is over 30 days ahead"));
        b.expiresAt = _at(type(uint32).max);
        _refuse(b, _badBid("expiresAt is over 30 days ahead"));
        b.expiresAt = _at(_now() + MAX_LIFE);
        assertEq(_post(b, _costOf(b) * WEI), 1);
    }

    function test_RevertWhen_ItCostsMoreThanAllTaoThereWillEverBe() external {
        IRentalBids.Bid memory b = _wish();
        b.maxPrice = RaoPerSecond.wrap(type(uint40).max);
        b.durationSecs = type(uint32).max;
        _refusePost(b, WEI, abi.encodeWithSelector(Units_Overflow.selector, _costOf(b), type(uint64).max));
    }

    function test_RevertWhen_ItCostsNothing() external {
        IRentalBids.Bid memory b = _wish();
        b.durationSecs = 0;
        _refusePost(b, 0, _notWholeRao(0));
        _refusePost(b, WEI, _wrongPayment(1, 0));
        b = _wish();
        b.maxPrice = RaoPerSecond.wrap(0);
        _refusePost(b, 0, _notWholeRao(0));
        _refusePost(b, WEI, _wrongPayment(1, 0));
    }

    function test_RevertWhen_ThePaymentIsNotExact() external {
        IRentalBids.Bid memory b = _wish();
        uint256 cost = _costOf(b);
        _refusePost(b, (cost - 1) * WEI, _wrongPayment(cost - 1, cost));
        _refusePost(b, (cost + 1) * WEI, _wrongPayment(cost + 1, cost));
        _refusePost(b, cost * WEI + 1, _notWholeRao(cost * WEI + 1));
        _refusePost(b, cost * WEI - 1, _notWholeRao(cost * WEI - 1));
        _refusePost(b, 0, _notWholeRao(0));
    }

    /* THE WAY THROUGH */

    function test_WhenTheWishMakesSense() external {
        IRentalBids.Bid memory b = _wish();
        uint256 cost = _costOf(b);
        vm.expectEmit(address(bids));
        emit IRentalBids.BidPosted(1, RENTER, b, toRao(cost));
        assertEq(_post(b, cost * WEI), 1, "ids are dense from 1");
        assertEq(keccak256(abi.encode(bids.bidAt(1))), keccak256(abi.encode(b)));
        assertEq(bids.bidCount(), 1);
        assertEq(_bidCredit(RENTER), 0);
        _assertBooks(cost);
    }

    /// @dev The class need not be on the market, and nobody need offer it: a wish may wait for either.
    function test_WhenNobodyOffersWhatIsWished() external {
        IRentalBids.Bid memory b = _wish();
        (b.gpuClass, b.gpuCount) = (type(uint16).max, 255);
        assertEq(_post(b, _costOf(b) * WEI), 1);
        _assertBooks(_costOf(b));
    }

    function test_WhenSeveralWish() external {
        IRentalBids.Bid memory b = _wish();
        assertEq(_posted(), 1);
        b.renter = STRANGER;
        b.durationSecs = 1 hours;
        assertEq(_post(b, _costOf(b) * WEI), 2);
        assertEq(bids.bidAt(1).renter, RENTER);
        assertEq(bids.bidAt(2).renter, STRANGER);
        _assertBooks(_costOf(_wish()) + _costOf(b));
    }

    /* A TOTAL FUNCTION */

    /// @dev Where a field is `% 16 == 0` the rule named after it is broken.
    struct Wrongs {
        uint8 gate;
        uint8 count;
        uint8 key;
        uint8 paid;
        uint32 life;
        uint32 secs;
        uint40 price;
    }

    function testFuzz_EveryBidIsTakenOrRefusedByTheFirstRuleItBreaks(Wrongs memory w) external {
        bytes memory expected = _drawGate(w.gate);
        IRentalBids.Bid memory b = _wish();
        b.gpuCount = w.count % 16 == 0 ? 0 : w.count;
        if (w.key % 16 == 0) b.renterKey = 0;
        b.expiresAt = _at(_now() - 1 + (w.life % 8 == 0 ? w.life % 3 : w.life % (MAX_LIFE + 20_000)));
        b.durationSecs = w.secs % 8 == 0 ? 0 : w.secs;
        b.maxPrice = RaoPerSecond.wrap(w.price % 8 == 0 ? 0 : w.price % 2 == 0 ? w.price : w.price % 1e9);
        uint256 cost = _costOf(b);
        uint256 value = (cost % 2 ** 64) * WEI; // nobody has more
        if (w.paid % 16 == 0) value += WEI;
        if (w.paid % 16 == 1) value += 1;
        if (w.paid % 16 == 2) value = 0;
        vm.deal(RENTER, value);
        if (expected.length == 0) expected = _prediction(b, cost, value);
        bool success = _expect(expected);
        uint64 bid = _post(b, value);
        assertEq(bids.bidCount(), success ? 1 : 0);
        _assertBooks(success ? cost : 0);
        if (success) assertEq(keccak256(abi.encode(bids.bidAt(bid))), keccak256(abi.encode(b)));
    }

    function _prediction(IRentalBids.Bid memory b, uint256 cost, uint256 value) private view returns (bytes memory) {
        if (b.gpuCount == 0) return _badBid("gpuCount is zero");
        if (b.renterKey == 0) return _badBid("renterKey is zero");
        if (b.expiresAt <= _at(_now())) return _badBid("expiresAt is not in the future");
        if (_at(_now() + MAX_LIFE) < b.expiresAt) return _badBid("expiresAt is over 30 days ahead");
        if (cost > type(uint64).max) return abi.encodeWithSelector(Units_Overflow.selector, cost, type(uint64).max);
        if (value == 0 || value % WEI != 0) return _notWholeRao(value);
        if (value / WEI > type(uint64).max) {
            return abi.encodeWithSelector(Units_Overflow.selector, value / WEI, type(uint64).max);
        }
        if (value / WEI != cost) return _wrongPayment(value / WEI, cost);
        return "";
    }
}
