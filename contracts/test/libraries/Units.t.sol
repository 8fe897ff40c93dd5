// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test, stdError } from "forge-std/Test.sol";
import "../../src/types/Units.sol" as Units;
import { Rao, RaoPerSecond, Timestamp, Units_Overflow } from "../../src/types/Units.sol";

contract UnitsTest is Test {
    /* EXTERNAL, SO THAT REVERTS CAN BE SEEN */

    function add(uint64 a, uint64 b) external pure returns (uint64) {
        return Rao.unwrap(Rao.wrap(a) + Rao.wrap(b));
    }

    function sub(uint64 a, uint64 b) external pure returns (uint64) {
        return Rao.unwrap(Rao.wrap(a) - Rao.wrap(b));
    }

    function toRao(uint256 value) external pure returns (uint64) {
        return Rao.unwrap(Units.toRao(value));
    }

    function toSecs(uint256 value) external pure returns (uint32) {
        return Units.toSecs(value);
    }

    function plusSecs(uint32 t, uint32 secs) external pure returns (uint32) {
        return Timestamp.unwrap(Units.plusSecs(Timestamp.wrap(t), secs));
    }

    function costOf(uint40 price, uint256 secs) external pure returns (uint64) {
        return Rao.unwrap(Units.costOf(RaoPerSecond.wrap(price), secs));
    }

    function timeNow() external view returns (uint32) {
        return Timestamp.unwrap(Units.timeNow());
    }

    function _expectOverflow(uint256 value, uint256 max) private {
        vm.expectRevert(abi.encodeWithSelector(Units_Overflow.selector, value, max));
    }

    /* MONEY */

    function testFuzz_add_IsExactOrReverts(uint64 a, uint64 b) external {
        if (uint256(a) + b > type(uint64).max) vm.expectRevert(stdError.arithmeticError);
        uint64 sum = this.add(a, b);
        if (uint256(a) + b <= type(uint64).max) assertEq(sum, uint256(a) + b);
    }

    function testFuzz_sub_IsExactOrReverts(uint64 a, uint64 b) external {
        if (a < b) vm.expectRevert(stdError.arithmeticError);
        uint64 difference = this.sub(a, b);
        if (a >= b) assertEq(uint256(difference) + b, a);
    }

    function testFuzz_OrderIsThatOfNumbers(uint64 a, uint64 b) external pure {
        (Rao x, Rao y) = (Rao.wrap(a), Rao.wrap(b));
        assertEq(x < y, a < b);
        assertEq(x <= y, a <= b);
        assertEq(x == y, a == b);
        assertTrue(x == x && x <= x && !(x < x));
        assertEq(Rao.unwrap(Units.minRao(x, y)), a < b ? a : b);
        assertEq(Rao.unwrap(Units.maxRao(x, y)), a < b ? b : a);
    }

    function testFuzz_toRao_IsExactOrReverts(uint256 value, bool small) external {
        if (small) value %= uint256(type(uint64).max) + 3;
        bool fits = value <= type(uint64).max;
        if (!fits) _expectOverflow(value, type(uint64).max);
        uint64 rao = this.toRao(value);
        if (fits) assertEq(rao, value);
    }

    function test_toRao_AtTheEdge() external {
        assertEq(this.toRao(type(uint64).max), type(uint64).max);
        _expectOverflow(uint256(type(uint64).max) + 1, type(uint64).max);
        this.toRao(uint256(type(uint64).max) + 1);
    }

    function testFuzz_costOf_IsExactOrReverts(uint40 price, uint32 secs) external {
        uint256 cost = uint256(price) * secs;
        bool fits = cost <= type(uint64).max;
        if (!fits) _expectOverflow(cost, type(uint64).max);
        uint64 rao = this.costOf(price, secs);
        if (fits) assertEq(rao, cost);
    }

    function testFuzz_bps_RoundDownForChargesAndUpForProofs(uint64 amount, uint16 bps) external pure {
        bps = uint16(bound(bps, 0, 10_000));
        uint256 down = Rao.unwrap(Units.bpsOfDown(Rao.wrap(amount), bps));
        uint256 up = Rao.unwrap(Units.bpsOfUp(Rao.wrap(amount), bps));
        uint256 exact = uint256(amount) * bps; // in ten-thousandths
        assertLe(down * 10_000, exact);
        assertGt((down + 1) * 10_000, exact);
        assertGe(up * 10_000, exact);
        assertLt(up * 10_000, exact + 10_000);
        assertLe(up, amount);
    }

    /* TIME */

    function testFuzz_TimesCompareAsNumbers(uint32 a, uint32 b) external pure {
        (Timestamp x, Timestamp y) = (Timestamp.wrap(a), Timestamp.wrap(b));
        assertEq(x < y, a < b);
        assertEq(x <= y, a <= b);
        assertEq(x == y, a == b);
        assertTrue(x == x && x <= x && !(x < x));
        assertEq(Timestamp.unwrap(Units.minTime(x, y)), a < b ? a : b);
        assertEq(Timestamp.unwrap(Units.maxTime(x, y)), a < b ? b : a);
        assertEq(Units.secsBetween(x, y), a < b ? b - a : 0);
    }

    function testFuzz_plusSecs_IsExactOrReverts(uint32 t, uint32 secs) external {
        bool fits = uint256(t) + secs <= type(uint32).max;
        if (!fits) vm.expectRevert(stdError.arithmeticError);
        uint32 sum = this.plusSecs(t, secs);
        if (fits) assertEq(sum, uint256(t) + secs);
    }

    function testFuzz_toSecs_IsExactOrReverts(uint256 value, bool small) external {
        if (small) value %= uint256(type(uint32).max) + 3;
        bool fits = value <= type(uint32).max;
        if (!fits) _expectOverflow(value, type(uint32).max);
        uint32 secs = this.toSecs(value);
        if (fits) assertEq(secs, value);
    }

    function test_timeNow_IsTheBlocksUntilFebruary2106() external {
        vm.warp(type(uint32).max);
        assertEq(this.timeNow(), type(uint32).max);
        vm.warp(uint256(type(uint32).max) + 1);
        _expectOverflow(uint256(type(uint32).max) + 1, type(uint32).max);
        this.timeNow();
    }
}
