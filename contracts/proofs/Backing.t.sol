// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Backing, openBacking } from "../src/types/Backing.sol";
import { Rao } from "../src/types/Units.sol";
import { Proof } from "./Proof.sol";

/// @dev Any word of 128 bits is a backing; three fields, and no bit besides them.
contract BackingProofs is Proof {
    uint64 private constant LARGEST = type(uint64).max >> 1;

    function open(uint64 rental) external pure returns (Backing) {
        return openBacking(rental);
    }

    function _assertIs(Backing b, uint64 rental, bool isOpen, uint64 reserved) private pure {
        assert(b.rentalOf() == rental);
        assert(b.isOpen() == isOpen);
        assert(Rao.unwrap(b.reservedOf()) == reserved);
    }

    function check_open_IsTheRentalOpenWithNothingReserved(uint64 rental) external pure {
        vm.assume(rental <= LARGEST);
        _assertIs(openBacking(rental), rental, true, 0);
    }

    function check_open_RevertsExactlyWhereTheRentalDoesNotFit(uint64 rental) external {
        assert(_succeeds(abi.encodeCall(this.open, (rental))) == (rental <= LARGEST));
    }

    /// @dev The fields are the word: nothing is kept that none of them tells.
    function check_fields_AreTheWholeWord(uint128 word) external pure {
        Backing b = Backing.wrap(word);
        uint128 openBit = b.isOpen() ? 1 : 0;
        assert((uint128(b.rentalOf()) << 65) | (openBit << 64) | Rao.unwrap(b.reservedOf()) == word);
    }

    function check_withReserved_ChangesNothingElse(uint128 word, uint64 reserved) external pure {
        Backing b = Backing.wrap(word);
        _assertIs(b.withReserved(Rao.wrap(reserved)), b.rentalOf(), b.isOpen(), reserved);
    }

    function check_withReserved_TheLastOneCounts(uint128 word, uint64 before, uint64 reserved) external pure {
        Backing b = Backing.wrap(word);
        Backing twice = b.withReserved(Rao.wrap(before)).withReserved(Rao.wrap(reserved));
        assert(Backing.unwrap(twice) == Backing.unwrap(b.withReserved(Rao.wrap(reserved))));
    }

    function check_released_KeepsTheNumberOfTheRental(uint128 word) external pure {
        Backing b = Backing.wrap(word);
        _assertIs(b.released(), b.rentalOf(), false, 0);
    }

    /// @dev Two rentals that differ never share a backing, and a closed one is nobody's.
    function check_isBehind_OneRentalAndOnlyWhileOpen(uint128 word, uint64 rental, uint64 other) external pure {
        Backing b = Backing.wrap(word);
        assert(b.isBehind(rental) == (b.isOpen() && b.rentalOf() == rental));
        if (rental != other) assert(!(b.isBehind(rental) && b.isBehind(other)));
        assert(!b.released().isBehind(rental));
    }
}
