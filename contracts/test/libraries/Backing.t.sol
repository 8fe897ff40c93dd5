// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";
import { Backing, Backing_RentalTooLarge, OPEN_BIT, openBacking } from "../../src/types/Backing.sol";
import { Rao } from "../../src/types/Units.sol";

contract BackingTest is Test {
    uint64 private constant LARGEST = type(uint64).max >> 1;

    /// @dev External, so that reverts can be seen.
    function open(uint64 rental) external pure returns (Backing) {
        return openBacking(rental);
    }

    function _assertIs(Backing b, uint64 rental, bool isOpen, uint64 reserved) private pure {
        assertEq(b.rentalOf(), rental, "rental");
        assertEq(b.isOpen(), isOpen, "open");
        assertEq(Rao.unwrap(b.reservedOf()), reserved, "reserved");
    }

    function test_NothingBacksNothing() external pure {
        Backing nothing = Backing.wrap(0);
        _assertIs(nothing, 0, false, 0);
        assertFalse(nothing.isBehind(0), "not even rental 0");
    }

    function test_TheLayoutIsRentalOpenReserved() external pure {
        Backing b = openBacking(5).withReserved(Rao.wrap(3));
        assertEq(Backing.unwrap(b), (uint128(5) << 65) | (uint128(1) << 64) | 3);
        assertEq(OPEN_BIT, uint128(1) << 64);
    }

    function test_TheLargestValuesFitBesideEachOther() external pure {
        Backing b = openBacking(LARGEST).withReserved(Rao.wrap(type(uint64).max));
        assertEq(Backing.unwrap(b), type(uint128).max);
        _assertIs(b, LARGEST, true, type(uint64).max);
        _assertIs(b.released(), LARGEST, false, 0);
    }

    function test_RevertWhen_TheRentalDoesNotFit() external {
        _assertIs(this.open(LARGEST), LARGEST, true, 0);
        vm.expectRevert(abi.encodeWithSelector(Backing_RentalTooLarge.selector, LARGEST + 1));
        this.open(LARGEST + 1);
    }

    function testFuzz_OpensOrSaysWhyNot(uint64 rental) external {
        if (rental > LARGEST) vm.expectRevert(abi.encodeWithSelector(Backing_RentalTooLarge.selector, rental));
        Backing b = this.open(rental);
        if (rental <= LARGEST) _assertIs(b, rental, true, 0);
    }

    /// @dev Each setter changes its own field of any word whatever.
    function testFuzz_SettersTouchNothingElse(uint128 word, uint64 reserved) external pure {
        Backing b = Backing.wrap(word);
        _assertIs(b.withReserved(Rao.wrap(reserved)), b.rentalOf(), b.isOpen(), reserved);
        _assertIs(b.released(), b.rentalOf(), false, 0);
    }

    function testFuzz_ReadsWhatWasWritten(uint64 rental, uint64 first, uint64 second) external pure {
        rental = uint64(bound(rental, 0, LARGEST));
        Backing b = openBacking(rental).withReserved(Rao.wrap(first));
        _assertIs(b, rental, true, first);
        _assertIs(b.withReserved(Rao.wrap(second)), rental, true, second);
    }

    function testFuzz_IsBehindItsOwnRentalWhileOpen(uint64 rental, uint64 other, uint64 reserved) external pure {
        rental = uint64(bound(rental, 0, LARGEST));
        Backing b = openBacking(rental).withReserved(Rao.wrap(reserved));
        assertTrue(b.isBehind(rental));
        assertEq(b.isBehind(other), other == rental);
        assertFalse(b.released().isBehind(rental));
    }
}
