// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Timestamp } from "../types/Units.sol";

/// @title Whether new business is taken
/// @notice A guardian may pause new business for a while, the owner may end it for good. New business is registering,
/// depositing, offering, renting, extending, and posting and filling bids. Nothing else can ever be stopped: whoever is
/// in always gets out.
interface IGate {
    error Gate_OnlyGuardian(address caller);

    /// @notice No new business until then.
    error Gate_Paused(Timestamp until);

    /// @notice No new business any more: use the deployment that followed.
    error Gate_Sunset();

    /// @notice A pause lasts from a second to seven days.
    error Gate_BadPause(uint32 secs, uint32 max);

    /// @notice The last pause is too recent.
    error Gate_TooSoon(Timestamp notBefore);
    error Gate_NotPaused();

    event GuardianSet(address indexed guardian);
    event Paused(Timestamp until);
    event Unpaused();
    event Sunset();

    /// @notice Pauses new business for `secs`. Guardian only; at most seven days, not again within thirty days of the
    /// end of the last pause.
    function pause(uint32 secs) external;

    /// @notice Ends a pause early. Guardian only.
    function unpause() external;

    /// @notice Names the guardian; zero: nobody can pause. Owner only.
    function setGuardian(address newGuardian) external;

    /// @notice Closes this deployment to new business for good. Owner only; there is no way back.
    function sunset() external;

    /// @notice Reverts, saying why, while no new business is taken.
    function requireOpen() external view;

    /// @notice The end of the current or last pause (0: never), and whether the deployment is closed for good.
    function gate() external view returns (Timestamp pausedUntil, bool isSunset);

    /// @notice Who may pause.
    function guardian() external view returns (address);
}
