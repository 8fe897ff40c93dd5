// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { RaoLedger } from "../../../src/base/RaoLedger.sol";
import { IArbiter } from "../../../src/interfaces/IArbiter.sol";
import { IRaoLedger } from "../../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../../src/interfaces/IRentalEscrow.sol";
import { BondModel } from "../model/BondModel.sol";
import { StreamOracle } from "../model/StreamOracle.sol";
import { HandlerBase, System } from "./HandlerBase.sol";

/// @dev What anybody may do, done by somebody with no part in it.
contract PublicHandler is HandlerBase {
    uint64 internal constant SMALLEST = 500;

    constructor(System memory s) HandlerBase(s) { }

    /* RENTALS */

    function claim(uint256 rentalSeed) external acts {
        uint64 rental = _rental(rentalSeed, Wanted.Open);
        if (rental == 0) return;
        bytes memory expected;
        uint32 upTo = _now() - LAG;
        if (STORE.sumOf(rental).closed) {
            expected = _error(IRentalEscrow.RentalEscrow_Closed.selector, rental);
        } else if (STORE.claimable(rental, upTo) == 0) {
            expected = _error(IRentalEscrow.RentalEscrow_NothingToClaim.selector, rental);
        }
        bool ok = _succeeds("claim", expected);
        vm.prank(STRANGER);
        escrow.claim(rental);
        if (ok) STORE.add(rental, StreamOracle.Did.Paid, upTo, 0);
    }

    function close(uint256 rentalSeed) external acts {
        uint64 rental = _rental(rentalSeed, Wanted.Over);
        if (rental == 0) return;
        StreamOracle.Sum memory s = STORE.sumOf(rental);
        bytes memory expected;
        if (s.closed) {
            expected = _error(IRentalEscrow.RentalEscrow_Closed.selector, rental);
        } else if (_now() < s.end + LAG) {
            expected = _error(IRentalEscrow.RentalEscrow_TooEarly.selector, rental, s.end + LAG);
        }
        bool ok = _succeeds("close", expected);
        vm.prank(STRANGER);
        escrow.close(rental);
        if (!ok) return;
        STORE.add(rental, StreamOracle.Did.Paid, s.end, 0);
        STORE.add(rental, StreamOracle.Did.Closed, 0, 0);
        STORE.release(STORE.tenancyOf(rental).registration, rental);
    }

    /* CASES */

    function execute(uint256 caseSeed) external acts {
        uint64 count = STORE.cases();
        if (count == 0) return;
        uint64 caseId = _to64(caseSeed % count) + 1;
        for (uint64 id = 1; id <= count && caseSeed % 8 != 0; ++id) {
            if (!STORE.caseOf(id).executed) caseId = id;
            if (caseId == id) break; // the oldest that waits
        }
        BondModel.CaseModel memory c = STORE.caseOf(caseId);
        bytes memory expected;
        if (c.executed || _now() < c.filedAt + 24 hours) {
            IArbiter.Status status = c.executed ? IArbiter.Status.Executed : IArbiter.Status.Filed;
            expected =
                _error(IArbiter.Arbiter_NotExecutable.selector, caseId, uint256(uint8(status)), c.filedAt + 24 hours);
        }
        bool ok = _succeeds("execute", expected);
        vm.prank(STRANGER);
        arbiter.execute(caseId);
        if (!ok) return;
        STORE.decide(caseId, c.kind == IArbiter.Kind.Offline ? _atMostEarned(c) : c.penalty);
        if (c.secs != 0) STORE.add(c.rental, StreamOracle.Did.Decided, c.secs, 0);
    }

    /// @dev An outage never costs more than the rental has earned by now.
    function _atMostEarned(BondModel.CaseModel memory c) private view returns (uint64) {
        uint32 end = STORE.sumOf(c.rental).end;
        uint64 earned =
            uint64(STORE.tenancyOf(c.rental).price) * STORE.servedSecs(c.rental, _now() < end ? _now() : end);
        return c.penalty < earned ? c.penalty : earned;
    }

    /* MONEY OUT */

    function withdrawCredit(uint256 ledgerSeed, uint256 personSeed) external acts {
        RaoLedger ledger = _ledger(ledgerSeed);
        address account = _creditor(ledger, personSeed);
        uint64 credit = _rao(ledger.creditOf(account));
        bytes memory expected;
        if (credit < SMALLEST) {
            uint256 who = uint256(uint160(account));
            expected = _error(IRaoLedger.RaoLedger_CreditTooSmall.selector, who, credit, SMALLEST);
        } else if (STORE.payoutsRefused()) {
            expected = _error(IRaoLedger.RaoLedger_PaymentFailed.selector, uint256(STORE.accountIdOf(account)), credit);
        }
        _succeeds("withdrawCredit", expected);
        vm.prank(STRANGER);
        ledger.withdrawCredit{ gas: 2_000_000 }(account);
    }

    function flushBurn(uint256 ledgerSeed) external acts {
        RaoLedger ledger = _ledger(ledgerSeed);
        for (uint256 i = 0; i < 3 && _rao(ledger.toBurn()) < SMALLEST; ++i) {
            ledger = _ledger(ledgerSeed % 3 + i);
        }
        uint64 waiting = _rao(ledger.toBurn());
        bytes memory expected;
        if (waiting < SMALLEST) {
            expected = _error(IRaoLedger.RaoLedger_NothingToBurn.selector, waiting, SMALLEST);
        } else if (STORE.payoutsRefused()) {
            expected = _error(IRaoLedger.RaoLedger_PaymentFailed.selector, uint256(BURN), waiting);
        }
        _succeeds("flushBurn", expected);
        vm.prank(STRANGER);
        ledger.flushBurn{ gas: 2_000_000 }();
    }

    function sweep(uint256 ledgerSeed) external acts {
        RaoLedger ledger = _ledger(ledgerSeed);
        uint64 surplus = _to64(STORE.strayWei(address(ledger)) / WEI);
        bytes memory expected;
        if (surplus < SMALLEST) {
            expected = _error(IRaoLedger.RaoLedger_NothingToBurn.selector, surplus, SMALLEST);
        }
        bool ok = _succeeds("sweep", expected);
        vm.prank(STRANGER);
        ledger.sweep();
        if (ok) STORE.sweep(address(ledger), surplus);
    }

    /* INTERNALS */

    function _ledger(uint256 seed) internal view returns (RaoLedger) {
        return [RaoLedger(vault), escrow, arbiter][seed % 3];
    }

    /// @dev Somebody with something to withdraw, if there is one.
    function _creditor(RaoLedger ledger, uint256 seed) private view returns (address account) {
        uint256 count = STORE.peopleCount();
        for (uint256 i = 0; i < count; ++i) {
            account = STORE.people((seed % count + i) % count);
            if (SMALLEST <= _rao(ledger.creditOf(account))) return account;
        }
    }
}
