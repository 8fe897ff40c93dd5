// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { GateBase } from "./GateBase.t.sol";

contract GateViewsTest is GateBase {
    function test_Gate_GivenTheGateWasNeverTouched() external view {
        _assertGate(0, false);
    }

    function test_Gate_GivenPausesRunningAndOver() external {
        uint32 start = _now();
        _pause(1 days);
        _assertGate(start + 1 days, false);
        skip(1 days + BETWEEN);
        _assertGate(start + 1 days, false);
        _pause(2 days);
        _assertGate(start + 3 days + BETWEEN, false);
    }

    /// @dev The gate shares its slot with the books: neither disturbs the other.
    function test_Gate_GivenTheDeploymentIsClosedForGood() external {
        _ready(MACHINE, 1e9);
        _pause(1 days);
        _sunset();
        _assertGate(_now() + 1 days, true);
        assertEq(_rao(vault.liabilities()), 1e9);
        assertEq(vault.registrationCount(), 1);
    }

    function test_Guardian_GivenADeployment() external view {
        assertEq(vault.guardian(), GUARDIAN);
    }

    function test_Bounds_GivenAnyGate() external view {
        assertEq(vault.MAX_PAUSE_SECS(), 7 days);
        assertEq(vault.BETWEEN_PAUSES_SECS(), 30 days);
    }
}
