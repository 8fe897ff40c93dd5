// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { ArbiterBase } from "./ArbiterBase.t.sol";

/// @dev Two things at once, in both orders: no order costs anybody a rao that the other would not.
contract OverlapsTest is ArbiterBase {
    uint64 private constant FREE = 1e9 - H100_BOND;

    function _exit(uint64 amount) private {
        vm.prank(MINER);
        vault.requestExit(MACHINE, Rao.wrap(amount));
    }

    function _withdraw() private {
        vm.prank(MINER);
        vault.withdraw(MACHINE);
    }

    function _over() private view returns (bytes memory) {
        return abi.encodeWithSelector(IArbiter.Arbiter_RentalOver.selector, rental, _rentalAt(rental).end);
    }

    /* A CASE AND AN EXTENSION */

    function test_AnExtensionInFrontOfACaseIsRefundedWhole() external {
        skip(20 minutes);
        _extend(rental, DAY);
        _fileSeen(OFFLINE, 0, start, _now());
        assertEq(_creditOf(RENTER), _cost(2 * DAY - 20 minutes));
        _assertConserved(rental);
    }

    function test_AnExtensionBehindACaseIsRefused() external {
        skip(20 minutes);
        _fileSeen(OFFLINE, 0, start, _now());
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_Over.selector, rental, _now()));
        _extend(rental, DAY);
        _assertConserved(rental);
    }

    function test_AnInterruptedRentalCanBeExtended() external {
        skip(20 minutes);
        _fileSeen(INTERRUPTED, 0, start, _now());
        _extend(rental, DAY);
        vm.warp(start + 2 * DAY + LAG);
        escrow.close(rental);
        assertEq(_creditOf(MINER), _cost(2 * DAY - 20 minutes));
        assertEq(_rentalAt(rental).openSecs, 20 minutes, "the case waits for nothing and nothing for it");
        _assertConserved(rental);
        arbiter.execute(1);
        assertEq(_creditOf(RENTER), _cost(20 minutes));
        _assertConserved(rental);
    }

    function test_AnExtensionDoesNotRevalueAnOlderPenaltyCase() external {
        skip(1 hours);
        _fileSeen(INTERRUPTED, 0, start + 60, start + 120);
        _deposit(MACHINE, 1e9);
        _extend(rental, 29 days);
        assertEq(_reserved(rental), 1_036_800_000);
        assertEq(_penaltyOf(1), 0);
    }

    /* A CASE AND AN END */

    function test_EndingDuringAnOutageStillLetsItsSecondsBeFiled() external {
        skip(3 hours);
        uint32 out = _now() - 20 minutes;
        _end(rental);
        _refuseSeen(OFFLINE, 0, out, _now(), _over());
        skip(10 minutes);
        _fileSeen(INTERRUPTED, 0, out, _now());
        _assertFault(0, out, start + 3 hours);
        assertEq(_penaltyOf(1), 0);
        skip(APPEAL_WINDOW);
        arbiter.execute(1);
        escrow.close(rental);
        assertEq(_creditOf(MINER), _cost(3 hours - 20 minutes));
        assertEq(_creditOf(RENTER), _cost(DAY - 3 hours + 20 minutes));
        _assertConserved(rental);
    }

    function test_TheMinimumDurationDoesNotOutlastAnOutage() external {
        skip(1 minutes);
        _end(rental); // runs on to the end of the first hour
        assertEq(_creditOf(RENTER), _cost(DAY - 1 hours));
        skip(20 minutes);
        _fileSeen(NOT_DELIVERED, 0, start, _now());
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), _now());
        assertEq(_creditOf(RENTER), _cost(DAY - 21 minutes));
        skip(APPEAL_WINDOW);
        arbiter.execute(1);
        assertEq(_creditOf(RENTER), _cost(DAY));
        _assertConserved(rental);
    }

    /* A CASE AND A CLOSE */

    function test_ClosingWithAnOpenCaseReleasesOnlyWhatIsNotHeld() external {
        skip(10 hours);
        uint64 penalty = _penaltyOf(_fileSeen(OFFLINE, 0, _now() - 1_000, _now()));
        skip(LAG);
        escrow.close(rental);
        _assertBond(0, penalty, 0, 1e9 - penalty);
        _exit(1e9 - penalty);
        skip(2 days);
        _withdraw();
        _assertBond(0, penalty, 0, 0);
        arbiter.execute(1);
        _assertBond(0, 0, 0, 0);
        assertEq(_rao(vault.creditOf(MINER)), 1e9 - penalty);
        assertEq(_rao(vault.liabilities()), 1e9, "in == out, not yet paid or burned");
        _assertConserved(rental);
    }

    function test_TheNextTenantsReserveIsUntouchedByAnOldCase() external {
        skip(10 hours);
        uint64 penalty = _penaltyOf(_fileSeen(OFFLINE, 0, _now() - 1_000, _now()));
        _deposit(MACHINE, 1e9);
        _offer(MACHINE);
        skip(60);
        uint64 second = _rent(MACHINE, DAY);
        skip(APPEAL_WINDOW);
        arbiter.execute(1);
        assertEq(_reserved(second), H100_BOND);
        assertEq(_rao(vault.toBurn()), penalty);
    }

    /* TWO KINDS AT ONCE */

    function test_TwoEndingKindsInOneBlockCountOnce() external {
        skip(20 minutes);
        uint256 snapshot = vm.snapshotState();
        _fileSeen(NOT_DELIVERED, 0, start, _now());
        _refuseSeen(OFFLINE, 1, start, _now(), _over());
        assertEq(_creditOf(RENTER), _cost(DAY - 20 minutes));
        vm.revertToState(snapshot);
        _fileSeen(OFFLINE, 0, start, _now());
        _refuseSeen(NOT_DELIVERED, 1, start, _now(), _over());
        assertEq(_creditOf(RENTER), _cost(DAY - 20 minutes));
        assertEq(_rentalAt(rental).faultedSecs, 20 minutes);
    }

    function test_AnOldInterruptionAndAnOutageInEitherOrderComeToTheSame() external {
        skip(50 minutes);
        uint256 snapshot = vm.snapshotState();
        _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        _fileSeen(OFFLINE, 1, start + 2_000, _now());
        bytes32 outcome = _outcome();
        vm.revertToState(snapshot);
        _fileSeen(OFFLINE, 0, start + 2_000, _now());
        _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        // Only the penalty's cap, what the rental earned, was larger by those seconds when the outage came first.
        assertEq(_penaltyOf(1), _cost(2_000));
        assertEq(_outcome(), outcome);
    }

    function _outcome() private view returns (bytes32) {
        IRentalEscrow.Rental memory r = _rentalAt(rental);
        return keccak256(abi.encode(r.end, r.faultedSecs, r.openSecs, r.faultCount, _creditOf(RENTER)));
    }

    function test_AnOutageOfOneThatSpoofsCostsBothAndNeverMoreThanTheBond() external {
        skip(10 hours);
        uint64 outage = _penaltyOf(_fileSeen(OFFLINE, 0, _now() - 1_000, _now()));
        uint64 spoof = _penaltyOf(_fileSpoofed(H100, 8, _spoofs(H100, 8, _now(), 3)));
        assertEq(outage + spoof, 1e9);
        _assertBond(0, 1e9, 0, 0);
        skip(APPEAL_WINDOW);
        arbiter.execute(2);
        arbiter.execute(1);
        escrow.close(rental);
        _assertBond(0, 0, 0, 0);
        assertEq(_rao(vault.toBurn()), 1e9);
        _assertConserved(rental);
    }

    function test_OnceItSpoofedNoOutageCanBeFiledButItsSecondsCan() external {
        skip(10 hours);
        _fileSpoofed(H100, 1, _spoofs(H100, 1, _now(), 3));
        _refuseSeen(OFFLINE, 0, _now() - 1_000, _now(), _over());
        _fileSeen(INTERRUPTED, 0, _now() - 1_000, _now());
        assertEq(_rentalAt(rental).faultedSecs, 1_000);
        _assertConserved(rental);
    }

    /* A CASE AND AN EXIT */

    function test_AReserveCannotLeaveInFrontOfACase() external {
        bytes4 selector = ICollateralVault.CollateralVault_NotEnoughFree.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, MACHINE, FREE, FREE + 1));
        _exit(FREE + 1);
        _exit(FREE);
        skip(10 hours);
        uint64 penalty = _penaltyOf(_fileSeen(OFFLINE, 0, _now() - 1_000, _now()));
        assertEq(penalty, _cost(10 hours - 1_000));
        _assertBond(H100_BOND - penalty, penalty, FREE, 0);
    }

    function test_AnExitRequestedBeforeASpoofAnswersForIt() external {
        _exit(FREE);
        skip(2 days - 1);
        _fileSpoofed(H100, 1, _spoofs(H100, 1, _now(), 3));
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVault_NoExit.selector, MACHINE));
        _withdraw();
        _assertBond(H100_BOND - (H100_BOND - FREE), H100_BOND, 0, 0);
    }

    function test_AnExitWithdrawnBeforeASpoofIsGoneAndTheRestAnswers() external {
        _exit(FREE);
        skip(2 days);
        _withdraw();
        _fileSpoofed(H100, 2, _spoofs(H100, 2, _now(), 3));
        assertEq(_penaltyOf(1), H100_BOND);
        _assertBond(0, H100_BOND, 0, 0);
    }

    function test_AnExitRequestedAfterASpoofFindsOnlyTheRest() external {
        _deposit(MACHINE, 1e9);
        _fileSpoofed(H100, 1, _spoofs(H100, 1, _now(), 3));
        uint64 left = 1e9 + FREE - H100_BOND;
        bytes4 selector = ICollateralVault.CollateralVault_NotEnoughFree.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, MACHINE, left, left + 1));
        _exit(left + 1);
        _exit(left);
        skip(2 days);
        _withdraw();
        assertEq(_rao(vault.creditOf(MINER)), left);
    }

    function test_AnExitLeavesTheCaseAloneAndTheCaseTheExit() external {
        skip(10 hours);
        uint64 penalty = _penaltyOf(_fileSeen(OFFLINE, 0, _now() - 1_000, _now()));
        _exit(FREE);
        skip(2 days);
        arbiter.execute(1);
        _withdraw();
        assertEq(_rao(vault.creditOf(MINER)), FREE);
        assertEq(_rao(vault.toBurn()), penalty);
    }

    /* A CASE AND AN OFFER */

    function test_OfferingAgainAtOnceLetsNobodyInWithOldCertificates() external {
        skip(20 minutes);
        RentCall memory c = _goodRent(MACHINE);
        skip(1);
        _fileSeen(OFFLINE, 0, start, _now());
        uint32 end = _now();
        c.offerHash = _offer(MACHINE);
        _deposit(MACHINE, 1e9);
        skip(60);
        bytes4 selector = IRentalEscrow.RentalEscrow_CertificateStale.selector;
        _refuse(c, abi.encodeWithSelector(selector, 0, end - 1, end));
    }

    function test_WithEveryKeeperSilentEverybodyGetsOut() external {
        vm.startPrank(OWNER);
        for (uint256 i = 0; i < 3; ++i) {
            keepers.dismiss(keeperAccounts[i]);
        }
        vm.stopPrank();
        skip(5 hours);
        escrow.claim(rental);
        _end(rental);
        skip(LAG);
        escrow.close(rental);
        _exit(1e9);
        skip(2 days);
        _withdraw();
        vault.withdrawCredit(MINER);
        escrow.withdrawCredit(MINER);
        escrow.withdrawCredit(RENTER);
        assertEq(_rao(escrow.liabilities()) + _rao(vault.liabilities()), 0, "invariant 7");
    }
}
