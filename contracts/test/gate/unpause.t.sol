// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IGate } from "../../src/interfaces/IGate.sol";
import { GateBase } from "./GateBase.t.sol";

contract UnpauseTest is GateBase {
    function _expectNotPaused() private {
        vm.expectRevert(IGate.Gate_NotPaused.selector);
    }

    function test_RevertWhen_TheCallerIsNotTheGuardian() external {
        _pause(1 days);
        address[4] memory callers = [OWNER, JUDGE, MINER, STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyGuardian(callers[i]);
            vm.prank(callers[i]);
            vault.unpause();
        }
    }

    function test_RevertGiven_ThereNeverWasAPause() external {
        _expectNotPaused();
        _unpause();
        _assertGate(0, false);
    }

    function test_RevertGiven_TheSecondThePauseEndsByItself() external {
        _pause(1 days);
        uint32 until = _now() + 1 days;
        vm.warp(until);
        _expectNotPaused();
        _unpause();
        _assertGate(until, false);
    }

    function test_RevertGiven_APauseThatWasEndedAlready() external {
        _pause(1 days);
        _unpause();
        _expectNotPaused();
        _unpause();
    }

    function test_GivenTheLastSecondOfAPause() external {
        _pause(1 days);
        skip(1 days - 1);
        _unpause();
        _assertGate(_now(), false);
        _assertOpen();
    }

    function test_GivenAPauseIsRunning() external {
        _pause(MAX_PAUSE);
        skip(1 hours);
        vm.expectEmit(address(vault));
        emit IGate.Unpaused();
        _unpause();
        _assertGate(_now(), false);
        _assertOpen();
        _expectTooSoon(_now() + BETWEEN);
        _pause(1);
    }

    function testFuzz_OpensOrSaysWhyNot(uint8 who, uint32 secs, uint32 wait, bool never) external {
        secs = uint32(bound(secs, 1, MAX_PAUSE));
        uint32 until = never ? 0 : _now() + secs;
        if (!never) _pause(secs);
        skip(bound(wait, 0, 10 days));
        bool opens;
        if (who % 4 == 0) _expectOnlyGuardian(STRANGER);
        else if (_now() >= until) _expectNotPaused();
        else opens = true;
        vm.prank(who % 4 == 0 ? STRANGER : GUARDIAN);
        vault.unpause();
        _assertGate(opens ? _now() : until, false);
    }
}
