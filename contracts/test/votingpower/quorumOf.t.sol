// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IKeeperSet } from "../../src/interfaces/IKeeperSet.sol";
import { VotingPowerBase } from "./VotingPowerBase.t.sol";

contract QuorumOfTest is VotingPowerBase {
    function _expectNotAscending(address previous, address next) private {
        vm.expectRevert(abi.encodeWithSelector(IKeeperSet.KeeperSet_SignersNotAscending.selector, previous, next));
    }

    function _assertAnswer(uint256 mask, bool quorum, bool mayPunish) private view {
        (bool q, bool p) = keepers.quorumOf(_signers(mask));
        assertEq(q, quorum, "quorum");
        assertEq(p, mayPunish, "mayPunish");
    }

    function test_RevertWhen_TheSignersDoNotAscend() external {
        _seatThree(40, 35, 25);
        address[] memory signers = new address[](2);
        (signers[0], signers[1]) = (_keeper(0), _keeper(0));
        _expectNotAscending(_keeper(0), _keeper(0));
        keepers.quorumOf(signers);
        (signers[0], signers[1]) = (_keeper(1), _keeper(0));
        _expectNotAscending(_keeper(1), _keeper(0));
        keepers.quorumOf(signers);
        _expectNotAscending(address(0), address(0));
        keepers.quorumOf(new address[](1));
    }

    function test_WhenNobodySigns() external {
        // it should be no quorum
        _assertAnswer(0, false, false);
        _seatThree(40, 35, 25);
        _assertAnswer(0, false, true);
    }

    function test_WhenOneKeeperSigns() external {
        // it should be no quorum
        _seat(0, 1_000);
        _assertAnswer(1, false, false);
        _seat(1, 1);
        _seat(2, 1);
        _assertAnswer(1, false, true);
    }

    function test_WhenASignerIsNotSeated() external {
        // it should be no quorum
        _seatThree(40, 35, 25);
        _validator(3, 1_000);
        _assertAnswer(7 + 8, false, true);
        _assertAnswer(7, true, true);
    }

    function test_WhenASignerIsSilent() external {
        // it should be no quorum
        _seatThree(40, 35, 25);
        _seat(3, 1);
        skip(1);
        _checkIn(0);
        _checkIn(1);
        _checkIn(2);
        skip(CHECK_IN_SECS - 1);
        _assertAnswer(15, true, true);
        skip(1);
        _assertAnswer(15, false, true);
        _assertAnswer(7, true, true);
    }

    modifier whenTheSignersAreActive() {
        _;
    }

    function test_GivenTheyHoldLessThanTwoThirds() external whenTheSignersAreActive {
        // it should be no quorum
        _seatThree(34, 33, 33);
        _assertAnswer(6, false, true);
        _assertAnswer(3, true, true);
    }

    function test_GivenTheyHoldTwoThirds() external whenTheSignersAreActive {
        // it should be a quorum
        _seatThree(1, 1, 1);
        _assertAnswer(3, true, true);
        _assertAnswer(5, true, true);
        _assertAnswer(6, true, true);
    }

    function test_GivenTheOthersHoldLessThanHalfWithoutTheHeaviest() external whenTheSignersAreActive {
        // it should be no quorum
        _seatThree(80, 11, 9);
        _assertAnswer(5, false, true);
        _assertAnswer(3, true, true);
    }

    function test_GivenTheOthersHoldHalfWithoutTheHeaviest() external whenTheSignersAreActive {
        // it should be a quorum
        _seatThree(80, 10, 10);
        _assertAnswer(3, true, true);
        _assertAnswer(5, true, true);
        _assertAnswer(6, false, true);
    }

    function test_GivenLessThanAThirdOfTheSubnetIsSeated() external whenTheSignersAreActive {
        // it should be no quorum
        _power(9, 201);
        _seatThree(40, 35, 25);
        _assertAnswer(7, false, true);
        _power(9, 0);
        _assertAnswer(7, false, true);
        _checkIn(2); // the total is as of the last check-in, whoever made it
        _assertAnswer(7, true, true);
    }

    function test_GivenAThirdOfTheSubnetIsSeated() external whenTheSignersAreActive {
        // it should be a quorum
        _power(9, 200);
        _seatThree(40, 35, 25);
        _assertAnswer(7, true, true);
        _assertAnswer(3, true, true);
    }

    function test_GivenASignersVotingPowerFell() external whenTheSignersAreActive {
        // it should count what is left
        _seatThree(34, 33, 33);
        _power(0, 33);
        _assertAnswer(3, false, true);
        _assertAnswer(7, true, true);
        keepers.refresh(_keeper(0)); // and what nobody has any more is not asked for either
        _assertAnswer(3, true, true);
    }

    function test_GivenASignersVotingPowerRose() external whenTheSignersAreActive {
        // it should count what is recorded
        _seatThree(40, 33, 33);
        _power(1, 1_000);
        _assertAnswer(6, false, true);
        keepers.refresh(_keeper(1));
        _assertAnswer(6, false, true); // heavy alone now, without half of the others
        _assertAnswer(3, true, true);
    }

    function test_RevertWhen_TheCallerSendsTooLittleGas() external {
        _seatThree(40, 35, 25);
        bytes memory call = abi.encodeCall(keepers.quorumOf, (_signers(7)));
        _assertNoGasChangesTheAnswer(call, abi.encode(true, true));
    }

    function test_GivenTrackingIsOff() external {
        // it should count weights as they are and punish nobody
        _seatThree(40, 35, 25);
        POWER.setTracking(NETUID, false);
        _assertAnswer(7, true, false);
        _assertAnswer(3, true, false);
        _assertAnswer(6, false, false);
        skip(CHECK_IN_SECS);
        _assertAnswer(7, true, false);
        skip(1);
        _assertAnswer(7, false, false);
    }

    function test_GivenThePrecompileFails() external {
        // it should count weights as they are and cost little
        _seatThree(40, 35, 25);
        _power(0, 1);
        _power(1, 1);
        _assertAnswer(7, false, true);
        POWER.setFailing(true);
        address[] memory signers = _signers(7);
        uint256 before = gasleft();
        (bool quorum, bool mayPunish) = keepers.quorumOf(signers);
        assertLt(before - gasleft(), 30_000);
        assertTrue(quorum);
        assertFalse(mayPunish);
    }

    function test_GivenFewerThanThreeAreActive() external {
        // it should punish nobody
        _seat(0, 50);
        _seat(1, 50);
        _assertAnswer(3, true, false);
        _seat(2, 1);
        skip(1);
        _checkIn(0);
        _checkIn(1);
        skip(CHECK_IN_SECS);
        assertEq(keepers.keeperCount(), 3, "the third is still seated, but silent");
        _assertAnswer(3, true, false);
    }

    function test_GivenThreeAreActive() external {
        // it should punish
        _seatThree(50, 50, 1);
        _assertAnswer(3, true, true);
        _seat(3, 1);
        skip(CHECK_IN_SECS);
        _checkIn(3);
        _checkIn(1);
        _checkIn(0);
        skip(1);
        _assertAnswer(3, true, true); // the third active one is the last of the table
    }

    /* FUZZ */

    /// @dev One keeper of the electorate below.
    struct Voter {
        uint16 recorded;
        uint16 live;
        uint8 state; // 0: never came; 1: silent; otherwise active
    }

    function _electorate(Voter[6] memory voters, uint16 others) private {
        _power(9, others % 512);
        for (uint256 i = 0; i < 6; ++i) {
            voters[i].recorded = uint16(bound(voters[i].recorded, 1, i % 2 == 0 ? 100 : 10)); // small: equality happens
            voters[i].state %= 8;
            if (voters[i].state != 0) _validator(i, voters[i].recorded);
        }
        for (uint256 i = 0; i < 6; ++i) {
            if (voters[i].state != 0) _join(i);
        }
        skip(1);
        for (uint256 i = 0; i < 6; ++i) {
            if (voters[i].state > 1) _checkIn(i);
        }
        skip(CHECK_IN_SECS);
        for (uint256 i = 0; i < 6; ++i) {
            // Mostly as recorded or nearly: so that both answers are common.
            voters[i].live = voters[i].live % 4 == 0 ? voters[i].live / 4 % 100 : voters[i].recorded;
            _power(i, voters[i].live);
        }
    }

    /// @dev The naive oracle, from the fuzzer's own list and the rule in words: who did not sign weighs at most half of
    /// who did, and at most as much as the signers but the heaviest, where what a signer lost counts as not signing.
    function _oracle(Voter[6] memory voters, uint256 mask, bool tracked) private pure returns (uint256, uint256) {
        uint256 signed;
        uint256 heaviest;
        uint256 missing;
        uint256 active;
        bool spoiled = mask & (mask - (mask == 0 ? 0 : 1)) == 0; // fewer than two
        for (uint256 i = 0; i < 6; ++i) {
            Voter memory v = voters[i];
            bool signs = (mask >> i) & 1 == 1;
            if (v.state > 1) ++active;
            if (signs && v.state < 2) spoiled = true;
            if (v.state == 0) continue;
            uint256 counts = !signs ? 0 : tracked && v.live < v.recorded ? v.live : v.recorded;
            missing += v.recorded - counts;
            signed += counts;
            if (counts > heaviest) heaviest = counts;
        }
        bool quorum = !spoiled && missing * 2 <= signed && missing <= signed - heaviest;
        return (quorum ? signed + missing : 0, active);
    }

    function testFuzz_AgreesWithTheNaiveOracle(Voter[6] memory voters, uint16 others, uint8 mask, bool tracked)
        external
    {
        _electorate(voters, others);
        POWER.setTracking(NETUID, tracked);
        mask = (mask & 63) | ((mask >> 2) & 63);
        (uint256 weight, uint256 active) = _oracle(voters, mask, tracked);
        bool quorum = weight != 0 && weight * 3 >= keepers.subnetPower();
        _assertAnswer(mask, quorum, tracked && active >= 3);
    }

    /// @dev Any list at all, in any order: refused exactly where it stops ascending.
    function testFuzz_AnyOrderOfSigners(uint8[6] memory picks) external {
        _seatThree(40, 35, 25);
        address[] memory signers = new address[](6);
        for (uint256 i = 0; i < 6; ++i) {
            signers[i] = _keeper(picks[i] % 6); // 3, 4 and 5 are strangers
        }
        (bool reverts, uint256 at) = _firstDisorder(signers);
        if (reverts) _expectNotAscending(at == 0 ? address(0) : signers[at - 1], signers[at]);
        (bool quorum,) = keepers.quorumOf(signers);
        if (!reverts) assertFalse(quorum, "six ascending signers of three keepers: somebody is a stranger");
    }

    function _firstDisorder(address[] memory signers) private pure returns (bool, uint256) {
        for (uint256 i = 0; i < signers.length; ++i) {
            if (i != 0 && signers[i] <= signers[i - 1]) return (true, i);
            if (signers[i] >= _keeper(3)) return (false, 0);
        }
        return (false, 0);
    }

    /// @dev Whatever the table, two quorums of one moment have a member in common, and nobody is one alone.
    function testFuzz_TwoQuorumsAlwaysShareAKeeper(Voter[6] memory voters, uint8 a, uint8 b) external {
        _electorate(voters, 0);
        (a, b) = (a & 63, b & 63);
        if (_quorum(a) && _quorum(b)) assertTrue(a & b != 0);
        assertFalse(_quorum(uint256(1) << (a % 6)));
    }

    /// @dev Invariant 11, and what `expire` by anybody is for: without the silent the bar is never higher.
    function testFuzz_ExpiringTheSilentNeverUnmakesAQuorum(Voter[6] memory voters, uint8 mask) external {
        _electorate(voters, 0);
        bool before = _quorum(mask & 63);
        for (uint256 i = 0; i < 6; ++i) {
            if (voters[i].state == 1) keepers.expire(_keeper(i));
        }
        bool thirdHere = keepers.seatedWeight() * 3 >= keepers.subnetPower();
        if (before && thirdHere) assertTrue(_quorum(mask & 63));
    }
}
