// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { AppointedKeepers } from "../../src/AppointedKeepers.sol";
import { Arbiter } from "../../src/Arbiter.sol";
import { CollateralVault } from "../../src/CollateralVault.sol";
import { RentalBids } from "../../src/RentalBids.sol";
import { RentalEscrow } from "../../src/RentalEscrow.sol";
import { VotingPowerKeepers } from "../../src/VotingPowerKeepers.sol";
import { createVotingPower } from "../Build.sol";
import { VotingPowerStandIn } from "../standins/VotingPowerStandIn.sol";
import { GasBase } from "./GasBase.sol";

/// @dev How large each contract is, and what its initcode hashes to (constructor arguments left out). Both go to
/// snapshots/Bytecode.json when compiled as shipped; the hash, a number there, changes with every byte of the code.
contract BytecodeTest is GasBase {
    uint256 private constant MAX_RUNTIME_BYTES = 24_576; // EIP-170
    uint256 private constant MAX_INITCODE_BYTES = 49_152; // EIP-3860, constructor arguments included

    /// @dev The most any of the six takes: twelve classes in the escrow's table.
    uint256 private constant MOST_ARGUMENT_BYTES = 2_048;

    function test_AppointedKeepersFits() external {
        _check("AppointedKeepers", type(AppointedKeepers).creationCode, address(keepers));
    }

    function test_CollateralVaultFits() external {
        _check("CollateralVault", type(CollateralVault).creationCode, address(vault));
    }

    function test_RentalEscrowFits() external {
        _check("RentalEscrow", type(RentalEscrow).creationCode, address(escrow));
    }

    function test_ArbiterFits() external {
        _check("Arbiter", type(Arbiter).creationCode, address(arbiter));
    }

    function test_RentalBidsFits() external {
        _check("RentalBids", type(RentalBids).creationCode, address(bids));
    }

    function test_VotingPowerKeepersFits() external {
        vm.etch(address(0x80d), type(VotingPowerStandIn).runtimeCode);
        address power = address(createVotingPower(NETUID, NETUID_HASH, 24 hours));
        _check("VotingPowerKeepers", type(VotingPowerKeepers).creationCode, power);
    }

    function _check(string memory name, bytes memory initcode, address deployed) private {
        if (vm.envOr("SURETY_SHIPPED", false)) initcode = vm.getCode(string.concat("artifacts/", name, ".json"));
        assertGt(deployed.code.length, 0);
        assertLe(deployed.code.length, MAX_RUNTIME_BYTES, "runtime");
        assertLe(initcode.length + MOST_ARGUMENT_BYTES, MAX_INITCODE_BYTES, "initcode");
        if (!_isShipped()) return;
        vm.snapshotValue("Bytecode", string.concat(name, ", runtime bytes"), deployed.code.length);
        vm.snapshotValue("Bytecode", string.concat(name, ", initcode bytes"), initcode.length);
        vm.snapshotValue("Bytecode", string.concat(name, ", initcode keccak256"), uint256(keccak256(initcode)));
    }
}
