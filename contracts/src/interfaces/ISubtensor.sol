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

/// @notice Precompile 0x80d: the chain's own moving average of each validator's stake on a subnet, in rao.
interface IVotingPower {
    /// @dev Zero for a hotkey without validator permit or registration, and for all while tracking is off. Moves only
    /// at the end of an epoch, and with `swap_hotkey`, at once, from the old hotkey to the new one.
    function getVotingPower(uint16 netuid, bytes32 hotkey) external view returns (uint256 power);

    /// @dev The sum over the subnet, added up at every call.
    function getTotalVotingPower(uint16 netuid) external view returns (uint256 power);

    /// @dev False by default. Switched on by the subnet's owner or root, and off by them with 14 days' notice.
    function isVotingPowerTrackingEnabled(uint16 netuid) external view returns (bool enabled);
}
