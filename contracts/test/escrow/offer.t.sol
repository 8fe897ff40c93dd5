// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { RaoPerSecond } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

contract OfferTest is EscrowBase {
    function _bad(string memory what) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_BadOffer.selector, what);
    }

    function _refuseTerms(IRentalEscrow.Offer memory terms, string memory what) private {
        vm.expectRevert(_bad(what));
        vm.prank(MINER);
        escrow.offer(MACHINE, terms);
    }

    function test_WhenItsMinerOffersIt() external {
        uint32 registration = _register(MACHINE);
        IRentalEscrow.Offer memory terms = _terms();
        bytes32 expected = keccak256(abi.encode(registration, terms));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Offered(MACHINE, registration, terms, expected);
        vm.prank(MINER);
        assertEq(escrow.offer(MACHINE, terms), expected, "the hash names the registration and every term");
        (IRentalEscrow.Offer memory live, bytes32 liveHash, uint64 lastRental) = escrow.offerOf(MACHINE);
        assertEq(keccak256(abi.encode(live)), keccak256(abi.encode(terms)));
        assertEq(liveHash, expected);
        assertEq(lastRental, 0);
    }

    function test_GivenItIsOfferedAlready() external {
        uint64 rental = _rented();
        _priced(PRICE + 1);
        (IRentalEscrow.Offer memory live,, uint64 lastRental) = escrow.offerOf(MACHINE);
        assertEq(RaoPerSecond.unwrap(live.price), PRICE + 1);
        assertEq(lastRental, rental);
        assertEq(RaoPerSecond.unwrap(_rentalAt(rental).price), PRICE, "a running rental keeps its price");
    }

    function test_WhenAnyTermDiffers() external {
        _register(MACHINE);
        bytes32[8] memory seen;
        for (uint256 i = 0; i < 8; ++i) {
            IRentalEscrow.Offer memory terms = _terms();
            if (i == 1) terms.price = RaoPerSecond.wrap(PRICE + 1);
            if (i == 2) terms.minDurationSecs -= 1;
            if (i == 3) terms.maxDurationSecs -= 1;
            if (i == 4) terms.gpuCount += 1;
            if (i == 5) terms.turnaroundSecs += 1;
            if (i == 6) terms.expiresAt = _at(_now() + 1);
            if (i == 7) _register(OTHER_MACHINE);
            vm.prank(MINER);
            seen[i] = escrow.offer(i == 7 ? OTHER_MACHINE : MACHINE, terms);
            for (uint256 j = 0; j < i; ++j) {
                assertTrue(seen[i] != seen[j]);
            }
        }
    }

    function test_RevertWhen_TheCallerIsNotItsMiner() external {
        _register(MACHINE);
        bytes4 selector = IRentalEscrow.RentalEscrow_OnlyMiner.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, MACHINE, MINER, STRANGER));
        vm.prank(STRANGER);
        escrow.offer(MACHINE, _terms());
    }

    function test_RevertGiven_TheMachineIsNotRegistered() external {
        bytes4 selector = IRentalEscrow.RentalEscrow_OnlyMiner.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, MACHINE, address(0), MINER));
        vm.prank(MINER);
        escrow.offer(MACHINE, _terms());
    }

    function test_RevertWhen_ATermMakesNoSense() external {
        _register(MACHINE);
        IRentalEscrow.Offer memory terms = _terms();
        terms.price = RaoPerSecond.wrap(0);
        _refuseTerms(terms, "price is zero");
        terms = _terms();
        terms.gpuCount = 0;
        _refuseTerms(terms, "gpuCount is zero");
        terms = _terms();
        terms.minDurationSecs = 0;
        _refuseTerms(terms, "minDurationSecs is zero");
        terms.minDurationSecs = 1 hours + 1;
        _refuseTerms(terms, "minDurationSecs is over an hour");
        terms = _terms();
        terms.maxDurationSecs = 1 hours - 1;
        _refuseTerms(terms, "maxDurationSecs is under minDurationSecs");
        terms.maxDurationSecs = 366 days + 1;
        _refuseTerms(terms, "maxDurationSecs is over 366 days");
        terms = _terms();
        terms.expiresAt = _at(_now());
        _refuseTerms(terms, "expiresAt is not in the future");
    }

    function test_RevertGiven_TheClassHasNoBond() external {
        _register(MACHINE);
        IRentalEscrow.Offer memory terms = _terms();
        terms.gpuClass = H100 + 1;
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_UnknownClass.selector, H100 + 1));
        vm.prank(MINER);
        escrow.offer(MACHINE, terms);
    }

    function test_RevertGiven_NewBusinessIsPaused() external {
        _register(MACHINE);
        uint32 until = _pause(7 days);
        vm.warp(until - 1);
        vm.expectRevert(_paused(until));
        _offer(MACHINE);
        skip(1);
        _offer(MACHINE);
    }

    function test_RevertGiven_TheSunset() external {
        _ready(MACHINE, 1e9);
        _sunset();
        vm.expectRevert(_sunsetError());
        _offer(MACHINE); // not even to change the terms
    }

    /// @dev Each field is drawn round its own bound, so that about half of all offers are good.
    function testFuzz_EveryOfferIsTakenOrRefusedByTheFirstRuleItBreaks(
        uint8 gate,
        uint8 who,
        IRentalEscrow.Offer memory terms
    ) external {
        uint32 registration = _register(MACHINE);
        bytes memory shut = _drawGate(gate);
        address caller = who % 16 == 0 ? STRANGER : MINER;
        terms.price = RaoPerSecond.wrap(RaoPerSecond.unwrap(terms.price) % 16);
        terms.gpuCount %= 16;
        terms.minDurationSecs = terms.minDurationSecs % 16 == 0 ? 0 : terms.minDurationSecs % 3_700;
        terms.maxDurationSecs = terms.maxDurationSecs % 4 == 0
            ? terms.maxDurationSecs % 3_800
            : 366 days - 1_000 + terms.maxDurationSecs % 1_100;
        terms.gpuClass = terms.gpuClass % 8 == 0 ? terms.gpuClass : H100;
        terms.expiresAt = _at(_now() - 2 + who % 32);
        bytes memory expected = shut.length != 0 ? shut : _prediction(caller, terms);
        vm.prank(caller);
        bool success = _expect(expected);
        bytes32 offerHash = escrow.offer(MACHINE, terms);
        (IRentalEscrow.Offer memory live, bytes32 liveHash,) = escrow.offerOf(MACHINE);
        IRentalEscrow.Offer memory none;
        assertEq(keccak256(abi.encode(live)), keccak256(abi.encode(success ? terms : none)));
        assertEq(liveHash, success ? keccak256(abi.encode(registration, terms)) : bytes32(0));
        assertEq(liveHash, offerHash);
    }

    function _prediction(address caller, IRentalEscrow.Offer memory terms) private view returns (bytes memory) {
        if (caller != MINER) {
            return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_OnlyMiner.selector, MACHINE, MINER, caller);
        }
        if (RaoPerSecond.unwrap(terms.price) == 0) return _bad("price is zero");
        if (terms.gpuCount == 0) return _bad("gpuCount is zero");
        if (terms.minDurationSecs == 0) return _bad("minDurationSecs is zero");
        if (terms.minDurationSecs > 1 hours) return _bad("minDurationSecs is over an hour");
        if (terms.maxDurationSecs < terms.minDurationSecs) return _bad("maxDurationSecs is under minDurationSecs");
        if (terms.maxDurationSecs > 366 days) return _bad("maxDurationSecs is over 366 days");
        if (terms.expiresAt <= _at(_now())) return _bad("expiresAt is not in the future");
        if (terms.gpuClass != H100) {
            return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_UnknownClass.selector, terms.gpuClass);
        }
        return "";
    }
}
