// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../../src/interfaces/IRentalEscrow.sol";
import { RaoPerSecond } from "../../../src/types/Units.sol";
import { StreamOracle } from "../model/StreamOracle.sol";
import { HandlerBase, System } from "./HandlerBase.sol";

/// @dev Three renters, who rent what they can, extend (anybody's rental) and end.
contract RenterHandler is HandlerBase {
    constructor(System memory s) HandlerBase(s) { }

    /// @dev What is about to be rented.
    struct Plan {
        bytes32 machine;
        IRentalEscrow.Offer terms;
        bytes32 offerHash;
        address renter;
        uint32 secs;
        uint256 cost;
    }

    function rent(uint256 renterSeed, uint256 machineSeed, uint256 secsSeed, uint256 signerSeed) external acts {
        Plan memory p;
        p.machine = _rentable(machineSeed);
        (p.terms, p.offerHash) = _termsOf(p.machine);
        uint32 most = p.terms.maxDurationSecs < 4 days ? p.terms.maxDurationSecs : 4 days;
        p.secs = uint32(bound(secsSeed, p.terms.minDurationSecs, most));
        p.cost = uint256(RaoPerSecond.unwrap(p.terms.price)) * p.secs;
        p.renter = RENTERS[renterSeed % 3];
        _rent(p, signerSeed);
    }

    function extend(uint256 payerSeed, uint256 rentalSeed, uint256 secsSeed) external acts {
        uint64 rental = _rental(rentalSeed, Wanted.Running);
        if (rental == 0) return;
        StreamOracle.Tenancy memory t = STORE.tenancyOf(rental);
        StreamOracle.Sum memory s = STORE.sumOf(rental);
        uint32 secs = uint32(bound(secsSeed, 1, 1 days));
        uint32 total = s.end - t.start + secs;
        bytes memory expected = _expectExtend(rental, t, s.end, total);
        uint256 cost = uint256(t.price) * secs;
        bool ok = _succeeds("extend", expected);
        hoax(RENTERS[payerSeed % 3], cost * WEI);
        escrow.extend{ value: cost * WEI }(rental, secs);
        if (!ok) return;
        STORE.add(rental, StreamOracle.Did.Extended, secs, 0);
        STORE.lapse(t.registration, _now(), 3 days);
        STORE.back(t.registration, rental, _required(t.gpuClass, t.gpuCount, uint256(t.price) * total));
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

    function _rent(Plan memory p, uint256 signerSeed) private {
        (uint256[] memory keys, bool quorum) = STORE.signers(_signerMask(signerSeed));
        IRentalEscrow.SignedCertificate[] memory certificates = _certificates(p.machine, p.terms, keys);
        bytes memory expected = _expectRent(p, quorum, keys.length);
        bool ok = _succeeds("rent", expected);
        hoax(p.renter, p.cost * WEI);
        uint64 rental = escrow.rent{ value: p.cost * WEI }(p.machine, p.secs, RENTER_KEY, p.offerHash, certificates);
        if (ok) _rented(p, rental);
    }

    /* EXPECTING */

    function _expectRent(Plan memory p, bool quorum, uint256 signed) private view returns (bytes memory) {
        if (p.cost == 0) return _error(IRentalEscrow.RentalEscrow_NoOffer.selector, uint256(p.machine));
        uint32 readyAt = _readyAt(p.machine, p.terms);
        if (_now() < readyAt) {
            return _error(IRentalEscrow.RentalEscrow_NotReady.selector, uint256(p.machine), readyAt);
        }
        if (!quorum) return _error(IRentalEscrow.RentalEscrow_NoQuorum.selector, signed);
        if (STORE.classBond(p.terms.gpuClass) == 0) {
            return _error(IRentalEscrow.RentalEscrow_UnknownClass.selector, p.terms.gpuClass);
        }
        return _expectBacking(p.machine, 0, _required(p.terms.gpuClass, p.terms.gpuCount, p.cost));
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
        return _expectBacking(machine, rental, _required(t.gpuClass, t.gpuCount, uint256(t.price) * total));
    }

    /* INTERNALS */

    function _readyAt(bytes32 machine, IRentalEscrow.Offer memory terms) private view returns (uint32) {
        uint64 last = _bond(machine).lastRental;
        return last == 0 ? 0 : STORE.sumOf(last).end + terms.turnaroundSecs;
    }

    /// @dev A machine that is on offer and empty, if there is one.
    function _rentable(uint256 seed) private view returns (bytes32 machine) {
        for (uint256 i = 0; i < STORE.machineCount(); ++i) {
            machine = _machine(seed % 4 + i);
            (IRentalEscrow.Offer memory terms,) = _termsOf(machine);
            if (RaoPerSecond.unwrap(terms.price) != 0 && _readyAt(machine, terms) <= _now()) return machine;
        }
    }

    function _certificates(bytes32 machine, IRentalEscrow.Offer memory terms, uint256[] memory keys)
        private
        view
        returns (IRentalEscrow.SignedCertificate[] memory certificates)
    {
        uint32 registration = STORE.registrationOf(machine);
        certificates = new IRentalEscrow.SignedCertificate[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            certificates[i] =
                _certificate(keys[i], machine, registration, terms.gpuClass, terms.gpuCount, uint32(block.timestamp));
        }
    }

    function _rented(Plan memory p, uint64 rental) private {
        uint32 registration = STORE.registrationOf(p.machine);
        StreamOracle.Tenancy memory t = StreamOracle.Tenancy({
            renter: p.renter,
            miner: STORE.minerOf(p.machine),
            registration: registration,
            price: RaoPerSecond.unwrap(p.terms.price),
            minSecs: p.terms.minDurationSecs,
            start: _now(),
            secs: p.secs,
            gpuClass: p.terms.gpuClass,
            gpuCount: p.terms.gpuCount
        });
        assertEq(STORE.begin(t), rental, "rentals are numbered without gaps");
        STORE.lapse(registration, _now(), 3 days);
        STORE.back(registration, rental, _required(t.gpuClass, t.gpuCount, p.cost));
    }
}
