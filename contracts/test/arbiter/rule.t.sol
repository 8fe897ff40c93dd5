// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { ArbiterBase } from "./ArbiterBase.t.sol";

contract RuleTest is ArbiterBase {
    uint64 private constant EARNED = 69_600_000; // 10 hours less 20 minutes, at 2,000 rao a second

    function _feeBps() internal pure override returns (uint16) {
        return 500;
    }

    function _fee(uint64 gross) private pure returns (uint64) {
        return gross / 20;
    }

    function test_RevertWhen_TheCallerIsNotTheJudge() external {
        for (uint256 i = 0; i < everybody.length; ++i) {
            if (everybody[i] == JUDGE) continue;
            vm.startPrank(everybody[i]);
            vm.expectRevert(_onlyJudge(everybody[i]));
            arbiter.rule(0, true); // before anything is looked at
            vm.stopPrank();
        }
        _outage();
        _appeal(1);
        vm.prank(MINER);
        vm.expectRevert(_onlyJudge(MINER));
        arbiter.rule(1, false);
    }

    function test_RevertWhen_ThereIsNoSuchCase() external {
        _refuseRule(1, _notRulable(1, NONE, 0));
        _refuseRule(0, _notRulable(0, NONE, 0));
    }

    function test_RevertGiven_TheCaseIsNotAppealed() external {
        _outage();
        _refuseRule(1, _notRulable(1, FILED, 0));
        skip(APPEAL_WINDOW);
        _refuseRule(1, _notRulable(1, FILED, 0));
        _execute(1);
        _refuseRule(1, _notRulable(1, EXECUTED, 0));
    }

    function test_RevertGiven_TheCaseIsDecided() external {
        _outage();
        _appeal(1);
        uint32 ruleBy = _now() + RULING_WINDOW;
        uint256 snapshot = vm.snapshotState();
        _rule(1, true);
        _refuseRule(1, _notRulable(1, EXECUTED, ruleBy));
        vm.revertToState(snapshot);
        _rule(1, false);
        _refuseRule(1, _notRulable(1, DISMISSED, ruleBy));
        _assertBooks();
    }

    modifier givenTheCaseIsAppealed() {
        _outage();
        skip(1 hours);
        _appeal(1);
        _;
        _assertBooks();
    }

    function test_RevertWhen_TheJudgeIsLate() external givenTheCaseIsAppealed {
        uint32 ruleBy = _ruleBy(1);
        vm.warp(ruleBy + 1);
        _refuseRule(1, _notRulable(1, APPEALED, ruleBy));
        _execute(1); // silence has upheld it
        _refuseRule(1, _notRulable(1, EXECUTED, ruleBy));
        assertEq(_rao(arbiter.creditOf(MINER)), MIN_APPEAL_BOND);
    }

    function test_WhenItIsTheLastSecondOfTheRulingWindow() external givenTheCaseIsAppealed {
        uint32 ruleBy = _ruleBy(1);
        vm.warp(ruleBy);
        _refuseExecute(1, _notExecutable(1, APPEALED, ruleBy + 1));
        _rule(1, false);
        _assertStatus(1, DISMISSED);
    }

    modifier whenTheJudgeUpholds() {
        _;
    }

    function test_GivenTheCaseWithholdsPayAndAPenalty() external givenTheCaseIsAppealed whenTheJudgeUpholds {
        uint64 refund = _creditOf(RENTER);
        assertEq(_penaltyOf(1), EARNED);
        vm.expectEmit(address(arbiter));
        emit IArbiter.Ruled(1, true);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Decided(rental, 20 minutes, Rao.wrap(_cost(20 minutes)), true);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Forfeited(1, Rao.wrap(EARNED));
        vm.expectEmit(address(arbiter));
        emit IArbiter.Executed(1, 20 minutes, Rao.wrap(EARNED));
        _rule(1, true);
        _assertStatus(1, EXECUTED);
        assertEq(_creditOf(RENTER), refund + _cost(20 minutes));
        assertEq(_rentalAt(rental).openSecs, 0);
        _assertBond(H100_BOND - EARNED, 0, 0, 1e9 - H100_BOND);
        assertEq(_rao(vault.toBurn()), EARNED);
        assertEq(_rao(arbiter.toBurn()), MIN_APPEAL_BOND);
        assertEq(_rao(arbiter.creditOf(MINER)), 0);
        arbiter.flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), MIN_APPEAL_BOND);
        assertEq(_arbiterOwes(), 0);
    }

    function test_GivenTheCaseHasNoPenalty() external givenTheCaseIsAppealed whenTheJudgeUpholds {
        _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        _appeal(2);
        uint64 refund = _creditOf(RENTER);
        _rule(2, true);
        assertEq(_creditOf(RENTER), refund + _cost(300));
        assertEq(_rao(vault.toBurn()), 0);
        assertEq(_rao(arbiter.toBurn()), MIN_APPEAL_BOND);
        assertEq(_arbiterOwes(), 2 * MIN_APPEAL_BOND, "of both cases");
    }

    function test_GivenTheOutageWouldCostMoreThanTheRentalEarned() external givenTheCaseIsAppealed whenTheJudgeUpholds {
        _fileSeen(INTERRUPTED, 0, start, start + 8 hours); // after the outage: it earned less than was thought
        uint64 earned = _cost(10 hours - 20 minutes - 8 hours);
        _rule(1, true);
        assertEq(_rao(vault.toBurn()), earned);
        _assertBond(H100_BOND - EARNED, 0, 0, 1e9 - H100_BOND + EARNED - earned);
    }

    modifier whenTheJudgeOverturns() {
        _;
    }

    function test_GivenTheCaseWithholdsPayAndAPenaltyToFree() external givenTheCaseIsAppealed whenTheJudgeOverturns {
        uint64 refund = _creditOf(RENTER);
        uint64 pay = _cost(20 minutes);
        vm.expectEmit(address(arbiter));
        emit IArbiter.Ruled(1, false);
        vm.expectEmit(address(arbiter));
        emit IRaoLedger.Credited(MINER, Rao.wrap(MIN_APPEAL_BOND), Rao.wrap(MIN_APPEAL_BOND));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Decided(rental, 20 minutes, Rao.wrap(pay), false);
        vm.expectEmit(address(vault));
        emit ICollateralVault.GivenBack(1, Rao.wrap(EARNED));
        vm.expectEmit(address(arbiter));
        emit IArbiter.Dismissed(1, 20 minutes, Rao.wrap(EARNED));
        _rule(1, false);
        _assertStatus(1, DISMISSED);
        assertEq(_creditOf(RENTER), refund);
        assertEq(_creditOf(MINER), pay - _fee(pay));
        assertEq(_rentalAt(rental).openSecs, 0);
        _assertBond(H100_BOND - EARNED, 0, 0, 1e9 - H100_BOND + EARNED);
        assertEq(_rao(vault.toBurn()) + _rao(arbiter.toBurn()), 0);
        assertEq(_rao(arbiter.creditOf(MINER)), MIN_APPEAL_BOND);
        assertEq(_rao(arbiter.appealOf(1).bond), MIN_APPEAL_BOND, "the record stays");
        arbiter.withdrawCredit(MINER);
        assertEq(_arbiterOwes(), 0);
    }

    function test_GivenTheCaseHasNoPenaltyToFree() external givenTheCaseIsAppealed whenTheJudgeOverturns {
        _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        _appeal(2);
        vm.expectEmit(address(arbiter));
        emit IArbiter.Dismissed(2, 300, Rao.wrap(0));
        _rule(2, false);
        assertEq(_creditOf(MINER), _cost(300) - _fee(_cost(300)));
        assertEq(_rao(arbiter.creditOf(MINER)), MIN_APPEAL_BOND);
        _assertBond(H100_BOND - EARNED, EARNED, 0, 1e9 - H100_BOND);
    }

    function test_GivenTheEscrowTakesAFee() external givenTheCaseIsAppealed whenTheJudgeOverturns {
        _rule(1, false);
        uint64 pay = _cost(20 minutes);
        assertEq(_creditOf(TREASURY), _fee(pay));
        assertEq(_creditOf(MINER), pay - _fee(pay));
        assertEq(_rao(arbiter.creditOf(TREASURY)), 0, "of pay, not of the appeal bond");
    }

    function test_GivenTheMachineWasRetiredMeanwhile() external givenTheCaseIsAppealed whenTheJudgeOverturns {
        _register(OTHER_MACHINE);
        _deposit(OTHER_MACHINE, 1e9); // a larger vault, so that nothing is slow
        _rule(1, true);
        _fileSpoofed(H100, 2, _spoofs(H100, 2, _now(), 3)); // takes all that is left
        _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        escrow.close(rental);
        uint64 paid = _creditOf(MINER);
        skip(APPEAL_WINDOW - 1);
        _appeal(3);
        skip(1);
        _execute(2);
        vm.prank(MINER);
        vault.retire(MACHINE);
        _rule(3, false);
        assertEq(_creditOf(MINER), paid + _cost(300) - _fee(_cost(300)));
        assertEq(_rao(arbiter.creditOf(MINER)), MIN_APPEAL_BOND);
    }

    /* A TOTAL FUNCTION */

    function testFuzz_EveryRulingIsTakenOrRefusedByTheFirstRuleItBreaks(
        uint8 who,
        uint8 which,
        uint8 before,
        uint32 later,
        bool uphold
    ) external {
        _outage();
        if (before % 8 != 0) _appeal(1);
        uint32 ruleBy = _ruleBy(1);
        if (before % 8 == 1) _rule(1, before % 16 == 1);
        skip(later % 4 == 0 ? RULING_WINDOW - 1 + later % 3 : later % RULING_WINDOW);
        if (before % 8 == 0 && _now() >= start + 10 hours + APPEAL_WINDOW) _execute(1);
        uint64 caseId = which % 8 == 0 ? 1 + which / 8 : 1;
        address caller = who % 4 == 0 ? everybody[who / 4 % everybody.length] : JUDGE;
        IArbiter.Status status = _statusOf(caseId);
        bytes memory expected;
        if (caller != JUDGE) {
            expected = _onlyJudge(caller);
        } else if (status != APPEALED || _now() > ruleBy) {
            expected = _notRulable(caseId, status, caseId == 1 ? ruleBy : 0);
        }
        bool success = _expect(expected);
        vm.prank(caller);
        arbiter.rule(caseId, uphold);
        _assertStatus(caseId, success ? (uphold ? EXECUTED : DISMISSED) : status);
        assertEq(Timestamp.unwrap(arbiter.appealOf(1).ruleBy), ruleBy);
        _assertBooks();
    }
}
