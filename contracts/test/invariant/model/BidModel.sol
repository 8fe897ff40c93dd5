// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalBids } from "../../../src/interfaces/IRentalBids.sol";

/// @title What became of each bid, worked out without the contract
abstract contract BidModel {
    struct BidModelled {
        address renter;
        uint40 maxPrice;
        uint16 gpuClass;
        uint8 gpuCount;
        uint32 expiresAt;
        uint32 secs;
        IRentalBids.Status status;
        uint64 rental;
        uint64 paid;
        uint64 cost; // of the rental it became
    }

    uint64 public bids;
    mapping(uint64 bid => BidModelled) private _bids;

    function bidOf(uint64 bid) external view returns (BidModelled memory) {
        return _bids[bid];
    }

    function post(BidModelled calldata b) external returns (uint64 bid) {
        bid = ++bids;
        _bids[bid] = b;
        _bids[bid].status = IRentalBids.Status.Open;
    }

    function fill(uint64 bid, uint64 rental, uint64 cost) external {
        BidModelled storage b = _bids[bid];
        (b.status, b.rental, b.cost) = (IRentalBids.Status.Filled, rental, cost);
    }

    function giveUp(uint64 bid) external {
        _bids[bid].status = IRentalBids.Status.Returned;
    }
}
