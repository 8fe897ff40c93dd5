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

    function test_RevertGiven_TheMachineIsUnknown() external {
        _expectNotRegistered(MACHINE);
        _cancel();
    }

    function test_RevertGiven_TheNodeIsRetired() external {
        _retired();
        _expectNotRegistered(MACHINE);
        _cancel();
    }

    function test_RevertWhen_TheCallerIsNotTheMiner() external {
        _bonded();
        _requestExit(400);
        _expectOnlyMiner(STRANGER);
        vm.prank(STRANGER);
        vault.cancelExit(MACHINE);
    }

    function test_RevertGiven_NothingIsExiting() external {
        _bonded();
        _expectNoExit();
        _cancel();
        _requestExit(400);
        _cancel();
        _expectNoExit();
        _cancel();
    }

    function test_GivenAnExit() external {
        _bonded();
        _requestExit(400);
        skip(EXIT_DELAY);
        vm.expectEmit(address(vault));
        emit ICollateralVault.ExitCancelled(MACHINE, Rao.wrap(400));
        _cancel();
        _assertBond(0, 0, 0, BOND);
        _expectNoExit();
        vm.prank(MINER);
        vault.withdraw(MACHINE);
        _reserve(RENTAL, BOND);
        _assertBond(BOND, 0, 0, 0);
    }

    function test_GivenACaseTookPartOfTheExit() external {
        _bonded();
        _requestExit(400);
        _setAsideAny(150);
        _cancel();
        _assertBond(0, 150, 0, BOND - 150);
    }

    function test_GivenALapsedExit() external {
        _bonded();
        _requestExit(400);
        skip(EXIT_DELAY + EXIT_WINDOW + 1);
        _assertBond(0, 0, 0, BOND);
        _cancel();
        _assertBond(0, 0, 0, BOND);
        _expectNoExit();
        _cancel();
    }

    function testFuzz_FreesWhatIsExitingOrSaysWhyNot(uint8 who, uint64 exiting, uint64 taken, uint32 wait) external {
        exiting = uint64(bound(exiting, 0, BOND));
        taken = uint64(bound(taken, 0, exiting));
        address caller = who % 4 == 0 ? STRANGER : MINER;
        if (who % 8 == 1) return _refuseUnknown(caller);
        _bonded();
        if (exiting != 0) _requestExit(exiting);
        if (taken != 0) _setAsideAny(taken);
        skip(bound(wait, 0, 30 days));
        bool cancels;
        if (caller != MINER) _expectOnlyMiner(caller);
        else if (exiting == taken) _expectNoExit();
        else cancels = true;
        vm.prank(caller);
        vault.cancelExit(MACHINE);
        if (cancels) _assertBond(0, taken, 0, BOND - taken);
    }

    function _refuseUnknown(address caller) private {
        _expectNotRegistered(MACHINE);
        vm.prank(caller);
        vault.cancelExit(MACHINE);
    }
}
