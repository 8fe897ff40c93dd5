// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IGate } from "../../src/interfaces/IGate.sol";
import { GateBase } from "./GateBase.t.sol";

contract SunsetTest is GateBase {
    function _assertClosed() private {
        vm.expectRevert(IGate.Gate_Sunset.selector);
        vault.requireOpen();
    }

    function test_RevertWhen_TheCallerIsNotTheOwner() external {
        address[4] memory callers = [GUARDIAN, JUDGE, MINER, STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyOwner(callers[i]);
            vm.prank(callers[i]);
            vault.sunset();
        }
        _assertGate(0, false);
    }

    function test_RevertGiven_TheDeploymentIsClosedAlready() external {
        _sunset();
        vm.expectRevert(IGate.Gate_Sunset.selector);
        _sunset();
    }

    function test_GivenItIsOpen() external {
        vm.expectEmit(address(vault));
        emit IGate.Sunset();
        _sunset();
        _assertGate(0, true);
        _assertClosed();
        skip(50 * 365 days);
        _assertClosed();
    }

    function test_GivenAPauseIsRunning() external {
        _pause(1 days);
        uint32 until = _now() + 1 days;
        _sunset();
        _assertGate(until, true);
        _assertClosed();
        _unpause();
        _assertClosed();
        skip(1 days);
        _assertClosed();
    }

    function testFuzz_ClosesOrSaysWhyNot(address caller, bool already) external {
        if (already) _sunset();
        bool closes = caller == OWNER && !already;
        if (caller != OWNER) _expectOnlyOwner(caller);
        else if (already) vm.expectRevert(IGate.Gate_Sunset.selector);
        vm.prank(caller);
        vault.sunset();
        _assertGate(0, closes || already);
    }
}
