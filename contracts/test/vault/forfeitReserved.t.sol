// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract ForfeitReservedTest is VaultBase {
    function test_RevertWhen_TheCallerIsNotTheEscrow() external {
        _bonded();
        _reserve(RENTAL, 600);
        address[5] memory callers = [MINER, address(arbiter), OWNER, GUARDIAN, STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyEscrow(callers[i]);
            vm.prank(callers[i]);
            vault.forfeitReserved(1, RENTAL, Rao.wrap(1));
        }
    }

    function test_RevertGiven_TheNodeDoesNotBackTheRental() external {
        _bonded();
        _expectNotOpen(1, RENTAL);
        _forfeitReserved(RENTAL, 1);
        _reserve(RENTAL, 600);
        _expectNotOpen(1, SECOND);
        _forfeitReserved(SECOND, 1);
        _expectNotOpen(2, RENTAL);
        vm.prank(address(escrow));
        vault.forfeitReserved(2, RENTAL, Rao.wrap(1));
    }

    function test_RevertGiven_TheRentalIsReleasedAlready() external {
        _bonded();
        _reserve(RENTAL, 600);
        _release(RENTAL);
        _expectNotOpen(1, RENTAL);
        _forfeitReserved(RENTAL, 1);
    }

    function test_WhenTheAmountIsAtMostWhatIsReserved() external {
        _bonded();
        _reserve(RENTAL, 600_000);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Forfeited(1, Rao.wrap(1_000));
        assertEq(_forfeitReserved(RENTAL, 1_000), 1_000);
        _assertBond(599_000, 0, 0, BOND - 600_000);
        _assertBacking(RENTAL, 599_000, RENTAL, 0);
        assertEq(_rao(vault.toBurn()), 1_000);
        address[4] memory accounts = [MINER, RENTER, OWNER, address(escrow)];
        for (uint256 i = 0; i < accounts.length; ++i) {
            assertEq(_rao(vault.creditOf(accounts[i])), 0);
        }
        vault.flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), 1_000);
    }

    function test_WhenTheAmountIsAboveWhatIsReserved() external {
        _bonded();
        _reserve(RENTAL, 600);
        _setAside(RENTAL, 100);
        assertEq(_forfeitReserved(RENTAL, type(uint64).max), 500);
        _assertBond(0, 100, 0, BOND - 600);
        _assertBacking(RENTAL, 0, RENTAL, 0);
        assertEq(_forfeitReserved(RENTAL, 1), 0, "clamped, not refused");
    }

    function test_WhenTheAmountIsZero() external {
        _bonded();
        _reserve(RENTAL, 600);
        assertEq(_forfeitReserved(RENTAL, 0), 0);
        _assertBond(600, 0, 0, BOND - 600);
        assertEq(_rao(vault.toBurn()), 0);
    }

    function test_GivenAnotherOpenRental() external {
        _bonded();
        _reserve(RENTAL, 600);
        _reserve(SECOND, 50);
        assertEq(_forfeitReserved(SECOND, 60), 50);
        _assertBacking(RENTAL, 600, RENTAL, SECOND);
        assertEq(_forfeitReserved(RENTAL, 60), 60);
        _assertBacking(SECOND, 0, RENTAL, SECOND);
        _assertBond(540, 0, 0, BOND - 650);
    }

    function test_GivenNoPlaceOnTheSubnet() external {
        _bonded();
        _reserve(RENTAL, 600);
        _leaveSubnet();
        assertEq(_forfeitReserved(RENTAL, 60), 60);
    }

    struct Try {
        bool asEscrow;
        bool right;
        bool released;
        bool second;
        uint64 reserved;
        uint64 aside;
        uint64 amount;
    }

    function testFuzz_BurnsClampedOrSaysWhyNot(Try memory t) external {
        t.reserved = uint64(bound(t.reserved, 0, BOND));
        t.aside = uint64(bound(t.aside, 0, t.reserved));
        t.released = t.released && t.amount % 4 == 0; // the later steps of the ladder shall be reached too
        _bonded();
        if (t.second) _reserve(SECOND, 0);
        _reserve(RENTAL, t.reserved);
        if (t.aside != 0) _setAside(RENTAL, t.aside);
        if (t.released) _release(RENTAL);
        uint32 registration = t.right ? 1 : 2;
        bool burns;
        if (!t.asEscrow) _expectOnlyEscrow(STRANGER);
        else if (!t.right || t.released) _expectNotOpen(registration, RENTAL);
        else burns = true;
        vm.prank(t.asEscrow ? address(escrow) : STRANGER);
        uint64 taken = _rao(vault.forfeitReserved(registration, RENTAL, Rao.wrap(t.amount)));
        if (!burns) return;
        uint64 left = t.reserved - t.aside;
        assertEq(taken, t.amount < left ? t.amount : left);
        assertEq(_rao(vault.toBurn()), taken);
        _assertBond(left - taken, t.aside, 0, BOND - t.reserved);
    }
}
