// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

/// @dev With the highest fee there may be: 5 % of what the miner earns, and of nothing else.
contract FeesTest is EscrowBase {
    uint64 private rental;

    function _feeBps() internal pure override returns (uint16) {
        return 500;
    }

    function setUp() public override {
        super.setUp();
        rental = _rented();
    }

    function test_TheTreasuryHasItsShareOfAClaim() external {
        skip(2 hours);
        uint64 gross = _cost(1 hours);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Claimed(rental, MINER, Rao.wrap(gross), Rao.wrap(gross / 20));
        escrow.claim(rental);
        assertEq(_creditOf(TREASURY), gross / 20);
        assertEq(_creditOf(MINER), gross - gross / 20);
        assertEq(_rentalAt(rental).claimedSecs, 1 hours, "claimed is gross of the fee");
        _assertConserved(rental);
        escrow.withdrawCredit(TREASURY);
    }

    function test_AndOfTheLastPayAtClosing() external {
        skip(DAY + LAG);
        escrow.close(rental);
        assertEq(_creditOf(TREASURY), _cost(DAY) / 20);
        assertEq(_creditOf(MINER), _cost(DAY) - _cost(DAY) / 20);
        _assertConserved(rental);
    }

    function test_ARefundIsFreeOfFee() external {
        skip(2 hours);
        _end(rental);
        assertEq(_creditOf(RENTER), _cost(DAY - 2 hours));
        assertEq(_creditOf(TREASURY), 0);
        _assertConserved(rental);
    }

    function test_WithheldPayOfTheRenterIsFreeOfFee() external {
        skip(1 hours);
        _withhold(rental, 0, _now() - 600, _now(), false);
        _decide(rental, 600, true);
        assertEq(_creditOf(RENTER), _cost(600));
        assertEq(_creditOf(TREASURY), 0);
        _assertConserved(rental);
    }

    function test_WithheldPayOfTheMinerIsNot() external {
        skip(1 hours);
        _withhold(rental, 0, _now() - 600, _now(), false);
        _decide(rental, 600, false);
        assertEq(_creditOf(MINER), _cost(600) - _cost(600) / 20);
        assertEq(_creditOf(TREASURY), _cost(600) / 20);
        _assertConserved(rental);
    }

    function test_ThePenaltyIsLimitedByWhatWasEarnedGrossOfFee() external {
        skip(1 hours);
        assertEq(_rao(_withhold(rental, 0, _now() - 600, _now(), true)), _cost(3_000));
    }

    /// @dev Rounded down at each payment, so that nobody is ever charged a rao more than the rule says.
    function testFuzz_TheFeeIsRoundedDownAtEachPayment(uint40 price, uint32 first, uint32 second) external {
        vm.deal(RENTER, type(uint128).max);
        vm.deal(MINER, type(uint128).max);
        price = 1 + price % 1e12;
        bytes32 machine = OTHER_MACHINE;
        _ready(machine, 1e17);
        IRentalEscrow.Offer memory terms = _terms();
        terms.price = RaoPerSecond.wrap(price);
        vm.prank(MINER);
        escrow.offer(machine, terms);
        RentCall memory c = _goodRent(machine);
        c.valueWei = uint256(price) * DAY * WEI;
        uint64 id = _send(c);
        first = 1 + first % (DAY - 1);
        second = 1 + second % (DAY - first);
        skip(LAG + first);
        escrow.claim(id);
        skip(second);
        escrow.claim(id);
        uint256 fees = uint256(price) * first / 20 + uint256(price) * second / 20;
        assertEq(_creditOf(TREASURY), fees);
        assertEq(_creditOf(MINER), uint256(price) * (first + second) - fees);
    }
}
