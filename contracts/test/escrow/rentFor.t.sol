// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";
import { Refuser } from "./Refuser.sol";

/// @dev Every rule of `rent` holds for `rentFor` (rentFuzz.t.sol draws both); here is what is its own.
contract RentForTest is EscrowBase {
    address private constant NOBODY = address(0);
    address private SPONSOR = makeAddr("sponsor");

    function setUp() public override {
        super.setUp();
        vm.deal(SPONSOR, 1_000 ether);
        _ready(MACHINE, 1e9);
    }

    function test_RevertWhen_TheRenterIsZero() external {
        RentCall memory c = _goodRent(MACHINE);
        c.renter = NOBODY;
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoRenter.selector));
        _sponsor(SPONSOR, c);
        assertEq(escrow.rentalCount(), 0);
        assertEq(_rao(escrow.liabilities()), 0);
    }

    function test_RevertGiven_NewBusinessIsPaused() external {
        RentCall memory c = _goodRent(MACHINE);
        uint32 until = _pause(1 hours);
        vm.expectRevert(_paused(until));
        _sponsor(SPONSOR, c);
        vm.warp(until);
        assertEq(_sponsor(SPONSOR, c), 1);
    }

    function test_RevertGiven_TheSunset() external {
        RentCall memory c = _goodRent(MACHINE);
        _sunset();
        vm.expectRevert(_sunsetError());
        _sponsor(SPONSOR, c);
    }

    function test_WhenASponsorPays() external {
        RentCall memory c = _goodRent(MACHINE);
        uint256 purse = SPONSOR.balance;
        vm.expectEmit(address(vault));
        emit ICollateralVault.Reserved(1, 1, Rao.wrap(H100_BOND));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Rented(1, MACHINE, RENTER, RENTER_KEY, DAY, Rao.wrap(_cost(DAY)), Rao.wrap(H100_BOND));
        assertEq(_sponsor(SPONSOR, c), 1);
        (IRentalEscrow.Rental memory r, bytes32 renterKey) = escrow.rentalAt(1);
        assertEq(r.renter, RENTER, "the renter is who was named");
        assertEq(renterKey, RENTER_KEY);
        assertEq(RaoPerSecond.unwrap(r.price), PRICE);
        assertEq(Timestamp.unwrap(r.end), _now() + DAY);
        assertEq(purse - SPONSOR.balance, c.valueWei, "the sponsor paid, once");
        assertEq(_reserved(1), H100_BOND);
        _assertConserved(1);
    }

    /// @dev Hole 14 of the peers: there the sponsor pays, and another account is charged at settlement.
    function test_WhenTheSponsoredRentalEndsEarly() external {
        uint64 rental = _sponsor(SPONSOR, _goodRent(MACHINE));
        (uint256 renters, uint256 sponsors) = (RENTER.balance, SPONSOR.balance);
        skip(2 hours);
        bytes4 selector = IRentalEscrow.RentalEscrow_OnlyRenter.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, rental, RENTER, SPONSOR));
        vm.prank(SPONSOR);
        escrow.end(rental);
        _end(rental);
        skip(LAG);
        escrow.close(rental);
        assertEq(_creditOf(RENTER), _cost(DAY - 2 hours), "the refund is the renter's");
        assertEq(_creditOf(SPONSOR), 0);
        assertEq(_creditOf(MINER), _cost(2 hours));
        assertEq(RENTER.balance, renters, "nobody is charged at settlement");
        assertEq(SPONSOR.balance, sponsors);
        _assertConserved(rental);
    }

    function test_WhenTheSponsoredRentalIsFaulted() external {
        uint64 rental = _sponsor(SPONSOR, _goodRent(MACHINE));
        skip(2 hours);
        _withhold(rental, 0, _now() - 10 minutes, _now(), true);
        _decide(rental, 10 minutes, true);
        assertEq(_creditOf(RENTER), _cost(DAY - 2 hours + 10 minutes), "withheld pay is the renter's too");
        assertEq(_creditOf(SPONSOR), 0);
        _assertConserved(rental);
    }

    function test_WhenTheRenterIsAContractThatTakesNoMoney() external {
        address refuser = address(new Refuser());
        TRANSFERS.introduce(MAPPING.addressMapping(refuser), refuser);
        RentCall memory c = _goodRent(MACHINE);
        c.renter = refuser;
        uint64 rental = _sponsor(SPONSOR, c);
        skip(2 hours);
        vm.prank(refuser);
        escrow.end(rental);
        skip(LAG);
        escrow.close(rental);
        assertEq(_creditOf(refuser), _cost(DAY - 2 hours), "nobody pushes: it is credit");
        escrow.withdrawCredit(refuser);
        assertEq(refuser.balance, uint256(_cost(DAY - 2 hours)) * WEI, "and 0x800 runs no code of the payee");
    }

    function test_WhenTheSponsorIsTheRenterOrTheMiner() external {
        RentCall memory c = _goodRent(MACHINE);
        assertEq(_sponsor(RENTER, c), 1);
        _ready(OTHER_MACHINE, 1e9);
        c = _goodRent(OTHER_MACHINE);
        c.renter = MINER; // a miner may rent its own machine: it pays itself, and its bond is bound
        assertEq(_sponsor(MINER, c), 2);
        assertEq(_rentalAt(2).renter, MINER);
    }
}
