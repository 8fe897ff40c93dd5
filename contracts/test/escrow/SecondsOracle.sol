// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Rent, the slow way: one entry for every second that was ever bought
/// @dev An oracle for RentalEscrow and Arbiter. It shares no formula with them: it knows nothing of streams, gaps or
/// sums of faults, and answers every question by walking over the seconds. Times are seconds since the rental's start.
library SecondsOracle {
    struct Sim {
        uint256 price;
        uint256 feeBps;
        uint256 lag;
        uint256 minDuration;
        uint256 now_;
        uint256 end; // seconds before it are the miner's to serve
        uint256 bought; // seconds the renter has paid for in all, refunded ones included
        uint256 paid; // seconds paid to the miner
        uint256 paidUntil;
        bool closed;
        uint256[] faultOf; // by second: 0, or the case it belongs to
        uint256 cases;
        uint256[] filedAt; // by case
        bool[] executed; // by case
        uint256 renterRao;
        uint256 minerRao;
        uint256 feeRao;
    }

    function create(uint256 price, uint256 secs, uint256 minDuration, uint256 maxSecs, uint256 maxCases)
        internal
        pure
        returns (Sim memory s)
    {
        s.price = price;
        s.minDuration = minDuration;
        s.end = s.bought = secs;
        s.faultOf = new uint256[](maxSecs);
        s.filedAt = new uint256[](maxCases + 1);
        s.executed = new bool[](maxCases + 1);
    }

    /* QUESTIONS */

    function faulted(Sim memory s) internal pure returns (uint256 secs) {
        for (uint256 i = 0; i < s.end; ++i) {
            if (s.faultOf[i] != 0) ++secs;
        }
    }

    /// @dev Seconds whose case nobody has executed yet.
    function undecided(Sim memory s) internal pure returns (uint256 secs) {
        for (uint256 i = 0; i < s.end; ++i) {
            if (s.faultOf[i] != 0 && !s.executed[s.faultOf[i]]) ++secs;
        }
    }

    /// @dev Seconds before `until` that were served.
    function served(Sim memory s, uint256 until) internal pure returns (uint256 secs) {
        for (uint256 i = 0; i < s.end && i < until; ++i) {
            if (s.faultOf[i] == 0) ++secs;
        }
    }

    /// @dev Walks up to `until`, paying for each second served; each faulted one further on keeps one back.
    function payable_(Sim memory s, uint256 until) internal pure returns (uint256 secs) {
        secs = served(s, until);
        for (uint256 i = until; i < s.end; ++i) {
            if (s.faultOf[i] != 0 && secs > 0) --secs;
        }
        return secs > s.paid ? secs - s.paid : 0;
    }

    /// @dev How many faults lie wholly before second `at`.
    function faultsBefore(Sim memory s, uint256 at) internal pure returns (uint256 count) {
        uint256 last;
        for (uint256 i = 0; i < at; ++i) {
            if (s.faultOf[i] != 0 && s.faultOf[i] != last) ++count;
            last = s.faultOf[i];
        }
    }

    /// @dev Seconds of [from, until) that a case naming `gap` can take.
    function takeable(Sim memory s, uint256 from, uint256 until, uint256 gap)
        internal
        pure
        returns (uint256 secs, uint256 first)
    {
        if (from >= s.end) return (0, 0);
        uint256 seenFaults = faultsBefore(s, from);
        uint256 last = from == 0 ? 0 : s.faultOf[from - 1];
        for (uint256 i = from; i < until && i < s.end && i < s.now_; ++i) {
            uint256 f = s.faultOf[i];
            if (f != 0 && f != last) ++seenFaults;
            last = f;
            if (f != 0 || i < s.paidUntil || seenFaults != gap) continue;
            if (secs == 0) first = i;
            ++secs;
        }
    }

    /* WHAT HAPPENS */

    function pay(Sim memory s, uint256 until) internal pure returns (uint256 secs) {
        secs = payable_(s, until);
        if (secs == 0) return 0;
        s.paid += secs;
        uint256 reached = until < s.end ? until : s.end;
        if (reached > s.paidUntil) s.paidUntil = reached;
        uint256 gross = secs * s.price;
        uint256 fee = gross * s.feeBps / 10_000;
        s.minerRao += gross - fee;
        s.feeRao += fee;
    }

    /// @dev Each second from `newEnd` on is refunded, one by one.
    function shorten(Sim memory s, uint256 newEnd) internal pure {
        while (s.end > newEnd) {
            --s.end;
            s.renterRao += s.price;
        }
    }

    function buy(Sim memory s, uint256 secs) internal pure {
        s.end += secs;
        s.bought += secs;
    }

    function record(Sim memory s, uint256 from, uint256 until) internal pure {
        s.filedAt[++s.cases] = s.now_;
        for (uint256 i = from; i < until; ++i) {
            s.faultOf[i] = s.cases;
        }
    }

    function execute(Sim memory s, uint256 caseId) internal pure {
        s.executed[caseId] = true;
        for (uint256 i = 0; i < s.end; ++i) {
            if (s.faultOf[i] == caseId) s.renterRao += s.price;
        }
    }
}
