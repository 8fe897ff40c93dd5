// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test, stdError } from "forge-std/Test.sol";
import { BondLib } from "../../src/libraries/BondLib.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";

/// @dev A node as bare state, without a vault around it.
contract BondLibTest is Test {
    using BondLib for BondLib.Node;

    uint64 private constant A = 7;
    uint64 private constant B = 9;

    BondLib.Node private _node;

    function setUp() external {
        vm.warp(1_800_000_000);
    }

    /// @dev Parts of a node that backs rentals A and B.
    function _given(uint64 free, uint64 exiting, uint64 first, uint64 second, uint64 held) private {
        _node.open(A);
        _node.open(B);
        _node.free = Rao.wrap(first + second);
        _node.reserve(A, Rao.wrap(first));
        _node.reserve(B, Rao.wrap(second));
        _node.free = Rao.wrap(free);
        _node.exiting = Rao.wrap(exiting);
        _node.held = Rao.wrap(held);
    }

    function _assertNode(uint64 free, uint64 exiting, uint64 first, uint64 second, uint64 held) private view {
        assertEq(Rao.unwrap(_node.free), free, "free");
        assertEq(Rao.unwrap(_node.exiting), exiting, "exiting");
        assertEq(_behind(A), first, "first");
        assertEq(_behind(B), second, "second");
        assertEq(Rao.unwrap(_node.held), held, "held");
        assertEq(Rao.unwrap(_node.reserved()), first + second, "reserved");
        assertEq(Rao.unwrap(_node.bonded()), free + exiting + first + second + held, "bonded");
    }

    function _behind(uint64 rental) private view returns (uint64) {
        return Rao.unwrap(_node.backingOf(rental).reservedOf());
    }

    /* DEPOSITS */

    function test_deposit_IsAddedToFreeAlone() external {
        _given(5, 7, 11, 12, 13);
        assertEq(Rao.unwrap(_node.deposit(Rao.wrap(3))), 8);
        _assertNode(8, 7, 11, 12, 13);
    }

    /* EXITS */

    function test_startExit_ReplacesWhatWasExiting() external {
        _given(70, 30, 0, 0, 0);
        _node.startExit(Rao.wrap(90), Timestamp.wrap(9));
        _assertNode(10, 90, 0, 0, 0);
        assertEq(Timestamp.unwrap(_node.exitReadyAt), 9);
    }

    function test_startExit_RevertWhen_ThereIsNotEnough() external {
        _given(70, 30, 1_000, 1_000, 1_000);
        vm.expectRevert(stdError.arithmeticError);
        this.startExit(101);
    }

    function startExit(uint64 amount) external {
        _node.startExit(Rao.wrap(amount), Timestamp.wrap(9));
    }

    function test_lapsed_FromTheSecondAfterTheWindow() external {
        _given(0, 1, 0, 0, 0);
        _node.exitReadyAt = Timestamp.wrap(uint32(block.timestamp));
        assertFalse(_node.lapsed(100));
        skip(100);
        assertFalse(_node.lapsed(100));
        skip(1);
        assertTrue(_node.lapsed(100));
        _node.exiting = Rao.wrap(0);
        assertFalse(_node.lapsed(100), "nothing exits, nothing lapses");
    }

    function test_settleExit_WritesDownOnlyALapsedExit() external {
        _given(5, 7, 0, 0, 0);
        _node.exitReadyAt = Timestamp.wrap(uint32(block.timestamp));
        skip(100);
        _node.settleExit(100);
        _assertNode(5, 7, 0, 0, 0);
        skip(1);
        _node.settleExit(100);
        _assertNode(12, 0, 0, 0, 0);
    }

    function test_takeExit_LeavesTheNode() external {
        _given(5, 7, 11, 0, 13);
        assertEq(Rao.unwrap(_node.takeExit()), 7);
        _assertNode(5, 0, 11, 0, 13);
    }

    /* OPEN RENTALS */

    function test_open_TakesTheFirstPlaceThatIsNotOpen_AndNoThird() external {
        assertFalse(_node.hasOpenRental());
        assertTrue(_node.open(A));
        assertTrue(_node.open(B));
        assertFalse(_node.open(11), "two are open");
        assertEq(_node.first.rentalOf(), A);
        assertEq(_node.second.rentalOf(), B);
        _node.release(A);
        assertTrue(_node.hasOpenRental(), "the second");
        assertTrue(_node.open(11));
        assertEq(_node.first.rentalOf(), 11);
        _node.release(B);
        assertTrue(_node.hasOpenRental(), "the first");
        _node.release(11);
        assertFalse(_node.hasOpenRental());
    }

    function test_backingOf_AClosedOrUnknownRentalHasNone() external {
        _given(5, 0, 11, 13, 0);
        assertTrue(_node.backingOf(A).isOpen());
        assertFalse(_node.backingOf(8).isOpen());
        assertFalse(_node.backingOf(0).isOpen());
        _node.release(A);
        assertFalse(_node.backingOf(A).isOpen());
        assertEq(_behind(A), 0);
        assertEq(_behind(B), 13);
    }

    function test_reserve_RevertWhen_FreeBondDoesNotDo() external {
        _given(5, 1_000, 0, 0, 0);
        vm.expectRevert(stdError.arithmeticError);
        this.reserve(6);
    }

    function reserve(uint64 total) external {
        _node.reserve(A, Rao.wrap(total));
    }

    function test_release_ClosesOneAndLeavesTheOther() external {
        _given(5, 0, 11, 13, 17);
        assertEq(Rao.unwrap(_node.release(B)), 13);
        _assertNode(18, 0, 11, 0, 17);
        assertFalse(_node.second.isOpen());
        assertTrue(_node.first.isOpen());
        assertEq(Rao.unwrap(_node.release(A)), 11);
        _assertNode(29, 0, 0, 0, 17);
        assertEq(_node.first.rentalOf(), A, "the number stays, so that the slot never empties");
    }

    /* CASES */

    function test_asideAny_TakesExitingThenFreeThenFirstThenSecond() external {
        _given(10, 20, 30, 40, 0);
        assertEq(Rao.unwrap(_node.asideAny(Rao.wrap(19))), 19);
        _assertNode(10, 1, 30, 40, 19);
        assertEq(Rao.unwrap(_node.asideAny(Rao.wrap(10))), 10);
        _assertNode(1, 0, 30, 40, 29);
        assertEq(Rao.unwrap(_node.asideAny(Rao.wrap(30))), 30);
        _assertNode(0, 0, 1, 40, 59);
        assertEq(Rao.unwrap(_node.asideAny(Rao.wrap(40))), 40);
        _assertNode(0, 0, 0, 1, 99);
        assertEq(Rao.unwrap(_node.asideAny(Rao.wrap(40))), 1);
        _assertNode(0, 0, 0, 0, 100);
    }

    function test_asideReserved_OfARentalThatIsNotOpenTakesNothing() external {
        _given(10, 20, 30, 40, 0);
        assertEq(Rao.unwrap(_node.asideReserved(8, Rao.wrap(5))), 0);
        _node.release(A);
        assertEq(Rao.unwrap(_node.asideReserved(A, Rao.wrap(5))), 0);
        _assertNode(40, 20, 0, 40, 0);
    }

    function test_forfeitReserved_ToTheLastRao() external {
        _given(5, 0, 11, 0, 15);
        assertEq(Rao.unwrap(_node.forfeitReserved(A, Rao.wrap(1))), 1);
        _assertNode(5, 0, 10, 0, 15);
        assertEq(Rao.unwrap(_node.forfeitReserved(A, Rao.wrap(11))), 10);
        _assertNode(5, 0, 0, 0, 15);
    }

    function test_forfeit_RevertWhen_MoreThanIsHeld() external {
        _given(5, 0, 11, 0, 15);
        vm.expectRevert(stdError.arithmeticError);
        this.forfeit(16);
    }

    function forfeit(uint64 amount) external {
        _node.forfeit(Rao.wrap(amount));
    }

    function test_giveBack_RevertWhen_MoreThanIsHeld() external {
        _given(5, 0, 11, 0, 15);
        vm.expectRevert(stdError.arithmeticError);
        this.giveBack(16);
    }

    function giveBack(uint64 amount) external {
        _node.giveBack(Rao.wrap(amount));
    }

    /* FUZZ: ONE STEP */

    function testFuzz_reserve_RaisesToTheTotalAndNeverLowers(uint64 free, uint64 reserved, uint64 total, bool second)
        external
    {
        reserved = uint64(bound(reserved, 0, 1e15));
        total = uint64(bound(total, 0, 4e15));
        uint64 added = total > reserved ? total - reserved : 0;
        free = uint64(bound(free, added, 1e16));
        _given(free, 3, second ? 5 : reserved, second ? reserved : 5, 9);
        assertEq(Rao.unwrap(_node.reserve(second ? B : A, Rao.wrap(total))), added);
        uint64 now_ = reserved + added;
        _assertNode(free - added, 3, second ? 5 : now_, second ? now_ : 5, 9);
    }

    function testFuzz_aside_IsClampedToEachPart(uint64[4] memory parts, uint64[4] memory amounts) external {
        for (uint256 i = 0; i < 4; ++i) {
            parts[i] = uint64(bound(parts[i], 0, 1e15));
            amounts[i] = uint64(bound(amounts[i], 0, 2e15));
        }
        _given(parts[0], parts[1], parts[2], parts[3], 9);
        uint64[4] memory taken;
        taken[0] = Rao.unwrap(_node.asideFree(Rao.wrap(amounts[0])));
        taken[1] = Rao.unwrap(_node.asideExiting(Rao.wrap(amounts[1])));
        taken[2] = Rao.unwrap(_node.asideReserved(A, Rao.wrap(amounts[2])));
        taken[3] = Rao.unwrap(_node.asideReserved(B, Rao.wrap(amounts[3])));
        uint64 all = 9;
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(taken[i], amounts[i] < parts[i] ? amounts[i] : parts[i]);
            all += taken[i];
        }
        _assertNode(parts[0] - taken[0], parts[1] - taken[1], parts[2] - taken[2], parts[3] - taken[3], all);
    }

    function testFuzz_forfeitReserved_IsClampedAndLeavesTheNode(uint64 first, uint64 second, uint64 amount) external {
        first = uint64(bound(first, 0, 1e15));
        second = uint64(bound(second, 0, 1e15));
        _given(1, 2, first, second, 3);
        uint64 taken = Rao.unwrap(_node.forfeitReserved(B, Rao.wrap(amount)));
        assertEq(taken, amount < second ? amount : second);
        _assertNode(1, 2, first, second - taken, 3);
    }

    /* FUZZ: ANY STEPS */

    /// @dev Invariants 3 and 4 on bare state: whatever is called in whatever order, the parts change only against each
    /// other, money leaves through `takeExit`, `forfeit` and `forfeitReserved` alone, and what stands behind a rental
    /// only ever shrinks into `held` or by being burned, until it is released.
    function testFuzz_AnyOrderOfMovesConserves(uint8[32] memory moves, uint64[32] memory amounts) external {
        uint64 inside = 1e15;
        uint64 out;
        _given(inside, 0, 0, 0, 0);
        for (uint256 i = 0; i < moves.length; ++i) {
            (uint64 first, uint64 second, uint64 held) = (_behind(A), _behind(B), Rao.unwrap(_node.held));
            uint8 move = moves[i] % 13;
            uint64 left = _move(move, amounts[i], amounts[i] % 2 == 0 ? A : B);
            out += left;
            assertEq(Rao.unwrap(_node.bonded()) + out, inside, "conserved");
            if (move == 3 || move == 10) continue; // reserve, release
            assertLe(_behind(A), first, "only `reserve` raises it");
            assertLe(_behind(B), second);
            uint64 shrunk = first + second - _behind(A) - _behind(B);
            if (move == 9) assertEq(shrunk, left, "burned");
            else assertLe(shrunk, Rao.unwrap(_node.held) + left > held ? Rao.unwrap(_node.held) + left - held : 0);
        }
    }

    function _some(uint64 amount, Rao max) private pure returns (Rao) {
        return Rao.wrap(uint64(bound(amount, 0, Rao.unwrap(max))));
    }

    /// @return left What left the node.
    function _move(uint8 move, uint64 amount, uint64 rental) private returns (uint64 left) {
        if (move == 0) _node.startExit(_some(amount, _node.free + _node.exiting), Timestamp.wrap(1_800_000_000));
        else if (move == 1) _node.cancelExit();
        else if (move == 2) left = Rao.unwrap(_node.takeExit());
        else if (move == 3) _reserveMore(rental, amount);
        else if (move == 4) _node.asideReserved(rental, Rao.wrap(amount % 2e15));
        else if (move == 5) _node.asideExiting(Rao.wrap(amount % 2e15));
        else if (move == 6) _node.asideFree(Rao.wrap(amount % 2e15));
        else if (move == 7) left = _burn(_some(amount, _node.held));
        else if (move == 8) _node.giveBack(_some(amount, _node.held));
        else if (move == 9) left = Rao.unwrap(_node.forfeitReserved(rental, Rao.wrap(amount % 2e15)));
        else if (move == 10) _releaseIfOpen(rental);
        else if (move == 11) _node.asideAny(Rao.wrap(amount % 2e15));
        else skip(amount % 10);
        _node.settleExit(20);
    }

    /// @dev Opens it first, if a place is left.
    function _reserveMore(uint64 rental, uint64 amount) private {
        if (!_node.backingOf(rental).isOpen() && !_node.open(rental)) return;
        _node.reserve(rental, _some(amount, _node.free) + _node.backingOf(rental).reservedOf());
    }

    function _releaseIfOpen(uint64 rental) private {
        if (_node.backingOf(rental).isOpen()) _node.release(rental);
    }

    function _burn(Rao amount) private returns (uint64) {
        _node.forfeit(amount);
        return Rao.unwrap(amount);
    }
}
