// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalBids } from "../../src/interfaces/IRentalBids.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { EscrowBase } from "../escrow/EscrowBase.t.sol";

/// @dev What suites about wishes share: one that can be spoilt field by field, and the conservation check.
abstract contract BidsBase is EscrowBase {
    uint40 internal constant MAX_PRICE = 2 * PRICE;
    uint32 internal constant MAX_LIFE = 30 days;

    /* SHORT NAMES */

    /// @dev An H100 for a day, at most twice what the machine asks, good for a week.
    function _wish() internal view returns (IRentalBids.Bid memory b) {
        b.renter = RENTER;
        b.maxPrice = RaoPerSecond.wrap(MAX_PRICE);
        b.gpuClass = H100;
        b.gpuCount = 1;
        b.expiresAt = _at(_now() + 7 days);
        b.durationSecs = DAY;
        b.status = IRentalBids.Status.Open;
        b.renterKey = RENTER_KEY;
    }

    function _costOf(IRentalBids.Bid memory b) internal pure returns (uint256) {
        return uint256(RaoPerSecond.unwrap(b.maxPrice)) * b.durationSecs;
    }

    function _bidCredit(address account) internal view returns (uint64) {
        return _rao(bids.creditOf(account));
    }

    function _expiry(uint64 bid) internal view returns (uint32) {
        return Timestamp.unwrap(bids.bidAt(bid).expiresAt);
    }

    function _statusOf(uint64 bid) internal view returns (IRentalBids.Status) {
        return bids.bidAt(bid).status;
    }

    /* STEPS */

    function _post(IRentalBids.Bid memory b, uint256 valueWei) internal returns (uint64) {
        vm.prank(b.renter);
        return
            bids.post{ value: valueWei }(b.gpuClass, b.gpuCount, b.durationSecs, b.maxPrice, b.renterKey, b.expiresAt);
    }

    function _posted() internal returns (uint64) {
        IRentalBids.Bid memory b = _wish();
        return _post(b, _costOf(b) * WEI);
    }

    /// @dev By somebody who gains nothing by it.
    function _fill(uint64 bid, bytes32 machine) internal returns (uint64) {
        return _fillWith(bid, machine, _certify(machine, 3));
    }

    function _fillWith(uint64 bid, bytes32 machine, IRentalEscrow.SignedCertificate[] memory certificates)
        internal
        returns (uint64)
    {
        vm.prank(STRANGER);
        return bids.fill(bid, machine, certificates);
    }

    /// @dev It reverts with `expected`, and nothing changes.
    function _refuseFill(uint64 bid, bytes32 machine, bytes memory expected) internal {
        bytes32 before = _state(bid);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(machine, 3);
        vm.expectRevert(expected);
        _fillWith(bid, machine, certificates);
        assertEq(_state(bid), before, "no change");
    }

    function _giveUp(address caller, uint64 bid) internal {
        vm.prank(caller);
        bids.giveUp(bid);
    }

    function _state(uint64 bid) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                bids.bidAt(bid),
                bids.liabilities(),
                bids.creditOf(RENTER),
                escrow.rentalCount(),
                escrow.liabilities(),
                address(bids).balance,
                address(escrow).balance
            )
        );
    }

    /* ERRORS */

    function _badBid(string memory what) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IRentalBids.RentalBids_BadBid.selector, what);
    }

    function _notOpen(uint64 bid, IRentalBids.Status status) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IRentalBids.RentalBids_NotOpen.selector, bid, status);
    }

    function _expired(uint64 bid, uint32 expiresAt) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IRentalBids.RentalBids_Expired.selector, bid, expiresAt);
    }

    function _doesNotFit(uint64 bid, uint16 gpuClass, uint8 gpuCount, uint40 price)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(IRentalBids.RentalBids_DoesNotFit.selector, bid, gpuClass, gpuCount, price);
    }

    /* CONSERVATION */

    /// @dev What the bids contract owes is what is open and what is credit, and its balance is that and the seed.
    function _assertBooks(uint256 openRao) internal view {
        uint256 credits = uint256(_bidCredit(RENTER)) + _bidCredit(STRANGER) + _bidCredit(MINER);
        assertEq(_rao(bids.liabilities()), openRao + credits, "liabilities == open + credit");
        assertEq(address(bids).balance, uint256(_rao(bids.liabilities())) * WEI + SEED_WEI, "balance");
    }
}
