// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IVotingPowerKeepers } from "../../src/interfaces/IVotingPowerKeepers.sol";
import { VotingPowerBase } from "./VotingPowerBase.t.sol";

contract RefreshTest is VotingPowerBase {
    function _refresh(uint256 n) private {
        vm.prank(STRANGER);
        keepers.refresh(_keeper(n));
    }

    function test_RevertGiven_TheAccountIsNotSeated() external {
        _validator(0, 100);
        _expectNotAKeeper(_keeper(0));
        _refresh(0);
        _join(0);
        _leave(0);
        _expectNotAKeeper(_keeper(0));
        _refresh(0);
    }

    modifier givenTheAccountIsSeated() {
        _power(9, 50);
        _seat(0, 100);
        _;
    }

    function test_RevertGiven_TrackingIsOff() external givenTheAccountIsSeated {
        POWER.setFailing(true);
        _expectNotTracked();
        _refresh(0);
        POWER.setFailing(false);
        POWER.setTracking(NETUID, false);
        _expectNotTracked();
        _refresh(0);
    }

    function test_RevertGiven_TheHotkeyHasNoVotingPower() external givenTheAccountIsSeated {
        _power(0, 0);
        _expectNoPower(_hotkey(0));
        _refresh(0);
    }

    function test_RevertWhen_TheCallerSendsTooLittleGas() external givenTheAccountIsSeated {
        _power(0, 200);
        _assertNoGasChangesTheAnswer(abi.encodeCall(keepers.refresh, (_keeper(0))), "");
        // And a read that is not starved, of a hotkey that has nothing, is told apart from one that is.
        _power(0, 0);
        bytes memory noPower =
            abi.encodeWithSelector(IVotingPowerKeepers.VotingPowerKeepers_NoPower.selector, _hotkey(0));
        _assertNoGasChangesTheAnswer(abi.encodeCall(keepers.refresh, (_keeper(0))), noPower);
    }

    function test_GivenTheVotingPowerFell() external givenTheAccountIsSeated {
        // it should lower the weight
        _power(0, 99);
        vm.expectEmit(address(keepers));
        emit IVotingPowerKeepers.KeeperRefreshed(_keeper(0), 99);
        _refresh(0);
        _assertTotals(1, 99, 150);
    }

    function test_GivenTheVotingPowerRose() external givenTheAccountIsSeated {
        skip(1 hours);
        _power(0, 101);
        _refresh(0);
        // it should raise the weight
        _assertTotals(1, 101, 150);
        // it should not prolong the seat
        _assertSeat(0, _hotkey(0), 101, START + CHECK_IN_SECS);
    }

    /* BEYOND THE TREE */

    /// @dev By the hotkey on record: what sits at the uid now is the keeper's to show.
    function test_ASwappedHotkeyHasNothingLeft() external {
        _seat(0, 100);
        _swapHotkey(0, keccak256("new hotkey"));
        _expectNoPower(_hotkey(0));
        _refresh(0);
    }

    function testFuzz_RefreshesOrSaysWhyNot(bool seated, bool tracked, uint64 before, uint64 power) external {
        before = before == 0 ? 1 : before;
        if (power % 8 == 0) power = 0;
        _validator(0, before);
        if (seated) _join(0);
        POWER.setTracking(NETUID, tracked);
        _power(0, power);
        bool refreshes;
        if (!seated) _expectNotAKeeper(_keeper(0));
        else if (!tracked) _expectNotTracked();
        else if (power == 0) _expectNoPower(_hotkey(0));
        else refreshes = true;
        _refresh(0);
        if (refreshes) _assertTotals(1, power, before);
    }
}
