// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @dev Somebody who is a contract. It cannot be paid: whatever the system owes it, it has to leave by its own way out.
contract Actor {
    function act(address target, uint256 valueWei, bytes calldata data)
        external
        payable
        returns (bool ok, bytes memory result)
    {
        return target.call{ value: valueWei }(data);
    }
}
