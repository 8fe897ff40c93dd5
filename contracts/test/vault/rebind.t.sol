// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract RebindTest is VaultBase {
    bytes32 private constant SWAPPED = keccak256("swapped hotkey");
    bytes8 private constant UID_HASH_7 = 0x7777777777777777; // of uid 7, made up: only the node computes them

    function _rebind(address caller, uint16 uid, bytes8 uidHash) private {
        vm.prank(caller);
        vault.rebind(MACHINE, uid, uidHash);
    }

    /// @dev The chain says: `hotkey` sits at uid 7, and `miner` is associated with it.
    function _sitsAt7(bytes32 hotkey, address miner) private {
        METAGRAPH.setHotkey(NETUID, 7, hotkey);
        bytes memory key = abi.encodePacked(ASSOCIATION_PREFIX, NETUID_HASH, hex"0200", UID_HASH_7, hex"0700");
        STORAGE.setValue(key, abi.encodePacked(miner, hex"0900000000000000"));
    }

    function _assertBoundTo(bytes32 hotkey, uint16 uid) private view {
        ICollateralVault.NodeView memory node = vault.nodeAt(1);
        assertEq(node.hotkey, hotkey);
        assertEq(node.uid, uid);
        assertEq(node.miner, MINER);
        assertEq(node.machine, MACHINE);
    }

    /* REVERTS */

    function test_RevertGiven_TheMachineIsUnknown() external {
        _associate(MINER);
        _expectNotRegistered(MACHINE);
        _rebind(MINER, 0, UID_HASH);
    }

    function test_RevertGiven_TheNodeIsRetired() external {
        _retired();
        _expectNotRegistered(MACHINE);
        _rebind(MINER, 0, UID_HASH);
    }

    function test_RevertWhen_TheCallerIsNotTheMiner() external {
        _bonded();
        _sitsAt7(SWAPPED, STRANGER);
        _expectOnlyMiner(STRANGER);
        _rebind(STRANGER, 7, UID_HASH_7);
    }

    function test_RevertGiven_TheUidHasNoAssociationOrAnotherAddressHasIt() external {
        _bonded();
        METAGRAPH.setHotkey(NETUID, 7, SWAPPED);
        _expectNotAssociated(7, address(0), MINER);
        _rebind(MINER, 7, UID_HASH_7);
        _sitsAt7(SWAPPED, STRANGER);
        _expectNotAssociated(7, STRANGER, MINER);
        _rebind(MINER, 7, UID_HASH_7);
        _assertBoundTo(HOTKEY, 0);
    }

    function test_RevertWhen_TheUidHashIsWrong() external {
        _bonded();
        _sitsAt7(SWAPPED, MINER);
        _expectNotAssociated(7, address(0), MINER);
        _rebind(MINER, 7, UID_HASH);
    }

    function test_RevertGiven_NobodyIsAtTheUid() external {
        _bonded();
        _sitsAt7(SWAPPED, MINER);
        METAGRAPH.setHotkey(NETUID, 7, 0);
        _expectNoHotkey(7);
        _rebind(MINER, 7, UID_HASH_7);
        METAGRAPH.remove(NETUID, 7);
        _expectNoHotkey(7);
        uint256 before = gasleft();
        _rebind(MINER, 7, UID_HASH_7);
        assertLt(before - gasleft(), 80_000, "0x802 keeps the 10,000 it was given and no more");
        _assertBoundTo(HOTKEY, 0);
    }

    /* THE WAY THROUGH */

    function test_GivenTheHotkeyGotAnotherUid() external {
        _bonded();
        METAGRAPH.setHotkey(NETUID, 0, keccak256("newcomer"));
        _expectHotkeyNotAtUid(keccak256("newcomer"), HOTKEY);
        _reserve(RENTAL, 1);
        _sitsAt7(HOTKEY, MINER);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Rebound(MACHINE, 1, HOTKEY, 7);
        _rebind(MINER, 7, UID_HASH_7);
        _assertBoundTo(HOTKEY, 7);
        _reserve(RENTAL, 1);
        _assertBond(1, 0, 0, BOND - 1);
    }

    function test_GivenTheHotkeyWasSwapped() external {
        _bonded();
        METAGRAPH.setHotkey(NETUID, 0, SWAPPED);
        _expectHotkeyNotAtUid(SWAPPED, HOTKEY);
        _reserve(RENTAL, 1);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Rebound(MACHINE, 1, SWAPPED, 0);
        _rebind(MINER, 0, UID_HASH);
        _assertBoundTo(SWAPPED, 0);
        _reserve(RENTAL, 1);
        _assertBond(1, 0, 0, BOND - 1);
    }

    function test_GivenTheUidWasRecycled() external {
        _bonded();
        _associate(STRANGER); // somebody else's uid now, and theirs is the association
        METAGRAPH.setHotkey(NETUID, 0, SWAPPED);
        _expectNotAssociated(0, STRANGER, MINER);
        _rebind(MINER, 0, UID_HASH);
        _expectOnlyMiner(STRANGER);
        _rebind(STRANGER, 0, UID_HASH);
        _assertBoundTo(HOTKEY, 0);
        _exitAll(BOND);
        assertEq(_rao(vault.creditOf(MINER)), BOND, "the bond leaves without a place on the subnet");
    }

    function test_GivenARunningRental() external {
        uint64 rental = _rented();
        _sitsAt7(SWAPPED, MINER);
        METAGRAPH.remove(NETUID, 0);
        bytes32 before = keccak256(abi.encode(_rentalAt(rental)));
        uint64 reserved = _reserved(rental);
        _rebind(MINER, 7, UID_HASH_7);
        assertEq(keccak256(abi.encode(_rentalAt(rental))), before);
        assertEq(_reserved(rental), reserved);
        _assertBond(reserved, 0, 0, 1e9 - reserved);
        vm.prank(STRANGER);
        vm.deal(STRANGER, 10 ether);
        escrow.extend{ value: uint256(PRICE) * WEI }(rental, 1); // its hotkey is where the node says it is
    }

    function test_GivenNothingHasChanged() external {
        _bonded();
        _rebind(MINER, 0, UID_HASH);
        _assertBoundTo(HOTKEY, 0);
        _assertBond(0, 0, 0, BOND);
    }

    function test_GivenTheMachineHasANewerNodeOfTheSameMiner() external {
        _retired();
        _register(MACHINE);
        _sitsAt7(SWAPPED, MINER);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Rebound(MACHINE, 2, SWAPPED, 7);
        _rebind(MINER, 7, UID_HASH_7);
        _assertBoundTo(HOTKEY, 0);
        assertEq(vault.nodeAt(2).hotkey, SWAPPED);
        assertEq(vault.nodeAt(2).uid, 7);
    }

    /* FUZZ */

    struct Try {
        uint8 node; // 0 none, 1 retired, else there
        bool own;
        uint8 association; // 0 none, 1 another's, else the caller's
        uint8 hotkey; // 0 absent, 1 zero, else there
        bytes32 found;
    }

    function testFuzz_RebindsOrSaysWhyNot(Try memory t) external {
        (t.node, t.association, t.hotkey) = (t.node % 8, t.association % 8, t.hotkey % 8);
        if (t.found == 0) t.hotkey = 1;
        if (t.node == 1) _retired();
        else if (t.node != 0) _bonded();
        address caller = t.own ? MINER : STRANGER;
        _sitsAt7(t.hotkey == 1 ? bytes32(0) : t.found, t.association == 1 ? RENTER : caller);
        if (t.hotkey == 0) METAGRAPH.remove(NETUID, 7);
        bool binds;
        if (t.node < 2) _expectNotRegistered(MACHINE);
        else if (!t.own) _expectOnlyMiner(STRANGER);
        else if (t.association < 2) _expectNotAssociated(7, t.association == 0 ? address(0) : RENTER, MINER);
        else if (t.hotkey < 2) _expectNoHotkey(7);
        else binds = true;
        _rebind(caller, 7, t.association == 0 ? UID_HASH : UID_HASH_7);
        if (t.node >= 2) _assertBoundTo(binds ? t.found : HOTKEY, binds ? 7 : 0);
    }
}
