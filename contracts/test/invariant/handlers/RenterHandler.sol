// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../../src/interfaces/IRentalEscrow.sol";
import { RaoPerSecond } from "../../../src/types/Units.sol";
import { StatedModel } from "../model/StatedModel.sol";
import { StreamOracle } from "../model/StreamOracle.sol";
import { HandlerBase, System } from "./HandlerBase.sol";
import { RentingBase } from "./RentingBase.sol";

/// @dev Three renters, who rent what they can, for themselves and for each other, extend (anybody's rental) and end.
contract RenterHandler is RentingBase {
    constructor(System memory s) HandlerBase(s) { }

    function rent(uint256 renterSeed, uint256 machineSeed, uint256 secsSeed, uint256 signerSeed) external acts {
        _rent(renterSeed, _rentable(machineSeed), secsSeed, signerSeed);
    }

    /// @dev Paid for by one, rented for another.
    function rentFor(uint256 renterSeed, uint256 machineSeed, uint256 secsSeed, uint256 signerSeed) external acts {
        Plan memory p = _plan(_rentable(machineSeed), secsSeed);
        p.renter = RENTERS[renterSeed % 3];
        (uint256[] memory keys, bool quorum) = STORE.signers(_signerMask(signerSeed));
        IRentalEscrow.SignedCertificate[] memory certificates = _certificates(p.machine, p.terms, keys);
        bool ok = _succeeds("rentFor", _expectRent(p, quorum, keys.length));
        hoax(STRANGER, p.cost * WEI);
        uint64 rental =
            escrow.rentFor{ value: p.cost * WEI }(p.renter, p.machine, p.secs, RENTER_KEY, p.offerHash, certificates);
        if (ok) _rented(p, rental);
    }

    function extend(uint256 payerSeed, uint256 rentalSeed, uint256 secsSeed) external acts {
        uint64 rental = _perhapsCovered(rentalSeed, Wanted.Running);
        if (rental == 0) return;
        StreamOracle.Tenancy memory t = STORE.tenancyOf(rental);
        StreamOracle.Sum memory s = STORE.sumOf(rental);
        _extendBy(payerSeed, rental, t, s.end, uint32(bound(secsSeed, 1, 1 days)));
    }

    function end(uint256 rentalSeed) external acts {
        uint64 rental = _rental(rentalSeed, Wanted.Running);
        if (rental == 0) return;
        StreamOracle.Tenancy memory t = STORE.tenancyOf(rental);
        uint32 endsAt = STORE.sumOf(rental).end;
        bytes memory expected;
        if (endsAt <= _now()) expected = _error(IRentalEscrow.RentalEscrow_Over.selector, rental, endsAt);
        bool ok = _succeeds("end", expected);
        vm.prank(t.renter);
        escrow.end(rental);
        uint32 earliest = t.start + t.minSecs;
        if (ok) STORE.add(rental, StreamOracle.Did.Shortened, earliest < _now() ? _now() : earliest, 0);
    }

    /* INTERNALS */

    function _rent(uint256 renterSeed, bytes32 machine, uint256 secsSeed, uint256 signerSeed) internal {
        Plan memory p = _plan(machine, secsSeed);
        p.renter = RENTERS[renterSeed % 3];
        (uint256[] memory keys, bool quorum) = STORE.signers(_signerMask(signerSeed));
        IRentalEscrow.SignedCertificate[] memory certificates = _certificates(p.machine, p.terms, keys);
        bool ok = _succeeds("rent", _expectRent(p, quorum, keys.length));
        hoax(p.renter, p.cost * WEI);
        uint64 rental = escrow.rent{ value: p.cost * WEI }(p.machine, p.secs, RENTER_KEY, p.offerHash, certificates);
        if (ok) _rented(p, rental);
    }

    function _extendBy(uint256 payerSeed, uint64 rental, StreamOracle.Tenancy memory t, uint32 endsAt, uint32 secs)
        internal
    {
        uint32 total = endsAt - t.start + secs;
        bytes memory expected = _expectExtend(rental, t, endsAt, total);
        uint256 cost = uint256(t.price) * secs;
        bool ok = _succeeds("extend", expected);
        hoax(RENTERS[payerSeed % 3], cost * WEI);
        escrow.extend{ value: cost * WEI }(rental, secs);
        if (!ok) return;
        STORE.add(rental, StreamOracle.Did.Extended, secs, 0);
        STORE.lapse(t.registration, _now(), 3 days);
        _backedAgain(rental, t, endsAt + secs, _required(t.gpuClass, t.gpuCount, uint256(t.price) * total));
    }

    function _expectExtend(uint64 rental, StreamOracle.Tenancy memory t, uint32 endsAt, uint32 total)
        private
        view
        returns (bytes memory)
    {
        if (endsAt <= _now()) return _error(IRentalEscrow.RentalEscrow_Over.selector, rental, endsAt);
        bytes32 machine = STORE.bondOf(t.registration).machine;
        (IRentalEscrow.Offer memory terms,) = _termsOf(machine);
        uint40 price = RaoPerSecond.unwrap(terms.price);
        if (price == 0) return _error(IRentalEscrow.RentalEscrow_NoOffer.selector, uint256(machine));
        if (price > t.price) return _error(IRentalEscrow.RentalEscrow_PriceRaised.selector, t.price, price);
        if (total > terms.maxDurationSecs) {
            uint32 least = endsAt - t.start + 1;
            return _error(IRentalEscrow.RentalEscrow_BadDuration.selector, total, least, terms.maxDurationSecs);
        }
        if (STORE.classBond(t.gpuClass) == 0) {
            return _error(IRentalEscrow.RentalEscrow_UnknownClass.selector, t.gpuClass);
        }
        uint64 required = _required(t.gpuClass, t.gpuCount, uint256(t.price) * total);
        return _expectBacking(t.registration, rental, required, t.start + total);
    }

    function _backedAgain(uint64 rental, StreamOracle.Tenancy memory t, uint32 endsAt, uint64 required) private {
        StatedModel.Covered memory before = STORE.coveredOf(rental);
        bool covered = STORE.back(t.registration, rental, required, endsAt + LAG, _now());
        uint64 word = STORE.coveredOf(rental).word;
        if (covered) STORE.count("extend, covered");
        if (covered && before.word != 0 && before.word != word) STORE.count("extend, by a newer statement");
        if (before.word != 0 && !covered) STORE.count("extend, by TAO instead");
    }

    function _plan(bytes32 machine, uint256 secsSeed) private view returns (Plan memory p) {
        p.machine = machine;
        (p.terms, p.offerHash) = _termsOf(p.machine);
        uint32 most = p.terms.maxDurationSecs < 4 days ? p.terms.maxDurationSecs : 4 days;
        p.secs = uint32(bound(secsSeed, p.terms.minDurationSecs, most));
        p.cost = uint256(RaoPerSecond.unwrap(p.terms.price)) * p.secs;
    }
}
