// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { ArbiterBase } from "./ArbiterBase.t.sol";

/// @dev The way through for each kind: what is withheld, what is refunded, what is set aside, what is recorded.
contract FileTest is ArbiterBase {
    function _signers() private view returns (address[] memory) {
        return keeperAccounts;
    }

    function _evidence() private pure returns (bytes32[] memory evidence) {
        evidence = new bytes32[](3);
        evidence[0] = evidence[1] = evidence[2] = keccak256("evidence");
    }

    function _case(IArbiter.Kind kind, uint32 withheld, uint64 penalty) private view returns (bytes32) {
        IArbiter.Case memory c;
        c.kind = kind;
        c.status = IArbiter.Status.Filed;
        c.cause = IArbiter.Cause.Unreachable;
        c.rental = rental;
        c.registration = 1;
        c.filedAt = _at(_now());
        c.withheldSecs = withheld;
        c.penalty = Rao.wrap(penalty);
        return keccak256(abi.encode(c));
    }

    function _expectFiled(IArbiter.Kind kind, uint32 withheld, uint64 penalty) private {
        vm.expectEmit(address(arbiter));
        emit IArbiter.Filed(1, rental, 1, kind, withheld, Rao.wrap(penalty), _signers(), _evidence());
    }

    function test_NotDelivered_TheRenterOwesNothingAndTheMinerTwoPercent() external {
        skip(12 minutes);
        uint64 penalty = H100_BOND / 50;
        IArbiter.SignedAttestation[] memory seen = _attest(NOT_DELIVERED, rental, start, _now() - 30, 3);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Withheld(rental, 1, _at(start), _at(_now()));
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Ended(rental, _at(_now()), Rao.wrap(_cost(DAY - 12 minutes)));
        vm.expectEmit(address(vault));
        emit ICollateralVault.SetAside(1, rental, Rao.wrap(penalty));
        _expectFiled(NOT_DELIVERED, 12 minutes, penalty);
        assertEq(_file(NOT_DELIVERED, 0, seen), 1);

        assertEq(arbiter.caseCount(), 1);
        assertEq(keccak256(abi.encode(arbiter.caseAt(1))), _case(NOT_DELIVERED, 12 minutes, penalty));
        assertEq(Timestamp.unwrap(arbiter.executableAt(1)), _now() + APPEAL_WINDOW);
        assertEq(_creditOf(RENTER), _cost(DAY - 12 minutes));
        _assertFault(0, start, _now()); // what is withheld runs to now, not to the last look
        _assertBond(H100_BOND - penalty, penalty, 0, 1e9 - H100_BOND);
        _assertConserved(rental);
        skip(APPEAL_WINDOW);
        arbiter.execute(1);
        assertEq(_creditOf(RENTER), _cost(DAY), "the renter owes nothing");
        escrow.close(rental);
        assertEq(_creditOf(MINER), 0);
        _assertConserved(rental);
    }

    function test_Interrupted_TheSecondsAreWithheldAndNothingElseHappens() external {
        skip(30 minutes);
        IArbiter.SignedAttestation[] memory seen = _attest(INTERRUPTED, rental, start + 300, start + 480, 3);
        _expectFiled(INTERRUPTED, 3 minutes, 0);
        _file(INTERRUPTED, 0, seen);
        assertEq(keccak256(abi.encode(arbiter.caseAt(1))), _case(INTERRUPTED, 3 minutes, 0));
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), start + DAY);
        _assertFault(0, start + 5 minutes, start + 8 minutes);
        assertEq(_creditOf(RENTER), 0, "until it is executed");
        _assertBond(H100_BOND, 0, 0, 1e9 - H100_BOND);
        (, bytes32 offered,) = escrow.offerOf(MACHINE);
        assertTrue(offered != 0);
        _assertConserved(rental);
    }

    function test_Offline_EndsRefundsAndSetsAside() external {
        skip(20 hours);
        uint32 out = _now();
        skip(15 minutes);
        uint64 penalty = H100_BOND / 10; // earned: 20 h * 2,000 = .144 TAO, more than a tenth of the reserve
        IArbiter.SignedAttestation[] memory seen = _attest(OFFLINE, rental, out, _now(), 3);
        _expectFiled(OFFLINE, 15 minutes, penalty);
        _file(OFFLINE, 0, seen);
        assertEq(keccak256(abi.encode(arbiter.caseAt(1))), _case(OFFLINE, 15 minutes, penalty));
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), _now());
        assertEq(_creditOf(RENTER), _cost(DAY - 20 hours - 15 minutes));
        _assertFault(0, out, _now());
        _assertBond(H100_BOND - penalty, penalty, 0, 1e9 - H100_BOND);
        assertEq(_rao(vault.reserveOf(rental).held), penalty);
        (, bytes32 offered,) = escrow.offerOf(MACHINE);
        assertEq(offered, 0, "off the market until offered again");
        _assertConserved(rental);
    }

    function test_OfflineAttestationsServeInterrupted() external {
        skip(1 hours);
        IArbiter.SignedAttestation[] memory seen = _attest(INTERRUPTED, rental, start + 600, start + 1_800, 3);
        seen[1] = _attestation(keeperKeys[1], OFFLINE, rental, start + 600, start + 1_800);
        _file(INTERRUPTED, 0, seen);
        _assertFault(0, start + 600, start + 1_800);
        seen = _attest(OFFLINE, rental, start + 1_800, start + 1_900, 3);
        _file(INTERRUPTED, 1, seen);
        _assertFault(1, start + 1_800, start + 1_900);
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), start + DAY, "an interruption ends nothing");
    }

    function test_TheCauseIsOfTheLatestStart() external {
        skip(1 hours);
        IArbiter.SignedAttestation[] memory seen = _attest(INTERRUPTED, rental, start + 600, start + 1_800, 3);
        seen[1].cause = IArbiter.Cause.RenterRefused;
        seen[1].from = _at(start + 700);
        (seen[1].r, seen[1].vs) = _sign(keeperKeys[1], address(arbiter), _attestationHash(rental, seen[1]));
        _file(INTERRUPTED, 0, seen);
        assertEq(uint8(arbiter.caseAt(1).cause), uint8(IArbiter.Cause.RenterRefused));
        _assertFault(0, start + 700, start + 1_800);
    }

    function test_TwoOfThreeKeepersSuffice() external {
        skip(15 minutes);
        _file(OFFLINE, 0, _attest(OFFLINE, rental, start, _now(), 2));
        assertEq(_rentalAt(rental).faultedSecs, 15 minutes);
    }

    function test_WhatIsNotThereIsEmpty() external {
        IArbiter.Case memory none;
        assertEq(keccak256(abi.encode(arbiter.caseAt(1))), keccak256(abi.encode(none)));
        vm.expectRevert(abi.encodeWithSelector(IArbiter.Arbiter_NoCase.selector, 1));
        arbiter.executableAt(1);
    }
}
