// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Who may speak for the subnet
/// @notice Keepers are weighted; a quorum is a property of a set of signers, never of one key.
interface IKeeperSet {
    /// @notice One keeper, as recorded.
    /// @param account Signs attestations and certificates.
    /// @param weight What it counts in a quorum.
    /// @param active Whether it counts at present.
    /// @param sshKey The ed25519 key it opens SSH sessions with: miners' agents let in exactly these.
    /// @param url Base URL of its HTTP API, where attestations, certificates and evidence are found.
    struct Keeper {
        address account;
        uint64 weight;
        bool active;
        bytes32 sshKey;
        string url;
    }

    /// @notice Signers must be strictly ascending, so that nobody counts twice.
    error KeeperSet_SignersNotAscending(address previous, address next);

    /// @notice Whether `signers` are a quorum now, and whether the set may set penalties aside at present.
    /// @dev A quorum: at least two signers, all active; together at least 2/3 of all active weight; and without the
    /// heaviest signer the others hold at least half of the weight then left. So neither one heavy keeper nor many
    /// light ones decide alone. Reads up to the first signer who is no active keeper, which is no quorum; reverts when
    /// the signers read are not strictly ascending.
    /// @return quorum Whether they are one.
    /// @return mayPunish False while fewer than three keepers are active, or while weights are not kept up to date: a
    /// case then withholds, ends and refunds as always, but sets no penalty aside.
    function quorumOf(address[] calldata signers) external view returns (bool quorum, bool mayPunish);

    /// @notice Number of keepers recorded; `keeperAt` takes 0 .. count - 1. Whether those that left are among them is
    /// the set's affair; an index means the same keeper within one block, not longer.
    function keeperCount() external view returns (uint256);

    /// @notice The keeper at a dense index.
    function keeperAt(uint256 index) external view returns (Keeper memory);
}
