// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Backing_RentalTooLarge } from "../../src/types/Backing.sol";
import { Rao } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract ReserveTest is VaultBase {
    /* REVERTS */

    function test_RevertWhen_TheCallerIsNotTheEscrow() external {
        _bonded();
        address[4] memory callers = [MINER, address(arbiter), OWNER, STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyEscrow(callers[i]);
            vm.prank(callers[i]);
            vault.reserve(1, RENTAL, Rao.wrap(1), _until());
        }
    }

    function test_RevertGiven_NewBusinessIsPaused() external {
        _bonded();
        uint32 until = _pause();
        vm.warp(until - 1);
        _expectPaused(until);
        _reserve(RENTAL, 1);
        vm.warp(until);
        _reserve(RENTAL, 1);
        _assertBacking(RENTAL, 1, RENTAL, 0);
    }

    function test_RevertGiven_TheDeploymentIsClosedForGood() external {
        _bonded();
        _reserve(RENTAL, 1);
        _sunset();
        _expectSunset();
        _reserve(RENTAL, 2);
    }

    function test_RevertGiven_ThereIsNoSuchNode() external {
        _expectNoNode(1);
        _reserve(RENTAL, 1);
        _expectNoNode(0);
        vm.prank(address(escrow));
        vault.reserve(0, RENTAL, Rao.wrap(0), _until());
    }

    function test_RevertGiven_TheNodeIsRetired() external {
        _retired();
        _expectNoNode(1);
        _reserve(RENTAL, 0);
    }

    function test_RevertGiven_AnotherHotkeyOrNoneIsAtTheUid() external {
        _bonded();
        METAGRAPH.setHotkey(NETUID, 0, keccak256("newcomer"));
        _expectHotkeyNotAtUid(keccak256("newcomer"), HOTKEY);
        _reserve(RENTAL, 1);
        METAGRAPH.setHotkey(NETUID, 0, 0);
        _expectHotkeyNotAtUid(0, HOTKEY);
        _reserve(RENTAL, 1);
        METAGRAPH.remove(NETUID, 0);
        _expectHotkeyNotAtUid(0, HOTKEY);
        _reserve(RENTAL, 1);
    }

    function test_RevertGiven_TwoOpenRentals() external {
        _bonded();
        _reserve(RENTAL, 1);
        _reserve(SECOND, 0);
        _expectTwoOpenRentals();
        _reserve(THIRD, 0);
        _reserve(RENTAL, 2); // those that are open can still be extended
        _reserve(SECOND, 3);
        _release(RENTAL);
        _reserve(THIRD, 4);
        _assertBacking(THIRD, 4, THIRD, SECOND);
        _expectTwoOpenRentals();
        _reserve(RENTAL, 0);
        _release(SECOND);
        _reserve(13, 5);
        _assertBacking(13, 5, THIRD, 13);
        _assertBond(9, 0, 0, BOND - 9);
    }

    function test_RevertWhen_TheRentalNumberDoesNotFit() external {
        _bonded();
        uint64 largest = type(uint64).max >> 1;
        vm.expectRevert(abi.encodeWithSelector(Backing_RentalTooLarge.selector, largest + 1));
        _reserve(largest + 1, 1);
        _reserve(largest, 1);
        _assertBacking(largest, 1, largest, 0);
    }

    function test_RevertWhen_ARaoMoreThanIsFreeIsNeeded() external {
        _bonded();
        _expectNotEnoughFree(BOND, BOND + 1);
        _reserve(RENTAL, BOND + 1);
        _assertBacking(RENTAL, 0, 0, 0);
        _reserve(RENTAL, BOND - 5);
        _expectNotEnoughFree(5, 6);
        _reserve(RENTAL, BOND + 1);
        _reserve(RENTAL, BOND);
        _assertBond(BOND, 0, 0, 0);
    }

    function test_RevertGiven_TheBondIsExitingAndNotYetLapsed() external {
        _bonded();
        _requestExit(400);
        _expectNotEnoughFree(BOND - 400, BOND - 399);
        _reserve(RENTAL, BOND - 399);
        skip(EXIT_DELAY + EXIT_WINDOW); // the last second in which it could be withdrawn
        _expectNotEnoughFree(BOND - 400, BOND - 399);
        _reserve(RENTAL, BOND - 399);
        _assertBacking(RENTAL, 0, 0, 0);
    }

    /* THE WAY THROUGH */

    function test_WhenItIsTheFirstCallForARental() external {
        _bonded();
        vm.expectEmit(address(vault));
        emit ICollateralVault.Reserved(1, RENTAL, Rao.wrap(600));
        _reserve(RENTAL, 600);
        _assertBond(600, 0, 0, BOND - 600);
        _assertBacking(RENTAL, 600, RENTAL, 0);
    }

    function test_WhenNothingIsToBeReserved() external {
        _register(MACHINE);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Reserved(1, RENTAL, Rao.wrap(0));
        _reserve(RENTAL, 0);
        _assertBacking(RENTAL, 0, RENTAL, 0);
        _assertBond(0, 0, 0, 0);
    }

    function test_WhenItIsALaterCallForTheRental() external {
        _bonded();
        _reserve(RENTAL, 600);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Reserved(1, RENTAL, Rao.wrap(50));
        _reserve(RENTAL, 650);
        _assertBond(650, 0, 0, BOND - 650);
        _assertBacking(RENTAL, 650, RENTAL, 0);
    }

    function test_WhenTheTotalIsNotAboveWhatIsReserved() external {
        _bonded();
        _reserve(RENTAL, 600);
        _reserve(RENTAL, 600);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Reserved(1, RENTAL, Rao.wrap(0));
        _reserve(RENTAL, 100);
        _assertBond(600, 0, 0, BOND - 600);
    }

    function test_GivenACaseTookPartOfTheReserve() external {
        _bonded();
        _reserve(RENTAL, 600);
        _setAside(RENTAL, 500);
        _forfeit(200);
        _reserve(RENTAL, 600);
        _assertBacking(RENTAL, 600, RENTAL, 0);
        _assertBond(600, 300, 0, BOND - 1_100);
    }

    function test_GivenTwoRentals() external {
        _bonded();
        _reserve(RENTAL, BOND - 1);
        _expectNotEnoughFree(1, 2);
        _reserve(SECOND, 2);
        _reserve(SECOND, 1);
        _assertBond(BOND, 0, 0, 0);
        _assertBacking(RENTAL, BOND - 1, RENTAL, SECOND);
        _assertBacking(SECOND, 1, RENTAL, SECOND);
    }

    function test_GivenALapsedExit() external {
        _bonded();
        _requestExit(BOND);
        skip(EXIT_DELAY + EXIT_WINDOW + 1);
        _reserve(RENTAL, BOND);
        _assertBond(BOND, 0, 0, 0);
        _expectNoExit();
        vm.prank(MINER);
        vault.withdraw(MACHINE);
    }

    /* FUZZ */

    struct Try {
        bool asEscrow;
        uint8 gate; // 0 paused, 1 closed, else open
        uint8 node; // 0 none, 1 retired, else there
        bool hotkeyThere;
        uint8 open; // rentals open beside this one, at most 2
        uint64 before;
        uint64 aside;
        uint64 exiting;
        uint64 total;
        uint32 wait;
    }

    function testFuzz_BindsOrSaysWhyNot(Try memory t) external {
        _prepare(t);
        uint64 exiting = t.wait > EXIT_DELAY + EXIT_WINDOW ? 0 : t.exiting;
        uint64 have = t.before - t.aside;
        uint64 free = BOND - t.before - exiting;
        uint64 needed = t.total > have ? t.total - have : 0;
        uint32 until = t.gate == 0 ? _pause() : 0;
        if (t.gate == 1) _sunset();
        bool binds;
        if (!t.asEscrow) _expectOnlyEscrow(STRANGER);
        else if (t.gate == 0) _expectPaused(until);
        else if (t.gate == 1) _expectSunset();
        else if (t.node < 2) _expectNoNode(1);
        else if (!t.hotkeyThere) _expectHotkeyNotAtUid(0, HOTKEY);
        else if (t.before == 0 && t.open == 2) _expectTwoOpenRentals();
        else if (needed > free) _expectNotEnoughFree(free, needed);
        else binds = true;
        vm.prank(t.asEscrow ? address(escrow) : STRANGER);
        vault.reserve(1, RENTAL, Rao.wrap(t.total), _until());
        if (!binds) return;
        assertEq(_rao(vault.reservedFor(1, RENTAL)), have + needed);
        _assertBond(have + needed, t.aside, exiting, free - needed);
    }

    /// @dev The later steps of the ladder shall be reached too.
    function _prepare(Try memory t) private {
        t.before = uint64(bound(t.before, 0, BOND));
        if (t.wait % 5 == 0) t.before = 0;
        t.aside = uint64(bound(t.aside, 0, t.before));
        t.exiting = uint64(bound(t.exiting, 0, BOND - t.before));
        t.total = uint64(bound(t.total, 0, uint256(BOND) + BOND / 4));
        t.wait = uint32(bound(t.wait, 0, 7 days));
        (t.gate, t.node, t.open) = (t.gate % 16, t.node % 16, t.open % (t.before == 0 ? 3 : 2));
        t.asEscrow = t.asEscrow || t.wait % 4 != 0;
        t.hotkeyThere = t.hotkeyThere || t.wait % 4 != 2;
        if (t.node == 0) return;
        if (t.node == 1) return _retired();
        _bonded();
        for (uint64 i = 0; i < t.open; ++i) {
            _reserve(100 + i, 0);
        }
        if (t.before != 0) _reserve(RENTAL, t.before);
        if (t.aside != 0) _setAside(RENTAL, t.aside);
        if (t.exiting != 0) _requestExit(t.exiting);
        if (!t.hotkeyThere) METAGRAPH.remove(NETUID, 0);
        skip(t.wait);
    }
}
