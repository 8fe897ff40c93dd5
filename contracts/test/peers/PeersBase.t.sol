// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Vm, VmSafe } from "forge-std/Vm.sol";
import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";

/// @dev A payee, renter or miner that fights back: its code tries to be paid again and to take the contract along.
contract Hostile {
    IRentalEscrow private immutable ESCROW;
    bool public ran;

    constructor(IRentalEscrow escrow) payable {
        ESCROW = escrow;
    }

    function rent(bytes32 machine, uint32 secs, bytes32 offerHash, IRentalEscrow.SignedCertificate[] calldata c)
        external
        returns (uint64)
    {
        return ESCROW.rent{ value: address(this).balance }(machine, secs, keccak256("renter key"), offerHash, c);
    }

    receive() external payable {
        ran = true;
        ESCROW.withdrawCredit(address(this));
        revert("I take no money, and nobody shall");
    }
}

/// @dev Steps of whole stories, with keepers' signatures and without short cuts into the contracts.
abstract contract PeersBase is Base {
    uint64 internal constant BOND = 1e9;

    struct Bond {
        uint64 bonded;
        uint64 reserved;
        uint64 held;
        uint64 exiting;
        uint64 free;
    }

    function _bond(bytes32 machine) internal view returns (Bond memory) {
        (Rao bonded, Rao reserved, Rao held, Rao exiting, Rao free) = vault.bondOf(machine);
        return Bond(_rao(bonded), _rao(reserved), _rao(held), _rao(exiting), _rao(free));
    }

    function _requestExit(bytes32 machine, uint64 rao) internal {
        vm.prank(MINER);
        vault.requestExit(machine, Rao.wrap(rao));
    }

    function _withdraw(bytes32 machine) internal {
        vm.prank(MINER);
        vault.withdraw(machine);
    }

    function _retire(bytes32 machine) internal {
        vm.prank(MINER);
        vault.retire(machine);
    }

    /// @dev MACHINE, for its next owner, with what the chain and the host key must say for it.
    function _registerFor(address miner) internal returns (uint32 registration) {
        _associate(miner);
        bytes32[2] memory sig = _signRegistration(MACHINE, miner);
        vm.prank(miner);
        return vault.register(MACHINE, HOTKEY, 0, UID_HASH, _endpoint(), sig);
    }

    function _depositAs(address miner, uint64 rao) internal {
        vm.prank(miner);
        vault.deposit{ value: uint256(rao) * WEI }(MACHINE);
    }

    /// @dev By the miner, paying exactly what it takes.
    function _appeal(uint64 caseId) internal returns (uint64 appealBond) {
        appealBond = _rao(arbiter.appealBondOf(caseId));
        vm.prank(MINER);
        arbiter.appeal{ value: uint256(appealBond) * WEI }(caseId, keccak256("what the miner has to say"));
    }

    /// @dev An outage of 20 minutes from now on, filed by a stranger with all keepers' signatures.
    function _goOffline(uint64 rental) internal returns (uint64 caseId) {
        uint32 out = _now();
        skip(20 minutes);
        IArbiter.SignedAttestation[] memory seen = _attest(IArbiter.Kind.Offline, rental, out, _now() - 60, 3);
        vm.prank(STRANGER);
        caseId = arbiter.file(IArbiter.Kind.Offline, rental, 0, seen);
    }

    function _spoofs(bytes32 machine, uint16 gpuCount, uint256 signers)
        internal
        view
        returns (IArbiter.SignedSpoof[] memory spoofs)
    {
        (uint32 registration,) = vault.ownerOf(machine);
        bytes32 typehash = keccak256(
            "Spoof(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,"
            "uint32 provedAt,bytes32 evidence)"
        );
        spoofs = new IArbiter.SignedSpoof[](signers);
        for (uint256 i = 0; i < signers; ++i) {
            spoofs[i].provedAt = Timestamp.wrap(_now());
            spoofs[i].evidence = keccak256("two roots, two bad rows");
            bytes32 hash =
                keccak256(abi.encode(typehash, machine, registration, H100, gpuCount, _now(), spoofs[i].evidence));
            (spoofs[i].r, spoofs[i].vs) = _sign(keeperKeys[i], address(arbiter), hash);
        }
    }

    /// @dev The machine is caught spoofing `gpuCount` H100s: up to .721 TAO each.
    function _spoofed(bytes32 machine, uint16 gpuCount) internal returns (uint64 caseId) {
        (uint32 registration,) = vault.ownerOf(machine);
        IArbiter.SignedSpoof[] memory spoofs = _spoofs(machine, gpuCount, 3);
        vm.prank(STRANGER);
        caseId = arbiter.fileSpoofed(machine, registration, H100, gpuCount, spoofs);
    }

    function _count(Vm.Log[] memory logs, bytes32 topic) internal pure returns (uint256 count) {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == topic) ++count;
        }
    }

    /// @dev Invariant 9: custody contracts call precompiles and siblings, and never run foreign code as their own.
    function _assertOnlyKnownCalls(VmSafe.AccountAccess[] memory accesses) internal view {
        uint256 calls;
        for (uint256 i = 0; i < accesses.length; ++i) {
            VmSafe.AccountAccess memory a = accesses[i];
            if (!_isCustody(a.accessor) || uint8(a.kind) > uint8(VmSafe.AccountAccessKind.Create)) continue;
            ++calls;
            bool plain = a.kind == VmSafe.AccountAccessKind.Call || a.kind == VmSafe.AccountAccessKind.StaticCall;
            assertTrue(plain, "delegatecall, callcode or create");
            bool known = _isCustody(a.account) || a.account == address(keepers) || uint160(a.account) <= 0x80c;
            assertTrue(known, "a call to something else");
            // A bid that is filled pays its rental; everything else leaves through the precompile.
            bool filled = a.accessor == address(bids) && a.account == address(escrow);
            assertTrue(a.value == 0 || filled || a.account == address(0x800), "value leaves through 0x800 only");
        }
        assertGt(calls, 0);
    }

    function _isCustody(address account) private view returns (bool) {
        return account == address(vault) || account == address(escrow) || account == address(arbiter)
            || account == address(bids);
    }
}
