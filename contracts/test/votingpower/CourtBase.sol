// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { createVotingPower } from "../Build.sol";
import { VotingPowerKeepers } from "../../src/VotingPowerKeepers.sol";
import { Base } from "../Base.t.sol";
import { VotingPowerStandIn } from "../standins/VotingPowerStandIn.sol";

/// @dev The custody contracts with keepers by voting power in place of the appointed ones. Keeper n of
/// `keeperAccounts` has uid n + 1; uid 0 is the miner's.
abstract contract CourtBase is Base {
    VotingPowerStandIn internal constant POWER = VotingPowerStandIn(address(0x80d));

    VotingPowerKeepers internal power;

    function setUp() public virtual override {
        super.setUp();
        uint64[3] memory weights = [uint64(40e9), 35e9, 25e9];
        for (uint16 uid = 1; uid <= 3; ++uid) {
            _validator(uid, weights[uid - 1]);
            vm.prank(keeperAccounts[uid - 1]);
            power.join(uid, _uidHash(uid), bytes32(uint256(uid)), "http://keeper.example");
        }
    }

    function _createCourt() internal virtual override returns (address) {
        vm.etch(address(0x80d), type(VotingPowerStandIn).runtimeCode);
        POWER.setTracking(NETUID, true);
        power = createVotingPower(NETUID, NETUID_HASH, 24 hours);
        return address(power);
    }

    /// @dev A hotkey of its own at a uid, associated with the keeper's account, with voting power.
    function _validator(uint16 uid, uint64 weight) internal {
        METAGRAPH.setHotkey(NETUID, uid, _hotkey(uid));
        bytes memory key =
            abi.encodePacked(ASSOCIATION_PREFIX, NETUID_HASH, hex"0200", _uidHash(uid), bytes2(uid * 256));
        STORAGE.setValue(key, abi.encodePacked(keeperAccounts[uid - 1], hex"0700000000000000"));
        POWER.setPower(NETUID, _hotkey(uid), weight);
    }

    /// @dev Stands for twox64 of the uid.
    function _uidHash(uint16 uid) internal pure returns (bytes8) {
        return bytes8(uint64(uid));
    }

    function _hotkey(uint16 uid) internal pure returns (bytes32) {
        return keccak256(abi.encode("keeper's hotkey", uid));
    }
}
