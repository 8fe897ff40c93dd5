// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { GasBase } from "./GasBase.sol";

/// @dev What each call costs as a transaction of its own, 21,000 and calldata included, in the state it is usually
/// made in. Written to snapshots/ when compiled as shipped; in other profiles these are tests that the calls work.
/// forge-config: default.isolate = true
/// forge-config: shipped.isolate = true
contract GasTest is GasBase {
    /* VAULT */

    function test_Vault_Registering() external {
        _livedIn();
        _associate(MINER);
        bytes32[2] memory sig = _signRegistration(MACHINE, MINER);
        _freePrecompiles();
        vm.prank(MINER);
        vault.register(MACHINE, HOTKEY, 0, UID_HASH, _endpoint(), sig);
        _note(VAULT, "register");
        ICollateralVault.Endpoint memory moved = _endpoint();
        moved.port = 2_222;
        vm.prank(MINER);
        vault.setEndpoint(MACHINE, moved);
        _note(VAULT, "setEndpoint");
        vm.prank(MINER);
        vault.rebind(MACHINE, 0, UID_HASH);
        _note(VAULT, "rebind");
        vm.prank(MINER);
        vault.retire(MACHINE);
        _note(VAULT, "retire");
        vm.prank(MINER);
        vault.register(MACHINE, HOTKEY, 0, UID_HASH, moved, sig);
        _note(VAULT, "register, a machine that was retired");
    }

    function test_Vault_Gate() external {
        _livedIn();
        vm.prank(GUARDIAN);
        vault.pause(1 days);
        _note(VAULT, "pause");
        vm.prank(GUARDIAN);
        vault.unpause();
        _note(VAULT, "unpause");
        vm.prank(OWNER);
        vault.setGuardian(STRANGER);
        _note(VAULT, "setGuardian");
        vm.prank(OWNER);
        vault.sunset();
        _note(VAULT, "sunset");
    }

    function test_Vault_Bonding() external {
        _livedIn();
        _register(MACHINE);
        _freePrecompiles();
        _deposit(MACHINE, 1e9);
        _note(VAULT, "deposit, first");
        _deposit(MACHINE, 1e9);
        _note(VAULT, "deposit, later");
        vm.prank(MINER);
        vault.requestExit(MACHINE, Rao.wrap(1e9));
        _note(VAULT, "requestExit, first");
        vm.prank(MINER);
        vault.requestExit(MACHINE, Rao.wrap(5e8));
        _note(VAULT, "requestExit, again");
        vm.prank(MINER);
        vault.cancelExit(MACHINE);
        _note(VAULT, "cancelExit");
        vm.prank(MINER);
        vault.requestExit(MACHINE, Rao.wrap(2e9));
        _note(VAULT, "requestExit, all, after one");
        skip(2 days);
        vm.prank(MINER);
        vault.withdraw(MACHINE);
        _note(VAULT, "withdraw");
        vault.withdrawCredit(MINER);
        _note(VAULT, "withdrawCredit");
        vm.prank(MINER);
        vault.setPayoutAccount(keccak256("coldkey"));
        _note(VAULT, "setPayoutAccount");
    }

    function test_Vault_Burning() external {
        uint64 rental = _rentNow(3);
        skip(2 hours); // earned, or there would be no penalty
        _offline(rental, 3);
        skip(25 hours);
        arbiter.execute(2);
        vault.flushBurn();
        _note(VAULT, "flushBurn");
        vm.deal(address(vault), address(vault).balance + 1 ether);
        vault.sweep();
        _note(VAULT, "sweep");
    }

    /* ESCROW: OFFERS AND RENTING */

    function test_Escrow_Offering() external {
        _livedIn();
        _register(MACHINE);
        _freePrecompiles();
        IRentalEscrow.Offer memory terms = _terms();
        vm.prank(MINER);
        escrow.offer(MACHINE, terms);
        _note(ESCROW, "offer, first");
        terms.gpuCount = 2;
        vm.prank(MINER);
        escrow.offer(MACHINE, terms);
        _note(ESCROW, "offer, replaced");
        vm.prank(MINER);
        escrow.withdrawOffer(MACHINE);
        _note(ESCROW, "withdrawOffer");
        vm.prank(OWNER);
        escrow.setClassBond(H100, Rao.wrap(1e9));
        _note(ESCROW, "setClassBond");
    }

    function test_Escrow_RentingWithTwoKeepers() external {
        _rentNow(2);
        _note(ESCROW, "rent, first of the machine, k=2");
    }

    function test_Escrow_RentingWithThreeKeepers() external {
        _rentNow(3);
        _note(ESCROW, "rent, first of the machine, k=3");
    }

    function test_Escrow_RentingWithFiveKeepers() external {
        _moreKeepers();
        _rentNow(5);
        _note(ESCROW, "rent, first of the machine, k=5");
    }

    function test_Escrow_RentingAgain() external {
        uint64 rental = _rentNow(3);
        skip(25 hours);
        escrow.close(rental);
        skip(1 hours);
        _rentOnce(3);
        _note(ESCROW, "rent, later, k=3");
    }

    function test_Escrow_Extending() external {
        uint64 rental = _rentNow(3);
        skip(1 hours);
        vm.prank(RENTER);
        escrow.extend{ value: uint256(PRICE) * 1 days * WEI }(rental, 1 days);
        _note(ESCROW, "extend, bond suffices");
        _deposit(MACHINE, 5e9);
        vm.prank(RENTER);
        escrow.extend{ value: uint256(PRICE) * 20 days * WEI }(rental, 20 days);
        _note(ESCROW, "extend, more bond");
    }

    /* ESCROW: MONEY */

    function test_Escrow_Claiming() external {
        uint64 rental = _rentNow(3);
        skip(2 hours);
        escrow.claim(rental);
        _note(ESCROW, "claim, first credit of the miner");
        skip(2 hours);
        escrow.claim(rental);
        _note(ESCROW, "claim, later");
        skip(2 hours);
        escrow.withdrawCredit(MINER);
        _note(ESCROW, "withdrawCredit");
        escrow.claim(rental);
        _note(ESCROW, "claim, after withdrawing");
        skip(2 days);
        escrow.close(rental);
        _note(ESCROW, "close, with the last payment");
    }

    function test_Escrow_Ending() external {
        uint64 rental = _rentNow(3);
        skip(2 hours);
        escrow.claim(rental);
        vm.prank(RENTER);
        escrow.end(rental);
        _note(ESCROW, "end, first credit of the renter");
        skip(1 hours);
        escrow.claim(rental);
        escrow.close(rental);
        _note(ESCROW, "close, all claimed");
        skip(1 hours);
        rental = _rentOnce(3);
        skip(2 hours);
        vm.prank(RENTER);
        escrow.end(rental);
        _note(ESCROW, "end, later");
    }

    /* ARBITER */

    function test_Arbiter_FilingOffline() external {
        uint64 rental = _rentNow(3);
        skip(2 hours);
        escrow.claim(rental);
        _offline(rental, 3);
        _note(ARBITER, "file Offline, k=3");
        skip(25 hours);
        arbiter.execute(2);
        _note(ARBITER, "execute Offline");
    }

    function test_Arbiter_FilingOfflineWithTwoKeepers() external {
        uint64 rental = _rentNow(2);
        skip(2 hours);
        escrow.claim(rental);
        _offline(rental, 2);
        _note(ARBITER, "file Offline, k=2");
    }

    function test_Arbiter_FilingOfflineWithFiveKeepers() external {
        _moreKeepers();
        uint64 rental = _rentNow(5);
        skip(2 hours);
        escrow.claim(rental);
        _offline(rental, 5);
        _note(ARBITER, "file Offline, k=5");
    }

    function test_Arbiter_FilingNotDelivered() external {
        uint64 rental = _rentNow(3);
        uint32 start = _time();
        skip(11 minutes);
        IArbiter.SignedAttestation[] memory seen = _attest(IArbiter.Kind.NotDelivered, rental, start, _time(), 3);
        arbiter.file(IArbiter.Kind.NotDelivered, rental, 0, seen);
        _note(ARBITER, "file NotDelivered, k=3");
    }

    function test_Arbiter_FilingInterrupted() external {
        uint64 rental = _rentNow(3);
        uint32 start = _time();
        skip(30 minutes);
        _interrupted(rental, 0, start + 100);
        _note(ARBITER, "file Interrupted, first, k=3");
        _interrupted(rental, 1, start + 700);
        _note(ARBITER, "file Interrupted, second, k=3");
        _interrupted(rental, 0, start);
        _note(ARBITER, "file Interrupted, in front of two, k=3");
        skip(25 hours);
        arbiter.execute(2);
        _note(ARBITER, "execute Interrupted, first credit of the renter");
        arbiter.execute(3);
        _note(ARBITER, "execute Interrupted, later");
    }

    function test_Arbiter_FilingSpoofed() external {
        _livedIn();
        _ready(MACHINE, 1e9);
        _freePrecompiles();
        _spoofed();
        _note(ARBITER, "fileSpoofed, idle, k=3");
        skip(25 hours);
        arbiter.execute(2);
        _note(ARBITER, "execute Spoofed");
    }

    function test_Arbiter_FilingSpoofedWhileRented() external {
        _rentNow(3);
        skip(2 hours);
        _spoofed();
        _note(ARBITER, "fileSpoofed, rented, k=3");
    }

    /* KEEPERS */

    function test_Keepers() external {
        _moreKeepers();
        _note("AppointedKeepers", "appoint, new");
        address first = keeperAccounts[0];
        vm.prank(OWNER);
        keepers.appoint(first, 7, keccak256("key"), "http://keeper.example");
        _note("AppointedKeepers", "appoint, changed");
        vm.prank(first);
        keepers.moveTo(keccak256("other key"), "http://elsewhere.example");
        _note("AppointedKeepers", "moveTo");
        vm.prank(OWNER);
        keepers.dismiss(first);
        _note("AppointedKeepers", "dismiss");
    }

    /* STEPS */

    function _interrupted(uint64 rental, uint8 gap, uint32 from) private {
        IArbiter.SignedAttestation[] memory seen = _attest(IArbiter.Kind.Interrupted, rental, from, from + 90, 3);
        arbiter.file(IArbiter.Kind.Interrupted, rental, gap, seen);
    }

    function _spoofed() private {
        IArbiter.SignedSpoof[] memory spoofs = new IArbiter.SignedSpoof[](3);
        for (uint256 i = 0; i < 3; ++i) {
            spoofs[i].provedAt = Timestamp.wrap(_time());
            bytes32 hash = keccak256(abi.encode(SPOOF_TYPEHASH, MACHINE, 2, H100, 1, _time(), bytes32(0)));
            (spoofs[i].r, spoofs[i].vs) = _sign(keeperKeys[i], address(arbiter), hash);
        }
        arbiter.fileSpoofed(MACHINE, 2, H100, 1, spoofs);
    }
}
