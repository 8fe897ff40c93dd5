// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IVotingPowerKeepers } from "../../src/interfaces/IVotingPowerKeepers.sol";
import { VotingPowerBase } from "./VotingPowerBase.t.sol";

contract MoveToTest is VotingPowerBase {
    bytes32 private constant NEW_KEY = keccak256("new key");

    function _moveTo(uint256 n, bytes32 sshKey, string memory url) private {
        vm.prank(_keeper(n));
        keepers.moveTo(sshKey, url);
    }

    function test_RevertGiven_TheCallerIsNotSeated() external {
        _expectNotAKeeper(_keeper(0));
        _moveTo(0, NEW_KEY, URL);
        _seat(0, 100);
        _fallSilent();
        _moveTo(0, NEW_KEY, URL); // silent, but seated
        keepers.expire(_keeper(0));
        _expectNotAKeeper(_keeper(0));
        _moveTo(0, NEW_KEY, URL);
    }

    modifier givenTheCallerIsSeated() {
        _seat(0, 40);
        _seat(1, 35);
        _;
    }

    function test_RevertWhen_TheSshKeyIsZero() external givenTheCallerIsSeated {
        _expectNoSshKey(_keeper(0));
        _moveTo(0, 0, URL);
    }

    function test_RevertWhen_TheUrlIsTooLong() external givenTheCallerIsSeated {
        _moveTo(0, NEW_KEY, _url(256));
        _expectUrlTooLong(257);
        _moveTo(0, NEW_KEY, _url(257));
    }

    function test_WhenTheContactMakesSense() external givenTheCallerIsSeated {
        vm.expectEmit(address(keepers));
        emit IVotingPowerKeepers.KeeperMoved(_keeper(0), NEW_KEY, "http://new.example");
        skip(1 hours);
        _moveTo(0, NEW_KEY, "http://new.example");
        // it should change how the caller is reached
        assertEq(keepers.keeperAt(0).sshKey, NEW_KEY);
        assertEq(keepers.keeperAt(0).url, "http://new.example");
        // it should change nothing else
        assertEq(keepers.keeperAt(1).sshKey, SSH_KEY, "the others stay where they are");
        _assertSeat(0, _hotkey(0), 40, START + CHECK_IN_SECS);
        _assertTotals(2, 75, 75);
    }

    /* BEYOND THE TREE */

    function testFuzz_MovesOrSaysWhyNot(uint256 n, bytes32 sshKey, uint256 urlLength) external {
        _seat(0, 40);
        _seat(1, 35);
        n %= 3;
        if (uint256(sshKey) % 4 == 0) sshKey = 0;
        urlLength = bound(urlLength, 0, 300);
        bool moves;
        if (n == 2) _expectNotAKeeper(_keeper(2));
        else if (sshKey == 0) _expectNoSshKey(_keeper(n));
        else if (urlLength > 256) _expectUrlTooLong(urlLength);
        else moves = true;
        _moveTo(n, sshKey, _url(urlLength));
        if (moves) assertEq(keepers.keeperAt(n).sshKey, sshKey);
        if (moves) assertEq(bytes(keepers.keeperAt(n).url).length, urlLength);
        _assertTotals(2, 75, 75);
    }
}
