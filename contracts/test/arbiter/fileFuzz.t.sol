// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { Timestamp } from "../../src/types/Units.sol";
import { ArbiterBase } from "./ArbiterBase.t.sol";

/// @dev `file` as a total function of what was signed, when, in which gap, after which claims and faults.
contract FileFuzzTest is ArbiterBase {
    struct Draw {
        uint8 kind;
        uint8 otherKind;
        uint8 gap;
        uint8 signers;
        uint32 time;
        uint32 claimAt;
        uint32[2] fault;
        uint32[3] from;
        uint32[3] until;
    }

    // What the draw came to.
    IArbiter.Kind private kind;
    IArbiter.SignedAttestation[] private seen;
    uint32 private paidUntil;
    uint32[2] private fault; // empty: none
    uint8 private faultCount;
    uint32 private from;
    uint32 private until;

    function testFuzz_EveryFilingIsTakenOrRefusedByTheFirstRuleItBreaks(Draw memory d) external {
        _history(d);
        _signAll(d);
        uint8 gap = d.gap % 16 == 0 ? d.gap % 3 : d.gap % (faultCount + 1);
        if (kind != INTERRUPTED && d.gap % 8 != 0) gap = faultCount;
        bytes memory expected = _predictSigned();
        if (expected.length == 0) expected = _predictInterval(gap);
        IArbiter.SignedAttestation[] memory statements = seen;
        if (expected.length != 0) {
            _refuseFile(kind, gap, statements, expected);
            return;
        }
        uint32 faultedBefore = _rentalAt(rental).faultedSecs;
        _file(kind, gap, statements);
        _assertFiled(gap, faultedBefore);
    }

    /// @dev A claim, then a fault that is not paid, then `time`.
    function _history(Draw memory d) private {
        uint32 time = d.time % 4 == 0 ? DAY - 1 hours + d.time % 2 hours : 10 minutes + d.time % 3 hours;
        uint32 claimAt = d.claimAt % (time + 1);
        paidUntil = start;
        if (d.claimAt % 2 == 0 && claimAt > LAG) {
            vm.warp(start + claimAt);
            escrow.claim(rental);
            paidUntil = start + _min(claimAt - LAG, DAY);
        }
        vm.warp(start + time);
        uint32 room = _min(_now(), start + DAY) - paidUntil;
        if (d.fault[0] % 2 == 0 && room > 300) {
            uint32 at = paidUntil + d.fault[0] % (room - 200);
            fault = [at, at + 60 + d.fault[1] % 140];
            _fileSeen(INTERRUPTED, 0, fault[0], fault[1]);
            faultCount = 1;
        }
    }

    /// @dev Up to three keepers, who saw about the same, and mostly of one kind. 0 and 4 are no kinds for `file`.
    function _signAll(Draw memory d) private {
        kind = IArbiter.Kind(d.kind % 16 == 0 ? d.kind / 16 % 2 * 4 : 1 + d.kind % 3);
        uint256 count = d.signers % 8 == 0 ? d.signers / 8 % 2 : 2 + d.signers % 2;
        uint32 length = d.from[0] % 8 == 0 ? d.from[1] % 2 hours : 10 minutes + d.from[1] % 20 minutes;
        uint32 last = _now() - (d.until[0] % 4 == 0 ? d.until[1] % 1 hours : d.until[1] % 3 minutes);
        for (uint256 i = 0; i < count; ++i) {
            IArbiter.Kind signed = kind;
            if (d.otherKind % 8 == i) signed = IArbiter.Kind(1 + d.otherKind / 8 % 4);
            uint32 a = last - length + d.from[i] % 300;
            if (kind == NOT_DELIVERED && d.from[2] % 16 != 0) a = start;
            uint32 b = last - d.until[i] % 120 + (d.until[2] % 16 == 0 ? 60 : 0);
            seen.push(_attestation(keeperKeys[i], signed, rental, a, b));
        }
    }

    function _predictSigned() private view returns (bytes memory) {
        for (uint256 i = 0; i < seen.length; ++i) {
            IArbiter.Kind signed = seen[i].kind;
            (uint32 a, uint32 b) = (Timestamp.unwrap(seen[i].from), Timestamp.unwrap(seen[i].until));
            if (signed != kind && !(kind == INTERRUPTED && signed == OFFLINE)) {
                return abi.encodeWithSelector(IArbiter.Arbiter_WrongKind.selector, i, signed, kind);
            }
            if (a >= b || b > _now()) {
                return abi.encodeWithSelector(IArbiter.Arbiter_BadInterval.selector, i, a, b);
            }
            if (kind != INTERRUPTED && b < _now() - FRESHNESS) {
                return abi.encodeWithSelector(IArbiter.Arbiter_Stale.selector, i, b, _now() - FRESHNESS);
            }
            if (kind == NOT_DELIVERED && a != start) {
                return abi.encodeWithSelector(IArbiter.Arbiter_NotFromStart.selector, i, a, start);
            }
        }
        return seen.length < 2 ? _noQuorum(seen.length) : bytes("");
    }

    function _predictInterval(uint8 gap) private returns (bytes memory) {
        if (kind != INTERRUPTED) {
            if (_now() >= start + DAY) {
                return abi.encodeWithSelector(IArbiter.Arbiter_RentalOver.selector, rental, start + DAY);
            }
            if (gap != faultCount) {
                return abi.encodeWithSelector(IArbiter.Arbiter_NotLastGap.selector, rental, gap, faultCount);
            }
            if (kind == NOT_DELIVERED && (paidUntil > start || faultCount != 0)) {
                return abi.encodeWithSelector(IArbiter.Arbiter_AlreadyServed.selector, rental);
            }
        }
        (from, until) = _common();
        (uint32 low, uint32 high) = _bounds(gap);
        (from, until) = (_max(from, low), _min(until, high));
        uint32 least;
        if (kind == NOT_DELIVERED) least = GRACE;
        else if (kind == INTERRUPTED) least = MIN_INTERRUPTED;
        else if (kind == OFFLINE) least = MIN_OFFLINE;
        else return abi.encodeWithSelector(IArbiter.Arbiter_BadKind.selector, kind);
        return from + least > until ? _tooShort(from, until, least) : bytes("");
    }

    function _common() private view returns (uint32 latest, uint32 earliest) {
        earliest = type(uint32).max;
        for (uint256 i = 0; i < seen.length; ++i) {
            latest = _max(latest, Timestamp.unwrap(seen[i].from));
            earliest = _min(earliest, Timestamp.unwrap(seen[i].until));
        }
    }

    function _bounds(uint8 gap) private view returns (uint32 low, uint32 high) {
        if (gap > faultCount) return (0, 0);
        high = _min(_now(), start + DAY);
        if (faultCount == 1 && gap == 0) high = fault[0];
        low = _max(faultCount == 1 && gap == 1 ? fault[1] : start, paidUntil);
    }

    function _assertFiled(uint8 gap, uint32 faultedBefore) private {
        bool ends = kind != INTERRUPTED;
        if (ends) until = _now();
        uint32 secs = until - from;
        IArbiter.Case memory c = arbiter.caseAt(arbiter.caseCount());
        assertEq(uint8(c.kind), uint8(kind));
        assertEq(c.withheldSecs, secs);
        _assertFault(gap, from, until);
        assertEq(_rentalAt(rental).faultedSecs, faultedBefore + secs);
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), ends ? _now() : start + DAY);
        assertEq(_creditOf(RENTER), ends ? _cost(start + DAY - _now()) : 0);
        uint64 penalty;
        if (kind == NOT_DELIVERED) penalty = H100_BOND / 50;
        if (kind == OFFLINE) penalty = _cost(_now() - start - faultedBefore - secs);
        if (penalty > H100_BOND / 10) penalty = H100_BOND / 10;
        assertEq(_rao(c.penalty), penalty);
        _assertBond(H100_BOND - penalty, penalty, 0, 1e9 - H100_BOND);
        _assertConserved(rental);
    }
}
