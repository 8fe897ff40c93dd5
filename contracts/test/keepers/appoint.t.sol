// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IAppointedKeepers } from "../../src/interfaces/IAppointedKeepers.sol";
import { KeepersBase } from "./KeepersBase.t.sol";

contract AppointTest is KeepersBase {
    function test_GivenNobodyHasTheAccountYet() external {
        vm.expectEmit(address(keepers));
        emit IAppointedKeepers.KeeperAppointed(_keeper(0), 40, SSH_KEY, URL);
        _appoint(_keeper(0), 40);
        _assertKeeper(0, _keeper(0), 40, true);
        assertEq(keepers.keeperAt(0).sshKey, SSH_KEY);
        assertEq(keepers.keeperAt(0).url, URL);
        _assertTotals(1, 1, 40);
    }

    function test_GivenOthersAreRecorded() external {
        for (uint64 i = 0; i < 5; ++i) {
            _appoint(_keeper(9 - i), i + 1);
        }
        for (uint64 i = 0; i < 5; ++i) {
            _assertKeeper(i, _keeper(9 - i), i + 1, true);
        }
        _assertTotals(5, 5, 15);
    }

    function test_GivenTheKeeperIsActive() external {
        _appoint(_keeper(0), 40);
        _appoint(_keeper(1), 5);
        vm.prank(OWNER);
        keepers.appoint(_keeper(0), 10, bytes32(uint256(9)), "http://elsewhere.example");
        _assertKeeper(0, _keeper(0), 10, true);
        assertEq(keepers.keeperAt(0).sshKey, bytes32(uint256(9)));
        assertEq(keepers.keeperAt(0).url, "http://elsewhere.example");
        _assertTotals(2, 2, 15);
    }

    function test_GivenTheKeeperWasDismissed() external {
        _appoint(_keeper(0), 40);
        _appoint(_keeper(1), 5);
        _dismiss(_keeper(0));
        _appoint(_keeper(0), 7);
        _assertKeeper(0, _keeper(0), 7, true);
        _assertTotals(2, 2, 12);
    }

    function test_GivenAllWeightsAreTheHeaviest() external {
        for (uint256 i = 0; i < 256; ++i) {
            _appoint(_keeper(i), type(uint64).max);
        }
        _assertTotals(256, 256, 256 * uint256(type(uint64).max));
    }

    function test_RevertGiven_TheListIsFull() external {
        for (uint256 i = 0; i < 256; ++i) {
            _appoint(_keeper(i), 1);
        }
        _dismiss(_keeper(3));
        vm.expectRevert(abi.encodeWithSelector(IAppointedKeepers.AppointedKeepers_TooMany.selector, 256));
        _appoint(_keeper(256), 1);
        _appoint(_keeper(3), 2); // who is on the list can still be appointed
        _assertTotals(256, 256, 257);
    }

    function test_RevertWhen_TheCallerIsNotTheOwner() external {
        _appoint(_keeper(0), 40);
        address[2] memory callers = [STRANGER, _keeper(0)];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectNotOwner(callers[i]);
            vm.prank(callers[i]);
            keepers.appoint(STRANGER, 1, SSH_KEY, URL);
        }
    }

    function test_RevertWhen_SomethingIsZero() external {
        vm.startPrank(OWNER);
        _expectBadKeeper(address(0), 1, SSH_KEY);
        keepers.appoint(address(0), 1, SSH_KEY, URL);
        _expectBadKeeper(STRANGER, 0, SSH_KEY);
        keepers.appoint(STRANGER, 0, SSH_KEY, URL);
        _expectBadKeeper(STRANGER, 1, 0);
        keepers.appoint(STRANGER, 1, 0, URL);
        _assertTotals(0, 0, 0);
    }

    function test_RevertWhen_TheUrlIsTooLong() external {
        vm.startPrank(OWNER);
        keepers.appoint(_keeper(0), 1, SSH_KEY, _url(256));
        _expectUrlTooLong(257);
        keepers.appoint(_keeper(1), 1, SSH_KEY, _url(257));
    }

    function testFuzz_AppointsOrSaysWhyNot(bool asOwner, uint256 n, uint64 weight, bytes32 sshKey, uint256 urlLength)
        external
    {
        _appoint(_keeper(1), 40);
        address account = n % 5 == 0 ? address(0) : _keeper(n % 5);
        if (weight % 5 == 0) weight = 0;
        if (uint256(sshKey) % 5 == 0) sshKey = 0;
        urlLength = bound(urlLength, 0, 300);
        bool appoints;
        if (!asOwner) _expectNotOwner(STRANGER);
        else if (account == address(0) || weight == 0 || sshKey == 0) _expectBadKeeper(account, weight, sshKey);
        else if (urlLength > 256) _expectUrlTooLong(urlLength);
        else appoints = true;
        vm.prank(asOwner ? OWNER : STRANGER);
        keepers.appoint(account, weight, sshKey, _url(urlLength));
        if (!appoints) return _assertTotals(1, 1, 40);
        bool again = account == _keeper(1);
        _assertKeeper(again ? 0 : 1, account, weight, true);
        if (again) _assertTotals(1, 1, weight);
        else _assertTotals(2, 2, uint256(weight) + 40);
    }
}
