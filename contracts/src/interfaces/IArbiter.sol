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

    enum Status {
        None,
        Filed, // money is aside; can be appealed until the window closes
        Appealed, // waits for the judge
        Executed, // withheld pay is the renter's, the penalty burned
        Dismissed // withheld pay is the miner's, the penalty given back
    }

    /// @notice What the arbiter is deployed with; nothing of it can change.
    /// @param vault The CollateralVault.
    /// @param escrow The RentalEscrow.
    /// @param keepers The IKeeperSet whose quorum speaks.
    /// @param appealWindowSecs From filing to when a case can be executed.
    /// @param deliveryGraceSecs How long a machine may take to let its renter in.
    /// @param minInterruptedSecs Shortest interval worth a case.
    /// @param minOfflineSecs Shortest going-on outage that ends a rental.
    /// @param freshnessSecs How old the last failing look may be for a kind that ends a rental.
    /// @param spoofLifeSecs How old a proof of spoofing may be.
    /// @param notDeliveredBps Penalty of `NotDelivered`, of the reserve.
    /// @param offlineBps Penalty of `Offline`, of the reserve; never more than the rental has earned.
    struct Config {
        address vault;
        address escrow;
        address keepers;
        uint32 appealWindowSecs;
        uint32 deliveryGraceSecs;
        uint32 minInterruptedSecs;
        uint32 minOfflineSecs;
        uint32 freshnessSecs;
        uint32 spoofLifeSecs;
        uint16 notDeliveredBps;
        uint16 offlineBps;
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

    /// @notice A case. One slot; what an appeal needs comes in a second one.
    struct Case {
        Kind kind;
        Status status;
        Cause cause; // of the attestation with the latest start
        uint64 rental; // 0: none
        uint32 registration;
        Timestamp filedAt;
        uint32 withheldSecs;
        Rao penalty; // set aside in the vault
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
    event Executed(uint64 indexed caseId, uint32 withheldSecs, Rao burned);

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

    /// @notice After the appeal window: withheld pay to the renter, penalty to be burned. Once, by anybody. Of an
    /// `Offline` no more is burned than the rental has earned by then; the rest goes back.
    function execute(uint64 caseId) external;

    /// @notice Cases ever filed; `caseAt` takes 1 .. count.
    function caseCount() external view returns (uint64);

    /// @notice A case.
    function caseAt(uint64 caseId) external view returns (Case memory);

    /// @notice When a filed case can be executed.
    function executableAt(uint64 caseId) external view returns (Timestamp);
}
