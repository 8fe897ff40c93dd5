// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { BondLib } from "../../src/libraries/BondLib.sol";
import { Rao } from "../../src/types/Units.sol";

/// @dev How a case ends, on bare state: what is burned or given back of a rental's own part and of what was set aside
/// from elsewhere, before and after the rental is closed.
contract BondLibCasesTest is Test {
    using BondLib for BondLib.Node;

    BondLib.Node private _node;
    ICollateralVault.Reserve private _r;

    /// @dev A rental with 11 behind it and 13 set aside; `otherHeld` was set aside from elsewhere. 5 are free.
    function _given(uint64 otherHeld) private {
        _node.free = Rao.wrap(5);
        _node.reserved = Rao.wrap(11);
        _node.held = Rao.wrap(13 + otherHeld);
        _r.reserved = Rao.wrap(11);
        _r.held = Rao.wrap(13);
    }

    function _assertNode(uint64 free, uint64 reserved, uint64 held) private view {
        assertEq(Rao.unwrap(_node.free), free, "free");
        assertEq(Rao.unwrap(_node.reserved), reserved, "reserved");
        assertEq(Rao.unwrap(_node.held), held, "held");
    }

    function _assertReserve(uint64 reserved, uint64 held, uint64 forfeited) private view {
        assertEq(Rao.unwrap(_r.reserved), reserved, "r.reserved");
        assertEq(Rao.unwrap(_r.held), held, "r.held");
        assertEq(Rao.unwrap(_r.forfeited), forfeited, "r.forfeited");
    }

    /* FORFEIT */

    function test_forfeit_OfAPartLeavesTheRestHeld() external {
        _given(2);
        _node.forfeit(_r, Rao.wrap(6));
        _assertNode(5, 11, 9);
        _assertReserve(11, 7, 6);
    }

    function test_forfeit_BeyondTheRentalsPartTakesWhatCameFromElsewhere() external {
        _given(2);
        _node.forfeit(_r, Rao.wrap(14));
        _assertNode(5, 11, 1);
        _assertReserve(11, 0, 13);
    }

    function testFuzz_forfeit_CountsAsForfeitedOnlyTheRentalsPart(uint64 otherHeld, uint64 amount) external {
        otherHeld = uint64(bound(otherHeld, 0, 20));
        amount = uint64(bound(amount, 0, 13 + otherHeld));
        uint64 ofRental = amount < 13 ? amount : 13;
        _given(otherHeld);
        _node.forfeit(_r, Rao.wrap(amount));
        _assertNode(5, 11, 13 + otherHeld - amount);
        _assertReserve(11, 13 - ofRental, ofRental);
    }

    /* GIVE BACK */

    function test_giveBack_WhileTheRentalIsOpenGoesBehindItAgain() external {
        _given(2);
        _node.giveBack(_r, Rao.wrap(14));
        _assertNode(6, 24, 1);
        _assertReserve(24, 0, 0);
    }

    function test_giveBack_OnceTheRentalIsClosedAllOfItIsFree() external {
        _given(2);
        _node.release(_r);
        _node.giveBack(_r, Rao.wrap(14));
        _assertNode(5 + 11 + 14, 0, 1);
        _assertReserve(0, 0, 0);
    }

    function testFuzz_giveBack_SplitsByWhatIsStillOpen(uint64 otherHeld, uint64 amount, bool closed) external {
        otherHeld = uint64(bound(otherHeld, 0, 20));
        amount = uint64(bound(amount, 0, 13 + otherHeld));
        uint64 ofRental = amount < 13 ? amount : 13;
        uint64 behind = closed ? 0 : ofRental;
        _given(otherHeld);
        uint64 freed = closed ? Rao.unwrap(_node.release(_r)) : 0;
        _node.giveBack(_r, Rao.wrap(amount));
        _assertNode(5 + freed + amount - behind, 11 - freed + behind, 13 + otherHeld - amount);
        _assertReserve(11 - freed + behind, 13 - ofRental, 0);
    }
}
