// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract ForfeitTest is VaultBase {
    function test_HeldBondIsToBeBurned() external {
        _bonded();
        _reserve(RENTAL, 600_000);
        _setAside(RENTAL, 100_000);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Forfeited(1, RENTAL, Rao.wrap(60_000));
        _forfeit(RENTAL, 60_000);
        _assertBond(500_000, 40_000, 0, BOND - 600_000);
        _assertReserve(RENTAL, 500_000, 40_000, 60_000, false);
        assertEq(_rao(vault.toBurn()), 60_000);
        vault.flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), 60_000);
    }

    function test_NobodyGains() external {
        _bonded();
        _reserve(RENTAL, 600);
        _setAside(RENTAL, 600);
        _forfeit(RENTAL, 600);
        address[5] memory accounts = [MINER, RENTER, address(arbiter), keeperAccounts[0], address(escrow)];
        for (uint256 i = 0; i < accounts.length; ++i) {
            assertEq(_rao(vault.creditOf(accounts[i])), 0);
        }
    }

    function test_WorksAfterTheRentalIsClosed() external {
        _bonded();
        _reserve(RENTAL, 600);
        _setAside(RENTAL, 100);
        _release(RENTAL);
        _forfeit(RENTAL, 100);
        _assertBond(0, 0, 0, BOND - 100);
        _assertReserve(RENTAL, 0, 0, 100, true);
    }

    function test_WorksWithoutARental() external {
        _bonded();
        _setAsideAny(0, 70);
        _forfeit(0, 70);
        _assertBond(0, 0, 0, BOND - 70);
        _assertReserve(0, 0, 0, 0, false);
    }

    function test_OnlyWhatCameOutOfTheReserveCountsForTheRental() external {
        _register(MACHINE);
        _deposit(MACHINE, 1_000);
        _reserve(RENTAL, 900);
        _setAsideAny(RENTAL, 400); // 100 free, 300 reserved
        _forfeit(RENTAL, 400);
        _assertReserve(RENTAL, 600, 0, 300, false);
        _assertBond(600, 0, 0, 0);
    }

    function test_OnlyTheArbiterForfeits() external {
        _bonded();
        _setAsideAny(0, 70);
        address[4] memory callers = [MINER, address(escrow), keeperAccounts[0], STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyArbiter(callers[i]);
            vm.prank(callers[i]);
            vault.forfeit(1, 0, Rao.wrap(1));
        }
    }

    function test_RevertWhen_MoreThanIsHeld() external {
        _bonded();
        _setAsideAny(0, 70);
        _expectNotHeld(1, 70, 71);
        _forfeit(0, 71);
        _forfeit(0, 70);
        _expectNotHeld(1, 0, 1);
        _forfeit(0, 1);
    }

    function test_RevertWhen_TheRentalIsAnotherNodes() external {
        _bonded();
        _setAsideAny(0, 70);
        _expectReserveMismatch(RENTAL, 1);
        _forfeit(RENTAL, 70);
    }

    function testFuzz_BurnsOrSaysWhyNot(
        bool asArbiter,
        bool mismatched,
        bool released,
        uint64 reserved,
        uint64 aside,
        uint64 amount
    ) external {
        reserved = uint64(bound(reserved, 1, BOND));
        aside = uint64(bound(aside, 0, BOND));
        amount = uint64(bound(amount, 0, uint256(aside) + aside / 4 + 1));
        _bonded();
        _reserve(RENTAL, reserved);
        if (aside != 0) _setAsideAny(RENTAL, aside);
        if (released) _release(RENTAL);
        uint64 fromReserve = aside > BOND - reserved ? aside - (BOND - reserved) : 0;
        uint64 rental = mismatched ? RENTAL + 1 : RENTAL;
        bool burns;
        if (!asArbiter) _expectOnlyArbiter(STRANGER);
        else if (amount > aside) _expectNotHeld(1, aside, amount);
        else if (mismatched) _expectReserveMismatch(rental, 1);
        else burns = true;
        vm.prank(asArbiter ? address(arbiter) : STRANGER);
        vault.forfeit(1, rental, Rao.wrap(amount));
        if (!burns) return;
        uint64 counted = amount < fromReserve ? amount : fromReserve;
        uint64 left = released ? 0 : reserved - fromReserve;
        _assertReserve(RENTAL, left, fromReserve - counted, counted, released);
        _assertBond(left, aside - amount, 0, BOND - aside - left);
        assertEq(_rao(vault.toBurn()), amount);
    }
}
