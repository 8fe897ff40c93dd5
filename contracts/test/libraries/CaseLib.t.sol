// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";
import { CaseLib } from "../../src/libraries/CaseLib.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";

contract CaseLibTest is Test {
    function _intersect(uint32 a, uint32 b, uint32 c, uint32 d) private pure returns (uint32, uint32) {
        (Timestamp from, Timestamp until) =
            CaseLib.intersect(Timestamp.wrap(a), Timestamp.wrap(b), Timestamp.wrap(c), Timestamp.wrap(d));
        return (Timestamp.unwrap(from), Timestamp.unwrap(until));
    }

    function _penalty(uint64 reserve, uint16 bps, uint64 earned) private pure returns (uint64) {
        return Rao.unwrap(CaseLib.offlinePenalty(Rao.wrap(reserve), bps, Rao.wrap(earned)));
    }

    function test_intersect_IsTheLatestStartAndTheEarliestEnd() external pure {
        (uint32 from, uint32 until) = _intersect(10, 20, 15, 25);
        assertEq(from, 15);
        assertEq(until, 20);
    }

    /// @dev Second by second: in the intersection is what is in both.
    function testFuzz_intersect_HoldsWhatBothHold(uint8[4] memory t, uint8 second) external pure {
        (uint32 from, uint32 until) = _intersect(t[0], t[1], t[2], t[3]);
        bool both = t[0] <= second && second < t[1] && t[2] <= second && second < t[3];
        assertEq(from <= second && second < until, both);
    }

    function testFuzz_intersect_TheOrderDoesNotMatter(uint32[6] memory t) external pure {
        (uint32 a, uint32 b) = _intersect(t[0], t[1], t[2], t[3]);
        (a, b) = _intersect(a, b, t[4], t[5]);
        (uint32 c, uint32 d) = _intersect(t[4], t[5], t[2], t[3]);
        (c, d) = _intersect(c, d, t[0], t[1]);
        assertEq(a, c);
        assertEq(b, d);
    }

    function test_offlinePenalty_IsAShareOfTheReserve() external pure {
        assertEq(_penalty(1_000, 1_000, 5_000), 100);
        assertEq(_penalty(1_009, 1_000, 5_000), 100, "rounded down");
    }

    function test_offlinePenalty_IsNeverMoreThanTheRentalEarned() external pure {
        assertEq(_penalty(1_000, 1_000, 99), 99);
        assertEq(_penalty(1_000, 1_000, 0), 0);
    }

    function testFuzz_offlinePenalty_IsTheSmaller(uint64 reserve, uint16 bps, uint64 earned) external pure {
        bps = uint16(bound(bps, 0, 10_000));
        uint256 share = uint256(reserve) * bps / 10_000;
        uint64 penalty = _penalty(reserve, bps, earned);
        assertEq(penalty, share < earned ? share : earned);
        assertLe(penalty, reserve);
    }
}
