// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract SetAsideTest is VaultBase {
    function test_RevertWhen_TheCallerIsNotTheArbiter() external {
        _bonded();
        _reserve(RENTAL, 600);
        address[5] memory callers = [MINER, address(escrow), keeperAccounts[0], OWNER, STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyArbiter(callers[i]);
            vm.prank(callers[i]);
            vault.setAside(1, RENTAL, Rao.wrap(1));
        }
    }

    function test_RevertGiven_TheNodeDoesNotBackTheRental() external {
        _bonded();
        _reserve(RENTAL, 600);
        _expectNotOpen(2, RENTAL);
        vm.prank(address(arbiter));
        vault.setAside(2, RENTAL, Rao.wrap(1));
        _expectNotOpen(1, SECOND);
        _setAside(SECOND, 1);
    }

    function test_RevertGiven_TheRentalIsReleasedAlready() external {
        _bonded();
        _reserve(RENTAL, 600);
        _release(RENTAL);
        _expectNotOpen(1, RENTAL);
        _setAside(RENTAL, 100);
        _assertBond(0, 0, 0, BOND);
    }

    function test_WhenTheAmountIsAtMostWhatIsReserved() external {
        _bonded();
        _reserve(RENTAL, 600);
        vm.expectEmit(address(vault));
        emit ICollateralVault.SetAside(1, Rao.wrap(100));
        assertEq(_setAside(RENTAL, 100), 100);
        _assertBond(500, 100, 0, BOND - 600);
        _assertBacking(RENTAL, 500, RENTAL, 0);
        assertEq(_rao(vault.toBurn()), 0);
        assertEq(_setAside(RENTAL, 500), 500, "to the last rao");
    }

    function test_WhenTheAmountIsAboveWhatIsReserved() external {
        _bonded();
        _reserve(RENTAL, 600);
        _reserve(SECOND, 50);
        assertEq(_setAside(RENTAL, 10_000), 600);
        _assertBond(50, 600, 0, BOND - 650);
        assertEq(_setAside(RENTAL, 1), 0, "clamped, not refused");
        assertEq(_setAside(SECOND, type(uint64).max), 50);
        _assertBond(0, 650, 0, BOND - 650);
    }

    function test_WhenTheAmountIsZero() external {
        _bonded();
        _reserve(RENTAL, 600);
        assertEq(_setAside(RENTAL, 0), 0);
        _assertBond(600, 0, 0, BOND - 600);
    }

    function testFuzz_ClampsOrSaysWhyNot(
        bool asArbiter,
        bool right,
        bool released,
        uint64 reserved,
        uint64 first,
        uint64 amount
    ) external {
        reserved = uint64(bound(reserved, 0, BOND));
        first = uint64(bound(first, 0, reserved));
        released = released && amount % 4 == 0; // the later steps of the ladder shall be reached too
        _bonded();
        _reserve(RENTAL, reserved);
        if (first != 0) _setAside(RENTAL, first);
        if (released) _release(RENTAL);
        uint32 registration = right ? 1 : 2;
        bool moves;
        if (!asArbiter) _expectOnlyArbiter(STRANGER);
        else if (!right || released) _expectNotOpen(registration, RENTAL);
        else moves = true;
        vm.prank(asArbiter ? address(arbiter) : STRANGER);
        uint64 taken = _rao(vault.setAside(registration, RENTAL, Rao.wrap(amount)));
        if (!moves) return;
        uint64 left = reserved - first;
        assertEq(taken, amount < left ? amount : left);
        _assertBond(left - taken, first + taken, 0, BOND - reserved);
        assertEq(_rao(vault.reservedFor(1, RENTAL)), left - taken);
    }
}
