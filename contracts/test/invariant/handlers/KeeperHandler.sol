// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../../src/interfaces/IArbiter.sol";
import { Timestamp } from "../../../src/types/Units.sol";
import { BondModel } from "../model/BondModel.sol";
import { StreamOracle } from "../model/StreamOracle.sol";
import { HandlerBase, System } from "./HandlerBase.sol";

/// @dev Keepers in any number: all active ones mostly, else any set of past and present ones, who are a quorum or not.
contract KeeperHandler is HandlerBase {
    bytes32 private constant BETWEEN = "file Interrupted, between";
    bytes32 private constant LAST = "file Interrupted, last";

    /// @dev What is about to be filed, and what the signers have in common.
    struct Filing {
        IArbiter.Kind kind;
        uint64 rental;
        uint8 gap;
        uint32 from;
        uint32 until;
        bool quorum;
        uint256 signed;
    }

    constructor(System memory s) HandlerBase(s) { }

    /* FILING */

    /// @dev Any piece of any gap, and beyond its edges now and then.
    function interrupted(uint256 rentalSeed, uint256 gapSeed, uint256 fromSeed, uint256 secsSeed, uint256 signerSeed)
        external
        acts
    {
        Filing memory f;
        f.rental = _rental(rentalSeed, gapSeed % 4 == 0 ? Wanted.Open : Wanted.Running);
        if (f.rental == 0) return;
        f.kind = IArbiter.Kind.Interrupted;
        uint256 gaps = STORE.faultsOf(f.rental).length + 1;
        (uint32 low, uint32 high) = (0, 0);
        for (uint256 i = 0; i < gaps && high <= low; ++i) {
            f.gap = _to8((gapSeed % gaps + i) % gaps);
            (low, high) = STORE.gapOf(f.rental, f.gap, _now());
        }
        if (high <= low) (low, high) = (_now() - 1 hours, _now());
        uint32 edge = fromSeed % 8 == 0 ? 100 : 0;
        f.from = uint32(bound(fromSeed >> 8, low - edge, high - 1));
        uint32 most = (high - low) / 2 + 60;
        uint32 secs = uint32(bound(secsSeed, 1, fromSeed % 3 == 0 && most > 600 ? 600 : most));
        f.until = f.from + secs < _now() ? f.from + secs : _now();
        _file(f, signerSeed);
    }

    function offline(uint256 rentalSeed, uint256 fromSeed, uint256 freshSeed, uint256 signerSeed) external acts {
        Filing memory f;
        f.rental = _rental(rentalSeed, Wanted.Running);
        if (f.rental == 0 || STORE.tenancyOf(f.rental).start == _now()) return;
        f.kind = IArbiter.Kind.Offline;
        f.gap = uint8(STORE.faultsOf(f.rental).length);
        uint32 start = STORE.tenancyOf(f.rental).start;
        if (fromSeed % 2 == 0 && start + 2 hours < _now()) start = _now() - 2 hours;
        f.from = uint32(bound(fromSeed, start, _now() - 1));
        f.until = uint32(bound(freshSeed, f.from + 1 > _now() - 300 ? f.from + 1 : _now() - 300, _now()));
        _file(f, signerSeed);
    }

    function notDelivered(uint256 rentalSeed, uint256 freshSeed, uint256 signerSeed) external acts {
        Filing memory f;
        f.rental = _rental(rentalSeed, Wanted.Running);
        if (f.rental == 0 || STORE.tenancyOf(f.rental).start == _now()) return;
        f.kind = IArbiter.Kind.NotDelivered;
        f.gap = uint8(STORE.faultsOf(f.rental).length);
        f.from = STORE.tenancyOf(f.rental).start;
        f.until = uint32(bound(freshSeed, f.from + 1 > _now() - 300 ? f.from + 1 : _now() - 300, _now()));
        _file(f, signerSeed);
    }

    function spoofed(uint256 machineSeed, uint256 classSeed, uint256 gpuCount, uint256 signerSeed) external acts {
        if (machineSeed % 3 != 0) return; // it costs so much that too little would happen afterwards
        bytes32 machine = _registered(machineSeed >> 8);
        uint64 running = _rental(machineSeed >> 8, Wanted.Running);
        if (running != 0 && classSeed % 4 < 2) machine = _machineOf(running, machine);
        if (classSeed % 4 != 0) machine = _busiest(machine);
        BondModel.CaseModel memory c;
        c.registration = STORE.registrationOf(machine);
        c.kind = IArbiter.Kind.Spoofed;
        c.filedAt = _now();
        BondModel.Bond memory b = _bond(machine);
        if (b.lastRental != 0 && !STORE.sumOf(b.lastRental).closed) c.rental = b.lastRental;
        (uint16 gpuClass, uint16 count) = (H100 + _to16((classSeed >> 8) % 2), _to16((gpuCount >> 8) % 5));
        bool busy = _isBusy(c.registration);
        if (gpuCount % 4 == 0 || busy) count *= 15; // more than there is
        (uint256[] memory keys, bool quorum) = STORE.signers(_signerMask(signerSeed));
        IArbiter.SignedSpoof[] memory spoofs = _spoofs(machine, c.registration, gpuClass, count, keys);
        bytes memory expected;
        if (b.lastSpoofedAt == _now() && keys.length != 0) {
            expected = _error(IArbiter.Arbiter_Stale.selector, 0, _now(), _now());
        } else if (!quorum) {
            expected = _error(IArbiter.Arbiter_NoQuorum.selector, keys.length);
        }
        bool ok = _succeeds("fileSpoofed", expected);
        vm.prank(STRANGER);
        arbiter.fileSpoofed(machine, c.registration, gpuClass, count, spoofs);
        if (!ok) return;
        uint64 wanted = STORE.activeKeepers() < 3 ? 0 : STORE.classBond(gpuClass) * count;
        uint64 reserved = STORE.reservedOf(c.registration);
        STORE.file(c, wanted, true);
        bool reached = STORE.reservedOf(c.registration) < reserved;
        if (reached && busy) STORE.count("fileSpoofed, two reserves");
        if (c.rental != 0 && _now() < STORE.sumOf(c.rental).end) _ended(c.rental);
        _offTheMarket(machine);
    }

    /* INTERNALS */

    /// @dev Each signer saw a little less than the one before it, at both ends.
    function _file(Filing memory f, uint256 signerSeed) private {
        uint256[] memory keys;
        (keys, f.quorum) = STORE.signers(_signerMask(signerSeed));
        f.signed = keys.length;
        bool narrowing = f.kind == IArbiter.Kind.Interrupted && f.until - f.from > 100;
        uint32 step = narrowing ? _to32(signerSeed >> 224) % 10 : 0;
        IArbiter.SignedAttestation[] memory attestations = new IArbiter.SignedAttestation[](keys.length);
        for (uint32 i = 0; i < keys.length; ++i) {
            // An attestation that it is offline serves here too.
            bool wider = f.kind == IArbiter.Kind.Interrupted && signerSeed >> (96 + i) & 1 == 1;
            IArbiter.Kind kind = wider ? IArbiter.Kind.Offline : f.kind;
            attestations[i] = _attestation(keys[i], kind, f.rental, f.from + i * step, f.until - i * step);
        }
        if (keys.length > 1) {
            uint32 cut = step * uint32(keys.length - 1);
            (f.from, f.until) = (f.from + cut, f.until - cut);
        }
        bytes memory expected = _expectFile(f);
        bool ok = _succeeds(_name(f), expected);
        vm.prank(STRANGER);
        arbiter.file(f.kind, f.rental, f.gap, attestations);
        if (ok) _filed(f);
    }

    function _name(Filing memory f) private view returns (bytes32) {
        if (f.kind == IArbiter.Kind.Offline) return "file Offline";
        if (f.kind == IArbiter.Kind.NotDelivered) return "file NotDelivered";
        bool middle = f.gap < STORE.faultsOf(f.rental).length;
        return middle ? BETWEEN : LAST;
    }

    /// @dev Narrows what the signers have in common to the gap, and says what the arbiter says to it.
    function _expectFile(Filing memory f) private view returns (bytes memory) {
        if (!f.quorum) return _error(IArbiter.Arbiter_NoQuorum.selector, f.signed);
        StreamOracle.Sum memory s = STORE.sumOf(f.rental);
        uint32 least = 1 minutes;
        if (f.kind != IArbiter.Kind.Interrupted) {
            if (s.end <= _now()) return _error(IArbiter.Arbiter_RentalOver.selector, f.rental, s.end);
            least = 15 minutes;
        }
        if (f.kind == IArbiter.Kind.NotDelivered) {
            bool served = s.claimed != 0 || s.faulted != 0;
            if (served) return _error(IArbiter.Arbiter_AlreadyServed.selector, f.rental);
            least = 10 minutes;
        }
        (uint32 low, uint32 high) = STORE.gapOf(f.rental, f.gap, _now());
        if (f.from < low) f.from = low;
        if (f.until > high) f.until = high;
        bool enough = f.from + least <= f.until;
        return enough ? bytes("") : _error(IArbiter.Arbiter_TooShort.selector, f.from, f.until, least);
    }

    function _filed(Filing memory f) private {
        bool ends = f.kind != IArbiter.Kind.Interrupted;
        if (ends) f.until = _now();
        STORE.add(f.rental, StreamOracle.Did.Withheld, f.from, f.until);
        StreamOracle.Tenancy memory t = STORE.tenancyOf(f.rental);
        BondModel.CaseModel memory c;
        (c.kind, c.rental, c.registration) = (f.kind, f.rental, t.registration);
        (c.secs, c.filedAt) = (f.until - f.from, _now());
        STORE.file(c, ends && STORE.activeKeepers() >= 3 ? _penalty(f, t) : 0, false);
        if (ends) _ended(f.rental);
    }

    /// @dev 2 % of what backs the rental, or a tenth, but never more than was earned.
    function _penalty(Filing memory f, StreamOracle.Tenancy memory t) private view returns (uint64) {
        uint64 intact = STORE.backingOf(f.rental).intact;
        if (f.kind == IArbiter.Kind.NotDelivered) return intact * 200 / 10_000;
        uint64 earned = uint64(t.price) * STORE.servedSecs(f.rental, _now());
        return intact / 10 < earned ? intact / 10 : earned;
    }

    /// @dev A machine whose node backs two rentals, if there is one.
    function _busiest(bytes32 other) private view returns (bytes32 machine) {
        for (uint256 i = 0; i < STORE.machineCount(); ++i) {
            machine = STORE.machines(i);
            if (_isBusy(STORE.registrationOf(machine))) return machine;
        }
        return other;
    }

    function _isBusy(uint32 registration) private view returns (bool) {
        uint64[2] memory open = STORE.openRentalsOf(registration);
        return open[0] != 0 && open[1] != 0;
    }

    /// @dev The rental's, unless its node is retired by now.
    function _machineOf(uint64 rental, bytes32 other) private view returns (bytes32 machine) {
        machine = STORE.bondOf(STORE.tenancyOf(rental).registration).machine;
        if (STORE.minerOf(machine) == address(0)) machine = other;
    }

    function _ended(uint64 rental) private {
        STORE.add(rental, StreamOracle.Did.Shortened, _now(), 0);
        _offTheMarket(STORE.bondOf(STORE.tenancyOf(rental).registration).machine);
    }

    function _offTheMarket(bytes32 machine) private view {
        (, bytes32 offerHash) = _termsOf(machine);
        assertEq(offerHash, bytes32(0), "a machine that failed is off the market");
    }

    function _spoofs(bytes32 machine, uint32 registration, uint16 gpuClass, uint16 count, uint256[] memory keys)
        private
        view
        returns (IArbiter.SignedSpoof[] memory spoofs)
    {
        bytes32 typehash = keccak256(
            "Spoof(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,"
            "uint32 provedAt,bytes32 evidence)"
        );
        spoofs = new IArbiter.SignedSpoof[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            spoofs[i].provedAt = Timestamp.wrap(_now());
            bytes32 hash = keccak256(abi.encode(typehash, machine, registration, gpuClass, count, _now(), bytes32(0)));
            (spoofs[i].r, spoofs[i].vs) = _sign(keys[i], address(arbiter), hash);
        }
    }
}
