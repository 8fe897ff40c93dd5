// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Ownable2Step } from "@openzeppelin/contracts/access/Ownable2Step.sol";
import { Governed } from "../../src/base/Governed.sol";
import { Rao } from "../../src/types/Units.sol";
import { GateBase } from "./GateBase.t.sol";

/// @dev Of both custody contracts that have an owner; the keepers' contract has its own suite.
contract OwnershipTest is GateBase {
    Governed[2] private _governed;

    function setUp() public override {
        super.setUp();
        _governed = [Governed(vault), escrow];
    }

    function _name(Governed g, address heir) private {
        vm.prank(OWNER);
        g.transferOwnership(heir);
    }

    /* RENOUNCE */

    function test_RenounceOwnership_RevertWhen_TheCallerIsNotTheOwner() external {
        for (uint256 i = 0; i < _governed.length; ++i) {
            _expectOnlyOwner(STRANGER);
            vm.prank(STRANGER);
            _governed[i].renounceOwnership();
        }
    }

    function test_RenounceOwnership_RevertWhen_TheOwnerCalls() external {
        for (uint256 i = 0; i < _governed.length; ++i) {
            vm.expectRevert(Governed.Governed_OwnerNeeded.selector);
            vm.prank(OWNER);
            _governed[i].renounceOwnership();
            assertEq(_governed[i].owner(), OWNER);
        }
    }

    /* TRANSFER */

    function test_TransferOwnership_RevertWhen_TheCallerIsNotTheOwner() external {
        for (uint256 i = 0; i < _governed.length; ++i) {
            _expectOnlyOwner(STRANGER);
            vm.prank(STRANGER);
            _governed[i].transferOwnership(STRANGER);
        }
    }

    function test_TransferOwnership_WhenSomebodyIsNamed() external {
        for (uint256 i = 0; i < _governed.length; ++i) {
            vm.expectEmit(address(_governed[i]));
            emit Ownable2Step.OwnershipTransferStarted(OWNER, STRANGER);
            _name(_governed[i], STRANGER);
            assertEq(_governed[i].owner(), OWNER);
            assertEq(_governed[i].pendingOwner(), STRANGER);
        }
        _expectOnlyOwner(STRANGER);
        vm.prank(STRANGER);
        vault.sunset();
    }

    function test_TransferOwnership_WhenZeroIsNamed() external {
        for (uint256 i = 0; i < _governed.length; ++i) {
            _name(_governed[i], STRANGER);
            _name(_governed[i], address(0));
            _expectOnlyOwner(STRANGER);
            vm.prank(STRANGER);
            _governed[i].acceptOwnership();
            assertEq(_governed[i].owner(), OWNER);
        }
    }

    /* ACCEPT */

    function test_AcceptOwnership_RevertWhen_TheCallerWasNotNamed() external {
        for (uint256 i = 0; i < _governed.length; ++i) {
            _name(_governed[i], STRANGER);
            _expectOnlyOwner(RENTER);
            vm.prank(RENTER);
            _governed[i].acceptOwnership();
            _expectOnlyOwner(OWNER);
            vm.prank(OWNER);
            _governed[i].acceptOwnership();
        }
    }

    function test_AcceptOwnership_RevertWhen_TheCallerWasNamedAndIsNotAnyMore() external {
        for (uint256 i = 0; i < _governed.length; ++i) {
            _name(_governed[i], STRANGER);
            _name(_governed[i], RENTER);
            _expectOnlyOwner(STRANGER);
            vm.prank(STRANGER);
            _governed[i].acceptOwnership();
        }
    }

    function test_AcceptOwnership_WhenTheCallerIsNamed() external {
        for (uint256 i = 0; i < _governed.length; ++i) {
            _name(_governed[i], STRANGER);
            vm.prank(STRANGER);
            _governed[i].acceptOwnership();
            assertEq(_governed[i].owner(), STRANGER);
            assertEq(_governed[i].pendingOwner(), address(0));
        }
        _expectOnlyOwner(OWNER);
        _sunset();
        _expectOnlyOwner(OWNER);
        vm.prank(OWNER);
        escrow.setClassBond(H100, Rao.wrap(1));
        vm.prank(STRANGER);
        vault.sunset();
        _assertGate(0, true);
    }
}
