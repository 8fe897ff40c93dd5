// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { VotingPowerBase } from "./VotingPowerBase.t.sol";

/// @dev Eight addresses, eight uids, eight hotkeys, and everything that the chain and they can do, in any order. Calls
/// that the contract refuses are made too: what it does then is nothing. The handler brings no model of the contract,
/// only of the chain.
contract VotingPowerHandler is VotingPowerBase {
    uint8 internal constant ACTORS = 8;

    mapping(bytes4 selector => uint256) public done;

    constructor() {
        setUp();
        for (uint256 n = 0; n < ACTORS; ++n) {
            // forge-lint: disable-next-line(unsafe-typecast) small numbers only
            _seat(n, uint64(10 + n));
        }
    }

    function electorate() external view returns (address) {
        return address(keepers);
    }

    /// @dev What the fuzzer may call: not `setUp`.
    function selectors() external pure returns (bytes4[] memory list) {
        list = new bytes4[](12);
        (list[0], list[1], list[2]) = (this.power.selector, this.associate.selector, this.dissociate.selector);
        (list[3], list[4], list[5]) = (this.swapHotkeys.selector, this.switchTracking.selector, this.pass.selector);
        (list[6], list[7], list[8]) = (this.join.selector, this.checkIn.selector, this.moveTo.selector);
        (list[9], list[10], list[11]) = (this.leave.selector, this.refresh.selector, this.expire.selector);
    }

    function _try(address caller, bytes memory call) private {
        vm.prank(caller);
        // forge-lint: disable-next-line(unchecked-call)
        (bool ok,) = address(keepers).call(call);
        // forge-lint: disable-next-line(unsafe-typecast) a call's selector
        if (ok) ++done[bytes4(call)];
    }

    /* THE CHAIN */

    function power(uint8 n, uint8 to) external {
        _power(n % ACTORS, to % 8 == 0 ? 0 : to);
        ++done[this.power.selector];
    }

    function associate(uint8 uid, uint8 n) external {
        uid %= ACTORS;
        _associate(uid, _keeper(n % 4 == 0 ? n / 4 % ACTORS : uid)); // mostly where it was
        ++done[this.associate.selector];
    }

    function dissociate(uint8 uid) external {
        if (uid % 4 == 0) _dissociate(uid / 4 % ACTORS);
        ++done[this.dissociate.selector];
    }

    /// @dev As on the chain no hotkey sits at two uids: two of them change places, or one moves its power as well.
    function swapHotkeys(uint8 a, uint8 b, bool withPower) external {
        uint16 uidA = a % ACTORS;
        uint16 uidB = b % ACTORS;
        bytes32 hotkeyA = METAGRAPH.getHotkey(NETUID, uidA);
        bytes32 hotkeyB = METAGRAPH.getHotkey(NETUID, uidB);
        METAGRAPH.setHotkey(NETUID, uidA, hotkeyB);
        METAGRAPH.setHotkey(NETUID, uidB, hotkeyA);
        if (withPower && hotkeyA != hotkeyB) POWER.swap(NETUID, hotkeyA, hotkeyB);
        ++done[this.swapHotkeys.selector];
    }

    function switchTracking(uint8 dice) external {
        POWER.setTracking(NETUID, dice % 8 != 0);
        POWER.setFailing(dice % 16 == 1);
        ++done[this.switchTracking.selector];
    }

    function pass(uint32 secs) external {
        skip(bound(secs, 1, 20 hours));
        ++done[this.pass.selector];
    }

    /* KEEPERS AND ANYBODY */

    function join(uint8 n, uint8 dice) external {
        n %= ACTORS;
        uint16 uid = dice % 4 == 0 ? dice / 4 % ACTORS : n; // mostly its own
        _try(_keeper(n), abi.encodeCall(keepers.join, (uid, _uidHash(uid), SSH_KEY, URL)));
    }

    function checkIn(uint8 n, uint8 dice) external {
        n %= ACTORS;
        uint16 uid = dice % 4 == 0 ? dice / 4 % ACTORS : n; // mostly its own
        _try(_keeper(n), abi.encodeCall(keepers.checkIn, (uid, _uidHash(uid))));
    }

    function moveTo(uint8 n, bytes32 sshKey) external {
        _try(_keeper(n % ACTORS), abi.encodeCall(keepers.moveTo, (sshKey, URL)));
    }

    function leave(uint8 n) external {
        if (n % 4 == 0) _try(_keeper(n / 4 % ACTORS), abi.encodeCall(keepers.leave, ()));
    }

    function refresh(uint8 n) external {
        _try(STRANGER, abi.encodeCall(keepers.refresh, (_keeper(n % ACTORS))));
    }

    function expire(uint8 n) external {
        _try(STRANGER, abi.encodeCall(keepers.expire, (_keeper(n % ACTORS))));
    }
}
