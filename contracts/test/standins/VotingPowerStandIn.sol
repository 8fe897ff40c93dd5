// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IVotingPower } from "../../src/interfaces/ISubtensor.sol";

/// @title Stand-in for precompile 0x80d on chains that lack it (local tests only)
/// @notice Keeps what each hotkey's voting power is; epochs pass by `setPower`.
/// @dev Faithful where the real one is known: 64-bit values, saturating total at 625 gas an entry, `swap` moves power
/// at once and adds it to what is there, the end of tracking clears everything, a disabled precompile burns all gas.
contract VotingPowerStandIn is IVotingPower {
    uint256 private constant READ_GAS = 625;

    /// @dev Of a subnet since tracking last ended: a mapping cannot be cleared.
    struct Entries {
        mapping(bytes32 hotkey => uint64) power;
        uint256 sum;
        uint256 count;
    }

    mapping(uint16 netuid => mapping(uint256 era => Entries)) private _entries;
    mapping(uint16 netuid => uint256) private _era;
    mapping(uint16 netuid => bool) private _tracked;
    bool public failing;
    bool public totalFailing;

    /* THE PRECOMPILE */

    /// @inheritdoc IVotingPower
    function getVotingPower(uint16 netuid, bytes32 hotkey) external view returns (uint256) {
        _burnAllIf(failing);
        return _of(netuid).power[hotkey];
    }

    /// @inheritdoc IVotingPower
    function getTotalVotingPower(uint16 netuid) external view returns (uint256) {
        uint256 before = gasleft();
        _burnAllIf(failing || totalFailing);
        Entries storage entries = _of(netuid);
        uint256 sum = entries.sum;
        uint256 cost = entries.count * READ_GAS;
        while (before - gasleft() < cost) { }
        return sum > type(uint64).max ? type(uint64).max : sum;
    }

    /// @inheritdoc IVotingPower
    function isVotingPowerTrackingEnabled(uint16 netuid) external view returns (bool) {
        _burnAllIf(failing);
        return _tracked[netuid];
    }

    /* THE CHAIN */

    /// @notice What the end of an epoch writes down for a hotkey.
    function setPower(uint16 netuid, bytes32 hotkey, uint64 power) public {
        Entries storage entries = _of(netuid);
        uint64 old = entries.power[hotkey];
        entries.sum = entries.sum - old + power;
        if (old == 0 && power != 0) ++entries.count;
        if (old != 0 && power == 0) --entries.count;
        entries.power[hotkey] = power;
    }

    /// @notice `swap_hotkey`.
    function swap(uint16 netuid, bytes32 oldHotkey, bytes32 newHotkey) external {
        Entries storage entries = _of(netuid);
        uint64 moved = entries.power[oldHotkey];
        setPower(netuid, oldHotkey, 0);
        setPower(netuid, newHotkey, entries.power[newHotkey] + moved);
    }

    /// @notice Tracking begins, or ends after its notice: then nobody has voting power any more.
    function setTracking(uint16 netuid, bool on) external {
        if (_tracked[netuid] && !on) ++_era[netuid];
        _tracked[netuid] = on;
    }

    /// @notice Makes every read fail, as when root disables the precompile.
    function setFailing(bool on) external {
        failing = on;
    }

    /// @notice Makes the total alone fail, as when there were more entries than gas.
    function setTotalFailing(bool on) external {
        totalFailing = on;
    }

    function _of(uint16 netuid) private view returns (Entries storage) {
        return _entries[netuid][_era[netuid]];
    }

    function _burnAllIf(bool condition) private pure {
        if (condition) {
            assembly ("memory-safe") {
                invalid()
            }
        }
    }
}
