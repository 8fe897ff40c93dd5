// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

contract CloseManyTest is EscrowBase {
    uint32 private start;

    function setUp() public override {
        super.setUp();
        start = _now();
    }

    function _machine(uint256 i) private pure returns (bytes32) {
        return keccak256(abi.encode("machine", i));
    }

    /// @dev `count` rentals of `count` machines, number i for i hours.
    function _rentMany(uint32 count) private {
        for (uint32 i = 1; i <= count; ++i) {
            _ready(_machine(i), H100_BOND);
            _rent(_machine(i), i * 1 hours);
        }
    }

    function _list(uint256 count) private pure returns (uint64[] memory ids) {
        ids = new uint64[](count);
        for (uint64 i = 0; i < count; ++i) {
            ids[i] = i + 1;
        }
    }

    function _closeMany(uint64[] memory ids) private returns (uint256) {
        vm.prank(STRANGER);
        return escrow.closeMany(ids);
    }

    /// @dev Everything closing can touch.
    function _state(uint256 count) private view returns (bytes32 h) {
        h = keccak256(abi.encode(_creditOf(MINER), _creditOf(RENTER), _creditOf(TREASURY), escrow.liabilities()));
        for (uint32 i = 1; i <= count; ++i) {
            h = keccak256(abi.encode(h, _rentalAt(i), vault.nodeAt(i)));
        }
    }

    function test_WhenTheListIsEmpty() external {
        vm.recordLogs();
        assertEq(_closeMany(_list(0)), 0);
        assertEq(vm.getRecordedLogs().length, 0);
    }

    function test_WhenNoneOfThemExists() external {
        uint64[] memory ids = new uint64[](2_000);
        for (uint64 i = 0; i < ids.length; ++i) {
            ids[i] = i == 0 ? 0 : type(uint64).max / i;
        }
        assertEq(_closeMany(ids), 0);
    }

    function test_GivenTheyAreRunningOrInsideTheLag() external {
        _rentMany(3);
        bytes32 before = _state(3);
        assertEq(_closeMany(_list(3)), 0);
        vm.warp(start + 2 hours - 1); // the first: over, a second inside the lag
        assertEq(_closeMany(_list(3)), 0);
        assertEq(_state(3), before);
        skip(1);
        assertEq(_closeMany(_list(3)), 1);
        assertTrue(_rentalAt(1).closed);
        assertFalse(_rentalAt(2).closed);
    }

    function test_GivenTheyAreClosedAlready() external {
        _rentMany(2);
        skip(4 hours);
        escrow.close(1);
        bytes32 before = keccak256(abi.encode(_rentalAt(1), vault.nodeAt(1)));
        assertEq(_closeMany(_list(2)), 1);
        assertEq(_closeMany(_list(2)), 0);
        assertEq(_creditOf(MINER), _cost(3 hours));
        assertEq(keccak256(abi.encode(_rentalAt(1), vault.nodeAt(1))), before);
    }

    function test_WhenOneIsNamedTwice() external {
        _rentMany(2);
        skip(4 hours);
        uint64[] memory ids = new uint64[](5);
        (ids[0], ids[1], ids[2], ids[3], ids[4]) = (2, 2, 1, 2, 1);
        assertEq(_closeMany(ids), 2);
        assertEq(_creditOf(MINER), _cost(3 hours), "paid once");
    }

    function test_WhenSomeCanBeClosed() external {
        _rentMany(4);
        skip(3 hours); // 1 and 2 can be closed
        uint64[] memory ids = new uint64[](6);
        (ids[0], ids[1], ids[2], ids[3], ids[4], ids[5]) = (4, 2, 99, 1, 3, 0);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Claimed(2, MINER, Rao.wrap(_cost(2 hours)), Rao.wrap(0));
        vm.expectEmit(address(vault));
        emit ICollateralVault.Released(2, 2, Rao.wrap(H100_BOND));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.RentalClosed(2);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Claimed(1, MINER, Rao.wrap(_cost(1 hours)), Rao.wrap(0));
        vm.expectEmit(address(vault));
        emit ICollateralVault.Released(1, 1, Rao.wrap(H100_BOND));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.RentalClosed(1);
        assertEq(_closeMany(ids), 2, "how many");
        assertEq(_creditOf(STRANGER), 0, "the caller gains nothing");
        assertFalse(_rentalAt(3).closed);
        assertFalse(_rentalAt(4).closed);
    }

    function test_WhenAllCanBeClosed() external {
        _rentMany(3);
        skip(90 minutes);
        escrow.claim(1);
        _withhold(2, 0, _now() - 10 minutes, _now(), true); // a case that is not decided yet
        _end(3);
        skip(2 days);
        uint256 snapshot = vm.snapshotState();
        for (uint64 i = 1; i <= 3; ++i) {
            escrow.close(i);
        }
        bytes32 oneByOne = _state(3);
        vm.revertToState(snapshot);
        assertEq(_closeMany(_list(3)), 3);
        assertEq(_state(3), oneByOne, "it pays and releases like close, rental by rental");
    }

    function test_WhenTheListIsLong() external {
        uint32 count = 64;
        for (uint32 i = 1; i <= count; ++i) {
            _ready(_machine(i), H100_BOND);
            _rent(_machine(i), 1 hours);
        }
        skip(3 hours);
        uint256 gas = gasleft();
        assertEq(_closeMany(_list(1_000)), count);
        assertLt(gas - gasleft(), 1_000 * 7_000 + count * 40_000, "7,000 a name, 40,000 more for each closed");
        assertEq(_creditOf(MINER), count * _cost(1 hours));
        assertEq(_closeMany(_list(1_000)), 0);
    }

    function test_GivenNewBusinessIsPausedOrAtItsSunset() external {
        _rentMany(2);
        skip(4 hours);
        _pause(7 days);
        _sunset();
        assertEq(_closeMany(_list(2)), 2);
    }

    /// @dev A total function without a revert: each id is closed or skipped by the same rules, in order.
    function testFuzz_EveryListIsClosedAsFarAsItCanBe(uint64[] memory ids, uint32 later) external {
        _rentMany(5);
        later %= 8 hours;
        vm.warp(start + later);
        bool[6] memory closed;
        uint256 wanted;
        uint64 paid;
        for (uint256 i = 0; i < ids.length; ++i) {
            if (ids[i] % 4 != 0) ids[i] = ids[i] / 4 % 7; // 0 and 6 are nobody's
            uint64 id = ids[i];
            if (id == 0 || id > 5 || closed[id] || later < (id + 1) * 1 hours) continue;
            closed[id] = true;
            ++wanted;
            paid += id * _cost(1 hours);
        }
        assertEq(_closeMany(ids), wanted);
        assertEq(_creditOf(MINER), paid);
        for (uint64 id = 1; id <= 5; ++id) {
            assertEq(_rentalAt(id).closed, closed[id]);
            assertEq(_reserved(id), closed[id] ? 0 : H100_BOND);
        }
    }
}
