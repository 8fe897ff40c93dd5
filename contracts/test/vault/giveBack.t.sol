// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract GiveBackTest is VaultBase {
    function test_GoesBackBehindTheOpenRental() external {
        _bonded();
        _reserve(RENTAL, 600);
        _setAside(RENTAL, 100);
        vm.expectEmit(address(vault));
        emit ICollateralVault.GivenBack(1, RENTAL, Rao.wrap(60));
        _giveBack(RENTAL, 60);
        _assertBond(560, 40, 0, BOND - 600);
        _assertReserve(RENTAL, 560, 40, 0, false);
        _giveBack(RENTAL, 40);
        _assertReserve(RENTAL, 600, 0, 0, false);
    }

    function test_IsFreeOnceTheRentalIsClosed() external {
        _bonded();
        _reserve(RENTAL, 600);
        _setAside(RENTAL, 100);
        _release(RENTAL);
        _giveBack(RENTAL, 100);
        _assertBond(0, 0, 0, BOND);
        _assertReserve(RENTAL, 0, 0, 0, true);
    }

    function test_IsFreeWithoutARental() external {
        _bonded();
        _requestExit(50);
        _setAsideAny(0, 70);
        _giveBack(0, 70);
        _assertBond(0, 0, 0, BOND);
        _assertReserve(0, 0, 0, 0, false);
    }

    function test_TheReserveIsMadeWholeBeforeAnythingIsFree() external {
        _register(MACHINE);
        _deposit(MACHINE, 1_000);
        _reserve(RENTAL, 900);
        _setAsideAny(RENTAL, 400); // 100 free, 300 reserved
        _giveBack(RENTAL, 350);
        _assertReserve(RENTAL, 900, 0, 0, false);
        _assertBond(900, 50, 0, 50);
    }

    function test_OnlyTheArbiterGivesBack() external {
        _bonded();
        _setAsideAny(0, 70);
        address[4] memory callers = [MINER, address(escrow), keeperAccounts[0], STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyArbiter(callers[i]);
            vm.prank(callers[i]);
            vault.giveBack(1, 0, Rao.wrap(1));
        }
    }

    function test_RevertWhen_MoreThanIsHeld() external {
        _bonded();
        _setAsideAny(0, 70);
        _expectNotHeld(1, 70, 71);
        _giveBack(0, 71);
    }

    function test_RevertWhen_TheRentalIsAnotherNodes() external {
        _bonded();
        _setAsideAny(0, 70);
        _expectReserveMismatch(RENTAL, 1);
        _giveBack(RENTAL, 70);
    }

    function testFuzz_GoesBackOrSaysWhyNot(
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
        bool gives;
        if (!asArbiter) _expectOnlyArbiter(STRANGER);
        else if (amount > aside) _expectNotHeld(1, aside, amount);
        else if (mismatched) _expectReserveMismatch(rental, 1);
        else gives = true;
        vm.prank(asArbiter ? address(arbiter) : STRANGER);
        vault.giveBack(1, rental, Rao.wrap(amount));
        if (!gives) return;
        uint64 back = amount < fromReserve ? amount : fromReserve;
        uint64 left = released ? 0 : reserved - fromReserve + back;
        _assertReserve(RENTAL, left, fromReserve - back, 0, released);
        _assertBond(left, aside - amount, 0, BOND - (aside - amount) - left);
    }
}
