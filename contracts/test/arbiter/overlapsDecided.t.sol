// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IGate } from "../../src/interfaces/IGate.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { ArbiterBase } from "./ArbiterBase.t.sol";

/// @dev A case that is being decided, and everything else that can happen meanwhile, in both orders.
contract OverlapsDecidedTest is ArbiterBase {
    uint64 private constant EARNED = 69_600_000; // what `_outage` sets aside

    function _exit(uint64 amount) private {
        vm.prank(MINER);
        vault.requestExit(MACHINE, Rao.wrap(amount));
    }

    function _withdraw() private {
        vm.prank(MINER);
        vault.withdraw(MACHINE);
    }

    function _abandon() private {
        vm.prank(MINER);
        escrow.abandon(rental);
    }

    function _outcome() private view returns (bytes32) {
        return keccak256(
            abi.encode(
                vault.nodeAt(1),
                [vault.toBurn(), arbiter.toBurn(), arbiter.creditOf(MINER)],
                [escrow.creditOf(MINER), escrow.creditOf(RENTER)],
                _rentalAt(rental)
            )
        );
    }

    /* A CASE AND GIVING UP */

    function test_AbandoningBehindACaseIsRefused() external {
        _outage();
        vm.prank(MINER);
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_Over.selector, rental, _now()));
        escrow.abandon(rental);
        _assertBooks();
    }

    function test_AbandoningInFrontOfACaseLeavesOnlyItsSecondsToFile() external {
        skip(10 hours);
        _abandon();
        uint64 burned = H100_BOND / 20; // half of what the outage would have cost
        assertEq(_rao(vault.toBurn()), burned);
        uint32 out = _now() - 20 minutes;
        bytes memory over = abi.encodeWithSelector(IArbiter.Arbiter_RentalOver.selector, rental, _now());
        _refuseSeen(OFFLINE, 0, out, _now(), over);
        _fileSeen(INTERRUPTED, 0, out, _now());
        assertEq(_penaltyOf(1), 0);
        skip(APPEAL_WINDOW);
        _execute(1);
        escrow.close(rental);
        assertEq(_creditOf(RENTER), _cost(14 hours + 20 minutes));
        assertEq(_creditOf(MINER), _cost(10 hours - 20 minutes));
        _assertBond(0, 0, 0, 1e9 - burned);
        _assertBooks();
    }

    function test_AbandoningAMachineNeverDeliveredStillCostsTheRenterNothing() external {
        skip(12 minutes);
        _abandon();
        assertEq(_rao(vault.toBurn()), _cost(12 minutes), "as much as the renter would have paid");
        _fileSeen(INTERRUPTED, 0, start, _now());
        skip(APPEAL_WINDOW);
        _execute(1);
        assertEq(_creditOf(RENTER), _cost(DAY));
        _assertBooks();
    }

    function test_AnInterruptionAndGivingUpInEitherOrder() external {
        skip(10 hours);
        uint256 snapshot = vm.snapshotState();
        _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        _abandon();
        bytes32 outcome = _outcome();
        vm.revertToState(snapshot);
        _abandon();
        _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        assertEq(_outcome(), outcome);
    }

    /* TWO CASES OF ONE RENTAL, DECIDED DIFFERENTLY */

    function _twoCases() private {
        skip(10 hours);
        _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        _fileSeen(OFFLINE, 1, _now() - 20 minutes, _now());
        _appeal(1);
        _appeal(2);
    }

    function test_OneUpheldAndOneOverturnedComeToTheSameInEachOrder() external {
        _twoCases();
        uint64 penalty = _penaltyOf(2);
        assertEq(penalty, EARNED - _cost(300));
        uint64 refund = _creditOf(RENTER);
        uint256 snapshot = vm.snapshotState();
        for (uint256 i = 0; i < 2; ++i) {
            bool uphold = i == 0; // the interruption; the outage is ruled the other way
            _rule(1, uphold);
            _assertBooks();
            _rule(2, !uphold);
            _assertBooks();
            bytes32 outcome = _outcome();
            assertEq(_creditOf(RENTER), refund + _cost(uphold ? 300 : 20 minutes));
            assertEq(_creditOf(MINER), _cost(uphold ? 20 minutes : 300));
            assertEq(_rao(vault.toBurn()), uphold ? 0 : penalty);
            assertEq(_rao(arbiter.toBurn()), MIN_APPEAL_BOND);
            assertEq(_rao(arbiter.creditOf(MINER)), MIN_APPEAL_BOND);
            vm.revertToState(snapshot);
            _rule(2, !uphold);
            _assertBooks();
            _rule(1, uphold);
            assertEq(_outcome(), outcome, "in either order");
            vm.revertToState(snapshot);
        }
    }

    function test_APenaltyUpheldAndOneOverturnedComeToTheSameInEachOrder() external {
        _outage();
        _fileSpoofed(H100, 1, _spoofs(H100, 1, _now(), 3));
        _appeal(1);
        _appeal(2);
        uint64 bonds = MIN_APPEAL_BOND + H100_BOND / 10;
        uint256 snapshot = vm.snapshotState();
        for (uint256 i = 0; i < 2; ++i) {
            bool uphold = i == 0;
            _rule(1, uphold);
            _assertBooks();
            _rule(2, !uphold);
            assertEq(_rao(vault.toBurn()), uphold ? EARNED : H100_BOND);
            assertEq(_rao(arbiter.toBurn()), uphold ? MIN_APPEAL_BOND : H100_BOND / 10);
            assertEq(_rao(arbiter.creditOf(MINER)) + _rao(arbiter.toBurn()), bonds);
            assertEq(_held(), 0);
            bytes32 outcome = _outcome();
            vm.revertToState(snapshot);
            _rule(2, !uphold);
            _assertBooks();
            _rule(1, uphold);
            assertEq(_outcome(), outcome, "in either order");
            vm.revertToState(snapshot);
        }
    }

    function test_ASilentJudgeInOneCaseLeavesTheOtherAlone() external {
        _twoCases();
        _rule(2, false);
        skip(RULING_WINDOW + 1);
        _execute(1);
        assertEq(_creditOf(MINER), _cost(20 minutes));
        assertEq(_rao(arbiter.creditOf(MINER)), 2 * MIN_APPEAL_BOND);
        _assertBooks();
    }

    /* A RULING AND AN EXECUTION */

    function test_InEverySecondEitherTheJudgeRulesOrAnybodyExecutes() external {
        _outage();
        _appeal(1);
        uint32 ruleBy = _ruleBy(1);
        for (uint32 t = ruleBy - 2; t <= ruleBy + 3; ++t) {
            vm.warp(t);
            uint256 snapshot = vm.snapshotState();
            vm.prank(JUDGE);
            (bool rules,) = address(arbiter).call(abi.encodeCall(IArbiter.rule, (1, false)));
            vm.revertToState(snapshot);
            (bool executes,) = address(arbiter).call(abi.encodeCall(IArbiter.execute, (1)));
            vm.revertToState(snapshot);
            assertEq(rules, t <= ruleBy);
            assertEq(executes, t > ruleBy);
        }
    }

    function test_InEverySecondEitherTheMinerAppealsOrAnybodyExecutes() external {
        _outage();
        uint32 until = _now() + APPEAL_WINDOW;
        for (uint32 t = until - 2; t <= until + 2; ++t) {
            vm.warp(t);
            uint256 snapshot = vm.snapshotState();
            vm.prank(MINER);
            (bool appeals,) =
                address(arbiter).call{ value: MIN_APPEAL_BOND * WEI }(abi.encodeCall(IArbiter.appeal, (1, PLEA)));
            vm.revertToState(snapshot);
            (bool executes,) = address(arbiter).call(abi.encodeCall(IArbiter.execute, (1)));
            vm.revertToState(snapshot);
            assertEq(appeals, t < until);
            assertEq(executes, t >= until);
        }
    }

    /* AN APPEAL, AND A CLOSE, AN EXIT, THE NEXT TENANT */

    function test_AnAppealOverturnedAfterTheCloseFreesThePenalty() external {
        _outage();
        _appeal(1);
        skip(LAG);
        escrow.close(rental);
        _assertBond(0, EARNED, 0, 1e9 - EARNED);
        _rule(1, false);
        _assertBond(0, 0, 0, 1e9);
        assertEq(_creditOf(MINER), _cost(10 hours));
        assertEq(_creditOf(RENTER), _cost(14 hours));
        _assertBooks();
    }

    function test_OverturnedBeforeOrAfterTheCloseComesToTheSame() external {
        _outage();
        _appeal(1);
        skip(LAG);
        uint256 snapshot = vm.snapshotState();
        escrow.close(rental);
        _rule(1, false);
        bytes32 outcome = _outcome();
        vm.revertToState(snapshot);
        _rule(1, false);
        escrow.close(rental);
        assertEq(_outcome(), outcome);
    }

    function test_WhatIsHeldCannotLeaveWhileTheJudgeThinks() external {
        _outage();
        _appeal(1);
        skip(LAG);
        escrow.close(rental);
        bytes4 selector = ICollateralVault.CollateralVault_NotEnoughFree.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, MACHINE, 1e9 - EARNED, 1e9));
        _exit(1e9);
        _exit(1e9 - EARNED);
        vm.warp(_ruleBy(1)); // 48 hours from the appeal: the exit, an hour later, is not ready
        _rule(1, true);
        skip(LAG);
        _withdraw();
        _assertBond(0, 0, 0, 0);
        assertEq(_rao(vault.creditOf(MINER)), 1e9 - EARNED);
        _assertBooks();
    }

    function test_AnExitRequestedBeforeTheRulingIsNotTouchedByIt() external {
        _outage();
        _appeal(1);
        _exit(1e9 - H100_BOND);
        _rule(1, false);
        _assertBond(H100_BOND - EARNED, 0, 1e9 - H100_BOND, EARNED);
        skip(2 days);
        _withdraw();
        assertEq(_rao(vault.creditOf(MINER)), 1e9 - H100_BOND);
        _assertBooks();
    }

    function test_AnExitRequestedAfterTheRulingTakesWhatWasGivenBack() external {
        _outage();
        _appeal(1);
        _rule(1, false);
        _exit(1e9 - H100_BOND + EARNED);
        _assertBond(H100_BOND - EARNED, 0, 1e9 - H100_BOND + EARNED, 0);
        _assertBooks();
    }

    function test_TheNextTenantIsNotTouchedByARuling() external {
        _outage();
        _appeal(1);
        _deposit(MACHINE, 1e9);
        _offer(MACHINE);
        skip(60);
        uint64 second = _rent(MACHINE, DAY);
        uint256 snapshot = vm.snapshotState();
        for (uint256 i = 0; i < 2; ++i) {
            _rule(1, i == 0);
            assertEq(_reserved(second), H100_BOND);
            assertEq(_reserved(rental), H100_BOND - EARNED, "given back is free, never reserved again");
            _assertBooks();
            vm.revertToState(snapshot);
        }
    }

    function test_WhatIsWithTheJudgeIsNotClaimed() external {
        skip(10 hours);
        _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        _appeal(1);
        escrow.claim(rental);
        assertEq(_creditOf(MINER), _cost(10 hours - LAG - 300));
        _rule(1, false);
        assertEq(_creditOf(MINER), _cost(10 hours - LAG));
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NothingToClaim.selector, rental));
        escrow.claim(rental);
        _assertBooks();
    }

    function test_OverturnedSecondsCannotBeFiledAgain() external {
        skip(2 hours);
        _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        _appeal(1);
        _rule(1, false);
        _refuseSeen(INTERRUPTED, 0, start + 60, start + 360, _tooShort(start + 60, start + 60, MIN_INTERRUPTED));
        _refuseSeen(INTERRUPTED, 1, start + 60, start + 360, _tooShort(start + 360, start + 360, MIN_INTERRUPTED));
        _assertBooks();
    }

    /* DECIDING NEEDS NOBODY ELSE */

    function test_NothingIsDecidedDifferentlyWhilePausedOrAfterTheSunset() external {
        vm.prank(GUARDIAN);
        vault.pause(7 days);
        vm.prank(OWNER);
        vault.sunset();
        vm.expectRevert(abi.encodeWithSelector(IGate.Gate_Sunset.selector));
        vault.requireOpen();
        _twoCases();
        _rule(1, true);
        _rule(2, false);
        _fileSpoofed(H100, 1, _spoofs(H100, 1, _now(), 3));
        skip(APPEAL_WINDOW);
        _execute(3);
        _assertBooks();
    }

    function test_NothingIsDecidedDifferentlyWhileTheChainPaysNobody() external {
        vm.etch(address(0x800), hex"fe");
        _twoCases();
        _rule(1, true);
        _rule(2, false);
        vm.expectRevert();
        arbiter.withdrawCredit(MINER);
        vm.expectRevert();
        arbiter.flushBurn();
        _assertBooks(); // the money waits
    }

    function test_KeepersDismissedAfterFilingChangeNothing() external {
        _outage();
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(OWNER);
            keepers.dismiss(keeperAccounts[i]);
        }
        skip(APPEAL_WINDOW);
        _execute(1);
        assertEq(_rao(vault.toBurn()), EARNED);
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), start + 10 hours);
        _assertBooks();
    }
}
