// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IBalanceTransfer } from "../../src/interfaces/ISubtensor.sol";

/// @dev Moves value without running any code of the receiver, as the chain does: a contract that destroys itself in
/// its constructor.
contract SilentTransfer {
    constructor(address payable to) payable {
        selfdestruct(to);
    }
}

/// @title Stand-in for precompile 0x800 on chains that lack it (local tests only)
/// @notice Keeps what account ids own. An account id that was introduced as an EVM address's own is paid there at
/// once, since on Subtensor they are one account.
/// @dev Faithful where the real one is known: whole rao only, nothing under 500 rao, failure burns all gas (`invalid`),
/// no code of the receiver runs.
contract BalanceTransferStandIn is IBalanceTransfer {
    uint256 private constant WEI_PER_RAO = 1e9;
    uint256 private constant EXISTENTIAL_DEPOSIT_RAO = 500;

    mapping(bytes32 accountId => uint256 rao) public balanceOf;
    mapping(bytes32 accountId => address) public evmAddressOf;
    bool public failing;

    /// @inheritdoc IBalanceTransfer
    function transfer(bytes32 accountId) external payable {
        uint256 rao = msg.value / WEI_PER_RAO;
        if (rao == 0) return;
        bool refused = failing || rao < EXISTENTIAL_DEPOSIT_RAO;
        if (refused) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        address to = evmAddressOf[accountId];
        if (to == address(0)) balanceOf[accountId] += rao;
        else new SilentTransfer{ value: rao * WEI_PER_RAO }(payable(to));
    }

    /// @notice Introduces an EVM address as the owner of its account id.
    function introduce(bytes32 accountId, address account) external {
        evmAddressOf[accountId] = account;
    }

    /// @notice Makes every transfer fail, as when root disables the precompile.
    function setFailing(bool on) external {
        failing = on;
    }
}
