// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Vm } from "forge-std/Vm.sol";

/// @title What all proofs share
/// @dev A proof is a function `check_*`: halmos gives its arguments every value at once, `vm.assume` states a
/// precondition, `assert` a claim. A panic of checked arithmetic counts as a failure (halmos.toml), so each proof also
/// says that nothing in it overflows; where a revert is right, the call is made through `_succeeds`.
abstract contract Proof {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev All rao there will ever be (types/Units.sol).
    uint64 internal constant ALL_RAO = 2.1e16;

    /// @dev The largest share of anything.
    uint256 internal constant ALL_BPS = 10_000;

    /// @dev Calls a function of the proof itself, so that a revert is an answer and not the end of the path.
    function _succeeds(bytes memory call) internal returns (bool ok) {
        (ok,) = address(this).call(call);
    }
}
