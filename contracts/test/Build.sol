// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

// Creates every contract of the system as compiled with the tests, or, with SURETY_SHIPPED=true, from the committed
// bytecode that is deployed: the same tests then speak of that. A test that says `new` would speak of its own copy.

import { Vm } from "forge-std/Vm.sol";
import { AppointedKeepers } from "../src/AppointedKeepers.sol";
import { Arbiter } from "../src/Arbiter.sol";
import { CollateralVault } from "../src/CollateralVault.sol";
import { RentalBids } from "../src/RentalBids.sol";
import { RentalEscrow } from "../src/RentalEscrow.sol";
import { VotingPowerKeepers } from "../src/VotingPowerKeepers.sol";
import { IArbiter } from "../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../src/interfaces/ICollateralVault.sol";
import { IRentalEscrow } from "../src/interfaces/IRentalEscrow.sol";
import { Rao } from "../src/types/Units.sol";

Vm constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

/// @dev Creates a contract by name, with a revert of its constructor passed on as it is.
function create(string memory name, bytes memory compiled, bytes memory args, uint256 valueWei) returns (address at) {
    bool shipped = VM.envOr("SURETY_SHIPPED", false);
    bytes memory initcode =
        bytes.concat(shipped ? VM.getCode(string.concat("artifacts/", name, ".json")) : compiled, args);
    assembly ("memory-safe") {
        at := create(valueWei, add(initcode, 32), mload(initcode))
        if iszero(at) {
            let reason := mload(0x40)
            returndatacopy(reason, 0, returndatasize())
            revert(reason, returndatasize())
        }
    }
}

function createVault(uint256 valueWei, address owner, ICollateralVault.Config memory config) returns (CollateralVault) {
    return CollateralVault(
        create("CollateralVault", type(CollateralVault).creationCode, abi.encode(owner, config), valueWei)
    );
}

function createEscrow(
    uint256 valueWei,
    address owner,
    IRentalEscrow.Config memory config,
    uint16[] memory classes,
    Rao[] memory bonds
) returns (RentalEscrow) {
    bytes memory args = abi.encode(owner, config, classes, bonds);
    return RentalEscrow(create("RentalEscrow", type(RentalEscrow).creationCode, args, valueWei));
}

function createArbiter(uint256 valueWei, IArbiter.Config memory config) returns (Arbiter) {
    return Arbiter(create("Arbiter", type(Arbiter).creationCode, abi.encode(config), valueWei));
}

function createBids(uint256 valueWei, address escrow) returns (RentalBids) {
    return RentalBids(create("RentalBids", type(RentalBids).creationCode, abi.encode(escrow), valueWei));
}

function createAppointed(address owner) returns (AppointedKeepers) {
    return AppointedKeepers(create("AppointedKeepers", type(AppointedKeepers).creationCode, abi.encode(owner), 0));
}

function createVotingPower(uint16 netuid, bytes8 netuidHash, uint32 checkInSecs) returns (VotingPowerKeepers) {
    bytes memory args = abi.encode(netuid, netuidHash, checkInSecs);
    return VotingPowerKeepers(create("VotingPowerKeepers", type(VotingPowerKeepers).creationCode, args, 0));
}
