// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalBids } from "../../src/interfaces/IRentalBids.sol";
import { BidsBase } from "./BidsBase.t.sol";

contract BidsViewsTest is BidsBase {
    function _assertNone(uint64 bid) private view {
        IRentalBids.Bid memory none;
        assertEq(keccak256(abi.encode(bids.bidAt(bid))), keccak256(abi.encode(none)));
    }

    function test_BidCount_IsHowManyThereEverWere() external {
        assertEq(bids.bidCount(), 0);
        _ready(MACHINE, 1e9);
        _giveUp(RENTER, _posted());
        assertEq(bids.bidCount(), 1);
        _fill(_posted(), MACHINE);
        assertEq(bids.bidCount(), 2);
    }

    function test_BidAt_WhenThereIsNoSuchBid() external {
        _assertNone(0);
        _assertNone(1);
        _posted();
        _assertNone(2);
        _assertNone(type(uint64).max);
    }

    function test_BidAt_GivenItIsOpen() external {
        IRentalBids.Bid memory b = _wish();
        uint64 bid = _posted();
        assertEq(keccak256(abi.encode(bids.bidAt(bid))), keccak256(abi.encode(b)));
    }

    function test_BidAt_GivenItExpired() external {
        uint64 bid = _posted();
        vm.warp(_expiry(bid));
        assertEq(uint8(_statusOf(bid)), uint8(IRentalBids.Status.Open), "open until somebody gives it up");
    }

    function test_BidAt_GivenItIsFilledOrReturned() external {
        _ready(MACHINE, 1e9);
        IRentalBids.Bid memory b = _wish();
        (uint64 filled, uint64 returned) = (_posted(), _posted());
        b.rental = _fill(filled, MACHINE);
        b.status = IRentalBids.Status.Filled;
        assertEq(keccak256(abi.encode(bids.bidAt(filled))), keccak256(abi.encode(b)), "all of it stays readable");
        _giveUp(RENTER, returned);
        (b.rental, b.status) = (0, IRentalBids.Status.Returned);
        assertEq(keccak256(abi.encode(bids.bidAt(returned))), keccak256(abi.encode(b)));
    }
}
