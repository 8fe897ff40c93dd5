// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Rao, Timestamp } from "../types/Units.sol";
import { IRaoLedger } from "./IRaoLedger.sol";

/// @title Where facts become money
/// @notice Facts arrive with a quorum of keepers' signatures, in one transaction that anybody may send, and the money
/// in question is set aside in that same transaction; only then is it argued about. So no ordering of exits and
/// claims can outrun a verdict, and nothing ever waits for anything else to close.
/// @dev Assumption (safety): a quorum does not lie; see IRentalEscrow. Nothing is ever paid to whoever files, signs or
/// judges: withheld pay is the renter's or the miner's, a penalty is burned or given back.
interface IArbiter is IRaoLedger {
    /// @notice What a case says. Numbers are part of what keepers sign.
    enum Kind {
        None,
        NotDelivered, // from the start and still now, the renter's key was never accepted
        Interrupted, // an interval without service
        Offline, // out of service for the minimum and still so
        Spoofed // the machine signed false capacity proofs, twice
    }

    /// @notice Why, as seen from outside. Causes of one case may differ.
    enum Cause {
        None,
        Unreachable,
        WrongHostKey,
        RenterRefused,
        GpusMissing
    }

    /// @notice Where a case stands. Numbers are read off the chain by others: never reorder.
    enum Status {
        None,
        Filed, // money is aside; can be appealed until the window closes
        Appealed, // waits for the judge
        Executed, // withheld pay is the renter's, the penalty burned
        Dismissed, // withheld pay is the miner's, the penalty given back
        Refunded, // withheld pay is the renter's; the penalty waits, and can be appealed, because of the breaker
        RefundedAppealed // the same, and the judge is asked
    }

    /// @notice What the arbiter is deployed with; nothing of it can change.
    /// @param vault The CollateralVault.
    /// @param escrow The RentalEscrow.
    /// @param keepers The IKeeperSet whose quorum speaks.
    /// @param judge Who rules on appeals, and can do nothing else. Meant to be a council's multisig.
    /// @param appealWindowSecs From filing to when a case can be executed; the time to appeal.
    /// @param rulingWindowSecs From an appeal to when the judge's silence upholds the case; also what the breaker adds.
    /// @param deliveryGraceSecs How long a machine may take to let its renter in.
    /// @param minInterruptedSecs Shortest interval worth a case.
    /// @param minOfflineSecs Shortest going-on outage that ends a rental.
    /// @param freshnessSecs How old the last failing look may be for a kind that ends a rental.
    /// @param spoofLifeSecs How old a proof of spoofing may be.
    /// @param notDeliveredBps Penalty of `NotDelivered`, of the reserve.
    /// @param offlineBps Penalty of `Offline`, of the reserve; never more than the rental has earned.
    /// @param breakerBps When the penalties filed in a UTC day pass this share of all bonds, those filed after wait.
    struct Config {
        address vault;
        address escrow;
        address keepers;
        address judge;
        uint32 appealWindowSecs;
        uint32 rulingWindowSecs;
        uint32 deliveryGraceSecs;
        uint32 minInterruptedSecs;
        uint32 minOfflineSecs;
        uint32 freshnessSecs;
        uint32 spoofLifeSecs;
        uint16 notDeliveredBps;
        uint16 offlineBps;
        uint16 breakerBps;
    }

    /// @notice "I saw it fail from `from` to `until`, my last failing look", with an EIP-2098 signature.
    struct SignedAttestation {
        Kind kind;
        Cause cause;
        Timestamp from;
        Timestamp until;
        bytes32 evidence;
        bytes32 r;
        bytes32 vs;
    }

    /// @notice "I checked two false capacity proofs signed by this machine", with an EIP-2098 signature.
    struct SignedSpoof {
        Timestamp provedAt;
        bytes32 evidence;
        bytes32 r;
        bytes32 vs;
    }

    /// @notice A case. One slot.
    struct Case {
        Kind kind;
        Status status;
        Cause cause; // of the attestation with the latest start
        bool slow; // filed when the breaker was open: its penalty waits longer
        uint64 rental; // 0: none
        uint32 registration;
        Timestamp filedAt;
        uint32 withheldSecs;
        Rao penalty; // set aside in the vault
    }

    /// @notice The miner's objection to a case. One slot.
    struct Appeal {
        Rao bond; // returned unless the judge upholds the case
        Timestamp ruleBy; // the judge's last second
    }

    error Arbiter_BadConfig(string what);
    error Arbiter_BadKind(Kind kind);
    error Arbiter_WrongKind(uint256 index, Kind kind, Kind filed);
    error Arbiter_BadInterval(uint256 index, Timestamp from, Timestamp until);
    error Arbiter_Stale(uint256 index, Timestamp until, Timestamp notBefore);
    error Arbiter_NotFromStart(uint256 index, Timestamp from, Timestamp start);
    error Arbiter_NoQuorum(uint256 signers);
    error Arbiter_NoRental(uint64 rental);
    error Arbiter_RentalOver(uint64 rental, Timestamp end);
    error Arbiter_AlreadyServed(uint64 rental);
    error Arbiter_NotLastGap(uint64 rental, uint8 gap, uint8 lastGap);

