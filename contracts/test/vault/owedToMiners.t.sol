// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { VaultBase } from "./VaultBase.t.sol";

contract OwedToMinersTest is VaultBase {
    function _owed() private view returns (uint64) {
        return _rao(vault.owedToMiners());
    }

    function test_GivenNothingWasEverPaidIn() external view {
        assertEq(_owed(), 0);
    }

    function test_GivenBondsOfSeveralNodes() external {
        _bonded();
        bytes32 second = keccak256("second");
        _register(second);
        _deposit(second, 77);
        assertEq(_owed(), BOND + 77);
    }

    function test_WhenBondMovesBetweenItsParts() external {
        _bonded();
        _reserve(RENTAL, 600);
        _requestExit(300);
        _setAside(RENTAL, 100);
        _setAsideAny(350);
        _giveBack(400);
        assertEq(_owed(), BOND);
        _release(RENTAL);
        assertEq(_owed(), BOND);
    }

    function test_GivenAnExitBecameCredit() external {
        _bonded();
        _exitAll(600);
        assertEq(_owed(), BOND);
        vault.withdrawCredit(MINER);
        assertEq(_owed(), BOND - 600);
    }

    function test_GivenBondIsForfeited() external {
        _bonded();
        _reserve(RENTAL, 600);
        _forfeitReserved(RENTAL, 500);
        assertEq(_owed(), BOND - 500);
        _setAsideAny(200);
        _forfeit(200);
        assertEq(_owed(), BOND - 700);
        vault.flushBurn();
        assertEq(_owed(), BOND - 700);
    }

    function test_GivenValueArrivedThatNobodyIsOwed() external {
        _bonded();
        vm.deal(address(vault), address(vault).balance + 700 * WEI);
        assertEq(_owed(), BOND);
        vault.sweep();
        assertEq(_owed(), BOND);
        vault.flushBurn();
        assertEq(_owed(), BOND);
    }
}
