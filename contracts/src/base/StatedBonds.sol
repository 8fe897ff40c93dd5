// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IKeeperSet } from "../interfaces/IKeeperSet.sol";
import { IStatedBonds } from "../interfaces/IStatedBonds.sol";
import { Eip712 } from "../libraries/Eip712.sol";
import { Rao, Timestamp, ZERO_RAO, maxTime, minRao, minTime, plusSecs, secsBetween, timeNow } from "../types/Units.sol";

/// @title What keepers state of bonds elsewhere, and which rentals it covers (see IStatedBonds)
/// @dev Part of the Vault, because the Vault decides what is enough behind a rental. It touches none of its money.
abstract contract StatedBonds is IStatedBonds {
    /// @dev A rental that wants cover.
    /// @param newest The registration's newest rental before this one, when it begins; its own number later.
    /// @param other The other rental of the registration that is not closed; 0: none.
    /// @param outdatedAt Statements from before, or of that second, say nothing any more.
    /// @param until When the rental can be closed.
    struct Wanted {
        uint32 registration;
        uint64 rental;
        uint64 newest;
        uint64 other;
        Timestamp outdatedAt;
        Timestamp until;
    }

    /* IMMUTABLES */

    IKeeperSet public immutable KEEPERS;
    uint32 public immutable STATEMENT_LIFE_SECS;
    uint32 public immutable STATED_FILING_SECS;

    /* STORAGE */

    mapping(uint64 statement => Statement) private _statements;
    mapping(uint32 registration => uint64 statement) private _newestOf;
    mapping(uint64 rental => Cover) private _covers;
    uint64 private _statementCount;

    /* CONSTRUCTOR */

    constructor(address keepers, uint32 statementLifeSecs, uint32 statedFilingSecs) {
        KEEPERS = IKeeperSet(keepers);
        STATEMENT_LIFE_SECS = statementLifeSecs;
        STATED_FILING_SECS = statedFilingSecs;
    }

    /* ANYBODY */

    /// @inheritdoc IStatedBonds
    function state(BondClaim calldata claim, SignedStatement[] calldata statements) external returns (uint64 number) {
        // Check
        (uint32 current, Timestamp outdatedAt) = _currentOf(claim.machine);
        require(
            current == claim.registration && current != 0,
            StatedBonds_NotCurrent(claim.machine, claim.registration, current)
        );
        Statement memory s = _read(claim, statements);
        bool something = s.vault != 0 && s.owner != 0 && s.alpha != 0 && ZERO_RAO < s.value;
        require(something, StatedBonds_Nothing());
        _checkFresh(s.statedAt, outdatedAt);
        Timestamp newest = _statements[_newestOf[current]].statedAt;
        require(newest < s.statedAt, StatedBonds_NotNewer(s.statedAt, newest));
        // Effect
        number = ++_statementCount;
        _statements[number] = s;
        _newestOf[current] = number;
        emit BondStated(current, number, s.vault, s.owner, s.alpha, s.value, s.until);
    }

    /* VIEWS */

    /// @inheritdoc IStatedBonds
    function statementCount() external view returns (uint64) {
        return _statementCount;
    }

    /// @inheritdoc IStatedBonds
    function statementAt(uint64 statement) external view returns (Statement memory) {
        return _statements[statement];
    }

    /// @inheritdoc IStatedBonds
    function statementOf(uint32 registration) external view returns (uint64) {
        return _newestOf[registration];
    }

    /// @inheritdoc IStatedBonds
    function coverOf(uint64 rental) external view returns (Cover memory) {
        return _covers[rental];
    }

    /* FOR THE VAULT */

    /// @dev The machine's registration, 0 when it has none, and when something happened to its node after which no
    /// earlier statement counts.
    function _currentOf(bytes32 machine) internal view virtual returns (uint32 registration, Timestamp outdatedAt);

    function _isCovered(uint64 rental) internal view returns (bool) {
        return _covers[rental].statement != 0;
    }

    /// @dev What covers the rental for certain if it lasts until `until`.
    function _coveredUntil(uint64 rental, Timestamp until) internal view returns (Rao value) {
        Cover memory cover = _covers[rental];
        if (cover.statement == 0) return ZERO_RAO;
        bool lasts = plusSecs(until, STATED_FILING_SECS) <= _statements[cover.statement].until;
        return lasts ? cover.value : ZERO_RAO;
    }

    /// @dev Brings what covers a rental to `value`, by the registration's newest statement, and at its rate.
    /// @param tao What is reserved beside it.
    /// @return False when there is no statement at all.
    function _cover(Wanted memory w, Rao value, Rao tao) internal returns (bool) {
        uint64 number = _newestOf[w.registration];
        if (number == 0) return false;
        Statement memory s = _statements[number];
        // What a rental began with serves to extend it: while it runs, no case has taken anything from it.
        if (_covers[w.rental].statement != number) _checkMeant(number, s, w);
        _checkFresh(s.statedAt, w.outdatedAt);
        Timestamp needed = plusSecs(w.until, STATED_FILING_SECS);
        require(needed <= s.until, StatedBonds_TooShort(number, s.until, needed));
        uint64 left = s.alpha - _usedOf(s, w.other);
        // Up: whoever covers shows never less than the rule says.
        uint256 alpha = (uint256(Rao.unwrap(value)) * s.alpha + Rao.unwrap(s.value) - 1) / Rao.unwrap(s.value);
        require(alpha <= left, StatedBonds_NotEnough(number, _worth(s, left), value));
        // forge-lint: disable-next-line(unsafe-typecast) at most `left`
        _setCover(w.rental, Cover(number, uint64(alpha), value, tao));
        return true;
    }

    /// @dev What is reserved beside what covers the rental; where nothing that lasts does, TAO bears it alone.
    function _beside(uint64 rental, Rao covered, Rao tao) internal {
        Cover memory cover = _covers[rental];
        if (cover.statement == 0) return;
        if (covered == ZERO_RAO) _setCover(rental, Cover(0, 0, ZERO_RAO, ZERO_RAO));
        else if (!(cover.tao == tao)) _setCover(rental, Cover(cover.statement, cover.alpha, cover.value, tao));
    }

    /* INTERNALS */

    function _setCover(uint64 rental, Cover memory cover) private {
        _covers[rental] = cover;
        emit Covered(rental, cover.statement, cover.alpha, cover.value, cover.tao);
    }

    /// @dev What the signers say together: the least of each, under a quorum.
    function _read(BondClaim calldata claim, SignedStatement[] calldata statements)
        private
        view
        returns (Statement memory s)
    {
        (s.vault, s.owner, s.registration) = (claim.vault, claim.owner, claim.registration);
        (s.rental, s.over) = (claim.rental, claim.over);
        s.alpha = type(uint64).max;
        s.value = Rao.wrap(type(uint64).max);
        (s.statedAt, s.until) = (timeNow(), Timestamp.wrap(type(uint32).max));
        bytes32 separator = Eip712.domainSeparator();
        address[] memory signers = new address[](statements.length);
        for (uint256 i = 0; i < statements.length; ++i) {
            SignedStatement calldata one = statements[i];
            require(one.statedAt <= timeNow(), StatedBonds_OfTheFuture(i, one.statedAt));
            if (one.alpha < s.alpha) s.alpha = one.alpha;
            s.value = minRao(s.value, one.value);
            s.statedAt = minTime(s.statedAt, one.statedAt);
            s.until = minTime(s.until, one.until);
            signers[i] = Eip712.recover(separator, Eip712.bondStatementHash(claim, one), one.r, one.vs);
        }
        // slither-disable-next-line unused-return a statement punishes nobody
        (bool quorum,) = KEEPERS.quorumOf(signers);
        require(quorum, StatedBonds_NoQuorum(signers.length));
    }

    /// @dev Within its life, and after what outdates it; what happened in the same second is taken to be later.
    function _checkFresh(Timestamp statedAt, Timestamp outdatedAt) private view {
        Timestamp oldest = Timestamp.wrap(secsBetween(Timestamp.wrap(STATEMENT_LIFE_SECS), timeNow()));
        require(oldest <= statedAt && outdatedAt < statedAt, StatedBonds_Stale(statedAt, maxTime(oldest, outdatedAt)));
    }

    /// @dev Made after the registration's last rental was over, for one that begins; made during it, to extend it.
    function _checkMeant(uint64 number, Statement memory s, Wanted memory w) private pure {
        bool begins = w.newest != w.rental;
        require(s.rental == w.newest && s.over == begins, StatedBonds_OtherRental(number, s.rental, s.over, w.rental));
    }

    /// @dev What of the same bond covers the rental before, as long as that is not closed: it answers for it.
    function _usedOf(Statement memory s, uint64 other) private view returns (uint64) {
        Cover memory cover = _covers[other];
        if (cover.statement == 0) return 0;
        Statement storage earlier = _statements[cover.statement];
        if (earlier.vault != s.vault || earlier.owner != s.owner) return 0;
        return cover.alpha < s.alpha ? cover.alpha : s.alpha;
    }

    function _worth(Statement memory s, uint64 alpha) private pure returns (Rao) {
        // forge-lint: disable-next-line(unsafe-typecast) at most the statement's value
        return Rao.wrap(uint64(uint256(alpha) * Rao.unwrap(s.value) / s.alpha));
    }
}
