// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract RegisterTest is VaultBase {
    bytes32 private constant OTHER_HOTKEY = keccak256("other hotkey");

    function _call(bytes32 machine, address miner, bytes8 uidHash, bytes32[2] memory sig) private returns (uint32) {
        vm.prank(miner);
        return vault.register(machine, HOTKEY, 0, uidHash, _endpoint(), sig);
    }

    function _expectNotAssociated(address associated, address caller) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_NotAssociated.selector, 0, associated, caller)
        );
    }

    function _expectHotkeyNotAtUid(bytes32 found) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_HotkeyNotAtUid.selector, 0, found, HOTKEY)
        );
    }

    function _expectBadMachineSignature(bytes32 digest) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_BadMachineSignature.selector, MACHINE, digest)
        );
    }

    function _expectRegistered(address miner) private {
        vm.expectEmit(address(vault));
        emit ICollateralVault.EndpointSet(MACHINE, _endpoint().ip, 22);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Registered(MACHINE, miner, 1, HOTKEY, 0);
    }

    /* THE WAY THROUGH */

    function test_MakesANodeOfItsOwn() external {
        _associate(MINER);
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        _expectRegistered(MINER);
        assertEq(_call(MACHINE, MINER, UID_HASH, sig), 1);
        _assertRegistered(MINER, _endpoint().ip, 22);
    }

    function _assertRegistered(address miner, bytes16 ip, uint16 port) private view {
        ICollateralVault.NodeView memory node = vault.nodeAt(1);
        assertEq(node.machine, MACHINE);
        assertEq(node.miner, miner);
        assertEq(node.hotkey, HOTKEY);
        assertEq(node.uid, 0);
        assertEq(node.registration, 1);
        assertEq(node.endpoint.ip, ip);
        assertEq(node.endpoint.port, port);
        assertEq(node.openRentals, 0);
        assertEq(vault.registrationCount(), 1);
        assertEq(vault.machineOf(1), MACHINE);
        assertEq(vault.minerOf(1), miner);
        (uint32 registration, address owner) = vault.ownerOf(MACHINE);
        assertEq(registration, 1);
        assertEq(owner, miner);
        _assertBond(0, 0, 0, 0);
    }

    function test_NumbersAreDenseFromOne() external {
        assertEq(_register(MACHINE), 1);
        assertEq(_register(keccak256("second")), 2);
        assertEq(_register(keccak256("third")), 3);
        assertEq(vault.registrationCount(), 3);
        assertEq(vault.machineOf(2), keccak256("second"));
    }

    function test_TheUidIsWrittenLittleEndianIntoTheStorageKey() external {
        bytes8 hash = 0x1122334455667788;
        METAGRAPH.setHotkey(NETUID, 0x0102, HOTKEY);
        bytes memory key = abi.encodePacked(ASSOCIATION_PREFIX, NETUID_HASH, hex"0200", hash, hex"0201");
        STORAGE.setValue(key, abi.encodePacked(MINER, uint64(9)));
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        vm.prank(MINER);
        vault.register(MACHINE, HOTKEY, 0x0102, hash, _endpoint(), sig);
        assertEq(vault.nodeAt(1).uid, 0x0102);
    }

    /* REVERTS */

    function test_RevertWhen_TheMachineIsTaken() external {
        _register(MACHINE);
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_AlreadyRegistered.selector, MACHINE, MINER)
        );
        _call(MACHINE, MINER, UID_HASH, sig);
        assertEq(vault.registrationCount(), 1);
    }

    function test_RevertWhen_TheUidHasNoAssociation() external {
        METAGRAPH.setHotkey(NETUID, 0, HOTKEY);
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        _expectNotAssociated(address(0), MINER);
        _call(MACHINE, MINER, UID_HASH, sig);
    }

    function test_RevertWhen_TheUidHashIsWrong() external {
        _associate(MINER);
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        _expectNotAssociated(address(0), MINER);
        _call(MACHINE, MINER, UID_HASH ^ bytes8(uint64(1)), sig);
    }

    function test_RevertWhen_AnotherAddressIsAssociated() external {
        _associate(MINER);
        bytes32[2] memory sig = _signRegistration(MACHINE, STRANGER);
        _expectNotAssociated(MINER, STRANGER);
        _call(MACHINE, STRANGER, UID_HASH, sig);
    }

    function test_RevertWhen_TheStoredAssociationIsOfAnotherShape() external {
        METAGRAPH.setHotkey(NETUID, 0, HOTKEY);
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        STORAGE.setValue(_associationKey(), abi.encodePacked(MINER));
        _expectNotAssociated(address(0), MINER);
        _call(MACHINE, MINER, UID_HASH, sig);
        STORAGE.setValue(_associationKey(), abi.encodePacked(MINER, uint64(7), uint8(0)));
        _expectNotAssociated(address(0), MINER);
        _call(MACHINE, MINER, UID_HASH, sig);
    }

    function test_RevertWhen_AnotherHotkeyIsAtTheUid() external {
        _associate(MINER);
        METAGRAPH.setHotkey(NETUID, 0, OTHER_HOTKEY);
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        _expectHotkeyNotAtUid(OTHER_HOTKEY);
        _call(MACHINE, MINER, UID_HASH, sig);
    }

    function test_RevertWhen_TheUidIsAbsent_AndOnlyTheCappedGasIsLost() external {
        _associate(MINER);
        METAGRAPH.remove(NETUID, 0);
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        _expectHotkeyNotAtUid(0);
        uint256 before = gasleft();
        _call(MACHINE, MINER, UID_HASH, sig);
        assertLt(before - gasleft(), 80_000, "0x802 keeps the 10,000 it was given and no more");
    }

    function test_RevertWhen_HotkeyIsZero_EvenWhereTheUidIsUnset() external {
        _associate(MINER);
        METAGRAPH.setHotkey(NETUID, 0, 0);
        ED25519.recordVerified(vault.registrationDigest(MACHINE, 0, MINER), MACHINE, SIG_R, SIG_S);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_HotkeyNotAtUid.selector, 0, bytes32(0), bytes32(0))
        );
        vm.prank(MINER);
        vault.register(MACHINE, 0, 0, UID_HASH, _endpoint(), [SIG_R, SIG_S]);
    }

    function test_RevertWhen_TheMachineHasNotSigned() external {
        _associate(MINER);
        _expectBadMachineSignature(vault.registrationDigest(MACHINE, HOTKEY, MINER));
        _call(MACHINE, MINER, UID_HASH, [SIG_R, SIG_S]);
    }

    function test_RevertWhen_TheSignatureIsForAnotherMiner() external {
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        _associate(STRANGER);
        _expectBadMachineSignature(vault.registrationDigest(MACHINE, HOTKEY, STRANGER));
        _call(MACHINE, STRANGER, UID_HASH, sig);
    }

    function test_RevertWhen_TheKeyIsNoCurvePoint_AndOnlyTheCappedGasIsLost() external {
        _associate(MINER);
        ED25519.recordUndecodable(MACHINE);
        _expectBadMachineSignature(vault.registrationDigest(MACHINE, HOTKEY, MINER));
        uint256 before = gasleft();
        _call(MACHINE, MINER, UID_HASH, [SIG_R, SIG_S]);
        assertLt(before - gasleft(), 120_000, "0x402 keeps the 30,000 it was given and no more");
    }

    function test_RevertWhen_TheEndpointIsHalf() external {
        _associate(MINER);
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        vm.startPrank(MINER);
        _expectBadEndpoint(0, 22);
        vault.register(MACHINE, HOTKEY, 0, UID_HASH, ICollateralVault.Endpoint(0, 22), sig);
        bytes16 ip = _endpoint().ip;
        _expectBadEndpoint(ip, 0);
        vault.register(MACHINE, HOTKEY, 0, UID_HASH, ICollateralVault.Endpoint(ip, 0), sig);
        assertEq(vault.registrationCount(), 0);
    }

    function test_RevertWhen_ValueIsSent() external {
        _associate(MINER);
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        bytes memory data = abi.encodeCall(ICollateralVault.register, (MACHINE, HOTKEY, 0, UID_HASH, _endpoint(), sig));
        vm.prank(MINER);
        (bool ok,) = address(vault).call{ value: 1 gwei }(data);
        assertFalse(ok);
    }

    /* FUZZ */

    struct Try {
        bool taken;
        uint8 association; // 0 none, 1 the stranger's, 2 or more the miner's
        uint8 hotkey; // 0 absent, 1 zero, 2 another, 3 or more right
        bool signed;
        bool undecodable;
        bytes16 ip;
        uint16 port;
    }

    function testFuzz_RegistersOrSaysWhyNot(Try memory t) external {
        t.association %= 8;
        t.hotkey %= 16;
        t.taken = t.taken && t.port % 4 == 0; // the later steps of the ladder shall be reached too
        t.undecodable = t.undecodable && t.port % 4 == 1;
        _prepare(t);
        bool registers;
        if (t.taken) {
            vm.expectRevert(
                abi.encodeWithSelector(ICollateralVault.CollateralVault_AlreadyRegistered.selector, MACHINE, MINER)
            );
        } else if (t.association < 2) {
            _expectNotAssociated(t.association == 0 ? address(0) : STRANGER, MINER);
        } else if (t.hotkey < 3) {
            _expectHotkeyNotAtUid(t.hotkey == 2 ? OTHER_HOTKEY : bytes32(0));
        } else if (!t.signed || t.undecodable) {
            _expectBadMachineSignature(vault.registrationDigest(MACHINE, HOTKEY, MINER));
        } else if (t.ip == 0 || t.port == 0) {
            _expectBadEndpoint(t.ip, t.port);
        } else {
            registers = true;
        }
        vm.prank(MINER);
        vault.register(MACHINE, HOTKEY, 0, UID_HASH, ICollateralVault.Endpoint(t.ip, t.port), [SIG_R, SIG_S]);
        if (registers) _assertRegistered(MINER, t.ip, t.port);
        else assertEq(vault.registrationCount(), t.taken ? 1 : 0);
    }

    function _prepare(Try memory t) private {
        if (t.taken) _register(MACHINE);
        if (t.association == 0) STORAGE.setValue(_associationKey(), "");
        else _associate(t.association == 1 ? STRANGER : MINER);
        if (t.hotkey == 0) METAGRAPH.remove(NETUID, 0);
        else METAGRAPH.setHotkey(NETUID, 0, t.hotkey == 1 ? bytes32(0) : t.hotkey == 2 ? OTHER_HOTKEY : HOTKEY);
        if (t.signed) _signRegistration(MACHINE, MINER);
        if (t.undecodable) ED25519.recordUndecodable(MACHINE);
    }
}
