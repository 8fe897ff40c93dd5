// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Rao, Timestamp, bpsOfDown, maxTime, minRao, minTime } from "../types/Units.sol";

/// @title What a case withholds, and what it costs
/// @dev Pure.
library CaseLib {
    /// @dev What two intervals have in common. May be empty (from >= until); never larger than either.
    function intersect(Timestamp from, Timestamp until, Timestamp otherFrom, Timestamp otherUntil)
        internal
        pure
        returns (Timestamp, Timestamp)
    {
        return (maxTime(from, otherFrom), minTime(until, otherUntil));
    }

    /// @dev Offline: a share of the reserve, and never more than the rental earned, so that an outage costs an honest
    /// miner at most that rental.
    function offlinePenalty(Rao reserve, uint16 bps, Rao earned) internal pure returns (Rao) {
        return minRao(bpsOfDown(reserve, bps), earned);
    }
}
