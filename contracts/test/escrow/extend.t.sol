// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

contract ExtendTest is EscrowBase {
    uint64 private rental;
    uint32 private start;

    function setUp() public override {
        super.setUp();
        rental = _rented();
        start = _now();
    }

    function _refuseExtend(uint32 secs, bytes memory expected) private {
        vm.expectRevert(expected);
        _extend(rental, secs);
        assertEq(_rentalAt(rental).boughtSecs, DAY, "nothing bought");
    }

    /* THE WAY THROUGH */

    function test_GivenItRuns() external {
        skip(3 hours);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Extended(rental, _at(start + DAY + 2 hours), Rao.wrap(_cost(2 hours)), Rao.wrap(H100_BOND));
        _extend(rental, 2 hours);
        IRentalEscrow.Rental memory r = _rentalAt(rental);
        assertEq(Timestamp.unwrap(r.end), start + DAY + 2 hours);
        assertEq(Timestamp.unwrap(r.start), start);
        assertEq(r.boughtSecs, DAY + 2 hours);
        _assertConserved(rental);
    }

    function test_GivenTheOfferBecameCheaper() external {
        _priced(PRICE - 1);
        _extend(rental, 1);
        assertEq(_rao(escrow.liabilities()), _cost(DAY + 1));
    }

    function test_WhenAStrangerPays() external {
        vm.prank(STRANGER);
        escrow.extend{ value: uint256(_cost(DAY)) * WEI }(rental, DAY);
        skip(1 hours);
        _end(rental);
        assertEq(_creditOf(RENTER), _cost(2 * DAY - 1 hours));
        assertEq(_creditOf(STRANGER), 0);
        _assertConserved(rental);
    }

    function test_WhenTheTotalNeedsMoreBond() external {
        uint32 secs = 29 days;
        uint64 bond = 1_036_800_000; // 20 % of 30 days at 2,000 rao
        bytes4 selector = ICollateralVault.CollateralVault_NotEnoughFree.selector;
        _refuseExtend(secs, abi.encodeWithSelector(selector, MACHINE, 1e9 - H100_BOND, bond - H100_BOND));
        _deposit(MACHINE, bond - 1e9);
        _extend(rental, secs);
        assertEq(_reserved(rental), bond);
        (,,,, Rao free) = vault.bondOf(MACHINE);
        assertEq(_rao(free), 0);
    }

    function test_GivenItWasEndedEarly() external {
        skip(1);
        _end(rental); // one hour is the least
        _deposit(MACHINE, 1e9);
        assertEq(_creditOf(RENTER), _cost(DAY - 1 hours));
        _extend(rental, 30 days - 1 hours);
        IRentalEscrow.Rental memory r = _rentalAt(rental);
        assertEq(Timestamp.unwrap(r.end), start + 30 days);
        assertEq(r.boughtSecs, DAY + 30 days - 1 hours, "bought counts what was refunded too");
        _assertConserved(rental);
    }

    /* REVERTS */

    function test_RevertWhen_ThereIsNoSuchRental() external {
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoRental.selector, 7));
        _extend(7, 1);
    }

    function test_RevertGiven_ItIsOver() external {
        vm.warp(start + DAY);
        _refuseExtend(1, abi.encodeWithSelector(IRentalEscrow.RentalEscrow_Over.selector, rental, start + DAY));
    }

    function test_RevertGiven_TheOfferIsGone() external {
        vm.prank(MINER);
        escrow.withdrawOffer(MACHINE);
        _refuseExtend(1, abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoOffer.selector, MACHINE));
    }

    function test_RevertGiven_ThePriceWasRaised() external {
        _priced(PRICE + 1);
        _refuseExtend(1, abi.encodeWithSelector(IRentalEscrow.RentalEscrow_PriceRaised.selector, PRICE, PRICE + 1));
    }

    function test_RevertWhen_NothingOrTooMuchIsAdded() external {
        bytes4 selector = IRentalEscrow.RentalEscrow_BadDuration.selector;
        _refuseExtend(0, abi.encodeWithSelector(selector, DAY, DAY + 1, 30 days));
        _refuseExtend(29 days + 1, abi.encodeWithSelector(selector, 30 days + 1, DAY + 1, 30 days));
        vm.deal(RENTER, type(uint128).max);
        _refuseExtend(type(uint32).max, OVERFLOW);
    }

    function test_RevertWhen_ThePaymentIsNotExact() external {
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_WrongPayment.selector, 1, PRICE));
        vm.prank(RENTER);
        escrow.extend{ value: WEI }(rental, 1);
        vm.expectRevert(abi.encodeWithSelector(IRaoLedger.RaoLedger_NotWholeRao.selector, WEI - 1));
        vm.prank(RENTER);
        escrow.extend{ value: WEI - 1 }(rental, 1);
    }

    function test_RevertGiven_TheHotkeyLeftItsUid() external {
        METAGRAPH.setHotkey(NETUID, 0, keccak256("usurper"));
        bytes4 selector = ICollateralVault.CollateralVault_HotkeyNotAtUid.selector;
        _refuseExtend(1, abi.encodeWithSelector(selector, 0, keccak256("usurper"), HOTKEY));
    }

    function test_RevertGiven_NewBusinessIsPaused() external {
        uint32 until = _pause(1 hours);
        _refuseExtend(1, _paused(until));
        vm.warp(until - 1);
        _refuseExtend(1, _paused(until));
        skip(1);
        _extend(rental, 1);
    }

    function test_RevertGiven_TheSunset() external {
        _sunset();
        _refuseExtend(1, _sunsetError());
        skip(2 hours);
        _end(rental); // who is in gets out
    }

    function test_RevertGiven_TheClassLeftTheMarket() external {
        vm.prank(OWNER);
        escrow.setClassBond(H100, Rao.wrap(0));
        _refuseExtend(1, abi.encodeWithSelector(IRentalEscrow.RentalEscrow_UnknownClass.selector, H100));
    }

    /* A TOTAL FUNCTION */

    bytes private shut;

    struct Wrongs {
        uint8 id;
        uint8 paid;
        uint8 offer;
        uint8 hotkey;
        uint8 gate;
        uint32 later;
        uint32 secs;
        uint64 deposit;
    }

    function testFuzz_EveryExtensionIsTakenOrRefusedByTheFirstRuleItBreaks(Wrongs memory w) external {
        uint64 id = w.id % 16 == 0 ? rental + 1 : rental;
        uint32 secs = w.secs % 16 == 0 ? w.secs : w.secs % (30 days);
        uint64 added = 1 + w.deposit % 50_000_000;
        _deposit(MACHINE, added);
        skip(w.later % 8 == 0 ? DAY - 2 + w.later % 5 : w.later % DAY);
        if (w.offer % 16 == 0) _priced(PRICE + 1);
        if (w.offer % 16 == 1) {
            vm.prank(MINER);
            escrow.withdrawOffer(MACHINE);
        }
        if (w.hotkey % 16 == 0) METAGRAPH.remove(NETUID, 0);
        uint256 value = uint256(_cost(secs)) * WEI;
        if (w.paid % 16 == 0) value += WEI;
        if (w.paid % 16 == 1) value += 1;
        vm.deal(RENTER, value);
        shut = _drawGate(w.gate);
        bytes memory expected = _prediction(w, id, secs, value, 1e9 - H100_BOND + added);
        vm.prank(RENTER);
        bool success = _expect(expected);
        escrow.extend{ value: value }(id, secs);
        IRentalEscrow.Rental memory r = _rentalAt(rental);
        assertEq(r.boughtSecs, success ? DAY + secs : DAY);
        assertEq(Timestamp.unwrap(r.end), start + r.boughtSecs);
        assertEq(_reserved(rental), success ? _bond(DAY + secs) : H100_BOND);
        _assertConserved(rental);
    }

    function _bond(uint32 total) private pure returns (uint64) {
        uint64 share = (_cost(total) * 2 + 9) / 10;
        return share > H100_BOND ? share : H100_BOND;
    }

    function _prediction(Wrongs memory w, uint64 id, uint32 secs, uint256 value, uint64 free)
        private
        view
        returns (bytes memory)
    {
        if (id != rental) return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoRental.selector, id);
        if (_now() >= start + DAY) {
            return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_Over.selector, id, start + DAY);
        }
        if (w.offer % 16 == 1) return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoOffer.selector, MACHINE);
        if (w.offer % 16 == 0) {
            return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_PriceRaised.selector, PRICE, PRICE + 1);
        }
        if (uint256(secs) + DAY > type(uint32).max) return OVERFLOW;
        if (secs == 0 || secs > 29 days) {
            bytes4 selector = IRentalEscrow.RentalEscrow_BadDuration.selector;
            return abi.encodeWithSelector(selector, DAY + secs, DAY + 1, 30 days);
        }
        if (value % WEI != 0) return abi.encodeWithSelector(IRaoLedger.RaoLedger_NotWholeRao.selector, value);
        if (value != uint256(_cost(secs)) * WEI) {
            bytes4 selector = IRentalEscrow.RentalEscrow_WrongPayment.selector;
            return abi.encodeWithSelector(selector, value / WEI, _cost(secs));
        }
        if (shut.length != 0) return shut;
        if (w.hotkey % 16 == 0) {
            bytes4 selector = ICollateralVault.CollateralVault_HotkeyNotAtUid.selector;
            return abi.encodeWithSelector(selector, 0, bytes32(0), HOTKEY);
        }
        uint64 needed = _bond(DAY + secs) - H100_BOND;
        if (needed > free) {
            bytes4 selector = ICollateralVault.CollateralVault_NotEnoughFree.selector;
            return abi.encodeWithSelector(selector, MACHINE, free, needed);
        }
        return "";
    }
}
