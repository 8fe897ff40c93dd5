// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title When a set of signers speaks for all (see IKeeperSet.quorumOf)
/// @dev Pure: weights are at most 2^64 each and at most 2^16 of them, so no product below overflows.
library QuorumLib {
    /// @dev With fewer active keepers than this a case withholds, ends and refunds, but sets no penalty aside: two
    /// keepers are no court that should burn anything.
    uint256 internal constant MIN_KEEPERS_FOR_PENALTY = 3;

    /// @param activeCount How many keepers are active.
    function isCourt(uint256 activeCount) internal pure returns (bool) {
        return activeCount >= MIN_KEEPERS_FOR_PENALTY;
    }

    /// @param signerCount How many distinct active keepers signed.
    /// @param signed Their weight together.
    /// @param heaviest The largest weight among them.
    /// @param total All active weight.
    function isQuorum(uint256 signerCount, uint256 signed, uint256 heaviest, uint256 total)
        internal
        pure
        returns (bool)
    {
        if (signerCount < 2) return false;
        bool twoThirds = signed * 3 >= total * 2;
        bool halfWithoutHeaviest = (signed - heaviest) * 2 >= total - heaviest;
        return twoThirds && halfWithoutHeaviest;
    }
}
