// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IKeeperSet } from "../../src/interfaces/IKeeperSet.sol";
import { KeepersBase } from "./KeepersBase.t.sol";

contract QuorumOfTest is KeepersBase {
    function _set(uint64[] memory weights) private {
        for (uint256 i = 0; i < weights.length; ++i) {
            _appoint(_keeper(i), weights[i]);
        }
    }

    /// @dev Bit n of `mask`: keeper n signs. Ascending by construction.
    function _signers(uint256 mask) private pure returns (address[] memory signers) {
        uint256 count;
        for (uint256 i = 0; i < 256; ++i) {
            count += (mask >> i) & 1;
        }
        signers = new address[](count);
        uint256 next;
        for (uint256 i = 0; i < 256; ++i) {
            if ((mask >> i) & 1 == 1) signers[next++] = _keeper(i);
        }
    }

    function _isQuorum(uint256 mask) private view returns (bool quorum) {
        (quorum,) = keepers.quorumOf(_signers(mask));
    }

    function _weights(uint64 a, uint64 b, uint64 c) private pure returns (uint64[] memory weights) {
        weights = new uint64[](3);
        (weights[0], weights[1], weights[2]) = (a, b, c);
    }

    function _expectNotAscending(address previous, address next) private {
        vm.expectRevert(abi.encodeWithSelector(IKeeperSet.KeeperSet_SignersNotAscending.selector, previous, next));
    }

    /* THE RULE */

    function test_WhenLessThanTwoThirdsOfTheWeightSigned() external {
        _set(_weights(34, 33, 33));
        assertTrue(_isQuorum(7));
        assertTrue(_isQuorum(3), "67 of 100, and the other signer holds half of 66");
        assertFalse(_isQuorum(6), "66 of 100");
    }

    function test_WhenExactlyTwoThirdsOfTheWeightSigned() external {
        _set(_weights(1, 1, 1));
        assertTrue(_isQuorum(3));
        assertTrue(_isQuorum(5));
        assertTrue(_isQuorum(6));
    }

    function test_WhenOneKeeperSigned() external {
        _appoint(_keeper(0), 1_000);
        assertFalse(_isQuorum(1), "not even when it is all there is");
        _appoint(_keeper(1), 1);
        assertFalse(_isQuorum(1));
        assertTrue(_isQuorum(3));
    }

    function test_WhenNobodySigned() external {
        assertFalse(_isQuorum(0));
        _appoint(_keeper(0), 1);
        (bool quorum, bool mayPunish) = keepers.quorumOf(new address[](0));
        assertFalse(quorum);
        assertFalse(mayPunish);
    }

    function test_WhenAHeavyKeeperHasLessThanHalfOfTheOthers() external {
        _set(_weights(80, 11, 9));
        assertTrue(_isQuorum(3), "80 + 11: without 80, 11 of 20");
        assertFalse(_isQuorum(5), "80 + 9 is 89 of 100, but without 80 only 9 of 20");
    }

    function test_WhenAHeavyKeeperHasExactlyHalfOfTheOthers() external {
        _set(_weights(80, 10, 10));
        assertTrue(_isQuorum(3));
        assertTrue(_isQuorum(5));
    }

    function test_WhenManyLightKeepersSignedWithoutTheHeavyOne() external {
        _appoint(_keeper(0), 100);
        for (uint256 i = 1; i <= 100; ++i) {
            _appoint(_keeper(i), 1);
        }
        assertFalse(_isQuorum(((uint256(1) << 101) - 1) ^ 1), "100 heads, half the weight");
        assertFalse(_isQuorum((uint256(1) << 50) - 1), "the heavy one and 49 of 100");
        assertTrue(_isQuorum((uint256(1) << 51) - 1), "the heavy one and 50 of 100");
    }

    function test_WhenTheHeaviestStandsAnywhere() external {
        _set(_weights(9, 11, 80));
        assertFalse(_isQuorum(5));
        assertTrue(_isQuorum(6));
        assertFalse(_isQuorum(3));
    }

    /* WHO COUNTS */

    function test_WhenAStrangerSignedToo() external {
        _set(_weights(1, 1, 1));
        address[] memory signers = new address[](4);
        signers[0] = STRANGER; // below every keeper's address
        for (uint256 i = 0; i < 3; ++i) {
            signers[i + 1] = _keeper(i);
        }
        (bool quorum, bool mayPunish) = keepers.quorumOf(signers);
        assertFalse(quorum);
        assertTrue(mayPunish);
    }

    function test_RevertWhen_SomebodySignedTwice() external {
        _set(_weights(1, 1, 1));
        address[] memory signers = new address[](2);
        (signers[0], signers[1]) = (_keeper(0), _keeper(0));
        _expectNotAscending(_keeper(0), _keeper(0));
        keepers.quorumOf(signers);
    }

    function test_RevertWhen_SignersDescend() external {
        _set(_weights(1, 1, 1));
        address[] memory signers = new address[](2);
        (signers[0], signers[1]) = (_keeper(1), _keeper(0));
        _expectNotAscending(_keeper(1), _keeper(0));
        keepers.quorumOf(signers);
    }

    function test_RevertWhen_TheFirstSignerIsZero() external {
        _expectNotAscending(address(0), address(0));
        keepers.quorumOf(new address[](1));
    }

    function test_GivenWeightWasDismissed() external {
        _set(_weights(1, 1, 1));
        _appoint(_keeper(3), 97);
        assertFalse(_isQuorum(7));
        _dismiss(_keeper(3));
        assertTrue(_isQuorum(7));
    }

    /* FUZZ */

    /// @dev The naive oracle: everything is added up from `keeperAt`, and the two shares are said the other way
    /// round: who did not sign weighs at most half of who did, and at most as much as the signers but the heaviest.
    function _oracle(address[] memory signers) private view returns (bool) {
        uint256 signed;
        uint256 silent;
        uint256 heaviest;
        uint256 found;
        for (uint256 i = 0; i < keepers.keeperCount(); ++i) {
            IKeeperSet.Keeper memory k = keepers.keeperAt(i);
            if (!k.active) continue;
            bool signs;
            for (uint256 j = 0; j < signers.length; ++j) {
                if (signers[j] == k.account) signs = true;
            }
            if (!signs) silent += k.weight;
            if (!signs) continue;
            ++found;
            signed += k.weight;
            if (k.weight > heaviest) heaviest = k.weight;
        }
        if (found != signers.length || found < 2) return false;
        return silent * 2 <= signed && silent <= signed - heaviest;
    }

    function _electorate(uint64[8] memory weights, uint256 out) private {
        for (uint256 i = 0; i < weights.length; ++i) {
            weights[i] = uint64(bound(weights[i], 1, i % 2 == 0 ? 100 : 10)); // small numbers: equality happens
            _appoint(_keeper(i), weights[i]);
            if ((out >> i) & 3 == 3) _dismiss(_keeper(i));
        }
    }

    function _dismissed(uint256 out) private pure returns (uint256 mask) {
        for (uint256 i = 0; i < 8; ++i) {
            if ((out >> i) & 3 == 3) mask |= uint256(1) << i;
        }
    }

    function testFuzz_AgreesWithTheNaiveOracle(uint64[8] memory weights, uint256 out, uint256 mask) external {
        _electorate(weights, out);
        // Often nearly everybody signs, and mostly nobody who was dismissed: so that both answers are common.
        mask = ((mask & 255) | ((mask >> 8) & 255)) & (mask >> 255 == 0 ? ~_dismissed(out) : 255) & 255;
        (bool quorum, bool mayPunish) = keepers.quorumOf(_signers(mask));
        assertEq(quorum, _oracle(_signers(mask)));
        assertEq(mayPunish, keepers.activeCount() >= 3);
    }

    function testFuzz_AgreesAtTheHeaviestWeights(uint64[8] memory weights, uint8 mask) external {
        for (uint256 i = 0; i < weights.length; ++i) {
            _appoint(_keeper(i), weights[i] | uint64(1) << 63);
        }
        assertEq(_isQuorum(mask), _oracle(_signers(mask)));
    }

    /// @dev Any list at all, in any order: refused exactly where it stops ascending.
    function testFuzz_AnyOrderOfSigners(uint8[6] memory picks) external {
        _set(_weights(40, 35, 25));
        address[] memory signers = new address[](picks.length);
        for (uint256 i = 0; i < picks.length; ++i) {
            signers[i] = _keeper(picks[i] % 6); // 3, 4 and 5 are strangers
        }
        (bool reverts, uint256 at) = _firstDisorder(signers);
        if (reverts) _expectNotAscending(at == 0 ? address(0) : signers[at - 1], signers[at]);
        (bool quorum,) = keepers.quorumOf(signers);
        if (!reverts) assertFalse(quorum, "six ascending signers of three keepers: somebody is a stranger");
    }

    /// @dev Reading stops at the first signer who is no keeper.
    function _firstDisorder(address[] memory signers) private pure returns (bool, uint256) {
        for (uint256 i = 0; i < signers.length; ++i) {
            if (i != 0 && signers[i] <= signers[i - 1]) return (true, i);
            if (signers[i] >= _keeper(3)) return (false, 0);
        }
        return (false, 0);
    }

    function testFuzz_TwoQuorumsAlwaysShareAKeeper(uint64[8] memory weights, uint256 out, uint8 a, uint8 b) external {
        _electorate(weights, out);
        if (_isQuorum(a) && _isQuorum(b)) assertTrue(a & b != 0);
    }

    function testFuzz_MoreSignersNeverUnmakeAQuorum(uint64[8] memory weights, uint8 mask, uint8 more) external {
        _electorate(weights, 0);
        if (_isQuorum(mask)) assertTrue(_isQuorum(mask | more));
    }

    /// @dev Invariant 11: whoever it is, one keeper alone decides nothing.
    function testFuzz_NoSingleKeeperIsAQuorum(uint64[8] memory weights, uint256 out, uint8 n) external {
        _electorate(weights, out);
        assertFalse(_isQuorum(uint256(1) << (n % 8)));
    }
}
