// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Vm } from "forge-std/Vm.sol";
import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { ArbiterBase } from "./ArbiterBase.t.sol";

contract ExecuteTest is ArbiterBase {
    uint64 private constant EARNED = 69_600_000; // 10 hours less 20 minutes, at 2,000 rao a second

    function test_ShouldPayNobodyWhoFilesSignsJudgesOrCalls() external {
        _outage();
        skip(1);
        _fileSeen(INTERRUPTED, 0, start, start + 100);
        _fileSeen(INTERRUPTED, 1, start + 200, start + 300);
        _appeal(1);
        _appeal(2);
        _rule(1, true);
        _rule(2, false);
        skip(APPEAL_WINDOW);
        _execute(3);
        for (uint256 i = 2; i < everybody.length; ++i) {
            assertEq(_creditOf(everybody[i]), 0);
            assertEq(_rao(vault.creditOf(everybody[i])), 0);
            assertEq(_rao(arbiter.creditOf(everybody[i])), 0);
        }
        _assertBooks();
    }

    function test_RevertWhen_ThereIsNoSuchCase() external {
        _refuseExecute(1, _noCase(1));
        _refuseExecute(0, _noCase(0));
        _refuseExecute(type(uint64).max, _noCase(type(uint64).max));
    }

    function test_RevertGiven_TheCaseIsDecided() external {
        _outage();
        uint32 from = _now() + APPEAL_WINDOW;
        uint256 snapshot = vm.snapshotState();
        vm.warp(from);
        _execute(1);
        _refuseExecute(1, _notExecutable(1, EXECUTED, from));
        skip(10 * APPEAL_WINDOW);
        _refuseExecute(1, _notExecutable(1, EXECUTED, from));
        assertEq(_rao(vault.toBurn()), EARNED, "once");
        vm.revertToState(snapshot);
        _appeal(1);
        _rule(1, false);
        skip(10 * APPEAL_WINDOW);
        _refuseExecute(1, _notExecutable(1, DISMISSED, from));
        assertEq(_rao(vault.toBurn()), 0);
    }

    modifier givenTheCaseIsFiled() {
        _outage();
        _;
        _assertBooks();
    }

    function test_RevertWhen_TheAppealWindowIsOpen() external givenTheCaseIsFiled {
        uint32 from = _now() + APPEAL_WINDOW;
        _refuseExecute(1, _notExecutable(1, FILED, from));
        vm.warp(from - 1);
        _refuseExecute(1, _notExecutable(1, FILED, from));
        vm.warp(from);
        _execute(1);
    }

    modifier whenTheAppealWindowIsOver() {
        _;
    }

    function test_GivenPayIsWithheldAndAPenaltySetAside() external givenTheCaseIsFiled whenTheAppealWindowIsOver {
        uint64 refund = _creditOf(RENTER);
        skip(APPEAL_WINDOW);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Decided(rental, 20 minutes, Rao.wrap(_cost(20 minutes)), true);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Forfeited(1, Rao.wrap(EARNED));
        vm.expectEmit(address(arbiter));
        emit IArbiter.Executed(1, 20 minutes, Rao.wrap(EARNED));
        _execute(1);
        _assertStatus(1, EXECUTED);
        assertEq(_creditOf(RENTER), refund + _cost(20 minutes));
        assertEq(_rentalAt(rental).openSecs, 0);
        _assertBond(H100_BOND - EARNED, 0, 0, 1e9 - H100_BOND);
        assertEq(_rao(vault.toBurn()), EARNED);
        assertEq(_rao(vault.liabilities()), 1e9, "still in the books until burned");
        vault.flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), EARNED);
        assertEq(_rao(vault.liabilities()), 1e9 - EARNED);
    }

    function test_GivenThereIsNoPenalty() external givenTheCaseIsFiled whenTheAppealWindowIsOver {
        _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        uint64 refund = _creditOf(RENTER);
        skip(APPEAL_WINDOW);
        vm.expectEmit(address(arbiter));
        emit IArbiter.Executed(2, 300, Rao.wrap(0));
        _execute(2);
        assertEq(_creditOf(RENTER), refund + _cost(300));
        assertEq(_rao(vault.toBurn()), 0);
        _assertBond(H100_BOND - EARNED, EARNED, 0, 1e9 - H100_BOND);
    }

    function test_GivenAMachineSpoofed() external givenTheCaseIsFiled whenTheAppealWindowIsOver {
        _fileSpoofed(H100, 1, _spoofs(H100, 1, _now(), 3));
        uint64 refund = _creditOf(RENTER);
        skip(APPEAL_WINDOW);
        vm.expectEmit(address(arbiter));
        emit IArbiter.Executed(2, 0, Rao.wrap(H100_BOND));
        _execute(2);
        assertEq(_creditOf(RENTER), refund);
        assertEq(_rao(vault.toBurn()), H100_BOND);
        _assertBond(1e9 - H100_BOND - EARNED, EARNED, 0, 0);
    }

    function test_GivenTheRentalEarnedLessThanThePenaltyByNow() external givenTheCaseIsFiled whenTheAppealWindowIsOver {
        _fileSeen(INTERRUPTED, 0, start, start + 9 hours);
        uint64 earned = _cost(40 minutes);
        skip(APPEAL_WINDOW);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Forfeited(1, Rao.wrap(earned));
        vm.expectEmit(address(vault));
        emit ICollateralVault.GivenBack(1, Rao.wrap(EARNED - earned));
        vm.expectEmit(address(arbiter));
        emit IArbiter.Executed(1, 20 minutes, Rao.wrap(earned));
        _execute(1);
        assertEq(_rao(vault.toBurn()), earned);
        _assertBond(H100_BOND - EARNED, 0, 0, 1e9 - H100_BOND + EARNED - earned);
    }

    function test_GivenTheRentalEarnedNothingByNow() external givenTheCaseIsFiled whenTheAppealWindowIsOver {
        _fileSeen(INTERRUPTED, 0, start, start + 10 hours - 20 minutes);
        skip(APPEAL_WINDOW);
        vm.recordLogs();
        _execute(1);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            assertNotEq(logs[i].topics[0], ICollateralVault.Forfeited.selector, "nothing is not forfeited");
        }
        assertEq(_rao(vault.toBurn()), 0);
        assertEq(_penaltyOf(1), EARNED, "the record stays");
        _assertBond(H100_BOND - EARNED, 0, 0, 1e9 - H100_BOND + EARNED);
    }

    function test_GivenTheRentalIsClosed() external givenTheCaseIsFiled whenTheAppealWindowIsOver {
        skip(LAG);
        escrow.close(rental);
        uint64 refund = _creditOf(RENTER);
        skip(APPEAL_WINDOW - LAG);
        _execute(1);
        assertEq(_creditOf(RENTER), refund + _cost(20 minutes));
        _assertBond(0, 0, 0, 1e9 - EARNED);
    }

    function test_GivenSeveralCasesOfOneRental() external givenTheCaseIsFiled whenTheAppealWindowIsOver {
        _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        _fileSeen(INTERRUPTED, 1, start + 600, start + 700);
        skip(APPEAL_WINDOW);
        uint8[3][6] memory orders = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]];
        bytes32 outcome;
        uint256 snapshot = vm.snapshotState();
        for (uint256 i = 0; i < 6; ++i) {
            for (uint256 j = 0; j < 3; ++j) {
                _execute(orders[i][j]);
                _assertBooks();
            }
            bytes32 now_ = keccak256(abi.encode(vault.nodeAt(1), vault.toBurn(), _creditOf(RENTER), _creditOf(MINER)));
            if (i == 0) outcome = now_;
            assertEq(now_, outcome, "the order does not matter");
            vm.revertToState(snapshot);
        }
    }

    modifier givenTheCaseIsAppealed() {
        _outage();
        skip(APPEAL_WINDOW - 1);
        _appeal(1);
        _;
        _assertBooks();
    }

    function test_RevertWhen_TheJudgeStillHasTime() external givenTheCaseIsAppealed {
        uint32 from = _now() + RULING_WINDOW + 1;
        _refuseExecute(1, _notExecutable(1, APPEALED, from));
        skip(APPEAL_WINDOW);
        _refuseExecute(1, _notExecutable(1, APPEALED, from));
        vm.warp(from - 1);
        _refuseExecute(1, _notExecutable(1, APPEALED, from));
    }

    function test_WhenTheJudgeWasSilent() external givenTheCaseIsAppealed {
        uint64 refund = _creditOf(RENTER);
        skip(RULING_WINDOW + 1);
        vm.expectEmit(address(arbiter));
        emit IRaoLedger.Credited(MINER, Rao.wrap(MIN_APPEAL_BOND), Rao.wrap(MIN_APPEAL_BOND));
        vm.expectEmit(address(arbiter));
        emit IArbiter.Executed(1, 20 minutes, Rao.wrap(EARNED));
        _execute(1);
        _assertStatus(1, EXECUTED);
        assertEq(_creditOf(RENTER), refund + _cost(20 minutes));
        assertEq(_rao(vault.toBurn()), EARNED);
        assertEq(_rao(arbiter.creditOf(MINER)), MIN_APPEAL_BOND);
        assertEq(_rao(arbiter.toBurn()), 0, "the miner is not made to pay for the judge's silence");
        arbiter.withdrawCredit(MINER);
        assertEq(_arbiterOwes(), 0);
    }

    /* A TOTAL FUNCTION */

    function testFuzz_EveryCaseExecutesOnceAndNotBeforeItsTime(uint8 which, uint8 kinds, uint32[2] memory later)
        external
    {
        skip(30 minutes);
        IArbiter.Kind kind = kinds % 2 == 0 ? INTERRUPTED : OFFLINE;
        _fileSeen(kind, 0, start + 100, _now());
        uint32 from = _now() + APPEAL_WINDOW;
        uint64 refund = _creditOf(RENTER);
        bool appealed = kinds % 4 < 2;
        if (appealed) {
            skip(later[0] % APPEAL_WINDOW);
            _appeal(1);
        }
        uint32 first = appealed ? _now() + RULING_WINDOW + 1 : from;
        skip(later[1] % 4 == 0 ? first - _now() - 1 + later[1] % 3 : later[1] % (2 * RULING_WINDOW));
        if (Timestamp.unwrap(_rentalAt(rental).end) + LAG <= _now()) escrow.close(rental);
        bool done = kinds % 8 == 0 && _now() >= first;
        if (done) _execute(1);
        uint64 caseId = which % 8 == 0 ? 2 : 1;
        bytes memory expected;
        if (caseId == 2) expected = _noCase(2);
        else if (done) expected = _notExecutable(1, EXECUTED, from);
        else if (_now() < first) expected = _notExecutable(1, appealed ? APPEALED : FILED, first);
        done = _expect(expected) || done;
        _execute(caseId);
        assertEq(_creditOf(RENTER), refund + (done ? _cost(30 minutes - 100) : 0));
        assertEq(_rao(vault.toBurn()), done ? _penaltyOf(1) : 0);
        assertEq(_rao(arbiter.creditOf(MINER)), done && appealed ? MIN_APPEAL_BOND : 0);
        _assertStatus(1, done ? EXECUTED : appealed ? APPEALED : FILED);
        _assertBooks();
    }
}
