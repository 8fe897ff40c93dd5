// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { createEscrow, createVault } from "../Build.sol";
import { CollateralVault } from "../../src/CollateralVault.sol";
import { RentalEscrow } from "../../src/RentalEscrow.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

/// @dev The penalty is min(5 % of the reserve, what the rental has earned): the first is earned after 18,025 seconds.
contract AbandonTest is EscrowBase {
    uint64 private constant SHARE = H100_BOND / 20;

    uint64 private rental;
    uint32 private start;

    function setUp() public override {
        super.setUp();
        rental = _rented();
        start = _now();
    }

    function _onlyItsMiner(uint64 id, address caller) private view returns (bytes memory) {
        return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_OnlyItsMiner.selector, id, MINER, caller);
    }

    function _toBurn() private view returns (uint64) {
        return _rao(vault.toBurn());
    }

    function _assertOver(uint32 end, uint64 burned) private view {
        IRentalEscrow.Rental memory r = _rentalAt(rental);
        assertEq(Timestamp.unwrap(r.end), end, "it ended then");
        assertFalse(r.closed, "and is closed a lag later");
        assertEq(_creditOf(RENTER), _cost(start + DAY - end), "the rest is the renter's");
        assertEq(_toBurn(), burned, "to be burned");
        assertEq(_reserved(rental), H100_BOND - burned, "the rest of the reserve stays until it is closed");
        (Rao bonded,,,, Rao free) = vault.bondOf(MACHINE);
        assertEq(_rao(bonded), 1e9 - burned, "out of the node");
        assertEq(_rao(free), 1e9 - H100_BOND, "out of the reserve alone");
        (IRentalEscrow.Offer memory live, bytes32 offered,) = escrow.offerOf(MACHINE);
        assertEq(RaoPerSecond.unwrap(live.price), 0, "the offer is down");
        assertEq(offered, 0);
        _assertConserved(rental);
    }

    /* REVERTS */

    function test_RevertWhen_ThereIsNoSuchRental() external {
        vm.expectRevert(_noRental(2));
        _abandon(2);
        vm.expectRevert(_noRental(0));
        _abandon(0);
    }

    function test_RevertGiven_ItIsOver() external {
        vm.warp(start + DAY - 1);
        uint256 snapshot = vm.snapshotState();
        _abandon(rental); // the last second of it
        vm.revertToState(snapshot);
        vm.warp(start + DAY);
        vm.expectRevert(_over(rental, start + DAY));
        _abandon(rental);
        vm.warp(start + DAY + LAG);
        escrow.close(rental);
        vm.expectRevert(_over(rental, start + DAY));
        _abandon(rental);
        assertEq(_toBurn(), 0);
    }

    function test_RevertGiven_TheRenterEndedIt() external {
        skip(2 hours);
        _end(rental);
        vm.expectRevert(_over(rental, start + 2 hours));
        _abandon(rental);
    }

    function test_RevertGiven_ACaseEndedIt() external {
        skip(2 hours);
        _withhold(rental, 0, _now() - 20 minutes, _now(), true);
        vm.expectRevert(_over(rental, start + 2 hours));
        _abandon(rental);
        assertEq(_toBurn(), 0, "the case alone punishes it");
    }

    function test_RevertGiven_ItIsAbandonedAlready() external {
        skip(1 hours);
        _abandon(rental);
        vm.expectRevert(_over(rental, start + 1 hours));
        _abandon(rental);
        _assertOver(start + 1 hours, _cost(1 hours));
    }

    function test_RevertWhen_TheCallerIsNotItsMiner() external {
        address[5] memory others = [RENTER, STRANGER, OWNER, GUARDIAN, address(arbiter)];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(_onlyItsMiner(rental, others[i]));
            vm.prank(others[i]);
            escrow.abandon(rental);
        }
    }

    /* THE WAY THROUGH */

    function test_WhenItsMinerGivesItUp() external {
        skip(10 hours);
        uint64 rest = _cost(DAY - 10 hours);
        assertEq(SHARE, 36_050_000);
        vm.expectEmit(address(escrow));
        emit IRaoLedger.Credited(RENTER, Rao.wrap(rest), Rao.wrap(rest));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Ended(rental, _at(_now()), Rao.wrap(rest));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.OfferWithdrawn(1);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Forfeited(1, Rao.wrap(SHARE));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Abandoned(rental, Rao.wrap(SHARE));
        _abandon(rental);
        _assertOver(start + 10 hours, SHARE);
        assertEq(_rao(escrow.toBurn()), 0, "burned where the bond is");
        vault.flushBurn();
        assertEq(_toBurn(), 0);

        skip(LAG);
        escrow.close(rental);
        assertEq(_creditOf(MINER), _cost(10 hours), "what was served is paid");
        (, Rao reserved,,, Rao free) = vault.bondOf(MACHINE);
        assertEq(_rao(reserved), 0);
        assertEq(_rao(free), 1e9 - SHARE);
        _assertConserved(rental);
    }

    function test_GivenNothingIsEarnedYet() external {
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Abandoned(rental, Rao.wrap(0));
        _abandon(rental);
        _assertOver(start, 0);
        skip(LAG);
        escrow.close(rental);
        assertEq(_creditOf(MINER), 0);
        assertEq(_creditOf(RENTER), _cost(DAY), "the renter's minimum binds the renter alone");
    }

    function test_GivenLessIsEarnedThanTheShare() external {
        skip(18_024);
        uint256 snapshot = vm.snapshotState();
        _abandon(rental);
        _assertOver(start + 18_024, _cost(18_024));
        vm.revertToState(snapshot);
        skip(1);
        _abandon(rental);
        _assertOver(start + 18_025, SHARE); // exactly the share
    }

    function test_GivenWhatIsEarnedIsPaid() external {
        skip(3 hours);
        escrow.claim(rental);
        escrow.withdrawCredit(MINER);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Abandoned(rental, Rao.wrap(_cost(3 hours)));
        _abandon(rental);
        assertEq(_toBurn(), _cost(3 hours), "earned is earned, paid or not, withdrawn or not");
    }

    function test_GivenSecondsAreWithheld() external {
        skip(1 hours);
        _withhold(rental, 0, _now() - 10 minutes, _now(), false);
        _abandon(rental);
        _assertOver(start + 1 hours, _cost(50 minutes));
        assertEq(_rentalAt(rental).openSecs, 10 minutes, "the case goes on");
        skip(LAG);
        escrow.close(rental);
        assertEq(_creditOf(MINER), _cost(50 minutes));
        _decide(rental, 10 minutes, true);
        assertEq(_creditOf(RENTER), _cost(DAY - 50 minutes));
        _assertConserved(rental);
    }

    function test_GivenEverySecondIsWithheld() external {
        skip(1 hours);
        _withhold(rental, 0, start, _now(), false);
        _abandon(rental);
        _assertOver(start + 1 hours, 0);
    }

    function test_GivenTheOfferIsDownAlready() external {
        skip(1 hours);
        vm.prank(MINER);
        escrow.withdrawOffer(MACHINE);
        _abandon(rental);
        _assertOver(start + 1 hours, _cost(1 hours));
    }

    function test_GivenNewBusinessIsPausedOrAtItsSunset() external {
        skip(1 hours);
        _pause(7 days);
        _sunset();
        _abandon(rental);
        _assertOver(start + 1 hours, _cost(1 hours));
    }

    function test_GivenTheHotkeyLeftItsUid() external {
        skip(1 hours);
        METAGRAPH.remove(NETUID, 0);
        _abandon(rental);
        _assertOver(start + 1 hours, _cost(1 hours));
    }

    /* A TOTAL FUNCTION */

    function testFuzz_EveryAbandonIsTakenOrRefusedByTheFirstRuleItBreaks(
        uint8 who,
        uint8 state,
        uint32 later,
        uint32 faultSecs,
        uint64 id
    ) external {
        id = id % 8 == 0 ? id : rental;
        skip(later % (DAY + 2 * LAG));
        uint32 end = start + DAY;
        if (_now() < end) {
            faultSecs = state % 2 == 0 ? 0 : faultSecs % (_min(_now() - start, LAG) + 1);
            if (faultSecs != 0) _withhold(rental, 0, _now() - faultSecs, _now(), false);
            if (state % 8 > 5) _end(rental);
            if (state % 8 > 5) end = _max(_now(), start + 1 hours);
        } else {
            faultSecs = 0;
            if (end + LAG <= _now()) escrow.close(rental);
        }
        address caller = who % 8 == 0 ? RENTER : MINER;
        bytes memory expected;
        if (id != rental) expected = _noRental(id);
        else if (end <= _now()) expected = _over(rental, end);
        else if (caller != MINER) expected = _onlyItsMiner(rental, caller);
        vm.prank(caller);
        bool success = _expect(expected);
        escrow.abandon(id);
        uint64 burned = success ? _cost(_now() - start - faultSecs) : 0;
        if (burned > SHARE) burned = SHARE;
        if (success) return _assertOver(_now(), burned);
        assertEq(_toBurn(), 0);
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), end);
        assertEq(_creditOf(RENTER), _cost(start + DAY - end));
    }
}

