// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { BondLib } from "../src/libraries/BondLib.sol";
import { Backing } from "../src/types/Backing.sol";
import { Rao, Timestamp, minRao } from "../src/types/Units.sol";
import { Proof } from "./Proof.sol";

/// @dev One step of the induction for SPEC invariants 3 and 4: from any state in which they hold, each move of the
/// library leads to one in which they hold. A state is five numbers and two words, and every proof says what all of
/// them are after the move. All money is at most the supply, so nothing may overflow either.
contract BondLibProofs is Proof {
    using BondLib for BondLib.Node;

    uint64 private constant LARGEST_RENTAL = type(uint64).max >> 1;

    /// @dev Any state of a node.
    struct State {
        uint64 free;
        uint64 exiting;
        uint64 held;
        uint32 exitReadyAt;
        uint128 first;
        uint128 second;
    }

    BondLib.Node private _node;

    /* GIVEN */

    /// @dev What holds of every node: not one rental twice, nothing behind a closed one, and no more than all rao. All
    /// without a branch, of which every proof would have one path more.
    function _isSound(State memory s) private pure returns (bool) {
        (uint256 first, uint256 second) = (_openBit(s.first), _openBit(s.second));
        uint256 same = _bit(s.first >> 65 == s.second >> 65);
        uint256 bad = first & second & same;
        bad |= (first ^ 1) & _bit(_first(s) != 0);
        bad |= (second ^ 1) & _bit(_second(s) != 0);
        uint256 all;
        unchecked {
            all = uint256(s.free) + s.exiting + s.held + _first(s) + _second(s);
        }
        return (bad | _bit(all > ALL_RAO)) == 0;
    }

    function _openBit(uint128 backing) private pure returns (uint256) {
        return (backing >> 64) & 1;
    }

    function _bit(bool b) private pure returns (uint256 bit) {
        assembly {
            bit := b
        }
    }

    function _given(State memory s) private {
        vm.assume(_isSound(s));
        _node.free = Rao.wrap(s.free);
        _node.exiting = Rao.wrap(s.exiting);
        _node.held = Rao.wrap(s.held);
        _node.exitReadyAt = Timestamp.wrap(s.exitReadyAt);
        _node.first = Backing.wrap(s.first);
        _node.second = Backing.wrap(s.second);
    }

    /// @dev What is behind the first, the second, and a rental, which may be either's or nobody's.
    function _first(State memory s) private pure returns (uint64) {
        return Rao.unwrap(Backing.wrap(s.first).reservedOf());
    }

    function _second(State memory s) private pure returns (uint64) {
        return Rao.unwrap(Backing.wrap(s.second).reservedOf());
    }

    function _behind(State memory s, uint64 rental) private pure returns (uint64) {
        if (Backing.wrap(s.first).isBehind(rental)) return _first(s);
        return Backing.wrap(s.second).isBehind(rental) ? _second(s) : 0;
    }

    function _isOpen(State memory s, uint64 rental) private pure returns (bool) {
        return Backing.wrap(s.first).isBehind(rental) || Backing.wrap(s.second).isBehind(rental);
    }

    function _bonded(State memory s) private pure returns (uint64) {
        return s.free + s.exiting + s.held + _first(s) + _second(s);
    }

    /* THEN */

    function _state() private view returns (State memory s) {
        s.free = Rao.unwrap(_node.free);
        s.exiting = Rao.unwrap(_node.exiting);
        s.held = Rao.unwrap(_node.held);
        s.exitReadyAt = Timestamp.unwrap(_node.exitReadyAt);
        s.first = Backing.unwrap(_node.first);
        s.second = Backing.unwrap(_node.second);
    }

    /// @dev Invariant 3: with `left` out of the node, everything is still there; and the node is sound as before. The
    /// moves that touch a backing state every part and word exactly instead, from which the same follows.
    function _assertConserved(State memory was, uint64 left) private view {
        assert(Rao.unwrap(_node.bonded()) + left == _bonded(was));
        assert(_isSound(_state()));
    }

    function _assertUnbound(uint64 free, uint64 exiting, uint64 held, uint32 exitReadyAt) private view {
        assert(Rao.unwrap(_node.free) == free);
        assert(Rao.unwrap(_node.exiting) == exiting);
        assert(Rao.unwrap(_node.held) == held);
        assert(Timestamp.unwrap(_node.exitReadyAt) == exitReadyAt);
    }

    function _assertBackingsAsBefore(State memory was) private view {
        assert(Backing.unwrap(_node.first) == was.first);
        assert(Backing.unwrap(_node.second) == was.second);
    }

    /// @dev `rental` has `reserved` behind it and is open as before; what backs the other is the same word.
    function _assertBehind(State memory was, uint64 rental, uint64 reserved) private view {
        bool inFirst = Backing.wrap(was.first).isBehind(rental);
        bool inSecond = Backing.wrap(was.second).isBehind(rental);
        assert(Backing.unwrap(_node.first) == (inFirst ? _with(was.first, reserved) : was.first));
        assert(Backing.unwrap(_node.second) == (inSecond ? _with(was.second, reserved) : was.second));
    }

    function _with(uint128 backing, uint64 reserved) private pure returns (uint128) {
        return Backing.unwrap(Backing.wrap(backing).withReserved(Rao.wrap(reserved)));
    }

    /* READING */

    function check_reading_SaysWhatIsThere(State memory s, uint64 rental) external {
        _given(s);
        assert(Rao.unwrap(_node.bonded()) == _bonded(s));
        assert(Rao.unwrap(_node.reserved()) == _first(s) + _second(s));
        assert(_node.hasOpenRental() == (Backing.wrap(s.first).isOpen() || Backing.wrap(s.second).isOpen()));
        assert(_node.backingOf(rental).isOpen() == _isOpen(s, rental));
        assert(Rao.unwrap(_node.backingOf(rental).reservedOf()) == _behind(s, rental));
    }

    /* FREE AND EXITING */

    function startExit(Rao amount) external {
        _node.startExit(amount, Timestamp.wrap(7));
    }

    function check_deposit_AddsToFreeAlone(State memory s, uint64 amount) external {
        _given(s);
        vm.assume(uint256(_bonded(s)) + amount <= ALL_RAO);
        assert(Rao.unwrap(_node.deposit(Rao.wrap(amount))) == s.free + amount);
        _assertUnbound(s.free + amount, s.exiting, s.held, s.exitReadyAt);
        _assertBackingsAsBefore(s);
        assert(Rao.unwrap(_node.bonded()) == _bonded(s) + amount);
    }

    function check_startExit_MovesOnlyBetweenFreeAndExiting(State memory s, uint64 amount) external {
        _given(s);
        vm.assume(amount <= s.free + s.exiting);
        _node.startExit(Rao.wrap(amount), Timestamp.wrap(7));
        _assertConserved(s, 0);
        _assertUnbound(s.free + s.exiting - amount, amount, s.held, 7);
        _assertBackingsAsBefore(s);
    }

    /// @dev Bond behind a rental or in a case never leaves by an exit.
    function check_startExit_RevertsBeyondFreeAndExiting(State memory s, Rao amount) external {
        _given(s);
        bool enough = Rao.unwrap(amount) <= s.free + s.exiting;
        assert(_succeeds(abi.encodeCall(this.startExit, (amount))) == enough);
    }

    function check_cancelExit_FreesTheExit(State memory s) external {
        _given(s);
        assert(Rao.unwrap(_node.cancelExit()) == s.exiting);
        _assertConserved(s, 0);
        _assertUnbound(s.free + s.exiting, 0, s.held, s.exitReadyAt);
        _assertBackingsAsBefore(s);
    }

    function check_takeExit_TakesWhatIsExitingAndNothingElse(State memory s) external {
        _given(s);
        assert(Rao.unwrap(_node.takeExit()) == s.exiting);
        _assertConserved(s, s.exiting);
        _assertUnbound(s.free, 0, s.held, s.exitReadyAt);
        _assertBackingsAsBefore(s);
    }

    function check_settleExit_OnlyWritesDownALapsedExit(State memory s, uint32 time, uint32 windowSecs) external {
        _given(s);
        vm.assume(uint256(s.exitReadyAt) + windowSecs <= type(uint32).max);
        vm.warp(time);
        bool lapsed = s.exiting != 0 && uint256(s.exitReadyAt) + windowSecs < time;
        assert(_node.lapsed(windowSecs) == lapsed);
        _node.settleExit(windowSecs);
        _assertConserved(s, 0);
        if (lapsed) _assertUnbound(s.free + s.exiting, 0, s.held, s.exitReadyAt);
        else _assertUnbound(s.free, s.exiting, s.held, s.exitReadyAt);
        _assertBackingsAsBefore(s);
        assert(!_node.lapsed(windowSecs));
    }

    /* BEHIND A RENTAL */

    function reserve(uint64 rental, Rao total) external {
        _node.reserve(rental, total);
    }

    /// @dev Into a place that is closed, if there is one; whatever is open stays as it is.
    function check_open_TakesAClosedPlaceAndNoOther(State memory s, uint64 rental) external {
        _given(s);
        vm.assume(rental <= LARGEST_RENTAL);
        vm.assume(!_isOpen(s, rental));
        bool firstOpen = Backing.wrap(s.first).isOpen();
        bool secondOpen = Backing.wrap(s.second).isOpen();
        assert(_node.open(rental) == !(firstOpen && secondOpen));
        _assertUnbound(s.free, s.exiting, s.held, s.exitReadyAt);
        uint128 opened = (uint128(rental) << 65) | (uint128(1) << 64); // and nothing reserved
        assert(Backing.unwrap(_node.first) == (firstOpen ? s.first : opened));
        assert(Backing.unwrap(_node.second) == (firstOpen && !secondOpen ? opened : s.second));
    }

    /// @dev Free bond alone pays for it, only up to the total asked for, and it never lowers what is there.
    function check_reserve_RaisesTheBackingToTheTotal(State memory s, uint64 rental, uint64 total) external {
        _given(s);
        vm.assume(_isOpen(s, rental));
        uint64 have = _behind(s, rental);
        uint64 missing = total > have ? total - have : 0;
        vm.assume(missing <= s.free);
        assert(Rao.unwrap(_node.reserve(rental, Rao.wrap(total))) == missing);
        _assertUnbound(s.free - missing, s.exiting, s.held, s.exitReadyAt);
        _assertBehind(s, rental, have + missing);
    }

    function check_reserve_RevertsWithoutEnoughFreeBond(State memory s, uint64 rental, uint64 total) external {
        _given(s);
        vm.assume(_isOpen(s, rental));
        uint64 have = _behind(s, rental);
        bool enough = total <= have || total - have <= s.free;
        assert(_succeeds(abi.encodeCall(this.reserve, (rental, Rao.wrap(total)))) == enough);
    }

    /// @dev It is closed and keeps its number, so the slot never empties.
    function check_release_FreesAndClosesOneRental(State memory s, uint64 rental) external {
        _given(s);
        vm.assume(_isOpen(s, rental));
        uint64 amount = _behind(s, rental);
        assert(Rao.unwrap(_node.release(rental)) == amount);
        _assertUnbound(s.free + amount, s.exiting, s.held, s.exitReadyAt);
        bool inFirst = Backing.wrap(s.first).isBehind(rental);
        uint128 closed = uint128(rental) << 65; // and nothing reserved
        assert(Backing.unwrap(_node.first) == (inFirst ? closed : s.first));
        assert(Backing.unwrap(_node.second) == (inFirst ? s.second : closed));
    }

    /* IN A CASE */

    function check_asideReserved_TakesTheSmallerFromOneRental(State memory s, uint64 rental, Rao amount) external {
        _given(s);
        uint64 have = _behind(s, rental);
        uint64 taken = Rao.unwrap(_node.asideReserved(rental, amount));
        assert(taken == Rao.unwrap(minRao(amount, Rao.wrap(have))));
        _assertUnbound(s.free, s.exiting, s.held + taken, s.exitReadyAt);
        _assertBehind(s, rental, have - taken);
    }

    function check_asideExiting_TakesTheSmallerOfAnExit(State memory s, Rao amount) external {
        _given(s);
        uint64 taken = Rao.unwrap(_node.asideExiting(amount));
        assert(taken == Rao.unwrap(minRao(amount, Rao.wrap(s.exiting))));
        _assertConserved(s, 0);
        _assertUnbound(s.free, s.exiting - taken, s.held + taken, s.exitReadyAt);
        _assertBackingsAsBefore(s);
    }

    function check_asideFree_TakesTheSmallerOfFreeBond(State memory s, Rao amount) external {
        _given(s);
        uint64 taken = Rao.unwrap(_node.asideFree(amount));
        assert(taken == Rao.unwrap(minRao(amount, Rao.wrap(s.free))));
        _assertConserved(s, 0);
        _assertUnbound(s.free - taken, s.exiting, s.held + taken, s.exitReadyAt);
        _assertBackingsAsBefore(s);
    }

    /// @dev Exiting bond first, then free, then the first rental's, then the second's; each before the next.
    function check_asideAny_TakesEachPartBeforeTheNext(State memory s, uint64 amount) external {
        _given(s);
        _node.asideAny(Rao.wrap(amount));
        uint64 left = amount;
        left -= _assertPart(s.exiting, Rao.unwrap(_node.exiting), left);
        left -= _assertPart(s.free, Rao.unwrap(_node.free), left);
        left -= _assertPart(_first(s), Rao.unwrap(_node.first.reservedOf()), left);
        left -= _assertPart(_second(s), Rao.unwrap(_node.second.reservedOf()), left);
        assert(Backing.unwrap(_node.first) == _with(s.first, Rao.unwrap(_node.first.reservedOf())));
        assert(Backing.unwrap(_node.second) == _with(s.second, Rao.unwrap(_node.second.reservedOf())));
    }

    /// @dev All there is outside of cases, and no more.
    function open_asideAny_HoldsTheSmallerOfAll(State memory s, uint64 amount) external {
        _given(s);
        uint64 taken = Rao.unwrap(_node.asideAny(Rao.wrap(amount)));
        uint64 all = s.exiting + s.free + _first(s) + _second(s);
        assert(taken == (amount < all ? amount : all));
        assert(Rao.unwrap(_node.held) == s.held + taken);
    }

    /// @dev A part gives all that is still wanted, or all it has.
    function _assertPart(uint64 was, uint64 now_, uint64 wanted) private pure returns (uint64 gave) {
        gave = wanted < was ? wanted : was;
        assert(now_ == was - gave);
    }

    function forfeit(Rao amount) external {
        _node.forfeit(amount);
    }

    function giveBack(Rao amount) external {
        _node.giveBack(amount);
    }

    function check_forfeit_BurnsWhatIsHeldAndNothingElse(State memory s, uint64 amount) external {
        _given(s);
        vm.assume(amount <= s.held);
        _node.forfeit(Rao.wrap(amount));
        _assertConserved(s, amount);
        _assertUnbound(s.free, s.exiting, s.held - amount, s.exitReadyAt);
        _assertBackingsAsBefore(s);
    }

    function check_forfeitReserved_BurnsTheSmallerFromOneRental(State memory s, uint64 rental, Rao amount) external {
        _given(s);
        uint64 have = _behind(s, rental);
        uint64 taken = Rao.unwrap(_node.forfeitReserved(rental, amount));
        assert(taken == Rao.unwrap(minRao(amount, Rao.wrap(have))));
        _assertUnbound(s.free, s.exiting, s.held, s.exitReadyAt);
        _assertBehind(s, rental, have - taken);
    }

    /// @dev What a case gives back is free, whatever rental it came from.
    function check_giveBack_FreesIt(State memory s, uint64 amount) external {
        _given(s);
        vm.assume(amount <= s.held);
        _node.giveBack(Rao.wrap(amount));
        _assertConserved(s, 0);
        _assertUnbound(s.free + amount, s.exiting, s.held - amount, s.exitReadyAt);
        _assertBackingsAsBefore(s);
    }

    /// @dev Nobody takes out more than is held, whoever calls.
    function check_forfeitAndGiveBack_RevertBeyondWhatIsHeld(State memory s, Rao amount) external {
        _given(s);
        vm.assume(Rao.unwrap(amount) > s.held);
        assert(!_succeeds(abi.encodeCall(this.forfeit, (amount))));
        assert(!_succeeds(abi.encodeCall(this.giveBack, (amount))));
    }
}
