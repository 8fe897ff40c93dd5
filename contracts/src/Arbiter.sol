// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { RaoLedger } from "./base/RaoLedger.sol";
import { IArbiter } from "./interfaces/IArbiter.sol";
import { ICollateralVault } from "./interfaces/ICollateralVault.sol";
import { IKeeperSet } from "./interfaces/IKeeperSet.sol";
import { IRentalEscrow } from "./interfaces/IRentalEscrow.sol";
import { CaseLib } from "./libraries/CaseLib.sol";
import { Eip712 } from "./libraries/Eip712.sol";
import { Rao, Timestamp, ZERO_RAO, bpsOfDown, minRao, plusSecs, secsBetween, timeNow, toRao } from "./types/Units.sol";

/// @title Where facts become money (see IArbiter)
contract Arbiter is IArbiter, RaoLedger {
    uint16 public constant MAX_PENALTY_BPS = 2_000;

    /// @dev What a set of attestations says together.
    struct Finding {
        Timestamp from;
        Timestamp until;
        Cause cause;
        address[] signers;
        bytes32[] evidence;
    }

    /* IMMUTABLES */

    ICollateralVault public immutable VAULT;
    IRentalEscrow public immutable ESCROW;
    IKeeperSet public immutable KEEPERS;
    uint32 public immutable APPEAL_WINDOW_SECS;
    uint32 public immutable DELIVERY_GRACE_SECS;
    uint32 public immutable MIN_INTERRUPTED_SECS;
    uint32 public immutable MIN_OFFLINE_SECS;
    uint32 public immutable FRESHNESS_SECS;
    uint32 public immutable SPOOF_LIFE_SECS;
    uint16 public immutable NOT_DELIVERED_BPS;
    uint16 public immutable OFFLINE_BPS;

    /* STORAGE */

    mapping(uint64 caseId => Case) private _cases;
    mapping(uint32 registration => Timestamp) private _lastSpoofedAt;

    /* CONSTRUCTOR */

    constructor(Config memory config) payable {
        _checkSiblings(config);
        _checkTimes(config);
        require(config.notDeliveredBps <= MAX_PENALTY_BPS, Arbiter_BadConfig("notDeliveredBps is over 2,000"));
        require(config.offlineBps <= MAX_PENALTY_BPS, Arbiter_BadConfig("offlineBps is over 2,000"));
        VAULT = ICollateralVault(config.vault);
        ESCROW = IRentalEscrow(config.escrow);
        KEEPERS = IKeeperSet(config.keepers);
        APPEAL_WINDOW_SECS = config.appealWindowSecs;
        DELIVERY_GRACE_SECS = config.deliveryGraceSecs;
        MIN_INTERRUPTED_SECS = config.minInterruptedSecs;
        MIN_OFFLINE_SECS = config.minOfflineSecs;
        FRESHNESS_SECS = config.freshnessSecs;
        SPOOF_LIFE_SECS = config.spoofLifeSecs;
        NOT_DELIVERED_BPS = config.notDeliveredBps;
        OFFLINE_BPS = config.offlineBps;
    }

    /* FILE */

    /// @inheritdoc IArbiter
    function file(Kind kind, uint64 rental, uint8 gap, SignedAttestation[] calldata attestations)
        external
        returns (uint64 caseId)
    {
        // Check: a quorum says so, of a time that is still to be decided.
        IRentalEscrow.Rental memory r = ESCROW.rentalAt(rental);
        require(Timestamp.unwrap(r.start) != 0, Arbiter_NoRental(rental));
        Finding memory found = _read(kind, rental, r.start, attestations);
        bool punishable = _checkQuorum(found.signers);
        bool ends = kind != Kind.Interrupted;
        if (ends) _checkEndable(kind, rental, gap, r);
        _narrow(kind, rental, gap, found);
        if (ends) found.until = timeNow(); // it is still out: what is withheld runs to now
        // Effect
        caseId = ++_books.count;
        Case storage c = _cases[caseId];
        c.kind = kind;
        c.status = Status.Filed;
        c.cause = found.cause;
        c.rental = rental;
        c.registration = r.registration;
        c.filedAt = timeNow();
        c.withheldSecs = secsBetween(found.from, found.until);
        // Interaction: siblings. The escrow checks the interval again.
        // slither-disable-next-line reentrancy-no-eth an immutable sibling, which never calls back
        Rao earned = ESCROW.withhold(rental, caseId, gap, found.from, found.until, ends);
        if (punishable && ends) c.penalty = _setAside(kind, rental, r.registration, earned);
        emit Filed(caseId, rental, r.registration, kind, c.withheldSecs, c.penalty, found.signers, found.evidence);
    }

    /// @inheritdoc IArbiter
    function fileSpoofed(
        bytes32 machine,
        uint32 registration,
        uint16 gpuClass,
        uint16 gpuCount,
        SignedSpoof[] calldata spoofs
    ) external returns (uint64 caseId) {
        // slither-disable-next-line unused-return whose machine it is does not matter here
        (uint32 current,) = VAULT.ownerOf(machine);
        require(current == registration && registration != 0, Arbiter_NotCurrent(machine, registration, current));
        Finding memory found = _readSpoofs(machine, registration, gpuClass, gpuCount, spoofs);
        bool punishable = _checkQuorum(found.signers);
        // Effect
        _lastSpoofedAt[registration] = timeNow();
        caseId = ++_books.count;
        Case storage c = _cases[caseId];
        c.kind = Kind.Spoofed;
        c.status = Status.Filed;
        c.registration = registration;
        c.filedAt = timeNow();
        // Interaction: siblings.
        // slither-disable-next-line reentrancy-no-eth an immutable sibling, which never calls back
        uint64 rental = ESCROW.distrust(registration);
        c.rental = rental;
        if (punishable) {
            Rao penalty = toRao(uint256(Rao.unwrap(ESCROW.classBond(gpuClass))) * gpuCount);
            c.penalty = VAULT.setAsideAny(registration, rental, penalty);
        }
        emit Filed(caseId, rental, registration, Kind.Spoofed, 0, c.penalty, found.signers, found.evidence);
    }

    /* DECIDE */

    /// @inheritdoc IArbiter
    function execute(uint64 caseId) external {
        Case memory c = _cases[caseId];
        require(c.status != Status.None, Arbiter_NoCase(caseId));
        Timestamp from = _executableAt(c);
        require(c.status == Status.Filed && from <= timeNow(), Arbiter_NotExecutable(caseId, c.status, from));
        _cases[caseId].status = Status.Executed;
        if (c.withheldSecs != 0) ESCROW.decide(c.rental, c.withheldSecs, true);
        Rao burned = c.penalty == ZERO_RAO ? ZERO_RAO : _forfeit(c);
        emit Executed(caseId, c.withheldSecs, burned);
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
        require(_cases[caseId].status != Status.None, Arbiter_NoCase(caseId));
        return _executableAt(_cases[caseId]);
    }

    /* INTERNALS: READING */

    /// @dev Recovers every signer and takes the intersection of what they saw.
    function _read(Kind kind, uint64 rental, Timestamp start, SignedAttestation[] calldata attestations)
        private
        view
        returns (Finding memory found)
    {
        uint256 count = attestations.length;
        found.signers = new address[](count);
        found.evidence = new bytes32[](count);
        found.until = timeNow();
        bytes32 separator = Eip712.domainSeparator();
        for (uint256 i = 0; i < count; ++i) {
            SignedAttestation calldata a = attestations[i];
            _checkAttestation(kind, start, i, a);
            if (found.from <= a.from) found.cause = a.cause;
            (found.from, found.until) = CaseLib.intersect(found.from, found.until, a.from, a.until);
            bytes32 hash = Eip712.attestationHash(uint8(a.kind), rental, uint8(a.cause), a.from, a.until, a.evidence);
            found.signers[i] = Eip712.recover(separator, hash, a.r, a.vs);
            found.evidence[i] = a.evidence;
        }
    }

    function _checkAttestation(Kind kind, Timestamp start, uint256 i, SignedAttestation calldata a) private view {
        bool serves = a.kind == kind || (kind == Kind.Interrupted && a.kind == Kind.Offline);
        require(serves, Arbiter_WrongKind(i, a.kind, kind));
        require(a.from < a.until && a.until <= timeNow(), Arbiter_BadInterval(i, a.from, a.until));
        if (kind == Kind.Interrupted) return;
        Timestamp notBefore = Timestamp.wrap(secsBetween(Timestamp.wrap(FRESHNESS_SECS), timeNow()));
        require(notBefore <= a.until, Arbiter_Stale(i, a.until, notBefore));
        if (kind == Kind.NotDelivered) require(a.from == start, Arbiter_NotFromStart(i, a.from, start));
    }

    function _readSpoofs(
        bytes32 machine,
        uint32 registration,
        uint16 gpuClass,
        uint16 gpuCount,
        SignedSpoof[] calldata spoofs
    ) private view returns (Finding memory found) {
        uint256 count = spoofs.length;
        found.signers = new address[](count);
        found.evidence = new bytes32[](count);
        bytes32 separator = Eip712.domainSeparator();
        for (uint256 i = 0; i < count; ++i) {
            SignedSpoof calldata p = spoofs[i];
            _checkProvedAt(registration, i, p.provedAt);
            bytes32 hash = Eip712.spoofHash(machine, registration, gpuClass, gpuCount, p.provedAt, p.evidence);
            found.signers[i] = Eip712.recover(separator, hash, p.r, p.vs);
            found.evidence[i] = p.evidence;
        }
    }

    /// @dev Within its life, after the last `Spoofed` of this registration (the same proof serves once), not ahead.
    function _checkProvedAt(uint32 registration, uint256 i, Timestamp provedAt) private view {
        Timestamp time = timeNow();
        require(provedAt <= time, Arbiter_BadInterval(i, provedAt, time));
        Timestamp oldest = Timestamp.wrap(secsBetween(Timestamp.wrap(SPOOF_LIFE_SECS), time));
        Timestamp last = _lastSpoofedAt[registration];
        require(oldest <= provedAt && last < provedAt, Arbiter_Stale(i, provedAt, oldest < last ? last : oldest));
    }

    function _checkQuorum(address[] memory signers) private view returns (bool punishable) {
        bool quorum;
        (quorum, punishable) = KEEPERS.quorumOf(signers);
        require(quorum, Arbiter_NoQuorum(signers.length));
    }

    /* INTERNALS: CASES */

    function _checkEndable(Kind kind, uint64 rental, uint8 gap, IRentalEscrow.Rental memory r) private view {
        require(timeNow() < r.end, Arbiter_RentalOver(rental, r.end));
        require(gap == r.faultCount, Arbiter_NotLastGap(rental, gap, r.faultCount));
        bool served = r.claimedSecs != 0 || r.faultCount != 0;
        require(kind != Kind.NotDelivered || !served, Arbiter_AlreadyServed(rental));
    }

    /// @dev Clamps to the gap and to what is not yet paid, and asks for the kind's minimum of what is left.
    function _narrow(Kind kind, uint64 rental, uint8 gap, Finding memory found) private view {
        (Timestamp low, Timestamp high) = ESCROW.gapOf(rental, gap);
        (found.from, found.until) = CaseLib.intersect(found.from, found.until, low, high);
        uint32 minSecs = _minSecs(kind);
        require(secsBetween(found.from, found.until) >= minSecs, Arbiter_TooShort(found.from, found.until, minSecs));
    }

    function _minSecs(Kind kind) private view returns (uint32) {
        if (kind == Kind.NotDelivered) return DELIVERY_GRACE_SECS;
        if (kind == Kind.Interrupted) return MIN_INTERRUPTED_SECS;
        if (kind == Kind.Offline) return MIN_OFFLINE_SECS;
        revert Arbiter_BadKind(kind);
    }

    function _setAside(Kind kind, uint64 rental, uint32 registration, Rao earned) private returns (Rao) {
        Rao reserve = VAULT.reserveOf(rental).reserved;
        Rao penalty = kind == Kind.NotDelivered
            ? bpsOfDown(reserve, NOT_DELIVERED_BPS)
            : CaseLib.offlinePenalty(reserve, OFFLINE_BPS, earned);
        if (penalty == ZERO_RAO) return ZERO_RAO; // nothing is not recorded as something
        return VAULT.setAside(registration, rental, penalty);
    }

    /// @dev Burns the penalty, and gives back what an `Offline` would cost more than the rental has earned by now:
    /// seconds withheld after it was filed count too, whatever was filed first.
    function _forfeit(Case memory c) private returns (Rao burned) {
        burned = c.kind == Kind.Offline ? minRao(c.penalty, ESCROW.earnedOf(c.rental)) : c.penalty;
        if (ZERO_RAO < burned) VAULT.forfeit(c.registration, c.rental, burned);
        if (burned < c.penalty) VAULT.giveBack(c.registration, c.rental, c.penalty - burned);
    }

    function _executableAt(Case memory c) private view returns (Timestamp) {
        return plusSecs(c.filedAt, APPEAL_WINDOW_SECS);
    }

    /* INTERNALS: CONSTRUCTION */

    /// @dev The arbiter comes last, so it can see that the three contracts name each other.
    function _checkSiblings(Config memory config) private view {
        ICollateralVault vault = ICollateralVault(config.vault);
        IRentalEscrow escrow = IRentalEscrow(config.escrow);
        require(config.keepers.code.length > 0, Arbiter_BadConfig("keepers has no code"));
        require(vault.ARBITER() == address(this), Arbiter_BadConfig("the vault names another arbiter"));
        require(vault.ESCROW() == config.escrow, Arbiter_BadConfig("the vault names another escrow"));
        require(escrow.ARBITER() == address(this), Arbiter_BadConfig("the escrow names another arbiter"));
        require(address(escrow.VAULT()) == config.vault, Arbiter_BadConfig("the escrow names another vault"));
        require(address(escrow.KEEPERS()) == config.keepers, Arbiter_BadConfig("the escrow names other keepers"));
    }

    function _checkTimes(Config memory config) private view {
        require(config.appealWindowSecs != 0, Arbiter_BadConfig("appealWindowSecs is zero"));
        // Times are 32 bits: a window without bound would overflow, and no case would ever be decided.
        require(config.appealWindowSecs <= 30 days, Arbiter_BadConfig("appealWindowSecs is over 30 days"));
        require(config.deliveryGraceSecs != 0, Arbiter_BadConfig("deliveryGraceSecs is zero"));
        require(config.minInterruptedSecs != 0, Arbiter_BadConfig("minInterruptedSecs is zero"));
        require(
            config.minInterruptedSecs <= config.minOfflineSecs,
            Arbiter_BadConfig("minOfflineSecs is under minInterruptedSecs")
        );
        require(config.freshnessSecs != 0, Arbiter_BadConfig("freshnessSecs is zero"));
        require(config.spoofLifeSecs != 0, Arbiter_BadConfig("spoofLifeSecs is zero"));
        // Otherwise a claim could overtake an outage before anybody may file it.
        uint32 lag = IRentalEscrow(config.escrow).SETTLE_LAG_SECS();
        require(
            uint256(config.minOfflineSecs) + config.freshnessSecs <= lag,
            Arbiter_BadConfig("settleLagSecs is under minOfflineSecs + freshnessSecs")
        );
        require(
            uint256(config.deliveryGraceSecs) + config.freshnessSecs <= lag,
            Arbiter_BadConfig("settleLagSecs is under deliveryGraceSecs + freshnessSecs")
        );
        // Exiting bond answers for `Spoofed`: there must be time to check a second proof and file.
        require(
            lag <= ICollateralVault(config.vault).EXIT_DELAY_SECS(),
            Arbiter_BadConfig("exitDelaySecs is under settleLagSecs")
        );
    }
}
