// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IKeeperSet } from "../../src/interfaces/IKeeperSet.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Eip712 } from "../../src/libraries/Eip712.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { ArbiterBase } from "./ArbiterBase.t.sol";

contract FileSpoofedTest is ArbiterBase {
    uint64 private constant FREE = 1e9 - H100_BOND; // .279 TAO
    uint32 private constant LIFE = 24 hours;

    function setUp() public override {
        super.setUp();
        skip(2 hours);
    }

    function _good() private view returns (IArbiter.SignedSpoof[] memory) {
        return _spoofs(H100, 1, _now(), 3);
    }

    function _refuseSpoof(IArbiter.SignedSpoof[] memory spoofs, bytes memory expected) private {
        vm.expectRevert(expected);
        _fileSpoofed(H100, 1, spoofs);
        assertEq(arbiter.caseCount(), 0, "no case");
    }

    function _exit(uint64 amount) private {
        vm.prank(MINER);
        vault.requestExit(MACHINE, Rao.wrap(amount));
    }

    /* REVERTS */

    function test_RevertWhen_TheRegistrationIsNotTheCurrentOne() external {
        bytes4 selector = IArbiter.Arbiter_NotCurrent.selector;
        IArbiter.SignedSpoof[] memory spoofs = _good();
        vm.expectRevert(abi.encodeWithSelector(selector, MACHINE, 2, 1));
        arbiter.fileSpoofed(MACHINE, 2, H100, 1, spoofs);
        vm.expectRevert(abi.encodeWithSelector(selector, OTHER_MACHINE, 1, 0));
        arbiter.fileSpoofed(OTHER_MACHINE, 1, H100, 1, spoofs);
        vm.expectRevert(abi.encodeWithSelector(selector, OTHER_MACHINE, 0, 0));
        arbiter.fileSpoofed(OTHER_MACHINE, 0, H100, 1, spoofs);
    }

    function test_RevertWhen_TooFewOrForgedOrUnsorted() external {
        _refuseSpoof(_spoofs(H100, 1, _now(), 0), _noQuorum(0));
        _refuseSpoof(_spoofs(H100, 1, _now(), 1), _noQuorum(1));
        IArbiter.SignedSpoof[] memory spoofs = _good();
        spoofs[0] = _spoof(uint256(keccak256("forger")), 1, H100, 1, _now());
        _refuseSpoof(spoofs, _noQuorum(3));
        spoofs = _good();
        spoofs[1] = spoofs[0];
        bytes4 selector = IKeeperSet.KeeperSet_SignersNotAscending.selector;
        _refuseSpoof(spoofs, abi.encodeWithSelector(selector, keeperAccounts[0], keeperAccounts[0]));
    }

    function test_RevertWhen_TheStatementIsNotTheOneSigned() external {
        IArbiter.SignedSpoof[] memory spoofs = _good();
        vm.expectRevert(); // recovered signers are nobody: not keepers, or not ascending
        _fileSpoofed(H100, 8, spoofs);
        vm.expectRevert();
        _fileSpoofed(H100 + 1, 1, spoofs);
        spoofs[0].evidence = keccak256("other proof");
        _refuseSpoof(spoofs, _noQuorum(3));
        spoofs[0] = _spoof(keeperKeys[0], 2, H100, 1, _now());
        _refuseSpoof(spoofs, _noQuorum(3));
    }

    function test_RevertWhen_ASignatureIsOfNobodyOrMalleable() external {
        IArbiter.SignedSpoof[] memory spoofs = _good();
        spoofs[1].r = 0;
        vm.expectPartialRevert(Eip712.Eip712_BadSignature.selector);
        _fileSpoofed(H100, 1, spoofs);
        spoofs = _good();
        spoofs[1].vs = bytes32(type(uint256).max);
        vm.expectPartialRevert(Eip712.Eip712_BadSignature.selector);
        _fileSpoofed(H100, 1, spoofs);
    }

    function test_RevertWhen_ProvedInTheFuture() external {
        bytes4 selector = IArbiter.Arbiter_BadInterval.selector;
        _refuseSpoof(_spoofs(H100, 1, _now() + 1, 3), abi.encodeWithSelector(selector, 0, _now() + 1, _now()));
    }

    function test_RevertWhen_TheProofIsTooOld() external {
        skip(LIFE);
        uint32 oldest = _now() - LIFE;
        bytes4 selector = IArbiter.Arbiter_Stale.selector;
        _refuseSpoof(_spoofs(H100, 1, oldest - 1, 3), abi.encodeWithSelector(selector, 0, oldest - 1, oldest));
        _fileSpoofed(H100, 1, _spoofs(H100, 1, oldest, 3));
    }

    function test_RevertWhen_TheSameProofIsFiledTwice() external {
        IArbiter.SignedSpoof[] memory spoofs = _good();
        _fileSpoofed(H100, 1, spoofs);
        bytes4 selector = IArbiter.Arbiter_Stale.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 0, _now(), _now()));
        _fileSpoofed(H100, 1, spoofs);
        skip(1 hours);
        vm.expectRevert(abi.encodeWithSelector(selector, 0, _now() - 1 hours, _now() - 1 hours));
        _fileSpoofed(H100, 1, spoofs);
        assertEq(_penaltyOf(1), H100_BOND);
        assertEq(arbiter.caseCount(), 1);
    }

    function test_RevertWhen_SignedForAnotherChainOrContract() external {
        IArbiter.SignedSpoof[] memory spoofs = new IArbiter.SignedSpoof[](1);
        spoofs[0] = _good()[0];
        vm.chainId(block.chainid + 1);
        _refuseSpoof(spoofs, _noQuorum(1));
        spoofs = _good();
        bytes32 typehash = keccak256(
            "Spoof(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,"
            "uint32 provedAt,bytes32 evidence)"
        );
        bytes32 hash = keccak256(
            abi.encode(typehash, MACHINE, uint32(1), H100, uint16(1), spoofs[0].provedAt, spoofs[0].evidence)
        );
        (spoofs[0].r, spoofs[0].vs) = _sign(keeperKeys[0], address(escrow), hash);
        _refuseSpoof(spoofs, _noQuorum(3));
        (spoofs[0].r, spoofs[0].vs) = _sign(keeperKeys[0], address(arbiter), hash);
        _fileSpoofed(H100, 1, spoofs);
    }

    function test_RevertGiven_TheMachineIsRetired() external {
        _end(rental);
        skip(LAG);
        escrow.close(rental);
        _exit(1e9);
        skip(2 days);
        vm.startPrank(MINER);
        vault.withdraw(MACHINE);
        vault.retire(MACHINE);
        vm.stopPrank();
        bytes4 selector = IArbiter.Arbiter_NotCurrent.selector;
        _refuseSpoof(_good(), abi.encodeWithSelector(selector, MACHINE, 1, 0));
        assertEq(_register(MACHINE), 2);
        _refuseSpoof(_good(), abi.encodeWithSelector(selector, MACHINE, 1, 2));
    }

    /* THE WAY THROUGH */

    modifier whenAQuorumSaysSo() {
        _;
        _assertBooks();
    }

    function test_GivenARentalRuns() external whenAQuorumSaysSo {
        bytes32[] memory evidence = new bytes32[](3);
        for (uint256 i = 0; i < 3; ++i) {
            evidence[i] = _good()[i].evidence;
        }
        uint64 penalty = H100_BOND;
        IArbiter.SignedSpoof[] memory spoofs = _good();
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Ended(rental, _at(_now()), Rao.wrap(_cost(DAY - 2 hours)));
        vm.expectEmit(address(vault));
        emit ICollateralVault.SetAside(1, Rao.wrap(penalty));
        vm.expectEmit(address(arbiter));
        emit IArbiter.Filed(1, rental, 1, IArbiter.Kind.Spoofed, 0, Rao.wrap(penalty), keeperAccounts, evidence);
        assertEq(_fileSpoofed(H100, 1, spoofs), 1);

        IArbiter.Case memory c = arbiter.caseAt(1);
        assertEq(uint8(c.kind), uint8(IArbiter.Kind.Spoofed));
        assertEq(uint8(c.status), uint8(IArbiter.Status.Filed));
        assertEq(uint8(c.cause), uint8(IArbiter.Cause.None));
        assertEq(c.rental, rental);
        assertEq(c.registration, 1);
        assertEq(Timestamp.unwrap(c.filedAt), _now());
        assertEq(c.withheldSecs, 0, "what was served is paid");
        assertEq(_rao(c.penalty), penalty);
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), _now());
        assertEq(_creditOf(RENTER), _cost(DAY - 2 hours));
        _assertBond(H100_BOND - (penalty - FREE), penalty, 0, 0); // free first, then the reserve
        _assertConserved(rental);
    }

    function test_GivenTheRentalIsOverButNotClosed() external whenAQuorumSaysSo {
        _end(rental);
        skip(LAG);
        _fileSpoofed(H100, 2, _spoofs(H100, 2, _now(), 3));
        assertEq(arbiter.caseAt(1).rental, rental);
        _assertBond(0, 1e9, 0, 0);
        escrow.close(rental);
        assertEq(_creditOf(MINER), _cost(2 hours), "what was served is paid all the same");
    }

    function test_GivenTheMachineIsIdle() external whenAQuorumSaysSo {
        _end(rental);
        skip(LAG);
        escrow.close(rental);
        _fileSpoofed(H100, 1, _good());
        assertEq(arbiter.caseAt(1).rental, 0);
        _assertBond(0, H100_BOND, 0, 1e9 - H100_BOND);
    }

    /// @dev The old rental is over and not closed, the new one runs: both reserves answer, the older place first.
    function test_GivenTwoRentalsAreOpen() external whenAQuorumSaysSo {
        _end(rental);
        _deposit(MACHINE, 1e9);
        skip(60);
        uint64 second = _rent(MACHINE, DAY);
        uint64 free = 2e9 - 2 * H100_BOND;
        _assertBond(2 * H100_BOND, 0, 0, free);
        skip(60);
        _fileSpoofed(H100, 2, _spoofs(H100, 2, _now(), 3));
        assertEq(_penaltyOf(1), 2 * H100_BOND);
        assertEq(arbiter.caseAt(1).rental, second);
        assertEq(_reserved(rental), 0, "the old one first");
        assertEq(_reserved(second), free, "2 bonds, less what was free, less the old reserve, are left");
        _assertBond(free, 2 * H100_BOND, 0, 0);
        assertEq(Timestamp.unwrap(_rentalAt(second).end), _now());
        skip(LAG);
        escrow.close(rental);
        escrow.close(second);
        skip(APPEAL_WINDOW);
        _execute(1);
        _assertBond(0, 0, 0, free);
    }

    function test_GivenTheFirstOfTwoRentalsIsClosed() external whenAQuorumSaysSo {
        _end(rental);
        _deposit(MACHINE, 1e9);
        skip(LAG);
        uint64 second = _rent(MACHINE, DAY);
        escrow.close(rental);
        _fileSpoofed(H100, 2, _spoofs(H100, 2, _now(), 3));
        assertEq(_reserved(rental), 0);
        assertEq(_reserved(second), 2e9 - 2 * H100_BOND);
        _assertBond(2e9 - 2 * H100_BOND, 2 * H100_BOND, 0, 0);
    }

    function test_GivenBondIsExiting() external whenAQuorumSaysSo {
        _deposit(MACHINE, 1e9);
        _exit(1e9);
        _fileSpoofed(H100, 1, _good());
        _assertBond(H100_BOND, H100_BOND, 1e9 - H100_BOND, FREE);
    }

    function test_GivenExitingAndFreeBondAreNotEnough() external whenAQuorumSaysSo {
        _exit(1e8);
        _fileSpoofed(H100, 1, _good());
        _assertBond(H100_BOND - (H100_BOND - FREE), H100_BOND, 0, 0);
    }

    function test_GivenThereIsLessBondThanThePenalty() external whenAQuorumSaysSo {
        _fileSpoofed(H100, 8, _spoofs(H100, 8, _now(), 3));
        assertEq(_penaltyOf(1), 1e9);
        _assertBond(0, 1e9, 0, 0);
    }

    function test_WhenTheClassHasNoBond() external whenAQuorumSaysSo {
        _fileSpoofed(77, 1, _spoofs(77, 1, _now(), 3));
        assertEq(_penaltyOf(1), 0);
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), _now());
    }

    function test_GivenFewerThanThreeKeepersAreLeft() external whenAQuorumSaysSo {
        vm.prank(OWNER);
        keepers.dismiss(keeperAccounts[2]);
        _fileSpoofed(H100, 1, _spoofs(H100, 1, _now(), 2));
        assertEq(_penaltyOf(1), 0);
        assertEq(Timestamp.unwrap(_rentalAt(rental).end), _now(), "but it ends");
        _assertBond(H100_BOND, 0, 0, FREE);
        skip(APPEAL_WINDOW);
        _execute(1);
        assertEq(_rao(vault.toBurn()), 0);
    }

    function test_WhenThereIsANewProofAfterTheLastOne() external whenAQuorumSaysSo {
        _fileSpoofed(H100, 1, _good());
        skip(1);
        _deposit(MACHINE, 5e9);
        _fileSpoofed(H100, 1, _good());
        assertEq(_penaltyOf(2), H100_BOND);
    }

    function test_WhenItIsOfferedAgainWithOlderCertificates() external whenAQuorumSaysSo {
        _end(rental);
        skip(LAG);
        escrow.close(rental);
        _deposit(MACHINE, 1e9);
        RentCall memory c = _goodRent(MACHINE); // measured before it was caught
        skip(1);
        _fileSpoofed(H100, 1, _good());
        c.offerHash = _offer(MACHINE);
        vm.expectPartialRevert(IRentalEscrow.RentalEscrow_CertificateStale.selector);
        _send(c);
    }

    /* A TOTAL FUNCTION */

    struct Draw {
        uint8 state;
        uint8 registration;
        uint8 signers;
        uint8 earlier;
        uint8 unknown;
        uint16 count;
        uint32 provedAt;
        uint64 exiting;
    }

    uint32 private lastSpoofed;
    bool private closed;

    function testFuzz_EveryFilingIsTakenOrRefusedByTheFirstRuleItBreaks(Draw memory d) external {
        _history(d);
        uint32 registration = d.registration % 16 == 0 ? 2 : 1;
        uint256 signers = d.signers % 8 == 0 ? d.signers / 8 % 2 : 2 + d.signers % 2;
        uint16 gpuClass = d.unknown % 8 == 0 ? 77 : H100;
        d.count %= 6;
        d.provedAt = _now() + 60 - d.provedAt % (d.provedAt % 8 == 0 ? 2 * LIFE : LIFE + 60);
        (, uint64 reserved, uint64 held, uint64 exiting, uint64 free) = _bond();
        IArbiter.SignedSpoof[] memory spoofs = _spoofs(gpuClass, d.count, d.provedAt, signers);
        uint64 count = arbiter.caseCount();
        bool success = _expect(_prediction(registration, signers, d.provedAt));
        arbiter.fileSpoofed(MACHINE, registration, gpuClass, d.count, spoofs);
        if (!success) {
            _assertBond(reserved, held, exiting, free);
            return;
        }
        uint64 penalty = gpuClass == H100 ? H100_BOND * d.count : 0;
        uint64 fromExiting = penalty < exiting ? penalty : exiting;
        uint64 fromFree = penalty - fromExiting < free ? penalty - fromExiting : free;
        uint64 rest = penalty - fromExiting - fromFree;
        uint64 fromReserve = rest < reserved ? rest : reserved;
        penalty = fromExiting + fromFree + fromReserve;
        assertEq(_penaltyOf(count + 1), penalty);
        _assertBond(reserved - fromReserve, held + penalty, exiting - fromExiting, free - fromFree);
        assertEq(arbiter.caseAt(count + 1).rental, closed ? 0 : rental);
        assertLe(Timestamp.unwrap(_rentalAt(rental).end), _now());
        _assertConserved(rental);
    }

    function _bond() private view returns (uint64, uint64, uint64, uint64, uint64) {
        (Rao b, Rao r, Rao h, Rao e, Rao f) = vault.bondOf(MACHINE);
        return (_rao(b), _rao(r), _rao(h), _rao(e), _rao(f));
    }

    /// @dev Running, over, or closed; with an exit requested; perhaps with an earlier case of one GPU.
    function _history(Draw memory d) private {
        if (d.state % 4 == 1) _end(rental);
        if (d.exiting % 4 != 0) _exit(1 + d.exiting % FREE);
        if (d.earlier % 4 == 0) {
            _fileSpoofed(H100, 1, _good());
            lastSpoofed = _now();
        }
        skip(d.state % 8 < 2 ? uint32(d.state) * 10 : 1 hours + uint32(d.state) * 100);
        closed = d.state % 3 == 0 && Timestamp.unwrap(_rentalAt(rental).end) + LAG <= _now();
        if (closed) escrow.close(rental);
    }

    function _prediction(uint32 registration, uint256 signers, uint32 provedAt) private view returns (bytes memory) {
        if (registration != 1) {
            return abi.encodeWithSelector(IArbiter.Arbiter_NotCurrent.selector, MACHINE, registration, 1);
        }
        if (signers > 0) {
            if (provedAt > _now()) {
                return abi.encodeWithSelector(IArbiter.Arbiter_BadInterval.selector, 0, provedAt, _now());
            }
            if (provedAt < _now() - LIFE || provedAt <= lastSpoofed) {
                uint32 least = _max(_now() - LIFE, lastSpoofed);
                return abi.encodeWithSelector(IArbiter.Arbiter_Stale.selector, 0, provedAt, least);
            }
        }
        return signers < 2 ? _noQuorum(signers) : bytes("");
    }
}
