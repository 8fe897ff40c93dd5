// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Rao, ZERO_RAO } from "./Units.sol";

/// @dev The bond behind one rental: rental (63 bits), open (1 bit), reserved (64 bits). Two of them share a slot, so a
/// node's rentals turn bond over without ever writing a slot that was empty. A closed backing keeps its rental's number
/// (and so the slot its content) until another rental takes the place.
type Backing is uint128;

using { rentalOf, isOpen, reservedOf, isBehind, withReserved, released } for Backing global;

uint128 constant OPEN_BIT = uint128(1) << 64;

/// @dev Thrown where a rental's number does not fit; at one rental a second that is in 292 thousand million years.
error Backing_RentalTooLarge(uint64 rental);

/// @dev For a rental that begins, with nothing reserved yet.
function openBacking(uint64 rental) pure returns (Backing) {
    require(rental <= type(uint64).max >> 1, Backing_RentalTooLarge(rental));
    return Backing.wrap((uint128(rental) << 65) | OPEN_BIT);
}

function rentalOf(Backing b) pure returns (uint64) {
    // forge-lint: disable-next-line(unsafe-typecast) 63 bits are left
    return uint64(Backing.unwrap(b) >> 65);
}

function isOpen(Backing b) pure returns (bool) {
    return Backing.unwrap(b) & OPEN_BIT != 0;
}

function reservedOf(Backing b) pure returns (Rao) {
    // forge-lint: disable-next-line(unsafe-typecast) the lower 64 bits
    return Rao.wrap(uint64(Backing.unwrap(b)));
}

/// @dev Whether it is `rental`'s, and that is not closed.
function isBehind(Backing b, uint64 rental) pure returns (bool) {
    return b.isOpen() && b.rentalOf() == rental;
}

function withReserved(Backing b, Rao reserved) pure returns (Backing) {
    return Backing.wrap((Backing.unwrap(b) >> 64 << 64) | Rao.unwrap(reserved));
}

/// @dev Closed, with nothing reserved.
function released(Backing b) pure returns (Backing) {
    return Backing.wrap(Backing.unwrap(b.withReserved(ZERO_RAO)) & ~OPEN_BIT);
}
