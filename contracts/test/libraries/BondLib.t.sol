// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test, stdError } from "forge-std/Test.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { BondLib } from "../../src/libraries/BondLib.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";

/// @dev A node and a rental's reserve as bare state, without a vault around them.
contract BondLibTest is Test {
    using BondLib for BondLib.Node;

    BondLib.Node private _node;
    ICollateralVault.Reserve private _r;

    function setUp() external {
        vm.warp(1_800_000_000);
    }

    /// @dev `reserved` and `aside` of the rental under test; `otherReserved` and `otherHeld` belong to others.
    function _given(uint64 free, uint64 exiting, uint64 reserved, uint64 aside, uint64 otherHeld) private {
        _node.free = Rao.wrap(free);
        _node.exiting = Rao.wrap(exiting);
        _node.reserved = Rao.wrap(reserved);
        _node.held = Rao.wrap(aside + otherHeld);
        _r.reserved = Rao.wrap(reserved);
        _r.held = Rao.wrap(aside);
    }

    function _assertNode(uint64 free, uint64 exiting, uint64 reserved, uint64 held) private view {
        assertEq(Rao.unwrap(_node.free), free, "free");
        assertEq(Rao.unwrap(_node.exiting), exiting, "exiting");
        assertEq(Rao.unwrap(_node.reserved), reserved, "reserved");
        assertEq(Rao.unwrap(_node.held), held, "held");
        assertEq(Rao.unwrap(_node.bonded()), free + exiting + reserved + held, "bonded");
    }

    function _assertReserve(uint64 reserved, uint64 held, uint64 forfeited) private view {
        assertEq(Rao.unwrap(_r.reserved), reserved, "r.reserved");
        assertEq(Rao.unwrap(_r.held), held, "r.held");
        assertEq(Rao.unwrap(_r.forfeited), forfeited, "r.forfeited");
    }

    /* EXITS */

    function test_startExit_ReplacesWhatWasExiting() external {
        _given(70, 30, 0, 0, 0);
        _node.startExit(Rao.wrap(90), Timestamp.wrap(9));
        _assertNode(10, 90, 0, 0);
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
        _assertNode(5, 7, 0, 0);
        skip(1);
        _node.settleExit(100);
        _assertNode(12, 0, 0, 0);
    }

    function test_takeExit_LeavesTheNode() external {
        _given(5, 7, 11, 13, 0);
        assertEq(Rao.unwrap(_node.takeExit()), 7);
        _assertNode(5, 0, 11, 13);
    }

    /* RESERVES */

    function test_reserve_RevertWhen_FreeBondDoesNotDo() external {
        _given(5, 1_000, 0, 0, 0);
        vm.expectRevert(stdError.arithmeticError);
        this.reserve(6);
    }

    function reserve(uint64 total) external {
        _node.reserve(_r, Rao.wrap(total));
    }

    function test_release_MarksTheReserve() external {
        _given(5, 0, 11, 13, 0);
        assertEq(Rao.unwrap(_node.release(_r)), 11);
        _assertNode(16, 0, 0, 13);
        _assertReserve(0, 13, 0);
        assertTrue(_r.released);
    }

    function test_forfeit_RevertWhen_MoreThanIsHeld() external {
        _given(5, 0, 11, 13, 2);
        vm.expectRevert(stdError.arithmeticError);
        this.forfeit(16);
    }

    function forfeit(uint64 amount) external {
        _node.forfeit(_r, Rao.wrap(amount));
    }

    function test_giveBack_RevertWhen_MoreThanIsHeld() external {
        _given(5, 0, 11, 13, 2);
        vm.expectRevert(stdError.arithmeticError);
        this.giveBack(16);
    }

    function giveBack(uint64 amount) external {
        _node.giveBack(_r, Rao.wrap(amount));
    }

    /* FUZZ: ONE STEP */

    function testFuzz_reserve_RaisesTheSumToTheTotal(uint64 free, uint64 reserved, uint64 aside, uint64 total)
        external
    {
        reserved = uint64(bound(reserved, 0, 1e15));
        aside = uint64(bound(aside, 0, 1e15));
        total = uint64(bound(total, 0, 4e15));
        uint64 have = reserved + aside;
        uint64 added = total > have ? total - have : 0;
        free = uint64(bound(free, added, 1e16));
        _given(free, 3, reserved, aside, 0);
        assertEq(Rao.unwrap(_node.reserve(_r, Rao.wrap(total))), added);
        _assertNode(free - added, 3, reserved + added, aside);
        _assertReserve(reserved + added, aside, 0);
    }

    function testFuzz_aside_IsClampedToEachPart(uint64[3] memory parts, uint64[3] memory amounts) external {
        for (uint256 i = 0; i < 3; ++i) {
            parts[i] = uint64(bound(parts[i], 0, 1e15));
            amounts[i] = uint64(bound(amounts[i], 0, 2e15));
        }
        _given(parts[0], parts[1], parts[2], 0, 9);
        uint64[3] memory taken;
        taken[0] = Rao.unwrap(_node.asideFree(Rao.wrap(amounts[0])));
        taken[1] = Rao.unwrap(_node.asideExiting(Rao.wrap(amounts[1])));
        taken[2] = Rao.unwrap(_node.asideReserved(_r, Rao.wrap(amounts[2])));
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(taken[i], amounts[i] < parts[i] ? amounts[i] : parts[i]);
        }
        uint64 all = taken[0] + taken[1] + taken[2];
        _assertNode(parts[0] - taken[0], parts[1] - taken[1], parts[2] - taken[2], all + 9);
        _assertReserve(parts[2] - taken[2], taken[2], 0);
    }

    /* FUZZ: ANY STEPS */

    /// @dev Invariants 3 and 4 on bare state: whatever is called in whatever order, the parts change only against
    /// each other, money leaves through `takeExit` and `forfeit` alone, and until it is released the rental's reserve
    /// only ever moves between reserved, held and forfeited.
    function testFuzz_AnyOrderOfMovesConserves(uint8[32] memory moves, uint64[32] memory amounts) external {
        uint64 inside = 1e15;
        uint64 out;
        _given(inside, 0, 0, 0, 0);
        for (uint256 i = 0; i < moves.length; ++i) {
            uint64 backing = _backing();
            uint64 left = _move(moves[i] % 10, amounts[i]);
            out += left;
            assertEq(Rao.unwrap(_node.bonded()) + out, inside, "conserved");
            if (moves[i] % 10 != 3) assertEq(_backing(), backing, "only `reserve` changes what stands for a rental");
            else assertGe(_backing(), backing);
            assertEq(Rao.unwrap(_node.reserved), Rao.unwrap(_r.reserved), "one rental, one reserve");
            assertLe(Rao.unwrap(_r.held), Rao.unwrap(_node.held));
        }
    }

    function _backing() private view returns (uint64) {
        return Rao.unwrap(_r.reserved) + Rao.unwrap(_r.held) + Rao.unwrap(_r.forfeited);
    }

    function _some(uint64 amount, Rao max) private pure returns (Rao) {
        return Rao.wrap(uint64(bound(amount, 0, Rao.unwrap(max))));
    }

    /// @return left What left the node.
    function _move(uint8 move, uint64 amount) private returns (uint64 left) {
        if (move == 0) _node.startExit(_some(amount, _node.free + _node.exiting), Timestamp.wrap(1_800_000_000));
        else if (move == 1) _node.cancelExit();
        else if (move == 2) left = Rao.unwrap(_node.takeExit());
        else if (move == 3) _node.reserve(_r, _some(amount, _node.free) + Rao.wrap(_backing()));
        else if (move == 4) _node.asideReserved(_r, Rao.wrap(amount % 2e15));
        else if (move == 5) _node.asideExiting(Rao.wrap(amount % 2e15));
        else if (move == 6) _node.asideFree(Rao.wrap(amount % 2e15));
        else if (move == 7) left = _burn(_some(amount, _node.held));
        else if (move == 8) _node.giveBack(_r, _some(amount, _node.held));
        else skip(amount % 10);
        _node.settleExit(20);
    }

    function _burn(Rao amount) private returns (uint64) {
        _node.forfeit(_r, amount);
        return Rao.unwrap(amount);
    }
}
