// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { createVotingPower } from "../Build.sol";
import { VotingPowerKeepers } from "../../src/VotingPowerKeepers.sol";
import { IVotingPowerKeepers } from "../../src/interfaces/IVotingPowerKeepers.sol";
import { VotingPowerBase } from "./VotingPowerBase.t.sol";

contract ConstructorTest is VotingPowerBase {
    function _expectBadConfig(string memory reason) private {
        vm.expectRevert(abi.encodeWithSelector(IVotingPowerKeepers.VotingPowerKeepers_BadConfig.selector, reason));
    }

    function test_RevertWhen_TheNetuidHashIsZero() external {
        _expectBadConfig("netuidHash is zero");
        createVotingPower(NETUID, 0, CHECK_IN_SECS);
    }

    function test_RevertWhen_TheCheckInTimeIsUnderAnHour() external {
        createVotingPower(NETUID, NETUID_HASH, 1 hours);
        _expectBadConfig("checkInSecs is under 1 hour");
        createVotingPower(NETUID, NETUID_HASH, 1 hours - 1);
    }

    function test_RevertWhen_TheCheckInTimeIsOverSevenDays() external {
        createVotingPower(NETUID, NETUID_HASH, 7 days);
        _expectBadConfig("checkInSecs is over 7 days");
        createVotingPower(NETUID, NETUID_HASH, 7 days + 1);
    }

    function test_RevertGiven_APrecompileIsMissing() external {
        address[3] memory precompiles = [address(0x802), address(0x807), address(0x80d)];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory code = precompiles[i].code;
            vm.etch(precompiles[i], "");
            vm.expectRevert(
                abi.encodeWithSelector(IVotingPowerKeepers.VotingPowerKeepers_NotSubtensor.selector, precompiles[i])
            );
            createVotingPower(NETUID, NETUID_HASH, CHECK_IN_SECS);
            vm.etch(precompiles[i], code);
        }
        createVotingPower(NETUID, NETUID_HASH, CHECK_IN_SECS);
    }

    function test_WhenEverythingIsInOrder() external {
        // it should keep the parameters
        VotingPowerKeepers other = createVotingPower(7, bytes8(uint64(9)), 2 hours);
        assertEq(other.NETUID(), 7);
        assertEq(other.NETUID_HASH(), bytes8(uint64(9)));
        assertEq(other.CHECK_IN_SECS(), 2 hours);
        assertEq(other.MAX_KEEPERS(), 256);
        assertEq(other.MAX_URL_BYTES(), 256);
        // it should start with nobody
        assertEq(other.keeperCount(), 0);
        assertEq(other.seatedWeight(), 0);
        (bool quorum, bool mayPunish) = other.quorumOf(new address[](0));
        assertFalse(quorum);
        assertFalse(mayPunish);
    }

    /// @dev On the chain a precompile has one byte of code (D15): that is enough.
    function test_OneByteOfCodeIsAPrecompile() external {
        vm.etch(address(0x80d), hex"00");
        createVotingPower(NETUID, NETUID_HASH, CHECK_IN_SECS);
    }

    function testFuzz_DeploysOrSaysWhyNot(uint16 netuid, bytes8 netuidHash, uint32 checkInSecs) external {
        if (uint64(netuidHash) % 4 == 0) netuidHash = 0;
        checkInSecs = uint32(bound(checkInSecs, 0, 14 days));
        bool deploys;
        if (netuidHash == 0) _expectBadConfig("netuidHash is zero");
        else if (checkInSecs < 1 hours) _expectBadConfig("checkInSecs is under 1 hour");
        else if (checkInSecs > 7 days) _expectBadConfig("checkInSecs is over 7 days");
        else deploys = true;
        VotingPowerKeepers other = createVotingPower(netuid, netuidHash, checkInSecs);
        if (!deploys) return;
        assertEq(other.NETUID(), netuid);
        assertEq(other.NETUID_HASH(), netuidHash);
        assertEq(other.CHECK_IN_SECS(), checkInSecs);
    }
}
