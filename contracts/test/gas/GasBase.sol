// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Base } from "../Base.t.sol";

/// @dev States to measure from, and where measurements go.
abstract contract GasBase is Base {
    string internal constant VAULT = "CollateralVault";
    string internal constant ESCROW = "RentalEscrow";
    string internal constant ARBITER = "Arbiter";

    bytes32 internal constant SPOOF_TYPEHASH = keccak256(
        "Spoof(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,uint32 provedAt,bytes32 evidence)"
    );

    /// @dev Only the shipped bytecode is worth remembering.
    function _note(string memory group, string memory call) internal {
        if (keccak256(bytes(vm.envOr("FOUNDRY_PROFILE", string("default")))) == keccak256("shipped")) {
            vm.snapshotGasLastCall(group, call);
        }
    }

    /// @dev The stand-ins' own work is not the contracts'. From here on the chain's precompiles answer at once: 0x800
    /// takes what it is paid (on the chain: 38k), 0x80c and 0x802 and 0x402 return a constant, 0x807 the association.
    function _freePrecompiles() internal {
        vm.etch(address(0x800), hex"00");
        vm.etch(address(0x80c), abi.encodePacked(hex"7f", keccak256("account id"), hex"5f5260205ff3"));
        vm.etch(address(0x802), abi.encodePacked(hex"7f", HOTKEY, hex"5f5260205ff3"));
        vm.etch(address(0x402), abi.encodePacked(hex"7f", uint256(1), hex"5f5260205ff3"));
        vm.etch(address(0x807), abi.encodePacked(hex"7f", MINER, bytes12(0), hex"5f52601c5ff3"));
    }

    /// @dev Through a call: compiled as shipped, a function that reads the time twice gets the first answer twice.
    function _time() internal view returns (uint32) {
        return uint32(vm.getBlockTimestamp());
    }

    /// @dev Two more, so that five of about the same weight are active.
    function _moreKeepers() internal {
        for (uint256 i = 3; i < 5; ++i) {
            uint256 key = uint256(keccak256(abi.encode("keeper", i)));
            keeperAccounts.push(vm.addr(key));
            keeperKeys.push(key);
            for (uint256 j = i; j > 0 && keeperAccounts[j] < keeperAccounts[j - 1]; --j) {
                (keeperAccounts[j], keeperAccounts[j - 1]) = (keeperAccounts[j - 1], keeperAccounts[j]);
                (keeperKeys[j], keeperKeys[j - 1]) = (keeperKeys[j - 1], keeperKeys[j]);
            }
            vm.prank(OWNER);
            keepers.appoint(vm.addr(key), 30, keccak256("key"), "http://keeper.example");
        }
    }

    /// @dev Nobody pays for the first slot ever written but the very first of all users: a machine of somebody else has
    /// been rented and has had an interruption, so that all totals of all contracts are non-zero.
    function _livedIn() internal {
        bytes32 other = keccak256("another machine");
        _ready(other, 1e9);
        _freePrecompiles();
        uint64 rental = _rentOne(other, keeperAccounts.length, STRANGER);
        skip(30 minutes);
        IArbiter.Kind kind = IArbiter.Kind.Interrupted;
        uint256 all = keeperAccounts.length;
        arbiter.file(kind, rental, 0, _attest(kind, rental, _time() - 900, _time() - 600, all));
        _placeStandIns();
    }

    /// @dev The machine's first rental: nothing of it was ever reserved, owed or claimed.
    function _rentNow(uint256 signers) internal returns (uint64 rental) {
        _livedIn();
        _ready(MACHINE, 1e9);
        _freePrecompiles();
        return _rentOnce(signers);
    }

    function _rentOnce(uint256 signers) internal returns (uint64 rental) {
        return _rentOne(MACHINE, signers, RENTER);
    }

    /// @dev A day of `machine`.
    function _rentOne(bytes32 machine, uint256 signers, address renter) private returns (uint64 rental) {
        (, bytes32 offerHash,) = escrow.offerOf(machine);
        (uint32 registration,) = vault.ownerOf(machine);
        IRentalEscrow.SignedCertificate[] memory certificates = new IRentalEscrow.SignedCertificate[](signers);
        for (uint256 i = 0; i < signers; ++i) {
            certificates[i] = _certificate(keeperKeys[i], machine, registration, H100, 1, _time());
        }
        vm.prank(renter);
        rental = escrow.rent{ value: uint256(PRICE) * DAY * WEI }(machine, DAY, RENTER_KEY, offerHash, certificates);
    }
}
