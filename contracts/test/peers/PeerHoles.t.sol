// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Vm } from "forge-std/Vm.sol";
import { IAppointedKeepers } from "../../src/interfaces/IAppointedKeepers.sol";
import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao } from "../../src/types/Units.sol";
import { Hostile, PeersBase } from "./PeersBase.t.sol";

/// @dev Holes found in collateral contracts in use on Bittensor and in staking systems elsewhere; 1 to 10 were
/// reproduced against them, unmodified. Each must stay impossible here. The number is the hole's.
contract PeerHolesTest is PeersBase {
    function _expectOnlyMiner(address caller) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_OnlyMiner.selector, MACHINE, MINER, caller)
        );
    }

    function _expectNoExit() private {
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVault_NoExit.selector, MACHINE));
    }

    function _expectNotEnoughFree(uint64 free, uint64 wanted) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_NotEnoughFree.selector, MACHINE, free, wanted)
        );
    }

    /// @dev There: a request outlives its veto window for ever and the bond on display is still what is asked for, so
    /// a miner arms it while idle, rents out on that bond, and withdraws in front of the slash.
    /// Here: what exits backs no rental, and an exit not taken in its window is none any more.
    function test_Hole01_ArmedExit() external {
        bytes32 offerHash = _ready(MACHINE, BOND);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(MACHINE, 3);
        _requestExit(MACHINE, BOND);
        _expectNotEnoughFree(0, H100_BOND);
        vm.prank(RENTER);
        escrow.rent{ value: uint256(PRICE) * DAY * WEI }(MACHINE, DAY, RENTER_KEY, offerHash, certificates);
        skip(5 days + 1);
        uint64 rental = _rent(MACHINE, DAY);
        _expectNoExit();
        _withdraw(MACHINE);
        skip(1 hours);
        _goOffline(rental);
        assertGt(_bond(MACHINE).held, 0, "the penalty is aside");
    }

    /// @dev There: a slash empties the balance and leaves the request, amount and all; the next deposit under the same
    /// key, by whoever owns it then, is paid out to the slashed miner.
    /// Here: a case takes out of the exit itself, and nothing refills it.
    function test_Hole02_StaleExit() external {
        _ready(MACHINE, H100_BOND);
        _requestExit(MACHINE, H100_BOND);
        _spoofed(MACHINE, 1);
        assertEq(_bond(MACHINE).exiting, 0);
        _deposit(MACHINE, 500);
        skip(2 days);
        _expectNoExit();
        _withdraw(MACHINE);
        assertEq(_bond(MACHINE).free, 500);
        assertEq(_rao(vault.creditOf(MINER)), 0);
    }

    /// @dev There: finalising a request pays the whole balance of that moment, so money that came in a second ago
    /// leaves through a request of last week, without a window in which it could be slashed.
    /// Here: a request is for an amount, and asking for more starts the delay again.
    function test_Hole03_FreshDepositThroughAnOldRequest() external {
        _register(MACHINE);
        _deposit(MACHINE, 1_000);
        _requestExit(MACHINE, 1_000);
        skip(2 days);
        _deposit(MACHINE, BOND);
        uint256 before = vm.snapshotState();
        _withdraw(MACHINE);
        assertEq(_rao(vault.creditOf(MINER)), 1_000);
        assertEq(_bond(MACHINE).free, BOND);
        vm.revertToState(before);
        _requestExit(MACHINE, BOND + 1_000);
        vm.expectPartialRevert(ICollateralVault.CollateralVault_ExitNotReady.selector);
        _withdraw(MACHINE);
    }

    /// @dev There: the request remembers an amount, the balance falls below it by a slash of 1 wei, and the exit
    /// reverts for ever.
    /// Here: the exit shrinks with what is taken out of it.
    function test_Hole04_Brick() external {
        vm.prank(OWNER);
        escrow.setClassBond(H100, Rao.wrap(1));
        _register(MACHINE);
        _deposit(MACHINE, BOND);
        _requestExit(MACHINE, BOND);
        _spoofed(MACHINE, 1);
        skip(2 days);
        _withdraw(MACHINE);
        assertEq(_rao(vault.creditOf(MINER)), BOND - 1);
    }

    /// @dev There: the first to deposit under an id owns it, and ids are public before they are used.
    /// Here: the machine's own host key signs for one miner.
    function test_Hole05_Squat() external {
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER); // in the mempool, for everybody to see
        _associate(STRANGER);
        bytes32 digest = vault.registrationDigest(MACHINE, HOTKEY, STRANGER);
        vm.startPrank(STRANGER);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_BadMachineSignature.selector, MACHINE, digest)
        );
        vault.register(MACHINE, HOTKEY, 0, UID_HASH, _endpoint(), sig);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVault_NotRegistered.selector, MACHINE));
        vault.deposit{ value: WEI }(MACHINE);
        vm.stopPrank();
        assertEq(_register(MACHINE), 1, "the miner is not too late");
    }

    /// @dev There: anybody finalises a request, also one that the miner has thought better of; with the balance gone
    /// the id is ownerless, and the caller takes it.
    /// Here: each step of an exit is the miner's own, and the id stays the miner's whatever is left.
    function test_Hole06_ForcedExit() external {
        _register(MACHINE);
        _deposit(MACHINE, BOND);
        _requestExit(MACHINE, BOND);
        skip(2 days);
        vm.startPrank(STRANGER);
        _expectOnlyMiner(STRANGER);
        vault.withdraw(MACHINE);
        _expectOnlyMiner(STRANGER);
        vault.requestExit(MACHINE, Rao.wrap(1));
        _expectOnlyMiner(STRANGER);
        vault.cancelExit(MACHINE);
        vm.stopPrank();
        _withdraw(MACHINE);
        _expectTaken();
        vm.prank(STRANGER);
        vault.register(MACHINE, HOTKEY, 0, UID_HASH, _endpoint(), [SIG_R, SIG_S]);
    }

    function _expectTaken() private {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_AlreadyRegistered.selector, MACHINE, MINER)
        );
    }

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
        skip(1 days);
        escrow.close(rental);
        arbiter.execute(caseId);
        uint64 owed = _rao(escrow.creditOf(address(renter)));
        escrow.withdrawCredit(address(renter));
        escrow.withdrawCredit(MINER);
        vault.flushBurn();
        _assertOnlyKnownCalls(vm.stopAndReturnStateDiff());
        assertFalse(renter.ran());
        assertEq(address(renter).balance, uint256(owed) * WEI, "paid without being called");
    }

    /// @dev There: the owner field is cleared when a balance reaches zero on one path while money is pending on
    /// another; the next depositor is the owner of all of it.
    /// Here: the miner of a registration never changes, with its bond in a case, burned, or gone.
    function test_Hole12_OwnerCleared() external {
        _ready(MACHINE, H100_BOND);
        uint64 caseId = _spoofed(MACHINE, 1);
        skip(1 days);
        arbiter.execute(caseId);
        assertEq(_bond(MACHINE).bonded, 0);
        (uint32 registration, address miner) = vault.ownerOf(MACHINE);
        assertEq(registration, 1);
        assertEq(miner, MINER);
        _expectOnlyMiner(STRANGER);
        vm.prank(STRANGER);
        vault.deposit{ value: WEI }(MACHINE);
        _expectTaken();
        vm.prank(STRANGER);
        vault.register(MACHINE, HOTKEY, 0, UID_HASH, _endpoint(), [SIG_R, SIG_S]);
    }

    /// @dev There: a slash skips unbonds that have matured but were not collected, and then leaves them in a state in
    /// which they cannot be collected.
    /// Here: until it is withdrawn an exit answers for its machine, and what is not taken is still paid.
    function test_Hole13_MaturedUnbond() external {
        _ready(MACHINE, BOND);
        _requestExit(MACHINE, BOND);
        skip(2 days); // matured
        uint64 caseId = _spoofed(MACHINE, 1);
        assertEq(_rao(arbiter.caseAt(caseId).penalty), H100_BOND);
        _withdraw(MACHINE);
        assertEq(_rao(vault.creditOf(MINER)), BOND - H100_BOND);
    }

    /// @dev There: a sponsor pays for a deal, and settlement charges another account's stake.
    /// Here: who pays is charged then and there, refunds are the renter's as announced, and a case reaches the bond of
    /// the node that failed and no other, not even of the same miner.
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
    }

    /// @dev There: one key slashes any amount of anybody at once, cannot be appealed to or replaced.
    /// Here: one keeper is nobody, not even the heaviest; a quorum is bounded by the rule, must wait, and can be
    /// changed; and no other key, owner's included, reaches the bond at all.
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
    }

    function _assertNobodyElseReachesTheBond() private {
        address[5] memory callers = [OWNER, TREASURY, keeperAccounts[0], RENTER, STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.startPrank(callers[i]);
            vm.expectPartialRevert(ICollateralVault.CollateralVault_OnlyArbiter.selector);
            vault.setAside(1, 1, Rao.wrap(1));
            vm.expectPartialRevert(ICollateralVault.CollateralVault_OnlyArbiter.selector);
            vault.setAsideAny(1, 1, Rao.wrap(1));
            vm.expectPartialRevert(ICollateralVault.CollateralVault_OnlyArbiter.selector);
            vault.forfeit(1, 1, Rao.wrap(1));
            vm.stopPrank();
        }
    }

    /// @dev There: slashed money is paid to whoever slashes, who therefore wants it.
    /// Here: a penalty is burned to the last rao, and filer, keepers, owner and treasury have what they had.
    function test_Hole16_SlasherGains() external {
        address[6] memory slashers =
            [STRANGER, OWNER, TREASURY, keeperAccounts[0], keeperAccounts[1], keeperAccounts[2]];
        uint64 rental = _rented();
        skip(10 hours);
        uint64 offline = _goOffline(rental);
        skip(1 days);
        arbiter.execute(offline);
        uint64 spoofed = _spoofed(MACHINE, 1);
        skip(1 days);
        arbiter.execute(spoofed);
        uint64 burned = _rao(arbiter.caseAt(offline).penalty) + _rao(arbiter.caseAt(spoofed).penalty);
        IRaoLedger[3] memory ledgers = [IRaoLedger(vault), escrow, arbiter];
        for (uint256 i = 0; i < slashers.length; ++i) {
            for (uint256 j = 0; j < ledgers.length; ++j) {
                assertEq(_rao(ledgers[j].creditOf(slashers[i])), 0);
            }
            assertEq(slashers[i].balance, slashers[i] == STRANGER ? 1_000 ether : 0);
        }
        vault.flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), burned);
        assertEq(_bond(MACHINE).bonded, BOND - burned);
    }
}
