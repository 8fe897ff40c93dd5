// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { InvariantsBase } from "./InvariantsBase.sol";

/// @dev Invariants that hold because nothing ever happens prove nothing: left to chance, the handlers do everything,
/// and with success.
contract Reach is InvariantsBase {
    bytes32 private constant FIRST = "register";
    uint256 private constant EPISODES = 28;
    uint256 private constant CALLS = 350;
    uint256 private constant ENOUGH = 3;

    function test_LeftToChanceTheHandlersDoEverything() external {
        vm.pauseGasMetering(); // all of it is more than a block's
        bytes32[] memory wanted = _wanted();
        uint256[] memory done = new uint256[](wanted.length);
        bytes4[][] memory all = actions;
        string memory statistics;
        for (uint256 episode = 0; episode < EPISODES; ++episode) {
            uint256 before = vm.snapshotState();
            for (uint256 i = 0; i < CALLS; ++i) {
                _act(uint256(keccak256(abi.encode("reach", episode, i))), all);
            }
            for (uint256 i = 0; i < wanted.length; ++i) {
                done[i] += store.calls(wanted[i]);
            }
            statistics = store.statistics();
            vm.revertToState(before);
        }
        string memory rare;
        for (uint256 i = 0; i < wanted.length; ++i) {
            bool rarely = wanted[i] == "sunset" || wanted[i] == "refund by appeal";
            if (done[i] >= (rarely ? 1 : ENOUGH)) continue;
            rare = string.concat(rare, string(abi.encodePacked(wanted[i])), " ", vm.toString(done[i]), ", ");
        }
        assertEq(rare, "", string.concat("too rare; the last episode: ", statistics));
    }

    function _wanted() private pure returns (bytes32[] memory wanted) {
        bytes32[55] memory all = [
            FIRST,
            "register again",
            "rebind",
            "retire",
            "setEndpoint",
            "deposit",
            "requestExit",
            "cancelExit",
            "withdraw",
            "offer",
            "withdrawOffer",
            "abandon",
            "appeal",
            "refund by appeal",
            "rent",
            "rent after a lapse",
            "rentFor",
            "extend",
            "end",
            "post",
            "fill",
            "giveUp",
            "claim",
            "close",
            "closeMany",
            "closeMany of none",
            "execute",
            "execute, silent judge",
            "execute, refund first",
            "execute, penalty later",
            "rule, upheld",
            "rule, overturned",
            "pause",
            "unpause",
            "sunset",
            "setClassBond",
            "setPayoutAccount",
            "withdrawCredit",
            "flushBurn",
            "sweep",
            "file NotDelivered",
            "file Offline",
            "file Interrupted, last",
            "file Interrupted, between",
            "fileSpoofed",
            "fileSpoofed, two reserves",
            "dismiss",
            "state",
            "rent, covered",
            "rent, both covered",
            "extend, covered",
            "extend, by a newer statement",
            "extend, by TAO instead",
            "abandon, refused",
            "(strangers)"
        ];
        wanted = new bytes32[](all.length);
        for (uint256 i = 0; i < all.length; ++i) {
            wanted[i] = all[i];
        }
    }

    /// @dev One of all actions, each as likely as for the fuzzer, with arbitrary words.
    function _act(uint256 dice, bytes4[][] memory all) private {
        uint256 count;
        for (uint256 i = 0; i < all.length; ++i) {
            count += all[i].length;
        }
        uint256 pick = dice % count;
        uint256 actor;
        while (pick >= all[actor].length) pick -= all[actor++].length;
        bytes memory data = abi.encodePacked(all[actor][pick]);
        for (uint256 i = 0; i < 5; ++i) {
            data = abi.encodePacked(data, keccak256(abi.encode(dice, i)));
        }
        (bool ok, bytes memory answer) = actors[actor].call(data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
    }
}
