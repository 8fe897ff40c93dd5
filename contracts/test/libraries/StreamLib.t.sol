// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { StreamLib } from "../../src/libraries/StreamLib.sol";
import { Timestamp } from "../../src/types/Units.sol";

contract StreamLibTest is Test {
    function _rental(uint32 start, uint32 end, uint32 faulted, uint32 claimed)
        private
        pure
        returns (IRentalEscrow.Rental memory r)
    {
        r.start = Timestamp.wrap(start);
        r.end = Timestamp.wrap(end);
        r.faultedSecs = faulted;
        r.claimedSecs = claimed;
    }

    function _earned(IRentalEscrow.Rental memory r, uint32 t) private pure returns (uint32) {
        return StreamLib.earnedSecs(r, Timestamp.wrap(t));
    }

    function _unpaid(IRentalEscrow.Rental memory r, uint32 t) private pure returns (uint32) {
        return StreamLib.unpaidSecs(r, Timestamp.wrap(t));
    }

    function test_NothingIsEarnedBeforeTheStart() external pure {
        assertEq(_earned(_rental(100, 200, 0, 0), 0), 0);
        assertEq(_earned(_rental(100, 200, 0, 0), 100), 0);
        assertEq(_earned(_rental(100, 200, 0, 0), 101), 1);
    }

    function test_NothingIsEarnedAfterTheEnd() external pure {
        assertEq(_earned(_rental(100, 200, 0, 0), 200), 100);
        assertEq(_earned(_rental(100, 200, 0, 0), type(uint32).max), 100);
    }

    function test_FaultedSecondsDoNotCount() external pure {
        assertEq(_earned(_rental(100, 200, 30, 0), 200), 70);
        assertEq(_earned(_rental(100, 200, 30, 0), 120), 0, "saturates: a fault after that time counts too");
        assertEq(_earned(_rental(100, 200, 30, 0), 131), 1);
    }

    function test_WhatWasPaidIsNotPaidAgain() external pure {
        assertEq(_unpaid(_rental(100, 200, 30, 60), 200), 10);
        assertEq(_unpaid(_rental(100, 200, 30, 70), 200), 0);
        assertEq(_unpaid(_rental(100, 200, 30, 70), 150), 0, "saturates");
    }

    /// @dev Against the definition: one second at a time.
    function testFuzz_CountsSeconds(uint8 start, uint8 length, uint8 faulted, uint8 claimed, uint16 t) external pure {
        IRentalEscrow.Rental memory r = _rental(start, uint32(start) + length, faulted, claimed);
        uint32 count;
        for (uint32 s = start; s < t && s < uint32(start) + length; ++s) {
            ++count;
        }
        uint32 earned = count < faulted ? 0 : count - faulted;
        assertEq(_earned(r, t), earned);
        assertEq(_unpaid(r, t), earned < claimed ? 0 : earned - claimed);
    }

    /// @dev Paid in any steps, a rental is paid at most what it earned by its end, and exactly that at last.
    function testFuzz_StepsSumUpToWhatIsEarned(uint32 length, uint32 faulted, uint32[8] memory times) external pure {
        length = uint32(bound(length, 1, 366 days));
        faulted = uint32(bound(faulted, 0, length));
        IRentalEscrow.Rental memory r = _rental(1_800_000_000, 1_800_000_000 + length, faulted, 0);
        for (uint256 i = 0; i < times.length; ++i) {
            r.claimedSecs += _unpaid(r, 1_800_000_000 + uint32(bound(times[i], 0, uint256(length) * 2)));
            assertLe(r.claimedSecs + faulted, length);
        }
        r.claimedSecs += _unpaid(r, 1_800_000_000 + length);
        assertEq(r.claimedSecs + faulted, length);
    }
}
