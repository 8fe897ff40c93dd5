// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IBalanceTransfer } from "../../src/interfaces/ISubtensor.sol";

/// @dev 0x800 as it is when one account cannot be paid: only transfers to that one burn their gas.
contract PickyTransfers is IBalanceTransfer {
    mapping(bytes32 accountId => bool) private _refused;
    mapping(bytes32 accountId => uint256 rao) public paid;

    function refuse(bytes32 accountId) external {
        _refused[accountId] = true;
    }

    /// @inheritdoc IBalanceTransfer
    function transfer(bytes32 accountId) external payable {
        if (_refused[accountId]) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        paid[accountId] += msg.value / 1e9;
    }
}
