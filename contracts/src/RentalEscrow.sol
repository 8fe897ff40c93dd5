// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { OfferBook } from "./base/OfferBook.sol";
import { RaoLedger } from "./base/RaoLedger.sol";
import { IKeeperSet } from "./interfaces/IKeeperSet.sol";
import { IRentalEscrow } from "./interfaces/IRentalEscrow.sol";
import { Eip712 } from "./libraries/Eip712.sol";
import { FaultLib } from "./libraries/FaultLib.sol";
import { StreamLib } from "./libraries/StreamLib.sol";
import {
    Rao,
    RaoPerSecond,
    Timestamp,
    ZERO_RAO,
    bpsOfDown,
    bpsOfUp,
    costOf,
    maxTime,
    minTime,
    plusSecs,
    secsBetween,
    timeNow
} from "./types/Units.sol";

/// @title Where renters' money is (see IRentalEscrow)
contract RentalEscrow is OfferBook, RaoLedger {
    using FaultLib for mapping(uint8 index => Fault);
    using StreamLib for Rental;

    uint256 public constant MAX_FEE_BPS = 500;
    uint8 public constant MAX_FAULTS = type(uint8).max;

    /* IMMUTABLES */

    address public immutable ARBITER;
    IKeeperSet public immutable KEEPERS;
    address public immutable TREASURY;
    uint32 public immutable SETTLE_LAG_SECS;
    uint32 public immutable CERTIFICATE_LIFE_SECS;
    uint16 public immutable FEE_BPS;

    /* STORAGE */

    mapping(uint64 rental => Rental) private _rentals;
    mapping(uint64 rental => mapping(uint8 index => Fault)) private _faults;
    mapping(uint32 registration => Timestamp) private _distrustedAt;

    /* CONSTRUCTOR */

    constructor(address owner, Config memory config, uint16[] memory classes, Rao[] memory bonds)
        payable
        Ownable(owner)
        OfferBook(config.vault, config.bondBps, classes, bonds)
    {
        require(config.arbiter != address(0), RentalEscrow_BadConfig("arbiter is zero"));
        require(config.keepers != address(0), RentalEscrow_BadConfig("keepers is zero"));
        require(config.treasury != address(0), RentalEscrow_BadConfig("treasury is zero"));
        require(config.settleLagSecs != 0, RentalEscrow_BadConfig("settleLagSecs is zero"));
        require(config.settleLagSecs <= 7 days, RentalEscrow_BadConfig("settleLagSecs is over 7 days"));
        require(config.certificateLifeSecs != 0, RentalEscrow_BadConfig("certificateLifeSecs is zero"));
        require(config.feeBps <= MAX_FEE_BPS, RentalEscrow_BadConfig("feeBps is over 500"));
        ARBITER = config.arbiter;
        KEEPERS = IKeeperSet(config.keepers);
        TREASURY = config.treasury;
        SETTLE_LAG_SECS = config.settleLagSecs;
        CERTIFICATE_LIFE_SECS = config.certificateLifeSecs;
        FEE_BPS = config.feeBps;
    }

    /* MODIFIERS */

    modifier onlyArbiter() {
        require(msg.sender == ARBITER, RentalEscrow_OnlyArbiter(msg.sender));
        _;
    }

    /* RENTER */

    /// @inheritdoc IRentalEscrow
    function rent(
        bytes32 machine,
        uint32 durationSecs,
        bytes32 renterKey,
        bytes32 offerHash,
        SignedCertificate[] calldata certificates
    ) external payable returns (uint64 rental) {
        // Check: the offer is the one agreed to, the payment is exact, the machine is ready and measured.
        // slither-disable-next-line unused-return whose machine it is does not matter here
        (uint32 registration,) = VAULT.ownerOf(machine);
        Listing memory listing = _listings[registration];
        _checkAgreed(machine, registration, listing, durationSecs, offerHash);
        require(renterKey != 0, RentalEscrow_NoRenterKey());
        Rao cost = _takePayment(listing.price, durationSecs);
        Timestamp vacatedAt = _checkReady(machine, listing);
        _checkCertified(machine, registration, listing, vacatedAt, certificates);
        // Effect
        rental = ++_books.count;
        _listings[registration].lastRental = rental;
        _open(rental, registration, listing, durationSecs, renterKey);
        // Interaction: a sibling, which reverts without bond or association.
        Rao reserve = _requiredBond(listing.gpuClass, listing.gpuCount, cost);
        // slither-disable-next-line unused-return the registration is known already
        VAULT.reserve(machine, rental, reserve);
        emit Rented(rental, machine, msg.sender, renterKey, durationSecs, cost, reserve);
    }

    /// @inheritdoc IRentalEscrow
    function extend(uint64 rental, uint32 secs) external payable {
        Rental storage stored = _rentals[rental];
        Rental memory r = stored;
        _checkRunning(rental, r);
        Listing memory listing = _listings[r.registration];
        uint32 total = _checkExtendable(r, listing, secs);
        Rao paid = _takePayment(r.price, secs);
        // Effect
        Timestamp until = plusSecs(r.end, secs);
        stored.end = until;
        stored.boughtSecs = r.boughtSecs + secs;
        // Interaction
        Rao reserve = _requiredBond(r.gpuClass, r.gpuCount, costOf(r.price, total));
        // slither-disable-next-line unused-return the registration is known already
        VAULT.reserve(VAULT.machineOf(r.registration), rental, reserve);
        emit Extended(rental, until, paid, reserve);
    }

    /// @inheritdoc IRentalEscrow
    function end(uint64 rental) external {
        Rental memory r = _rentals[rental];
        require(r.renter == msg.sender, RentalEscrow_OnlyRenter(rental, r.renter, msg.sender));
        _checkRunning(rental, r);
        _shorten(rental, r, maxTime(timeNow(), plusSecs(r.start, r.minDurationSecs)));
    }

    /* ANYBODY */

    /// @inheritdoc IRentalEscrow
    function claim(uint64 rental) external {
        Rental memory r = _openRental(rental);
        Timestamp time = timeNow();
        // A chain younger than the lag has earned nothing yet.
        Timestamp upTo = Timestamp.wrap(secsBetween(Timestamp.wrap(SETTLE_LAG_SECS), time));
        uint32 secs = r.unpaidSecs(upTo);
        require(secs != 0, RentalEscrow_NothingToClaim(rental));
        _payMiner(rental, r, secs, minTime(upTo, r.end));
    }

    /// @inheritdoc IRentalEscrow
    function close(uint64 rental) external {
        Rental memory r = _openRental(rental);
        Timestamp closableAt = plusSecs(r.end, SETTLE_LAG_SECS);
        require(closableAt <= timeNow(), RentalEscrow_TooEarly(rental, closableAt));
        _rentals[rental].closed = true;
        uint32 secs = r.unpaidSecs(r.end);
        if (secs != 0) _payMiner(rental, r, secs, r.end);
        VAULT.release(r.registration, rental);
        emit RentalClosed(rental);
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
        earned = costOf(r.price, r.earnedSecs(timeNow()));
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
    function rentalAt(uint64 rental) external view returns (Rental memory) {
        return _rentals[rental];
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
        Rental memory r = _rentals[rental];
        return costOf(r.price, r.earnedSecs(timeNow()));
    }

    /// @inheritdoc IRentalEscrow
    function gapOf(uint64 rental, uint8 gap) external view returns (Timestamp from, Timestamp until) {
        return _gapOf(rental, _rentals[rental], gap);
    }

    /* INTERNALS: CHECKS */

    function _checkAgreed(
        bytes32 machine,
        uint32 registration,
        Listing memory listing,
        uint32 durationSecs,
        bytes32 agreedHash
    ) private view {
        require(_isLive(listing), RentalEscrow_NoOffer(machine));
        bytes32 liveHash = _hashOf(registration, listing);
        require(liveHash == agreedHash, RentalEscrow_OfferChanged(liveHash, agreedHash));
        require(
            listing.minDurationSecs <= durationSecs && durationSecs <= listing.maxDurationSecs,
            RentalEscrow_BadDuration(durationSecs, listing.minDurationSecs, listing.maxDurationSecs)
        );
    }

    /// @dev Nobody is in it, and the pause after the last tenant is over.
    function _checkReady(bytes32 machine, Listing memory listing) private view returns (Timestamp vacatedAt) {
        vacatedAt = _rentals[listing.lastRental].end; // 0 for the first rental
        Timestamp readyAt = plusSecs(vacatedAt, listing.turnaroundSecs);
        require(readyAt <= timeNow(), RentalEscrow_NotReady(machine, readyAt));
    }

    function _checkCertified(
        bytes32 machine,
        uint32 registration,
        Listing memory listing,
        Timestamp vacatedAt,
        SignedCertificate[] calldata certificates
    ) private view {
        Timestamp time = timeNow();
        Timestamp oldest = Timestamp.wrap(secsBetween(Timestamp.wrap(CERTIFICATE_LIFE_SECS), time));
        Timestamp notBefore = maxTime(maxTime(vacatedAt, oldest), _distrustedAt[registration]);
        bytes32 separator = Eip712.domainSeparator();
        address[] memory signers = new address[](certificates.length);
        for (uint256 i = 0; i < certificates.length; ++i) {
            SignedCertificate calldata c = certificates[i];
            require(c.measuredAt <= time, RentalEscrow_CertificateOfTheFuture(i, c.measuredAt));
            require(notBefore <= c.measuredAt, RentalEscrow_CertificateStale(i, c.measuredAt, notBefore));
            require(
                c.gpuClass == listing.gpuClass && c.gpuCount >= listing.gpuCount,
                RentalEscrow_CertificateTooSmall(i, c.gpuClass, c.gpuCount)
            );
            bytes32 hash =
                Eip712.certificateHash(machine, registration, c.gpuClass, c.gpuCount, c.measuredAt, c.evidence);
            signers[i] = Eip712.recover(separator, hash, c.r, c.vs);
        }
        // slither-disable-next-line unused-return a certificate punishes nobody
        (bool quorum,) = KEEPERS.quorumOf(signers);
        require(quorum, RentalEscrow_NoQuorum(signers.length));
    }

    function _checkRunning(uint64 rental, Rental memory r) private view {
        require(Timestamp.unwrap(r.start) != 0, RentalEscrow_NoRental(rental));
        require(timeNow() < r.end, RentalEscrow_Over(rental, r.end));
    }

    function _checkExtendable(Rental memory r, Listing memory listing, uint32 secs)
        private
        view
        returns (uint32 total)
    {
        require(_isLive(listing), RentalEscrow_NoOffer(VAULT.machineOf(r.registration)));
        require(
            RaoPerSecond.unwrap(listing.price) <= RaoPerSecond.unwrap(r.price),
            RentalEscrow_PriceRaised(r.price, listing.price)
        );
        uint32 now_ = secsBetween(r.start, r.end);
        total = now_ + secs;
        require(
            secs != 0 && total <= listing.maxDurationSecs,
            RentalEscrow_BadDuration(total, now_ + 1, listing.maxDurationSecs)
        );
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

    function _openRental(uint64 rental) private view returns (Rental memory r) {
        r = _rentals[rental];
        require(Timestamp.unwrap(r.start) != 0, RentalEscrow_NoRental(rental));
        require(!r.closed, RentalEscrow_Closed(rental));
    }

    /* INTERNALS: EFFECTS */

    function _takePayment(RaoPerSecond price, uint32 secs) private returns (Rao cost) {
        cost = costOf(price, secs);
        Rao paid = _takeIn();
        require(paid == cost, RentalEscrow_WrongPayment(paid, cost));
    }

    function _open(uint64 rental, uint32 registration, Listing memory listing, uint32 durationSecs, bytes32 renterKey)
        private
    {
        Timestamp time = timeNow();
        _rentals[rental] = Rental({
            renter: msg.sender,
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
            faultCount: 0,
            renterKey: renterKey
        });
    }

    function _payMiner(uint64 rental, Rental memory r, uint32 secs, Timestamp upTo) private {
        Rental storage stored = _rentals[rental];
        stored.claimedSecs = r.claimedSecs + secs;
        stored.paidUntil = maxTime(r.paidUntil, upTo);
        _oweMiner(rental, r.registration, costOf(r.price, secs));
    }

    function _oweMiner(uint64 rental, uint32 registration, Rao gross) private {
        address miner = VAULT.minerOf(registration);
        Rao fee = bpsOfDown(gross, FEE_BPS);
        _owe(TREASURY, fee);
        _owe(miner, gross - fee);
        emit Claimed(rental, miner, gross, fee);
    }

    function _terminate(uint64 rental, Rental memory r) private {
        _shorten(rental, r, timeNow());
        _takeDown(r.registration);
    }

    /// @dev Ends never grow here; what is no longer bought is the renter's at once.
    function _shorten(uint64 rental, Rental memory r, Timestamp wanted) private {
        Timestamp newEnd = minTime(r.end, wanted);
        Rao refund = costOf(r.price, secsBetween(newEnd, r.end));
        _rentals[rental].end = newEnd;
        _owe(r.renter, refund);
        emit Ended(rental, newEnd, refund);
    }
}
