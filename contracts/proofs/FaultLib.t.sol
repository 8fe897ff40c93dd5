// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../src/interfaces/IRentalEscrow.sol";
import { FaultLib } from "../src/libraries/FaultLib.sol";
import { Timestamp } from "../src/types/Units.sol";
import { Proof } from "./Proof.sol";

/// @dev One step of the induction for SPEC invariant 5: into any ascending, disjoint list of up to `MAX` faults, a
/// fault that lies in a gap is inserted. The bound is of the proof, not of the library: the loop shifts one place a
/// round, and rounds do not depend on each other.
contract FaultLibProofs is Proof {
    using FaultLib for mapping(uint8 index => IRentalEscrow.Fault);

    uint8 private constant MAX = 4;

    mapping(uint8 index => IRentalEscrow.Fault) private _faults;

    struct Given {
        uint32 low;
        uint32[MAX] from;
        uint32[MAX] until;
        uint64[MAX] caseIds;
        uint32 high;
    }

    /// @dev `count` faults between low and high, each after the one before it.
    function _given(Given memory g, uint8 count) private {
        uint32 before = g.low;
        for (uint8 i = 0; i < count; ++i) {
            vm.assume(before <= g.from[i]);
            vm.assume(g.from[i] < g.until[i]);
            before = g.until[i];
            _faults[i] = IRentalEscrow.Fault(Timestamp.wrap(g.from[i]), Timestamp.wrap(g.until[i]), g.caseIds[i]);
        }
        vm.assume(before <= g.high);
    }

    function _gap(Given memory g, uint8 count, uint8 gap) private view returns (uint32, uint32) {
        (Timestamp low, Timestamp high) = (Timestamp.wrap(g.low), Timestamp.wrap(g.high));
        (Timestamp from, Timestamp until) = _faults.gapBounds(count, gap, low, high);
        return (Timestamp.unwrap(from), Timestamp.unwrap(until));
    }

    function _assertFault(uint8 index, uint32 from, uint32 until, uint64 caseId) private view {
        assert(Timestamp.unwrap(_faults[index].from) == from);
        assert(Timestamp.unwrap(_faults[index].until) == until);
        assert(_faults[index].caseId == caseId);
    }

    /// @dev Everything proved of one gap of one length of list.
    function _prove(Given memory g, uint8 count, uint8 gap, uint32 from, uint32 until) private {
        _given(g, count);
        (uint32 low, uint32 high) = _gap(g, count, gap);
        assert(low <= high); // a gap is never negative
        assert(g.low <= low);
        assert(high <= g.high);
        vm.assume(low <= from);
        vm.assume(from < until);
        vm.assume(until <= high);
        _faults.insert(count, gap, IRentalEscrow.Fault(Timestamp.wrap(from), Timestamp.wrap(until), 77));
        uint32 before = g.low;
        for (uint8 i = 0; i <= count; ++i) {
            // Those before keep their place, those behind move up by one, and none is changed.
            if (i < gap) _assertFault(i, g.from[i], g.until[i], g.caseIds[i]);
            else if (i == gap) _assertFault(i, from, until, 77);
            else _assertFault(i, g.from[i - 1], g.until[i - 1], g.caseIds[i - 1]);
            // Still ascending and disjoint.
            assert(before <= Timestamp.unwrap(_faults[i].from));
            assert(Timestamp.unwrap(_faults[i].from) < Timestamp.unwrap(_faults[i].until));
            before = Timestamp.unwrap(_faults[i].until);
        }
        assert(before <= g.high);
        // The new fault splits its gap in two, with nothing between them but itself.
        (uint32 lowAfter, uint32 highAfter) = _gap(g, count + 1, gap);
        assert(lowAfter == low);
        assert(highAfter == from);
        (lowAfter, highAfter) = _gap(g, count + 1, gap + 1);
        assert(lowAfter == until);
        assert(highAfter == high);
    }

    function check_insert_IntoAnEmptyList(Given memory g, uint32 from, uint32 until) external {
        _prove(g, 0, 0, from, until);
    }

    function check_insert_InFrontOfOne(Given memory g, uint32 from, uint32 until) external {
        _prove(g, 1, 0, from, until);
    }

    function check_insert_BehindOne(Given memory g, uint32 from, uint32 until) external {
        _prove(g, 1, 1, from, until);
    }

    function check_insert_InFrontOfFour(Given memory g, uint32 from, uint32 until) external {
        _prove(g, 4, 0, from, until);
    }

    function check_insert_IntoTheMiddleOfFour(Given memory g, uint32 from, uint32 until) external {
        _prove(g, 4, 2, from, until);
    }

    function check_insert_BehindFour(Given memory g, uint32 from, uint32 until) external {
        _prove(g, 4, 4, from, until);
    }

    /// @dev The list of any length: any gap but the last of up to MAX faults.
    function check_gapBounds_OfAnyListAreBetweenTwoNeighbours(Given memory g, uint8 count, uint8 gap) external {
        vm.assume(count <= MAX);
        vm.assume(gap <= count);
        _given(g, count);
        (uint32 low, uint32 high) = _gap(g, count, gap);
        assert(low <= high);
        assert(g.low <= low);
        assert(high <= g.high);
    }
}
