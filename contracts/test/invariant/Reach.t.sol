// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { InvariantsBase } from "./InvariantsBase.sol";

/// @dev Invariants that hold because nothing ever happens prove nothing: left to chance, the handlers do everything.
contract Reach is InvariantsBase {
    bytes32 private constant FIRST = "register";

    function test_LeftToChanceTheHandlersDoEverything() external {
        bytes4[][] memory all = actions;
        for (uint256 i = 0; i < 2_500; ++i) {
            uint256 dice = uint256(keccak256(abi.encode("reach", i)));
            _act(dice, all);
        }
        bytes32[24] memory wanted = [
            FIRST,
            "setEndpoint",
            "deposit",
            "requestExit",
            "cancelExit",
            "withdraw",
            "offer",
            "withdrawOffer",
            "rent",
            "extend",
            "end",
            "claim",
            "close",
            "execute",
            "withdrawCredit",
            "flushBurn",
            "sweep",
            "file NotDelivered",
            "file Offline",
            "file Interrupted, last",
            "file Interrupted, between",
            "fileSpoofed",
            "dismiss",
            "(strangers)"
        ];
        for (uint256 i = 0; i < wanted.length; ++i) {
            assertGe(store.calls(wanted[i]), 3, string.concat("too rare; calls: ", store.statistics()));
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
