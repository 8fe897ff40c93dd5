// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IAppointedKeepers } from "../../src/interfaces/IAppointedKeepers.sol";
import { KeepersBase } from "./KeepersBase.t.sol";

contract DismissTest is KeepersBase {
    function setUp() public override {
        super.setUp();
        _appoint(_keeper(0), 40);
        _appoint(_keeper(1), 35);
        _appoint(_keeper(2), 25);
    }

    function test_GivenTheKeeperIsActive() external {
        vm.expectEmit(address(keepers));
        emit IAppointedKeepers.KeeperDismissed(_keeper(1));
        _dismiss(_keeper(1));
        _assertKeeper(1, _keeper(1), 35, false);
        assertEq(keepers.keeperAt(1).url, URL, "what it published stays readable");
        _assertTotals(3, 2, 65);
    }

    function test_GivenTheKeeperSigned() external {
        address[] memory signers = new address[](3);
        for (uint256 i = 0; i < 3; ++i) {
            signers[i] = _keeper(i);
        }
        (bool quorum,) = keepers.quorumOf(signers);
        assertTrue(quorum);
        _dismiss(_keeper(2));
        bool mayPunish;
        (quorum, mayPunish) = keepers.quorumOf(signers);
        assertFalse(quorum);
        assertFalse(mayPunish, "two keepers are no court");
    }

    function test_GivenNobodyElseIsLeft() external {
        for (uint256 i = 0; i < 3; ++i) {
            _dismiss(_keeper(i));
        }
        _assertTotals(3, 0, 0);
    }

    function test_RevertWhen_TheCallerIsNotTheOwner() external {
        _expectNotOwner(_keeper(0));
        vm.prank(_keeper(0));
        keepers.dismiss(_keeper(1));
    }

    function test_RevertWhen_ItIsNoKeeper() external {
        _expectNotAKeeper(STRANGER);
        _dismiss(STRANGER);
        _dismiss(_keeper(1));
        _expectNotAKeeper(_keeper(1));
        _dismiss(_keeper(1));
    }

    function testFuzz_DismissesOrSaysWhyNot(bool asOwner, uint256 n, bool before) external {
        address account = _keeper(n % 4);
        if (before && n % 4 < 3) _dismiss(account);
        uint256 weightBefore = keepers.activeWeight();
        uint256 activeBefore = keepers.activeCount();
        bool dismisses;
        if (!asOwner) _expectNotOwner(STRANGER);
        else if (n % 4 == 3 || before) _expectNotAKeeper(account);
        else dismisses = true;
        vm.prank(asOwner ? OWNER : STRANGER);
        keepers.dismiss(account);
        if (!dismisses) return _assertTotals(3, activeBefore, weightBefore);
        _assertTotals(3, activeBefore - 1, weightBefore - keepers.keeperAt(n % 4).weight);
        assertFalse(keepers.keeperAt(n % 4).active);
    }
}
