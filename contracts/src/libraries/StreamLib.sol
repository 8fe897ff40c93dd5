// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../interfaces/IRentalEscrow.sol";
import { Timestamp, minTime, secsBetween } from "../types/Units.sol";

/// @title What a rental has earned, in seconds
/// @dev Pure. `claimed + faulted <= end - start` always holds (SPEC invariant 2): a claim counts seconds up to a time
/// that faults recorded later cannot reach back behind.
library StreamLib {
    /// @dev Seconds of service up to `t`: elapsed, less all faulted. Saturating, because a fault after `t` counts too:
    /// it delays pay, and never costs a second twice.
    function earnedSecs(IRentalEscrow.Rental memory r, Timestamp t) internal pure returns (uint32) {
        uint32 elapsed = secsBetween(r.start, minTime(t, r.end));
        return elapsed > r.faultedSecs ? elapsed - r.faultedSecs : 0;
    }

    /// @dev Seconds earned up to `t` and not yet paid.
    function unpaidSecs(IRentalEscrow.Rental memory r, Timestamp t) internal pure returns (uint32) {
        uint32 earned = earnedSecs(r, t);
        return earned > r.claimedSecs ? earned - r.claimedSecs : 0;
    }
}
