// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";

/// @dev Two cases of one rental, one paid from its reserve and one from free bond: each case answers for what it set
/// aside itself, in any order, whatever becomes of the other (SPEC invariants 4, 5 and 12).
contract Attribution is Base {
    uint64 internal constant BOND = 3e9;
    uint64 internal constant EARNED = 600 * uint64(PRICE);

    function test_ASpoofPaidFromFreeBondLeavesTheReserveAlone() external {
        uint64 rental = _spoofedDuringAnOutage();
        uint64 penalty = _rao(arbiter.caseAt(1).penalty);
        assertEq(_reserved(rental), H100_BOND - penalty, "the outage, and nothing else, took of the reserve");
        assertEq(_rao(arbiter.caseAt(3).penalty), H100_BOND);
        skip(25 hours);
        arbiter.execute(3); // the spoof
        assertEq(_held(), penalty, "still held for the outage");
        assertEq(_reserved(rental), H100_BOND - penalty);
        arbiter.execute(1);
        assertEq(_held(), 0);
        assertEq(_reserved(rental), H100_BOND - penalty, "the rental is over: what is given back is free");
        (,,,, Rao free) = vault.bondOf(MACHINE);
        assertEq(_rao(free), BOND - H100_BOND - H100_BOND + penalty - EARNED);
        escrow.close(rental);
        (Rao bonded,,,, Rao all) = vault.bondOf(MACHINE);
        assertEq(_rao(all), _rao(bonded), "closed: all of it is free");
    }

    function test_ASpoofAndAnOutageBurnWhatEachMayAndNoMoreInAnyOrder() external {
        _spoofedDuringAnOutage();
        skip(25 hours);
        uint256 before = vm.snapshotState();
        arbiter.execute(3);
        arbiter.execute(1);
        _assertEnded(H100_BOND + EARNED, "the spoof, and what the rental earned");
        vm.revertToState(before);
        arbiter.execute(1);
        arbiter.execute(3);
        _assertEnded(H100_BOND + EARNED, "the same the other way round");
    }

    function test_AnOverturnedCaseGivesBackItsOwnBondOnly() external {
        uint64 rental = _spoofedDuringAnOutage();
        uint64 penalty = _rao(arbiter.caseAt(1).penalty);
        uint256 bondWei = _rao(arbiter.appealBondOf(3)) * WEI;
        vm.prank(MINER);
        arbiter.appeal{ value: bondWei }(3, keccak256("evidence"));
        vm.prank(JUDGE);
        arbiter.rule(3, false);
        assertEq(_held(), penalty, "the outage's is held as before");
        assertEq(_reserved(rental), H100_BOND - penalty);
        skip(25 hours);
        arbiter.execute(1);
        _assertEnded(EARNED, "what the rental earned, and nothing for the spoof");
    }

    function _assertEnded(uint64 burned, string memory what) private view {
        assertEq(_rao(vault.toBurn()), burned, what);
        (Rao bonded,, Rao held,,) = vault.bondOf(MACHINE);
        assertEq(_rao(held), 0);
        assertEq(_rao(bonded), BOND - burned);
    }

    function _held() private view returns (uint64) {
        (,, Rao held,,) = vault.bondOf(MACHINE);
        return _rao(held);
    }

    /// @dev Case 1 is the outage; case 2 then takes most of what the rental had earned; case 3 is the spoof.
    function _spoofedDuringAnOutage() private returns (uint64 rental) {
        _ready(MACHINE, BOND);
        rental = _rent(MACHINE, DAY);
        skip(6 hours);
        uint32 out = _time();
        skip(20 minutes);
        IArbiter.Kind kind = IArbiter.Kind.Offline;
        arbiter.file(kind, rental, 0, _attest(kind, rental, out, out + 1140, 3));
        kind = IArbiter.Kind.Interrupted;
        arbiter.file(kind, rental, 0, _attest(kind, rental, out - 21_000, out, 3));
        arbiter.fileSpoofed(MACHINE, 1, H100, 1, _spoofs());
    }

    function _spoofs() private view returns (IArbiter.SignedSpoof[] memory spoofs) {
        bytes32 typehash = keccak256(
            "Spoof(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,uint32 provedAt,bytes32 evidence)"
        );
        spoofs = new IArbiter.SignedSpoof[](3);
        for (uint256 i = 0; i < 3; ++i) {
            spoofs[i].provedAt = Timestamp.wrap(_time());
            bytes32 hash = keccak256(abi.encode(typehash, MACHINE, 1, H100, 1, _time(), bytes32(0)));
            (spoofs[i].r, spoofs[i].vs) = _sign(keeperKeys[i], address(arbiter), hash);
        }
    }

    function _time() private view returns (uint32) {
        return uint32(vm.getBlockTimestamp());
    }
}
