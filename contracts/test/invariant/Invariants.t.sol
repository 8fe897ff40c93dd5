// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { RaoLedger } from "../../src/base/RaoLedger.sol";
import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { EverybodyLeaves } from "./EverybodyLeaves.sol";
import { BondModel } from "./model/BondModel.sol";
import { StreamOracle } from "./model/StreamOracle.sol";

/// @dev Any order of anybody's calls leaves these true (numbers: SPEC.md). After each run everybody leaves (SPEC
/// invariant 7) and the contracts are as empty as on the first day.
contract Invariants is EverybodyLeaves {
    /// @dev SPEC invariant 1, and its exact form: the rest is what came unasked and was not swept.
    function invariant_1_BalanceCoversLiabilitiesAndSeed() external view {
        for (uint256 i = 0; i < 3; ++i) {
            RaoLedger ledger = ledgers[i];
            uint256 owed = _rao(ledger.liabilities()) * WEI + SEED_WEI;
            _true(owed <= address(ledger).balance, "a contract owes more than it has");
            _same(address(ledger).balance - owed, store.strayWei(address(ledger)), "a surplus nobody brought");
        }
    }

    /// @dev SPEC invariant 2: in seconds and in rao, for each rental and in total, against the oracle.
    function invariant_2_EverySecondPaidForIsAccountedFor() external view {
        uint256 owed = _creditSum(escrow) + _rao(escrow.toBurn());
        _same(escrow.rentalCount(), store.rentals(), "rentals");
        for (uint64 id = 1; id <= store.rentals(); ++id) {
            IRentalEscrow.Rental memory r = _rentalAt(id);
            StreamOracle.Sum memory s = store.sumOf(id);
            _checkStream(id, r, s);
            uint256 unclaimed = uint256(s.end) - Timestamp.unwrap(r.start) - s.claimed - s.faulted;
            uint256 refunded = r.boughtSecs - (Timestamp.unwrap(r.end) - Timestamp.unwrap(r.start));
            uint256 all = refunded + r.claimedSecs + (r.faultedSecs - r.openSecs) + r.openSecs + unclaimed;
            _same(all, s.bought, "refunded, claimed, decided, withheld and unclaimed are not what was bought");
            owed += (unclaimed + r.openSecs) * RaoPerSecond.unwrap(r.price);
            if (r.closed) _same(unclaimed, 0, "closed before all was paid");
        }
        _same(owed, _rao(escrow.liabilities()), "escrow: parts and liabilities");
    }

    /// @dev SPEC invariant 3, against a model that is told of every call.
    function invariant_3_BondPartsAddUp() external view {
        uint256 owed = _creditSum(vault) + _rao(vault.toBurn());
        _same(vault.registrationCount(), store.registrations(), "registrations");
        for (uint32 id = 1; id <= store.registrations(); ++id) {
            BondModel.Bond memory b = store.bondOf(id);
            owed += _checkBond(id, b);
            _same(b.free + b.exiting + b.reserved + b.held, b.paidIn - b.takenOut - b.burned, "paid in and out");
            uint256 backing;
            for (uint64 rental = 1; rental <= store.rentals(); ++rental) {
                ICollateralVault.Reserve memory r = vault.reserveOf(rental);
                if (r.registration == id) backing += _rao(r.reserved);
            }
            _same(backing, b.reserved, "reserved, rental by rental");
            _same(_heldFor(id), b.held, "held, case by case");
        }
        _same(owed, _rao(vault.liabilities()), "vault: parts and liabilities");
    }

    /// @dev SPEC invariant 4.
    function invariant_4_AReserveStaysUntilTheRentalIsClosed() external view {
        for (uint64 id = 1; id <= store.rentals(); ++id) {
            ICollateralVault.Reserve memory r = vault.reserveOf(id);
            BondModel.Backing memory b = store.backingOf(id);
            bool closed = _rentalAt(id).closed;
            _true(r.released == closed, "released and closed are one");
            uint256 aside = uint256(_rao(r.held)) + _rao(r.forfeited);
            _same(_rao(r.reserved) + aside, closed ? b.aside : b.total, "something left a reserve");
        }
    }

    /// @dev SPEC invariant 5.
    function invariant_5_CasesDecideOnceAndNeverOverlap() external view {
        _same(arbiter.caseCount(), store.cases(), "cases");
        uint256[] memory withheld = new uint256[](store.rentals() + 1);
        uint256[] memory penalties = new uint256[](store.rentals() + 1);
        for (uint64 id = 1; id <= store.cases(); ++id) {
            BondModel.CaseModel memory m = store.caseOf(id);
            _checkCase(arbiter.caseAt(id), m);
            if (!m.executed) withheld[m.rental] += m.secs;
            if (m.kind != IArbiter.Kind.Spoofed) penalties[m.rental] += m.penalty;
        }
        for (uint64 id = 1; id <= store.rentals(); ++id) {
            IRentalEscrow.Rental memory r = _rentalAt(id);
            _same(r.openSecs, withheld[id], "withheld by open cases");
            ICollateralVault.Reserve memory backing = vault.reserveOf(id);
            uint256 total = store.backingOf(id).total;
            _true(penalties[id] <= total, "penalties beyond the reserve");
            _true(_rao(backing.held) + _rao(backing.forfeited) <= total, "more taken than was reserved");
            _checkFaults(id, r);
        }
    }

    /// @dev SPEC invariants 6 and 11: everybody has exactly what is theirs, and nobody else has anything.
    function invariant_6_NobodyElseEverGains() external view {
        uint256 paidOut;
        (address[] memory accounts, uint256[] memory due) = _dues();
        for (uint256 i = 0; i < accounts.length; ++i) {
            address account = accounts[i];
            uint256 paid = TRANSFERS.balanceOf(store.accountIdOf(account));
            paidOut += paid;
            uint256 credit = uint256(_rao(vault.creditOf(account))) + _rao(escrow.creditOf(account));
            _same(paid + credit, due[i], "somebody has more or less than is theirs");
            _same(_rao(arbiter.creditOf(account)), 0, "the arbiter owes nobody");
        }
        uint256 burned = TRANSFERS.balanceOf(BURN);
        uint256 toBurn;
        uint256 swept;
        for (uint256 i = 0; i < 3; ++i) {
            toBurn += _rao(ledgers[i].toBurn());
            swept += store.swept(address(ledgers[i]));
            for (uint256 j = 0; j < 3; ++j) {
                _same(_rao(ledgers[i].creditOf(address(ledgers[j]))), 0, "a contract is owed");
            }
        }
        _same(burned + toBurn, _penaltiesDue() + swept, "burned is what was forfeited, and what was swept");
        _same((paidOut + burned) * WEI, address(TRANSFERS).balance, "somebody unknown was paid");
    }

    /* INTERNALS */

    /// @dev What the escrow says of a rental is what the oracle works out, and no second is paid that had no service.
    function _checkStream(uint64 id, IRentalEscrow.Rental memory r, StreamOracle.Sum memory s) private view {
        _same(Timestamp.unwrap(r.start), store.tenancyOf(id).start, "start");
        _same(Timestamp.unwrap(r.end), s.end, "end");
        _same(r.boughtSecs, s.bought, "bought");
        _same(r.claimedSecs, s.claimed, "claimed");
        _same(r.faultedSecs, s.faulted, "faulted");
        _same(r.faultedSecs - r.openSecs, s.decided, "decided");
        _same(Timestamp.unwrap(r.paidUntil), s.paidUntil, "paidUntil");
        _true(r.closed == s.closed, "closed");
        _true(s.claimed <= store.servedSecs(id, s.paidUntil), "paid for seconds without service");
        if (s.closed) _same(s.claimed, store.servedSecs(id, s.end), "closed: all service is paid, and nothing else");
    }

    function _checkBond(uint32 id, BondModel.Bond memory b) private view returns (uint256 bonded) {
        ICollateralVault.NodeView memory v = vault.nodeAt(id);
        bool lapsed = b.exiting != 0 && b.exitReadyAt + 3 days < _now();
        _same(_rao(v.free), lapsed ? b.free + b.exiting : b.free, "free");
        _same(_rao(v.exiting), lapsed ? 0 : b.exiting, "exiting");
        _same(_rao(v.reserved), b.reserved, "reserved");
        _same(_rao(v.held), b.held, "held");
        (Rao all, Rao reserved, Rao held, Rao exiting, Rao free) = vault.bondOf(b.machine);
        bonded = _rao(all);
        _same(bonded, _rao(free) + _rao(exiting) + _rao(reserved) + _rao(held), "bonded is the sum of its parts");
        _same(bonded, b.free + b.exiting + b.reserved + b.held, "bonded");
    }

    function _checkCase(IArbiter.Case memory c, BondModel.CaseModel memory m) private view {
        _true(c.kind == m.kind && c.rental == m.rental && c.registration == m.registration, "a case changed");
        _true(c.status == (m.executed ? IArbiter.Status.Executed : IArbiter.Status.Filed), "status");
        _same(c.withheldSecs, m.secs, "withheld by a case");
        _same(_rao(c.penalty), m.penalty, "penalty");
    }

    /// @dev Ascending, disjoint, none empty, inside [start, end], each of a case of its own, adding up.
    function _checkFaults(uint64 id, IRentalEscrow.Rental memory r) private view {
        IRentalEscrow.Fault[] memory faults = escrow.faultsOf(id);
        uint256 last = Timestamp.unwrap(r.start);
        uint256 sum;
        for (uint256 i = 0; i < faults.length; ++i) {
            (uint256 from, uint256 until) = (Timestamp.unwrap(faults[i].from), Timestamp.unwrap(faults[i].until));
            _true(last <= from && from < until, "faults overlap or are out of order");
            BondModel.CaseModel memory m = store.caseOf(faults[i].caseId);
            _true(m.rental == id && m.secs == until - from, "a fault without its case");
            (sum, last) = (sum + until - from, until);
        }
        _true(last <= Timestamp.unwrap(r.end), "a fault past the end");
        _same(sum, r.faultedSecs, "faults add up");
    }

    function _heldFor(uint32 registration) private view returns (uint256 held) {
        for (uint64 id = 1; id <= store.cases(); ++id) {
            IArbiter.Case memory c = arbiter.caseAt(id);
            if (c.registration == registration && c.status == IArbiter.Status.Filed) held += _rao(c.penalty);
        }
    }
}
