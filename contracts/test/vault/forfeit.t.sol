// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract ForfeitTest is VaultBase {
    function test_RevertWhen_TheCallerIsNotTheArbiter() external {
        _bonded();
        _setAsideAny(70);
        address[5] memory callers = [MINER, address(escrow), keeperAccounts[0], OWNER, STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyArbiter(callers[i]);
            vm.prank(callers[i]);
            vault.forfeit(1, Rao.wrap(1));
        }
    }

    function test_RevertWhen_TheAmountIsARaoAboveWhatIsHeld() external {
        _bonded();
        _setAsideAny(70);
        _expectNotHeld(1, 70, 71);
        _forfeit(71);
        _forfeit(70);
        _expectNotHeld(1, 0, 1);
        _forfeit(1);
        _expectNotHeld(2, 0, 1);
        vm.prank(address(arbiter));
        vault.forfeit(2, Rao.wrap(1));
    }

    function test_WhenTheAmountIsAtMostWhatIsHeld() external {
        _bonded();
        _reserve(RENTAL, 600_000);
        _setAside(RENTAL, 100_000);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Forfeited(1, Rao.wrap(60_000));
        _forfeit(60_000);
        _assertBond(500_000, 40_000, 0, BOND - 600_000);
        assertEq(_rao(vault.toBurn()), 60_000);
        address[5] memory accounts = [MINER, RENTER, address(arbiter), keeperAccounts[0], address(escrow)];
        for (uint256 i = 0; i < accounts.length; ++i) {
            assertEq(_rao(vault.creditOf(accounts[i])), 0);
        }
        vault.flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), 60_000);
    }

    function test_WhenTheAmountIsZero() external {
        _bonded();
        _setAsideAny(70);
        _forfeit(0);
        _assertBond(0, 70, 0, BOND - 70);
        assertEq(_rao(vault.toBurn()), 0);
    }

    function test_GivenTheRentalIsClosed() external {
        _bonded();
        _reserve(RENTAL, 600);
        _setAside(RENTAL, 100);
        _release(RENTAL);
        _forfeit(100);
        _assertBond(0, 0, 0, BOND - 100);
    }

    function test_GivenBondWasTakenWithoutARental() external {
        _bonded();
        _setAsideAny(70);
        _forfeit(70);
        _assertBond(0, 0, 0, BOND - 70);
    }

    function testFuzz_BurnsOrSaysWhyNot(bool asArbiter, bool right, uint64 reserved, uint64 aside, uint64 amount)
        external
    {
        reserved = uint64(bound(reserved, 0, BOND));
        aside = uint64(bound(aside, 0, BOND));
        amount = uint64(bound(amount, 0, uint256(aside) + aside / 4 + 1));
        _bonded();
        _reserve(RENTAL, reserved);
        _setAsideAny(aside);
        bool burns;
        if (!asArbiter) _expectOnlyArbiter(STRANGER);
        else if (!right && amount != 0) _expectNotHeld(2, 0, amount);
        else if (right && amount > aside) _expectNotHeld(1, aside, amount);
        else burns = right;
        vm.prank(asArbiter ? address(arbiter) : STRANGER);
        vault.forfeit(right ? 1 : 2, Rao.wrap(amount));
        if (!burns) return;
        uint64 left = BOND - aside < reserved ? BOND - aside : reserved;
        _assertBond(left, aside - amount, 0, BOND - aside - left);
        assertEq(_rao(vault.toBurn()), amount);
    }
}
