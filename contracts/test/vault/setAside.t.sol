// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract SetAsideTest is VaultBase {
    function test_MovesReserveToHeld() external {
        _bonded();
        _reserve(RENTAL, 600);
        vm.expectEmit(address(vault));
        emit ICollateralVault.SetAside(1, RENTAL, Rao.wrap(100));
        assertEq(_setAside(RENTAL, 100), 100);
        _assertBond(500, 100, 0, BOND - 600);
        _assertReserve(RENTAL, 500, 100, 0, false);
        assertEq(_rao(vault.toBurn()), 0, "nothing is burned before it is decided");
    }

    function test_TakesWhatIsThereAndNothingElse() external {
        _bonded();
        _reserve(RENTAL, 600);
        _reserve(RENTAL + 1, 50);
        assertEq(_setAside(RENTAL, 10_000), 600);
        _assertBond(50, 600, 0, BOND - 650);
        assertEq(_setAside(RENTAL, 1), 0, "clamped, not refused");
    }

    function test_NeverRevertsBecauseTheRentalWasClosedFirst() external {
        _bonded();
        _reserve(RENTAL, 600);
        _release(RENTAL);
        assertEq(_setAside(RENTAL, 100), 0);
        _assertBond(0, 0, 0, BOND);
    }

    function test_OnlyTheArbiterSetsAside() external {
        _bonded();
        _reserve(RENTAL, 600);
        address[4] memory callers = [MINER, address(escrow), keeperAccounts[0], STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyArbiter(callers[i]);
            vm.prank(callers[i]);
            vault.setAside(1, RENTAL, Rao.wrap(1));
        }
    }

    function test_RevertWhen_TheRentalIsAnotherNodes() external {
        _bonded();
        _reserve(RENTAL, 600);
        _expectReserveMismatch(RENTAL, 2);
        vm.prank(address(arbiter));
        vault.setAside(2, RENTAL, Rao.wrap(1));
        _expectReserveMismatch(RENTAL + 1, 1);
        _setAside(RENTAL + 1, 1);
    }

    function testFuzz_ClampsOrSaysWhyNot(
        bool asArbiter,
        bool right,
        bool released,
        uint64 reserved,
        uint64 first,
        uint64 amount
    ) external {
        reserved = uint64(bound(reserved, 1, BOND));
        first = uint64(bound(first, 0, reserved));
        _bonded();
        _reserve(RENTAL, reserved);
        if (first != 0) _setAside(RENTAL, first);
        if (released) _release(RENTAL);
        uint32 registration = right ? 1 : 2;
        bool moves;
        if (!asArbiter) _expectOnlyArbiter(STRANGER);
        else if (!right) _expectReserveMismatch(RENTAL, 2);
        else moves = true;
        vm.prank(asArbiter ? address(arbiter) : STRANGER);
        uint64 taken = _rao(vault.setAside(registration, RENTAL, Rao.wrap(amount)));
        if (!moves) return;
        uint64 left = released ? 0 : reserved - first;
        assertEq(taken, amount < left ? amount : left);
        _assertBond(left - taken, first + taken, 0, released ? BOND - first : BOND - reserved);
        _assertReserve(RENTAL, left - taken, first + taken, 0, released);
    }
}
