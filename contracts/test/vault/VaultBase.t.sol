// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IGate } from "../../src/interfaces/IGate.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";

/// @dev What the vault's suites share: the siblings' calls without the siblings, and whole-node assertions.
abstract contract VaultBase is Base {
    uint64 internal constant BOND = 1e9;
    uint64 internal constant RENTAL = 7;
    uint64 internal constant SECOND = 9;
    uint64 internal constant THIRD = 11;
    uint32 internal constant EXIT_DELAY = 2 days;
    uint32 internal constant EXIT_WINDOW = 3 days;

    /* STEPS */

    /// @dev MACHINE, registered as number 1 and bonded with BOND.
    function _bonded() internal {
        _register(MACHINE);
        _deposit(MACHINE, BOND);
    }

    /// @dev MACHINE, registered as number 1 and given up again without ever having had a bond.
    function _retired() internal {
        _register(MACHINE);
        _retire();
    }

    function _retire() internal {
        vm.prank(MINER);
        vault.retire(MACHINE);
    }

    /// @dev MACHINE changes hands: `miner` is associated, the host key signs for them.
    function _registerBy(address miner) internal returns (uint32) {
        _associate(miner);
        bytes32[2] memory sig = _signRegistration(MACHINE, miner);
        vm.prank(miner);
        return vault.register(MACHINE, HOTKEY, 0, UID_HASH, _endpoint(), sig);
    }

    function _requestExit(uint64 rao) internal {
        vm.prank(MINER);
        vault.requestExit(MACHINE, Rao.wrap(rao));
    }

    /// @dev Everything that is not bound leaves as credit.
    function _exitAll(uint64 rao) internal {
        _requestExit(rao);
        skip(EXIT_DELAY);
        vm.prank(MINER);
        vault.withdraw(MACHINE);
    }

    function _reserve(uint64 rental, uint64 rao) internal {
        vm.prank(address(escrow));
        vault.reserve(1, rental, Rao.wrap(rao), _until());
    }

    /// @dev When a rental that lasts a day can be closed.
    function _until() internal view returns (Timestamp) {
        return Timestamp.wrap(_now() + 1 days + 1 hours);
    }

    function _release(uint64 rental) internal {
        vm.prank(address(escrow));
        vault.release(1, rental);
    }

    function _forfeitReserved(uint64 rental, uint64 rao) internal returns (uint64) {
        vm.prank(address(escrow));
        return _rao(vault.forfeitReserved(1, rental, Rao.wrap(rao)));
    }

    function _setAside(uint64 rental, uint64 rao) internal returns (uint64) {
        vm.prank(address(arbiter));
        return _rao(vault.setAside(1, rental, Rao.wrap(rao)));
    }

    function _setAsideAny(uint64 rao) internal returns (uint64) {
        vm.prank(address(arbiter));
        return _rao(vault.setAsideAny(1, Rao.wrap(rao)));
    }

    function _forfeit(uint64 rao) internal {
        vm.prank(address(arbiter));
        vault.forfeit(1, Rao.wrap(rao));
    }

    function _giveBack(uint64 rao) internal {
        vm.prank(address(arbiter));
        vault.giveBack(1, Rao.wrap(rao));
    }

    function _pause() internal returns (uint32 until) {
        vm.prank(GUARDIAN);
        vault.pause(7 days);
        return _now() + 7 days;
    }

    function _sunset() internal {
        vm.prank(OWNER);
        vault.sunset();
    }

    /// @dev The chain forgets the miner: no association, and nobody at the uid (which burns all gas).
    function _leaveSubnet() internal {
        METAGRAPH.remove(NETUID, 0);
        STORAGE.setValue(_associationKey(), "");
    }

    /* READING */

    /// @dev Both views of node 1 agree with the expectation, the four parts make up the bond, and the books owe
    /// exactly the bond, the miner's credit and what is to be burned (invariant 3).
    function _assertBond(uint64 reserved, uint64 held, uint64 exiting, uint64 free) internal view {
        (Rao bonded, Rao reserved_, Rao held_, Rao exiting_, Rao free_) = vault.bondOf(MACHINE);
        assertEq(_rao(reserved_), reserved, "reserved");
        assertEq(_rao(held_), held, "held");
        assertEq(_rao(exiting_), exiting, "exiting");
        assertEq(_rao(free_), free, "free");
        assertEq(_rao(bonded), reserved + held + exiting + free, "bonded");
        ICollateralVault.NodeView memory node = vault.nodeAt(1);
        assertEq(_rao(node.reserved), reserved, "nodeAt: reserved");
        assertEq(_rao(node.held), held, "nodeAt: held");
        assertEq(_rao(node.exiting), exiting, "nodeAt: exiting");
        assertEq(_rao(node.free), free, "nodeAt: free");
        uint64 owed = _rao(bonded) + _rao(vault.creditOf(MINER)) + _rao(vault.toBurn());
        assertEq(_rao(vault.liabilities()), owed, "liabilities");
        assertEq(_rao(vault.owedToMiners()), owed - _rao(vault.toBurn()), "owedToMiners");
        assertEq(address(vault).balance, uint256(owed) * WEI + SEED_WEI, "balance");
    }

    /// @dev What stands behind one of node 1's rentals, and which two it backs.
    function _assertBacking(uint64 rental, uint64 reserved, uint64 first, uint64 second) internal view {
        assertEq(_rao(vault.reservedFor(1, rental)), reserved, "reservedFor");
        ICollateralVault.NodeView memory node = vault.nodeAt(1);
        assertEq(node.firstRental, first, "firstRental");
        assertEq(node.secondRental, second, "secondRental");
    }

    /* EXPECTING */

    function _expectNotEnoughFree(uint64 free, uint64 wanted) internal {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_NotEnoughFree.selector, MACHINE, free, wanted)
        );
    }

    function _expectOnlyMiner(address caller) internal {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_OnlyMiner.selector, MACHINE, MINER, caller)
        );
    }

    function _expectNotRegistered(bytes32 machine) internal {
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVault_NotRegistered.selector, machine));
    }

    function _expectNoNode(uint32 registration) internal {
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVault_NoNode.selector, registration));
    }

    function _expectOnlyEscrow(address caller) internal {
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVault_OnlyEscrow.selector, caller));
    }

    function _expectOnlyArbiter(address caller) internal {
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVault_OnlyArbiter.selector, caller));
    }

    function _expectNoExit() internal {
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVault_NoExit.selector, MACHINE));
    }

    function _expectExitNotReady(uint32 readyAt) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                ICollateralVault.CollateralVault_ExitNotReady.selector, MACHINE, readyAt, readyAt + EXIT_WINDOW
            )
        );
    }

    function _expectNotOpen(uint32 registration, uint64 rental) internal {
        bytes4 selector = ICollateralVault.CollateralVault_NotOpen.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, registration, rental));
    }

    function _expectTwoOpenRentals() internal {
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVault_TwoOpenRentals.selector, 1));
    }

    function _expectNotHeld(uint32 registration, uint64 held, uint64 wanted) internal {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_NotHeld.selector, registration, held, wanted)
        );
    }

    function _expectBadEndpoint(bytes16 ip, uint16 port) internal {
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVault_BadEndpoint.selector, ip, port));
    }

    function _expectNotAssociated(uint16 uid, address associated, address caller) internal {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_NotAssociated.selector, uid, associated, caller)
        );
    }

    function _expectHotkeyNotAtUid(bytes32 found, bytes32 wanted) internal {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_HotkeyNotAtUid.selector, 0, found, wanted)
        );
    }

    function _expectNoHotkey(uint16 uid) internal {
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVault_NoHotkey.selector, uid));
    }

    function _expectPaused(uint32 until) internal {
        vm.expectRevert(abi.encodeWithSelector(IGate.Gate_Paused.selector, until));
    }

    function _expectSunset() internal {
        vm.expectRevert(IGate.Gate_Sunset.selector);
    }
}
