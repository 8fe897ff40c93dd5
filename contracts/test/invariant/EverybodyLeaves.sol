// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { RaoLedger } from "../../src/base/RaoLedger.sol";
import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRentalBids } from "../../src/interfaces/IRentalBids.sol";
import { Rao } from "../../src/types/Units.sol";
import { InvariantsBase } from "./InvariantsBase.sol";
import { BondModel } from "./model/BondModel.sol";

/// @dev The end of every run: keepers, judge and hotkeys are gone, and everybody still gets out with all that is
/// theirs, once while paused all the time and once after the deployment was closed for good.
abstract contract EverybodyLeaves is InvariantsBase {
    /// @dev SPEC invariants 7 and 8. All that may stay behind is what the chain does not carry: credit, burns and
    /// surplus below 500 rao each.
    function afterInvariant() external {
        vm.warp(store.clock() + 400 days);
        TRANSFERS.setFailing(false);
        for (uint16 uid = 0; uid < 2; ++uid) {
            METAGRAPH.remove(NETUID, uid);
        }
        for (uint256 i = 0; i < store.candidateCount(); ++i) {
            address keeper = store.candidates(i);
            if (store.weightOf(keeper) == 0) continue;
            vm.prank(OWNER);
            keepers.dismiss(keeper);
        }
        uint256 before = vm.snapshotState();
        vm.prank(GUARDIAN);
        vault.pause(7 days);
        _leave();
        _true(vault.guardian() == GUARDIAN && _isClosed(), "it was not paused all the time");
        vm.revertToState(before);
        if (!store.sunset()) {
            vm.prank(OWNER);
            vault.sunset();
        }
        _leave();
        _true(_isClosed(), "it was not closed for good");
    }

    function _leave() private {
        _settle();
        _exit();
        for (uint256 i = 0; i < ledgers.length; ++i) {
            _payOut(ledgers[i]);
        }
    }

    function _isClosed() private view returns (bool closed) {
        try vault.requireOpen() { }
        catch {
            closed = true;
        }
    }

    /// @dev A case that was filed when the breaker was open takes two calls.
    function _settle() private {
        for (uint64 id = 1; id <= store.cases(); ++id) {
            for (uint256 i = 0; i < 2 && _isPending(id); ++i) {
                arbiter.execute(id);
            }
            _true(!_isPending(id), "a case cannot be ended");
        }
        for (uint64 id = 1; id <= store.rentals(); ++id) {
            if (!store.sumOf(id).closed) escrow.close(id);
        }
        for (uint64 id = 1; id <= store.bids(); ++id) {
            if (store.bidOf(id).status == IRentalBids.Status.Open) bids.giveUp(id);
        }
    }

    function _isPending(uint64 caseId) private view returns (bool) {
        IArbiter.Status status = arbiter.caseAt(caseId).status;
        return status != IArbiter.Status.Executed && status != IArbiter.Status.Dismissed;
    }

    function _exit() private {
        uint32 time = uint32(vm.getBlockTimestamp());
        for (uint32 id = 1; id <= store.registrations(); ++id) {
            BondModel.Bond memory b = store.bondOf(id);
            if (b.retired) continue;
            (Rao bonded, Rao reserved, Rao held,,) = vault.bondOf(b.machine);
            _same(_rao(reserved) + _rao(held), 0, "closed and decided, and still bound");
            if (_rao(bonded) != 0) {
                vm.warp(time);
                vm.prank(b.miner);
                vault.requestExit(b.machine, bonded);
                vm.warp(time + 2 days);
                vm.prank(b.miner);
                vault.withdraw(b.machine);
            }
            vm.prank(b.miner);
            vault.retire(b.machine);
        }
    }

    function _payOut(RaoLedger ledger) private {
        uint256 dust;
        for (uint256 i = 0; i < store.peopleCount(); ++i) {
            address account = store.people(i);
            if (_rao(ledger.creditOf(account)) >= SMALLEST) ledger.withdrawCredit(account);
            dust += _rao(ledger.creditOf(account));
        }
        if (store.strayWei(address(ledger)) >= SMALLEST * WEI) ledger.sweep();
        if (_rao(ledger.toBurn()) >= SMALLEST) ledger.flushBurn();
        dust += _rao(ledger.toBurn());
        _same(_rao(ledger.liabilities()), dust, "everybody left, and something is owed to nobody");
        uint256 rest = address(ledger).balance - SEED_WEI - dust * WEI;
        _true(rest < SMALLEST * WEI, "everybody left, and money stayed");
    }

    /* SAYING SO */

    /// @dev A broken invariant says what had been done.
    function _true(bool holds, string memory what) internal view {
        if (!holds) assertTrue(false, string.concat(what, "; calls: ", store.statistics()));
    }

    function _same(uint256 found, uint256 wanted, string memory what) internal view {
        if (found == wanted) return;
        string memory numbers = string.concat(vm.toString(found), ", not ", vm.toString(wanted));
        assertTrue(false, string.concat(what, ": ", numbers, "; calls: ", store.statistics()));
    }
}
