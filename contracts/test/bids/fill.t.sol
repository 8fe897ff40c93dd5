// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IKeeperSet } from "../../src/interfaces/IKeeperSet.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalBids } from "../../src/interfaces/IRentalBids.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { Refuser } from "../escrow/Refuser.sol";
import { BidsBase } from "./BidsBase.t.sol";

/// @dev The wish: a day at most at twice the machine's price. Everything `rent` refuses, `fill` refuses with the same
/// words (fillFuzz.t.sol draws it all).
contract FillTest is BidsBase {
    uint64 private bid;
    uint64 private cost;

    function setUp() public override {
        super.setUp();
        _ready(MACHINE, 2e9);
        bid = _posted();
        cost = uint64(_costOf(_wish()));
    }

    function _offered(uint16 gpuClass, uint8 gpuCount, uint40 price) private {
        IRentalEscrow.Offer memory terms = _terms();
        (terms.gpuClass, terms.gpuCount, terms.price) = (gpuClass, gpuCount, RaoPerSecond.wrap(price));
        vm.prank(OWNER);
        escrow.setClassBond(gpuClass, Rao.wrap(1));
        vm.prank(MINER);
        escrow.offer(MACHINE, terms);
    }

    /* REVERTS: THE BID */

    function test_RevertWhen_ThereIsNoSuchBid() external {
        _refuseFill(2, MACHINE, _notOpen(2, IRentalBids.Status.None));
        _refuseFill(0, MACHINE, _notOpen(0, IRentalBids.Status.None));
    }

    function test_RevertGiven_ItIsFilled() external {
        _ready(OTHER_MACHINE, 1e9);
        _fill(bid, MACHINE);
        _refuseFill(bid, OTHER_MACHINE, _notOpen(bid, IRentalBids.Status.Filled));
        _assertBooks(0);
    }

    function test_RevertGiven_ItIsReturned() external {
        _giveUp(RENTER, bid);
        _refuseFill(bid, MACHINE, _notOpen(bid, IRentalBids.Status.Returned));
    }

    function test_RevertGiven_ItExpired() external {
        uint32 expiresAt = _expiry(bid);
        vm.warp(expiresAt);
        _refuseFill(bid, MACHINE, _expired(bid, expiresAt));
        vm.warp(expiresAt - 1);
        assertEq(_fill(bid, MACHINE), 1, "good to its last second");
    }

    /* REVERTS: THE OFFER */

    function test_RevertGiven_TheMachineHasNoOffer() external {
        _refuseFill(bid, OTHER_MACHINE, _doesNotFit(bid, 0, 0, 0));
        vm.prank(MINER);
        escrow.withdrawOffer(MACHINE);
        _refuseFill(bid, MACHINE, _doesNotFit(bid, 0, 0, 0));
    }

    function test_RevertGiven_TheOfferIsOfAnotherClass() external {
        _offered(H100 + 1, 8, 1);
        _refuseFill(bid, MACHINE, _doesNotFit(bid, H100 + 1, 8, 1));
        _offered(0, 8, 1);
        _refuseFill(bid, MACHINE, _doesNotFit(bid, 0, 8, 1));
    }

    function test_RevertGiven_TheOfferHasTooFewGpus() external {
        IRentalBids.Bid memory b = _wish();
        b.gpuCount = 2;
        bid = _post(b, cost * WEI);
        _refuseFill(bid, MACHINE, _doesNotFit(bid, H100, 1, PRICE));
    }

    function test_RevertGiven_TheOfferIsDearer() external {
        _priced(MAX_PRICE + 1);
        _refuseFill(bid, MACHINE, _doesNotFit(bid, H100, 1, MAX_PRICE + 1));
    }

    /// @dev Raised in front of the fill, but not over the wish: the renter agreed to that.
    function test_GivenTheOfferChangedInFrontOfTheFill() external {
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(MACHINE, 3);
        _priced(MAX_PRICE - 1);
        assertEq(_fillWith(bid, MACHINE, certificates), 1);
        assertEq(RaoPerSecond.unwrap(_rentalAt(1).price), MAX_PRICE - 1);
        assertEq(_bidCredit(RENTER), DAY);
    }

    /* REVERTS: WHAT EVERY RENTAL ASKS */

    function test_RevertGiven_TheOfferAllowsNoSuchDuration() external {
        IRentalBids.Bid memory b = _wish();
        b.durationSecs = 1 hours - 1;
        bid = _post(b, _costOf(b) * WEI);
        bytes4 selector = IRentalEscrow.RentalEscrow_BadDuration.selector;
        _refuseFill(bid, MACHINE, abi.encodeWithSelector(selector, 1 hours - 1, 1 hours, 30 days));
    }

    function test_RevertGiven_TheMachineIsLet() external {
        _rent(MACHINE, DAY);
        bytes4 selector = IRentalEscrow.RentalEscrow_NotReady.selector;
        _refuseFill(bid, MACHINE, abi.encodeWithSelector(selector, MACHINE, _now() + DAY + 60));
    }

    function test_RevertWhen_TheMachineIsNotCertified() external {
        bytes4 selector = IRentalEscrow.RentalEscrow_NoQuorum.selector;
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(MACHINE, 1);
        vm.expectRevert(abi.encodeWithSelector(selector, 1));
        _fillWith(bid, MACHINE, certificates);
        certificates = new IRentalEscrow.SignedCertificate[](0);
        vm.expectRevert(abi.encodeWithSelector(selector, 0));
        _fillWith(bid, MACHINE, certificates);
        certificates = _certify(MACHINE, 2);
        (certificates[0], certificates[1]) = (certificates[1], certificates[0]);
        selector = IKeeperSet.KeeperSet_SignersNotAscending.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, keeperAccounts[1], keeperAccounts[0]));
        _fillWith(bid, MACHINE, certificates);
        _assertBooks(cost);
        assertEq(uint8(_statusOf(bid)), uint8(IRentalBids.Status.Open), "it waits for another");
    }

    function test_RevertGiven_ThereIsNoBond() external {
        vm.prank(MINER);
        vault.requestExit(MACHINE, Rao.wrap(2e9 - H100_BOND + 1));
        bytes4 selector = ICollateralVault.CollateralVault_NotEnoughFree.selector;
        _refuseFill(bid, MACHINE, abi.encodeWithSelector(selector, MACHINE, H100_BOND - 1, H100_BOND));
    }

    function test_RevertGiven_NewBusinessIsPaused() external {
        uint32 until = _pause(1 days);
        _refuseFill(bid, MACHINE, _paused(until));
        vm.warp(until);
        assertEq(_fill(bid, MACHINE), 1);
    }

    function test_RevertGiven_TheSunset() external {
        _sunset();
        _refuseFill(bid, MACHINE, _sunsetError());
    }

    /* THE WAY THROUGH */

    function test_WhenAStrangerFillsItWithACheaperOffer() external {
        uint64 change = cost - _cost(DAY);
        vm.expectEmit(address(bids));
        emit IRaoLedger.Credited(RENTER, Rao.wrap(change), Rao.wrap(change));
        vm.expectEmit(address(vault));
        emit ICollateralVault.Reserved(1, 1, Rao.wrap(H100_BOND));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Rented(1, MACHINE, RENTER, RENTER_KEY, DAY, Rao.wrap(_cost(DAY)), Rao.wrap(H100_BOND));
        vm.expectEmit(address(bids));
        emit IRentalBids.BidFilled(bid, 1, MACHINE, Rao.wrap(_cost(DAY)), Rao.wrap(change));
        assertEq(_fill(bid, MACHINE), 1);
        IRentalBids.Bid memory b = bids.bidAt(bid);
        assertEq(uint8(b.status), uint8(IRentalBids.Status.Filled));
        assertEq(b.rental, 1);
        (IRentalEscrow.Rental memory r, bytes32 renterKey) = escrow.rentalAt(1);
        assertEq(r.renter, RENTER, "the rental is the renter's");
        assertEq(renterKey, RENTER_KEY);
        assertEq(RaoPerSecond.unwrap(r.price), PRICE, "at the offer's price");
        assertEq(Timestamp.unwrap(r.end), _now() + DAY);
        assertEq(_bidCredit(RENTER), change, "what it costs less is credit at once");
        assertEq(_bidCredit(STRANGER) + _creditOf(STRANGER), 0, "whoever matches gains nothing");
        _assertBooks(0);
        _assertConserved(1);
    }

    function test_WhenTheOfferAsksExactlyTheMost() external {
        _priced(MAX_PRICE);
        vm.recordLogs();
        _fill(bid, MACHINE);
        assertEq(vm.getRecordedLogs().length, 3, "reserved, rented, filled: no change, no credit");
        assertEq(_bidCredit(RENTER), 0);
        assertEq(address(bids).balance, SEED_WEI);
        assertEq(_rao(bids.liabilities()), 0);
        assertEq(_rao(escrow.liabilities()), cost);
    }

    function test_WhenTheOfferHasMoreGpus() external {
        _offered(H100, 4, PRICE);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(MACHINE, 3);
        for (uint256 i = 0; i < 3; ++i) {
            certificates[i] = _certificate(keeperKeys[i], MACHINE, 1, H100, 4, _now());
        }
        _fillWith(bid, MACHINE, certificates);
        assertEq(_rentalAt(1).gpuCount, 4);
    }

    function test_WhenTheRenterIsAContractThatTakesNoMoney() external {
        IRentalBids.Bid memory b = _wish();
        b.renter = address(new Refuser());
        TRANSFERS.introduce(MAPPING.addressMapping(b.renter), b.renter);
        vm.deal(b.renter, uint256(cost) * WEI);
        uint64 its = _post(b, uint256(cost) * WEI);
        uint64 rental = _fill(its, MACHINE);
        assertEq(_rentalAt(rental).renter, b.renter);
        assertEq(_bidCredit(b.renter), cost - _cost(DAY), "nobody pushes: it is credit");
        bids.withdrawCredit(b.renter);
        assertEq(b.renter.balance, uint256(cost - _cost(DAY)) * WEI);
    }

    function test_WhenTheMinerFillsItItself() external {
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(MACHINE, 3);
        vm.prank(MINER);
        assertEq(bids.fill(bid, MACHINE, certificates), 1);
        assertEq(_rentalAt(1).renter, RENTER);
    }
}
