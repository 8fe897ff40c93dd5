// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What each rental should have paid to whom, worked out without the escrow
/// @dev A rental is remembered as what was asked of it: how it began, then one entry for everything that happened, in
/// order. Every answer is computed again from that list; no running total is kept, so that none can drift.
abstract contract StreamOracle {
    enum Did {
        Extended, // by a seconds
        Shortened, // to end at a
        Paid, // the miner, up to a
        Withheld, // from a until b
        Decided, // a withheld seconds, to the renter
        Returned, // a withheld seconds, to the miner after all
        Closed
    }

    struct Entry {
        Did did;
        uint32 a;
        uint32 b;
    }

    /// @dev How a rental began.
    struct Tenancy {
        address renter;
        address miner;
        uint32 registration;
        uint40 price;
        uint16 minSecs;
        uint32 start;
        uint32 secs;
        uint16 gpuClass;
        uint8 gpuCount;
    }

    struct Interval {
        uint32 from;
        uint32 until;
    }

    /// @dev Where the list of entries leaves a rental.
    struct Sum {
        uint32 end;
        uint32 bought;
        uint32 claimed;
        uint32 faulted;
        uint32 decided; // to the renter
        uint32 returned; // to the miner, and not counted as claimed
        uint32 paidUntil;
        bool closed;
        uint64 net; // to the miner, rao
        uint64 fee; // to the treasury, rao
    }

    uint64 public immutable FEE_BPS;
    uint64 public rentals;

    mapping(uint64 rental => Tenancy) private _tenancies;
    mapping(uint64 rental => Entry[]) private _entries;

    constructor(uint64 feeBps) {
        FEE_BPS = feeBps;
    }

    /* WRITING */

    function begin(Tenancy calldata tenancy) external returns (uint64 rental) {
        rental = ++rentals;
        _tenancies[rental] = tenancy;
    }

    function add(uint64 rental, Did did, uint32 a, uint32 b) external {
        _entries[rental].push(Entry(did, a, b));
    }

    /* READING */

    function tenancyOf(uint64 rental) external view returns (Tenancy memory) {
        return _tenancies[rental];
    }

    function sumOf(uint64 rental) public view returns (Sum memory s) {
        Tenancy memory t = _tenancies[rental];
        (s.end, s.bought, s.paidUntil) = (t.start + t.secs, t.secs, t.start);
        Entry[] memory entries = _entries[rental];
        for (uint256 i = 0; i < entries.length; ++i) {
            _apply(t, s, entries[i]);
        }
    }

    /// @dev Seconds a claim up to `upTo` would pay.
    function claimable(uint64 rental, uint32 upTo) public view returns (uint32) {
        return _unpaid(_tenancies[rental], sumOf(rental), upTo);
    }

    /// @dev Seconds of [start, until) that lie in no fault, each fault counted once however often it was recorded.
    function servedSecs(uint64 rental, uint32 until) public view returns (uint32 served) {
        uint32 at = _tenancies[rental].start;
        Interval[] memory faults = faultsOf(rental);
        for (uint256 i = 0; i < faults.length && at < until; ++i) {
            uint32 stop = faults[i].from < until ? faults[i].from : until;
            if (at < stop) served += stop - at;
            if (at < faults[i].until) at = faults[i].until;
        }
        if (at < until) served += until - at;
    }

    /// @dev The intervals withheld, in order of time.
    function faultsOf(uint64 rental) public view returns (Interval[] memory faults) {
        Entry[] memory entries = _entries[rental];
        uint256 count;
        for (uint256 i = 0; i < entries.length; ++i) {
            if (entries[i].did == Did.Withheld) ++count;
        }
        faults = new Interval[](count);
        count = 0;
        for (uint256 i = 0; i < entries.length; ++i) {
            if (entries[i].did == Did.Withheld) _insert(faults, count++, Interval(entries[i].a, entries[i].b));
        }
    }

    /// @dev What of a gap between faults can still be withheld at `time`; empty when from >= until.
    function gapOf(uint64 rental, uint256 gap, uint32 time) external view returns (uint32 from, uint32 until) {
        Sum memory s = sumOf(rental);
        Interval[] memory faults = faultsOf(rental);
        until = time < s.end ? time : s.end;
        if (gap < faults.length && faults[gap].from < until) until = faults[gap].from;
        from = gap == 0 ? _tenancies[rental].start : faults[gap - 1].until;
        if (from < s.paidUntil) from = s.paidUntil;
    }

    /* INTERNALS */

    function _apply(Tenancy memory t, Sum memory s, Entry memory e) private view {
        if (e.did == Did.Extended) (s.end, s.bought) = (s.end + e.a, s.bought + e.a);
        else if (e.did == Did.Shortened) s.end = e.a < s.end ? e.a : s.end;
        else if (e.did == Did.Paid) _pay(t, s, e.a);
        else if (e.did == Did.Withheld) s.faulted += e.b - e.a;
        else if (e.did == Did.Decided) s.decided += e.a;
        else if (e.did == Did.Returned) _return(t, s, e.a);
        else if (e.did == Did.Closed) s.closed = true;
    }

    function _pay(Tenancy memory t, Sum memory s, uint32 upTo) private view {
        uint32 secs = _unpaid(t, s, upTo);
        if (secs == 0) return;
        s.claimed += secs;
        _credit(t, s, secs);
        if (upTo > s.end) upTo = s.end;
        if (upTo > s.paidUntil) s.paidUntil = upTo;
    }

    function _return(Tenancy memory t, Sum memory s, uint32 secs) private view {
        s.returned += secs;
        _credit(t, s, secs);
    }

    function _credit(Tenancy memory t, Sum memory s, uint32 secs) private view {
        uint64 gross = uint64(t.price) * secs;
        uint64 fee = gross * FEE_BPS / 10_000;
        s.fee += fee;
        s.net += gross - fee;
    }

    function _unpaid(Tenancy memory t, Sum memory s, uint32 upTo) private pure returns (uint32) {
        if (upTo > s.end) upTo = s.end;
        uint32 gone = s.faulted + s.claimed;
        return upTo > t.start + gone ? upTo - t.start - gone : 0;
    }

    function _insert(Interval[] memory sorted, uint256 count, Interval memory added) private pure {
        uint256 i = count;
        for (; i > 0 && sorted[i - 1].from > added.from; --i) {
            sorted[i] = sorted[i - 1];
        }
        sorted[i] = added;
    }
}
