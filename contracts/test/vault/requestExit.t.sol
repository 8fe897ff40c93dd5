// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract RequestExitTest is VaultBase {
    function test_RevertGiven_TheMachineIsUnknown() external {
        _expectNotRegistered(MACHINE);
        _requestExit(1);
    }

    function test_RevertGiven_TheNodeIsRetired() external {
        _retired();
        _expectNotRegistered(MACHINE);
        _requestExit(1);
    }

    function test_RevertWhen_TheCallerIsNotTheMiner() external {
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

    function test_RevertWhen_TheAmountIsARaoAboveWhatIsFreeAndExiting() external {
        _bonded();
        _reserve(RENTAL, 600);
        _setAside(RENTAL, 100);
        _requestExit(50);
        _expectNotEnoughFree(BOND - 600, BOND - 599);
        _requestExit(BOND - 599);
        _expectNotEnoughFree(BOND - 600, type(uint64).max);
        _requestExit(type(uint64).max);
    }

    function test_WhenTheAmountIsAllThatIsFreeAndExiting() external {
        _bonded();
        _reserve(RENTAL, 600);
        _setAside(RENTAL, 100);
        _requestExit(50);
        _requestExit(BOND - 600);
        _assertBond(500, 100, BOND - 600, 0);
    }

    function test_GivenNoExit() external {
        _bonded();
        uint32 readyAt = _now() + EXIT_DELAY;
        vm.expectEmit(address(vault));
        emit ICollateralVault.ExitRequested(MACHINE, Rao.wrap(400), Timestamp.wrap(readyAt));
        _requestExit(400);
        _assertBond(0, 0, 400, BOND - 400);
        assertEq(Timestamp.unwrap(vault.nodeAt(1).exitReadyAt), readyAt);
        assertEq(_rao(vault.creditOf(MINER)), 0);
    }

    function test_GivenAnExitThatHasMatured() external {
        _bonded();
        _requestExit(400);
        skip(EXIT_DELAY);
        _requestExit(BOND);
        _assertBond(0, 0, BOND, 0);
        assertEq(Timestamp.unwrap(vault.nodeAt(1).exitReadyAt), _now() + EXIT_DELAY);
        _expectExitNotReady(_now() + EXIT_DELAY);
        vm.prank(MINER);
        vault.withdraw(MACHINE);
        _requestExit(1);
        _assertBond(0, 0, 1, BOND - 1);
    }

    function test_GivenALapsedExit() external {
        _bonded();
        _requestExit(BOND);
        skip(EXIT_DELAY + EXIT_WINDOW + 1);
        _assertBond(0, 0, 0, BOND);
        _requestExit(BOND);
        _assertBond(0, 0, BOND, 0);
    }

    function test_GivenNoPlaceOnTheSubnet() external {
        _bonded();
        _leaveSubnet();
        _requestExit(BOND);
        _assertBond(0, 0, BOND, 0);
    }

    struct Try {
        uint8 who; // 0 mod 4: a stranger
        uint64 deposited;
        uint64 reserved;
        uint64 first;
        uint64 amount;
        uint32 wait;
    }

    function testFuzz_ExitsOrSaysWhyNot(Try memory t) external {
        t.deposited = uint64(bound(t.deposited, 1, 1e12));
        t.reserved = uint64(bound(t.reserved, 0, t.deposited));
        uint64 available = t.deposited - t.reserved;
        t.first = uint64(bound(t.first, 0, available));
        t.amount = uint64(bound(t.amount, 0, uint256(t.deposited) * 2));
        _register(MACHINE);
        _deposit(MACHINE, t.deposited);
        if (t.reserved != 0) _reserve(RENTAL, t.reserved);
        if (t.first != 0) _requestExit(t.first);
        skip(bound(t.wait, 0, 30 days));
        bool exits;
        if (t.who % 4 == 0) _expectOnlyMiner(STRANGER);
        else if (t.amount == 0) vm.expectRevert(ICollateralVault.CollateralVault_ZeroAmount.selector);
        else if (t.amount > available) _expectNotEnoughFree(available, t.amount);
        else exits = true;
        vm.prank(t.who % 4 == 0 ? STRANGER : MINER);
        vault.requestExit(MACHINE, Rao.wrap(t.amount));
        if (!exits) return;
        _assertBond(t.reserved, 0, t.amount, available - t.amount);
        assertEq(Timestamp.unwrap(vault.nodeAt(1).exitReadyAt), _now() + EXIT_DELAY);
    }
}
