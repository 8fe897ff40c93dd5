// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IGate } from "../../src/interfaces/IGate.sol";
import { Timestamp } from "../../src/types/Units.sol";
import { GateBase } from "./GateBase.t.sol";

contract PauseTest is GateBase {
    function test_RevertWhen_TheCallerIsNotTheGuardian() external {
        address[5] memory callers = [OWNER, JUDGE, MINER, keeperAccounts[0], address(escrow)];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyGuardian(callers[i]);
            vm.prank(callers[i]);
            vault.pause(1);
        }
        _assertGate(0, false);
    }

    function test_RevertWhen_ItIsForNoTime() external {
        _expectBadPause(0);
        _pause(0);
    }

    function test_RevertWhen_ItIsForASecondOverSevenDays() external {
        _expectBadPause(MAX_PAUSE + 1);
        _pause(MAX_PAUSE + 1);
        _expectBadPause(type(uint32).max);
        _pause(type(uint32).max);
    }

    function test_RevertGiven_APauseIsRunning() external {
        _pause(MAX_PAUSE);
        uint32 until = _now() + MAX_PAUSE;
        _expectTooSoon(until + BETWEEN);
        _pause(1);
        vm.warp(until - 1);
        _expectTooSoon(until + BETWEEN);
        _pause(MAX_PAUSE);
        _assertGate(until, false);
    }

    function test_RevertGiven_ASecondLessThanThirtyDaysSinceTheLastPauseEnded() external {
        _pause(1);
        uint32 until = _now() + 1;
        vm.warp(until + BETWEEN - 1);
        _expectTooSoon(until + BETWEEN);
        _pause(1);
        _assertOpen();
    }

    function test_RevertGiven_ASecondLessThanThirtyDaysSinceTheLastPauseWasEndedEarly() external {
        _pause(MAX_PAUSE);
        skip(1 hours);
        _unpause();
        uint32 ended = _now();
        vm.warp(ended + BETWEEN - 1);
        _expectTooSoon(ended + BETWEEN);
        _pause(1);
        skip(1);
        _pause(1);
    }

    function test_GivenThereNeverWasAPause() external {
        uint32 until = _now() + 1 days;
        _assertOpen();
        vm.expectEmit(address(vault));
        emit IGate.Paused(Timestamp.wrap(until));
        _pause(1 days);
        _assertGate(until, false);
        _assertPaused(until);
        vm.warp(until - 1);
        _assertPaused(until);
        vm.warp(until);
        _assertOpen();
    }

    /// @dev A chain whose clock has just begun: nothing is taken for a pause that ended in its first second.
    function test_TheFirstPauseMayBeInTheFirstThirtyDaysOfAClock() external {
        vm.warp(1 days);
        _pause(1);
        _assertGate(1 days + 1, false);
    }

    function test_WhenItIsForASecondOrForSevenDays() external {
        uint256 before = vm.snapshotState();
        uint32 start = _now();
        _pause(1);
        _assertPaused(start + 1);
        skip(1);
        _assertOpen();
        vm.revertToState(before);
        _pause(MAX_PAUSE);
        vm.warp(start + MAX_PAUSE - 1);
        _assertPaused(start + MAX_PAUSE);
        skip(1);
        _assertOpen();
    }

    function test_GivenThirtyDaysSinceTheLastPause() external {
        for (uint256 i = 0; i < 3; ++i) {
            _pause(MAX_PAUSE);
            _assertGate(_now() + MAX_PAUSE, false);
            skip(MAX_PAUSE);
            _assertOpen();
            skip(BETWEEN);
        }
    }

    function test_GivenAnotherGuardianSinceTheLastPause() external {
        _pause(1 days);
        uint32 until = _now() + 1 days;
        vm.prank(OWNER);
        vault.setGuardian(STRANGER);
        vm.warp(until + BETWEEN - 1);
        _expectTooSoon(until + BETWEEN);
        vm.prank(STRANGER);
        vault.pause(1);
        skip(1);
        vm.prank(STRANGER);
        vault.pause(1);
    }

    function test_GivenTheDeploymentIsClosedForGood() external {
        _sunset();
        _pause(1);
        _assertGate(_now() + 1, true);
        skip(1);
        vm.expectRevert(IGate.Gate_Sunset.selector);
        vault.requireOpen();
    }

    struct Try {
        uint8 who; // 0 mod 4: a stranger
        uint32 first; // an earlier pause; 0: none
        uint32 early; // when that was ended early; from the pause's length on: it was not
        uint32 wait;
        uint32 secs;
        bool wild; // any seconds at all
    }

    function testFuzz_PausesOrSaysWhyNot(Try memory t) external {
        t.first = t.first % 5 == 0 ? 0 : uint32(bound(t.first, 1, MAX_PAUSE));
        t.early = uint32(bound(t.early, 0, 14 days));
        t.wait = uint32(bound(t.wait, 0, 60 days));
        if (!t.wild) t.secs %= MAX_PAUSE + 2;
        uint32 last;
        if (t.first != 0) {
            _pause(t.first);
            last = _now() + t.first;
            if (t.early < t.first) {
                skip(t.early);
                _unpause();
                last = _now();
            }
        }
        skip(t.wait);
        bool pauses;
        if (t.who % 4 == 0) _expectOnlyGuardian(STRANGER);
        else if (t.secs == 0 || t.secs > MAX_PAUSE) _expectBadPause(t.secs);
        else if (last != 0 && _now() < last + BETWEEN) _expectTooSoon(last + BETWEEN);
        else pauses = true;
        vm.prank(t.who % 4 == 0 ? STRANGER : GUARDIAN);
        vault.pause(t.secs);
        _assertGate(pauses ? _now() + t.secs : last, false);
    }

    /// @dev However a guardian plays it, new business is open at least 30 days of every 37.
    function testFuzz_AGuardianCanPauseSevenDaysInThirtySevenAndNoMore(uint32[24] memory waits) external {
        uint32 start = _now();
        uint256 shut;
        for (uint256 i = 0; i < waits.length; ++i) {
            vm.prank(GUARDIAN);
            try vault.pause(MAX_PAUSE) {
                uint32 length = waits[i] % 3 == 0 ? waits[i] % MAX_PAUSE : MAX_PAUSE;
                skip(length);
                if (length < MAX_PAUSE) _unpause();
                shut += length;
            } catch {
                skip(bound(waits[i], 1 hours, 12 days));
            }
        }
        uint256 windows = (_now() - start) / (MAX_PAUSE + BETWEEN) + 1;
        assertLe(shut, windows * MAX_PAUSE);
    }
}
