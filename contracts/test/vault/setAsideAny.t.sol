// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract SetAsideAnyTest is VaultBase {
    /// @dev 300 exiting, 200 free, 400 behind one rental, 100 behind another.
    function _spread() private {
        _register(MACHINE);
        _deposit(MACHINE, 1_000);
        _reserve(RENTAL, 400);
        _reserve(SECOND, 100);
        _requestExit(300);
    }

    function test_RevertWhen_TheCallerIsNotTheArbiter() external {
        _spread();
        address[5] memory callers = [MINER, address(escrow), keeperAccounts[0], OWNER, STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyArbiter(callers[i]);
            vm.prank(callers[i]);
            vault.setAsideAny(1, Rao.wrap(1));
        }
    }

    function test_GivenThereIsNoSuchNode() external {
        vm.startPrank(address(arbiter));
        assertEq(_rao(vault.setAsideAny(99, Rao.wrap(5))), 0);
        assertEq(_rao(vault.setAsideAny(0, Rao.wrap(5))), 0);
    }

    function test_WhenTheAmountIsAtMostWhatIsExiting() external {
        _spread();
        vm.expectEmit(address(vault));
        emit ICollateralVault.SetAside(1, Rao.wrap(299));
        assertEq(_setAsideAny(299), 299);
        _assertBond(500, 299, 1, 200);
    }

    function test_WhenTheAmountIsAboveWhatIsExiting() external {
        _spread();
        assertEq(_setAsideAny(499), 499);
        _assertBond(500, 499, 0, 1);
    }

    function test_WhenTheAmountIsAboveWhatIsExitingAndFree() external {
        _spread();
        assertEq(_setAsideAny(899), 899);
        _assertBond(101, 899, 0, 0);
        _assertBacking(RENTAL, 1, RENTAL, SECOND);
        _assertBacking(SECOND, 100, RENTAL, SECOND);
    }

    function test_WhenTheAmountIsAboveAllButTheSecondReserve() external {
        _spread();
        assertEq(_setAsideAny(999), 999);
        _assertBond(1, 999, 0, 0);
        _assertBacking(RENTAL, 0, RENTAL, SECOND);
        _assertBacking(SECOND, 1, RENTAL, SECOND);
    }

    function test_WhenTheAmountIsAboveEverything() external {
        _spread();
        assertEq(_setAsideAny(type(uint64).max), 1_000);
        _assertBond(0, 1_000, 0, 0);
        assertEq(_setAsideAny(1), 0, "clamped, not refused");
    }

    function test_GivenAReleasedRental() external {
        _spread();
        _release(RENTAL);
        assertEq(_setAsideAny(5_000), 1_000);
        _assertBond(0, 1_000, 0, 0);
        _assertBacking(SECOND, 0, 0, SECOND);
    }

    function test_GivenALapsedExit() external {
        _spread();
        skip(EXIT_DELAY + EXIT_WINDOW + 1);
        assertEq(_setAsideAny(400), 400);
        _assertBond(500, 400, 0, 100);
    }

    function test_GivenTheExitWasWithdrawnFirst() external {
        _spread();
        skip(EXIT_DELAY);
        vm.prank(MINER);
        vault.withdraw(MACHINE);
        assertEq(_setAsideAny(5_000), 700);
        _assertBond(0, 700, 0, 0);
        assertEq(_rao(vault.creditOf(MINER)), 300);
    }

    function test_GivenARetiredNode() external {
        _retired();
        assertEq(_setAsideAny(1), 0);
    }

    struct Try {
        bool asArbiter;
        bool right;
        bool released;
        uint64 first;
        uint64 second;
        uint64 exiting;
        uint64 amount;
        uint32 wait;
    }

    function testFuzz_ExitingThenFreeThenReserves(Try memory t) external {
        t.first = uint64(bound(t.first, 0, BOND));
        t.second = uint64(bound(t.second, 0, BOND - t.first));
        t.exiting = uint64(bound(t.exiting, 0, BOND - t.first - t.second));
        t.amount = uint64(bound(t.amount, 0, uint256(BOND) + BOND / 4));
        t.wait = uint32(bound(t.wait, 0, 7 days));
        _bonded();
        _reserve(RENTAL, t.first);
        _reserve(SECOND, t.second);
        if (t.exiting != 0) _requestExit(t.exiting);
        if (t.released) _release(RENTAL);
        if (t.released) t.first = 0;
        skip(t.wait);
        if (!t.asArbiter) _expectOnlyArbiter(STRANGER);
        vm.prank(t.asArbiter ? address(arbiter) : STRANGER);
        uint64 taken = _rao(vault.setAsideAny(t.right ? 1 : 2, Rao.wrap(t.amount)));
        if (!t.asArbiter) return;
        if (!t.right) assertEq(taken, 0);
        else _assertTaken(t, taken);
    }

    /// @dev An independent count: what is left of each part when `taken` rao leave one at a time, in order.
    function _assertTaken(Try memory t, uint64 taken) private view {
        assertEq(taken, t.amount < BOND ? t.amount : BOND);
        uint64 unbound = BOND - t.first - t.second;
        uint64 exiting = t.exiting > taken ? t.exiting - taken : 0;
        uint64 unboundLeft = unbound > taken ? unbound - taken : 0;
        uint64 left = BOND - taken; // of it, the second reserve is the last to go
        uint64 second = left < t.second ? left : t.second;
        uint64 both = left < t.first + t.second ? left : t.first + t.second;
        assertEq(_rao(vault.reservedFor(1, SECOND)), second);
        assertEq(_rao(vault.reservedFor(1, RENTAL)), both - second);
        if (t.wait > EXIT_DELAY + EXIT_WINDOW) _assertBond(both, taken, 0, unboundLeft);
        else _assertBond(both, taken, exiting, unboundLeft - exiting);
    }
}
