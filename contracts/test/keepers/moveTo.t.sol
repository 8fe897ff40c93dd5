// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IAppointedKeepers } from "../../src/interfaces/IAppointedKeepers.sol";
import { KeepersBase } from "./KeepersBase.t.sol";

contract MoveToTest is KeepersBase {
    bytes32 private constant NEW_KEY = keccak256("new key");

    function setUp() public override {
        super.setUp();
        _appoint(_keeper(0), 40);
        _appoint(_keeper(1), 35);
    }

    function test_GivenTheCallerIsAnActiveKeeper() external {
        vm.expectEmit(address(keepers));
        emit IAppointedKeepers.KeeperMoved(_keeper(0), NEW_KEY, "http://new.example");
        vm.prank(_keeper(0));
        keepers.moveTo(NEW_KEY, "http://new.example");
        _assertKeeper(0, _keeper(0), 40, true);
        assertEq(keepers.keeperAt(0).sshKey, NEW_KEY);
        assertEq(keepers.keeperAt(0).url, "http://new.example");
        assertEq(keepers.keeperAt(1).sshKey, SSH_KEY, "the others stay where they are");
        _assertTotals(2, 2, 75);
    }

    function test_RevertWhen_TheCallerIsNoKeeper() external {
        address[2] memory callers = [STRANGER, OWNER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectNotAKeeper(callers[i]);
            vm.prank(callers[i]);
            keepers.moveTo(NEW_KEY, URL);
        }
    }

    function test_RevertGiven_TheCallerWasDismissed() external {
        _dismiss(_keeper(0));
        _expectNotAKeeper(_keeper(0));
        vm.prank(_keeper(0));
        keepers.moveTo(NEW_KEY, URL);
    }

    function test_RevertWhen_TheKeyIsZero() external {
        _expectBadKeeper(_keeper(0), 40, 0);
        vm.prank(_keeper(0));
        keepers.moveTo(0, URL);
    }

    function test_RevertWhen_TheUrlIsTooLong() external {
        vm.startPrank(_keeper(0));
        keepers.moveTo(NEW_KEY, _url(256));
        _expectUrlTooLong(257);
        keepers.moveTo(NEW_KEY, _url(257));
    }

    function testFuzz_MovesOrSaysWhyNot(uint256 n, bytes32 sshKey, uint256 urlLength) external {
        address caller = _keeper(n % 3);
        if (uint256(sshKey) % 4 == 0) sshKey = 0;
        urlLength = bound(urlLength, 0, 300);
        bool moves;
        if (n % 3 == 2) _expectNotAKeeper(caller);
        else if (sshKey == 0) _expectBadKeeper(caller, n % 3 == 0 ? 40 : 35, 0);
        else if (urlLength > 256) _expectUrlTooLong(urlLength);
        else moves = true;
        vm.prank(caller);
        keepers.moveTo(sshKey, _url(urlLength));
        if (moves) assertEq(keepers.keeperAt(n % 3).sshKey, sshKey);
        if (moves) assertEq(bytes(keepers.keeperAt(n % 3).url).length, urlLength);
        _assertTotals(2, 2, 75);
    }
}
