// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";
import { QuorumLib } from "../../src/libraries/QuorumLib.sol";

/// @dev SPEC section 7: two keepers are no court that should burn anything.
contract QuorumLibCourtTest is Test {
    function test_isCourt_FromThreeActiveKeepersOn() external pure {
        assertFalse(QuorumLib.isCourt(0));
        assertFalse(QuorumLib.isCourt(1));
        assertFalse(QuorumLib.isCourt(2));
        assertTrue(QuorumLib.isCourt(3));
        assertTrue(QuorumLib.isCourt(4));
        assertTrue(QuorumLib.isCourt(65_536));
    }
}
