// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { CaseLib } from "../src/libraries/CaseLib.sol";
import { Rao, Timestamp, secsBetween } from "../src/types/Units.sol";
import { Proof } from "./Proof.sol";

contract CaseLibProofs is Proof {
    function offlinePenalty(Rao reserve, uint16 bps, Rao earned) external pure returns (Rao) {
        return CaseLib.offlinePenalty(reserve, bps, earned);
    }

    function _holds(Timestamp from, Timestamp until, Timestamp second) private pure returns (bool) {
        return from <= second && second < until;
    }

    /* INTERSECTION */

    /// @dev What one keeper did not see is not withheld: the common part lies in each, and is no longer than either.
    function check_intersect_IsNeverLargerThanEither(Timestamp a, Timestamp b, Timestamp c, Timestamp d) external pure {
        (Timestamp from, Timestamp until) = CaseLib.intersect(a, b, c, d);
        assert(a <= from);
        assert(c <= from);
        assert(until <= b);
        assert(until <= d);
        assert(secsBetween(from, until) <= secsBetween(a, b));
        assert(secsBetween(from, until) <= secsBetween(c, d));
    }

    function check_intersect_HoldsASecondIfBothDo(Timestamp a, Timestamp b, Timestamp c, Timestamp d, Timestamp second)
        external
        pure
    {
        (Timestamp from, Timestamp until) = CaseLib.intersect(a, b, c, d);
        assert(_holds(from, until, second) == (_holds(a, b, second) && _holds(c, d, second)));
    }

    /// @dev Three keepers, in any order and grouping; the same keeper twice changes nothing.
    function check_intersect_TheOrderOfKeepersDoesNotMatter(Timestamp[6] memory t) external pure {
        (Timestamp a, Timestamp b) = CaseLib.intersect(t[0], t[1], t[2], t[3]);
        (a, b) = CaseLib.intersect(a, b, t[4], t[5]);
        (Timestamp c, Timestamp d) = CaseLib.intersect(t[4], t[5], t[2], t[3]);
        (c, d) = CaseLib.intersect(t[0], t[1], c, d);
        assert(a == c);
        assert(b == d);
        (c, d) = CaseLib.intersect(c, d, t[2], t[3]);
        assert(a == c);
        assert(b == d);
    }

    function check_intersect_WiderStatementsNeverShrinkIt(Timestamp[6] memory t) external pure {
        vm.assume(t[4] <= t[2]); // [4, 5) holds [2, 3)
        vm.assume(t[3] <= t[5]);
        (Timestamp from, Timestamp until) = CaseLib.intersect(t[0], t[1], t[2], t[3]);
        (Timestamp wideFrom, Timestamp wideUntil) = CaseLib.intersect(t[0], t[1], t[4], t[5]);
        assert(wideFrom <= from);
        assert(until <= wideUntil);
    }

    /* PENALTY */

    function _assumeShare(Rao reserve, uint16 bps) private pure {
        vm.assume(bps <= ALL_BPS);
        unchecked {
            // The lemma of UnitsProofs.
            vm.assume(uint256(Rao.unwrap(reserve)) * bps <= uint256(Rao.unwrap(reserve)) * ALL_BPS);
            vm.assume(uint256(Rao.unwrap(reserve)) * bps <= uint256(type(uint64).max) * ALL_BPS);
        }
    }

    function check_offlinePenalty_IsNeverMoreThanReserveNorEarnings(Rao reserve, uint16 bps, Rao earned) external pure {
        _assumeShare(reserve, bps);
        Rao penalty = CaseLib.offlinePenalty(reserve, bps, earned);
        assert(penalty <= reserve);
        assert(penalty <= earned);
    }

    /// @dev It is what the rental earned or the rule's share of the reserve, rounded in the miner's favour.
    function open_offlinePenalty_IsOneOfBothRoundedDown(Rao reserve, uint16 bps, Rao earned) external pure {
        _assumeShare(reserve, bps);
        Rao penalty = CaseLib.offlinePenalty(reserve, bps, earned);
        uint256 charged = uint256(Rao.unwrap(penalty)) * ALL_BPS;
        unchecked {
            uint256 exact = uint256(Rao.unwrap(reserve)) * bps; // in ten-thousandths
            assert(charged <= exact);
            if (penalty < earned) assert(exact < charged + ALL_BPS);
        }
    }

    function check_offlinePenalty_NeverReverts(Rao reserve, uint16 bps, Rao earned) external {
        vm.assume(bps <= ALL_BPS);
        assert(_succeeds(abi.encodeCall(this.offlinePenalty, (reserve, bps, earned))));
    }

    /// @dev Earning less, or having less at stake, never costs more.
    function check_offlinePenalty_GrowsWithReserveAndEarnings(Rao[2] memory reserve, uint16 bps, Rao[2] memory earned)
        external
        pure
    {
        vm.assume(reserve[0] <= reserve[1]);
        vm.assume(earned[0] <= earned[1]);
        _assumeShare(reserve[0], bps);
        _assumeShare(reserve[1], bps);
        Rao less = CaseLib.offlinePenalty(reserve[0], bps, earned[0]);
        Rao more = CaseLib.offlinePenalty(reserve[1], bps, earned[1]);
        assert(less <= more);
    }
}
