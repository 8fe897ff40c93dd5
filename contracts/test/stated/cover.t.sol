// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { IStatedBonds } from "../../src/interfaces/IStatedBonds.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { StatedBase } from "./StatedBase.t.sol";
import { Vm } from "forge-std/Vm.sol";

/// @dev Rentals whose bond is, in part or all of it, elsewhere.
contract CoverTest is StatedBase {
    /// @dev What .721 TAO is in alpha, at VALUE for ALPHA.
    uint64 private constant NEEDED = H100_BOND;

    function test_RevertGiven_NoStatement() external {
        _ready(MACHINE, NEEDED - 1);
        bytes4 selector = ICollateralVault.CollateralVault_NotEnoughFree.selector;
        _expectRentReverts(abi.encodeWithSelector(selector, MACHINE, NEEDED - 1, NEEDED));
    }

    function test_RevertGiven_AStatementOlderThanItsLife() external {
        _statedReady(0);
        uint256 at = _now();
        skip(STATEMENT_LIFE + 1);
        bytes4 selector = IStatedBonds.StatedBonds_Stale.selector;
        _expectRentReverts(abi.encodeWithSelector(selector, at, at + 1));
    }

    function test_RevertGiven_AStatementFromBeforeTheLastRental() external {
        _statedReady(0);
        uint64 rental = _rent(MACHINE, 1 hours);
        _endIt(rental);
        bytes4 selector = IStatedBonds.StatedBonds_OtherRental.selector;
        _expectRentReverts(abi.encodeWithSelector(selector, 1, 0, true, rental + 1));
    }

    function test_RevertGiven_AStatementMadeDuringTheLastRental() external {
        _statedReady(0);
        uint64 rental = _rent(MACHINE, 1 hours);
        skip(1);
        _state(_claim(rental, false), _word());
        _endIt(rental);
        bytes4 selector = IStatedBonds.StatedBonds_OtherRental.selector;
        _expectRentReverts(abi.encodeWithSelector(selector, 2, rental, false, rental + 1));
    }

    function test_RevertWhen_TheBondCouldLeaveBeforeTheLastCase() external {
        _statedReady(0);
        uint32 most = 14 days - FILING - LAG;
        uint256 snapshot = vm.snapshotState();
        _rent(MACHINE, most);
        vm.revertToState(snapshot);
        uint256 wanted = _now() + 14 days + 1;
        bytes4 selector = IStatedBonds.StatedBonds_TooShort.selector;
        (, bytes32 hash,) = escrow.offerOf(MACHINE);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(MACHINE, 3);
        vm.expectRevert(abi.encodeWithSelector(selector, 1, _now() + 14 days, wanted));
        vm.prank(RENTER);
        escrow.rent{ value: uint256(PRICE) * (most + 1) * WEI }(MACHINE, most + 1, RENTER_KEY, hash, certificates);
    }

    function test_RevertWhen_ARaoMoreThanIsStatedIsNeeded() external {
        _register(MACHINE);
        _offer(MACHINE);
        IStatedBonds.SignedStatement memory word = _word();
        word.value = Rao.wrap(NEEDED - 1);
        _state(_claim(0, true), word);
        bytes4 selector = IStatedBonds.StatedBonds_NotEnough.selector;
        _expectRentReverts(abi.encodeWithSelector(selector, 1, NEEDED - 1, NEEDED));
        _deposit(MACHINE, 1);
        uint64 rental = _rent(MACHINE, 1 hours);
        _assertCover(rental, 1, ALPHA, NEEDED - 1);
        assertEq(_reserved(rental), 1);
    }

    function test_GivenNoTAOAtAll() external {
        _statedReady(0);
        vm.expectEmit(address(vault));
        emit IStatedBonds.Covered(1, 1, 4 * NEEDED, Rao.wrap(NEEDED), Rao.wrap(0));
        uint64 rental = _rent(MACHINE, 1 hours);
        _assertCover(rental, 1, 4 * NEEDED, NEEDED);
        assertEq(_reserved(rental), 0);
        assertEq(_rao(vault.liabilities()), 0);
    }

    function test_GivenEnoughTAO() external {
        _statedReady(NEEDED);
        uint64 rental = _rent(MACHINE, 1 hours);
        _assertCover(rental, 0, 0, 0);
        assertEq(_reserved(rental), NEEDED);
    }

    function test_GivenALittleTAO() external {
        _statedReady(NEEDED - 10);
        uint64 rental = _rent(MACHINE, 1 hours);
        _assertCover(rental, 1, 40, 10);
        assertEq(_reserved(rental), NEEDED - 10);
    }

    function test_WhenTheRateDoesNotDivide() external {
        _register(MACHINE);
        _offer(MACHINE);
        IStatedBonds.SignedStatement memory word = _word();
        (word.alpha, word.value) = (1_000_000_000, Rao.wrap(3_000_000_001));
        _state(_claim(0, true), word);
        uint64 rental = _rent(MACHINE, 1 hours);
        uint64 alpha = vault.coverOf(rental).alpha;
        assertGe(uint256(alpha) * 3_000_000_001, uint256(NEEDED) * 1_000_000_000);
        assertLt(uint256(alpha - 1) * 3_000_000_001, uint256(NEEDED) * 1_000_000_000);
    }

    /// @dev 10 rao at 10 alpha for 11 rao are 9 and a rao's worth more: 10.
    function test_WhenTheRateLeavesARemainderOfOne() external {
        _register(MACHINE);
        _deposit(MACHINE, NEEDED - 10);
        _offer(MACHINE);
        IStatedBonds.SignedStatement memory word = _word();
        (word.alpha, word.value) = (10, Rao.wrap(11));
        _state(_claim(0, true), word);
        _assertCover(_rent(MACHINE, 1 hours), 1, 10, 10);
    }

    /* ANOTHER RENTAL */

    function test_GivenTheRentalBeforeIsNotClosed() external {
        _register(MACHINE);
        _offer(MACHINE);
        IStatedBonds.SignedStatement memory word = _word();
        (word.alpha, word.value) = (2 * NEEDED - 1, Rao.wrap(2 * NEEDED - 1));
        _state(_claim(0, true), word);
        uint64 rental = _rent(MACHINE, 1 hours);
        _endIt(rental);
        (word.statedAt, word.until) = (Timestamp.wrap(_now()), Timestamp.wrap(_now() + 14 days));
        _state(_claim(rental, true), word);
        bytes4 selector = IStatedBonds.StatedBonds_NotEnough.selector;
        _expectRentReverts(abi.encodeWithSelector(selector, 2, NEEDED - 1, NEEDED));
        skip(LAG);
        escrow.close(rental);
        _assertCover(_rent(MACHINE, 1 hours), 2, NEEDED, NEEDED);
        _assertCover(rental, 1, NEEDED, NEEDED);
    }

    function test_GivenTheRentalBeforeIsCoveredByAnotherBond() external {
        _register(MACHINE);
        _offer(MACHINE);
        IStatedBonds.SignedStatement memory word = _word();
        (word.alpha, word.value) = (NEEDED, Rao.wrap(NEEDED));
        _state(_claim(0, true), word);
        uint64 rental = _rent(MACHINE, 1 hours);
        _endIt(rental);
        IStatedBonds.BondClaim memory claim = _claim(rental, true);
        claim.owner = keccak256("another coldkey");
        (word.statedAt, word.until) = (Timestamp.wrap(_now()), Timestamp.wrap(_now() + 14 days));
        _state(claim, word);
        _assertCover(_rent(MACHINE, 1 hours), 2, NEEDED, NEEDED);
    }

    function test_RevertGiven_AnotherMachinesStatement() external {
        _statedReady(0);
        bytes32 second = keccak256("second machine");
        _register(second);
        _offer(second);
        (, bytes32 hash,) = escrow.offerOf(second);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(second, 3);
        bytes4 selector = ICollateralVault.CollateralVault_NotEnoughFree.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, second, 0, NEEDED));
        vm.prank(RENTER);
        escrow.rent{ value: uint256(PRICE) * 1 hours * WEI }(second, 1 hours, RENTER_KEY, hash, certificates);
    }

    /* EXTENDING */

    function test_WhenExtendedWithinTheStatement() external {
        _statedReady(0);
        uint64 rental = _rent(MACHINE, 2 * DAY);
        _deposit(MACHINE, 5 * NEEDED);
        skip(STATEMENT_LIFE + 1);
        _state(_claim(rental, false), _word());
        _extendUnsaid(rental, DAY);
        _assertCover(rental, 1, 4 * NEEDED, NEEDED);
        assertEq(_reserved(rental), 0);
    }

    function test_WhenExtendedToTheLastSecondOfTheStatement() external {
        _statedReady(0);
        uint32 most = 14 days - FILING - LAG;
        uint64 rental = _rent(MACHINE, most - DAY);
        _deposit(MACHINE, NEEDED);
        _extend(rental, DAY);
        _assertCover(rental, 1, 4 * NEEDED, NEEDED);
        assertEq(_reserved(rental), 0);
        _extend(rental, 1);
        _assertCover(rental, 0, 0, 0);
        assertEq(_reserved(rental), NEEDED);
    }

    function test_WhenExtendedThoughTAOBearsItAlone() external {
        _statedReady(NEEDED);
        uint64 rental = _rent(MACHINE, 1 hours);
        _extendUnsaid(rental, 1 hours);
        _assertCover(rental, 0, 0, 0);
        assertEq(_reserved(rental), NEEDED);
    }

    function test_WhenExtendedToADearerRentalWithTheSameStatement() external {
        _longStated(NEEDED / 3);
        uint64 rental = _rent(MACHINE, 1 hours);
        skip(60);
        _extend(rental, 29 days);
        uint64 dear = uint64(uint256(PRICE) * (29 days + 1 hours) * 2_000 / 10_000);
        assertGt(dear, NEEDED);
        _assertCover(rental, 1, 4 * (dear - NEEDED / 3), dear - NEEDED / 3);
        assertEq(_reserved(rental), NEEDED / 3);
    }

    /// @dev TAO comes first, also for what an extension adds.
    function test_WhenExtendedToADearerRentalWithTAOEnough() external {
        _longStated(NEEDED / 3);
        uint64 rental = _rent(MACHINE, 1 hours);
        _deposit(MACHINE, NEEDED);
        _extend(rental, 29 days);
        uint64 dear = uint64(uint256(PRICE) * (29 days + 1 hours) * 2_000 / 10_000);
        uint64 covered = NEEDED - NEEDED / 3;
        _assertCover(rental, 1, 4 * covered, covered);
        assertEq(_reserved(rental), dear - covered);
    }

    function test_WhenExtendedBeyondTheStatementWithTAOEnough() external {
        _statedReady(0);
        uint64 rental = _rent(MACHINE, 10 days);
        _deposit(MACHINE, NEEDED);
        vm.expectEmit(address(vault));
        emit IStatedBonds.Covered(rental, 0, 0, Rao.wrap(0), Rao.wrap(0));
        _extend(rental, 1 days);
        _assertCover(rental, 0, 0, 0);
        assertEq(_reserved(rental), NEEDED);
    }

    function test_WhenExtendedBeyondTheStatement() external {
        _statedReady(NEEDED / 7);
        uint64 rental = _rent(MACHINE, 10 days);
        skip(1 days);
        bytes4 selector = IStatedBonds.StatedBonds_TooShort.selector;
        uint256 wanted = _now() + 10 days + LAG + FILING;
        uint256 until = Timestamp.unwrap(vault.statementAt(1).until);
        vm.expectRevert(abi.encodeWithSelector(selector, 1, until, wanted));
        this.extendByHand(rental, 1 days);
        IStatedBonds.SignedStatement memory word = _word();
        word.value = Rao.wrap(VALUE / 2);
        _state(_claim(rental, false), word);
        _extend(rental, 1 days);
        uint64 rest = NEEDED - NEEDED / 7;
        _assertCover(rental, 2, 8 * rest, rest);
        assertEq(_reserved(rental), NEEDED / 7);
    }

    function test_WhenExtendedWithAStatementFromBeforeIt() external {
        _longStated(NEEDED);
        uint64 rental = _rent(MACHINE, 1 hours);
        bytes4 selector = IStatedBonds.StatedBonds_OtherRental.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 1, 0, true, rental));
        this.extendByHand(rental, 29 days);
    }

    /* WHAT BECOMES OF IT */

    function test_RevertWhen_TheMinerAbandonsACoveredRental() external {
        _statedReady(NEEDED - 10);
        uint64 rental = _rent(MACHINE, DAY);
        skip(2 hours);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVault_Covered.selector, rental));
        vm.prank(MINER);
        escrow.abandon(rental);
    }

    function test_GivenACaseOfACoveredRental() external {
        _statedReady(NEEDED / 2);
        uint64 rental = _rent(MACHINE, DAY);
        skip(12 hours);
        uint32 from = _now() - 20 minutes;
        arbiter.file(IArbiter.Kind.Offline, rental, 0, _attest(IArbiter.Kind.Offline, rental, from, _now(), 3));
        // Ten percent of what is behind it here; ten percent of the rest is the other vault's to set aside.
        assertEq(_rao(vault.nodeAt(1).held), NEEDED / 2 / 10);
        uint64 rest = NEEDED - NEEDED / 2;
        _tao = NEEDED / 2;
        _assertCover(rental, 1, 4 * rest, rest);
        skip(LAG);
        escrow.close(rental);
        _assertCover(rental, 1, 4 * rest, rest);
    }

    function test_GivenNewBusinessIsClosed() external {
        _statedReady(0);
        uint64 rental = _rent(MACHINE, 1 hours);
        vm.prank(OWNER);
        vault.sunset();
        skip(1 hours + LAG);
        escrow.claim(rental);
        escrow.close(rental);
        vm.prank(MINER);
        vault.retire(MACHINE);
    }

    /* FUZZ */

    /// @dev Whatever is bonded and stated: TAO first, the rest covered at the statement's rate, or refused.
    function testFuzz_WhatIsBehindARentalIsNeverLessThanTheRule(uint64 tao, uint64 alpha, uint64 value) external {
        tao = uint64(bound(tao, 0, 2 * NEEDED));
        alpha = uint64(bound(alpha, 1, type(uint64).max));
        value = uint64(bound(value, 1, 3 * NEEDED));
        _register(MACHINE);
        if (tao != 0) _deposit(MACHINE, tao);
        _offer(MACHINE);
        IStatedBonds.SignedStatement memory word = _word();
        (word.alpha, word.value) = (alpha, Rao.wrap(value));
        _state(_claim(0, true), word);
        uint64 short = tao < NEEDED ? NEEDED - tao : 0;
        if (short > value) {
            (, bytes32 hash,) = escrow.offerOf(MACHINE);
            IRentalEscrow.SignedCertificate[] memory certificates = _certify(MACHINE, 3);
            vm.expectPartialRevert(IStatedBonds.StatedBonds_NotEnough.selector);
            vm.prank(RENTER);
            escrow.rent{ value: uint256(PRICE) * 1 hours * WEI }(MACHINE, 1 hours, RENTER_KEY, hash, certificates);
            return;
        }
        uint64 rental = _rent(MACHINE, 1 hours);
        IStatedBonds.Cover memory cover = vault.coverOf(rental);
        assertEq(_reserved(rental) + _rao(cover.value), NEEDED);
        assertEq(_rao(cover.value), short);
        assertLe(cover.alpha, alpha);
        assertGe(uint256(cover.alpha) * value, uint256(short) * alpha);
    }

    /* INTERNALS */

    /// @dev As `_statedReady`, and the stated bond stays for 60 days.
    function _longStated(uint64 bondRao) private {
        _register(MACHINE);
        _deposit(MACHINE, bondRao);
        _offer(MACHINE);
        IStatedBonds.SignedStatement memory word = _word();
        word.until = Timestamp.wrap(_now() + 60 days);
        _state(_claim(0, true), word);
    }

    /// @dev Extends, and nothing is said of what covers the rental.
    function _extendUnsaid(uint64 rental, uint32 secs) private {
        vm.recordLogs();
        _extend(rental, secs);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            assertNotEq(logs[i].topics[0], IStatedBonds.Covered.selector);
        }
    }

    function extendByHand(uint64 rental, uint32 secs) external {
        vm.deal(RENTER, 1_000 ether);
        _extend(rental, secs);
    }

    function _expectRentReverts(bytes memory with) private {
        (, bytes32 hash,) = escrow.offerOf(MACHINE);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(MACHINE, 3);
        vm.expectRevert(with);
        vm.prank(RENTER);
        escrow.rent{ value: uint256(PRICE) * 1 hours * WEI }(MACHINE, 1 hours, RENTER_KEY, hash, certificates);
    }
}
