// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../../src/interfaces/IArbiter.sol";

/// @title Where each rao of bond should be, and where each case stands, worked out without the contracts
abstract contract BondModel {
    struct Bond {
        bytes32 machine;
        address miner;
        uint16 uid;
        bytes32 hotkey;
        bool retired;
        uint64 free;
        uint64 held;
        uint64 exiting;
        uint32 exitReadyAt;
        uint64 paidIn;
        uint64 takenOut;
        uint64 burned;
        uint32 lastSpoofedAt;
        uint32 outdatedAt; // what was said of bonds elsewhere up to then says nothing any more
        uint64 lastRental;
        uint64[2] backed; // the two places for rentals that are not closed
    }

    /// @dev What was ever put behind a rental, and what became of it.
    struct Backing {
        uint64 put;
        uint64 aside; // by cases
        uint64 burned; // by the miner's own abandon
        uint64 intact;
        bool released;
    }

    struct CaseModel {
        IArbiter.Kind kind;
        IArbiter.Status status;
        uint64 rental;
        uint32 registration;
        uint32 secs;
        uint64 penalty;
        uint32 filedAt;
        bool slow;
        uint64 appealBond; // 0: no appeal was made
        uint32 ruleBy;
        bool bondReturned;
        bool bondBurned;
        uint8 decisions;
    }

    uint64 public immutable BREAKER_BPS;
    uint32 public registrations;
    uint64 public cases;
    uint32 public penaltyDay;
    uint64 public penaltiesOfDay;

    mapping(uint32 registration => Bond) internal _bonds;
    mapping(uint64 rental => Backing) internal _backings;
    mapping(uint64 caseId => CaseModel) internal _cases;

    constructor(uint64 breakerBps) {
        BREAKER_BPS = breakerBps;
    }

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

    function reservedOf(uint32 registration) public view returns (uint64) {
        uint64[2] memory backed = _bonds[registration].backed;
        return _backings[backed[0]].intact + _backings[backed[1]].intact;
    }

    function bondedOf(uint32 registration) public view returns (uint64) {
        Bond storage b = _bonds[registration];
        return b.free + b.exiting + b.held + reservedOf(registration);
    }

    /// @dev The rentals a node backs that are not closed; 0: an empty place.
    function openRentalsOf(uint32 registration) public view returns (uint64[2] memory open) {
        open = _bonds[registration].backed;
        for (uint256 i = 0; i < 2; ++i) {
            if (_backings[open[i]].released) open[i] = 0;
        }
    }

    /* THE MINER'S */

    function register(bytes32 machine, address miner, uint16 uid, bytes32 hotkey) external returns (uint32 id) {
        id = ++registrations;
        Bond storage b = _bonds[id];
        (b.machine, b.miner, b.uid, b.hotkey) = (machine, miner, uid, hotkey);
    }

    function rebind(uint32 registration, bytes32 hotkey, uint32 time) external {
        (_bonds[registration].hotkey, _bonds[registration].outdatedAt) = (hotkey, time);
    }

    function retire(uint32 registration) external {
        _bonds[registration].retired = true;
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

    function _back(uint32 registration, uint64 rental, uint64 total) internal {
        Bond storage b = _bonds[registration];
        if (b.lastRental != rental) {
            b.lastRental = rental;
            bool first = openRentalsOf(registration)[0] == 0;
            b.backed[first ? 0 : 1] = rental;
        }
        Backing storage r = _backings[rental];
        if (total <= r.intact) return;
        uint64 more = total - r.intact;
        b.free -= more;
        r.intact += more;
        r.put += more;
    }

    function release(uint32 registration, uint64 rental) external {
        Backing storage r = _backings[rental];
        _bonds[registration].free += r.intact;
        (r.intact, r.released) = (0, true);
    }

    function abandon(uint32 registration, uint64 rental, uint64 amount) external {
        Backing storage r = _backings[rental];
        r.intact -= amount;
        r.burned += amount;
        _bonds[registration].burned += amount;
    }

    /* CASES */

    /// @dev `unbound`: exiting and free bond answer first, then what is behind rentals.
    function file(CaseModel memory c, uint64 wanted, bool unbound) external returns (uint64 caseId) {
        caseId = ++cases;
        Bond storage b = _bonds[c.registration];
        if (unbound) {
            b.lastSpoofedAt = c.filedAt;
            if (wanted != 0) b.outdatedAt = c.filedAt;
            uint64 part = _min(wanted, b.exiting);
            (b.exiting, c.penalty) = (b.exiting - part, part);
            part = _min(wanted - c.penalty, b.free);
            (b.free, c.penalty) = (b.free - part, c.penalty + part);
            c.penalty += _aside(b.backed[0], wanted - c.penalty);
            c.penalty += _aside(b.backed[1], wanted - c.penalty);
        } else {
            c.penalty = _aside(c.rental, wanted);
        }
        b.held += c.penalty;
        c.status = IArbiter.Status.Filed;
        c.slow = c.penalty != 0 && _isTooMuch(c.penalty, c.filedAt);
        _cases[caseId] = c;
    }

    function appeal(uint64 caseId, uint64 bond, uint32 ruleBy, IArbiter.Status status) external {
        CaseModel storage c = _cases[caseId];
        (c.appealBond, c.ruleBy, c.status) = (bond, ruleBy, status);
    }

    function refund(uint64 caseId) external {
        _cases[caseId].status = IArbiter.Status.Refunded;
    }

    /// @dev For good: what is not burned is free, whatever it was before.
    function decide(uint64 caseId, bool against, uint64 burned, bool bondBurned) external {
        CaseModel storage c = _cases[caseId];
        Bond storage b = _bonds[c.registration];
        c.status = against ? IArbiter.Status.Executed : IArbiter.Status.Dismissed;
        ++c.decisions;
        b.held -= c.penalty;
        b.burned += burned;
        b.free += c.penalty - burned;
        if (c.appealBond != 0) (c.bondBurned, c.bondReturned) = (bondBurned, !bondBurned);
    }

    /* INTERNALS */

    /// @dev All that miners have in the vault, in bond or as credit.
    function owedToMiners() public view returns (uint64 owed) {
        for (uint32 id = 1; id <= registrations; ++id) {
            owed += _bonds[id].paidIn - _bonds[id].burned;
        }
        owed -= _paidOutOfVault();
    }

    function _paidOutOfVault() internal view virtual returns (uint64);

    function _isTooMuch(uint64 penalty, uint32 time) private returns (bool) {
        if (penaltyDay != time / 1 days) (penaltyDay, penaltiesOfDay) = (time / 1 days, 0);
        penaltiesOfDay += penalty;
        return penaltiesOfDay > owedToMiners() * BREAKER_BPS / 10_000;
    }

    function _aside(uint64 rental, uint64 amount) private returns (uint64 taken) {
        Backing storage r = _backings[rental];
        taken = _min(amount, r.intact);
        r.intact -= taken;
        r.aside += taken;
    }

    function _min(uint64 a, uint64 b) internal pure returns (uint64) {
        return a < b ? a : b;
    }
}