    /// @notice What the attestations have in common, inside the gap and not yet paid, is shorter than the kind needs.
    error Arbiter_TooShort(Timestamp from, Timestamp until, uint32 minSecs);
    error Arbiter_NotCurrent(bytes32 machine, uint32 registration, uint32 current);
    error Arbiter_NoCase(uint64 caseId);
    error Arbiter_NotExecutable(uint64 caseId, Status status, Timestamp executableAt);
    error Arbiter_OnlyMiner(uint64 caseId, address miner, address caller);

    /// @notice The case is not waiting, or the time to appeal is over.
    error Arbiter_NotAppealable(uint64 caseId, Status status, Timestamp appealableUntil);
    error Arbiter_WrongAppealBond(Rao paid, Rao bond);
    error Arbiter_OnlyJudge(address judge, address caller);

    /// @notice The case is not appealed, or the judge is late: silence has upheld it.
    error Arbiter_NotRulable(uint64 caseId, Status status, Timestamp ruleBy);

    event Filed(
        uint64 indexed caseId,
        uint64 indexed rental,
        uint32 indexed registration,
        Kind kind,
        uint32 withheldSecs,
        Rao penalty,
        address[] signers,
        bytes32[] evidence
    );
    /// @notice The withheld pay is the renter's; the penalty waits.
    event Refunded(uint64 indexed caseId, uint32 withheldSecs);
    event Executed(uint64 indexed caseId, uint32 withheldSecs, Rao burned);
    event Appealed(uint64 indexed caseId, address indexed miner, Rao bond, bytes32 evidence, Timestamp ruleBy);
    event Ruled(uint64 indexed caseId, bool upheld);
    event Dismissed(uint64 indexed caseId, uint32 withheldSecs, Rao givenBack);

    /// @notice Files what a quorum saw in a rental.
    /// @param kind NotDelivered, Interrupted or Offline. An `Offline` attestation also serves `Interrupted`.
    /// @param rental The rental.
    /// @param gap Which gap between recorded faults the interval lies in; 0 is before the first. Kinds that end a
    /// rental take the last.
    /// @param attestations Sorted by signer. What counts is their intersection, inside the gap and not yet paid: the
    /// choice of signers and the order of filing can cost the miner less, never more.
    function file(Kind kind, uint64 rental, uint8 gap, SignedAttestation[] calldata attestations)
        external
        returns (uint64 caseId);

    /// @notice Files that a machine signed false capacity proofs. Penalty: class bond times `gpuCount`; a running
    /// rental ends and the rest is refunded.
    function fileSpoofed(
        bytes32 machine,
        uint32 registration,
        uint16 gpuClass,
        uint16 gpuCount,
        SignedSpoof[] calldata spoofs
    ) external returns (uint64 caseId);

    /// @notice Contests a case, paying `appealBondOf` exactly. The node's miner only, before the window is over. What
    /// was withheld and set aside stays where it is until the judge has ruled or been silent for too long.
    /// @param evidence Digest of what the miner has to say; passed on, not looked at.
    function appeal(uint64 caseId, bytes32 evidence) external payable;

    /// @notice Rules on an appeal. Judge only, and only in time.
    /// @param uphold True: the case is executed and the appeal bond burned. False: the withheld pay is the miner's, the
    /// penalty is free bond again, the appeal bond the miner's credit.
    function rule(uint64 caseId, bool uphold) external;

    /// @notice After the appeal window, or after the judge's silence: withheld pay to the renter, penalty to be burned.
    /// Once, by anybody. Of an `Offline` no more is burned than the rental has earned by then; the rest goes back.
    /// Where the breaker was open at filing, the first call refunds and a second one, later, burns.
    function execute(uint64 caseId) external;

    /// @notice Cases ever filed; `caseAt` takes 1 .. count.
    function caseCount() external view returns (uint64);

    /// @notice A case.
    function caseAt(uint64 caseId) external view returns (Case memory);

    /// @notice When the next `execute` of a case can be made; reverts for one that is decided.
    function executableAt(uint64 caseId) external view returns (Timestamp);

    /// @notice What an appeal must be paid with: a tenth of the penalty, at least .01 TAO.
    function appealBondOf(uint64 caseId) external view returns (Rao);

    /// @notice From then on the case cannot be appealed any more.
    function appealableUntil(uint64 caseId) external view returns (Timestamp);

    /// @notice The appeal of a case; zeros: none was made.
    function appealOf(uint64 caseId) external view returns (Appeal memory);

    /// @notice Penalties set aside in the UTC day `day` (days since 1970), the day of the last penalty.
    function penaltiesOfDay() external view returns (uint32 day, Rao total);

    /* IMMUTABLES */

    function JUDGE() external view returns (address);
}
