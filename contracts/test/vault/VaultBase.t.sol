// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";

/// @dev What the vault's suites share: the siblings' calls without the siblings, and whole-node assertions.
abstract contract VaultBase is Base {
    uint64 internal constant BOND = 1e9;
    uint64 internal constant RENTAL = 7;
    uint32 internal constant EXIT_DELAY = 2 days;
    uint32 internal constant EXIT_WINDOW = 3 days;

    /* STEPS */

    /// @dev MACHINE, registered as number 1 and bonded with BOND.
    function _bonded() internal {
        _register(MACHINE);
        _deposit(MACHINE, BOND);
    }

    function _requestExit(uint64 rao) internal {
        vm.prank(MINER);
        vault.requestExit(MACHINE, Rao.wrap(rao));
    }

    function _reserve(uint64 rental, uint64 rao) internal {
        vm.prank(address(escrow));
        vault.reserve(MACHINE, rental, Rao.wrap(rao));
    }

    function _release(uint64 rental) internal {
        vm.prank(address(escrow));
        vault.release(1, rental);
    }

    function _setAside(uint64 rental, uint64 rao) internal returns (uint64) {
        vm.prank(address(arbiter));
        return _rao(vault.setAside(1, rental, Rao.wrap(rao)));
    }

    function _setAsideAny(uint64 rental, uint64 rao) internal returns (uint64) {
        vm.prank(address(arbiter));
        return _rao(vault.setAsideAny(1, rental, Rao.wrap(rao)));
    }

    function _forfeit(uint64 rental, uint64 rao) internal {
        vm.prank(address(arbiter));
        vault.forfeit(1, rental, Rao.wrap(rao));
    }

    function _giveBack(uint64 rental, uint64 rao) internal {
        vm.prank(address(arbiter));
        vault.giveBack(1, rental, Rao.wrap(rao));
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
        assertEq(address(vault).balance, uint256(owed) * WEI + SEED_WEI, "balance");
    }

    function _assertReserve(uint64 rental, uint64 reserved, uint64 held, uint64 forfeited, bool released)
        internal
        view
    {
        ICollateralVault.Reserve memory r = vault.reserveOf(rental);
        assertEq(_rao(r.reserved), reserved, "reserve: reserved");
        assertEq(_rao(r.held), held, "reserve: held");
        assertEq(_rao(r.forfeited), forfeited, "reserve: forfeited");
        assertEq(r.released, released, "reserve: released");
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

    function _expectReserveMismatch(uint64 rental, uint32 registration) internal {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_ReserveMismatch.selector, rental, registration)
        );
    }

    function _expectNotHeld(uint32 registration, uint64 held, uint64 wanted) internal {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_NotHeld.selector, registration, held, wanted)
        );
    }

    function _expectBadEndpoint(bytes16 ip, uint16 port) internal {
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVault_BadEndpoint.selector, ip, port));
    }
}
