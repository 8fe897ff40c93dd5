// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao } from "../../src/types/Units.sol";
import { CourtBase } from "./CourtBase.sol";

/// @dev The custody contracts, rented by certificates of this electorate and judged by its attestations.
contract CourtTest is CourtBase {
    /// @dev Through a call: compiled as shipped, a function that reads the time twice gets the first answer twice.
    function _time() private view returns (uint32) {
        return uint32(vm.getBlockTimestamp());
    }

    /// @dev An outage of a quarter of an hour, up to now, by the first `signers` keepers.
    function _fileOffline(uint64 rental, uint256 signers) private {
        skip(2 hours);
        IArbiter.Kind kind = IArbiter.Kind.Offline;
        arbiter.file(kind, rental, 0, _attest(kind, rental, _time() - 15 minutes, _time(), signers));
    }

    function _held() private view returns (uint64) {
        (,, Rao held,,) = vault.bondOf(MACHINE);
        return _rao(held);
    }

    function test_AFullCourtRentsEndsAndPunishes() external {
        _fileOffline(_rented(), 3);
        assertGt(_held(), 0, "the penalty is set aside");
    }

    function test_WithTrackingOffItEndsAndPunishesNobody() external {
        uint64 rental = _rented();
        POWER.setTracking(NETUID, false);
        _fileOffline(rental, 3);
        assertEq(_held(), 0);
        assertGt(_rao(escrow.creditOf(RENTER)), 0, "the renter has the rest at once");
    }

    function test_TwoKeepersEndAndPunishNobody() external {
        uint64 rental = _rented();
        vm.prank(keeperAccounts[2]);
        power.leave();
        _fileOffline(rental, 2);
        assertEq(_held(), 0);
        assertGt(_rao(escrow.creditOf(RENTER)), 0);
    }

    function test_WithoutLiveWeightNobodyIsRentedTo() external {
        _ready(MACHINE, 1e9);
        POWER.setPower(NETUID, _hotkey(1), 0);
        (, bytes32 offerHash,) = escrow.offerOf(MACHINE);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(MACHINE, 3);
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoQuorum.selector, 3));
        vm.prank(RENTER);
        escrow.rent{ value: uint256(PRICE) * DAY * WEI }(MACHINE, DAY, RENTER_KEY, offerHash, certificates);
    }

    /// @dev Whoever files cannot choose the gas so that the penalty falls under the table.
    function test_NoAmountOfGasFilesWithoutThePenalty() external {
        uint64 rental = _rented();
        skip(2 hours);
        IArbiter.Kind kind = IArbiter.Kind.Offline;
        bytes memory call =
            abi.encodeCall(arbiter.file, (kind, rental, 0, _attest(kind, rental, _time() - 15 minutes, _time(), 3)));
        uint256 filed;
        for (uint256 gas = 50_000; gas < 400_000; gas += 1_000) {
            uint256 snapshot = vm.snapshotState();
            // forge-lint: disable-next-line(unchecked-call)
            (bool ok,) = address(arbiter).call{ gas: gas }(call);
            if (ok) ++filed;
            if (ok) assertGt(_held(), 0, "no gas makes 0x80d look switched off");
            vm.revertToState(snapshot);
        }
        assertGt(filed, 0);
    }
}
