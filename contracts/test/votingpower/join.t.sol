// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IVotingPowerKeepers } from "../../src/interfaces/IVotingPowerKeepers.sol";
import { VotingPowerBase } from "./VotingPowerBase.t.sol";

contract JoinTest is VotingPowerBase {
    function test_RevertGiven_TheCallerIsSeated() external {
        _seat(0, 100);
        _expectAlreadySeated(_keeper(0));
        _join(0);
        _fallSilent();
        _expectAlreadySeated(_keeper(0));
        _join(0);
    }

    modifier givenTheCallerIsNotSeated() {
        _;
    }

    function test_RevertGiven_TrackingIsOff() external givenTheCallerIsNotSeated {
        _validator(0, 100);
        POWER.setTracking(NETUID, false);
        _expectNotTracked();
        _join(0);
    }

    function test_RevertGiven_ThePrecompileFails() external givenTheCallerIsNotSeated {
        _validator(0, 100);
        POWER.setFailing(true);
        _expectNotTracked();
        _join(0);
    }

    modifier givenTrackingIsOn() {
        _;
    }

    function test_RevertWhen_TheUidBelongsToAnotherAddress() external givenTheCallerIsNotSeated givenTrackingIsOn {
        _validator(0, 100);
        _validator(1, 100);
        _expectNotAssociated(1, _keeper(1), _keeper(0));
        vm.prank(_keeper(0));
        keepers.join(1, _uidHash(1), SSH_KEY, URL);
        _dissociate(0);
        _expectNotAssociated(0, address(0), _keeper(0));
        _join(0);
    }

    function test_RevertWhen_TheUidHashIsWrong() external givenTheCallerIsNotSeated givenTrackingIsOn {
        _validator(0, 100);
        _expectNotAssociated(0, address(0), _keeper(0));
        vm.prank(_keeper(0));
        keepers.join(0, _uidHash(1), SSH_KEY, URL);
    }

    function test_RevertWhen_NoHotkeyIsAtTheUid() external givenTheCallerIsNotSeated givenTrackingIsOn {
        _validator(0, 100);
        METAGRAPH.remove(NETUID, 0);
        _expectNoHotkey(0);
        _join(0);
        METAGRAPH.setHotkey(NETUID, 0, 0);
        POWER.setPower(NETUID, 0, 100);
        _expectNoHotkey(0);
        _join(0);
    }

    function test_RevertGiven_TheHotkeyHasNoVotingPower() external givenTheCallerIsNotSeated givenTrackingIsOn {
        _validator(0, 0);
        _expectNoPower(_hotkey(0));
        _join(0);
        _power(0, 1);
        _join(0);
    }

    function test_RevertGiven_TheTotalIsLessThanThePart() external givenTheCallerIsNotSeated givenTrackingIsOn {
        _validator(0, 100);
        POWER.setTotalFailing(true);
        _expectBadTotal(0, 100);
        _join(0);
    }

    function test_RevertWhen_TheSshKeyIsZero() external givenTheCallerIsNotSeated givenTrackingIsOn {
        _validator(0, 100);
        _expectNoSshKey(_keeper(0));
        vm.prank(_keeper(0));
        keepers.join(0, _uidHash(0), 0, URL);
    }

    function test_RevertWhen_TheUrlIsTooLong() external givenTheCallerIsNotSeated givenTrackingIsOn {
        _validator(0, 100);
        vm.startPrank(_keeper(0));
        _expectUrlTooLong(257);
        keepers.join(0, _uidHash(0), SSH_KEY, _url(257));
        keepers.join(0, _uidHash(0), SSH_KEY, _url(256));
    }

    function test_GivenAnotherAccountIsSeatedForTheHotkey() external givenTheCallerIsNotSeated givenTrackingIsOn {
        // it should unseat it and seat the caller
        _seat(0, 100);
        _associate(0, STRANGER);
        vm.expectEmit(address(keepers));
        emit IVotingPowerKeepers.KeeperExpired(_keeper(0));
        vm.prank(STRANGER);
        keepers.join(0, _uidHash(0), SSH_KEY, URL);
        _assertUnseated(0);
        assertEq(keepers.accountOf(_hotkey(0)), STRANGER);
        _assertTotals(1, 100, 100);
    }

    /// @dev Validators 1 .. 256, each of weight 100 + n.
    modifier givenTheTableIsFull() {
        for (uint256 n = 1; n <= 256; ++n) {
            // forge-lint: disable-next-line(unsafe-typecast) small numbers only
            _seat(n, uint64(100 + n));
        }
        _;
    }

    function test_RevertGiven_NobodyIsLighter()
        external
        givenTheCallerIsNotSeated
        givenTrackingIsOn
        givenTheTableIsFull
    {
        _validator(0, 101);
        _expectTooLight(101, 101);
        _join(0);
    }

    function test_GivenSomebodyIsLighter() external givenTheCallerIsNotSeated givenTrackingIsOn givenTheTableIsFull {
        // it should take the place of the lightest
        _power(200, 50);
        keepers.refresh(_keeper(200));
        _validator(0, 51);
        vm.expectEmit(address(keepers));
        emit IVotingPowerKeepers.KeeperExpired(_keeper(200));
        _join(0);
        _assertUnseated(200);
        _assertSeat(0, _hotkey(0), 51, START + CHECK_IN_SECS);
        uint256 sum = 256 * 100 + 256 * 257 / 2 - 300 + 51;
        _assertTotals(256, sum, sum + 50);
        _seat(300, 52); // now the lightest is the last in the table
        _assertUnseated(0);
        _assertTotals(256, sum + 1, sum + 50 + 52);
    }

    function test_GivenAHeavyKeeperIsSilent() external givenTheCallerIsNotSeated givenTrackingIsOn givenTheTableIsFull {
        // it should take the place of the silent one
        _power(5, 1); // nobody who is active is lighter, and comes first in the table
        skip(CHECK_IN_SECS);
        for (uint256 n = 1; n <= 256; ++n) {
            if (n != 77) _checkIn(n);
        }
        skip(1);
        _validator(0, 1);
        uint256 before = gasleft();
        _join(0);
        assertLt(before - gasleft(), 3_000_000, "a full table costs the newcomer, and not more than this");
        _assertUnseated(77);
        _assertSeat(0, _hotkey(0), 1, START + 2 * uint256(CHECK_IN_SECS) + 1);
        assertEq(keepers.keeperCount(), 256);
        _assertTable();
    }

    function test_GivenThereIsAPlace() external givenTheCallerIsNotSeated givenTrackingIsOn {
        _validator(0, 100);
        _validator(1, 50);
        // it should emit KeeperJoined
        vm.expectEmit(address(keepers));
        emit IVotingPowerKeepers.KeeperJoined(_keeper(0), _hotkey(0), 100, SSH_KEY, URL);
        _join(0);
        // it should seat the caller until the check in time has passed
        _assertSeat(0, _hotkey(0), 100, START + CHECK_IN_SECS);
        (bytes32 sshKey, string memory url) = keepers.contactOf(_keeper(0));
        assertEq(sshKey, SSH_KEY);
        assertEq(url, URL);
        // it should write down weight and total
        _assertTotals(1, 100, 150);
        _join(1);
        _assertTotals(2, 150, 150);
    }

    /* BEYOND THE TREE */

    /// @dev Left in the table by their own, or put out of it: both may come again as if for the first time.
    function test_WhoLeftOrWasUnseatedJoinsAgain() external {
        _seat(0, 100);
        _leave(0);
        _join(0);
        _fallSilent();
        keepers.expire(_keeper(0));
        vm.prank(_keeper(0));
        keepers.join(0, _uidHash(0), keccak256("new key"), "new");
        _assertTotals(1, 100, 100);
        (bytes32 sshKey,) = keepers.contactOf(_keeper(0));
        assertEq(sshKey, keccak256("new key"));
    }

    /// @dev A validator whose address has several uids is seated for one hotkey at a time.
    function test_OneSeatForAnAddress() external {
        _seat(0, 100);
        _validator(1, 50);
        _associate(1, _keeper(0));
        _expectAlreadySeated(_keeper(0));
        vm.prank(_keeper(0));
        keepers.join(1, _uidHash(1), SSH_KEY, URL);
    }

    function test_TheHeaviestWeightThereCanBe() external {
        _validator(0, type(uint64).max);
        _validator(1, type(uint64).max);
        _join(0);
        _join(1);
        assertEq(keepers.seatedWeight(), 2 * uint256(type(uint64).max));
        assertEq(keepers.subnetPower(), type(uint64).max, "the chain's total saturates");
        assertTrue(_quorum(3));
    }

    struct Case {
        bool tracked;
        bool associated;
        bool rightHash;
        bool present;
        bool totalAnswers;
        bool seated;
        uint64 power;
        bytes32 sshKey;
        uint16 urlLength;
    }

    function testFuzz_JoinsOrSaysWhyNot(Case memory c) external {
        c.urlLength = uint16(bound(c.urlLength, 0, 300));
        if (uint256(c.sshKey) % 8 == 0) c.sshKey = 0;
        if (c.power % 8 == 0) c.power = 0;
        _validator(0, 7);
        if (c.seated) _join(0);
        _prepare(c);
        bool joins = _expectWhatFollows(c);
        vm.prank(_keeper(0));
        keepers.join(0, c.rightHash ? _uidHash(0) : bytes8(0), c.sshKey, _url(c.urlLength));
        if (!joins) return;
        _assertSeat(0, _hotkey(0), c.power, START + CHECK_IN_SECS);
        _assertTotals(1, c.power, c.power);
    }

    function _prepare(Case memory c) private {
        POWER.setTracking(NETUID, c.tracked);
        _power(0, c.power);
        if (!c.associated) _associate(0, STRANGER);
        if (!c.present) METAGRAPH.remove(NETUID, 0);
        POWER.setTotalFailing(!c.totalAnswers);
    }

    function _expectWhatFollows(Case memory c) private returns (bool joins) {
        if (c.seated) _expectAlreadySeated(_keeper(0));
        else if (!c.tracked) _expectNotTracked();
        else if (!c.rightHash) _expectNotAssociated(0, address(0), _keeper(0));
        else if (!c.associated) _expectNotAssociated(0, STRANGER, _keeper(0));
        else if (!c.present) _expectNoHotkey(0);
        else if (c.power == 0) _expectNoPower(_hotkey(0));
        else if (!c.totalAnswers) _expectBadTotal(0, c.power);
        else if (c.sshKey == 0) _expectNoSshKey(_keeper(0));
        else if (c.urlLength > 256) _expectUrlTooLong(c.urlLength);
        else joins = true;
    }
}
