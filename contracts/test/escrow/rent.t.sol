// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp, Units_Overflow } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

/// @dev Everything about `rent` but the certificates (see rentCertificates.t.sol).
contract RentTest is EscrowBase {
    function _notReady(uint32 readyAt) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NotReady.selector, MACHINE, readyAt);
    }

    function _changed(bytes32 live, bytes32 agreed) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_OfferChanged.selector, live, agreed);
    }

    /* THE WAY THROUGH */

    function test_WhenARenterTakesALiveOfferOfAMachineThatIsReady() external {
        _ready(MACHINE, 1e9);
        RentCall memory c = _goodRent(MACHINE);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Reserved(1, 1, Rao.wrap(H100_BOND));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Rented(1, MACHINE, RENTER, RENTER_KEY, DAY, Rao.wrap(_cost(DAY)), Rao.wrap(H100_BOND));
        assertEq(_send(c), 1, "ids are dense from 1");

        assertEq(escrow.rentalCount(), 1);
        assertEq(escrow.lastRentalOf(1), 1);
        assertEq(keccak256(abi.encode(_rentalAt(1))), keccak256(abi.encode(_fresh(c))));
        (, bytes32 renterKey) = escrow.rentalAt(1);
        assertEq(renterKey, RENTER_KEY);
        assertEq(escrow.faultsOf(1).length, 0);
        (, Rao reserved,,, Rao free) = vault.bondOf(MACHINE);
        assertEq(_rao(reserved), H100_BOND);
        assertEq(_rao(free), 1e9 - H100_BOND);
        assertEq(_reserved(1), H100_BOND);
        assertEq(_creditOf(MINER) + _creditOf(RENTER), 0, "nothing is earned yet");
        _assertConserved(1);
        (, bytes32 stillOffered,) = escrow.offerOf(MACHINE);
        assertEq(stillOffered, c.offerHash);
    }

    function _fresh(RentCall memory c) private view returns (IRentalEscrow.Rental memory r) {
        r.renter = c.renter;
        r.price = RaoPerSecond.wrap(PRICE);
        r.minDurationSecs = 1 hours;
        r.start = _at(_now());
        r.end = _at(_now() + c.secs);
        r.paidUntil = _at(_now());
        r.boughtSecs = c.secs;
        r.registration = 1;
        r.gpuClass = H100;
        r.gpuCount = 1;
    }

    function test_WhenAShareOfTheCostIsMoreThanTheClassBond() external {
        _register(MACHINE);
        IRentalEscrow.Offer memory terms = _terms();
        terms.price = RaoPerSecond.wrap(50_001);
        vm.prank(MINER);
        escrow.offer(MACHINE, terms);
        uint32 secs = DAY + 1;
        uint256 cost = uint256(50_001) * secs;
        uint256 bond = (cost * 2_000 + 9_999) / 10_000; // 864,027,280.2, rounded up
        assertEq(bond, 864_027_281);
        _deposit(MACHINE, 864_027_280);
        RentCall memory c = _goodRent(MACHINE);
        (c.secs, c.valueWei) = (secs, cost * WEI);
        bytes4 selector = ICollateralVault.CollateralVault_NotEnoughFree.selector;
        _refuse(c, abi.encodeWithSelector(selector, MACHINE, bond - 1, bond));
        _deposit(MACHINE, 1);
        uint64 rental = _send(c);
        assertEq(_reserved(rental), bond);
    }

    function test_WhenAnotherMachineIsLetAlready() external {
        _ready(MACHINE, H100_BOND);
        _ready(OTHER_MACHINE, H100_BOND);
        assertEq(_rent(MACHINE, DAY), 1);
        assertEq(_rent(OTHER_MACHINE, 2 hours), 2);
        assertEq(escrow.lastRentalOf(1), 1);
        assertEq(escrow.lastRentalOf(2), 2);
        assertEq(_rentalAt(2).registration, 2);
        assertEq(_rao(escrow.liabilities()), _cost(DAY + 2 hours));
    }

    function test_GivenOneOfItsRentalsIsStillToBeClosed() external {
        uint64 first = _rented();
        skip(2 hours);
        _end(first);
        skip(60);
        _deposit(MACHINE, 1e9); // within settleLag the first reserve is still bound
        uint64 second = _rent(MACHINE, 1 hours);
        assertEq(second, 2);
        assertEq(escrow.lastRentalOf(1), 2);
        assertEq(_reserved(first), H100_BOND, "each has its own reserve");
        assertEq(_reserved(second), H100_BOND);
        assertEq(vault.nodeAt(1).firstRental, first);
        assertEq(vault.nodeAt(1).secondRental, second);
    }

    /// @dev Three tenants inside one settleLag: the third waits until somebody closes the first.
    function test_RevertGiven_TwoOfItsRentalsAreStillToBeClosed() external {
        _ready(MACHINE, 3 * H100_BOND);
        IRentalEscrow.Offer memory terms = _terms();
        (terms.minDurationSecs, terms.turnaroundSecs) = (60, 0);
        vm.prank(MINER);
        escrow.offer(MACHINE, terms);
        for (uint64 i = 1; i <= 2; ++i) {
            assertEq(_rent(MACHINE, 1 hours), i);
            skip(60);
            _end(i);
        }
        bytes4 selector = ICollateralVault.CollateralVault_TwoOpenRentals.selector;
        bytes memory two = abi.encodeWithSelector(selector, 1);
        _refuse(_goodRent(MACHINE), two);
        skip(LAG - 61);
        _refuse(_goodRent(MACHINE), two); // a second before the first can be closed
        skip(1);
        escrow.close(1);
        assertEq(_send(_goodRent(MACHINE)), 3);
        assertEq(_reserved(2) + _reserved(3), 2 * H100_BOND);
        _refuse(_goodRent(MACHINE), _notReady(_now() + DAY));
        _end(3);
        skip(60);
        _refuse(_goodRent(MACHINE), two);
        escrow.close(2);
        assertEq(_send(_goodRent(MACHINE)), 4);
    }

    /* THE OFFER AGREED TO */

    function test_RevertGiven_TheOfferChangedInFrontOfTheRenter() external {
        _ready(MACHINE, 1e9);
        RentCall memory c = _goodRent(MACHINE);
        _priced(PRICE - 1);
        (, bytes32 live,) = escrow.offerOf(MACHINE);
        _refuse(c, _changed(live, c.offerHash));
    }

    function test_RevertWhen_TheOfferWasForAnotherMachine() external {
        _ready(MACHINE, 1e9);
        bytes32 other = _ready(OTHER_MACHINE, 1e9);
        RentCall memory c = _goodRent(MACHINE);
        bytes32 live = c.offerHash;
        c.offerHash = other; // the same terms, word for word
        _refuse(c, _changed(live, other));
    }

    function test_RevertGiven_ThereIsNoOffer() external {
        RentCall memory c = _goodRent(MACHINE);
        bytes memory noOffer = abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoOffer.selector, MACHINE);
        _refuse(c, noOffer); // not even registered
        _register(MACHINE);
        _refuse(c, noOffer);
        _offer(MACHINE);
        c = _goodRent(MACHINE);
        skip(30 days);
        _refuse(c, noOffer); // expired this second
    }

    function test_RevertWhen_ItIsTooShortOrTooLong() external {
        _ready(MACHINE, 2e9);
        RentCall memory c = _goodRent(MACHINE);
        bytes4 selector = IRentalEscrow.RentalEscrow_BadDuration.selector;
        c.secs = 1 hours - 1;
        _refuse(c, abi.encodeWithSelector(selector, c.secs, 1 hours, 30 days));
        c.secs = 30 days + 1;
        _refuse(c, abi.encodeWithSelector(selector, c.secs, 1 hours, 30 days));
        c.secs = 30 days;
        c.valueWei = uint256(_cost(30 days)) * WEI;
        assertEq(_send(c), 1);
    }

    function test_RevertWhen_ThereIsNoRenterKey() external {
        _ready(MACHINE, 1e9);
        RentCall memory c = _goodRent(MACHINE);
        c.renterKey = 0;
        _refuse(c, abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoRenterKey.selector));
    }

    /* THE MONEY */

    function test_RevertWhen_ThePaymentIsNotExact() external {
        _ready(MACHINE, 1e9);
        RentCall memory c = _goodRent(MACHINE);
        uint64 cost = _cost(DAY);
        bytes4 selector = IRentalEscrow.RentalEscrow_WrongPayment.selector;
        c.valueWei = (uint256(cost) - 1) * WEI;
        _refuse(c, abi.encodeWithSelector(selector, cost - 1, cost));
        c.valueWei = (uint256(cost) + 1) * WEI;
        _refuse(c, abi.encodeWithSelector(selector, cost + 1, cost));
    }

    function test_RevertWhen_ThePaymentIsNoWholeRao() external {
        _ready(MACHINE, 1e9);
        RentCall memory c = _goodRent(MACHINE);
        bytes4 selector = IRaoLedger.RaoLedger_NotWholeRao.selector;
        c.valueWei += 1;
        _refuse(c, abi.encodeWithSelector(selector, c.valueWei));
        c.valueWei -= 2;
        _refuse(c, abi.encodeWithSelector(selector, c.valueWei));
        c.valueWei = 0;
        _refuse(c, abi.encodeWithSelector(selector, 0));
    }

    function test_RevertWhen_TheCostIsMoreThanAllTaoThereWillEverBe() external {
        _register(MACHINE);
        IRentalEscrow.Offer memory terms = _terms();
        terms.price = RaoPerSecond.wrap(type(uint40).max);
        terms.maxDurationSecs = 366 days;
        vm.prank(MINER);
        escrow.offer(MACHINE, terms);
        RentCall memory c = _goodRent(MACHINE);
        c.secs = 366 days;
        uint256 cost = uint256(type(uint40).max) * c.secs;
        _refuse(c, abi.encodeWithSelector(Units_Overflow.selector, cost, type(uint64).max));
    }

    /* THE MACHINE IS READY */

    function test_RevertGiven_ARentalIsRunning() external {
        uint64 rental = _rented();
        uint32 end = Timestamp.unwrap(_rentalAt(rental).end);
        _refuse(_goodRent(MACHINE), _notReady(end + 60));
        vm.warp(end - 1);
        _refuse(_goodRent(MACHINE), _notReady(end + 60));
    }

    function test_RevertGiven_TheTurnaroundIsNotOver() external {
        uint64 rental = _rented();
        skip(2 hours);
        _end(rental);
        uint32 vacatedAt = _now();
        _deposit(MACHINE, 1e9);
        skip(59);
        _refuse(_goodRent(MACHINE), _notReady(vacatedAt + 60));
        skip(1);
        assertEq(_send(_goodRent(MACHINE)), 2);
    }

    /* THE BOND */

    function test_RevertGiven_TheFreeBondIsTooSmall() external {
        _ready(MACHINE, H100_BOND - 1);
        bytes4 selector = ICollateralVault.CollateralVault_NotEnoughFree.selector;
        bytes memory tooSmall = abi.encodeWithSelector(selector, MACHINE, H100_BOND - 1, H100_BOND);
        _refuse(_goodRent(MACHINE), tooSmall);
    }

    function test_RevertGiven_TheBondIsOnItsWayOut() external {
        _ready(MACHINE, 1e9);
        vm.prank(MINER);
        vault.requestExit(MACHINE, Rao.wrap(1e9));
        bytes4 selector = ICollateralVault.CollateralVault_NotEnoughFree.selector;
        _refuse(_goodRent(MACHINE), abi.encodeWithSelector(selector, MACHINE, 0, H100_BOND));
    }

    function test_RevertGiven_TheClassLeftTheMarketAfterTheOffer() external {
        _ready(MACHINE, 1e9);
        vm.prank(OWNER);
        escrow.setClassBond(H100, Rao.wrap(0));
        _refuse(_goodRent(MACHINE), abi.encodeWithSelector(IRentalEscrow.RentalEscrow_UnknownClass.selector, H100));
    }

    /* NEW BUSINESS */

    function test_RevertGiven_NewBusinessIsPaused() external {
        _ready(MACHINE, 1e9);
        uint32 until = _pause(1 hours);
        _refuse(_goodRent(MACHINE), _paused(until));
        vm.warp(until - 1);
        _refuse(_goodRent(MACHINE), _paused(until));
        skip(1);
        assertEq(_send(_goodRent(MACHINE)), 1);
    }

    function test_RevertGiven_TheSunset() external {
        _ready(MACHINE, 1e9);
        _sunset();
        _refuse(_goodRent(MACHINE), _sunsetError());
        skip(29 days);
        _refuse(_goodRent(MACHINE), _sunsetError()); // for good
    }

    function test_RevertGiven_TheHotkeyLeftItsUid() external {
        _ready(MACHINE, 1e9);
        bytes32 usurper = keccak256("usurper");
        METAGRAPH.setHotkey(NETUID, 0, usurper);
        bytes4 selector = ICollateralVault.CollateralVault_HotkeyNotAtUid.selector;
        _refuse(_goodRent(MACHINE), abi.encodeWithSelector(selector, 0, usurper, HOTKEY));
        METAGRAPH.remove(NETUID, 0);
        _refuse(_goodRent(MACHINE), abi.encodeWithSelector(selector, 0, bytes32(0), HOTKEY));
    }
}
