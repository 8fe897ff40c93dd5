// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { RaoLedger } from "../../src/base/RaoLedger.sol";
import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { IStatedBonds } from "../../src/interfaces/IStatedBonds.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { Dues } from "./Dues.sol";
import { BondModel } from "./model/BondModel.sol";
import { StatedModel } from "./model/StatedModel.sol";
import { StreamOracle } from "./model/StreamOracle.sol";

/// @dev One record of the contracts against one of the models, and storage against names.
abstract contract Checks is Dues {
    /// @dev What the escrow says of a rental is what the oracle works out, and no second is paid that had no service.
    function _checkStream(uint64 id, IRentalEscrow.Rental memory r, StreamOracle.Sum memory s) internal view {
        _same(Timestamp.unwrap(r.start), store.tenancyOf(id).start, "start");
        _true(r.renter == store.tenancyOf(id).renter, "renter");
        _same(Timestamp.unwrap(r.end), s.end, "end");
        _same(r.boughtSecs, s.bought, "bought");
        _same(r.claimedSecs, s.claimed, "claimed");
        _same(r.faultedSecs, s.faulted, "faulted");
        _same(r.faultedSecs - r.openSecs, s.decided + s.returned, "decided");
        _same(Timestamp.unwrap(r.paidUntil), s.paidUntil, "paidUntil");
        _true(r.closed == s.closed, "closed");
        _true(s.claimed <= store.servedSecs(id, s.paidUntil), "paid for seconds without service");
        if (s.closed) _same(s.claimed, store.servedSecs(id, s.end), "closed: all service is paid, and nothing else");
    }

    function _checkBond(uint32 id, BondModel.Bond memory b) internal view returns (uint256 bonded) {
        ICollateralVault.NodeView memory v = vault.nodeAt(id);
        bool lapsed = b.exiting != 0 && b.exitReadyAt + 3 days < _now();
        _same(_rao(v.free), lapsed ? b.free + b.exiting : b.free, "free");
        _same(_rao(v.exiting), lapsed ? 0 : b.exiting, "exiting");
        _same(_rao(v.reserved), store.reservedOf(id), "reserved");
        _same(_rao(v.held), b.held, "held");
        _true(v.miner == b.miner && v.machine == b.machine && v.hotkey == b.hotkey, "whose it is");
        _true(v.retired == b.retired, "retired");
        uint64[2] memory open = store.openRentalsOf(id);
        _true(v.firstRental == open[0] && v.secondRental == open[1], "rentals that are not closed");
        bonded = uint256(_rao(v.free)) + _rao(v.exiting) + _rao(v.reserved) + _rao(v.held);
        _same(bonded, store.bondedOf(id), "bonded");
        if (b.retired) _same(bonded + open[0] + open[1], 0, "retired, and not empty");
        if (store.registrationOf(b.machine) != id) return bonded;
        (Rao all, Rao reserved, Rao held, Rao exiting, Rao free) = vault.bondOf(b.machine);
        _same(_rao(all), bonded, "bonded, by the machine's name");
        _same(bonded, _rao(free) + _rao(exiting) + _rao(reserved) + _rao(held), "bonded is the sum of its parts");
        (uint32 current, address miner) = vault.ownerOf(b.machine);
        _true(b.retired ? current == 0 && miner == address(0) : current == id && miner == b.miner, "ownerOf");
    }

    function _checkCase(uint64 id, BondModel.CaseModel memory m) internal view {
        IArbiter.Case memory c = arbiter.caseAt(id);
        _true(c.kind == m.kind && c.rental == m.rental && c.registration == m.registration, "a case changed");
        _true(c.status == m.status, "status");
        _same(Timestamp.unwrap(c.filedAt), m.filedAt, "filedAt");
        _same(c.withheldSecs, m.secs, "withheld by a case");
        _same(_rao(c.penalty), m.penalty, "penalty");
        _true(c.slow == m.slow, "slow");
    }

    /// @dev Ascending, disjoint, none empty, inside [start, end], each of a case of its own, adding up.
    function _checkFaults(uint64 id, IRentalEscrow.Rental memory r) internal view {
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

    function _checkStatements() internal view {
        _same(vault.statementCount(), store.words(), "15: statements");
        for (uint64 id = 1; id <= store.words(); ++id) {
            StatedModel.Word memory w = store.wordAt(id);
            IStatedBonds.Statement memory s = vault.statementAt(id);
            _true(s.vault == w.vault && s.owner == w.owner && s.registration == w.registration, "15: whose");
            _true(s.rental == w.rental && s.over == w.over, "15: for which rental");
            _true(s.alpha == w.alpha && _rao(s.value) == w.value, "15: how much");
            _same(Timestamp.unwrap(s.statedAt), w.statedAt, "15: stated at");
            _same(Timestamp.unwrap(s.until), w.until, "15: until");
        }
        for (uint32 id = 1; id <= store.registrations(); ++id) {
            _same(vault.statementOf(id), store.newestWordOf(id), "15: the newest");
        }
    }

    function _checkCover(uint64 rental) internal view returns (uint64 value) {
        IStatedBonds.Cover memory cover = vault.coverOf(rental);
        StatedModel.Covered memory c = store.coveredOf(rental);
        value = _rao(cover.value);
        _same(cover.statement, c.word, "15: covered by");
        _same(cover.alpha, c.alpha, "15: covered with");
        _same(value, c.value, "15: covered");
        _same(_rao(cover.tao), c.tao, "15: beside it");
        if (cover.statement == 0) return value;
        IStatedBonds.Statement memory s = vault.statementAt(cover.statement);
        _true(uint256(value) * s.alpha <= uint256(cover.alpha) * _rao(s.value), "15: counted above its rate");
        uint256 lastCase = uint256(Timestamp.unwrap(_rentalAt(rental).end)) + 1 hours + 3 days;
        _true(lastCase <= Timestamp.unwrap(s.until), "15: covered by what can leave before the last case");
    }

    /// @dev The newer of the two is covered with what its statement leaves.
    function _checkShared(uint64[2] memory open) internal view {
        if (open[0] > open[1]) (open[0], open[1]) = (open[1], open[0]);
        IStatedBonds.Cover memory older = vault.coverOf(open[0]);
        IStatedBonds.Cover memory newer = vault.coverOf(open[1]);
        if (older.statement == 0 || newer.statement == 0) return;
        IStatedBonds.Statement memory s = vault.statementAt(newer.statement);
        IStatedBonds.Statement memory o = vault.statementAt(older.statement);
        if (o.vault != s.vault || o.owner != s.owner) return;
        _true(uint256(older.alpha) + newer.alpha <= s.alpha, "15: the same alpha behind two rentals");
    }

    /// @dev Filed or appealed: the seconds of a case are still withheld.
    function _isWithheld(BondModel.CaseModel memory m) internal pure returns (bool) {
        return m.status == IArbiter.Status.Filed || m.status == IArbiter.Status.Appealed;
    }

    function _isDecided(BondModel.CaseModel memory m) internal pure returns (bool) {
        return m.status == IArbiter.Status.Executed || m.status == IArbiter.Status.Dismissed;
    }

    /* WHO HAS CREDIT */

    /// @dev The credit of every account that was ever written into a ledger's mapping. None of them is unknown.
    function _creditOfEverybody(RaoLedger ledger) internal returns (uint256 sum) {
        bytes32 mappingSlot = _creditSlot(ledger);
        uint256 count = vm.getMappingLength(address(ledger), mappingSlot);
        for (uint256 i = 0; i < count; ++i) {
            bytes32 slot = vm.getMappingSlotAt(address(ledger), mappingSlot, i);
            (, bytes32 key,) = vm.getMappingKeyAndParentOf(address(ledger), slot);
            address account = address(uint160(uint256(key)));
            _true(store.isKnown(account), "14: somebody unknown was given credit");
            _same(uint64(uint256(vm.load(address(ledger), slot))), _rao(ledger.creditOf(account)), "credit slot");
            sum += _rao(ledger.creditOf(account));
        }
        _checkSuspects(ledger);
    }

    /// @dev A key that is a constant of the code is not seen as one of a mapping; these are asked for by name.
    function _checkSuspects(RaoLedger ledger) private view {
        address[9] memory suspects = [
            address(0),
            address(0xdead),
            address(0x800),
            address(vault),
            address(escrow),
            address(arbiter),
            address(bids),
            address(keepers),
            address(this)
        ];
        for (uint256 i = 0; i < suspects.length; ++i) {
            _same(_rao(ledger.creditOf(suspects[i])), 0, "14: a contract or nobody was given credit");
        }
    }

    /// @dev Where a ledger keeps credit: the mapping that `creditOf` reads.
    function _creditSlot(RaoLedger ledger) private returns (bytes32) {
        vm.record();
        ledger.creditOf(STRANGER);
        (bytes32[] memory reads,) = vm.accesses(address(ledger));
        for (uint256 slot = 0; slot < 16; ++slot) {
            if (reads[0] == keccak256(abi.encode(STRANGER, slot))) return bytes32(slot);
        }
        revert("the credit mapping is not found");
    }
}
