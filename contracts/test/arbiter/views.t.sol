// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { ArbiterBase } from "./ArbiterBase.t.sol";

/// @dev With the breaker so low that every penalty is slow, and every case without one fast.
contract ArbiterViewsTest is ArbiterBase {
    function _breakerBps() internal pure override returns (uint16) {
        return 1;
    }

    function _fast() private returns (uint64) {
        return _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
    }

    function _spoofed() private returns (uint64) {
        return _fileSpoofed(H100, 1, _spoofs(H100, 1, _now(), 3));
    }

    function _executableAt(uint64 caseId) private view returns (uint32) {
        return Timestamp.unwrap(arbiter.executableAt(caseId));
    }

    function _appealableUntil(uint64 caseId) private view returns (uint32) {
        return Timestamp.unwrap(arbiter.appealableUntil(caseId));
    }

    /* CASES */

    function test_CaseCount_ShouldBeTheNumberOfTheLastCase() external {
        assertEq(arbiter.caseCount(), 0);
        skip(1 hours);
        assertEq(_fast(), 1);
        assertEq(arbiter.caseCount(), 1);
        assertEq(_outage0(), 2);
        assertEq(_spoofed(), 3);
        assertEq(arbiter.caseCount(), 3);
    }

    function test_CaseAt_GivenNothingWasFiled() external view {
        IArbiter.Case memory none;
        assertEq(keccak256(abi.encode(arbiter.caseAt(0))), keccak256(abi.encode(none)));
        assertEq(keccak256(abi.encode(arbiter.caseAt(1))), keccak256(abi.encode(none)));
        assertEq(keccak256(abi.encode(arbiter.caseAt(type(uint64).max))), keccak256(abi.encode(none)));
    }

    function test_CaseAt_GivenACaseWasFiled() external {
        _outage();
        IArbiter.Case memory c;
        c.kind = OFFLINE;
        c.status = FILED;
        c.cause = IArbiter.Cause.Unreachable;
        c.slow = true;
        c.rental = rental;
        c.registration = 1;
        c.filedAt = _at(_now());
        c.withheldSecs = 20 minutes;
        c.penalty = Rao.wrap(69_600_000);
        assertEq(keccak256(abi.encode(arbiter.caseAt(1))), keccak256(abi.encode(c)));
    }

    /// @dev In the gap after the fast case.
    function _outage0() private returns (uint64) {
        return _fileSeen(OFFLINE, 1, _now() - 20 minutes, _now());
    }

    /* WHEN IT CAN BE EXECUTED */

    function test_ExecutableAt_RevertGiven_ThereIsNoCase() external {
        vm.expectRevert(_noCase(1));
        arbiter.executableAt(1);
        vm.expectRevert(_noCase(0));
        arbiter.executableAt(0);
    }

    function test_ExecutableAt_RevertGiven_ItIsDecided() external {
        skip(1 hours);
        _fast();
        _outage0();
        _appeal(2);
        _rule(2, false);
        skip(APPEAL_WINDOW);
        _execute(1);
        vm.expectRevert(_notExecutable(1, EXECUTED, 0));
        arbiter.executableAt(1);
        vm.expectRevert(_notExecutable(2, DISMISSED, 0));
        arbiter.executableAt(2);
    }

    function test_ExecutableAt_GivenItIsFast() external {
        skip(1 hours);
        assertEq(_executableAt(_fast()), _now() + APPEAL_WINDOW);
    }

    function test_ExecutableAt_GivenItIsSlowAndWithholdsPay() external {
        _outage();
        uint32 filedAt = _now();
        assertEq(_executableAt(1), filedAt + APPEAL_WINDOW);
        skip(APPEAL_WINDOW);
        assertEq(_executableAt(1), filedAt + APPEAL_WINDOW);
        _execute(1);
        assertEq(_executableAt(1), filedAt + APPEAL_WINDOW + RULING_WINDOW);
    }

    function test_ExecutableAt_GivenItIsSlowAndWithholdsNothing() external {
        assertEq(_executableAt(_spoofed()), _now() + APPEAL_WINDOW + RULING_WINDOW);
    }

    function test_ExecutableAt_GivenItIsWithTheJudge() external {
        skip(1 hours);
        _fast();
        _outage0();
        skip(100);
        _appeal(1);
        assertEq(_executableAt(1), _now() + RULING_WINDOW + 1);
        skip(APPEAL_WINDOW);
        _appeal(2); // refunds first
        _assertStatus(2, REFUNDED_APPEALED);
        assertEq(_executableAt(2), _now() + RULING_WINDOW + 1);
    }

    /* WHAT AN APPEAL COSTS, AND UNTIL WHEN */

    function test_AppealBondOf_RevertGiven_ThereIsNoCase() external {
        vm.expectRevert(_noCase(1));
        arbiter.appealBondOf(1);
    }

    function test_AppealBondOf_GivenThereIsOne() external {
        skip(1 hours);
        assertEq(_rao(arbiter.appealBondOf(_fast())), MIN_APPEAL_BOND);
        _spoofed();
        assertEq(_rao(arbiter.appealBondOf(2)), H100_BOND / 10);
        _appeal(2);
        _rule(2, true);
        assertEq(_rao(arbiter.appealBondOf(2)), H100_BOND / 10, "whatever became of it");
    }

    function test_AppealableUntil_RevertGiven_ThereIsNoCase() external {
        vm.expectRevert(_noCase(1));
        arbiter.appealableUntil(1);
    }

    function test_AppealableUntil_GivenItIsFast() external {
        skip(1 hours);
        assertEq(_appealableUntil(_fast()), _now() + APPEAL_WINDOW);
    }

    function test_AppealableUntil_GivenItIsSlow() external {
        _outage();
        uint32 until = _now() + APPEAL_WINDOW + RULING_WINDOW;
        assertEq(_appealableUntil(1), until);
        skip(APPEAL_WINDOW);
        _execute(1);
        assertEq(_appealableUntil(1), until, "and stays it");
    }

    /* APPEALS */

    function test_AppealOf_GivenNobodyAppealed() external {
        _outage();
        assertEq(_rao(arbiter.appealOf(1).bond), 0);
        assertEq(_ruleBy(1), 0);
        assertEq(_rao(arbiter.appealOf(7).bond), 0);
    }

    function test_AppealOf_GivenSomebodyAppealed() external {
        _spoofed();
        _appeal(1);
        uint32 ruleBy = _now() + RULING_WINDOW;
        for (uint256 i = 0; i < 2; ++i) {
            assertEq(_rao(arbiter.appealOf(1).bond), H100_BOND / 10);
            assertEq(_ruleBy(1), ruleBy);
            if (i == 0) _rule(1, false);
        }
    }

    /* THE DAY */

    function _assertDay(uint32 day, uint64 total) private view {
        (uint32 number, Rao sum) = arbiter.penaltiesOfDay();
        assertEq(number, day, "day");
        assertEq(_rao(sum), total, "penalties");
    }

    function test_PenaltiesOfDay_GivenThereWasNone() external {
        _assertDay(0, 0);
        skip(1 hours);
        _fileSeen(OFFLINE, 0, start, _now()); // nothing was earned, and nothing is not recorded as something
        assertEq(_penaltyOf(1), 0);
        _assertDay(0, 0);
    }

    function test_PenaltiesOfDay_GivenThereWereTwoInADay() external {
        _outage();
        uint32 today = _now() / 1 days;
        _assertDay(today, 69_600_000);
        _fileSpoofed(H100, 1, _spoofs(H100, 1, _now(), 3));
        _assertDay(today, 69_600_000 + H100_BOND);
    }

    function test_PenaltiesOfDay_GivenTheDayIsAnother() external {
        _outage();
        uint32 today = _now() / 1 days;
        skip(2 days);
        _assertDay(today, 69_600_000); // of the last day there was a penalty
        _fileSpoofed(H100, 1, _spoofs(H100, 1, _now(), 3));
        _assertDay(today + 2, H100_BOND);
    }
}
