// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";
import { QuorumLib } from "../../src/libraries/QuorumLib.sol";

contract QuorumLibTest is Test {
    function test_NeedsTwoSigners() external pure {
        assertFalse(QuorumLib.isQuorum(0, 100, 50, 100));
        assertFalse(QuorumLib.isQuorum(1, 100, 50, 100));
        assertTrue(QuorumLib.isQuorum(2, 100, 50, 100));
    }

    function test_NeedsTwoThirds_NotARaoLess() external pure {
        assertTrue(QuorumLib.isQuorum(2, 200, 100, 300));
        assertFalse(QuorumLib.isQuorum(2, 199, 100, 300));
        assertFalse(QuorumLib.isQuorum(2, 200, 100, 301));
    }

    function test_NeedsHalfOfTheOthers_NotARaoLess() external pure {
        assertTrue(QuorumLib.isQuorum(2, 90, 80, 100), "10 of 20");
        assertFalse(QuorumLib.isQuorum(2, 89, 80, 100), "9 of 20");
        assertFalse(QuorumLib.isQuorum(2, 90, 80, 101), "10 of 21");
    }

    function test_IsACourtFromThreeKeepersOn() external pure {
        assertFalse(QuorumLib.isCourt(0));
        assertFalse(QuorumLib.isCourt(2));
        assertTrue(QuorumLib.isCourt(3));
        assertTrue(QuorumLib.isCourt(type(uint256).max));
    }

    function test_NobodyOfNothingIsNoQuorum() external pure {
        assertFalse(QuorumLib.isQuorum(0, 0, 0, 0));
        assertFalse(QuorumLib.isQuorum(1, 0, 0, 0));
    }

    function test_TheLargestWeightsDoNotOverflow() external pure {
        uint256 weight = type(uint64).max;
        uint256 total = weight * 65_536;
        assertTrue(QuorumLib.isQuorum(65_536, total, weight, total));
    }

    /// @dev The same in rational numbers, the other way round: who is silent weighs at most half of who signed, and
    /// at most as much as the signers but the heaviest.
    function testFuzz_IsTheTwoShares(uint256 signers, uint64 heaviest, uint80 others, uint80 silent) external pure {
        others = uint80(bound(others, 0, uint256(heaviest) * 3));
        silent = uint80(bound(silent, 0, uint256(heaviest) * 2));
        uint256 signed = uint256(heaviest) + others;
        bool expected = signers >= 2 && uint256(silent) * 2 <= signed && silent <= others;
        assertEq(QuorumLib.isQuorum(signers, signed, heaviest, signed + silent), expected);
    }

    /// @dev A signer more never makes a quorum none.
    function testFuzz_AnotherSignerNeverHurts(uint64 heaviest, uint80 others, uint64 more, uint80 silent)
        external
        pure
    {
        others = uint80(bound(others, 0, uint256(heaviest) * 3));
        silent = uint80(bound(silent, 0, uint256(heaviest) * 2));
        uint256 signed = uint256(heaviest) + others;
        if (!QuorumLib.isQuorum(2, signed, heaviest, signed + silent + more)) return;
        uint256 newHeaviest = more > heaviest ? more : heaviest;
        assertTrue(QuorumLib.isQuorum(3, signed + more, newHeaviest, signed + silent + more));
    }
}
