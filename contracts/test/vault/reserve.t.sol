// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract ReserveTest is VaultBase {
    function _expectHotkeyNotAtUid(bytes32 found) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_HotkeyNotAtUid.selector, 0, found, HOTKEY)
        );
    }

    /* THE WAY THROUGH */

    function test_BindsFreeBondToARental() external {
        _bonded();
        vm.expectEmit(address(vault));
        emit ICollateralVault.Reserved(1, RENTAL, Rao.wrap(600), Rao.wrap(600));
        vm.prank(address(escrow));
        assertEq(vault.reserve(MACHINE, RENTAL, Rao.wrap(600)), 1);
        _assertBond(600, 0, 0, BOND - 600);
        _assertReserve(RENTAL, 600, 0, 0, false);
        assertEq(vault.reserveOf(RENTAL).registration, 1);
        assertEq(vault.nodeAt(1).openRentals, 1);
    }

    function test_ASecondCallTopsUpTheSameRental() external {
        _bonded();
        _reserve(RENTAL, 600);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Reserved(1, RENTAL, Rao.wrap(50), Rao.wrap(650));
        _reserve(RENTAL, 650);
        _assertBond(650, 0, 0, BOND - 650);
        assertEq(vault.nodeAt(1).openRentals, 1, "still one rental");
    }

    function test_ASmallerTotalTakesNothingBack() external {
        _bonded();
        _reserve(RENTAL, 600);
        _reserve(RENTAL, 100);
        _assertBond(600, 0, 0, BOND - 600);
    }

    function test_WhatIsInACaseOrBurnedStillCountsForTheRental() external {
        _bonded();
        _reserve(RENTAL, 600);
        _setAside(RENTAL, 500);
        _forfeit(RENTAL, 200);
        _reserve(RENTAL, 600);
        _assertReserve(RENTAL, 100, 300, 200, false);
        _reserve(RENTAL, 610);
        _assertReserve(RENTAL, 110, 300, 200, false);
        _assertBond(110, 300, 0, BOND - 610);
    }

    function test_TwoRentalsDoNotShareBond() external {
        _bonded();
        _reserve(RENTAL, BOND - 1);
        _expectNotEnoughFree(1, 2);
        _reserve(RENTAL + 1, 2);
        _reserve(RENTAL + 1, 1);
        _assertBond(BOND, 0, 0, 0);
        assertEq(vault.nodeAt(1).openRentals, 2);
    }

    function test_ALapsedExitBacksRentalsAgainAndCannotBeWithdrawn() external {
        _bonded();
        _requestExit(BOND);
        skip(EXIT_DELAY + EXIT_WINDOW + 1);
        _reserve(RENTAL, BOND);
        _assertBond(BOND, 0, 0, 0);
        _expectNoExit();
        vm.prank(MINER);
        vault.withdraw(MACHINE);
    }

    /* REVERTS */

    function test_RevertWhen_TheBondIsExiting() external {
        _bonded();
        _requestExit(400);
        _expectNotEnoughFree(BOND - 400, BOND - 399);
        _reserve(RENTAL, BOND - 399);
        skip(EXIT_DELAY + EXIT_WINDOW); // the last second in which it could be withdrawn
        _expectNotEnoughFree(BOND - 400, BOND - 399);
        _reserve(RENTAL, BOND - 399);
        assertEq(vault.nodeAt(1).openRentals, 0);
    }

    function test_OnlyTheEscrowReserves() external {
        _bonded();
        address[3] memory callers = [MINER, address(arbiter), STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyEscrow(callers[i]);
            vm.prank(callers[i]);
            vault.reserve(MACHINE, RENTAL, Rao.wrap(1));
        }
    }

    function test_RevertWhen_TheMachineIsUnknown() external {
        _expectNotRegistered(MACHINE);
        _reserve(RENTAL, 1);
    }

    function test_RevertWhen_TheHotkeyLeftItsUid() external {
        _bonded();
        METAGRAPH.setHotkey(NETUID, 0, keccak256("newcomer"));
        _expectHotkeyNotAtUid(keccak256("newcomer"));
        _reserve(RENTAL, 1);
        METAGRAPH.remove(NETUID, 0);
        _expectHotkeyNotAtUid(0);
        _reserve(RENTAL, 1);
    }

    function test_RevertWhen_TheRentalBelongsToAnotherNode() external {
        _bonded();
        _reserve(RENTAL, 1);
        bytes32 second = keccak256("second");
        _register(second);
        _deposit(second, 100);
        _expectReserveMismatch(RENTAL, 2);
        vm.prank(address(escrow));
        vault.reserve(second, RENTAL, Rao.wrap(1));
    }

    function test_RevertWhen_TheRentalIsClosed() external {
        _bonded();
        _reserve(RENTAL, 1);
        _release(RENTAL);
        _expectReserveMismatch(RENTAL, 1);
        _reserve(RENTAL, 2);
    }

    /* FUZZ */

    struct Try {
        bool asEscrow;
        bool registered;
        bool hotkeyThere;
        bool released;
        uint64 before;
        uint64 aside;
        uint64 burned;
        uint64 exiting;
        uint64 total;
        uint32 wait;
    }

    function testFuzz_BindsOrSaysWhyNot(Try memory t) external {
        _prepare(t);
        bool lapsed = t.exiting != 0 && t.wait > EXIT_DELAY + EXIT_WINDOW;
        uint64 exiting = lapsed ? 0 : t.exiting;
        uint64 free = BOND - t.before - exiting;
        uint64 needed = t.total > t.before ? t.total - t.before : 0;
        bool binds;
        if (!t.asEscrow) _expectOnlyEscrow(STRANGER);
        else if (!t.registered) _expectNotRegistered(MACHINE);
        else if (!t.hotkeyThere) _expectHotkeyNotAtUid(0);
        else if (t.released) _expectReserveMismatch(RENTAL, 1);
        else if (needed > free) _expectNotEnoughFree(free, needed);
        else binds = true;
        vm.prank(t.asEscrow ? address(escrow) : STRANGER);
        vault.reserve(MACHINE, RENTAL, Rao.wrap(t.total));
        if (!binds) return;
        _assertReserve(RENTAL, t.before - t.aside + needed, t.aside - t.burned, t.burned, false);
        _assertBond(t.before - t.aside + needed, t.aside - t.burned, exiting, free - needed);
        assertEq(vault.nodeAt(1).openRentals, 1);
    }

    function _prepare(Try memory t) private {
        t.before = uint64(bound(t.before, 0, BOND));
        t.aside = uint64(bound(t.aside, 0, t.before));
        t.burned = uint64(bound(t.burned, 0, t.aside));
        t.exiting = uint64(bound(t.exiting, 0, BOND - t.before));
        t.total = uint64(bound(t.total, 0, uint256(BOND) + BOND / 4));
        t.wait = uint32(bound(t.wait, 0, 7 days));
        t.asEscrow = t.asEscrow || t.wait % 4 != 0; // the later steps of the ladder shall be reached too
        t.registered = t.registered || t.wait % 4 != 1;
        t.hotkeyThere = t.hotkeyThere || t.wait % 4 != 2;
        t.released = t.released && t.wait % 4 == 3 && t.before != 0;
        if (!t.registered) return;
        _bonded();
        if (t.before != 0) _reserve(RENTAL, t.before);
        if (t.aside != 0) _setAside(RENTAL, t.aside);
        if (t.burned != 0) _forfeit(RENTAL, t.burned);
        if (t.exiting != 0) _requestExit(t.exiting);
        if (t.released) _release(RENTAL);
        if (!t.hotkeyThere) METAGRAPH.remove(NETUID, 0);
        skip(t.wait);
    }
}
