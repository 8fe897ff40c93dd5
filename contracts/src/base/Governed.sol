// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { Ownable2Step } from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title Something that somebody must stay responsible for
/// @dev The owner is meant to be a TimelockController (SPEC A2). Ownership moves in two steps and cannot be given up:
/// what nobody can repair would be frozen for ever.
abstract contract Governed is Ownable2Step {
    /// @notice There must always be an owner.
    error Governed_OwnerNeeded();

    constructor(address owner) Ownable(owner) { }

    /// @dev The way out is a new deployment, not an ownerless one.
    function renounceOwnership() public view override onlyOwner {
        revert Governed_OwnerNeeded();
    }
}
