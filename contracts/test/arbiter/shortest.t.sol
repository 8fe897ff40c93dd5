// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ArbiterBase } from "./ArbiterBase.t.sol";

/// @dev A single second is a case where the minimum allows it, and is paid to whom it belongs.
contract ShortestCaseTest is ArbiterBase {
    function _minInterruptedSecs() internal pure override returns (uint32) {
        return 1;
    }

    function setUp() public override {
        super.setUp();
        skip(1 hours);
        _fileSeen(INTERRUPTED, 0, start + 100, start + 101);
    }

    function test_ExecutedItIsTheRenters() external {
        skip(APPEAL_WINDOW);
        _execute(1);
        assertEq(_creditOf(RENTER), _cost(1));
        _assertBooks();
    }

    function test_OverturnedItIsTheMiners() external {
        _appeal(1);
        _rule(1, false);
        assertEq(_creditOf(MINER), _cost(1));
        _assertBooks();
    }
}
