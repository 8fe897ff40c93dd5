// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { createArbiter, createEscrow, createVault, createVotingPower } from "../Build.sol";
import { Arbiter } from "../../src/Arbiter.sol";
import { CollateralVault } from "../../src/CollateralVault.sol";
import { RentalEscrow } from "../../src/RentalEscrow.sol";
import { VotingPowerKeepers } from "../../src/VotingPowerKeepers.sol";
import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";
import { VotingPowerStandIn } from "../standins/VotingPowerStandIn.sol";

/// @dev The custody contracts with this electorate in place of the appointed one: rented by its certificates, judged by
/// its attestations. Keeper n of `keeperAccounts` has uid n + 1; uid 0 is the miner's.
contract CourtTest is Base {
    VotingPowerStandIn private constant POWER = VotingPowerStandIn(address(0x80d));

    VotingPowerKeepers private _court;

    function setUp() public override {
        super.setUp();
        vm.etch(address(0x80d), type(VotingPowerStandIn).runtimeCode);
        POWER.setTracking(NETUID, true);
        _court = createVotingPower(NETUID, NETUID_HASH, 24 hours);
        _deployWithCourt();
        uint64[3] memory weights = [uint64(40e9), 35e9, 25e9];
        for (uint16 uid = 1; uid <= 3; ++uid) {
            METAGRAPH.setHotkey(NETUID, uid, _hotkey(uid));
            bytes memory key =
                abi.encodePacked(ASSOCIATION_PREFIX, NETUID_HASH, hex"0200", bytes8(uint64(uid)), bytes2(uid * 256));
            STORAGE.setValue(key, abi.encodePacked(keeperAccounts[uid - 1], hex"0700000000000000"));
            POWER.setPower(NETUID, _hotkey(uid), weights[uid - 1]);
            vm.prank(keeperAccounts[uid - 1]);
            _court.join(uid, bytes8(uint64(uid)), bytes32(uint256(uid)), "http://keeper.example");
        }
    }

    function _deployWithCourt() private {
        uint64 nonce = vm.getNonce(address(this));
        address escrowAt = vm.computeCreateAddress(address(this), nonce + 1);
        address arbiterAt = vm.computeCreateAddress(address(this), nonce + 2);
        vault = createVault(SEED_WEI, OWNER, _vaultConfig(escrowAt, arbiterAt));
        IRentalEscrow.Config memory e = _escrowConfig(address(vault), arbiterAt);
        e.keepers = address(_court);
        (uint16[] memory classes, Rao[] memory bonds) = _classBonds();
        escrow = createEscrow(SEED_WEI, OWNER, e, classes, bonds);
        IArbiter.Config memory a = _arbiterConfig(address(vault), escrowAt);
        a.keepers = address(_court);
        arbiter = createArbiter(SEED_WEI, a);
    }

    function _hotkey(uint16 uid) private pure returns (bytes32) {
        return keccak256(abi.encode("keeper's hotkey", uid));
    }

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
        _court.leave();
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
