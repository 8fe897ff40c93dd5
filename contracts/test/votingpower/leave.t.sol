// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IVotingPowerKeepers } from "../../src/interfaces/IVotingPowerKeepers.sol";
import { VotingPowerBase } from "./VotingPowerBase.t.sol";

contract LeaveTest is VotingPowerBase {
    function _assertNoContact(uint256 n) private view {
        (bytes32 sshKey, string memory url) = keepers.contactOf(_keeper(n));
        assertEq(sshKey, 0);
        assertEq(url, "");
    }

    function test_RevertGiven_TheCallerNeverJoined() external {
        _validator(0, 100);
        _expectNotAKeeper(_keeper(0));
        _leave(0);
        _join(0);
        _leave(0);
        _expectNotAKeeper(_keeper(0));
        _leave(0);
    }

    function test_GivenTheCallerIsSeated() external {
        _seatThree(40, 35, 25);
        // it should emit KeeperLeft
        vm.expectEmit(address(keepers));
        emit IVotingPowerKeepers.KeeperLeft(_keeper(0));
        _leave(0);
        // it should free the place and the hotkey
        _assertUnseated(0);
        assertEq(keepers.accountOf(_hotkey(0)), address(0));
        _assertTotals(2, 60, 100);
        // it should delete how the caller is reached
        _assertNoContact(0);
    }

    function test_GivenTheCallerWasUnseated() external {
        // it should delete how the caller is reached and nothing else
        _seat(0, 40);
        _fallSilent();
        _seat(1, 35);
        keepers.expire(_keeper(0));
        _leave(0);
        _assertNoContact(0);
        _assertTotals(1, 35, 75);
        _assertSeat(1, _hotkey(1), 35, _time() + CHECK_IN_SECS);
    }

    /* BEYOND THE TREE */

    /// @dev Leaving needs nothing from the chain: not the association, not the precompiles.
    function test_LeavingIsAlwaysPossible() external {
        _seat(0, 40);
        _dissociate(0);
        POWER.setFailing(true);
        _leave(0);
        _assertTotals(0, 0, 40);
    }

    function testFuzz_LeavesOrSaysWhyNot(uint8 joined, uint8 expired, uint8 n) external {
        n %= 8;
        uint256 left;
        for (uint256 i = 0; i < 8; ++i) {
            _validator(i, 10);
            if ((joined >> i) & 1 == 1) _join(i);
        }
        for (uint256 i = 0; i < 8; ++i) {
            if ((joined & expired >> i) & 1 == 1) _power(i, 0);
            if ((joined & expired >> i) & (joined >> i) & 1 == 1) keepers.expire(_keeper(i));
            else if ((joined >> i) & 1 == 1) ++left;
        }
        bool was = keepers.seatOf(_keeper(n)).place != 0;
        bool leaves = (joined >> n) & 1 == 1;
        if (!leaves) _expectNotAKeeper(_keeper(n));
        _leave(n);
        if (leaves) _assertNoContact(n);
        assertEq(keepers.keeperCount(), left - (was ? 1 : 0));
        _assertTable();
    }
}
