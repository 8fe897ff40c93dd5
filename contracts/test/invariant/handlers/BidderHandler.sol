// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalBids } from "../../../src/interfaces/IRentalBids.sol";
import { IRentalEscrow } from "../../../src/interfaces/IRentalEscrow.sol";
import { RaoPerSecond, Timestamp } from "../../../src/types/Units.sol";
import { BidModel } from "../model/BidModel.sol";
import { HandlerBase, System } from "./HandlerBase.sol";
import { RentingBase } from "./RentingBase.sol";

/// @dev Renters with wishes, and whoever matches them.
contract BidderHandler is RentingBase {
    constructor(System memory s) HandlerBase(s) { }

    function post(uint256 renterSeed, uint256 what, uint256 price, uint256 secsSeed, uint256 lifeSeed) external acts {
        BidModel.BidModelled memory b;
        b.renter = RENTERS[renterSeed % 3];
        b.maxPrice = price % 8 == 0 ? uint40(bound(price, 1, 50_000)) : 1_100;
        b.gpuClass = what % 8 == 0 ? H100 + 1 : H100;
        b.gpuCount = what % 8 == 1 ? 2 : 1;
        b.secs = uint32(bound(secsSeed, 1 hours, 2 days));
        b.expiresAt = _now() + uint32(bound(lifeSeed, 1, 30 days));
        b.paid = _to64(uint256(b.maxPrice) * b.secs);
        bool ok = _succeeds("post", _gateError());
        hoax(b.renter, b.paid * WEI);
        uint64 bid = bids.post{ value: b.paid * WEI }(
            b.gpuClass, b.gpuCount, b.secs, RaoPerSecond.wrap(b.maxPrice), RENTER_KEY, Timestamp.wrap(b.expiresAt)
        );
        if (ok) assertEq(STORE.post(b), bid, "bids are numbered without gaps");
    }

    function fill(uint256 bidSeed, uint256 machineSeed, uint256 signerSeed) external acts {
        uint64 bid = _bid(bidSeed);
        if (bid == 0) return;
        BidModel.BidModelled memory b = STORE.bidOf(bid);
        Plan memory p;
        p.machine = _fitting(b, machineSeed);
        (p.terms, p.offerHash) = _termsOf(p.machine);
        (p.renter, p.secs) = (b.renter, b.secs);
        p.cost = uint256(RaoPerSecond.unwrap(p.terms.price)) * p.secs;
        (uint256[] memory keys, bool quorum) = STORE.signers(_signerMask(signerSeed));
        IRentalEscrow.SignedCertificate[] memory certificates = _certificates(p.machine, p.terms, keys);
        bytes memory expected = _expectFill(bid, b, p);
        if (expected.length == 0) expected = _expectRent(p, quorum, keys.length);
        bool ok = _succeeds("fill", expected);
        vm.prank(STRANGER);
        uint64 rental = bids.fill(bid, p.machine, certificates);
        if (!ok) return;
        _rented(p, rental);
        STORE.fill(bid, rental, _to64(p.cost));
    }

    /// @dev By its renter, or by anybody once it has expired.
    function giveUp(uint256 bidSeed, uint256 who) external acts {
        uint64 bid = _bid(bidSeed);
        if (bid == 0) return;
        BidModel.BidModelled memory b = STORE.bidOf(bid);
        address caller = who % 2 == 0 && b.expiresAt <= _now() ? STRANGER : b.renter;
        bytes memory expected;
        if (b.status != IRentalBids.Status.Open) {
            expected = _error(IRentalBids.RentalBids_NotOpen.selector, bid, uint256(uint8(b.status)));
        }
        bool ok = _succeeds("giveUp", expected);
        vm.prank(caller);
        bids.giveUp(bid);
        if (ok) STORE.giveUp(bid);
    }

    /* INTERNALS */

    function _expectFill(uint64 bid, BidModel.BidModelled memory b, Plan memory p) private view returns (bytes memory) {
        if (b.status != IRentalBids.Status.Open) {
            return _error(IRentalBids.RentalBids_NotOpen.selector, bid, uint256(uint8(b.status)));
        }
        if (b.expiresAt <= _now()) return _error(IRentalBids.RentalBids_Expired.selector, bid, b.expiresAt);
        if (_fits(b, p.terms)) return "";
        return abi.encodeWithSelector(
            IRentalBids.RentalBids_DoesNotFit.selector, bid, p.terms.gpuClass, p.terms.gpuCount, p.terms.price
        );
    }

    function _fits(BidModel.BidModelled memory b, IRentalEscrow.Offer memory terms) private pure returns (bool) {
        return
            terms.gpuClass == b.gpuClass && b.gpuCount <= terms.gpuCount
                && RaoPerSecond.unwrap(terms.price) <= b.maxPrice;
    }

    /// @dev The newest open one, most often.
    function _bid(uint256 seed) private view returns (uint64) {
        uint64 count = STORE.bids();
        for (uint64 id = count; id > 0 && seed % 8 != 0; --id) {
            if (STORE.bidOf(id).status == IRentalBids.Status.Open) return id;
        }
        return count == 0 ? 0 : _to64((seed >> 3) % count) + 1;
    }

    /// @dev A machine that fits and is empty, if there is one and fate agrees.
    function _fitting(BidModel.BidModelled memory b, uint256 seed) private view returns (bytes32 machine) {
        for (uint256 i = 0; i < STORE.machineCount() && seed % 4 != 0; ++i) {
            machine = _machine((seed >> 2) % 4 + i);
            (IRentalEscrow.Offer memory terms,) = _termsOf(machine);
            if (!_fits(b, terms) || _readyAt(machine, terms) > _now()) continue;
            if (_isBackable(machine, terms)) return machine;
        }
        return _machine(seed >> 2);
    }
}
