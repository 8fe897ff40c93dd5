// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IGate } from "../../src/interfaces/IGate.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";

/// @dev What suites about renters' money share: short names, a rent call that can be spoilt field by field, and the
/// conservation check.
abstract contract EscrowBase is Base {
    bytes32 internal constant OTHER_MACHINE = keccak256("other machine");
    uint32 internal constant LAG = 1 hours;
    bytes internal constant OVERFLOW = abi.encodeWithSignature("Panic(uint256)", 0x11);

    /// @dev Everything `rent` takes.
    struct RentCall {
        address renter;
        uint256 valueWei;
        bytes32 machine;
        uint32 secs;
        bytes32 renterKey;
        bytes32 offerHash;
        IRentalEscrow.SignedCertificate[] certificates;
    }

    /* SHORT NAMES */

    function _at(uint32 time) internal pure returns (Timestamp) {
        return Timestamp.wrap(time);
    }

    function _cost(uint32 secs) internal pure returns (uint64) {
        return uint64(PRICE) * secs;
    }

    function _creditOf(address account) internal view returns (uint64) {
        return _rao(escrow.creditOf(account));
    }

    function _min(uint32 a, uint32 b) internal pure returns (uint32) {
        return a < b ? a : b;
    }

    function _max(uint32 a, uint32 b) internal pure returns (uint32) {
        return a < b ? b : a;
    }

    /// @dev Predicts: nothing in `expected` is success.
    function _expect(bytes memory expected) internal returns (bool success) {
        if (expected.length == 0) return true;
        vm.expectRevert(expected);
        return false;
    }

    /* ERRORS */

    function _paused(uint32 until) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IGate.Gate_Paused.selector, until);
    }

    function _sunsetError() internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IGate.Gate_Sunset.selector);
    }

    function _noRental(uint64 rental) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoRental.selector, rental);
    }

    function _over(uint64 rental, uint32 end) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_Over.selector, rental, end);
    }

    /* STEPS */

    /// @dev A call of `rent` that succeeds: a day, paid exactly, with three certificates of this second.
    function _goodRent(bytes32 machine) internal view returns (RentCall memory c) {
        (, bytes32 offerHash,) = escrow.offerOf(machine);
        c = RentCall(RENTER, uint256(_cost(DAY)) * WEI, machine, DAY, RENTER_KEY, offerHash, _certify(machine, 3));
    }

    function _send(RentCall memory c) internal returns (uint64) {
        vm.prank(c.renter);
        return escrow.rent{ value: c.valueWei }(c.machine, c.secs, c.renterKey, c.offerHash, c.certificates);
    }

    /// @dev The same, paid by `sponsor`, for whoever the renter is.
    function _sponsor(address sponsor, RentCall memory c) internal returns (uint64) {
        vm.prank(sponsor);
        return
            escrow.rentFor{ value: c.valueWei }(c.renter, c.machine, c.secs, c.renterKey, c.offerHash, c.certificates);
    }

    /// @dev It reverts with `expected`, and no rental came of it.
    function _refuse(RentCall memory c, bytes memory expected) internal {
        uint64 count = escrow.rentalCount();
        uint64 owed = _rao(escrow.liabilities());
        vm.expectRevert(expected);
        _send(c);
        assertEq(escrow.rentalCount(), count, "no rental");
        assertEq(_rao(escrow.liabilities()), owed, "no money");
    }

    function _withhold(uint64 rental, uint8 gap, uint32 from, uint32 until, bool ends) internal returns (Rao earned) {
        vm.prank(address(arbiter));
        return escrow.withhold(rental, 1, gap, _at(from), _at(until), ends);
    }

    function _decide(uint64 rental, uint32 secs, bool toRenter) internal {
        vm.prank(address(arbiter));
        escrow.decide(rental, secs, toRenter);
    }

    function _extend(uint64 rental, uint32 secs) internal {
        vm.prank(RENTER);
        escrow.extend{ value: uint256(_cost(secs)) * WEI }(rental, secs);
    }

    function _end(uint64 rental) internal {
        vm.prank(RENTER);
        escrow.end(rental);
    }

    function _abandon(uint64 rental) internal {
        vm.prank(MINER);
        escrow.abandon(rental);
    }

    function _pause(uint32 secs) internal returns (uint32 until) {
        vm.prank(GUARDIAN);
        vault.pause(secs);
        until = _now() + secs;
    }

    function _sunset() internal {
        vm.prank(OWNER);
        vault.sunset();
    }

    /// @dev One in eight is paused, one in eight is at its sunset, one in eight was paused until this second.
    function _drawGate(uint8 dice) internal returns (bytes memory shut) {
        if (dice % 8 == 0) shut = _paused(_pause(1));
        if (dice % 8 == 1) _sunset();
        if (dice % 8 == 1) shut = _sunsetError();
        if (dice % 8 == 2) _pause(1);
        if (dice % 8 == 2) skip(1);
    }

    function _priced(uint40 price) internal {
        IRentalEscrow.Offer memory terms = _terms();
        terms.price = RaoPerSecond.wrap(price);
        vm.prank(MINER);
        escrow.offer(MACHINE, terms);
    }

    /* SIGNATURES */

    function _digest(address consumer, bytes32 structHash) internal view returns (bytes32) {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Surety"),
                keccak256("1"),
                block.chainid,
                consumer
            )
        );
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    function _certificateHash(bytes32 machine, uint32 registration, IRentalEscrow.SignedCertificate memory c)
        internal
        pure
        returns (bytes32)
    {
        bytes32 typehash = keccak256(
            "Certificate(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,"
            "uint32 measuredAt,bytes32 evidence)"
        );
        return keccak256(abi.encode(typehash, machine, registration, c.gpuClass, c.gpuCount, c.measuredAt, c.evidence));
    }

    /* INVARIANT 2 */

    /// @dev With one rental, and nothing withdrawn: what was paid in is in somebody's credit or still in the stream.
    function _assertConserved(uint64 rental) internal view {
        IRentalEscrow.Rental memory r = _rentalAt(rental);
        uint256 price = RaoPerSecond.unwrap(r.price);
        uint32 bought = Timestamp.unwrap(r.end) - Timestamp.unwrap(r.start);
        uint32 unclaimed = bought - r.claimedSecs - r.faultedSecs; // underflow: claimed or withheld too much
        uint256 credits = uint256(_creditOf(MINER)) + _creditOf(RENTER) + _creditOf(TREASURY);
        uint256 paidIn = price * r.boughtSecs;
        assertEq(credits + price * (unclaimed + r.openSecs), paidIn, "invariant 2: in == out");
        assertEq(_rao(escrow.liabilities()), paidIn, "liabilities");
        assertEq(address(escrow).balance, paidIn * WEI + SEED_WEI, "invariant 1: balance");
    }
}
