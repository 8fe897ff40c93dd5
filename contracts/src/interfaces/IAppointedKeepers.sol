// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IKeeperSet } from "./IKeeperSet.sol";

/// @title Keepers named by an owner, for private deployments and local chains
/// @dev Assumption (safety): the owner is a TimelockController, so that everybody sees a change before it counts and
/// can leave first. Whoever can appoint a quorum at once is the court.
interface IAppointedKeepers is IKeeperSet {
    /// @notice A keeper needs an address, a weight above zero and an SSH key.
    error AppointedKeepers_BadKeeper(address account, uint64 weight, bytes32 sshKey);

    /// @notice No more keepers than this, active or not: a quorum is computed in one call.
    error AppointedKeepers_TooMany(uint256 limit);

    /// @notice `account` is no active keeper.
    error AppointedKeepers_NotAKeeper(address account);

    /// @notice A URL longer than this does not belong on chain.
    error AppointedKeepers_UrlTooLong(uint256 length, uint256 limit);

    /// @notice `account` now counts `weight`.
    event KeeperAppointed(address indexed account, uint64 weight, bytes32 sshKey, string url);

    /// @notice `account` counts no more.
    event KeeperDismissed(address indexed account);

    /// @notice A keeper changed how it is reached.
    event KeeperMoved(address indexed account, bytes32 sshKey, string url);

    /// @notice Appoints a keeper, or changes one. Owner only.
    function appoint(address account, uint64 weight, bytes32 sshKey, string calldata url) external;

    /// @notice Dismisses a keeper; it keeps its index. Owner only.
    function dismiss(address account) external;

    /// @notice Changes the caller's own SSH key and URL.
    function moveTo(bytes32 sshKey, string calldata url) external;

    /// @notice Total weight of active keepers.
    function activeWeight() external view returns (uint256);

    /// @notice Number of active keepers.
    function activeCount() external view returns (uint256);
}
