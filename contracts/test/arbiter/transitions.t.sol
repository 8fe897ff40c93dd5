// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { Timestamp } from "../../src/types/Units.sol";
import { ArbiterBase } from "./ArbiterBase.t.sol";

/// @dev The whole machine as a table: every status, at every time that matters, under every call. What the table does
/// not allow is refused with the error of that call, and changes nothing.
abstract contract TransitionsBase is ArbiterBase {
    uint32 internal constant W = APPEAL_WINDOW;
    uint32 internal constant R = RULING_WINDOW;
    IArbiter.Status internal constant NO = IArbiter.Status.None; // no case ever becomes that

    /// @param status Where the case is.
    /// @param later So many seconds after it got there.
    /// @param becomes What it is after: appeal, rule to uphold, rule to overturn, execute.
    struct Row {
        IArbiter.Status status;
        uint32 later;
        IArbiter.Status[4] becomes;
    }

    function _row(
        IArbiter.Status status,
        uint32 later,
        IArbiter.Status appealed,
        IArbiter.Status upheld,
        IArbiter.Status overturned,
        IArbiter.Status executed
    ) internal {
        uint256 snapshot = vm.snapshotState();
        _reach(status);
        _assertStatus(1, status);
        skip(later);
        IArbiter.Status[4] memory becomes = [appealed, upheld, overturned, executed];
        for (uint256 i = 0; i < 4; ++i) {
            _try(i, status, becomes[i]);
        }
        _refuseOthers(status);
        if (status != NONE && !_rentalAt(rental).closed) _fileBesides(status);
        vm.revertToState(snapshot);
    }

    /// @dev None, or case 1 in `status`, in the first second of that.
    function _reach(IArbiter.Status status) private {
        if (status == NONE) return;
        _outage();
        if (status == FILED) return;
        bool refunded = status == REFUNDED || status == REFUNDED_APPEALED;
        if (refunded) {
            skip(W);
            _execute(1);
        }
        if (status == REFUNDED) return;
        _appeal(1);
        if (status == EXECUTED) _rule(1, true);
        if (status == DISMISSED) _rule(1, false);
    }

    function _try(uint256 which, IArbiter.Status status, IArbiter.Status becomes) private {
        uint256 snapshot = vm.snapshotState();
        (bool ok, bytes memory result) = _call(which);
        assertEq(ok, becomes != NO, "allowed");
        _assertStatus(1, ok ? becomes : status);
        // forge-lint: disable-next-line(unsafe-typecast) the selector
        if (!ok) assertEq(bytes4(result), _refusal(which, status), "the error of that call");
        _assertBooks();
        vm.revertToState(snapshot);
    }

    function _call(uint256 which) private returns (bool ok, bytes memory result) {
        if (which == 0) {
            uint256 bond = _statusOf(1) == NONE ? uint256(MIN_APPEAL_BOND) * WEI : _bondWei(1);
            vm.prank(MINER);
            return address(arbiter).call{ value: bond }(abi.encodeCall(IArbiter.appeal, (1, PLEA)));
        }
        vm.prank(which == 3 ? STRANGER : JUDGE);
        if (which == 3) return address(arbiter).call(abi.encodeCall(IArbiter.execute, (1)));
        return address(arbiter).call(abi.encodeCall(IArbiter.rule, (1, which == 1)));
    }

    function _refusal(uint256 which, IArbiter.Status status) private pure returns (bytes4) {
        if (which == 0) return IArbiter.Arbiter_NotAppealable.selector;
        if (which < 3) return IArbiter.Arbiter_NotRulable.selector;
        return status == NONE ? IArbiter.Arbiter_NoCase.selector : IArbiter.Arbiter_NotExecutable.selector;
    }

    /// @dev Whatever the status: nobody else appeals or rules.
    function _refuseOthers(IArbiter.Status status) private {
        for (uint256 i = 1; i < everybody.length; ++i) {
            vm.deal(everybody[i], 1 ether);
            vm.prank(everybody[i]);
            (bool ok,) =
                address(arbiter).call{ value: MIN_APPEAL_BOND * WEI }(abi.encodeCall(IArbiter.appeal, (1, PLEA)));
            assertFalse(ok);
            if (everybody[i] == JUDGE) continue;
            vm.prank(everybody[i]);
            vm.expectRevert(_onlyJudge(everybody[i]));
            arbiter.rule(1, i % 2 == 0);
        }
        _assertStatus(1, status);
    }

    /// @dev Another case of the same rental leaves this one alone.
    function _fileBesides(IArbiter.Status status) private {
        bytes32 before = keccak256(abi.encode(arbiter.caseAt(1), arbiter.appealOf(1)));
        _fileSeen(INTERRUPTED, 0, start, start + 60);
        assertEq(keccak256(abi.encode(arbiter.caseAt(1), arbiter.appealOf(1))), before);
        _assertStatus(1, status);
        _assertStatus(2, FILED);
        _assertBooks();
    }

    /* ANY ORDER */

    /// @dev The same machine, said once more as a function; and at the end every second and every rao is somewhere.
    function testFuzz_AnyOrderOfCallsFollowsTheTable(uint8[8] memory calls, uint32[8] memory waits) external {
        _outage();
        uint64 refund = _creditOf(RENTER);
        IArbiter.Status status = FILED;
        bool refunded;
        for (uint256 i = 0; i < 8; ++i) {
            skip(_wait(waits[i]));
            IArbiter.Status next = _next(status, calls[i] % 4);
            (bool ok, bytes memory result) = _call(calls[i] % 4);
            assertEq(ok, next != NO, "allowed");
            // forge-lint: disable-next-line(unsafe-typecast) the selector
            if (!ok) assertEq(bytes4(result), _refusal(calls[i] % 4, status), "the error of that call");
            else status = next;
            refunded = refunded || status == REFUNDED || status == REFUNDED_APPEALED || status == EXECUTED;
            _assertStatus(1, status);
            _assertBooks();
        }
        assertEq(_creditOf(RENTER), refund + (refunded ? _cost(20 minutes) : 0), "the renter's seconds");
        assertEq(_creditOf(MINER), status == DISMISSED && !refunded ? _cost(20 minutes) : 0, "or the miner's");
        assertEq(_rao(vault.toBurn()), status == EXECUTED ? _penaltyOf(1) : 0);
    }

    /// @dev Mostly around the edges.
    function _wait(uint32 draw) private pure returns (uint32) {
        uint32[5] memory edges = [0, W, R, W + R, 1 hours];
        uint32 edge = edges[draw % 5];
        return edge == 0 ? 0 : edge - 1 + draw / 5 % 3;
    }

    function _next(IArbiter.Status status, uint256 which) private view returns (IArbiter.Status) {
        uint32 windowOver = Timestamp.unwrap(arbiter.caseAt(1).filedAt) + W;
        bool slow = arbiter.caseAt(1).slow;
        bool over = _now() >= windowOver;
        bool penaltyDue = _now() >= windowOver + (slow ? R : 0);
        if (status == FILED) {
            if (which == 0 && !penaltyDue) return over ? REFUNDED_APPEALED : APPEALED;
            if (which == 3 && over) return slow ? REFUNDED : EXECUTED;
        } else if (status == REFUNDED) {
            if (which == 0 && !penaltyDue) return REFUNDED_APPEALED;
            if (which == 3 && penaltyDue) return EXECUTED;
        } else if (_isWithTheJudge(status)) {
            bool inTime = _now() <= _ruleBy(1);
            if (which == 1 && inTime) return EXECUTED;
            if (which == 2 && inTime) return DISMISSED;
            if (which == 3 && !inTime) return EXECUTED;
        }
        return NO;
    }

    /* THE ROWS BOTH MACHINES SHARE */

    function _checkNone() internal {
        _row(NONE, 0, NO, NO, NO, NO);
        _row(NONE, W, NO, NO, NO, NO);
        _row(NONE, W + R + 1, NO, NO, NO, NO);
    }

    function _checkAppealed(IArbiter.Status status) internal {
        _row(status, 0, NO, EXECUTED, DISMISSED, NO);
        _row(status, W - 1, NO, EXECUTED, DISMISSED, NO);
        _row(status, W, NO, EXECUTED, DISMISSED, NO);
        _row(status, R, NO, EXECUTED, DISMISSED, NO);
        _row(status, R + 1, NO, NO, NO, EXECUTED);
        _row(status, W + R, NO, NO, NO, EXECUTED);
        _row(status, 365 days, NO, NO, NO, EXECUTED);
    }

    function _checkDecided(IArbiter.Status status) internal {
        _row(status, 0, NO, NO, NO, NO);
        _row(status, W, NO, NO, NO, NO);
        _row(status, R + 1, NO, NO, NO, NO);
        _row(status, W + R, NO, NO, NO, NO);
        _row(status, 365 days, NO, NO, NO, NO);
    }
}

