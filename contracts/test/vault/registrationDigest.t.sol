// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { CollateralVault } from "../../src/CollateralVault.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract RegistrationDigestTest is VaultBase {
    function test_IsTheKnownEncoding() external view {
        bytes32 expected = keccak256(
            abi.encodePacked(
                keccak256("surety.machine.register.v1"),
                uint256(31_337),
                uint256(uint160(address(vault))),
                MACHINE,
                HOTKEY,
                uint256(uint160(MINER)),
                uint256(0)
            )
        );
        assertEq(vault.registrationDigest(MACHINE, HOTKEY, MINER), expected);
    }

    function test_IsAnotherAfterRegistering_SoASignatureServesOnce() external {
        bytes32 before = vault.registrationDigest(MACHINE, HOTKEY, MINER);
        bytes32 other = vault.registrationDigest(keccak256("other"), HOTKEY, MINER);
        _register(MACHINE);
        assertNotEq(vault.registrationDigest(MACHINE, HOTKEY, MINER), before);
        assertEq(vault.registrationDigest(keccak256("other"), HOTKEY, MINER), other, "each machine counts alone");
    }

    function test_IsAnotherOnAnotherChain_ReadAtEachCall() external {
        bytes32 before = vault.registrationDigest(MACHINE, HOTKEY, MINER);
        vm.chainId(964);
        assertNotEq(vault.registrationDigest(MACHINE, HOTKEY, MINER), before);
        vm.chainId(31_337);
        assertEq(vault.registrationDigest(MACHINE, HOTKEY, MINER), before);
    }

    function test_ASignatureFromAnotherChainDoesNotRegister() external {
        _associate(MINER);
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        vm.chainId(964);
        bytes32 digest = vault.registrationDigest(MACHINE, HOTKEY, MINER);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_BadMachineSignature.selector, MACHINE, digest)
        );
        vm.prank(MINER);
        vault.register(MACHINE, HOTKEY, 0, UID_HASH, _endpoint(), sig);
    }

    function test_IsAnotherAtAnotherVault() external {
        ICollateralVault.Config memory config = _vaultConfig(address(escrow), address(arbiter));
        bytes32 digest = new CollateralVault{ value: SEED_WEI }(config).registrationDigest(MACHINE, HOTKEY, MINER);
        assertNotEq(digest, vault.registrationDigest(MACHINE, HOTKEY, MINER));
    }

    function testFuzz_EveryFieldCounts(bytes32 machine, bytes32 hotkey, address miner, uint256 flip) external view {
        bytes32 digest = vault.registrationDigest(machine, hotkey, miner);
        bytes32 bit = bytes32(uint256(1) << (flip % 160));
        assertNotEq(vault.registrationDigest(machine ^ bit, hotkey, miner), digest);
        assertNotEq(vault.registrationDigest(machine, hotkey ^ bit, miner), digest);
        assertNotEq(vault.registrationDigest(machine, hotkey, address(uint160(miner) ^ uint160(uint256(bit)))), digest);
    }
}
