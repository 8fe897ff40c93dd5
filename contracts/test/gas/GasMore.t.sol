// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { GasBase } from "./GasBase.sol";

/// @dev Bids, other people's rentals, ways out of a rental, and appeals; as in Gas.t.sol.
/// forge-config: default.isolate = true
/// forge-config: shipped.isolate = true
contract GasMoreTest is GasBase {
    /* ESCROW */

    function test_Escrow_RentingForSomebodyElse() external {
        _livedIn();
        _ready(MACHINE, 1e9);
        _freePrecompiles();
        (, bytes32 offerHash,) = escrow.offerOf(MACHINE);
        IRentalEscrow.SignedCertificate[] memory certificates = _certificates(MACHINE, 3);
        vm.prank(STRANGER);
        escrow.rentFor{ value: _dayWei() }(RENTER, MACHINE, DAY, RENTER_KEY, offerHash, certificates);
        _note(ESCROW, "rentFor, k=3");
    }

    function test_Escrow_Abandoning() external {
        uint64 rental = _rentNow(3);
        skip(2 hours);
        escrow.claim(rental);
        vm.prank(MINER);
        escrow.abandon(rental);
        _note(ESCROW, "abandon, first credit of the renter");
    }

    function test_Escrow_ClosingOneOfMany() external {
        uint64[] memory rentals = new uint64[](1);
        rentals[0] = _rentNow(3);
        _claimAndWait(rentals);
        escrow.closeMany(rentals);
        _note(ESCROW, "closeMany, 1");
    }

    function test_Escrow_ClosingFive() external {
        uint64[] memory rentals = _rentFive();
        _claimAndWait(rentals);
        escrow.closeMany(rentals);
        _note(ESCROW, "closeMany, 5");
        escrow.closeMany(rentals);
        _note(ESCROW, "closeMany, 5 that are closed already");
    }

    /* BIDS */

    function test_Bids_Filling() external {
        _livedIn();
        _ready(MACHINE, 1e9);
        _freePrecompiles();
        uint64 bid = _post(PRICE + 100);
        _note(BIDS, "post");
        IRentalEscrow.SignedCertificate[] memory certificates = _certificates(MACHINE, 3);
        bids.fill(bid, MACHINE, certificates);
        _note(BIDS, "fill, with change, k=3");
    }

    function test_Bids_GivingUp() external {
        _livedIn();
        uint64 bid = _post(PRICE);
        vm.prank(RENTER);
        bids.giveUp(bid);
        _note(BIDS, "giveUp");
        _freePrecompiles();
        bids.withdrawCredit(RENTER);
        _note(BIDS, "withdrawCredit");
    }

    /* ARBITER */

    function test_Arbiter_Upholding() external {
        uint64 caseId = _appealed();
        vm.prank(JUDGE);
        arbiter.rule(caseId, true);
        _note(ARBITER, "rule, upheld Offline");
        arbiter.flushBurn();
        _note(ARBITER, "flushBurn");
    }

    function test_Arbiter_Overturning() external {
        uint64 caseId = _appealed();
        vm.prank(JUDGE);
        arbiter.rule(caseId, false);
        _note(ARBITER, "rule, overturned Offline");
    }

    function test_Arbiter_SilentJudge() external {
        uint64 caseId = _appealed();
        skip(3 days);
        arbiter.execute(caseId);
        _note(ARBITER, "execute, the judge was silent, Offline");
    }

    /* STEPS */

    /// @dev After a claim, so that the miner's pay is where it usually is.
    function _appealed() private returns (uint64 caseId) {
        uint64 rental = _rentNow(3);
        skip(2 hours);
        escrow.claim(rental);
        _offline(rental, 3);
        caseId = 2;
        uint256 bondWei = _rao(arbiter.appealBondOf(caseId)) * WEI;
        vm.prank(MINER);
        arbiter.appeal{ value: bondWei }(caseId, keccak256("evidence"));
        _note(ARBITER, "appeal");
    }

    function _post(uint40 maxPrice) private returns (uint64 bid) {
        vm.prank(RENTER);
        bid = bids.post{ value: uint256(maxPrice) * DAY * WEI }(
            H100, 1, DAY, RaoPerSecond.wrap(maxPrice), RENTER_KEY, Timestamp.wrap(_time() + 1 days)
        );
    }

    function _rentFive() private returns (uint64[] memory rentals) {
        rentals = new uint64[](5);
        rentals[0] = _rentNow(3);
        for (uint256 i = 1; i < 5; ++i) {
            bytes32 machine = keccak256(abi.encode("one of five", i));
            _placeStandIns();
            _ready(machine, 1e9);
            _freePrecompiles();
            rentals[i] = _rentOne(machine, 3, RENTER);
        }
    }

    /// @dev Over, and all that was earned in the last hour but one is claimed; the last payment comes with closing.
    function _claimAndWait(uint64[] memory rentals) private {
        skip(1 days);
        for (uint256 i = 0; i < rentals.length; ++i) {
            escrow.claim(rentals[i]);
        }
        skip(2 hours);
    }

    function _dayWei() private pure returns (uint256) {
        return uint256(PRICE) * DAY * WEI;
    }
}
