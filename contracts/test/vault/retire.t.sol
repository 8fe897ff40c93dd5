// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract RetireTest is VaultBase {
    function _expectNotEmpty(uint64 bond, bool hasOpenRental) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_NotEmpty.selector, MACHINE, bond, hasOpenRental)
        );
    }

    function _expectBadMachineSignature(address miner) private {
        bytes32 digest = vault.registrationDigest(MACHINE, HOTKEY, miner);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_BadMachineSignature.selector, MACHINE, digest)
        );
    }

    /* REVERTS */

    function test_RevertGiven_TheMachineIsUnknown() external {
        _expectNotRegistered(MACHINE);
        _retire();
    }

    function test_RevertWhen_TheCallerIsNotTheMiner() external {
        _register(MACHINE);
        address[3] memory callers = [OWNER, GUARDIAN, STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyMiner(callers[i]);
            vm.prank(callers[i]);
            vault.retire(MACHINE);
        }
    }

    function test_RevertGiven_TheNodeIsRetiredAlready() external {
        _retired();
        _expectNotRegistered(MACHINE);
        _retire();
    }

    function test_RevertGiven_FreeBond() external {
        _register(MACHINE);
        _deposit(MACHINE, 1);
        _expectNotEmpty(1, false);
        _retire();
    }

    function test_RevertGiven_ExitingBond() external {
        _bonded();
        _requestExit(BOND);
        _expectNotEmpty(BOND, false);
        _retire();
        skip(EXIT_DELAY); // it could be withdrawn now, and is not yet
        _expectNotEmpty(BOND, false);
        _retire();
    }

    function test_RevertGiven_ALapsedExit() external {
        _bonded();
        _requestExit(BOND);
        skip(EXIT_DELAY + EXIT_WINDOW + 1);
        _expectNotEmpty(BOND, false);
        _retire();
    }

    function test_RevertGiven_HeldBond() external {
        _register(MACHINE);
        _deposit(MACHINE, 1);
        _setAsideAny(1);
        _expectNotEmpty(1, false);
        _retire();
        _forfeit(1);
        _retire();
    }

    function test_RevertGiven_BondBehindARental() external {
        _register(MACHINE);
        _deposit(MACHINE, 5);
        _reserve(RENTAL, 5);
        _expectNotEmpty(5, true);
        _retire();
    }

    function test_RevertGiven_AnOpenRentalWithNothingReserved() external {
        _register(MACHINE);
        _reserve(RENTAL, 0);
        _reserve(SECOND, 0);
        _expectNotEmpty(0, true);
        _retire();
        _release(RENTAL);
        _expectNotEmpty(0, true); // in either place
        _retire();
        _release(SECOND);
        _retire();
    }

    /* THE WAY THROUGH */

    function test_GivenNothingIsLeft() external {
        _bonded();
        _exitAll(BOND);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Retired(MACHINE, 1);
        _retire();
        (uint32 registration, address owner) = vault.ownerOf(MACHINE);
        assertEq(registration, 0);
        assertEq(owner, address(0));
        ICollateralVault.NodeView memory node = vault.nodeAt(1);
        assertTrue(node.retired);
        assertEq(node.miner, MINER);
        assertEq(node.machine, MACHINE);
        assertEq(node.hotkey, HOTKEY);
        assertEq(vault.minerOf(1), MINER);
        assertEq(vault.machineOf(1), MACHINE);
        assertEq(vault.registrationCount(), 1);
    }

    function test_GivenCreditThatIsNotWithdrawn() external {
        _bonded();
        _exitAll(BOND);
        _retire();
        assertEq(_registerBy(STRANGER), 2);
        vault.withdrawCredit(MINER);
        assertEq(TRANSFERS.balanceOf(MAPPING.addressMapping(MINER)), BOND);
        assertEq(_rao(vault.liabilities()), 0);
    }

    /// @dev A whole life: rented, faulted, closed, left; then somebody else has the machine.
    function _lived() private returns (uint64 rental) {
        rental = _rented();
        skip(2 hours);
        uint32 from = _now() - 20 minutes;
        arbiter.file(IArbiter.Kind.Interrupted, rental, 0, _attest(IArbiter.Kind.Interrupted, rental, from, _now(), 3));
        vm.prank(RENTER);
        escrow.end(rental);
        skip(1 hours);
        escrow.close(rental);
        _exitAll(1e9);
        vm.prank(MINER);
        escrow.offer(MACHINE, _terms()); // a live offer is left behind on purpose
        _retire();
    }

    function test_GivenAnotherMinerRegistersTheMachine() external {
        uint64 rental = _lived();
        bytes32 before = keccak256(abi.encode(_rentalAt(rental)));
        assertEq(_registerBy(STRANGER), 2);
        assertEq(vault.nodeAt(2).hotkey, HOTKEY);
        _assertBond(0, 0, 0, 0);
        (IRentalEscrow.Offer memory terms,, uint64 lastRental) = escrow.offerOf(MACHINE);
        assertEq(keccak256(abi.encode(terms)), keccak256(new bytes(7 * 32)), "no offer");
        assertEq(lastRental, 0, "no rental");
        assertEq(escrow.lastRentalOf(2), 0);
        assertEq(escrow.lastRentalOf(1), rental);
        assertEq(keccak256(abi.encode(_rentalAt(rental))), before, "the old rental is the old node's");
        _assertOldMinerIsOut();
        arbiter.execute(1);
        assertEq(_rao(escrow.creditOf(STRANGER)), 0);
        assertEq(_rao(escrow.creditOf(RENTER)), uint64(PRICE) * (DAY - 2 hours + 20 minutes));
    }

    function _assertOldMinerIsOut() private {
        bytes4 selector = ICollateralVault.CollateralVault_OnlyMiner.selector;
        bytes memory refusal = abi.encodeWithSelector(selector, MACHINE, STRANGER, MINER);
        vm.startPrank(MINER);
        vm.expectRevert(refusal);
        vault.deposit{ value: WEI }(MACHINE);
        vm.expectRevert(refusal);
        vault.setEndpoint(MACHINE, _endpoint());
        vm.expectRevert(refusal);
        vault.retire(MACHINE);
        selector = IRentalEscrow.RentalEscrow_OnlyMiner.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, MACHINE, STRANGER, MINER));
        escrow.offer(MACHINE, _terms());
        vm.stopPrank();
    }

    function test_GivenTheOldMachineSignatureIsSentAgain() external {
        _associate(MINER);
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        vm.prank(MINER);
        vault.register(MACHINE, HOTKEY, 0, UID_HASH, _endpoint(), sig);
        _retire();
        _expectBadMachineSignature(MINER);
        vm.prank(MINER);
        vault.register(MACHINE, HOTKEY, 0, UID_HASH, _endpoint(), sig);
    }

    function test_GivenTheSameMinerRegistersAgainAndRetiresAgain() external {
        bytes32[] memory digests = new bytes32[](4);
        for (uint32 i = 0; i < digests.length; ++i) {
            digests[i] = vault.registrationDigest(MACHINE, HOTKEY, MINER);
            for (uint256 j = 0; j < i; ++j) {
                assertNotEq(digests[i], digests[j]);
            }
            assertEq(_register(MACHINE), i + 1);
            _retire();
            assertEq(vault.registrationDigest(MACHINE, HOTKEY, MINER) == digests[i], false);
        }
    }

    function test_GivenACaseOfNoBondIsStillOpen() external {
        uint64 rental = _rented();
        skip(2 hours);
        vm.prank(RENTER);
        escrow.end(rental);
        uint32 end = _now();
        skip(1 hours);
        IArbiter.Kind kind = IArbiter.Kind.Interrupted;
        arbiter.file(kind, rental, 0, _attest(kind, rental, end - 20 minutes, end, 3));
        escrow.close(rental);
        _requestExit(1e9);
        skip(24 hours - 1); // the last second to appeal
        uint64 appealBond = _rao(arbiter.appealBondOf(1));
        vm.prank(MINER);
        arbiter.appeal{ value: uint256(appealBond) * WEI }(1, keccak256("I was there"));
        skip(24 hours + 1);
        vm.prank(MINER);
        vault.withdraw(MACHINE);
        _retire();
        assertEq(_registerBy(STRANGER), 2);
        vm.prank(JUDGE);
        arbiter.rule(1, false);
        assertEq(_rao(arbiter.creditOf(MINER)), appealBond);
        assertEq(_rao(escrow.creditOf(MINER)), uint64(PRICE) * 2 hours);
        assertEq(_rao(escrow.creditOf(STRANGER)), 0);
    }

    /* FUZZ */

    struct Try {
        uint8 node; // 0 none, 1 retired, else there
        bool own;
        uint64 free;
        uint64 exiting;
        uint64 held;
        uint64 reserved;
        bool open;
        uint32 wait;
    }

    function testFuzz_RetiresOrSaysWhyNot(Try memory t, uint8 empty) external {
        _prepare(t, empty);
        uint64 bond = t.free + t.exiting + t.held + t.reserved;
        bool retires;
        if (t.node < 2) _expectNotRegistered(MACHINE);
        else if (!t.own) _expectOnlyMiner(STRANGER);
        else if (bond != 0 || t.open) _expectNotEmpty(bond, t.open);
        else retires = true;
        vm.prank(t.own ? MINER : STRANGER);
        vault.retire(MACHINE);
        (uint32 registration,) = vault.ownerOf(MACHINE);
        assertEq(registration, t.node < 2 || retires ? 0 : 1);
        assertEq(vault.nodeAt(1).retired, t.node == 1 || retires);
    }

    /// @dev `empty` says which parts hold nothing: all of them about one time in two.
    function _prepare(Try memory t, uint8 empty) private {
        t.node %= 8;
        if (empty >= 128) empty = 255;
        t.free = empty & 1 != 0 ? 0 : uint64(bound(t.free, 1, BOND));
        t.exiting = empty & 2 != 0 ? 0 : uint64(bound(t.exiting, 1, BOND));
        t.held = empty & 4 != 0 ? 0 : uint64(bound(t.held, 1, BOND));
        t.reserved = empty & 8 != 0 ? 0 : uint64(bound(t.reserved, 1, BOND));
        t.open = t.reserved != 0 || (t.open && empty & 16 == 0);
        if (t.node == 1) _retired();
        if (t.node < 2) return;
        _register(MACHINE);
        uint64 bond = t.free + t.exiting + t.held + t.reserved;
        if (bond != 0) _deposit(MACHINE, bond);
        if (t.open) _reserve(RENTAL, t.reserved + t.held);
        if (t.held != 0) t.open ? _setAside(RENTAL, t.held) : _setAsideAny(t.held);
        if (t.exiting != 0) _requestExit(t.exiting);
        skip(bound(t.wait, 0, 10 days));
    }
}
