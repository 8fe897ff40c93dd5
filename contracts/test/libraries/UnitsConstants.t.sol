// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";
import { BPS, Rao, WEI_PER_RAO, ZERO_RAO } from "../../src/types/Units.sol";

contract UnitsConstantsTest is Test {
    function test_ARaoIsAThousandMillionthOfATao() external pure {
        assertEq(WEI_PER_RAO, 1 gwei);
        assertEq(WEI_PER_RAO * 1e9, 1 ether);
    }

    function test_ZeroIsZero_AndTheWholeIsTenThousandParts() external pure {
        assertEq(Rao.unwrap(ZERO_RAO), 0);
        assertEq(BPS, 10_000);
    }
}
