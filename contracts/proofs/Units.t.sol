// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import "../src/types/Units.sol" as Units;
import { Rao, RaoPerSecond, Timestamp } from "../src/types/Units.sol";
import { Proof } from "./Proof.sol";

contract UnitsProofs is Proof {
    uint256 private constant DEFAULT_BOND_BPS = 2_000; // SPEC P13

    /* EXTERNAL, SO THAT REVERTS CAN BE SEEN */

    function add(Rao a, Rao b) external pure returns (Rao) {
        return a + b;
    }

    function sub(Rao a, Rao b) external pure returns (Rao) {
        return a - b;
    }

    function toRao(uint256 value) external pure returns (Rao) {
        return Units.toRao(value);
    }

    function toSecs(uint256 value) external pure returns (uint32) {
        return Units.toSecs(value);
    }

    function plusSecs(Timestamp t, uint32 secs) external pure returns (Timestamp) {
        return Units.plusSecs(t, secs);
    }

    function costOf(RaoPerSecond price, uint256 secs) external pure returns (Rao) {
        return Units.costOf(price, secs);
    }

    function bpsOfDown(Rao amount, uint256 bps) external pure returns (Rao) {
        return Units.bpsOfDown(amount, bps);
    }

    function bpsOfUp(Rao amount, uint256 bps) external pure returns (Rao) {
        return Units.bpsOfUp(amount, bps);
    }

    /* ORDER */

    function check_rao_OrderIsTotalAndThatOfNumbers(uint64 a, uint64 b) external pure {
        (Rao x, Rao y) = (Rao.wrap(a), Rao.wrap(b));
        assert((x < y) == (a < b));
        assert((x <= y) == (a <= b));
        assert((x == y) == (a == b));
    }

    function check_time_OrderIsTotalAndThatOfNumbers(uint32 a, uint32 b) external pure {
        (Timestamp x, Timestamp y) = (Timestamp.wrap(a), Timestamp.wrap(b));
        assert((x < y) == (a < b));
        assert((x <= y) == (a <= b));
        assert((x == y) == (a == b));
    }

    /// @dev The smaller is one of both, above neither, the same in either order, and of itself itself.
    function check_minRao_Laws(Rao a, Rao b) external pure {
        Rao least = Units.minRao(a, b);
        assert(least <= a);
        assert(least <= b);
        assert(least == a || least == b);
        assert(least == Units.minRao(b, a));
        assert(Units.minRao(a, a) == a);
    }

    function check_minTimeMaxTime_Laws(Timestamp a, Timestamp b) external pure {
        (Timestamp least, Timestamp most) = (Units.minTime(a, b), Units.maxTime(a, b));
        assert(least <= a);
        assert(least <= b);
        assert(a <= most);
        assert(b <= most);
        assert((least == a && most == b) || (least == b && most == a));
        assert(least == Units.minTime(b, a));
        assert(most == Units.maxTime(b, a));
    }

    /* MONEY */

    function check_addRao_IsExactOrReverts(Rao a, Rao b) external {
        uint256 sum = uint256(Rao.unwrap(a)) + Rao.unwrap(b);
        bool ok = _succeeds(abi.encodeCall(this.add, (a, b)));
        assert(ok == (sum <= type(uint64).max));
        if (ok) assert(Rao.unwrap(a + b) == sum && (a + b) - b == a);
    }

    function check_addRao_NeverOverflowsInsideTheSupply(Rao a, Rao b) external pure {
        vm.assume(Rao.unwrap(a) <= ALL_RAO);
        vm.assume(Rao.unwrap(b) <= ALL_RAO);
        assert(a <= a + b);
        assert(b <= a + b);
    }

    function check_subRao_IsExactOrReverts(Rao a, Rao b) external {
        bool ok = _succeeds(abi.encodeCall(this.sub, (a, b)));
        assert(ok == (b <= a));
        if (ok) assert((a - b) + b == a && a - b <= a);
    }

    function check_toRao_IsExactOrReverts(uint256 value) external {
        bool ok = _succeeds(abi.encodeCall(this.toRao, (value)));
        assert(ok == (value <= type(uint64).max));
        if (ok) assert(Rao.unwrap(Units.toRao(value)) == value);
    }

    function check_toSecs_IsExactOrReverts(uint256 value) external {
        bool ok = _succeeds(abi.encodeCall(this.toSecs, (value)));
        assert(ok == (value <= type(uint32).max));
        if (ok) assert(Units.toSecs(value) == value);
    }

    /// @dev Exact in full width, or a revert: no price and no time wraps around.
    function check_costOf_IsExactOrReverts(RaoPerSecond price, uint32 secs) external {
        uint256 cost = uint256(RaoPerSecond.unwrap(price)) * secs;
        bool ok = _succeeds(abi.encodeCall(this.costOf, (price, secs)));
        assert(ok == (cost <= type(uint64).max));
        if (ok) assert(Rao.unwrap(Units.costOf(price, secs)) == cost);
    }

    /// @dev A lemma: assumed again below, it tells the solver something it knows.
    function check_lemma_ProductsDistribute(uint40 price, uint32 a, uint32 b) external pure {
        assert(_times(price, uint256(a) + b) == _times(price, a) + _times(price, b));
    }

    /// @dev Paid in parts or at once: the same money, to the last rao.
    function open_costOf_SumsOverTime(uint40 price, uint32 a, uint32 b) external pure {
        uint256 cost = _times(price, uint256(a) + b);
        vm.assume(cost <= type(uint64).max);
        vm.assume(cost == _times(price, a) + _times(price, b)); // the lemma
        RaoPerSecond p = RaoPerSecond.wrap(price);
        uint256 parts = uint256(Rao.unwrap(Units.costOf(p, a))) + Rao.unwrap(Units.costOf(p, b));
        assert(parts == Rao.unwrap(Units.costOf(p, uint256(a) + b)));
    }

    function check_costOf_GrowsWithTime(RaoPerSecond price, uint32 a, uint32 b) external pure {
        vm.assume(a <= b);
        vm.assume(uint256(RaoPerSecond.unwrap(price)) * b <= type(uint64).max);
        assert(Units.costOf(price, a) <= Units.costOf(price, b));
    }

    /* SHARES */

    /// @dev A lemma. Where a proof assumes it again, that tells the solver something it knows: products of two unknowns
    /// are what it is slowest at.
    function check_lemma_AShareIsAtMostTheWhole(uint64 amount, uint16 bps) external pure {
        vm.assume(bps <= ALL_BPS);
        assert(_times(amount, bps) <= _times(amount, ALL_BPS));
        assert(_times(amount, ALL_BPS) <= uint256(type(uint64).max) * ALL_BPS);
    }

    /// @dev A lemma, likewise.
    function check_lemma_SharesGrowWithTheAmount(uint64 a, uint64 b, uint16 bps) external pure {
        vm.assume(a <= b);
        assert(_times(a, bps) <= _times(b, bps));
    }

    function _times(uint256 a, uint256 b) private pure returns (uint256) {
        unchecked {
            return a * b;
        }
    }

    function _assumeShare(Rao amount, uint16 bps) private pure {
        vm.assume(bps <= ALL_BPS);
        vm.assume(_times(Rao.unwrap(amount), bps) <= _times(Rao.unwrap(amount), ALL_BPS)); // the first lemma
        vm.assume(_times(Rao.unwrap(amount), bps) <= uint256(type(uint64).max) * ALL_BPS);
    }

    function check_bpsOfDown_IsAtMostTheShareAndLessThanARaoBelow(Rao amount, uint16 bps) external pure {
        vm.assume(bps <= ALL_BPS);
        uint256 down = Rao.unwrap(Units.bpsOfDown(amount, bps));
        uint256 exact = uint256(Rao.unwrap(amount)) * bps; // in ten-thousandths
        assert(down * ALL_BPS <= exact);
        assert(exact < (down + 1) * ALL_BPS);
    }

    function open_bpsOfUp_IsAtLeastTheShareAndLessThanARaoAbove(Rao amount, uint16 bps) external pure {
        _assumeShare(amount, bps);
        uint256 up = Rao.unwrap(Units.bpsOfUp(amount, bps));
        uint256 exact = _times(Rao.unwrap(amount), bps);
        assert(exact <= up * ALL_BPS);
        assert(up * ALL_BPS < exact + ALL_BPS);
    }

    /// @dev A share never reverts: the product of any amount and any bps fits.
    function check_bpsOfDown_NeverReverts(Rao amount, uint16 bps) external {
        _assumeShare(amount, bps);
        assert(_succeeds(abi.encodeCall(this.bpsOfDown, (amount, bps))));
    }

    function check_bpsOfUp_NeverReverts(Rao amount, uint16 bps) external {
        _assumeShare(amount, bps);
        assert(_succeeds(abi.encodeCall(this.bpsOfUp, (amount, bps))));
    }

    function check_bpsOfDown_IsNeverMoreThanTheWhole(Rao amount, uint16 bps) external pure {
        _assumeShare(amount, bps);
        assert(Units.bpsOfDown(amount, bps) <= amount);
    }

    function open_bpsOfUp_IsNeverMoreThanTheWhole(Rao amount, uint16 bps) external pure {
        _assumeShare(amount, bps);
        assert(Units.bpsOfUp(amount, bps) <= amount);
    }

    function check_bpsOfDown_GrowsWithTheAmount(Rao a, Rao b, uint16 bps) external pure {
        vm.assume(a <= b);
        _assumeShare(a, bps);
        _assumeShare(b, bps);
        vm.assume(_times(Rao.unwrap(a), bps) <= _times(Rao.unwrap(b), bps)); // the second lemma
        assert(Units.bpsOfDown(a, bps) <= Units.bpsOfDown(b, bps));
    }

    function open_bpsOfUp_GrowsWithTheAmount(Rao a, Rao b, uint16 bps) external pure {
        vm.assume(a <= b);
        _assumeShare(a, bps);
        _assumeShare(b, bps);
        vm.assume(_times(Rao.unwrap(a), bps) <= _times(Rao.unwrap(b), bps));
        assert(Units.bpsOfUp(a, bps) <= Units.bpsOfUp(b, bps));
    }

    /// @dev Rounded up is rounded down, or one rao more.
    function open_bpsOfUp_IsAtMostARaoAboveDown(Rao amount, uint16 bps) external pure {
        _assumeShare(amount, bps);
        uint256 up = Rao.unwrap(Units.bpsOfUp(amount, bps));
        uint256 down = Rao.unwrap(Units.bpsOfDown(amount, bps));
        assert(down <= up);
        assert(up <= down + 1);
    }

    /// @dev What is open for any share (see README.md) is proved for the shares that matter: the smallest, the default
    /// of the bond, a half, all but the smallest, and the whole.
    function _proveUp(Rao amount, uint256 bps) private pure {
        uint256 up = Rao.unwrap(Units.bpsOfUp(amount, bps));
        unchecked {
            uint256 exact = uint256(Rao.unwrap(amount)) * bps;
            assert(exact <= up * ALL_BPS);
            assert(up * ALL_BPS < exact + ALL_BPS);
        }
        assert(up <= Rao.unwrap(amount));
    }

    function check_bpsOfUp_OfTheSmallestShare(Rao amount) external pure {
        _proveUp(amount, 1);
    }

    function check_bpsOfUp_OfTheDefaultBond(Rao amount) external pure {
        _proveUp(amount, DEFAULT_BOND_BPS);
    }

    function check_bpsOfUp_OfAHalf(Rao amount) external pure {
        _proveUp(amount, 5_000);
    }

    function check_bpsOfUp_OfAllButTheSmallest(Rao amount) external pure {
        _proveUp(amount, ALL_BPS - 1);
    }

    function check_bpsOfUp_OfTheWhole(Rao amount) external pure {
        _proveUp(amount, ALL_BPS);
    }

    /* TIME */

    function check_plusSecs_IsExactOrReverts(Timestamp t, uint32 secs) external {
        uint256 sum = uint256(Timestamp.unwrap(t)) + secs;
        bool ok = _succeeds(abi.encodeCall(this.plusSecs, (t, secs)));
        assert(ok == (sum <= type(uint32).max));
        if (ok) assert(Timestamp.unwrap(Units.plusSecs(t, secs)) == sum);
    }

    function check_secsBetween_IsWhatPlusSecsAdds(Timestamp a, Timestamp b) external pure {
        uint32 secs = Units.secsBetween(a, b);
        if (a <= b) assert(Units.plusSecs(a, secs) == b);
        else assert(secs == 0);
    }

    function check_secsBetween_SumsOverTime(Timestamp a, Timestamp b, Timestamp c) external pure {
        vm.assume(a <= b);
        vm.assume(b <= c);
        assert(Units.secsBetween(a, b) + Units.secsBetween(b, c) == Units.secsBetween(a, c));
    }
}
