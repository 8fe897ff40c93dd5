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
    bytes32 private constant CLOSED_MANY = "closeMany";
    bytes32 private constant CLOSED_NONE = "closeMany of none";
    bytes32 private constant EXECUTED = "execute";
    bytes32 private constant EXECUTED_SILENT = "execute, silent judge";

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
        _closed(rental);
    }

    /// @dev Four of the last rentals or of none at all, some of them twice, open or closed.
    function closeMany(uint256 seed) external acts {
        uint64 count = STORE.rentals();
        uint64[] memory picked = new uint64[](4);
        uint256 wanted;
        for (uint256 i = 0; i < 4; ++i) {
            picked[i] = _to64((seed >> (8 * i)) % 8);
            if (picked[i] < count) picked[i] = count - picked[i];
            if (_closes(picked, i)) ++wanted;
        }
        vm.prank(STRANGER);
        uint256 closed = escrow.closeMany(picked);
        assertEq(closed, wanted, "closeMany closes what can be closed and skips the rest");
        for (uint256 i = 0; i < 4; ++i) {
            if (_closes(picked, i)) _closed(picked[i]);
        }
        STORE.count(wanted == 0 ? CLOSED_NONE : CLOSED_MANY);
    }

    /// @dev Whether the i-th can be closed, and is not named before.
    function _closes(uint64[] memory picked, uint256 i) private view returns (bool) {
        for (uint256 j = 0; j < i; ++j) {
            if (picked[j] == picked[i]) return false;
        }
        if (picked[i] == 0 || picked[i] > STORE.rentals()) return false;
        StreamOracle.Sum memory s = STORE.sumOf(picked[i]);
        return !s.closed && s.end + LAG <= _now();
    }

    function _closed(uint64 rental) private {
        STORE.add(rental, StreamOracle.Did.Paid, STORE.sumOf(rental).end, 0);
        STORE.add(rental, StreamOracle.Did.Closed, 0, 0);
        STORE.release(STORE.tenancyOf(rental).registration, rental);
    }

    /* CASES */

    function execute(uint256 caseSeed) external acts {
        uint64 count = STORE.cases();
        if (count == 0) return;
        uint64 caseId = _to64(caseSeed % count) + 1;
        for (uint64 id = 1; id <= count && caseSeed % 8 != 0; ++id) {
            if (!_isPending(STORE.caseOf(id)) || _now() < _executableAt(STORE.caseOf(id))) continue;
            caseId = id;
            break; // the oldest that can be executed
        }
        BondModel.CaseModel memory c = STORE.caseOf(caseId);
        bytes memory expected;
        if (!_isPending(c) || _now() < _executableAt(c)) {
            expected =
                _error(IArbiter.Arbiter_NotExecutable.selector, caseId, uint256(uint8(c.status)), _executableAt(c));
        }
        bool ok = _succeeds(_nameOf(c), expected);
        vm.prank(STRANGER);
        arbiter.execute(caseId);
        if (ok) _executed(caseId, c);
    }

    function _executed(uint64 caseId, BondModel.CaseModel memory c) private {
        bool refunded = c.status == IArbiter.Status.Refunded || c.status == IArbiter.Status.RefundedAppealed;
        if (c.secs != 0 && !refunded) STORE.add(c.rental, StreamOracle.Did.Decided, c.secs, 0);
        if (c.status == IArbiter.Status.Filed && c.slow && c.secs != 0) return STORE.refund(caseId);
        STORE.decide(caseId, true, _burnOf(c), false);
    }

    function _nameOf(BondModel.CaseModel memory c) private pure returns (bytes32) {
        if (c.status == IArbiter.Status.Filed && c.slow && c.secs != 0) return "execute, refund first";
        if (c.status == IArbiter.Status.Refunded) return "execute, penalty later";
        return c.appealBond != 0 ? EXECUTED_SILENT : EXECUTED;
    }

    /* CREDIT */

    /// @dev Somebody chooses where to be paid from now on: a coldkey, or the mapped account again.
    function setPayoutAccount(uint256 ledgerSeed, uint256 personSeed, uint256 what) external acts {
        RaoLedger ledger = _ledger(ledgerSeed);
        address account = STORE.people(personSeed % STORE.peopleCount());
        bytes32 chosen = what % 3 == 0 ? bytes32(0) : STORE.coldkeyOf(account);
        vm.prank(account);
        ledger.setPayoutAccount(chosen);
        STORE.choose(address(ledger), account, chosen);
        STORE.count("setPayoutAccount");
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
            bytes32 chosen = STORE.chosenAccountOf(address(ledger), account);
            if (chosen == 0) chosen = STORE.accountIdOf(account);
            expected = _error(IRaoLedger.RaoLedger_PaymentFailed.selector, uint256(chosen), credit);
        }
        bool ok = _succeeds("withdrawCredit", expected);
        vm.prank(STRANGER);
        ledger.withdrawCredit{ gas: 2_000_000 }(account);
        if (ok) STORE.pay(address(ledger), account, credit);
    }

    function flushBurn(uint256 ledgerSeed) external acts {
        RaoLedger ledger = _ledger(ledgerSeed);
        for (uint256 i = 0; i < 4 && _rao(ledger.toBurn()) < SMALLEST; ++i) {
            ledger = _ledger(ledgerSeed % 4 + i);
        }
        uint64 waiting = _rao(ledger.toBurn());
        bytes memory expected;
        if (waiting < SMALLEST) {
            expected = _error(IRaoLedger.RaoLedger_NothingToBurn.selector, waiting, SMALLEST);
        } else if (STORE.payoutsRefused()) {
            expected = _error(IRaoLedger.RaoLedger_PaymentFailed.selector, uint256(BURN), waiting);
        }
        bool ok = _succeeds("flushBurn", expected);
        vm.prank(STRANGER);
        ledger.flushBurn{ gas: 2_000_000 }();
        if (ok) STORE.burnOut(address(ledger), waiting);
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

    /// @dev Somebody with something to withdraw, if there is one.
    function _creditor(RaoLedger ledger, uint256 seed) private view returns (address account) {
        uint256 count = STORE.peopleCount();
        for (uint256 i = 0; i < count; ++i) {
            account = STORE.people((seed % count + i) % count);
            if (SMALLEST <= _rao(ledger.creditOf(account))) return account;
        }
    }
}
