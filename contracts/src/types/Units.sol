// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @dev An amount of money. 1 rao = 1e-9 TAO = 1e9 wei; all TAO there will ever be is 2.1e16 rao, far below 2^64.
type Rao is uint64;

/// @dev A price for a whole machine. Up to 2^40 rao (about 1,099 TAO) a second.
type RaoPerSecond is uint40;

/// @dev Unix seconds; good until February 2106. Fits three times where a wider type would cost a rental a fifth slot.
type Timestamp is uint32;

using { addRao as +, subRao as -, ltRao as <, lteRao as <=, eqRao as == } for Rao global;
using { ltTime as <, lteTime as <=, eqTime as == } for Timestamp global;

Rao constant ZERO_RAO = Rao.wrap(0);
uint256 constant WEI_PER_RAO = 1e9;
uint256 constant BPS = 10_000;

/// @dev Thrown where a sum of money or seconds does not fit its type.
error Units_Overflow(uint256 value, uint256 max);

function addRao(Rao a, Rao b) pure returns (Rao) {
    return Rao.wrap(Rao.unwrap(a) + Rao.unwrap(b));
}

function subRao(Rao a, Rao b) pure returns (Rao) {
    return Rao.wrap(Rao.unwrap(a) - Rao.unwrap(b));
}

function ltRao(Rao a, Rao b) pure returns (bool) {
    return Rao.unwrap(a) < Rao.unwrap(b);
}

function lteRao(Rao a, Rao b) pure returns (bool) {
    return Rao.unwrap(a) <= Rao.unwrap(b);
}

function eqRao(Rao a, Rao b) pure returns (bool) {
    return Rao.unwrap(a) == Rao.unwrap(b);
}

function ltTime(Timestamp a, Timestamp b) pure returns (bool) {
    return Timestamp.unwrap(a) < Timestamp.unwrap(b);
}

function lteTime(Timestamp a, Timestamp b) pure returns (bool) {
    return Timestamp.unwrap(a) <= Timestamp.unwrap(b);
}

function eqTime(Timestamp a, Timestamp b) pure returns (bool) {
    return Timestamp.unwrap(a) == Timestamp.unwrap(b);
}

/// @dev Checked narrowing to rao.
function toRao(uint256 value) pure returns (Rao) {
    require(value <= type(uint64).max, Units_Overflow(value, type(uint64).max));
    // forge-lint: disable-next-line(unsafe-typecast) checked above
    return Rao.wrap(uint64(value));
}

/// @dev Checked narrowing to seconds.
function toSecs(uint256 value) pure returns (uint32) {
    require(value <= type(uint32).max, Units_Overflow(value, type(uint32).max));
    // forge-lint: disable-next-line(unsafe-typecast) checked above
    return uint32(value);
}

function minRao(Rao a, Rao b) pure returns (Rao) {
    return a < b ? a : b;
}

function maxRao(Rao a, Rao b) pure returns (Rao) {
    return a < b ? b : a;
}

function minTime(Timestamp a, Timestamp b) pure returns (Timestamp) {
    return a < b ? a : b;
}

function maxTime(Timestamp a, Timestamp b) pure returns (Timestamp) {
    return a < b ? b : a;
}

/// @dev `secs` after `t`, checked.
function plusSecs(Timestamp t, uint32 secs) pure returns (Timestamp) {
    return Timestamp.wrap(Timestamp.unwrap(t) + secs);
}

/// @dev Seconds from `a` to `b`; 0 when `b` is not after `a`.
function secsBetween(Timestamp a, Timestamp b) pure returns (uint32) {
    return a < b ? Timestamp.unwrap(b) - Timestamp.unwrap(a) : 0;
}

/// @dev What `secs` cost at `price`: exact, never rounded.
function costOf(RaoPerSecond price, uint256 secs) pure returns (Rao) {
    return toRao(uint256(RaoPerSecond.unwrap(price)) * secs);
}

/// @dev `bps` ten-thousandths of `amount`, rounded down (what somebody is charged: never a rao more than the rule).
function bpsOfDown(Rao amount, uint256 bps) pure returns (Rao) {
    return toRao(uint256(Rao.unwrap(amount)) * bps / BPS);
}

/// @dev `bps` ten-thousandths of `amount`, rounded up (what somebody must show: never a rao less).
function bpsOfUp(Rao amount, uint256 bps) pure returns (Rao) {
    return toRao((uint256(Rao.unwrap(amount)) * bps + BPS - 1) / BPS);
}

/// @dev The block's time.
function timeNow() view returns (Timestamp) {
    return Timestamp.wrap(toSecs(block.timestamp));
}
