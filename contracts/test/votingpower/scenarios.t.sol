// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { VotingPowerBase } from "./VotingPowerBase.t.sol";

/// @dev Stories of more than one function. Quorums are named by bits: 1, 2, 4 are keepers 0, 1, 2.
contract ScenariosTest is VotingPowerBase {
    bytes32 private constant NEW_HOTKEY = keccak256("new hotkey");
    address private constant NEW_KEEPER = address(0x2000);

    function _joinAs(address account, uint16 uid) private {
        vm.prank(account);
        keepers.join(uid, _uidHash(uid), SSH_KEY, URL);
    }

    /* ZERO, ONE, TWO */

    function test_NobodyOneTwoThree() external {
        assertFalse(_quorum(0));
        assertFalse(_mayPunish());
        _seat(0, 100);
        assertFalse(_quorum(1), "one keeper is never a quorum, not even of itself");
        assertFalse(_mayPunish());
        _seat(1, 100);
        assertTrue(_quorum(3), "two end and refund");
        assertFalse(_mayPunish(), "and burn nothing");
        _seat(2, 100);
        assertTrue(_quorum(7));
        assertTrue(_mayPunish());
        _leave(1);
        assertTrue(_quorum(5));
        assertFalse(_mayPunish());
    }

    /* HOTKEY SWAPPED */

    /// @dev The power of one validator is there once, whoever asks in whatever order.
    function test_ASwappedHotkeysPowerCountsOnce() external {
        _seatThree(40, 35, 25);
        _swapHotkey(0, NEW_HOTKEY);
        assertFalse(_quorum(7), "keeper 0 has nothing left, and its recorded weight is still asked for");
        // A second address gets the new hotkey associated, and joins: now old and new are seated, one with power.
        _associate(0, NEW_KEEPER);
        _joinAs(NEW_KEEPER, 0);
        assertEq(keepers.seatedWeight(), 140);
        assertEq(keepers.seatOf(NEW_KEEPER).weight, 40);
        assertFalse(_quorum(7));
        keepers.expire(_keeper(0));
        assertEq(keepers.seatedWeight(), 100);
        address[] memory signers = new address[](3);
        (signers[0], signers[1], signers[2]) = (_keeper(1), _keeper(2), NEW_KEEPER);
        (bool quorum,) = keepers.quorumOf(signers);
        assertTrue(quorum);
        _assertTotals(3, 100, 100);
    }

    function test_ASwapHealsWithTheNextCheckIn() external {
        _seatThree(40, 35, 25);
        _swapHotkey(0, NEW_HOTKEY);
        keepers.expire(_keeper(0)); // somebody was faster
        _checkIn(0);
        assertTrue(_quorum(3));
        _assertSeat(0, NEW_HOTKEY, 40, START + CHECK_IN_SECS);
        _assertTotals(3, 100, 100);
        // And back again.
        METAGRAPH.setHotkey(NETUID, 0, _hotkey(0));
        POWER.swap(NETUID, NEW_HOTKEY, _hotkey(0));
        _checkIn(0);
        _assertSeat(0, _hotkey(0), 40, START + CHECK_IN_SECS);
        _assertTotals(3, 100, 100);
    }

    /// @dev Two validators of one owner, whose hotkeys change places: two seats before and after.
    function test_TwoHotkeysChangePlaces() external {
        _seatThree(40, 35, 25);
        METAGRAPH.setHotkey(NETUID, 0, _hotkey(1));
        METAGRAPH.setHotkey(NETUID, 1, _hotkey(0));
        _checkIn(0);
        assertEq(keepers.accountOf(_hotkey(1)), _keeper(0), "the chain says so");
        _assertUnseated(1);
        _assertTotals(2, 60, 100);
        _checkIn(1);
        _assertSeat(0, _hotkey(1), 35, START + CHECK_IN_SECS);
        _assertSeat(1, _hotkey(0), 40, START + CHECK_IN_SECS);
        _assertTotals(3, 100, 100);
    }

    /// @dev The key of a keeper is stolen: its hotkey associates another address, which takes the seat at once.
    function test_AStolenKeyLosesItsSeatToTheHotkeysNewAddress() external {
        _seatThree(40, 35, 25);
        _associate(0, NEW_KEEPER);
        _joinAs(NEW_KEEPER, 0);
        _assertUnseated(0);
        _expectNotAssociated(0, NEW_KEEPER, _keeper(0));
        _checkIn(0);
        assertFalse(_quorum(3));
        _assertTotals(3, 100, 100);
    }

    /* UID RECYCLED */

    function test_ARecycledUidEndsTheSeat() external {
        _seatThree(40, 35, 25);
        _recycleUid(0, NEW_HOTKEY);
        assertTrue(_quorum(3), "until the epoch ends the chain itself still knows the power");
        _expectNotAssociated(0, address(0), _keeper(0));
        _checkIn(0);
        _power(0, 0); // the epoch ends
        assertFalse(_quorum(7));
        keepers.expire(_keeper(0));
        assertTrue(_quorum(6));
        // Who has the uid now is somebody else, with a seat of its own.
        _associate(0, NEW_KEEPER);
        POWER.setPower(NETUID, NEW_HOTKEY, 30);
        _joinAs(NEW_KEEPER, 0);
        assertEq(keepers.accountOf(NEW_HOTKEY), NEW_KEEPER);
        _assertTotals(3, 90, 90);
    }

    /// @dev The chain moves validators to lower uids; hotkey, association and power go along.
    function test_AUidThatMovedIsShownAtTheNextCheckIn() external {
        _seatThree(40, 35, 25);
        METAGRAPH.remove(NETUID, 2);
        _dissociate(2);
        METAGRAPH.setHotkey(NETUID, 7, _hotkey(2));
        _associate(7, _keeper(2));
        assertTrue(_quorum(7), "nothing changes before");
        vm.prank(_keeper(2));
        keepers.checkIn(7, _uidHash(7));
        assertEq(keepers.seatOf(_keeper(2)).uid, 7);
        _assertTotals(3, 100, 100);
    }

    /* TRACKING SWITCHED OFF */

    function test_TrackingSwitchedOffMidWayAndOnAgain() external {
        _seatThree(40, 35, 25);
        _validator(3, 50);
        POWER.setTracking(NETUID, false);
        // Frozen: the court still ends and refunds, punishes nobody, and nobody comes or is weighed.
        assertTrue(_quorum(7));
        assertFalse(_mayPunish());
        _expectNotTracked();
        _join(3);
        _expectNotTracked();
        keepers.refresh(_keeper(0));
        skip(CHECK_IN_SECS);
        _checkIn(0);
        _checkIn(1);
        skip(1);
        keepers.expire(_keeper(2));
        _expectNotTracked();
        _checkIn(2); // who fell silent stays out
        assertTrue(_quorum(3));
        // On again: nobody has power before the first epoch ends.
        POWER.setTracking(NETUID, true);
        assertFalse(_quorum(3));
        _expectNoPower(_hotkey(0));
        _checkIn(0);
        // Then all have little, in proportion.
        (uint64[4] memory powers) = [uint64(4), 4, 3, 5];
        for (uint256 n = 0; n < 4; ++n) {
            _power(n, powers[n]);
        }
        assertFalse(_quorum(3), "live weights against recorded ones of before");
        keepers.refresh(_keeper(0));
        assertFalse(_quorum(3), "and the total of before");
        _checkIn(1);
        assertTrue(_quorum(3));
        _checkIn(2);
        _join(3);
        assertTrue(_mayPunish());
        _assertTotals(4, 16, 16);
    }

    /// @dev Root disables 0x80d for three days, and enables it again.
    function test_APrecompileThatIsAwayForDays() external {
        _seatThree(40, 35, 25);
        POWER.setFailing(true);
        for (uint256 day = 0; day < 3; ++day) {
            skip(1 days);
            _checkIn(0);
            _checkIn(1);
            assertTrue(_quorum(3));
            assertFalse(_mayPunish());
        }
        POWER.setFailing(false);
        _checkIn(2);
        assertTrue(_quorum(7));
        assertTrue(_mayPunish());
        _assertTotals(3, 100, 100);
    }

    /* WHO IS NOT THERE */

    /// @dev Heavy and silent: it blocks until anybody says so, in the same block if need be.
    function test_ASilentKeepersWeightBlocksUntilAnybodyExpiresIt() external {
        _seatThree(40, 35, 25);
        _seat(3, 100);
        _power(3, 40); // most of it left since
        skip(1);
        for (uint256 n = 0; n < 3; ++n) {
            _checkIn(n);
        }
        skip(CHECK_IN_SECS);
        assertFalse(_quorum(7));
        vm.prank(STRANGER);
        keepers.expire(_keeper(3));
        assertTrue(_quorum(7));
    }

    /// @dev A third of the subnet's power or nothing: the edge, in rao.
    function test_AThirdOfTheSubnetAtTheEdge() external {
        uint64 part = 1e15;
        _power(9, 6 * part);
        _seatThree(part, part, part);
        assertTrue(_quorum(7), "3 of 9");
        _power(9, 6 * part + 1);
        _checkIn(0);
        assertFalse(_quorum(7), "one rao less than a third");
        _power(0, part + 1);
        _checkIn(0);
        assertTrue(_quorum(7), "3 * (3e15 + 1) >= 9e15 + 2");
        _leave(2);
        assertFalse(_quorum(3));
    }

    /// @dev 80 + 9 is 89 of 100, but the 9 are less than half of the 20 others.
    function test_TheHeaviestNeedsHalfOfTheOthers() external {
        _seatThree(80, 11, 9);
        assertFalse(_quorum(5));
        assertTrue(_quorum(3));
        _seat(3, 1);
        assertTrue(_quorum(3), "11 of 21");
        _seat(4, 2);
        assertFalse(_quorum(3), "11 of 23");
    }

    /* A FULL TABLE */

    /// @dev Somebody with 256 light validators cannot keep the others out, neither awake nor asleep.
    function test_AFloodOfLightKeepersKeepsNobodyOut() external {
        for (uint256 n = 1_000; n < 1_256; ++n) {
            _seat(n, 1);
        }
        _seatThree(40_000, 35_000, 25_000);
        assertEq(keepers.keeperCount(), 256);
        assertTrue(_quorum(3));
        assertTrue(_mayPunish());
        // Validators come and go; a place of somebody gone is free for anybody to clear.
        _power(1_100, 0);
        keepers.expire(_keeper(1_100));
        assertEq(keepers.keeperCount(), 255);
        _assertTable();
    }

    /* TIME */

    /// @dev All of them silent after a long halt of the chain: they come back as they were.
    function test_AfterAHaltEverybodyChecksInAgain() external {
        _seatThree(40, 35, 25);
        skip(10 days);
        assertFalse(_quorum(7));
        assertFalse(_mayPunish());
        for (uint256 n = 0; n < 3; ++n) {
            if (n == 1) keepers.expire(_keeper(1));
            _checkIn(n);
        }
        assertTrue(_quorum(7));
        assertTrue(_mayPunish());
        _assertTotals(3, 100, 100);
    }
}
