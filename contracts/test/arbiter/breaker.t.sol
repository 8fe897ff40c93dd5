// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { ArbiterBase } from "./ArbiterBase.t.sol";

/// @dev The line is 6 % of what the vault owes miners: 60,000,000 rao of the 1 TAO there is.
contract BreakerTest is ArbiterBase {
    uint64 private constant PENALTY = 69_600_000; // of `_outage`
    uint16 private constant SMALL = 9; // a class of machines with a bond of 1,000 rao

    function _breakerBps() internal pure override returns (uint16) {
        return 600;
    }

    function setUp() public override {
        super.setUp();
        vm.prank(OWNER);
        escrow.setClassBond(SMALL, Rao.wrap(1_000));
    }

    /// @dev A penalty of so many thousand rao.
    function _penalize(uint16 thousands) private returns (uint64 caseId) {
        return _fileSpoofed(SMALL, thousands, _spoofs(SMALL, thousands, _now(), 3));
    }

    function _isSlow(uint64 caseId) private view returns (bool) {
        return arbiter.caseAt(caseId).slow;
    }

    function test_ShouldRefundASlowCaseWholeWithTwoCallsInOneSecondWhenNobodyCalledBefore() external {
        _outage();
        uint64 refund = _creditOf(RENTER);
        skip(APPEAL_WINDOW + RULING_WINDOW);
        _execute(1);
        _assertStatus(1, REFUNDED);
        _execute(1);
        _assertStatus(1, EXECUTED);
        assertEq(_creditOf(RENTER), refund + _cost(20 minutes));
        assertEq(_rao(vault.toBurn()), PENALTY);
        _assertBooks();
    }

    /* WHAT TRIPS IT */

    function test_GivenThePenaltiesOfTheDayAreOnTheLine() external {
        _deposit(MACHINE, 160_000_000); // 6 % of 1.16 TAO is 69,600,000 rao
        _outage();
        assertEq(_penaltyOf(1), PENALTY);
        assertFalse(_isSlow(1));
        skip(1);
        assertTrue(_isSlow(_penalize(1)), "and the next is not");
    }

    function test_GivenThePenaltiesOfTheDayPassTheLineByARao() external {
        _deposit(MACHINE, 160_000_000 - 1); // 69,599,999 rao, rounded down
        _outage();
        assertTrue(_isSlow(1));
        (uint32 day, Rao total) = arbiter.penaltiesOfDay();
        assertEq(day, _now() / 1 days);
        assertEq(_rao(total), PENALTY, "slow or not, it counts");
    }

    function test_GivenThereIsNoPenalty() external {
        skip(2 hours);
        assertTrue(_isSlow(_penalize(60_001)));
        _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        assertFalse(_isSlow(2));
        skip(APPEAL_WINDOW);
        _execute(2);
        _assertStatus(2, EXECUTED);
        _rentOther(); // the line is at 120,000,000 rao now, or a little less
        _penalize(60_000);
        skip(20 minutes);
        assertTrue(_isSlow(_penalize(60_001)));
        uint64 caseId = _fileSeen(OFFLINE, 0, start, _now()); // nothing was earned
        assertEq(_penaltyOf(caseId), 0);
        assertFalse(_isSlow(caseId));
    }

    function test_GivenThePenaltiesAreOfTheDayBefore() external {
        uint32 midnight = (_now() / 1 days + 1) * 1 days;
        vm.warp(midnight - 2);
        assertFalse(_isSlow(_penalize(60_000)));
        vm.warp(midnight - 1);
        assertTrue(_isSlow(_penalize(1)), "the last second of the day");
        vm.warp(midnight);
        assertFalse(_isSlow(_penalize(1)), "the first of the next");
        (uint32 day, Rao total) = arbiter.penaltiesOfDay();
        assertEq(day, midnight / 1 days);
        assertEq(_rao(total), 1_000);
        skip(1);
        assertFalse(_isSlow(_penalize(59_999)));
        skip(1);
        assertTrue(_isSlow(_penalize(1)));
    }

    function test_GivenAPenaltyOfTheDayWasOverturned() external {
        _penalize(60_000);
        _appeal(1);
        _rule(1, false);
        skip(1);
        assertTrue(_isSlow(_penalize(1)));
    }

    /* WHAT IT DOES */

    modifier givenTheCaseIsSlow() {
        _outage();
        assertTrue(_isSlow(1));
        _;
        _assertBooks();
    }

    function test_WhenItIsExecutedAfterTheAppealWindow() external givenTheCaseIsSlow {
        uint32 from = _now() + APPEAL_WINDOW;
        uint64 refund = _creditOf(RENTER);
        vm.warp(from - 1);
        _refuseExecute(1, _notExecutable(1, FILED, from));
        vm.warp(from);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Decided(rental, 20 minutes, Rao.wrap(_cost(20 minutes)), true);
        vm.expectEmit(address(arbiter));
        emit IArbiter.Refunded(1, 20 minutes);
        _execute(1);
        _assertStatus(1, REFUNDED);
        assertEq(_creditOf(RENTER), refund + _cost(20 minutes), "the breaker delays no refund");
        assertEq(_rentalAt(rental).openSecs, 0);
        _assertBond(H100_BOND - PENALTY, PENALTY, 0, 1e9 - H100_BOND);
        assertEq(_rao(vault.toBurn()), 0);
    }

    function test_RevertWhen_ItIsExecutedAgainBeforeTheRulingWindow() external givenTheCaseIsSlow {
        uint32 from = _now() + APPEAL_WINDOW + RULING_WINDOW;
        skip(APPEAL_WINDOW);
        _execute(1);
        _refuseExecute(1, _notExecutable(1, REFUNDED, from));
        vm.warp(from - 1);
        _refuseExecute(1, _notExecutable(1, REFUNDED, from));
    }

    function test_WhenItIsExecutedAgainAfterTheRulingWindow() external givenTheCaseIsSlow {
        uint32 from = _now() + APPEAL_WINDOW + RULING_WINDOW;
        skip(APPEAL_WINDOW);
        _execute(1);
        uint64 refunded = _creditOf(RENTER);
        vm.warp(from);
        vm.expectEmit(address(arbiter));
        emit IArbiter.Executed(1, 0, Rao.wrap(PENALTY));
        _execute(1);
        assertEq(_creditOf(RENTER), refunded, "once");
        assertEq(_rao(vault.toBurn()), PENALTY);
        _refuseExecute(1, _notExecutable(1, EXECUTED, from));
    }

    function test_WhenItIsAppealedInsideTheAppealWindow() external givenTheCaseIsSlow {
        uint64 refund = _creditOf(RENTER);
        skip(APPEAL_WINDOW - 1);
        _appeal(1);
        _assertStatus(1, APPEALED);
        skip(1);
        _refuseExecute(1, _notExecutable(1, APPEALED, _ruleBy(1) + 1)); // nothing is refunded meanwhile
        _rule(1, false);
        _assertStatus(1, DISMISSED);
        assertEq(_creditOf(RENTER), refund);
        assertEq(_creditOf(MINER), _cost(20 minutes));
        _assertBond(H100_BOND - PENALTY, 0, 0, 1e9 - H100_BOND + PENALTY);
    }

    function test_WhenItIsAppealedBeforeAnybodyExecutedTheRefund() external givenTheCaseIsSlow {
        uint64 refund = _creditOf(RENTER);
        skip(APPEAL_WINDOW); // the first second of that
        vm.expectEmit(address(arbiter));
        emit IArbiter.Refunded(1, 20 minutes);
        vm.expectEmit(address(arbiter));
        emit IArbiter.Appealed(1, MINER, Rao.wrap(MIN_APPEAL_BOND), PLEA, _at(_now() + RULING_WINDOW));
        _appeal(1);
        _assertStatus(1, REFUNDED_APPEALED);
        assertEq(_creditOf(RENTER), refund + _cost(20 minutes));
        _rule(1, false);
        assertEq(_creditOf(RENTER), refund + _cost(20 minutes));
        assertEq(_creditOf(MINER), 0);
    }

    function test_WhenItIsAppealedAfterTheRefund() external givenTheCaseIsSlow {
        uint32 until = _now() + APPEAL_WINDOW + RULING_WINDOW;
        skip(APPEAL_WINDOW);
        _execute(1);
        uint64 refunded = _creditOf(RENTER);
        vm.warp(until - 1);
        _appeal(1);
        _assertStatus(1, REFUNDED_APPEALED);
        assertEq(_ruleBy(1), until - 1 + RULING_WINDOW);
        skip(1);
        _refuseExecute(1, _notExecutable(1, REFUNDED_APPEALED, _ruleBy(1) + 1));
        _refuseAppeal(MINER, 1, _bondWei(1), _notAppealable(1, REFUNDED_APPEALED, until));
        assertEq(_creditOf(RENTER), refunded);
    }

    function test_RevertWhen_ItIsAppealedTooLate() external givenTheCaseIsSlow {
        uint32 until = _now() + APPEAL_WINDOW + RULING_WINDOW;
        vm.warp(until);
        _refuseAppeal(MINER, 1, _bondWei(1), _notAppealable(1, FILED, until));
        _execute(1);
        _refuseAppeal(MINER, 1, _bondWei(1), _notAppealable(1, REFUNDED, until));
    }

    function test_WhenTheJudgeOverturnsAfterTheRefund() external givenTheCaseIsSlow {
        skip(APPEAL_WINDOW);
        _execute(1);
        uint64 refunded = _creditOf(RENTER);
        _appeal(1);
        vm.expectEmit(address(arbiter));
        emit IArbiter.Dismissed(1, 0, Rao.wrap(PENALTY));
        _rule(1, false);
        assertEq(_creditOf(RENTER), refunded, "the refund stays");
        assertEq(_creditOf(MINER), 0);
        _assertBond(H100_BOND - PENALTY, 0, 0, 1e9 - H100_BOND + PENALTY);
        assertEq(_rao(arbiter.creditOf(MINER)), MIN_APPEAL_BOND);
    }

    function test_WhenTheJudgeUpholdsAfterTheRefund() external givenTheCaseIsSlow {
        skip(APPEAL_WINDOW);
        _execute(1);
        uint64 refunded = _creditOf(RENTER);
        _appeal(1);
        vm.expectEmit(address(arbiter));
        emit IArbiter.Executed(1, 0, Rao.wrap(PENALTY));
        _rule(1, true);
        assertEq(_creditOf(RENTER), refunded);
        assertEq(_rao(vault.toBurn()), PENALTY);
        assertEq(_rao(arbiter.toBurn()), MIN_APPEAL_BOND);
    }

    function test_WhenTheJudgeIsSilentAfterTheRefund() external givenTheCaseIsSlow {
        skip(APPEAL_WINDOW + 1);
        _appeal(1);
        uint64 refunded = _creditOf(RENTER);
        skip(RULING_WINDOW + 1);
        _refuseRule(1, _notRulable(1, REFUNDED_APPEALED, _now() - 1));
        _execute(1);
        _assertStatus(1, EXECUTED);
        assertEq(_creditOf(RENTER), refunded);
        assertEq(_rao(vault.toBurn()), PENALTY);
        assertEq(_rao(arbiter.creditOf(MINER)), MIN_APPEAL_BOND);
    }

    function test_WhenItWithholdsNothing() external givenTheCaseIsSlow {
        _penalize(100);
        assertTrue(_isSlow(2));
        uint32 from = _now() + APPEAL_WINDOW + RULING_WINDOW;
        skip(APPEAL_WINDOW);
        _refuseExecute(2, _notExecutable(2, FILED, from));
        vm.warp(from - 1);
        _refuseExecute(2, _notExecutable(2, FILED, from));
        uint256 snapshot = vm.snapshotState();
        _appeal(2);
        _assertStatus(2, APPEALED); // there was nothing to refund
        vm.revertToState(snapshot);
        vm.warp(from);
        _execute(2);
        _assertStatus(2, EXECUTED);
        assertEq(_rao(vault.toBurn()), 100_000);
    }

    /* A TOTAL FUNCTION */

    /// @dev Penalties of any size at any time: which of them wait, and what the day comes to.
    function testFuzz_ACaseIsSlowWhenItsDayPassesTheLine(uint16[6] memory thousands, uint32[6] memory gaps) external {
        uint64 total;
        uint32 day;
        for (uint256 i = 0; i < 6; ++i) {
            skip(1 + (gaps[i] % 4 == 0 ? gaps[i] % 2 days : gaps[i] % 3 hours));
            if (_now() / 1 days != day) total = 0;
            uint64 caseId = _penalize(thousands[i] % 3 == 0 ? thousands[i] : thousands[i] % 20_000);
            uint64 penalty = _penaltyOf(caseId);
            if (penalty != 0) (day, total) = (_now() / 1 days, total + penalty);
            uint64 line = _rao(vault.owedToMiners()) * 600 / 10_000;
            assertEq(_isSlow(caseId), penalty != 0 && total > line);
            (uint32 number, Rao sum) = arbiter.penaltiesOfDay();
            assertEq(number, day);
            if (day == _now() / 1 days) assertEq(_rao(sum), total);
            if (gaps[i] % 8 == 0 && _now() >= Timestamp.unwrap(arbiter.executableAt(1))) _execute(1);
            if (_statusOf(1) == EXECUTED) break;
        }
        _assertBooks();
    }
}
