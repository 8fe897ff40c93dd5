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

    function _expectBadMachineSignature(bytes32 digest) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_BadMachineSignature.selector, MACHINE, digest)
        );
    }

    function _expectAlreadyRegistered(address miner) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_AlreadyRegistered.selector, MACHINE, miner)
        );
    }

    function _fits() private returns (bytes32[2] memory sig) {
        _associate(MINER);
        return _signRegistration(MACHINE, MINER);
    }

    /* REVERTS */

    function test_RevertGiven_NewBusinessIsPaused() external {
        bytes32[2] memory sig = _fits();
        uint32 until = _pause();
        vm.warp(until - 1);
        _expectPaused(until);
        _call(MACHINE, MINER, UID_HASH, sig);
        vm.warp(until);
        assertEq(_call(MACHINE, MINER, UID_HASH, sig), 1);
    }

    function test_RevertGiven_TheDeploymentIsClosedForGood() external {
        bytes32[2] memory sig = _fits();
        _sunset();
        _expectSunset();
        _call(MACHINE, MINER, UID_HASH, sig);
    }

    function test_RevertGiven_TheMachineHasANode() external {
        _register(MACHINE);
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        _expectAlreadyRegistered(MINER);
        _call(MACHINE, MINER, UID_HASH, sig);
        assertEq(vault.registrationCount(), 1);
    }

    function test_RevertGiven_TheUidHasNoAssociation() external {
        METAGRAPH.setHotkey(NETUID, 0, HOTKEY);
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        _expectNotAssociated(0, address(0), MINER);
        _call(MACHINE, MINER, UID_HASH, sig);
    }

    function test_RevertGiven_AnotherAddressIsAssociated() external {
        _associate(MINER);
        bytes32[2] memory sig = _signRegistration(MACHINE, STRANGER);
        _expectNotAssociated(0, MINER, STRANGER);
        _call(MACHINE, STRANGER, UID_HASH, sig);
    }

    function test_RevertGiven_TheStoredAssociationIsOfAnotherShape() external {
        bytes32[2] memory sig = _fits();
        STORAGE.setValue(_associationKey(), abi.encodePacked(MINER));
        _expectNotAssociated(0, address(0), MINER);
        _call(MACHINE, MINER, UID_HASH, sig);
        STORAGE.setValue(_associationKey(), abi.encodePacked(MINER, uint64(7), uint8(0)));
        _expectNotAssociated(0, address(0), MINER);
        _call(MACHINE, MINER, UID_HASH, sig);
    }

    function test_RevertGiven_TheAssociationCannotBeRead() external {
        bytes32[2] memory sig = _fits();
        vm.etch(address(0x807), hex"fe"); // INVALID: burns what it is given
        _expectNotAssociated(0, address(0), MINER);
        uint256 before = gasleft();
        _call(MACHINE, MINER, UID_HASH, sig);
        assertLt(before - gasleft(), 80_000, "0x807 keeps the 10,000 it was given and no more");
    }

    function test_RevertWhen_TheUidHashIsWrong() external {
        bytes32[2] memory sig = _fits();
        _expectNotAssociated(0, address(0), MINER);
        _call(MACHINE, MINER, UID_HASH ^ bytes8(uint64(1)), sig);
    }

    function test_RevertGiven_NobodyIsAtTheUid() external {
        bytes32[2] memory sig = _fits();
        METAGRAPH.setHotkey(NETUID, 0, 0);
        _expectNoHotkey(0);
        _call(MACHINE, MINER, UID_HASH, sig);
        METAGRAPH.remove(NETUID, 0);
        _expectNoHotkey(0);
        uint256 before = gasleft();
        _call(MACHINE, MINER, UID_HASH, sig);
        assertLt(before - gasleft(), 80_000, "0x802 keeps the 10,000 it was given and no more");
    }

    function test_RevertGiven_AnotherHotkeyIsAtTheUid() external {
        bytes32[2] memory sig = _fits();
        METAGRAPH.setHotkey(NETUID, 0, OTHER_HOTKEY);
        _expectHotkeyNotAtUid(OTHER_HOTKEY, HOTKEY);
        _call(MACHINE, MINER, UID_HASH, sig);
    }

    function test_RevertGiven_TheMachineHasNotSigned() external {
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

    function test_RevertGiven_TheMachineKeyIsNoCurvePoint() external {
        _associate(MINER);
        ED25519.recordUndecodable(MACHINE);
        _expectBadMachineSignature(vault.registrationDigest(MACHINE, HOTKEY, MINER));
        uint256 before = gasleft();
        _call(MACHINE, MINER, UID_HASH, [SIG_R, SIG_S]);
        assertLt(before - gasleft(), 120_000, "0x402 keeps the 30,000 it was given and no more");
    }

    function test_RevertWhen_TheEndpointIsHalf() external {
        bytes32[2] memory sig = _fits();
        vm.startPrank(MINER);
        _expectBadEndpoint(0, 22);
        vault.register(MACHINE, HOTKEY, 0, UID_HASH, ICollateralVault.Endpoint(0, 22), sig);
        bytes16 ip = _endpoint().ip;
        _expectBadEndpoint(ip, 0);
        vault.register(MACHINE, HOTKEY, 0, UID_HASH, ICollateralVault.Endpoint(ip, 0), sig);
        assertEq(vault.registrationCount(), 0);
    }

    function test_RevertWhen_ValueIsSent() external {
        bytes32[2] memory sig = _fits();
        bytes memory data = abi.encodeCall(ICollateralVault.register, (MACHINE, HOTKEY, 0, UID_HASH, _endpoint(), sig));
        vm.prank(MINER);
        (bool ok,) = address(vault).call{ value: 1 gwei }(data);
        assertFalse(ok);
    }

    /* THE WAY THROUGH */

    function test_WhenEverythingFits() external {
        bytes32[2] memory sig = _fits();
        vm.expectEmit(address(vault));
        emit ICollateralVault.EndpointSet(MACHINE, _endpoint().ip, 22);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Registered(MACHINE, MINER, 1, HOTKEY, 0);
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
        assertFalse(node.retired);
        assertEq(vault.registrationCount(), 1);
        assertEq(vault.machineOf(1), MACHINE);
        assertEq(vault.minerOf(1), miner);
        (uint32 registration, address owner) = vault.ownerOf(MACHINE);
        assertEq(registration, 1);
        assertEq(owner, miner);
        _assertBond(0, 0, 0, 0);
        _assertBacking(RENTAL, 0, 0, 0);
    }

    function test_WhenSeveralMachinesRegister() external {
        assertEq(_register(MACHINE), 1);
        assertEq(_register(keccak256("second")), 2);
        assertEq(_register(keccak256("third")), 3);
        assertEq(vault.registrationCount(), 3);
        assertEq(vault.machineOf(2), keccak256("second"));
    }

    function test_WhenTheUidHasTwoBytes() external {
        bytes8 hash = 0x1122334455667788;
        METAGRAPH.setHotkey(NETUID, 0x0102, HOTKEY);
        bytes memory key = abi.encodePacked(ASSOCIATION_PREFIX, NETUID_HASH, hex"0200", hash, hex"0201");
        STORAGE.setValue(key, abi.encodePacked(MINER, uint64(9)));
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        vm.prank(MINER);
        vault.register(MACHINE, HOTKEY, 0x0102, hash, _endpoint(), sig);
        assertEq(vault.nodeAt(1).uid, 0x0102);
    }

    function test_GivenTheLastNodeOfTheMachineIsRetired() external {
        _retired();
        assertEq(_registerBy(STRANGER), 2);
        assertEq(vault.nodeAt(2).miner, STRANGER);
        assertEq(vault.nodeAt(2).endpoint.port, 22);
        assertEq(vault.nodeAt(1).miner, MINER);
        assertTrue(vault.nodeAt(1).retired);
        assertEq(vault.nodeAt(1).endpoint.port, 0, "where it was is the new node's business");
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        _associate(MINER);
        _expectAlreadyRegistered(STRANGER);
        _call(MACHINE, MINER, UID_HASH, sig);
    }

    /// @dev Slot 0 of the vault: liabilities and toBurn (64 bits each), then the count.
    function test_RevertGiven_ThereAreNoNumbersLeft() external {
        bytes32[2] memory sig = _fits();
        vm.store(address(vault), 0, bytes32(uint256(type(uint32).max - 1) << 128));
        assertEq(vault.registrationCount(), type(uint32).max - 1, "the storage layout has moved");
        assertEq(_call(MACHINE, MINER, UID_HASH, sig), type(uint32).max);
        bytes32 second = keccak256("second");
        sig = _signRegistration(second, MINER);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_BadConfig.selector, "no registration numbers left")
        );
        _call(second, MINER, UID_HASH, sig);
    }

    /* FUZZ */

    struct Try {
        uint8 gate; // 0 paused, 1 closed, else open
        uint8 taken; // 0 taken, 1 taken once and retired, else new
        uint8 association; // 0 none, 1 the stranger's, else the miner's
        uint8 hotkey; // 0 absent, 1 zero, 2 another, else right
        uint8 signature; // 0 missing, 1 the key is no curve point, 2 of the node before, else right
        bytes16 ip;
        uint16 port;
    }

    function testFuzz_RegistersOrSaysWhyNot(Try memory t) external {
        (t.gate, t.taken, t.association) = (t.gate % 16, t.taken % 8, t.association % 8);
        (t.hotkey, t.signature) = (t.hotkey % 16, t.signature % 8);
        _prepare(t);
        uint32 until = t.gate == 0 ? _pause() : 0;
        if (t.gate == 1) _sunset();
        uint32 count = vault.registrationCount();
        bool registers = t.gate > 1 && t.taken != 0 && t.association > 1 && t.hotkey > 2
            && (t.signature > 2 || (t.signature == 2 && t.taken != 1)) && t.ip != 0 && t.port != 0;
        if (!registers) _expectRefusal(t, until);
        vm.prank(MINER);
        vault.register(MACHINE, HOTKEY, 0, UID_HASH, ICollateralVault.Endpoint(t.ip, t.port), [SIG_R, SIG_S]);
        if (registers && t.taken != 1) _assertRegistered(MINER, t.ip, t.port);
        assertEq(vault.registrationCount(), registers ? count + 1 : count);
    }

    function _expectRefusal(Try memory t, uint32 until) private {
        bool signed = t.signature > 2 || (t.signature == 2 && t.taken != 1);
        if (t.gate == 0) _expectPaused(until);
        else if (t.gate == 1) _expectSunset();
        else if (t.taken == 0) _expectAlreadyRegistered(MINER);
        else if (t.association < 2) _expectNotAssociated(0, t.association == 0 ? address(0) : STRANGER, MINER);
        else if (t.hotkey < 2) _expectNoHotkey(0);
        else if (t.hotkey == 2) _expectHotkeyNotAtUid(OTHER_HOTKEY, HOTKEY);
        else if (!signed) _expectBadMachineSignature(vault.registrationDigest(MACHINE, HOTKEY, MINER));
        else _expectBadEndpoint(t.ip, t.port);
    }

    function _prepare(Try memory t) private {
        if (t.signature == 2) _signRegistration(MACHINE, MINER);
        if (t.taken == 0) _register(MACHINE);
        if (t.taken == 1) _retired();
        if (t.association == 0) STORAGE.setValue(_associationKey(), "");
        else _associate(t.association == 1 ? STRANGER : MINER);
        if (t.hotkey == 0) METAGRAPH.remove(NETUID, 0);
        else METAGRAPH.setHotkey(NETUID, 0, t.hotkey == 1 ? bytes32(0) : t.hotkey == 2 ? OTHER_HOTKEY : HOTKEY);
        if (t.signature > 2) _signRegistration(MACHINE, MINER);
        if (t.signature == 1) ED25519.recordUndecodable(MACHINE);
    }
}
