// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../../src/interfaces/IArbiter.sol";

/// @title Where each rao of bond should be, worked out without the vault
abstract contract BondModel {
    struct Bond {
        bytes32 machine;
        address miner;
        uint64 free;
        uint64 reserved;
        uint64 held;
        uint64 exiting;
        uint32 exitReadyAt;
        uint64 paidIn;
        uint64 takenOut;
        uint64 burned;
        uint32 lastSpoofedAt;
        uint64 lastRental;
    }

    /// @dev What must back a rental, and what of it cases have taken.
    struct Backing {
        uint64 total;
        uint64 aside;
        bool released;
    }

    struct CaseModel {
        IArbiter.Kind kind;
        uint64 rental;
        uint32 registration;
        uint32 secs;
        uint64 penalty;
        uint64 fromReserve;
        uint32 filedAt;
        bool executed;
    }

    uint32 public registrations;
    uint64 public cases;

    mapping(uint32 registration => Bond) internal _bonds;
    mapping(uint64 rental => Backing) internal _backings;
    mapping(uint64 caseId => CaseModel) internal _cases;

    /* READING */

    function bondOf(uint32 registration) external view returns (Bond memory) {
        return _bonds[registration];
    }

    function backingOf(uint64 rental) external view returns (Backing memory) {
        return _backings[rental];
    }

    function caseOf(uint64 caseId) external view returns (CaseModel memory) {
        return _cases[caseId];
    }

    /* THE MINER'S */

    function register(bytes32 machine, address miner) external returns (uint32 registration) {
        registration = ++registrations;
        (_bonds[registration].machine, _bonds[registration].miner) = (machine, miner);
    }

    function deposit(uint32 registration, uint64 amount) external {
        _bonds[registration].free += amount;
        _bonds[registration].paidIn += amount;
    }

    function exit(uint32 registration, uint64 amount, uint32 readyAt) external {
        Bond storage b = _bonds[registration];
        b.free = b.free + b.exiting - amount;
        (b.exiting, b.exitReadyAt) = (amount, readyAt);
    }

    function stay(uint32 registration) public {
        Bond storage b = _bonds[registration];
        (b.free, b.exiting) = (b.free + b.exiting, 0);
    }

    function takeOut(uint32 registration) external {
        Bond storage b = _bonds[registration];
        (b.takenOut, b.exiting) = (b.takenOut + b.exiting, 0);
    }

    /* A RENTAL'S */

    /// @dev An exit whose window has passed is over as soon as anybody rents.
    function lapse(uint32 registration, uint32 time, uint32 exitWindowSecs) external {
        if (_bonds[registration].exitReadyAt + exitWindowSecs < time) stay(registration);
    }

    function back(uint32 registration, uint64 rental, uint64 total) external {
        Bond storage b = _bonds[registration];
        uint64 have = _backings[rental].total;
        b.lastRental = rental;
        if (total <= have) return;
        (b.free, b.reserved) = (b.free - (total - have), b.reserved + (total - have));
        _backings[rental].total = total;
    }

    function release(uint32 registration, uint64 rental) external {
        uint64 left = intactOf(rental);
        _backings[rental].released = true;
        _bonds[registration].reserved -= left;
        _bonds[registration].free += left;
    }

    /// @dev What of a rental's backing no case has touched.
    function intactOf(uint64 rental) public view returns (uint64) {
        Backing memory r = _backings[rental];
        return r.released ? 0 : r.total - r.aside;
    }

    /* CASES */

    /// @dev `unbound`: exiting and free bond answer first.
    function file(CaseModel memory c, uint64 wanted, bool unbound) external returns (uint64 caseId) {
        caseId = ++cases;
        Bond storage b = _bonds[c.registration];
        uint64 left = wanted;
        if (unbound) {
            uint64 part = _min(left, b.exiting);
            (b.exiting, left) = (b.exiting - part, left - part);
            part = _min(left, b.free);
            (b.free, left) = (b.free - part, left - part);
        }
        c.fromReserve = c.rental == 0 ? 0 : _min(left, intactOf(c.rental));
        c.penalty = wanted - left + c.fromReserve;
        b.reserved -= c.fromReserve;
        b.held += c.penalty;
        if (c.rental != 0) _backings[c.rental].aside += c.fromReserve;
        if (c.kind == IArbiter.Kind.Spoofed) b.lastSpoofedAt = c.filedAt;
        _cases[caseId] = c;
    }

    /// @dev What is not burned goes back to where it was, or is free once the rental is closed.
    function decide(uint64 caseId, uint64 burned) external {
        CaseModel storage c = _cases[caseId];
        Bond storage b = _bonds[c.registration];
        c.executed = true;
        b.held -= c.penalty;
        b.burned += burned;
        uint64 toReserve = _min(c.penalty - burned, c.fromReserve);
        _backings[c.rental].aside -= toReserve;
        if (_backings[c.rental].released) toReserve = 0;
        b.reserved += toReserve;
        b.free += c.penalty - burned - toReserve;
    }

    function _min(uint64 a, uint64 b) private pure returns (uint64) {
        return a < b ? a : b;
    }
}
