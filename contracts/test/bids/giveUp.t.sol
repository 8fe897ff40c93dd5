// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalBids } from "../../src/interfaces/IRentalBids.sol";
import { Rao } from "../../src/types/Units.sol";
import { Refuser } from "../escrow/Refuser.sol";
import { BidsBase } from "./BidsBase.t.sol";

contract GiveUpTest is BidsBase {
    uint64 private bid;
    uint64 private cost;

    function setUp() public override {
        super.setUp();
        _ready(MACHINE, 1e9);
        bid = _posted();
        cost = uint64(_costOf(_wish()));
    }

    function _onlyRenter(address caller) private view returns (bytes memory) {
        bytes4 selector = IRentalBids.RentalBids_OnlyRenter.selector;
        return abi.encodeWithSelector(selector, bid, RENTER, caller, _expiry(bid));
    }

    /* REVERTS */

    function test_RevertWhen_ThereIsNoSuchBid() external {
        vm.expectRevert(_notOpen(2, IRentalBids.Status.None));
        _giveUp(RENTER, 2);
        vm.expectRevert(_notOpen(0, IRentalBids.Status.None));
        _giveUp(RENTER, 0);
    }

    function test_RevertGiven_ItIsFilled() external {
        _fill(bid, MACHINE);
        vm.expectRevert(_notOpen(bid, IRentalBids.Status.Filled));
        _giveUp(RENTER, bid);
        vm.warp(_expiry(bid)); // nor when it would have expired
        vm.expectRevert(_notOpen(bid, IRentalBids.Status.Filled));
        _giveUp(RENTER, bid);
        _assertBooks(0);
    }

    function test_RevertGiven_ItIsReturned() external {
        _giveUp(RENTER, bid);
        vm.expectRevert(_notOpen(bid, IRentalBids.Status.Returned));
        _giveUp(RENTER, bid);
        assertEq(_bidCredit(RENTER), cost, "once");
    }

    function test_RevertWhen_AStrangerGivesUpALiveBid() external {
        vm.warp(_expiry(bid) - 1);
        vm.expectRevert(_onlyRenter(STRANGER));
        _giveUp(STRANGER, bid);
        vm.expectRevert(_onlyRenter(OWNER));
        _giveUp(OWNER, bid);
        assertEq(uint8(_statusOf(bid)), uint8(IRentalBids.Status.Open));
    }

    /* THE WAY THROUGH */

    function test_WhenTheRenterGivesItUp() external {
        vm.expectEmit(address(bids));
        emit IRaoLedger.Credited(RENTER, Rao.wrap(cost), Rao.wrap(cost));
        vm.expectEmit(address(bids));
        emit IRentalBids.BidReturned(bid, Rao.wrap(cost));
        _giveUp(RENTER, bid);
        assertEq(uint8(_statusOf(bid)), uint8(IRentalBids.Status.Returned));
        assertEq(_bidCredit(RENTER), cost);
        _assertBooks(0);
        _refuseFill(bid, MACHINE, _notOpen(bid, IRentalBids.Status.Returned));
        bids.withdrawCredit(RENTER);
        _assertBooks(0);
        assertEq(address(bids).balance, SEED_WEI);
    }

    function test_GivenItExpired() external {
        vm.warp(_expiry(bid));
        _giveUp(STRANGER, bid);
        assertEq(_bidCredit(RENTER), cost, "the renter's, whoever calls");
        assertEq(_bidCredit(STRANGER), 0);
        assertEq(uint8(_statusOf(bid)), uint8(IRentalBids.Status.Returned));
    }

    function test_GivenNewBusinessIsPausedOrAtItsSunset() external {
        _pause(7 days);
        _sunset();
        _giveUp(RENTER, bid);
        assertEq(_bidCredit(RENTER), cost, "who wants out gets out");
    }

    function test_WhenTheRenterIsAContractThatTakesNoMoney() external {
        IRentalBids.Bid memory b = _wish();
        b.renter = address(new Refuser());
        TRANSFERS.introduce(MAPPING.addressMapping(b.renter), b.renter);
        vm.deal(b.renter, _costOf(b) * WEI);
        uint64 its = _post(b, _costOf(b) * WEI);
        vm.warp(_expiry(its));
        _giveUp(STRANGER, its);
        assertEq(_bidCredit(b.renter), cost, "nobody pushes: it is credit");
        bids.withdrawCredit(b.renter);
        assertEq(b.renter.balance, uint256(cost) * WEI, "and 0x800 runs no code of the payee");
    }

    /* A TOTAL FUNCTION */

    function testFuzz_EveryGivingUpIsTakenOrRefusedByTheFirstRuleItBreaks(
        uint8 who,
        uint8 state,
        uint64 id,
        uint32 later
    ) external {
        id = id % 8 == 0 ? id : bid;
        IRentalBids.Status status = id == bid ? IRentalBids.Status.Open : IRentalBids.Status.None;
        if (state % 8 == 0) _fill(bid, MACHINE);
        if (state % 8 == 1) _giveUp(RENTER, bid);
        if (id == bid && state % 8 == 0) status = IRentalBids.Status.Filled;
        if (id == bid && state % 8 == 1) status = IRentalBids.Status.Returned;
        skip(later % 14 days);
        address caller = who % 2 == 0 ? RENTER : STRANGER;
        bytes memory expected;
        if (status != IRentalBids.Status.Open) expected = _notOpen(id, status);
        else if (caller != RENTER && _now() < _expiry(bid)) expected = _onlyRenter(caller);
        uint64 had = _bidCredit(RENTER);
        vm.prank(caller);
        bool success = _expect(expected);
        bids.giveUp(id);
        assertEq(_bidCredit(RENTER), success ? had + cost : had);
        _assertBooks(success || state % 8 < 2 ? 0 : cost);
    }
}
