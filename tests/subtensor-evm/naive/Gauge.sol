// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice Measures what a CALL costs its caller and nothing of its own: gas is read right before and right after.
/// @dev Calldata: target, value, gas limit (0: all there is), 32 bytes each, then the callee's calldata.
/// Answers whether it succeeded and the gas between the two readings, the few instructions between them included.
contract Gauge {
    receive() external payable { }

    fallback() external payable {
        assembly {
            let size := sub(calldatasize(), 96)
            calldatacopy(0, 96, size)
            let limit := calldataload(64)
            if iszero(limit) { limit := gas() }
            let target := calldataload(0)
            let value := calldataload(32)
            let before := gas()
            let ok := call(limit, target, value, 0, size, 0, 0)
            let used := sub(before, gas())
            mstore(0, ok)
            mstore(32, used)
            return(0, 64)
        }
    }
}

/// @notice The same for a storage write.
contract WriteGauge {
    uint256 public slot;

    function write(uint256 value) external returns (uint256 used) {
        assembly ("memory-safe") {
            let before := gas()
            sstore(slot.slot, value)
            used := sub(before, gas())
        }
    }
}
