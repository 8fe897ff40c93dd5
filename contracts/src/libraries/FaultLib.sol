// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../interfaces/IRentalEscrow.sol";
import { Timestamp } from "../types/Units.sol";

/// @title A rental's recorded faults: ascending, disjoint, at most 255
/// @dev Kept sorted, because an interval is filed into a named gap between two of them. The usual fault is the newest
/// and goes at the end; one filed late shifts those after it, at 5,000 gas each.
library FaultLib {
    /// @dev The gap's bounds: end of the fault before it (or `low`) and start of the fault after it (or `high`).
    function gapBounds(
        mapping(uint8 index => IRentalEscrow.Fault) storage faults,
        uint8 count,
        uint8 gap,
        Timestamp low,
        Timestamp high
    ) internal view returns (Timestamp from, Timestamp until) {
        from = gap == 0 ? low : faults[gap - 1].until;
        until = gap == count ? high : faults[gap].from;
    }

    /// @dev Inserts `fault` as number `gap`. The caller has checked that it lies in that gap.
    function insert(
        mapping(uint8 index => IRentalEscrow.Fault) storage faults,
        uint8 count,
        uint8 gap,
        IRentalEscrow.Fault memory fault
    ) internal {
        for (uint8 i = count; i > gap; --i) {
            faults[i] = faults[i - 1];
        }
        faults[gap] = fault;
    }
}
