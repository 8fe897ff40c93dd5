// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../interfaces/IArbiter.sol";
import { ICollateralVault } from "../interfaces/ICollateralVault.sol";
import { IRentalEscrow } from "../interfaces/IRentalEscrow.sol";
import { Rao, Timestamp, ZERO_RAO, bpsOfDown, maxRao, minRao, plusSecs, timeNow } from "../types/Units.sol";
import { RaoLedger } from "./RaoLedger.sol";

/// @title What becomes of a case once it is filed (the deciding half of IArbiter)
/// @dev Every case ends in Executed or Dismissed, once. Withheld pay and penalty were set aside when it was filed, so
/// nothing here depends on what happened in between, but for the second clamp of an `Offline`, which only lowers it.
abstract contract Docket is IArbiter, RaoLedger {
    /// @dev An appeal costs the judge's time: a tenth of what is at stake, and never nothing.
    uint256 public constant APPEAL_BOND_BPS = 1_000;
    Rao public constant MIN_APPEAL_BOND = Rao.wrap(10_000_000); // .01 TAO

    /// @dev One slot.
    struct Day {
        uint32 number; // days since 1970, UTC
        Rao penalties;
    }

    /* IMMUTABLES */

    ICollateralVault public immutable VAULT;
    IRentalEscrow public immutable ESCROW;
    address public immutable JUDGE;
    uint32 public immutable APPEAL_WINDOW_SECS;
    uint32 public immutable RULING_WINDOW_SECS;
    uint16 public immutable BREAKER_BPS;

    /* STORAGE */

    mapping(uint64 caseId => Case) internal _cases;
    mapping(uint64 caseId => Appeal) private _appeals;
    Day private _day;

    /* CONSTRUCTOR */

    constructor(Config memory config) {
        require(config.judge != address(0), Arbiter_BadConfig("judge is zero"));
        require(config.appealWindowSecs != 0, Arbiter_BadConfig("appealWindowSecs is zero"));
        require(config.rulingWindowSecs != 0, Arbiter_BadConfig("rulingWindowSecs is zero"));
        // Times are 32 bits: a window without bound would overflow, and no case would ever be decided.
        require(config.appealWindowSecs <= 30 days, Arbiter_BadConfig("appealWindowSecs is over 30 days"));
        require(config.rulingWindowSecs <= 30 days, Arbiter_BadConfig("rulingWindowSecs is over 30 days"));
        require(config.breakerBps != 0, Arbiter_BadConfig("breakerBps is zero"));
        require(config.breakerBps <= 10_000, Arbiter_BadConfig("breakerBps is over 10,000"));
        VAULT = ICollateralVault(config.vault);
        ESCROW = IRentalEscrow(config.escrow);
        JUDGE = config.judge;
        APPEAL_WINDOW_SECS = config.appealWindowSecs;
        RULING_WINDOW_SECS = config.rulingWindowSecs;
        BREAKER_BPS = config.breakerBps;
    }

    /* MINER */

    /// @inheritdoc IArbiter
    function appeal(uint64 caseId, bytes32 evidence) external payable {
        Case memory c = _cases[caseId];
        bool waiting = c.status == Status.Filed || c.status == Status.Refunded;
        Timestamp until = _appealableUntil(c);
        require(waiting && timeNow() < until, Arbiter_NotAppealable(caseId, c.status, until));
        address miner = VAULT.minerOf(c.registration);
        require(miner == msg.sender, Arbiter_OnlyMiner(caseId, miner, msg.sender));
        Rao bond = _takeIn();
        require(bond == _appealBond(c), Arbiter_WrongAppealBond(bond, _appealBond(c)));
        // The breaker delays penalties, never refunds: pay whose window is over is the renter's.
        // slither-disable-next-line reentrancy-no-eth,reentrancy-benign an immutable sibling
        if (c.status == Status.Filed && _isRefundable(c)) _refund(caseId, c);
        _cases[caseId].status = c.status == Status.Filed ? Status.Appealed : Status.RefundedAppealed;
        Timestamp ruleBy = plusSecs(timeNow(), RULING_WINDOW_SECS);
        _appeals[caseId] = Appeal(bond, ruleBy);
        emit Appealed(caseId, miner, bond, evidence, ruleBy);
    }

    /* JUDGE */

    /// @inheritdoc IArbiter
    function rule(uint64 caseId, bool uphold) external {
        require(msg.sender == JUDGE, Arbiter_OnlyJudge(JUDGE, msg.sender));
        Case memory c = _cases[caseId];
        Appeal memory a = _appeals[caseId];
        require(_isAppealed(c) && timeNow() <= a.ruleBy, Arbiter_NotRulable(caseId, c.status, a.ruleBy));
        emit Ruled(caseId, uphold);
        if (uphold) {
            _burn(a.bond);
            _conclude(caseId, c);
        } else {
            _owe(VAULT.minerOf(c.registration), a.bond);
            _dismiss(caseId, c);
        }
    }

    /* ANYBODY */

    /// @inheritdoc IArbiter
    function execute(uint64 caseId) external {
        Case memory c = _cases[caseId];
        require(c.status != Status.None, Arbiter_NoCase(caseId));
        Timestamp from = _executableAt(caseId, c);
        require(_isPending(c) && from <= timeNow(), Arbiter_NotExecutable(caseId, c.status, from));
        if (c.status == Status.Filed && c.slow && c.withheldSecs != 0) return _refund(caseId, c);
        if (_isAppealed(c)) _owe(VAULT.minerOf(c.registration), _appeals[caseId].bond); // the judge was silent
        _conclude(caseId, c);
    }

    /* VIEWS */

    /// @inheritdoc IArbiter
    function caseCount() external view returns (uint64) {
        return _books.count;
    }

    /// @inheritdoc IArbiter
    function caseAt(uint64 caseId) external view returns (Case memory) {
        return _cases[caseId];
    }

    /// @inheritdoc IArbiter
    function executableAt(uint64 caseId) external view returns (Timestamp) {
        Case memory c = _cases[caseId];
        require(c.status != Status.None, Arbiter_NoCase(caseId));
        require(_isPending(c), Arbiter_NotExecutable(caseId, c.status, Timestamp.wrap(0)));
        return _executableAt(caseId, c);
    }

    /// @inheritdoc IArbiter
    function appealBondOf(uint64 caseId) external view returns (Rao) {
        require(_cases[caseId].status != Status.None, Arbiter_NoCase(caseId));
        return _appealBond(_cases[caseId]);
    }

    /// @inheritdoc IArbiter
    function appealableUntil(uint64 caseId) external view returns (Timestamp) {
        require(_cases[caseId].status != Status.None, Arbiter_NoCase(caseId));
        return _appealableUntil(_cases[caseId]);
    }

    /// @inheritdoc IArbiter
    function appealOf(uint64 caseId) external view returns (Appeal memory) {
        return _appeals[caseId];
    }

    /// @inheritdoc IArbiter
    function penaltiesOfDay() external view returns (uint32 day, Rao total) {
        return (_day.number, _day.penalties);
    }

    /* INTERNALS: FILING */

    /// @dev Counts a penalty that was set aside today. True when the day's, this one included, pass the breaker's
    /// share of all that the vault owes miners: then it waits longer.
    function _isOverBreaker(Rao penalty) internal returns (bool) {
        uint32 today = Timestamp.unwrap(timeNow()) / 1 days;
        Rao total = _day.number == today ? _day.penalties + penalty : penalty;
        _day = Day(today, total);
        return bpsOfDown(VAULT.owedToMiners(), BREAKER_BPS) < total;
    }

    /* INTERNALS: DECIDING */

    /// @dev First half of what a slow case does.
    function _refund(uint64 caseId, Case memory c) private {
        _cases[caseId].status = c.status = Status.Refunded;
        ESCROW.decide(c.rental, c.withheldSecs, true);
        emit Refunded(caseId, c.withheldSecs);
    }

    function _conclude(uint64 caseId, Case memory c) private {
        _cases[caseId].status = Status.Executed;
        uint32 secs = _undecidedSecs(c);
        if (secs != 0) ESCROW.decide(c.rental, secs, true);
        Rao burned = c.penalty == ZERO_RAO ? ZERO_RAO : _forfeit(c);
        emit Executed(caseId, secs, burned);
    }

    function _dismiss(uint64 caseId, Case memory c) private {
        _cases[caseId].status = Status.Dismissed;
        uint32 secs = _undecidedSecs(c);
        if (secs != 0) ESCROW.decide(c.rental, secs, false);
        if (ZERO_RAO < c.penalty) VAULT.giveBack(c.registration, c.penalty);
        emit Dismissed(caseId, secs, c.penalty);
    }

    /// @dev Burns the penalty, and gives back what an `Offline` would cost more than the rental has earned by now:
    /// seconds withheld after it was filed count too, whatever was filed first.
    function _forfeit(Case memory c) private returns (Rao burned) {
        burned = c.kind == Kind.Offline ? minRao(c.penalty, ESCROW.earnedOf(c.rental)) : c.penalty;
        if (ZERO_RAO < burned) VAULT.forfeit(c.registration, burned);
        if (burned < c.penalty) VAULT.giveBack(c.registration, c.penalty - burned);
    }

    /* INTERNALS: READING */

    function _isAppealed(Case memory c) private pure returns (bool) {
        return c.status == Status.Appealed || c.status == Status.RefundedAppealed;
    }

    function _isPending(Case memory c) private pure returns (bool) {
        return c.status == Status.Filed || c.status == Status.Refunded || _isAppealed(c);
    }

    /// @dev What is still withheld: nothing once it was refunded.
    function _undecidedSecs(Case memory c) private pure returns (uint32) {
        bool refunded = c.status == Status.Refunded || c.status == Status.RefundedAppealed;
        return refunded ? 0 : c.withheldSecs;
    }

    /// @dev A slow case whose appeal window is over: the pay is due, the penalty is not.
    function _isRefundable(Case memory c) private view returns (bool) {
        return c.slow && c.withheldSecs != 0 && plusSecs(c.filedAt, APPEAL_WINDOW_SECS) <= timeNow();
    }

    function _appealBond(Case memory c) private pure returns (Rao) {
        return maxRao(bpsOfDown(c.penalty, APPEAL_BOND_BPS), MIN_APPEAL_BOND);
    }

    function _appealableUntil(Case memory c) private view returns (Timestamp) {
        return plusSecs(c.filedAt, c.slow ? APPEAL_WINDOW_SECS + RULING_WINDOW_SECS : APPEAL_WINDOW_SECS);
    }

    function _executableAt(uint64 caseId, Case memory c) private view returns (Timestamp) {
        if (_isAppealed(c)) return plusSecs(_appeals[caseId].ruleBy, 1);
        bool refundFirst = c.status == Status.Filed && c.withheldSecs != 0;
        return refundFirst ? plusSecs(c.filedAt, APPEAL_WINDOW_SECS) : _appealableUntil(c);
    }
}
