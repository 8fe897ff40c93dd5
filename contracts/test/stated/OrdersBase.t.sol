// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { IStatedBonds } from "../../src/interfaces/IStatedBonds.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { StatedBase } from "./StatedBase.t.sol";

/// @dev What the suites share that put statements, cases and rentals in all orders.
abstract contract OrdersBase is StatedBase {
    uint64 internal constant NEEDED = H100_BOND;

    function _longStated() internal {
        _register(MACHINE);
        _offer(MACHINE);
        IStatedBonds.SignedStatement memory word = _word();
        word.until = Timestamp.wrap(_now() + 60 days);
        _state(_claim(0, true), word);
    }

    function _failAt(uint64 rental) internal {
        skip(12 hours);
        IArbiter.Kind kind = IArbiter.Kind.Offline;
        arbiter.file(kind, rental, 0, _attest(kind, rental, _now() - 20 minutes, _now(), 3));
        skip(60);
    }

    function _offerAgain() internal {
        vm.prank(MINER);
        escrow.offer(MACHINE, _terms());
        skip(60);
    }

    function _spoof(uint16 gpus) internal {
        bytes32 typehash = keccak256(
            "Spoof(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,uint32 provedAt,bytes32 evidence)"
        );
        IArbiter.SignedSpoof[] memory spoofs = new IArbiter.SignedSpoof[](3);
        for (uint256 i = 0; i < 3; ++i) {
            spoofs[i].provedAt = Timestamp.wrap(_now());
            bytes32 hash = keccak256(abi.encode(typehash, MACHINE, 1, H100, gpus, _now(), bytes32(0)));
            (spoofs[i].r, spoofs[i].vs) = _sign(keeperKeys[i], address(arbiter), hash);
        }
        arbiter.fileSpoofed(MACHINE, 1, H100, gpus, spoofs);
    }

    /// @dev A cover at one to one.
    function _assertCover2(uint64 rental, uint64 statement, uint64 value) internal view {
        IStatedBonds.Cover memory cover = vault.coverOf(rental);
        assertEq(cover.statement, statement, "statement");
        assertEq(_rao(cover.value), value, "value");
    }

    function extendByHand(uint64 rental, uint32 secs) external {
        vm.deal(RENTER, 1_000 ether);
        _extend(rental, secs);
    }

    function _fails(bytes4 selector, uint64 rental, uint32 secs) internal {
        vm.expectPartialRevert(selector);
        this.extendByHand(rental, secs);
    }

    function _expectRentPartially(bytes4 with) internal {
        (, bytes32 hash,) = escrow.offerOf(MACHINE);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(MACHINE, 3);
        vm.expectPartialRevert(with);
        vm.prank(RENTER);
        escrow.rent{ value: uint256(PRICE) * 1 hours * WEI }(MACHINE, 1 hours, RENTER_KEY, hash, certificates);
    }

    function _expectRent(bytes memory with) internal {
        (, bytes32 hash,) = escrow.offerOf(MACHINE);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(MACHINE, 3);
        vm.expectRevert(with);
        vm.prank(RENTER);
        escrow.rent{ value: uint256(PRICE) * 1 hours * WEI }(MACHINE, 1 hours, RENTER_KEY, hash, certificates);
    }
}
