// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { IGate } from "../../src/interfaces/IGate.sol";
import { Timestamp } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";

/// @dev What the gate's suites share. There is one gate, the vault's; the others ask it.
abstract contract GateBase is Base {
    uint32 internal constant MAX_PAUSE = 7 days;
    uint32 internal constant BETWEEN = 30 days;

    function _pause(uint32 secs) internal {
        vm.prank(GUARDIAN);
        vault.pause(secs);
    }

    function _unpause() internal {
        vm.prank(GUARDIAN);
        vault.unpause();
    }

    function _sunset() internal {
        vm.prank(OWNER);
        vault.sunset();
    }

    function _assertGate(uint32 pausedUntil, bool isSunset) internal view {
        (Timestamp until, bool closed) = vault.gate();
        assertEq(Timestamp.unwrap(until), pausedUntil, "pausedUntil");
        assertEq(closed, isSunset, "isSunset");
    }

    /// @dev New business is taken.
    function _assertOpen() internal view {
        vault.requireOpen();
    }

    function _assertPaused(uint32 until) internal {
        _expectPaused(until);
        vault.requireOpen();
    }

    /* EXPECTING */

    function _expectPaused(uint32 until) internal {
        vm.expectRevert(abi.encodeWithSelector(IGate.Gate_Paused.selector, until));
    }

    function _expectOnlyGuardian(address caller) internal {
        vm.expectRevert(abi.encodeWithSelector(IGate.Gate_OnlyGuardian.selector, caller));
    }

    function _expectOnlyOwner(address caller) internal {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller));
    }

    function _expectBadPause(uint32 secs) internal {
        vm.expectRevert(abi.encodeWithSelector(IGate.Gate_BadPause.selector, secs, MAX_PAUSE));
    }

    function _expectTooSoon(uint32 notBefore) internal {
        vm.expectRevert(abi.encodeWithSelector(IGate.Gate_TooSoon.selector, notBefore));
    }
}
