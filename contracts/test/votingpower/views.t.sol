// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { stdError } from "forge-std/StdError.sol";
import { IKeeperSet } from "../../src/interfaces/IKeeperSet.sol";
import { VotingPowerBase } from "./VotingPowerBase.t.sol";

contract ViewsTest is VotingPowerBase {
    function _assertKeeper(uint256 index, uint256 n, uint64 weight, bool active) private view {
        IKeeperSet.Keeper memory k = keepers.keeperAt(index);
        assertEq(k.account, _keeper(n), "account");
        assertEq(k.weight, weight, "weight");
        assertEq(k.active, active, "active");
        assertEq(k.sshKey, SSH_KEY, "sshKey");
        assertEq(k.url, URL, "url");
    }

    function test_GivenNobodyIsSeated() external {
        // it should show nothing
        _assertTotals(0, 0, 0);
        _assertUnseated(0);
        assertEq(keepers.accountOf(_hotkey(0)), address(0));
        assertEq(keepers.accountOf(0), address(0));
        vm.expectRevert(stdError.indexOOBError);
        keepers.keeperAt(0);
    }

    function test_GivenKeepersAreSeated() external {
        // it should show each of them once
        _seatThree(40, 35, 25);
        _assertKeeper(0, 0, 40, true);
        _assertKeeper(1, 1, 35, true);
        _assertKeeper(2, 2, 25, true);
        _assertTotals(3, 100, 100);
        vm.expectRevert(stdError.indexOOBError);
        keepers.keeperAt(3);
    }

    function test_GivenAKeeperIsSilent() external {
        // it should show it as inactive
        _seatThree(40, 35, 25);
        skip(1);
        _checkIn(1);
        skip(CHECK_IN_SECS - 1);
        _assertKeeper(0, 0, 40, true);
        skip(1);
        _assertKeeper(0, 0, 40, false);
        _assertKeeper(1, 1, 35, true);
        _assertKeeper(2, 2, 25, false);
        _assertTotals(3, 100, 100);
    }

    function test_GivenAKeeperWasUnseated() external {
        // it should show only how it is reached
        _seatThree(40, 35, 25);
        _power(2, 0);
        keepers.expire(_keeper(2));
        _assertUnseated(2);
        _assertTotals(2, 75, 100);
        (bytes32 sshKey,) = keepers.contactOf(_keeper(2));
        assertEq(sshKey, SSH_KEY);
    }

    function test_GivenAKeeperInTheMiddleLeaves() external {
        // it should put the last one in its place
        _seatThree(40, 35, 25);
        _leave(0);
        _assertKeeper(0, 2, 25, true);
        _assertKeeper(1, 1, 35, true);
        _leave(1);
        _assertKeeper(0, 2, 25, true);
        _assertTotals(1, 25, 100);
        _leave(2);
        _assertTotals(0, 0, 100);
    }
}
