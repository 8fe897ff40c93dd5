// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../interfaces/IRentalEscrow.sol";
import { FaultLib } from "../libraries/FaultLib.sol";
import { StreamLib } from "../libraries/StreamLib.sol";
import {
    Rao,
    Timestamp,
    bpsOfDown,
    costOf,
    maxTime,
    minTime,
    plusSecs,
    secsBetween,
    timeNow
} from "../types/Units.sol";
import { OfferBook } from "./OfferBook.sol";
import { RaoLedger } from "./RaoLedger.sol";

/// @title What rentals are, what the arbiter may do to them, and every way their seconds turn into credit (the other
/// half of IRentalEscrow)
abstract contract RentalBook is OfferBook, RaoLedger {
    using FaultLib for mapping(uint8 index => Fault);
    using StreamLib for Rental;

    uint256 public constant MAX_FEE_BPS = 500;
    uint8 public constant MAX_FAULTS = type(uint8).max;

    /* IMMUTABLES */

    address public immutable ARBITER;
    address public immutable TREASURY;
    uint16 public immutable FEE_BPS;

    /* STORAGE */

    mapping(uint64 rental => Rental) internal _rentals;
    mapping(uint64 rental => bytes32) private _renterKeys;
    mapping(uint64 rental => mapping(uint8 index => Fault)) private _faults;
    mapping(uint32 registration => Timestamp) internal _distrustedAt;

    /* CONSTRUCTOR */

    constructor(address arbiter, address treasury, uint16 feeBps) {
        require(arbiter != address(0), RentalEscrow_BadConfig("arbiter is zero"));
        require(treasury != address(0), RentalEscrow_BadConfig("treasury is zero"));
        require(feeBps <= MAX_FEE_BPS, RentalEscrow_BadConfig("feeBps is over 500"));
        ARBITER = arbiter;
        TREASURY = treasury;
        FEE_BPS = feeBps;
    }

    /* MODIFIERS */

    modifier onlyArbiter() {
        require(msg.sender == ARBITER, RentalEscrow_OnlyArbiter(msg.sender));
        _;
    }

    /* ARBITER */

    /// @inheritdoc IRentalEscrow
    function withhold(uint64 rental, uint64 caseId, uint8 gap, Timestamp from, Timestamp until, bool terminates)
        external
        onlyArbiter
        returns (Rao earned)
    {
        Rental memory r = _openRental(rental);
        _checkInterval(rental, r, gap, from, until);
        // The last place is kept for the case that ends the rental: nobody can fill it up and stay.
        require(r.faultCount < (terminates ? MAX_FAULTS : MAX_FAULTS - 1), RentalEscrow_TooManyFaults(rental));
        uint32 secs = secsBetween(from, until);
        _faults[rental].insert(r.faultCount, gap, Fault(from, until, caseId));
        Rental storage stored = _rentals[rental];
        stored.faultCount = r.faultCount + 1;
        stored.faultedSecs = r.faultedSecs = r.faultedSecs + secs;
        stored.openSecs = r.openSecs + secs;
        emit Withheld(rental, caseId, from, until);
        if (terminates) _terminate(rental, r);
        earned = _earned(r);
    }

    /// @inheritdoc IRentalEscrow
    function distrust(uint32 registration) external onlyArbiter returns (uint64 rental) {
        _distrustedAt[registration] = timeNow();
        _takeDown(registration);
        rental = _listings[registration].lastRental;
        Rental memory r = _rentals[rental];
        if (rental == 0 || r.closed) return 0;
        if (timeNow() < r.end) _shorten(rental, r, timeNow());
    }

    /// @inheritdoc IRentalEscrow
    function decide(uint64 rental, uint32 secs, bool toRenter) external onlyArbiter {
        Rental storage r = _rentals[rental];
        require(secs <= r.openSecs, RentalEscrow_NotWithheld(rental, r.openSecs, secs));
        r.openSecs -= secs;
        Rao amount = costOf(r.price, secs);
        if (toRenter) _owe(r.renter, amount);
        else _oweMiner(rental, r.registration, amount);
        emit Decided(rental, secs, amount, toRenter);
    }

    /* VIEWS */

    /// @inheritdoc IRentalEscrow
    function rentalCount() external view returns (uint64) {
        return _books.count;
    }

    /// @inheritdoc IRentalEscrow
    function rentalAt(uint64 rental) external view returns (Rental memory r, bytes32 renterKey) {
        return (_rentals[rental], _renterKeys[rental]);
    }

    /// @inheritdoc IRentalEscrow
    function faultsOf(uint64 rental) external view returns (Fault[] memory faults) {
        faults = new Fault[](_rentals[rental].faultCount);
        for (uint8 i = 0; i < faults.length; ++i) {
            faults[i] = _faults[rental][i];
        }
    }

    /// @inheritdoc IRentalEscrow
    function earnedOf(uint64 rental) external view returns (Rao) {
        return _earned(_rentals[rental]);
    }

    /// @inheritdoc IRentalEscrow
    function gapOf(uint64 rental, uint8 gap) external view returns (Gap memory g) {
        g.rental = _rentals[rental];
        (g.from, g.until) = _gapOf(rental, g.rental, gap);
    }

    /* INTERNALS: READING */

    function _openRental(uint64 rental) internal view returns (Rental memory r) {
        r = _rentals[rental];
        require(Timestamp.unwrap(r.start) != 0, RentalEscrow_NoRental(rental));
        require(!r.closed, RentalEscrow_Closed(rental));
    }

    /// @dev What it has earned the miner up to now, paid or not.
    function _earned(Rental memory r) internal view returns (Rao) {
        return costOf(r.price, r.earnedSecs(timeNow()));
    }

    /// @dev What the Arbiter computed is checked again where the money is: inside the gap, not yet paid, not in the
    /// future, not past the end.
    function _checkInterval(uint64 rental, Rental memory r, uint8 gap, Timestamp from, Timestamp until) private view {
        (Timestamp low, Timestamp high) = _gapOf(rental, r, gap);
        require(low <= from && from < until && until <= high, RentalEscrow_BadInterval(rental, from, until));
    }

    function _gapOf(uint64 rental, Rental memory r, uint8 gap) private view returns (Timestamp from, Timestamp until) {
        if (gap > r.faultCount) return (from, until);
        Timestamp last = minTime(timeNow(), r.end);
        (from, until) = _faults[rental].gapBounds(r.faultCount, gap, r.start, last);
        (from, until) = (maxTime(from, r.paidUntil), minTime(until, last));
    }

    /* INTERNALS: EFFECTS */

    function _open(
        uint64 rental,
        address renter,
        uint32 registration,
        Listing memory listing,
        uint32 durationSecs,
        bytes32 renterKey
    ) internal {
        Timestamp time = timeNow();
        _renterKeys[rental] = renterKey;
        _rentals[rental] = Rental({
            renter: renter,
            price: listing.price,
            openSecs: 0,
            minDurationSecs: listing.minDurationSecs,
            closed: false,
            start: time,
            end: plusSecs(time, durationSecs),
            paidUntil: time,
            boughtSecs: durationSecs,
            claimedSecs: 0,
            faultedSecs: 0,
            registration: registration,
            gpuClass: listing.gpuClass,
            gpuCount: listing.gpuCount,
            faultCount: 0
        });
    }

    function _payMiner(uint64 rental, Rental memory r, uint32 secs, Timestamp upTo) internal {
        Rental storage stored = _rentals[rental];
        stored.claimedSecs = r.claimedSecs + secs;
        stored.paidUntil = maxTime(r.paidUntil, upTo);
        _oweMiner(rental, r.registration, costOf(r.price, secs));
    }

    /// @dev The rental ends now, the rest is refunded, and the node's offer is taken down.
    function _terminate(uint64 rental, Rental memory r) internal {
        _shorten(rental, r, timeNow());
        _takeDown(r.registration);
    }

    /// @dev Ends never grow here; what is no longer bought is the renter's at once.
    function _shorten(uint64 rental, Rental memory r, Timestamp wanted) internal {
        Timestamp newEnd = minTime(r.end, wanted);
        Rao refund = costOf(r.price, secsBetween(newEnd, r.end));
        _rentals[rental].end = newEnd;
        _owe(r.renter, refund);
        emit Ended(rental, newEnd, refund);
    }

    function _oweMiner(uint64 rental, uint32 registration, Rao gross) private {
        // slither-disable-next-line calls-loop closeMany: a view of an immutable sibling
        address miner = VAULT.minerOf(registration);
        Rao fee = bpsOfDown(gross, FEE_BPS);
        _owe(TREASURY, fee);
        _owe(miner, gross - fee);
        emit Claimed(rental, miner, gross, fee);
    }
}
