// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";

/// @dev States to measure from, and where measurements go.
abstract contract GasBase is Base {
    string internal constant VAULT = "CollateralVault";
    string internal constant ESCROW = "RentalEscrow";
    string internal constant ARBITER = "Arbiter";
    string internal constant BIDS = "RentalBids";

    bytes32 internal constant SPOOF_TYPEHASH = keccak256(
        "Spoof(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,uint32 provedAt,bytes32 evidence)"
    );

    /// @dev Only the shipped bytecode is worth remembering.
    function _note(string memory group, string memory call) internal {
        if (_isShipped()) vm.snapshotGasLastCall(group, call);
    }

    /// @dev Compiled as shipped, or created from the committed bytecode (test/Build.sol): the same, or artifacts/ is
    /// old.
    function _isShipped() internal view returns (bool) {
        if (vm.envOr("SURETY_SHIPPED", false)) return true;
        return keccak256(bytes(vm.envOr("FOUNDRY_PROFILE", string("default")))) == keccak256("shipped");
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
    /// been rented and has failed, and somebody has a bid open, so that all totals of all contracts are non-zero.
    function _livedIn() internal {
        bytes32 other = keccak256("another machine");
        _ready(other, 1e9);
        _freePrecompiles();
        uint64 rental = _rentOne(other, keeperAccounts.length, STRANGER);
        skip(10 minutes);
        _offline(rental, keeperAccounts.length);
        vm.prank(STRANGER);
        bids.post{ value: uint256(PRICE) * DAY * WEI }(
            H100, 1, DAY, RaoPerSecond.wrap(PRICE), RENTER_KEY, Timestamp.wrap(_time() + 30 days)
        );
        _placeStandIns();
    }

    /// @dev From now on for 20 minutes, filed a minute after the last look.
    function _offline(uint64 rental, uint256 signers) internal {
        uint32 from = _time();
        skip(20 minutes);
        uint32 until = _time() - 60;
        IArbiter.SignedAttestation[] memory seen = _attest(IArbiter.Kind.Offline, rental, from, until, signers);
        arbiter.file(IArbiter.Kind.Offline, rental, 0, seen);
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

    /// @dev By all keepers that are to sign, just now.
    function _certificates(bytes32 machine, uint256 signers)
        internal
        view
        returns (IRentalEscrow.SignedCertificate[] memory certificates)
    {
        (uint32 registration,) = vault.ownerOf(machine);
        certificates = new IRentalEscrow.SignedCertificate[](signers);
        for (uint256 i = 0; i < signers; ++i) {
            certificates[i] = _certificate(keeperKeys[i], machine, registration, H100, 1, _time());
        }
    }

    /// @dev A day of `machine`.
    function _rentOne(bytes32 machine, uint256 signers, address renter) internal returns (uint64 rental) {
        (, bytes32 offerHash,) = escrow.offerOf(machine);
        IRentalEscrow.SignedCertificate[] memory certificates = _certificates(machine, signers);
        vm.prank(renter);
        rental = escrow.rent{ value: uint256(PRICE) * DAY * WEI }(machine, DAY, RENTER_KEY, offerHash, certificates);
    }
}
