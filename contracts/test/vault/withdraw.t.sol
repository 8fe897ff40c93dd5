// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { Rao } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract WithdrawTest is VaultBase {
    function _withdraw() private {
        vm.prank(MINER);
        vault.withdraw(MACHINE);
    }

    function test_RevertGiven_TheMachineIsUnknown() external {
        _expectNotRegistered(MACHINE);
        _withdraw();
    }

    function test_RevertGiven_TheNodeIsRetired() external {
        _retired();
        _expectNotRegistered(MACHINE);
        _withdraw();
    }

    function test_RevertWhen_TheCallerIsNotTheMiner() external {
        _bonded();
        _requestExit(400);
        skip(EXIT_DELAY);
        _expectOnlyMiner(STRANGER);
        vm.prank(STRANGER);
        vault.withdraw(MACHINE);
    }

    function test_RevertGiven_NothingIsExiting() external {
        _bonded();
        _expectNoExit();
        _withdraw();
    }

    function test_RevertGiven_ACaseTookAllOfTheExit() external {
        _bonded();
        _requestExit(400);
        _setAsideAny(400);
        skip(EXIT_DELAY);
        _expectNoExit();
        _withdraw();
    }

    function test_RevertGiven_ASecondBeforeTheDelayIsOver() external {
        _bonded();
        _requestExit(400);
        uint32 readyAt = _now() + EXIT_DELAY;
        vm.warp(readyAt - 1);
        _expectExitNotReady(readyAt);
        _withdraw();
        _assertBond(0, 0, 400, BOND - 400);
    }

    function test_RevertGiven_ASecondAfterTheWindow() external {
        _bonded();
        _requestExit(400);
        uint32 readyAt = _now() + EXIT_DELAY;
        vm.warp(readyAt + EXIT_WINDOW + 1);
        _expectExitNotReady(readyAt);
        _withdraw();
        _assertBond(0, 0, 0, BOND);
    }

    function test_GivenTheFirstOrTheLastSecondOfTheWindow() external {
        _bonded();
        _requestExit(400);
        uint32 readyAt = _now() + EXIT_DELAY;
        uint256 before = vm.snapshotState();
        vm.warp(readyAt);
        _withdraw();
        assertEq(_rao(vault.creditOf(MINER)), 400);
        vm.revertToState(before);
        vm.warp(readyAt + EXIT_WINDOW);
        _withdraw();
        assertEq(_rao(vault.creditOf(MINER)), 400);
    }

    function test_GivenAMaturedExit() external {
        _bonded();
        _requestExit(400_000);
        skip(EXIT_DELAY);
        vm.expectEmit(address(vault));
        emit IRaoLedger.Credited(MINER, Rao.wrap(400_000), Rao.wrap(400_000));
        vm.expectEmit(address(vault));
        emit ICollateralVault.Withdrawn(MACHINE, MINER, Rao.wrap(400_000));
        _withdraw();
        _assertBond(0, 0, 0, BOND - 400_000);
        assertEq(_rao(vault.creditOf(MINER)), 400_000);
        _expectNoExit();
        _withdraw();
    }

    function test_GivenACaseTookPartOfTheExit() external {
        _bonded();
        _requestExit(400);
        _setAsideAny(150);
        skip(EXIT_DELAY);
        _withdraw();
        _assertBond(0, 150, 0, BOND - 400);
        assertEq(_rao(vault.creditOf(MINER)), 250);
    }

    function test_GivenARentalAndNoPlaceOnTheSubnet() external {
        _bonded();
        _reserve(RENTAL, 600);
        _requestExit(BOND - 600);
        _leaveSubnet();
        skip(EXIT_DELAY);
        _withdraw();
        _assertBond(600, 0, 0, 0);
        assertEq(_rao(vault.creditOf(MINER)), BOND - 600);
    }

    function testFuzz_PaysOrSaysWhyNot(bool own, uint64 exiting, uint64 taken, uint32 wait) external {
        exiting = uint64(bound(exiting, 0, BOND));
        taken = uint64(bound(taken, 0, exiting));
        _bonded();
        if (exiting != 0) _requestExit(exiting);
        uint32 readyAt = _now() + EXIT_DELAY;
        if (taken != 0) _setAsideAny(taken);
        skip(bound(wait, 0, 7 days));
        bool pays;
        if (!own) _expectOnlyMiner(STRANGER);
        else if (exiting == taken) _expectNoExit();
        else if (_now() < readyAt || _now() > readyAt + EXIT_WINDOW) _expectExitNotReady(readyAt);
        else pays = true;
        vm.prank(own ? MINER : STRANGER);
        vault.withdraw(MACHINE);
        if (!pays) return;
        assertEq(_rao(vault.creditOf(MINER)), exiting - taken);
        _assertBond(0, taken, 0, BOND - exiting);
    }
}
