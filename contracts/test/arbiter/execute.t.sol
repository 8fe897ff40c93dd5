// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { ArbiterBase } from "./ArbiterBase.t.sol";

contract ExecuteTest is ArbiterBase {
    function _execute(uint64 caseId) private {
        vm.prank(STRANGER);
        arbiter.execute(caseId);
    }

    function _notExecutable(uint64 caseId, IArbiter.Status status, uint32 from) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IArbiter.Arbiter_NotExecutable.selector, caseId, status, from);
    }

    /// @dev An outage after ten hours, ten more minutes of it unnoticed.
    function _outage() private returns (uint64 penalty) {
        skip(10 hours);
        uint64 caseId = _fileSeen(OFFLINE, 0, _now() - 20 minutes, _now());
        penalty = _penaltyOf(caseId);
    }

    function test_WithheldPayIsTheRentersAndThePenaltyIsBurned() external {
        uint64 penalty = _outage();
        assertEq(penalty, _cost(10 hours - 20 minutes));
        uint64 refund = _creditOf(RENTER);
        skip(APPEAL_WINDOW);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Decided(rental, 20 minutes, Rao.wrap(_cost(20 minutes)), true);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Forfeited(1, rental, Rao.wrap(penalty));
        vm.expectEmit(address(arbiter));
        emit IArbiter.Executed(1, 20 minutes, Rao.wrap(penalty));
        _execute(1);
        assertEq(uint8(arbiter.caseAt(1).status), uint8(IArbiter.Status.Executed));
        assertEq(_creditOf(RENTER), refund + _cost(20 minutes));
        assertEq(_rentalAt(rental).openSecs, 0);
        _assertBond(H100_BOND - penalty, 0, 0, 1e9 - H100_BOND);
        assertEq(_rao(vault.reserveOf(rental).forfeited), penalty);
        assertEq(_rao(vault.toBurn()), penalty);
        assertEq(_rao(vault.liabilities()), 1e9, "still in the books until burned");
        vault.flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), penalty);
        assertEq(_rao(vault.liabilities()), 1e9 - penalty);
        _assertConserved(rental);
    }

    function test_ACaseWithoutPenaltyBurnsNothing() external {
        skip(1 hours);
        _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        skip(APPEAL_WINDOW);
        _execute(1);
        assertEq(_creditOf(RENTER), _cost(300));
        assertEq(_rao(vault.toBurn()), 0);
        _assertBond(H100_BOND, 0, 0, 1e9 - H100_BOND);
    }

    function test_ASpoofBurnsAndPaysNobody() external {
        _fileSpoofed(H100, 1, _spoofs(H100, 1, _now(), 3));
        uint64 refund = _creditOf(RENTER);
        skip(APPEAL_WINDOW);
        _execute(1);
        assertEq(_creditOf(RENTER), refund);
        assertEq(_rao(vault.toBurn()), H100_BOND);
        _assertBond(1e9 - H100_BOND, 0, 0, 0);
    }

    function test_NeitherFilerNorSignerNorExecutorGains() external {
        _outage();
        skip(APPEAL_WINDOW);
        _execute(1);
        address[4] memory them = [STRANGER, keeperAccounts[0], keeperAccounts[1], keeperAccounts[2]];
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(_creditOf(them[i]), 0);
            assertEq(_rao(vault.creditOf(them[i])), 0);
            assertEq(_rao(arbiter.creditOf(them[i])), 0);
        }
    }

    function test_CasesExecuteInAnyOrder() external {
        skip(1 hours);
        _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        _fileSeen(INTERRUPTED, 1, start + 600, start + 700);
        _fileSeen(OFFLINE, 2, start + 2_000, _now());
        skip(APPEAL_WINDOW);
        _execute(3);
        _execute(1);
        _execute(2);
        assertEq(_creditOf(RENTER), _cost(DAY - 1 hours + 300 + 100 + 1_600));
        assertEq(_rentalAt(rental).openSecs, 0);
        _assertConserved(rental);
    }

    /* REVERTS */

    function test_RevertWhen_ThereIsNoSuchCase() external {
        vm.expectRevert(abi.encodeWithSelector(IArbiter.Arbiter_NoCase.selector, 1));
        _execute(1);
        vm.expectRevert(abi.encodeWithSelector(IArbiter.Arbiter_NoCase.selector, 0));
        _execute(0);
    }

    function test_RevertWhen_TheAppealWindowIsOpen() external {
        _outage();
        uint32 from = _now() + APPEAL_WINDOW;
        vm.warp(from - 1);
        vm.expectRevert(_notExecutable(1, IArbiter.Status.Filed, from));
        _execute(1);
        vm.warp(from);
        _execute(1);
    }

    function test_RevertWhen_ExecutedTwice() external {
        uint64 penalty = _outage();
        uint32 from = _now() + APPEAL_WINDOW;
        vm.warp(from);
        _execute(1);
        vm.expectRevert(_notExecutable(1, IArbiter.Status.Executed, from));
        _execute(1);
        assertEq(_rao(vault.toBurn()), penalty);
    }

    function testFuzz_EveryCaseExecutesOnceAndNotBeforeItsTime(uint8 which, uint8 kinds, uint32 later, bool again)
        external
    {
        skip(30 minutes);
        IArbiter.Kind kind = kinds % 2 == 0 ? INTERRUPTED : OFFLINE;
        _fileSeen(kind, 0, start + 100, _now());
        uint32 from = _now() + APPEAL_WINDOW;
        uint64 refund = _creditOf(RENTER);
        skip(later % (2 * APPEAL_WINDOW));
        bool closes = Timestamp.unwrap(_rentalAt(rental).end) + LAG <= _now();
        if (closes) escrow.close(rental);
        if (again && _now() >= from) _execute(1);
        bool done = again && _now() >= from;
        uint64 caseId = which % 8 == 0 ? 2 : 1;
        bytes memory expected;
        if (caseId == 2) expected = abi.encodeWithSelector(IArbiter.Arbiter_NoCase.selector, 2);
        else if (done) expected = _notExecutable(1, IArbiter.Status.Executed, from);
        else if (_now() < from) expected = _notExecutable(1, IArbiter.Status.Filed, from);
        done = _expect(expected) || done;
        _execute(caseId);
        assertEq(_creditOf(RENTER), refund + (done ? _cost(30 minutes - 100) : 0));
        assertEq(_rao(vault.toBurn()), done ? _penaltyOf(1) : 0);
        assertEq(uint8(arbiter.caseAt(1).status), uint8(done ? IArbiter.Status.Executed : IArbiter.Status.Filed));
        _assertConserved(rental);
    }
}
