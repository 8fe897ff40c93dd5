// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../../src/interfaces/IRentalEscrow.sol";
import { RaoPerSecond } from "../../../src/types/Units.sol";
import { BondModel } from "../model/BondModel.sol";
import { StreamOracle } from "../model/StreamOracle.sol";
import { HandlerBase } from "./HandlerBase.sol";

/// @dev What renting takes, whoever asks for it and for whom.
abstract contract RentingBase is HandlerBase {
    /// @dev What is about to be rented.
    struct Plan {
        bytes32 machine;
        IRentalEscrow.Offer terms;
        bytes32 offerHash;
        address renter;
        uint32 secs;
        uint256 cost;
    }

    /* EXPECTING */

    function _expectRent(Plan memory p, bool quorum, uint256 signed) internal view returns (bytes memory) {
        if (p.cost == 0) return _error(IRentalEscrow.RentalEscrow_NoOffer.selector, uint256(p.machine));
        if (p.secs < p.terms.minDurationSecs || p.terms.maxDurationSecs < p.secs) {
            return _error(
                IRentalEscrow.RentalEscrow_BadDuration.selector,
                p.secs,
                p.terms.minDurationSecs,
                p.terms.maxDurationSecs
            );
        }
        uint32 readyAt = _readyAt(p.machine, p.terms);
        if (_now() < readyAt) {
            return _error(IRentalEscrow.RentalEscrow_NotReady.selector, uint256(p.machine), readyAt);
        }
        if (!quorum) return _error(IRentalEscrow.RentalEscrow_NoQuorum.selector, signed);
        if (STORE.classBond(p.terms.gpuClass) == 0) {
            return _error(IRentalEscrow.RentalEscrow_UnknownClass.selector, p.terms.gpuClass);
        }
        uint64 bond = _required(p.terms.gpuClass, p.terms.gpuCount, p.cost);
        return _expectBacking(STORE.registrationOf(p.machine), 0, bond, _now() + p.secs);
    }

    /* INTERNALS */

    function _readyAt(bytes32 machine, IRentalEscrow.Offer memory terms) internal view returns (uint32) {
        uint64 last = _bond(machine).lastRental;
        return last == 0 ? 0 : STORE.sumOf(last).end + terms.turnaroundSecs;
    }

    /// @dev A machine that can be rented, if there is one, else one that is on offer and empty, else any.
    function _rentable(uint256 seed) internal view returns (bytes32 machine) {
        machine = _machine(seed);
        bool found;
        for (uint256 i = 0; i < STORE.machineCount(); ++i) {
            bytes32 next = _machine(seed % 4 + i);
            (IRentalEscrow.Offer memory terms,) = _termsOf(next);
            if (RaoPerSecond.unwrap(terms.price) == 0 || _readyAt(next, terms) > _now()) continue;
            if (!found) machine = next;
            if (!_isBackable(next, terms)) continue;
            if (!found || _hasCovered(next)) machine = next;
            found = true;
        }
    }

    /// @dev Whether it has a rental that is not closed and covered by what was stated: the next one shares that.
    function _hasCovered(bytes32 machine) private view returns (bool) {
        uint64[2] memory open = STORE.openRentalsOf(STORE.registrationOf(machine));
        return STORE.coveredOf(open[0]).word != 0 || STORE.coveredOf(open[1]).word != 0;
    }

    /// @dev Whether there is bond for an hour of it.
    function _isBackable(bytes32 machine, IRentalEscrow.Offer memory terms) internal view returns (bool) {
        if (STORE.classBond(terms.gpuClass) == 0) return false;
        uint256 cost = uint256(RaoPerSecond.unwrap(terms.price)) * 1 hours;
        uint64 bond = _required(terms.gpuClass, terms.gpuCount, cost);
        return _expectBacking(STORE.registrationOf(machine), 0, bond, _now() + 1 hours).length == 0;
    }

    function _certificates(bytes32 machine, IRentalEscrow.Offer memory terms, uint256[] memory keys)
        internal
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

    function _rented(Plan memory p, uint64 rental) internal {
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
        BondModel.Bond memory b = STORE.bondOf(registration);
        if (b.exiting != 0 && b.exitReadyAt + 3 days < _now()) STORE.count("rent after a lapse");
        STORE.lapse(registration, _now(), 3 days);
        uint64 required = _required(t.gpuClass, t.gpuCount, p.cost);
        bool covered = STORE.back(registration, rental, required, _now() + p.secs + LAG, _now());
        if (!covered) return;
        STORE.count("rent, covered");
        uint64[2] memory open = STORE.openRentalsOf(registration);
        bool both = STORE.coveredOf(open[0]).word != 0 && STORE.coveredOf(open[1]).word != 0;
        if (both) STORE.count("rent, both covered");
    }
}
