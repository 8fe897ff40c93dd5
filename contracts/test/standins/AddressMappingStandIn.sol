// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IAddressMapping } from "../../src/interfaces/ISubtensor.sol";

/// @title Stand-in for precompile 0x80c on chains that lack it (local tests only)
/// @notice blake2b-256("evm:" ++ address), the chain's own mapping, computed with the EIP-152 compression function.
contract AddressMappingStandIn is IAddressMapping {
    address private constant BLAKE2F = address(9);

    /// @inheritdoc IAddressMapping
    function addressMapping(address account) external view returns (bytes32 accountId) {
        bytes memory input = abi.encodePacked(
            uint32(12), // rounds of blake2b
            _initialState(),
            // forge-lint: disable-next-line(unsafe-typecast) four characters
            bytes4("evm:"),
            account,
            new bytes(104), // the block's zero padding: 128 - 24
            bytes8(0x1800000000000000), // 24 bytes hashed so far, little-endian
            bytes8(0),
            uint8(1) // last block
        );
        (bool ok, bytes memory state) = BLAKE2F.staticcall(input);
        require(ok, "blake2f is missing");
        // forge-lint: disable-next-line(unsafe-typecast) the digest is the first 32 of 64 bytes
        return bytes32(state);
    }

    /// @dev The blake2b IV, little-endian words, the first xored with the parameter block of a 32-byte digest.
    function _initialState() private pure returns (bytes memory) {
        return hex"28c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5"
            hex"d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b";
    }
}
