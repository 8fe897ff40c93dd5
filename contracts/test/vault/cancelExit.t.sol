// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract CancelExitTest is VaultBase {
    function _cancel() private {
        vm.prank(MINER);
        vault.cancelExit(MACHINE);
    }

    function test_ExitingBondIsFreeAgain() external {
        _bonded();
        _requestExit(400);
        vm.expectEmit(address(vault));
        emit ICollateralVault.ExitCancelled(MACHINE, Rao.wrap(400));
        _cancel();
        _assertBond(0, 0, 0, BOND);
        _reserve(RENTAL, BOND);
        _assertBond(BOND, 0, 0, 0);
    }

    function test_ACancelledExitCannotBeWithdrawn() external {
        _bonded();
        _requestExit(400);
        skip(EXIT_DELAY);
        _cancel();
        _expectNoExit();
        vm.prank(MINER);
        vault.withdraw(MACHINE);
    }

    function test_FreesOnlyWhatACaseHasLeft() external {
        _bonded();
        _requestExit(400);
        _setAsideAny(0, 150);
        _cancel();
        _assertBond(0, 150, 0, BOND - 150);
    }

    function test_RevertWhen_TheMachineIsUnknown() external {
        _expectNotRegistered(MACHINE);
        _cancel();
    }

    function test_AStrangerCannotCancel() external {
        _bonded();
        _requestExit(400);
        _expectOnlyMiner(STRANGER);
        vm.prank(STRANGER);
        vault.cancelExit(MACHINE);
    }

    function test_RevertWhen_NothingIsExiting() external {
        _bonded();
        _expectNoExit();
        _cancel();
        _requestExit(400);
        _cancel();
        _expectNoExit();
        _cancel();
    }

    function testFuzz_FreesWhatIsExitingOrSaysWhyNot(bool own, uint64 exiting, uint64 taken, uint32 wait) external {
        exiting = uint64(bound(exiting, 0, BOND));
        taken = uint64(bound(taken, 0, exiting));
        _bonded();
        if (exiting != 0) _requestExit(exiting);
        if (taken != 0) _setAsideAny(0, taken);
        skip(bound(wait, 0, 30 days));
        bool cancels;
        if (!own) _expectOnlyMiner(STRANGER);
        else if (exiting == taken) _expectNoExit();
        else cancels = true;
        vm.prank(own ? MINER : STRANGER);
        vault.cancelExit(MACHINE);
        if (cancels) _assertBond(0, taken, 0, BOND - taken);
    }
}
