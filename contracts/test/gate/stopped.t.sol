// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IGate } from "../../src/interfaces/IGate.sol";
import { IRentalBids } from "../../src/interfaces/IRentalBids.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { GateBase } from "./GateBase.t.sol";

/// @dev What the gate stops, all of it: while paused to the last second, after the sunset, and both. The rest is in
/// exits.t.sol.
contract StoppedTest is GateBase {
    bytes32 private constant OTHER = keccak256("second");
    bytes32 private constant NEW = keccak256("third");
    uint256 private constant HOUR_WEI = uint256(PRICE) * 1 hours * WEI;

    uint64 private _running;
    bytes32 private _offerHash;

    /// @dev A running rental, another machine on offer, a third ready to register, and an open bid: with an open gate
    /// all of the tests below would go through.
    function setUp() public override {
        super.setUp();
        _ready(MACHINE, 1e9);
        _running = _rent(MACHINE, 10 * DAY);
        _offerHash = _ready(OTHER, 1e9);
        _signRegistration(NEW, MINER);
        _post();
    }

    /// @dev `verb` works, and does not while the gate is shut, in any of the ways it can be; then no money has moved.
    function _isStopped(function() internal verb) private {
        bytes memory closed = abi.encodeWithSelector(IGate.Gate_Sunset.selector);
        uint32 until = _now() + MAX_PAUSE;
        uint256 before = vm.snapshotState();
        _pause(MAX_PAUSE);
        vm.warp(until - 1);
        _refuses(verb, abi.encodeWithSelector(IGate.Gate_Paused.selector, until));
        vm.warp(until);
        verb();
        vm.revertToState(before);
        _sunset();
        _refuses(verb, closed);
        _pause(1 days);
        _refuses(verb, closed);
        _unpause();
        _refuses(verb, closed);
    }

    bytes private _expected;

    function _refuses(function() internal verb, bytes memory expected) private {
        bytes32 before = _money();
        _expected = expected;
        verb();
        _expected = "";
        assertEq(_money(), before, "no money has moved");
    }

    /// @dev Each verb calls this right before the call that counts.
    function _expect() private {
        if (_expected.length != 0) vm.expectRevert(_expected);
    }

    function _money() private view returns (bytes32) {
        return keccak256(
            abi.encode(
                [MINER.balance, RENTER.balance, STRANGER.balance],
                [address(vault).balance, address(escrow).balance, address(bids).balance],
                [vault.liabilities(), escrow.liabilities(), bids.liabilities()],
                [vault.registrationCount(), escrow.rentalCount(), bids.bidCount()],
                vault.nodeAt(1),
                vault.nodeAt(2)
            )
        );
    }

    /* VERBS */

    function _registerNew() private {
        _expect();
        vm.prank(MINER);
        vault.register(NEW, HOTKEY, 0, UID_HASH, _endpoint(), [SIG_R, SIG_S]);
    }

    function _depositMore() private {
        _expect();
        vm.prank(MINER);
        vault.deposit{ value: WEI }(MACHINE);
    }

    function _offerAgain() private {
        IRentalEscrow.Offer memory terms = _terms();
        _expect();
        vm.prank(MINER);
        escrow.offer(OTHER, terms);
    }

    function _rentOther() private {
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(OTHER, 3);
        _expect();
        vm.prank(RENTER);
        escrow.rent{ value: HOUR_WEI }(OTHER, 1 hours, RENTER_KEY, _offerHash, certificates);
    }

    function _rentOtherFor() private {
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(OTHER, 3);
        _expect();
        vm.prank(STRANGER);
        escrow.rentFor{ value: HOUR_WEI }(RENTER, OTHER, 1 hours, RENTER_KEY, _offerHash, certificates);
    }

    function _extend() private {
        _expect();
        vm.prank(RENTER);
        escrow.extend{ value: HOUR_WEI }(_running, 1 hours);
    }

    function _post() private {
        _expect();
        vm.prank(RENTER);
        bids.post{ value: HOUR_WEI }(
            H100, 1, 1 hours, RaoPerSecond.wrap(PRICE), RENTER_KEY, Timestamp.wrap(_now() + 20 days)
        );
    }

    function _fill() private {
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(OTHER, 3);
        _expect();
        bids.fill(1, OTHER, certificates);
    }

    /* TESTS */

    function test_RevertWhen_AMachineRegisters() external {
        _isStopped(_registerNew);
    }

    function test_RevertWhen_BondIsDeposited() external {
        _isStopped(_depositMore);
    }

    function test_RevertWhen_AMachineIsOffered() external {
        _isStopped(_offerAgain);
    }

    function test_RevertWhen_AMachineIsRented() external {
        _isStopped(_rentOther);
    }

    function test_RevertWhen_AMachineIsRentedForSomebodyElse() external {
        _isStopped(_rentOtherFor);
    }

    function test_RevertWhen_ARentalIsExtended() external {
        _isStopped(_extend);
    }

    function test_RevertWhen_ABidIsPosted() external {
        _isStopped(_post);
    }

    function test_RevertWhen_ABidIsFilled() external {
        _isStopped(_fill);
        assertEq(uint8(bids.bidAt(1).status), uint8(IRentalBids.Status.Open), "it can still be given up");
    }
}
