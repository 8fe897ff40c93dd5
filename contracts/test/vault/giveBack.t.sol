// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract GiveBackTest is VaultBase {
    function test_RevertWhen_TheCallerIsNotTheArbiter() external {
        _bonded();
        _setAsideAny(70);
        address[5] memory callers = [MINER, address(escrow), keeperAccounts[0], OWNER, STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyArbiter(callers[i]);
            vm.prank(callers[i]);
            vault.giveBack(1, Rao.wrap(1));
        }
    }

    function test_RevertWhen_TheAmountIsARaoAboveWhatIsHeld() external {
        _bonded();
        _setAsideAny(70);
        _expectNotHeld(1, 70, 71);
        _giveBack(71);
        _expectNotHeld(2, 0, 1);
        vm.prank(address(arbiter));
        vault.giveBack(2, Rao.wrap(1));
    }

    function test_WhenTheAmountIsAtMostWhatIsHeld() external {
        _bonded();
        _requestExit(50);
        _setAsideAny(70);
        vm.expectEmit(address(vault));
        emit ICollateralVault.GivenBack(1, Rao.wrap(60));
        _giveBack(60);
        _assertBond(0, 10, 0, BOND - 10);
        _giveBack(10);
        _assertBond(0, 0, 0, BOND);
    }

    function test_WhenTheAmountIsZero() external {
        _bonded();
        _setAsideAny(70);
        _giveBack(0);
        _assertBond(0, 70, 0, BOND - 70);
    }

    function test_GivenTheRentalIsStillOpen() external {
        _bonded();
        _reserve(RENTAL, 600);
        _setAside(RENTAL, 100);
        _giveBack(100);
        _assertBond(500, 0, 0, BOND - 500);
        _assertBacking(RENTAL, 500, RENTAL, 0);
    }

    function test_GivenTheRentalIsClosed() external {
        _bonded();
        _reserve(RENTAL, 600);
        _setAside(RENTAL, 100);
        _release(RENTAL);
        _giveBack(100);
        _assertBond(0, 0, 0, BOND);
        _exitAll(BOND);
        _assertBond(0, 0, 0, 0);
        assertEq(_rao(vault.creditOf(MINER)), BOND);
    }

    function testFuzz_IsFreeOrSaysWhyNot(bool asArbiter, bool right, uint64 reserved, uint64 aside, uint64 amount)
        external
    {
        reserved = uint64(bound(reserved, 0, BOND));
        aside = uint64(bound(aside, 0, BOND));
        amount = uint64(bound(amount, 0, uint256(aside) + aside / 4 + 1));
        _bonded();
        _reserve(RENTAL, reserved);
        _setAsideAny(aside);
        bool gives;
        if (!asArbiter) _expectOnlyArbiter(STRANGER);
        else if (!right && amount != 0) _expectNotHeld(2, 0, amount);
        else if (right && amount > aside) _expectNotHeld(1, aside, amount);
        else gives = right;
        vm.prank(asArbiter ? address(arbiter) : STRANGER);
        vault.giveBack(right ? 1 : 2, Rao.wrap(amount));
        if (!gives) return;
        uint64 left = BOND - aside < reserved ? BOND - aside : reserved;
        _assertBond(left, aside - amount, 0, BOND - aside - left + amount);
        assertEq(_rao(vault.toBurn()), 0);
    }
}
