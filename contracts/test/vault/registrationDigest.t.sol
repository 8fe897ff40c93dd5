// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { createVault } from "../Build.sol";
import { CollateralVault } from "../../src/CollateralVault.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract RegistrationDigestTest is VaultBase {
    function _known(uint256 last) private view returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                keccak256("surety.machine.register.v1"),
                uint256(31_337),
                uint256(uint160(address(vault))),
                MACHINE,
                HOTKEY,
                uint256(uint160(MINER)),
                last
            )
        );
    }

    function test_WhenAsked() external view {
        assertEq(vault.registrationDigest(MACHINE, HOTKEY, MINER), _known(0));
    }

    function test_WhenAnyArgumentDiffers() external view {
        bytes32 digest = vault.registrationDigest(MACHINE, HOTKEY, MINER);
        assertNotEq(vault.registrationDigest(HOTKEY, HOTKEY, MINER), digest);
        assertNotEq(vault.registrationDigest(MACHINE, MACHINE, MINER), digest);
        assertNotEq(vault.registrationDigest(MACHINE, HOTKEY, STRANGER), digest);
    }

    function test_GivenTheMachineWasRegisteredSince() external {
        bytes32 other = vault.registrationDigest(keccak256("other"), HOTKEY, MINER);
        _register(MACHINE);
        assertEq(vault.registrationDigest(MACHINE, HOTKEY, MINER), _known(1));
        assertEq(vault.registrationDigest(keccak256("other"), HOTKEY, MINER), other);
    }

    function test_GivenTheMachineWasRetiredSince() external {
        _retired();
        assertEq(vault.registrationDigest(MACHINE, HOTKEY, MINER), _known(1), "never 0 again");
        _register(keccak256("other"));
        _registerBy(STRANGER);
        assertEq(vault.registrationDigest(MACHINE, HOTKEY, MINER), _known(3));
    }

    function test_GivenAnotherChainId() external {
        _associate(MINER);
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        vm.chainId(964);
        bytes32 digest = vault.registrationDigest(MACHINE, HOTKEY, MINER);
        assertNotEq(digest, _known(0));
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_BadMachineSignature.selector, MACHINE, digest)
        );
        vm.prank(MINER);
        vault.register(MACHINE, HOTKEY, 0, UID_HASH, _endpoint(), sig);
        vm.chainId(31_337);
        assertEq(vault.registrationDigest(MACHINE, HOTKEY, MINER), _known(0), "read at each call");
    }

    function test_GivenAnotherVault() external {
        ICollateralVault.Config memory config = _vaultConfig(address(escrow), address(arbiter));
        CollateralVault other = createVault(SEED_WEI, OWNER, config);
        assertNotEq(other.registrationDigest(MACHINE, HOTKEY, MINER), _known(0));
    }

    function testFuzz_EveryBitCounts(bytes32 machine, bytes32 hotkey, address miner, uint256 flip) external view {
        bytes32 digest = vault.registrationDigest(machine, hotkey, miner);
        bytes32 bit = bytes32(uint256(1) << (flip % 160));
        assertNotEq(vault.registrationDigest(machine ^ bit, hotkey, miner), digest);
        assertNotEq(vault.registrationDigest(machine, hotkey ^ bit, miner), digest);
        assertNotEq(vault.registrationDigest(machine, hotkey, address(uint160(miner) ^ uint160(uint256(bit)))), digest);
    }
}
