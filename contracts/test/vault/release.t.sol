// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract ReleaseTest is VaultBase {
    function test_TheReserveIsFreeAgain() external {
        _bonded();
        _reserve(RENTAL, 600);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Released(1, RENTAL, Rao.wrap(600));
        _release(RENTAL);
        _assertBond(0, 0, 0, BOND);
        _assertReserve(RENTAL, 0, 0, 0, true);
        assertEq(vault.nodeAt(1).openRentals, 0);
    }

    function test_WhatIsInACaseStaysHeld() external {
        _bonded();
        _reserve(RENTAL, 600);
        _setAside(RENTAL, 100);
        _release(RENTAL);
        _assertBond(0, 100, 0, BOND - 100);
        _assertReserve(RENTAL, 0, 100, 0, true);
    }

    function test_LeavesOtherRentalsAlone() external {
        _bonded();
        _reserve(RENTAL, 600);
        _reserve(RENTAL + 1, 50);
        _release(RENTAL);
        _assertBond(50, 0, 0, BOND - 50);
        _assertReserve(RENTAL + 1, 50, 0, 0, false);
        assertEq(vault.nodeAt(1).openRentals, 1);
    }

    function test_WorksAfterTheHotkeyLeftItsUid() external {
        _bonded();
        _reserve(RENTAL, 600);
        METAGRAPH.remove(NETUID, 0);
        _release(RENTAL);
        _assertBond(0, 0, 0, BOND);
    }

    function test_OnlyTheEscrowReleases() external {
        _bonded();
        _reserve(RENTAL, 600);
        address[3] memory callers = [MINER, address(arbiter), STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyEscrow(callers[i]);
            vm.prank(callers[i]);
            vault.release(1, RENTAL);
        }
    }

    function test_RevertWhen_TheRentalIsUnknownOrAnotherNodes() external {
        _bonded();
        _expectReserveMismatch(RENTAL, 1);
        _release(RENTAL);
        _reserve(RENTAL, 600);
        _expectReserveMismatch(RENTAL, 2);
        vm.prank(address(escrow));
        vault.release(2, RENTAL);
    }

    function test_RevertWhen_ReleasedTwice() external {
        _bonded();
        _reserve(RENTAL, 600);
        _release(RENTAL);
        _expectReserveMismatch(RENTAL, 1);
        _release(RENTAL);
    }

    function testFuzz_ReleasesOrSaysWhyNot(
        bool asEscrow,
        uint32 registration,
        bool twice,
        uint64 reserved,
        uint64 aside,
        uint64 burned
    ) external {
        reserved = uint64(bound(reserved, 1, BOND));
        aside = uint64(bound(aside, 0, reserved));
        burned = uint64(bound(burned, 0, aside));
        registration = registration % 4 < 2 ? 2 * (registration % 4) : 1; // 0 and 2 are not the rental's
        _bonded();
        _reserve(RENTAL, reserved);
        if (aside != 0) _setAside(RENTAL, aside);
        if (burned != 0) _forfeit(RENTAL, burned);
        if (twice) _release(RENTAL);
        bool releases;
        if (!asEscrow) _expectOnlyEscrow(STRANGER);
        else if (registration != 1 || twice) _expectReserveMismatch(RENTAL, registration);
        else releases = true;
        vm.prank(asEscrow ? address(escrow) : STRANGER);
        vault.release(registration, RENTAL);
        if (!releases) return;
        _assertBond(0, aside - burned, 0, BOND - aside);
        _assertReserve(RENTAL, 0, aside - burned, burned, true);
    }
}
