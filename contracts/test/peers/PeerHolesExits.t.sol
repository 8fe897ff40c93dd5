// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao } from "../../src/types/Units.sol";
import { PeersBase } from "./PeersBase.t.sol";

/// @dev Holes of exits and owners (those of slashing and paying: PeerHoles.t.sol)
/// found in collateral contracts in use on Bittensor and in staking systems elsewhere; 1 to 10 were reproduced against
/// them, unmodified. Each must stay impossible here. The number is the hole's.
contract PeerHolesExitsTest is PeersBase {
    function _expectOnlyMiner(address caller) private {
        _expectOnlyMiner(MINER, caller);
    }

    function _expectOnlyMiner(address miner, address caller) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_OnlyMiner.selector, MACHINE, miner, caller)
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

    function _expectTaken() private {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_AlreadyRegistered.selector, MACHINE, MINER)
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
    /// Here: a case takes out of the exit itself, nothing refills it, and the next owner has a node without one.
    function test_Hole02_StaleExit() external {
        _ready(MACHINE, H100_BOND);
        _requestExit(MACHINE, H100_BOND);
        uint64 caseId = _spoofed(MACHINE, 1);
        assertEq(_bond(MACHINE).exiting, 0);
        _deposit(MACHINE, 500);
        skip(2 days); // the request's window is open
        _expectNoExit();
        _withdraw(MACHINE);
        assertEq(_bond(MACHINE).free, 500);
        arbiter.execute(caseId);
        _requestExit(MACHINE, 500);
        skip(2 days);
        _withdraw(MACHINE);
        _retire(MACHINE);
        _registerFor(STRANGER);
        _depositAs(STRANGER, BOND);
        _expectOnlyMiner(STRANGER, MINER);
        _withdraw(MACHINE);
        _expectNoExit();
        vm.prank(STRANGER);
        vault.withdraw(MACHINE);
        assertEq(_bond(MACHINE).free, BOND);
        assertEq(_rao(vault.creditOf(MINER)), 500, "what was left, and nothing of the next owner's");
    }

    /// @dev There: finalising a request pays the whole balance of that moment, so money that came in a second ago
    /// leaves through a request of last week, without a window in which it could be slashed.
    /// Here: a request is for an amount, asking for more starts the delay again, and the next owner's money is in
    /// another node.
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
        skip(2 days);
        _withdraw(MACHINE);
        _retire(MACHINE);
        _registerFor(STRANGER);
        _depositAs(STRANGER, 1_000);
        _expectNoExit();
        vm.prank(STRANGER);
        vault.withdraw(MACHINE);
        assertEq(_bond(MACHINE).free, 1_000, "no request of before reaches it");
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
        _expectOnlyMiner(STRANGER);
        vm.prank(STRANGER);
        vault.retire(MACHINE);
        _expectTaken();
        vm.prank(STRANGER);
        vault.register(MACHINE, HOTKEY, 0, UID_HASH, _endpoint(), [SIG_R, SIG_S]);
        _retire(MACHINE); // the miner's own word, and only then
        assertEq(_registerFor(STRANGER), 2, "and the host key signed for the next");
    }

    /// @dev There: the owner field is cleared when a balance reaches zero on one path while money is pending on
    /// another; the next depositor is the owner of all of it.
    /// Here: a node is retired when nothing is left of it, its miner never changes, and what is decided later is still
    /// that miner's: the next owner begins with nothing, and owes nothing.
    function test_Hole12_OwnerCleared() external {
        _ready(MACHINE, H100_BOND);
        uint64 caseId = _spoofed(MACHINE, 1);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_NotEmpty.selector, MACHINE, H100_BOND, false)
        );
        _retire(MACHINE);
        skip(1 days);
        arbiter.execute(caseId);
        assertEq(_bond(MACHINE).bonded, 0);
        _expectOnlyMiner(STRANGER);
        _depositAs(STRANGER, 1);
        _expectTaken();
        vm.prank(STRANGER);
        vault.register(MACHINE, HOTKEY, 0, UID_HASH, _endpoint(), [SIG_R, SIG_S]);
        // A case against an empty node takes nothing, and its appeal bond outlives the node.
        caseId = _spoofed(MACHINE, 1);
        uint64 appealBond = _appeal(caseId);
        _retire(MACHINE);
        assertEq(_registerFor(STRANGER), 2);
        _depositAs(STRANGER, BOND);
        vm.prank(JUDGE);
        arbiter.rule(caseId, false);
        assertEq(_rao(arbiter.creditOf(MINER)), appealBond);
        assertEq(_rao(arbiter.creditOf(STRANGER)), 0);
        assertEq(vault.minerOf(1), MINER);
        assertEq(vault.minerOf(2), STRANGER);
        assertEq(_bond(MACHINE).free, BOND);
        (, bytes32 offerHash,) = escrow.offerOf(MACHINE);
        assertEq(offerHash, bytes32(0), "nor an offer of the last owner's");
        _expectOnlyMiner(STRANGER, MINER);
        _depositAs(MINER, 1);
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
}
