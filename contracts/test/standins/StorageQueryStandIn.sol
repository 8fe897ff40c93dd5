// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Stand-in for precompile 0x807 on chains that lack it (local tests only)
/// @notice Calldata is a raw storage key, the answer raw SCALE bytes; nothing stored under it answers empty.
/// @dev Faithful where the real one is known: a pallet off the list, or no key at all, burns all gas. Only keys of
/// `SubtensorModule` are on this list.
contract StorageQueryStandIn {
    bytes16 private constant SUBTENSOR_MODULE = 0x658faa385070e074c85bf6b568cf0555;

    mapping(bytes key => bytes value) private _values;

    // solhint-disable-next-line no-complex-fallback
    fallback(bytes calldata key) external returns (bytes memory) {
        if (key.length < 16 || bytes16(key[:16]) != SUBTENSOR_MODULE) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        return _values[key];
    }

    function setValue(bytes calldata key, bytes calldata value) external {
        _values[key] = value;
    }
}
