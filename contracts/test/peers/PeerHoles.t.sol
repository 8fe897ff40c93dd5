// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Vm } from "forge-std/Vm.sol";
import { IAppointedKeepers } from "../../src/interfaces/IAppointedKeepers.sol";
import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { Hostile, PeersBase } from "./PeersBase.t.sol";

/// @dev Holes of slashing and paying (those of exits and owners: PeerHolesExits.t.sol)
/// found in collateral contracts in use on Bittensor and in staking systems elsewhere; 1 to 10 were reproduced against
/// them, unmodified. Each must stay impossible here. The number is the hole's.
contract PeerHolesTest is PeersBase {
    /// @dev There: the slash sends money in the same call, so a burn address or payee that reverts blocks slashing.
    /// Here: filing and executing pay nobody; while the chain refuses every payment, the penalty waits in the books.
    function test_Hole07_RevertingPayee() external {
        TRANSFERS.setFailing(true);
        _ready(MACHINE, BOND);
        Hostile renter = new Hostile{ value: uint256(PRICE) * DAY * WEI }(escrow);
        (, bytes32 offerHash,) = escrow.offerOf(MACHINE);
        uint64 rental = renter.rent(MACHINE, DAY, offerHash, _certify(MACHINE, 3));
        skip(1 hours);
        uint64 caseId = _goOffline(rental);
        skip(1 days);
        arbiter.execute(caseId);
        uint64 penalty = _rao(arbiter.caseAt(caseId).penalty);
        assertGt(penalty, 0);
        assertEq(_rao(vault.toBurn()), penalty);
        TRANSFERS.setFailing(false);
        vault.flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), penalty);
        escrow.withdrawCredit(address(renter));
        assertFalse(renter.ran());
    }

    /// @dev There: a slash of zero emits the same event as any other, and counts in whoever reads them.
    /// Here: a case without a penalty forfeits nothing, and nothing says it did.
    function test_Hole08_ZeroAmountSlash() external {
        uint64 rental = _rented();
        uint64 caseId = _goOffline(rental); // out from the first second: it has earned nothing
        assertEq(_rao(arbiter.caseAt(caseId).penalty), 0);
        skip(1 days);
        vm.recordLogs();
        arbiter.execute(caseId);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(_count(logs, ICollateralVault.Forfeited.selector), 0);
        assertEq(_count(logs, IArbiter.Executed.selector), 1, "the withheld pay is decided all the same");
        assertEq(_rao(vault.toBurn()), 0);
        assertEq(_bond(MACHINE).bonded, BOND);
    }

    /// @dev There: the trustee denies a request, the miner asks again, it is denied again: nobody's word is final.
    /// Here: nobody can deny an exit. A case takes what it says and the rest leaves on its day, and the same proof or
    /// the same seconds make no second case.
    function test_Hole09_EndlessDenyLoop() external {
        uint64 rental = _rented();
        _requestExit(MACHINE, BOND - H100_BOND);
        skip(1 hours);
        _goOffline(rental);
        IArbiter.SignedAttestation[] memory again =
            _attest(IArbiter.Kind.Interrupted, rental, _now() - 20 minutes, _now() - 60, 3);
        for (uint8 gap = 0; gap < 2; ++gap) {
            vm.expectPartialRevert(IArbiter.Arbiter_TooShort.selector);
            arbiter.file(IArbiter.Kind.Interrupted, rental, gap, again);
        }
        skip(2 days);
        _withdraw(MACHINE);
        assertEq(_rao(vault.creditOf(MINER)), BOND - H100_BOND);

        IArbiter.SignedSpoof[] memory spoofs = _spoofs(MACHINE, 1, 3);
        arbiter.fileSpoofed(MACHINE, 1, H100, 1, spoofs);
        vm.expectRevert(abi.encodeWithSelector(IArbiter.Arbiter_Stale.selector, 0, _now(), _now()));
        arbiter.fileSpoofed(MACHINE, 1, H100, 1, spoofs);
    }

    /// @dev There: the slash asks for balance minus pending exits and reverts when that is less than the whole, so an
    /// exit of 1 wei, renewed for ever, is an insurance.
    /// Here: a case takes what there is, exiting first, and never reverts because of who moved first.
    function test_Hole10_TinyArmedExit() external {
        _ready(MACHINE, H100_BOND);
        _requestExit(MACHINE, 1);
        uint64 caseId = _spoofed(MACHINE, 1);
        assertEq(_rao(arbiter.caseAt(caseId).penalty), H100_BOND, "all of it");
        assertEq(_bond(MACHINE).held, H100_BOND);
        caseId = _spoofedAgain();
        assertEq(_rao(arbiter.caseAt(caseId).penalty), 0, "nothing is left, and still nothing reverts");
    }

    function _spoofedAgain() private returns (uint64) {
        skip(1);
        return _spoofed(MACHINE, 8);
    }

    /// @dev There: money is sent by calling the payee, before or without a guard. On Subtensor that is worse: any code
    /// a contract calls can delegatecall a precompile and act as that contract.
    /// Here: a whole rental, its case and every payment call precompiles and siblings only.
    function test_Hole11_HostilePayee() external {
        vm.startStateDiffRecording();
        _ready(MACHINE, BOND);
        Hostile renter = new Hostile{ value: uint256(PRICE) * DAY * WEI }(escrow);
        TRANSFERS.introduce(MAPPING.addressMapping(address(renter)), address(renter));
        (, bytes32 offerHash,) = escrow.offerOf(MACHINE);
        uint64 rental = renter.rent(MACHINE, DAY, offerHash, _certify(MACHINE, 3));
        skip(2 hours);
        escrow.claim(rental);
        uint64 caseId = _goOffline(rental);
        _appeal(caseId);
        skip(3 days + 1); // the judge is silent
        escrow.close(rental);
        arbiter.execute(caseId);
        arbiter.withdrawCredit(MINER);
        _fillABid();
        uint64 owed = _rao(escrow.creditOf(address(renter)));
        escrow.withdrawCredit(address(renter));
        escrow.withdrawCredit(MINER);
        vault.flushBurn();
        _assertOnlyKnownCalls(vm.stopAndReturnStateDiff());
        assertFalse(renter.ran());
        assertEq(address(renter).balance, uint256(owed) * WEI, "paid without being called");
    }

    function _fillABid() private {
        _offer(MACHINE);
        vm.prank(RENTER);
        uint64 bid = bids.post{ value: uint256(PRICE) * DAY * WEI }(
            H100, 1, DAY, RaoPerSecond.wrap(PRICE), RENTER_KEY, Timestamp.wrap(_now() + 1)
        );
        bids.fill(bid, MACHINE, _certify(MACHINE, 3));
    }

    /// @dev There: a sponsor pays for a deal, and settlement charges another account's stake.
    /// Here: who pays is charged then and there, refunds are the renter's as announced (of a rental that was a gift
    /// too), and a case reaches the bond of the node that failed and no other, not even of the same miner.
    function test_Hole14_SponsorCharge() external {
        uint64 rental = _rented();
        bytes32 other = keccak256("the miner's other machine");
        _ready(other, BOND);
        uint256 renterBalance = RENTER.balance;
        uint256 sponsorBalance = STRANGER.balance;
        uint256 costWei = uint256(PRICE) * 1 hours * WEI;
        vm.prank(STRANGER);
        escrow.extend{ value: costWei }(rental, 1 hours);
        assertEq(STRANGER.balance, sponsorBalance - costWei);
        skip(2 hours);
        uint64 caseId = _goOffline(rental);
        skip(1 days);
        arbiter.execute(caseId);
        escrow.close(rental);
        assertEq(RENTER.balance, renterBalance, "nobody else's money moved");
        assertEq(STRANGER.balance, sponsorBalance - costWei);
        assertEq(_rao(escrow.creditOf(STRANGER)), 0);
        assertEq(_rao(escrow.creditOf(RENTER)), uint64(PRICE) * (DAY + 1 hours - 2 hours));
        assertEq(_bond(other).bonded, BOND);
        assertEq(_bond(other).free, BOND);
        _assertAGiftIsAGift(other);
    }

    function _assertAGiftIsAGift(bytes32 machine) private {
        uint256 renterBalance = RENTER.balance;
        uint64 credit = _rao(escrow.creditOf(RENTER));
        (, bytes32 offerHash,) = escrow.offerOf(machine);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(machine, 3);
        vm.prank(STRANGER);
        uint64 rental = escrow.rentFor{ value: uint256(PRICE) * DAY * WEI }(
            RENTER, machine, DAY, RENTER_KEY, offerHash, certificates
        );
        skip(1 hours);
        vm.prank(RENTER);
        escrow.end(rental);
        assertEq(RENTER.balance, renterBalance);
        assertEq(_rao(escrow.creditOf(RENTER)), credit + uint64(PRICE) * (DAY - 1 hours));
        assertEq(_rao(escrow.creditOf(STRANGER)), 0);
    }

    /// @dev There: one key slashes any amount of anybody at once, cannot be appealed to or replaced.
    /// Here: one keeper is nobody, not even the heaviest; a quorum is bounded by the rule, must wait, can be appealed
    /// to a judge and can be changed; and no other key, owner's and judge's included, reaches the bond by itself.
    function test_Hole15_UnlimitedInstantSlashByOneKey() external {
        uint64 rental = _rented();
        skip(10 hours);
        uint32 out = _now();
        skip(20 minutes);
        IArbiter.SignedAttestation[] memory one = _attest(IArbiter.Kind.Offline, rental, out, _now() - 60, 1);
        vm.expectRevert(abi.encodeWithSelector(IArbiter.Arbiter_NoQuorum.selector, 1));
        arbiter.file(IArbiter.Kind.Offline, rental, 0, one);
        IArbiter.SignedAttestation[] memory all = _attest(IArbiter.Kind.Offline, rental, out, _now() - 60, 3);
        uint64 caseId = arbiter.file(IArbiter.Kind.Offline, rental, 0, all);
        uint64 penalty = _rao(arbiter.caseAt(caseId).penalty);
        assertLe(penalty, H100_BOND / 10);
        assertGt(penalty, 0);
        skip(1 days - 1);
        vm.expectPartialRevert(IArbiter.Arbiter_NotExecutable.selector);
        arbiter.execute(caseId);
        assertEq(_rao(vault.toBurn()), 0, "nothing burns before the window is over");
        vm.prank(OWNER);
        keepers.dismiss(keeperAccounts[0]);
        vm.prank(keeperAccounts[0]);
        vm.expectPartialRevert(IAppointedKeepers.AppointedKeepers_NotAKeeper.selector);
        keepers.moveTo(keccak256("key"), "");
        _assertNobodyElseReachesTheBond();
        uint64 appealBond = _appeal(caseId);
        skip(1 days);
        vm.expectPartialRevert(IArbiter.Arbiter_NotExecutable.selector);
        arbiter.execute(caseId);
        vm.prank(JUDGE);
        arbiter.rule(caseId, false);
        assertEq(_bond(MACHINE).bonded, BOND, "overturned: nothing is lost");
        assertEq(_bond(MACHINE).held, 0);
        assertEq(_rao(arbiter.creditOf(MINER)), appealBond);
    }

    function _assertNobodyElseReachesTheBond() private {
        address[7] memory callers = [OWNER, TREASURY, keeperAccounts[0], RENTER, STRANGER, JUDGE, GUARDIAN];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.startPrank(callers[i]);
            vm.expectPartialRevert(ICollateralVault.CollateralVault_OnlyArbiter.selector);
            vault.setAside(1, 1, Rao.wrap(1));
            vm.expectPartialRevert(ICollateralVault.CollateralVault_OnlyArbiter.selector);
            vault.setAsideAny(1, Rao.wrap(1));
            vm.expectPartialRevert(ICollateralVault.CollateralVault_OnlyArbiter.selector);
            vault.forfeit(1, Rao.wrap(1));
            vm.expectPartialRevert(ICollateralVault.CollateralVault_OnlyEscrow.selector);
            vault.forfeitReserved(1, 1, Rao.wrap(1));
            vm.stopPrank();
        }
    }

    /// @dev There: slashed money is paid to whoever slashes, who therefore wants it.
    /// Here: a penalty is burned to the last rao, and so is a lost appeal's bond; filer, keepers, judge, owner,
    /// guardian and treasury have what they had.
    function test_Hole16_SlasherGains() external {
        uint64 rental = _rented();
        skip(10 hours);
        uint64 offline = _goOffline(rental);
        uint64 appealBond = _appeal(offline);
        vm.prank(JUDGE);
        arbiter.rule(offline, true);
        uint64 spoofed = _spoofed(MACHINE, 1);
        skip(1 days);
        arbiter.execute(spoofed);
        uint64 burned = _rao(arbiter.caseAt(offline).penalty) + _rao(arbiter.caseAt(spoofed).penalty);
        assertGt(_rao(arbiter.caseAt(offline).penalty), 0);
        _assertNoSlasherGained();
        vault.flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), burned);
        arbiter.flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), burned + appealBond);
        assertEq(_bond(MACHINE).bonded, BOND - burned);
    }

    function _assertNoSlasherGained() private view {
        address[8] memory slashers =
            [STRANGER, OWNER, TREASURY, JUDGE, GUARDIAN, keeperAccounts[0], keeperAccounts[1], keeperAccounts[2]];
        IRaoLedger[4] memory ledgers = [IRaoLedger(vault), escrow, arbiter, bids];
        for (uint256 i = 0; i < slashers.length; ++i) {
            for (uint256 j = 0; j < ledgers.length; ++j) {
                assertEq(_rao(ledgers[j].creditOf(slashers[i])), 0);
            }
            assertEq(slashers[i].balance, slashers[i] == STRANGER ? 1_000 ether : 0);
        }
    }
}
