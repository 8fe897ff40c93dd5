// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { RaoLedger } from "../../src/base/RaoLedger.sol";
import { Rao } from "../../src/types/Units.sol";
import { InvariantsBase } from "./InvariantsBase.sol";
import { BondModel } from "./model/BondModel.sol";
import { StreamOracle } from "./model/StreamOracle.sol";

/// @dev What the oracle says everybody is due, and the end of every run: keepers, owner and hotkeys are gone, and
/// everybody still gets out with exactly that.
abstract contract EverybodyLeaves is InvariantsBase {
    /// @dev SPEC invariant 7. All that may stay behind is what the chain does not carry: credit, burns and surplus
    /// below 500 rao each.
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
        _settle();
        _exit();
        for (uint256 i = 0; i < 3; ++i) {
            _payOut(ledgers[i]);
        }
    }

    function _settle() private {
        for (uint64 id = 1; id <= store.cases(); ++id) {
            if (!store.caseOf(id).executed) arbiter.execute(id);
        }
        for (uint64 id = 1; id <= store.rentals(); ++id) {
            if (!store.sumOf(id).closed) escrow.close(id);
        }
    }

    function _exit() private {
        uint32 time = _now();
        for (uint32 id = 1; id <= store.registrations(); ++id) {
            BondModel.Bond memory b = store.bondOf(id);
            (Rao bonded, Rao reserved, Rao held,,) = vault.bondOf(b.machine);
            _same(_rao(reserved) + _rao(held), 0, "closed and decided, and still bound");
            _same(vault.nodeAt(id).openRentals, 0, "closed, and still counted as open");
            if (_rao(bonded) == 0) continue;
            vm.warp(time);
            vm.prank(b.miner);
            vault.requestExit(b.machine, bonded);
            vm.warp(time + 2 days);
            vm.prank(b.miner);
            vault.withdraw(b.machine);
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

    /* WHAT IS WHOSE */

    /// @dev Refunds, pay, the fee and bond taken out, from the oracle; 0 for whoever has no part in it.
    function _dues() internal view returns (address[] memory accounts, uint256[] memory due) {
        accounts = new address[](store.peopleCount());
        due = new uint256[](accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            accounts[i] = store.people(i);
        }
        for (uint64 id = 1; id <= store.rentals(); ++id) {
            StreamOracle.Tenancy memory t = store.tenancyOf(id);
            StreamOracle.Sum memory s = store.sumOf(id);
            uint256 back = s.bought - (s.end - t.start) + s.decided;
            _grant(accounts, due, t.renter, back * t.price);
            _grant(accounts, due, t.miner, s.net);
            _grant(accounts, due, TREASURY, s.fee);
        }
        for (uint32 id = 1; id <= store.registrations(); ++id) {
            BondModel.Bond memory b = store.bondOf(id);
            _grant(accounts, due, b.miner, b.takenOut);
        }
    }

    function _grant(address[] memory accounts, uint256[] memory due, address account, uint256 amount) private pure {
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (accounts[i] == account) due[i] += amount;
        }
    }

    function _penaltiesDue() internal view returns (uint256 sum) {
        for (uint32 id = 1; id <= store.registrations(); ++id) {
            sum += store.bondOf(id).burned;
        }
    }

    function _creditSum(RaoLedger ledger) internal view returns (uint256 sum) {
        for (uint256 i = 0; i < store.peopleCount(); ++i) {
            sum += _rao(ledger.creditOf(store.people(i)));
        }
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
