// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice Precompile 0x800: moves TAO to an account id. No code of the receiver runs.
interface IBalanceTransfer {
    /// @dev Moves floor(msg.value / 1e9) rao. Burns all forwarded gas when it fails.
    function transfer(bytes32 accountId) external payable;
}

/// @notice Precompile 0x80c: the account id an EVM address maps to, blake2_256("evm:" ++ address).
interface IAddressMapping {
    function addressMapping(address account) external view returns (bytes32 accountId);
}

/// @notice Precompile 0x802: the subnet's metagraph.
interface IMetagraph {
    /// @dev An absent uid or subnet burns all forwarded gas. An unset one is 32 zero bytes.
    function getHotkey(uint16 netuid, uint16 uid) external view returns (bytes32 hotkey);
}

/// @notice Precompile 0x402: ed25519.
interface IEd25519Verify {
    /// @dev A key that is no curve point burns all forwarded gas.
    function verify(bytes32 message, bytes32 publicKey, bytes32 r, bytes32 s) external view returns (bool);
}
