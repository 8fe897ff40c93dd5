// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { IStatedBonds } from "../../src/interfaces/IStatedBonds.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { OrdersBase } from "./OrdersBase.t.sol";

/// @dev Statements, rentals, cases and registrations in the orders that would have the same alpha answer twice, or
/// something that is gone answer at all.
contract OrdersTest is OrdersBase {
    bytes4 private immutable OTHER = IStatedBonds.StatedBonds_OtherRental.selector;
    bytes4 private immutable SHORT = IStatedBonds.StatedBonds_NotEnough.selector;

    /* A CASE BETWEEN A STATEMENT AND WHAT IT WOULD COVER */

    function test_AfterACaseThatEndedItARentalsStatementBeginsNoOther() external {
        _statedReady(0);
        uint64 rental = _rent(MACHINE, DAY);
        _failAt(rental);
        _offerAgain();
        _expectRent(abi.encodeWithSelector(OTHER, 1, 0, true, rental + 1));
    }

    function test_AfterACaseAStatementMadeDuringItsRentalBeginsNoOther() external {
        _statedReady(0);
        uint64 rental = _rent(MACHINE, DAY);
        skip(1);
        _state(_claim(rental, false), _word());
        _failAt(rental);
        _offerAgain();
        _expectRent(abi.encodeWithSelector(OTHER, 2, rental, false, rental + 1));
    }

    /// @dev Signed while it ran and recorded only after the case: what it says is of before.
    function test_AStatementRecordedAfterACaseButMadeBeforeItBeginsNoOther() external {
        _statedReady(0);
        uint64 rental = _rent(MACHINE, DAY);
        skip(1);
        IStatedBonds.SignedStatement[] memory early = _said(_claim(rental, false), _word(), 3);
        _failAt(rental);
        vault.state(_claim(rental, false), early);
        _offerAgain();
        _expectRent(abi.encodeWithSelector(OTHER, 2, rental, false, rental + 1));
    }

    function test_AfterACaseNoStatementExtendsItsRental() external {
        _longStated();
        uint64 rental = _rent(MACHINE, DAY);
        _failAt(rental);
        _state(_claim(rental, false), _word());
        _offerAgain();
        vm.expectPartialRevert(IRentalEscrow.RentalEscrow_Over.selector);
        this.extendByHand(rental, 1 hours);
    }

    /// @dev A `Spoofed` ends a running rental, as the other kinds do.
    function test_AfterASpoofThatEndedItARentalsStatementBeginsNoOther() external {
        _statedReady(0);
        uint64 rental = _rent(MACHINE, DAY);
        skip(1 hours);
        _spoof(1);
        skip(1);
        _offerAgain();
        _expectRent(abi.encodeWithSelector(OTHER, 1, 0, true, rental + 1));
    }

    /// @dev An interruption takes no bond, so it leaves a statement as good as it was.
    function test_AnInterruptionLeavesTheStatementThatItsRentalBeganWith() external {
        _longStated();
        uint64 rental = _rent(MACHINE, 1 hours);
        skip(20 minutes);
        arbiter.file(
            IArbiter.Kind.Interrupted,
            rental,
            0,
            _attest(IArbiter.Kind.Interrupted, rental, _now() - 10 minutes, _now() - 1 minutes, 3)
        );
        _extend(rental, 29 days);
        uint64 dear = uint64(uint256(PRICE) * (29 days + 1 hours) * 2_000 / 10_000);
        _assertCover(rental, 1, 4 * dear, dear);
    }

    function test_AStatementForARentalThatIsNotYetOverDoesNotBeginTheNextEvenIfRecordedAfterIt() external {
        _statedReady(0);
        uint64 rental = _rent(MACHINE, 1 hours);
        skip(1);
        IStatedBonds.SignedStatement[] memory early = _said(_claim(rental, false), _word(), 3);
        _endIt(rental);
        vault.state(_claim(rental, false), early);
        _expectRent(abi.encodeWithSelector(OTHER, 2, rental, false, rental + 1));
    }

    function test_AStatementForANumberThatIsGuessedCoversNothingUntilItIsTrue() external {
        _register(MACHINE);
        _offer(MACHINE);
        _state(_claim(7, true), _word());
        _expectRent(abi.encodeWithSelector(OTHER, 1, 7, true, 1));
    }

    /// @dev Numbers of rentals are those of the whole market: another machine's rental is none of this one's.
    function test_AStatementNamesTheMachinesOwnNewestRental() external {
        bytes32 second = keccak256("second machine");
        _ready(second, NEEDED);
        uint64 others = _rent(second, 1 hours);
        _register(MACHINE);
        _offer(MACHINE);
        IStatedBonds.BondClaim memory claim = _claim(others, true);
        claim.registration = 2;
        _state(claim, _word());
        _expectRent(abi.encodeWithSelector(OTHER, 1, others, true, others + 1));
        skip(1);
        claim.rental = 0;
        _state(claim, _word());
        _assertCover2(_rent(MACHINE, 1 hours), 2, NEEDED);
    }

    /* THE SAME ALPHA TWICE */

    /// @dev What covers the rental before is not there for an extension either, until that is closed.
    function test_AnExtensionTakesNothingOfWhatCoversTheRentalBefore() external {
        _register(MACHINE);
        _offer(MACHINE);
        IStatedBonds.SignedStatement memory word = _word();
        (word.alpha, word.value) = (2 * NEEDED, Rao.wrap(2 * NEEDED));
        _state(_claim(0, true), word);
        uint64 first = _rent(MACHINE, 1 hours);
        _endIt(first);
        (word.statedAt, word.until) = (Timestamp.wrap(_now()), Timestamp.wrap(_now() + 60 days));
        _state(_claim(first, true), word);
        uint64 second = _rent(MACHINE, 1 hours);
        _assertCover2(second, 2, NEEDED);
        uint64 dear = uint64(uint256(PRICE) * (22 days + 1 hours) * 2_000 / 10_000);
        assertGt(dear, NEEDED);
        vm.expectRevert(abi.encodeWithSelector(SHORT, 2, NEEDED, dear));
        this.extendByHand(second, 22 days);
        skip(LAG - 61);
        _fails(SHORT, second, 22 days);
        skip(1);
        escrow.close(first);
        _extend(second, 22 days);
        _assertCover2(second, 2, dear);
    }

    /// @dev Whatever is stated then, at whatever rate: of one bond both have at most all of it, of two each its own.
    function testFuzz_TwoOpenRentalsNeverShareAlpha(uint64[2] memory alpha, uint64[2] memory value, bool other)
        external
    {
        _register(MACHINE);
        _offer(MACHINE);
        IStatedBonds.BondClaim memory claim = _claim(0, true);
        for (uint256 i = 0; i < 2; ++i) {
            IStatedBonds.SignedStatement memory word = _word();
            alpha[i] = word.alpha = uint64(bound(alpha[i], 1, alpha[i] % 2 == 0 ? 1e6 : type(uint64).max));
            value[i] = uint64(bound(value[i], NEEDED, 4 * NEEDED));
            word.value = Rao.wrap(value[i]);
            _state(claim, word);
            if (i == 1) break;
            claim.rental = _rent(MACHINE, 1 hours);
            _endIt(claim.rental);
            if (other) claim.owner = keccak256("another coldkey");
        }
        uint256 used = other ? 0 : vault.coverOf(1).alpha;
        uint256 wanted = (uint256(NEEDED) * alpha[1] + value[1] - 1) / value[1];
        if (used + wanted > alpha[1]) return _expectRentPartially(SHORT);
        uint64 second = _rent(MACHINE, 1 hours);
        assertEq(vault.coverOf(second).alpha, wanted);
        assertLe(used + vault.coverOf(second).alpha, alpha[1]);
    }

    /// @dev Also where the newer statement says less than covers the rental before: nothing is left, and no underflow.
    function test_ASmallerStatementThanWhatCoversTheRentalBeforeLeavesNothing() external {
        _statedReady(0);
        uint64 rental = _rent(MACHINE, 1 hours);
        _endIt(rental);
        IStatedBonds.SignedStatement memory word = _word();
        (word.alpha, word.value) = (NEEDED, Rao.wrap(NEEDED));
        _state(_claim(rental, true), word);
        _expectRent(abi.encodeWithSelector(SHORT, 2, 0, NEEDED));
    }

    function test_ARegistrationThatIsRetiredLeavesNoStatementToTheNext() external {
        _statedReady(0);
        vm.prank(MINER);
        vault.retire(MACHINE);
        assertEq(_register(MACHINE), 2);
        _offer(MACHINE);
        assertEq(vault.statementOf(2), 0);
        bytes4 selector = ICollateralVault.CollateralVault_NotEnoughFree.selector;
        _expectRent(abi.encodeWithSelector(selector, MACHINE, 0, NEEDED));
        // Nor can what was signed for the old one be recorded for the new.
        skip(1);
        IStatedBonds.SignedStatement[] memory all = _said(_claim(0, true), _word(), 3);
        vm.expectRevert(abi.encodeWithSelector(IStatedBonds.StatedBonds_NotCurrent.selector, MACHINE, 1, 2));
        vault.state(_claim(0, true), all);
        IStatedBonds.BondClaim memory moved = _claim(0, true);
        moved.registration = 2;
        vm.expectRevert();
        vault.state(moved, all);
    }

    /// @dev So the same bond is never behind two registrations of a machine.
    function test_ANodeIsNotRetiredWhileAnythingCoversARentalOfIt() external {
        _statedReady(0);
        uint64 rental = _rent(MACHINE, 1 hours);
        _endIt(rental);
        vm.startPrank(MINER);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVault_NotEmpty.selector, MACHINE, 0, true));
        vault.retire(MACHINE);
        skip(LAG);
        escrow.close(rental);
        vault.retire(MACHINE);
        vm.stopPrank();
    }

    /* TAO */

    /// @dev Neither freed nor bound: what covers a rental is nobody's TAO.
    function test_CoversMoveNoTAO() external {
        _statedReady(NEEDED / 3);
        uint64 rental = _rent(MACHINE, 1 hours);
        assertEq(_rao(vault.nodeAt(1).reserved), NEEDED / 3);
        assertEq(_rao(vault.nodeAt(1).free), 0);
        assertEq(_rao(vault.owedToMiners()), NEEDED / 3);
        skip(1 hours + LAG);
        escrow.close(rental);
        assertEq(_rao(vault.nodeAt(1).free), NEEDED / 3);
        assertEq(_rao(vault.liabilities()), NEEDED / 3);
    }

    /// @dev An exit that lapsed is free TAO, and TAO comes first.
    function test_ALapsedExitIsBoundBeforeAnythingIsCovered() external {
        _register(MACHINE);
        _deposit(MACHINE, NEEDED - 1);
        vm.prank(MINER);
        vault.requestExit(MACHINE, Rao.wrap(NEEDED - 1));
        skip(5 days + 1);
        _offer(MACHINE);
        _state(_claim(0, true), _word());
        uint64 rental = _rent(MACHINE, 1 hours);
        _assertCover(rental, 1, 4, 1);
        assertEq(_reserved(rental), NEEDED - 1);
    }

    /// @dev What is on its way out backs nothing, so the stated bond stands in for it.
    function test_AnExitOnItsWayIsNotBoundAndStillLeaves() external {
        _statedReady(NEEDED);
        vm.prank(MINER);
        vault.requestExit(MACHINE, Rao.wrap(NEEDED));
        uint64 rental = _rent(MACHINE, 10 days);
        _assertCover(rental, 1, 4 * NEEDED, NEEDED);
        skip(2 days);
        vm.prank(MINER);
        vault.withdraw(MACHINE);
        assertEq(_rao(vault.creditOf(MINER)), NEEDED);
    }

    /// @dev A cover is never made of nothing, so whatever `abandon` is refused for is really covered.
    function testFuzz_WhatCoversHasAlphaAndValue(uint64 tao, uint64 alpha, uint64 value) external {
        tao = uint64(bound(tao, NEEDED - 5, NEEDED + 5));
        alpha = uint64(bound(alpha, 1, type(uint64).max));
        value = uint64(bound(value, 5, type(uint64).max));
        _register(MACHINE);
        _deposit(MACHINE, tao);
        _offer(MACHINE);
        IStatedBonds.SignedStatement memory word = _word();
        (word.alpha, word.value) = (alpha, Rao.wrap(value));
        _state(_claim(0, true), word);
        IStatedBonds.Cover memory cover = vault.coverOf(_rent(MACHINE, 1 hours));
        assertEq(cover.statement != 0, tao < NEEDED);
        assertEq(cover.alpha != 0, tao < NEEDED);
        assertEq(_rao(cover.value), tao < NEEDED ? NEEDED - tao : 0);
    }

    /// @dev Once TAO bears it alone, it can be given up like any other.
    function test_ARentalThatWasCoveredCanBeAbandonedOnceTAOBearsIt() external {
        _statedReady(0);
        uint64 rental = _rent(MACHINE, 10 days);
        _deposit(MACHINE, NEEDED);
        _extend(rental, 1 days);
        skip(2 days);
        vm.prank(MINER);
        escrow.abandon(rental);
        assertEq(_rao(vault.toBurn()), uint256(NEEDED) * 500 / 10_000);
    }

    /// @dev The table prices new business: an extension beyond what covers it is asked for what it says then, and a
    /// cover, unlike a reserve of TAO, is not kept beyond its time.
    function test_AnExtensionBeyondTheCoverIsAskedForTodaysBond() external {
        _statedReady(0);
        uint64 rental = _rent(MACHINE, 10 days);
        vm.prank(OWNER);
        escrow.setClassBond(H100, Rao.wrap(NEEDED / 2));
        uint64 byCost = uint64(uint256(PRICE) * 11 days * 2_000 / 10_000);
        assertLt(NEEDED / 2, byCost);
        _deposit(MACHINE, byCost);
        _extend(rental, 1 days);
        _assertCover(rental, 0, 0, 0);
        assertEq(_reserved(rental), byCost);
    }

    /* OF SEVERAL SIGNERS */

    /// @dev Older words of some signers beside newer ones of others: as old as the oldest, as much as the least.
    function test_MixedStatementsAreAsOldAsTheOldestAndAsMuchAsTheLeast() external {
        _register(MACHINE);
        IStatedBonds.SignedStatement[] memory old = _said(_claim(0, true), _word(), 3);
        skip(1 hours);
        IStatedBonds.SignedStatement memory word = _word();
        (word.alpha, word.value) = (ALPHA / 2, Rao.wrap(VALUE / 2));
        IStatedBonds.SignedStatement[] memory mixed = _said(_claim(0, true), word, 3);
        mixed[1] = old[1];
        vault.state(_claim(0, true), mixed);
        IStatedBonds.Statement memory s = vault.statementAt(1);
        assertEq(s.alpha, ALPHA / 2);
        assertEq(_rao(s.value), VALUE / 2);
        assertEq(Timestamp.unwrap(s.statedAt), _now() - 1 hours);
        assertEq(Timestamp.unwrap(s.until), _now() - 1 hours + 14 days);
        // And no mixture with any of them is newer than what came of it.
        mixed[0] = old[0];
        vm.expectPartialRevert(IStatedBonds.StatedBonds_NotNewer.selector);
        vault.state(_claim(0, true), mixed);
    }

    /// @dev The least alpha of one and the least value of another never count for more than either said.
    function testFuzz_NobodysRateIsExceededByMoreThanTheSignersDiffer(uint64[2] memory alpha, uint64[2] memory value)
        external
    {
        _register(MACHINE);
        _offer(MACHINE);
        IStatedBonds.SignedStatement[] memory all = new IStatedBonds.SignedStatement[](3);
        for (uint256 i = 0; i < 3; ++i) {
            IStatedBonds.SignedStatement memory word = _word();
            word.alpha = alpha[i % 2] = uint64(bound(alpha[i % 2], 1, type(uint64).max));
            value[i % 2] = uint64(bound(value[i % 2], NEEDED, type(uint64).max));
            word.value = Rao.wrap(value[i % 2]);
            all[i] = _signed(keeperKeys[i], _claim(0, true), word);
        }
        vault.state(_claim(0, true), all);
        IStatedBonds.Cover memory cover = vault.coverOf(_rent(MACHINE, 1 hours));
        for (uint256 i = 0; i < 2; ++i) {
            assertLe(cover.alpha, alpha[i]);
            assertLe(_rao(cover.value), value[i]);
        }
    }

    /// @dev A bit beyond a field's width is refused, never cut off: what is recorded is what was signed.
    function test_AClaimWithBitsBeyondItsFieldsIsRefused() external {
        _register(MACHINE);
        bytes memory data = abi.encodeCall(vault.state, (_claim(0, true), _said(_claim(0, true), _word(), 3)));
        uint256[3] memory words = [uint256(3), 4, 5]; // registration, rental, over
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory dirty = bytes.concat(data);
            dirty[4 + 32 * words[i] + 23] = 0x01;
            (bool ok,) = address(vault).call(dirty);
            assertFalse(ok);
        }
        (bool clean,) = address(vault).call(data);
        assertTrue(clean);
    }

    /* TIME */

    /// @dev The last second that 32 bits hold: a bond that is said to stay until then covers what ends before it.
    function test_ABondThatStaysUntilTheLastSecondCovers() external {
        _register(MACHINE);
        _offer(MACHINE);
        IStatedBonds.SignedStatement memory word = _word();
        word.until = Timestamp.wrap(type(uint32).max);
        _state(_claim(0, true), word);
        _assertCover(_rent(MACHINE, 30 days), 1, vault.coverOf(1).alpha, _rao(vault.coverOf(1).value));
        assertGt(vault.coverOf(1).alpha, 0);
    }

    function test_RevertWhen_TheLastCaseWouldBeAfterThatSecond() external {
        IRentalEscrow.Offer memory terms = _terms();
        vm.warp(type(uint32).max - 3 days - 2 hours + 1);
        _register(MACHINE);
        terms.expiresAt = Timestamp.wrap(type(uint32).max);
        vm.prank(MINER);
        escrow.offer(MACHINE, terms);
        IStatedBonds.SignedStatement memory word;
        (word.alpha, word.value) = (ALPHA, Rao.wrap(VALUE));
        (word.statedAt, word.until) = (Timestamp.wrap(_now()), Timestamp.wrap(type(uint32).max));
        _state(_claim(0, true), word);
        _expectRent(abi.encodeWithSignature("Panic(uint256)", 0x11));
        _deposit(MACHINE, NEEDED);
        _assertCover(_rent(MACHINE, 1 hours), 0, 0, 0);
    }
}
