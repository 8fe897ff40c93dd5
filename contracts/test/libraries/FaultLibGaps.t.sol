// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { FaultLib } from "../../src/libraries/FaultLib.sol";
import { Timestamp } from "../../src/types/Units.sol";

/// @dev Whoever files names the gap, so it may be one that is not there.
contract FaultLibGapsTest is Test {
    using FaultLib for mapping(uint8 index => IRentalEscrow.Fault);

    mapping(uint8 index => IRentalEscrow.Fault) private _faults;

    /// @dev Nothing fits into it: a fault there would leave a hole in the list.
    function testFuzz_AGapBeyondTheLastHoldsNothing(uint8 gap) external {
        gap = uint8(bound(gap, 2, 255));
        _faults[0] = IRentalEscrow.Fault(Timestamp.wrap(200), Timestamp.wrap(300), 1);
        (Timestamp from, Timestamp until) = _faults.gapBounds(1, gap, Timestamp.wrap(100), Timestamp.wrap(900));
        assertEq(Timestamp.unwrap(until), 0);
        assertTrue(until <= from);
    }
}
