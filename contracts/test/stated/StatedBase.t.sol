// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IStatedBonds } from "../../src/interfaces/IStatedBonds.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";

/// @dev What the suites about bonds elsewhere share: keepers' statements, and what they may say.
abstract contract StatedBase is Base {
    bytes32 internal constant FAR_VAULT = keccak256("alpha vault");
    bytes32 internal constant COLDKEY = keccak256("coldkey");
    uint64 internal constant ALPHA = 40e9;
    uint64 internal constant VALUE = 10e9;
    uint32 internal constant STATEMENT_LIFE = 1 days;
    uint32 internal constant FILING = 3 days;
    uint32 internal constant LAG = 1 hours;

    /// @dev What a test says was reserved, where that is gone.
    uint64 internal _tao;

    bytes32 private constant TYPEHASH = keccak256(
        "BondStatement(bytes32 vault,bytes32 owner,bytes32 machine,uint32 registration,uint64 rental,bool over,uint64 alpha,uint64 value,uint32 statedAt,uint32 until)"
    );

    /* WHAT IS SAID */

    /// @dev MACHINE, registered as number 1, for its next rental after `rental`.
    function _claim(uint64 rental, bool over) internal pure returns (IStatedBonds.BondClaim memory) {
        return IStatedBonds.BondClaim(FAR_VAULT, COLDKEY, MACHINE, 1, rental, over);
    }

    /// @dev ALPHA worth VALUE, as of now, which stays for 14 days.
    function _word() internal view returns (IStatedBonds.SignedStatement memory s) {
        (s.alpha, s.value) = (ALPHA, Rao.wrap(VALUE));
        (s.statedAt, s.until) = (Timestamp.wrap(_now()), Timestamp.wrap(_now() + 14 days));
    }

    /// @dev The same word by the first `signers` keepers.
    function _said(IStatedBonds.BondClaim memory claim, IStatedBonds.SignedStatement memory word, uint256 signers)
        internal
        view
        returns (IStatedBonds.SignedStatement[] memory all)
    {
        all = new IStatedBonds.SignedStatement[](signers);
        for (uint256 i = 0; i < signers; ++i) {
            all[i] = _signed(keeperKeys[i], claim, word);
        }
    }

    function _signed(uint256 key, IStatedBonds.BondClaim memory claim, IStatedBonds.SignedStatement memory word)
        internal
        view
        returns (IStatedBonds.SignedStatement memory s)
    {
        (s.alpha, s.value, s.statedAt, s.until) = (word.alpha, word.value, word.statedAt, word.until);
        bytes32 hash = keccak256(abi.encode(TYPEHASH, claim, s.alpha, s.value, s.statedAt, s.until));
        (s.r, s.vs) = _sign(key, address(vault), hash);
    }

    /* STEPS */

    function _state(IStatedBonds.BondClaim memory claim, IStatedBonds.SignedStatement memory word)
        internal
        returns (uint64)
    {
        IStatedBonds.SignedStatement[] memory all = _said(claim, word, 3);
        vm.prank(STRANGER);
        return vault.state(claim, all);
    }

    /// @dev Registered and offered with `bondRao` of TAO, and ALPHA stated for its first rental.
    function _statedReady(uint64 bondRao) internal {
        _register(MACHINE);
        if (bondRao != 0) _deposit(MACHINE, bondRao);
        _offer(MACHINE);
        _state(_claim(0, true), _word());
    }

    function _extend(uint64 rental, uint32 secs) internal {
        vm.prank(RENTER);
        escrow.extend{ value: uint256(PRICE) * secs * WEI }(rental, secs);
    }

    /// @dev Ends, and is ready for the next tenant; not closed.
    function _endIt(uint64 rental) internal {
        vm.prank(RENTER);
        escrow.end(rental);
        skip(_secsLeft(rental) + 60);
    }

    function _secsLeft(uint64 rental) internal view returns (uint32) {
        uint32 end = Timestamp.unwrap(_rentalAt(rental).end);
        return end > _now() ? end - _now() : 0;
    }

    /* READING */

    /// @dev What TAO bore before a case or the close took it away: then the test says.
    function _reservedBefore(uint64 rental) internal view returns (uint64) {
        return _rentalAt(rental).closed || _rao(vault.nodeAt(1).held) != 0 ? _tao : _reserved(rental);
    }

    function _assertCover(uint64 rental, uint64 statement, uint64 alpha, uint64 value) internal view {
        IStatedBonds.Cover memory cover = vault.coverOf(rental);
        assertEq(cover.statement, statement, "statement");
        assertEq(cover.alpha, alpha, "alpha");
        assertEq(_rao(cover.value), value, "value");
        assertEq(_rao(cover.tao), statement == 0 ? 0 : _reservedBefore(rental), "tao");
    }
}
