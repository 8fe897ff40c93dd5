// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @dev A renter whose account takes no money by any call.
contract Refuser {
    receive() external payable {
        revert("no money");
    }
}
