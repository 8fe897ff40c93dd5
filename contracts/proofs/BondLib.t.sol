// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../src/interfaces/ICollateralVault.sol";
import { BondLib } from "../src/libraries/BondLib.sol";
import { Rao, Timestamp, minRao } from "../src/types/Units.sol";
import { Proof } from "./Proof.sol";

/// @dev One step of the induction for SPEC invariants 3 and 4: from any state in which they hold, each move of the
/// library leads to one in which they hold. A node here has two rentals, `_r` and `_other`, and `unbound`, what was
/// set aside from no rental. All money is at most the supply, so nothing may overflow either.
contract BondLibProofs is Proof {
    using BondLib for BondLib.Node;

    /// @dev Any state of a node with two rentals.
    struct Given {
        uint64 free;
        uint64 exiting;
        uint64[2] reserved;
        uint64[2] held;
        uint64[2] forfeited;
        uint64 unbound;
        bool released;
        uint32 exitReadyAt;
    }

    BondLib.Node private _node;
    ICollateralVault.Reserve private _r;
    ICollateralVault.Reserve private _other;

    /* GIVEN */

    function _given(Given memory g) private {
        uint256 all = uint256(g.free) + g.exiting + g.unbound;
        all += uint256(g.reserved[0]) + g.reserved[1] + g.held[0] + g.held[1] + g.forfeited[0] + g.forfeited[1];
        vm.assume(all <= ALL_RAO);
        _node.free = Rao.wrap(g.free);
        _node.exiting = Rao.wrap(g.exiting);
        _node.exitReadyAt = Timestamp.wrap(g.exitReadyAt);
        _node.reserved = Rao.wrap(g.reserved[0] + g.reserved[1]);
        _node.held = Rao.wrap(g.held[0] + g.held[1] + g.unbound);
        _r.reserved = Rao.wrap(g.reserved[0]);
        _r.held = Rao.wrap(g.held[0]);
        _r.forfeited = Rao.wrap(g.forfeited[0]);
        _r.released = g.released;
        _other.reserved = Rao.wrap(g.reserved[1]);
        _other.held = Rao.wrap(g.held[1]);
        _other.forfeited = Rao.wrap(g.forfeited[1]);
    }

    function _backing(Given memory g) private pure returns (uint64) {
        return g.reserved[0] + g.held[0] + g.forfeited[0];
    }

    function _bondedOf(Given memory g) private pure returns (uint64) {
        return g.free + g.exiting + g.reserved[0] + g.reserved[1] + g.held[0] + g.held[1] + g.unbound;
    }

    function _reservedOf(Given memory g) private pure returns (uint64) {
        return g.reserved[0] + g.reserved[1];
    }

    function _heldOf(Given memory g) private pure returns (uint64) {
        return g.held[0] + g.held[1] + g.unbound;
    }

    /* THEN */

    function _assertNode(uint64 free, uint64 exiting, uint64 reserved, uint64 held) private view {
        assert(Rao.unwrap(_node.free) == free);
        assert(Rao.unwrap(_node.exiting) == exiting);
        assert(Rao.unwrap(_node.reserved) == reserved);
        assert(Rao.unwrap(_node.held) == held);
    }

    function _assertReserve(uint64 reserved, uint64 held, uint64 forfeited) private view {
        assert(Rao.unwrap(_r.reserved) == reserved);
        assert(Rao.unwrap(_r.held) == held);
        assert(Rao.unwrap(_r.forfeited) == forfeited);
    }

    /// @dev Invariant 3, `left` having left the node; and the other rental, which no move of this one may touch, is
    /// still covered.
    function _assertConserved(Given memory g, uint64 left) private view {
        assert(Rao.unwrap(_node.bonded()) + left == _bondedOf(g));
        assert(Rao.unwrap(_other.reserved) == g.reserved[1]);
        assert(Rao.unwrap(_other.held) == g.held[1]);
        assert(Rao.unwrap(_other.forfeited) == g.forfeited[1]);
        assert(_r.reserved + _other.reserved == _node.reserved);
        assert(_r.held + _other.held <= _node.held);
    }

    function _assertBacking(uint64 backing) private view {
        assert(Rao.unwrap(_r.reserved) + Rao.unwrap(_r.held) + Rao.unwrap(_r.forfeited) == backing);
    }

    /* EXITS */

    function startExit(Rao amount) external {
        _node.startExit(amount, Timestamp.wrap(7));
    }

    function check_startExit_MovesOnlyBetweenFreeAndExiting(Given memory g, uint64 amount) external {
        _given(g);
        vm.assume(amount <= g.free + g.exiting);
        _node.startExit(Rao.wrap(amount), Timestamp.wrap(7));
        _assertConserved(g, 0);
        _assertBacking(_backing(g));
        _assertNode(g.free + g.exiting - amount, amount, _reservedOf(g), _heldOf(g));
        assert(_node.exitReadyAt == Timestamp.wrap(7));
    }

    /// @dev Bond behind a rental or in a case never leaves by an exit.
    function check_startExit_RevertsBeyondFreeAndExiting(Given memory g, Rao amount) external {
        _given(g);
        bool enough = Rao.unwrap(amount) <= g.free + g.exiting;
        assert(_succeeds(abi.encodeCall(this.startExit, (amount))) == enough);
    }

    function check_cancelExit_UndoesStartExit(Given memory g) external {
        _given(g);
        assert(Rao.unwrap(_node.cancelExit()) == g.exiting);
        _assertConserved(g, 0);
        _assertBacking(_backing(g));
        _assertNode(g.free + g.exiting, 0, _reservedOf(g), _heldOf(g));
    }

    function check_takeExit_TakesWhatIsExitingAndNothingElse(Given memory g) external {
        _given(g);
        uint64 left = Rao.unwrap(_node.takeExit());
        assert(left == g.exiting);
        _assertConserved(g, left);
        _assertBacking(_backing(g));
        _assertNode(g.free, 0, _reservedOf(g), _heldOf(g));
    }

    function check_settleExit_OnlyWritesDownALapsedExit(Given memory g, uint32 time, uint32 windowSecs) external {
        _given(g);
        vm.assume(uint256(g.exitReadyAt) + windowSecs <= type(uint32).max);
        vm.warp(time);
        bool lapsed = _node.lapsed(windowSecs);
        if (g.exiting == 0) assert(!lapsed);
        else assert(lapsed == (g.exitReadyAt + windowSecs < time));
        _node.settleExit(windowSecs);
        _assertConserved(g, 0);
        _assertBacking(_backing(g));
        assert(Rao.unwrap(_node.exiting) == (lapsed ? 0 : g.exiting));
        assert(!_node.lapsed(windowSecs));
    }

    /* RESERVES */

    function reserve(Rao total) external {
        _node.reserve(_r, total);
    }

    /// @dev Free bond alone pays for it, and only up to the total asked for.
    function check_reserve_RaisesTheBackingToTheTotal(Given memory g, uint64 total) external {
        _given(g);
        uint64 have = _backing(g);
        uint64 missing = total > have ? total - have : 0;
        vm.assume(missing <= g.free);
        assert(Rao.unwrap(_node.reserve(_r, Rao.wrap(total))) == missing);
        _assertConserved(g, 0);
        _assertBacking(have + missing);
        assert(Rao.unwrap(_node.free) == g.free - missing);
        assert(Rao.unwrap(_node.exiting) == g.exiting);
    }

    function check_reserve_RevertsWithoutEnoughFreeBond(Given memory g, uint64 total) external {
        _given(g);
        uint64 have = _backing(g);
        bool enough = total <= have || total - have <= g.free;
        assert(_succeeds(abi.encodeCall(this.reserve, (Rao.wrap(total)))) == enough);
    }

    function check_release_FreesTheIntactPartAlone(Given memory g) external {
        _given(g);
        assert(Rao.unwrap(_node.release(_r)) == g.reserved[0]);
        _assertConserved(g, 0);
        _assertReserve(0, g.held[0], g.forfeited[0]);
        _assertNode(g.free + g.reserved[0], g.exiting, g.reserved[1], _heldOf(g));
        assert(_r.released);
    }

    /* CASES */

    function check_asideReserved_TakesTheSmallerAndStaysBehindTheRental(Given memory g, Rao amount) external {
        _given(g);
        Rao taken = _node.asideReserved(_r, amount);
        assert(taken == minRao(amount, Rao.wrap(g.reserved[0])));
        _assertConserved(g, 0);
        _assertBacking(_backing(g));
        uint64 moved = Rao.unwrap(taken);
        _assertReserve(g.reserved[0] - moved, g.held[0] + moved, g.forfeited[0]);
        _assertNode(g.free, g.exiting, _reservedOf(g) - moved, _heldOf(g) + moved);
    }

    function check_asideExiting_TakesTheSmallerOfAnExit(Given memory g, Rao amount) external {
        _given(g);
        Rao taken = _node.asideExiting(amount);
        assert(taken == minRao(amount, Rao.wrap(g.exiting)));
        _assertConserved(g, 0);
        _assertBacking(_backing(g));
        uint64 moved = Rao.unwrap(taken);
        _assertNode(g.free, g.exiting - moved, _reservedOf(g), _heldOf(g) + moved);
    }

    function check_asideFree_TakesTheSmallerOfFreeBond(Given memory g, Rao amount) external {
        _given(g);
        Rao taken = _node.asideFree(amount);
        assert(taken == minRao(amount, Rao.wrap(g.free)));
        _assertConserved(g, 0);
        _assertBacking(_backing(g));
        uint64 moved = Rao.unwrap(taken);
        _assertNode(g.free - moved, g.exiting, _reservedOf(g), _heldOf(g) + moved);
    }

    /// @dev A case on `_r` holds at most what was set aside from it and from no rental.
    function check_forfeit_BurnsWhatIsHeldAndNothingElse(Given memory g, uint64 amount) external {
        _given(g);
        vm.assume(amount <= g.held[0] + g.unbound);
        _node.forfeit(_r, Rao.wrap(amount));
        _assertConserved(g, amount);
        _assertBacking(_backing(g));
        assert(Rao.unwrap(_r.reserved) == g.reserved[0]);
        _assertNode(g.free, g.exiting, _reservedOf(g), _heldOf(g) - amount);
    }

    /// @dev While the rental is open what came from its reserve goes back behind it; afterwards all of it is free.
    function check_giveBack_ReturnsAllOfItToTheNode(Given memory g, uint64 amount) external {
        _given(g);
        vm.assume(amount <= g.held[0] + g.unbound);
        _node.giveBack(_r, Rao.wrap(amount));
        _assertConserved(g, 0);
        uint64 fromReserve = amount < g.held[0] ? amount : g.held[0];
        uint64 behind = g.released ? 0 : fromReserve;
        _assertReserve(g.reserved[0] + behind, g.held[0] - fromReserve, g.forfeited[0]);
        assert(Rao.unwrap(_node.free) == g.free + amount - behind);
        assert(Rao.unwrap(_node.exiting) == g.exiting);
        if (!g.released) _assertBacking(_backing(g));
    }

    function check_giveBack_UndoesAsideReserved(Given memory g, Rao amount) external {
        _given(g);
        vm.assume(!g.released);
        vm.assume(g.held[0] == 0);
        _node.giveBack(_r, _node.asideReserved(_r, amount));
        _assertReserve(g.reserved[0], 0, g.forfeited[0]);
        _assertNode(g.free, g.exiting, _reservedOf(g), g.held[1] + g.unbound);
    }

    /// @dev Nobody takes out more than is held, whoever calls.
    function check_forfeitAndGiveBack_RevertBeyondWhatIsHeld(Given memory g, Rao amount) external {
        _given(g);
        vm.assume(Rao.unwrap(amount) > _heldOf(g));
        assert(!_succeeds(abi.encodeCall(this.forfeit, (amount))));
        assert(!_succeeds(abi.encodeCall(this.giveBack, (amount))));
    }

    function forfeit(Rao amount) external {
        _node.forfeit(_r, amount);
    }

    function giveBack(Rao amount) external {
        _node.giveBack(_r, amount);
    }
}
