// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IVotingPowerKeepers } from "../../src/interfaces/IVotingPowerKeepers.sol";
import { VotingPowerBase } from "./VotingPowerBase.t.sol";

contract ExpireTest is VotingPowerBase {
    function _expire(uint256 n) private {
        vm.prank(STRANGER);
        keepers.expire(_keeper(n));
    }

    function test_RevertGiven_TheAccountIsNotSeated() external {
        _validator(0, 100);
        _expectNotAKeeper(_keeper(0));
        _expire(0);
        _join(0);
        _fallSilent();
        _expire(0);
        _expectNotAKeeper(_keeper(0));
        _expire(0);
    }

    function test_RevertGiven_TheAccountIsInItsLastSecond() external {
        _seat(0, 100);
        skip(CHECK_IN_SECS);
        _expectNotExpired(_keeper(0), START + CHECK_IN_SECS);
        _expire(0);
        skip(1);
        _expire(0);
        _assertUnseated(0);
    }

    function test_GivenTheAccountIsSilent() external {
        _seatThree(40, 35, 25);
        skip(1);
        _checkIn(0);
        _checkIn(2);
        skip(CHECK_IN_SECS);
        vm.expectEmit(address(keepers));
        emit IVotingPowerKeepers.KeeperExpired(_keeper(1));
        _expire(1);
        // it should unseat the account
        _assertUnseated(1);
        assertEq(keepers.accountOf(_hotkey(1)), address(0));
        _assertTotals(2, 65, 100);
        // it should keep how it is reached
        (bytes32 sshKey, string memory url) = keepers.contactOf(_keeper(1));
        assertEq(sshKey, SSH_KEY);
        assertEq(url, URL);
    }

    modifier givenTheAccountIsActive() {
        _seat(0, 100);
        _seat(1, 100);
        _;
    }

    function test_GivenItsHotkeyHasNoVotingPower() external givenTheAccountIsActive {
        // it should unseat the account
        _power(0, 0);
        _expire(0);
        _assertUnseated(0);
        _assertTotals(1, 100, 200);
        _power(1, 1);
        _expectNotExpired(_keeper(1), START + CHECK_IN_SECS);
        _expire(1);
    }

    function test_RevertGiven_ItsHotkeyHasNoVotingPowerWhileTrackingIsOff() external givenTheAccountIsActive {
        POWER.setTracking(NETUID, false);
        _expectNotExpired(_keeper(0), START + CHECK_IN_SECS);
        _expire(0);
        POWER.setTracking(NETUID, true);
        POWER.setFailing(true);
        _expectNotExpired(_keeper(0), START + CHECK_IN_SECS);
        _expire(0);
    }

    /// @dev Starving the read must not look like a hotkey without voting power.
    function test_RevertWhen_TheCallerSendsTooLittleGas() external givenTheAccountIsActive {
        bytes memory notExpired = abi.encodeWithSelector(
            IVotingPowerKeepers.VotingPowerKeepers_NotExpired.selector, _keeper(0), START + CHECK_IN_SECS
        );
        _assertNoGasChangesTheAnswer(abi.encodeCall(keepers.expire, (_keeper(0))), notExpired);
    }

    /* BEYOND THE TREE */

    /// @dev When it is silent nothing about the chain is asked.
    function test_ASilentKeeperIsUnseatedWithoutThePrecompile() external {
        _seat(0, 100);
        POWER.setFailing(true);
        _fallSilent();
        uint256 before = gasleft();
        _expire(0);
        assertLt(before - gasleft(), 30_000);
        _assertTotals(0, 0, 100);
    }

    function testFuzz_ExpiresOrSaysWhyNot(uint8 n, bool tracked, bool powerless, uint32 later, uint32 since) external {
        _seatThree(40, 35, 25);
        n %= 4;
        since = uint32(bound(since, 0, CHECK_IN_SECS));
        later = uint32(bound(later, 0, 2 * CHECK_IN_SECS));
        skip(since);
        if (n < 3) _checkIn(n);
        skip(later);
        if (powerless) _power(n, 0);
        POWER.setTracking(NETUID, tracked);
        bool expires;
        if (n == 3) {
            _expectNotAKeeper(_keeper(3));
        } else if (later <= CHECK_IN_SECS && !(tracked && powerless)) {
            _expectNotExpired(_keeper(n), START + since + CHECK_IN_SECS);
        } else {
            expires = true;
        }
        _expire(n);
        if (!expires) return;
        _assertUnseated(n);
        _assertTotals(2, 100 - [40, 35, 25][n], 100);
    }
}
