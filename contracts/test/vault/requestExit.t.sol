// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract RequestExitTest is VaultBase {
    function test_MovesFreeBondToExiting() external {
        _bonded();
        uint32 readyAt = _now() + EXIT_DELAY;
        vm.expectEmit(address(vault));
        emit ICollateralVault.ExitRequested(MACHINE, Rao.wrap(400), Timestamp.wrap(readyAt));
        _requestExit(400);
        _assertBond(0, 0, 400, BOND - 400);
        assertEq(Timestamp.unwrap(vault.nodeAt(1).exitReadyAt), readyAt);
        assertEq(_rao(vault.creditOf(MINER)), 0, "nothing is paid yet");
    }

    function test_ASecondRequestReplacesTheFirstAndRestartsTheDelay() external {
        _bonded();
        _requestExit(400);
        skip(EXIT_DELAY); // the first has matured
        _requestExit(BOND);
        _assertBond(0, 0, BOND, 0);
        assertEq(Timestamp.unwrap(vault.nodeAt(1).exitReadyAt), _now() + EXIT_DELAY);
        _expectExitNotReady(_now() + EXIT_DELAY);
        vm.prank(MINER);
        vault.withdraw(MACHINE);
        _requestExit(1);
        _assertBond(0, 0, 1, BOND - 1);
    }

    function test_CountsALapsedExitAsFree() external {
        _bonded();
        _requestExit(BOND);
        skip(EXIT_DELAY + EXIT_WINDOW + 1);
        _assertBond(0, 0, 0, BOND);
        _requestExit(BOND);
        _assertBond(0, 0, BOND, 0);
    }

    function test_WorksWithoutTheAssociation() external {
        _bonded();
        METAGRAPH.remove(NETUID, 0);
        STORAGE.setValue(_associationKey(), "");
        _requestExit(BOND);
        _assertBond(0, 0, BOND, 0);
    }

    function test_RevertWhen_TheMachineIsUnknown() external {
        _expectNotRegistered(MACHINE);
        _requestExit(1);
    }

    function test_AStrangerCannotForceAnExit() external {
        _bonded();
        _expectOnlyMiner(STRANGER);
        vm.prank(STRANGER);
        vault.requestExit(MACHINE, Rao.wrap(1));
    }

    function test_RevertWhen_TheAmountIsZero() external {
        _bonded();
        vm.expectRevert(ICollateralVault.CollateralVault_ZeroAmount.selector);
        _requestExit(0);
    }

    function test_RevertWhen_ReservedOrHeldBondWouldHaveToGo() external {
        _bonded();
        _reserve(RENTAL, 600);
        _setAside(RENTAL, 100);
        _expectNotEnoughFree(BOND - 600, BOND - 599);
        _requestExit(BOND - 599);
        _requestExit(BOND - 600);
        _assertBond(500, 100, BOND - 600, 0);
    }

    function testFuzz_ExitsOrSaysWhyNot(uint64 deposited, uint64 reserved, uint64 first, uint64 amount, uint32 wait)
        external
    {
        deposited = uint64(bound(deposited, 1, 1e12));
        reserved = uint64(bound(reserved, 0, deposited));
        uint64 available = deposited - reserved;
        first = uint64(bound(first, 0, available));
        amount = uint64(bound(amount, 0, uint256(deposited) * 2));
        _register(MACHINE);
        _deposit(MACHINE, deposited);
        if (reserved != 0) _reserve(RENTAL, reserved);
        if (first != 0) _requestExit(first);
        skip(bound(wait, 0, 30 days));
        bool exits;
        if (amount == 0) vm.expectRevert(ICollateralVault.CollateralVault_ZeroAmount.selector);
        else if (amount > available) _expectNotEnoughFree(available, amount);
        else exits = true;
        _requestExit(amount);
        if (!exits) return;
        _assertBond(reserved, 0, amount, available - amount);
        assertEq(Timestamp.unwrap(vault.nodeAt(1).exitReadyAt), _now() + EXIT_DELAY);
    }
}
