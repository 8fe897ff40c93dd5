// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { FaultLib } from "../../src/libraries/FaultLib.sol";
import { Timestamp } from "../../src/types/Units.sol";

contract FaultLibTest is Test {
    using FaultLib for mapping(uint8 index => IRentalEscrow.Fault);

    mapping(uint8 index => IRentalEscrow.Fault) private _faults;
    uint8 private _count;

    function _insert(uint8 gap, uint32 from, uint32 until) private {
        _faults.insert(_count, gap, IRentalEscrow.Fault(Timestamp.wrap(from), Timestamp.wrap(until), _count + 1));
        ++_count;
    }

    function _gap(uint8 gap) private view returns (uint32, uint32) {
        (Timestamp from, Timestamp until) = _faults.gapBounds(_count, gap, Timestamp.wrap(100), Timestamp.wrap(900));
        return (Timestamp.unwrap(from), Timestamp.unwrap(until));
    }

    function _assertGap(uint8 gap, uint32 from, uint32 until) private view {
        (uint32 gapFrom, uint32 gapUntil) = _gap(gap);
        assertEq(gapFrom, from);
        assertEq(gapUntil, until);
    }

    function _assertFault(uint8 index, uint32 from, uint32 until, uint64 caseId) private view {
        assertEq(Timestamp.unwrap(_faults[index].from), from);
        assertEq(Timestamp.unwrap(_faults[index].until), until);
        assertEq(_faults[index].caseId, caseId);
    }

    function test_WithoutFaultsThereIsOneGap() external view {
        _assertGap(0, 100, 900);
    }

    function test_AFaultAtTheEndLeavesTheOthersAlone() external {
        _insert(0, 200, 300);
        _insert(1, 400, 500);
        _assertFault(0, 200, 300, 1);
        _assertFault(1, 400, 500, 2);
        _assertGap(0, 100, 200);
        _assertGap(1, 300, 400);
        _assertGap(2, 500, 900);
    }

    function test_ALateFaultShiftsThoseAfterIt() external {
        _insert(0, 600, 700);
        _insert(0, 200, 300);
        _insert(1, 400, 500);
        _assertFault(0, 200, 300, 2);
        _assertFault(1, 400, 500, 3);
        _assertFault(2, 600, 700, 1);
    }

    function test_FaultsThatTouchLeaveAnEmptyGap() external {
        _insert(0, 200, 300);
        _insert(1, 300, 400);
        _assertGap(1, 300, 300);
    }

    /// @dev Invariant 5: filled into whatever gaps, faults stay ascending and disjoint, and none is lost.
    function testFuzz_StayAscendingAndDisjoint(uint8[24] memory gaps, uint16[24] memory froms, uint16[24] memory untils)
        external
    {
        uint256 total;
        for (uint256 i = 0; i < gaps.length; ++i) {
            uint8 gap = uint8(bound(gaps[i], 0, _count));
            (uint32 low, uint32 high) = _gap(gap);
            if (low >= high) continue;
            uint32 from = uint32(bound(froms[i], low, high - 1));
            uint32 until = uint32(bound(untils[i], from + 1, high));
            _insert(gap, from, until);
            total += until - from;
        }
        uint256 sum;
        for (uint8 i = 0; i < _count; ++i) {
            (uint32 from, uint32 until) = (Timestamp.unwrap(_faults[i].from), Timestamp.unwrap(_faults[i].until));
            assertLt(from, until);
            if (i != 0) assertLe(Timestamp.unwrap(_faults[i - 1].until), from);
            sum += until - from;
        }
        assertEq(sum, total);
        assertLe(sum, 800);
    }

    function test_TwoHundredAndFiftyFiveInReverseOrderFit() external {
        for (uint8 i = 0; i < 255; ++i) {
            _insert(0, 10_000 - 2 * uint32(i), 10_001 - 2 * uint32(i));
        }
        _assertFault(254, 10_000, 10_001, 1);
        _assertFault(0, 10_000 - 508, 10_001 - 508, 255);
    }
}
