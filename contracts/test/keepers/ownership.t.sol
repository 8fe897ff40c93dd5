// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { createAppointed } from "../Build.sol";
import { AppointedKeepers } from "../../src/AppointedKeepers.sol";
import { Governed } from "../../src/base/Governed.sol";
import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { Ownable2Step } from "@openzeppelin/contracts/access/Ownable2Step.sol";
import { KeepersBase } from "./KeepersBase.t.sol";

contract OwnershipTest is KeepersBase {
    function test_WhenItIsNew() external view {
        assertEq(keepers.owner(), OWNER);
        assertEq(keepers.pendingOwner(), address(0));
        _assertTotals(0, 0, 0);
    }

    function test_RevertWhen_ThereIsNoOwner() external {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        createAppointed(address(0));
    }

    function test_WhenItChangesHands() external {
        vm.expectEmit(address(keepers));
        emit Ownable2Step.OwnershipTransferStarted(OWNER, STRANGER);
        vm.prank(OWNER);
        keepers.transferOwnership(STRANGER);
        assertEq(keepers.owner(), OWNER, "until the new owner has shown that it can act");
        _appoint(_keeper(0), 1);
        vm.prank(STRANGER);
        keepers.acceptOwnership();
        assertEq(keepers.owner(), STRANGER);
        _expectNotOwner(OWNER);
        _dismiss(_keeper(0));
    }

    function test_RevertWhen_AStrangerTakesIt() external {
        _expectNotOwner(STRANGER);
        vm.prank(STRANGER);
        keepers.transferOwnership(STRANGER);
        _expectNotOwner(STRANGER);
        vm.prank(STRANGER);
        keepers.acceptOwnership();
    }

    function test_RevertWhen_ItIsGivenUp() external {
        vm.expectRevert(Governed.Governed_OwnerNeeded.selector);
        vm.prank(OWNER);
        keepers.renounceOwnership();
        _expectNotOwner(STRANGER);
        vm.prank(STRANGER);
        keepers.renounceOwnership();
        assertEq(keepers.owner(), OWNER);
    }

    function test_RevertWhen_SomebodyReadsPastTheList() external {
        _appoint(_keeper(0), 1);
        vm.expectRevert();
        keepers.keeperAt(1);
    }

    function testFuzz_OnlyTheOwnerActs(address caller, address next) external {
        bool own = caller == OWNER;
        if (!own) _expectNotOwner(caller);
        vm.prank(caller);
        keepers.transferOwnership(next);
        assertEq(keepers.pendingOwner(), own ? next : address(0));
        assertEq(keepers.owner(), OWNER);
    }
}
