// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IGate } from "../../src/interfaces/IGate.sol";
import { GateBase } from "./GateBase.t.sol";

contract SetGuardianTest is GateBase {
    function _set(address guardian) private {
        vm.prank(OWNER);
        vault.setGuardian(guardian);
    }

    function test_RevertWhen_TheCallerIsNotTheOwner() external {
        address[4] memory callers = [GUARDIAN, JUDGE, MINER, STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyOwner(callers[i]);
            vm.prank(callers[i]);
            vault.setGuardian(callers[i]);
        }
        assertEq(vault.guardian(), GUARDIAN);
    }

    function test_WhenAGuardianIsNamed() external {
        vm.expectEmit(address(vault));
        emit IGate.GuardianSet(STRANGER);
        _set(STRANGER);
        assertEq(vault.guardian(), STRANGER);
        _expectOnlyGuardian(GUARDIAN);
        _pause(1);
        vm.prank(STRANGER);
        vault.pause(1);
    }

    function test_WhenZeroIsNamed() external {
        _set(address(0));
        assertEq(vault.guardian(), address(0));
        _expectOnlyGuardian(GUARDIAN);
        _pause(1);
        _expectOnlyGuardian(OWNER);
        vm.prank(OWNER);
        vault.pause(1);
    }

    function test_GivenAPauseIsRunning() external {
        _pause(1 days);
        uint32 until = _now() + 1 days;
        _set(STRANGER);
        _assertPaused(until);
        _expectOnlyGuardian(GUARDIAN);
        _unpause();
        vm.prank(STRANGER);
        vault.unpause();
        _assertOpen();
    }

    function testFuzz_NamesOrSaysWhyNot(address caller, address named) external {
        bool may = caller == OWNER;
        if (!may) _expectOnlyOwner(caller);
        vm.prank(caller);
        vault.setGuardian(named);
        assertEq(vault.guardian(), may ? named : GUARDIAN);
    }
}
