// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Governed } from "./base/Governed.sol";
import { OfferBook } from "./base/OfferBook.sol";
import { RentalBook } from "./base/RentalBook.sol";
import { IKeeperSet } from "./interfaces/IKeeperSet.sol";
import { IRentalEscrow } from "./interfaces/IRentalEscrow.sol";
import { Eip712 } from "./libraries/Eip712.sol";
import { StreamLib } from "./libraries/StreamLib.sol";
import {
    Rao,
    RaoPerSecond,
    Timestamp,
    bpsOfDown,
    costOf,
    maxTime,
    minRao,
    minTime,
    plusSecs,
    secsBetween,
    timeNow
} from "./types/Units.sol";

/// @title Where renters' money is (see IRentalEscrow)
contract RentalEscrow is RentalBook {
    using StreamLib for Rental;

    uint256 public constant MAX_ABANDON_BPS = 2_000;

    /* IMMUTABLES */

    IKeeperSet public immutable KEEPERS;
    uint32 public immutable SETTLE_LAG_SECS;
    uint32 public immutable CERTIFICATE_LIFE_SECS;
    uint16 public immutable ABANDON_BPS;

    /* CONSTRUCTOR */

    constructor(address owner, Config memory config, uint16[] memory classes, Rao[] memory bonds)
        payable
        Governed(owner)
        OfferBook(config.vault, config.bondBps, classes, bonds)
        RentalBook(config.arbiter, config.treasury, config.feeBps)
    {
        require(config.keepers != address(0), RentalEscrow_BadConfig("keepers is zero"));
        require(config.settleLagSecs != 0, RentalEscrow_BadConfig("settleLagSecs is zero"));
        require(config.settleLagSecs <= 7 days, RentalEscrow_BadConfig("settleLagSecs is over 7 days"));
        require(config.certificateLifeSecs != 0, RentalEscrow_BadConfig("certificateLifeSecs is zero"));
        require(config.certificateLifeSecs <= 7 days, RentalEscrow_BadConfig("certificateLifeSecs is over 7 days"));
        require(config.abandonBps <= MAX_ABANDON_BPS, RentalEscrow_BadConfig("abandonBps is over 2,000"));
        KEEPERS = IKeeperSet(config.keepers);
        SETTLE_LAG_SECS = config.settleLagSecs;
        CERTIFICATE_LIFE_SECS = config.certificateLifeSecs;
        ABANDON_BPS = config.abandonBps;
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
        return _rent(msg.sender, machine, durationSecs, renterKey, offerHash, certificates);
    }

    /// @inheritdoc IRentalEscrow
    function rentFor(
        address renter,
        bytes32 machine,
        uint32 durationSecs,
        bytes32 renterKey,
        bytes32 offerHash,
        SignedCertificate[] calldata certificates
    ) external payable returns (uint64 rental) {
        require(renter != address(0), RentalEscrow_NoRenter());
        return _rent(renter, machine, durationSecs, renterKey, offerHash, certificates);
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
        Rao reserve = _reserve(rental, costOf(r.price, total));
        emit Extended(rental, until, paid, reserve);
    }

    /// @inheritdoc IRentalEscrow
    function end(uint64 rental) external {
        Rental memory r = _rentals[rental];
        require(r.renter == msg.sender, RentalEscrow_OnlyRenter(rental, r.renter, msg.sender));
        _checkRunning(rental, r);
        _shorten(rental, r, maxTime(timeNow(), plusSecs(r.start, r.minDurationSecs)));
    }

    /* MINER */

    /// @inheritdoc IRentalEscrow
    function abandon(uint64 rental) external {
        Rental memory r = _rentals[rental];
        _checkRunning(rental, r);
        address miner = VAULT.minerOf(r.registration);
        require(miner == msg.sender, RentalEscrow_OnlyItsMiner(rental, miner, msg.sender));
        // Effect
        Rao share = bpsOfDown(VAULT.reservedFor(r.registration, rental), ABANDON_BPS);
        Rao penalty = minRao(share, _earned(r));
        _terminate(rental, r);
        // Interaction
        Rao burned = VAULT.forfeitReserved(r.registration, rental, penalty);
        emit Abandoned(rental, burned);
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
        _close(rental, r);
    }

    /// @inheritdoc IRentalEscrow
    function closeMany(uint64[] calldata rentals) external returns (uint256 closed) {
        for (uint256 i = 0; i < rentals.length; ++i) {
            Rental memory r = _rentals[rentals[i]];
            bool exists = Timestamp.unwrap(r.start) != 0;
            if (!exists || r.closed || timeNow() < plusSecs(r.end, SETTLE_LAG_SECS)) continue;
            _close(rentals[i], r);
            ++closed;
        }
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

    /* INTERNALS: EFFECTS */

    function _rent(
        address renter,
        bytes32 machine,
        uint32 durationSecs,
        bytes32 renterKey,
        bytes32 offerHash,
        SignedCertificate[] calldata certificates
    ) private returns (uint64 rental) {
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
        _open(rental, renter, registration, listing, durationSecs, renterKey);
        // Interaction: a sibling, which reverts without bond, without the hotkey, and while no new business is taken.
        Rao reserve = _reserve(rental, cost);
        emit Rented(rental, machine, renter, renterKey, durationSecs, cost, reserve);
    }

    /// @dev Asks the Vault for the bond that a rental of this cost needs, until it can be closed.
    function _reserve(uint64 rental, Rao cost) private returns (Rao total) {
        Rental storage r = _rentals[rental];
        total = _requiredBond(r.gpuClass, r.gpuCount, cost);
        VAULT.reserve(r.registration, rental, total, plusSecs(r.end, SETTLE_LAG_SECS));
    }

    function _takePayment(RaoPerSecond price, uint32 secs) private returns (Rao cost) {
        cost = costOf(price, secs);
        Rao paid = _takeIn();
        require(paid == cost, RentalEscrow_WrongPayment(paid, cost));
    }

    function _close(uint64 rental, Rental memory r) private {
        _rentals[rental].closed = true;
        uint32 secs = r.unpaidSecs(r.end);
        if (secs != 0) _payMiner(rental, r, secs, r.end);
        // slither-disable-next-line calls-loop closeMany: every open rental can be released
        VAULT.release(r.registration, rental);
        emit RentalClosed(rental);
    }
}
