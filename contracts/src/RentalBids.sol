// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { RaoLedger } from "./base/RaoLedger.sol";
import { ICollateralVault } from "./interfaces/ICollateralVault.sol";
import { IRentalBids } from "./interfaces/IRentalBids.sol";
import { IRentalEscrow } from "./interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp, costOf, timeNow } from "./types/Units.sol";

/// @title Where wishes wait for machines (see IRentalBids)
contract RentalBids is IRentalBids, RaoLedger {
    uint32 public constant MAX_LIFE_SECS = 30 days;

    /* IMMUTABLES */

    IRentalEscrow public immutable ESCROW;
    ICollateralVault public immutable VAULT;

    /* STORAGE */

    mapping(uint64 bid => Bid) private _bids;

    /* CONSTRUCTOR */

    constructor(address escrow) payable {
        require(escrow.code.length > 0, RentalBids_BadConfig("escrow has no code"));
        ESCROW = IRentalEscrow(escrow);
        VAULT = IRentalEscrow(escrow).VAULT();
    }

    /* RENTER */

    /// @inheritdoc IRentalBids
    function post(
        uint16 gpuClass,
        uint8 gpuCount,
        uint32 durationSecs,
        RaoPerSecond maxPrice,
        bytes32 renterKey,
        Timestamp expiresAt
    ) external payable returns (uint64 bid) {
        // Check
        VAULT.requireOpen();
        require(gpuCount != 0, RentalBids_BadBid("gpuCount is zero"));
        require(renterKey != 0, RentalBids_BadBid("renterKey is zero"));
        require(timeNow() < expiresAt, RentalBids_BadBid("expiresAt is not in the future"));
        require(
            Timestamp.unwrap(expiresAt) - Timestamp.unwrap(timeNow()) <= MAX_LIFE_SECS,
            RentalBids_BadBid("expiresAt is over 30 days ahead")
        );
        Rao cost = costOf(maxPrice, durationSecs);
        Rao paid = _takeIn(); // refuses nothing, so price and duration are not zero
        require(paid == cost, RentalBids_WrongPayment(paid, cost));
        // Effect
        bid = ++_books.count;
        // slither-disable-next-line uninitialized-local what is not set below is zero as it should be
        Bid memory b;
        (b.renter, b.maxPrice, b.durationSecs, b.renterKey) = (msg.sender, maxPrice, durationSecs, renterKey);
        (b.gpuClass, b.gpuCount, b.expiresAt, b.status) = (gpuClass, gpuCount, expiresAt, Status.Open);
        _bids[bid] = b;
        emit BidPosted(bid, msg.sender, b, paid);
    }

    /* ANYBODY */

    /// @inheritdoc IRentalBids
    function fill(uint64 bid, bytes32 machine, IRentalEscrow.SignedCertificate[] calldata certificates)
        external
        returns (uint64 rental)
    {
        // Check
        Bid memory b = _openBid(bid);
        require(timeNow() < b.expiresAt, RentalBids_Expired(bid, b.expiresAt));
        (Rao cost, bytes32 offerHash) = _costAt(bid, b, machine);
        // Effect
        Rao change = costOf(b.maxPrice, b.durationSecs) - cost;
        _bids[bid].status = Status.Filled;
        _owe(b.renter, change);
        // Interaction: a sibling, which calls back nobody.
        // slither-disable-next-line reentrancy-eth the bid is Filled before; an immutable sibling
        rental = _rent(b, machine, cost, offerHash, certificates);
        _bids[bid].rental = rental;
        emit BidFilled(bid, rental, machine, cost, change);
    }

    /// @inheritdoc IRentalBids
    function giveUp(uint64 bid) external {
        Bid memory b = _openBid(bid);
        bool may = msg.sender == b.renter || b.expiresAt <= timeNow();
        require(may, RentalBids_OnlyRenter(bid, b.renter, msg.sender, b.expiresAt));
        _bids[bid].status = Status.Returned;
        Rao amount = costOf(b.maxPrice, b.durationSecs);
        _owe(b.renter, amount);
        emit BidReturned(bid, amount);
    }

    /* VIEWS */

    /// @inheritdoc IRentalBids
    function bidCount() external view returns (uint64) {
        return _books.count;
    }

    /// @inheritdoc IRentalBids
    function bidAt(uint64 bid) external view returns (Bid memory) {
        return _bids[bid];
    }

    /* INTERNALS */

    /// @dev What the machine's live offer asks for the bid's time; it must fit the bid.
    function _costAt(uint64 bid, Bid memory b, bytes32 machine) private view returns (Rao cost, bytes32 offerHash) {
        IRentalEscrow.Offer memory terms;
        // slither-disable-next-line unused-return the newest rental does not matter here
        (terms, offerHash,) = ESCROW.offerOf(machine);
        bool fits = terms.gpuClass == b.gpuClass && terms.gpuCount >= b.gpuCount
            && RaoPerSecond.unwrap(terms.price) <= RaoPerSecond.unwrap(b.maxPrice);
        require(fits, RentalBids_DoesNotFit(bid, terms.gpuClass, terms.gpuCount, terms.price));
        cost = costOf(terms.price, b.durationSecs);
    }

    function _rent(
        Bid memory b,
        bytes32 machine,
        Rao cost,
        bytes32 offerHash,
        IRentalEscrow.SignedCertificate[] calldata certificates
    ) private returns (uint64) {
        return ESCROW.rentFor{ value: _takeOut(cost) }(
            b.renter, machine, b.durationSecs, b.renterKey, offerHash, certificates
        );
    }

    function _openBid(uint64 bid) private view returns (Bid memory b) {
        b = _bids[bid];
        require(b.status == Status.Open, RentalBids_NotOpen(bid, b.status));
    }
}
