// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Strings } from "@openzeppelin/contracts/utils/Strings.sol";
import { BidModel } from "./BidModel.sol";
import { BondModel } from "./BondModel.sol";
import { StatedModel } from "./StatedModel.sol";
import { StreamOracle } from "./StreamOracle.sol";

/// @title What the handlers share: time, people, electorate, and the books as they should be
contract Store is StreamOracle, StatedModel, BidModel {
    /// @dev Time is kept here, because a handler's `vm.warp` is not what the next call starts from.
    uint32 public clock;
    bool public payoutsRefused;
    bytes32[] public machines;

    /// @dev The guardian's and the owner's doing.
    uint32 public pausedUntil;
    bool public sunset;

    /// @dev The machine's newest registration, retired or not.
    mapping(bytes32 machine => uint32) public registrationOf;
    mapping(uint16 gpuClass => uint64) public classBond;

    /// @dev Everybody who may ever be owed money, and their account ids.
    address[] public people;
    mapping(address account => bool) public isKnown;
    mapping(address account => bytes32) public accountIdOf;
    bytes32[] public accountIds;

    /// @dev Where they want to be paid, what was paid to them, and what arrived where.
    address public immutable VAULT;
    mapping(address ledger => mapping(address account => bytes32)) public chosenAccountOf;
    mapping(address ledger => mapping(address account => uint64)) public paidTo;
    mapping(bytes32 accountId => uint64) public received;
    mapping(address ledger => uint64) public burnedOut;
    uint64 private _vaultPaid;

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

    constructor(uint64 feeBps, uint64 breakerBps, uint32 startsAt, address vault)
        StreamOracle(feeBps)
        BondModel(breakerBps)
    {
        clock = startsAt;
        VAULT = vault;
    }

    /* TIME AND CHAIN */

    function pass(uint32 secs) external {
        clock += secs;
    }

    function pause(uint32 until) external {
        pausedUntil = until;
    }

    function endForGood() external {
        sunset = true;
    }

    function refusePayouts(bool on) external {
        payoutsRefused = on;
    }

    /* PEOPLE AND MACHINES */

    function introduce(address account, bytes32 accountId) external {
        people.push(account);
        isKnown[account] = true;
        accountIdOf[account] = accountId;
        accountIds.push(accountId);
        accountIds.push(coldkeyOf(account));
    }

    /// @dev An account of somebody's that is not their mapped one.
    function coldkeyOf(address account) public pure returns (bytes32) {
        return keccak256(abi.encode("coldkey", account));
    }

    function accountIdCount() external view returns (uint256) {
        return accountIds.length;
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

    /// @dev Zero for a machine without a node, or whose node is retired.
    function minerOf(bytes32 machine) public view returns (address) {
        Bond storage b = _bonds[registrationOf[machine]];
        return b.retired ? address(0) : b.miner;
    }

    function liveMachines() external view returns (uint256 live) {
        for (uint256 i = 0; i < machines.length; ++i) {
            if (minerOf(machines[i]) != address(0)) ++live;
        }
    }

    /* PAYING */

    function choose(address ledger, address account, bytes32 accountId) external {
        chosenAccountOf[ledger][account] = accountId;
    }

    function pay(address ledger, address account, uint64 amount) external {
        bytes32 accountId = chosenAccountOf[ledger][account];
        received[accountId == 0 ? accountIdOf[account] : accountId] += amount;
        paidTo[ledger][account] += amount;
        if (ledger == VAULT) _vaultPaid += amount;
    }

    function burnOut(address ledger, uint64 amount) external {
        burnedOut[ledger] += amount;
    }

    function _paidOutOfVault() internal view override returns (uint64) {
        return _vaultPaid;
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
