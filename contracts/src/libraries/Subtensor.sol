// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {
    IAddressMapping,
    IBalanceTransfer,
    IEd25519Verify,
    IMetagraph,
    IVotingPower
} from "../interfaces/ISubtensor.sol";

/// @title The chain's precompiles, called so that a failing one costs a bounded amount of gas
/// @dev Every external call of the project that is not to a sibling contract is in this file, and goes to a constant
/// address (SPEC invariant 9). A precompile that fails keeps all gas forwarded to it and returns nothing (SPEC D5),
/// so reads are capped; caps are at least 4x what was measured on the chain.
library Subtensor {
    address internal constant ED25519_VERIFY = address(0x402);
    address internal constant BALANCE_TRANSFER = address(0x800);
    address internal constant METAGRAPH = address(0x802);
    address internal constant STORAGE_QUERY = address(0x807);
    address internal constant ADDRESS_MAPPING = address(0x80c);
    address internal constant VOTING_POWER = address(0x80d);

    /// @dev PalletId "burntnsr": what arrives there is burned TAO.
    // slither-disable-next-line too-many-digits eight letters, and zeros up to 32 bytes
    bytes32 internal constant BURN_ACCOUNT_ID = 0x6d6f646c6275726e746e73720000000000000000000000000000000000000000;

    /// @dev The chain's existential deposit: accounts below it cease to exist, transfers below it fail.
    uint64 internal constant EXISTENTIAL_DEPOSIT_RAO = 500;

    /// @dev twox128("SubtensorModule") ++ twox128("AssociatedEvmAddress").
    bytes32 private constant ASSOCIATION_PREFIX = 0x658faa385070e074c85bf6b568cf05552ee3ea5cc28fb0bcd7e9c900544e35b2;

    uint256 private constant ED25519_GAS = 30_000; // 6,404 measured
    uint256 private constant READ_GAS = 10_000; // 1,017 measured (0x802), 1,011 (0x807)
    uint256 private constant MAPPING_GAS = 10_000; // 386 measured
    uint256 private constant POWER_GAS = 10_000; // one storage read, as 0x802 and 0x807
    uint256 private constant TOTAL_POWER_GAS = 700_000; // 625 for each of at most 256 validators: 160,000

    /// @dev What the EVM takes of the gas left between asking for it and forwarding it: memory, a cold address.
    uint256 private constant CALL_GAS = 5_000;

    /// @dev Bytes of a stored association: an address, then a little-endian block number.
    uint256 private constant ASSOCIATION_BYTES = 28;

    /// @dev Too little gas to tell a precompile that fails from one that was starved.
    error Subtensor_NotEnoughGas(uint256 left, uint256 needed);

    /// @dev Pays through 0x800 with all gas. False when the chain refused; no money has moved then.
    function pay(bytes32 accountId, uint256 valueWei) internal returns (bool ok) {
        // slither-disable-next-line arbitrary-send-eth,low-level-calls the only payout there is, to a precompile
        (ok,) = BALANCE_TRANSFER.call{ value: valueWei }(abi.encodeCall(IBalanceTransfer.transfer, (accountId)));
    }

    /// @dev The account id of an EVM address. Zero when 0x80c fails.
    // slither-disable-next-line low-level-calls a capped read of a constant precompile; its answer is checked
    function accountIdOf(address account) internal view returns (bytes32 accountId) {
        (bool ok, bytes memory out) =
            ADDRESS_MAPPING.staticcall{ gas: MAPPING_GAS }(abi.encodeCall(IAddressMapping.addressMapping, (account)));
        if (ok && out.length == 32) accountId = abi.decode(out, (bytes32));
    }

    /// @dev The hotkey at `uid`. Zero when there is none.
    // slither-disable-next-line low-level-calls a capped read of a constant precompile; its answer is checked
    function hotkeyAt(uint16 netuid, uint16 uid) internal view returns (bytes32 hotkey) {
        (bool ok, bytes memory out) =
            METAGRAPH.staticcall{ gas: READ_GAS }(abi.encodeCall(IMetagraph.getHotkey, (netuid, uid)));
        if (ok && out.length == 32) hotkey = abi.decode(out, (bytes32));
    }

    /// @dev The EVM address associated with `uid`, read from raw storage: 0x806 would scan and cost 160k gas. The key
    /// is twox64-concat of both ids; the hashes come from the caller, because the EVM has no xxhash, and a wrong one
    /// names no entry at all. Zero when there is none.
    // slither-disable-next-line low-level-calls a capped read of a constant precompile; its answer is checked
    function associatedAddress(uint16 netuid, bytes8 netuidHash, uint16 uid, bytes8 uidHash)
        internal
        view
        returns (address account)
    {
        bytes memory key =
            abi.encodePacked(ASSOCIATION_PREFIX, netuidHash, _littleEndian(netuid), uidHash, _littleEndian(uid));
        (bool ok, bytes memory out) = STORAGE_QUERY.staticcall{ gas: READ_GAS }(key);
        // forge-lint: disable-next-line(unsafe-typecast) the first 20 of 28 bytes are the address
        if (ok && out.length == ASSOCIATION_BYTES) account = address(bytes20(out));
    }

    /// @dev Whether (r, s) is `publicKey`'s ed25519 signature of the 32 bytes `message`.
    // slither-disable-next-line low-level-calls a capped read of a constant precompile; its answer is checked
    function ed25519Verifies(bytes32 message, bytes32 publicKey, bytes32 r, bytes32 s) internal view returns (bool) {
        (bool ok, bytes memory out) = ED25519_VERIFY.staticcall{ gas: ED25519_GAS }(
            abi.encodeCall(IEd25519Verify.verify, (message, publicKey, r, s))
        );
        return ok && out.length == 32 && abi.decode(out, (uint256)) == 1;
    }

    /// @dev Whether the chain keeps voting power up to date on this subnet. False when 0x80d fails; never false only
    /// because the caller sent too little gas, which reverts.
    function tracksVotingPower(uint16 netuid) internal view returns (bool) {
        _checkGas(POWER_GAS);
        return _votingPower(POWER_GAS, abi.encodeCall(IVotingPower.isVotingPowerTrackingEnabled, (netuid))) == 1;
    }

    /// @dev The hotkey's voting power in rao. Zero when 0x80d fails; too little gas reverts.
    function votingPowerOf(uint16 netuid, bytes32 hotkey) internal view returns (uint64) {
        _checkGas(POWER_GAS);
        return _votingPower(POWER_GAS, abi.encodeCall(IVotingPower.getVotingPower, (netuid, hotkey)));
    }

    /// @dev The subnet's voting power in rao. Zero when 0x80d fails *or gets too little gas*: callers treat zero as a
    /// refusal, so that nobody has to bring the whole cap.
    function totalVotingPower(uint16 netuid) internal view returns (uint64) {
        return _votingPower(TOTAL_POWER_GAS, abi.encodeCall(IVotingPower.getTotalVotingPower, (netuid)));
    }

    /// @dev The chain's values are 64 bits wide; anything larger would be another chain's, and is cut to the largest.
    function _votingPower(uint256 gasCap, bytes memory call) private view returns (uint64) {
        // slither-disable-next-line low-level-calls a precompile that may be absent: failure is an answer
        (bool ok, bytes memory out) = VOTING_POWER.staticcall{ gas: gasCap }(call);
        if (!ok || out.length != 32) return 0;
        uint256 value = abi.decode(out, (uint256));
        // forge-lint: disable-next-line(unsafe-typecast) checked on the same line
        return value > type(uint64).max ? type(uint64).max : uint64(value);
    }

    /// @dev A call forwards at most 63/64 of what is left. Without this check whoever sends a transaction could choose
    /// its gas so that a read fails and everything after it still fits.
    function _checkGas(uint256 gasCap) private view {
        uint256 left = gasleft();
        require(left - left / 64 >= gasCap + CALL_GAS, Subtensor_NotEnoughGas(left, gasCap + CALL_GAS));
    }

    function _littleEndian(uint16 value) private pure returns (bytes2) {
        // forge-lint: disable-next-line(unsafe-typecast) swapping two bytes loses nothing
        return bytes2((value << 8) | (value >> 8));
    }
}
