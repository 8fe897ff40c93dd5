// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../src/interfaces/IRentalEscrow.sol";
import { StreamLib } from "../src/libraries/StreamLib.sol";
import { Timestamp, secsBetween } from "../src/types/Units.sol";
import { Proof } from "./Proof.sol";

/// @dev Rentals here are any: every field has every value, but that it does not end before it starts.
contract StreamLibProofs is Proof {
    function _rental(Timestamp start, Timestamp end, uint32 faulted, uint32 claimed)
        private
        pure
        returns (IRentalEscrow.Rental memory r)
    {
        vm.assume(start <= end);
        r.start = start;
        r.end = end;
        r.faultedSecs = faulted;
        r.claimedSecs = claimed;
    }

    /* EARNED */

    function check_earned_IsNeverMoreThanElapsedNorThanTheRental(
        Timestamp start,
        Timestamp end,
        uint32 faulted,
        Timestamp t
    ) external pure {
        uint32 earned = StreamLib.earnedSecs(_rental(start, end, faulted, 0), t);
        assert(earned <= secsBetween(start, t));
        assert(earned <= secsBetween(start, end));
        if (earned != 0) assert(uint256(earned) + faulted <= secsBetween(start, end));
    }

    function check_earned_GrowsWithTimeAndShrinksWithFaults(
        Timestamp start,
        Timestamp end,
        uint32[2] memory faulted,
        Timestamp[2] memory t
    ) external pure {
        vm.assume(t[0] <= t[1]);
        vm.assume(faulted[0] <= faulted[1]);
        IRentalEscrow.Rental memory r = _rental(start, end, faulted[0], 0);
        uint32 earned = StreamLib.earnedSecs(r, t[0]);
        assert(earned <= StreamLib.earnedSecs(r, t[1]));
        r.faultedSecs = faulted[1];
        assert(StreamLib.earnedSecs(r, t[0]) <= earned);
    }

    /// @dev A second of time earns a second or nothing.
    function check_earned_GrowsByAtMostTheTimeThatPassed(
        Timestamp start,
        Timestamp end,
        uint32 faulted,
        Timestamp[2] memory t
    ) external pure {
        vm.assume(t[0] <= t[1]);
        IRentalEscrow.Rental memory r = _rental(start, end, faulted, 0);
        assert(StreamLib.earnedSecs(r, t[1]) - StreamLib.earnedSecs(r, t[0]) <= secsBetween(t[0], t[1]));
    }

    /// @dev An earlier end takes away only what lies behind it.
    function check_earned_AnEarlierEndKeepsWhatWasEarnedBeforeIt(
        Timestamp start,
        Timestamp[2] memory end,
        uint32 faulted,
        Timestamp t
    ) external pure {
        vm.assume(start <= end[0]);
        vm.assume(end[0] <= end[1]);
        vm.assume(t <= end[0]);
        uint32 long = StreamLib.earnedSecs(_rental(start, end[1], faulted, 0), t);
        assert(StreamLib.earnedSecs(_rental(start, end[0], faulted, 0), t) == long);
    }

    /* UNPAID */

    function check_unpaid_AndClaimedAreWhatWasEarned(
        Timestamp start,
        Timestamp end,
        uint32 faulted,
        uint32 claimed,
        Timestamp t
    ) external pure {
        IRentalEscrow.Rental memory r = _rental(start, end, faulted, claimed);
        uint32 earned = StreamLib.earnedSecs(r, t);
        uint32 unpaid = StreamLib.unpaidSecs(r, t);
        if (claimed <= earned) assert(unpaid + claimed == earned);
        else assert(unpaid == 0);
        r.claimedSecs = claimed + unpaid;
        assert(StreamLib.unpaidSecs(r, t) == 0); // and never twice
    }

    /// @dev Claimed on the way or only at the end: the same seconds.
    function check_unpaid_TwoClaimsPayWhatOneDoes(
        Timestamp start,
        Timestamp end,
        uint32 faulted,
        uint32 claimed,
        Timestamp[2] memory t
    ) external pure {
        vm.assume(t[0] <= t[1]);
        IRentalEscrow.Rental memory r = _rental(start, end, faulted, claimed);
        uint32 atOnce = StreamLib.unpaidSecs(r, t[1]);
        uint32 first = StreamLib.unpaidSecs(r, t[0]);
        r.claimedSecs += first;
        assert(first + StreamLib.unpaidSecs(r, t[1]) == atOnce);
    }

    /// @dev SPEC invariant 2, one claim of the induction. Before it: the seconds paid or faulted before `paidUntil`
    /// fit between start and there, those faulted later fit between there and the end. After a claim up to a later
    /// time, of which `passed` faulted seconds now lie behind: the same holds at that time.
    function check_claim_KeepsPaidAndFaultedWithinTheTimeThatPassed(
        Timestamp start,
        Timestamp end,
        uint32 claimed,
        uint32[3] memory faulted, // before paidUntil, between there and t, after t
        Timestamp paidUntil,
        Timestamp t
    ) external pure {
        vm.assume(start <= paidUntil);
        vm.assume(paidUntil <= t);
        vm.assume(t <= end);
        vm.assume(uint256(claimed) + faulted[0] <= secsBetween(start, paidUntil));
        vm.assume(faulted[1] <= secsBetween(paidUntil, t));
        vm.assume(faulted[2] <= secsBetween(t, end));
        IRentalEscrow.Rental memory r = _rental(start, end, faulted[0] + faulted[1] + faulted[2], claimed);
        uint32 paid = claimed + StreamLib.unpaidSecs(r, t);
        assert(paid + faulted[0] + faulted[1] <= secsBetween(start, t));
        assert(paid + faulted[0] + faulted[1] + faulted[2] <= secsBetween(start, end));
    }

    /// @dev At the end everything is paid or faulted: no second of the renter's money stays without an owner.
    function check_claim_AtTheEndNoSecondIsLeftOver(
        Timestamp start,
        Timestamp end,
        uint32 faulted,
        uint32 claimed,
        Timestamp t
    ) external pure {
        vm.assume(end <= t);
        vm.assume(uint256(claimed) + faulted <= secsBetween(start, end));
        IRentalEscrow.Rental memory r = _rental(start, end, faulted, claimed);
        assert(claimed + StreamLib.unpaidSecs(r, t) + faulted == secsBetween(start, end));
    }
}
