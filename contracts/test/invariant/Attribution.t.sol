// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";

/// @dev Two cases of one rental, one paid from its reserve and one from free bond (SPEC invariants 4 and 5).
contract Attribution is Base {
    uint64 internal constant BOND = 3e9;

    function test_ASpoofAndAnOutageBurnWhatEachMayAndNoMore() external {
        _spoofedDuringAnOutage();
        skip(25 hours);
        arbiter.execute(3);
        arbiter.execute(1);
        uint64 earned = 600 * uint64(PRICE);
        assertEq(_rao(vault.toBurn()), H100_BOND + earned, "the spoof, and what the rental earned");
        (Rao bonded,, Rao held,,) = vault.bondOf(MACHINE);
        assertEq(_rao(held), 0);
        assertEq(_rao(bonded), BOND - H100_BOND - earned);
    }

    // Known (SPEC L13): `forfeit` and `giveBack` tell a rental's share of a penalty by `min(amount, reserve.held)`, not
    // by case. So a spoof paid from free bond alone eats the record of what the outage holds of the reserve. No rao is
    // lost, but what the outage gives back goes to free bond while the rental is open.
    //
    // function test_BUG_ASpoofPaidFromFreeBondLeavesTheReserveAlone() external {
    //     uint64 rental = _spoofedDuringAnOutage();
    //     uint64 penalty = _rao(arbiter.caseAt(1).penalty);
    //     skip(25 hours);
    //     arbiter.execute(3); // the spoof
    //     ICollateralVault.Reserve memory r = vault.reserveOf(rental);
    //     assertEq(_rao(r.held), penalty, "still held for the outage");
    //     assertEq(_rao(r.forfeited), 0, "nothing of this rental's was burned");
    //     arbiter.execute(1);
    //     r = vault.reserveOf(rental);
    //     assertEq(_rao(r.forfeited), 600 * uint64(PRICE), "what the rental earned");
    //     assertEq(_rao(r.reserved), H100_BOND - 600 * uint64(PRICE), "the rest is behind the rental again");
    // }

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