contract TransitionsTest is TransitionsBase {
    function test_NoCase() external {
        _checkNone();
    }

    function test_Filed() external {
        _row(FILED, 0, APPEALED, NO, NO, NO);
        _row(FILED, W - 1, APPEALED, NO, NO, NO);
        _row(FILED, W, NO, NO, NO, EXECUTED);
        _row(FILED, W + R, NO, NO, NO, EXECUTED);
        _row(FILED, 365 days, NO, NO, NO, EXECUTED);
    }

    function test_Appealed() external {
        _checkAppealed(APPEALED);
    }

    function test_Executed() external {
        _checkDecided(EXECUTED);
    }

    function test_Dismissed() external {
        _checkDecided(DISMISSED);
    }
}

/// @dev The same where the breaker was open at filing.
contract SlowTransitionsTest is TransitionsBase {
    function _breakerBps() internal pure override returns (uint16) {
        return 1;
    }

    function test_NoCase() external {
        _checkNone();
    }

    function test_Filed() external {
        _row(FILED, 0, APPEALED, NO, NO, NO);
        _row(FILED, W - 1, APPEALED, NO, NO, NO);
        _row(FILED, W, REFUNDED_APPEALED, NO, NO, REFUNDED);
        _row(FILED, W + R - 1, REFUNDED_APPEALED, NO, NO, REFUNDED);
        _row(FILED, W + R, NO, NO, NO, REFUNDED);
        _row(FILED, 365 days, NO, NO, NO, REFUNDED);
    }

    function test_Appealed() external {
        _checkAppealed(APPEALED);
    }

    function test_Refunded() external {
        _row(REFUNDED, 0, REFUNDED_APPEALED, NO, NO, NO);
        _row(REFUNDED, R - 1, REFUNDED_APPEALED, NO, NO, NO);
        _row(REFUNDED, R, NO, NO, NO, EXECUTED);
        _row(REFUNDED, 365 days, NO, NO, NO, EXECUTED);
    }

    function test_RefundedAppealed() external {
        _checkAppealed(REFUNDED_APPEALED);
    }

    function test_Executed() external {
        _checkDecided(EXECUTED);
    }

    function test_Dismissed() external {
        _checkDecided(DISMISSED);
    }
}
