// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Strings } from "@openzeppelin/contracts/utils/Strings.sol";
import { BondModel } from "./BondModel.sol";
import { StreamOracle } from "./StreamOracle.sol";

/// @title What the handlers share: time, people, electorate, and the books as they should be
contract Store is StreamOracle, BondModel {
    /// @dev Time is kept here, because a handler's `vm.warp` is not what the next call starts from.
    uint32 public clock;
    bool public payoutsRefused;
    bytes32[] public machines;

    mapping(bytes32 machine => uint32) public registrationOf;
    mapping(uint16 gpuClass => uint64) public classBond;

    /// @dev Everybody who may ever be owed money, and their account ids.
    address[] public people;
    mapping(address account => bytes32) public accountIdOf;

    /// @dev Wei that came unasked, less what was swept; and rao swept so far.
    mapping(address ledger => uint256) public strayWei;
    mapping(address ledger => uint64) public swept;

    /// @dev Possible keepers, ascending by account. Weight 0: not one at present.
    address[] public candidates;
    mapping(address candidate => uint256) public keyOf;
    mapping(address candidate => uint64) public weightOf;

    mapping(bytes32 action => uint256) public calls;
    mapping(bytes32 action => uint256) public refusals;
    bytes32[] private _actions;

    constructor(uint64 feeBps, uint32 startsAt) StreamOracle(feeBps) {
        clock = startsAt;
    }

    /* TIME AND CHAIN */

    function pass(uint32 secs) external {
        clock += secs;
    }

    function refusePayouts(bool on) external {
        payoutsRefused = on;
    }

    /* PEOPLE AND MACHINES */

    function introduce(address account, bytes32 accountId) external {
        people.push(account);
        accountIdOf[account] = accountId;
    }

    function peopleCount() external view returns (uint256) {
        return people.length;
    }

    function addMachine(bytes32 machine) external {
        machines.push(machine);
    }

    function machineCount() external view returns (uint256) {
        return machines.length;
    }

    function nameMachine(bytes32 machine, uint32 registration) external {
        registrationOf[machine] = registration;
    }

    function setClassBond(uint16 gpuClass, uint64 bond) external {
        classBond[gpuClass] = bond;
    }

    function minerOf(bytes32 machine) external view returns (address) {
        return _bonds[registrationOf[machine]].miner;
    }

    /* STRAY VALUE */

    function stray(address ledger, uint256 amountWei) external {
        strayWei[ledger] += amountWei;
    }

    function sweep(address ledger, uint64 amount) external {
        strayWei[ledger] -= uint256(amount) * 1e9;
        swept[ledger] += amount;
    }

    /* ELECTORATE */

    function addCandidate(uint256 key, address account, uint64 weight) external {
        candidates.push(account);
        (keyOf[account], weightOf[account]) = (key, weight);
        for (uint256 j = candidates.length - 1; j > 0 && candidates[j] < candidates[j - 1]; --j) {
            (candidates[j], candidates[j - 1]) = (candidates[j - 1], candidates[j]);
        }
    }

    function candidateCount() external view returns (uint256) {
        return candidates.length;
    }

    function setWeight(address candidate, uint64 weight) external {
        weightOf[candidate] = weight;
    }

    function activeKeepers() external view returns (uint256 active) {
        for (uint256 i = 0; i < candidates.length; ++i) {
            if (weightOf[candidates[i]] != 0) ++active;
        }
    }

    /// @dev Keys of the candidates in `mask`, in the order of their accounts; and whether they speak for all: active
    /// all of them, two at least, two thirds of all weight, and half of the others' without the heaviest.
    function signers(uint256 mask) external view returns (uint256[] memory keys, bool quorum) {
        uint256[4] memory w; // all, signed, heaviest, signers
        quorum = true;
        uint256[] memory chosen = new uint256[](candidates.length);
        for (uint256 i = 0; i < candidates.length; ++i) {
            uint256 weight = weightOf[candidates[i]];
            w[0] += weight;
            if (mask >> i & 1 == 0) continue;
            chosen[w[3]++] = keyOf[candidates[i]];
            w[1] += weight;
            if (weight > w[2]) w[2] = weight;
            if (weight == 0) quorum = false;
        }
        keys = new uint256[](w[3]);
        for (uint256 i = 0; i < w[3]; ++i) {
            keys[i] = chosen[i];
        }
        quorum = quorum && w[3] >= 2 && 3 * w[1] >= 2 * w[0] && 2 * (w[1] - w[2]) >= w[0] - w[2];
    }

    /// @dev The mask of all active keepers.
    function everyKeeper() external view returns (uint256 mask) {
        for (uint256 i = 0; i < candidates.length; ++i) {
            if (weightOf[candidates[i]] != 0) mask |= 2 ** i;
        }
    }

    /* STATISTICS */

    function count(bytes32 action) external {
        _list(action);
        ++calls[action];
    }

    function countRefused(bytes32 action) external {
        _list(action);
        ++refusals[action];
    }

    /// @dev "rent 12 (7 refused as expected), ...": printed with a broken invariant.
    function statistics() external view returns (string memory text) {
        for (uint256 i = 0; i < _actions.length; ++i) {
            bytes32 action = _actions[i];
            string memory refused = Strings.toString(refusals[action]);
            text = string.concat(text, i == 0 ? "" : ", ", _text(action), " ", Strings.toString(calls[action]));
            if (refusals[action] != 0) text = string.concat(text, " (", refused, " refused as expected)");
        }
    }

    function _list(bytes32 action) private {
        if (calls[action] + refusals[action] == 0) _actions.push(action);
    }

    function _text(bytes32 word) private pure returns (string memory) {
        uint256 length;
        while (length < 32 && word[length] != 0) ++length;
        bytes memory out = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            out[i] = word[i];
        }
        return string(out);
    }
}