/// @dev The share is the deployer's choice, between nothing and a fifth.
contract AbandonForAnyShareTest is EscrowBase {
    function testFuzz_TheShareIsTheConfigured(uint16 bps, uint32 later) external {
        bps %= 2_001;
        _deployWith(bps);
        uint64 rental = _rented();
        skip(later % DAY);
        uint64 earned = _cost(later % DAY);
        uint64 share = H100_BOND * uint64(bps) / 10_000;
        _abandon(rental);
        assertEq(_rao(vault.toBurn()), earned < share ? earned : share);
        assertEq(_creditOf(RENTER), _cost(DAY - later % DAY));
    }

    /// @dev The sibling that is missing here is the arbiter: nothing of it is needed to abandon.
    function _deployWith(uint16 bps) private {
        uint64 nonce = vm.getNonce(address(this));
        address vaultAt = vm.computeCreateAddress(address(this), nonce);
        address escrowAt = vm.computeCreateAddress(address(this), nonce + 1);
        vault = createVault(SEED_WEI, OWNER, _vaultConfig(escrowAt, address(arbiter)));
        IRentalEscrow.Config memory config = _escrowConfig(vaultAt, address(arbiter));
        config.abandonBps = bps;
        (uint16[] memory classes, Rao[] memory bonds) = _classBonds();
        escrow = createEscrow(SEED_WEI, OWNER, config, classes, bonds);
    }
}
