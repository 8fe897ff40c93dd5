// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Vm } from "forge-std/Vm.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IKeeperSet } from "../../src/interfaces/IKeeperSet.sol";
import { RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { ArbiterBase } from "./ArbiterBase.t.sol";

/// @dev What a case costs a miner: a share of the reserve, and for an outage never more than the rental earned.
contract PenaltiesTest is ArbiterBase {
    function test_AnInterruptionCostsOnlyItsSeconds() external {
        skip(DAY - 1);
        assertEq(_penaltyOf(_fileSeen(INTERRUPTED, 0, _now() - 2_000, _now())), 0);
        _assertBond(H100_BOND, 0, 0, 1e9 - H100_BOND);
    }

    function test_AnOutageCostsATenthOfTheReserveAtMost() external {
        skip(DAY - 1);
        assertEq(_penaltyOf(_fileSeen(OFFLINE, 0, _now() - 2_000, _now())), H100_BOND / 10);
    }

    function test_AnOutageCostsNeverMoreThanTheRentalEarned() external {
        skip(1 hours);
        assertEq(_penaltyOf(_fileSeen(OFFLINE, 0, start + 100, _now())), _cost(100));
    }

    function test_WhatIsClaimedCountsAsEarned() external {
        skip(90 minutes);
        escrow.claim(rental);
        assertEq(_creditOf(MINER), _cost(30 minutes));
        assertEq(_penaltyOf(_fileSeen(OFFLINE, 0, start + 35 minutes, _now())), _cost(35 minutes));
        assertEq(_creditOf(MINER), _cost(30 minutes), "and stays the miner's");
    }

    function test_WhatIsWithheldDoesNot() external {
        skip(1 hours);
        _fileSeen(INTERRUPTED, 0, start + 100, start + 1_100);
        assertEq(_penaltyOf(_fileSeen(OFFLINE, 1, start + 1_500, _now())), _cost(500));
    }

    function test_AnOutageFromTheStartCostsNothingBeyondItsSeconds() external {
        skip(20 minutes);
        vm.recordLogs();
        assertEq(_penaltyOf(_fileSeen(OFFLINE, 0, start, _now())), 0);
        _assertBond(H100_BOND, 0, 0, 1e9 - H100_BOND);
        _assertNothingSetAside();
    }

    function test_ASpoofOfAClassWithoutBondSetsNothingAside() external {
        skip(20 minutes);
        vm.recordLogs();
        assertEq(_penaltyOf(_fileSpoofed(77, 1, _spoofs(77, 1, _now(), 3))), 0);
        _assertNothingSetAside();
    }

    function test_TheSmallestPenaltyIsARao() external {
        _rentAt(1, 2 * DAY);
        skip(1 + MIN_OFFLINE);
        assertEq(_penaltyOf(_fileSeen(OFFLINE, 0, start + 1, _now())), 1);
        assertEq(_held(), 1);
    }

    function test_NotDeliveringCostsTwoPercentOfTheReserve() external {
        skip(20 minutes);
        assertEq(_penaltyOf(_fileSeen(NOT_DELIVERED, 0, start, _now())), H100_BOND / 50);
    }

    function test_TheReserveOfAnExtendedRentalIsTheOneThatCounts() external {
        _deposit(MACHINE, 1e9);
        _extend(rental, 29 days);
        vm.warp(start + 29 days);
        assertEq(_penaltyOf(_fileSeen(OFFLINE, 0, _now() - 1_000, _now())), 103_680_000);
    }

    function test_AnOutageNeverCostsMoreThanTheRentalEarnedInEitherOrder() external {
        skip(50 minutes);
        _fileSeen(OFFLINE, 0, start + 2_000, _now());
        _fileSeen(INTERRUPTED, 0, start, start + 2_000); // the rental earned nothing at all
        skip(APPEAL_WINDOW);
        arbiter.execute(1);
        assertEq(_rao(vault.toBurn()), 0);
    }

    /* TOO FEW KEEPERS TO PUNISH */

    function test_WithFewerThanThreeKeepersACaseEndsAndRefundsButSetsNothingAside() external {
        vm.prank(OWNER);
        keepers.dismiss(keeperAccounts[2]);
        skip(DAY - 1 hours);
        _file(OFFLINE, 0, _attest(OFFLINE, rental, _now() - 1_000, _now(), 2));
        assertEq(_penaltyOf(1), 0);
        assertEq(_rentalAt(rental).faultedSecs, 1_000);
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), _now());
        assertEq(_creditOf(RENTER), _cost(1 hours));
        _assertBond(H100_BOND, 0, 0, 1e9 - H100_BOND);
        skip(APPEAL_WINDOW);
        arbiter.execute(1);
        assertEq(_creditOf(RENTER), _cost(1 hours + 1_000));
        assertEq(_rao(vault.toBurn()), 0);
    }

    function test_NorForNotDelivering() external {
        vm.prank(OWNER);
        keepers.dismiss(keeperAccounts[2]);
        skip(20 minutes);
        _file(NOT_DELIVERED, 0, _attest(NOT_DELIVERED, rental, start, _now(), 2));
        assertEq(_penaltyOf(1), 0);
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), _now(), "but it ends");
        _assertBond(H100_BOND, 0, 0, 1e9 - H100_BOND);
    }

    /// @dev Whoever the keepers are: the set itself says whether it may punish, however many signed.
    function test_ASetThatSaysItMayNotPunishSetsNothingAside() external {
        skip(10 hours);
        bytes memory question = abi.encodeWithSelector(IKeeperSet.quorumOf.selector);
        vm.mockCall(address(keepers), question, abi.encode(true, false));
        assertEq(_penaltyOf(_fileSeen(OFFLINE, 0, _now() - 1_000, _now())), 0);
        assertEq(_creditOf(RENTER), _cost(14 hours), "but it ends");
        assertEq(_penaltyOf(_fileSpoofed(H100, 1, _spoofs(H100, 1, _now(), 3))), 0);
        (uint32 day,) = arbiter.penaltiesOfDay();
        assertEq(day, 0, "nothing is not recorded as something");
        vm.mockCall(address(keepers), question, abi.encode(false, true));
        _refuseSeen(INTERRUPTED, 0, start, start + 60, _noQuorum(3));
    }

    /* RELATIONS */

    /// @dev penalty = min(reserve / 10, price * seconds served), rounded down, at any price and time.
    function testFuzz_AnOutageCostsTheLesserOfTheTwo(uint40 price, uint32 served, uint32 out) external {
        price = 1 + price % 100_000;
        served %= DAY - MIN_OFFLINE;
        out = MIN_OFFLINE + out % (LAG - MIN_OFFLINE);
        vm.deal(RENTER, type(uint128).max);
        _rentAt(price, 2 * DAY);
        skip(served + out);
        uint64 caseId = _fileSeen(OFFLINE, 0, start + served, _now());
        uint64 byCost = (price * 2 * DAY * 2 + 9) / 10;
        uint64 reserve = byCost > H100_BOND ? byCost : H100_BOND;
        uint64 earned = uint64(price) * served;
        assertEq(_penaltyOf(caseId), earned < reserve / 10 ? earned : reserve / 10);
        assertEq(RaoPerSecond.unwrap(_rentalAt(rental).price), price);
        assertEq(_held(), _penaltyOf(caseId));
        assertEq(_reserved(rental), reserve - _penaltyOf(caseId));
    }

    /* STEPS */

    /// @dev The machine's next rental, at this price a second.
    function _rentAt(uint40 price, uint32 secs) private {
        skip(DAY + LAG);
        escrow.close(rental);
        _deposit(MACHINE, 10e9);
        _priced(price);
        RentCall memory c = _goodRent(MACHINE);
        c.secs = secs;
        c.valueWei = uint256(price) * secs * WEI;
        rental = _send(c);
        start = _now();
    }

    function _assertNothingSetAside() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            assertNotEq(logs[i].topics[0], ICollateralVault.SetAside.selector, "nothing is not recorded as something");
        }
    }
}
