// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IGate } from "../../src/interfaces/IGate.sol";
import { GateBase } from "./GateBase.t.sol";

contract RequireOpenTest is GateBase {
    function test_GivenTheGateWasNeverTouched() external view {
        vault.requireOpen();
    }

    function test_RevertGiven_TheFirstOrTheLastSecondOfAPause() external {
        _pause(1 days);
        uint32 until = _now() + 1 days;
        _expectPaused(until);
        vault.requireOpen();
        vm.warp(until - 1);
        _expectPaused(until);
        vault.requireOpen();
    }

    function test_GivenTheSecondAPauseEnds() external {
        _pause(1 days);
        skip(1 days);
        vault.requireOpen();
    }

    function test_GivenAPauseWasEndedEarly() external {
        _pause(1 days);
        _unpause();
        vault.requireOpen();
    }

    function test_RevertGiven_TheDeploymentIsClosedForGood() external {
        _sunset();
        vm.expectRevert(IGate.Gate_Sunset.selector);
        vault.requireOpen();
    }

    function test_GivenBoth() external {
        _pause(1 days);
        _sunset();
        vm.expectRevert(IGate.Gate_Sunset.selector);
        vault.requireOpen();
    }

    function testFuzz_PassesOrSaysWhyNot(uint32 secs, uint32 wait, bool closed) external {
        secs = uint32(bound(secs, 0, MAX_PAUSE));
        uint32 until = secs == 0 ? 0 : _now() + secs;
        if (secs != 0) _pause(secs);
        skip(bound(wait, 0, 10 days));
        if (closed) _sunset();
        if (closed) vm.expectRevert(IGate.Gate_Sunset.selector);
        else if (_now() < until) _expectPaused(until);
        vault.requireOpen();
    }
}
