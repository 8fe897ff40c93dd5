// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalBids } from "../../src/interfaces/IRentalBids.sol";
import { Rao, RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { GateBase } from "./GateBase.t.sol";

/// @dev SPEC invariant 8: a paused or sunset system still lets everybody out. Each verb while paused, after the
/// sunset, and both; what is stopped is in stopped.t.sol.
contract ExitsTest is GateBase {
    bytes32 private constant EMPTY = keccak256("empty machine");
    bytes32 private constant COLDKEY = keccak256("coldkey");
    uint256 private constant HOUR_WEI = uint256(PRICE) * 1 hours * WEI;

    uint64 private _running;

    /// @dev A rental two hours old, an empty node, and a bid of three days.
    function setUp() public override {
        super.setUp();
        _register(EMPTY);
        _running = _rented();
        skip(2 hours);
        vm.prank(RENTER);
        bids.post{ value: HOUR_WEI }(
            H100, 1, 1 hours, RaoPerSecond.wrap(PRICE), RENTER_KEY, Timestamp.wrap(_now() + 3 days)
        );
    }

    /// @dev `verb` with the gate shut in each of the ways it can be, and it stays shut.
    function _works(function() internal verb) private {
        for (uint256 i = 0; i < 3; ++i) {
            uint256 before = vm.snapshotState();
            if (i != 1) _pause(MAX_PAUSE);
            if (i != 0) _sunset();
            verb();
            vm.expectRevert();
            vault.requireOpen();
            vm.revertToState(before);
        }
    }

    /* RENTALS */

    function _claim() private {
        escrow.claim(_running);
        assertEq(_rao(escrow.creditOf(MINER)), uint64(PRICE) * 1 hours);
    }

    function test_WhenRentIsClaimed() external {
        _works(_claim);
    }

    function _end() private {
        vm.prank(RENTER);
        escrow.end(_running);
        assertEq(_rao(escrow.creditOf(RENTER)), uint64(PRICE) * (DAY - 2 hours));
    }

    function test_WhenARentalIsEnded() external {
        _works(_end);
    }

    function _close() private {
        _end();
        skip(1 hours);
        escrow.close(_running);
        _assertClosed();
    }

    function _assertClosed() private view {
        assertTrue(_rentalAt(_running).closed);
        assertEq(_rao(escrow.creditOf(MINER)), uint64(PRICE) * 2 hours);
        (, Rao reserved,,, Rao free) = vault.bondOf(MACHINE);
        assertEq(_rao(reserved), 0);
        assertEq(_rao(free), 1e9);
    }

    function test_WhenARentalIsClosed() external {
        _works(_close);
    }

    function _closeMany() private {
        _end();
        skip(1 hours);
        uint64[] memory rentals = new uint64[](2);
        rentals[0] = _running;
        rentals[1] = 99;
        assertEq(escrow.closeMany(rentals), 1);
        _assertClosed();
    }

    function test_WhenRentalsAreClosedTogether() external {
        _works(_closeMany);
    }

    function _abandon() private {
        vm.prank(MINER);
        escrow.abandon(_running);
        assertEq(_rao(escrow.creditOf(RENTER)), uint64(PRICE) * (DAY - 2 hours));
        assertGt(_rao(vault.toBurn()), 0);
    }

    function test_WhenARentalIsAbandoned() external {
        _works(_abandon);
    }

    /* CASES */

    function _file() private returns (uint64) {
        IArbiter.Kind kind = IArbiter.Kind.Offline;
        return arbiter.file(kind, _running, 0, _attest(kind, _running, _now() - 20 minutes, _now() - 60, 3));
    }

    function _fileEach() private {
        uint256 before = vm.snapshotState();
        assertEq(_file(), 1);
        vm.revertToState(before);
        IArbiter.Kind kind = IArbiter.Kind.Interrupted;
        arbiter.file(kind, _running, 0, _attest(kind, _running, _now() - 20 minutes, _now(), 3));
        vm.revertToState(before);
        kind = IArbiter.Kind.NotDelivered;
        uint32 start = Timestamp.unwrap(_rentalAt(_running).start);
        arbiter.file(kind, _running, 0, _attest(kind, _running, start, _now() - 60, 3));
        vm.revertToState(before);
        arbiter.fileSpoofed(MACHINE, 2, H100, 1, _spoofs(MACHINE, 2));
        assertEq(_rao(arbiter.caseAt(1).penalty), H100_BOND);
    }

    function _spoofs(bytes32 machine, uint32 registration) private view returns (IArbiter.SignedSpoof[] memory spoofs) {
        bytes32 typehash = keccak256(
            "Spoof(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,"
            "uint32 provedAt,bytes32 evidence)"
        );
        spoofs = new IArbiter.SignedSpoof[](3);
        for (uint256 i = 0; i < 3; ++i) {
            spoofs[i].provedAt = Timestamp.wrap(_now());
            bytes32 hash = keccak256(abi.encode(typehash, machine, registration, H100, 1, _now(), bytes32(0)));
            (spoofs[i].r, spoofs[i].vs) = _sign(keeperKeys[i], address(arbiter), hash);
        }
    }

    function test_WhenACaseIsFiled() external {
        _works(_fileEach);
    }

    function _appeal() private returns (uint64 caseId, uint64 bond) {
        caseId = _file();
        skip(24 hours - 1);
        bond = _rao(arbiter.appealBondOf(caseId));
        vm.prank(MINER);
        arbiter.appeal{ value: uint256(bond) * WEI }(caseId, keccak256("I was there"));
    }

    function _appealAndRule() private {
        (uint64 caseId, uint64 bond) = _appeal();
        skip(48 hours);
        uint256 before = vm.snapshotState();
        vm.prank(JUDGE);
        arbiter.rule(caseId, true);
        vm.revertToState(before);
        vm.prank(JUDGE);
        arbiter.rule(caseId, false);
        assertEq(_rao(arbiter.creditOf(MINER)), bond);
    }

    function test_WhenACaseIsAppealedAndRuled() external {
        _works(_appealAndRule);
    }

    function _execute() private {
        uint64 caseId = _file();
        skip(24 hours);
        arbiter.execute(caseId);
        assertGt(_rao(vault.toBurn()), 0);
    }

    function test_WhenACaseIsExecuted() external {
        _works(_execute);
    }

    function _silence() private {
        (uint64 caseId, uint64 bond) = _appeal();
        skip(48 hours + 1);
        arbiter.execute(caseId);
        assertEq(_rao(arbiter.creditOf(MINER)), bond);
    }

    function test_WhenTheJudgeIsSilent() external {
        _works(_silence);
    }

    /* BOND */

    function _exit() private {
        vm.startPrank(MINER);
        vault.requestExit(MACHINE, Rao.wrap(1e8));
        vault.cancelExit(MACHINE);
        vault.requestExit(MACHINE, Rao.wrap(1e8));
        skip(2 days);
        vault.withdraw(MACHINE);
        vm.stopPrank();
        assertEq(_rao(vault.creditOf(MINER)), 1e8);
    }

    function test_WhenAnExitIsRequestedAndCancelledAndRequestedAndWithdrawn() external {
        _works(_exit);
    }

    function _withdrawCredit() private {
        _end();
        _exit();
        vm.prank(MINER);
        vault.setPayoutAccount(COLDKEY);
        vault.withdrawCredit(MINER);
        assertEq(TRANSFERS.balanceOf(COLDKEY), 1e8);
        escrow.withdrawCredit(RENTER);
        assertGt(TRANSFERS.balanceOf(MAPPING.addressMapping(RENTER)), 0);
    }

    function test_WhenCreditIsWithdrawn() external {
        _works(_withdrawCredit);
    }

    function _flushBurn() private {
        _abandon();
        vault.flushBurn();
        assertGt(TRANSFERS.balanceOf(BURN), 0);
    }

    function test_WhenBurnsAreFlushed() external {
        _works(_flushBurn);
    }

    function _sweep() private {
        IRaoLedger[4] memory ledgers = [IRaoLedger(vault), escrow, arbiter, bids];
        for (uint256 i = 0; i < ledgers.length; ++i) {
            vm.deal(address(ledgers[i]), address(ledgers[i]).balance + 500 * WEI);
            ledgers[i].sweep();
            ledgers[i].flushBurn();
        }
        assertEq(TRANSFERS.balanceOf(BURN), 2_000);
    }

    function test_WhenSurplusIsSwept() external {
        _works(_sweep);
    }

    /* NODES */

    function _move() private {
        vm.prank(MINER);
        vault.setEndpoint(MACHINE, ICollateralVault.Endpoint(_endpoint().ip, 2222));
        assertEq(vault.nodeAt(2).endpoint.port, 2222);
    }

    function test_WhenAMachineMoves() external {
        _works(_move);
    }

    function _rebind() private {
        METAGRAPH.setHotkey(NETUID, 0, keccak256("swapped"));
        vm.prank(MINER);
        vault.rebind(MACHINE, 0, UID_HASH);
        assertEq(vault.nodeAt(2).hotkey, keccak256("swapped"));
    }

    function test_WhenANodeIsRebound() external {
        _works(_rebind);
    }

    function _retire() private {
        vm.prank(MINER);
        vault.retire(EMPTY);
        assertTrue(vault.nodeAt(1).retired);
    }

    function test_WhenANodeIsRetired() external {
        _works(_retire);
    }

    function _withdrawOffer() private {
        vm.prank(MINER);
        escrow.withdrawOffer(MACHINE);
    }

    function test_WhenAnOfferIsWithdrawn() external {
        _works(_withdrawOffer);
    }

    /* BIDS */

    function _giveUp() private {
        uint256 before = vm.snapshotState();
        vm.prank(RENTER);
        bids.giveUp(1);
        vm.revertToState(before);
        skip(3 days);
        vm.prank(STRANGER);
        bids.giveUp(1);
        assertEq(uint8(bids.bidAt(1).status), uint8(IRentalBids.Status.Returned));
        bids.withdrawCredit(RENTER);
        assertEq(TRANSFERS.balanceOf(MAPPING.addressMapping(RENTER)), uint64(PRICE) * 1 hours);
    }

    function test_WhenABidIsGivenUp() external {
        _works(_giveUp);
    }

    /* OWNER */

    function _setClassBond() private {
        vm.prank(OWNER);
        escrow.setClassBond(H100, Rao.wrap(1));
        assertEq(_rao(escrow.classBond(H100)), 1);
    }

    function test_WhenTheOwnerSetsAClassBond() external {
        _works(_setClassBond);
    }

    /* ALL */

    function _everybodyLeaves() private {
        _close();
        vm.startPrank(MINER);
        vault.requestExit(MACHINE, Rao.wrap(1e9));
        skip(2 days);
        vault.withdraw(MACHINE);
        vault.retire(MACHINE);
        vm.stopPrank();
        vm.prank(RENTER);
        bids.giveUp(1);
        vault.withdrawCredit(MINER);
        escrow.withdrawCredit(MINER);
        escrow.withdrawCredit(RENTER);
        bids.withdrawCredit(RENTER);
        assertEq(_rao(vault.liabilities()), 0);
        assertEq(_rao(escrow.liabilities()), 0);
        assertEq(_rao(bids.liabilities()), 0);
        uint64 earned = uint64(PRICE) * 2 hours;
        assertEq(TRANSFERS.balanceOf(MAPPING.addressMapping(MINER)), 1e9 + earned);
        uint64 paid = uint64(PRICE) * (DAY + 1 hours);
        assertEq(TRANSFERS.balanceOf(MAPPING.addressMapping(RENTER)), paid - earned);
    }

    function test_WhenEverybodyLeaves() external {
        _works(_everybodyLeaves);
    }
}
