// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRentalBids } from "../../src/interfaces/IRentalBids.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { RaoPerSecond } from "../../src/types/Units.sol";
import { BidsBase } from "./BidsBase.t.sol";

/// @dev From the wish to the rental's last rao, and the books in between.
contract BidsLifeTest is BidsBase {
    using SafeCast for uint256;

    uint256 private constant STEPS = 24;
    uint256 private constant MACHINES = 4;

    /* WHOLE LIVES */

    function test_AWishBecomesARentalThatIsServedToItsEnd() external {
        _ready(MACHINE, 1e9);
        (uint256 renters, uint256 miners) = (RENTER.balance, MINER.balance);
        uint64 bid = _posted();
        skip(1 hours);
        uint64 rental = _fill(bid, MACHINE);
        skip(DAY + LAG);
        escrow.close(rental);
        _introduce(RENTER);
        _introduce(MINER);
        bids.withdrawCredit(RENTER);
        escrow.withdrawCredit(MINER);
        assertEq(renters - RENTER.balance, uint256(_cost(DAY)) * WEI, "the renter paid the day at the offer's price");
        assertEq(MINER.balance - miners, uint256(_cost(DAY)) * WEI, "and the miner has it");
        assertEq(address(bids).balance, SEED_WEI);
        assertEq(address(escrow).balance, SEED_WEI);
        assertEq(_rao(vault.nodeAt(1).free), 1e9);
    }

    function test_AWishBecomesARentalThatTheRenterEnds() external {
        _ready(MACHINE, 1e9);
        uint64 rental = _fill(_posted(), MACHINE);
        skip(5 hours);
        _end(rental);
        skip(LAG);
        escrow.close(rental);
        assertEq(_creditOf(RENTER) + _bidCredit(RENTER), _costOf(_wish()) - _cost(5 hours));
        assertEq(_creditOf(address(bids)), 0, "no refund is ever the bids contract's");
        _assertConserved(rental);
        _assertBooks(0);
    }

    function test_AWishBecomesARentalThatIsNeverDelivered() external {
        _ready(MACHINE, 1e9);
        uint32 start = _now();
        uint64 rental = _fill(_posted(), MACHINE);
        skip(10 minutes);
        IArbiter.SignedAttestation[] memory seen =
            _attest(IArbiter.Kind.NotDelivered, rental, start, start + 10 minutes, 3);
        uint64 caseId = arbiter.file(IArbiter.Kind.NotDelivered, rental, 0, seen);
        skip(1 days);
        arbiter.execute(caseId);
        escrow.close(rental);
        assertEq(_creditOf(RENTER) + _bidCredit(RENTER), _costOf(_wish()), "every rao is the renter's again");
        assertEq(_creditOf(MINER), 0);
    }

    function test_AWishBecomesARentalThatTheMinerAbandons() external {
        _ready(MACHINE, 1e9);
        uint64 rental = _fill(_posted(), MACHINE);
        skip(2 hours);
        _abandon(rental);
        skip(LAG);
        escrow.close(rental);
        assertEq(_creditOf(RENTER) + _bidCredit(RENTER), _costOf(_wish()) - _cost(2 hours));
        assertEq(_creditOf(MINER), _cost(2 hours));
    }

    function _introduce(address account) private {
        TRANSFERS.introduce(MAPPING.addressMapping(account), account);
    }

    /* CONSERVATION */

    /// @dev Ghost sums of every step, in rao.
    struct Sums {
        uint256 posted;
        uint256 cost;
        uint256 change;
        uint256 returned;
        uint256 open;
    }

    Sums private sums;
    uint256 private dice;

    function testFuzz_PostedIsCostAndChangeAndReturnedAndOpen(uint256 seed) external {
        dice = seed;
        for (uint256 i = 0; i < MACHINES; ++i) {
            _ready(keccak256(abi.encode(i)), 1e10);
        }
        for (uint256 i = 0; i < STEPS; ++i) {
            skip(_roll(12 hours));
            uint256 what = _roll(8);
            if (what < 3) _postSomething();
            else if (what < 6) _fillSomething();
            else if (what == 6) _giveSomethingUp();
            else _reprice();
            _assertSums();
        }
        skip(MAX_LIFE);
        for (uint64 bid = 1; bid <= bids.bidCount(); ++bid) {
            if (_statusOf(bid) == IRentalBids.Status.Open) _returnIt(STRANGER, bid);
        }
        _assertSums();
        assertEq(sums.open, 0);
        assertEq(_bidCredit(RENTER), sums.posted - sums.cost, "all that was not rent is the renter's");
    }

    function _assertSums() private view {
        assertEq(sums.posted, sums.cost + sums.change + sums.returned + sums.open, "in == out");
        assertEq(_bidCredit(RENTER), sums.change + sums.returned, "credit");
        assertEq(_rao(escrow.liabilities()), sums.cost, "what the escrow was sent");
        _assertBooks(sums.open);
    }

    function _roll(uint256 sides) private returns (uint256) {
        dice = uint256(keccak256(abi.encode(dice)));
        return dice % sides;
    }

    function _postSomething() private {
        IRentalBids.Bid memory b = _wish();
        b.maxPrice = RaoPerSecond.wrap((1 + _roll(2 * PRICE)).toUint40());
        b.durationSecs = (1 hours + _roll(2 days)).toUint32();
        b.expiresAt = _at(_now() + 1 + _roll(3 days).toUint32());
        _post(b, _costOf(b) * WEI);
        sums.posted += _costOf(b);
        sums.open += _costOf(b);
    }

    /// @dev Whatever the escrow says to it, the sums hold; what is certain beforehand is predicted.
    function _fillSomething() private {
        uint64 bid = _roll(bids.bidCount() + 2).toUint64();
        bytes32 machine = keccak256(abi.encode(_roll(MACHINES)));
        IRentalBids.Bid memory b = bids.bidAt(bid);
        (IRentalEscrow.Offer memory terms,,) = escrow.offerOf(machine);
        bool fits = b.status == IRentalBids.Status.Open && _at(_now()) < b.expiresAt
            && RaoPerSecond.unwrap(terms.price) <= RaoPerSecond.unwrap(b.maxPrice);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(machine, 3);
        vm.prank(STRANGER);
        try bids.fill(bid, machine, certificates) {
            assertTrue(fits, "nothing is filled that must not be");
            uint256 cost = uint256(RaoPerSecond.unwrap(terms.price)) * b.durationSecs;
            sums.open -= _costOf(b);
            sums.cost += cost;
            sums.change += _costOf(b) - cost;
        } catch { }
    }

    function _giveSomethingUp() private {
        uint64 bid = _roll(bids.bidCount() + 2).toUint64();
        IRentalBids.Bid memory b = bids.bidAt(bid);
        if (b.status == IRentalBids.Status.Open) return _returnIt(RENTER, bid);
        vm.expectRevert(_notOpen(bid, b.status));
        _giveUp(RENTER, bid);
    }

    function _returnIt(address caller, uint64 bid) private {
        uint256 cost = _costOf(bids.bidAt(bid));
        _giveUp(caller, bid);
        sums.open -= cost;
        sums.returned += cost;
    }

    function _reprice() private {
        IRentalEscrow.Offer memory terms = _terms();
        terms.price = RaoPerSecond.wrap((1 + _roll(PRICE)).toUint40());
        vm.prank(MINER);
        escrow.offer(keccak256(abi.encode(_roll(MACHINES))), terms);
    }
}
