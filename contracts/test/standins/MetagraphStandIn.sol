// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IMetagraph } from "../../src/interfaces/ISubtensor.sol";

/// @title Stand-in for precompile 0x802 on chains that lack it (local tests only)
/// @dev Faithful where the real one is known: an absent uid burns all gas.
contract MetagraphStandIn is IMetagraph {
    struct Entry {
        bytes32 hotkey;
        bool present;
    }

    mapping(uint16 netuid => mapping(uint16 uid => Entry)) private _entries;

    /// @inheritdoc IMetagraph
    function getHotkey(uint16 netuid, uint16 uid) external view returns (bytes32) {
        Entry memory entry = _entries[netuid][uid];
        if (!entry.present) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        return entry.hotkey;
    }

    function setHotkey(uint16 netuid, uint16 uid, bytes32 hotkey) external {
        _entries[netuid][uid] = Entry(hotkey, true);
    }

    function remove(uint16 netuid, uint16 uid) external {
        delete _entries[netuid][uid];
    }
}
