// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Timestamp } from "../types/Units.sol";
import { IKeeperSet } from "./IKeeperSet.sol";

/// @title Keepers by the chain's own average of their stake on the subnet (precompile 0x80d)
/// @notice A validator sits down with `join` and shows at least every `CHECK_IN_SECS` that it is still there. Words: a
/// keeper is *seated* from joining until it leaves or is unseated; *silent* when seated and past its time; *active*
/// when seated and not silent. Only active keepers sign; silent ones weigh until anybody calls `expire`.
/// @dev Nobody owns this. Assumption (safety): root leaves the average slow (`VotingPowerEmaAlpha` at .00357 an epoch);
/// at 1 a stake bought for one epoch would be the court.
/// Assumption (liveness): root leaves 0x802 and 0x807 enabled, else nobody checks in and the set ends.
/// Warning: the subnet's owner can switch tracking off with 14 days' notice; from then on no penalty is set aside.
/// Warning: one owner can split stake over hotkeys and addresses. Heads do not bind, weights do.
/// Warning: after a deregistration a hotkey keeps its voting power until the end of the epoch, about 72 minutes, and so
/// long it counts here.
interface IVotingPowerKeepers is IKeeperSet {
    /// @notice A seat, as recorded.
    /// @param hotkey The validator it stands for; nobody else is seated for it.
    /// @param weight Its voting power in rao when last written down. Zero: not seated.
    /// @param activeUntil Last second at which it is active.
    /// @param uid Where the hotkey was found at the last check-in.
    /// @param place Index in `keeperAt`, plus one. Zero: not seated.
    struct Seat {
        // slot 0
        uint64 weight;
        Timestamp activeUntil;
        uint16 uid;
        uint16 place;
        // slot 1
        bytes32 hotkey;
    }

    /// @notice A deployment with these parameters would not work.
    error VotingPowerKeepers_BadConfig(string reason);

    /// @notice There is no such precompile here, so this is not Subtensor.
    error VotingPowerKeepers_NotSubtensor(address precompile);

    /// @notice The chain does not keep voting power up to date on this subnet, or 0x80d does not answer.
    error VotingPowerKeepers_NotTracked(uint16 netuid);

    /// @notice The chain associates `uid` with `found`, not with the caller (or `uidHash` is wrong).
    error VotingPowerKeepers_NotAssociated(uint16 uid, address found, address caller);

    /// @notice There is no hotkey at `uid`.
    error VotingPowerKeepers_NoHotkey(uint16 uid);

    /// @notice While weights are frozen a seat stays with its hotkey.
    error VotingPowerKeepers_HotkeyMoved(uint16 uid, bytes32 found, bytes32 recorded);

    /// @notice The chain gives this hotkey no voting power: it is unknown, swapped, without permit or too new.
    error VotingPowerKeepers_NoPower(bytes32 hotkey);

    /// @notice The whole cannot weigh less than a part: the total did not answer, or there was too little gas for it.
    error VotingPowerKeepers_BadTotal(uint64 total, uint64 weight);

    /// @notice `account` is seated; `checkIn` and `moveTo` are what it needs.
    error VotingPowerKeepers_AlreadySeated(address account);

    /// @notice `account` is not seated, or for `checkIn` and `leave`: was never here.
    error VotingPowerKeepers_NotAKeeper(address account);

    /// @notice All places are taken by keepers that weigh at least as much.
    error VotingPowerKeepers_TooLight(uint64 weight, uint64 lightest);

    /// @notice `account` is neither silent nor without voting power.
    error VotingPowerKeepers_NotExpired(address account, Timestamp activeUntil);

    /// @notice A keeper needs an SSH key.
    error VotingPowerKeepers_NoSshKey(address account);

    /// @notice A URL longer than this does not belong on chain.
    error VotingPowerKeepers_UrlTooLong(uint256 length, uint256 limit);

    /// @notice `account` is seated for `hotkey`.
    event KeeperJoined(address indexed account, bytes32 indexed hotkey, uint64 weight, bytes32 sshKey, string url);

    /// @notice `account` is active until `activeUntil`; seated for `hotkey`, perhaps another one than before.
    event KeeperCheckedIn(address indexed account, bytes32 indexed hotkey, uint64 weight, Timestamp activeUntil);

    /// @notice `account` now weighs `weight`.
    event KeeperRefreshed(address indexed account, uint64 weight);

    /// @notice `account` is not seated any more, without its doing. `checkIn` takes a seat again.
    event KeeperExpired(address indexed account);

    /// @notice `account` left.
    event KeeperLeft(address indexed account);

    /// @notice A keeper changed how it is reached.
    event KeeperMoved(address indexed account, bytes32 sshKey, string url);

    /// @notice Takes a seat for the hotkey at `uid`, which the chain must associate with the caller's address.
    /// @dev Whoever was seated for that hotkey is unseated: the chain knows one address for it, and it is the caller's.
    /// With all places taken, the lightest keeper (silent ones weigh nothing) is unseated if the caller weighs more.
    /// @param uidHash twox64 of the uid's two little-endian bytes; a wrong one finds nobody.
    function join(uint16 uid, bytes8 uidHash, bytes32 sshKey, string calldata url) external;

    /// @notice Shows that the caller still stands for the hotkey at `uid`, and brings its weight up to date.
    /// @dev Late is not too late: who was unseated sits down again. The hotkey may be another one than before
    /// (`swap_hotkey` keeps uid and association); the seat then moves to it. While tracking is off only an active
    /// keeper checks in, for the same hotkey, and its weight stays.
    function checkIn(uint16 uid, bytes8 uidHash) external;

    /// @notice Brings the recorded weight of a seated keeper up to date, up or down, by anybody.
    /// @dev Live voting power is not an opinion and no transaction moves it, so it does not matter who asks when.
    function refresh(address account) external;

    /// @notice Unseats a keeper that is silent, or (while tracking is on) whose hotkey has no voting power. By anybody.
    function expire(address account) external;

    /// @notice Changes the caller's own SSH key and URL.
    function moveTo(bytes32 sshKey, string calldata url) external;

    /// @notice Gives up the seat, if any, and deletes how the caller is reached.
    function leave() external;

    /// @notice The seat of an account. All zero: not seated.
    function seatOf(address account) external view returns (Seat memory);

    /// @notice How an account is reached, seated or not. Zero: it never joined, or left.
    function contactOf(address account) external view returns (bytes32 sshKey, string memory url);

    /// @notice Who is seated for a hotkey. Zero: nobody.
    function accountOf(bytes32 hotkey) external view returns (address);

    /// @notice Recorded weight of all seated keepers, in rao: what 2/3 are taken of.
    function seatedWeight() external view returns (uint256);

    /// @notice The subnet's whole voting power, in rao, as of the last join or check-in.
    function subnetPower() external view returns (uint64);
}
