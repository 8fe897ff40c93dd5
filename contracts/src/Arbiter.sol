// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Docket } from "./base/Docket.sol";
import { IArbiter } from "./interfaces/IArbiter.sol";
import { ICollateralVault } from "./interfaces/ICollateralVault.sol";
import { IKeeperSet } from "./interfaces/IKeeperSet.sol";
import { IRentalEscrow } from "./interfaces/IRentalEscrow.sol";
import { CaseLib } from "./libraries/CaseLib.sol";
import { Eip712 } from "./libraries/Eip712.sol";
import { Rao, Timestamp, ZERO_RAO, bpsOfDown, secsBetween, timeNow, toRao } from "./types/Units.sol";

/// @title Where facts become money (the filing half of IArbiter; Docket is the other)
contract Arbiter is Docket {
    uint16 public constant MAX_PENALTY_BPS = 2_000;

    /// @dev What a set of attestations says together.
    struct Finding {
        Timestamp from;
        Timestamp until;
        Cause cause;
        address[] signers;
        bytes32[] evidence;
    }

    /// @dev What a `Spoofed` says, named once for all signers.
    struct Claim {
        bytes32 machine;
        uint32 registration;
        uint16 gpuClass;
        uint16 gpuCount;
    }

    /* IMMUTABLES */

    IKeeperSet public immutable KEEPERS;
    uint32 public immutable DELIVERY_GRACE_SECS;
    uint32 public immutable MIN_INTERRUPTED_SECS;
    uint32 public immutable MIN_OFFLINE_SECS;
    uint32 public immutable FRESHNESS_SECS;
    uint32 public immutable SPOOF_LIFE_SECS;
    uint16 public immutable NOT_DELIVERED_BPS;
    uint16 public immutable OFFLINE_BPS;

    /* STORAGE */

    mapping(uint32 registration => Timestamp) private _lastSpoofedAt;

    /* CONSTRUCTOR */

    constructor(Config memory config) payable Docket(config) {
        _checkSiblings(config);
        _checkTimes(config);
        require(config.notDeliveredBps <= MAX_PENALTY_BPS, Arbiter_BadConfig("notDeliveredBps is over 2,000"));
        require(config.offlineBps <= MAX_PENALTY_BPS, Arbiter_BadConfig("offlineBps is over 2,000"));
        KEEPERS = IKeeperSet(config.keepers);
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
        IRentalEscrow.Gap memory g = ESCROW.gapOf(rental, gap);
        require(Timestamp.unwrap(g.rental.start) != 0, Arbiter_NoRental(rental));
        Finding memory found = _read(kind, rental, g.rental.start, attestations);
        bool punishable = _checkQuorum(found.signers);
        if (kind != Kind.Interrupted) _checkEndable(kind, rental, gap, g.rental);
        _narrow(kind, found, g);
        return _file(kind, rental, gap, g.rental.registration, found, punishable);
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
        Finding memory found = _readSpoofs(Claim(machine, registration, gpuClass, gpuCount), spoofs);
        Rao penalty = _checkQuorum(found.signers) ? _spoofPenalty(gpuClass, gpuCount) : ZERO_RAO;
        return _fileSpoofed(registration, penalty, found);
    }

    /* INTERNALS: READING */

    /// @dev Recovers every signer and takes the intersection of what they saw.
    function _read(Kind kind, uint64 rental, Timestamp start, SignedAttestation[] calldata attestations)
        private
        view
        returns (Finding memory found)
    {
        found = _blank(attestations.length);
        bytes32 separator = Eip712.domainSeparator();
        for (uint256 i = 0; i < attestations.length; ++i) {
            SignedAttestation calldata a = attestations[i];
            _checkAttestation(kind, start, i, a);
            if (found.from <= a.from) found.cause = a.cause;
            (found.from, found.until) = CaseLib.intersect(found.from, found.until, a.from, a.until);
            found.signers[i] = _attestedBy(separator, rental, a);
            found.evidence[i] = a.evidence;
        }
    }

    function _attestedBy(bytes32 separator, uint64 rental, SignedAttestation calldata a)
        private
        pure
        returns (address)
    {
        bytes32 hash = Eip712.attestationHash(uint8(a.kind), rental, uint8(a.cause), a.from, a.until, a.evidence);
        return Eip712.recover(separator, hash, a.r, a.vs);
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

    function _readSpoofs(Claim memory claim, SignedSpoof[] calldata spoofs)
        private
        view
        returns (Finding memory found)
    {
        found = _blank(spoofs.length);
        bytes32 separator = Eip712.domainSeparator();
        for (uint256 i = 0; i < spoofs.length; ++i) {
            _checkProvedAt(claim.registration, i, spoofs[i].provedAt);
            found.signers[i] = _spoofClaimedBy(separator, claim, spoofs[i]);
            found.evidence[i] = spoofs[i].evidence;
        }
    }

    function _spoofClaimedBy(bytes32 separator, Claim memory claim, SignedSpoof calldata p)
        private
        pure
        returns (address)
    {
        bytes32 hash = Eip712.spoofHash(
            claim.machine, claim.registration, claim.gpuClass, claim.gpuCount, p.provedAt, p.evidence
        );
        return Eip712.recover(separator, hash, p.r, p.vs);
    }

    function _blank(uint256 count) private view returns (Finding memory found) {
        found.signers = new address[](count);
        found.evidence = new bytes32[](count);
        found.until = timeNow();
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

    /// @dev Clamps to the gap and to what is not yet paid, and asks for the kind's minimum of what is left. What ends a
    /// rental is still going on: it is withheld up to now.
    function _narrow(Kind kind, Finding memory found, IRentalEscrow.Gap memory g) private view {
        (found.from, found.until) = CaseLib.intersect(found.from, found.until, g.from, g.until);
        uint32 minSecs = _minSecs(kind);
        require(secsBetween(found.from, found.until) >= minSecs, Arbiter_TooShort(found.from, found.until, minSecs));
        if (kind != Kind.Interrupted) found.until = timeNow();
    }

    function _minSecs(Kind kind) private view returns (uint32) {
        if (kind == Kind.NotDelivered) return DELIVERY_GRACE_SECS;
        if (kind == Kind.Interrupted) return MIN_INTERRUPTED_SECS;
        if (kind == Kind.Offline) return MIN_OFFLINE_SECS;
        revert Arbiter_BadKind(kind);
    }

    /// @dev Effects, and interactions with siblings. The escrow checks the interval again.
    function _file(Kind kind, uint64 rental, uint8 gap, uint32 registration, Finding memory found, bool punishable)
        private
        returns (uint64 caseId)
    {
        bool ends = kind != Kind.Interrupted;
        caseId = _open(kind, rental, registration);
        Case storage c = _cases[caseId];
        c.cause = found.cause;
        c.withheldSecs = secsBetween(found.from, found.until);
        // slither-disable-next-line reentrancy-no-eth an immutable sibling, which never calls back
        Rao earned = ESCROW.withhold(rental, caseId, gap, found.from, found.until, ends);
        if (punishable && ends) _punish(c, _setAside(kind, rental, registration, earned));
        emit Filed(caseId, rental, registration, kind, c.withheldSecs, c.penalty, found.signers, found.evidence);
    }

    /// @dev Effects, and interactions with siblings.
    function _fileSpoofed(uint32 registration, Rao penalty, Finding memory found) private returns (uint64 caseId) {
        _lastSpoofedAt[registration] = timeNow();
        // slither-disable-next-line reentrancy-benign an immutable sibling, which never calls back
        uint64 rental = ESCROW.distrust(registration);
        caseId = _open(Kind.Spoofed, rental, registration);
        Case storage c = _cases[caseId];
        if (ZERO_RAO < penalty) _punish(c, VAULT.setAsideAny(registration, penalty));
        emit Filed(caseId, rental, registration, Kind.Spoofed, 0, c.penalty, found.signers, found.evidence);
    }

    function _spoofPenalty(uint16 gpuClass, uint16 gpuCount) private view returns (Rao) {
        return toRao(uint256(Rao.unwrap(ESCROW.classBond(gpuClass))) * gpuCount);
    }

    function _open(Kind kind, uint64 rental, uint32 registration) private returns (uint64 caseId) {
        caseId = ++_books.count;
        Case storage c = _cases[caseId];
        c.kind = kind;
        c.status = Status.Filed;
        c.rental = rental;
        c.registration = registration;
        c.filedAt = timeNow();
    }

    function _punish(Case storage c, Rao penalty) private {
        if (penalty == ZERO_RAO) return; // nothing is not recorded as something
        c.penalty = penalty;
        c.slow = _isOverBreaker(penalty);
    }

    function _setAside(Kind kind, uint64 rental, uint32 registration, Rao earned) private returns (Rao) {
        Rao reserve = VAULT.reservedFor(registration, rental);
        Rao penalty = kind == Kind.NotDelivered
            ? bpsOfDown(reserve, NOT_DELIVERED_BPS)
            : CaseLib.offlinePenalty(reserve, OFFLINE_BPS, earned);
        if (penalty == ZERO_RAO) return ZERO_RAO;
        return VAULT.setAside(registration, rental, penalty);
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
        require(address(vault.KEEPERS()) == config.keepers, Arbiter_BadConfig("the vault names other keepers"));
    }

    function _checkTimes(Config memory config) private view {
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
        // A rental can be closed before its case is executed, so that all its seconds are known by then.
        require(lag <= config.appealWindowSecs, Arbiter_BadConfig("appealWindowSecs is under settleLagSecs"));
        // Exiting bond answers for `Spoofed`, as long as a proof of it may be filed.
        uint32 exitDelay = ICollateralVault(config.vault).EXIT_DELAY_SECS();
        require(config.spoofLifeSecs <= exitDelay, Arbiter_BadConfig("exitDelaySecs is under spoofLifeSecs"));
        require(lag <= exitDelay, Arbiter_BadConfig("exitDelaySecs is under settleLagSecs"));
    }
}
