// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { QuorumLib } from "../src/libraries/QuorumLib.sol";
import { Proof } from "./Proof.sol";

/// @dev Electorates of any size and any weights of 64 bits: a set of signers is what QuorumLib knows of it, its count,
/// its weight and its heaviest, and what it shares with another set is a weight too.
contract QuorumLibProofs is Proof {
    uint256 private constant MAX_TOTAL = uint256(type(uint64).max) * 65_536;

    struct Signers {
        uint256 count;
        uint256 signed;
        uint256 heaviest;
    }

    function isQuorum(Signers memory s, uint256 total) external pure returns (bool) {
        return QuorumLib.isQuorum(s.count, s.signed, s.heaviest, total);
    }

    function _max(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? b : a;
    }

    function _quorum(Signers memory s, uint256 total) private pure returns (bool) {
        return QuorumLib.isQuorum(s.count, s.signed, s.heaviest, total);
    }

    /// @dev What QuorumLib's callers promise: signers are distinct, and among all.
    function _assumeCounted(Signers memory s, uint256 total) private pure {
        vm.assume(total <= MAX_TOTAL);
        vm.assume(s.heaviest <= type(uint64).max);
        vm.assume(s.heaviest <= s.signed);
        vm.assume(s.signed <= total);
    }

    /* WHO CANNOT */

    function check_NoSignerAloneIsAQuorum(uint256 signed, uint256 heaviest, uint256 total) external pure {
        assert(!QuorumLib.isQuorum(0, signed, heaviest, total));
        assert(!QuorumLib.isQuorum(1, signed, heaviest, total));
    }

    function check_LessThanTwoThirdsAreNoQuorum(Signers memory s, uint256 total) external pure {
        _assumeCounted(s, total);
        if (_quorum(s, total)) assert(s.signed * 3 >= total * 2);
    }

    /// @dev However heavy one keeper is: with it on board, the others still need half of what is left without it.
    function check_TheHeaviestNeedsHalfOfTheOthers(Signers memory s, uint256 total) external pure {
        _assumeCounted(s, total);
        if (_quorum(s, total)) assert((s.signed - s.heaviest) * 2 >= total - s.heaviest);
    }

    /* WHO CAN */

    function check_AllTogetherAreAQuorumIfTheyAreTwo(Signers memory s, uint256 total) external pure {
        _assumeCounted(s, total);
        vm.assume(s.count >= 2);
        vm.assume(s.signed == total);
        assert(_quorum(s, total));
    }

    function check_NeverOverflowsForTheDocumentedWeights(Signers memory s, uint256 total) external {
        _assumeCounted(s, total);
        assert(_succeeds(abi.encodeCall(this.isQuorum, (s, total))));
    }

    /// @dev Whoever joins, a quorum stays one.
    function check_AddingASignerNeverUnmakesAQuorum(Signers memory s, uint64 joining, uint256 total) external pure {
        _assumeCounted(s, total);
        vm.assume(s.count < 65_536);
        vm.assume(s.signed + joining <= total);
        vm.assume(_quorum(s, total));
        assert(_quorum(Signers(s.count + 1, s.signed + joining, _max(s.heaviest, joining)), total));
    }

    /// @dev Whoever stops being a keeper without having signed, a quorum stays one.
    function check_ASilentKeeperLeavingNeverUnmakesAQuorum(Signers memory s, uint64 leaving, uint256 total)
        external
        pure
    {
        _assumeCounted(s, total);
        vm.assume(s.signed + leaving <= total);
        vm.assume(_quorum(s, total));
        assert(_quorum(s, total - leaving));
    }

    /// @dev A keeper that signs in place of a lighter one: a quorum stays one.
    function open_MoreWeightNeverUnmakesAQuorum(Signers memory s, uint64 lighter, uint64 heavier, uint256 total)
        external
        pure
    {
        _assumeCounted(s, total);
        vm.assume(lighter <= s.heaviest);
        vm.assume(lighter <= heavier);
        vm.assume(s.signed + heavier <= total);
        vm.assume(_quorum(s, total));
        assert(_quorum(Signers(s.count, s.signed - lighter + heavier, _max(s.heaviest, heavier)), total));
    }

    /* TWO QUORUMS */

    /// @dev Two quorums have a third of all weight in common, so at least one keeper: below that share of liars, no
    /// two quorums disagree on what honest keepers all see alike. Of the total, `both` signed both statements, `onlyA`
    /// and `onlyB` one of them, and `silent` none.
    function check_TwoQuorumsShareAThirdOfTheWeight(
        Signers memory a,
        Signers memory b,
        uint80 both,
        uint80 onlyA,
        uint80 onlyB,
        uint80 silent
    ) external pure {
        uint256 total = uint256(both) + onlyA + onlyB + silent;
        vm.assume(a.signed == uint256(both) + onlyA);
        vm.assume(b.signed == uint256(both) + onlyB);
        _assumeCounted(a, total);
        _assumeCounted(b, total);
        vm.assume(_quorum(a, total));
        vm.assume(_quorum(b, total));
        assert(uint256(both) * 3 >= total);
        if (total != 0) assert(both != 0);
    }

    /* COURT */

    function check_OnlyThreeAreACourt(uint256 activeCount) external pure {
        assert(QuorumLib.isCourt(activeCount) == (activeCount > 2));
    }
}
