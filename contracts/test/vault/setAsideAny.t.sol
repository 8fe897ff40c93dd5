// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract SetAsideAnyTest is VaultBase {
    /// @dev 300 exiting, 200 free, 500 reserved.
    function _spread() private {
        _register(MACHINE);
        _deposit(MACHINE, 1_000);
        _reserve(RENTAL, 500);
        _requestExit(300);
    }

    function test_TakesExitingBondFirst() external {
        _spread();
        vm.expectEmit(address(vault));
        emit ICollateralVault.SetAside(1, RENTAL, Rao.wrap(299));
        assertEq(_setAsideAny(RENTAL, 299), 299);
        _assertBond(500, 299, 1, 200);
        _assertReserve(RENTAL, 500, 0, 0, false);
    }

    function test_ThenFreeBond() external {
        _spread();
        assertEq(_setAsideAny(RENTAL, 499), 499);
        _assertBond(500, 499, 0, 1);
        _assertReserve(RENTAL, 500, 0, 0, false);
    }

    function test_ThenTheReserve() external {
        _spread();
        assertEq(_setAsideAny(RENTAL, 999), 999);
        _assertBond(1, 999, 0, 0);
        _assertReserve(RENTAL, 1, 499, 0, false);
        assertEq(_setAsideAny(RENTAL, 100), 1, "clamped, not refused");
    }

    function test_WithoutARentalNoReserveIsTouched() external {
        _spread();
        assertEq(_setAsideAny(0, 10_000), 500);
        _assertBond(500, 500, 0, 0);
        _assertReserve(RENTAL, 500, 0, 0, false);
        _assertReserve(0, 0, 0, 0, false);
    }

    function test_ALapsedExitIsTakenToo() external {
        _spread();
        skip(EXIT_DELAY + EXIT_WINDOW + 1);
        assertEq(_setAsideAny(0, 400), 400);
        _assertBond(500, 400, 0, 100);
    }

    function test_NeverRevertsBecauseTheExitWasWithdrawnFirst() external {
        _spread();
        skip(EXIT_DELAY);
        vm.prank(MINER);
        vault.withdraw(MACHINE);
        assertEq(_setAsideAny(0, 400), 200);
        assertEq(_rao(vault.creditOf(MINER)), 300, "credit is the miner's: no case reaches it");
    }

    function test_AnUnknownNodeHasNothing() external {
        vm.prank(address(arbiter));
        assertEq(_rao(vault.setAsideAny(99, 0, Rao.wrap(5))), 0);
    }

    function test_OnlyTheArbiterSetsAside() external {
        _spread();
        address[4] memory callers = [MINER, address(escrow), keeperAccounts[0], STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyArbiter(callers[i]);
            vm.prank(callers[i]);
            vault.setAsideAny(1, RENTAL, Rao.wrap(1));
        }
    }

    function test_RevertWhen_TheRentalIsAnotherNodes() external {
        _spread();
        _expectReserveMismatch(RENTAL, 2);
        vm.prank(address(arbiter));
        vault.setAsideAny(2, RENTAL, Rao.wrap(1));
    }

    struct Try {
        bool asArbiter;
        bool right;
        bool withRental;
        uint64 reserved;
        uint64 exiting;
        uint64 amount;
        uint32 wait;
    }

    function testFuzz_ExitingThenFreeThenReserve(Try memory t) external {
        t.reserved = uint64(bound(t.reserved, 1, BOND));
        t.exiting = uint64(bound(t.exiting, 0, BOND - t.reserved));
        t.amount = uint64(bound(t.amount, 0, uint256(BOND) + BOND / 4));
        _bonded();
        _reserve(RENTAL, t.reserved);
        if (t.exiting != 0) _requestExit(t.exiting);
        t.wait = uint32(bound(t.wait, 0, 7 days));
        skip(t.wait);
        bool moves;
        if (!t.asArbiter) _expectOnlyArbiter(STRANGER);
        else if (!t.right && t.withRental) _expectReserveMismatch(RENTAL, 2);
        else moves = true;
        vm.prank(t.asArbiter ? address(arbiter) : STRANGER);
        uint64 taken = _rao(vault.setAsideAny(t.right ? 1 : 2, t.withRental ? RENTAL : 0, Rao.wrap(t.amount)));
        if (!moves) return;
        if (!t.right) assertEq(taken, 0);
        else _assertTaken(t, taken);
    }

    /// @dev An independent count: what is left when `amount` rao leave one at a time, exiting first.
    function _assertTaken(Try memory t, uint64 taken) private view {
        uint64 unbound = BOND - t.reserved;
        uint64 reach = t.withRental ? BOND : unbound;
        assertEq(taken, t.amount < reach ? t.amount : reach);
        uint64 exiting = t.exiting > taken ? t.exiting - taken : 0;
        uint64 unboundLeft = unbound > taken ? unbound - taken : 0;
        uint64 fromReserve = taken > unbound ? taken - unbound : 0;
        _assertReserve(RENTAL, t.reserved - fromReserve, fromReserve, 0, false);
        if (t.wait > EXIT_DELAY + EXIT_WINDOW) _assertBond(t.reserved - fromReserve, taken, 0, unboundLeft);
        else _assertBond(t.reserved - fromReserve, taken, exiting, unboundLeft - exiting);
    }
}
