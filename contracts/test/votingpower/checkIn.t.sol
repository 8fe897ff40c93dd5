// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IVotingPowerKeepers } from "../../src/interfaces/IVotingPowerKeepers.sol";
import { Timestamp } from "../../src/types/Units.sol";
import { VotingPowerBase } from "./VotingPowerBase.t.sol";

contract CheckInTest is VotingPowerBase {
    bytes32 private constant NEW_HOTKEY = keccak256("new hotkey");

    function _expectHotkeyMoved(bytes32 found, bytes32 recorded) private {
        bytes4 selector = IVotingPowerKeepers.VotingPowerKeepers_HotkeyMoved.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 0, found, recorded));
    }

    function test_RevertGiven_TheCallerNeverJoined() external {
        _validator(0, 100);
        _expectNotAKeeper(_keeper(0));
        _checkIn(0);
    }

    function test_RevertGiven_TheCallerLeft() external {
        _seat(0, 100);
        _leave(0);
        _expectNotAKeeper(_keeper(0));
        _checkIn(0);
    }

    /// @dev Of 150 in the subnet, 50 belong to nobody here.
    modifier givenTheCallerJoined() {
        _power(9, 50);
        _seat(0, 100);
        _;
    }

    function test_RevertWhen_TheUidBelongsToAnotherAddress() external givenTheCallerJoined {
        _associate(0, STRANGER);
        _expectNotAssociated(0, STRANGER, _keeper(0));
        _checkIn(0);
        _recycleUid(0, NEW_HOTKEY);
        _expectNotAssociated(0, address(0), _keeper(0));
        _checkIn(0);
    }

    function test_RevertWhen_NoHotkeyIsAtTheUid() external givenTheCallerJoined {
        METAGRAPH.remove(NETUID, 0);
        _expectNoHotkey(0);
        _checkIn(0);
    }

    modifier givenTrackingIsOn() {
        _;
    }

    function test_RevertGiven_TheHotkeyHasNoVotingPower() external givenTheCallerJoined givenTrackingIsOn {
        _power(0, 0);
        _expectNoPower(_hotkey(0));
        _checkIn(0);
    }

    function test_RevertGiven_TheTotalDoesNotAnswer() external givenTheCallerJoined givenTrackingIsOn {
        POWER.setTotalFailing(true);
        _expectBadTotal(0, 100);
        _checkIn(0);
    }

    function test_GivenTheCallerIsActive() external givenTheCallerJoined givenTrackingIsOn {
        skip(CHECK_IN_SECS);
        _power(0, 120);
        _power(9, 30);
        vm.expectEmit(address(keepers));
        emit IVotingPowerKeepers.KeeperCheckedIn(_keeper(0), _hotkey(0), 120, Timestamp.wrap(_time() + CHECK_IN_SECS));
        _checkIn(0);
        // it should write down weight and total
        _assertTotals(1, 120, 150);
        _power(0, 60);
        _checkIn(0);
        _assertTotals(1, 60, 90);
        // it should prolong the seat
        _assertSeat(0, _hotkey(0), 60, START + 2 * uint256(CHECK_IN_SECS));
    }

    function test_GivenTheCallerIsSilent() external givenTheCallerJoined givenTrackingIsOn {
        _fallSilent();
        assertFalse(keepers.keeperAt(0).active);
        _checkIn(0);
        // it should be active again
        assertTrue(keepers.keeperAt(0).active);
        _assertSeat(0, _hotkey(0), 100, START + 2 * uint256(CHECK_IN_SECS) + 1);
        _assertTotals(1, 100, 150);
    }

    function test_GivenTheCallerWasUnseated() external givenTheCallerJoined givenTrackingIsOn {
        _fallSilent();
        keepers.expire(_keeper(0));
        _checkIn(0);
        // it should sit down again
        _assertSeat(0, _hotkey(0), 100, _time() + CHECK_IN_SECS);
        _assertTotals(1, 100, 150);
        assertEq(keepers.keeperAt(0).url, URL, "nobody has to say again how to reach it");
    }

    function test_GivenTheHotkeyWasSwapped() external givenTheCallerJoined givenTrackingIsOn {
        _swapHotkey(0, NEW_HOTKEY);
        _checkIn(0);
        // it should move the seat to the new hotkey
        _assertSeat(0, NEW_HOTKEY, 100, START + CHECK_IN_SECS);
        assertEq(keepers.accountOf(_hotkey(0)), address(0));
        _assertTotals(1, 100, 150);
    }

    function test_GivenAnotherAccountIsSeatedForTheNewHotkey() external givenTheCallerJoined givenTrackingIsOn {
        // it should unseat it
        _seat(1, 40);
        _associate(1, _keeper(0));
        vm.expectEmit(address(keepers));
        emit IVotingPowerKeepers.KeeperExpired(_keeper(1));
        vm.prank(_keeper(0));
        keepers.checkIn(1, _uidHash(1));
        _assertUnseated(1);
        assertEq(keepers.accountOf(_hotkey(1)), _keeper(0));
        assertEq(keepers.accountOf(_hotkey(0)), address(0));
        assertEq(keepers.seatOf(_keeper(0)).uid, 1);
        _assertTotals(1, 40, 190);
    }

    modifier givenTrackingIsOff() {
        POWER.setTracking(NETUID, false);
        _;
    }

    function test_GivenTheCallerIsActiveForTheSameHotkey() external givenTheCallerJoined givenTrackingIsOff {
        // it should prolong the seat and keep the weight
        skip(CHECK_IN_SECS);
        _checkIn(0);
        _assertSeat(0, _hotkey(0), 100, START + 2 * uint256(CHECK_IN_SECS));
        _assertTotals(1, 100, 150);
    }

    function test_RevertGiven_TheHotkeyMoved() external givenTheCallerJoined givenTrackingIsOff {
        _swapHotkey(0, NEW_HOTKEY);
        _expectHotkeyMoved(NEW_HOTKEY, _hotkey(0));
        _checkIn(0);
    }

    function test_RevertGiven_TheCallerIsTooLate() external givenTheCallerJoined givenTrackingIsOff {
        _fallSilent();
        _expectNotTracked();
        _checkIn(0);
    }

    function test_RevertGiven_TheCallerIsNotSeated() external givenTheCallerJoined givenTrackingIsOff {
        _fallSilent();
        keepers.expire(_keeper(0));
        _expectNotTracked();
        _checkIn(0);
    }

    /* BEYOND THE TREE */

    /// @dev 0x80d disabled or broken is the same as tracking switched off, at the price of one cap.
    function test_AFailingPrecompileFreezesTheWeight() external givenTheCallerJoined {
        _power(0, 1);
        POWER.setFailing(true);
        skip(CHECK_IN_SECS);
        uint256 before = gasleft();
        _checkIn(0);
        assertLt(before - gasleft(), 70_000);
        _assertSeat(0, _hotkey(0), 100, START + 2 * uint256(CHECK_IN_SECS));
    }

    /// @dev The chain moved the validator to another uid: the same hotkey, frozen or not.
    function test_AUidThatMovedIsWrittenDownWhileTrackingIsOff() external givenTheCallerJoined givenTrackingIsOff {
        METAGRAPH.setHotkey(NETUID, 7, _hotkey(0));
        _associate(7, _keeper(0));
        vm.prank(_keeper(0));
        keepers.checkIn(7, _uidHash(7));
        assertEq(keepers.seatOf(_keeper(0)).uid, 7);
    }

    /// @dev Nobody keeps an old weight by sending just too little gas for the read.
    function test_TooLittleGasIsNotTrackingOff() external givenTheCallerJoined {
        _power(0, 1);
        vm.startPrank(_keeper(0));
        bytes memory call = abi.encodeCall(keepers.checkIn, (0, _uidHash(0)));
        for (uint256 gas = 2_000; gas < 150_000; gas += 500) {
            uint256 snapshot = vm.snapshotState();
            // forge-lint: disable-next-line(unchecked-call)
            (bool ok,) = address(keepers).call{ gas: gas }(call);
            if (ok) assertEq(_weightOf(0), 1);
            vm.revertToState(snapshot);
        }
    }

    function test_TheSubnetMayBeAsLargeAsItGets() external givenTheCallerJoined {
        for (uint256 n = 1_000; n < 1_254; ++n) {
            _power(n, 1);
        }
        _checkIn(0); // 256 entries at 625 gas
        _assertTotals(1, 100, 404);
    }

    struct Case {
        bool tracked;
        bool associated;
        bool present;
        bool swapped;
        bool expired;
        bool totalAnswers;
        uint64 power;
        uint32 later;
    }

    function testFuzz_ChecksInOrSaysWhyNot(Case memory c) external {
        _seat(0, 100);
        if (c.power % 8 == 0) c.power = 0;
        c.later = uint32(bound(c.later, 0, 2 * CHECK_IN_SECS));
        if (c.later > CHECK_IN_SECS && c.expired) {
            vm.warp(START + c.later);
            keepers.expire(_keeper(0));
        } else {
            c.expired = false;
        }
        _prepare(c);
        bool checksIn = _expectWhatFollows(c);
        _checkIn(0);
        if (!checksIn) return;
        _assertSeat(0, c.swapped ? NEW_HOTKEY : _hotkey(0), c.tracked ? c.power : 100, _time() + CHECK_IN_SECS);
        _assertTotals(1, c.tracked ? c.power : 100, c.tracked ? c.power : 100);
    }

    function _prepare(Case memory c) private {
        vm.warp(START + c.later);
        if (c.swapped) _swapHotkey(0, NEW_HOTKEY);
        POWER.setPower(NETUID, c.swapped ? NEW_HOTKEY : _hotkey(0), c.power);
        POWER.setTracking(NETUID, c.tracked);
        if (!c.associated) _associate(0, STRANGER);
        if (!c.present) METAGRAPH.remove(NETUID, 0);
        POWER.setTotalFailing(!c.totalAnswers);
    }

    function _expectWhatFollows(Case memory c) private returns (bool checksIn) {
        if (!c.associated) _expectNotAssociated(0, STRANGER, _keeper(0));
        else if (!c.present) _expectNoHotkey(0);
        else if (!c.tracked && c.later > CHECK_IN_SECS) _expectNotTracked();
        else if (!c.tracked && c.swapped) _expectHotkeyMoved(NEW_HOTKEY, _hotkey(0));
        else if (!c.tracked) checksIn = true;
        else if (c.power == 0) _expectNoPower(c.swapped ? NEW_HOTKEY : _hotkey(0));
        else if (!c.totalAnswers) _expectBadTotal(0, c.power);
        else checksIn = true;
    }
}
