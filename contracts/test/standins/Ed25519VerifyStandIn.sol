// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IEd25519Verify } from "../../src/interfaces/ISubtensor.sol";

/// @title Stand-in for precompile 0x402 on chains that lack it (local tests only)
/// @notice ed25519 cannot be computed here. It knows only signatures that somebody has verified with a real
/// implementation and then recorded; everything else is false.
/// @dev Faithful where the real one is known: a key that is no curve point burns all gas (such keys are recorded too).
contract Ed25519VerifyStandIn is IEd25519Verify {
    mapping(bytes32 statement => bool) private _verified;
    mapping(bytes32 publicKey => bool) private _undecodable;

    /// @inheritdoc IEd25519Verify
    function verify(bytes32 message, bytes32 publicKey, bytes32 r, bytes32 s) external view returns (bool) {
        if (_undecodable[publicKey]) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        return _verified[keccak256(abi.encode(message, publicKey, r, s))];
    }

    function recordVerified(bytes32 message, bytes32 publicKey, bytes32 r, bytes32 s) external {
        _verified[keccak256(abi.encode(message, publicKey, r, s))] = true;
    }

    function recordUndecodable(bytes32 publicKey) external {
        _undecodable[publicKey] = true;
    }
}
