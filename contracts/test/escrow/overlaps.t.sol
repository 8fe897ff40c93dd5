// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

/// @dev Events that meet in one rental, with the real arbiter: whoever comes first, no second is paid twice or lost.
contract EscrowOverlapsTest is EscrowBase {
    IArbiter.Kind private constant INTERRUPTED = IArbiter.Kind.Interrupted;
    IArbiter.Kind private constant OFFLINE = IArbiter.Kind.Offline;
    uint64 private constant SHARE = H100_BOND / 20;
    uint32 private constant APPEAL_WINDOW = 24 hours;

    uint64 private rental;
    uint32 private start;

    function setUp() public override {
        super.setUp();
        rental = _rented();
        start = _now();
    }

    function _file(IArbiter.Kind kind, uint8 gap, uint32 from, uint32 until) private returns (uint64) {
        IArbiter.SignedAttestation[] memory seen = _attest(kind, rental, from, until, 3);
        vm.prank(STRANGER);
        return arbiter.file(kind, rental, gap, seen);
    }

    function _toBurn() private view returns (uint64) {
        return _rao(vault.toBurn());
    }

    function _executeAll() private {
        skip(APPEAL_WINDOW);
        for (uint64 id = 1; id <= arbiter.caseCount(); ++id) {
            arbiter.execute(id);
        }
    }

    /// @dev Everything that is somebody's after it all.
    function _outcome() private view returns (bytes32) {
        return keccak256(abi.encode(_creditOf(MINER), _creditOf(RENTER), _toBurn(), vault.nodeAt(1)));
    }

    /* ABANDONED, AND EXTENDED */

    function test_AnExtensionInFrontOfAnAbandonmentIsRefundedWhole() external {
        skip(10 hours);
        _extend(rental, DAY);
        _abandon(rental);
        assertEq(_creditOf(RENTER), _cost(2 * DAY - 10 hours));
        assertEq(_toBurn(), SHARE);
        _assertConserved(rental);
    }

    function test_ALongExtensionRaisesWhatAbandoningCosts() external {
        _deposit(MACHINE, 1e9);
        skip(20 hours);
        _extend(rental, 29 days); // the reserve becomes a fifth of 30 days at 2,000 rao
        assertEq(_reserved(rental), 1_036_800_000);
        _abandon(rental);
        assertEq(_toBurn(), 1_036_800_000 / 20);
        _assertConserved(rental);
    }

    function test_AnExtensionBehindAnAbandonmentIsRefused() external {
        skip(10 hours);
        _abandon(rental);
        vm.expectRevert(_over(rental, _now()));
        _extend(rental, 1);
    }

    /* ABANDONED, AND ENDED OR CLAIMED */

    function test_AnEndInFrontOfAnAbandonmentSparesTheMiner() external {
        skip(10 hours);
        _end(rental);
        vm.expectRevert(_over(rental, _now()));
        _abandon(rental);
        assertEq(_toBurn(), 0);
        assertEq(_creditOf(RENTER), _cost(DAY - 10 hours), "the renter has the same either way");
    }

    function test_AnEndBehindAnAbandonmentIsRefused() external {
        skip(10 hours);
        _abandon(rental);
        vm.expectRevert(_over(rental, _now()));
        _end(rental);
        assertEq(_creditOf(RENTER), _cost(DAY - 10 hours));
    }

    /// @dev The renter owed the rest of the first hour; once the miner leaves, not even that.
    function test_AnAbandonmentInsideTheMinimumAfterAnEndRefundsTheMinimumToo() external {
        skip(10 minutes);
        _end(rental);
        assertEq(_creditOf(RENTER), _cost(DAY - 1 hours));
        _abandon(rental);
        assertEq(_creditOf(RENTER), _cost(DAY - 10 minutes));
        assertEq(_toBurn(), _cost(10 minutes));
        _assertConserved(rental);
    }

    function test_AClaimAndAnAbandonmentInEitherOrderComeToTheSame() external {
        skip(3 hours);
        uint256 snapshot = vm.snapshotState();
        escrow.claim(rental);
        _abandon(rental);
        bytes32 claimedFirst = _outcome();
        vm.revertToState(snapshot);
        _abandon(rental);
        escrow.claim(rental);
        assertEq(_outcome(), claimedFirst);
        _assertConserved(rental);
    }

    /* ABANDONED, AND FILED */

    function test_AnAbandonmentAfterAnInterruptionCostsOnlyWhatIsLeftEarned() external {
        skip(1 hours);
        _file(INTERRUPTED, 0, start, start + 50 minutes);
        _abandon(rental);
        assertEq(_toBurn(), _cost(10 minutes));
        skip(LAG);
        escrow.close(rental);
        _executeAll();
        assertEq(_creditOf(MINER), _cost(10 minutes));
        assertEq(_creditOf(RENTER), _cost(DAY - 10 minutes));
        _assertConserved(rental);
    }

    /// @dev Known: what is found to be faulty after the miner gave up does not make giving up cheaper.
    function test_AnInterruptionAfterAnAbandonmentIsWithheldStill() external {
        skip(1 hours);
        _abandon(rental);
        assertEq(_toBurn(), _cost(1 hours));
        skip(30 minutes);
        _file(INTERRUPTED, 0, start, start + 50 minutes);
        skip(30 minutes);
        escrow.close(rental);
        _executeAll();
        assertEq(_creditOf(MINER), _cost(10 minutes));
        assertEq(_creditOf(RENTER), _cost(DAY - 10 minutes));
        assertEq(_toBurn(), _cost(1 hours), "burned is burned");
        _assertConserved(rental);
    }

    function test_AnAbandonmentDuringAnOutageAvoidsTheOutagesPenaltyButNotItsRefund() external {
        skip(5 hours);
        _abandon(rental); // the machine has been silent for half an hour
        vm.expectRevert(abi.encodeWithSelector(IArbiter.Arbiter_RentalOver.selector, rental, _now()));
        _file(OFFLINE, 0, _now() - 30 minutes, _now());
        _file(INTERRUPTED, 0, _now() - 30 minutes, _now());
        _executeAll();
        escrow.close(rental);
        assertEq(_toBurn(), _cost(5 hours), "once");
        assertEq(_creditOf(MINER), _cost(4 hours + 30 minutes));
        assertEq(_creditOf(RENTER), _cost(DAY - 4 hours - 30 minutes));
        _assertConserved(rental);
    }

    function test_AnAbandonmentAfterAnOutageWasFiledIsRefused() external {
        skip(12 hours);
        uint64 caseId = _file(OFFLINE, 0, _now() - 30 minutes, _now());
        vm.expectRevert(_over(rental, _now()));
        _abandon(rental);
        assertEq(_rao(arbiter.caseAt(caseId).penalty), H100_BOND / 10, "the dearer of the two");
        _executeAll();
        assertEq(_toBurn(), H100_BOND / 10);
    }

    function test_ASpoofAfterAnAbandonmentTakesTheRestOfTheBond() external {
        skip(10 hours);
        _abandon(rental);
        vm.prank(address(arbiter));
        assertEq(escrow.distrust(1), rental, "not closed: still the node's");
        assertEq(_creditOf(RENTER), _cost(DAY - 10 hours), "and ended once");
        vm.prank(address(arbiter));
        assertEq(_rao(vault.setAsideAny(1, Rao.wrap(2e9))), 1e9 - SHARE, "all there is");
        skip(LAG);
        escrow.close(rental);
        _assertConserved(rental);
    }

    function test_AnAbandonmentAfterASpoofIsRefused() external {
        skip(10 hours);
        vm.prank(address(arbiter));
        escrow.distrust(1);
        vm.expectRevert(_over(rental, _now()));
        _abandon(rental);
    }

    /* CLOSED, AND FILED */

    function test_ARentalClosesOverTwoOpenCasesDecidedEitherWayLater() external {
        skip(2 hours);
        _file(INTERRUPTED, 0, start + 80 minutes, start + 90 minutes);
        uint64 second = _file(INTERRUPTED, 1, start + 100 minutes, start + 120 minutes);
        _end(rental);
        skip(LAG);
        escrow.close(rental);
        assertEq(_creditOf(MINER), _cost(90 minutes));
        assertEq(_reserved(rental), 0);
        assertEq(_rentalAt(rental).openSecs, 30 minutes);
        _assertConserved(rental);
        uint64 bond = _rao(arbiter.appealBondOf(second));
        vm.prank(MINER);
        arbiter.appeal{ value: bond * WEI }(second, "");
        vm.prank(JUDGE);
        arbiter.rule(second, false);
        skip(APPEAL_WINDOW);
        arbiter.execute(1);
        assertEq(_creditOf(MINER), _cost(110 minutes));
        assertEq(_creditOf(RENTER), _cost(DAY - 110 minutes));
        assertEq(_rentalAt(rental).openSecs, 0);
        _assertConserved(rental);
    }

    function test_NothingIsFiledOnceItIsClosed() external {
        skip(2 hours);
        _end(rental);
        skip(LAG - 1);
        _file(INTERRUPTED, 0, start + 119 minutes, start + 2 hours);
        skip(1);
        escrow.close(rental);
        IArbiter.SignedAttestation[] memory seen =
            _attest(INTERRUPTED, rental, start + 61 minutes, start + 65 minutes, 3);
        vm.expectPartialRevert(IArbiter.Arbiter_TooShort.selector);
        arbiter.file(INTERRUPTED, rental, 0, seen);
    }

    /* ENDED DURING AN OUTAGE */

    function test_AnEndDuringAnOutageLeavesItsSecondsToBeFiled() external {
        skip(5 hours);
        _end(rental);
        skip(LAG - 1);
        _file(INTERRUPTED, 0, start + 4 hours, start + 5 hours);
        skip(1);
        uint256 snapshot = vm.snapshotState();
        escrow.close(rental);
        _executeAll();
        bytes32 closedFirst = _outcome();
        vm.revertToState(snapshot);
        _executeAll();
        escrow.close(rental);
        assertEq(_outcome(), closedFirst, "executed and closed in either order");
        assertEq(_creditOf(MINER), _cost(4 hours));
        assertEq(_creditOf(RENTER), _cost(DAY - 4 hours));
        _assertConserved(rental);
    }

    function test_AnExtensionDuringAnOutageIsPaidBackWithIt() external {
        skip(5 hours);
        _extend(rental, DAY);
        _file(OFFLINE, 0, _now() - 20 minutes, _now());
        _executeAll();
        escrow.close(rental);
        assertEq(_creditOf(RENTER), _cost(2 * DAY - 5 hours + 20 minutes));
        assertEq(_creditOf(MINER), _cost(5 hours - 20 minutes));
        _assertConserved(rental);
    }

    /* THE OFFER CHANGES */

    function test_AnOfferChangedAndChangedBackIsTheOneAgreedTo() external {
        _ready(OTHER_MACHINE, 1e9);
        RentCall memory c = _goodRent(OTHER_MACHINE);
        IRentalEscrow.Offer memory terms = _terms();
        terms.price = RaoPerSecond.wrap(PRICE + 1);
        vm.startPrank(MINER);
        bytes32 dearer = escrow.offer(OTHER_MACHINE, terms);
        vm.stopPrank();
        _refuse(c, abi.encodeWithSelector(IRentalEscrow.RentalEscrow_OfferChanged.selector, dearer, c.offerHash));
        assertEq(_offer(OTHER_MACHINE), c.offerHash);
        assertEq(_send(c), 2);
        assertEq(RaoPerSecond.unwrap(_rentalAt(2).price), PRICE);
    }

    function test_AnOfferWithdrawnInFrontOfARentTakesNoMoney() external {
        _ready(OTHER_MACHINE, 1e9);
        RentCall memory c = _goodRent(OTHER_MACHINE);
        vm.prank(MINER);
        escrow.withdrawOffer(OTHER_MACHINE);
        _refuse(c, abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoOffer.selector, OTHER_MACHINE));
    }

    function test_AnOfferShortenedInFrontOfAnExtensionRefusesIt() external {
        IRentalEscrow.Offer memory terms = _terms();
        terms.maxDurationSecs = DAY;
        vm.prank(MINER);
        escrow.offer(MACHINE, terms);
        bytes4 selector = IRentalEscrow.RentalEscrow_BadDuration.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, DAY + 1, DAY + 1, DAY));
        _extend(rental, 1);
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), start + DAY, "the rental itself goes on");
    }

    /* THE NEXT TENANT */

    function test_AfterAnAbandonmentTheNextTenantHasAReserveOfItsOwn() external {
        _deposit(MACHINE, 1e9);
        skip(10 hours);
        _abandon(rental);
        _offer(MACHINE);
        RentCall memory c = _goodRent(MACHINE);
        bytes4 selector = IRentalEscrow.RentalEscrow_NotReady.selector;
        _refuse(c, abi.encodeWithSelector(selector, MACHINE, _now() + 60));
        skip(60);
        uint64 next = _send(_goodRent(MACHINE));
        assertEq(_reserved(rental), H100_BOND - SHARE);
        assertEq(_reserved(next), H100_BOND);
        skip(LAG);
        escrow.close(rental);
        assertEq(_reserved(next), H100_BOND, "closing the old one leaves it alone");
        vm.prank(MINER);
        escrow.abandon(next);
        assertEq(_toBurn(), SHARE + _cost(LAG));
    }
}
