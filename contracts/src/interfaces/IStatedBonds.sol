// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Rao, Timestamp } from "../types/Units.sol";
import { IKeeperSet } from "./IKeeperSet.sol";

/// @title Bonds that are elsewhere and count here (SPEC 20)
/// @notice A coldkey's bond is in a vault that this chain's EVM cannot read, such as AlphaVault. Keepers state what is
/// there and what it counts for in TAO; anybody records a quorum of such statements, and what free TAO a rental lacks
/// is then covered by it. Nothing is held here: a penalty on what covers a rental is taken in that vault.
/// @dev Warning: a statement is as true as the quorum that signed it. It moves no TAO: the worst that a false one does
/// is that a rental has less behind it than it should.
interface IStatedBonds {
    /// @notice Which bond is stated, and for which rental; the same for all signers.
    /// @param vault Account id of the vault that holds it.
    /// @param owner The coldkey whose bond it is there.
    /// @param machine The machine it is for.
    /// @param registration The machine's current registration.
    /// @param rental The registration's newest rental when this was stated; 0: it had none.
    /// @param over Whether that was over (true where there was none). A statement made while it ran can only extend it;
    /// one made after it can only begin the next, so no case lies between a statement and what it covers.
    struct BondClaim {
        bytes32 vault;
        bytes32 owner;
        bytes32 machine;
        uint32 registration;
        uint64 rental;
        bool over;
    }

    /// @notice One keeper's word about it. Of several, the least of each number counts.
    /// @param alpha What is there and free, in the vault's own smallest units (AlphaVault: rao of alpha).
    /// @param value What that counts for here.
    /// @param statedAt When it was so.
    /// @param until Before then nothing of it can leave that vault.
    /// @param r, vs EIP-2098 signature of the EIP-712 digest under this contract's domain.
    struct SignedStatement {
        uint64 alpha;
        Rao value;
        Timestamp statedAt;
        Timestamp until;
        bytes32 r;
        bytes32 vs;
    }

    /// @notice A statement as recorded; it never changes.
    struct Statement {
        bytes32 vault;
        bytes32 owner;
        uint64 alpha;
        Rao value;
        Timestamp statedAt;
        Timestamp until;
        uint64 rental;
        uint32 registration;
        bool over;
    }

    /// @notice What covers a rental: a part of what a statement named, at its rate. Stays readable when all is over, so
    /// that keepers can tell that vault what was behind the rental, with nothing but views.
    /// @param statement Number of the statement; 0: nothing covers the rental.
    /// @param alpha How much of the stated bond.
    /// @param value What that counts for.
    /// @param tao What was reserved in TAO beside it, before any case.
    struct Cover {
        uint64 statement;
        uint64 alpha;
        Rao value;
        Rao tao;
    }

    /// @notice The machine's current registration is another, or it has none (0).
    error StatedBonds_NotCurrent(bytes32 machine, uint32 registration, uint32 current);

    /// @notice Nobody's bond, or none: vault, owner, alpha and value must all be there.
    error StatedBonds_Nothing();
    error StatedBonds_OfTheFuture(uint256 index, Timestamp statedAt);

    /// @notice Stated before `notBefore` (its life, a `Spoofed` or a rebind since): ask keepers for a new one.
    error StatedBonds_Stale(Timestamp statedAt, Timestamp notBefore);

    /// @notice One recorded for this registration is at least as new.
    error StatedBonds_NotNewer(Timestamp statedAt, Timestamp newest);
    error StatedBonds_NoQuorum(uint256 signers);

    /// @notice The registration's statement was made for another rental: ask keepers for a new one.
    error StatedBonds_OtherRental(uint64 statement, uint64 rental, bool over, uint64 wanted);

    /// @notice The bond could leave before every case of the rental can have been filed there.
    error StatedBonds_TooShort(uint64 statement, Timestamp until, Timestamp wanted);

    /// @notice Free TAO and what is left of the stated bond are not enough.
    error StatedBonds_NotEnough(uint64 statement, Rao left, Rao wanted);

    event BondStated(
        uint32 indexed registration,
        uint64 indexed statement,
        bytes32 vault,
        bytes32 owner,
        uint64 alpha,
        Rao value,
        Timestamp until
    );
    /// @notice Statement 0: TAO bears the rental alone from now on.
    event Covered(uint64 indexed rental, uint64 indexed statement, uint64 alpha, Rao value, Rao tao);

    /// @notice Records what a quorum of keepers states. Anybody.
    /// @dev The signers must be ascending and a quorum now; none has stated it ahead of time or longer than the
    /// statement's life ago; and the oldest of them must be newer than what is recorded for the registration.
    /// @return statement Its number.
    function state(BondClaim calldata claim, SignedStatement[] calldata statements) external returns (uint64 statement);

    /// @notice Statements ever recorded; `statementAt` takes 1 .. count.
    function statementCount() external view returns (uint64);
    function statementAt(uint64 statement) external view returns (Statement memory);

    /// @notice The newest statement for a registration; 0: none.
    function statementOf(uint32 registration) external view returns (uint64);

    /// @notice What covers, or covered, a rental beside its reserve of TAO.
    function coverOf(uint64 rental) external view returns (Cover memory);

    /* IMMUTABLES */

    /// @notice Who may state.
    function KEEPERS() external view returns (IKeeperSet);

    /// @notice How old a statement may be when it is recorded, and when a rental is covered with it.
    function STATEMENT_LIFE_SECS() external view returns (uint32);

    /// @notice How long after a rental's close the stated vault takes its cases; what covers it must stay so long.
    function STATED_FILING_SECS() external view returns (uint32);
}
